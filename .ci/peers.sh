#!/usr/bin/env bash
# Fetches the programs that are not part of Espalier and runs the tests that need them.
set -euo pipefail
target=$1
version=0.2.187
folder=$target/peers/claude-agent-sdk-$version
claude=$folder/claude_agent_sdk/_bundled/claude

if [ ! -x "$claude" ]; then
  mkdir -p "$folder"
  if ! python3 -m pip download --quiet --no-deps --dest "$folder" "claude-agent-sdk==$version"; then
    echo "make test-peers: SKIPPED, Claude Code could not be fetched"
    exit 0
  fi
  python3 -m zipfile -e "$folder"/*.whl "$folder"
  rm -f "$folder"/*.whl
  chmod +x "$claude"
fi
ESPALIER_PEER_CLAUDE=$(realpath "$claude") cargo test --locked -p espalier-tests --test peers

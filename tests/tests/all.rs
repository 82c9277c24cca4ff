//! The end-to-end tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests end at the first surprise"
)]

mod suite {
    mod anthropic;
    mod architecture;
    mod command_line;
    mod demo;
    mod limits;
    mod ollama;
    mod recovery;
    mod saved_recordings;
    mod steering;
    mod window;
    mod window_context;
    mod window_models;
    mod window_worktrees;
    mod worktrees;
}

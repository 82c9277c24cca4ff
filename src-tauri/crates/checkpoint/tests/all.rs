//! Checkpoints against real repositories made with the `git` command.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod suite {
    pub mod lab;

    mod basics;
    mod bytes;
    mod cleaning;
    mod crashes;
    mod full;
    mod gaps;
    mod git;
    mod hazards;
    mod losses;
    mod many;
    mod packing;
    mod places;
    mod repositories;
    mod sequences;
    mod worktrees;
}

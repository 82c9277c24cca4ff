//! The integration tests of the crate, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod suite {
    mod annotations;
    mod kill;
    mod log;
    mod memory;
    mod processes;
    mod schema;
    mod session;
    mod sessions;
    mod texts;
}

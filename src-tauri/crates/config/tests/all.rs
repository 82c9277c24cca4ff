//! What a person who writes a configuration notices, with real files.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should fail there"
)]

mod suite {
    mod documents;
    mod examples;
    mod reports;
    mod schema;
    mod settings;
    pub mod support;
    mod tasks;
    mod variables;
}

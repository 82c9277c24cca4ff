//! The tests with programs that are not part of Espalier and have to be fetched first:
//! `make test-peers`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests end at the first surprise"
)]

mod suite {
    mod claude;
    mod clients;
    mod llama;
}

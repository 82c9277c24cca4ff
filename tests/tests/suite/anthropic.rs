//! Runs against a server of the Messages API: what it is asked, and what its failures look like.

mod bench;
mod cache;
mod calls;
mod cost;
mod failures;
mod keys;
mod talk;
mod thinking;

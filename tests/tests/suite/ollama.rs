//! Runs against an Ollama server: what it is asked, and what its failures look like.

pub mod bench;
mod calls;
mod failures;
mod models;
mod talk;
mod window;

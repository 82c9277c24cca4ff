//! Shared parts of the end-to-end tests: the built program, real projects, scripted model servers.

pub mod anthropic_server;
mod fields;
pub mod ollama_server;
pub mod program;
pub mod project;
pub mod recording;
mod sending;
pub mod window;

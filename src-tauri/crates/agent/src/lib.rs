//! The agent process: model backends, tools, process control.
//!
//! `agent_main` is the process that `espalier agent` runs; the engine speaks to it in the lines of
//! `espalier_protocol::worker`.

pub mod backend;
mod error;
mod opening;
mod probe;
pub mod recording;
pub mod tools;
mod worker;

pub use error::AgentError;
pub use opening::{default_system_prompt, opening};
pub use probe::{OllamaStatus, ollama_status};
pub use tools::{kill_process_tree, tool_definitions};
pub use worker::agent_main;

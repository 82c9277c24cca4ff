//! The agent process: model backends, tools, process control.
//!
//! `agent_main` is the process: it hears the engine's lines and speaks the agent's
//! (`espalier_protocol::worker`). The rest is what other parts need without starting one: the
//! tools' definitions, a conversation's opening, recordings, what an Ollama server says of itself.

pub mod backend;
pub mod claude;
mod error;
mod opening;
pub mod recording;
mod secret;
pub mod tools;
pub mod worker;

pub use backend::ollama::{
    OllamaStatus, ollama_full_name, ollama_models, ollama_pull, ollama_status,
};
pub use claude::cli::{ClaudeCli, find_claude};
pub use error::AgentError;
pub use opening::{default_system_prompt, opening};
pub use secret::Secret;
pub use tools::{check_arguments, kill_left_behind, kill_process_tree, tool_definitions};
pub use worker::agent_main;

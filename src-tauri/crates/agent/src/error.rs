//! What can go wrong in the agent process before or beside a model's answer.

use espalier_protocol::{AppError, ErrorCode};
use std::path::PathBuf;

/// A failure that is not a model's.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{}: {error}", path.display())]
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("The recording {} cannot be used: {why}", path.display())]
    Recording { path: PathBuf, why: String },
    #[error("Connection refused at {0}")]
    Unreachable(String),
    #[error("{0} did not answer as an Ollama server does: {1}")]
    NotOllama(String, String),
}

impl AgentError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::File { .. } => AppError::new(
                ErrorCode::TaskInvalid,
                message,
                "Check the task's start_file and context_files.",
            ),
            Self::Recording { .. } => AppError::new(
                ErrorCode::ConfigInvalid,
                message,
                "Check live_agent.replay.recording.",
            ),
            Self::Unreachable(_) => AppError::new(
                ErrorCode::BackendUnreachable,
                message,
                "Start the Ollama server: ollama serve",
            )
            .retryable(),
            Self::NotOllama(..) => AppError::new(
                ErrorCode::BackendBroken,
                message,
                "Check live_agent.ollama.host.",
            ),
        }
    }
}

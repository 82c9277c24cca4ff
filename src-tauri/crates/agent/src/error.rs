//! What can go wrong in the agent crate, and how it is told.

use crate::backend::BackendError;
use espalier_protocol::{AppError, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};

/// Any failure outside a tool; a tool's failures are answers to the model.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A file that a task puts before the agent cannot be read.
    #[error("Task {task}: `{file}` cannot be read: {source}")]
    TaskFile {
        task: String,
        file: String,
        source: io::Error,
    },
    /// The file of a recording cannot be read.
    #[error("The recording {} cannot be read: {source}", file.display())]
    RecordingFile { file: PathBuf, source: io::Error },
    /// The file is no recording, or one that cannot be played.
    #[error("The recording {} is not valid.", file.display())]
    Recording {
        file: PathBuf,
        /// Each with its place in the file.
        problems: Vec<String>,
    },
    /// A model server did not do what it was asked.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The project directory or the folder for long outputs cannot be used.
    #[error("The agent cannot work: {0}")]
    Toolbox(io::Error),
    /// A backend that this version does not have.
    #[error("This version cannot run the backend {0}.")]
    NotBuilt(&'static str),
    /// The app said something that does not fit, or that is no line of the protocol.
    #[error("The agent process was told something unexpected: {0}")]
    Told(String),
}

impl AgentError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::TaskFile { .. } => AppError::new(
                ErrorCode::TaskInvalid,
                message,
                "Restore the file, or correct start_file and context_files of the task.",
            ),
            Self::RecordingFile { file, .. } => AppError::new(
                ErrorCode::ConfigInvalid,
                message,
                format!(
                    "Check live_agent.replay.recording and the file: {}",
                    listing(file)
                ),
            ),
            Self::Recording { problems, .. } => AppError::new(
                ErrorCode::ConfigInvalid,
                message,
                "Correct the places named below.",
            )
            .with_details(problems.clone()),
            Self::Backend(error) => error.app.clone(),
            Self::Toolbox(_) => AppError::new(
                ErrorCode::Io,
                message,
                "Check that the directory exists and may be read and written.",
            ),
            Self::NotBuilt(_) => AppError::new(
                ErrorCode::NotBuilt,
                message,
                "Set live_agent.backend to anthropic, ollama or replay.",
            ),
            Self::Told(_) => AppError::new(
                ErrorCode::Internal,
                message,
                "This is a fault in Espalier. What was recorded is kept.",
            ),
        }
    }
}

fn listing(file: &Path) -> String {
    format!("ls -l {}", file.display())
}

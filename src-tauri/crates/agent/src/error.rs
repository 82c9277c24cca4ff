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
    /// There is no Claude Code, or none where the configuration says.
    #[error("{}", match configured {
        Some(path) => format!("There is no Claude Code at {}.", path.display()),
        None => "Claude Code is not found.".to_owned(),
    })]
    ClaudeMissing { configured: Option<PathBuf> },
    /// A Claude Code that cannot be held at every step.
    #[error("Claude Code {version} at {} is too old; {oldest} is the oldest that works.", path.display())]
    ClaudeOld {
        path: PathBuf,
        version: String,
        oldest: String,
    },
    /// Something is there that is no Claude Code, or a broken one.
    #[error("{} is no working Claude Code: {why}", path.display())]
    ClaudeBroken { path: PathBuf, why: String },
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
            Self::ClaudeMissing { configured } => AppError::new(
                ErrorCode::BackendUnreachable,
                message,
                match configured {
                    Some(_) => {
                        format!("Correct live_agent.claude_agent_sdk.cli_path, or: {INSTALL}")
                    }
                    None => INSTALL.to_owned(),
                },
            ),
            Self::ClaudeOld { .. } => AppError::new(
                ErrorCode::BackendUnreachable,
                message,
                "pip install -U claude-agent-sdk, or claude update",
            ),
            Self::ClaudeBroken { .. } => AppError::new(
                ErrorCode::BackendUnreachable,
                message,
                format!("Install it anew: {INSTALL}"),
            ),
            Self::Told(_) => AppError::new(
                ErrorCode::Internal,
                message,
                "This is a fault in Espalier. What was recorded is kept.",
            ),
        }
    }
}

/// What brings Claude Code to a machine.
const INSTALL: &str = "pip install claude-agent-sdk";

fn listing(file: &Path) -> String {
    format!("ls -l {}", file.display())
}

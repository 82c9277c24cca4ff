//! How an error reaches a person: a stable code, a sentence, and a hint that says what to do.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What kind of thing went wrong. The screen and the exit codes match on this, never on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The project configuration does not load.
    ConfigInvalid,
    /// A data file or a task in it does not load.
    TaskInvalid,
    /// The configuration asks for something this version does not do.
    NotBuilt,
    /// The command line was used wrongly.
    Usage,
    /// No connection to the model server.
    BackendUnreachable,
    /// The server does not have the model.
    ModelMissing,
    /// The model cannot call tools.
    ModelWithoutTools,
    /// The server refused the key, or there is none.
    BackendAuth,
    /// The server answered with an error.
    BackendRefused,
    /// The server is busy or asks to come back later.
    BackendBusy,
    /// The answer ended early or made no sense.
    BackendBroken,
    /// The server did not answer in time.
    BackendTimeout,
    /// The conversation no longer fits the model's window.
    ContextFull,
    /// A recording has no turn for what happened here.
    RecordingEnded,
    /// The agent process ended by itself.
    AgentDied,
    /// The project directory is not a git repository, or is one without commits.
    NotARepository,
    /// The project's repository is of a kind that cannot be worked on: bare, damaged, another's.
    RepositoryUnusable,
    /// The project directory has uncommitted work and the configuration asks for none.
    DirtyWorkingDir,
    /// Another session owns the project directory.
    ProjectLocked,
    /// A checkpoint could not be made.
    CheckpointFailed,
    /// Files could not be brought to a checkpoint.
    RestoreFailed,
    /// The disk is full.
    DiskFull,
    /// The database cannot be read or written.
    StoreFailed,
    /// The database was written by a newer Espalier.
    StoreTooNew,
    /// There is no such session, branch, step or text.
    Unknown,
    /// The operation does not fit the session's present state.
    NotNow,
    /// The configuration switches this control off.
    ControlOff,
    /// The checkpoint has as many branches as the configuration allows.
    BranchLimit,
    /// A value does not fit its annotation scheme.
    AnnotationInvalid,
    /// There is nothing to export.
    ExportEmpty,
    /// A line of a steering script cannot be carried out.
    ScriptFailed,
    /// Reading or writing a file failed.
    Io,
    /// A fault of Espalier's own.
    Internal,
}

/// An error as it crosses a boundary: to the window, the command line, the event log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AppError {
    /// What kind of thing went wrong.
    pub code: ErrorCode,
    /// One sentence for people, without the remedy.
    pub message: String,
    /// What to do about it; a command where there is one. May be empty.
    pub hint: String,
    /// More lines where they help (each configuration error, each dirty file).
    pub details: Vec<String>,
    /// Whether the same thing may work when tried again.
    pub retryable: bool,
}

impl AppError {
    /// An error with a code, a sentence and a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
            details: Vec::new(),
            retryable: false,
        }
    }

    /// The same error, marked as worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same error with lines of detail.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}

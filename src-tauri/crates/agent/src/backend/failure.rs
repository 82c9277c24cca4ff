//! How a model server fails, and what helps.

use espalier_protocol::{AppError, ErrorCode};
use std::time::Duration;

/// A model's answer that did not come.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackendError {
    #[error("Connection refused at {host}")]
    Unreachable { host: String, why: String },
    #[error("{host} did not answer for {seconds} seconds.")]
    Timeout { host: String, seconds: u64 },
    #[error("The model {model} is not on the server.")]
    ModelMissing { model: String, said: String },
    #[error("The model {model} cannot call tools.")]
    NoTools { model: String, said: String },
    #[error("The server is busy (status {status}).")]
    Busy {
        status: u16,
        said: String,
        retry_after: Option<Duration>,
    },
    #[error("The server refused the request (status {status}): {said}")]
    Refused { status: u16, said: String },
    #[error("The server does not accept the key (status {status}).")]
    Auth { status: u16, said: String },
    #[error("The server failed while it answered: {said}")]
    InStream { said: String },
    #[error("The answer ended before it was complete.")]
    Cut,
    #[error("The answer made no sense: {said}")]
    Nonsense { said: String },
    #[error("The recording has no turn for this place.")]
    RecordingEnded { instructions: Vec<String> },
    #[error("The recording cannot be used: {0}")]
    Recording(String),
    #[error("The backend {0} is not built yet.")]
    NotBuilt(&'static str),
    #[error("The request could not be made: {0}")]
    Request(String),
    #[error("Stopped.")]
    Cancelled,
}

impl BackendError {
    /// Whether the same request may succeed when it is made again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Busy { .. }
            | Self::InStream { .. }
            | Self::Cut
            | Self::Nonsense { .. } => true,
            Self::Refused { status, .. } => *status == 408 || *status >= 500,
            Self::ModelMissing { .. }
            | Self::NoTools { .. }
            | Self::Auth { .. }
            | Self::RecordingEnded { .. }
            | Self::Recording(_)
            | Self::NotBuilt(_)
            | Self::Request(_)
            | Self::Cancelled => false,
        }
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let (code, hint, detail): (ErrorCode, String, &str) = match self {
            Self::Unreachable { why, .. } => (
                ErrorCode::BackendUnreachable,
                "Start the Ollama server: ollama serve (check with: ollama list)".to_owned(),
                why,
            ),
            Self::Timeout { .. } => (
                ErrorCode::BackendTimeout,
                "Go on to ask again; a slow model may need a larger step_timeout_seconds.".to_owned(),
                "",
            ),
            Self::ModelMissing { model, said } => (
                ErrorCode::ModelMissing,
                format!("Fetch it: ollama pull {model}"),
                said,
            ),
            Self::NoTools { said, .. } => (
                ErrorCode::ModelWithoutTools,
                "Choose a model with tool support, for example qwen2.5-coder or llama3.1; `ollama show MODEL` lists a model's capabilities.".to_owned(),
                said,
            ),
            Self::Busy { said, .. } => (
                ErrorCode::BackendBusy,
                "Wait a moment, then go on.".to_owned(),
                said,
            ),
            Self::Refused { .. } => (
                ErrorCode::BackendRefused,
                "Check live_agent in the configuration; the server's log may say more.".to_owned(),
                "",
            ),
            Self::Auth { said, .. } => (
                ErrorCode::BackendAuth,
                "Check the API key.".to_owned(),
                said,
            ),
            Self::InStream { .. } | Self::Cut => (
                ErrorCode::BackendBroken,
                "Go on to ask again. If it stays, look at the server's log.".to_owned(),
                "",
            ),
            Self::Nonsense { .. } => (
                ErrorCode::BackendBroken,
                "Check that live_agent.ollama.host is an Ollama server and not a proxy in front of it.".to_owned(),
                "",
            ),
            Self::RecordingEnded { .. } => (
                ErrorCode::RecordingEnded,
                "Give one of the recorded instructions, or go on with a live model.".to_owned(),
                "",
            ),
            Self::Recording(_) => (
                ErrorCode::ConfigInvalid,
                "Check live_agent.replay.recording.".to_owned(),
                "",
            ),
            Self::NotBuilt(_) => (
                ErrorCode::NotBuilt,
                "Choose backend ollama or replay.".to_owned(),
                "",
            ),
            Self::Request(_) | Self::Cancelled => (ErrorCode::Internal, String::new(), ""),
        };
        let error = AppError::new(code, self.to_string(), hint);
        let error = if detail.is_empty() {
            error
        } else {
            error.with_details(vec![excerpt(detail)])
        };
        if self.is_passing() {
            error.retryable()
        } else {
            error
        }
    }
}

/// The beginning of what a server said, on one line.
pub fn excerpt(said: &str) -> String {
    let flat: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}

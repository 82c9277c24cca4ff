//! What can go wrong in the engine, and how it is told.

use espalier_protocol::{AppError, ErrorCode, SessionId};

/// Any failure of an operation on a session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// An error of a part below, already in words for people.
    #[error("{0}")]
    Part(AppError),
    /// The operation does not fit what the session is doing.
    #[error("{message}")]
    NotNow { message: String, hint: String },
    /// The configuration switches the control off.
    #[error("{what} is switched off in this project's configuration.")]
    ControlOff {
        what: &'static str,
        key: &'static str,
    },
    /// No branch, step or scheme of that name.
    #[error("There is no {what} {name} in this session.")]
    Unknown { what: &'static str, name: String },
    /// The checkpoint has as many branches as `max_branches` allows.
    #[error("{count} branches already leave from this checkpoint.")]
    BranchLimit { count: u32 },
    /// A branch of that name exists, or the name cannot be one.
    #[error("{name} cannot be a branch's name: {why}.")]
    BranchName { name: String, why: &'static str },
    /// A value that the scheme does not allow.
    #[error("{scheme}: {why}")]
    Annotation { scheme: String, why: String },
    /// The configuration asks for what this version does not do.
    #[error("This version cannot start a session with: {}.", keys.join(", "))]
    NotBuilt {
        keys: Vec<String>,
        reasons: Vec<String>,
    },
    /// The session's actor has ended.
    #[error("Session {0} is not open.")]
    Closed(SessionId),
    /// The agent process could not be started.
    #[error("The agent process did not start: {0}")]
    AgentStart(String),
    /// The person's own list of models is none.
    #[error("{path} cannot be read: {why}.")]
    ModelList { path: String, why: String },
    /// A fault of Espalier's own.
    #[error("{0}")]
    Internal(String),
}

impl EngineError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        let message = self.to_string();
        match self {
            Self::Part(error) => error.clone(),
            Self::NotNow { hint, .. } => AppError::new(ErrorCode::NotNow, message, hint),
            Self::ControlOff { key, .. } => AppError::new(
                ErrorCode::ControlOff,
                message,
                format!("Set live_agent.{key}.enabled to true."),
            ),
            Self::Unknown { .. } => AppError::new(ErrorCode::Unknown, message, ""),
            Self::BranchLimit { count } => AppError::new(
                ErrorCode::BranchLimit,
                message,
                format!(
                    "Branch from another step, or raise live_agent.controls.branch.max_branches above {count}."
                ),
            ),
            Self::BranchName { .. } => {
                AppError::new(ErrorCode::NotNow, message, "Choose another name.")
            }
            Self::Annotation { .. } => AppError::new(ErrorCode::AnnotationInvalid, message, ""),
            Self::NotBuilt { reasons, .. } => AppError::new(
                ErrorCode::NotBuilt,
                message,
                "Remove or change these keys in the configuration.",
            )
            .with_details(reasons.clone()),
            Self::Closed(_) => AppError::new(ErrorCode::NotNow, message, "Open the session again."),
            Self::AgentStart(_) => AppError::new(
                ErrorCode::AgentDied,
                message,
                "Start Espalier again; if it stays, run: espalier doctor",
            )
            .retryable(),
            Self::ModelList { path, .. } => AppError::new(
                ErrorCode::ConfigInvalid,
                message,
                format!(
                    "Mend it after the example in docs/configuration.md, or delete it: rm '{path}'"
                ),
            ),
            Self::Internal(_) => AppError::new(
                ErrorCode::Internal,
                message,
                "This is a fault in Espalier. What was recorded is kept.",
            ),
        }
    }

    pub(crate) fn model_list(path: &std::path::Path, why: &str) -> Self {
        Self::ModelList {
            path: path.display().to_string(),
            why: why.to_owned(),
        }
    }

    /// A refusal that depends on the session's present state.
    pub(crate) fn not_now(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::NotNow {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl From<espalier_store::StoreError> for EngineError {
    fn from(error: espalier_store::StoreError) -> Self {
        Self::Part(error.to_app())
    }
}

impl From<espalier_checkpoint::CheckpointError> for EngineError {
    fn from(error: espalier_checkpoint::CheckpointError) -> Self {
        Self::Part(error.to_app())
    }
}

impl From<espalier_agent::AgentError> for EngineError {
    fn from(error: espalier_agent::AgentError) -> Self {
        Self::Part(error.to_app())
    }
}

//! Scripted steering: an annotator's actions in a file, one JSON object a line, taken in order.
//! What a script does is recorded as interventions like a person's.

mod drive;
mod parse;

pub use drive::{ScriptEnd, drive};
pub use parse::parse;

use crate::error::EngineError;
use espalier_protocol::{AppError, ErrorCode};
use serde::Deserialize;

/// When a line acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// After that step of the current branch; the agent is held there until the line is done.
    AfterStep(u32),
    /// When the agent has ended its run.
    AfterEnd,
}

/// What a line does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    Pause {},
    Resume {},
    Stop {},
    Instruct {
        text: String,
    },
    Rollback {
        to_step: i32,
        branch: Option<String>,
    },
    UndoRollback {},
    Branch {
        from: String,
        step: i32,
        instruction: String,
        name: Option<String>,
    },
    Rate {
        branch: String,
        step: u32,
        scheme: Option<String>,
        value: serde_json::Value,
    },
    Annotate {
        branch: Option<String>,
        scheme: String,
        value: serde_json::Value,
    },
    Prefer {
        a: String,
        b: String,
        scheme: Option<String>,
        value: serde_json::Value,
    },
    EditCall {
        input: serde_json::Value,
    },
    RefuseCall {
        #[serde(default)]
        reason: String,
    },
    Checkpoint {},
    RunTests {},
    Focus {
        branch: String,
    },
    CloseWorktree {
        branch: String,
    },
    Finish {
        #[serde(default)]
        keep: bool,
    },
}

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    pub when: When,
    pub action: Action,
}

/// Why a script cannot be read or cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScriptError {
    /// A line is not an action.
    #[error("Line {line} of the script: {why}")]
    Line { line: usize, why: String },
    /// A line's condition can no longer come true.
    #[error("Line {line} of the script cannot come true: {why}")]
    Never { line: usize, why: String },
    /// The session refused what a line asks for.
    #[error("Line {line} of the script was refused: {error}")]
    Refused { line: usize, error: EngineError },
    /// The session itself failed.
    #[error("{0}")]
    Session(EngineError),
}

impl ScriptError {
    /// The error as it crosses a boundary.
    pub fn to_app(&self) -> AppError {
        match self {
            Self::Line { .. } => AppError::new(
                ErrorCode::ScriptFailed,
                self.to_string(),
                "Each line is one JSON object such as {\"after_step\": 1, \"do\": \"pause\"}.",
            ),
            Self::Never { .. } => AppError::new(
                ErrorCode::ScriptFailed,
                self.to_string(),
                "Correct the line; what was done so far is kept in the session.",
            ),
            Self::Refused { error, .. } => {
                let error = error.to_app();
                AppError {
                    code: ErrorCode::ScriptFailed,
                    message: self.to_string(),
                    ..error
                }
            }
            Self::Session(error) => error.to_app(),
        }
    }
}

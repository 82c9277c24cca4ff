//! What the exit code of a command says.

use espalier_protocol::session::{EndReason, PauseReason};
use espalier_protocol::{AppError, ErrorCode};
use std::process::ExitCode;

/// How a command ended, in order of gravity: of several tasks the gravest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// A limit, a loop, or a pause that nobody ends.
    Stopped,
    /// The agent failed, or what it needs failed under it.
    Failed,
    /// The model server is not there or will not serve.
    Backend,
    /// The configuration or the command line is wrong.
    Usage,
    Interrupted,
}

impl Exit {
    /// The number that a shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 2,
            Self::Backend => 3,
            Self::Stopped => 4,
            Self::Failed => 5,
            Self::Interrupted => 130,
        }
    }

    /// What an error means for the exit code.
    pub const fn of_error(error: &AppError) -> Self {
        match error.code {
            ErrorCode::ConfigInvalid
            | ErrorCode::TaskInvalid
            | ErrorCode::NotBuilt
            | ErrorCode::Usage
            | ErrorCode::NotARepository
            | ErrorCode::RepositoryUnusable
            | ErrorCode::DirtyWorkingDir
            | ErrorCode::ProjectLocked
            | ErrorCode::StoreTooNew
            | ErrorCode::Unknown
            | ErrorCode::NotNow
            | ErrorCode::ControlOff
            | ErrorCode::BranchLimit
            | ErrorCode::AnnotationInvalid
            | ErrorCode::ScriptFailed
            | ErrorCode::ExportEmpty => Self::Usage,
            ErrorCode::BackendUnreachable
            | ErrorCode::ModelMissing
            | ErrorCode::ModelWithoutTools
            | ErrorCode::BackendAuth
            | ErrorCode::BackendRefused
            | ErrorCode::BackendBusy
            | ErrorCode::BackendBroken
            | ErrorCode::BackendTimeout => Self::Backend,
            ErrorCode::ContextFull | ErrorCode::RecordingEnded => Self::Stopped,
            ErrorCode::AgentDied
            | ErrorCode::CheckpointFailed
            | ErrorCode::RestoreFailed
            | ErrorCode::DiskFull
            | ErrorCode::StoreFailed
            | ErrorCode::Io
            | ErrorCode::Internal => Self::Failed,
        }
    }

    /// What a pause that nobody ends means for the exit code.
    pub const fn of_pause(reason: &PauseReason) -> Self {
        match reason {
            PauseReason::ProviderFailed { error }
            | PauseReason::CheckpointFailed { error }
            | PauseReason::AgentDied { error } => Self::of_error(error),
            PauseReason::Requested
            | PauseReason::StepFailed
            | PauseReason::AfterSteps { .. }
            | PauseReason::Loop { .. }
            | PauseReason::MaxSteps { .. }
            | PauseReason::ContextNearlyFull { .. }
            | PauseReason::RecordingEnded { .. }
            | PauseReason::RolledBack
            | PauseReason::Stopped
            | PauseReason::Recovered
            | PauseReason::NotStarted => Self::Stopped,
        }
    }

    /// What the end of an agent's run means for the exit code.
    pub const fn of_end(reason: EndReason) -> Self {
        match reason {
            EndReason::Completed => Self::Done,
            EndReason::Loop => Self::Stopped,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
#[path = "exit_tests.rs"]
mod tests;

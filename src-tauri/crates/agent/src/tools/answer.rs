//! What a tool hands back before it becomes a `ToolOutcome`.

use espalier_protocol::StepStatus;
use espalier_protocol::worker::{ToolOutcome, Touched};
use std::time::Instant;

/// A tool that did what it was asked.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What the model reads.
    pub(crate) content: String,
    pub(crate) touched: Touched,
}

impl Answer {
    /// An answer of a tool that only looked.
    pub(crate) fn read(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            touched: Touched::Nothing,
        }
    }

    /// An answer of a tool that changed one file.
    pub(crate) fn changed(content: impl Into<String>, path: String) -> Self {
        Self {
            content: content.into(),
            touched: Touched::Paths { paths: vec![path] },
        }
    }
}

/// A tool that did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Told to the model, which can act on it.
    Told { content: String, touched: Touched },
    /// It noticed that it was to stop, and had changed nothing.
    Stopped,
}

impl Failure {
    /// A failure that left every file as it was.
    pub(crate) fn told(content: impl Into<String>) -> Self {
        Self::Told {
            content: content.into(),
            touched: Touched::Nothing,
        }
    }
}

/// The common result of the file and search tools.
pub(crate) type Attempt = Result<Answer, Failure>;

/// The outcome of a tool that produced no command output.
pub(crate) fn outcome(
    status: StepStatus,
    content: String,
    touched: Touched,
    started: Instant,
) -> ToolOutcome {
    ToolOutcome {
        status,
        output_bytes: u32::try_from(content.len()).unwrap_or(u32::MAX),
        content,
        spool_file: None,
        exit_code: None,
        duration_ms: milliseconds(started),
        touched,
    }
}

/// Whole milliseconds since `started`.
pub(crate) fn milliseconds(started: Instant) -> u32 {
    u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX)
}

//! The lines between the engine and the agent process: one JSON object a line, engine to agent
//! on standard input, agent to engine on standard output.
//!
//! The agent proposes, the engine answers. Pause is simply not answering. The order is always
//! `Message`, then for each call `Proposed` → `Go` → `Output`* → `Finished`, then `Ready` →
//! `Continue`; a message without calls is followed by `Ended`, then `Ready`.
//!
//! `Cancel` stops what runs, whatever it is. A model call: `DeltasReset`, `Ready`. A proposed call:
//! it and those after it vanish as with `Continue`, then `Ready`. A running call: `Finished` (with
//! `Cancelled`, unless it ended by itself in that moment), the calls after it vanish, `Ready`. A
//! command: `CommandFinished`. Where nothing runs (it ended while `Cancel` was on its way) nothing
//! is said: the `Ready` or `CommandFinished` before is the answer. A `Go` or `Refuse` that was on
//! its way as well is ignored; any other line at a moment that is not its own is `Fatal`.

use crate::conversation::{Block, ConversationItem, Usage};
use crate::error::AppError;
use crate::event::OutputStream;
use crate::session::BackendSettings;
use crate::step::{StepKind, StepStatus};
use crate::tool::ToolName;
use serde::{Deserialize, Serialize};

/// Everything an agent process needs, sent once as the first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentSetup {
    /// Absent for a process that only runs commands for the app (the test command).
    pub backend: Option<BackendSettings>,
    /// API key, where the backend needs one. Travels on this line only: never in the
    /// environment, where the agent's commands would see it.
    pub api_key: Option<String>,
    /// Absolute.
    pub project_dir: String,
    /// Absolute folder, outside the project, for outputs over the cap.
    pub spool_dir: String,
    pub tools: Vec<ToolName>,
    pub step_timeout_seconds: u32,
    /// Whether an agent that can shorten its own conversation may do so.
    #[serde(default)]
    pub compacts: bool,
    /// The conversation so far, system prompt first.
    pub conversation: Vec<ConversationItem>,
    /// Number of the next step along the path and the instructions given on it so far, by which
    /// a recording finds its place.
    pub next_step: u32,
    pub instructions: Vec<GivenInstruction>,
}

/// An instruction on the path so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenInstruction {
    /// The step it was given after; -1 is before the first step.
    pub after_step: i32,
    pub text: String,
}

/// Engine to agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case")]
pub enum ToAgent {
    Setup {
        setup: Box<AgentSetup>,
    },
    /// Answers `Proposed`: run it, with `input` in place of the model's where present. The message
    /// keeps the model's own; the result tells it of the change.
    Go {
        call_id: String,
        input: Option<serde_json::Value>,
    },
    /// Answers `Proposed`: do not run it; the model reads `reason` as the call's failed result.
    Refuse {
        call_id: String,
        reason: String,
    },
    /// Answers `Ready`, or `Proposed` (then the proposed call and those after it vanish from the
    /// message, and the message itself when no call of it is left): append `items` and ask the model.
    Continue {
        items: Vec<ConversationItem>,
    },
    /// Stop the running tool, command or model call now (see the head of this module). Does not end
    /// the process.
    Cancel,
    /// While the agent is ready: run a command that is not a step (the test command). Answered by
    /// `CommandFinished` alone.
    RunCommand {
        command: String,
        timeout_seconds: u32,
    },
    /// End everything that was started, then exit 0.
    Shutdown,
}

/// What a tool did, as the agent tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    pub status: StepStatus,
    /// What the model reads, capped.
    pub content: String,
    /// Absolute path in the spool folder of the whole output, where `content` was capped.
    pub spool_file: Option<String>,
    pub output_bytes: u32,
    pub exit_code: Option<i32>,
    /// Wall time of the tool in milliseconds.
    pub duration_ms: u32,
    /// What may have changed on disk.
    pub touched: Touched,
}

impl ToolOutcome {
    /// A tool that was stopped before it could tell what it did; anything may have changed.
    pub fn stopped(content: impl Into<String>) -> Self {
        Self {
            status: StepStatus::Cancelled,
            content: content.into(),
            spool_file: None,
            output_bytes: 0,
            exit_code: None,
            duration_ms: 0,
            touched: Touched::Anything,
        }
    }
}

/// What a tool may have changed on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "touched", rename_all = "snake_case")]
pub enum Touched {
    Nothing,
    /// These paths, relative to the project directory.
    Paths {
        paths: Vec<String>,
    },
    /// Anything (a shell command).
    Anything,
}

/// Agent to engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromAgent {
    /// Set up; about to ask the model once `Continue` comes.
    Ready,
    TextDelta {
        text: String,
    },
    ThinkingDelta {
        text: String,
    },
    /// The deltas since the last message are void.
    DeltasReset,
    /// A whole model message.
    Message {
        blocks: Vec<Block>,
        usage: Usage,
        /// The model that answered, by the name the server gives it.
        #[serde(default)]
        model: Option<String>,
        /// Wall time from request to last byte, in milliseconds.
        model_ms: u32,
        /// Notices for the annotator (cut at the length limit, window nearly full).
        notices: Vec<AgentNotice>,
    },
    /// Wants to run a call of the last message.
    Proposed {
        call_id: String,
        /// Place among the calls of the message, from 0.
        call_index: u32,
        name: String,
        input: serde_json::Value,
        kind: StepKind,
        /// File, command or pattern.
        target: String,
    },
    /// Output of the running command as it comes.
    Output {
        stream: OutputStream,
        text: String,
    },
    /// The proposed call ran, was refused or was stopped.
    Finished {
        call_id: String,
        outcome: ToolOutcome,
    },
    /// The message had no calls: the agent is done unless something is appended. Followed by `Ready`.
    Ended,
    /// The model failed; another try follows after `retry_in_ms`, or, without it, `Ready`. Comes
    /// after `DeltasReset`.
    ProviderFailed {
        error: AppError,
        attempt: u32,
        retry_in_ms: Option<u32>,
        /// For a recording: the instructions it knows at this place.
        instructions: Vec<String>,
    },
    CommandFinished {
        outcome: ToolOutcome,
    },
    /// Something takes long (a model being loaded).
    Progress {
        label: String,
        done: u32,
        total: Option<u32>,
    },
    /// The agent process cannot go on; it exits after this line.
    Fatal {
        error: AppError,
    },
}

/// A notice for the annotator that is not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentNotice {
    pub code: String,
    pub text: String,
    /// True of the whole session: told the first time only, whichever process says it.
    pub once: bool,
}

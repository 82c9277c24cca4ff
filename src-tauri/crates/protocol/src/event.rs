//! Events: everything that happens in a session. The log of the stored ones is the truth;
//! screens, exports and recovery are folds over it.

use crate::conversation::{Block, InjectAs, Usage};
use crate::error::AppError;
use crate::ids::{BranchId, CheckpointId, MessageId, Millis, SessionId, StepId, WorktreeId};
use crate::op::{Actor, AnnotationTarget, Place};
use crate::session::{BackendSettings, SessionMeta, SessionState};
use crate::step::{Checkpoint, Step, StepResult};
use serde::{Deserialize, Serialize};
use specta::Type;

/// One event of one session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct Event {
    pub session: SessionId,
    /// 1, 2, 3 … over the stored events of a session. An event that is only shown carries the
    /// number of the stored one before it.
    pub seq: u32,
    pub at: Millis,
    /// Where it happened.
    #[serde(default, skip_serializing_if = "WorktreeId::is_first")]
    pub worktree: WorktreeId,
    pub body: EventBody,
}

/// Whether an event goes into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    Stored,
    Shown,
}

/// How a branch came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum BranchKind {
    /// `main`.
    Root,
    /// An instruction at a checkpoint.
    Instructed,
    /// The run went on, without an instruction, from above the branch it was on.
    Continued,
    /// The tail that a rollback left behind.
    Abandoned,
}

/// A branch as it is born.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewBranch {
    pub id: BranchId,
    pub kind: BranchKind,
    /// Absent for the root.
    pub parent: Option<BranchId>,
    /// The parent's step after which it leaves; -1 is before the first step.
    pub branch_point: i32,
    pub instruction: Option<String>,
    /// Name of the git branch that shows it in the user's repository.
    pub git_branch: String,
}

/// A typed, timed act on the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intervention {
    Pause,
    Resume,
    Stop,
    /// Becomes part of the conversation after the cursor's step.
    Instruct {
        text: String,
        inject_as: InjectAs,
    },
    Rollback {
        from: Place,
        to: Place,
    },
    UndoRollback {
        from: Place,
        to: Place,
    },
    Branch {
        from: Place,
        to: Place,
        branch: BranchId,
        instruction: String,
    },
    /// What the annotator changed in the files by hand while the agent waited.
    EditByHand {
        paths: Vec<String>,
    },
    ContinueWith {
        backend: BackendSettings,
    },
    /// The arguments of a call that waits were changed; it runs with `after`. Equal to `before` where
    /// a change was taken back.
    EditCall {
        call_id: String,
        name: String,
        /// The model's own.
        #[specta(type = specta_typescript::Unknown)]
        before: serde_json::Value,
        #[specta(type = specta_typescript::Unknown)]
        after: serde_json::Value,
    },
    /// A call that waited does not run; the model reads the reason.
    RefuseCall {
        call_id: String,
        name: String,
        reason: String,
    },
}

/// Why a checkpoint was made outside a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointCause {
    /// The files before the agent's first step.
    Base,
    /// What the annotator changed by hand between steps.
    ByHand,
    /// "Checkpoint now", or a pause with `auto_commit: false`.
    Asked,
    /// The files before a restore, so that it can be undone.
    BeforeRestore,
    /// The files when the session was parked or recovered.
    Parked,
}

/// Which of a command's streams a text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// How a run of the test command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    Failed,
    TimedOut,
    Cancelled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    SessionCreated {
        meta: Box<SessionMeta>,
    },
    StateChanged {
        state: SessionState,
    },
    /// An agent process began to work on `branch` after the cursor's step.
    RunStarted {
        branch: BranchId,
        backend: BackendSettings,
    },
    BranchCreated {
        branch: NewBranch,
    },
    /// The steps of `branch` after `after_step` now are branch `abandoned`, with all that hangs on them.
    TailAbandoned {
        branch: BranchId,
        after_step: i32,
        abandoned: NewBranch,
    },
    /// The session goes on from here.
    CursorMoved {
        to: Place,
    },
    /// A worktree of its own was asked for at a place; from here on it has its own state, cursor and
    /// files, those of `checkpoint`.
    WorktreeOpened {
        at: Place,
        checkpoint: CheckpointId,
    },
    /// The worktree is gone; what was made in it stays.
    WorktreeClosed,
    /// The annotator turned to this worktree: what is asked for next is meant for it.
    WorktreeFocused,
    /// A whole model message. Its tool calls become steps one by one.
    MessageCompleted {
        message_id: MessageId,
        branch: BranchId,
        blocks: Vec<Block>,
        usage: Usage,
        model_ms: u32,
    },
    /// What old tool calls returned is left out of what the model reads from here on.
    ContextCompacted {
        branch: BranchId,
        /// Steps whose results are left out, oldest first.
        cleared: Vec<StepId>,
    },
    StepStarted {
        step: Box<Step>,
    },
    /// The step's result and the checkpoint of its files, in one record: they can never disagree.
    StepFinished {
        step: StepId,
        result: StepResult,
        checkpoint: Option<Checkpoint>,
        conversation_hash: String,
    },
    /// A checkpoint outside a step; belongs after the cursor's step.
    CheckpointRecorded {
        cause: CheckpointCause,
        at: Place,
        checkpoint: Checkpoint,
    },
    /// A restore is about to move files; a crash from here on finishes or undoes it.
    RestoreStarted {
        from: Place,
        to: Place,
        before: CheckpointId,
        target: CheckpointId,
    },
    RestoreFinished {
        changed: u32,
        /// What it left alone, in words.
        left_alone: Vec<String>,
    },
    Intervened {
        by: Actor,
        intervention: Intervention,
    },
    Annotated {
        by: Actor,
        annotator: String,
        target: AnnotationTarget,
        scheme: String,
        /// Null takes an answer back.
        #[specta(type = specta_typescript::Unknown)]
        value: serde_json::Value,
        /// 1 for the first answer to this scheme and target.
        revision: u32,
    },
    /// The model server failed; with `retry_in_ms` it is asked again.
    ProviderFailed {
        error: AppError,
        attempt: u32,
        retry_in_ms: Option<u32>,
    },
    TestFinished {
        branch: BranchId,
        after_step: i32,
        command: String,
        outcome: TestOutcome,
        result: StepResult,
    },
    /// Something the annotator should know that is not an error.
    Notice {
        code: String,
        text: String,
    },
    /// The session could not do something and waits or goes on without it.
    Failed {
        error: AppError,
    },

    /// The model's text as it is written.
    TextDelta {
        text: String,
    },
    /// The model's thinking as it is written.
    ThinkingDelta {
        text: String,
    },
    /// What was shown of the unfinished message is void (a retry, a stop).
    DeltasReset,
    /// A command's output as it is produced, ANSI codes included.
    OutputDelta {
        step: StepId,
        stream: OutputStream,
        text: String,
    },
    /// Something that takes longer than a second.
    Progress {
        label: String,
        done: u32,
        /// Absent: unknown.
        total: Option<u32>,
    },
}

impl EventBody {
    /// Whether the event goes into the log. Results and changes of state are stored; what only
    /// previews a result is not. A new kind does not compile until someone decides.
    pub const fn persistence(&self) -> Persistence {
        match self {
            Self::SessionCreated { .. }
            | Self::StateChanged { .. }
            | Self::RunStarted { .. }
            | Self::BranchCreated { .. }
            | Self::TailAbandoned { .. }
            | Self::CursorMoved { .. }
            | Self::WorktreeOpened { .. }
            | Self::WorktreeClosed
            | Self::WorktreeFocused
            | Self::MessageCompleted { .. }
            | Self::ContextCompacted { .. }
            | Self::StepStarted { .. }
            | Self::StepFinished { .. }
            | Self::CheckpointRecorded { .. }
            | Self::RestoreStarted { .. }
            | Self::RestoreFinished { .. }
            | Self::Intervened { .. }
            | Self::Annotated { .. }
            | Self::ProviderFailed { .. }
            | Self::TestFinished { .. }
            | Self::Notice { .. }
            | Self::Failed { .. } => Persistence::Stored,
            Self::TextDelta { .. }
            | Self::ThinkingDelta { .. }
            | Self::DeltasReset
            | Self::OutputDelta { .. }
            | Self::Progress { .. } => Persistence::Shown,
        }
    }

    /// The event's name, as it stands under `type`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionCreated { .. } => "session_created",
            Self::StateChanged { .. } => "state_changed",
            Self::RunStarted { .. } => "run_started",
            Self::BranchCreated { .. } => "branch_created",
            Self::TailAbandoned { .. } => "tail_abandoned",
            Self::CursorMoved { .. } => "cursor_moved",
            Self::WorktreeOpened { .. } => "worktree_opened",
            Self::WorktreeClosed => "worktree_closed",
            Self::WorktreeFocused => "worktree_focused",
            Self::MessageCompleted { .. } => "message_completed",
            Self::ContextCompacted { .. } => "context_compacted",
            Self::StepStarted { .. } => "step_started",
            Self::StepFinished { .. } => "step_finished",
            Self::CheckpointRecorded { .. } => "checkpoint_recorded",
            Self::RestoreStarted { .. } => "restore_started",
            Self::RestoreFinished { .. } => "restore_finished",
            Self::Intervened { .. } => "intervened",
            Self::Annotated { .. } => "annotated",
            Self::ProviderFailed { .. } => "provider_failed",
            Self::TestFinished { .. } => "test_finished",
            Self::Notice { .. } => "notice",
            Self::Failed { .. } => "failed",
            Self::TextDelta { .. } => "text_delta",
            Self::ThinkingDelta { .. } => "thinking_delta",
            Self::DeltasReset => "deltas_reset",
            Self::OutputDelta { .. } => "output_delta",
            Self::Progress { .. } => "progress",
        }
    }
}

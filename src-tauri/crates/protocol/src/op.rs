//! Operations: what a person, or a script in a person's place, can ask of a session.

use crate::ids::{BranchId, StepId};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The annotator, in the window.
    Person,
    /// A steering script in the annotator's place.
    Script,
    /// Espalier itself (automatic pauses, recovery).
    App,
}

/// A place on the tree: after step `step` of the path of `branch`; -1 is before the first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Place {
    pub branch: BranchId,
    pub step: i32,
}

/// What an annotation is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(tag = "target", rename_all = "snake_case")]
pub enum AnnotationTarget {
    Step {
        step: StepId,
    },
    Branch {
        branch: BranchId,
    },
    /// Order counts: the first is A.
    Comparison {
        a: BranchId,
        b: BranchId,
    },
    Session,
}

/// An operation on a session. Each is answered once: done, or refused with a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Starts the agent, or lets it go on after a pause.
    Resume,
    /// The running step finishes, then the agent waits. Answered when the request is noted.
    Pause,
    /// While paused or ended: tells the agent something; it reads it when it goes on.
    Instruct { text: String },
    /// Files and conversation back to `to`. Leaves the session paused.
    Rollback { to: Place },
    /// Back to where the last rollback or branch left from.
    UndoRollback,
    /// Rolls back to `from`, gives the instruction and goes on, as a new branch.
    Branch {
        from: Place,
        instruction: String,
        /// With `branch_naming: manual`, or from a script.
        name: Option<String>,
    },
    /// Turns to the worktree that stands on `branch`; where none does, one is opened at its tip.
    /// With `git_checkpoints.worktrees` only.
    Focus { branch: BranchId },
    /// Ends and removes the worktree that stands on `branch`; what was made in it stays.
    CloseWorktree { branch: BranchId },
    /// While a call waits: it runs with these arguments instead of the model's. The model's own take
    /// a change back. Without `call_id` the call that waits.
    EditCall {
        call_id: Option<String>,
        #[specta(type = specta_typescript::Unknown)]
        input: serde_json::Value,
    },
    /// While a call waits: it does not run; the model reads the reason as its result.
    RefuseCall {
        call_id: Option<String>,
        reason: String,
    },
    /// Ends what runs now; the session stays paused.
    Stop,
    /// Keeps the files as they are now as a checkpoint.
    CheckpointNow,
    /// Gives, changes or (with null) takes back an answer.
    Annotate {
        target: AnnotationTarget,
        scheme: String,
        #[specta(type = specta_typescript::Unknown)]
        value: serde_json::Value,
    },
    /// Runs the task's test command on the present files.
    RunTests,
    /// Goes on with another backend from here (a replay that a live model takes over).
    ContinueWith {
        backend: crate::session::BackendSettings,
    },
    /// Saves the session and puts the project back; opening it again brings its files.
    Park,
    /// Ends the session: the project as it was before, or, with `keep`, as the agent left it.
    Finish { keep: bool },
}

//! The session as a tree: a pure fold over its stored events.
//!
//! Engine, exports and recovery use this one fold; the window has its twin in TypeScript. A place
//! on the tree is a branch and a step number on that branch's *path*, which begins at the root.

mod folding;
mod places;
mod talk;
mod worktrees;

pub use talk::{CLEARED, cut_calls};
pub use worktrees::Standing;

use crate::conversation::{Block, InjectAs, Usage};
use crate::event::{BranchKind, Intervention, NewBranch, TestOutcome};
use crate::ids::{BranchId, CheckpointId, MessageId, Millis, StepId, WorktreeId};
use crate::op::{Actor, AnnotationTarget, Place};
use crate::session::{SessionMeta, SessionState};
use crate::step::{Checkpoint, Step, StepResult};
use std::collections::{BTreeMap, HashMap};

/// Where the session goes on: after step `step` of the path of `branch`.
pub type Cursor = Place;

/// One entry of a branch, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum PathItem {
    Step(StepId),
    Instruction {
        text: String,
        inject_as: InjectAs,
        by: Actor,
        at: Millis,
    },
    /// What these steps returned is left out of the conversation from here on.
    Compaction(Vec<StepId>),
}

impl PathItem {
    /// The step, where it is one.
    pub const fn step(&self) -> Option<&StepId> {
        match self {
            Self::Step(id) => Some(id),
            Self::Instruction { .. } | Self::Compaction(_) => None,
        }
    }
}

/// A run of the task's test command.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRecord {
    pub after_step: i32,
    pub command: String,
    pub outcome: TestOutcome,
    pub result: StepResult,
    pub at: Millis,
}

/// A path through the session tree, without its ancestors' part.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    pub id: BranchId,
    pub kind: BranchKind,
    pub parent: Option<BranchId>,
    /// The parent's step after which it leaves; -1 for the root and before the first step.
    pub branch_point: i32,
    pub instruction: Option<String>,
    pub git_branch: String,
    pub items: Vec<PathItem>,
    pub tests: Vec<TestRecord>,
    /// The last checkpoint recorded on it, hand-made ones included.
    pub tip: Option<Checkpoint>,
    pub created_at: Millis,
}

impl Branch {
    fn new(new: &NewBranch, at: Millis) -> Self {
        Self {
            id: new.id.clone(),
            kind: new.kind,
            parent: new.parent.clone(),
            branch_point: new.branch_point,
            instruction: new.instruction.clone(),
            git_branch: new.git_branch.clone(),
            items: Vec::new(),
            tests: Vec::new(),
            tip: None,
            created_at: at,
        }
    }

    /// Ids of its own steps, in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &StepId> {
        self.items.iter().filter_map(PathItem::step)
    }
}

/// What a model said in one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub blocks: Vec<Block>,
    pub usage: Usage,
    pub model_ms: u32,
}

/// The present answer to one scheme about one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub value: serde_json::Value,
    pub by: Actor,
    pub annotator: String,
    pub at: Millis,
    pub revision: u32,
}

/// An intervention with its time and place.
#[derive(Debug, Clone, PartialEq)]
pub struct InterventionRecord {
    pub at: Millis,
    pub by: Actor,
    /// Where the session stood.
    pub place: Place,
    pub intervention: Intervention,
}

/// A rollback or branch that can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoPoint {
    /// Where the session stood before.
    pub from: Place,
    /// The step it stood after; it may have moved to an abandoned branch since.
    pub step: Option<StepId>,
    /// The files it had, hand edits included.
    pub before: CheckpointId,
}

/// Whether instructions that stand directly after the place belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailing {
    /// For going on from there.
    Include,
    /// For a cut: the checkpoint was made before them.
    Exclude,
}

/// A session folded from its events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionTree {
    pub meta: Option<SessionMeta>,
    /// The worktree that `state`, `cursor`, `last_checkpoint`, `pending_rollback`, `open_restore` and
    /// `undo` speak about: the one the annotator turned to.
    pub worktree: WorktreeId,
    /// The others that are open.
    pub others: BTreeMap<WorktreeId, Standing>,
    pub state: Option<SessionState>,
    pub cursor: Option<Cursor>,
    /// In order of creation; the root is first.
    pub branches: Vec<Branch>,
    pub steps: HashMap<StepId, Step>,
    pub messages: HashMap<MessageId, Message>,
    pub interventions: Vec<InterventionRecord>,
    pub answers: HashMap<AnnotationTarget, BTreeMap<String, Answer>>,
    /// Comparisons with an answer, in the order of their last answer.
    pub comparisons: Vec<(BranchId, BranchId)>,
    pub notices: Vec<(Millis, String, String)>,
    /// The files before the first step.
    pub base: Option<Checkpoint>,
    /// The files as last recorded, wherever.
    pub last_checkpoint: Option<Checkpoint>,
    /// Checkpoints outside steps.
    pub kept: HashMap<CheckpointId, Checkpoint>,
    /// Git tree of the files that each step began from: what was edited by hand or restored before
    /// it counts. Absent where checkpoints are off.
    pub began_from: HashMap<StepId, String>,
    /// A rollback after which neither a step nor an instruction followed yet.
    pub pending_rollback: Option<(Place, Place)>,
    /// A restore that began and has not ended: `before` and `target`.
    pub open_restore: Option<(Place, Place, CheckpointId, CheckpointId)>,
    pub undo: Vec<UndoPoint>,
    pub last_seq: u32,
    pub updated_at: Millis,
    steps_started: u32,
    messages_made: u32,
    worktrees_opened: u32,
}

impl SessionTree {
    /// Where instructions of this session stand in the conversation.
    pub fn inject_as(&self) -> InjectAs {
        self.meta
            .as_ref()
            .map(|meta| meta.settings.controls.inject_as)
            .unwrap_or_default()
    }

    /// The branch of that id.
    pub fn branch(&self, id: &BranchId) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.id == *id)
    }

    /// The answer to a scheme about a target.
    pub fn answer(&self, target: &AnnotationTarget, scheme: &str) -> Option<&Answer> {
        self.answers.get(target)?.get(scheme)
    }

    /// The id for the next step.
    pub fn next_step_id(&self) -> StepId {
        StepId(format!("s{}", self.steps_started))
    }

    /// The id for the next model message.
    pub fn next_message_id(&self) -> MessageId {
        MessageId(format!("m{}", self.messages_made))
    }

    /// The id for the next branch: `branch_N`, or `abandoned_N` for a tail. N counts in the session.
    pub fn next_branch_id(&self, kind: BranchKind) -> BranchId {
        let abandoned = kind == BranchKind::Abandoned;
        let prefix = if abandoned { "abandoned" } else { "branch" };
        let mut number = 1 + self
            .branches
            .iter()
            .filter(|branch| {
                branch.parent.is_some() && (branch.kind == BranchKind::Abandoned) == abandoned
            })
            .count();
        loop {
            let id = BranchId(format!("{prefix}_{number}"));
            if self.branch(&id).is_none() {
                return id;
            }
            number += 1;
        }
    }
}

fn index_of(step: &Step) -> i32 {
    i32::try_from(step.index).unwrap_or(i32::MAX)
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tree_tests;

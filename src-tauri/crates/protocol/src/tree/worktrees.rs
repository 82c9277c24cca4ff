//! Several worktrees: each has its own state, cursor and files, all share the branches.
//!
//! One of them is *entered*: its standing is in the tree's own fields, the others' lie aside. So
//! whatever speaks about one place works the same with one worktree and with many.

use super::{SessionTree, UndoPoint};
use crate::ids::{BranchId, CheckpointId, WorktreeId};
use crate::op::Place;
use crate::session::{PauseReason, SessionState};
use crate::step::Checkpoint;
use std::collections::BTreeMap;

/// What a worktree has of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    pub state: Option<SessionState>,
    pub cursor: Option<Place>,
    /// Its files as last recorded.
    pub last_checkpoint: Option<Checkpoint>,
    pub pending_rollback: Option<(Place, Place)>,
    pub open_restore: Option<(Place, Place, CheckpointId, CheckpointId)>,
    pub undo: Vec<UndoPoint>,
}

impl SessionTree {
    /// Makes a worktree the one that the tree speaks about. One that is not open is empty.
    pub fn enter(&mut self, id: WorktreeId) {
        if id == self.worktree {
            return;
        }
        let entered = self.others.remove(&id).unwrap_or_default();
        let left = Standing {
            state: std::mem::replace(&mut self.state, entered.state),
            cursor: std::mem::replace(&mut self.cursor, entered.cursor),
            last_checkpoint: std::mem::replace(&mut self.last_checkpoint, entered.last_checkpoint),
            pending_rollback: std::mem::replace(
                &mut self.pending_rollback,
                entered.pending_rollback,
            ),
            open_restore: std::mem::replace(&mut self.open_restore, entered.open_restore),
            undo: std::mem::replace(&mut self.undo, entered.undo),
        };
        self.others.insert(self.worktree, left);
        self.worktree = id;
    }

    /// The number for the next worktree.
    pub fn next_worktree_id(&self) -> WorktreeId {
        WorktreeId(self.worktrees_opened + 1)
    }

    /// The open worktrees with where each stands and what it does.
    pub fn standings(&self) -> BTreeMap<WorktreeId, (Option<&Place>, Option<&SessionState>)> {
        let entered = (self.cursor.as_ref(), self.state.as_ref());
        self.others
            .iter()
            .map(|(id, other)| (*id, (other.cursor.as_ref(), other.state.as_ref())))
            .chain([(self.worktree, entered)])
            .collect()
    }

    /// The open worktree that stands on a branch.
    pub fn worktree_on(&self, branch: &BranchId) -> Option<WorktreeId> {
        self.standings()
            .into_iter()
            .find(|(_, (cursor, _))| cursor.is_some_and(|cursor| cursor.branch == *branch))
            .map(|(id, _)| id)
    }

    /// Whether an agent may be doing something in any worktree.
    pub fn is_active(&self) -> bool {
        self.standings()
            .values()
            .any(|(_, state)| state.is_some_and(SessionState::is_active))
    }

    /// What ends a session ends it everywhere.
    pub(super) fn change_state(&mut self, state: &SessionState) {
        if matches!(state, SessionState::Parked | SessionState::Finished { .. }) {
            for other in self.others.values_mut() {
                other.state = Some(state.clone());
            }
        }
        self.state = Some(state.clone());
    }

    pub(super) fn open_worktree(&mut self, at: &Place, checkpoint: &CheckpointId) {
        self.worktrees_opened = self.worktrees_opened.max(self.worktree.0);
        self.state = Some(SessionState::Paused {
            reason: PauseReason::Requested,
        });
        self.cursor = Some(at.clone());
        self.stand_on(checkpoint);
    }

    /// Other worktrees that stand on a tail go with it.
    pub(super) fn move_standings(&mut self, branch: &BranchId, after_step: i32, to: &BranchId) {
        let places = self.others.values_mut().flat_map(|other| {
            let pending = other
                .pending_rollback
                .iter_mut()
                .flat_map(|(from, to)| [from, to]);
            other.cursor.iter_mut().chain(pending)
        });
        for place in places {
            if place.branch == *branch && place.step > after_step {
                place.branch = to.clone();
            }
        }
    }

    pub(super) fn branch_has_own_worktree(&self) -> bool {
        self.meta
            .as_ref()
            .is_some_and(|meta| meta.settings.checkpoints.worktrees)
    }
}

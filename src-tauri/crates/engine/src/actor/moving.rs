//! Moving a session to another place: stop what runs, keep the files as they are, restore, cut the
//! conversation. One recorded operation that a crash can finish and the annotator can undo.

use super::SessionActor;
use crate::error::EngineError;
use espalier_checkpoint::{Dirty, RestoreReport};
use espalier_protocol::event::{BranchKind, CheckpointCause, EventBody, Intervention, NewBranch};
use espalier_protocol::op::Place;
use espalier_protocol::session::{PauseReason, SessionState};
use espalier_protocol::{Actor, BranchId, CheckpointId};

/// What a move is for; decides what is recorded besides the files.
pub(super) enum Move {
    Rollback,
    Undo,
    Branch(NewBranch),
}

impl SessionActor {
    pub(super) async fn rollback(&mut self, by: Actor, to: Place) -> Result<(), EngineError> {
        if !self.meta.settings.controls.rollback {
            return Err(EngineError::ControlOff {
                what: "Rolling back",
                key: "controls.rollback",
            });
        }
        let to = self.existing(&to)?;
        let target = self.target_of(&to)?;
        self.check_free(&self.cursor().branch, &to.branch)?;
        self.move_to(by, to, target, Move::Rollback).await
    }

    pub(super) async fn undo_rollback(&mut self, by: Actor) -> Result<(), EngineError> {
        if !self.meta.settings.controls.rollback {
            return Err(EngineError::ControlOff {
                what: "Rolling back",
                key: "controls.rollback",
            });
        }
        let point = self.tree.undo.last().cloned().ok_or_else(|| {
            EngineError::not_now(
                "There is no rollback to undo.",
                "Roll back to a step first.",
            )
        })?;
        // The steps may have moved to an abandoned branch since.
        let to = point
            .step
            .as_ref()
            .and_then(|step| self.tree.locate(step))
            .unwrap_or(point.from);
        self.check_free(&self.cursor().branch, &to.branch)?;
        self.move_to(by, to, point.before, Move::Undo).await
    }

    pub(super) async fn branch(
        &mut self,
        by: Actor,
        from: Place,
        instruction: String,
        name: Option<String>,
    ) -> Result<(), EngineError> {
        if !self.meta.settings.controls.branch {
            return Err(EngineError::ControlOff {
                what: "Branching",
                key: "controls.branch",
            });
        }
        if instruction.trim().is_empty() {
            return Err(EngineError::not_now(
                "A branch needs an instruction.",
                "Type what the agent should do differently.",
            ));
        }
        let at = self.existing(&from)?;
        let target = self.target_of(&at)?;
        self.check_branch_limit(&at)?;
        let id = match name {
            Some(name) => self.free_name(&name)?,
            None => self.tree.next_branch_id(BranchKind::Instructed),
        };
        let branch = NewBranch {
            git_branch: self.git_branch(&id),
            id,
            kind: BranchKind::Instructed,
            parent: Some(at.branch.clone()),
            branch_point: at.step,
            instruction: Some(instruction),
        };
        if self.apart.is_some() {
            return self.branch_apart(by, branch, at, target).await;
        }
        self.move_to(by, at, target, Move::Branch(branch)).await?;
        self.set_state(SessionState::Running).await?;
        self.start_or_advance().await
    }

    /// A name that can stand in a git branch and is not taken.
    fn free_name(&self, name: &str) -> Result<BranchId, EngineError> {
        let refuse = |why| EngineError::BranchName {
            name: name.to_owned(),
            why,
        };
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(refuse("use letters, digits, - and _"));
        }
        if name.starts_with(['-', '.'])
            || name.ends_with('.')
            || name.contains("..")
            || name.ends_with(".lock")
        {
            return Err(refuse("git does not allow it"));
        }
        let id = BranchId::new(name);
        if self.tree.branch(&id).is_some() {
            return Err(refuse("the session has a branch of that name"));
        }
        Ok(id)
    }

    /// The place, said by the branch that owns its step, if it exists.
    fn existing(&self, place: &Place) -> Result<Place, EngineError> {
        let unknown = |what, name: String| EngineError::Unknown { what, name };
        if self.tree.branch(&place.branch).is_none() {
            return Err(unknown("branch", place.branch.to_string()));
        }
        let owner = self.tree.owner(place);
        if owner.step < -1 || (owner.step >= 0 && self.tree.step_at(&owner).is_none()) {
            return Err(unknown(
                "step",
                format!("{} on {}", place.step, place.branch),
            ));
        }
        Ok(owner)
    }

    pub(super) fn target_of(&self, place: &Place) -> Result<CheckpointId, EngineError> {
        if self.lane.checkpoints.is_none() {
            return Err(EngineError::ControlOff {
                what: "Checkpointing, without which there is no way back,",
                key: "git_checkpoints",
            });
        }
        self.tree
            .checkpoint_at(place)
            .map(|checkpoint| checkpoint.id.clone())
            .ok_or_else(|| EngineError::Unknown {
                what: "checkpoint after step",
                name: place.step.to_string(),
            })
    }

    /// Stops, keeps, restores and records. Leaves the session paused at `to`.
    async fn move_to(
        &mut self,
        by: Actor,
        to: Place,
        target: CheckpointId,
        purpose: Move,
    ) -> Result<(), EngineError> {
        let before_state = self.state().clone();
        self.end_agent().await?;
        self.set_state(SessionState::Restoring).await?;
        let moved = self.move_files(by, &to, target, &purpose).await;
        if let Err(error) = moved {
            if super::is_fatal(&error) {
                return Err(error);
            }
            let app = error.to_app();
            self.emit(vec![EventBody::Failed { error: app }]).await?;
            let state = match before_state {
                SessionState::Paused { .. } | SessionState::Ended { .. } => before_state,
                _ => SessionState::Paused {
                    reason: PauseReason::Requested,
                },
            };
            self.set_state(state).await?;
            return Err(error);
        }
        let state = match purpose {
            Move::Undo => self.resting_state(PauseReason::Requested),
            Move::Rollback | Move::Branch(_) => SessionState::Paused {
                reason: PauseReason::RolledBack,
            },
        };
        self.set_state(state).await
    }

    async fn move_files(
        &mut self,
        by: Actor,
        to: &Place,
        target: CheckpointId,
        purpose: &Move,
    ) -> Result<(), EngineError> {
        let from = self.cursor();
        self.keep_present_files().await?;
        let before = self.head_id()?;
        let intervention = match purpose {
            Move::Rollback => Intervention::Rollback {
                from: from.clone(),
                to: to.clone(),
            },
            Move::Undo => Intervention::UndoRollback {
                from: from.clone(),
                to: to.clone(),
            },
            Move::Branch(branch) => Intervention::Branch {
                from: from.clone(),
                to: to.clone(),
                branch: branch.id.clone(),
                instruction: branch.instruction.clone().unwrap_or_default(),
            },
        };
        let plan = {
            let (before, target) = (before.clone(), target.clone());
            self.checkpoint_thread()?
                .run(move |checkpoints| checkpoints.plan_restore(&before, &target))
                .await?
        };
        self.emit(vec![
            EventBody::Intervened { by, intervention },
            EventBody::RestoreStarted {
                from,
                to: to.clone(),
                before,
                target,
            },
        ])
        .await?;
        let report = self
            .checkpoint_thread()?
            .run(move |checkpoints| checkpoints.restore(&plan))
            .await?;
        let mut bodies = vec![restored(&report), EventBody::CursorMoved { to: to.clone() }];
        if let Move::Branch(branch) = purpose {
            bodies.push(EventBody::BranchCreated {
                branch: branch.clone(),
            });
        }
        self.emit(bodies).await?;
        self.lane.counted_from = to.step;
        self.publish_tip()
    }

    /// What differs from the last checkpoint is kept before anything is moved.
    async fn keep_present_files(&mut self) -> Result<(), EngineError> {
        let checkpoint = self
            .commit(Dirty::Watched, None, "Before a rollback".to_owned())
            .await?;
        if !checkpoint.created {
            return Ok(());
        }
        let at = self.cursor();
        self.emit(vec![EventBody::CheckpointRecorded {
            cause: CheckpointCause::BeforeRestore,
            at,
            checkpoint,
        }])
        .await
    }

    /// The test command is no step: what it changed in the files is undone.
    pub(super) async fn undo_what_tests_changed(&self) -> Result<(), EngineError> {
        if self.lane.checkpoints.is_none() {
            return Ok(());
        }
        let head = self.head_id()?;
        let after = self
            .commit(Dirty::Watched, None, "After the test command".to_owned())
            .await?;
        if !after.created {
            return Ok(());
        }
        self.checkpoint_thread()?
            .run(move |checkpoints| {
                let plan = checkpoints.plan_restore(&after.id, &head)?;
                checkpoints.restore(&plan)
            })
            .await?;
        Ok(())
    }

    pub(super) fn checkpoint_thread(
        &self,
    ) -> Result<&crate::checkpointing::CheckpointThread, EngineError> {
        self.lane
            .checkpoints
            .as_ref()
            .ok_or(EngineError::ControlOff {
                what: "Checkpointing",
                key: "git_checkpoints",
            })
    }

    pub(super) async fn edited_by_hand(&self) -> Result<Vec<String>, EngineError> {
        if self.lane.checkpoints.is_none() || self.state().is_active() {
            return Ok(Vec::new());
        }
        let head = self.head_id()?;
        self.checkpoint_thread()?
            .run(move |checkpoints| checkpoints.edited_by_hand(&head))
            .await
    }
}

/// The event that closes a restore.
pub(super) fn restored(report: &RestoreReport) -> EventBody {
    let kept = report.kept.as_ref().map(kept);
    EventBody::RestoreFinished {
        changed: report.changed,
        left_alone: report.left_alone.iter().cloned().chain(kept).collect(),
    }
}

/// Where to find what somebody changed while files were being moved.
pub(super) fn kept(checkpoint: &CheckpointId) -> String {
    format!("Files that changed meanwhile were kept first, as checkpoint {checkpoint}.")
}

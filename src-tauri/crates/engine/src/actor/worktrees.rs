//! Branches that run at the same time: each in a worktree, one of them turned to.
//!
//! The actor does one thing at a time, for the worktree it has *entered*: that of the agent it
//! hears, else the one the annotator turned to. Everything else in the actor speaks of that one.

use super::{Lane, Phase, SessionActor};
use crate::agent_process::Heard;
pub(crate) use crate::apart::Apart;
use crate::apart::Opened;
use crate::checkpointing::CheckpointThread;
use crate::error::EngineError;
use espalier_checkpoint::Dirty;
use espalier_protocol::event::{CheckpointCause, EventBody, Intervention, NewBranch};
use espalier_protocol::op::Place;
use espalier_protocol::session::{BackendSettings, PauseReason, SessionState};
use espalier_protocol::{Actor, BranchId, CheckpointId, WorktreeId};
use std::path::PathBuf;

impl SessionActor {
    /// What an agent says is for its own worktree, wherever the annotator has turned to.
    pub(super) async fn heard_in(
        &mut self,
        worktree: WorktreeId,
        heard: Heard,
    ) -> Result<(), EngineError> {
        let focus = self.tree.worktree;
        self.enter(worktree);
        let result = self.heard(heard).await;
        self.enter(focus);
        result
    }

    /// Makes a worktree the one that the actor speaks of. It must be open.
    pub(super) fn enter(&mut self, id: WorktreeId) {
        let here = self.tree.worktree;
        if id == here {
            return;
        }
        if let Some(entered) = self.others.remove(&id) {
            let left = std::mem::replace(&mut self.lane, entered);
            self.others.insert(here, left);
            self.tree.enter(id);
        }
    }

    /// The open worktrees.
    pub(super) fn worktrees(&self) -> Vec<WorktreeId> {
        let mut ids: Vec<_> = self.others.keys().copied().collect();
        ids.push(self.tree.worktree);
        ids.sort();
        ids
    }

    /// A gate for the worktree turned to; the others run freely.
    pub(super) async fn hold_after(&mut self, step: Option<u32>) -> Result<(), EngineError> {
        let focus = self.tree.worktree;
        self.lane.hold_after = step;
        self.advance().await?;
        for id in self.worktrees() {
            if id == focus {
                continue;
            }
            self.enter(id);
            self.lane.hold_after = None;
            let advanced = self.advance().await;
            self.enter(focus);
            advanced?;
        }
        Ok(())
    }

    /// Where branches are shown in the user's repository from.
    pub(super) fn publisher(&self) -> Option<&CheckpointThread> {
        match &self.apart {
            Some(apart) => Some(&apart.home),
            None => self.lane.checkpoints.as_ref(),
        }
    }

    pub(super) fn lane_spool_dir(&self) -> PathBuf {
        match &self.apart {
            Some(_) => self.spool_dir.join(self.tree.worktree.to_string()),
            None => self.spool_dir.clone(),
        }
    }

    /// Branches into a worktree of its own; what runs goes on.
    pub(super) async fn branch_apart(
        &mut self,
        by: Actor,
        branch: NewBranch,
        at: Place,
        target: CheckpointId,
    ) -> Result<(), EngineError> {
        let from = self.cursor();
        let hold = self.lane.hold_after;
        let id = branch.id.clone();
        let opened = self.open_worktree(&at, &id, target, |bodies| {
            bodies.push(EventBody::Intervened {
                by,
                intervention: Intervention::Branch {
                    from,
                    to: at.clone(),
                    branch: branch.id.clone(),
                    instruction: branch.instruction.clone().unwrap_or_default(),
                },
            });
            bodies.push(EventBody::BranchCreated { branch });
        });
        opened.await?;
        self.lane.hold_after = hold;
        self.publish_tip()?;
        self.set_state(SessionState::Running).await?;
        self.start_or_advance().await
    }

    /// Turns to a branch: to the worktree that stands on it, or to a new one at its tip.
    pub(super) async fn focus(&mut self, branch: BranchId) -> Result<(), EngineError> {
        self.needs_worktrees()?;
        if self.tree.branch(&branch).is_none() {
            return Err(EngineError::Unknown {
                what: "branch",
                name: branch.to_string(),
            });
        }
        if let Some(id) = self.tree.worktree_on(&branch) {
            if id != self.tree.worktree {
                self.enter(id);
                self.emit(vec![EventBody::WorktreeFocused]).await?;
            }
            return Ok(());
        }
        let at = Place {
            step: self.tree.tip_step(&branch),
            branch,
        };
        let tip = self.tree.branch(&at.branch).and_then(|it| it.tip.as_ref());
        let target = match tip {
            Some(tip) => tip.id.clone(),
            None => self.target_of(&at)?,
        };
        let branch = at.branch.clone();
        self.open_worktree(&at, &branch, target, |_| {}).await?;
        let state = self.resting_state(PauseReason::Requested);
        self.set_state(state).await
    }

    /// Makes a worktree for `branch`, enters it and turns to it. `more` happens in it at once.
    async fn open_worktree(
        &mut self,
        at: &Place,
        branch: &BranchId,
        target: CheckpointId,
        more: impl FnOnce(&mut Vec<EventBody>),
    ) -> Result<(), EngineError> {
        let places = self.needs_worktrees()?.places.clone();
        let id = self.tree.next_worktree_id();
        self.show(EventBody::Progress {
            label: "Preparing a worktree".to_owned(),
            done: 0,
            total: None,
        });
        let source = self.source_for(at);
        let opened = places.make(id, target.clone(), source).await?;
        let mut told = vec![worktree_notice(branch, &opened)];
        told.extend(missing_notice(&opened));
        let lane = lane_of(opened, self.lane.backend.clone(), at.step)?;
        let here = self.tree.worktree;
        let left = std::mem::replace(&mut self.lane, lane);
        self.others.insert(here, left);
        self.tree.enter(id);
        let mut bodies = vec![
            EventBody::WorktreeOpened {
                at: at.clone(),
                checkpoint: target,
            },
            EventBody::WorktreeFocused,
        ];
        more(&mut bodies);
        bodies.append(&mut told);
        self.emit(bodies).await
    }

    /// What is carried comes from where the branch was worked on, as its installed packages may not
    /// be the project's; else from the project.
    fn source_for(&self, at: &Place) -> Option<PathBuf> {
        let id = self.tree.worktree_on(&at.branch)?;
        if id == self.tree.worktree {
            return Some(self.lane.dir.clone());
        }
        self.others.get(&id).map(|lane| lane.dir.clone())
    }

    /// Ends and removes the worktree that stands on a branch.
    pub(super) async fn close_worktree(&mut self, branch: &BranchId) -> Result<(), EngineError> {
        self.needs_worktrees()?;
        let Some(id) = self.tree.worktree_on(branch) else {
            return Err(EngineError::not_now(
                "No worktree stands on that branch.",
                "There is nothing to close.",
            ));
        };
        let focus = self.tree.worktree;
        let Some(stays) = self
            .worktrees()
            .into_iter()
            .find(|other| *other != id && (*other == focus || focus == id))
        else {
            return Err(EngineError::not_now(
                "This is the session's only worktree.",
                "Finish the session, or turn to another branch first.",
            ));
        };
        self.enter(id);
        let kept = self.rest_and_keep("When its worktree was closed").await;
        if kept.is_err() {
            self.enter(focus);
            return kept;
        }
        if focus == id {
            self.enter(stays);
            self.emit(vec![EventBody::WorktreeFocused]).await?;
            self.enter(id);
        }
        self.emit(vec![EventBody::WorktreeClosed]).await?;
        self.enter(stays);
        if let Some(lane) = self.others.remove(&id)
            && let Some(checkpoints) = lane.checkpoints
        {
            checkpoints.close().await;
        }
        self.tree.others.remove(&id);
        match &self.apart {
            Some(apart) => apart.places.remove(id).await,
            None => Ok(()),
        }
    }

    /// Ends the agent and keeps the files as they are.
    pub(super) async fn rest_and_keep(&mut self, why: &str) -> Result<(), EngineError> {
        self.end_agent().await?;
        if self.lane.checkpoints.is_none() {
            return Ok(());
        }
        let checkpoint = self.commit(Dirty::Watched, None, why.to_owned()).await?;
        if !checkpoint.created {
            return Ok(());
        }
        let at = self.cursor();
        self.emit(vec![EventBody::CheckpointRecorded {
            cause: CheckpointCause::Parked,
            at,
            checkpoint,
        }])
        .await?;
        self.publish_tip()
    }

    /// Ends the agents of all worktrees and keeps their files.
    pub(super) async fn rest_everywhere(&mut self, why: &str) -> Result<(), EngineError> {
        let focus = self.tree.worktree;
        for id in self.worktrees() {
            self.enter(id);
            let kept = self.rest_and_keep(why).await;
            self.enter(focus);
            kept?;
        }
        Ok(())
    }

    /// A branch on which another worktree stands is not this one's to move to, unless what is made
    /// there becomes a branch of its own.
    pub(super) fn check_free(&self, from: &BranchId, to: &BranchId) -> Result<(), EngineError> {
        let taken = to != from
            && !self.is_ancestor(to, from)
            && self
                .tree
                .worktree_on(to)
                .is_some_and(|id| id != self.tree.worktree);
        if taken {
            return Err(EngineError::not_now(
                format!("Branch {to} is open in another worktree."),
                "Turn to that branch, or branch from it.",
            ));
        }
        Ok(())
    }

    /// The result of the worktree turned to goes into the project: what the session changed, and
    /// nothing else of what is there by now.
    pub(super) async fn bring_home(&mut self) -> Result<(), EngineError> {
        let apart = self.needs_worktrees()?;
        let tip = self.head_id()?;
        let Some(base) = self.tree.base.clone() else {
            return Ok(());
        };
        let report = apart
            .home
            .run(move |checkpoints| {
                checkpoints.resume(&base.id)?;
                let plan = checkpoints.plan_restore(&base.id, &tip)?;
                checkpoints.restore(&plan)
            })
            .await?;
        let kept = report.kept.iter().map(super::moving::kept);
        let notices: Vec<EventBody> = report
            .left_alone
            .iter()
            .cloned()
            .chain(kept)
            .map(|text| EventBody::Notice {
                code: "left_alone".to_owned(),
                text,
            })
            .collect();
        self.emit(notices).await
    }

    /// What ended a session is no longer needed: its worktrees go.
    pub(super) async fn remove_worktrees(&mut self) -> Result<(), EngineError> {
        for lane in self.others.values_mut().chain([&mut self.lane]) {
            if let Some(checkpoints) = lane.checkpoints.take() {
                checkpoints.close().await;
            }
        }
        let Some(apart) = self.apart.take() else {
            return Ok(());
        };
        let complaints = apart.home.settle().await?;
        apart.home.close().await;
        let removed = apart.places.remove_all().await;
        let left = removed.err().map(|error| error.to_string());
        let notices: Vec<EventBody> = complaints
            .into_iter()
            .chain(left)
            .map(|text| EventBody::Notice {
                code: "left_alone".to_owned(),
                text,
            })
            .collect();
        self.emit(notices).await
    }

    fn needs_worktrees(&self) -> Result<&Apart, EngineError> {
        self.apart.as_ref().ok_or(EngineError::ControlOff {
            what: "Working on several branches at the same time",
            key: "git_checkpoints.worktrees",
        })
    }

    /// Ends all agents and lets go of all locks, with nothing recorded.
    pub(crate) async fn let_go(mut self) {
        let lanes = std::mem::take(&mut self.others)
            .into_values()
            .chain([self.lane]);
        for mut lane in lanes {
            if let Some(agent) = lane.agent.take() {
                agent.end(|_| {}).await;
            }
            lane.phase = Phase::Absent;
            if let Some(checkpoints) = lane.checkpoints.take() {
                checkpoints.close().await;
            }
        }
        if let Some(apart) = self.apart.take() {
            apart.home.close().await;
        }
    }
}

/// A worktree in which no agent runs yet.
pub(crate) fn lane_of(
    opened: Opened,
    backend: BackendSettings,
    counted_from: i32,
) -> Result<Lane, EngineError> {
    let checkpoints = CheckpointThread::start(opened.checkpoints)?;
    Ok(Lane::new(
        opened.dir,
        Some(checkpoints),
        backend,
        counted_from,
    ))
}

/// Where the files are, for who wants to look or edit by hand.
pub(crate) fn worktree_notice(branch: &BranchId, opened: &Opened) -> EventBody {
    EventBody::Notice {
        code: "worktree".to_owned(),
        text: format!("The worktree for {branch} is {}.", opened.dir.display()),
    }
}

/// What was to be carried and is not there.
pub(crate) fn missing_notice(opened: &Opened) -> Option<EventBody> {
    (!opened.missing.is_empty()).then(|| EventBody::Notice {
        code: "not_carried".to_owned(),
        text: format!(
            "Not in the project, so not carried into the worktree: {}.",
            opened.missing.join(", ")
        ),
    })
}

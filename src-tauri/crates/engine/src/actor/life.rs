//! How a session begins, comes back, is laid aside and ends.

use super::moving::restored;
use super::{Phase, SessionActor};
use crate::error::EngineError;
use espalier_checkpoint::{BeginRequest, Dirty};
use espalier_protocol::event::{BranchKind, CheckpointCause, EventBody, Intervention, NewBranch};
use espalier_protocol::op::Place;
use espalier_protocol::session::{PauseReason, SessionState};
use espalier_protocol::step::StepResult;
use espalier_protocol::worker::{FromAgent, ToolOutcome, Touched};
use espalier_protocol::{BranchId, Checkpoint, CheckpointId, StepStatus};
use std::sync::Arc;

impl SessionActor {
    /// The first events of a session: its root branch and the files before the first step.
    pub(crate) async fn begin(&mut self, base: Option<Checkpoint>) -> Result<(), EngineError> {
        let main = BranchId::main();
        let start = Place {
            branch: main.clone(),
            step: -1,
        };
        let mut bodies = vec![EventBody::BranchCreated {
            branch: NewBranch {
                git_branch: self.git_branch(&main),
                id: main,
                kind: BranchKind::Root,
                parent: None,
                branch_point: -1,
                instruction: None,
            },
        }];
        if let Some(checkpoint) = base {
            bodies.push(EventBody::CheckpointRecorded {
                cause: CheckpointCause::Base,
                at: start,
                checkpoint,
            });
        }
        bodies.push(EventBody::StateChanged {
            state: SessionState::Paused {
                reason: PauseReason::NotStarted,
            },
        });
        self.emit(bodies).await?;
        self.publish_tip()
    }

    /// Brings each worktree to where it can go on.
    pub(crate) async fn recover_everywhere(&mut self) -> Result<(), EngineError> {
        let focus = self.tree.worktree;
        for id in self.worktrees() {
            self.enter(id);
            self.recover().await?;
        }
        self.enter(focus);
        Ok(())
    }

    /// Brings a stored session to where it can go on: files at its last checkpoint, nothing half
    /// done. `parked` sessions left the project as it was; others died in it.
    async fn recover(&mut self) -> Result<(), EngineError> {
        // Worktrees are the session's alone: nobody needed them back while it was parked.
        let parked = matches!(self.state(), SessionState::Parked) && self.apart.is_none();
        if self.lane.checkpoints.is_some() {
            if parked {
                self.bring_files_again().await?;
            } else {
                self.repair_files().await?;
            }
        }
        self.close_open_steps().await?;
        let ids: Vec<BranchId> = self.tree.branches.iter().map(|b| b.id.clone()).collect();
        for id in ids {
            self.publish_branch(&id)?;
        }
        let reason = match self.state() {
            SessionState::Paused { reason } => reason.clone(),
            _ if self.cursor().step < 0 => PauseReason::NotStarted,
            _ => PauseReason::Recovered,
        };
        let state = match self.state() {
            SessionState::Ended { .. } => return Ok(()),
            _ if self.tree.pending_rollback.is_some() => SessionState::Paused { reason },
            _ => self.resting_state(reason),
        };
        self.set_state(state).await
    }

    /// A parked session: the user may have worked since, so the project's state is noted anew.
    async fn bring_files_again(&mut self) -> Result<(), EngineError> {
        let head = self.head_id()?;
        let require_clean = self.meta.settings.checkpoints.require_clean_working_dir;
        let looking = Arc::clone(&self.looking);
        let report = self
            .checkpoint_thread()?
            .run(move |checkpoints| {
                let begun =
                    checkpoints.begin(&BeginRequest { require_clean }, &mut |done, total| {
                        looking(done, total);
                    })?;
                let plan = checkpoints.plan_restore(&begun.base.id, &head)?;
                checkpoints.restore(&plan)
            })
            .await?;
        self.emit(vec![EventBody::Notice {
            code: "files_brought_again".to_owned(),
            text: format!(
                "The session's files are in the project again ({} changed).",
                report.changed
            ),
        }])
        .await
    }

    /// A session whose process died: a cut restore is finished, and what no checkpoint holds is
    /// kept before the files go to the last checkpoint.
    async fn repair_files(&mut self) -> Result<(), EngineError> {
        let head = self.head_id()?;
        let finished = {
            let head = head.clone();
            self.checkpoint_thread()?
                .run(move |checkpoints| {
                    checkpoints.resume(&head)?;
                    checkpoints.finish_interrupted()
                })
                .await?
        };
        if let Some(kept) = finished.and_then(|report| report.kept) {
            self.emit(vec![EventBody::Notice {
                code: "kept".to_owned(),
                text: super::moving::kept(&kept),
            }])
            .await?;
        }
        if let Some((from, to, before, target)) = self.tree.open_restore.clone() {
            return self.finish_open_restore(from, to, before, target).await;
        }
        let present = self
            .commit(
                Dirty::FullScan,
                None,
                "Found when the session was opened again".to_owned(),
            )
            .await?;
        if !present.created {
            return Ok(());
        }
        let at = self.cursor();
        let found = present.id.clone();
        self.emit(vec![
            EventBody::CheckpointRecorded {
                cause: CheckpointCause::BeforeRestore,
                at: at.clone(),
                checkpoint: present,
            },
            EventBody::RestoreStarted {
                from: at.clone(),
                to: at,
                before: found.clone(),
                target: head.clone(),
            },
        ])
        .await?;
        let report = self
            .checkpoint_thread()?
            .run(move |checkpoints| {
                let plan = checkpoints.plan_restore(&found, &head)?;
                checkpoints.restore(&plan)
            })
            .await?;
        self.emit(vec![
            restored(&report),
            EventBody::Notice {
                code: "recovered".to_owned(),
                text: "The files were brought back to the last checkpoint; what differed is kept in a checkpoint of its own."
                    .to_owned(),
            },
        ])
        .await
    }

    async fn finish_open_restore(
        &mut self,
        from: Place,
        to: Place,
        before: CheckpointId,
        target: CheckpointId,
    ) -> Result<(), EngineError> {
        let report = self
            .checkpoint_thread()?
            .run(move |checkpoints| {
                let plan = checkpoints.plan_restore(&before, &target)?;
                checkpoints.restore(&plan)
            })
            .await?;
        let mut bodies = vec![restored(&report), EventBody::CursorMoved { to: to.clone() }];
        let last = self
            .tree
            .interventions
            .last()
            .map(|r| r.intervention.clone());
        if let Some(Intervention::Branch {
            branch,
            instruction,
            from: left,
            ..
        }) = last
            && left == from
            && self.tree.branch(&branch).is_none()
        {
            bodies.push(EventBody::BranchCreated {
                branch: NewBranch {
                    git_branch: self.git_branch(&branch),
                    id: branch,
                    kind: BranchKind::Instructed,
                    parent: Some(to.branch.clone()),
                    branch_point: to.step,
                    instruction: Some(instruction),
                },
            });
        }
        self.emit(bodies).await
    }

    /// Steps that ran when the process died get a stated end.
    async fn close_open_steps(&mut self) -> Result<(), EngineError> {
        let branch = self.cursor().branch;
        let mut open: Vec<_> = self
            .tree
            .steps
            .values()
            .filter(|step| step.result.is_none())
            .filter(|step| self.apart.is_none() || step.branch == branch)
            .map(|step| step.id.clone())
            .collect();
        open.sort();
        for id in open {
            let result = StepResult {
                status: StepStatus::Cancelled,
                content:
                    "Interrupted: Espalier ended while this step ran. Its changes were undone."
                        .to_owned(),
                full_output: None,
                output_bytes: 0,
                exit_code: None,
                duration_ms: 0,
            };
            self.finish_step(&id, result, &Touched::Nothing).await?;
        }
        Ok(())
    }

    /// Ends the agent process and all it started; a step that ran gets its end and its checkpoint.
    pub(super) async fn end_agent(&mut self) -> Result<(), EngineError> {
        let Some(agent) = self.lane.agent.take() else {
            return Ok(());
        };
        let mut outcome = None;
        agent
            .end(|said| {
                if let FromAgent::Finished { outcome: last, .. } = said {
                    outcome = Some(last);
                }
            })
            .await;
        let phase = std::mem::replace(&mut self.lane.phase, Phase::Absent);
        self.lane.untold.clear();
        self.lane.message = None;
        self.lane.edited = None;
        if let Phase::Stepping(id) = phase {
            let outcome =
                outcome.unwrap_or_else(|| ToolOutcome::stopped("Stopped by the annotator."));
            let result = self.result_of(&outcome).await?;
            if let Some(PauseReason::CheckpointFailed { error }) =
                self.finish_step(&id, result, &Touched::Anything).await?
            {
                return Err(EngineError::Part(error));
            }
        }
        self.show(EventBody::DeltasReset);
        Ok(())
    }

    /// Saves the session and puts the project back.
    pub(super) async fn park(&mut self) -> Result<(), EngineError> {
        if matches!(
            self.state(),
            SessionState::Parked | SessionState::Finished { .. }
        ) {
            return Ok(());
        }
        self.rest_everywhere("When the session was parked").await?;
        match &self.apart {
            Some(apart) => {
                let complaints = apart.home.settle().await?;
                self.tell_all("publish_failed", complaints).await?;
            }
            None if self.lane.checkpoints.is_some() => self.give_project_back(false).await?,
            None => {}
        }
        self.set_state(SessionState::Parked).await
    }

    /// Ends the session for good.
    pub(super) async fn finish(&mut self, keep: bool) -> Result<(), EngineError> {
        self.end_agent().await?;
        self.settle_rollback(None).await?;
        if self.lane.checkpoints.is_some() {
            self.keep_hand_edits().await?;
            self.rest_everywhere("When the session was finished")
                .await?;
            match &self.apart {
                None => self.give_project_back(keep).await?,
                Some(_) if keep => self.bring_home().await?,
                Some(_) => {}
            }
            if self.meta.settings.checkpoints.cleanup_on_complete
                && let Some(publisher) = self.publisher()
            {
                let prefix = self.git_branch(&BranchId::main());
                publisher.settle().await?;
                publisher
                    .run(move |checkpoints| checkpoints.remove_branches(&prefix))
                    .await?;
            }
        }
        self.set_state(SessionState::Finished { kept: keep })
            .await?;
        self.remove_worktrees().await
    }

    async fn tell_all(&mut self, code: &str, texts: Vec<String>) -> Result<(), EngineError> {
        let notices = texts.into_iter().map(|text| EventBody::Notice {
            code: code.to_owned(),
            text,
        });
        self.emit(notices.collect()).await
    }

    /// The project as it was before the session (or, with `keep`, as it is), and the user's own
    /// git state in any case.
    async fn give_project_back(&mut self, keep: bool) -> Result<(), EngineError> {
        let head = self.head_id()?;
        let complaints = self.checkpoint_thread()?.settle().await?;
        let report = self
            .checkpoint_thread()?
            .run(move |checkpoints| checkpoints.put_back(keep, &head))
            .await?;
        let told = complaints
            .into_iter()
            .map(|text| ("publish_failed", text))
            .chain(report.agent_git.into_iter().map(|text| ("agent_git", text)))
            .chain(
                report
                    .left_alone
                    .into_iter()
                    .map(|text| ("left_alone", text)),
            )
            .chain(report.kept.map(|id| ("kept", super::moving::kept(&id))));
        let notices: Vec<EventBody> = told
            .map(|(code, text)| EventBody::Notice {
                code: code.to_owned(),
                text,
            })
            .collect();
        if notices.is_empty() {
            return Ok(());
        }
        self.emit(notices).await
    }

    /// Parks what is not finished and lets the actor end.
    pub(super) async fn close(&mut self) -> Result<(), EngineError> {
        self.park().await
    }
}

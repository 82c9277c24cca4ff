//! Operations: which fit the session's state, and what each does.

use super::{Phase, SessionActor};
use crate::annotate;
use crate::error::EngineError;
use espalier_checkpoint::Dirty;
use espalier_protocol::event::{CheckpointCause, EventBody, Intervention};
use espalier_protocol::op::AnnotationTarget;
use espalier_protocol::session::{BackendSettings, PauseReason, SessionState};
use espalier_protocol::worker::ToAgent;
use espalier_protocol::{Actor, Op};

impl SessionActor {
    pub(super) async fn perform(&mut self, by: Actor, op: Op) -> Result<(), EngineError> {
        match self.state() {
            SessionState::Finished { .. } if !matches!(op, Op::Annotate { .. }) => {
                return Err(EngineError::not_now(
                    "The session is finished.",
                    "Its ratings can still be changed; for another try start a new session.",
                ));
            }
            SessionState::Parked if !matches!(op, Op::Annotate { .. } | Op::Park) => {
                return Err(EngineError::not_now(
                    "The session is parked and its project was put back.",
                    "Open the session again to go on.",
                ));
            }
            _ => {}
        }
        match op {
            Op::Resume => self.resume(by).await,
            Op::Pause => self.ask_to_pause(by).await,
            Op::Instruct { text } => self.instruct(by, text).await,
            Op::Rollback { to } => self.rollback(by, to).await,
            Op::UndoRollback => self.undo_rollback(by).await,
            Op::Branch {
                from,
                instruction,
                name,
            } => self.branch(by, from, instruction, name).await,
            Op::Focus { branch } => self.focus(branch).await,
            Op::CloseWorktree { branch } => self.close_worktree(&branch).await,
            Op::EditCall { call_id, input } => self.edit_call(by, call_id, input).await,
            Op::RefuseCall { call_id, reason } => self.refuse_call(by, call_id, reason).await,
            Op::Stop => self.stop(by).await,
            Op::CheckpointNow => self.checkpoint_now().await,
            Op::Annotate {
                target,
                scheme,
                value,
            } => self.annotate(by, target, scheme, value).await,
            Op::RunTests => self.tests_on_request().await,
            Op::ContinueWith { backend } => self.continue_with(by, backend).await,
            Op::Park => self.park().await,
            Op::Finish { keep } => self.finish(keep).await,
        }
    }

    async fn ask_to_pause(&mut self, by: Actor) -> Result<(), EngineError> {
        if !self.meta.settings.controls.pause {
            return Err(EngineError::ControlOff {
                what: "Pausing",
                key: "controls.pause_resume",
            });
        }
        match self.state() {
            SessionState::Running => {}
            SessionState::Pausing | SessionState::Paused { .. } => return Ok(()),
            _ => {
                return Err(EngineError::not_now(
                    "There is nothing to pause.",
                    "Wait until the agent works.",
                ));
            }
        }
        self.record(by, Intervention::Pause).await?;
        if matches!(self.lane.phase, Phase::Proposed(_) | Phase::Ready) {
            return self.pause(PauseReason::Requested).await;
        }
        self.set_state(SessionState::Pausing).await
    }

    /// Ends what runs now, the agent process with it; the session waits.
    async fn stop(&mut self, by: Actor) -> Result<(), EngineError> {
        if matches!(self.lane.phase, Phase::Testing) {
            return self.say(ToAgent::Cancel).await;
        }
        if !self.state().is_active() {
            return Err(EngineError::not_now(
                "Nothing runs that could be stopped.",
                "",
            ));
        }
        self.record(by, Intervention::Stop).await?;
        self.end_agent().await?;
        let state = self.resting_state(PauseReason::Stopped);
        self.set_state(state).await
    }

    /// Keeps the files as they are now.
    pub(super) async fn checkpoint_now(&mut self) -> Result<(), EngineError> {
        if self.lane.checkpoints.is_none() {
            return Err(EngineError::ControlOff {
                what: "Checkpointing",
                key: "git_checkpoints",
            });
        }
        let at = self.cursor();
        let message = format!("Checkpoint after step {}", at.step);
        let checkpoint = self.commit(Dirty::Watched, None, message).await?;
        let bare = self
            .tree
            .step_at(&at)
            .is_some_and(|step| step.checkpoint.is_none());
        self.lane.owes_checkpoint = false;
        if !checkpoint.created && !bare {
            return Ok(());
        }
        self.emit(vec![EventBody::CheckpointRecorded {
            cause: CheckpointCause::Asked,
            at,
            checkpoint,
        }])
        .await?;
        self.publish_tip()
    }

    async fn annotate(
        &mut self,
        by: Actor,
        target: AnnotationTarget,
        scheme: String,
        value: serde_json::Value,
    ) -> Result<(), EngineError> {
        annotate::check(
            &self.tree,
            &self.meta.settings.schemes,
            &target,
            &scheme,
            &value,
        )?;
        let revision = self
            .tree
            .answer(&target, &scheme)
            .map_or(1, |answer| answer.revision + 1);
        self.emit(vec![EventBody::Annotated {
            by,
            annotator: self.meta.annotator.clone(),
            target,
            scheme,
            value,
            revision,
        }])
        .await
    }

    async fn tests_on_request(&mut self) -> Result<(), EngineError> {
        if self.meta.task.test_command.is_none() {
            return Err(EngineError::not_now(
                "The task has no test command.",
                "Add test_command to the task in its data file.",
            ));
        }
        if self.state().is_active() {
            return Err(EngineError::not_now(
                "The tests can run while the agent waits.",
                "Pause it first.",
            ));
        }
        // A process that holds a proposal cannot run anything else.
        if matches!(self.lane.phase, Phase::Proposed(_)) {
            self.end_agent().await?;
        }
        self.run_tests().await
    }

    async fn continue_with(
        &mut self,
        by: Actor,
        backend: BackendSettings,
    ) -> Result<(), EngineError> {
        if self.state().is_active() {
            return Err(EngineError::not_now(
                "The backend can be changed while the agent waits.",
                "Pause it first.",
            ));
        }
        self.end_agent().await?;
        self.lane.backend = backend.clone();
        self.record(by, Intervention::ContinueWith { backend })
            .await?;
        if matches!(self.state(), SessionState::Paused { .. }) {
            return self.resume(by).await;
        }
        Ok(())
    }
}

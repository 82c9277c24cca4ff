//! One step from *go* to its checkpoint.

use super::{Phase, Proposal, SessionActor};
use crate::clock::now;
use crate::error::EngineError;
use crate::loop_detection::identical_calls;
use espalier_checkpoint::{CheckpointRequest, CommitInfo, Dirty};
use espalier_protocol::event::{CheckpointCause, EventBody, Intervention};
use espalier_protocol::session::{EndReason, LoopAction, PauseReason, SessionState};
use espalier_protocol::step::{StepResult, StepStatus};
use espalier_protocol::worker::{ToAgent, ToolOutcome, Touched};
use espalier_protocol::{Actor, Checkpoint, Step, StepId, StepKind, Usage};

impl SessionActor {
    /// Records the step and lets the agent run it.
    pub(super) async fn go(&mut self, mut proposal: Proposal) -> Result<(), EngineError> {
        let edited = self.lane.edited.take();
        let input = edited
            .filter(|(call_id, _)| *call_id == proposal.call_id)
            .map(|(_, input)| input);
        if let Some(input) = &input {
            proposal.change(input, &self.lane.dir);
        }
        let step = self.new_step(&proposal);
        let id = step.id.clone();
        self.emit(vec![EventBody::StepStarted {
            step: Box::new(step),
        }])
        .await?;
        self.lane.phase = Phase::Stepping(id);
        self.say(ToAgent::Go {
            call_id: proposal.call_id,
            input,
        })
        .await
    }

    pub(super) fn new_step(&self, proposal: &Proposal) -> Step {
        let cursor = self.cursor();
        let message = self.lane.message.clone();
        // The model's time and tokens belong to the first step of its message.
        let first = proposal.call_index == 0;
        let (model_ms, usage) = match &message {
            Some(message) if first => (message.model_ms, message.usage),
            _ => (0, Usage::default()),
        };
        Step {
            id: self.tree.next_step_id(),
            branch: cursor.branch,
            index: u32::try_from(cursor.step + 1).unwrap_or(0),
            kind: proposal.kind,
            message_id: message.map_or_else(|| self.tree.next_message_id(), |message| message.id),
            call_index: proposal.call_index,
            call_id: proposal.call_id.clone(),
            tool: proposal.name.clone(),
            input: proposal.input.clone(),
            target: proposal.target.clone(),
            started_at: now(),
            model_ms,
            usage,
            result: None,
            checkpoint: None,
            conversation_hash: String::new(),
            finished_at: None,
        }
    }

    /// The running step returned: its files become a checkpoint before the agent hears of it.
    pub(super) async fn step_returned(&mut self, outcome: ToolOutcome) -> Result<(), EngineError> {
        let Phase::Stepping(id) = self.lane.phase.clone() else {
            return Ok(());
        };
        self.lane.phase = Phase::Settling;
        let result = self.result_of(&outcome).await?;
        let failed = self.finish_step(&id, result, &outcome.touched).await?;
        if let Some(reason) = failed {
            return self.pause(reason).await;
        }
        self.after_step(&id).await
    }

    /// Stores a step's result with its checkpoint. Returns why the session must pause when there
    /// is no checkpoint.
    pub(super) async fn finish_step(
        &mut self,
        id: &StepId,
        result: StepResult,
        touched: &Touched,
    ) -> Result<Option<PauseReason>, EngineError> {
        let (checkpoint, failed) = match self.checkpoint_of(id, touched).await {
            Ok(checkpoint) => (checkpoint, None),
            Err(error) => {
                self.lane.owes_checkpoint = true;
                let error = error.to_app();
                (None, Some(PauseReason::CheckpointFailed { error }))
            }
        };
        let conversation_hash = self.tree.hash_of_step(id, &result);
        self.emit(vec![EventBody::StepFinished {
            step: id.clone(),
            result,
            checkpoint,
            conversation_hash,
        }])
        .await?;
        self.lane.unread_bytes += self.tree.content_length(id);
        self.tree.forget_content(id);
        self.publish_tip()?;
        Ok(failed)
    }

    async fn checkpoint_of(
        &self,
        id: &StepId,
        touched: &Touched,
    ) -> Result<Option<Checkpoint>, EngineError> {
        if self.lane.checkpoints.is_none() || !self.meta.settings.checkpoints.auto_commit {
            return Ok(None);
        }
        let shared = self.head().map(|head| Checkpoint {
            created: false,
            changes: Vec::new(),
            ..head
        });
        let dirty = match touched {
            Touched::Nothing => return Ok(shared),
            Touched::Paths { paths } => Dirty::Paths(paths.clone()),
            Touched::Anything => Dirty::Watched,
        };
        let Some(step) = self.tree.steps.get(id) else {
            return Ok(shared);
        };
        let (number, message) = (step.index, self.commit_message(step));
        self.commit(dirty, Some(number), message).await.map(Some)
    }

    fn commit_message(&self, step: &Step) -> String {
        self.meta
            .settings
            .checkpoints
            .commit_message_format
            .replace("{step}", &step.index.to_string())
            .replace("{tool}", &step.tool)
            .replace("{file_path}", &step.target)
            .trim_end()
            .to_owned()
    }

    /// Makes a commit of the dirty paths on top of the last checkpoint.
    pub(super) async fn commit(
        &self,
        dirty: Dirty,
        step: Option<u32>,
        message: String,
    ) -> Result<Checkpoint, EngineError> {
        let checkpoints = self
            .lane
            .checkpoints
            .as_ref()
            .ok_or_else(|| EngineError::Internal("Checkpoints are off.".to_owned()))?;
        let request = CheckpointRequest {
            dirty,
            parent: self.head_id()?,
            info: CommitInfo {
                session: self.id().clone(),
                branch: self.cursor().branch,
                step,
                message,
            },
        };
        checkpoints
            .run(move |checkpoints| checkpoints.checkpoint(&request))
            .await
    }

    /// What the annotator changed by hand becomes a checkpoint of its own before the agent goes on.
    pub(super) async fn keep_hand_edits(&mut self) -> Result<(), EngineError> {
        if self.lane.checkpoints.is_none() {
            return Ok(());
        }
        let owed = std::mem::take(&mut self.lane.owes_checkpoint);
        let made = self
            .commit(Dirty::Watched, None, "Edited by hand".to_owned())
            .await;
        let checkpoint = match made {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                self.lane.owes_checkpoint = owed;
                return Err(error);
            }
        };
        if !checkpoint.created {
            return Ok(());
        }
        let paths = checkpoint
            .changes
            .iter()
            .map(|change| change.path.clone())
            .collect();
        let at = self.cursor();
        let mut bodies = Vec::new();
        let cause = if owed {
            CheckpointCause::Asked
        } else {
            bodies.push(EventBody::Intervened {
                by: Actor::Person,
                intervention: Intervention::EditByHand { paths },
            });
            CheckpointCause::ByHand
        };
        bodies.push(EventBody::CheckpointRecorded {
            cause,
            at,
            checkpoint,
        });
        self.emit(bodies).await?;
        self.publish_tip()
    }

    /// Large outputs go to the store; the event keeps what the model read.
    pub(super) async fn result_of(&self, outcome: &ToolOutcome) -> Result<StepResult, EngineError> {
        let full_output = match &outcome.spool_file {
            Some(file) => {
                let file = std::path::PathBuf::from(file);
                let blob = self.store.put_text_file(&file).await?;
                if let Err(error) = tokio::fs::remove_file(&file).await {
                    tracing::warn!(%error, "a spooled output could not be removed");
                }
                Some(blob)
            }
            None => None,
        };
        Ok(StepResult {
            status: outcome.status,
            content: outcome.content.clone(),
            full_output,
            output_bytes: outcome.output_bytes,
            exit_code: outcome.exit_code,
            duration_ms: outcome.duration_ms,
        })
    }

    /// Pauses that a step's result or its number asks for.
    async fn after_step(&mut self, id: &StepId) -> Result<(), EngineError> {
        let settings = &self.meta.settings.controls;
        let Some(step) = self.tree.steps.get(id) else {
            return Ok(());
        };
        let status = step.result.as_ref().map(|result| result.status);
        let index = i32::try_from(step.index).unwrap_or(i32::MAX);
        let command_failed = step.kind == StepKind::Terminal
            && matches!(
                status,
                Some(StepStatus::CommandFailed | StepStatus::TimedOut)
            );
        if settings.loop_detection {
            let path = self.tree.path_steps(&self.cursor());
            let count = identical_calls(&path, self.lane.counted_from);
            if count >= settings.loop_threshold {
                return match settings.loop_action {
                    LoopAction::Pause => self.pause(PauseReason::Loop { count }).await,
                    LoopAction::Terminate => self.terminated_by_loop(count).await,
                };
            }
        }
        if command_failed && settings.auto_pause_on_error {
            return self.pause(PauseReason::StepFailed).await;
        }
        let every = settings.auto_pause_after_steps;
        let since = u32::try_from(index - self.lane.counted_from).unwrap_or(0);
        if every > 0 && since >= every {
            return self.pause(PauseReason::AfterSteps { steps: since }).await;
        }
        if matches!(self.state(), SessionState::Pausing) {
            return self.pause(PauseReason::Requested).await;
        }
        Ok(())
    }

    async fn terminated_by_loop(&mut self, count: u32) -> Result<(), EngineError> {
        self.emit(vec![EventBody::Notice {
            code: "loop_terminated".to_owned(),
            text: format!("The same call was made {count} times in a row; the agent was ended."),
        }])
        .await?;
        self.end_agent().await?;
        self.set_state(SessionState::Ended {
            reason: EndReason::Loop,
        })
        .await
    }

    /// The message without calls is a step too.
    pub(super) async fn closing_message(&mut self) -> Result<(), EngineError> {
        let proposal = Proposal {
            call_id: String::new(),
            call_index: 0,
            name: String::new(),
            input: serde_json::Value::Null,
            kind: StepKind::Message,
            target: String::new(),
        };
        let step = self.new_step(&proposal);
        let id = step.id.clone();
        let text = self.tree.message_text(&step.message_id);
        self.emit(vec![EventBody::StepStarted {
            step: Box::new(step),
        }])
        .await?;
        let result = StepResult {
            status: StepStatus::Ok,
            output_bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
            content: text,
            full_output: None,
            exit_code: None,
            duration_ms: 0,
        };
        // It changes nothing, so there is no checkpoint that could fail.
        self.finish_step(&id, result, &Touched::Nothing).await?;
        Ok(())
    }
}

//! What the agent process says, and what follows from it.

use super::{OpenMessage, Phase, Proposal, SessionActor};
use crate::agent_process::Heard;
use crate::error::EngineError;
use espalier_protocol::event::{EventBody, TestOutcome};
use espalier_protocol::session::{EndReason, PauseReason, SessionState};
use espalier_protocol::step::StepStatus;
use espalier_protocol::worker::{AgentNotice, FromAgent, ToAgent, ToolOutcome};
use espalier_protocol::{AppError, Block, ErrorCode, Usage};

impl SessionActor {
    pub(super) async fn heard(&mut self, heard: Heard) -> Result<(), EngineError> {
        match heard {
            Heard::Said(said) => self.said(*said).await,
            Heard::Gone { why } => self.agent_gone(why, None).await,
        }
    }

    async fn said(&mut self, said: FromAgent) -> Result<(), EngineError> {
        match said {
            FromAgent::TextDelta { text } => self.show(EventBody::TextDelta { text }),
            FromAgent::ThinkingDelta { text } => self.show(EventBody::ThinkingDelta { text }),
            FromAgent::DeltasReset => self.show(EventBody::DeltasReset),
            FromAgent::Progress { label, done, total } => {
                self.show(EventBody::Progress { label, done, total });
            }
            FromAgent::Output { stream, text } => {
                if let Phase::Stepping(step) = &self.lane.phase {
                    let step = step.clone();
                    self.show(EventBody::OutputDelta { step, stream, text });
                }
            }
            FromAgent::Message {
                blocks,
                usage,
                model,
                model_ms,
                notices,
            } => {
                let usage = self.completed(usage, model.as_deref());
                let notices = self.to_tell(notices).await?;
                self.message_completed(blocks, usage, model_ms, notices)
                    .await?;
            }
            FromAgent::Proposed {
                call_id,
                call_index,
                name,
                input,
                kind,
                target,
            } => {
                self.lane.phase = Phase::Proposed(Proposal {
                    call_id,
                    call_index,
                    name,
                    input,
                    kind,
                    target,
                });
                self.advance().await?;
            }
            FromAgent::Finished { outcome, .. } => self.step_returned(outcome).await?,
            FromAgent::Ended => {
                self.lane.phase = Phase::Closing;
                self.closing_message().await?;
            }
            FromAgent::Ready => self.agent_ready().await?,
            FromAgent::ProviderFailed {
                error,
                attempt,
                retry_in_ms,
                instructions,
            } => {
                self.provider_failed(error, attempt, retry_in_ms, instructions)
                    .await?;
            }
            FromAgent::CommandFinished { outcome } => self.test_returned(outcome).await?,
            FromAgent::Fatal { error } => {
                self.agent_gone(String::new(), Some(error)).await?;
            }
        }
        Ok(())
    }

    /// The notices but those that the session has told already and that are told once.
    async fn to_tell(&self, notices: Vec<AgentNotice>) -> Result<Vec<EventBody>, EngineError> {
        let past = if notices.iter().any(|notice| notice.once) {
            self.store.events(self.id(), 0).await?
        } else {
            Vec::new()
        };
        let told = |code: &str| {
            past.iter().any(
                |event| matches!(&event.body, EventBody::Notice { code: told, .. } if told == code),
            )
        };
        let notices = notices.into_iter();
        let untold = notices.filter(|notice| !notice.once || !told(&notice.code));
        Ok(untold
            .map(|notice| EventBody::Notice {
                code: notice.code,
                text: notice.text,
            })
            .collect())
    }

    async fn message_completed(
        &mut self,
        blocks: Vec<Block>,
        usage: Usage,
        model_ms: u32,
        mut notices: Vec<EventBody>,
    ) -> Result<(), EngineError> {
        self.lane.edited = None;
        let message_id = self.tree.next_message_id();
        self.lane.message = Some(OpenMessage {
            id: message_id.clone(),
            usage,
            model_ms,
        });
        self.lane.phase = Phase::Settling;
        let mut bodies = vec![EventBody::MessageCompleted {
            message_id,
            branch: self.cursor().branch,
            blocks,
            usage,
            model_ms,
        }];
        bodies.append(&mut notices);
        self.emit(bodies).await
    }

    async fn agent_ready(&mut self) -> Result<(), EngineError> {
        let ended = matches!(self.lane.phase, Phase::Closing);
        self.lane.phase = Phase::Ready;
        if ended {
            return self.branch_ended(EndReason::Completed).await;
        }
        // A pause asked for while the model answered, and the answer was stopped or failed.
        if matches!(self.state(), SessionState::Pausing) {
            return self.pause(PauseReason::Requested).await;
        }
        self.advance().await
    }

    async fn provider_failed(
        &mut self,
        error: AppError,
        attempt: u32,
        retry_in_ms: Option<u32>,
        instructions: Vec<String>,
    ) -> Result<(), EngineError> {
        self.emit(vec![EventBody::ProviderFailed {
            error: error.clone(),
            attempt,
            retry_in_ms,
        }])
        .await?;
        if retry_in_ms.is_some() {
            return Ok(());
        }
        self.lane.phase = Phase::Settling;
        let reason = if error.code == ErrorCode::RecordingEnded {
            PauseReason::RecordingEnded { instructions }
        } else {
            PauseReason::ProviderFailed { error }
        };
        self.pause(reason).await
    }

    /// The process ended although nobody asked it to.
    async fn agent_gone(&mut self, why: String, said: Option<AppError>) -> Result<(), EngineError> {
        let phase = std::mem::replace(&mut self.lane.phase, Phase::Absent);
        if let Some(agent) = self.lane.agent.take() {
            agent.end(|_| {}).await;
        }
        self.lane.untold.clear();
        self.lane.message = None;
        self.lane.edited = None;
        if let Phase::Stepping(_) = &phase {
            self.lane.phase = phase.clone();
            self.step_returned(ToolOutcome::stopped(
                "The agent process ended while this step ran.",
            ))
            .await?;
            self.lane.phase = Phase::Absent;
        }
        if matches!(phase, Phase::Ready) && !self.state().is_active() {
            // It was only waiting; the next thing to do starts another.
            return Ok(());
        }
        self.show(EventBody::DeltasReset);
        let error = said.unwrap_or_else(|| {
            let details = why.lines().map(str::to_owned).collect();
            AppError::new(
                ErrorCode::AgentDied,
                "The agent process ended unexpectedly.",
                "Resume starts it again from the last checkpoint.",
            )
            .retryable()
            .with_details(details)
        });
        self.emit(vec![EventBody::Failed {
            error: error.clone(),
        }])
        .await?;
        self.pause(PauseReason::AgentDied { error }).await
    }

    async fn test_returned(&mut self, outcome: ToolOutcome) -> Result<(), EngineError> {
        self.lane.phase = Phase::Ready;
        let Some(command) = self.meta.task.test_command.clone() else {
            return Ok(());
        };
        let result = self.result_of(&outcome).await?;
        let verdict = match outcome.status {
            StepStatus::Ok => TestOutcome::Passed,
            StepStatus::TimedOut => TestOutcome::TimedOut,
            StepStatus::Cancelled => TestOutcome::Cancelled,
            StepStatus::ToolError | StepStatus::CommandFailed | StepStatus::Refused => {
                TestOutcome::Failed
            }
        };
        self.undo_what_tests_changed().await?;
        let at = self.cursor();
        self.emit(vec![EventBody::TestFinished {
            branch: at.branch,
            after_step: at.step,
            command,
            outcome: verdict,
            result,
        }])
        .await?;
        let state = self.resting_state(PauseReason::Requested);
        self.set_state(state).await
    }

    /// The agent's run on the branch is over: the tests run, then the annotator decides.
    pub(super) async fn branch_ended(&mut self, reason: EndReason) -> Result<(), EngineError> {
        if self.meta.task.test_command.is_none() {
            return self.set_state(SessionState::Ended { reason }).await;
        }
        self.run_tests().await
    }

    /// Starts the test command in the agent process; `test_returned` takes it from there.
    pub(super) async fn run_tests(&mut self) -> Result<(), EngineError> {
        let Some(command) = self.meta.task.test_command.clone() else {
            return Ok(());
        };
        self.keep_hand_edits().await?;
        self.set_state(SessionState::Testing).await?;
        if self.lane.agent.is_none() {
            self.start_agent().await?;
        }
        self.lane.phase = Phase::Testing;
        let line = ToAgent::RunCommand {
            command,
            timeout_seconds: self.meta.settings.step_timeout_seconds,
        };
        self.say(line).await
    }
}

//! The calls of a message, which Claude Code makes when the engine says so.

use super::super::asking::{milliseconds, stray};
use super::super::calls::changed_remark;
use super::super::lines::Ears;
use super::super::talk::Call;
use super::line::{Line, News, Stands};
use super::{ClaudeWorker, End};
use crate::claude::said::CallResult;
use crate::claude::{failure, tools};
use espalier_protocol::worker::{FromAgent, ToAgent, ToolOutcome, Touched};
use espalier_protocol::{AppError, ConversationItem, ErrorCode, StepStatus};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How much longer than its limit a call may take that should have ended by itself.
const BEYOND: Duration = Duration::from_secs(10);
/// How long a stopped call may take to tell what became of it.
const STOPPING: Duration = Duration::from_secs(5);

/// How it goes on after a message's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Ready,
    /// The engine appended something in the middle of the message.
    AskAgain,
}

/// The engine's answer to a proposal.
enum Verdict {
    Go(Option<Value>),
    Refuse(String),
    /// The rest of the message is void, and the model is asked again after these.
    Again(Vec<ConversationItem>),
    /// The rest of the message is void.
    Stop,
}

/// What is waited for.
enum Awaited {
    Here,
    Cancelled,
    /// Nothing will come.
    Lost(AppError),
}

/// What came of a call.
struct Made {
    outcome: ToolOutcome,
    /// The rest of the message is void.
    stopped: bool,
    failure: Option<AppError>,
    end: Option<End>,
}

impl ClaudeWorker {
    /// Has the calls of the last message made, as far as the engine lets it.
    pub(super) async fn make_calls(&mut self, ears: &mut Ears) -> Result<After, End> {
        for (index, call) in self.talk.calls().iter().enumerate() {
            let up = self.until(ears, None, |line| line.is_up(&call.id)).await?;
            if let Awaited::Cancelled | Awaited::Lost(_) = up {
                return Ok(self.cut_off(index, up));
            }
            self.propose(index, call);
            let made = match self.verdict(call, ears).await? {
                Verdict::Go(changed) => self.make(call, changed, ears).await,
                Verdict::Refuse(reason) => self.refuse(call, &reason, ears).await,
                Verdict::Again(items) => {
                    self.talk.cut(index);
                    self.talk.append(items);
                    self.let_go();
                    return Ok(After::AskAgain);
                }
                Verdict::Stop => {
                    self.talk.cut(index);
                    self.let_go();
                    return Ok(After::Ready);
                }
            };
            self.talk.returned(call, &made.outcome);
            self.mouth.say(FromAgent::Finished {
                call_id: call.id.clone(),
                outcome: made.outcome,
            });
            if let Some(end) = made.end {
                return Err(end);
            }
            if made.stopped {
                self.talk.cut(index + 1);
                self.let_go();
                if let Some(error) = made.failure {
                    self.failed(error);
                }
                return Ok(After::Ready);
            }
        }
        self.knows_all();
        self.rest(ears).await?;
        Ok(After::Ready)
    }

    /// Waits until Claude Code is held after the calls.
    async fn rest(&mut self, ears: &mut Ears) -> Result<(), End> {
        let done = |line: &mut Line| line.stands != Stands::Working;
        match self.until(ears, None, done).await? {
            Awaited::Here => {}
            // All calls are made; there is nothing to take back.
            Awaited::Cancelled => self.let_go(),
            Awaited::Lost(error) => {
                self.let_go();
                self.failed(error);
            }
        }
        Ok(())
    }

    /// The calls from `index` on will not be made.
    fn cut_off(&mut self, index: usize, why: Awaited) -> After {
        self.talk.cut(index);
        self.let_go();
        self.mouth.say(FromAgent::DeltasReset);
        if let Awaited::Lost(error) = why {
            self.failed(error);
        }
        After::Ready
    }

    fn propose(&self, index: usize, call: &Call) {
        self.mouth.say(FromAgent::Proposed {
            call_id: call.id.clone(),
            call_index: u32::try_from(index).unwrap_or(u32::MAX),
            name: call.name.clone(),
            input: call.input.clone(),
            kind: tools::kind(&call.name),
            target: tools::target(&call.name, &call.input, &self.project),
        });
    }

    async fn verdict(&self, call: &Call, ears: &mut Ears) -> Result<Verdict, End> {
        loop {
            match ears.hear().await? {
                ToAgent::Go { call_id, input } if call_id == call.id => {
                    return Ok(Verdict::Go(input));
                }
                ToAgent::Refuse { call_id, reason } if call_id == call.id => {
                    return Ok(Verdict::Refuse(reason));
                }
                ToAgent::Continue { items } => {
                    return Ok(Verdict::Again(items));
                }
                ToAgent::Cancel => return Ok(Verdict::Stop),
                other => stray(&other, "a call was proposed")?,
            }
        }
    }

    /// Lets a call run, with `changed` in place of the model's arguments where there is one.
    async fn make(&mut self, call: &Call, changed: Option<Value>, ears: &mut Ears) -> Made {
        let changed = changed.filter(|changed| *changed != call.input);
        let remark = changed.as_ref().map(changed_remark);
        let began = Instant::now();
        if let Some(line) = &mut self.line {
            line.go(&call.id, changed.as_ref(), remark.as_deref());
        }
        let input = changed.as_ref().unwrap_or(&call.input);
        let mut made = self.returned(call, input, began, ears).await;
        if let Some(remark) = remark {
            made.outcome.content = format!("{remark}\n{}", made.outcome.content);
        }
        made
    }

    async fn refuse(&mut self, call: &Call, reason: &str, ears: &mut Ears) -> Made {
        let reason = if reason.trim().is_empty() {
            "The call was refused."
        } else {
            reason
        };
        if let Some(line) = &mut self.line {
            line.refuse(&call.id, reason);
        }
        let began = Instant::now();
        let mut made = self.returned(call, &call.input, began, ears).await;
        if !made.stopped {
            made.outcome.status = StepStatus::Refused;
            made.outcome.touched = Touched::Nothing;
        }
        made
    }

    /// Waits for what a call returns, and stops it when it is cancelled or takes too long. Whatever
    /// ends the agent stops it first, so that its outcome is told.
    async fn returned(
        &mut self,
        call: &Call,
        input: &Value,
        began: Instant,
        ears: &mut Ears,
    ) -> Made {
        let limit = self.settings.limit + BEYOND;
        let has = |line: &mut Line| line.has_returned(&call.id);
        let (status, end) = match self.until(ears, Some(limit), has).await {
            Ok(Awaited::Here) => (None, None),
            Ok(Awaited::Cancelled) => (Some(StepStatus::Cancelled), None),
            Ok(Awaited::Lost(error)) if error.code == ErrorCode::BackendTimeout => {
                (Some(StepStatus::TimedOut), None)
            }
            Ok(Awaited::Lost(error)) => return lost(error),
            Err(end) => (Some(StepStatus::Cancelled), Some(end)),
        };
        if status.is_some() {
            self.stop(call).await;
        }
        let result = self.line.as_mut().and_then(|line| line.result(&call.id));
        let mut outcome = match result {
            Some(result) => self.outcome(call, input, result),
            None => ToolOutcome::stopped("The call was stopped; what it did so far stays."),
        };
        outcome.duration_ms = milliseconds(began.elapsed());
        if let Some(status) = status {
            outcome.status = status;
            outcome.touched = Touched::Anything;
        }
        Made {
            outcome,
            stopped: status.is_some(),
            failure: None,
            end,
        }
    }

    fn outcome(&self, call: &Call, input: &Value, result: CallResult) -> ToolOutcome {
        let failed = result.is_error;
        let exit_code = tools::exit_code(&call.name, failed, &result.content);
        let status = match (failed, exit_code) {
            (false, _) => StepStatus::Ok,
            (true, Some(_)) => StepStatus::CommandFailed,
            (true, None) => StepStatus::ToolError,
        };
        ToolOutcome {
            status,
            output_bytes: u32::try_from(result.content.len()).unwrap_or(u32::MAX),
            content: result.content,
            spool_file: None,
            exit_code,
            duration_ms: 0,
            touched: tools::touched(&call.name, input, &self.project),
        }
    }

    /// Hears Claude Code until something is so, it is cancelled, or it cannot be any more.
    async fn until(
        &mut self,
        ears: &mut Ears,
        limit: Option<Duration>,
        so: impl Fn(&mut Line) -> bool,
    ) -> Result<Awaited, End> {
        let late = tokio::time::sleep(limit.unwrap_or(Duration::from_secs(86_400)));
        tokio::pin!(late);
        loop {
            let Some(line) = &mut self.line else {
                return Ok(Awaited::Lost(failure::gone("")));
            };
            // A turn that failed is no place to rest at; what returned before counts.
            let noticed = !line.has_results();
            if let Some(over) = line.failed.take_if(|_| noticed) {
                let error = failure::of_turn(&over, line.trouble.as_deref());
                return Ok(Awaited::Lost(error));
            }
            if so(line) {
                return Ok(Awaited::Here);
            }
            if line.ran_on {
                return Ok(Awaited::Lost(failure::ran_on()));
            }
            tokio::select! {
                biased;
                heard = ears.hear() => match heard? {
                    ToAgent::Cancel => return Ok(Awaited::Cancelled),
                    other => stray(&other, "a call was being made")?,
                },
                news = line.hear() => match news {
                    News::Gone(why) => return Ok(Awaited::Lost(failure::gone(&why))),
                    News::Over(over) if over.is_error => line.failed = Some(over),
                    _ => {}
                },
                () = &mut late, if limit.is_some() => {
                    return Ok(Awaited::Lost(failure::too_long()));
                }
            }
        }
    }

    /// Stops a running call, and gives it a moment to tell what became of it.
    async fn stop(&mut self, call: &Call) {
        let Some(line) = &mut self.line else {
            return;
        };
        line.interrupt();
        let told = async {
            while !line.has_returned(&call.id) {
                if let News::Gone(_) = line.hear().await {
                    return;
                }
            }
        };
        if tokio::time::timeout(STOPPING, told).await.is_err() {
            tracing::debug!("a stopped call did not tell what became of it");
        }
    }
}

fn lost(error: AppError) -> Made {
    let content = "Claude Code ended before this call returned; what it did so far stays.";
    Made {
        outcome: ToolOutcome::stopped(content),
        stopped: true,
        failure: Some(error),
        end: None,
    }
}

//! Asking the model, again where that may help, until there is a whole message.

use super::lines::{Ears, Mouth};
use super::{End, Worker};
use crate::backend::{BackendError, Delta, ModelBackend, ModelTurn, Request};
use crate::error::AgentError;
use espalier_protocol::Block;
use espalier_protocol::worker::{FromAgent, ToAgent};
use std::time::{Duration, Instant};

/// What came of one try.
enum Tried {
    Said(ModelTurn, Duration),
    Failed(BackendError),
    Cancelled,
}

impl Worker {
    /// The model's next message, already told to the engine; nothing when it was cancelled or the
    /// model failed for good.
    pub(super) async fn ask(&mut self, ears: &mut Ears) -> Result<Option<Vec<Block>>, End> {
        let mut attempt = 1;
        loop {
            match self.try_once(ears).await? {
                Tried::Said(mut turn, took) => {
                    self.talk.name_calls(&mut turn.blocks);
                    self.mouth.say(FromAgent::Message {
                        blocks: turn.blocks.clone(),
                        usage: turn.usage,
                        model: turn.model,
                        model_ms: milliseconds(took),
                        notices: turn.notices,
                    });
                    return Ok(Some(turn.blocks));
                }
                Tried::Cancelled => {
                    self.mouth.say(FromAgent::DeltasReset);
                    return Ok(None);
                }
                Tried::Failed(error) => {
                    let wait = self.patience.wait_after(attempt, error.retry);
                    self.tell_failure(error, attempt, wait);
                    let Some(wait) = wait else {
                        return Ok(None);
                    };
                    if !pause(wait, ears).await? {
                        return Ok(None);
                    }
                    attempt += 1;
                }
            }
        }
    }

    fn tell_failure(&self, error: BackendError, attempt: usize, wait: Option<Duration>) {
        self.mouth.say(FromAgent::DeltasReset);
        self.mouth.say(FromAgent::ProviderFailed {
            error: error.app,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            retry_in_ms: wait.map(milliseconds),
            instructions: error.instructions,
        });
    }

    async fn try_once(&mut self, ears: &mut Ears) -> Result<Tried, End> {
        let Some(backend) = &mut self.backend else {
            let what = "`continue`, but it was set up without a backend.";
            return Err(End::Fault(AgentError::Told(what.to_owned())));
        };
        let request = Request {
            conversation: self.talk.items(),
            tools: &self.tools,
            path: self.talk.path(),
        };
        let mouth = self.mouth.clone();
        let mut sink = move |delta| show(&mouth, delta);
        let began = Instant::now();
        let turn = backend.turn(request, &mut sink);
        tokio::pin!(turn);
        loop {
            tokio::select! {
                biased;
                heard = ears.hear() => match heard? {
                    // Dropping the call closes its connection.
                    ToAgent::Cancel => return Ok(Tried::Cancelled),
                    other => stray(&other, "the model was being asked")?,
                },
                done = &mut turn => return Ok(match done {
                    Ok(turn) => Tried::Said(turn, began.elapsed()),
                    Err(error) => Tried::Failed(error),
                }),
            }
        }
    }
}

/// Waits before the next try. Returns false when it was cancelled.
async fn pause(wait: Duration, ears: &mut Ears) -> Result<bool, End> {
    let until = tokio::time::sleep(wait);
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            heard = ears.hear() => match heard? {
                ToAgent::Cancel => return Ok(false),
                other => stray(&other, "the next try was waited for")?,
            },
            () = &mut until => return Ok(true),
        }
    }
}

/// A late answer to a proposal that is over is let pass; anything else does not fit.
pub(super) fn stray(line: &ToAgent, doing: &str) -> Result<(), End> {
    match line {
        ToAgent::Go { .. } | ToAgent::Refuse { .. } | ToAgent::Cancel => Ok(()),
        other => Err(End::unfit(other, doing)),
    }
}

fn show(mouth: &Mouth, delta: Delta) {
    mouth.say(match delta {
        Delta::Text(text) => FromAgent::TextDelta { text },
        Delta::Thinking(text) => FromAgent::ThinkingDelta { text },
        Delta::Waiting { label, seconds } => FromAgent::Progress {
            label,
            done: seconds,
            total: None,
        },
    });
}

pub(super) fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

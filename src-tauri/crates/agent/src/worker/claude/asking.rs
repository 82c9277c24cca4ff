//! Asking the model through Claude Code, until there is a whole message.

use super::super::asking::{milliseconds, stray};
use super::super::lines::Ears;
use super::line::{Line, News, Stands};
use super::{ClaudeWorker, End};
use crate::claude::gather::Message;
use crate::claude::place::{self, Place};
use crate::claude::said::Over;
use crate::claude::{failure, launch};
use espalier_protocol::worker::{AgentNotice, FromAgent, ToAgent};
use espalier_protocol::{AppError, Block, ErrorCode};
use std::time::{Duration, Instant};

/// How long it may take to be ready, on a busy machine too.
const OPENING: Duration = Duration::from_secs(120);

/// Why there is no message.
enum NoMessage {
    Cancelled,
    Failed(AppError),
    /// The record of the conversation is not there.
    NoRecord,
    End(End),
}

impl From<End> for NoMessage {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl ClaudeWorker {
    /// The model's next message, already told to the engine; nothing when it was cancelled or
    /// failed.
    pub(super) async fn ask(&mut self, ears: &mut Ears) -> Result<Option<Vec<Block>>, End> {
        let began = Instant::now();
        let mut place = place::find(self.talk.items());
        loop {
            let heard = match self.go_on(&place, ears).await {
                Ok(()) => self.message(ears).await,
                Err(why) => Err(why),
            };
            match heard {
                Ok(message) => return Ok(Some(self.tell_message(message, began.elapsed()))),
                Err(NoMessage::NoRecord) if place.resume.is_some() => {
                    self.let_go();
                    place = place::from_the_beginning(self.talk.items());
                }
                Err(why) => {
                    self.let_go();
                    self.mouth.say(FromAgent::DeltasReset);
                    match why {
                        NoMessage::Cancelled => {}
                        NoMessage::NoRecord => self.failed(failure::gone("")),
                        NoMessage::Failed(error) => self.failed(error),
                        NoMessage::End(end) => return Err(end),
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// Says a failure after which the session waits.
    pub(super) fn failed(&self, error: AppError) {
        self.mouth.say(FromAgent::ProviderFailed {
            error,
            attempt: 1,
            retry_in_ms: None,
            instructions: Vec::new(),
        });
    }

    /// Tells Claude Code what it does not know yet and lets it go on; starts one where none runs.
    async fn go_on(&mut self, place: &Place, ears: &mut Ears) -> Result<(), NoMessage> {
        if self.line.as_mut().is_some_and(Line::is_gone) {
            self.line = None;
        }
        let length = self.talk.items().len();
        if let Some(line) = &mut self.line {
            let new = self.talk.items().get(line.knows..).unwrap_or_default();
            let say = match line.stands {
                Stands::Held(_) if new.is_empty() => Vec::new(),
                _ => place::news(new),
            };
            line.tell(say);
            line.knows = length;
            return Ok(());
        }
        self.start(place, ears).await?;
        if place.retold {
            self.notices.push(AgentNotice {
                code: "conversation_retold".to_owned(),
                text: "Claude Code has no record of this conversation; it was told in words what \
                       was said and done so far."
                    .to_owned(),
                once: false,
            });
        }
        if let Some(line) = &mut self.line {
            line.tell(place.say.clone());
            line.knows = length;
        }
        Ok(())
    }

    async fn start(&mut self, place: &Place, ears: &mut Ears) -> Result<(), NoMessage> {
        self.all_ended().await;
        let arguments = self
            .settings
            .arguments(self.system.as_deref(), place.resume.as_ref());
        let key = self.api_key.as_deref();
        let process = launch::start(
            &self.settings,
            &self.cli.path,
            &self.project,
            &arguments,
            key,
        )
        .map_err(|error| NoMessage::Failed(failure::not_started(&error)))?;
        self.line = Some(Line::new(process));
        let until = tokio::time::sleep(OPENING);
        tokio::pin!(until);
        loop {
            let Some(line) = &mut self.line else {
                return Err(NoMessage::Cancelled);
            };
            tokio::select! {
                biased;
                heard = ears.hear() => match heard? {
                    ToAgent::Cancel => return Err(NoMessage::Cancelled),
                    other => stray(&other, "Claude Code was starting")?,
                },
                news = line.hear() => match news {
                    News::Opened => return Ok(()),
                    News::Over(over) => return Err(not_begun(&over)),
                    News::Gone(why) if failure::record_missing(&why) => {
                        return Err(NoMessage::NoRecord);
                    }
                    News::Gone(why) => return Err(NoMessage::Failed(failure::gone(&why))),
                    _ => {}
                },
                () = &mut until => return Err(NoMessage::Failed(silent())),
            }
        }
    }

    /// Hears Claude Code out until there is a message.
    async fn message(&mut self, ears: &mut Ears) -> Result<Message, NoMessage> {
        loop {
            let Some(line) = &mut self.line else {
                return Err(NoMessage::Cancelled);
            };
            let news = tokio::select! {
                biased;
                heard = ears.hear() => match heard? {
                    ToAgent::Cancel => return Err(NoMessage::Cancelled),
                    other => {
                        stray(&other, "the model was being asked")?;
                        continue;
                    }
                },
                news = line.hear() => news,
            };
            match news {
                News::Message(message) => return Ok(message),
                News::Over(over) => return ended(line, &over),
                News::Gone(why) if failure::record_missing(&why) => {
                    return Err(NoMessage::NoRecord);
                }
                News::Gone(why) => return Err(NoMessage::Failed(failure::gone(&why))),
                // No call of the session's is being made; what it did by itself needs no decision.
                News::Calls => {
                    if let Stands::Held(_) = line.stands {
                        line.tell(Vec::new());
                    }
                }
                other => self.show(other),
            }
        }
    }

    fn show(&mut self, news: News) {
        match news {
            News::Text(text) => self.mouth.say(FromAgent::TextDelta { text }),
            News::Thinking(text) => self.mouth.say(FromAgent::ThinkingDelta { text }),
            News::Void => self.mouth.say(FromAgent::DeltasReset),
            News::Compacted => self.notices.push(AgentNotice {
                code: "context_compacted".to_owned(),
                text: "The model's window was nearly full: Claude Code put a summary in the place \
                       of the conversation so far."
                    .to_owned(),
                once: false,
            }),
            News::Retry {
                attempt,
                delay_ms,
                status,
                error,
            } => {
                self.mouth.say(FromAgent::DeltasReset);
                self.mouth.say(FromAgent::ProviderFailed {
                    error: failure::passing(status, &error),
                    attempt,
                    retry_in_ms: Some(delay_ms),
                    instructions: Vec::new(),
                });
            }
            News::Opened | News::Message(_) | News::Calls | News::Over(_) | News::Gone(_) => {}
        }
    }

    fn tell_message(&mut self, message: Message, took: Duration) -> Vec<Block> {
        let mut notices = std::mem::take(&mut self.notices);
        if message.cut_short {
            notices.push(AgentNotice {
                code: "cut_short".to_owned(),
                text: "The message was cut at the model's length limit.".to_owned(),
                once: false,
            });
        }
        self.mouth.say(FromAgent::Message {
            blocks: message.blocks.clone(),
            usage: message.usage,
            model: message.model,
            model_ms: milliseconds(took),
            notices,
        });
        message.blocks
    }
}

/// The turn is over: with the closing message, or without one.
fn ended(line: &mut Line, over: &Over) -> Result<Message, NoMessage> {
    if over.is_error || over.subtype != "success" {
        if failure::record_missing(&over.errors.join(" ")) {
            return Err(NoMessage::NoRecord);
        }
        let error = failure::of_turn(over, line.trouble.as_deref());
        return Err(NoMessage::Failed(error));
    }
    Ok(line.closing())
}

/// It gave up before it could be spoken to.
fn not_begun(over: &Over) -> NoMessage {
    if failure::record_missing(&over.errors.join(" ")) {
        NoMessage::NoRecord
    } else {
        NoMessage::Failed(failure::of_turn(over, None))
    }
}

fn silent() -> AppError {
    AppError::new(
        ErrorCode::BackendTimeout,
        "Claude Code does not answer.",
        "claude --version",
    )
    .retryable()
}

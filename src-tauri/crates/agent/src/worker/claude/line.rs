//! The line to a running Claude Code: what it asked and what it told, kept until it is wanted.

use crate::claude::gather::{Gather, Message};
use crate::claude::process::{Heard, Process};
use crate::claude::said::{CallResult, Over, Said};
use crate::claude::words;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Where Claude Code stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stands {
    /// At work.
    Working,
    /// Held after the calls of a message, until this request is answered.
    Held(String),
    /// Its turn is over.
    Idle,
}

/// A piece of news that somebody waits for.
#[derive(Debug)]
pub(super) enum News {
    /// It may be spoken to.
    Opened,
    Text(String),
    Thinking(String),
    /// What was shown of the unfinished message is void.
    Void,
    Message(Message),
    Retry {
        attempt: u32,
        delay_ms: u32,
        status: Option<u16>,
        error: String,
    },
    /// The model reads a summary from here on.
    Compacted,
    /// A call asks or returned, or the calls are done.
    Calls,
    Over(Box<Over>),
    Gone(String),
}

/// The line.
#[derive(Debug)]
pub(super) struct Line {
    process: Process,
    gather: Gather,
    pub(super) stands: Stands,
    /// Items of the conversation that it knows.
    pub(super) knows: usize,
    /// Calls that wait to be let run, by their ids, with the requests to answer.
    asking: HashMap<String, String>,
    results: HashMap<String, CallResult>,
    /// Calls that were let run.
    let_run: HashSet<String>,
    /// Whether it asked the model although calls were still to be waited for.
    pub(super) ran_on: bool,
    /// A turn that ended in a failure which nobody was told of yet.
    pub(super) failed: Option<Box<Over>>,
    /// The kind of failure that it told of last.
    pub(super) trouble: Option<String>,
}

impl Line {
    pub(super) fn new(process: Process) -> Self {
        Self {
            process,
            gather: Gather::default(),
            stands: Stands::Idle,
            knows: 0,
            asking: HashMap::new(),
            results: HashMap::new(),
            let_run: HashSet::new(),
            ran_on: false,
            failed: None,
            trouble: None,
        }
    }

    /// The next news. Cancel safe.
    pub(super) async fn hear(&mut self) -> News {
        loop {
            let said = match self.process.hear().await {
                Heard::Said(said) => said,
                Heard::Gone(why) => return News::Gone(why),
            };
            if let Some(news) = self.take_in(said) {
                return news;
            }
        }
    }

    fn take_in(&mut self, said: Said) -> Option<News> {
        match said {
            Said::Answer { request_id, error } if request_id == words::OPENING => match error {
                None => Some(News::Opened),
                Some(error) => Some(News::Gone(error)),
            },
            Said::Answer { .. } => None,
            Said::Text(text) => Some(News::Text(text)),
            Said::Thinking(text) => Some(News::Thinking(text)),
            Said::Asking => {
                self.ran_on = self.stands != Stands::Working;
                None
            }
            Said::MessageBegins {
                message_id,
                model,
                usage,
            } => {
                let void = self.gather.begin(&message_id, model, &usage);
                void.then_some(News::Void)
            }
            Said::Blocks {
                message_id,
                session,
                uuid,
                blocks,
            } => {
                self.gather.add(&message_id, &session, &uuid, &blocks);
                None
            }
            Said::MessageTurns { stop_reason, usage } => {
                self.gather.turn(stop_reason.as_deref(), &usage);
                None
            }
            Said::MessageEnds => self.gather.end().map(News::Message),
            Said::Retry {
                attempt,
                delay_ms,
                status,
                error,
            } => Some(News::Retry {
                attempt,
                delay_ms,
                status,
                error,
            }),
            Said::Compacted => Some(News::Compacted),
            Said::Trouble(kind) => {
                self.trouble = Some(kind);
                None
            }
            Said::Over(over) => {
                self.stands = Stands::Idle;
                Some(News::Over(over))
            }
            said => self.about_calls(said),
        }
    }

    fn about_calls(&mut self, said: Said) -> Option<News> {
        match said {
            Said::MayCall {
                request_id, nested, ..
            } if nested => {
                let why = "Agents of their own are not part of this session.";
                self.process.say(&words::refuse(&request_id, why));
                None
            }
            Said::MayCall {
                request_id,
                call_id,
                ..
            } => {
                self.asking.insert(call_id, request_id);
                Some(match self.gather.asked() {
                    Some(message) => News::Message(message),
                    None => News::Calls,
                })
            }
            Said::Permission {
                request_id,
                call_id,
                input,
            } => {
                let answer = if self.let_run.contains(&call_id) {
                    words::permit(&request_id, &input)
                } else {
                    words::forbid(&request_id, "The call was not let run.")
                };
                self.process.say(&answer);
                None
            }
            Said::BatchDone { request_id } => {
                self.stands = Stands::Held(request_id);
                Some(News::Calls)
            }
            Said::Returned(results) => {
                for result in results {
                    self.gather.returned(&result.call_id);
                    self.results.insert(result.call_id.clone(), result);
                }
                Some(News::Calls)
            }
            Said::Question {
                request_id,
                subtype,
            } => {
                self.process.say(&words::unknown(&request_id, &subtype));
                None
            }
            _ => None,
        }
    }

    /// The message that the turn closed with.
    pub(super) fn closing(&mut self) -> Message {
        self.gather.take()
    }

    /// Whether a call is to be decided on: it asks, or it returned without asking.
    pub(super) fn is_up(&self, call_id: &str) -> bool {
        self.asking.contains_key(call_id) || self.results.contains_key(call_id)
    }

    pub(super) fn has_returned(&self, call_id: &str) -> bool {
        self.results.contains_key(call_id)
    }

    /// Whether calls returned of which nobody took notice yet.
    pub(super) fn has_results(&self) -> bool {
        !self.results.is_empty()
    }

    /// What a call returned.
    pub(super) fn result(&mut self, call_id: &str) -> Option<CallResult> {
        self.results.remove(call_id)
    }

    /// Lets a call run that asks. Does nothing for one that returned already.
    pub(super) fn go(&mut self, call_id: &str, changed: Option<&Value>, remark: Option<&str>) {
        if let Some(request) = self.asking.remove(call_id) {
            self.let_run.insert(call_id.to_owned());
            self.process.say(&words::go(&request, changed, remark));
        }
    }

    /// Does not let a call run that asks.
    pub(super) fn refuse(&mut self, call_id: &str, reason: &str) {
        if let Some(request) = self.asking.remove(call_id) {
            self.process.say(&words::refuse(&request, reason));
        }
    }

    /// Stops what runs.
    pub(super) fn interrupt(&self) {
        self.process.say(&words::interrupt());
    }

    /// Tells it something and lets it go on. `blocks` may be empty where it is held.
    pub(super) fn tell(&mut self, blocks: Vec<Value>) {
        if !blocks.is_empty() {
            self.process.say(&words::user(Value::Array(blocks)));
        }
        let before = std::mem::replace(&mut self.stands, Stands::Working);
        if let Stands::Held(request) = before {
            self.process.say(&words::go_on(&request));
        }
        self.asking.clear();
        self.results.clear();
        self.ran_on = false;
        self.trouble = None;
    }

    pub(super) fn is_gone(&mut self) -> bool {
        self.process.is_gone()
    }

    pub(super) async fn end(self) {
        self.process.end().await;
    }
}

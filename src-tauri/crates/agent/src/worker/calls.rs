//! The calls of a message: each is proposed, and made when the engine says so.

use super::asking::stray;
use super::lines::{Ears, Mouth};
use super::talk::Call;
use super::{End, Worker};
use crate::tools::Toolbox;
use espalier_protocol::StepStatus;
use espalier_protocol::event::OutputStream;
use espalier_protocol::worker::{FromAgent, ToAgent, ToolOutcome, Touched};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

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
    /// The rest of the message is void.
    Drop(After),
}

/// What ran, and whether it goes on after it.
struct Ran {
    outcome: ToolOutcome,
    cancelled: bool,
    end: Option<End>,
}

impl Worker {
    /// Makes the calls of the last message, as far as the engine lets it.
    pub(super) async fn make_calls(&mut self, ears: &mut Ears) -> Result<After, End> {
        for (index, call) in self.talk.calls().iter().enumerate() {
            self.propose(index, call);
            let ran = match self.verdict(index, call, ears).await? {
                Verdict::Go(changed) => self.make(call, changed, ears).await,
                Verdict::Refuse(reason) => refused(reason),
                Verdict::Drop(after) => return Ok(after),
            };
            self.talk.returned(call, &ran.outcome);
            self.mouth.say(FromAgent::Finished {
                call_id: call.id.clone(),
                outcome: ran.outcome,
            });
            if let Some(end) = ran.end {
                return Err(end);
            }
            if ran.cancelled {
                self.talk.cut(index + 1);
                return Ok(After::Ready);
            }
        }
        Ok(After::Ready)
    }

    fn propose(&self, index: usize, call: &Call) {
        let (kind, target) = self.toolbox.describe(&call.name, &call.input);
        self.mouth.say(FromAgent::Proposed {
            call_id: call.id.clone(),
            call_index: u32::try_from(index).unwrap_or(u32::MAX),
            name: call.name.clone(),
            input: call.input.clone(),
            kind,
            target,
        });
    }

    async fn verdict(
        &mut self,
        index: usize,
        call: &Call,
        ears: &mut Ears,
    ) -> Result<Verdict, End> {
        loop {
            match ears.hear().await? {
                ToAgent::Go { call_id, input } if call_id == call.id => {
                    return Ok(Verdict::Go(input));
                }
                ToAgent::Refuse { call_id, reason } if call_id == call.id => {
                    return Ok(Verdict::Refuse(reason));
                }
                ToAgent::Continue { items } => {
                    self.talk.cut(index);
                    self.talk.append(items);
                    return Ok(Verdict::Drop(After::AskAgain));
                }
                ToAgent::Cancel => {
                    self.talk.cut(index);
                    return Ok(Verdict::Drop(After::Ready));
                }
                other => stray(&other, "a call was proposed")?,
            }
        }
    }

    /// Makes a call, with `changed` in place of the model's arguments where there is one. The model
    /// is told of the change in the result: in its message its own arguments stay.
    async fn make(&self, call: &Call, changed: Option<Value>, ears: &mut Ears) -> Ran {
        let changed = changed.filter(|changed| *changed != call.input);
        let input = changed.as_ref().unwrap_or(&call.input);
        let cancel = CancellationToken::new();
        let mut sink = sink(&self.mouth);
        let run = self
            .toolbox
            .run(&call.id, &call.name, input, &mut sink, cancel.clone());
        let mut ran = attended(run, &cancel, "a call was being made", ears).await;
        if let Some(changed) = changed {
            let remark = changed_remark(&changed);
            ran.outcome.content = format!("{remark}\n{}", ran.outcome.content);
        }
        ran
    }
}

/// Runs a command of the app's own, which is no step.
pub(super) async fn run_command(
    toolbox: &Toolbox,
    mouth: &Mouth,
    command: &str,
    limit: Duration,
    ears: &mut Ears,
) -> Result<(), End> {
    let cancel = CancellationToken::new();
    let mut sink = sink(mouth);
    let run = toolbox.run_command(command, limit, &mut sink, cancel.clone());
    let ran = attended(run, &cancel, "a command was running", ears).await;
    mouth.say(FromAgent::CommandFinished {
        outcome: ran.outcome,
    });
    ran.end.map_or(Ok(()), Err)
}

fn sink(mouth: &Mouth) -> impl FnMut(OutputStream, String) + Send + 'static {
    let mouth = mouth.clone();
    move |stream, text| mouth.say(FromAgent::Output { stream, text })
}

/// Tells the model what was changed in its call.
pub(super) fn changed_remark(changed: &Value) -> String {
    format!("[The person in charge changed the arguments of this call to {changed}]")
}

/// Awaits what runs and listens meanwhile. Whatever ends the agent stops it first, so that its
/// outcome is told.
async fn attended(
    run: impl Future<Output = ToolOutcome>,
    cancel: &CancellationToken,
    doing: &str,
    ears: &mut Ears,
) -> Ran {
    tokio::pin!(run);
    let mut cancelled = false;
    let mut end = None;
    loop {
        tokio::select! {
            outcome = &mut run => return Ran { outcome, cancelled, end },
            heard = ears.hear(), if end.is_none() => {
                match heard {
                    Ok(ToAgent::Cancel) => cancelled = true,
                    Ok(other) => end = stray(&other, doing).err(),
                    Err(why) => end = Some(why),
                }
                if cancelled || end.is_some() {
                    cancel.cancel();
                }
            }
        }
    }
}

/// The outcome of a call that the annotator does not let run.
fn refused(reason: String) -> Ran {
    let content = if reason.trim().is_empty() {
        "The call was refused.".to_owned()
    } else {
        reason
    };
    let outcome = ToolOutcome {
        status: StepStatus::Refused,
        output_bytes: u32::try_from(content.len()).unwrap_or(u32::MAX),
        content,
        spool_file: None,
        exit_code: None,
        duration_ms: 0,
        touched: Touched::Nothing,
    };
    Ran {
        outcome,
        cancelled: false,
        end: None,
    }
}

//! Making the calls of a message, one by one, each when the engine says so.

use super::{End, Next, Worker};
use crate::backend::ModelTurn;
use espalier_protocol::tree::cut_calls;
use espalier_protocol::worker::{FromAgent, ToAgent, ToolOutcome, Touched};
use espalier_protocol::{Block, ConversationItem, StepStatus};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

struct Call {
    id: String,
    name: String,
    input: Value,
}

/// The engine's answer to a proposal.
enum Answer {
    Go(Option<Value>),
    Refuse(String),
    /// Leave this call and those after it; these items come instead.
    Instead(Vec<ConversationItem>),
    Drop,
}

impl Worker {
    /// Takes a message into the conversation and makes its calls.
    pub(super) async fn act(&mut self, turn: ModelTurn) -> Result<Next, End> {
        let calls: Vec<Call> = turn
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::ToolCall {
                    call_id,
                    name,
                    input,
                    ..
                } => Some(Call {
                    id: call_id.clone(),
                    name: name.clone(),
                    input: input.clone(),
                }),
                Block::Text { .. } | Block::Thinking { .. } | Block::Opaque { .. } => None,
            })
            .collect();
        let message_id = self.next_message_id();
        let message = self.conversation.len();
        self.conversation.push(ConversationItem::Assistant {
            message_id,
            blocks: turn.blocks,
        });
        if calls.is_empty() {
            self.next_step += 1;
            self.said.say(FromAgent::Ended);
            return Ok(Next::Wait);
        }
        for (index, call) in calls.iter().enumerate() {
            self.propose(index, call);
            match self.answer(&call.id).await? {
                Answer::Go(changed) => {
                    let input = changed.unwrap_or_else(|| call.input.clone());
                    let (outcome, cancelled) = self.run_call(call, &input).await?;
                    self.finished(call, outcome);
                    if cancelled {
                        self.cut(message, &calls[..=index]);
                        return Ok(Next::Wait);
                    }
                }
                Answer::Refuse(reason) => {
                    self.finished(call, refused(reason));
                }
                Answer::Instead(items) => {
                    self.cut(message, &calls[..index]);
                    self.append(items);
                    return Ok(Next::Ask);
                }
                Answer::Drop => {
                    self.cut(message, &calls[..index]);
                    return Ok(Next::Wait);
                }
            }
        }
        Ok(Next::Wait)
    }

    fn propose(&self, index: usize, call: &Call) {
        let (kind, target) = self.toolbox.describe(&call.name, &call.input);
        self.said.say(FromAgent::Proposed {
            call_id: call.id.clone(),
            call_index: u32::try_from(index).unwrap_or(u32::MAX),
            name: call.name.clone(),
            input: call.input.clone(),
            kind,
            target,
        });
    }

    async fn answer(&mut self, id: &str) -> Result<Answer, End> {
        loop {
            match self.told.recv().await {
                None | Some(ToAgent::Shutdown) => return Err(End::Asked),
                Some(ToAgent::Go { call_id, input }) if call_id == id => {
                    return Ok(Answer::Go(input));
                }
                Some(ToAgent::Refuse { call_id, reason }) if call_id == id => {
                    return Ok(Answer::Refuse(reason));
                }
                Some(ToAgent::Continue { items }) => return Ok(Answer::Instead(items)),
                Some(ToAgent::Cancel) => return Ok(Answer::Drop),
                Some(_) => {}
            }
        }
    }

    async fn run_call(&mut self, call: &Call, input: &Value) -> Result<(ToolOutcome, bool), End> {
        let cancel = CancellationToken::new();
        let said = self.said.clone();
        let mut sink = move |stream, text| said.say(FromAgent::Output { stream, text });
        let toolbox = self.toolbox.clone();
        let run = toolbox.run(&call.id, &call.name, input, &mut sink, cancel.clone());
        self.until_done(run, &cancel).await
    }

    /// Runs a command that is not a call of the model.
    pub(super) async fn run_command(&mut self, command: &str, timeout: u32) -> Result<(), End> {
        let cancel = CancellationToken::new();
        let said = self.said.clone();
        let mut sink = move |stream, text| said.say(FromAgent::Output { stream, text });
        let toolbox = self.toolbox.clone();
        let limit = Duration::from_secs(u64::from(timeout));
        let run = toolbox.run_command(command, limit, &mut sink, cancel.clone());
        let (outcome, _) = self.until_done(run, &cancel).await?;
        self.said.say(FromAgent::CommandFinished { outcome });
        Ok(())
    }

    /// Waits for a tool while listening: `Cancel` stops it, an end of the process too.
    async fn until_done(
        &mut self,
        run: impl Future<Output = ToolOutcome>,
        cancel: &CancellationToken,
    ) -> Result<(ToolOutcome, bool), End> {
        tokio::pin!(run);
        let mut over = false;
        loop {
            tokio::select! {
                outcome = &mut run => {
                    if over {
                        // The engine still wants to know how far it came.
                        self.said.say(FromAgent::Finished {
                            call_id: String::new(),
                            outcome,
                        });
                        return Err(End::Asked);
                    }
                    return Ok((outcome, cancel.is_cancelled()));
                }
                told = self.told.recv(), if !over => match told {
                    None | Some(ToAgent::Shutdown) => {
                        over = true;
                        cancel.cancel();
                    }
                    Some(ToAgent::Cancel) => cancel.cancel(),
                    Some(_) => {}
                },
            }
        }
    }

    fn finished(&mut self, call: &Call, outcome: ToolOutcome) {
        self.next_step += 1;
        self.conversation.push(ConversationItem::ToolResult {
            call_id: call.id.clone(),
            tool: call.name.clone(),
            content: outcome.content.clone(),
            is_error: outcome.status != StepStatus::Ok,
        });
        self.said.say(FromAgent::Finished {
            call_id: call.id.clone(),
            outcome,
        });
    }

    /// Leaves only these calls in a message; without any, the message itself goes.
    fn cut(&mut self, message: usize, made: &[Call]) {
        if made.is_empty() {
            self.conversation.remove(message);
            return;
        }
        let kept: Vec<&str> = made.iter().map(|call| call.id.as_str()).collect();
        if let Some(ConversationItem::Assistant { blocks, .. }) = self.conversation.get_mut(message)
        {
            *blocks = cut_calls(blocks, &kept);
        }
    }
}

fn refused(reason: String) -> ToolOutcome {
    ToolOutcome {
        status: StepStatus::Refused,
        output_bytes: u32::try_from(reason.len()).unwrap_or(u32::MAX),
        content: reason,
        spool_file: None,
        exit_code: None,
        duration_ms: 0,
        touched: Touched::Nothing,
    }
}

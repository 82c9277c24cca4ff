//! The conversation as the agent keeps it, and its place on the session's path.
//!
//! A message is in it with the calls that ran or are running, each followed by its result, in
//! order; the calls of the last message that were not made yet wait beside it.

use crate::backend::PathSoFar;
use espalier_protocol::tree::cut_calls;
use espalier_protocol::worker::{GivenInstruction, ToolOutcome};
use espalier_protocol::{Block, ConversationItem, MessageId, StepStatus};
use serde_json::Value;
use std::collections::HashSet;

/// A call of the last message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) input: Value,
}

/// The conversation and the path it belongs to.
#[derive(Debug)]
pub(super) struct Talk {
    items: Vec<ConversationItem>,
    path: PathSoFar,
    /// Where in `items` the last message stands.
    message: usize,
    messages: u32,
}

impl Talk {
    pub(super) fn new(
        items: Vec<ConversationItem>,
        next_step: u32,
        instructions: Vec<GivenInstruction>,
    ) -> Self {
        Self {
            message: items.len(),
            items,
            path: PathSoFar {
                next_step,
                instructions,
            },
            messages: 0,
        }
    }

    pub(super) fn items(&self) -> &[ConversationItem] {
        &self.items
    }

    pub(super) fn path(&self) -> &PathSoFar {
        &self.path
    }

    /// Adds what the engine says is next.
    pub(super) fn append(&mut self, items: Vec<ConversationItem>) {
        for item in items {
            if let ConversationItem::System { text } | ConversationItem::User { text } = &item {
                let after = i64::from(self.path.next_step) - 1;
                self.path.instructions.push(GivenInstruction {
                    after_step: i32::try_from(after).unwrap_or(i32::MAX),
                    text: text.clone(),
                });
            }
            self.items.push(item);
        }
    }

    /// Gives each call an id that no other call of the conversation has.
    pub(super) fn name_calls(&self, blocks: &mut [Block]) {
        let earlier = self.items.iter().filter_map(|item| match item {
            ConversationItem::Assistant { blocks, .. } => Some(blocks),
            _ => None,
        });
        let mut taken: HashSet<String> = earlier
            .flatten()
            .filter_map(|block| match block {
                Block::ToolCall { call_id, .. } => Some(call_id.clone()),
                _ => None,
            })
            .collect();
        let mut next = self.path.next_step;
        for block in blocks {
            let Block::ToolCall { call_id, .. } = block else {
                continue;
            };
            let wanted = if call_id.is_empty() {
                format!("call_{next}")
            } else {
                call_id.clone()
            };
            let mut id = wanted.clone();
            for number in 2.. {
                if !taken.contains(&id) {
                    break;
                }
                id = format!("{wanted}_{number}");
            }
            *call_id = id;
            taken.insert(call_id.clone());
            next += 1;
        }
    }

    /// Takes up a message. Returns whether it has calls.
    pub(super) fn begin_message(&mut self, blocks: Vec<Block>) -> bool {
        self.message = self.items.len();
        self.messages += 1;
        let calls = blocks
            .iter()
            .any(|block| matches!(block, Block::ToolCall { .. }));
        self.items.push(ConversationItem::Assistant {
            message_id: MessageId::new(format!("a{}", self.messages)),
            blocks,
        });
        calls
    }

    /// The last message was the closing one: a step of its own.
    pub(super) fn close(&mut self) {
        self.path.next_step += 1;
    }

    /// The calls of the last message.
    pub(super) fn calls(&self) -> Vec<Call> {
        let blocks = match self.items.get(self.message) {
            Some(ConversationItem::Assistant { blocks, .. }) => blocks.as_slice(),
            _ => &[],
        };
        blocks
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
                _ => None,
            })
            .collect()
    }

    /// A call of the last message returned.
    pub(super) fn returned(&mut self, call: &Call, outcome: &ToolOutcome) {
        self.items.push(ConversationItem::ToolResult {
            call_id: call.id.clone(),
            tool: call.name.clone(),
            content: outcome.content.clone(),
            is_error: outcome.status != StepStatus::Ok,
        });
        self.path.next_step += 1;
    }

    /// Takes the calls of the last message but the first `kept` out of it; with none left, the
    /// message itself.
    pub(super) fn cut(&mut self, kept: usize) {
        if kept == 0 {
            self.items.truncate(self.message);
            return;
        }
        if let Some(ConversationItem::Assistant { blocks, .. }) = self.items.get_mut(self.message) {
            let calls = blocks.iter().filter_map(|block| match block {
                Block::ToolCall { call_id, .. } => Some(call_id.as_str()),
                Block::Text { .. } | Block::Thinking { .. } | Block::Opaque { .. } => None,
            });
            let calls: Vec<&str> = calls.take(kept).collect();
            *blocks = cut_calls(blocks, &calls);
        }
    }
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;

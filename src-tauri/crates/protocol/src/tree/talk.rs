//! The conversation along a path.

use super::{PathItem, SessionTree, Trailing, index_of};
use crate::conversation::{Block, ContextFill, ConversationItem, chained_hash, content_hash};
use crate::ids::{MessageId, StepId};
use crate::op::Place;
use crate::step::{Step, StepKind, StepResult, StepStatus};
use crate::worker::GivenInstruction;
use std::collections::{HashMap, HashSet};

/// What the model reads in place of a result that was left out.
pub const CLEARED: &str =
    "[What this call returned was left out to save room. Make the call again if it is needed.]";

impl SessionTree {
    /// The instructions along a path, in order, each with the step it was given after.
    pub fn instructions(&self, place: &Place, trailing: Trailing) -> Vec<GivenInstruction> {
        let mut after_step = -1;
        let mut given = Vec::new();
        for item in self.path(place, trailing) {
            match item {
                PathItem::Step(id) => after_step = self.steps.get(id).map_or(after_step, index_of),
                PathItem::Instruction { text, .. } => given.push(GivenInstruction {
                    after_step,
                    text: text.clone(),
                }),
                PathItem::Compaction(_) => {}
            }
        }
        given
    }

    /// The conversation at a place: opening, then what the path holds. A message of several calls
    /// is cut after the last call that is on the path; a step that has not ended is left out.
    pub fn conversation(&self, place: &Place, trailing: Trailing) -> Vec<ConversationItem> {
        let mut items = self
            .meta
            .as_ref()
            .map_or_else(Vec::new, |meta| meta.opening.clone());
        let path = self.path(place, trailing);
        let on_path = |id: &MessageId| -> Vec<&str> {
            path.iter()
                .filter_map(|item| self.steps.get(item.step()?))
                .filter(|step| step.message_id == *id && step.result.is_some())
                .map(|step| step.call_id.as_str())
                .collect()
        };
        let mut current: Option<&MessageId> = None;
        let mut results: HashMap<&StepId, usize> = HashMap::new();
        for item in &path {
            match item {
                PathItem::Instruction {
                    text, inject_as, ..
                } => items.push(ConversationItem::instruction(text.clone(), *inject_as)),
                PathItem::Step(id) => {
                    let Some(step) = self.steps.get(id) else {
                        continue;
                    };
                    let Some(result) = &step.result else { continue };
                    if current != Some(&step.message_id)
                        && let Some(message) = self.messages.get(&step.message_id)
                    {
                        let kept = on_path(&step.message_id);
                        items.push(ConversationItem::Assistant {
                            message_id: message.id.clone(),
                            blocks: cut_calls(&message.blocks, &kept),
                        });
                    }
                    current = Some(&step.message_id);
                    if step.kind != StepKind::Message {
                        results.insert(id, items.len());
                        items.push(ConversationItem::ToolResult {
                            call_id: step.call_id.clone(),
                            tool: step.tool.clone(),
                            content: result.content.clone(),
                            is_error: !matches!(result.status, StepStatus::Ok),
                        });
                    }
                }
                PathItem::Compaction(cleared) => {
                    for at in cleared.iter().filter_map(|id| results.get(id)) {
                        if let Some(ConversationItem::ToolResult { content, .. }) =
                            items.get_mut(*at)
                        {
                            CLEARED.clone_into(content);
                        }
                    }
                }
            }
        }
        items
    }

    /// How full the model's window is at a place: after the last message on its path, if nothing
    /// was left out since.
    pub fn context_at(&self, place: &Place) -> Option<ContextFill> {
        let path = self.path(place, Trailing::Include);
        let since = path
            .iter()
            .rev()
            .take_while(|item| !matches!(item, PathItem::Compaction(_)));
        since
            .filter_map(|item| self.steps.get(item.step()?))
            .find_map(|step| self.messages.get(&step.message_id)?.usage.context)
    }

    /// The steps of a place's path whose results the model still reads, oldest first.
    pub fn uncleared(&self, place: &Place) -> Vec<&Step> {
        let path = self.path(place, Trailing::Include);
        let cleared: HashSet<&StepId> = path
            .iter()
            .filter_map(|item| match item {
                PathItem::Compaction(cleared) => Some(cleared),
                PathItem::Step(_) | PathItem::Instruction { .. } => None,
            })
            .flatten()
            .collect();
        path.iter()
            .filter_map(|item| item.step())
            .filter(|id| !cleared.contains(id))
            .filter_map(|id| self.steps.get(id))
            .filter(|step| step.kind != StepKind::Message && step.result.is_some())
            .collect()
    }

    /// The hash of the conversation up to and with a step that returned `result`: one link on the
    /// chain of the step before it on its path.
    pub fn hash_of_step(&self, id: &StepId, result: &StepResult) -> String {
        let Some(step) = self.steps.get(id) else {
            return String::new();
        };
        let before = Place {
            branch: step.branch.clone(),
            step: index_of(step) - 1,
        };
        let previous = self.step_at(&before);
        let mut items: Vec<ConversationItem> = Vec::new();
        let own = self.branch(&step.branch).map_or(&[][..], |branch| {
            let end = branch
                .items
                .iter()
                .position(|item| *item == PathItem::Step(id.clone()))
                .unwrap_or(0);
            &branch.items[..end]
        });
        let trailing = own
            .iter()
            .rev()
            .take_while(|item| item.step().is_none())
            .count();
        for item in &own[own.len() - trailing..] {
            match item {
                PathItem::Instruction {
                    text, inject_as, ..
                } => items.push(ConversationItem::instruction(text.clone(), *inject_as)),
                // No turn of the conversation, but what follows was said without these results.
                PathItem::Compaction(cleared) => items.push(ConversationItem::System {
                    text: format!("{CLEARED} {cleared:?}"),
                }),
                PathItem::Step(_) => {}
            }
        }
        if let Some(message) = self.messages.get(&step.message_id) {
            let goes_on = previous.is_some_and(|step| step.message_id == message.id);
            let blocks = cut_calls(&message.blocks, &[step.call_id.as_str()])
                .into_iter()
                .filter(|block| !goes_on || matches!(block, Block::ToolCall { .. }))
                .collect();
            items.push(ConversationItem::Assistant {
                message_id: message.id.clone(),
                blocks,
            });
        }
        if step.kind != StepKind::Message {
            items.push(ConversationItem::ToolResult {
                call_id: String::new(),
                tool: step.tool.clone(),
                content: result.content.clone(),
                is_error: !matches!(result.status, StepStatus::Ok),
            });
        }
        let before = match previous {
            Some(step) => step.conversation_hash.clone(),
            None => {
                let opening = self.meta.as_ref().map(|meta| meta.opening.as_slice());
                content_hash(opening.unwrap_or_default())
            }
        };
        chained_hash(&before, &items)
    }

    /// The text of a model message, without its thinking.
    pub fn message_text(&self, id: &MessageId) -> String {
        let Some(message) = self.messages.get(id) else {
            return String::new();
        };
        let texts: Vec<&str> = message
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Text { text, .. } => Some(text.as_str()),
                Block::Thinking { .. } | Block::ToolCall { .. } | Block::Opaque { .. } => None,
            })
            .collect();
        texts.join("\n")
    }
}

/// A message's blocks without the calls that are not in `kept`, and without thinking at its end
/// that led to one of these: no server takes a message that ends in the middle of a thought.
pub fn cut_calls(blocks: &[Block], kept: &[&str]) -> Vec<Block> {
    let mut left: Vec<Block> = blocks
        .iter()
        .filter(|block| match block {
            Block::ToolCall { call_id, .. } => kept.contains(&call_id.as_str()),
            Block::Text { .. } | Block::Thinking { .. } | Block::Opaque { .. } => true,
        })
        .cloned()
        .collect();
    if left.len() < blocks.len() {
        let said = |block: &Block| matches!(block, Block::Text { .. } | Block::ToolCall { .. });
        let end = left.iter().rposition(said).map_or(0, |last| last + 1);
        left.truncate(end);
    }
    left
}

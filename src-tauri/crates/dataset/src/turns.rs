//! A path as chat messages, turn by turn, in the form TRL reads.

use espalier_protocol::op::Place;
use espalier_protocol::{Block, BranchId, ConversationItem, SessionTree, Step, StepKind};
use serde_json::{Value, json};

/// One assistant message of a path with what its calls returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub message: Value,
    pub results: Vec<Value>,
}

/// A conversation item as a chat message.
pub fn message(item: &ConversationItem) -> Value {
    match item {
        ConversationItem::System { text } => json!({"role": "system", "content": text}),
        ConversationItem::User { text } => json!({"role": "user", "content": text}),
        ConversationItem::Assistant { blocks, .. } => assistant(blocks.iter()),
        ConversationItem::ToolResult { tool, content, .. } => {
            json!({"role": "tool", "name": tool, "content": content})
        }
    }
}

fn assistant<'a>(blocks: impl Iterator<Item = &'a Block>) -> Value {
    let mut content = String::new();
    let mut calls: Vec<Value> = Vec::new();
    for block in blocks {
        match block {
            Block::Text { text, .. } => content.push_str(text),
            Block::ToolCall { name, input, .. } => calls
                .push(json!({"type": "function", "function": {"name": name, "arguments": input}})),
            Block::Thinking { .. } | Block::Opaque { .. } => {}
        }
    }
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    message
}

/// The turns of a branch's path after `shared`. A message that the fork cuts in two gives its
/// second part as a turn of its own.
pub fn turns_after(tree: &SessionTree, branch: &BranchId, shared: i32) -> Vec<Turn> {
    let tip = Place {
        branch: branch.clone(),
        step: tree.tip_step(branch),
    };
    let path = tree.path_steps(&tip);
    let (before, after): (Vec<&Step>, Vec<&Step>) = path
        .into_iter()
        .partition(|step| i64::from(step.index) <= i64::from(shared));
    let cut = before.last().map(|step| &step.message_id);
    let mut turns = Vec::new();
    for steps in after.chunk_by(|a, b| a.message_id == b.message_id) {
        let Some(message) = steps
            .first()
            .and_then(|step| tree.messages.get(&step.message_id))
        else {
            continue;
        };
        let goes_on = cut == Some(&message.id);
        let blocks = message.blocks.iter().filter(|block| match block {
            Block::ToolCall { call_id, .. } => steps.iter().any(|step| step.call_id == *call_id),
            Block::Text { .. } | Block::Thinking { .. } | Block::Opaque { .. } => !goes_on,
        });
        let results = steps
            .iter()
            .filter(|step| step.kind != StepKind::Message)
            .filter_map(|step| {
                let content = &step.result.as_ref()?.content;
                Some(json!({"role": "tool", "name": step.tool, "content": content}))
            })
            .collect();
        turns.push(Turn {
            message: assistant(blocks),
            results,
        });
    }
    turns
}

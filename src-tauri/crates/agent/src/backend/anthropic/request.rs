//! The body of a request: settings, tools and conversation as the Messages API reads them.
//!
//! Turns alternate: whatever follows a message of the model is one user turn, results first. What
//! the model said goes back as it came, because signatures cover it.

use super::Model;
use super::leeway::{Leeway, Thinking};
use crate::backend::Request;
use espalier_protocol::{Block, ConversationItem, ToolDefinition};
use serde_json::{Map, Value, json};

/// User turns that end a cached prefix: the last, and the one before it, where the step before (or
/// the branch that this one left) put its own mark.
const CACHED_TURNS: usize = 2;

/// The whole body. `so_far` is what the model said before it paused in this turn.
pub(super) fn body(
    model: &Model,
    leeway: Leeway,
    request: &Request<'_>,
    so_far: &[Block],
) -> Value {
    let opening = request.conversation.iter();
    let opening = opening.take_while(|item| matches!(item, ConversationItem::System { .. }));
    let opening = opening.count();
    let (system, talk) = request.conversation.split_at(opening);
    let mut turns = Turns::default();
    for (index, item) in talk.iter().enumerate() {
        turns.take(item, opening + index >= leeway.unthinking);
    }
    turns.say("assistant", so_far.iter().filter_map(said).collect());
    let mut body = json!({"model": model.name, "max_tokens": model.max_tokens, "stream": true});
    if let Some(temperature) = model.temperature.filter(|_| leeway.temperature) {
        body["temperature"] = temperature.into();
    }
    match leeway.thinking {
        // Without `display` newer models think out of sight.
        Thinking::Adaptive => {
            body["thinking"] = json!({"type": "adaptive", "display": "summarized"});
        }
        Thinking::Budget(tokens) => {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": tokens});
        }
        Thinking::Off => {}
    }
    let mut tools: Vec<Value> = request.tools.iter().map(tool).collect();
    let mut system: Vec<Value> = system.iter().filter_map(prompt).collect();
    // One mark covers both: tools stand before the system prompt.
    if let Some(last) = system.last_mut().or(tools.last_mut()) {
        remember(last);
    }
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    if !system.is_empty() {
        body["system"] = system.into();
    }
    body["messages"] = turns.finish();
    body
}

/// Marks the end of a prefix that the server shall keep.
fn remember(block: &mut Value) {
    block["cache_control"] = json!({"type": "ephemeral"});
}

fn tool(definition: &ToolDefinition) -> Value {
    json!({
        "name": definition.name,
        "description": definition.description,
        "input_schema": definition.parameters,
    })
}

fn prompt(item: &ConversationItem) -> Option<Value> {
    match item {
        ConversationItem::System { text } => words(text),
        _ => None,
    }
}

/// A text block; the API takes none without words.
fn words(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
}

/// The turns so far.
#[derive(Debug, Default)]
struct Turns {
    turns: Vec<(&'static str, Vec<Value>)>,
}

impl Turns {
    fn take(&mut self, item: &ConversationItem, thinking: bool) {
        match item {
            ConversationItem::User { text } => self.say("user", words(text).into_iter().collect()),
            // Only the beginning of a conversation has a system prompt on every model and server.
            ConversationItem::System { text } => {
                let text = format!("<system_message>\n{text}\n</system_message>");
                self.say("user", words(&text).into_iter().collect());
            }
            ConversationItem::Assistant { blocks, .. } => {
                let blocks = blocks.iter().filter_map(said);
                let sent = |block: &Value| thinking || !is_thinking(block);
                self.say("assistant", blocks.filter(sent).collect());
            }
            ConversationItem::ToolResult {
                call_id,
                content,
                is_error,
                ..
            } => self.result(call_id, content, *is_error),
        }
    }

    fn say(&mut self, role: &'static str, blocks: Vec<Value>) {
        if !blocks.is_empty() {
            self.turn(role).extend(blocks);
        }
    }

    /// Results stand before words, also where words came first.
    fn result(&mut self, call_id: &str, content: &str, is_error: bool) {
        let mut result = json!({"type": "tool_result", "tool_use_id": call_id, "content": content});
        if is_error {
            result["is_error"] = true.into();
        }
        let turn = self.turn("user");
        let words = turn.iter().position(|block| block["type"] != "tool_result");
        turn.insert(words.unwrap_or(turn.len()), result);
    }

    /// The blocks of the turn that is being written.
    fn turn(&mut self, role: &'static str) -> &mut Vec<Value> {
        if self.turns.last().is_none_or(|(last, _)| *last != role) {
            self.turns.push((role, Vec::new()));
        }
        let last = self.turns.len() - 1;
        &mut self.turns[last].1
    }

    fn finish(mut self) -> Value {
        let users = self.turns.iter_mut().rev();
        let users = users.filter(|(role, _)| *role == "user");
        for (_, blocks) in users.take(CACHED_TURNS) {
            if let Some(last) = blocks.last_mut() {
                remember(last);
            }
        }
        let turns = self.turns.into_iter();
        turns
            .map(|(role, blocks)| json!({"role": role, "content": blocks}))
            .collect()
    }
}

/// A block of the model's as it goes back; nothing for what only another provider can read.
fn said(block: &Block) -> Option<Value> {
    match block {
        Block::Text { text, raw } => own(raw.as_ref(), "text").or_else(|| words(text)),
        Block::Thinking { raw, .. } => own(raw.as_ref(), "thinking"),
        Block::ToolCall {
            call_id,
            name,
            input,
            raw,
        } => Some(call(call_id, name, input, raw.as_ref())),
        Block::Opaque { raw } => raw["type"].is_string().then(|| raw.clone()),
    }
}

fn is_thinking(block: &Value) -> bool {
    block["type"] == "thinking" || block["type"] == "redacted_thinking"
}

/// The provider's own form of a block, if it is one of this API's.
fn own(raw: Option<&Value>, kind: &str) -> Option<Value> {
    raw.filter(|raw| raw["type"] == kind).cloned()
}

fn call(call_id: &str, name: &str, input: &Value, raw: Option<&Value>) -> Value {
    let input = match input {
        Value::Object(_) => input.clone(),
        // The API takes objects only, whatever the model wrote.
        other => json!({"arguments": other}),
    };
    let mut call = own(raw, "tool_use").unwrap_or_else(|| Value::Object(Map::new()));
    call["type"] = "tool_use".into();
    call["id"] = call_id.into();
    call["name"] = name.into();
    call["input"] = input;
    call
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

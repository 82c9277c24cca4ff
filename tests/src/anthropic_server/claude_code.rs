//! What is checked of Claude Code's requests.
//!
//! It adds reminders of its own, marks for the cache and turns of the role `system`; without these
//! the rest must be a conversation: every call with its one result, and of the model's words only
//! what it said.

use super::check::{Turn, call_problems, said_problems};
use serde_json::{Value, json};

/// How a reminder of Claude Code's own begins.
const REMINDER: &str = "<system-reminder>";

/// Everything that makes no conversation of a request.
pub(super) fn problems(body: &Value, said: &[Turn]) -> Vec<String> {
    let messages = conversation(body);
    let mut found = call_problems(&messages);
    // Once it was started again it leaves out what it thought before, all of it or none.
    let as_said = said_problems(&messages, said);
    if !as_said.is_empty() && !said_problems(&messages, &without_thinking(said)).is_empty() {
        found.extend(as_said);
    }
    found
}

fn without_thinking(said: &[Turn]) -> Vec<Turn> {
    let mut said = said.to_vec();
    for turn in &mut said {
        turn.blocks.retain(|block| block["type"] != "thinking");
    }
    said
}

/// The turns of a request without what Claude Code adds.
pub fn conversation(body: &Value) -> Vec<Value> {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let mut turns: Vec<Value> = Vec::new();
    for message in messages {
        let said: Vec<Value> = blocks(&message["content"])
            .into_iter()
            .filter_map(|block| own_words(block, &message["role"]))
            .collect();
        if said.is_empty() {
            continue;
        }
        let role = if message["role"] == "assistant" {
            "assistant"
        } else {
            "user"
        };
        match turns.last_mut() {
            Some(last) if last["role"] == role => {
                if let Some(content) = last["content"].as_array_mut() {
                    content.extend(said);
                }
            }
            _ => turns.push(json!({"role": role, "content": said})),
        }
    }
    turns
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        other => other.as_array().cloned().unwrap_or_default(),
    }
}

/// The block without its mark, if it is not a reminder; of a reminder that brings what the user said
/// meanwhile, these words.
fn own_words(mut block: Value, role: &Value) -> Option<Value> {
    if let Some(block) = block.as_object_mut() {
        block.remove("cache_control");
        // It says so of some results and not of others.
        if block.get("is_error") == Some(&Value::Bool(false)) {
            block.remove("is_error");
        }
        // It writes this default out where the model did not.
        if block.get("type") == Some(&json!("tool_use"))
            && let Some(input) = block.get_mut("input").and_then(Value::as_object_mut)
            && input.get("replace_all") == Some(&Value::Bool(false))
        {
            input.remove("replace_all");
        }
    }
    let text = block["text"].as_str().unwrap_or_default();
    if *role == "assistant" || !text.trim_start().starts_with(REMINDER) {
        return Some(block);
    }
    let said = text
        .split_once("The user sent a new message while you were working:\n")?
        .1;
    let said = said.split_once("\n\nThis is how Claude Code surfaces")?.0;
    Some(json!({"type": "text", "text": said}))
}

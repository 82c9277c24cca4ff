//! What Ollama is asked.

use super::super::TurnRequest;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::{Block, ConversationItem};
use serde_json::{Map, Value, json};

/// The body of a `/api/chat` request: only the options that are set.
pub fn body(settings: &BackendSettings, request: &TurnRequest<'_>) -> Value {
    let mut body = json!({
        "model": settings.model().unwrap_or_default(),
        "messages": messages(request.conversation),
        "stream": true,
    });
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({"type": "function", "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                }})
            })
            .collect();
    }
    if let BackendSettings::Ollama {
        temperature,
        num_ctx,
        num_predict,
        keep_alive,
        ..
    } = settings
    {
        let mut options = Map::new();
        let given = [
            ("temperature", temperature.map(Value::from)),
            ("num_ctx", num_ctx.map(Value::from)),
            ("num_predict", num_predict.map(Value::from)),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                options.insert(name.to_owned(), value);
            }
        }
        if !options.is_empty() {
            body["options"] = Value::Object(options);
        }
        if let Some(keep_alive) = keep_alive {
            body["keep_alive"] = Value::from(keep_alive.clone());
        }
    }
    body
}

fn messages(conversation: &[ConversationItem]) -> Vec<Value> {
    conversation
        .iter()
        .map(|item| match item {
            ConversationItem::System { text } => json!({"role": "system", "content": text}),
            ConversationItem::User { text } => json!({"role": "user", "content": text}),
            ConversationItem::ToolResult {
                call_id,
                tool,
                content,
                ..
            } => json!({
                "role": "tool", "tool_name": tool, "tool_call_id": call_id, "content": content,
            }),
            ConversationItem::Assistant { blocks, .. } => assistant(blocks),
        })
        .collect()
}

fn assistant(blocks: &[Block]) -> Value {
    let mut content = String::new();
    let mut thinking = String::new();
    let mut calls: Vec<Value> = Vec::new();
    for block in blocks {
        match block {
            Block::Text { text, .. } => content.push_str(text),
            Block::Thinking { text, .. } => thinking.push_str(text),
            Block::ToolCall {
                call_id,
                name,
                input,
                ..
            } => {
                let index = calls.len();
                calls.push(json!({
                    "id": call_id,
                    "function": {"index": index, "name": name, "arguments": input},
                }));
            }
            Block::Opaque { .. } => {}
        }
    }
    let mut message = json!({"role": "assistant", "content": content});
    if !thinking.is_empty() {
        message["thinking"] = Value::from(thinking);
    }
    if !calls.is_empty() {
        message["tool_calls"] = Value::from(calls);
    }
    message
}

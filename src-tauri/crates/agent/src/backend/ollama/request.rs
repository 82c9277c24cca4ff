//! The body of a request: settings, tools and conversation as Ollama reads them.

use super::Model;
use crate::backend::Request;
use espalier_protocol::{Block, ConversationItem, ToolDefinition};
use serde_json::{Map, Value, json};

/// What Ollama knows of a JSON Schema; it drops the rest.
const SCHEMA_KEYS: [&str; 3] = ["type", "properties", "required"];
const PROPERTY_KEYS: [&str; 5] = ["type", "description", "enum", "items", "anyOf"];

/// The whole body.
pub(super) fn body(model: &Model, request: &Request<'_>) -> Value {
    let messages: Vec<Value> = request.conversation.iter().map(message).collect();
    let mut body = json!({"model": model.name, "messages": messages, "stream": true});
    if !request.tools.is_empty() {
        let tools: Vec<Value> = request.tools.iter().map(tool).collect();
        body["tools"] = tools.into();
    }
    let options: Map<String, Value> = [
        ("temperature", model.temperature.map(Value::from)),
        ("num_ctx", model.num_ctx.map(Value::from)),
        ("num_predict", model.num_predict.map(Value::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    if !options.is_empty() {
        body["options"] = options.into();
    }
    if let Some(keep_alive) = &model.keep_alive {
        body["keep_alive"] = keep_alive.as_str().into();
    }
    body
}

fn tool(definition: &ToolDefinition) -> Value {
    let mut parameters = only(&definition.parameters, &SCHEMA_KEYS);
    if let Some(Value::Object(properties)) = parameters.get_mut("properties") {
        for property in properties.values_mut() {
            *property = only(property, &PROPERTY_KEYS).into();
        }
    }
    json!({
        "type": "function",
        "function": {
            "name": definition.name,
            "description": definition.description,
            "parameters": parameters,
        },
    })
}

/// The object with these keys alone.
fn only(value: &Value, keys: &[&str]) -> Map<String, Value> {
    let known = value.as_object().into_iter().flatten();
    known
        .filter(|(key, _)| keys.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn message(item: &ConversationItem) -> Value {
    match item {
        ConversationItem::System { text } => json!({"role": "system", "content": text}),
        ConversationItem::User { text } => json!({"role": "user", "content": text}),
        ConversationItem::Assistant { blocks, .. } => assistant(blocks),
        ConversationItem::ToolResult {
            call_id,
            tool,
            content,
            ..
        } => json!({
            "role": "tool", "tool_name": tool, "tool_call_id": call_id, "content": content,
        }),
    }
}

fn assistant(blocks: &[Block]) -> Value {
    let mut thinking = Vec::new();
    let mut content = Vec::new();
    let mut calls = Vec::new();
    for block in blocks {
        match block {
            Block::Thinking { text, .. } => thinking.push(text.as_str()),
            Block::Text { text, .. } => content.push(text.as_str()),
            Block::ToolCall {
                call_id,
                name,
                input,
                raw,
            } => calls.push(call(calls.len(), call_id, name, input, raw.as_ref())),
            // Only the provider that made it can read it.
            Block::Opaque { .. } => {}
        }
    }
    let mut message = json!({"role": "assistant", "content": content.join("\n")});
    if !thinking.is_empty() {
        message["thinking"] = thinking.join("\n").into();
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}

/// A call as this server sent it, or in this server's form where another backend made it.
fn call(index: usize, call_id: &str, name: &str, input: &Value, raw: Option<&Value>) -> Value {
    let arguments = match input {
        Value::Object(_) => input.clone(),
        // Ollama takes objects only, whatever the model or an imitation of Ollama wrote.
        other => json!({"arguments": other}),
    };
    let own = raw.filter(|raw| raw["function"]["name"].is_string());
    if let Some(own) = own {
        let mut own = own.clone();
        own["id"] = call_id.into();
        if !own["function"]["arguments"].is_object() {
            own["function"]["arguments"] = arguments;
        }
        return own;
    }
    json!({"id": call_id, "function": {"index": index, "name": name, "arguments": arguments}})
}

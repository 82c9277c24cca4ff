//! What is checked of every request.
//!
//! The rules are those of the recorded exchanges: which fields there are and of which types, that
//! every call has its one result right after its message, and that what the model said comes back
//! as it was said.

use crate::fields::Kind::{Filled, Integer, List, Number, Object, Text, True};
use crate::fields::Need::{Optional, Required};
use crate::fields::{Fields, fields, list};
use axum::http::{HeaderMap, header};
use serde_json::Value;

/// What the model said in one reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    pub thinking: String,
    pub text: String,
    /// As they were sent.
    pub calls: Vec<Value>,
}

impl Turn {
    /// What the lines of a stream say, if they come to their end.
    pub fn of_lines(lines: &[String]) -> Option<Self> {
        let mut turn = Self::default();
        let mut done = false;
        for line in lines {
            let chunk: Value = serde_json::from_str(line).unwrap_or_default();
            let message = &chunk["message"];
            turn.thinking += message["thinking"].as_str().unwrap_or_default();
            turn.text += message["content"].as_str().unwrap_or_default();
            turn.calls
                .extend(list(&message["tool_calls"]).iter().cloned());
            done = chunk["done"] == true;
        }
        done.then_some(turn)
    }

    /// Whether a message of a conversation is this one, cut after a call at most.
    fn is(&self, message: &Value) -> bool {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let calls = list(&message["tool_calls"]);
        text("content") == self.text
            && text("thinking") == self.thinking
            && calls.is_empty() == self.calls.is_empty()
            && calls.len() <= self.calls.len()
            && calls
                .iter()
                .zip(&self.calls)
                .all(|(now, then)| self.is_call(now, then))
    }

    /// Whether a call came back as it was said. One without an id of its own may have got one, and
    /// arguments that were no object come back as one.
    fn is_call(&self, now: &Value, then: &Value) -> bool {
        let same = self.calls.iter().filter(|call| call["id"] == then["id"]);
        let named = then["id"].is_string() && same.count() == 1;
        let (now_made, then_made) = (&now["function"], &then["function"]);
        (!named || now["id"] == then["id"])
            && now_made["name"] == then_made["name"]
            && now_made.get("index") == then_made.get("index")
            && (!then_made["arguments"].is_object()
                || now_made["arguments"] == then_made["arguments"])
    }
}

const BODY: Fields = &[
    ("model", Filled, Required),
    ("messages", List, Required),
    ("stream", True, Required),
    ("tools", List, Optional),
    ("options", Object, Optional),
    ("keep_alive", Filled, Optional),
];
const OPTIONS: Fields = &[
    ("temperature", Number, Optional),
    ("num_ctx", Integer, Optional),
    ("num_predict", Integer, Optional),
];
const TOOL: Fields = &[("type", Filled, Required), ("function", Object, Required)];
const TOOL_FUNCTION: Fields = &[
    ("name", Filled, Required),
    ("description", Filled, Required),
    ("parameters", Object, Required),
];
const PARAMETERS: Fields = &[
    ("type", Filled, Required),
    ("properties", Object, Required),
    ("required", List, Required),
];
const PROPERTY: Fields = &[
    ("type", Filled, Required),
    ("description", Filled, Optional),
    ("enum", List, Optional),
];
const PLAIN: Fields = &[("role", Filled, Required), ("content", Filled, Required)];
const ASSISTANT: Fields = &[
    ("role", Filled, Required),
    ("content", Text, Required),
    ("thinking", Filled, Optional),
    ("tool_calls", List, Optional),
];
const RESULT: Fields = &[
    ("role", Filled, Required),
    ("tool_name", Filled, Required),
    ("tool_call_id", Filled, Required),
    ("content", Text, Required),
];
const CALL: Fields = &[("id", Filled, Required), ("function", Object, Required)];
const CALL_FUNCTION: Fields = &[
    ("index", Integer, Optional),
    ("name", Filled, Required),
    ("arguments", Object, Required),
];

/// What a question to `/api/show` may hold.
const SHOW: Fields = &[("model", Filled, Required)];

/// What a property of a tool's parameters may be.
const PROPERTY_TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// What is wrong with the headers of a request with a body.
pub(super) fn header_problems(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE);
    let right = kind.is_some_and(|kind| kind == "application/json");
    (!right).then(|| format!("content-type is {kind:?}"))
}

/// Everything that is wrong with a question to `/api/show`.
pub(super) fn show_problems(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    fields("the body", body, SHOW, &mut found);
    found
}

/// Everything that is wrong with a request to `/api/chat`, after the server said `said`.
pub(super) fn chat_problems(body: &Value, said: &[Turn]) -> Vec<String> {
    let mut found = Vec::new();
    fields("the body", body, BODY, &mut found);
    if let Some(options) = body.get("options") {
        fields("`options`", options, OPTIONS, &mut found);
    }
    let tools = list(&body["tools"]);
    for (at, tool) in tools.iter().enumerate() {
        check_tool(&format!("tools[{at}]"), tool, &mut found);
        let name = &tool["function"]["name"];
        if tools[..at]
            .iter()
            .any(|other| other["function"]["name"] == *name)
        {
            found.push(format!("tools[{at}]: a second tool of the name {name}"));
        }
    }
    if body.get("tools").is_some() && tools.is_empty() {
        found.push("`tools` is empty".to_owned());
    }
    let messages = list(&body["messages"]);
    check_messages(messages, &mut found);
    check_said(messages, said, &mut found);
    found
}

fn check_tool(place: &str, tool: &Value, found: &mut Vec<String>) {
    fields(place, tool, TOOL, found);
    if tool["type"] != "function" {
        found.push(format!("{place}: its type is {}", tool["type"]));
    }
    let function = &tool["function"];
    fields(
        &format!("{place}: its function"),
        function,
        TOOL_FUNCTION,
        found,
    );
    let parameters = &function["parameters"];
    fields(
        &format!("{place}: its parameters"),
        parameters,
        PARAMETERS,
        found,
    );
    for (name, property) in parameters["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}: its property `{name}`");
        fields(&place, property, PROPERTY, found);
        let kind = property["type"].as_str().unwrap_or_default();
        if !PROPERTY_TYPES.contains(&kind) {
            found.push(format!("{place} is of type `{kind}`"));
        }
    }
    for name in list(&parameters["required"]) {
        let known = name
            .as_str()
            .is_some_and(|name| parameters["properties"].get(name).is_some());
        if !known {
            found.push(format!("{place}: it requires {name}, which is no property"));
        }
    }
}

fn check_messages(messages: &[Value], found: &mut Vec<String>) {
    if messages.is_empty() {
        found.push("`messages` is empty".to_owned());
    }
    if messages
        .last()
        .is_some_and(|last| last["role"] == "assistant")
    {
        found.push("the last message is the model's own".to_owned());
    }
    let mut ids: Vec<&str> = Vec::new();
    // Calls whose results must come next.
    let mut due: Vec<(&str, &str)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let place = format!("messages[{at}]");
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !due.is_empty() {
            found.push(format!(
                "{place}: `{role}` where the results of {due:?} are due"
            ));
            due.clear();
        }
        match role {
            "system" | "user" => fields(&place, message, PLAIN, found),
            "assistant" => {
                fields(&place, message, ASSISTANT, found);
                due = check_calls(&place, message, &mut ids, found);
            }
            "tool" => {
                fields(&place, message, RESULT, found);
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                let name = message["tool_name"].as_str().unwrap_or_default();
                if due.first() == Some(&(id, name)) {
                    due.remove(0);
                } else {
                    found.push(format!(
                        "{place}: the result of {id} ({name}), due is {due:?}"
                    ));
                }
            }
            other => found.push(format!("{place}: role `{other}`")),
        }
    }
    if !due.is_empty() {
        found.push(format!("the results of {due:?} are missing"));
    }
}

fn check_calls<'a>(
    place: &str,
    message: &'a Value,
    ids: &mut Vec<&'a str>,
    found: &mut Vec<String>,
) -> Vec<(&'a str, &'a str)> {
    let mut due = Vec::new();
    if message
        .get("tool_calls")
        .is_some_and(|calls| list(calls).is_empty())
    {
        found.push(format!("{place}: `tool_calls` is empty"));
    }
    for call in list(&message["tool_calls"]) {
        fields(&format!("a call of {place}"), call, CALL, found);
        let function = &call["function"];
        fields(
            &format!("a call's function of {place}"),
            function,
            CALL_FUNCTION,
            found,
        );
        let id = call["id"].as_str().unwrap_or_default();
        if ids.contains(&id) {
            found.push(format!("{place}: a second call with the id {id}"));
        }
        ids.push(id);
        due.push((id, function["name"].as_str().unwrap_or_default()));
    }
    due
}

/// Every message of the model was said, and in this order; what was rolled back is left out.
fn check_said(messages: &[Value], said: &[Turn], found: &mut Vec<String>) {
    let mut said = said.iter();
    for (at, message) in messages.iter().enumerate() {
        if message["role"] == "assistant" && !said.any(|turn| turn.is(message)) {
            found.push(format!(
                "messages[{at}] was not said, or not here: {message}"
            ));
            return;
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;

//! What is checked of every request, whatever the model: its form.
//!
//! Turns alternate and begin with the user's; every call has its one result at the beginning of
//! the next turn, in order; what the model said comes back as it was said, cut after a call at
//! most; a mark for the cache stands where one may stand, four times at most.

use super::{is_kind, mark};
use crate::fields::Kind::{Filled, Integer, List, Number, Object, Text, True, Words};
use crate::fields::Need::{Optional, Required};
use crate::fields::{Fields, fields, list};
use axum::http::HeaderMap;
use serde_json::Value;

/// What the model said in one reply, in the form in which it must come back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    pub blocks: Vec<Value>,
    /// It paused, and goes on in the next reply.
    pub paused: bool,
}

const MOST_MARKS: usize = 4;
const VERSIONS: [&str; 2] = ["2023-06-01", "2026-10-21"];

const BODY: Fields = &[
    ("model", Filled, Required),
    ("messages", List, Required),
    ("max_tokens", Integer, Required),
    ("stream", True, Required),
    ("system", List, Optional),
    ("tools", List, Optional),
    ("temperature", Number, Optional),
    ("thinking", Object, Optional),
];
const ADAPTIVE: Fields = &[("type", Filled, Required), ("display", Filled, Optional)];
const ENABLED: Fields = &[
    ("type", Filled, Required),
    ("budget_tokens", Integer, Required),
];
const TOOL: Fields = &[
    ("name", Filled, Required),
    ("description", Words, Required),
    ("input_schema", Object, Required),
    ("cache_control", Object, Optional),
];
const MESSAGE: Fields = &[("role", Filled, Required), ("content", List, Required)];
const TEXT: Fields = &[
    ("type", Filled, Required),
    ("text", Words, Required),
    ("cache_control", Object, Optional),
];
const RESULT: Fields = &[
    ("type", Filled, Required),
    ("tool_use_id", Filled, Required),
    ("content", Text, Required),
    ("is_error", True, Optional),
    ("cache_control", Object, Optional),
];
const CALL: Fields = &[
    ("type", Filled, Required),
    ("id", Filled, Required),
    ("name", Filled, Required),
    ("input", Object, Required),
    ("caller", Object, Optional),
];
const SAID_TEXT: Fields = &[("type", Filled, Required), ("text", Words, Required)];
const THINKING: Fields = &[
    ("type", Filled, Required),
    ("thinking", Text, Required),
    ("signature", Filled, Optional),
];
const SEALED: Fields = &[("type", Filled, Required), ("data", Filled, Required)];

/// What is wrong with the headers of a request.
pub(super) fn header_problems(headers: &HeaderMap, with_body: bool) -> Vec<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut found = Vec::new();
    if with_body && text("content-type") != Some("application/json") {
        found.push(format!("content-type is {:?}", text("content-type")));
    }
    if !text("anthropic-version").is_some_and(|version| VERSIONS.contains(&version)) {
        let version = text("anthropic-version");
        found.push(format!("anthropic-version is {version:?}"));
    }
    let keys = if text("anthropic-version") == Some(VERSIONS[0]) {
        [("x-api-key", 1), ("authorization", 0)]
    } else {
        [("x-api-key", 0), ("authorization", 1)]
    };
    let others = [
        ("anthropic-version", 1),
        ("content-type", usize::from(with_body)),
    ];
    for (name, right) in keys.into_iter().chain(others) {
        let count = headers.get_all(name).iter().count();
        if count != right {
            found.push(format!("{count} times {name}"));
        }
    }
    found
}

/// The key of a request: since the second version the official clients send it as a bearer's.
pub(super) fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = || text("authorization")?.strip_prefix("Bearer ");
    text("x-api-key").or_else(bearer)
}

/// Everything that is wrong with the form of a request, after the server said `said`.
pub(super) fn body_problems(body: &Value, said: &[Turn]) -> Vec<String> {
    let mut found = Vec::new();
    fields("the body", body, BODY, &mut found);
    let max_tokens = body["max_tokens"].as_u64().unwrap_or_default();
    if max_tokens == 0 {
        found.push("`max_tokens` is 0".to_owned());
    }
    if let Some(thinking) = body.get("thinking") {
        check_thinking(thinking, max_tokens, &mut found);
    }
    if let Some(temperature) = body.get("temperature").and_then(Value::as_f64)
        && !(0.0..=1.0).contains(&temperature)
    {
        found.push(format!("`temperature` is {temperature}"));
    }
    for name in ["system", "tools", "messages"] {
        if body.get(name).is_some() && list(&body[name]).is_empty() {
            found.push(format!("`{name}` is empty"));
        }
    }
    for (at, block) in list(&body["system"]).iter().enumerate() {
        fields(&format!("system[{at}]"), block, TEXT, &mut found);
    }
    check_tools(list(&body["tools"]), &mut found);
    let messages = list(&body["messages"]);
    check_turns(messages, said, &mut found);
    check_calls(messages, &mut found);
    check_said(messages, said, &mut found);
    check_marks(body, &mut found);
    found
}

/// What is wrong with calls and results alone.
pub(super) fn call_problems(messages: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    check_calls(messages, &mut found);
    found
}

/// What the model did not say, or not there.
pub(super) fn said_problems(messages: &[Value], said: &[Turn]) -> Vec<String> {
    let mut found = Vec::new();
    check_said(messages, said, &mut found);
    found
}

fn check_thinking(thinking: &Value, max_tokens: u64, found: &mut Vec<String>) {
    match thinking["type"].as_str().unwrap_or_default() {
        "adaptive" => {
            fields("`thinking`", thinking, ADAPTIVE, found);
            let display = thinking["display"].as_str().unwrap_or("omitted");
            if !["summarized", "omitted"].contains(&display) {
                found.push(format!("`thinking`: display is {display}"));
            }
        }
        "enabled" => {
            fields("`thinking`", thinking, ENABLED, found);
            let budget = thinking["budget_tokens"].as_u64().unwrap_or_default();
            if budget < 1024 || budget >= max_tokens {
                found.push(format!("`thinking`: a budget of {budget}"));
            }
        }
        other => found.push(format!("`thinking` is of type `{other}`")),
    }
}

fn check_tools(tools: &[Value], found: &mut Vec<String>) {
    for (at, tool) in tools.iter().enumerate() {
        let place = format!("tools[{at}]");
        fields(&place, tool, TOOL, found);
        if !is_name(&tool["name"]) {
            found.push(format!("{place}: the name {}", tool["name"]));
        }
        if tool["input_schema"]["type"] != "object" {
            found.push(format!("{place}: its schema is not of an object"));
        }
        if tools[..at]
            .iter()
            .any(|other| other["name"] == tool["name"])
        {
            found.push(format!("{place}: a second tool of that name"));
        }
    }
}

/// Whether a text can name a tool or a call.
fn is_name(name: &Value) -> bool {
    let letters = |name: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    name.as_str()
        .is_some_and(|name| (1..=128).contains(&name.len()) && letters(name))
}

fn check_turns(messages: &[Value], said: &[Turn], found: &mut Vec<String>) {
    for (at, message) in messages.iter().enumerate() {
        let place = format!("messages[{at}]");
        fields(&place, message, MESSAGE, found);
        let role = if at % 2 == 0 { "user" } else { "assistant" };
        if message["role"] != role {
            found.push(format!("{place}: {} in place of {role}", message["role"]));
        }
        if list(&message["content"]).is_empty() {
            found.push(format!("{place} is empty"));
        }
        for (number, block) in list(&message["content"]).iter().enumerate() {
            let place = format!("{place}.content[{number}]");
            check_block(&place, message["role"] == "user", block, found);
        }
    }
    let own = messages
        .last()
        .is_some_and(|last| last["role"] == "assistant");
    if own && !said.last().is_some_and(|turn| turn.paused) {
        found.push("the last message is the model's own".to_owned());
    }
}

fn check_block(place: &str, users: bool, block: &Value, found: &mut Vec<String>) {
    let kind = block["type"].as_str().unwrap_or_default();
    let known = match (users, kind) {
        (true, "text") => TEXT,
        (true, "tool_result") => RESULT,
        (false, "text") => SAID_TEXT,
        (false, "tool_use") => CALL,
        (false, "thinking") => THINKING,
        (false, "redacted_thinking") => SEALED,
        // What else the model said comes back as it was, which `check_said` sees.
        (false, _) => return,
        (true, other) => {
            found.push(format!("{place} is of type `{other}`"));
            return;
        }
    };
    fields(place, block, known, found);
}

/// Every call has its one result at the beginning of the next turn, in order, and there are no
/// other results.
fn check_calls(messages: &[Value], found: &mut Vec<String>) {
    let mut ids: Vec<&Value> = Vec::new();
    let mut due: Vec<&Value> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let blocks = list(&message["content"]);
        if message["role"] == "assistant" {
            due.clear();
            for call in blocks.iter().filter(|block| is_kind(block, "tool_use")) {
                if !is_name(&call["id"]) || ids.contains(&&call["id"]) {
                    found.push(format!("messages[{at}]: a call with the id {}", call["id"]));
                }
                ids.push(&call["id"]);
                due.push(&call["id"]);
            }
            continue;
        }
        let first = blocks
            .iter()
            .take_while(|block| is_kind(block, "tool_result"));
        let first: Vec<&Value> = first.map(|block| &block["tool_use_id"]).collect();
        let all = blocks.iter().filter(|block| is_kind(block, "tool_result"));
        if first != due || all.count() != due.len() {
            found.push(format!(
                "messages[{at}]: it begins with the results of {first:?}, due are {due:?}"
            ));
        }
        due.clear();
    }
    if !due.is_empty() {
        found.push(format!("the results of {due:?} are missing"));
    }
}

/// Every message of the model was said, and in this order; what was rolled back is left out.
fn check_said(messages: &[Value], said: &[Turn], found: &mut Vec<String>) {
    let mut from = 0;
    for (at, message) in messages.iter().enumerate() {
        if message["role"] != "assistant" {
            continue;
        }
        match find(
            list(&message["content"]),
            said,
            from,
            at + 1 == messages.len(),
        ) {
            Some(next) => from = next,
            None => {
                found.push(format!(
                    "messages[{at}] was not said, or not here: {message}"
                ));
                return;
            }
        }
    }
}

/// Finds what was said as these blocks, at or after `from`; a pause in it joins two replies.
/// Returns where the next message is to be looked for.
fn find(blocks: &[Value], said: &[Turn], from: usize, last: bool) -> Option<usize> {
    (from..said.len()).find_map(|at| {
        let turn = &said[at];
        if turn.paused {
            let rest = blocks.strip_prefix(turn.blocks.as_slice())?;
            return match rest {
                [] => last.then_some(at + 1),
                rest => find(rest, said, at + 1, last),
            };
        }
        is_cut(blocks, &turn.blocks).then_some(at + 1)
    })
}

/// Whether blocks are those that were said, but for calls at the end.
fn is_cut(blocks: &[Value], said: &[Value]) -> bool {
    let calls = |blocks: &[Value]| {
        let calls = blocks.iter().filter(|block| is_kind(block, "tool_use"));
        calls.count()
    };
    let kept = calls(blocks);
    if kept == 0 && calls(said) > 0 {
        return false;
    }
    let mut seen = 0;
    let expected = said.iter().filter(|block| {
        let call = is_kind(block, "tool_use");
        seen += usize::from(call);
        !call || seen <= kept
    });
    expected.eq(blocks)
}

fn check_marks(body: &Value, found: &mut Vec<String>) {
    let blocks = prefix_blocks(body);
    let marks = blocks.iter().filter_map(|block| block.get("cache_control"));
    let marks: Vec<&Value> = marks.collect();
    if marks.len() > MOST_MARKS {
        found.push(format!("{} marks for the cache", marks.len()));
    }
    for wrong in marks.iter().filter(|found| ***found != mark()) {
        found.push(format!("a mark for the cache is {wrong}"));
    }
}

/// All blocks of a request in the order in which the model reads them.
pub(super) fn prefix_blocks(body: &Value) -> Vec<&Value> {
    let messages = list(&body["messages"]).iter();
    let said = messages.flat_map(|message| list(&message["content"]));
    let first = list(&body["tools"]).iter().chain(list(&body["system"]));
    first.chain(said).collect()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;

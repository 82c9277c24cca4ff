//! One content block of an answer while it comes.

use espalier_protocol::Block;
use serde_json::{Map, Value};

/// A block in the server's own form, and what of it is not JSON yet.
#[derive(Debug)]
pub(super) struct Piece {
    raw: Value,
    /// The arguments of a call as they come, in fragments of JSON.
    arguments: String,
    pub(super) whole: bool,
}

/// What a piece of a block adds for the person who watches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Text(String),
    Thinking(String),
    Nothing,
}

impl Piece {
    pub(super) fn new(raw: Value) -> Self {
        Self {
            raw,
            arguments: String::new(),
            whole: false,
        }
    }

    /// What stands in the block from its start; some servers begin with words.
    pub(super) fn beginning(&self) -> Shown {
        let text = |field: &str| match self.raw[field].as_str() {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => None,
        };
        match self.kind() {
            "text" => text("text").map_or(Shown::Nothing, Shown::Text),
            "thinking" => text("thinking").map_or(Shown::Nothing, Shown::Thinking),
            _ => Shown::Nothing,
        }
    }

    fn kind(&self) -> &str {
        self.raw["type"].as_str().unwrap_or_default()
    }

    pub(super) fn is_call(&self) -> bool {
        self.kind() == "tool_use"
    }

    /// Adds a delta; one of an unknown type adds nothing.
    pub(super) fn add(&mut self, mut delta: Value) -> Shown {
        let kind = delta["type"].take();
        match kind.as_str().unwrap_or_default() {
            "text_delta" => self
                .append("text", &delta)
                .map_or(Shown::Nothing, Shown::Text),
            "thinking_delta" => self
                .append("thinking", &delta)
                .map_or(Shown::Nothing, Shown::Thinking),
            "signature_delta" => {
                self.raw["signature"] = delta["signature"].take();
                Shown::Nothing
            }
            "input_json_delta" => {
                let fragment = delta["partial_json"].as_str().unwrap_or_default();
                self.arguments.push_str(fragment);
                Shown::Nothing
            }
            "citations_delta" => {
                let citation = delta["citation"].take();
                match &mut self.raw["citations"] {
                    Value::Array(citations) => citations.push(citation),
                    none => *none = Value::Array(vec![citation]),
                }
                Shown::Nothing
            }
            _ => Shown::Nothing,
        }
    }

    fn append(&mut self, field: &str, delta: &Value) -> Option<String> {
        let more = delta[field].as_str().filter(|more| !more.is_empty())?;
        match &mut self.raw[field] {
            Value::String(text) => text.push_str(more),
            other => *other = more.into(),
        }
        Some(more.to_owned())
    }

    /// The block as the conversation keeps it; nothing where it says nothing. `cut` is whether the
    /// answer was ended by a limit.
    pub(super) fn into_block(mut self, cut: bool) -> Option<Block> {
        let text = |raw: &Value, field: &str| raw[field].as_str().unwrap_or_default().to_owned();
        match self.kind() {
            "text" => {
                let words = text(&self.raw, "text");
                let plain = self.raw["citations"].as_array().is_none_or(Vec::is_empty);
                (!words.trim().is_empty()).then(|| Block::Text {
                    text: words,
                    raw: (!plain).then_some(self.raw),
                })
            }
            "thinking" => {
                let unfinished = cut && text(&self.raw, "signature").is_empty();
                Some(Block::Thinking {
                    text: text(&self.raw, "thinking"),
                    // Without its signature a server that signs would refuse it for ever.
                    raw: (!unfinished).then_some(self.raw),
                })
            }
            "tool_use" => {
                let input = self.input();
                let (call_id, name) = (text(&self.raw, "id"), text(&self.raw, "name"));
                if input.is_object() {
                    self.raw["input"] = input.clone();
                }
                Some(Block::ToolCall {
                    call_id,
                    name,
                    input,
                    raw: Some(self.raw),
                })
            }
            _ => {
                if !self.arguments.is_empty() {
                    self.raw["input"] = self.input();
                }
                Some(Block::Opaque { raw: self.raw })
            }
        }
    }

    /// The arguments; a text where they are no JSON. Without a fragment the start has them.
    fn input(&self) -> Value {
        if self.arguments.trim().is_empty() {
            return match &self.raw["input"] {
                Value::Null => Value::Object(Map::new()),
                input => input.clone(),
            };
        }
        serde_json::from_str(&self.arguments).unwrap_or_else(|_| self.arguments.clone().into())
    }
}

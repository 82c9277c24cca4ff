//! A message as the events of its stream, and as it must come back.

use super::{Counted, Ending, Piece, Reply, Turn, Written};
use crate::anthropic_server::is_kind;
use serde_json::{Value, json};

/// Characters of a fragment of arguments.
const FRAGMENT: usize = 9;

impl Reply {
    pub(super) fn events(&self, number: usize, counted: Counted) -> (Vec<(String, String)>, Turn) {
        let mut all = vec![message_start(number, counted), json!({"type": "ping"})];
        let mut blocks = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            let (start, deltas, back) = self.block_of(piece, &format!("{number:03}_{index}"));
            all.push(
                json!({"type": "content_block_start", "index": index, "content_block": start}),
            );
            let deltas = deltas.into_iter();
            all.extend(deltas.map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ));
            if self.odd {
                let delta = json!({"type": "aura_delta", "aura": "blue"});
                all.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
                all.push(json!({"type": "weather", "index": index, "rain": true}));
            }
            if !(self.last_block_open && index + 1 == self.pieces.len()) {
                all.push(json!({"type": "content_block_stop", "index": index}));
            }
            blocks.push(back);
        }
        let calls = blocks.iter().any(|block| is_kind(block, "tool_use"));
        let usual = if calls { "tool_use" } else { "end_turn" };
        let reason = self.reason.as_deref().unwrap_or(usual);
        let mut delta = json!({"stop_reason": reason, "stop_sequence": null});
        if let Some(details) = &self.stop_details {
            delta["stop_details"] = details.clone();
        }
        all.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 23}}));
        match self.ending {
            Ending::Stop | Ending::Half => all.push(json!({"type": "message_stop"})),
            Ending::Cut | Ending::Break => {}
            Ending::Event(..) | Ending::Never => {
                all.pop();
            }
        }
        let turn = Turn {
            blocks: comes_back(blocks),
            paused: reason == "pause_turn",
        };
        (self.named(all), turn)
    }

    fn named(&self, events: Vec<Value>) -> Vec<(String, String)> {
        let events = events.into_iter().map(|event| {
            let name = event["type"].as_str().unwrap_or_default().to_owned();
            (name, event.to_string())
        });
        let mut events: Vec<(String, String)> = events.collect();
        if let Ending::Event(name, data) = &self.ending {
            events.push((name.clone(), data.clone()));
        }
        events
    }

    /// A block's start, its deltas, and the block as it must come back.
    fn block_of(&self, piece: &Piece, mark: &str) -> (Value, Vec<Value>, Value) {
        let words = |kind: &str, field: &str, text: &str| -> Vec<Value> {
            let pieces = text.split_inclusive(' ');
            let mut deltas = pieces.map(|piece| json!({"type": kind, field: piece}));
            deltas.by_ref().collect()
        };
        match piece {
            Piece::Text(text) => (
                json!({"type": "text", "text": ""}),
                words("text_delta", "text", text),
                json!({"type": "text", "text": text}),
            ),
            Piece::Thinking(text) if self.unsigned => (
                json!({"type": "thinking", "thinking": ""}),
                words("thinking_delta", "thinking", text),
                json!({"type": "thinking", "thinking": text}),
            ),
            Piece::Thinking(text) => {
                let signature = format!("c2lnbmVk{mark}==");
                let mut deltas = words("thinking_delta", "thinking", text);
                deltas.push(json!({"type": "signature_delta", "signature": signature}));
                let back = json!({"type": "thinking", "thinking": text, "signature": signature});
                let start = json!({"type": "thinking", "thinking": "", "signature": ""});
                (start, deltas, back)
            }
            Piece::Call(tool, written) => {
                let (deltas, input) = arguments(written);
                let call = |input: &Value| json!({"type": "tool_use", "id": format!("toolu_{mark}"), "name": tool, "input": input});
                (call(&json!({})), deltas, call(&input))
            }
            Piece::Whole(block) => (block.clone(), Vec::new(), block.clone()),
        }
    }
}

/// Blocks as they come back: the API takes no text without words.
fn comes_back(mut blocks: Vec<Value>) -> Vec<Value> {
    let blank = |text: &Value| text.as_str().is_some_and(|text| text.trim().is_empty());
    blocks.retain(|block| !(is_kind(block, "text") && blank(&block["text"])));
    blocks
}

/// The deltas of a call's arguments, and the arguments as they come back.
fn arguments(written: &Written) -> (Vec<Value>, Value) {
    let delta = |json: &str| json!({"type": "input_json_delta", "partial_json": json});
    let (text, back) = match written {
        Written::Nothing => return (Vec::new(), json!({})),
        Written::Json(arguments) => (arguments.to_string(), arguments.clone()),
        // The API takes objects only, so a client must wrap what is none.
        Written::Raw(text) => {
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
            (text.clone(), json!({"arguments": value}))
        }
    };
    let letters: Vec<char> = text.chars().collect();
    let fragments = letters.chunks(FRAGMENT);
    let fragments = fragments.map(|piece| delta(&piece.iter().collect::<String>()));
    // The first fragment of a real stream is empty.
    (std::iter::once(delta("")).chain(fragments).collect(), back)
}

fn message_start(number: usize, counted: Counted) -> Value {
    let message = json!({
        "id": format!("msg_{number:03}"), "type": "message", "role": "assistant",
        "model": "claude-scripted", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {
            "input_tokens": counted.input,
            "cache_read_input_tokens": counted.read,
            "cache_creation_input_tokens": counted.written,
            "output_tokens": 1,
        },
    });
    json!({"type": "message_start", "message": message})
}

//! A model message, gathered from the lines that tell it block by block.
//!
//! A message without calls is held back until the turn is over: Claude Code may go on by itself
//! (after a cut at the length limit, for one), and what comes then belongs to the same message.

use super::place::Anchor;
use espalier_protocol::{Block, Usage};
use serde_json::Value;

/// A whole message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) blocks: Vec<Block>,
    pub(crate) usage: Usage,
    /// The model that answered.
    pub(crate) model: Option<String>,
    /// Whether its end was a cut at the length limit.
    pub(crate) cut_short: bool,
}

/// What was heard of a message so far.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    id: String,
    /// Between its first and its last event.
    streaming: bool,
    /// Blocks of ended messages without calls, then of the present one.
    blocks: Vec<Block>,
    /// Where in `blocks` the present message begins.
    present: usize,
    /// Calls whose results came, for those stand in the record before what comes after them.
    returned: Vec<String>,
    earlier: Usage,
    usage: Usage,
    model: Option<String>,
    cut_short: bool,
}

impl Gather {
    /// A message begins. Returns whether what was shown of the one before is void.
    pub(crate) fn begin(&mut self, id: &str, model: Option<String>, usage: &Value) -> bool {
        // One that never ended is asked for again.
        let void = self.streaming;
        if void {
            self.blocks.truncate(self.present);
        } else {
            self.earlier = self.earlier.and_then(self.usage.filling(None));
            self.returned.clear();
        }
        self.present = self.blocks.len();
        id.clone_into(&mut self.id);
        self.streaming = true;
        self.model = model.or(self.model.take());
        self.usage = Usage::default();
        count(&mut self.usage, usage);
        void
    }

    /// Whole blocks of the message.
    pub(crate) fn add(&mut self, id: &str, session: &str, uuid: &str, blocks: &[Value]) {
        if id != self.id {
            // It came whole, without a stream.
            id.clone_into(&mut self.id);
            self.present = self.blocks.len();
            self.streaming = false;
            self.returned.clear();
        }
        let anchor = Anchor {
            session: session.to_owned(),
            uuid: uuid.to_owned(),
            has: self.returned.clone(),
        };
        let raw = Some(anchor.raw());
        self.blocks
            .extend(blocks.iter().filter_map(|given| block(given, raw.clone())));
    }

    /// The message's end is told, with the final counts.
    pub(crate) fn turn(&mut self, stop_reason: Option<&str>, usage: &Value) {
        count(&mut self.usage, usage);
        self.cut_short = stop_reason == Some("max_tokens");
    }

    /// The message ended. It is whole when it has calls.
    pub(crate) fn end(&mut self) -> Option<Message> {
        self.streaming = false;
        self.with_calls()
    }

    /// A call is about to be made: of a message that does not stream nothing more comes.
    pub(crate) fn asked(&mut self) -> Option<Message> {
        if self.streaming {
            return None;
        }
        self.with_calls()
    }

    /// A call returned, maybe before the message has ended.
    pub(crate) fn returned(&mut self, call_id: &str) {
        self.returned.push(call_id.to_owned());
    }

    fn with_calls(&mut self) -> Option<Message> {
        let calls = self
            .blocks
            .iter()
            .any(|block| matches!(block, Block::ToolCall { .. }));
        calls.then(|| self.take())
    }

    /// All that was gathered: the closing message when the turn is over.
    pub(crate) fn take(&mut self) -> Message {
        let gathered = std::mem::take(self);
        // Of the next message nothing is known yet but that it is another one.
        self.id = gathered.id;
        Message {
            blocks: gathered.blocks,
            usage: gathered.earlier.and_then(gathered.usage.filling(None)),
            model: gathered.model,
            cut_short: gathered.cut_short,
        }
    }
}

fn block(given: &Value, raw: Option<Value>) -> Option<Block> {
    let text = |field: &str| given[field].as_str().unwrap_or_default().to_owned();
    match given["type"].as_str()? {
        "text" => Some(Block::Text {
            text: text("text"),
            raw,
        }),
        "thinking" => Some(Block::Thinking {
            text: text("thinking"),
            raw,
        }),
        "tool_use" => Some(Block::ToolCall {
            call_id: text("id"),
            name: text("name"),
            input: given["input"].clone(),
            raw,
        }),
        // Claude Code keeps it, with what it holds.
        _ => None,
    }
}

/// Takes over what is told; a count that is not stays as it was.
fn count(usage: &mut Usage, told: &Value) {
    let number = |field: &str| {
        let told = told[field].as_u64()?;
        Some(u32::try_from(told).unwrap_or(u32::MAX))
    };
    let fresh = number("input_tokens");
    let written = number("cache_creation_input_tokens");
    let cached = number("cache_read_input_tokens");
    if let Some(fresh) = fresh {
        usage.cached_tokens = cached.unwrap_or(usage.cached_tokens);
        usage.cache_write_tokens = written.unwrap_or(usage.cache_write_tokens);
        usage.input_tokens = fresh
            .saturating_add(usage.cached_tokens)
            .saturating_add(usage.cache_write_tokens);
    }
    let for_an_hour = told["cache_creation"]["ephemeral_1h_input_tokens"].as_u64();
    if let Some(tokens) = for_an_hour {
        usage.cache_write_1h_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
    }
    if let Some(output) = number("output_tokens") {
        usage.output_tokens = output;
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;

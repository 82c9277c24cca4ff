//! One answer, put together from its events.
//!
//! Only `message_stop` ends it. Events, blocks, deltas and stop reasons that are not known pass.

use super::events::Event;
use super::piece::{Piece, Shown};
use super::{ended_early, refusal};
use crate::backend::{BackendError, Delta, DeltaSink, ModelTurn, excerpt};
use espalier_protocol::worker::AgentNotice;
use espalier_protocol::{Block, ErrorCode, Usage};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes that one answer may have: a model that goes on and on must not fill memory and database.
const MAX_BYTES: usize = 16 << 20;

/// Whether the answer is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// A whole answer.
#[derive(Debug)]
pub(super) enum Said {
    Turn(ModelTurn),
    /// The server paused in the middle; what came goes back, and the model goes on.
    Paused(ModelTurn),
}

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pieces: BTreeMap<u64, Piece>,
    bytes: usize,
    tokens: Tokens,
    model: Option<String>,
    stop_reason: Option<String>,
    stop_details: Value,
}

/// Token counts as the server gives them: later ones overwrite.
#[derive(Debug, Default)]
struct Tokens {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
}

impl Tokens {
    fn take(&mut self, usage: &Value) {
        for (field, count) in [
            ("input_tokens", &mut self.input),
            ("output_tokens", &mut self.output),
            ("cache_read_input_tokens", &mut self.cache_read),
            ("cache_creation_input_tokens", &mut self.cache_write),
        ] {
            *count = usage[field].as_u64().unwrap_or(*count);
        }
        let for_an_hour = usage["cache_creation"]["ephemeral_1h_input_tokens"].as_u64();
        self.cache_write_1h = for_an_hour.unwrap_or(self.cache_write_1h);
    }

    fn usage(&self) -> Usage {
        let count = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        Usage {
            // The server counts what the cache had or got apart from the rest.
            input_tokens: count(self.input + self.cache_read + self.cache_write),
            output_tokens: count(self.output),
            cached_tokens: count(self.cache_read),
            cache_write_tokens: count(self.cache_write),
            cache_write_1h_tokens: count(self.cache_write_1h),
            ..Usage::default()
        }
        .filling(None)
    }
}

impl Answer {
    /// Takes one event; what it says goes to `sink`.
    ///
    /// # Errors
    /// It reports an error, is none of the Messages API's, or says too much.
    pub(super) fn take(
        &mut self,
        event: &Event,
        sink: DeltaSink<'_>,
    ) -> Result<Progress, BackendError> {
        if event.data.trim_ascii().is_empty() || *event.data == *b"[DONE]" {
            return Ok(Progress::More);
        }
        let data: Value =
            serde_json::from_slice(&event.data).map_err(|error| unreadable(&event.data, &error))?;
        let mut data = object(data)?;
        if data["error"].is_object() || data["error"].is_string() {
            return Err(refusal::in_stream(&data));
        }
        let kind = data["type"].take();
        match kind.as_str().unwrap_or(&event.name) {
            "message_start" => {
                self.tokens.take(&data["message"]["usage"]);
                self.model = data["message"]["model"].as_str().map(str::to_owned);
            }
            "content_block_start" => self.begin(data, event.data.len(), sink)?,
            "content_block_delta" => self.go_on(data, event.data.len(), sink)?,
            "content_block_stop" => {
                if let Some(piece) = self.pieces.get_mut(&index(&data)) {
                    piece.whole = true;
                }
            }
            "message_delta" => {
                self.tokens.take(&data["usage"]);
                let mut delta = object(data["delta"].take())?;
                if let Some(reason) = delta["stop_reason"].as_str() {
                    self.stop_reason = Some(reason.to_owned());
                }
                self.stop_details = delta["stop_details"].take();
            }
            "message_stop" => return Ok(Progress::Done),
            "error" => return Err(refusal::in_stream(&data)),
            _ => {}
        }
        Ok(Progress::More)
    }

    fn begin(
        &mut self,
        mut data: Value,
        bytes: usize,
        sink: DeltaSink<'_>,
    ) -> Result<(), BackendError> {
        self.count(bytes)?;
        let piece = Piece::new(object(data["content_block"].take())?);
        show(piece.beginning(), sink);
        self.pieces.insert(index(&data), piece);
        Ok(())
    }

    fn go_on(
        &mut self,
        mut data: Value,
        bytes: usize,
        sink: DeltaSink<'_>,
    ) -> Result<(), BackendError> {
        self.count(bytes)?;
        let delta = object(data["delta"].take())?;
        let Some(piece) = self.pieces.get_mut(&index(&data)) else {
            return Err(broken(
                "The answer went on with a block that it had not begun.",
            ));
        };
        show(piece.add(delta), sink);
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), BackendError> {
        self.bytes += bytes;
        if self.bytes <= MAX_BYTES {
            return Ok(());
        }
        // Lasting: asked again, such a model says as much again.
        Err(BackendError::lasting(
            ErrorCode::BackendBroken,
            format!(
                "The answer is longer than {} MB and was stopped.",
                MAX_BYTES >> 20
            ),
            "Set live_agent.anthropic.max_tokens to the most tokens that an answer may have.",
        ))
    }

    /// The message, with what the annotator should know of it.
    ///
    /// # Errors
    /// The model refused, ran out of room, or made a call that is not whole.
    pub(super) fn finish(self, max_tokens: u32) -> Result<Said, BackendError> {
        let usage = self.tokens.usage();
        let reason = self.stop_reason.as_deref().unwrap_or_default();
        let calls = self.pieces.values().filter(|piece| piece.is_call());
        let (calls, halves) = calls.fold((0, 0), |(all, halves), piece| {
            (all + 1, halves + usize::from(!piece.whole))
        });
        let cut = reason == "max_tokens";
        match reason {
            "refusal" => return Err(declined(&self.stop_details)),
            "model_context_window_exceeded" => return Err(refusal::window_full(None)),
            "max_tokens" if calls > 0 => return Err(call_cut(max_tokens)),
            _ if halves > 0 => return Err(ended_early()),
            _ => {}
        }
        let pieces = self.pieces.into_values();
        let blocks: Vec<Block> = pieces.filter_map(|piece| piece.into_block(cut)).collect();
        check_names(&blocks)?;
        let paused = reason == "pause_turn" && calls == 0;
        let mut turn = ModelTurn {
            blocks,
            usage,
            model: self.model,
            notices: Vec::new(),
        };
        if paused {
            return Ok(Said::Paused(turn));
        }
        if cut {
            turn.notices.push(note(
                "answer_cut",
                "The answer was cut at the length limit; a higher live_agent.anthropic.max_tokens \
                 lets the model say more.",
            ));
        }
        Ok(Said::Turn(turn))
    }
}

/// A notice when a turn has neither words nor calls.
pub(super) fn note_silence(turn: &mut ModelTurn) {
    let says = |block: &Block| matches!(block, Block::Text { .. } | Block::ToolCall { .. });
    if turn.notices.is_empty() && !turn.blocks.iter().any(says) {
        let text = "The model ended its turn without a word and without a tool call.";
        turn.notices.push(note("answer_empty", text));
    }
}

fn note(code: &str, text: &str) -> AgentNotice {
    AgentNotice {
        code: code.to_owned(),
        text: text.to_owned(),
        once: false,
    }
}

fn show(shown: Shown, sink: DeltaSink<'_>) {
    match shown {
        Shown::Text(text) => sink(Delta::Text(text)),
        Shown::Thinking(text) => sink(Delta::Thinking(text)),
        Shown::Nothing => {}
    }
}

fn index(data: &Value) -> u64 {
    data["index"].as_u64().unwrap_or_default()
}

fn check_names(blocks: &[Block]) -> Result<(), BackendError> {
    let nameless = |block: &Block| matches!(block, Block::ToolCall { name, .. } if name.is_empty());
    if blocks.iter().any(nameless) {
        return Err(broken("The model made a tool call without a name."));
    }
    Ok(())
}

fn declined(details: &Value) -> BackendError {
    let why = details["explanation"]
        .as_str()
        .or(details["category"].as_str());
    let why = why.map_or_else(String::new, |why| format!(": {}", excerpt(why, 300)));
    BackendError::lasting(
        ErrorCode::BackendRefused,
        format!("The model declined to go on{why}"),
        "Roll back to an earlier step, or say in an instruction what is wanted.",
    )
}

fn call_cut(max_tokens: u32) -> BackendError {
    BackendError::lasting(
        ErrorCode::BackendBroken,
        format!(
            "The answer reached its limit of {max_tokens} tokens within a tool call, which was not run."
        ),
        "Ask for smaller pieces in an instruction; a new session can have a higher \
         live_agent.anthropic.max_tokens.",
    )
}

fn broken(message: &str) -> BackendError {
    BackendError::passing(ErrorCode::BackendBroken, message, "Resume to ask again.")
}

/// What has to be an object: a server may say anything.
fn object(part: Value) -> Result<Value, BackendError> {
    match part {
        Value::Object(_) => Ok(part),
        other => Err(refusal::no_messages_api(&other.to_string())),
    }
}

fn unreadable(data: &[u8], error: &serde_json::Error) -> BackendError {
    if error.is_eof() {
        return ended_early();
    }
    refusal::no_messages_api(&String::from_utf8_lossy(&data[..data.len().min(2000)]))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;

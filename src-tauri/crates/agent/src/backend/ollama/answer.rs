//! One answer, put together from its lines.

use super::{ended_early, refusal};
use crate::backend::{BackendError, Delta, DeltaSink, ModelTurn};
use espalier_protocol::worker::AgentNotice;
use espalier_protocol::{Block, ConversationItem, ErrorCode, Usage};
use serde::Deserialize;
use serde_json::Value;

/// Bytes of thinking, text and calls that one answer may have: a model that goes on and on must
/// not fill memory and database.
const MAX_BYTES: usize = 16 << 20;

/// One line of the stream. Fields that a server leaves out or sets to null count as not there.
#[derive(Debug, Deserialize)]
struct Line {
    message: Option<Said>,
    #[serde(default)]
    done: Option<bool>,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<Value>>,
}

/// Whether the answer is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    thinking: String,
    text: String,
    calls: Vec<Block>,
    bytes: usize,
    prompt_tokens: u64,
    answer_tokens: u64,
    cut: bool,
}

impl Answer {
    /// Takes one line of the stream; what it says goes to `sink`.
    ///
    /// # Errors
    /// The line reports an error, is not one of Ollama's, or ends an answer that never began.
    pub(super) fn take(
        &mut self,
        line: &[u8],
        sink: DeltaSink<'_>,
    ) -> Result<Progress, BackendError> {
        if line.trim_ascii().is_empty() {
            return Ok(Progress::More);
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| unreadable(line, &error))?;
        if let Some(error) = &line.error {
            return Err(refusal::in_stream(error));
        }
        if let Some(said) = line.message {
            self.count(&said)?;
            self.hear(said, sink)?;
        }
        self.prompt_tokens = line.prompt_eval_count.unwrap_or(self.prompt_tokens);
        self.answer_tokens = line.eval_count.unwrap_or(self.answer_tokens);
        if line.done != Some(true) {
            return Ok(Progress::More);
        }
        match line.done_reason.as_deref() {
            Some(reason @ ("load" | "unload")) => Err(BackendError::passing(
                ErrorCode::BackendBroken,
                format!("The server said `{reason}` where the model's answer should be."),
                "Resume to ask again; if it stays, update Ollama.",
            )),
            reason => {
                self.cut = reason == Some("length");
                Ok(Progress::Done)
            }
        }
    }

    fn count(&mut self, said: &Said) -> Result<(), BackendError> {
        let texts = [&said.thinking, &said.content].into_iter().flatten();
        let calls = said.tool_calls.iter().flatten();
        self.bytes += texts.map(String::len).sum::<usize>();
        self.bytes += calls.map(|call| call.to_string().len()).sum::<usize>();
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
            "Set live_agent.ollama.num_predict to the most tokens that an answer may have.",
        ))
    }

    fn hear(&mut self, said: Said, sink: DeltaSink<'_>) -> Result<(), BackendError> {
        if let Some(thinking) = said.thinking.filter(|text| !text.is_empty()) {
            self.thinking.push_str(&thinking);
            sink(Delta::Thinking(thinking));
        }
        if let Some(text) = said.content.filter(|text| !text.is_empty()) {
            self.text.push_str(&text);
            sink(Delta::Text(text));
        }
        for raw in said.tool_calls.unwrap_or_default() {
            self.calls.push(call(raw)?);
        }
        Ok(())
    }

    /// The message, with what the annotator should know of it.
    pub(super) fn finish(
        self,
        window: Option<u32>,
        conversation: &[ConversationItem],
    ) -> ModelTurn {
        let notices = self.notices(window, conversation);
        let usage = Usage {
            input_tokens: u32::try_from(self.prompt_tokens).unwrap_or(u32::MAX),
            output_tokens: u32::try_from(self.answer_tokens).unwrap_or(u32::MAX),
            ..Usage::default()
        }
        .filling(window.filter(|tokens| *tokens > 0));
        let mut blocks = Vec::with_capacity(self.calls.len() + 2);
        if !self.thinking.is_empty() {
            let text = self.thinking;
            blocks.push(Block::Thinking { text, raw: None });
        }
        if !self.text.is_empty() {
            let text = self.text;
            blocks.push(Block::Text { text, raw: None });
        }
        blocks.extend(self.calls);
        ModelTurn {
            blocks,
            usage,
            model: None,
            notices,
        }
    }

    fn notices(&self, window: Option<u32>, conversation: &[ConversationItem]) -> Vec<AgentNotice> {
        let mut notices = Vec::new();
        let mut note = |code: &str, text: String| {
            notices.push(AgentNotice {
                code: code.to_owned(),
                text,
                once: false,
            });
        };
        if self.cut {
            let text = "The answer was cut at the length limit; a higher live_agent.ollama.num_predict \
                lets the model say more.";
            note("answer_cut", text.to_owned());
        } else if self.calls.is_empty() && self.text.trim().is_empty() {
            let text = "The model ended its turn without a word and without a tool call.";
            note("answer_empty", text.to_owned());
        }
        let Some(window) = window.map(u64::from).filter(|window| *window > 0) else {
            return notices;
        };
        if was_shortened(self.prompt_tokens, window, conversation) {
            note(
                "window_overrun",
                format!(
                    "The conversation is longer than the model's {window} tokens, and Ollama has \
                     left out a part of it: raise live_agent.ollama.num_ctx, or roll back."
                ),
            );
        }
        notices
    }
}

/// Whether the server read clearly less than it was sent. It never says so; a token of a language
/// or of code is seldom longer than four bytes.
fn was_shortened(read: u64, window: u64, conversation: &[ConversationItem]) -> bool {
    let bytes: usize = conversation
        .iter()
        .map(|item| match item {
            ConversationItem::System { text } | ConversationItem::User { text } => text.len(),
            ConversationItem::ToolResult { content, .. } => content.len(),
            // Models forget earlier thinking, so it may rightly be left out.
            ConversationItem::Assistant { blocks, .. } => blocks
                .iter()
                .map(|block| match block {
                    Block::Text { text, .. } => text.len(),
                    Block::Thinking { .. } | Block::ToolCall { .. } | Block::Opaque { .. } => 0,
                })
                .sum(),
        })
        .sum();
    let sent = bytes as u64 / 4;
    read > 0 && sent > window * 5 / 4 && read < sent * 2 / 3
}

/// A call as the server gave it. Arguments that are no object go on as they are: the tool tells
/// the model what is wrong with them.
fn call(raw: Value) -> Result<Block, BackendError> {
    let function = &raw["function"];
    let Some(name) = function["name"].as_str() else {
        return Err(
            broken("The model made a tool call without a name.").with_detail(&raw.to_string())
        );
    };
    let input = match &function["arguments"] {
        Value::Null => Value::Object(serde_json::Map::new()),
        // Some servers send the object as a text.
        Value::String(text) => match serde_json::from_str(text) {
            Ok(object @ Value::Object(_)) => object,
            Ok(_) | Err(_) => Value::String(text.clone()),
        },
        other => other.clone(),
    };
    Ok(Block::ToolCall {
        call_id: raw["id"].as_str().unwrap_or_default().to_owned(),
        name: name.to_owned(),
        input,
        raw: Some(raw),
    })
}

fn broken(message: &str) -> BackendError {
    let hint = "Resume to ask again.";
    BackendError::passing(ErrorCode::BackendBroken, message, hint)
}

fn unreadable(line: &[u8], error: &serde_json::Error) -> BackendError {
    if error.is_eof() {
        return ended_early();
    }
    BackendError::passing(
        ErrorCode::BackendBroken,
        "What came is not an answer of Ollama.",
        "Check live_agent.ollama.host: something else may answer there.",
    )
    .with_detail(&String::from_utf8_lossy(&line[..line.len().min(2000)]))
}

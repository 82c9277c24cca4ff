//! Reading Ollama's stream, line by line, however it is cut into chunks.

use super::super::failure::{BackendError, excerpt};
use super::super::{Delta, DeltaSink, ModelTurn};
use espalier_protocol::session::BackendSettings;
use espalier_protocol::worker::AgentNotice;
use espalier_protocol::{Block, Usage};
use serde_json::Value;

/// Bytes of one line; a server that sends more is no Ollama server.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// An answer as far as it has come.
#[derive(Default)]
pub struct Answer {
    unread: Vec<u8>,
    thinking: String,
    text: String,
    calls: Vec<(Option<String>, String, Value)>,
    last: Option<Value>,
}

impl Answer {
    /// Whether the line with `done: true` has come.
    pub fn is_done(&self) -> bool {
        self.last.is_some()
    }

    /// Takes in some bytes.
    pub fn take(&mut self, bytes: &[u8], sink: DeltaSink<'_>) -> Result<(), BackendError> {
        self.unread.extend_from_slice(bytes);
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            self.line(&line, sink)?;
        }
        if self.unread.len() > LONGEST_LINE {
            return Err(BackendError::Nonsense {
                said: "a line without end".to_owned(),
            });
        }
        Ok(())
    }

    /// The stream has ended: what is left may be a last line without a line end.
    pub fn end(&mut self, sink: DeltaSink<'_>) -> Result<(), BackendError> {
        let rest = std::mem::take(&mut self.unread);
        if serde_json::from_slice::<Value>(&rest).is_ok() {
            self.line(&rest, sink)?;
        } else if !rest.trim_ascii().is_empty() && self.is_empty() {
            return Err(nonsense(&rest));
        }
        if self.is_done() {
            Ok(())
        } else {
            Err(BackendError::Cut)
        }
    }

    fn is_empty(&self) -> bool {
        self.thinking.is_empty() && self.text.is_empty() && self.calls.is_empty()
    }

    fn line(&mut self, line: &[u8], sink: DeltaSink<'_>) -> Result<(), BackendError> {
        let line = line.trim_ascii();
        if line.is_empty() || self.is_done() {
            return Ok(());
        }
        let chunk: Value = serde_json::from_slice(line).map_err(|_| nonsense(line))?;
        if let Some(said) = chunk.get("error") {
            let said = said
                .as_str()
                .map_or_else(|| said.to_string(), str::to_owned);
            return Err(BackendError::InStream {
                said: excerpt(&said),
            });
        }
        let message = &chunk["message"];
        if let Some(thinking) = message["thinking"].as_str().filter(|text| !text.is_empty()) {
            self.thinking.push_str(thinking);
            sink(Delta::Thinking(thinking.to_owned()));
        }
        if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
            self.text.push_str(text);
            sink(Delta::Text(text.to_owned()));
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let function = &call["function"];
            let name = function["name"].as_str().unwrap_or_default().to_owned();
            let id = call["id"].as_str().filter(|id| !id.is_empty());
            self.calls.push((
                id.map(str::to_owned),
                name,
                arguments(&function["arguments"]),
            ));
        }
        if chunk["done"] == Value::Bool(true) {
            self.last = Some(chunk);
        }
        Ok(())
    }

    /// The whole answer. Calls without an id of the server's get one of ours.
    pub fn finish(
        self,
        calls_made: &mut u32,
        settings: &BackendSettings,
    ) -> Result<ModelTurn, BackendError> {
        let last = self.last.ok_or(BackendError::Cut)?;
        let count = |key: &str| {
            last[key]
                .as_u64()
                .map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX))
        };
        let usage = Usage {
            input_tokens: count("prompt_eval_count"),
            output_tokens: count("eval_count"),
            cached_tokens: 0,
        };
        let mut blocks = Vec::new();
        if !self.thinking.is_empty() {
            blocks.push(Block::Thinking {
                text: self.thinking,
                raw: None,
            });
        }
        if !self.text.is_empty() {
            blocks.push(Block::Text {
                text: self.text,
                raw: None,
            });
        }
        for (id, name, input) in self.calls {
            *calls_made += 1;
            blocks.push(Block::ToolCall {
                call_id: id
                    .unwrap_or_else(|| format!("call_{:x}_{calls_made}", std::process::id())),
                name,
                input,
                raw: None,
            });
        }
        let notices = notices(&last, usage, settings);
        Ok(ModelTurn {
            blocks,
            usage,
            notices,
        })
    }
}

/// Some servers send arguments as a JSON text.
fn arguments(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        Value::Null => Value::Object(serde_json::Map::new()),
        other => other.clone(),
    }
}

fn notices(last: &Value, usage: Usage, settings: &BackendSettings) -> Vec<AgentNotice> {
    let mut notices = Vec::new();
    if last["done_reason"] == "length" {
        notices.push(AgentNotice {
            code: "cut_at_length".to_owned(),
            text: "The model's answer was cut at its length limit (num_predict).".to_owned(),
        });
    }
    if let BackendSettings::Ollama {
        num_ctx: Some(window),
        ..
    } = settings
    {
        let used = u64::from(usage.input_tokens) + u64::from(usage.output_tokens);
        if used * 10 >= u64::from(*window) * 9 {
            notices.push(AgentNotice {
                code: "window_nearly_full".to_owned(),
                text: format!("{used} of {window} tokens of the context window are used; Ollama cuts what is over without a word."),
            });
        }
    }
    notices
}

fn nonsense(bytes: &[u8]) -> BackendError {
    BackendError::Nonsense {
        said: excerpt(&String::from_utf8_lossy(bytes)),
    }
}

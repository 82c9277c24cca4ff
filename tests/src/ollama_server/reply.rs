//! What the server says: a model's message in the form of the recorded streams, or one of the ways
//! in which a server fails.

use super::check::Turn;
use super::fixture::Exchange;
use crate::sending::{Gate, Part, Spoken};
use serde_json::{Value, json};

/// How a stream ends.
#[derive(Debug, Clone, Default)]
enum Ending {
    #[default]
    Done,
    /// It just ends, as when the engine crashed.
    Cut,
    /// It ends in the middle of a line.
    Half,
    /// The connection breaks.
    Break,
    /// Another line stands in place of the last one.
    Line(String),
}

/// How calls are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum CallStyle {
    /// With an id and an index, each in a chunk of its own.
    #[default]
    Recorded,
    OneChunk,
    /// As older servers and imitations write them: no id, no index.
    Bare,
    /// The same id each time, the arguments as a text.
    Sloppy,
}

/// A whole answer in place of a stream.
#[derive(Debug, Clone)]
struct Plain {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// One reply of the script.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    thinking: String,
    text: String,
    calls: Vec<(String, Value)>,
    style: CallStyle,
    ending: Ending,
    reason: Option<String>,
    tokens: Option<(u32, u32)>,
    gate: Option<(usize, Gate)>,
    line_end: Option<String>,
    piece: Option<usize>,
    plain: Option<Plain>,
    exchange: Option<Exchange>,
    silent: bool,
}

impl Reply {
    /// A message of words alone.
    pub fn say(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// A message with one tool call.
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::default().and_call(tool, arguments)
    }

    /// With one more tool call.
    #[must_use]
    pub fn and_call(mut self, tool: &str, arguments: Value) -> Self {
        self.calls.push((tool.to_owned(), arguments));
        self
    }

    /// With thinking before it.
    #[must_use]
    pub fn thinking(mut self, text: &str) -> Self {
        self.thinking = text.to_owned();
        self
    }

    /// With words before the calls.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = text.to_owned();
        self
    }

    /// All calls in one chunk.
    #[must_use]
    pub fn in_one_chunk(mut self) -> Self {
        self.style = CallStyle::OneChunk;
        self
    }

    /// Calls without id and index.
    #[must_use]
    pub fn without_ids(mut self) -> Self {
        self.style = CallStyle::Bare;
        self
    }

    /// Calls that all have the same id, with their arguments as a text. A text argument is sent as
    /// it is.
    #[must_use]
    pub fn sloppily(mut self) -> Self {
        self.style = CallStyle::Sloppy;
        self
    }

    /// With another `done_reason` than `stop`.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With these token counts: prompt, answer.
    #[must_use]
    pub fn tokens(mut self, prompt: u32, answer: u32) -> Self {
        self.tokens = Some((prompt, answer));
        self
    }

    /// The stream ends without its last line.
    #[must_use]
    pub fn cut_short(mut self) -> Self {
        self.ending = Ending::Cut;
        self
    }

    /// The stream ends in the middle of its last line.
    #[must_use]
    pub fn half_a_line(mut self) -> Self {
        self.ending = Ending::Half;
        self
    }

    /// The connection breaks before the last line.
    #[must_use]
    pub fn connection_lost(mut self) -> Self {
        self.ending = Ending::Break;
        self
    }

    /// An `{"error": …}` line stands in place of the last one.
    #[must_use]
    pub fn error_line(mut self, error: &str) -> Self {
        self.ending = Ending::Line(json!({"error": error}).to_string());
        self
    }

    /// This line stands in place of the last one.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.ending = Ending::Line(line.to_owned());
        self
    }

    /// What comes after the first `lines` lines waits for the gate.
    #[must_use]
    pub fn held_after(mut self, lines: usize, gate: &Gate) -> Self {
        self.gate = Some((lines, gate.clone()));
        self
    }

    /// Every line ends like this.
    #[must_use]
    pub fn lines_end(mut self, line_end: &str) -> Self {
        self.line_end = Some(line_end.to_owned());
        self
    }

    /// Sent in pieces of so many bytes, wherever they cut.
    #[must_use]
    pub fn in_pieces_of(mut self, bytes: usize) -> Self {
        self.piece = Some(bytes);
        self
    }

    /// A whole answer with that status.
    pub fn plain(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        let body = body.into();
        Self {
            plain: Some(Plain {
                status,
                headers,
                body,
            }),
            ..Self::default()
        }
    }

    /// A refusal in Ollama's form.
    pub fn refuse(status: u16, error: &str) -> Self {
        let body = json!({"error": error}).to_string();
        Self::plain(status, "application/json; charset=utf-8", body)
    }

    /// With one more header; for whole answers.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(plain) = &mut self.plain {
            plain.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Takes the request and says nothing, for ever.
    pub fn never() -> Self {
        Self {
            silent: true,
            ..Self::default()
        }
    }

    /// The answer of a recorded exchange.
    pub fn recorded(name: &str) -> Self {
        Self {
            exchange: Some(Exchange::load(name)),
            ..Self::default()
        }
    }

    /// The reply to a request, and what the model said in it, if it said it to the end. Calls are
    /// numbered from `first_call`.
    pub(super) fn spoken(self, body: &Value, first_call: u32) -> (Spoken, Option<Turn>) {
        if self.silent {
            let spoken = Spoken {
                silent: true,
                ..Spoken::default()
            };
            return (spoken, None);
        }
        if let Some(plain) = self.plain {
            let spoken = Spoken {
                status: plain.status,
                headers: plain.headers,
                parts: vec![Part::Bytes(plain.body)],
                silent: false,
            };
            return (spoken, None);
        }
        let (status, kind, lines, turn) = match &self.exchange {
            Some(recorded) => {
                let turn = Turn::of_lines(&recorded.lines);
                let kind = recorded.content_type.clone();
                (recorded.status, kind, recorded.lines.clone(), turn)
            }
            None => {
                let model = body["model"].as_str().unwrap_or_default();
                let (lines, turn) = self.lines(model, first_call);
                let turn = matches!(self.ending, Ending::Done).then_some(turn);
                (200, "application/x-ndjson".to_owned(), lines, turn)
            }
        };
        let spoken = Spoken {
            status,
            headers: vec![("content-type".to_owned(), kind)],
            parts: self.parts(lines),
            silent: false,
        };
        (spoken, turn)
    }

    fn lines(&self, model: &str, first_call: u32) -> (Vec<String>, Turn) {
        let chunk = |message: Value| json!({"model": model, "created_at": CREATED, "message": message, "done": false});
        let mut chunks = Vec::new();
        for piece in self.thinking.split_inclusive(' ') {
            let said = json!({"role": "assistant", "content": "", "thinking": piece});
            chunks.push(chunk(said));
        }
        for piece in self.text.split_inclusive(' ') {
            chunks.push(chunk(json!({"role": "assistant", "content": piece})));
        }
        let calls: Vec<Value> = (first_call..)
            .zip(&self.calls)
            .enumerate()
            .map(|(index, (number, (name, arguments)))| {
                self.written(index, number, name, arguments)
            })
            .collect();
        let with =
            |calls: &[Value]| json!({"role": "assistant", "content": "", "tool_calls": calls});
        if self.style == CallStyle::OneChunk {
            chunks.push(chunk(with(&calls)));
        } else {
            chunks.extend(
                calls
                    .iter()
                    .map(|call| chunk(with(std::slice::from_ref(call)))),
            );
        }
        let mut lines: Vec<String> = chunks.iter().map(Value::to_string).collect();
        match &self.ending {
            Ending::Done | Ending::Half => lines.push(self.last_line(model)),
            Ending::Line(line) => lines.push(line.clone()),
            Ending::Cut | Ending::Break => {}
        }
        let turn = Turn {
            thinking: self.thinking.clone(),
            text: self.text.clone(),
            calls,
        };
        (lines, turn)
    }

    fn written(&self, index: usize, number: u32, name: &str, arguments: &Value) -> Value {
        match self.style {
            CallStyle::Recorded | CallStyle::OneChunk => json!({
                "id": format!("call_{:08x}", number.wrapping_add(1).wrapping_mul(0x9e37_79b1)),
                "function": {"index": index, "name": name, "arguments": arguments},
            }),
            CallStyle::Bare => json!({"function": {"name": name, "arguments": arguments}}),
            CallStyle::Sloppy => {
                let text = match arguments {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                json!({"id": "call_0", "function": {"name": name, "arguments": text}})
            }
        }
    }

    fn last_line(&self, model: &str) -> String {
        let (prompt, answer) = self.tokens.unwrap_or((276, 23));
        json!({
            "model": model, "created_at": CREATED,
            "message": {"role": "assistant", "content": ""},
            "done": true, "done_reason": self.reason.as_deref().unwrap_or("stop"),
            "total_duration": 278_568_853, "load_duration": 2_443_776,
            "prompt_eval_count": prompt, "prompt_eval_duration": 12_500_000,
            "eval_count": answer, "eval_duration": 230_000_000,
        })
        .to_string()
    }

    fn parts(&self, mut lines: Vec<String>) -> Vec<Part> {
        let end = self.line_end.as_deref().unwrap_or("\n");
        let half = matches!(self.ending, Ending::Half)
            .then(|| lines.pop())
            .flatten();
        let mut lines: Vec<Vec<u8>> = lines
            .into_iter()
            .map(|line| format!("{line}{end}").into_bytes())
            .collect();
        lines.extend(half.map(|half| half.as_bytes()[..half.len() / 2].to_vec()));
        let mut parts: Vec<Part> = match self.piece {
            Some(size) => lines
                .concat()
                .chunks(size)
                .map(|piece| Part::Bytes(piece.to_vec()))
                .collect(),
            None => lines.into_iter().map(Part::Bytes).collect(),
        };
        if let Some((at, gate)) = &self.gate {
            parts.insert((*at).min(parts.len()), Part::Wait(gate.clone()));
        }
        if matches!(self.ending, Ending::Break) {
            parts.push(Part::Break);
        }
        parts
    }
}

const CREATED: &str = "2026-11-22T10:06:29.693402847Z";

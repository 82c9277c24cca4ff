//! What the server says: a model's message as a stream of the API's events, or one of the ways in
//! which a server fails.

use super::cache::Counted;
use super::check::Turn;
use crate::sending::{Gate, Part, Spoken};
use serde_json::{Value, json};

mod events;

/// How a stream ends.
#[derive(Debug, Clone, Default)]
enum Ending {
    #[default]
    Stop,
    /// It just ends, before `message_stop`.
    Cut,
    /// It ends in the middle of its last event.
    Half,
    /// The connection breaks.
    Break,
    /// Another event stands in place of the last ones.
    Event(String, String),
    /// The last piece of the last block comes again and again.
    Never,
}

/// A block of a message.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Thinking(String),
    Call(String, Written),
    /// A block that comes whole with its start.
    Whole(Value),
}

/// The arguments of a call as they are written.
#[derive(Debug, Clone)]
enum Written {
    Json(Value),
    /// These characters, whatever they are.
    Raw(String),
    /// No delta at all.
    Nothing,
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
    pieces: Vec<Piece>,
    ending: Ending,
    reason: Option<String>,
    stop_details: Option<Value>,
    unsigned: bool,
    last_block_open: bool,
    odd: bool,
    gate: Option<(usize, Gate)>,
    line_end: Option<String>,
    piece: Option<usize>,
    plain: Option<Plain>,
    silent: bool,
    /// Thinking that was said so far is refused from here on.
    pub(super) unbinds: bool,
}

/// The body of an error in the API's form.
pub(super) fn error_body(kind: &str, said: &str) -> Value {
    let error = json!({"type": kind, "message": said});
    json!({"type": "error", "error": error, "request_id": "req_scripted"})
}

impl Reply {
    /// A message of words alone.
    pub fn say(text: &str) -> Self {
        Self::default().text(text)
    }

    /// A message with one tool call.
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::default().and_call(tool, arguments)
    }

    /// A message that begins with thinking.
    pub fn thinking(text: &str) -> Self {
        Self::default().with(Piece::Thinking(text.to_owned()))
    }

    fn with(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }

    /// With words next.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.with(Piece::Text(text.to_owned()))
    }

    /// With a tool call next.
    #[must_use]
    pub fn and_call(self, tool: &str, arguments: Value) -> Self {
        self.with(Piece::Call(tool.to_owned(), Written::Json(arguments)))
    }

    /// With a tool call next whose arguments are these characters.
    #[must_use]
    pub fn and_raw_call(self, tool: &str, arguments: &str) -> Self {
        let raw = Written::Raw(arguments.to_owned());
        self.with(Piece::Call(tool.to_owned(), raw))
    }

    /// With a tool call next that has no arguments and says so by no delta.
    #[must_use]
    pub fn and_bare_call(self, tool: &str) -> Self {
        self.with(Piece::Call(tool.to_owned(), Written::Nothing))
    }

    /// With thinking next that only the server can read.
    #[must_use]
    pub fn redacted(self, data: &str) -> Self {
        self.block(json!({"type": "redacted_thinking", "data": data}))
    }

    /// With this block next, whole.
    #[must_use]
    pub fn block(self, block: Value) -> Self {
        self.with(Piece::Whole(block))
    }

    /// Thinking without signatures, as Ollama sends it.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// The last block has no end.
    #[must_use]
    pub fn last_block_open(mut self) -> Self {
        self.last_block_open = true;
        self
    }

    /// With events, deltas and fields that nobody knows.
    #[must_use]
    pub fn with_oddities(mut self) -> Self {
        self.odd = true;
        self
    }

    /// With another stop reason than the usual.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// A refusal by the model itself.
    #[must_use]
    pub fn declined(mut self, category: &str, explanation: &str) -> Self {
        self.stop_details =
            Some(json!({"type": "refusal", "category": category, "explanation": explanation}));
        self.because("refusal")
    }

    /// The stream ends without its last event.
    #[must_use]
    pub fn cut_short(mut self) -> Self {
        self.ending = Ending::Cut;
        self
    }

    /// The stream ends in the middle of its last event.
    #[must_use]
    pub fn half_an_event(mut self) -> Self {
        self.ending = Ending::Half;
        self
    }

    /// The connection breaks before the last event.
    #[must_use]
    pub fn connection_lost(mut self) -> Self {
        self.ending = Ending::Break;
        self
    }

    /// The last piece of the last block comes again and again.
    #[must_use]
    pub fn for_ever(mut self) -> Self {
        self.ending = Ending::Never;
        self.last_block_open = true;
        self
    }

    /// An `error` event stands in place of the last ones.
    #[must_use]
    pub fn error_event(self, kind: &str, said: &str) -> Self {
        self.event("error", &error_body(kind, said).to_string())
    }

    /// This event stands in place of the last ones.
    #[must_use]
    pub fn event(mut self, name: &str, data: &str) -> Self {
        self.ending = Ending::Event(name.to_owned(), data.to_owned());
        self
    }

    /// What comes after the first `events` events waits for the gate.
    #[must_use]
    pub fn held_after(mut self, events: usize, gate: &Gate) -> Self {
        self.gate = Some((events, gate.clone()));
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

    /// A refusal in the API's form.
    pub fn refuse(status: u16, kind: &str, said: &str) -> Self {
        let body = error_body(kind, said).to_string();
        Self::plain(status, "application/json", body).header("request-id", "req_scripted")
    }

    /// The refusal of thinking that was said before something in front of it changed. From here on
    /// none of it may come back.
    pub fn refuse_thinking() -> Self {
        let said = "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound \
             to a different conversation. Remove the block, or set \
             `thinking.block_binding.prefix_mismatch_behavior` to \"drop_block\".";
        Self {
            unbinds: true,
            ..Self::refuse(400, "invalid_request_error", said)
        }
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

    /// The reply to request `number`, and what the model said in it, if it said it to the end.
    pub(super) fn spoken(self, number: usize, counted: Counted) -> (Spoken, Option<Turn>) {
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
        let (events, turn) = self.events(number, counted);
        let over = matches!(self.ending, Ending::Stop) && !self.last_block_open;
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let spoken = Spoken {
            status: 200,
            headers: vec![
                header("content-type", "text/event-stream; charset=utf-8"),
                header("request-id", "req_scripted"),
            ],
            parts: self.parts(&events),
            silent: false,
        };
        (spoken, over.then_some(turn))
    }

    fn parts(&self, events: &[(String, String)]) -> Vec<Part> {
        let end = self.line_end.as_deref().unwrap_or("\n");
        let mut written: Vec<Vec<u8>> = events
            .iter()
            .map(|(name, data)| format!("event: {name}{end}data: {data}{end}{end}").into_bytes())
            .collect();
        if let (Ending::Half, Some(last)) = (&self.ending, written.last_mut()) {
            last.truncate(last.len() / 2);
        }
        let mut parts: Vec<Part> = match self.piece {
            Some(size) => written
                .concat()
                .chunks(size)
                .map(|piece| Part::Bytes(piece.to_vec()))
                .collect(),
            None => written.into_iter().map(Part::Bytes).collect(),
        };
        if let Some((at, gate)) = &self.gate {
            parts.insert((*at).min(parts.len()), Part::Wait(gate.clone()));
        }
        match (&self.ending, parts.last()) {
            (Ending::Break, _) => parts.push(Part::Break),
            (Ending::Never, Some(Part::Bytes(last))) => {
                parts.push(Part::Endless(last.clone().into()));
            }
            _ => {}
        }
        parts
    }
}

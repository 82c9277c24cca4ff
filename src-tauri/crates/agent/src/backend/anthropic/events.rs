//! The server-sent events of an answer, cut out of its bytes.

use crate::backend::BackendError;
use crate::backend::lines::Lines;
use bytes::{Bytes, BytesMut};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its `event` field; empty where there is none.
    pub(super) name: String,
    /// Its `data` fields, joined by line ends.
    pub(super) data: Bytes,
}

/// Bytes in, events out. Holds no more than the event that is coming.
#[derive(Debug, Default)]
pub(super) struct Events {
    lines: Lines,
    name: String,
    data: BytesMut,
    /// Whether a `data` field came, also an empty one.
    has_data: bool,
}

impl Events {
    /// Takes what came.
    ///
    /// # Errors
    /// A line is longer than any answer.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), BackendError> {
        self.lines.push(chunk)
    }

    /// The next whole event.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        while let Some(line) = self.lines.next_line() {
            if let Some(event) = self.take(&line) {
                return Some(event);
            }
        }
        None
    }

    /// The event that the end of the stream found without the empty line after it.
    pub(super) fn last(&mut self) -> Option<Event> {
        let rest = self.lines.rest();
        self.take(&rest).or_else(|| self.dispatch())
    }

    fn take(&mut self, line: &[u8]) -> Option<Event> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return self.dispatch();
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if self.has_data {
                    self.data.extend_from_slice(b"\n");
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            // Comments, and fields that say nothing of the message.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.split().freeze();
        std::mem::take(&mut self.has_data).then_some(Event { name, data })
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;

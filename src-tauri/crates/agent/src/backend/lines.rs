//! A stream of bytes cut into lines, wherever the network cut it.

use crate::backend::BackendError;
use bytes::{Bytes, BytesMut};
use espalier_protocol::ErrorCode;

/// A whole file can stand in one line as the argument of a call; more than this is no answer.
const MAX_LINE: usize = 16 << 20;

#[derive(Debug, Default)]
pub(crate) struct Lines {
    bytes: BytesMut,
    /// Bytes that are known to hold no line end.
    searched: usize,
}

impl Lines {
    /// Takes what came.
    ///
    /// # Errors
    /// The line is longer than any answer.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), BackendError> {
        self.bytes.extend_from_slice(chunk);
        if self.bytes.len() <= MAX_LINE || self.has_line() {
            return Ok(());
        }
        Err(BackendError::lasting(
            ErrorCode::BackendBroken,
            format!("The server sent a line of more than {} MB.", MAX_LINE >> 20),
            "Check the address: something else than a model server may answer there.",
        ))
    }

    fn has_line(&self) -> bool {
        memchr::memchr(b'\n', &self.bytes[self.searched..]).is_some()
    }

    /// The next whole line without its end.
    pub(crate) fn next_line(&mut self) -> Option<Bytes> {
        let Some(at) = memchr::memchr(b'\n', &self.bytes[self.searched..]) else {
            self.searched = self.bytes.len();
            return None;
        };
        let line = self.bytes.split_to(self.searched + at + 1).freeze();
        self.searched = 0;
        Some(line.slice(..line.len() - 1))
    }

    /// What came after the last line end.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.searched = 0;
        self.bytes.split().freeze()
    }
}

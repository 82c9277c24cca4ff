//! What a model reads of an output: all of a short one, beginning and end of a long one.

use super::super::wording::counted;

/// Bytes kept from the beginning of a long output.
const HEAD: usize = 10_000;
/// Bytes kept from its end, where compilers and test programs put what matters.
const TAIL: usize = 20_000;
/// The longest output that is read whole.
const WHOLE: usize = HEAD + TAIL;

/// An output as it grows, in flat memory.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    head: String,
    tail: String,
    /// What was cut between the two.
    cut_bytes: usize,
    cut_lines: usize,
}

impl Transcript {
    pub(super) fn push(&mut self, mut text: &str) {
        if self.tail.is_empty() && self.head.len() < HEAD {
            let at = text.floor_char_boundary(HEAD - self.head.len());
            self.head.push_str(&text[..at]);
            text = &text[at..];
        }
        self.tail.push_str(text);
        // Cut rarely, so that each byte is moved a bounded number of times.
        if self.tail.len() > 4 * TAIL {
            self.cut(TAIL);
        }
    }

    /// Whether the model will not read all of it.
    pub(super) fn is_long(&self) -> bool {
        self.cut_bytes > 0 || self.head.len() + self.tail.len() > WHOLE
    }

    /// The text for the model.
    pub(super) fn finish(mut self) -> String {
        if !self.is_long() {
            return self.head + &self.tail;
        }
        self.cut(TAIL);
        // Whole lines on both sides of the gap, unless a line is enormous.
        if let Some(at) = self.head.rfind('\n').filter(|at| *at > HEAD / 2) {
            self.count(self.head[at + 1..].len(), 0);
            self.head.truncate(at + 1);
        }
        if let Some(at) = self.tail.find('\n').filter(|at| *at < TAIL / 2) {
            self.count(at + 1, 1);
            self.tail.drain(..=at);
        }
        let line_end = if self.head.ends_with('\n') { "" } else { "\n" };
        format!(
            "{}{line_end}[… {}, {} left out here. To see them, run the command again through \
             grep, head or tail, or into a file. …]\n{}",
            self.head,
            counted(self.cut_lines as u64, "line"),
            counted(self.cut_bytes as u64, "byte"),
            self.tail
        )
    }

    fn cut(&mut self, keep: usize) {
        let from = self.tail.len().saturating_sub(keep);
        let at = self.tail.ceil_char_boundary(from);
        let lines = memchr::memchr_iter(b'\n', &self.tail.as_bytes()[..at]).count();
        self.count(at, lines);
        self.tail.drain(..at);
    }

    fn count(&mut self, bytes: usize, lines: usize) {
        self.cut_bytes += bytes;
        self.cut_lines += lines;
    }
}

//! A window on the lines of a text that arrives in pieces.

use super::super::text::LineEnds;
use super::super::wording::counted;
use super::{MAX_BYTES, MAX_LINE};

/// Collects the numbered lines from `first` on, and counts all.
pub(super) struct Window {
    first: u64,
    limit: u64,
    text: String,
    shown: u64,
    /// Complete lines seen, and the last one once `end` was called.
    seen: u64,
    ends: LineEnds,
    /// The line being read, clipped.
    line: String,
    /// Characters of it, all counted.
    length: usize,
    /// Whether its last character was a carriage return.
    returned: bool,
    overflowed: bool,
    ended: bool,
}

impl Window {
    pub(super) fn new(first: u64, limit: u64) -> Self {
        Self {
            first,
            limit,
            text: String::new(),
            shown: 0,
            seen: 0,
            ends: LineEnds::default(),
            line: String::new(),
            length: 0,
            returned: false,
            overflowed: false,
            ended: false,
        }
    }

    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &str) {
        let mut rest = piece;
        while let Some((line, after)) = rest.split_once('\n') {
            self.extend(line);
            self.finish_line();
            rest = after;
        }
        self.extend(rest);
    }

    /// Says that no more comes.
    pub(super) fn end(&mut self) {
        if self.length > 0 {
            self.take_line(self.length);
        }
        self.ended = true;
    }

    fn extend(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        self.returned = part.ends_with('\r');
        let wanted = self.wants() && self.length < MAX_LINE;
        if wanted {
            let room = MAX_LINE - self.length;
            let cut = part
                .char_indices()
                .nth(room)
                .map_or(part.len(), |(at, _)| at);
            self.line.push_str(&part[..cut]);
        }
        self.length += part.chars().count();
    }

    fn finish_line(&mut self) {
        let mut length = self.length;
        if self.returned {
            self.ends.crlf += 1;
            length -= 1;
            if self.length <= MAX_LINE && self.line.ends_with('\r') {
                self.line.pop();
            }
        } else {
            self.ends.lf += 1;
        }
        self.take_line(length);
    }

    fn take_line(&mut self, length: usize) {
        self.seen += 1;
        if self.wants_number(self.seen) {
            let clipped = length.saturating_sub(MAX_LINE);
            let mut row = format!("{:>6}\t{}", self.seen, self.line);
            if clipped > 0 {
                let more = counted(clipped as u64, "more character");
                row.push_str(&format!(" [… {more}]"));
            }
            row.push('\n');
            // The first line always comes, or a call could return nothing for ever.
            if self.shown > 0 && self.text.len() + row.len() > MAX_BYTES {
                self.overflowed = true;
            } else {
                self.text.push_str(&row);
                self.shown += 1;
            }
        }
        self.line.clear();
        self.length = 0;
        self.returned = false;
    }

    fn wants(&self) -> bool {
        self.wants_number(self.seen + 1)
    }

    fn wants_number(&self, number: u64) -> bool {
        number >= self.first && self.shown < self.limit && !self.overflowed
    }

    pub(super) fn is_full(&self) -> bool {
        self.shown >= self.limit || self.overflowed
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn shown(&self) -> u64 {
        self.shown
    }

    pub(super) fn last_shown(&self) -> u64 {
        self.first + self.shown - 1
    }

    pub(super) fn lines_seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn line_ends(&self) -> LineEnds {
        self.ends
    }

    /// Whether the text was read to its end.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }
}

//! What a search has found so far, up to its caps.

use super::super::wording::counted;
use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};
use std::io;
use tokio_util::sync::CancellationToken;

/// Bytes of text that one search returns.
const MAX_BYTES: usize = 30_000;
/// Characters of one line that are shown.
const MAX_LINE: usize = 500;

/// What a search returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Lines,
    Files,
    Count,
}

/// Collects what a searcher finds, file after file.
pub(super) struct Hits<'a> {
    mode: Mode,
    limit: u64,
    /// What stands between the lines of two files.
    between: &'static str,
    stop: &'a CancellationToken,
    text: String,
    /// The file being searched, and its matching lines.
    file: String,
    in_file: u64,
    /// Its text so far; dropped again when the file turns out to be binary.
    lines: String,
    binary: bool,
    /// Matching lines in all, and files with any.
    matched: u64,
    files: u64,
    full: bool,
}

impl<'a> Hits<'a> {
    pub(super) fn new(
        mode: Mode,
        limit: u64,
        between: &'static str,
        stop: &'a CancellationToken,
    ) -> Self {
        Self {
            mode,
            limit,
            between,
            stop,
            text: String::new(),
            file: String::new(),
            in_file: 0,
            lines: String::new(),
            binary: false,
            matched: 0,
            files: 0,
            full: false,
        }
    }

    /// Says which file the next lines come from.
    pub(super) fn begin(&mut self, file: String) {
        self.file = file;
        self.in_file = 0;
        self.lines.clear();
        self.binary = false;
    }

    /// Says that the file is through.
    pub(super) fn end(&mut self) {
        if self.binary || self.in_file == 0 {
            return;
        }
        self.files += 1;
        self.matched += self.in_file;
        match self.mode {
            Mode::Lines => {
                if !self.text.is_empty() {
                    self.text.push_str(self.between);
                }
                self.text.push_str(&self.lines);
            }
            Mode::Files => self.text.push_str(&format!("{}\n", self.file)),
            Mode::Count => self
                .text
                .push_str(&format!("{}:{}\n", self.file, self.in_file)),
        }
        if self.mode != Mode::Lines && self.files >= self.limit {
            self.full = true;
        }
        if self.text.len() >= MAX_BYTES {
            self.full = true;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files == 0
    }

    pub(super) fn finish(mut self) -> String {
        if self.full {
            self.text.push_str(&format!(
                "[Stopped after {} in {}; there may be more. Narrow with `path`, `glob` or a \
                 longer pattern, or raise `limit`.]\n",
                counted(self.matched, "matching line"),
                counted(self.files, "file")
            ));
        } else if self.mode == Mode::Count {
            self.text.push_str(&format!(
                "[{} in {}]\n",
                counted(self.matched, "matching line"),
                counted(self.files, "file")
            ));
        }
        self.text
    }

    fn line(&mut self, number: Option<u64>, mark: char, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let number = number.unwrap_or_default();
        let row = format!("{}{mark}{number}{mark}", self.file);
        self.lines.push_str(&row);
        match text.char_indices().nth(MAX_LINE) {
            None => self.lines.push_str(text),
            Some((at, _)) => {
                let more = counted(text[at..].chars().count() as u64, "more character");
                self.lines.push_str(&text[..at]);
                self.lines.push_str(&format!(" [… {more}]"));
            }
        }
        self.lines.push('\n');
    }
}

impl Sink for Hits<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        if self.mode == Mode::Lines && self.matched + self.in_file >= self.limit {
            self.full = true;
            return Ok(false);
        }
        self.in_file += 1;
        match self.mode {
            Mode::Lines => self.line(found.line_number(), ':', found.bytes()),
            Mode::Files => return Ok(false),
            Mode::Count => {}
        }
        if self.text.len() + self.lines.len() > MAX_BYTES {
            self.full = true;
        }
        Ok(!self.full)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> Result<bool, io::Error> {
        if self.mode == Mode::Lines {
            self.line(context.line_number(), '-', context.bytes());
        }
        Ok(!self.stop.is_cancelled())
    }

    fn context_break(&mut self, _: &Searcher) -> Result<bool, io::Error> {
        if self.mode == Mode::Lines {
            self.lines.push_str("--\n");
        }
        Ok(true)
    }

    fn binary_data(&mut self, _: &Searcher, _: u64) -> Result<bool, io::Error> {
        self.binary = true;
        Ok(false)
    }

    fn finish(&mut self, _: &Searcher, done: &SinkFinish) -> Result<(), io::Error> {
        self.binary |= done.binary_byte_offset().is_some();
        Ok(())
    }
}

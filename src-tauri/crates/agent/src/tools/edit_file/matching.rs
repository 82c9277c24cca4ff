//! Finding a text whatever its line ends, and replacing it without touching theirs.

use super::super::text::LineEnds;
use memchr::memmem::Finder;
use std::borrow::Cow;

/// A text as models write it: lines end with LF.
pub(super) fn normalised(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n")
}

/// A file's working form with every CRLF as LF, and where they were.
pub(super) struct Flat {
    bytes: Vec<u8>,
    /// Places in `bytes` of the LFs that stand for a CRLF, ascending.
    crlf: Vec<usize>,
    ends: LineEnds,
}

impl Flat {
    pub(super) fn new(working: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(working.len());
        let mut crlf = Vec::new();
        let mut rest = working;
        while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
            bytes.extend_from_slice(&rest[..at]);
            crlf.push(bytes.len());
            bytes.push(b'\n');
            rest = &rest[at + 2..];
        }
        bytes.extend_from_slice(rest);
        Self {
            bytes,
            crlf,
            ends: LineEnds::of(working),
        }
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Where `old` begins, each place after the end of the one before.
    pub(super) fn places(&self, old: &str) -> Vec<usize> {
        Finder::new(old).find_iter(&self.bytes).collect()
    }

    /// Where `old` begins, overlapping places too; no more than `most`.
    pub(super) fn overlapping_places(&self, old: &str, most: usize) -> Vec<usize> {
        let finder = Finder::new(old);
        let mut places = Vec::new();
        let mut from = 0;
        while places.len() < most
            && let Some(at) = finder.find(&self.bytes[from..])
        {
            places.push(from + at);
            from += at + 1;
        }
        places
    }

    /// The number of the line that holds this place, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        1 + memchr::memchr_iter(b'\n', &self.bytes[..at]).count()
    }

    /// The working form with `old` at these places replaced.
    ///
    /// What old and new text have in common at their ends keeps its bytes; new lines between end
    /// as the lines they replace do, or else as most lines of the file.
    pub(super) fn replace(
        &self,
        working: &[u8],
        places: &[usize],
        old: &str,
        new: &str,
    ) -> Vec<u8> {
        let (front, back) = common_ends(old.as_bytes(), new.as_bytes());
        let middle = &new[front..new.len() - back];
        let mut edited = Vec::with_capacity(working.len() + places.len() * new.len());
        let mut copied = 0;
        for &at in places {
            let from = self.in_working(at + front);
            let to = self.in_working(at + old.len() - back);
            edited.extend_from_slice(&working[copied..from]);
            edited.extend_from_slice(
                middle
                    .replace('\n', self.line_end_at(at, old.len()))
                    .as_bytes(),
            );
            copied = to;
        }
        edited.extend_from_slice(&working[copied..]);
        edited
    }

    /// The edited text with plain line ends, for showing.
    pub(super) fn edited_text(&self, places: &[usize], old: &str, new: &str) -> String {
        let mut edited = Vec::new();
        let mut copied = 0;
        for &at in places {
            edited.extend_from_slice(&self.bytes[copied..at]);
            edited.extend_from_slice(new.as_bytes());
            copied = at + old.len();
        }
        edited.extend_from_slice(&self.bytes[copied..]);
        String::from_utf8_lossy(&edited).into_owned()
    }

    fn in_working(&self, flat: usize) -> usize {
        flat + self.crlf.partition_point(|crlf| *crlf < flat)
    }

    fn line_end_at(&self, at: usize, length: usize) -> &'static str {
        let crlf = self.crlf.partition_point(|place| *place < at + length)
            - self.crlf.partition_point(|place| *place < at);
        let all = memchr::memchr_iter(b'\n', &self.bytes[at..at + length]).count();
        let region = LineEnds {
            lf: all - crlf,
            crlf,
        };
        if all == 0 { self.ends } else { region }.usual()
    }
}

/// How many bytes two texts share at the front and, apart from those, at the back; cut so that
/// no character is divided.
fn common_ends(old: &[u8], new: &[u8]) -> (usize, usize) {
    let starts_character = |byte: Option<&u8>| byte.is_none_or(|byte| (byte & 0xc0) != 0x80);
    let mut front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    while !starts_character(old.get(front)) || !starts_character(new.get(front)) {
        front -= 1;
    }
    let shorter = old.len().min(new.len()) - front;
    let mut back = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(shorter)
        .take_while(|(a, b)| a == b)
        .count();
    while !starts_character(new.get(new.len() - back)) {
        back -= 1;
    }
    (front, back)
}

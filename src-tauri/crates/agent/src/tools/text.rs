//! Files as text: which encoding a file is in, and the way there and back.
//!
//! The working form is UTF-8 with the file's own line ends. A UTF-8 file is worked on as its very
//! bytes, so that even damaged ones survive an edit elsewhere in the file.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How many bytes of a file are looked at to tell text from binary.
const BINARY_SAMPLE: usize = 8 * 1024;

/// How a text file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextForm {
    pub(crate) encoding: &'static Encoding,
    /// Bytes of the byte order mark; 0 without one.
    pub(crate) mark: usize,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Text(TextForm),
    /// Not text; in words.
    Binary(&'static str),
}

/// Beginnings by which common binary formats are known.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG", "PNG image"),
    (b"GIF8", "GIF image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"RIFF", "RIFF media"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"\x7fELF", "ELF program"),
    (b"\0asm", "WebAssembly module"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O program"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"wOF2", "WOFF2 font"),
];

/// How much of a file a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    Beginning,
}

/// Tells what a file holds.
pub(crate) fn recognise(sample: &[u8], extent: Extent) -> Content {
    if sample.starts_with(b"\xff\xfe\0\0") || sample.starts_with(b"\0\0\xfe\xff") {
        return Content::Binary("UTF-32 text");
    }
    if let Some((encoding, mark)) = Encoding::for_bom(sample) {
        return Content::Text(TextForm { encoding, mark });
    }
    let start = &sample[..sample.len().min(BINARY_SAMPLE)];
    let magic = MAGIC.iter().find(|(magic, _)| start.starts_with(magic));
    match magic {
        // Some of the beginnings are plain letters that a text may begin with, too.
        Some((_, kind)) if !is_ascii_text(start) => return Content::Binary(kind),
        _ if start.contains(&0) || mostly_control(start) => return Content::Binary("binary"),
        _ => {}
    }
    Content::Text(TextForm {
        encoding: without_mark(sample, extent),
        mark: 0,
    })
}

fn is_ascii_text(bytes: &[u8]) -> bool {
    !bytes.starts_with(b"%PDF-") && bytes.is_ascii() && !bytes.contains(&0)
}

fn mostly_control(bytes: &[u8]) -> bool {
    let control = bytes
        .iter()
        .filter(|byte| {
            **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b)
        })
        .count();
    control * 10 > bytes.len()
}

/// The encoding of a text without a mark: UTF-8 where it is, even slightly damaged, else a guess
/// at the legacy encoding.
fn without_mark(sample: &[u8], extent: Extent) -> &'static Encoding {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    let mut rest = sample;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                whole += beyond_ascii(text.as_bytes());
                break;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                whole += beyond_ascii(good);
                let Some(length) = error.error_len() else {
                    // A sequence that only the end of the sample cuts is no damage.
                    broken += usize::from(extent == Extent::Whole);
                    break;
                };
                broken += 1;
                rest = &bad[length..];
            }
        }
    }
    if broken == 0 || whole > broken * 4 {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// How many characters beyond ASCII begin in a valid UTF-8 text.
fn beyond_ascii(valid: &[u8]) -> usize {
    valid.iter().filter(|byte| **byte >= 0xc0).count()
}

impl TextForm {
    /// In words, where it is worth saying: anything but plain UTF-8.
    pub(crate) fn noteworthy(self) -> Option<String> {
        match (self.encoding == UTF_8, self.mark) {
            (true, 0) => None,
            (true, _) => Some("UTF-8 with byte order mark".to_owned()),
            (false, 0) => Some(self.encoding.name().to_owned()),
            (false, _) => Some(format!("{} with byte order mark", self.encoding.name())),
        }
    }

    /// A decoder for the bytes after the mark.
    pub(crate) fn decoder(self) -> Decoder {
        self.encoding.new_decoder_without_bom_handling()
    }

    /// The working form of a whole file; nothing when the way back would not give the same bytes.
    pub(crate) fn to_working(self, file: &[u8]) -> Option<Vec<u8>> {
        let body = file.get(self.mark..)?;
        if self.encoding == UTF_8 {
            return Some(body.to_vec());
        }
        let (text, _) = self.encoding.decode_without_bom_handling(body);
        let working = text.into_owned().into_bytes();
        let back = self.encode(&working).ok()?;
        (back == body).then_some(working)
    }

    /// The whole file of a working form.
    ///
    /// # Errors
    /// The first character that the file's encoding cannot hold.
    pub(crate) fn to_file(self, file: &[u8], working: &[u8]) -> Result<Vec<u8>, char> {
        let mut bytes = file[..self.mark.min(file.len())].to_vec();
        bytes.extend(self.encode(working)?);
        Ok(bytes)
    }

    fn encode(self, working: &[u8]) -> Result<Vec<u8>, char> {
        if self.encoding == UTF_8 {
            return Ok(working.to_vec());
        }
        let text = String::from_utf8_lossy(working);
        if self.encoding == UTF_16LE {
            return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        if self.encoding == UTF_16BE {
            return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        }
        let (bytes, _, unmappable) = self.encoding.encode(&text);
        if unmappable {
            let culprit = text.chars().find(|c| self.cannot_hold(*c));
            return Err(culprit.unwrap_or('\u{fffd}'));
        }
        Ok(bytes.into_owned())
    }

    fn cannot_hold(self, character: char) -> bool {
        let mut buffer = [0; 4];
        self.encoding.encode(character.encode_utf8(&mut buffer)).2
    }
}

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LineEnds {
    pub(crate) lf: usize,
    pub(crate) crlf: usize,
}

impl LineEnds {
    /// Counts them.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut ends = Self::default();
        for at in memchr::memchr_iter(b'\n', text) {
            if at > 0 && text[at - 1] == b'\r' {
                ends.crlf += 1;
            } else {
                ends.lf += 1;
            }
        }
        ends
    }

    /// What a new line is to end with.
    pub(crate) fn usual(self) -> &'static str {
        if self.crlf > self.lf { "\r\n" } else { "\n" }
    }

    /// In words, where it is worth saying: anything but plain LF.
    pub(crate) fn noteworthy(self) -> Option<&'static str> {
        match (self.lf, self.crlf) {
            (_, 0) => None,
            (0, _) => Some("CRLF line ends"),
            _ => Some("mixed LF and CRLF line ends"),
        }
    }
}

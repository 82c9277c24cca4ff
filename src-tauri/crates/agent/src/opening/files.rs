//! A task's files as a model reads them.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

/// Bytes of a file that go into the message. More fits no model beside the work itself.
const MAX_BYTES: u64 = 256 * 1024;

/// A path by which two spellings of one file are known for the same: `./a//b` is `a/b`.
pub(super) fn plain(path: &str) -> String {
    let parts = Path::new(path)
        .components()
        .filter(|part| *part != Component::CurDir);
    let path: std::path::PathBuf = parts.collect();
    path.to_string_lossy().into_owned()
}

/// The file with its path, between fences that its content does not hold.
pub(super) fn fenced(project: &Path, name: &str) -> io::Result<String> {
    let mut file = File::open(project.join(name))?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    (&mut file).take(MAX_BYTES).read_to_end(&mut bytes)?;
    let size = size.max(bytes.len() as u64);
    let heading = format!("`{name}`");
    if bytes.is_empty() {
        return Ok(format!("{heading} is empty."));
    }
    let cut = size > bytes.len() as u64;
    let Some(text) = decoded(&bytes, cut) else {
        return Ok(format!(
            "{heading} is binary, {size} bytes; its content is not shown."
        ));
    };
    let note = if cut {
        format!(
            "\n[`{name}` goes on: these are the first {MAX_BYTES} of {size} bytes. Read the rest with \
             read_file.]"
        )
    } else {
        String::new()
    };
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{heading}:\n{fence}\n{text}{end}{fence}{note}"))
}

/// The text in whatever encoding it is; nothing for a binary file.
fn decoded(bytes: &[u8], cut: bool) -> Option<String> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Some(encoding.decode(bytes).0.into_owned());
    }
    if bytes.contains(&0) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.to_owned()),
        // A character that only the cap cut in two is no damage.
        Err(error) if cut && error.error_len().is_none() => {
            let whole = &bytes[..error.valid_up_to()];
            Some(String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            detector.feed(bytes, true);
            let encoding = detector.guess(None, Utf8Detection::Deny);
            Some(encoding.decode_without_bom_handling(bytes).0.into_owned())
        }
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c: char| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

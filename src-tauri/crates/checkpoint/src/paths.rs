//! Paths as bytes inside, as readable text outside.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A path of the project as bytes, `/` between parts.
pub type Bytes = Vec<u8>;

/// The text of a path: what is not UTF-8, and a backslash, as `\xNN`.
pub fn to_text(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' {
                text.push_str("\\x5c");
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The path that `to_text` made a text of.
pub fn from_text(text: &str) -> Bytes {
    let bytes = text.as_bytes();
    let mut path = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'\\' && bytes.get(at + 1) == Some(&b'x'))
            .then(|| text.get(at + 2..at + 4))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                path.push(byte);
                at += 4;
            }
            None => {
                path.push(bytes[at]);
                at += 1;
            }
        }
    }
    path
}

/// A path of the project below `root`.
pub fn on_disk(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

/// A path on disk as one of the project, if it lies in it.
pub fn in_project(root: &Path, path: &Path) -> Option<Bytes> {
    let inner = path.strip_prefix(root).ok()?;
    Some(inner.as_os_str().as_bytes().to_vec())
}

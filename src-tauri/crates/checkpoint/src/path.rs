//! Paths inside a project, as bytes.
//!
//! Invariant: parts are separated by one `/`, none of them is empty, `.` or `..`. The empty path is
//! the project directory itself. Text form (protocol, messages): UTF-8 as it is, every other byte
//! and the backslash as `\xNN`, so that the text leads back to the same bytes.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// A path relative to the project directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelPath(Vec<u8>);

impl RelPath {
    /// The project directory itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether it is the project directory itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path of `name` in this directory.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Self(bytes)
    }

    /// The parts, outermost first.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
    }

    /// The directory that holds it and its name; nothing for the project directory itself.
    pub fn split_last(&self) -> Option<(Self, &[u8])> {
        if self.is_root() {
            return None;
        }
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => Some((Self(self.0[..at].to_vec()), &self.0[at + 1..])),
            None => Some((Self::root(), &self.0)),
        }
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self.0 == other.0
            || (self.0.starts_with(&other.0) && self.0.get(other.0.len()) == Some(&b'/'))
    }

    /// The place just before everything below it in the order of paths; not a path itself.
    pub fn before_children(&self) -> Self {
        let mut bytes = self.0.clone();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        Self(bytes)
    }

    /// The absolute path under `dir`.
    pub fn under(&self, dir: &Path) -> PathBuf {
        if self.is_root() {
            return dir.to_path_buf();
        }
        dir.join(OsStr::from_bytes(&self.0))
    }

    /// Takes bytes as git or the file system gives them; nothing when a part is empty, `.` or `..`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_suffix(b"/").unwrap_or(bytes);
        if bytes.is_empty() {
            return Some(Self::root());
        }
        let sound = bytes
            .split(|byte| *byte == b'/')
            .all(|part| !part.is_empty() && part != b"." && part != b"..");
        sound.then(|| Self(bytes.to_vec()))
    }

    /// The relative path of `path` within `dir`; nothing when it lies outside.
    pub fn of(path: &Path, dir: &Path) -> Option<Self> {
        let mut parts: Vec<&[u8]> = Vec::new();
        for component in path.strip_prefix(dir).ok()?.components() {
            match component {
                Component::Normal(part) => parts.push(part.as_bytes()),
                Component::CurDir => {}
                Component::ParentDir => {
                    parts.pop()?;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(Self(parts.join(&b'/')))
    }

    /// The text form.
    pub fn to_text(&self) -> String {
        to_text(&self.0)
    }

    /// Reads the text form. A path with `.` or `..` that stays inside is straightened; one that
    /// leaves the project is nothing.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = from_text(text);
        Self::of(Path::new(OsStr::from_bytes(&bytes)), Path::new(""))
    }
}

/// Bytes as text: UTF-8 stays, other bytes and the backslash become `\xNN`.
pub fn to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter == '\\' {
                text.push_str("\\x5c");
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes that [`to_text`] made the text of. A backslash that starts no `\xNN` stands for itself.
pub fn from_text(text: &str) -> Vec<u8> {
    let source = text.as_bytes();
    let mut bytes = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        let escaped = (source[at] == b'\\' && source.get(at + 1) == Some(&b'x'))
            .then(|| source.get(at + 2..at + 4))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                at += 4;
            }
            None => {
                bytes.push(source[at]);
                at += 1;
            }
        }
    }
    bytes
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;

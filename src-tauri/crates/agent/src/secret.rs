//! The API key, kept out of whatever the agent process says: what a server tells, what a command
//! prints, what a file holds that is read.

use bytes::Bytes;
use espalier_protocol::KEY_HIDDEN;
use memchr::memmem;
use std::borrow::Cow;
use std::sync::Arc;

/// A shorter key is a word that a local server is given, and may stand anywhere.
const LEAST_SECRET: usize = 16;

/// A text that is not to be seen, or none.
#[derive(Clone, Default)]
pub struct Secret(Option<Arc<str>>);

// By hand, so that it is never printed.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Secret" } else { "None" })
    }
}

impl Secret {
    /// A key, where it is long enough to be one.
    pub fn new(key: Option<&str>) -> Self {
        let key = key.map(str::trim).filter(|key| key.len() >= LEAST_SECRET);
        Self(key.map(Arc::from))
    }

    /// The text without it.
    pub(crate) fn hide(&self, text: String) -> String {
        match &self.0 {
            Some(secret) if text.contains(&**secret) => text.replace(&**secret, KEY_HIDDEN),
            _ => text,
        }
    }

    /// Bytes of text without it.
    pub(crate) fn hide_in(&self, data: Bytes) -> Bytes {
        match self.replaced(&data) {
            Some(clean) => clean.into(),
            None => data,
        }
    }

    /// The same in place.
    pub(crate) fn hide_within(&self, data: &mut Vec<u8>) {
        if let Some(clean) = self.replaced(data) {
            *data = clean;
        }
    }

    /// For text that comes in pieces.
    pub(crate) fn veil(&self) -> Veil {
        Veil {
            secret: self.clone(),
            held: Vec::new(),
        }
    }

    fn replaced(&self, data: &[u8]) -> Option<Vec<u8>> {
        let secret = self.0.as_ref()?.as_bytes();
        let mut found = memmem::find_iter(data, secret).peekable();
        found.peek()?;
        let mut clean = Vec::with_capacity(data.len());
        let mut from = 0;
        for at in found {
            clean.extend_from_slice(&data[from..at]);
            clean.extend_from_slice(KEY_HIDDEN.as_bytes());
            from = at + secret.len();
        }
        clean.extend_from_slice(&data[from..]);
        Some(clean)
    }
}

/// Takes the secret out of text that comes in pieces, also where it lies on two of them.
#[derive(Debug)]
pub(crate) struct Veil {
    secret: Secret,
    /// The end of what came, while it may be the beginning of the secret.
    held: Vec<u8>,
}

impl Veil {
    /// What can be shown of what came so far.
    pub(crate) fn through<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Some(secret) = &self.secret.0 else {
            return Cow::Borrowed(bytes);
        };
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        self.secret.hide_within(&mut all);
        let most = (secret.len() - 1).min(all.len());
        let begun = (1..=most).rev();
        let mut begun = begun.filter(|length| all.ends_with(&secret.as_bytes()[..*length]));
        if let Some(length) = begun.next() {
            self.held = all.split_off(all.len() - length);
        }
        Cow::Owned(all)
    }

    /// What is left when nothing more comes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;

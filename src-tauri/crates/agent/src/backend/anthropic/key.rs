//! The API key: it goes out in one header, and nothing that a server says brings it back.

use crate::backend::BackendError;
use bytes::Bytes;
use espalier_protocol::ErrorCode;
use reqwest::header::HeaderValue;

/// A shorter key is a word that a local server is given, and may stand anywhere.
const LEAST_SECRET: usize = 16;
const IN_ITS_PLACE: &str = "[API key]";

/// A key, or none.
pub(super) struct Key(Option<String>);

// By hand, so that no key is ever printed.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Key" } else { "no key" })
    }
}

impl Key {
    pub(super) fn new(key: Option<&str>) -> Self {
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        Self(key.map(str::to_owned))
    }

    /// The key as a header that no log shows.
    ///
    /// # Errors
    /// There is none, or it cannot be one.
    pub(super) fn header(&self) -> Result<HeaderValue, BackendError> {
        let refuse = |message: &str, hint: &str| {
            Err(BackendError::lasting(ErrorCode::BackendAuth, message, hint))
        };
        let Some(key) = &self.0 else {
            return refuse(
                "ANTHROPIC_API_KEY environment variable not set",
                "export ANTHROPIC_API_KEY=\"sk-ant-...\"",
            );
        };
        match HeaderValue::from_str(key) {
            Ok(mut value) if key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                value.set_sensitive(true);
                Ok(value)
            }
            Ok(_) | Err(_) => refuse(
                "The API key has characters in it that no key has.",
                "Check ANTHROPIC_API_KEY for line ends and letters that are not ASCII.",
            ),
        }
    }

    fn secret(&self) -> Option<&str> {
        self.0.as_deref().filter(|key| key.len() >= LEAST_SECRET)
    }

    /// The text without the key.
    pub(super) fn hide(&self, text: String) -> String {
        match self.secret() {
            Some(key) if text.contains(key) => text.replace(key, IN_ITS_PLACE),
            _ => text,
        }
    }

    /// The data of an event without the key.
    pub(super) fn hide_in(&self, data: Bytes) -> Bytes {
        let found = |key: &str| memchr::memmem::find(&data, key.as_bytes()).is_some();
        if self.secret().is_some_and(found) {
            return self
                .hide(String::from_utf8_lossy(&data).into_owned())
                .into();
        }
        data
    }
}

//! The API key: it goes out in one header, and nothing that a server says brings it back.

use crate::backend::BackendError;
use crate::secret::Secret;
use bytes::Bytes;
use espalier_protocol::ErrorCode;
use reqwest::header::HeaderValue;

/// A key, or none.
pub(super) struct Key {
    key: Option<String>,
    secret: Secret,
}

// By hand, so that no key is ever printed.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key.is_some() { "Key" } else { "no key" })
    }
}

impl Key {
    pub(super) fn new(key: Option<&str>) -> Self {
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        Self {
            key: key.map(str::to_owned),
            secret: Secret::new(key),
        }
    }

    /// The key as a header that no log shows.
    ///
    /// # Errors
    /// There is none, or it cannot be one.
    pub(super) fn header(&self) -> Result<HeaderValue, BackendError> {
        let refuse = |message: &str, hint: &str| {
            Err(BackendError::lasting(ErrorCode::BackendAuth, message, hint))
        };
        let Some(key) = &self.key else {
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

    /// The text without the key.
    pub(super) fn hide(&self, text: String) -> String {
        self.secret.hide(text)
    }

    /// The data of an event without the key.
    pub(super) fn hide_in(&self, data: Bytes) -> Bytes {
        self.secret.hide_in(data)
    }
}

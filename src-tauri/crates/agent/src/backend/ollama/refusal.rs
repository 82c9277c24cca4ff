//! What an Ollama server's refusals mean, and what mends them.

use crate::backend::{BackendError, Retry, excerpt};
use espalier_protocol::ErrorCode;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;
use std::time::Duration;

/// Characters of a server's own words in a sentence.
const MAX_WORDS: usize = 300;

/// An answer with another status than success.
pub(super) struct Refusal<'a> {
    pub(super) status: StatusCode,
    /// What the server asks to wait.
    pub(super) wait: Option<Duration>,
    /// Where it redirects to.
    pub(super) location: Option<String>,
    pub(super) text: &'a str,
    pub(super) host: &'a str,
    pub(super) model: &'a str,
    pub(super) num_ctx: Option<u32>,
}

/// Where a redirection leads.
pub(super) fn location(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(LOCATION)?.to_str().ok()?.to_owned())
}

impl Refusal<'_> {
    /// The refusal in words, with the remedy.
    pub(super) fn into_error(self) -> BackendError {
        let said = serde_json::from_str::<Value>(self.text)
            .ok()
            .and_then(|body| words(&body["error"]));
        let known = said.as_deref().and_then(|said| self.known(said));
        let mut error = known.unwrap_or_else(|| self.by_status(said.as_deref()));
        if said.is_none() && !self.text.trim_start().starts_with('<') {
            error = error.with_detail(self.text);
        }
        if let (Retry::Soon, Some(wait)) = (error.retry, self.wait) {
            error.retry = Retry::After(wait);
        }
        error
    }

    /// Refusals that are known by their words.
    fn known(&self, said: &str) -> Option<BackendError> {
        let model = self.model;
        let lower = said.to_lowercase();
        let has = |part: &str| lower.contains(part);
        if self.status == StatusCode::NOT_FOUND && has("not found") {
            return Some(missing(self.host, model));
        }
        if has("does not support tools") {
            return Some(without_tools(model));
        }
        if has("exceed_context_size") || has("exceeds the available context size") {
            let limit = self.num_ctx.map(|limit| format!(" of {limit} tokens"));
            let limit = limit.unwrap_or_default();
            let window = format!("The conversation no longer fits the model's window{limit}.");
            let hint = "Raise live_agent.ollama.num_ctx, or roll back to an earlier step.";
            return Some(
                BackendError::lasting(ErrorCode::ContextFull, window, hint).with_detail(said),
            );
        }
        if has("requires more system memory") {
            return Some(BackendError::passing(
                ErrorCode::BackendRefused,
                format!("There is not enough memory for the model {model}: {said}"),
                "Choose a smaller model or a smaller live_agent.ollama.num_ctx, or free memory.",
            ));
        }
        None
    }

    fn by_status(&self, said: Option<&str>) -> BackendError {
        let host = self.host;
        let status = self.status;
        let why = said.map_or_else(String::new, |said| format!(": {said}"));
        match status.as_u16() {
            300..=399 => BackendError::lasting(
                ErrorCode::BackendRefused,
                format!("{host} sends on to another address ({status})."),
                match &self.location {
                    Some(to) => format!(
                        "Set live_agent.ollama.host to the new one: {}",
                        excerpt(to.trim_end_matches("/api/chat"), 200)
                    ),
                    None => "Set live_agent.ollama.host to the new one.".to_owned(),
                },
            ),
            401 | 403 | 407 => BackendError::lasting(
                ErrorCode::BackendAuth,
                format!("{host} does not let Espalier in ({status}){why}"),
                "Ollama itself asks for no key: a proxy in front of it may. Check live_agent.ollama.host.",
            ),
            404 | 405 => BackendError::lasting(
                ErrorCode::BackendRefused,
                format!("{host} does not know /api/chat ({status}){why}"),
                "Check live_agent.ollama.host; the usual address is http://localhost:11434",
            ),
            408 | 504 => BackendError::passing(
                ErrorCode::BackendTimeout,
                format!("{host} gave up waiting for the model ({status}){why}"),
                "A smaller model or context window answers sooner.",
            ),
            429 | 503 => BackendError::passing(
                ErrorCode::BackendBusy,
                format!("{host} is busy ({status}){why}"),
                "Resume when other work on that server is done.",
            ),
            502 => BackendError::passing(
                ErrorCode::BackendRefused,
                format!(
                    "Something in front of {host} could not reach the model server ({status}){why}"
                ),
                "Check that Ollama runs behind that proxy: ollama serve",
            ),
            500..=599 => BackendError::passing(
                ErrorCode::BackendRefused,
                format!("{host} failed ({status}){why}"),
                "The server's log says more (ollama serve, or: journalctl -u ollama).",
            ),
            _ => BackendError::lasting(
                ErrorCode::BackendRefused,
                format!("{host} refused the request ({status}){why}"),
                "Check live_agent.ollama in the configuration.",
            ),
        }
    }
}

/// The server has no model of that name.
pub(super) fn missing(host: &str, model: &str) -> BackendError {
    BackendError::lasting(
        ErrorCode::ModelMissing,
        format!("The server at {host} does not have the model {model}."),
        format!("ollama pull {model}"),
    )
}

/// Without tools a model cannot work on a project.
pub(super) fn without_tools(model: &str) -> BackendError {
    BackendError::lasting(
        ErrorCode::ModelWithoutTools,
        format!("The model {model} cannot call tools."),
        "Set live_agent.model to a model with tools, for example qwen2.5-coder:7b, qwen3:8b or \
         llama3.1:8b (ollama show MODEL lists what a model can do).",
    )
}

/// An `{"error": …}` line within an answer.
pub(super) fn in_stream(error: &Value) -> BackendError {
    let said = words(error).unwrap_or_else(|| "no reason given".to_owned());
    BackendError::passing(
        ErrorCode::BackendRefused,
        format!("The server reported an error within the answer: {said}"),
        "Resume to ask again; if it stays, another model or a newer Ollama may do better.",
    )
}

/// The words of an error: a text, an object with a message, or either as JSON within a text.
fn words(error: &Value) -> Option<String> {
    match error {
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text).ok();
            let inner = inner.filter(Value::is_object);
            let inner = inner.and_then(|inner| match words(&inner) {
                Some(words) => Some(words),
                None => words(&inner["error"]),
            });
            inner.or_else(|| Some(excerpt(text, MAX_WORDS)).filter(|text| !text.is_empty()))
        }
        Value::Object(fields) => match fields.get("message") {
            Some(Value::String(text)) => Some(excerpt(text, MAX_WORDS)),
            _ => None,
        },
        _ => None,
    }
}

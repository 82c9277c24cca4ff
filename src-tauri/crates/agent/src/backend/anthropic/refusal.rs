//! What refusals of a Messages API server mean, and what mends them.

use crate::backend::http::retry_after;
use crate::backend::{BackendError, Retry, excerpt};
use espalier_protocol::ErrorCode;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;
use std::time::Duration;

/// Characters of a server's own words in a sentence.
const MAX_WORDS: usize = 300;
const KEYS: &str = "https://platform.claude.com/settings/keys";

/// What the headers of a refusal say.
#[derive(Debug, Clone, Default)]
pub(super) struct Advice {
    /// What the server asks to wait.
    wait: Option<Duration>,
    /// Whether it says that asking again may help.
    again: Option<bool>,
    /// Where it redirects to.
    location: Option<String>,
    request_id: Option<String>,
}

impl Advice {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let milliseconds = text("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok());
        let milliseconds =
            milliseconds.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        Self {
            wait: milliseconds.or_else(|| retry_after(headers)),
            again: text("x-should-retry").and_then(|text| text.parse().ok()),
            location: text(LOCATION.as_str()).map(str::to_owned),
            request_id: text("request-id").map(str::to_owned),
        }
    }
}

/// An answer with another status than success, or an error within an answer.
pub(super) struct Refusal<'a> {
    pub(super) status: StatusCode,
    pub(super) advice: Advice,
    pub(super) text: &'a str,
    pub(super) base: &'a str,
    pub(super) model: &'a str,
}

impl Refusal<'_> {
    /// The server's own words, if it has any.
    pub(super) fn said(&self) -> Option<String> {
        words(&serde_json::from_str::<Value>(self.text).ok()?)
    }

    /// The refusal in words, with the remedy.
    pub(super) fn into_error(self) -> BackendError {
        let said = self.said();
        let known = said.as_deref().and_then(|said| self.known(said));
        let mut error = known.unwrap_or_else(|| self.by_status(said.as_deref()));
        if said.is_none() && !self.text.trim_start().starts_with('<') {
            error = error.with_detail(self.text);
        }
        if let Some(id) = &self.advice.request_id {
            error = error.with_detail(&format!("request-id: {id}"));
        }
        match (self.advice.again, error.retry) {
            (Some(false), _) => {
                error.retry = Retry::Never;
                error.app.retryable = false;
            }
            (Some(true), Retry::Never) => {
                error.retry = Retry::Soon;
                error.app.retryable = true;
            }
            (Some(true) | None, _) => {}
        }
        if let (Retry::Soon, Some(wait)) = (error.retry, self.advice.wait) {
            error.retry = Retry::After(wait);
        }
        error
    }

    /// Refusals that are known by their words.
    fn known(&self, said: &str) -> Option<BackendError> {
        let lower = said.to_lowercase();
        let has = |part: &str| lower.contains(part);
        if has("prompt is too long")
            || has("exceed context limit")
            || has("exceed_context_size")
            || has("exceeds the available context size")
        {
            return Some(window_full(Some(said)));
        }
        if has("credit balance") {
            return Some(self.unpaid(said));
        }
        let missing = self.status == StatusCode::NOT_FOUND && has("model");
        missing.then(|| {
            BackendError::lasting(
                ErrorCode::ModelMissing,
                format!("{} does not have the model {}.", self.base, self.model),
                format!(
                    "Correct live_agent.model; curl {}/v1/models -H \"x-api-key: \
                     $ANTHROPIC_API_KEY\" -H \"anthropic-version: {}\" lists the names.",
                    self.base,
                    super::VERSION
                ),
            )
        })
    }

    fn unpaid(&self, said: &str) -> BackendError {
        BackendError::lasting(
            ErrorCode::BackendRefused,
            format!("{} wants to be paid first: {said}", self.base),
            "Look at plan and billing of the key's account: https://platform.claude.com/settings/billing",
        )
    }

    fn by_status(&self, said: Option<&str>) -> BackendError {
        let base = self.base;
        let status = number_and_name(self.status);
        let why = said.map_or_else(String::new, |said| format!(": {said}"));
        let lasting =
            |code, message: String, hint: &str| BackendError::lasting(code, message, hint);
        let passing =
            |code, message: String, hint: &str| BackendError::passing(code, message, hint);
        match self.status.as_u16() {
            300..=399 => lasting(
                ErrorCode::BackendRefused,
                format!("{base} sends on to another address ({status})."),
                &self.new_address(),
            ),
            401 => lasting(
                ErrorCode::BackendAuth,
                format!("{base} does not accept the API key ({status}){why}"),
                &format!("Check ANTHROPIC_API_KEY; keys are made at {KEYS}"),
            ),
            402 => self.unpaid(said.unwrap_or("no reason given")),
            403 | 407 => lasting(
                ErrorCode::BackendAuth,
                format!("{base} does not permit this ({status}){why}"),
                "The key's account may lack the model or the region; a proxy may stand in between.",
            ),
            404 | 405 => lasting(
                ErrorCode::BackendRefused,
                format!("{base} does not know /v1/messages ({status}){why}"),
                "Check live_agent.anthropic.base_url; it is written without /v1.",
            ),
            408 | 504 => passing(
                ErrorCode::BackendTimeout,
                format!("{base} gave up waiting for the model ({status}){why}"),
                "Resume to ask again.",
            ),
            413 => lasting(
                ErrorCode::ContextFull,
                format!("The conversation is larger than {base} takes ({status}){why}"),
                "Roll back to an earlier step.",
            ),
            409 | 429 | 503 | 529 => passing(
                ErrorCode::BackendBusy,
                format!("{base} is busy or a limit of the key is reached ({status}){why}"),
                "Resume in a while.",
            ),
            502 => passing(
                ErrorCode::BackendRefused,
                format!(
                    "Something in front of {base} could not reach the model server ({status}){why}"
                ),
                "Resume in a while; check live_agent.anthropic.base_url if it stays.",
            ),
            500..=599 => passing(
                ErrorCode::BackendRefused,
                format!("{base} failed ({status}){why}"),
                "Resume in a while; https://status.claude.com tells of failures of the API.",
            ),
            _ => lasting(
                ErrorCode::BackendRefused,
                format!("{base} refused the request ({status}){why}"),
                "Check live_agent.anthropic in the configuration.",
            ),
        }
    }

    fn new_address(&self) -> String {
        let key = "Set live_agent.anthropic.base_url to the new one";
        match &self.advice.location {
            Some(to) => format!(
                "{key}: {}",
                excerpt(to.trim_end_matches("/v1/messages"), 200)
            ),
            None => format!("{key}."),
        }
    }
}

fn number_and_name(status: StatusCode) -> String {
    let name = match status.as_u16() {
        529 => Some("Overloaded"),
        _ => status.canonical_reason(),
    };
    name.map_or_else(
        || status.as_u16().to_string(),
        |name| format!("{} {name}", status.as_u16()),
    )
}

/// The conversation does not fit any more.
pub(super) fn window_full(said: Option<&str>) -> BackendError {
    let error = BackendError::lasting(
        ErrorCode::ContextFull,
        "The conversation no longer fits the model's window.",
        "Roll back to an earlier step, or choose a model with a larger window.",
    );
    match said {
        Some(said) => error.with_detail(said),
        None => error,
    }
}

/// What came is something else altogether.
pub(super) fn no_messages_api(text: &str) -> BackendError {
    BackendError::passing(
        ErrorCode::BackendBroken,
        "What came is not an answer of the Messages API.",
        "Check live_agent.anthropic.base_url: something else may answer there.",
    )
    .with_detail(text)
}

/// An error within an answer. The types are those of refusals, and mean the same.
pub(super) fn in_stream(data: &Value) -> BackendError {
    let said = words(data).unwrap_or_else(|| "no reason given".to_owned());
    let message = format!("The server reported an error within the answer: {said}");
    let kind = data["error"]["type"].as_str().unwrap_or_default();
    let (code, again) = match kind {
        "overloaded_error" | "rate_limit_error" => (ErrorCode::BackendBusy, true),
        "timeout_error" => (ErrorCode::BackendTimeout, true),
        "authentication_error" | "permission_error" => (ErrorCode::BackendAuth, false),
        "not_found_error" | "billing_error" | "invalid_request_error" => {
            (ErrorCode::BackendRefused, false)
        }
        _ => (ErrorCode::BackendRefused, true),
    };
    if again {
        BackendError::passing(code, message, "Resume in a while to ask again.")
    } else {
        let hint = "Check live_agent.anthropic in the configuration, and the key.";
        BackendError::lasting(code, message, hint)
    }
}

/// The words of an error: those of the API, of OpenAI's imitations, or a bare text.
fn words(body: &Value) -> Option<String> {
    let error = &body["error"];
    let text = error["message"].as_str().or(error.as_str());
    let text = text.or(body["message"].as_str())?;
    Some(excerpt(text, MAX_WORDS)).filter(|text| !text.is_empty())
}

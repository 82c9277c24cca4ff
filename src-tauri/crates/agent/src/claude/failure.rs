//! What Claude Code's failures mean, and what mends them.

use super::said::Over;
use crate::backend::excerpt;
use espalier_protocol::{AppError, ErrorCode};

/// Characters of Claude Code's own words in a sentence.
const MAX_WORDS: usize = 300;

/// Whether a record or a line of it is not there.
pub(crate) fn record_missing(words: &str) -> bool {
    words.contains("No message found with message.uuid")
        || words.contains("No conversation found with session ID")
}

/// Why a turn ended without a message. `trouble` is the kind that Claude Code told beside it.
pub(crate) fn of_turn(over: &Over, trouble: Option<&str>) -> AppError {
    let own = if over.text.is_empty() {
        over.errors.join(" ")
    } else {
        over.text.clone()
    };
    let said = excerpt(own.strip_prefix("API Error: ").unwrap_or(&own), MAX_WORDS);
    if over.subtype == "error_max_turns" {
        return AppError::new(
            ErrorCode::BackendRefused,
            "Claude Code reached max_turns.",
            "Resume lets it make as many turns again; or raise \
             live_agent.claude_agent_sdk.max_turns.",
        )
        .retryable();
    }
    let lower = said.to_lowercase();
    if trouble == Some("authentication_failed") || matches!(over.status, Some(401 | 403)) {
        return AppError::new(
            ErrorCode::BackendAuth,
            format!("Claude Code is not let in: {said}"),
            "export ANTHROPIC_API_KEY=\"sk-ant-...\", or log in: run `claude` and type /login.",
        );
    }
    if lower.contains("prompt is too long") {
        return AppError::new(
            ErrorCode::ContextFull,
            "The conversation no longer fits the model's window.",
            "Roll back to an earlier step, or begin a new session.",
        )
        .with_details(vec![said]);
    }
    if over.status == Some(404) || lower.contains("issue with the selected model") {
        return AppError::new(
            ErrorCode::ModelMissing,
            format!("Claude Code cannot use the model: {said}"),
            "Correct live_agent.claude_agent_sdk.model.",
        );
    }
    match (trouble, over.status) {
        (Some("connection_failed"), _) => AppError::new(
            ErrorCode::BackendUnreachable,
            format!("Claude Code has no connection to its API: {said}"),
            "Check the network and ANTHROPIC_BASE_URL: curl -I https://api.anthropic.com",
        )
        .retryable(),
        (_, Some(429 | 529)) => AppError::new(
            ErrorCode::BackendBusy,
            format!("The API is busy: {said}"),
            "Wait a moment, then resume.",
        )
        .retryable(),
        (_, Some(status)) if status >= 500 => AppError::new(
            ErrorCode::BackendBroken,
            format!("The API failed: {said}"),
            "Resume asks again.",
        )
        .retryable(),
        _ => AppError::new(
            ErrorCode::BackendRefused,
            format!("Claude Code could not go on: {said}"),
            "Resume asks again; an instruction or a rollback may lead around it.",
        ),
    }
}

/// It ended while it should not have.
pub(crate) fn gone(complaint: &str) -> AppError {
    AppError::new(
        ErrorCode::AgentDied,
        "Claude Code ended unexpectedly.",
        "Resume starts it again from the last step.",
    )
    .retryable()
    .with_details(complaint.lines().map(str::to_owned).collect())
}

/// It did not wait where it was asked to.
pub(crate) fn ran_on() -> AppError {
    AppError::new(
        ErrorCode::BackendBroken,
        "This Claude Code does not wait between two steps.",
        "Bring it up to date: claude update, or pip install -U claude-agent-sdk.",
    )
}

/// A call did not end at its limit.
pub(crate) fn too_long() -> AppError {
    AppError::new(
        ErrorCode::BackendTimeout,
        "The call took longer than step_timeout_seconds.",
        "Raise live_agent.step_timeout_seconds, or let the agent do it in smaller pieces.",
    )
}

/// It could not be started.
pub(crate) fn not_started(error: &std::io::Error) -> AppError {
    AppError::new(
        ErrorCode::AgentDied,
        format!("Claude Code could not be started: {error}"),
        "espalier doctor",
    )
}

/// The API failed and is asked again.
pub(crate) fn passing(status: Option<u16>, error: &str) -> AppError {
    let (code, what) = match status {
        Some(429 | 529) => (ErrorCode::BackendBusy, "The API is busy"),
        Some(401 | 403) => (ErrorCode::BackendAuth, "The API refuses the key"),
        None => (ErrorCode::BackendUnreachable, "The API does not answer"),
        Some(_) => (ErrorCode::BackendBroken, "The API failed"),
    };
    let words = error.replace('_', " ");
    let status = status.map_or_else(String::new, |status| format!("{status}, "));
    AppError::new(
        code,
        format!("{what} ({status}{words})."),
        "Claude Code asks again by itself.",
    )
    .retryable()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;

//! What the models of the server take, and how they refuse the rest.

use axum::http::HeaderMap;
use serde_json::{Value, json};

/// A model of today: it thinks as it finds right and takes no temperature.
pub const MODEL: &str = "claude-scripted-5";
/// An older one: thinking needs a budget, and excludes a temperature.
pub const BUDGET_MODEL: &str = "claude-scripted-4";
/// One that does not think.
pub const PLAIN_MODEL: &str = "claude-scripted-3";

/// Versions of the API since which sampling parameters are refused.
const WITHOUT_SAMPLING: &str = "2026-10-21";

/// Tokens that fit into `MODEL`; of the others the server does not say it.
pub const WINDOW: u32 = 500_000;

/// What `GET /v1/models/{id}` says of a model.
pub(super) fn listed(model: &str) -> Option<Value> {
    let known = [MODEL, BUDGET_MODEL, PLAIN_MODEL].contains(&model);
    let window = (model == MODEL).then_some(WINDOW);
    known.then(|| {
        json!({
            "type": "model", "id": model, "display_name": "Scripted",
            "created_at": "2026-11-01T00:00:00Z", "max_input_tokens": window, "max_tokens": 128_000,
        })
    })
}

/// Status, type and words of a refusal, where the request asks too much of its model.
pub(super) fn refuses(body: &Value, headers: &HeaderMap) -> Option<(u16, &'static str, String)> {
    let model = body["model"].as_str().unwrap_or_default();
    let wrong = |said: &str| Some((400, "invalid_request_error", said.to_owned()));
    let thinking = body["thinking"]["type"].as_str().unwrap_or("disabled");
    let warm = body.get("temperature").is_some();
    if ![MODEL, BUDGET_MODEL, PLAIN_MODEL].contains(&model) {
        return Some((404, "not_found_error", format!("model: {model}")));
    }
    let version = headers.get("anthropic-version");
    if warm && version.is_some_and(|version| version == WITHOUT_SAMPLING) {
        return wrong("temperature: Extra inputs are not permitted");
    }
    match (model, thinking) {
        (MODEL, _) if warm => wrong("`temperature` is deprecated for this model."),
        (MODEL, "enabled") => wrong("\"thinking.type.enabled\" is not supported for this model."),
        (BUDGET_MODEL, "adaptive") => wrong("adaptive thinking is not supported on this model"),
        (BUDGET_MODEL, "enabled") if warm && body["temperature"] != 1 => {
            wrong("`temperature` may only be set to 1 when thinking is enabled.")
        }
        (PLAIN_MODEL, "adaptive" | "enabled") => wrong("thinking is not supported on this model"),
        _ => None,
    }
}

//! How much fits into a model: the API says so of each (`GET /v1/models/{id}`, `max_input_tokens`).

use super::VERSION;
use crate::backend::http::Server;
use reqwest::header::HeaderValue;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Listed {
    max_input_tokens: Option<u32>,
}

/// The model's window in tokens. Servers that only imitate the API need not know the question.
pub(super) async fn of(server: &Server, key: HeaderValue, model: &str) -> Option<u32> {
    // A name with a slash, as other servers have them, would be another path.
    if model.contains(['/', '?', '#']) {
        return None;
    }
    let asked = server
        .get(&format!("/v1/models/{model}"))
        .header("x-api-key", key)
        .header("anthropic-version", VERSION)
        .send();
    let response = asked
        .await
        .ok()
        .filter(|found| found.status().is_success())?;
    let listed: Listed = response.json().await.ok()?;
    listed.max_input_tokens.filter(|tokens| *tokens > 0)
}

//! How much fits into a model: the API says so of each (`GET /v1/models/{id}`, `max_input_tokens`),
//! llama.cpp in the list of its one (`GET /v1/models`, `meta.n_ctx`).

use super::VERSION;
use crate::backend::http::Server;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Deserialize)]
struct Listed {
    max_input_tokens: Option<u32>,
    #[serde(default)]
    meta: Option<Meta>,
}

#[derive(Debug, Deserialize)]
struct Meta {
    n_ctx: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Listed>,
}

impl Listed {
    fn window(&self) -> Option<u32> {
        let served = self.meta.as_ref().and_then(|meta| meta.n_ctx);
        let window = self.max_input_tokens.or(served);
        window.filter(|tokens| *tokens > 0)
    }
}

/// The model's window in tokens. Servers that only imitate the API need not know the question.
pub(super) async fn of(server: &Server, key: HeaderValue, model: &str) -> Option<u32> {
    // A name with a slash, as other servers have them, would be another path.
    if !model.contains(['/', '?', '#'])
        && let Some(listed) = asked::<Listed>(server, &key, &format!("/v1/models/{model}")).await
    {
        return listed.window();
    }
    // A server of one model takes every name for its own.
    match asked::<List>(server, &key, "/v1/models")
        .await?
        .data
        .as_slice()
    {
        [only] => only.window(),
        _ => None,
    }
}

async fn asked<T: DeserializeOwned>(server: &Server, key: &HeaderValue, path: &str) -> Option<T> {
    let request = server
        .get(path)
        .header("x-api-key", key.clone())
        .header("anthropic-version", VERSION);
    let response = request.send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    response.json().await.ok()
}

//! What `espalier doctor` asks a model server.

use crate::backend::http_client;
use crate::error::AgentError;
use serde_json::Value;
use std::time::Duration;

/// A server that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OllamaStatus {
    pub version: String,
    pub models: Vec<String>,
}

/// Asks an Ollama server for its version and models, for at most three seconds each.
pub async fn ollama_status(host: &str) -> Result<OllamaStatus, AgentError> {
    let host = host.trim_end_matches('/');
    let version = get(host, "/api/version").await?;
    let tags = get(host, "/api/tags").await?;
    let models = tags["models"]
        .as_array()
        .map(|models| {
            models
                .iter()
                .filter_map(|model| model["name"].as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    Ok(OllamaStatus {
        version: version["version"].as_str().unwrap_or("unknown").to_owned(),
        models,
    })
}

async fn get(host: &str, path: &str) -> Result<Value, AgentError> {
    let unreachable = |_| AgentError::Unreachable(host.to_owned());
    let response = http_client(host)
        .map_err(|error| AgentError::NotOllama(host.to_owned(), error.to_string()))?
        .get(format!("{host}{path}"))
        .timeout(Duration::from_secs(3))
        .send()
        .await
        .map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    serde_json::from_str(&text)
        .map_err(|error| AgentError::NotOllama(host.to_owned(), error.to_string()))
}

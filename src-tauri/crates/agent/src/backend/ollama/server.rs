//! What an Ollama server says of itself.

use super::START_HINT;
use crate::backend::http::{Server, refusal_text};
use crate::backend::{BackendError, excerpt};
use crate::error::AgentError;
use espalier_protocol::ErrorCode;
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a server may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(3);

/// A server that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OllamaStatus {
    pub version: String,
    /// Names of the models that it has, as `ollama list` shows them.
    pub models: Vec<String>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Models {
    models: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
}

/// Asks the server at `host` for its version and models, for 3 s at most.
///
/// # Errors
/// Nothing answers there, or what answers is no Ollama server.
pub async fn ollama_status(host: &str) -> Result<OllamaStatus, AgentError> {
    let server = Server::new(host, PATIENCE, START_HINT)?;
    let asked = async {
        tokio::try_join!(
            ask::<Version>(&server, "/api/version"),
            ask::<Models>(&server, "/api/tags")
        )
    };
    let Ok(answers) = tokio::time::timeout(PATIENCE, asked).await else {
        let message = format!(
            "Nothing came from {} within {} s.",
            server.base(),
            PATIENCE.as_secs()
        );
        return Err(BackendError::passing(ErrorCode::BackendTimeout, message, START_HINT).into());
    };
    let (version, models) = answers?;
    Ok(OllamaStatus {
        version: version.version,
        models: models.models.into_iter().map(|model| model.name).collect(),
    })
}

pub(super) async fn ask<T: DeserializeOwned>(
    server: &Server,
    path: &str,
) -> Result<T, BackendError> {
    let no_ollama = || {
        BackendError::lasting(
            ErrorCode::BackendRefused,
            format!("What answers at {} is not an Ollama server.", server.base()),
            "Check live_agent.ollama.host; the usual address is http://localhost:11434",
        )
    };
    let response = server.get(path).send().await;
    let response = response.map_err(|error| server.no_answer(&error))?;
    if !response.status().is_success() {
        return Err(no_ollama().with_detail(&format!("{path}: {}", response.status())));
    }
    let bytes = response.bytes().await;
    let bytes = bytes.map_err(|error| server.no_answer(&error))?;
    serde_json::from_slice(&bytes)
        .map_err(|_| no_ollama().with_detail(&excerpt(&String::from_utf8_lossy(&bytes), 200)))
}

#[derive(Deserialize)]
struct AllInMemory {
    models: Vec<InMemory>,
}

#[derive(Deserialize)]
struct InMemory {
    name: String,
    context_length: Option<u32>,
}

/// Whether a server has a model in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loaded {
    No,
    /// With a window of so many tokens, where it says so.
    Yes {
        window: Option<u32>,
    },
}

/// Whether the server has the model in memory; nothing where it does not say.
pub(super) async fn loaded(server: &Server, model: &str) -> Option<Loaded> {
    match ask::<AllInMemory>(server, "/api/ps").await {
        Ok(all) => {
            let mut all = all.models.into_iter();
            let found = all.find(|one| whole(&one.name) == whole(model));
            Some(found.map_or(Loaded::No, |found| Loaded::Yes {
                window: found.context_length,
            }))
        }
        Err(error) => {
            tracing::debug!(%error, "the server does not say which models it has loaded");
            None
        }
    }
}

/// What a server says of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Missing,
    Capabilities(Vec<String>),
}

#[derive(Deserialize)]
struct Details {
    capabilities: Vec<String>,
}

/// What a model can do; nothing where the server does not say, as older ones and imitations.
pub(super) async fn shown(server: &Server, model: &str) -> Option<Shown> {
    let question = server.post("/api/show").json(&json!({"model": model}));
    let untold = |error: &reqwest::Error| {
        tracing::debug!(%error, "the server does not say what the model can do");
    };
    let response = question.send().await.inspect_err(untold).ok()?;
    if response.status() == StatusCode::NOT_FOUND {
        // A server that does not know the question answers 404 as well, in other words.
        let text = refusal_text(response).await;
        let answer = serde_json::from_str::<Value>(&text).ok()?;
        let missing = answer["error"].as_str()?.contains("not found");
        return missing.then_some(Shown::Missing);
    }
    let response = response.error_for_status().inspect_err(untold).ok()?;
    let details = response.json::<Details>().await.inspect_err(untold).ok()?;
    Some(Shown::Capabilities(details.capabilities))
}

/// A model's name with the tag that Ollama adds where there is none.
pub(super) fn whole(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

//! What an Ollama server says of itself.

use super::START_HINT;
use crate::backend::http::Server;
use crate::backend::{BackendError, excerpt};
use crate::error::AgentError;
use espalier_protocol::ErrorCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
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

async fn ask<T: DeserializeOwned>(server: &Server, path: &str) -> Result<T, BackendError> {
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

/// Whether the server has the model in memory; nothing where it does not say.
pub(super) async fn is_loaded(server: &Server, model: &str) -> Option<bool> {
    match ask::<Models>(server, "/api/ps").await {
        Ok(loaded) => Some(
            loaded
                .models
                .iter()
                .any(|one| whole(&one.name) == whole(model)),
        ),
        Err(error) => {
            tracing::debug!(%error, "the server does not say which models it has loaded");
            None
        }
    }
}

/// A model's name with the tag that Ollama adds where there is none.
fn whole(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

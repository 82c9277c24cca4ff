//! The models an Ollama server has, and getting one that it does not have.

use super::START_HINT;
use super::server::{ask, whole};
use crate::backend::http::{Server, innermost, refusal_text};
use crate::backend::lines::Lines;
use crate::backend::{BackendError, excerpt};
use crate::error::AgentError;
use espalier_protocol::ErrorCode;
use espalier_protocol::view::{OllamaModel, PullProgress};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long the server may take for its list.
const LIST_TIME: Duration = Duration::from_secs(5);
/// How long nothing may come while a model is pulled: checking many gigabytes says nothing meanwhile.
const SILENCE: Duration = Duration::from_secs(300);
const MEGABYTE: u64 = 1_000_000;

#[derive(Deserialize)]
struct Library {
    models: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    size: u64,
    details: Option<Details>,
    /// Absent on older servers.
    capabilities: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Details {
    parameter_size: Option<String>,
    context_length: Option<u32>,
}

/// The models of the server at `host`, in its own order.
///
/// # Errors
/// Nothing answers there, or what answers is no Ollama server.
pub async fn ollama_models(host: &str) -> Result<Vec<OllamaModel>, AgentError> {
    let server = Server::new(host, LIST_TIME, START_HINT)?;
    let library = match timeout(LIST_TIME, ask::<Library>(&server, "/api/tags")).await {
        Ok(library) => library?,
        Err(_) => return Err(silent(&server, LIST_TIME).into()),
    };
    let models = library.models.into_iter().map(|listed| {
        let can = |what: &str| {
            let can = listed.capabilities.as_ref()?;
            Some(can.iter().any(|one| one == what))
        };
        let details = listed.details.as_ref();
        OllamaModel {
            size_mb: megabytes(listed.size),
            parameters: details.and_then(|details| details.parameter_size.clone()),
            window: details.and_then(|details| details.context_length),
            tools: can("tools"),
            thinking: can("thinking"),
            name: listed.name,
        }
    });
    Ok(models.collect())
}

/// The name under which `ollama list` shows a model.
pub fn ollama_full_name(model: &str) -> String {
    whole(model)
}

#[derive(Deserialize)]
struct PullLine {
    status: Option<String>,
    error: Option<Value>,
    total: Option<u64>,
    completed: Option<u64>,
}

/// Lets the server get a model. Dropping the future stops it; what was loaded so far is used the
/// next time.
///
/// # Errors
/// The server cannot be reached, does not find the model, or stops in the middle.
pub async fn ollama_pull(
    host: &str,
    model: &str,
    progress: &mut (dyn FnMut(PullProgress) + Send),
) -> Result<(), AgentError> {
    let server = Server::new(host, LIST_TIME, START_HINT)?;
    let body = json!({"model": model, "stream": true});
    let sent = server.post("/api/pull").json(&body).send();
    let mut response = match timeout(SILENCE, sent).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(server.no_answer(&error).into()),
        Err(_) => return Err(silent(&server, SILENCE).into()),
    };
    if !response.status().is_success() {
        let text = refusal_text(response).await;
        let said = serde_json::from_str::<Value>(&text).ok();
        let said = said.and_then(|said| Some(said["error"].as_str()?.to_owned()));
        return Err(not_pulled(model, &said.unwrap_or(text)).into());
    }
    let mut lines = Lines::default();
    let mut done = false;
    loop {
        let chunk = match timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(cut_off(model).with_detail(&innermost(&error)).into()),
            Err(_) => return Err(silent(&server, SILENCE).into()),
        };
        lines.push(&chunk)?;
        while let Some(line) = lines.next_line() {
            done |= take(&line, model, progress)?;
        }
    }
    let rest = lines.rest();
    if !rest.is_empty() {
        done |= take(&rest, model, progress)?;
    }
    if done {
        Ok(())
    } else {
        Err(cut_off(model).into())
    }
}

/// Whether the line says that the model is there.
fn take(
    line: &[u8],
    model: &str,
    progress: &mut (dyn FnMut(PullProgress) + Send),
) -> Result<bool, BackendError> {
    if line.trim_ascii().is_empty() {
        return Ok(false);
    }
    let line: PullLine = serde_json::from_slice(line)
        .map_err(|_| cut_off(model).with_detail(&excerpt(&String::from_utf8_lossy(line), 200)))?;
    if let Some(error) = line.error {
        let said = error
            .as_str()
            .map_or_else(|| error.to_string(), str::to_owned);
        return Err(not_pulled(model, &said));
    }
    let label = line.status.unwrap_or_default();
    let done = label == "success";
    progress(PullProgress {
        label,
        done_mb: megabytes(line.completed.unwrap_or_default()),
        total_mb: line.total.map(megabytes),
    });
    Ok(done)
}

fn not_pulled(model: &str, said: &str) -> BackendError {
    BackendError::lasting(
        ErrorCode::ModelMissing,
        format!(
            "The server could not get the model {model}: {}",
            excerpt(said, 200)
        ),
        "Check the model's name at ollama.com/library, and that the server has a way to the internet.",
    )
}

fn cut_off(model: &str) -> BackendError {
    BackendError::passing(
        ErrorCode::BackendBroken,
        format!("Getting the model {model} stopped before it was complete."),
        "Try again: what was loaded so far is kept.",
    )
}

fn silent(server: &Server, limit: Duration) -> BackendError {
    let message = format!(
        "Nothing came from {} within {} s.",
        server.base(),
        limit.as_secs()
    );
    BackendError::passing(ErrorCode::BackendTimeout, message, START_HINT)
}

fn megabytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEGABYTE)).unwrap_or(u32::MAX)
}

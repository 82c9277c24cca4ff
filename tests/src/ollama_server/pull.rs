//! The server's list of models, and getting one more.

use super::{Exchange, Shared, check, json_answer, refusal};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The only model that the library in the internet has.
pub const IN_THE_LIBRARY: &str = "qwen-of-the-library:7b";
/// One whose download stops in the middle.
pub const CUT_OFF: &str = "cut-off:1b";

/// The recorded list, and what was pulled.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Response {
    let mut list: Value = serde_json::from_str(&Exchange::load("tags").body()).unwrap_or_default();
    let pulled = shared.desk().pulled.clone();
    if let Some(models) = list["models"].as_array_mut() {
        for name in pulled {
            let mut model = models.first().cloned().unwrap_or_default();
            model["name"] = json!(name);
            model["model"] = json!(name);
            model["capabilities"] = json!(["completion", "tools"]);
            models.push(model);
        }
    }
    json_answer(StatusCode::OK, list.to_string())
}

/// Gets a model in the form of the documentation: lines with a status, and sizes while it loads.
pub(super) async fn pull(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    let mut problems: Vec<String> = check::header_problems(&headers).into_iter().collect();
    if body != json!({"model": model, "stream": true}) || model.is_empty() {
        problems.push(format!("the body is {body}"));
    }
    if !problems.is_empty() {
        let told = problems.join("; ");
        let problems = problems
            .iter()
            .map(|problem| format!("/api/pull: {problem}"));
        shared.desk().problems.extend(problems);
        return refusal(StatusCode::BAD_REQUEST, &told);
    }
    let digest = "sha256:b1d1024c509389bd42115868a15407420b68fb965e2586a1b685cc3e2f01f4ab";
    let part = |completed: u64| json!({"status": "pulling b1d1024c5093", "digest": digest, "total": 4_000_000_000_u64, "completed": completed});
    let mut lines = vec![json!({"status": "pulling manifest"})];
    match model.as_str() {
        IN_THE_LIBRARY => {
            lines.extend([part(0), part(1_500_000_000), part(4_000_000_000)]);
            lines.push(json!({"status": "verifying sha256 digest"}));
            lines.push(json!({"status": "success"}));
            shared.desk().pulled.push(model);
        }
        CUT_OFF => lines.extend([part(0), part(1_500_000_000)]),
        _ => lines.push(json!({"error": "pull model manifest: file does not exist"})),
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (StatusCode::OK, kind, Body::from(text)).into_response()
}

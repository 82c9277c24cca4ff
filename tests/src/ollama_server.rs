//! A scripted Ollama server that checks every request.
//!
//! It answers `/api/chat` with the replies of its script, in order, in the very form of the recorded
//! exchanges. A request that a real server could misread (`check`), one after the end of the script
//! and a reply that nobody asked for fail the test when the server is dropped, also a test that does
//! not look for it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod check;
mod fixture;
mod pull;
mod reply;

pub use crate::sending::Gate;
pub use check::Turn;
pub use fixture::Exchange;
pub use pull::{CUT_OFF, IN_THE_LIBRARY};
pub use reply::Reply;

/// A model that thinks and calls tools.
pub const MODEL: &str = "scripted-thinker";
/// A model that can do neither.
pub const MODEL_WITHOUT_TOOLS: &str = "smollm2:135m";

/// All that the server has.
const MODELS: [&str; 3] = [MODEL, MODEL_WITHOUT_TOOLS, "scripted-coder"];

/// The server; it ends when it is dropped.
pub struct OllamaServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the server has seen and is to do.
struct Shared {
    desk: Mutex<Desk>,
    /// Counts whatever happens, for those that wait for it.
    happened: watch::Sender<u64>,
}

#[derive(Default)]
struct Desk {
    script: VecDeque<Reply>,
    /// Whether `/api/ps` lists the models.
    loaded: bool,
    /// Method and path of every request.
    asked: Vec<String>,
    /// Bodies of the requests to `/api/chat`.
    chats: Vec<Value>,
    /// The messages that were said to their end, against which what comes back is checked.
    said: Vec<Turn>,
    calls: u32,
    problems: Vec<String>,
    hung_up: usize,
    /// Models that were pulled.
    pulled: Vec<String>,
}

impl Desk {
    /// Whether the server has a model of that name.
    fn has(&self, model: &str) -> bool {
        let bare = model.strip_suffix(":latest").unwrap_or(model);
        MODELS.contains(&model)
            || MODELS.contains(&bare)
            || self
                .pulled
                .iter()
                .any(|pulled| pulled == model || pulled == bare)
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.happened.send_modify(|count| *count += 1);
    }

    fn client_left(&self) {
        self.desk().hung_up += 1;
        self.tell();
    }
}

impl OllamaServer {
    /// Starts a server on a port of its own, with its models in memory.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::start_at("127.0.0.1:0", script).await
    }

    /// Starts a server at that address.
    ///
    /// # Panics
    /// When the address is taken.
    pub async fn start_at(address: &str, script: impl IntoIterator<Item = Reply>) -> Self {
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk {
                script: script.into_iter().collect(),
                loaded: true,
                ..Desk::default()
            }),
            happened: watch::Sender::new(0),
        });
        let listener = match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => panic!("no Ollama server at {address}: {error}"),
        };
        let address = match listener.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("the Ollama server has no address: {error}"),
        };
        let app = router(shared.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                panic!("the Ollama server broke down: {error}");
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Ends it, so that nothing listens at its address any more.
    pub async fn stop(mut self) {
        self.task.abort();
        // That it was cancelled is the wish.
        let _ = (&mut self.task).await;
    }

    /// Its base URL.
    pub fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a reply to the script.
    pub fn then(&self, reply: Reply) {
        self.shared.desk().script.push_back(reply);
    }

    /// Forgets the replies that nobody asked for.
    pub fn forget_the_rest(&self) {
        self.shared.desk().script.clear();
    }

    /// From now on no model is in memory.
    pub fn unload(&self) {
        self.shared.desk().loaded = false;
    }

    /// The bodies of all requests to `/api/chat`.
    pub fn chats(&self) -> Vec<Value> {
        self.shared.desk().chats.clone()
    }

    /// Method and path of all requests.
    pub fn asked(&self) -> Vec<String> {
        self.shared.desk().asked.clone()
    }

    /// Replies that were not asked for yet.
    pub fn unused(&self) -> usize {
        self.shared.desk().script.len()
    }

    /// Waits until so many requests to `/api/chat` have come.
    pub async fn until_chats(&self, count: usize) {
        self.until(|desk| desk.chats.len() >= count).await;
    }

    /// Waits until a client has hung up in the middle of an answer.
    pub async fn until_hung_up(&self) {
        self.until(|desk| desk.hung_up > 0).await;
    }

    async fn until(&self, holds: impl Fn(&Desk) -> bool) {
        let mut happened = self.shared.happened.subscribe();
        // The sender lives as long as `self`.
        let _ = happened.wait_for(|_| holds(&self.shared.desk())).await;
    }
}

impl Drop for OllamaServer {
    fn drop(&mut self) {
        self.task.abort();
        if std::thread::panicking() {
            return;
        }
        let mut desk = self.shared.desk();
        let mut problems = std::mem::take(&mut desk.problems);
        if !desk.script.is_empty() {
            problems.push(format!(
                "replies that nobody asked for: {}",
                desk.script.len()
            ));
        }
        drop(desk);
        assert!(
            problems.is_empty(),
            "wrong requests:\n{}",
            problems.join("\n")
        );
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { "Ollama is running" }))
        .route("/api/version", get(recorded_answer))
        .route("/api/tags", get(pull::list))
        .route("/api/ps", get(loaded_models))
        .route("/api/show", post(show))
        .route("/api/chat", post(chat))
        .route("/api/pull", post(pull::pull))
        .fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found") })
        .method_not_allowed_fallback(|| async {
            (StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed")
        })
        .layer(axum::middleware::from_fn_with_state(shared.clone(), note))
        .with_state(shared)
}

async fn note(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let line = format!("{} {}", request.method(), request.uri().path());
    shared.desk().asked.push(line);
    shared.tell();
    next.run(request).await
}

async fn recorded_answer(_: Method, uri: Uri) -> Response {
    let name = uri.path().trim_start_matches("/api/").to_owned();
    json_answer(StatusCode::OK, Exchange::load(&name).body())
}

async fn loaded_models(State(shared): State<Arc<Shared>>) -> Response {
    if shared.desk().loaded {
        json_answer(StatusCode::OK, Exchange::load("ps").body())
    } else {
        json_answer(StatusCode::OK, json!({"models": []}).to_string())
    }
}

async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let mut problems = check::show_problems(&body);
    problems.extend(check::header_problems(&headers));
    if !problems.is_empty() {
        let told = problems.join("; ");
        let problems = problems
            .into_iter()
            .map(|problem| format!("/api/show: {problem}"));
        shared.desk().problems.extend(problems);
        return refusal(StatusCode::BAD_REQUEST, &told);
    }
    let model = body["model"].as_str().unwrap_or_default();
    if !shared.desk().has(model) {
        let error = format!("model '{model}:latest' not found");
        return refusal(StatusCode::NOT_FOUND, &error);
    }
    let mut shown: Value = serde_json::from_str(&Exchange::load("show").body()).unwrap_or_default();
    shown["capabilities"] = capabilities(model);
    json_answer(StatusCode::OK, shown.to_string())
}

/// What the recorded list says that a model can do.
fn capabilities(model: &str) -> Value {
    let listed: Value = serde_json::from_str(&Exchange::load("tags").body()).unwrap_or_default();
    let models = listed["models"].as_array().into_iter().flatten();
    let mut named = models.filter(|one| {
        let name = one["name"].as_str().unwrap_or_default();
        name == model || name.strip_suffix(":latest") == Some(model.trim_end_matches(":latest"))
    });
    // What was pulled can do what agents need.
    named.next().map_or_else(
        || json!(["completion", "tools"]),
        |one| one["capabilities"].clone(),
    )
}

fn json_answer(status: StatusCode, body: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, kind, body).into_response()
}

fn refusal(status: StatusCode, error: &str) -> Response {
    json_answer(status, json!({"error": error}).to_string())
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        shared
            .desk()
            .problems
            .push("the body is not JSON".to_owned());
        return refusal(StatusCode::BAD_REQUEST, "invalid character");
    };
    let reply = {
        let mut desk = shared.desk();
        desk.chats.push(body.clone());
        let mut problems = check::chat_problems(&body, &desk.said);
        problems.extend(check::header_problems(&headers));
        if !problems.is_empty() {
            let told = format!("the request is wrong: {}", problems.join("; "));
            let number = desk.chats.len();
            desk.problems.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("chat {number}: {problem}")),
            );
            shared.tell();
            return refusal(StatusCode::BAD_REQUEST, &told);
        }
        if let Some(refused) = by_model(&desk, &body) {
            return refused;
        }
        let Some(reply) = desk.script.pop_front() else {
            desk.problems
                .push("a request after the end of the script".to_owned());
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "the script has ended");
        };
        let first_call = desk.calls;
        let (reply, said) = reply.spoken(&body, first_call);
        let calls = said.as_ref().map_or(0, |said| said.calls.len());
        desk.calls += u32::try_from(calls).unwrap_or_default();
        desk.said.extend(said);
        reply
    };
    shared.tell();
    crate::sending::send(reply, move || shared.client_left()).await
}

/// What a real server says to a model that it does not have, or that cannot do what is asked.
fn by_model(desk: &Desk, body: &Value) -> Option<Response> {
    let model = body["model"].as_str().unwrap_or_default();
    if !desk.has(model) {
        let error = format!("model '{model}' not found");
        return Some(refusal(StatusCode::NOT_FOUND, &error));
    }
    if model == MODEL_WITHOUT_TOOLS && body.get("tools").is_some() {
        let error = format!("registry.ollama.ai/library/{model} does not support tools");
        return Some(refusal(StatusCode::BAD_REQUEST, &error));
    }
    None
}

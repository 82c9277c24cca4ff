//! A scripted server of the Anthropic Messages API that checks every request.
//!
//! It answers `/v1/messages` with the replies of its script, in order, as streams of the API's
//! events. What a request may hold is up to the model (`models`), and a request that asks too much
//! is refused as the API refuses it. A request that the API would misread or refuse for its form
//! (`check`), one after the end of the script and a reply that nobody asked for fail the test when
//! the server is dropped, also a test that does not look for it.

use crate::sending::send;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cache::Cache;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod cache;
mod check;
mod claude_code;
mod models;
mod reply;

pub use crate::sending::Gate;
pub use check::Turn;
pub use claude_code::conversation;
pub use models::{BUDGET_MODEL, MODEL, PLAIN_MODEL, WINDOW};
pub use reply::Reply;

/// The one key that opens the server.
pub const KEY: &str = "sk-ant-api03-scripted-4f7a1c9e2b8d6053";

/// The server; it ends when it is dropped.
pub struct AnthropicServer {
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
    /// Bodies of the requests that the script answered.
    chats: Vec<Value>,
    /// What was told to requests that the model or the key does not allow.
    refused: Vec<String>,
    /// The messages that were said to their end, against which what comes back is checked.
    said: Vec<Turn>,
    cache: Cache,
    /// The client is Claude Code.
    claude_code: bool,
    problems: Vec<String>,
    hung_up: usize,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.happened.send_modify(|count| *count += 1);
    }
}

impl AnthropicServer {
    /// Starts a server on a port of its own.
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
                ..Desk::default()
            }),
            happened: watch::Sender::new(0),
        });
        let listener = match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => listener,
            Err(error) => panic!("no Messages API at {address}: {error}"),
        };
        let address = match listener.local_addr() {
            Ok(address) => address,
            Err(error) => panic!("the server has no address: {error}"),
        };
        let app = Router::new()
            .route("/v1/messages", post(messages))
            .route("/v1/models/{model}", get(model))
            .fallback(unknown_path)
            .with_state(shared.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                panic!("the server broke down: {error}");
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// The same server, with Claude Code as its client.
    #[must_use]
    pub fn of_claude_code(self) -> Self {
        self.shared.desk().claude_code = true;
        self
    }

    /// Ends it, so that nothing listens at its address any more.
    pub async fn stop(mut self) {
        self.task.abort();
        // That it was cancelled is the wish.
        let _ = (&mut self.task).await;
    }

    /// Its base URL.
    pub fn url(&self) -> String {
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

    /// The bodies of all requests that the script answered.
    pub fn chats(&self) -> Vec<Value> {
        self.shared.desk().chats.clone()
    }

    /// What was told to requests that the model or the key does not allow.
    pub fn refused(&self) -> Vec<String> {
        self.shared.desk().refused.clone()
    }

    /// Takes the wrong requests that were noted, for a test that makes them.
    pub fn take_problems(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.desk().problems)
    }

    /// Replies that were not asked for yet.
    pub fn unused(&self) -> usize {
        self.shared.desk().script.len()
    }

    /// Waits until the script has answered so many requests.
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

impl Drop for AnthropicServer {
    fn drop(&mut self) {
        self.task.abort();
        if std::thread::panicking() {
            return;
        }
        let mut desk = self.shared.desk();
        let mut problems = std::mem::take(&mut desk.problems);
        if !desk.script.is_empty() {
            let count = desk.script.len();
            problems.push(format!("replies that nobody asked for: {count}"));
        }
        drop(desk);
        assert!(
            problems.is_empty(),
            "wrong requests:\n{}",
            problems.join("\n")
        );
    }
}

async fn unknown_path(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let problem = format!("a request to {}", uri.path());
    shared.desk().problems.push(problem);
    refusal(404, "not_found_error", "Not found")
}

async fn model(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    headers: HeaderMap,
) -> Response {
    let problems = check::header_problems(&headers, false);
    shared.desk().problems.extend(problems);
    if check::key(&headers) != Some(KEY) {
        return refusal(401, "authentication_error", "invalid x-api-key");
    }
    match models::listed(&model) {
        Some(listed) => axum::Json(listed).into_response(),
        None => refusal(404, "not_found_error", &format!("model: {model}")),
    }
}

async fn messages(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = answer(&mut shared.desk(), &headers, &body);
    shared.tell();
    match answer {
        Ok(spoken) => {
            let left = move || {
                shared.desk().hung_up += 1;
                shared.tell();
            };
            send(spoken, left).await
        }
        Err(refused) => *refused,
    }
}

fn answer(
    desk: &mut Desk,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<crate::sending::Spoken, Box<Response>> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        desk.problems.push("the body is not JSON".to_owned());
        let said = "The request body is not valid JSON";
        return Err(Box::new(refusal(400, "invalid_request_error", said)));
    };
    let problems = if desk.claude_code {
        claude_code::problems(&body, &desk.said)
    } else {
        let mut problems = check::header_problems(headers, true);
        problems.extend(check::body_problems(&body, &desk.said));
        problems
    };
    if !problems.is_empty() {
        let told = format!("the request is wrong: {}", problems.join("; "));
        let number = desk.chats.len() + 1;
        let problems = problems.into_iter();
        let problems = problems.map(|problem| format!("request {number}: {problem}"));
        desk.problems.extend(problems);
        return Err(Box::new(refusal(400, "invalid_request_error", &told)));
    }
    if check::key(headers) != Some(KEY) {
        let said = "invalid x-api-key";
        desk.refused.push(said.to_owned());
        return Err(Box::new(refusal(401, "authentication_error", said)));
    }
    if !desk.claude_code
        && let Some((status, kind, said)) = models::refuses(&body, headers)
    {
        desk.refused.push(said.clone());
        return Err(Box::new(refusal(status, kind, &said)));
    }
    let Some(reply) = desk.script.pop_front() else {
        let problem = "a request after the end of the script";
        desk.problems.push(problem.to_owned());
        return Err(Box::new(refusal(500, "api_error", "the script has ended")));
    };
    let number = desk.chats.len() + 1;
    let counted = desk.cache.count(&body);
    desk.chats.push(body);
    if reply.unbinds {
        for turn in &mut desk.said {
            turn.blocks.retain(|block| {
                block["type"] != "thinking" && block["type"] != "redacted_thinking"
            });
        }
    }
    let (spoken, said) = reply.spoken(number, counted);
    desk.said.extend(said);
    Ok(spoken)
}

/// A refusal in the API's form.
fn refusal(status: u16, kind: &str, said: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (
            header::HeaderName::from_static("request-id"),
            "req_scripted",
        ),
    ];
    (status, headers, reply::error_body(kind, said).to_string()).into_response()
}

/// A reply's text block, and the like.
fn is_kind(block: &Value, kind: &str) -> bool {
    block["type"] == kind
}

/// The mark at the end of a cached prefix.
fn mark() -> Value {
    json!({"type": "ephemeral"})
}

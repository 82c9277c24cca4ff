//! Ollama's `/api/chat`, streamed.
//!
//! Only `done: true` ends an answer: a stream that merely stops is a failure, whatever came before.
//! `think` is never sent, so that each model thinks as its maker set it.

use super::http::{Server, innermost, refusal_text, retry_after};
use super::{BackendError, Delta, DeltaSink, ModelBackend, ModelTurn, Request};
use crate::worker::Patience;
use answer::{Answer, Progress};
use espalier_protocol::ErrorCode;
use espalier_protocol::session::BackendSettings;
use lines::Lines;
use reqwest::Response;
use std::time::Duration;
use tokio::time::{Instant, timeout};

mod answer;
mod lines;
mod refusal;
mod request;
mod server;

pub use server::{OllamaStatus, ollama_status};

/// What mends a server that does not run.
const START_HINT: &str = "Start the Ollama server: ollama serve (check with: ollama list)";
/// How long the end of a stream may take after the answer is whole, so that the connection can be
/// used again.
const TAIL: Duration = Duration::from_millis(200);

/// The settings of a session's Ollama model.
#[derive(Debug, Clone)]
struct Model {
    name: String,
    temperature: Option<f64>,
    num_ctx: Option<u32>,
    num_predict: Option<i32>,
    keep_alive: Option<String>,
}

/// A model on an Ollama server.
#[derive(Debug)]
pub struct OllamaBackend {
    server: Server,
    model: Model,
    /// How long nothing may come.
    silence: Duration,
    patience: Patience,
    loading: Loading,
}

/// Whether the server has the model in memory. Asked once, before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loading {
    Unasked,
    /// The server said that it has not; the first answer may take long.
    Expected,
    Done,
}

impl OllamaBackend {
    /// A backend on these settings. Asks the server nothing yet.
    pub(super) fn open(
        settings: &BackendSettings,
        silence: Duration,
        patience: &Patience,
    ) -> Result<Self, BackendError> {
        let BackendSettings::Ollama {
            host,
            model,
            temperature,
            num_ctx,
            num_predict,
            keep_alive,
        } = settings
        else {
            let message = format!("The settings are for {}, not for ollama.", settings.name());
            return Err(BackendError::lasting(ErrorCode::Internal, message, ""));
        };
        Ok(Self {
            server: Server::new(host, patience.connect, START_HINT)?,
            model: Model {
                name: model.clone(),
                temperature: *temperature,
                num_ctx: *num_ctx,
                num_predict: *num_predict,
                keep_alive: keep_alive.clone(),
            },
            silence,
            patience: patience.clone(),
            loading: Loading::Unasked,
        })
    }

    async fn look_whether_loaded(&mut self) {
        if self.loading != Loading::Unasked {
            return;
        }
        let loaded = server::is_loaded(&self.server, &self.model.name);
        self.loading = match timeout(self.patience.side_question, loaded).await {
            Ok(Some(false)) => Loading::Expected,
            // Servers that only imitate Ollama may not know the question.
            Ok(Some(true) | None) | Err(_) => Loading::Done,
        };
    }

    /// Awaits the server's next sign of life.
    async fn next<T>(
        &self,
        awaited: impl Future<Output = reqwest::Result<T>>,
        sink: DeltaSink<'_>,
    ) -> Result<reqwest::Result<T>, BackendError> {
        let loading = self.loading == Loading::Expected;
        let limit = if loading {
            self.silence.max(self.patience.load)
        } else {
            self.silence
        };
        let began = Instant::now();
        let every = self.patience.progress_every;
        let mut ticks = tokio::time::interval_at(began + every, every);
        tokio::pin!(awaited);
        loop {
            tokio::select! {
                biased;
                done = &mut awaited => return Ok(done),
                () = tokio::time::sleep_until(began + limit) => return Err(self.silent(limit)),
                _ = ticks.tick(), if loading => sink(Delta::Waiting {
                    label: format!("Loading model {}", self.model.name),
                    seconds: u32::try_from(began.elapsed().as_secs()).unwrap_or(u32::MAX),
                }),
            }
        }
    }

    fn silent(&self, limit: Duration) -> BackendError {
        let message = format!(
            "Nothing came from {} for {} s.",
            self.server.base(),
            limit.as_secs_f64()
        );
        let hint = "A large model may need longer: raise live_agent.step_timeout_seconds, or choose \
            a smaller model or context window.";
        BackendError::passing(ErrorCode::BackendTimeout, message, hint)
    }

    async fn read_answer(
        &mut self,
        mut response: Response,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        let mut lines = Lines::default();
        let mut answer = Answer::default();
        loop {
            let chunk = match self.next(response.chunk(), sink).await? {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return Err(ended_early().with_detail(&innermost(&error))),
            };
            self.loading = Loading::Done;
            lines.push(&chunk)?;
            while let Some(line) = lines.next_line() {
                if answer.take(&line, sink)? == Progress::Done {
                    if timeout(TAIL, response.chunk()).await.is_err() {
                        tracing::debug!("the server keeps its answer open");
                    }
                    return Ok(self.finished(answer, request));
                }
            }
        }
        // The last line may lack its end.
        match answer.take(&lines.rest(), sink)? {
            Progress::Done => Ok(self.finished(answer, request)),
            Progress::More => Err(ended_early()),
        }
    }

    fn finished(&self, answer: Answer, request: Request<'_>) -> ModelTurn {
        answer.finish(self.model.num_ctx, request.conversation)
    }
}

fn ended_early() -> BackendError {
    BackendError::passing(
        ErrorCode::BackendBroken,
        "The answer ended before it was complete.",
        "The model may have run out of memory; the server's log says (ollama serve, or: journalctl \
         -u ollama).",
    )
}

impl ModelBackend for OllamaBackend {
    async fn turn(
        &mut self,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        self.look_whether_loaded().await;
        let body = request::body(&self.model, &request);
        let sent = self.server.post("/api/chat").json(&body).send();
        let response = match self.next(sent, sink).await? {
            Ok(response) => response,
            Err(error) => return Err(self.server.no_answer(&error)),
        };
        if !response.status().is_success() {
            let status = response.status();
            let wait = retry_after(response.headers());
            let location = refusal::location(response.headers());
            let text = refusal_text(response).await;
            return Err(refusal::Refusal {
                status,
                wait,
                location,
                text: &text,
                host: self.server.base(),
                model: &self.model.name,
                num_ctx: self.model.num_ctx,
            }
            .into_error());
        }
        self.read_answer(response, request, sink).await
    }
}

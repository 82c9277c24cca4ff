//! Ollama's `/api/chat`, streamed.
//!
//! Only `done: true` ends an answer: a stream that merely stops is a failure, whatever came before.
//! `think` is never sent, so that each model thinks as its maker set it.

use super::http::{Server, innermost, refusal_text, retry_after};
use super::lines::Lines;
use super::{BackendError, Delta, DeltaSink, ModelBackend, ModelTurn, Request};
use crate::worker::Patience;
use answer::{Answer, Progress};
use espalier_protocol::ErrorCode;
use espalier_protocol::session::BackendSettings;
use reqwest::Response;
use std::time::Duration;
use tokio::time::{Instant, timeout};

mod answer;
mod library;
mod refusal;
mod request;
mod server;

pub use library::{ollama_full_name, ollama_models, ollama_pull};
use server::{Loaded, Shown};
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
    acquaintance: Acquaintance,
    /// Tokens that the model takes in, once it is known; 0 where the server does not say.
    window: Option<u32>,
}

/// How far the server was asked about the model, before its first answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acquaintance {
    Unasked,
    /// The server said that it has yet to load the model; the first answer may take long.
    Loading,
    Made,
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
            acquaintance: Acquaintance::Unasked,
            window: *num_ctx,
        })
    }

    /// Asks, once, whether the model can do the work and whether it is in memory. A server that does
    /// not say is taken at its best: one that only imitates Ollama may not know the questions.
    async fn get_acquainted(&mut self, with_tools: bool) -> Result<(), BackendError> {
        if self.acquaintance != Acquaintance::Unasked {
            return Ok(());
        }
        let name = &self.model.name;
        let (shown, loaded) = tokio::join!(
            timeout(
                self.patience.side_question,
                server::shown(&self.server, name)
            ),
            timeout(
                self.patience.side_question,
                server::loaded(&self.server, name)
            ),
        );
        match shown {
            Ok(Some(Shown::Missing)) => return Err(refusal::missing(self.server.base(), name)),
            Ok(Some(Shown::Capabilities(can)))
                if with_tools && !can.iter().any(|one| one == "tools") =>
            {
                return Err(refusal::without_tools(name));
            }
            Ok(Some(Shown::Capabilities(_)) | None) | Err(_) => {}
        }
        self.acquaintance = match loaded {
            Ok(Some(Loaded::No)) => Acquaintance::Loading,
            Ok(Some(Loaded::Yes { .. }) | None) | Err(_) => Acquaintance::Made,
        };
        Ok(())
    }

    /// Learns the window that the server gave the model, where the configuration leaves that to the
    /// server: it is often far smaller than what the model could take in.
    async fn learn_window(&mut self) {
        if self.window.is_some() {
            return;
        }
        let loaded = server::loaded(&self.server, &self.model.name);
        let window = match timeout(self.patience.side_question, loaded).await {
            Ok(Some(Loaded::Yes { window })) => window,
            Ok(Some(Loaded::No) | None) | Err(_) => None,
        };
        self.window = Some(window.unwrap_or_default());
    }

    /// Awaits the server's next sign of life.
    async fn next<T>(
        &self,
        awaited: impl Future<Output = reqwest::Result<T>>,
        sink: DeltaSink<'_>,
    ) -> Result<reqwest::Result<T>, BackendError> {
        let loading = self.acquaintance == Acquaintance::Loading;
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
            self.acquaintance = Acquaintance::Made;
            lines.push(&chunk)?;
            while let Some(line) = lines.next_line() {
                if answer.take(&line, sink)? == Progress::Done {
                    if timeout(TAIL, response.chunk()).await.is_err() {
                        tracing::debug!("the server keeps its answer open");
                    }
                    return Ok(self.finished(answer, request).await);
                }
            }
        }
        // The last line may lack its end.
        match answer.take(&lines.rest(), sink)? {
            Progress::Done => Ok(self.finished(answer, request).await),
            Progress::More => Err(ended_early()),
        }
    }

    async fn finished(&mut self, answer: Answer, request: Request<'_>) -> ModelTurn {
        self.learn_window().await;
        answer.finish(self.window, request.conversation)
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
        self.get_acquainted(!request.tools.is_empty()).await?;
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

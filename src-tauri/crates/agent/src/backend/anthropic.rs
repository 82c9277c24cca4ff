//! The Anthropic Messages API, `/v1/messages`, streamed; also as other servers speak it.
//!
//! Only `message_stop` ends an answer: a stream that merely stops is a failure, whatever came
//! before. The key stands in one header and nowhere else: whatever a server says is shown without it.

use super::http::{Server, innermost, refusal_text};
use super::{BackendError, DeltaSink, ModelBackend, ModelTurn, Request};
use crate::worker::Patience;
use answer::{Answer, Progress, Said, note_silence};
use espalier_protocol::session::BackendSettings;
use espalier_protocol::{Block, ContextFill, ErrorCode};
use events::Events;
use key::Key;
use leeway::Leeway;
use refusal::{Advice, Refusal};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

mod answer;
mod events;
mod key;
mod leeway;
mod piece;
mod refusal;
mod request;
mod window;

/// The version with the most in it that every server and model has: `temperature` among it.
const VERSION: &str = "2023-06-01";
const START_HINT: &str =
    "Check the network and live_agent.anthropic.base_url (curl shows whether the address answers).";
/// How long the end of a stream may take after the answer is whole, so that the connection can be
/// used again.
const TAIL: Duration = Duration::from_millis(200);
/// How often a model may pause in one turn.
const MAX_PAUSES: usize = 16;

/// The settings of a session's model.
#[derive(Debug, Clone)]
struct Model {
    name: String,
    max_tokens: u32,
    temperature: Option<f64>,
}

/// A model on a server that speaks the Messages API.
#[derive(Debug)]
pub struct AnthropicBackend {
    server: Server,
    model: Model,
    key: Key,
    /// How long nothing may come.
    silence: Duration,
    /// What the server was found to take.
    leeway: Leeway,
    /// Longest wait for the answer to a question beside the work.
    side_question: Duration,
    /// The model's window, once it was asked for; the server need not say.
    window: Option<Option<u32>>,
}

impl AnthropicBackend {
    /// A backend on these settings. Asks the server nothing yet.
    pub(super) fn open(
        settings: &BackendSettings,
        api_key: Option<&str>,
        silence: Duration,
        patience: &Patience,
    ) -> Result<Self, BackendError> {
        let BackendSettings::Anthropic {
            base_url,
            model,
            max_tokens,
            temperature,
            enable_thinking,
        } = settings
        else {
            let message = format!(
                "The settings are for {}, not for anthropic.",
                settings.name()
            );
            return Err(BackendError::lasting(ErrorCode::Internal, message, ""));
        };
        Ok(Self {
            server: Server::new(base_url, patience.connect, START_HINT)?,
            model: Model {
                name: model.clone(),
                max_tokens: *max_tokens,
                temperature: *temperature,
            },
            key: Key::new(api_key),
            silence,
            leeway: Leeway::new(*temperature, *enable_thinking),
            side_question: patience.side_question,
            window: None,
        })
    }

    /// Asks, and again with less where the server does not take all of it.
    async fn ask(
        &mut self,
        request: &Request<'_>,
        so_far: &[Block],
    ) -> Result<Response, BackendError> {
        let key = self.key.header()?;
        let mut leeway = self.leeway;
        loop {
            let body = request::body(&self.model, leeway, request, so_far);
            let sent = self.server.post("/v1/messages").json(&body);
            let sent = sent
                .header("x-api-key", key.clone())
                .header("anthropic-version", VERSION)
                .send();
            let response = match timeout(self.silence, sent).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(self.server.no_answer(&error)),
                Err(_) => return Err(self.silent()),
            };
            let status = response.status();
            if status.is_success() {
                self.leeway = leeway;
                return Ok(response);
            }
            let advice = Advice::read(response.headers());
            let text = self.key.hide(refusal_text(response).await);
            let refusal = Refusal {
                status,
                advice,
                text: &text,
                base: self.server.base(),
                model: &self.model.name,
            };
            let less = match status {
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                    let said = refusal.said();
                    said.and_then(|said| {
                        leeway.after(&said, self.model.max_tokens, request.conversation.len())
                    })
                }
                _ => None,
            };
            match less {
                Some(less) => leeway = less,
                None => return Err(refusal.into_error()),
            }
        }
    }

    /// Asked once, and not before the server has answered: a side question delays nothing then.
    async fn learn_window(&mut self) -> Result<Option<u32>, BackendError> {
        if let Some(window) = self.window {
            return Ok(window);
        }
        let asked = window::of(&self.server, self.key.header()?, &self.model.name);
        let window = timeout(self.side_question, asked).await.ok().flatten();
        self.window = Some(window);
        Ok(window)
    }

    fn silent(&self) -> BackendError {
        let message = format!(
            "Nothing came from {} for {} s.",
            self.server.base(),
            self.silence.as_secs_f64()
        );
        let hint = "Resume to ask again; a new session can have a higher \
            live_agent.step_timeout_seconds.";
        BackendError::passing(ErrorCode::BackendTimeout, message, hint)
    }

    async fn read(
        &self,
        mut response: Response,
        sink: DeltaSink<'_>,
    ) -> Result<Said, BackendError> {
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
        if kind.is_some_and(|kind| !kind.starts_with("text/event-stream")) {
            return Err(not_a_stream(&self.key.hide(refusal_text(response).await)));
        }
        let mut events = Events::default();
        let mut answer = Answer::default();
        loop {
            let chunk = match timeout(self.silence, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(ended_early().with_detail(&innermost(&error))),
                Err(_) => return Err(self.silent()),
            };
            events.push(&chunk)?;
            while let Some(mut event) = events.next_event() {
                event.data = self.key.hide_in(event.data);
                if answer.take(&event, sink)? == Progress::Done {
                    if timeout(TAIL, response.chunk()).await.is_err() {
                        tracing::debug!("the server keeps its answer open");
                    }
                    return answer.finish(self.model.max_tokens);
                }
            }
        }
        let Some(mut last) = events.last() else {
            return Err(ended_early());
        };
        last.data = self.key.hide_in(last.data);
        match answer.take(&last, sink)? {
            Progress::Done => answer.finish(self.model.max_tokens),
            Progress::More => Err(ended_early()),
        }
    }

    /// One turn, over all pauses of the model.
    async fn speak(
        &mut self,
        request: &Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        let mut whole = ModelTurn::default();
        for _ in 0..=MAX_PAUSES {
            let response = self.ask(request, &whole.blocks).await?;
            let (turn, over) = match self.read(response, sink).await? {
                Said::Turn(turn) => (turn, true),
                Said::Paused(turn) => (turn, false),
            };
            whole.blocks.extend(turn.blocks);
            whole.notices.extend(turn.notices);
            whole.usage = whole.usage.and_then(turn.usage);
            whole.model = turn.model;
            if over {
                note_silence(&mut whole);
                return Ok(whole);
            }
        }
        Err(BackendError::passing(
            ErrorCode::BackendBroken,
            format!("The model paused more than {MAX_PAUSES} times in one answer."),
            "Resume to ask again.",
        ))
    }
}

fn ended_early() -> BackendError {
    BackendError::passing(
        ErrorCode::BackendBroken,
        "The answer ended before it was complete.",
        "Resume to ask again; if it stays, look at the network and at the server's own log.",
    )
}

/// A success that is no stream of events: an error in the form of one, or another kind of page.
fn not_a_stream(text: &str) -> BackendError {
    match serde_json::from_str::<Value>(text) {
        Ok(body) if !body["error"].is_null() => refusal::in_stream(&body),
        Ok(_) | Err(_) => refusal::no_messages_api(text),
    }
}

impl ModelBackend for AnthropicBackend {
    async fn turn(
        &mut self,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        let before = self.leeway;
        let mut turn = self.speak(&request, sink).await?;
        let window_tokens = self.learn_window().await?;
        turn.usage.context = turn.usage.context.map(|fill| ContextFill {
            window_tokens,
            ..fill
        });
        let notices = self.leeway.notices(before, &self.model.name);
        turn.notices.splice(0..0, notices);
        Ok(turn)
    }
}

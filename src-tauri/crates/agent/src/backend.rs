//! Model backends: what asks a model for its next message.
//!
//! A backend makes one model message out of a conversation and tells it piece by piece while it
//! comes. It tries once: trying again is the worker's. It holds nothing of the conversation, so a
//! cut needs nothing undone in it.

use crate::error::AgentError;
use crate::worker::Patience;
use anthropic::AnthropicBackend;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::worker::{AgentNotice, GivenInstruction};
use espalier_protocol::{AppError, Block, ConversationItem, ErrorCode, ToolDefinition, Usage};
use ollama::OllamaBackend;
use replay::ReplayBackend;
use std::time::Duration;

pub mod anthropic;
mod http;
mod lines;
pub mod ollama;
pub mod replay;

/// What a model is asked to go on from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// System prompt first. Every call in it has its result right after its message.
    pub conversation: &'a [ConversationItem],
    pub tools: &'a [ToolDefinition],
    /// Where on the session's tree this is.
    pub path: &'a PathSoFar,
}

/// The place on the session's tree, by which a recording finds its turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathSoFar {
    /// Number of the step that comes next.
    pub next_step: u32,
    /// In the order in which they were given.
    pub instructions: Vec<GivenInstruction>,
}

/// A piece of what is going on while a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    Thinking(String),
    /// Nothing of the answer yet; what takes so long, and for how many seconds.
    Waiting {
        label: String,
        seconds: u32,
    },
}

/// Where pieces go.
pub type DeltaSink<'a> = &'a mut (dyn FnMut(Delta) + Send);

/// One whole message of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelTurn {
    /// Thinking, text, calls. A call without an id of the provider's has an empty one.
    pub blocks: Vec<Block>,
    pub usage: Usage,
    /// The model that answered, by the name the server gives it.
    pub model: Option<String>,
    pub notices: Vec<AgentNotice>,
}

/// Something that can be asked for a model's next message.
pub trait ModelBackend {
    /// Asks once. Dropping the future stops the model call at once: its connection is closed.
    ///
    /// # Errors
    /// The server, the model or the recording did not give a whole message.
    fn turn(
        &mut self,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> impl Future<Output = Result<ModelTurn, BackendError>> + Send;
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    Never,
    Soon,
    /// The server says when.
    After(Duration),
}

/// Why there is no message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{app}")]
pub struct BackendError {
    pub app: AppError,
    pub retry: Retry,
    /// For a recording: the instructions it knows at this place.
    pub instructions: Vec<String>,
}

impl BackendError {
    /// A failure that stays until somebody changes something.
    pub(crate) fn lasting(
        code: ErrorCode,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            app: AppError::new(code, message, hint),
            retry: Retry::Never,
            instructions: Vec::new(),
        }
    }

    /// A failure that may pass by itself.
    pub(crate) fn passing(
        code: ErrorCode,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            app: AppError::new(code, message, hint).retryable(),
            retry: Retry::Soon,
            instructions: Vec::new(),
        }
    }

    /// The same failure with the server's own words.
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        let detail = excerpt(detail, MAX_DETAIL);
        if !detail.is_empty() {
            self.app.details.push(detail);
        }
        self
    }
}

/// Characters of a server's answer that are shown.
const MAX_DETAIL: usize = 300;

/// The beginning of a text on one line, without control characters.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let mut short = String::new();
    let mut left = most;
    for word in words.filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if length + 1 > left {
            short.extend(word.chars().take(left));
            short.push('…');
            return short;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
        left -= length + 1;
    }
    short
}

/// The backend of a session.
#[derive(Debug)]
pub enum Backend {
    Anthropic(AnthropicBackend),
    Ollama(OllamaBackend),
    Replay(ReplayBackend),
}

impl Backend {
    /// Makes the backend that the settings name. Asks no server yet.
    ///
    /// # Errors
    /// This version does not have it, or its settings make no sense.
    pub fn open(
        settings: &BackendSettings,
        api_key: Option<&str>,
        silence: Duration,
        patience: &Patience,
    ) -> Result<Self, AgentError> {
        match settings {
            BackendSettings::Anthropic { .. } => Ok(Self::Anthropic(AnthropicBackend::open(
                settings, api_key, silence, patience,
            )?)),
            BackendSettings::Ollama { .. } => Ok(Self::Ollama(OllamaBackend::open(
                settings, silence, patience,
            )?)),
            BackendSettings::Replay { recording, pace } => {
                Ok(Self::Replay(ReplayBackend::open(recording, *pace)))
            }
            // Its loop is its own (`worker::claude`).
            BackendSettings::ClaudeAgentSdk { .. } => Err(AgentError::Told(
                "Claude Code is asked for no single message.".to_owned(),
            )),
        }
    }
}

impl ModelBackend for Backend {
    async fn turn(
        &mut self,
        request: Request<'_>,
        sink: DeltaSink<'_>,
    ) -> Result<ModelTurn, BackendError> {
        match self {
            Self::Anthropic(anthropic) => anthropic.turn(request, sink).await,
            Self::Ollama(ollama) => ollama.turn(request, sink).await,
            Self::Replay(replay) => replay.turn(request, sink).await,
        }
    }
}

//! Model backends: one answer to one conversation, streamed.

mod failure;
mod ollama;
mod replay;

pub use failure::BackendError;

use espalier_protocol::session::BackendSettings;
use espalier_protocol::worker::{AgentNotice, GivenInstruction};
use espalier_protocol::{Block, ConversationItem, ToolDefinition, Usage};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a backend is asked.
pub struct TurnRequest<'a> {
    pub conversation: &'a [ConversationItem],
    pub tools: &'a [ToolDefinition],
    /// Number of the next step along the path.
    pub next_step: u32,
    pub instructions: &'a [GivenInstruction],
}

/// Pieces of an answer as they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    Text(String),
    Thinking(String),
    Progress { label: String, seconds: u32 },
}

/// Where the pieces go.
pub type DeltaSink<'a> = &'a mut (dyn FnMut(Delta) + Send);

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelTurn {
    pub blocks: Vec<Block>,
    pub usage: Usage,
    pub notices: Vec<AgentNotice>,
}

/// A backend at work.
pub enum Backend {
    Ollama(ollama::Ollama),
    Replay(replay::Replay),
}

impl Backend {
    /// The backend for these settings.
    pub fn open(settings: &BackendSettings, step_timeout: Duration) -> Result<Self, BackendError> {
        match settings {
            BackendSettings::Ollama { .. } => {
                Ok(Self::Ollama(ollama::Ollama::new(settings, step_timeout)?))
            }
            BackendSettings::Replay { recording, pace } => {
                Ok(Self::Replay(replay::Replay::open(recording, *pace)?))
            }
            BackendSettings::Anthropic { .. } | BackendSettings::ClaudeAgentSdk { .. } => {
                Err(BackendError::NotBuilt(settings.name()))
            }
        }
    }

    /// Asks for one answer. Cancelling drops the connection at once.
    pub async fn turn(
        &mut self,
        request: &TurnRequest<'_>,
        sink: DeltaSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<ModelTurn, BackendError> {
        let turn = async {
            match self {
                Self::Ollama(ollama) => ollama.turn(request, sink).await,
                Self::Replay(replay) => replay.turn(request, sink).await,
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(BackendError::Cancelled),
            turn = turn => turn,
        }
    }
}

/// A client for that server. A proxy of the environment never stands before this machine.
pub fn http_client(host: &str) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("espalier/", env!("CARGO_PKG_VERSION")));
    let local = reqwest::Url::parse(host).ok().and_then(|url| {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let loopback = host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
        Some(host == "localhost" || loopback)
    });
    if local == Some(true) {
        builder = builder.no_proxy();
    }
    builder.build()
}

//! The agent process's main loop: proposes, waits for the answer, acts, reports.
//!
//! Standard output belongs to the lines of `espalier_protocol::worker` alone. When standard input
//! ends, the app is gone: everything that was started ends, then the process.
//!
//! After `Cancel` of a running tool the rest of the message is dropped: `Finished`, then `Ready`.

mod calls;
mod wire;

use crate::backend::{Backend, BackendError, Delta, ModelTurn, TurnRequest};
use crate::tools::{self, Toolbox, ToolboxOptions};
use espalier_protocol::worker::{AgentSetup, FromAgent, GivenInstruction, ToAgent};
use espalier_protocol::{AppError, ConversationItem, ErrorCode, MessageId, ToolDefinition};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::Said;

/// How often a failed request is made again, and how long to wait before.
const RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// The longest wait a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What ends the loop.
enum End {
    /// `Shutdown`, or the app is gone.
    Asked,
}

/// Where the loop goes on.
enum Next {
    /// Wait for `Continue`.
    Wait,
    /// Ask the model.
    Ask,
}

struct Worker {
    told: mpsc::Receiver<ToAgent>,
    said: Said,
    toolbox: Toolbox,
    backend: Option<Backend>,
    tools: Vec<ToolDefinition>,
    conversation: Vec<ConversationItem>,
    next_step: u32,
    instructions: Vec<GivenInstruction>,
    messages: u32,
}

/// Runs the agent process on standard input and output. Returns its exit code.
pub async fn agent_main() -> i32 {
    if let Err(error) = tools::adopt_descendants() {
        tracing::warn!(%error, "processes that leave their group cannot be held");
    }
    let (said, writer) = wire::say_on(tokio::io::stdout());
    let told = wire::hear_from(tokio::io::stdin());
    let code = serve(told, said).await;
    if let Err(error) = writer.await {
        tracing::error!(%error, "the last lines may be lost");
    }
    code
}

async fn serve(mut told: mpsc::Receiver<ToAgent>, said: Said) -> i32 {
    let setup = match told.recv().await {
        Some(ToAgent::Setup { setup }) => *setup,
        _ => return 0,
    };
    match Worker::open(setup, told, said.clone()) {
        Ok(mut worker) => {
            let End::Asked = worker.run().await;
            worker.toolbox.kill_everything();
            0
        }
        Err(error) => {
            said.say(FromAgent::Fatal { error });
            1
        }
    }
}

impl Worker {
    fn open(
        setup: AgentSetup,
        told: mpsc::Receiver<ToAgent>,
        said: Said,
    ) -> Result<Self, AppError> {
        let timeout = Duration::from_secs(u64::from(setup.step_timeout_seconds));
        let toolbox = Toolbox::open(ToolboxOptions {
            project_dir: PathBuf::from(&setup.project_dir),
            spool_dir: PathBuf::from(&setup.spool_dir),
            tools: setup.tools.clone(),
            timeout,
        })
        .map_err(|error| {
            AppError::new(
                ErrorCode::Io,
                error.to_string(),
                "Check that the project directory is there and the data folder is writable.",
            )
        })?;
        let backend = setup
            .backend
            .as_ref()
            .map(|settings| Backend::open(settings, timeout))
            .transpose()
            .map_err(|error| error.to_app())?;
        Ok(Self {
            told,
            said,
            toolbox,
            backend,
            tools: tools::tool_definitions(&setup.tools),
            conversation: setup.conversation,
            next_step: setup.next_step,
            instructions: setup.instructions,
            messages: 0,
        })
    }

    /// Returns when the process is to end.
    async fn run(&mut self) -> End {
        self.said.say(FromAgent::Ready);
        loop {
            match self.told.recv().await {
                None | Some(ToAgent::Shutdown) => return End::Asked,
                Some(ToAgent::Continue { items }) => {
                    self.append(items);
                    if let Err(end) = self.go_on().await {
                        return end;
                    }
                }
                Some(ToAgent::RunCommand {
                    command,
                    timeout_seconds,
                }) => {
                    if let Err(end) = self.run_command(&command, timeout_seconds).await {
                        return end;
                    }
                }
                // Nothing runs that they could be about.
                Some(
                    ToAgent::Setup { .. }
                    | ToAgent::Go { .. }
                    | ToAgent::Refuse { .. }
                    | ToAgent::Cancel,
                ) => {}
            }
        }
    }

    /// Instructions are part of the conversation, and by them a recording finds its place.
    fn append(&mut self, items: Vec<ConversationItem>) {
        let after_step = i32::try_from(self.next_step).unwrap_or(i32::MAX) - 1;
        for item in items {
            if let ConversationItem::System { text } | ConversationItem::User { text } = &item {
                self.instructions.push(GivenInstruction {
                    after_step,
                    text: text.clone(),
                });
            }
            self.conversation.push(item);
        }
    }

    /// Asks and acts until there is something to wait for.
    async fn go_on(&mut self) -> Result<(), End> {
        loop {
            let Some(turn) = self.ask().await? else {
                self.said.say(FromAgent::Ready);
                return Ok(());
            };
            if let Next::Wait = self.act(turn).await? {
                self.said.say(FromAgent::Ready);
                return Ok(());
            }
        }
    }

    /// One answer of the model, with the retries that a passing failure is worth.
    async fn ask(&mut self) -> Result<Option<ModelTurn>, End> {
        let mut attempt = 0;
        loop {
            let started = Instant::now();
            match self.ask_once().await? {
                Ok(turn) => {
                    self.said.say(FromAgent::Message {
                        blocks: turn.blocks.clone(),
                        usage: turn.usage,
                        model_ms: u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX),
                        notices: turn.notices.clone(),
                    });
                    return Ok(Some(turn));
                }
                Err(BackendError::Cancelled) => {
                    self.said.say(FromAgent::DeltasReset);
                    return Ok(None);
                }
                Err(error) => {
                    attempt += 1;
                    let wait = RETRIES
                        .get(attempt - 1)
                        .filter(|_| error.is_passing())
                        .map(|wait| error.retry_after().unwrap_or(*wait).min(LONGEST_WAIT));
                    self.report(&error, attempt, wait);
                    let Some(wait) = wait else { return Ok(None) };
                    if !self.rest(wait).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn report(&self, error: &BackendError, attempt: usize, wait: Option<Duration>) {
        self.said.say(FromAgent::DeltasReset);
        let instructions = match error {
            BackendError::RecordingEnded { instructions } => instructions.clone(),
            _ => Vec::new(),
        };
        self.said.say(FromAgent::ProviderFailed {
            error: error.to_app(),
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            retry_in_ms: wait.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)),
            instructions,
        });
    }

    /// Waits before a retry. False when it was cancelled.
    async fn rest(&mut self, wait: Duration) -> Result<bool, End> {
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Ok(true),
                told = self.told.recv() => match told {
                    None | Some(ToAgent::Shutdown) => return Err(End::Asked),
                    Some(ToAgent::Cancel) => return Ok(false),
                    Some(_) => {}
                },
            }
        }
    }

    async fn ask_once(&mut self) -> Result<Result<ModelTurn, BackendError>, End> {
        let Some(backend) = &mut self.backend else {
            return Ok(Err(BackendError::Request("there is no backend".to_owned())));
        };
        let cancel = CancellationToken::new();
        let request = TurnRequest {
            conversation: &self.conversation,
            tools: &self.tools,
            next_step: self.next_step,
            instructions: &self.instructions,
        };
        let said = self.said.clone();
        let mut sink = move |delta| {
            said.say(match delta {
                Delta::Text(text) => FromAgent::TextDelta { text },
                Delta::Thinking(text) => FromAgent::ThinkingDelta { text },
                Delta::Progress { label, seconds } => FromAgent::Progress {
                    label,
                    done: seconds,
                    total: None,
                },
            });
        };
        let turn = backend.turn(&request, &mut sink, &cancel);
        tokio::pin!(turn);
        let mut over = false;
        loop {
            tokio::select! {
                answer = &mut turn => {
                    return if over { Err(End::Asked) } else { Ok(answer) };
                }
                told = self.told.recv(), if !over => match told {
                    None | Some(ToAgent::Shutdown) => {
                        over = true;
                        cancel.cancel();
                    }
                    Some(ToAgent::Cancel) => cancel.cancel(),
                    Some(_) => {}
                },
            }
        }
    }

    fn next_message_id(&mut self) -> MessageId {
        self.messages += 1;
        MessageId(format!("local-{}", self.messages))
    }
}

//! The agent process's main loop: lines of the engine in, lines of the agent out.
//!
//! One task does one thing at a time and listens all the while, so a cancellation, the order to end
//! and the app's death are heard whatever runs. When the loop ends, nothing that it started runs.

use crate::backend::Backend;
use crate::error::AgentError;
use crate::secret::Secret;
use crate::tools::{MAX_PROCESSES, Toolbox, ToolboxOptions, adopt_descendants, tool_definitions};
use calls::After;
use claude::ClaudeWorker;
use espalier_protocol::ToolDefinition;
use espalier_protocol::worker::{AgentSetup, FromAgent, ToAgent};
use lines::{Ears, Mouth};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;
use talk::Talk;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

mod asking;
mod calls;
mod claude;
mod lines;
mod patience;
mod talk;

pub use patience::Patience;

/// How long the last lines may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The agent process: speaks with the engine over standard input and output until it is told to
/// end or the app is gone. Returns the process's exit code.
pub async fn agent_main() -> i32 {
    if let Err(error) = adopt_descendants() {
        tracing::warn!(%error, "what commands leave behind may not be found");
    }
    let stop = CancellationToken::new();
    if let Err(error) = heed_signals(&stop) {
        tracing::warn!(%error, "signals are not heeded");
    }
    serve(
        std::io::stdin(),
        std::io::stdout(),
        Patience::default(),
        stop,
    )
    .await
}

/// Ctrl+C reaches every process of a terminal: what it means the app decides, and says. A request
/// to end is for this process.
fn heed_signals(stop: &CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => stop.cancel(),
                _ = hang_up.recv() => stop.cancel(),
            }
        }
    });
    Ok(())
}

/// Serves one engine: `input` holds its lines, `output` takes the agent's. `stop` ends it as the
/// end of `input` does. Both are used on threads of their own and may block. Returns the exit code:
/// 0 after `Shutdown`.
pub async fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    patience: Patience,
    stop: CancellationToken,
) -> i32 {
    let (mouth, written) = lines::speak(output, stop.clone());
    let mut ears = lines::listen(input, stop);
    let end = match work(&mut ears, mouth.clone(), patience).await {
        Ok(end) | Err(end) => end,
    };
    if let End::Fault(error) = &end {
        mouth.say(FromAgent::Fatal {
            error: error.to_app(),
        });
    }
    drop(mouth);
    if tokio::time::timeout(LAST_WORDS, written).await.is_err() {
        tracing::debug!("the app no longer reads");
    }
    match end {
        End::Shutdown => 0,
        End::Gone | End::Fault(_) => 1,
    }
}

/// Waits for the setup and does what it asks for, until the end.
async fn work(ears: &mut Ears, mouth: Mouth, patience: Patience) -> Result<End, End> {
    let setup = match ears.hear().await? {
        ToAgent::Setup { setup } => *setup,
        other => return Err(End::unfit(&other, "it was not set up yet")),
    };
    mouth.keep(Secret::new(setup.api_key.as_deref()));
    if ClaudeWorker::is_for(&setup) {
        let worker = ClaudeWorker::from_setup(setup, mouth).await;
        let mut worker = worker.map_err(End::Fault)?;
        let end = worker.run(ears).await;
        worker.clear_up().await;
        return Ok(end);
    }
    let worker = Worker::from_setup(setup, mouth, patience);
    let mut worker = worker.map_err(End::Fault)?;
    let end = worker.run(ears).await;
    kill_all(worker.toolbox).await;
    Ok(end)
}

/// Why the loop ends.
#[derive(Debug)]
enum End {
    /// The engine says so.
    Shutdown,
    /// There is no engine any more.
    Gone,
    /// It cannot go on.
    Fault(AgentError),
}

impl End {
    /// A line that does not fit what the agent is doing.
    fn unfit(line: &ToAgent, doing: &str) -> Self {
        let name = match line {
            ToAgent::Setup { .. } => "setup",
            ToAgent::Go { .. } => "go",
            ToAgent::Refuse { .. } => "refuse",
            ToAgent::Continue { .. } => "continue",
            ToAgent::Cancel => "cancel",
            ToAgent::RunCommand { .. } => "run_command",
            ToAgent::Shutdown => "shutdown",
        };
        Self::Fault(AgentError::Told(format!("`{name}` while {doing}.")))
    }
}

/// A set-up agent.
struct Worker {
    mouth: Mouth,
    toolbox: Toolbox,
    /// Absent where only commands are run for the app.
    backend: Option<Backend>,
    tools: Vec<ToolDefinition>,
    talk: Talk,
    patience: Patience,
}

impl Worker {
    fn from_setup(setup: AgentSetup, mouth: Mouth, patience: Patience) -> Result<Self, AgentError> {
        let limit = Duration::from_secs(u64::from(setup.step_timeout_seconds));
        let toolbox = Toolbox::open(ToolboxOptions {
            project_dir: PathBuf::from(&setup.project_dir),
            spool_dir: PathBuf::from(&setup.spool_dir),
            tools: setup.tools.clone(),
            timeout: limit,
            max_processes: MAX_PROCESSES,
            secret: Secret::new(setup.api_key.as_deref()),
        })
        .map_err(AgentError::Toolbox)?;
        let backend = setup.backend.as_ref();
        let backend = backend
            .map(|settings| Backend::open(settings, setup.api_key.as_deref(), limit, &patience));
        Ok(Self {
            mouth,
            toolbox,
            backend: backend.transpose()?,
            tools: tool_definitions(&setup.tools),
            talk: Talk::new(setup.conversation, setup.next_step, setup.instructions),
            patience,
        })
    }

    async fn run(&mut self, ears: &mut Ears) -> End {
        loop {
            self.mouth.say(FromAgent::Ready);
            if let Err(end) = self.idle(ears).await {
                return end;
            }
        }
    }

    /// From one `Ready` to the next.
    async fn idle(&mut self, ears: &mut Ears) -> Result<(), End> {
        loop {
            match ears.hear().await? {
                ToAgent::Continue { items } => {
                    self.talk.append(items);
                    return self.talk_on(ears).await;
                }
                ToAgent::RunCommand {
                    command,
                    timeout_seconds,
                } => {
                    let limit = Duration::from_secs(u64::from(timeout_seconds));
                    calls::run_command(&self.toolbox, &self.mouth, &command, limit, ears).await?;
                }
                // What was to be stopped ended by itself; the `Ready` before is the answer.
                ToAgent::Cancel => {}
                // Answers to a proposal that a cancellation had ended.
                ToAgent::Go { .. } | ToAgent::Refuse { .. } => {}
                other @ (ToAgent::Setup { .. } | ToAgent::Shutdown) => {
                    return Err(End::unfit(&other, "it waited"));
                }
            }
        }
    }

    /// Asks the model and makes its calls, until the engine is to say how it goes on.
    async fn talk_on(&mut self, ears: &mut Ears) -> Result<(), End> {
        loop {
            let Some(blocks) = self.ask(ears).await? else {
                return Ok(());
            };
            if !self.talk.begin_message(blocks) {
                self.talk.close();
                self.mouth.say(FromAgent::Ended);
                return Ok(());
            }
            match self.make_calls(ears).await? {
                After::Ready => return Ok(()),
                After::AskAgain => {}
            }
        }
    }
}

/// Ends everything that commands started.
async fn kill_all(toolbox: Toolbox) {
    match tokio::task::spawn_blocking(move || toolbox.kill_everything()).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "processes of commands were ended"),
        Err(error) => tracing::error!(%error, "processes of commands may still run"),
    }
}

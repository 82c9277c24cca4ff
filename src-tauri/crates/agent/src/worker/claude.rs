//! The agent process's main loop where Claude Code is the agent: its lines become the lines of the
//! protocol, and the engine's answers become its.
//!
//! Claude Code is held before every call and after the calls of every message, so it does nothing
//! that the engine did not let it do. Its own record of the conversation must never hold more than
//! the session does: whatever is cut away here, by a cancellation, an instruction in the middle of
//! a message or a failure, ends the process, and the next one goes on from the place in the record
//! where the session stands.

use super::lines::{Ears, Mouth};
use super::talk::Talk;
use super::{End, calls};
use crate::claude::cli::{ClaudeCli, find_claude};
use crate::claude::launch::Settings;
use crate::error::AgentError;
use crate::opening::default_system_prompt;
use crate::secret::Secret;
use crate::tools::{MAX_PROCESSES, Toolbox, ToolboxOptions};
use espalier_protocol::ConversationItem;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::worker::{AgentNotice, AgentSetup, FromAgent, ToAgent};
use line::Line;
use made::After;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinHandle;

mod asking;
mod line;
mod made;

/// An agent whose work Claude Code does.
pub(super) struct ClaudeWorker {
    mouth: Mouth,
    /// For the app's own commands.
    toolbox: Toolbox,
    settings: Settings,
    cli: ClaudeCli,
    api_key: Option<String>,
    project: PathBuf,
    /// What Claude Code is told beside its own system prompt.
    system: Option<String>,
    talk: Talk,
    /// Told with the next message.
    notices: Vec<AgentNotice>,
    line: Option<Line>,
    /// Processes that are ending.
    ending: Vec<JoinHandle<()>>,
}

impl ClaudeWorker {
    /// Whether this is the worker for a setup.
    pub(super) fn is_for(setup: &AgentSetup) -> bool {
        matches!(setup.backend, Some(BackendSettings::ClaudeAgentSdk { .. }))
    }

    pub(super) async fn from_setup(setup: AgentSetup, mouth: Mouth) -> Result<Self, AgentError> {
        let limit = Duration::from_secs(u64::from(setup.step_timeout_seconds));
        let settings = settings(&setup, limit)?;
        let cli = find_claude(settings.cli.as_deref()).await?;
        tracing::info!(path = %cli.path.display(), version = %cli.version, "Claude Code");
        let toolbox = Toolbox::open(ToolboxOptions {
            project_dir: PathBuf::from(&setup.project_dir),
            spool_dir: PathBuf::from(&setup.spool_dir),
            tools: setup.tools.clone(),
            timeout: limit,
            max_processes: MAX_PROCESSES,
            secret: Secret::new(setup.api_key.as_deref()),
        })
        .map_err(AgentError::Toolbox)?;
        Ok(Self {
            mouth,
            toolbox,
            notices: settings.notice().into_iter().collect(),
            cli,
            api_key: setup.api_key,
            project: PathBuf::from(&setup.project_dir),
            system: own_words(&setup.conversation, &settings),
            settings,
            talk: Talk::new(setup.conversation, setup.next_step, setup.instructions),
            line: None,
            ending: Vec::new(),
        })
    }

    pub(super) async fn run(&mut self, ears: &mut Ears) -> End {
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
                    // Nothing else may run beside a command: what does is taken for its own.
                    self.let_go();
                    self.all_ended().await;
                    let limit = Duration::from_secs(u64::from(timeout_seconds));
                    calls::run_command(&self.toolbox, &self.mouth, &command, limit, ears).await?;
                }
                ToAgent::Cancel | ToAgent::Go { .. } | ToAgent::Refuse { .. } => {}
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
                self.knows_all();
                self.mouth.say(FromAgent::Ended);
                return Ok(());
            }
            match self.make_calls(ears).await? {
                After::Ready => return Ok(()),
                After::AskAgain => {}
            }
        }
    }

    /// Claude Code knows the conversation as it is now.
    fn knows_all(&mut self) {
        let length = self.talk.items().len();
        if let Some(line) = &mut self.line {
            line.knows = length;
        }
    }

    /// Lets go of the running Claude Code: its record is no longer the session's. It ends by itself.
    fn let_go(&mut self) {
        if let Some(line) = self.line.take() {
            self.ending.push(tokio::spawn(line.end()));
        }
    }

    /// Waits until those that were let go of have written their records.
    async fn all_ended(&mut self) {
        for ending in std::mem::take(&mut self.ending) {
            if let Err(error) = ending.await {
                tracing::error!(%error, "Claude Code may still run");
            }
        }
    }

    /// Ends everything that was started.
    pub(super) async fn clear_up(mut self) {
        self.let_go();
        self.all_ended().await;
        super::kill_all(self.toolbox).await;
    }
}

fn settings(setup: &AgentSetup, limit: Duration) -> Result<Settings, AgentError> {
    let Some(BackendSettings::ClaudeAgentSdk {
        model,
        max_turns,
        permission_mode,
        enable_thinking,
        cli_path,
    }) = &setup.backend
    else {
        return Err(AgentError::Told("another backend's setup.".to_owned()));
    };
    Ok(Settings {
        cli: cli_path.as_ref().map(PathBuf::from),
        model: model.clone(),
        max_turns: *max_turns,
        permission_mode: permission_mode.clone(),
        enable_thinking: *enable_thinking,
        tools: setup.tools.clone(),
        limit,
        compacts: setup.compacts,
    })
}

/// The system prompt, unless it is Espalier's own, which is about other tools than Claude Code's.
fn own_words(conversation: &[ConversationItem], settings: &Settings) -> Option<String> {
    match conversation.first() {
        Some(ConversationItem::System { text })
            if *text != default_system_prompt(&settings.tools) =>
        {
            Some(text.clone())
        }
        _ => None,
    }
}

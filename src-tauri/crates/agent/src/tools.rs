//! The agent's tools on one project directory.
//!
//! A `Toolbox` describes and runs calls. What it returns is what the model reads; nothing a model
//! asks for makes it fail otherwise. No path leads out of the project (`project`), and when a
//! command's call is answered nothing of the command runs any more (`bash`, `processes`).

use crate::secret::Secret;
use answer::outcome;
use arguments::Arguments;
use bash::Order;
use blocking::Effect;
use definitions::form;
use espalier_protocol::worker::{ToolOutcome, Touched};
use espalier_protocol::{StepKind, StepStatus, ToolName};
use processes::{Belonging, Family, Manner};
use project::Project;
use serde_json::Value;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

mod answer;
mod arguments;
mod bash;
mod blocking;
mod definitions;
mod describe;
mod edit_file;
mod glob;
mod grep;
mod nearest;
mod processes;
mod project;
mod read_file;
mod replace;
mod text;
mod walk;
mod wording;
mod write_file;

pub use bash::Sink;
pub use bash::environment::of_this_process as command_environment;
pub use definitions::tool_definitions;
pub(crate) use processes::MARK;
pub use processes::{adopt_descendants, kill_left_behind, kill_process_tree};

/// What a `Toolbox` works with.
#[derive(Debug, Clone)]
pub struct ToolboxOptions {
    /// Files are reached only under it; commands run in it.
    pub project_dir: PathBuf,
    /// Folder for outputs too long for a model; made when missing. Not within the project.
    pub spool_dir: PathBuf,
    /// The tools that are offered; others are refused.
    pub tools: Vec<ToolName>,
    /// How long one call may take.
    pub timeout: Duration,
    /// Processes that one command may have at the same time; `MAX_PROCESSES` as a rule.
    pub max_processes: usize,
    /// Never shown, whatever prints it.
    pub secret: Secret,
}

/// More processes at the same time than any build or test run needs.
pub const MAX_PROCESSES: usize = 1000;

/// The tools on one project directory. Clones share it.
#[derive(Debug, Clone)]
pub struct Toolbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    project: Project,
    spool_dir: PathBuf,
    tools: Vec<ToolName>,
    timeout: Duration,
    max_processes: usize,
    secret: Secret,
    shell: PathBuf,
    /// Marks this toolbox's commands: `PID-RANDOM-`.
    mark: String,
    next_command: AtomicU64,
}

impl Toolbox {
    /// Opens the project directory and makes the spool folder.
    ///
    /// # Errors
    /// The project directory cannot be opened, or the spool folder cannot be made; the text names it.
    pub fn open(options: ToolboxOptions) -> io::Result<Self> {
        let named = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        let project =
            Project::open(&options.project_dir).map_err(|e| named(&options.project_dir, e))?;
        std::fs::create_dir_all(&options.spool_dir).map_err(|e| named(&options.spool_dir, e))?;
        let random = RandomState::new().build_hasher().finish();
        Ok(Self {
            shared: Arc::new(Shared {
                project,
                spool_dir: options.spool_dir,
                tools: options.tools,
                timeout: options.timeout,
                max_processes: options.max_processes,
                secret: options.secret,
                shell: shell(),
                mark: format!("{}-{random:016x}-", std::process::id()),
                next_command: AtomicU64::new(0),
            }),
        })
    }

    /// What kind of step a call is, and the file, command or pattern that it is about.
    pub fn describe(&self, name: &str, input: &Value) -> (StepKind, String) {
        describe::describe(&self.shared.project, name, input)
    }

    /// Runs one call of the model. Live output of a command goes to `sink`; `cancel` stops it.
    pub async fn run(
        &self,
        call_id: &str,
        name: &str,
        input: &Value,
        sink: Sink<'_>,
        cancel: CancellationToken,
    ) -> ToolOutcome {
        let started = Instant::now();
        let offered = ToolName::parse(name).filter(|tool| self.shared.tools.contains(tool));
        let Some(tool) = offered else {
            let content = self.not_offered(name);
            return outcome(StepStatus::Refused, content, Touched::Nothing, started);
        };
        let arguments = match Arguments::check(form(tool), input) {
            Ok(arguments) => arguments,
            Err(wrong) => return outcome(StepStatus::ToolError, wrong, Touched::Nothing, started),
        };
        if cancel.is_cancelled() {
            return blocking::not_begun(started);
        }
        let work = match tool {
            ToolName::Bash => {
                let wanted = arguments
                    .integer("timeout_seconds")
                    .map(Duration::from_secs);
                let limit = wanted.map_or(self.shared.timeout, |wanted| {
                    wanted.min(self.shared.timeout)
                });
                let order = self.order(call_id, arguments.text("command"), limit);
                return bash::run(&order, sink, &cancel).await;
            }
            ToolName::ReadFile => read_file::read_file,
            ToolName::EditFile => edit_file::edit_file,
            ToolName::WriteFile => write_file::write_file,
            ToolName::Glob => glob::glob,
            ToolName::Grep => grep::grep,
        };
        let effect = match tool {
            ToolName::EditFile | ToolName::WriteFile => Effect::Writes,
            ToolName::ReadFile | ToolName::Bash | ToolName::Glob | ToolName::Grep => Effect::Reads,
        };
        let shared = self.shared.clone();
        let outcome = blocking::run(effect, self.shared.timeout, &cancel, move |stop| {
            work(&shared.project, &arguments, stop)
        })
        .await;
        ToolOutcome {
            content: self.shared.secret.hide(outcome.content),
            ..outcome
        }
    }

    /// Runs a command that is not a call of the model (the test command).
    pub async fn run_command(
        &self,
        command: &str,
        timeout: Duration,
        sink: Sink<'_>,
        cancel: CancellationToken,
    ) -> ToolOutcome {
        if cancel.is_cancelled() {
            return blocking::not_begun(Instant::now());
        }
        let order = self.order("command", command, timeout);
        bash::run(&order, sink, &cancel).await
    }

    /// Kills everything that this toolbox's commands started and that still runs. Blocks until it
    /// is gone, a little over 5 s at most; returns how many processes there were.
    pub fn kill_everything(&self) -> usize {
        let belonging = Belonging::of_commands(None, &self.shared.mark);
        Family::new(belonging).end(Manner::AtOnce).stopped.len()
    }

    fn order(&self, call_id: &str, command: &str, limit: Duration) -> Order {
        let number = self.shared.next_command.fetch_add(1, Ordering::Relaxed);
        let safe: String = call_id
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .take(60)
            .collect();
        let shared = &self.shared;
        Order {
            command: command.to_owned(),
            shell: shared.shell.clone(),
            dir: shared.project.path().to_path_buf(),
            spool: shared
                .spool_dir
                .join(format!("{}{number}-{safe}.out", shared.mark)),
            limit,
            max_processes: shared.max_processes,
            secret: shared.secret.clone(),
            mark: format!("{}{number}", shared.mark),
        }
    }

    fn not_offered(&self, name: &str) -> String {
        let there: Vec<&str> = self.shared.tools.iter().map(|tool| tool.as_str()).collect();
        if there.is_empty() {
            return format!("There is no tool `{name}`; this session has no tools at all.");
        }
        format!(
            "The tool `{name}` is not available in this session. Available: {}.",
            there.join(", ")
        )
    }
}

/// Whether a call with these arguments could be made, or what is wrong with them. Tools that are not
/// Espalier's own take any object.
///
/// # Errors
/// What the model would read as the call's result.
pub fn check_arguments(name: &str, input: &Value) -> Result<(), String> {
    match ToolName::parse(name) {
        Some(tool) => Arguments::check(form(tool), input).map(drop),
        None if input.is_object() => Ok(()),
        None => Err("The arguments have to be an object.".to_owned()),
    }
}

/// The shell that runs commands: bash where there is one.
fn shell() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/bin"), PathBuf::from("/usr/bin")])
        .map(|dir| dir.join("bash"))
        .find(|candidate| candidate.is_absolute() && candidate.is_file())
        .unwrap_or_else(|| PathBuf::from("/bin/sh"))
}

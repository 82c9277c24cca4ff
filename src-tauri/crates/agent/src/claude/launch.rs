//! How Claude Code is started.
//!
//! Nothing of the user's own settings counts (hooks, rules, servers), so that a session is the same
//! on every machine; of the environment only what commands may see passes, and where the user's
//! account is kept. The key goes through a pipe of which only its number stands in the environment:
//! no command that it runs can read it.

use super::place::Anchor;
use super::process::Process;
use super::tools::offered;
use crate::tools::{MARK, command_environment};
use espalier_protocol::ToolName;
use espalier_protocol::worker::AgentNotice;
use rustix::io::FdFlags;
use std::ffi::OsString;
use std::io::{PipeReader, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Variables of Claude Code that pass from the user's environment: where the account is kept, and
/// which server is asked.
const PASSED: &[&str] = &["CLAUDE_CONFIG_DIR", "ANTHROPIC_BASE_URL"];
/// It calls nobody but the API, does not change itself, and leaves no command running.
const OWN: &[&str] = &[
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_AUTOUPDATER",
];
/// It asks a failing API again as often as the other backends do, then the session pauses. Its own
/// ten times take minutes.
const RETRIES: (&str, &str) = ("CLAUDE_CODE_MAX_RETRIES", "2");
/// Keeps it from putting a summary in the conversation's place.
const NO_COMPACTION: &str = "DISABLE_AUTO_COMPACT";
/// Where the number of the pipe with the key stands.
const KEY_PIPE: &str = "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR";

/// How the backend is configured.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) cli: Option<PathBuf>,
    pub(crate) model: Option<String>,
    pub(crate) max_turns: Option<u32>,
    pub(crate) permission_mode: String,
    pub(crate) enable_thinking: bool,
    pub(crate) tools: Vec<ToolName>,
    /// Longest time of a command.
    pub(crate) limit: Duration,
    /// Whether Claude Code may shorten the conversation when the window is nearly full.
    pub(crate) compacts: bool,
}

impl Settings {
    /// The arguments. Values stand behind `=`, so that none is taken for a flag.
    pub(crate) fn arguments(&self, system: Option<&str>, resume: Option<&Anchor>) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "--output-format=stream-json",
            "--input-format=stream-json",
            "--verbose",
            "--include-partial-messages",
            "--permission-prompt-tool=stdio",
            "--setting-sources=",
            "--strict-mcp-config",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--permission-mode={}", self.mode(is_root()).0));
        arguments.push(format!("--tools={}", offered(&self.tools)));
        arguments.push(
            if self.enable_thinking {
                "--thinking-display=summarized"
            } else {
                "--thinking=disabled"
            }
            .to_owned(),
        );
        if let Some(model) = &self.model {
            arguments.push(format!("--model={model}"));
        }
        if let Some(turns) = self.max_turns {
            arguments.push(format!("--max-turns={turns}"));
        }
        if let Some(system) = system {
            arguments.push(format!("--append-system-prompt={system}"));
        }
        if let Some(anchor) = resume {
            arguments.push(format!("--resume={}", anchor.session));
            arguments.push(format!("--resume-session-at={}", anchor.uuid));
            arguments.push("--fork-session".to_owned());
        }
        arguments
    }

    /// The mode to start in, and what to say where it is another than the configured one.
    ///
    /// Every call waits for the session's own gate, and what passes there is permitted: `auto` needs
    /// nothing of Claude Code's, and where Claude Code refuses to start (as root) `default` is the
    /// same.
    fn mode(&self, root: bool) -> (&str, Option<AgentNotice>) {
        match self.permission_mode.as_str() {
            "auto" => ("default", None),
            "bypassPermissions" if root => {
                let text = "Claude Code refuses permission_mode: bypassPermissions for the user root; \
                            it runs in the mode default. Every call still goes through this session's \
                            own gate, and what passes there is permitted.";
                let notice = AgentNotice {
                    code: "permission_mode".to_owned(),
                    text: text.to_owned(),
                    once: true,
                };
                ("default", Some(notice))
            }
            other => (other, None),
        }
    }

    /// What to tell the annotator about the configuration.
    pub(crate) fn notice(&self) -> Option<AgentNotice> {
        self.mode(is_root()).1
    }

    /// The command, without the key.
    fn command(&self, cli: &Path, project: &Path, arguments: &[String]) -> Command {
        let limit = self.limit.as_millis().to_string();
        let mut command = Command::new(cli);
        command
            .args(arguments)
            .current_dir(project)
            .env_clear()
            .envs(command_environment())
            .envs(passed())
            .envs(OWN.iter().map(|name| (name, "1")))
            .env("BASH_DEFAULT_TIMEOUT_MS", &limit)
            .env("BASH_MAX_TIMEOUT_MS", &limit)
            // What it leaves behind is found by this, also by the app when this process is gone.
            .env(MARK, format!("{}-claude", std::process::id()))
            .envs([RETRIES])
            .envs((!self.compacts).then_some((NO_COMPACTION, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl+C in a terminal is the app's.
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

/// Starts Claude Code.
pub(crate) fn start(
    settings: &Settings,
    cli: &Path,
    project: &Path,
    arguments: &[String],
    key: Option<&str>,
) -> std::io::Result<Process> {
    let mut command = settings.command(cli, project, arguments);
    // The reading end lives until it has its own.
    let _pipe = match key {
        Some(key) => {
            let pipe = pipe_with(key)?;
            command.env(KEY_PIPE, pipe.as_raw_fd().to_string());
            Some(pipe)
        }
        None => None,
    };
    Process::start(command)
}

/// A pipe that holds a text and that a started program inherits.
fn pipe_with(text: &str) -> std::io::Result<PipeReader> {
    let (reader, mut writer) = std::io::pipe()?;
    writer.write_all(text.as_bytes())?;
    rustix::io::fcntl_setfd(&reader, FdFlags::empty())?;
    Ok(reader)
}

fn passed() -> Vec<(&'static str, OsString)> {
    PASSED
        .iter()
        .filter_map(|name| Some((*name, std::env::var_os(name)?)))
        .collect()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
#[path = "launch_tests.rs"]
mod tests;

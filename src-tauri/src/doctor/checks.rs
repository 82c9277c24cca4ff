//! The single checks. Each says what it found and, where something is missing, the command that
//! mends it.

use crate::exit::Exit;
use espalier_config::Project;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::view::DoctorLine;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

const OLLAMA_HOST: &str = "http://localhost:11434";
/// More than so many bytes for one project are worth a word.
const CHECKPOINT_BUDGET: u64 = 5 << 30;
/// Something that takes longer to answer is as good as not there.
const PATIENCE: Duration = Duration::from_secs(10);

const INSTALL_GIT: &str = if cfg!(target_os = "macos") {
    "xcode-select --install"
} else if cfg!(windows) {
    "winget install --id Git.Git"
} else {
    "sudo apt install git"
};

/// Whether a configuration cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nothing,
    Machine,
    Backend,
}

impl Need {
    /// What its lack means for the exit code.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Nothing => Exit::Done,
            Self::Machine => Exit::Usage,
            Self::Backend => Exit::Backend,
        }
    }
}

/// One check's result.
pub struct Finding {
    pub line: DoctorLine,
    pub need: Need,
}

/// The checks made so far.
#[derive(Default)]
pub struct Checkup {
    pub findings: Vec<Finding>,
}

impl Checkup {
    fn well(&mut self, name: &str, text: impl Into<String>) {
        self.findings.push(Finding {
            line: DoctorLine {
                name: name.to_owned(),
                ok: true,
                text: text.into(),
                mend: String::new(),
            },
            need: Need::Nothing,
        });
    }

    fn missing(
        &mut self,
        name: &str,
        need: Need,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.findings.push(Finding {
            line: DoctorLine {
                name: name.to_owned(),
                ok: false,
                text: text.into(),
                mend: mend.into(),
            },
            need,
        });
    }

    /// git, and whether each task's project directory is a repository.
    pub async fn git(&mut self, project: Option<&Project>) {
        let checkpoints = project.filter(|project| project.settings.checkpoints.enabled);
        let need = if checkpoints.is_some() {
            Need::Machine
        } else {
            Need::Nothing
        };
        match said("git", &["--version"]).await {
            Some(version) => self.well("git", version.trim_start_matches("git version ")),
            None => return self.missing("git", need, "git is not installed.", INSTALL_GIT),
        }
        let tasks = checkpoints.map(|project| project.tasks.as_slice());
        for task in tasks.unwrap_or_default() {
            let folder = task.project_dir.as_str();
            let head = ["-C", folder, "rev-parse", "--verify", "--quiet", "HEAD"];
            if said("git", &head).await.is_none() {
                self.missing(
                    "project",
                    need,
                    format!("{}: {folder} is no git repository with a commit.", task.id),
                    format!(
                        "cd {folder} && git init && git add -A && git commit -m \"Initial commit\""
                    ),
                );
            }
        }
    }

    /// The configured backend, or all of them.
    pub async fn backends(&mut self, project: Option<&Project>) {
        let key = project.map(|project| project.secrets.api_key.is_some());
        match project.map(|project| &project.settings.backend) {
            Some(BackendSettings::Ollama { host, model, .. }) => {
                self.ollama(host, Some(model), Need::Backend).await;
            }
            Some(BackendSettings::Anthropic { .. }) => self.key(key, Need::Backend),
            Some(BackendSettings::ClaudeAgentSdk { cli_path, .. }) => {
                self.claude(cli_path.as_deref(), Need::Backend).await;
                // The CLI may be logged in without a key.
                self.key(key, Need::Nothing);
            }
            Some(BackendSettings::Replay { recording, .. }) => self.recording(recording),
            None => {
                self.ollama(&ollama_host(), None, Need::Nothing).await;
                self.key(None, Need::Nothing);
                self.claude(None, Need::Nothing).await;
            }
        }
    }

    async fn ollama(&mut self, host: &str, model: Option<&str>, need: Need) {
        const NAME: &str = "Ollama";
        let status = timeout(PATIENCE, espalier_agent::ollama_status(host)).await;
        let status = match status {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                let error = error.to_app();
                return self.missing(NAME, need, error.message, "ollama serve");
            }
            Err(_) => {
                return self.missing(
                    NAME,
                    need,
                    format!("{host} does not answer."),
                    "ollama serve",
                );
            }
        };
        let models = if status.models.is_empty() {
            "no models".to_owned()
        } else {
            status.models.join(", ")
        };
        self.well(NAME, format!("{} at {host}: {models}", status.version));
        match model {
            Some(model) if has_model(&status.models, model) => self.well("model", model),
            Some(model) => self.missing(
                "model",
                need,
                format!("{model} is not on this server."),
                format!("ollama pull {model}"),
            ),
            None => {}
        }
    }

    fn key(&mut self, configured: Option<bool>, need: Need) {
        const NAME: &str = "API key";
        let set = configured
            .unwrap_or_else(|| std::env::var("ANTHROPIC_API_KEY").is_ok_and(|key| !key.is_empty()));
        if set {
            self.well(NAME, "ANTHROPIC_API_KEY is set");
        } else {
            self.missing(
                NAME,
                need,
                "ANTHROPIC_API_KEY environment variable not set",
                "export ANTHROPIC_API_KEY=\"sk-ant-...\"",
            );
        }
    }

    async fn claude(&mut self, setting: Option<&str>, need: Need) {
        const NAME: &str = "Claude CLI";
        match espalier_agent::find_claude(setting.map(Path::new)).await {
            Ok(cli) => self.well(NAME, format!("{} at {}", cli.version, cli.path.display())),
            Err(error) => {
                let error = error.to_app();
                self.missing(NAME, need, error.message, error.hint);
            }
        }
    }

    fn recording(&mut self, recording: &str) {
        if Path::new(recording).is_file() {
            self.well("recording", recording);
        } else {
            self.missing(
                "recording",
                Need::Backend,
                format!("There is no file {recording}."),
                "Correct `recording` in the configuration.",
            );
        }
    }

    /// Whether the data folder can be written.
    pub fn data_folder(&mut self, folder: &Path) {
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder).map(drop));
        match written {
            Ok(()) => self.well("data folder", folder.display().to_string()),
            Err(error) => self.missing(
                "data folder",
                Need::Machine,
                format!("{} cannot be written: {error}", folder.display()),
                "espalier --data-dir DIR …",
            ),
        }
    }

    /// What the checkpoints take on disk; the largest project by name.
    pub async fn checkpoints(&mut self, store: &Path) {
        const NAME: &str = "checkpoints";
        let store = store.to_owned();
        let uses = tokio::task::spawn_blocking(move || espalier_checkpoint::disk_use(&store)).await;
        let uses = match uses {
            Ok(Ok(uses)) => uses,
            Ok(Err(error)) => {
                let error = error.to_app();
                return self.missing(NAME, Need::Nothing, error.message, error.hint);
            }
            Err(error) => return self.missing(NAME, Need::Nothing, error.to_string(), ""),
        };
        let Some(largest) = uses.first() else {
            return self.well(NAME, "none yet");
        };
        let all = uses.iter().map(|one| one.bytes).sum();
        let place = largest.project_dir.as_ref().unwrap_or(&largest.store);
        let text = format!(
            "{} on disk; most for {}: {}",
            megabytes(all),
            place.display(),
            megabytes(largest.bytes)
        );
        if largest.bytes < CHECKPOINT_BUDGET {
            return self.well(NAME, text);
        }
        let mend = format!(
            "When no session needs them any more: rm -r '{}'",
            largest.store.display()
        );
        self.missing(NAME, Need::Nothing, text, mend);
    }

    /// Whether there is a screen for the window. Never needed: `run` works without.
    pub fn display(&mut self) {
        match crate::app::display() {
            Ok(display) => self.well("display", display),
            Err(error) => self.missing("display", Need::Nothing, error.message, error.hint),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1 << 20))
}

/// Where the `ollama` command itself would look.
fn ollama_host() -> String {
    match std::env::var("OLLAMA_HOST") {
        Ok(host) if host.contains("://") => host,
        Ok(host) if !host.is_empty() => format!("http://{host}"),
        _ => OLLAMA_HOST.to_owned(),
    }
}

/// Whether a server's list has a model; without a tag `latest` is meant.
fn has_model(models: &[String], wanted: &str) -> bool {
    let latest = format!("{wanted}:latest");
    models
        .iter()
        .any(|model| model == wanted || (!wanted.contains(':') && *model == latest))
}

/// The first line a command prints, if it runs and ends well.
async fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, output).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_without_a_tag_is_its_latest() {
        let models = ["qwen2.5-coder:7b".to_owned(), "llama3:latest".to_owned()];
        assert!(has_model(&models, "qwen2.5-coder:7b"));
        assert!(has_model(&models, "llama3"));
        assert!(!has_model(&models, "qwen2.5-coder"));
        assert!(!has_model(&models, "qwen2.5-coder:14b"));
    }

    #[tokio::test]
    async fn a_command_that_is_not_there_says_nothing() {
        assert_eq!(said("espalier-no-such-command", &[]).await, None);
        assert!(
            said("git", &["--version"])
                .await
                .is_some_and(|text| text.starts_with("git"))
        );
    }
}

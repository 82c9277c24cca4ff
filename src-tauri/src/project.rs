//! An opened configuration as the window shows it.

use crate::workbench::Workbench;
use espalier_config::Project;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::view::{ProjectView, SessionSummary, TaskView};
use espalier_protocol::{AppError, ErrorCode};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where the Claude Code CLI sends what it reads.
const CLAUDE_HOST: &str = "api.anthropic.com";

/// Loads a configuration, off the async threads. Errors name it as it was given; sessions remember
/// it by its one true path, so that they are found again however it is spelt next time.
pub async fn load(path: &Path) -> Result<Project, AppError> {
    let path = PathBuf::from(path);
    let loading = move || {
        let mut project = espalier_config::load_project(&path).map_err(|errors| errors.to_app())?;
        if let Ok(path) = path.canonicalize() {
            project.config_path = path;
        }
        Ok(project)
    };
    tokio::task::spawn_blocking(loading)
        .await
        .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?
}

/// The configuration with what was done on its tasks so far.
pub async fn view(bench: &Workbench, project: Project) -> Result<ProjectView, AppError> {
    let config_path = project.config_path.display().to_string();
    let sessions: Vec<SessionSummary> = bench
        .sessions()
        .await?
        .into_iter()
        .filter(|session| session.config_path == config_path)
        .collect();
    let problems = problems(&project);
    let tasks = project
        .tasks
        .into_iter()
        .map(|task| TaskView {
            sessions: sessions
                .iter()
                .filter(|session| session.task == task.id)
                .cloned()
                .collect(),
            task,
        })
        .collect();
    Ok(ProjectView {
        config_path,
        remote_host: remote_host(&project.settings.backend),
        is_recording: matches!(project.settings.backend, BackendSettings::Replay { .. }),
        display: project.display,
        settings: project.settings,
        tasks,
        problems,
    })
}

/// What would refuse a start.
fn problems(project: &Project) -> Vec<AppError> {
    let not_built = project.not_built.iter().map(|key| {
        AppError::new(
            ErrorCode::NotBuilt,
            format!("{} (line {}): {}", key.key, key.line, key.why),
            "Remove or change the key to start a session.",
        )
    });
    let needs_key = matches!(project.settings.backend, BackendSettings::Anthropic { .. });
    let no_key = (needs_key && project.secrets.api_key.is_none()).then(|| {
        AppError::new(
            ErrorCode::BackendAuth,
            "ANTHROPIC_API_KEY environment variable not set",
            "export ANTHROPIC_API_KEY=\"sk-ant-...\"",
        )
    });
    not_built.chain(no_key).collect()
}

/// The host that what the agent reads is sent to; nothing where that is this machine.
pub fn remote_host(backend: &BackendSettings) -> Option<String> {
    match backend {
        BackendSettings::Ollama { host, .. } => {
            let host = host_of(host);
            (!is_this_machine(&host)).then_some(host)
        }
        BackendSettings::Anthropic { base_url, .. } => Some(host_of(base_url)),
        BackendSettings::ClaudeAgentSdk { .. } => Some(CLAUDE_HOST.to_owned()),
        BackendSettings::Replay { .. } => None,
    }
}

/// The host in a URL, without user, port and brackets.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    host.to_ascii_lowercase()
}

fn is_this_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    name == "localhost"
        || name.ends_with(".localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ollama(host: &str) -> BackendSettings {
        BackendSettings::Ollama {
            host: host.to_owned(),
            model: "m".to_owned(),
            temperature: None,
            num_ctx: None,
            num_predict: None,
            keep_alive: None,
        }
    }

    #[test]
    fn nothing_leaves_a_machine_that_serves_its_own_model() {
        for host in [
            "http://localhost:11434",
            "http://LOCALHOST",
            "http://127.0.0.1:1",
            "http://127.8.9.1:1/path",
            "http://[::1]:11434",
            "http://0.0.0.0:11434",
        ] {
            assert_eq!(remote_host(&ollama(host)), None, "{host}");
        }
    }

    #[test]
    fn a_host_elsewhere_is_named() {
        for (url, host) in [
            ("http://gpu.example.org:11434", "gpu.example.org"),
            ("http://10.0.0.7:11434/", "10.0.0.7"),
            (
                "https://user:pass@models.example.org/x",
                "models.example.org",
            ),
            ("http://localhost.example.org", "localhost.example.org"),
            ("http://[2001:db8::1]:80", "2001:db8::1"),
        ] {
            assert_eq!(remote_host(&ollama(url)).as_deref(), Some(host), "{url}");
        }
    }

    #[test]
    fn claude_backends_always_say_so() {
        let anthropic = BackendSettings::Anthropic {
            base_url: "https://api.anthropic.com".to_owned(),
            model: "m".to_owned(),
            max_tokens: 1,
            temperature: None,
            enable_thinking: true,
        };
        assert_eq!(remote_host(&anthropic).as_deref(), Some(CLAUDE_HOST));
    }
}

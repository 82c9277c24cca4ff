//! The user's own Claude Code: where it is, and which version.
//!
//! It is never shipped. It is looked for where the configuration says, then on `PATH`, where its
//! installers put it, and in Python environments, where the package `claude-agent-sdk` brings it.

use crate::error::AgentError;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// The oldest that asks before every call and after all calls of a message.
const OLDEST: Version = Version(2, 1, 152);
/// How long it may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where the Python package has it, below a folder of packages.
const BUNDLED: &str = "claude_agent_sdk/_bundled/claude";

/// A version as Claude Code numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

impl Version {
    /// The version at the beginning of a text.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split_whitespace().next()?.splitn(3, '.');
        let mut number = || parts.next()?.parse().ok();
        Some(Self(number()?, number()?, number()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A Claude Code that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaudeCli {
    pub path: PathBuf,
    pub version: Version,
}

/// Finds the program, and checks its version. `setting` is what the configuration says: the
/// program, or a Python environment's folder.
///
/// # Errors
/// There is none, or one that is too old or does not run.
pub async fn find_claude(setting: Option<&Path>) -> Result<ClaudeCli, AgentError> {
    let path = match setting {
        Some(setting) => configured(setting)?,
        None => candidates(&Surroundings::of_this_process())
            .into_iter()
            .find(|path| is_program(path))
            .ok_or(AgentError::ClaudeMissing { configured: None })?,
    };
    let version = version_of(&path).await?;
    if version < OLDEST {
        return Err(AgentError::ClaudeOld {
            path,
            version: version.to_string(),
            oldest: OLDEST.to_string(),
        });
    }
    Ok(ClaudeCli { path, version })
}

fn configured(setting: &Path) -> Result<PathBuf, AgentError> {
    let found = if setting.is_dir() {
        let mut within = vec![setting.join("claude"), setting.join("bin/claude")];
        within.extend(bundled_under(setting));
        within.into_iter().find(|path| is_program(path))
    } else {
        is_program(setting).then(|| setting.to_owned())
    };
    found.ok_or_else(|| AgentError::ClaudeMissing {
        configured: Some(setting.to_owned()),
    })
}

async fn version_of(path: &Path) -> Result<Version, AgentError> {
    let broken = |why: String| AgentError::ClaudeBroken {
        path: path.to_owned(),
        why,
    };
    let asked = Command::new(path)
        .arg("--version")
        .env_clear()
        .envs(crate::tools::command_environment())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(broken(error.to_string())),
        Err(_) => return Err(broken("it does not tell its version".to_owned())),
    };
    let told = String::from_utf8_lossy(&output.stdout);
    Version::read(&told).ok_or_else(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let words = if told.trim().is_empty() {
            complaint
        } else {
            told
        };
        broken(crate::backend::excerpt(&words, 200))
    })
}

/// What the search depends on.
struct Surroundings {
    path: Vec<PathBuf>,
    home: Option<PathBuf>,
    environment: Option<PathBuf>,
}

impl Surroundings {
    fn of_this_process() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            path: std::env::split_paths(&path).collect(),
            home: std::env::home_dir(),
            environment: std::env::var_os("VIRTUAL_ENV").map(PathBuf::from),
        }
    }
}

/// Where it may be, best first.
fn candidates(here: &Surroundings) -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = here.path.iter().map(|dir| dir.join("claude")).collect();
    if let Some(home) = &here.home {
        places.push(home.join(".local/bin/claude"));
        places.push(home.join(".claude/local/claude"));
    }
    let mut environments: Vec<PathBuf> = here.environment.iter().cloned().collect();
    let pythons = here.path.iter().filter(|dir| dir.join("python3").exists());
    environments.extend(pythons.filter_map(|dir| dir.parent().map(Path::to_owned)));
    environments.extend(here.home.iter().map(|home| home.join(".local")));
    let mut seen = HashSet::new();
    for environment in environments {
        if seen.insert(environment.clone()) {
            places.extend(bundled_under(&environment));
        }
    }
    places
}

/// The programs that Python packages of an environment bring.
fn bundled_under(environment: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for lib in ["lib", "lib64"] {
        let Ok(entries) = std::fs::read_dir(environment.join(lib)) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("python3") {
                let packages = ["site-packages", "dist-packages"];
                found.extend(packages.map(|folder| entry.path().join(folder).join(BUNDLED)));
            }
        }
    }
    found.sort();
    found.reverse();
    found
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;

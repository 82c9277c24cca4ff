//! Loading a whole project configuration.

use crate::check::check;
use crate::document::{Content, Document, MAX_BYTES};
use crate::issues::{ConfigErrors, Issues, Position, unreadable};
use crate::model::Config;
use crate::not_built::{self, NotBuilt};
use crate::settings::{self, Review};
use crate::variables::{Environment, expand};
use crate::{dot_env, schema, tasks};
use espalier_protocol::view::DisplayView;
use espalier_protocol::{ProjectTask, SessionSettings};
use serde_json::Value;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A project configuration with its tasks, everything checked and every path absolute.
#[derive(Debug, Clone)]
pub struct Project {
    /// Absolute path of the configuration.
    pub config_path: PathBuf,
    /// What a session needs. Holds no secret.
    pub settings: SessionSettings,
    /// The tasks of all data files, in order.
    pub tasks: Vec<ProjectTask>,
    /// Keys that keep a session from being started.
    pub not_built: Vec<NotBuilt>,
    /// How the screen shows a session.
    pub display: DisplayView,
    /// Absolute path of the output folder; absent writes none.
    pub output_dir: Option<PathBuf>,
    /// What must not be stored or shown.
    pub secrets: Secrets,
}

/// What must not be stored or shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The API key of the backend, from the configuration or from `ANTHROPIC_API_KEY`.
    pub api_key: Option<String>,
    /// The environment variable that the key was to come from and that is not set. Only where the
    /// backend needs a key.
    pub missing_variable: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Loads a project configuration; variables come from the process environment and, where it does
/// not have them, from the `.env` file beside the configuration.
///
/// # Errors
/// Everything that is wrong with the configuration, its `.env` and its data files.
pub fn load_project(path: &Path) -> Result<Project, ConfigErrors> {
    let mut issues = Issues::default();
    let from_file = dot_env::read(folder_of(path), &mut issues);
    let environment = |name: &str| {
        std::env::var(name)
            .ok()
            .or_else(|| from_file.get(name).cloned())
    };
    let project = load(path, &environment, &mut issues);
    issues.finish(project)
}

/// Loads a project configuration with variables from `env` alone.
///
/// # Errors
/// Everything that is wrong with the configuration and its data files.
pub fn load_project_with(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ConfigErrors> {
    let mut issues = Issues::default();
    let project = load(path, env, &mut issues);
    issues.finish(project)
}

fn load(path: &Path, environment: Environment<'_>, issues: &mut Issues) -> Option<Project> {
    let text = read_text(path, issues)?;
    let mut document = parse(text, path, issues)?;
    expand(&mut document.root, Some(environment));
    let checked = check(path, &document, &schema::SHAPE, issues);
    let mut review = Review::new(path, &document.root, &checked.dropped_items, issues);
    let live_agent = settings::live_agent(&mut review, &checked.value);
    let config: Config = review.typed(checked.value.clone())?;
    let agent = review.typed(live_agent.clone())?;

    let folders = settings::folders(&mut review, &config, folder_of(path));
    let session = settings::session(&mut review, &config, &agent, &folders);
    let secrets = settings::secrets(&review, &agent, &checked.unset_secrets, environment);
    let not_built = not_built::find(&review, &checked.value, &live_agent);
    let tasks = tasks::load(&mut review, &config, &folders);
    Some(Project {
        config_path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        settings: session?,
        tasks,
        not_built,
        display: settings::display(&config.agentic.coding_trace_display),
        output_dir: folders.output,
        secrets,
    })
}

/// The folder that a configuration lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn read_text(path: &Path, issues: &mut Issues) -> Option<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        issues.whole_file(path, unreadable(&error));
        return None;
    }
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("larger than {MAX_BYTES} bytes; this is not a configuration");
        issues.whole_file(path, message);
        return None;
    }
    String::from_utf8(bytes)
        .map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let position = Position { line, column: 1 };
            issues.at(path, position, "", "not UTF-8 text; save the file as UTF-8");
        })
        .ok()
}

/// Parses a text; a byte order mark before it is no part of it.
pub(crate) fn parse(text: String, path: &Path, issues: &mut Issues) -> Option<Document> {
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if text.trim().is_empty() {
        issues.whole_file(path, "the file is empty");
        return None;
    }
    match Document::parse(text) {
        Ok(document) => match document.root.content {
            Content::Map(_) => Some(document),
            Content::Nothing => {
                issues.whole_file(path, "the file holds nothing but comments");
                None
            }
            _ => {
                let message = "expected keys with values, as in task_name: \"…\"";
                issues.at(path, document.root.position, "", message);
                None
            }
        },
        Err(error) => {
            issues.at(path, error.position, "", error.message);
            None
        }
    }
}

impl Review<'_> {
    /// The typed form of what a check left. The check knows every type and range, so this cannot
    /// fail unless the two disagree; then the reader learns at least what about.
    pub(crate) fn typed<T: serde::de::DeserializeOwned>(&mut self, value: Value) -> Option<T> {
        serde_json::from_value(value)
            .map_err(|error| self.refuse("", format!("cannot be used: {error}")))
            .ok()
    }
}

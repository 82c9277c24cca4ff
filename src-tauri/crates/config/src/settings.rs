//! From the typed configuration to what a session needs, with the checks that a schema cannot
//! make: keys that depend on each other, names, addresses, files.

mod backend;
mod checkpoints;
mod controls;
mod review;
mod schemes;
mod shortcuts;

pub(crate) use backend::secrets;
pub(crate) use review::Review;

use crate::model::{CodingTraceDisplay, Config, DiffStyleName, FileTreeSide, LiveAgent};
use crate::model::{TerminalThemeName, ToolChoice, WhenNearlyFull};
use espalier_protocol::session::{ContextSettings, NearlyFull};
use espalier_protocol::view::{DiffStyle, DisplayView, FileTreePosition, TerminalTheme};
use espalier_protocol::{SessionSettings, ToolName};
use serde_json::{Map, Value};
use std::path::{Component, Path, PathBuf};

/// Where relative paths start from, and where the output goes.
pub(crate) struct Folders {
    /// Absolute.
    pub(crate) task_dir: PathBuf,
    /// Absolute; absent writes none.
    pub(crate) output: Option<PathBuf>,
}

/// The live agent from its two places; a key that is given in both is refused.
pub(crate) fn live_agent(review: &mut Review<'_>, config: &Value) -> Value {
    for tail in review.given_in_both("agentic.live_agent", "live_agent") {
        let message = format!("agentic.live_agent.{tail} says this too; keep one of the two");
        review.refuse_key(&format!("live_agent.{tail}"), message);
    }
    let mut merged = Map::new();
    for place in ["/agentic/live_agent", "/live_agent"] {
        if let Some(Value::Object(entries)) = config.pointer(place) {
            merge(&mut merged, entries);
        }
    }
    Value::Object(merged)
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (Some(_), _) => {}
            (None, _) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The absolute path that a relative one stands for, without `..`, and without symbolic links
/// where it leads to something.
pub(crate) fn resolve(base: &Path, written: &str) -> PathBuf {
    let joined = base.join(written);
    std::fs::canonicalize(&joined).unwrap_or_else(|_| {
        let mut plain = PathBuf::new();
        for part in joined.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                other => plain.push(other),
            }
        }
        plain
    })
}

/// Where relative paths start from. `task_dir` starts from the configuration's folder.
pub(crate) fn folders(review: &mut Review<'_>, config: &Config, config_dir: &Path) -> Folders {
    let written = config_dir.join(&config.task_dir);
    let task_dir = std::fs::canonicalize(&written).unwrap_or_else(|_| written.clone());
    if !task_dir.is_dir() {
        let message = format!("there is no such directory: {}", written.display());
        review.refuse("task_dir", message);
    }
    if task_dir.to_str().is_none() {
        let message = format!("the name of {} is not Unicode", task_dir.display());
        review.refuse("task_dir", message);
    }
    let output = config.output_annotation_dir.as_ref().map(|dir| {
        let output = resolve(&task_dir, dir);
        if output.exists() && !output.is_dir() {
            let message = format!("{} is not a directory", output.display());
            review.refuse("output_annotation_dir", message);
        }
        output
    });
    Folders { task_dir, output }
}

/// What a session needs; nothing after noting why not.
pub(crate) fn session(
    review: &mut Review<'_>,
    config: &Config,
    agent: &LiveAgent,
    folders: &Folders,
) -> Option<SessionSettings> {
    let backend = backend::backend(review, agent, &folders.task_dir);
    let controls = controls::controls(review, agent);
    let checkpoints = checkpoints::checkpoints(review, &agent.git_checkpoints);
    let schemes = schemes::schemes(review, &config.annotation_schemes);
    let system_prompt = backend::system_prompt(review, agent);
    Some(SessionSettings {
        task_name: config
            .task_name
            .clone()
            .unwrap_or_else(|| review.file_stem()),
        backend: backend?,
        tools: agent.tools.iter().copied().map(tool).collect(),
        max_steps: agent.max_steps,
        step_timeout_seconds: agent.step_timeout_seconds,
        system_prompt,
        controls,
        checkpoints,
        context: ContextSettings {
            window_tokens: agent.context.window,
            nearly_full_percent: agent.context.nearly_full,
            when_nearly_full: match agent.context.when_nearly_full {
                WhenNearlyFull::Pause => NearlyFull::Pause,
                WhenNearlyFull::Compact => NearlyFull::Compact,
            },
        },
        schemes,
        output_dir: folders
            .output
            .as_ref()
            .map(|dir| dir.to_string_lossy().into_owned()),
    })
}

const fn tool(choice: ToolChoice) -> ToolName {
    match choice {
        ToolChoice::ReadFile => ToolName::ReadFile,
        ToolChoice::EditFile => ToolName::EditFile,
        ToolChoice::WriteFile => ToolName::WriteFile,
        ToolChoice::Bash => ToolName::Bash,
        ToolChoice::Glob => ToolName::Glob,
        ToolChoice::Grep => ToolName::Grep,
    }
}

/// How the screen shows a session.
pub(crate) fn display(display: &CodingTraceDisplay) -> DisplayView {
    DisplayView {
        diff_style: match display.diff_style {
            DiffStyleName::Unified => DiffStyle::Unified,
            DiffStyleName::SideBySide => DiffStyle::SideBySide,
        },
        diff_context_lines: display.diff_context_lines,
        syntax_highlight: display.syntax_highlight,
        show_line_numbers: display.show_line_numbers,
        terminal_theme: match display.terminal_theme {
            TerminalThemeName::Dark => TerminalTheme::Dark,
            TerminalThemeName::Light => TerminalTheme::Light,
        },
        file_tree: display.file_tree.enabled,
        file_tree_position: match display.file_tree.position {
            FileTreeSide::Left => FileTreePosition::Left,
            FileTreeSide::Right => FileTreePosition::Right,
        },
        file_tree_click_to_navigate: display.file_tree.click_to_navigate,
    }
}

//! What a call is about, for the timeline, the commit message and the export.

use super::arguments::text_of;
use super::definitions::form;
use super::project::Project;
use espalier_protocol::{StepKind, ToolName};
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// Characters of a command that are shown.
const MAX_COMMAND: usize = 80;

/// The kind of step a call is, and its file, command or pattern. A call that is wrong or of an
/// unknown tool is described as far as it can be.
pub(crate) fn describe(project: &Project, name: &str, input: &Value) -> (StepKind, String) {
    let Some(tool) = ToolName::parse(name) else {
        return (StepKind::Tool, String::new());
    };
    let (kind, argument) = match tool {
        ToolName::ReadFile => (StepKind::FileRead, "path"),
        ToolName::EditFile => (StepKind::Edit, "path"),
        ToolName::WriteFile => (StepKind::Write, "path"),
        ToolName::Bash => (StepKind::Terminal, "command"),
        ToolName::Glob => (StepKind::Glob, "pattern"),
        ToolName::Grep => (StepKind::Grep, "pattern"),
    };
    let text = text_of(form(tool), input, argument).unwrap_or_default();
    let target = match kind {
        StepKind::FileRead | StepKind::Edit | StepKind::Write => path_target(project, &text),
        StepKind::Terminal => first_line(&text),
        StepKind::Glob | StepKind::Grep | StepKind::Message | StepKind::Tool => text,
    };
    (kind, target)
}

/// The path relative to the project where it lies in it, by its text alone.
fn path_target(project: &Project, text: &str) -> String {
    let asked = Path::new(text);
    let relative = project.strip(asked).unwrap_or(asked);
    let mut plain = PathBuf::new();
    for part in relative.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    if plain.as_os_str().is_empty() && !text.is_empty() {
        ".".to_owned()
    } else {
        plain.to_string_lossy().into_owned()
    }
}

/// The first line with anything in it, shortened; `…` stands for what is left out.
fn first_line(command: &str) -> String {
    let command = command.trim();
    let line = command.lines().next().unwrap_or_default().trim_end();
    let mut short: String = line.chars().take(MAX_COMMAND).collect();
    if short.len() < line.len() {
        short.push('…');
    } else if command.len() > line.len() {
        short.push_str(" …");
    }
    short
}

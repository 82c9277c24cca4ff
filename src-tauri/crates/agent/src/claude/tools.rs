//! Claude Code's own tools: which are offered, what a call of one is about, and what it may have
//! changed.

use espalier_protocol::worker::Touched;
use espalier_protocol::{StepKind, ToolName};
use serde_json::Value;
use std::path::Path;

/// Characters of a command that are shown.
const MAX_COMMAND: usize = 80;

/// What Claude Code calls the tools of a configuration.
pub(crate) fn offered(tools: &[ToolName]) -> String {
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| match tool {
            ToolName::ReadFile => "Read",
            ToolName::EditFile => "Edit",
            ToolName::WriteFile => "Write",
            ToolName::Bash => "Bash",
            ToolName::Glob => "Glob",
            ToolName::Grep => "Grep",
        })
        .collect();
    names.join(",")
}

/// The kind of step a call is.
pub(crate) fn kind(name: &str) -> StepKind {
    match name {
        "Read" => StepKind::FileRead,
        "Edit" | "NotebookEdit" => StepKind::Edit,
        "Write" => StepKind::Write,
        "Bash" => StepKind::Terminal,
        "Glob" => StepKind::Glob,
        "Grep" => StepKind::Grep,
        _ => StepKind::Tool,
    }
}

/// Its file (relative to the project where it lies in it), command or pattern.
pub(crate) fn target(name: &str, input: &Value, project: &Path) -> String {
    let text = |field: &str| input[field].as_str().unwrap_or_default();
    match kind(name) {
        StepKind::FileRead | StepKind::Edit | StepKind::Write => shown(file(name, input), project),
        StepKind::Terminal => first_line(text("command")),
        StepKind::Glob | StepKind::Grep => text("pattern").to_owned(),
        StepKind::Message | StepKind::Tool => String::new(),
    }
}

/// What a call may have changed on disk.
pub(crate) fn touched(name: &str, input: &Value, project: &Path) -> Touched {
    match name {
        "Read" | "Glob" | "Grep" => Touched::Nothing,
        "Edit" | "Write" | "NotebookEdit" => match within(file(name, input), project) {
            Some(path) => Touched::Paths { paths: vec![path] },
            // Elsewhere, or nowhere any more.
            None => Touched::Anything,
        },
        _ => Touched::Anything,
    }
}

/// The exit code of a command, which a failed one tells in its first line.
pub(crate) fn exit_code(name: &str, failed: bool, content: &str) -> Option<i32> {
    if name != "Bash" {
        return None;
    }
    if !failed {
        return Some(0);
    }
    let line = content.lines().next()?;
    line.strip_prefix("Exit code ")?.trim().parse().ok()
}

fn file<'a>(name: &str, input: &'a Value) -> &'a str {
    let field = if name == "NotebookEdit" {
        "notebook_path"
    } else {
        "file_path"
    };
    input[field].as_str().unwrap_or_default()
}

/// The path relative to the project, by its text, where it lies in it.
fn shown(path: &str, project: &Path) -> String {
    let relative = Path::new(path).strip_prefix(project).ok();
    let text = relative.and_then(Path::to_str).unwrap_or(path);
    if text.is_empty() { "." } else { text }.to_owned()
}

/// The path relative to the project, links followed. Nothing where it is not there or elsewhere.
fn within(path: &str, project: &Path) -> Option<String> {
    let whole = std::fs::canonicalize(project).ok()?;
    let real = std::fs::canonicalize(project.join(path)).ok()?;
    let relative = real.strip_prefix(whole).ok()?.to_str()?;
    (!relative.is_empty()).then(|| relative.to_owned())
}

/// The first line, shortened; `…` stands for what is left out.
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

#[cfg(test)]
#[path = "tools_tests.rs"]
mod tests;

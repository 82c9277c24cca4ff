//! Calls of Claude Code's tools as calls of Espalier's, so that a recording of them plays.

use espalier_protocol::{Step, ToolName};
use serde_json::{Map, Value, json};
use std::path::Path;

/// A call as a recording has it.
#[derive(Debug, PartialEq)]
pub struct OwnCall {
    pub tool: &'static str,
    pub input: Value,
    /// What Espalier's tool returns, where that can be told.
    pub result: Option<String>,
}

/// What Claude Code's `Bash` says of a command that printed nothing.
const NO_OUTPUT: &str = "(Bash completed with no output)";

/// The call in Espalier's own words; nothing where Espalier has no such tool, or it is Espalier's
/// already.
pub fn as_own(step: &Step) -> Option<OwnCall> {
    let input = &step.input;
    let (tool, names): (ToolName, &[&str]) = match step.tool.as_str() {
        "Read" => (ToolName::ReadFile, &["offset", "limit"]),
        "Write" => (ToolName::WriteFile, &["content"]),
        "Edit" => (
            ToolName::EditFile,
            &["old_string", "new_string", "replace_all"],
        ),
        "Bash" => (ToolName::Bash, &["command"]),
        "Glob" => (ToolName::Glob, &["pattern"]),
        "Grep" => (ToolName::Grep, &["pattern", "glob", "output_mode"]),
        _ => return None,
    };
    let mut own = Map::new();
    for name in names {
        if !input[*name].is_null() {
            own.insert((*name).to_owned(), input[*name].clone());
        }
    }
    if own.get("output_mode").and_then(Value::as_str) == Some("files_with_matches") {
        own.insert("output_mode".to_owned(), json!("files"));
    }
    match tool {
        // Claude Code takes whole paths; the step's target is the same within the project.
        ToolName::ReadFile | ToolName::WriteFile | ToolName::EditFile => {
            own.insert("path".to_owned(), json!(step.target));
        }
        ToolName::Bash => {
            if let Some(milliseconds) = input["timeout"].as_u64() {
                let seconds = milliseconds.div_ceil(1000).max(1);
                own.insert("timeout_seconds".to_owned(), json!(seconds));
            }
        }
        ToolName::Glob | ToolName::Grep => {
            let path = input["path"]
                .as_str()
                .filter(|path| !Path::new(path).is_absolute());
            if let Some(path) = path {
                own.insert("path".to_owned(), json!(path));
            }
        }
    }
    Some(OwnCall {
        tool: tool.as_str(),
        input: Value::Object(own),
        result: result(step, tool),
    })
}

fn result(step: &Step, tool: ToolName) -> Option<String> {
    let result = step.result.as_ref()?;
    match tool {
        ToolName::ReadFile => numbered(&result.content),
        ToolName::Bash if result.exit_code == Some(0) => {
            let content = result.content.trim_end();
            Some(if content.is_empty() || content == NO_OUTPUT {
                "[Exit code 0]".to_owned()
            } else {
                format!("{content}\n[Exit code 0]")
            })
        }
        _ => None,
    }
}

/// Lines as `read_file` numbers them. Claude Code numbers what comes after the last line end, too.
fn numbered(content: &str) -> Option<String> {
    let mut lines = Vec::new();
    for line in content.lines() {
        let (number, text) = line.split_once('\t')?;
        let number: u32 = number.trim().parse().ok()?;
        lines.push((number, text));
    }
    if lines.last().is_some_and(|(_, text)| text.is_empty()) {
        lines.pop();
    }
    let lines = lines
        .into_iter()
        .map(|(number, text)| format!("{number:>6}\t{text}\n"));
    Some(lines.collect())
}

//! How a conversation opens: the system prompt, then the task with its files.

use crate::error::AgentError;
use espalier_protocol::{ConversationItem, ProjectTask, ToolName};
use std::fmt::Write;
use std::path::Path;

/// Bytes of a file that go into the first message; the rest is left to `read_file`.
const WHOLE: usize = 200_000;

/// The system prompt where the configuration gives none.
pub fn default_system_prompt(tools: &[ToolName]) -> String {
    let mut prompt = String::from(
        "You are a coding agent working on a software project. You act through tools; paths are relative to the project directory.\n",
    );
    if tools.contains(&ToolName::EditFile) {
        prompt.push_str(
            "Read a file before you edit it. Make the smallest change that does the task.\n",
        );
    }
    if tools.contains(&ToolName::Bash) {
        prompt.push_str("After a change, run the project's tests.\n");
    }
    prompt.push_str(
        "Say in a sentence what you are about to do before each call. When the task is done, answer without a tool call and say what you did.",
    );
    prompt
}

/// System prompt and first user message: the task, how it is verified, `start_file`, then
/// `context_files`, whole.
pub fn opening(
    system_prompt: Option<&str>,
    task: &ProjectTask,
    tools: &[ToolName],
) -> Result<Vec<ConversationItem>, AgentError> {
    let system = system_prompt.map_or_else(|| default_system_prompt(tools), str::to_owned);
    let mut text = task.description.clone();
    if let Some(command) = &task.test_command {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\nThe change is verified with: {command}");
    }
    let mut given: Vec<&str> = Vec::new();
    for file in task.start_file.iter().chain(&task.context_files) {
        if !given.contains(&file.as_str()) {
            given.push(file);
            append_file(&mut text, &task.project_dir, file)?;
        }
    }
    Ok(vec![
        ConversationItem::System { text: system },
        ConversationItem::User { text },
    ])
}

fn append_file(text: &mut String, project_dir: &str, file: &str) -> Result<(), AgentError> {
    let path = Path::new(project_dir).join(file);
    let bytes = std::fs::read(&path).map_err(|error| AgentError::File { path, error })?;
    if bytes.iter().take(8000).any(|byte| *byte == 0) {
        let _ = write!(
            text,
            "\n\n{file} is a binary file of {} bytes.",
            bytes.len()
        );
        return Ok(());
    }
    let whole = String::from_utf8_lossy(&bytes);
    let shown = &whole[..whole.floor_char_boundary(WHOLE)];
    let _ = write!(text, "\n\n{file}:\n```\n{shown}");
    if !shown.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("```");
    if shown.len() < whole.len() {
        let _ = write!(
            text,
            "\n(the first {} of {} bytes; read_file shows the rest)",
            shown.len(),
            whole.len()
        );
    }
    Ok(())
}

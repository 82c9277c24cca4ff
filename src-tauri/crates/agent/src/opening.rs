//! How a conversation begins: the system prompt and the task.

use crate::error::AgentError;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::{ConversationItem, ProjectTask, ToolName};
use std::fmt::Write as _;
use std::path::Path;

mod files;

/// The first items of a session's conversation: `system_prompt` or Espalier's own, then the task
/// with its test command, its start file and its context files, each file whole. A backend that has
/// a system prompt of its own gets none of Espalier's.
///
/// # Errors
/// One of the files cannot be read.
pub fn opening(
    backend: &BackendSettings,
    system_prompt: Option<&str>,
    task: &ProjectTask,
    tools: &[ToolName],
) -> Result<Vec<ConversationItem>, AgentError> {
    let system = match (system_prompt, backend) {
        (Some(own), _) => Some(own.to_owned()),
        (None, BackendSettings::ClaudeAgentSdk { .. }) => None,
        (None, _) => Some(default_system_prompt(tools)),
    };
    let system = system.map(|text| ConversationItem::System { text });
    let task = ConversationItem::User {
        text: first_message(task, tools)?,
    };
    Ok(system.into_iter().chain([task]).collect())
}

/// Espalier's own system prompt for an agent with these tools.
pub fn default_system_prompt(tools: &[ToolName]) -> String {
    let has = |tool: ToolName| tools.contains(&tool);
    let mut text = String::from(
        "You are a careful programmer who works on a project in its directory. You see and change the \
         project only through your tools; do not guess what a file holds. Paths are relative to the \
         project directory.\n",
    );
    let mut rule = |rule: &str| {
        text.push_str("\n- ");
        text.push_str(rule);
    };
    rule("Understand before you act: read the code that the task is about, and what uses it.");
    if has(ToolName::EditFile) || has(ToolName::WriteFile) {
        rule(
            "Make the smallest change that does the task well, in the style of the code around it.",
        );
        rule(
            "Mend the cause, not the symptom. Do not change tests to make them pass, unless asked.",
        );
    } else {
        rule("You cannot change files here: find out what there is to know, and say it.");
    }
    if has(ToolName::Bash) {
        rule("Check your work by running it. Report what you saw, also when it failed.");
        rule("Commands run without a terminal: nothing can be typed into them.");
    }
    rule("Take one step at a time and say in a sentence what you are about to do and why.");
    rule("A new instruction given on the way counts more than what was said before.");
    rule(
        "When the task is done, or cannot be done, say so in a short message without a tool call.",
    );
    text
}

fn first_message(task: &ProjectTask, tools: &[ToolName]) -> Result<String, AgentError> {
    let mut text = task.description.trim().to_owned();
    if let Some(command) = &task.test_command {
        let whose = if tools.contains(&ToolName::Bash) {
            "Verify your work with this command, run in the project directory:"
        } else {
            "The work will be verified with this command, run in the project directory:"
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{whose}\n\n    {}", command.trim());
    }
    let project = Path::new(&task.project_dir);
    let mut shown: Vec<String> = Vec::new();
    let start = task
        .start_file
        .iter()
        .map(|file| (file, "Start with this file:"));
    let context = task
        .context_files
        .iter()
        .map(|file| (file, "Files to know:"));
    let mut headline = "";
    for (file, about) in start.chain(context) {
        let name = files::plain(file);
        if shown.contains(&name) {
            continue;
        }
        let content = files::fenced(project, &name).map_err(|source| AgentError::TaskFile {
            task: task.id.to_string(),
            file: file.clone(),
            source,
        })?;
        if headline != about {
            headline = about;
            let _ = write!(text, "\n\n{about}");
        }
        let _ = write!(text, "\n\n{content}");
        shown.push(name);
    }
    Ok(text)
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;

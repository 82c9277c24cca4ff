//! `espalier validate` and `espalier schema`.

use crate::console;
use crate::exit::Exit;
use espalier_config::Project;
use espalier_protocol::session::BackendSettings;
use espalier_protocol::{AppError, ErrorCode};
use std::path::Path;

/// Checks a configuration with its tasks; says what it holds, or everything that is wrong.
pub fn validate(config: &Path) -> Result<Exit, AppError> {
    match espalier_config::load_project(config) {
        Ok(project) => {
            for line in describe(config, &project) {
                console::answer(line);
            }
            Ok(Exit::Done)
        }
        Err(errors) => {
            console::tell(errors.to_string());
            let count = errors.issues.len();
            let plural = if count == 1 { "" } else { "s" };
            console::tell(format!("{}: {count} error{plural}", config.display()));
            Ok(Exit::Usage)
        }
    }
}

/// Prints the JSON Schema that editors complete configurations with.
pub fn schema() -> Result<Exit, AppError> {
    let text = serde_json::to_string_pretty(&espalier_config::json_schema())
        .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?;
    console::answer(text);
    Ok(Exit::Done)
}

fn describe(config: &Path, project: &Project) -> Vec<String> {
    let settings = &project.settings;
    let tasks: Vec<&str> = project.tasks.iter().map(|task| task.id.as_str()).collect();
    let tools: Vec<&str> = settings.tools.iter().map(|tool| tool.as_str()).collect();
    let schemes: Vec<&str> = settings
        .schemes
        .iter()
        .map(|scheme| scheme.name.as_str())
        .collect();
    let mut lines = vec![
        format!("{} is valid.", config.display()),
        fact("name", &settings.task_name),
        fact("tasks", &counted(&tasks)),
        fact("backend", &backend(&settings.backend)),
        fact("tools", &tools.join(", ")),
        fact("schemes", &counted(&schemes)),
        fact("output", settings.output_dir.as_deref().unwrap_or("none")),
    ];
    for key in &project.not_built {
        lines.push(fact(
            "not built",
            &format!(
                "line {}: {}: {}; no session starts with it",
                key.line, key.key, key.why
            ),
        ));
    }
    lines
}

fn fact(name: &str, text: &str) -> String {
    format!("  {name:<9} {text}")
}

/// The number of names and the first of them.
fn counted(names: &[&str]) -> String {
    const SHOWN: usize = 10;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown = &names[..names.len().min(SHOWN)];
    match names.len() {
        0 => "none".to_owned(),
        count => format!("{count}: {}{more}", shown.join(", ")),
    }
}

fn backend(settings: &BackendSettings) -> String {
    let name = settings.name();
    match settings {
        BackendSettings::Ollama { host, model, .. } => format!("{name}, {model} at {host}"),
        BackendSettings::Anthropic {
            base_url, model, ..
        } => format!("{name}, {model} at {base_url}"),
        BackendSettings::ClaudeAgentSdk { model, .. } => match model {
            Some(model) => format!("{name}, {model}"),
            None => name.to_owned(),
        },
        BackendSettings::Replay { recording, .. } => format!("{name} of {recording}"),
    }
}

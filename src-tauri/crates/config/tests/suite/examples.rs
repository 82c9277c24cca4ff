//! The documented examples, as they stand.

use super::support::Folder;
use espalier_config::model::{BackendName, ToolChoice};
use espalier_config::{Fragment, parse_fragment};
use espalier_protocol::session::{BackendSettings, SchemeKind, SchemeTarget};
use std::path::{Path, PathBuf};

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(documents().join(name)).unwrap()
}

fn fragment(name: &str) -> Fragment {
    parse_fragment(&text(name), Path::new(name)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_example_parses_on_its_own() {
    let mut count = 0;
    for entry in std::fs::read_dir(documents()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".yaml") {
            fragment(&name);
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn the_ollama_example_says_what_it_says() {
    let agent = fragment("ollama.yaml").live_agent;
    assert_eq!(agent.backend, Some(BackendName::Ollama));
    assert_eq!(agent.model.as_deref(), Some("qwen2.5-coder:7b"));
    assert_eq!(agent.ollama.host, "http://localhost:11434");
    assert_eq!(agent.ollama.temperature, Some(0.2));
    assert_eq!(agent.ollama.num_ctx, Some(8192));
    assert_eq!(agent.ollama.num_predict, Some(2048));
    assert_eq!(agent.ollama.keep_alive.as_deref(), Some("5m"));
    assert_eq!(agent.tools, ToolChoice::ALL);
    assert_eq!((agent.max_steps, agent.step_timeout_seconds), (50, 60));
}

#[test]
fn the_other_backends_examples_say_what_they_say() {
    let agent = fragment("anthropic.yaml").live_agent;
    assert_eq!(agent.backend, Some(BackendName::Anthropic));
    assert_eq!(agent.anthropic.max_tokens, 4096);
    let prompt = agent.anthropic.system_prompt.unwrap();
    assert!(prompt.starts_with("You are a coding assistant"));
    assert_eq!(prompt.lines().count(), 3);

    let agent = fragment("claude_agent_sdk.yaml").live_agent;
    assert_eq!(agent.backend, Some(BackendName::ClaudeAgentSdk));
    assert_eq!(agent.claude_agent_sdk.max_turns, Some(100));
    assert_eq!(agent.claude_agent_sdk.permission_mode.as_str(), "auto");
    assert!(agent.claude_agent_sdk.enable_thinking);
    assert_eq!(agent.step_timeout_seconds, 180);

    let agent = fragment("read_only.yaml").live_agent;
    assert_eq!(
        agent.tools,
        [ToolChoice::ReadFile, ToolChoice::Glob, ToolChoice::Grep]
    );
}

#[test]
fn the_controls_example_states_the_defaults() {
    let text = text("controls.yaml");
    let written = fragment("controls.yaml").live_agent;
    let presets = "      presets:\n        - \"Try";
    let (before, _) = text.split_once(presets).unwrap();
    let (_, after) = text.split_once("    rollback:\n").unwrap();
    let without_presets = format!("{before}    rollback:\n{after}");
    let stated = parse_fragment(&without_presets, Path::new("controls.yaml")).unwrap();
    let silent = parse_fragment("live_agent: {}\n", Path::new("empty.yaml")).unwrap();
    let json = |fragment: &Fragment| serde_json::to_value(&fragment.live_agent).unwrap();
    assert_eq!(json(&stated), json(&silent));
    assert_eq!(written.controls.send_instructions.presets.len(), 4);
}

#[test]
fn the_reference_loads_whole_without_a_key() {
    let folder = Folder::new();
    folder.write("project/tests/test_parser.py", "");
    let task = text("task.json").replace("/path/to/project", "project");
    let line = task.lines().map(str::trim).collect::<String>();
    folder.write("data/coding_tasks.jsonl", line);
    let project = folder.load(text("reference.yaml")).unwrap();

    let settings = &project.settings;
    assert_eq!(settings.task_name, "Live Coding Agent Observation");
    assert!(matches!(
        &settings.backend,
        BackendSettings::Anthropic { base_url, model, .. }
            if base_url == "https://api.anthropic.com" && model == "claude-sonnet-4-20250514"
    ));
    assert_eq!(settings.controls.presets[2], "Run the tests first");
    let schemes: Vec<(&str, SchemeKind, SchemeTarget)> = settings
        .schemes
        .iter()
        .map(|scheme| (scheme.name.as_str(), scheme.kind, scheme.target))
        .collect();
    assert_eq!(
        schemes,
        [
            (
                "step_quality",
                SchemeKind::PerTurnRating,
                SchemeTarget::Step
            ),
            ("task_completion", SchemeKind::Radio, SchemeTarget::Branch),
            (
                "branch_preference",
                SchemeKind::BranchPreference,
                SchemeTarget::Comparison
            ),
            ("observation_notes", SchemeKind::Text, SchemeTarget::Session),
        ]
    );
    assert_eq!(settings.schemes[2].prefers_a, ["Branch A"]);
    assert_eq!(settings.schemes[2].prefers_b, ["Branch B"]);
    assert_eq!(project.output_dir, Some(folder.path("output")));

    let task = &project.tasks[0];
    assert_eq!(task.id.as_str(), "task_001");
    assert_eq!(task.start_file.as_deref(), Some("src/parser.py"));
    assert_eq!(
        task.test_command.as_deref(),
        Some("python -m pytest tests/test_parser.py -v")
    );
    assert_eq!(
        task.context_files,
        ["src/parser.py", "tests/test_parser.py"]
    );

    // Only the key is missing.
    assert_eq!(project.secrets.api_key, None);
    assert_eq!(
        project.secrets.missing_variable.as_deref(),
        Some("ANTHROPIC_API_KEY")
    );
    assert_eq!(project.not_built, []);
}

#[test]
fn the_task_example_loads_as_a_whole_file() {
    let folder = Folder::new();
    folder.write("project/tests/test_parser.py", "");
    folder.write("tasks.jsonl", text("task.json"));
    let yaml = super::support::WHOLE;
    assert_eq!(
        folder.errors(yaml),
        "tasks.jsonl:4:18: project_dir: there is no such directory: /path/to/project"
    );
    folder.write("tasks.jsonl", text("task.json").replace("/path/to/", ""));
    assert_eq!(folder.load(yaml).unwrap().tasks.len(), 1);
}

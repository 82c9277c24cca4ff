//! What is offered, what a call is about, and what a wrong call is answered with.

use super::tools_desk::{Desk, FOR_EVER};
use espalier_agent::tools::tool_definitions;
use espalier_protocol::worker::Touched;
use espalier_protocol::{StepKind, StepStatus, ToolName};
use serde_json::json;

#[test]
fn the_definitions_are_schemas_of_the_tools_asked_for() {
    let all = tool_definitions(&ToolName::ALL);
    assert_eq!(all.len(), 6);
    for (tool, definition) in ToolName::ALL.iter().zip(&all) {
        assert_eq!(definition.name, tool.as_str());
        assert!(definition.description.len() > 40);
        assert_eq!(definition.parameters["type"], "object");
        assert_eq!(definition.parameters["additionalProperties"], false);
        for name in definition.parameters["required"].as_array().unwrap() {
            let property = &definition.parameters["properties"][name.as_str().unwrap()];
            assert!(property["type"].is_string() && property["description"].is_string());
        }
    }
    let two = tool_definitions(&[ToolName::Grep, ToolName::ReadFile]);
    assert_eq!(two[0].name, "grep");
    assert_eq!(two[1].parameters["required"], json!(["path"]));
}

#[tokio::test]
async fn a_tool_that_is_not_offered_is_refused_by_name() {
    let desk = Desk::with(&[ToolName::ReadFile, ToolName::Grep], FOR_EVER);
    for name in ["bash", "edit_file", "launch_rocket"] {
        let outcome = desk.run(name, json!({"command": "touch x"})).await;
        assert_eq!(outcome.status, StepStatus::Refused);
        assert_eq!(outcome.touched, Touched::Nothing);
        assert_eq!(
            outcome.content,
            format!(
                "The tool `{name}` is not available in this session. Available: read_file, grep."
            )
        );
    }
    assert!(desk.entries().is_empty());
}

#[tokio::test]
async fn a_wrong_call_shows_the_right_form() {
    let desk = Desk::new();
    let said = desk
        .fails(
            "read_file",
            json!({"pth": "a", "limit": "many", "colour": 1}),
        )
        .await;
    for part in [
        "`pth` is not an argument; did you mean `path`?",
        "`limit` must be a whole number of at least 1, not \"many\"",
        "`colour` is not an argument\n",
        "`path` is missing",
        r#"The right form: read_file {"path": "src/main.py", "offset": 1, "limit": 200}"#,
        "- path (text, required)",
        "- limit (whole number, optional)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let twice = json!({"path": "a", "old": "x", "old_string": "x", "new": "y"});
    assert!(
        desk.fails("edit_file", twice)
            .await
            .contains("`old_string` is given twice")
    );
    let mode = json!({"pattern": "a", "output_mode": "pretty"});
    assert!(
        desk.fails("grep", mode)
            .await
            .contains("one of `content`, `files`, `count`")
    );
    for nonsense in [json!(["a"]), json!("not json"), json!(7)] {
        let said = desk.fails("bash", nonsense).await;
        assert!(said.contains("must be a JSON object"), "{said}");
    }
    let object = json!({"path": "a", "content": {"not": "text"}});
    assert!(
        desk.fails("write_file", object)
            .await
            .contains("`content` must be a text")
    );
}

#[tokio::test]
async fn harmless_slips_are_understood() {
    let desk = Desk::new();
    desk.write("a.txt", "1\n2\n3\n");
    for input in [
        json!({"path": "a.txt", "offset": "2", "limit": 1.0}),
        json!({"path": "a.txt", "offset": 2, "limit": 1}),
        json!({"file_path": "a.txt", "offset": 2, "limit": 1, "path": null}),
        json!("{\"path\": \"a.txt\", \"offset\": 2, \"limit\": 1}"),
    ] {
        let text = desk.ok("read_file", input).await;
        assert!(text.starts_with("     2\t2\n["), "{text}");
    }
}

#[tokio::test]
async fn calls_are_described_for_people() {
    let desk = Desk::new();
    let absolute = desk.path("src/./a.rs");
    let long = format!("echo {}", "x".repeat(200));
    for (name, input, kind, target) in [
        (
            "read_file",
            json!({"path": "./src/../src/a.rs"}),
            StepKind::FileRead,
            "src/a.rs",
        ),
        (
            "read_file",
            json!({"path": "../up.rs"}),
            StepKind::FileRead,
            "../up.rs",
        ),
        ("read_file", json!({"path": "."}), StepKind::FileRead, "."),
        (
            "edit_file",
            json!({"file_path": absolute}),
            StepKind::Edit,
            "src/a.rs",
        ),
        (
            "write_file",
            json!({"path": "/etc/passwd"}),
            StepKind::Write,
            "/etc/passwd",
        ),
        (
            "bash",
            json!({"command": "  make test  "}),
            StepKind::Terminal,
            "make test",
        ),
        (
            "bash",
            json!({"command": "\ncd x\nmake"}),
            StepKind::Terminal,
            "cd x …",
        ),
        (
            "glob",
            json!({"pattern": "**/*.rs"}),
            StepKind::Glob,
            "**/*.rs",
        ),
        (
            "grep",
            json!({"pattern": "fn main"}),
            StepKind::Grep,
            "fn main",
        ),
        ("bash", json!({"cmand": 1}), StepKind::Terminal, ""),
        ("launch_rocket", json!({"path": "x"}), StepKind::Tool, ""),
    ] {
        let described = desk.toolbox.describe(name, &input);
        assert_eq!(described, (kind, target.to_owned()), "{name} {input}");
    }
    let (_, short) = desk.toolbox.describe("bash", &json!({"command": long}));
    assert_eq!(short.chars().count(), 81);
    assert!(short.ends_with('…'));
}

#[test]
fn a_project_that_is_not_there_is_named() {
    let spool = tempfile::tempdir().unwrap();
    let error = espalier_agent::tools::Toolbox::open(espalier_agent::tools::ToolboxOptions {
        project_dir: "/nowhere/at/all".into(),
        spool_dir: spool.path().into(),
        tools: vec![],
        timeout: FOR_EVER,
        max_processes: espalier_agent::tools::MAX_PROCESSES,
        secret: espalier_agent::Secret::default(),
    })
    .unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

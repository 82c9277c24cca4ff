#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use espalier_protocol::TaskId;

fn task(dir: &Path) -> ProjectTask {
    ProjectTask {
        id: TaskId::new("t1"),
        description: " Mend it.\n".to_owned(),
        project_dir: dir.display().to_string(),
        start_file: None,
        test_command: None,
        context_files: Vec::new(),
    }
}

fn message(task: &ProjectTask) -> String {
    let items = opening(&replay(), None, task, &ToolName::ALL).unwrap();
    match items.as_slice() {
        [
            ConversationItem::System { .. },
            ConversationItem::User { text },
        ] => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_task_comes_with_its_command_and_its_files_whole() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.py"), "a = 1\n").unwrap();
    std::fs::write(dir.path().join("notes.md"), "```\ncode\n```").unwrap();
    std::fs::write(dir.path().join("latin.txt"), b"na\xefve caf\xe9\n").unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    std::fs::write(dir.path().join("image"), b"\x89PNG\0\0").unwrap();
    let names = ["notes.md", "a.py", "latin.txt", "empty", "image"];
    let task = ProjectTask {
        start_file: Some("./a.py".to_owned()),
        test_command: Some("pytest -q".to_owned()),
        context_files: names.map(str::to_owned).to_vec(),
        ..task(dir.path())
    };
    assert_eq!(
        message(&task),
        "Mend it.\n\n\
         Verify your work with this command, run in the project directory:\n\n    pytest -q\n\n\
         Start with this file:\n\n`a.py`:\n```\na = 1\n```\n\n\
         Files to know:\n\n`notes.md`:\n````\n```\ncode\n```\n````\n\n\
         `latin.txt`:\n```\nnaïve café\n```\n\n\
         `empty` is empty.\n\n\
         `image` is binary, 6 bytes; its content is not shown."
    );
}

#[test]
fn a_file_too_long_for_a_message_says_how_to_read_on() {
    let dir = tempfile::tempdir().unwrap();
    // The cap falls within a character.
    std::fs::write(dir.path().join("long"), format!("x{}", "é".repeat(200_000))).unwrap();
    let task = ProjectTask {
        context_files: vec!["long".to_owned()],
        ..task(dir.path())
    };
    let text = message(&task);
    assert!(
        text.len() < 300_000 && !text.contains('\u{fffd}'),
        "{}",
        text.len()
    );
    assert!(text.contains("of 400001 bytes. Read the rest with read_file.]"));
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_task() {
    let dir = tempfile::tempdir().unwrap();
    let task = ProjectTask {
        start_file: Some("gone.py".to_owned()),
        ..task(dir.path())
    };
    let error = opening(&replay(), None, &task, &ToolName::ALL)
        .unwrap_err()
        .to_app();
    assert!(
        error.message.contains("t1") && error.message.contains("gone.py"),
        "{error:?}"
    );
}

#[test]
fn the_system_prompt_fits_the_tools() {
    let own = opening(&replay(), Some("Be brief."), &task(Path::new("/")), &[]).unwrap();
    assert_eq!(
        own[0],
        ConversationItem::System {
            text: "Be brief.".to_owned()
        }
    );
    let all = default_system_prompt(&ToolName::ALL);
    assert!(
        all.contains("smallest change") && all.contains("Commands run"),
        "{all}"
    );
    let reader = default_system_prompt(&[ToolName::ReadFile]);
    assert!(
        reader.contains("cannot change files") && !reader.contains("Commands"),
        "{reader}"
    );
}

fn replay() -> BackendSettings {
    BackendSettings::Replay {
        recording: String::new(),
        pace: 0.0,
    }
}

#[test]
fn claude_code_has_a_system_prompt_of_its_own() {
    let claude = BackendSettings::ClaudeAgentSdk {
        model: None,
        max_turns: None,
        permission_mode: "auto".into(),
        enable_thinking: true,
        cli_path: None,
    };
    let task = task(Path::new("/"));
    let items = opening(&claude, None, &task, &ToolName::ALL).unwrap();
    assert!(matches!(items.as_slice(), [ConversationItem::User { .. }]));
    let items = opening(&claude, Some("Be brief."), &task, &ToolName::ALL).unwrap();
    assert!(matches!(
        items.as_slice(),
        [ConversationItem::System { .. }, _]
    ));
}

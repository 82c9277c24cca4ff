#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::exit::Exit;
use espalier_protocol::{BranchId, ErrorCode};

fn meta() -> SessionMeta {
    serde_json::from_value(serde_json::json!({
        "id": "abc123defg",
        "task": {"id": "task_001", "description": "Fix it", "project_dir": "/p", "start_file": null,
                 "test_command": null, "context_files": []},
        "annotator": "me",
        "config_path": "/c.yaml",
        "settings": {
            "task_name": "t",
            "backend": {"backend": "replay", "recording": "/r.json", "pace": 0.0},
            "tools": [], "max_steps": 10, "step_timeout_seconds": 10, "system_prompt": null,
            "controls": {
                "pause": true, "auto_pause_on_error": false, "auto_pause_after_steps": 0,
                "pause_shortcut": "Space", "instruct": true, "placeholder": "",
                "inject_as": "system_message", "instruct_shortcut": "Enter", "presets": [],
                "rollback": true, "show_checkpoint_diff": true, "require_confirmation": true,
                "rollback_shortcut": "Ctrl+Z", "branch": true, "max_branches": 5,
                "branch_naming": "auto", "compare_view": true, "branch_shortcut": "Ctrl+B",
                "loop_detection": true, "loop_threshold": 3, "loop_action": "pause"
            },
            "checkpoints": {"enabled": true, "branch_prefix": "potato-session",
                "commit_message_format": "", "auto_commit": true, "cleanup_on_complete": false,
                "require_clean_working_dir": false},
            "schemes": [], "output_dir": null
        },
        "tool_definitions": [], "opening": [], "app_version": "0", "created_at": 0
    }))
    .unwrap()
}

fn text(record: &Record, ending: &Ending, data_dir: Option<&Path>) -> String {
    let meta = meta();
    let summary = Summary {
        meta: &meta,
        record,
        ending,
        data_dir,
    };
    summary.lines().join("\n")
}

#[test]
fn a_finished_session_names_its_branches_and_tests() {
    let record = Record {
        steps: 6,
        branches: vec![
            (BranchId::main(), "potato-session-abc123defg".to_owned()),
            (
                BranchId::new("branch_1"),
                "potato-session-abc123defg-branch_1".to_owned(),
            ),
        ],
        tests: vec![(BranchId::new("branch_1"), TestOutcome::Passed)],
        ended: Some(EndReason::Completed),
        state: Some(SessionState::Finished { kept: false }),
        ..Record::default()
    };
    assert_eq!(Ending::Finished.exit(&record), Exit::Done);
    assert_eq!(
        text(&record, &Ending::Finished, None),
        "task_001: finished. The agent ended its run. The project is as it was before; the result is on the branches.
  session   abc123defg
  steps     6
  project   /p
  branch    potato-session-abc123defg
  branch    potato-session-abc123defg-branch_1
  tests     branch_1: passed"
    );
}

#[test]
fn a_limit_is_not_a_success_and_says_how_to_go_on() {
    let state = SessionState::Paused {
        reason: PauseReason::MaxSteps { steps: 10 },
    };
    let record = Record {
        state: Some(SessionState::Parked),
        ..Record::default()
    };
    let ending = Ending::Open(state);
    assert_eq!(ending.exit(&record), Exit::Stopped);
    let text = text(&record, &ending, Some(Path::new("/my data")));
    assert!(
        text.starts_with("task_001: paused. The limit of 10 steps is reached"),
        "{text}"
    );
    assert!(
        text.ends_with("espalier run --resume abc123defg --data-dir '/my data'"),
        "{text}"
    );
}

#[test]
fn a_loop_that_ended_the_agent_stays_one_after_finishing() {
    let record = Record {
        ended: Some(EndReason::Loop),
        state: Some(SessionState::Finished { kept: false }),
        ..Record::default()
    };
    assert_eq!(Ending::Finished.exit(&record), Exit::Stopped);
}

#[test]
fn a_script_that_lost_its_backend_has_no_backend() {
    let paused = |code| Record {
        paused: Some(PauseReason::ProviderFailed {
            error: AppError::new(code, "", ""),
        }),
        state: Some(SessionState::Parked),
        ..Record::default()
    };
    let failed = Ending::Failed(AppError::new(ErrorCode::ScriptFailed, "Line 2", ""));
    assert_eq!(
        failed.exit(&paused(ErrorCode::BackendUnreachable)),
        Exit::Backend
    );
    assert_eq!(failed.exit(&Record::default()), Exit::Usage);
}

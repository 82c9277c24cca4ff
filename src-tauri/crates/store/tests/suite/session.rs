//! What a session is made of, for tests.

use espalier_protocol::session::{
    BackendSettings, BranchNaming, CheckpointSettings, ControlSettings, LoopAction,
};
use espalier_protocol::{
    ConversationItem, EventBody, InjectAs, Millis, ProjectTask, SessionId, SessionMeta,
    SessionSettings, TaskId, ToolName,
};

pub fn meta(id: &str) -> SessionMeta {
    SessionMeta {
        id: SessionId::new(id),
        task: ProjectTask {
            id: TaskId::new("task_001"),
            description: "Fix the parser".to_owned(),
            project_dir: "/projects/parser".to_owned(),
            start_file: None,
            test_command: Some("pytest".to_owned()),
            context_files: Vec::new(),
        },
        annotator: "observer_01".to_owned(),
        config_path: "/projects/config.yaml".to_owned(),
        settings: settings(),
        tool_definitions: Vec::new(),
        opening: vec![ConversationItem::User {
            text: "Fix the parser".to_owned(),
        }],
        app_version: "0.1.0".to_owned(),
        created_at: Millis(1_000),
    }
}

fn settings() -> SessionSettings {
    SessionSettings {
        task_name: "Live coding".to_owned(),
        backend: BackendSettings::Replay {
            recording: "/projects/recording.json".to_owned(),
            pace: 0.0,
        },
        tools: ToolName::ALL.to_vec(),
        max_steps: 100,
        step_timeout_seconds: 120,
        system_prompt: None,
        controls: ControlSettings {
            pause: true,
            auto_pause_on_error: true,
            auto_pause_after_steps: 0,
            pause_shortcut: "Space".to_owned(),
            instruct: true,
            placeholder: String::new(),
            inject_as: InjectAs::SystemMessage,
            instruct_shortcut: "Enter".to_owned(),
            presets: Vec::new(),
            rollback: true,
            show_checkpoint_diff: true,
            require_confirmation: true,
            rollback_shortcut: "Ctrl+Z".to_owned(),
            branch: true,
            max_branches: 5,
            branch_naming: BranchNaming::Auto,
            compare_view: true,
            branch_shortcut: "Ctrl+B".to_owned(),
            loop_detection: true,
            loop_threshold: 3,
            loop_action: LoopAction::Pause,
        },
        checkpoints: CheckpointSettings {
            enabled: true,
            branch_prefix: "potato-session".to_owned(),
            commit_message_format: "Step {step}: {tool} {file_path}".to_owned(),
            auto_commit: true,
            cleanup_on_complete: false,
            require_clean_working_dir: true,
            include_ignored: Vec::new(),
            worktrees: false,
            carry: Vec::new(),
        },
        context: espalier_protocol::session::ContextSettings::default(),
        schemes: Vec::new(),
        output_dir: None,
    }
}

pub fn notice(text: impl Into<String>) -> EventBody {
    EventBody::Notice {
        code: "test".to_owned(),
        text: text.into(),
    }
}

/// The texts of the notices among events, in order.
pub fn notices(events: &[espalier_protocol::Event]) -> Vec<String> {
    events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Notice { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

//! What a session gets from a configuration.

use super::support::{Folder, WHOLE};
use espalier_config::{Project, load_project_with};
use espalier_protocol::ToolName;
use espalier_protocol::session::{
    BackendSettings, CarryBy, SchemeKind, SchemeSettings, SchemeTarget,
};
use espalier_protocol::view::DiffStyle;

fn load(more: &str) -> Project {
    Folder::new()
        .load(format!("{WHOLE}{more}"))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn schemes(yaml: &str) -> Vec<SchemeSettings> {
    load(&format!("annotation_schemes:\n{yaml}"))
        .settings
        .schemes
}

#[test]
fn defaults_are_the_documents() {
    let project = load("");
    insta::assert_json_snapshot!((&project.settings, &project.display));
}

#[test]
fn relative_paths_start_from_task_dir_which_starts_from_the_configuration() {
    let folder = Folder::new();
    folder.write(
        "work/data/tasks.jsonl",
        r#"{"id": "a", "task_description": "x", "project_dir": "code"}"#,
    );
    folder.write("work/code/a.py", "");
    folder.write("work/data/recording.json", "{}");
    let config = folder.write(
        "configs/replay.yaml",
        "task_dir: ../work\ndata_files: [../work/data/tasks.jsonl]\noutput_annotation_dir: ../out/\n\
         live_agent:\n  backend: replay\n  replay: {recording: data/recording.json, pace: 0}\n",
    );
    let project = load_project_with(&config, &|_| None).unwrap();
    assert_eq!(project.output_dir, Some(folder.path("out")));
    assert_eq!(
        project.settings.output_dir,
        Some(folder.path("out").display().to_string())
    );
    assert_eq!(
        project.tasks[0].project_dir,
        folder.path("work/code").display().to_string()
    );
    assert_eq!(
        project.settings.backend,
        BackendSettings::Replay {
            recording: folder
                .path("work/data/recording.json")
                .display()
                .to_string(),
            pace: 0.0
        }
    );
    assert_eq!(project.settings.task_name, "replay");
    assert!(project.config_path.is_absolute());
}

#[test]
fn folders_and_recordings_that_are_not_there_are_refused() {
    let folder = Folder::new();
    let report = folder
        .errors("task_dir: gone\ndata_files: [x.jsonl]\nlive_agent: {backend: ollama, model: m}\n");
    assert_eq!(
        report,
        "project.yaml:1:11: task_dir: there is no such directory: gone"
    );
    let report = folder.errors(
        "data_files: [tasks.jsonl]\noutput_annotation_dir: tasks.jsonl\nlive_agent: {backend: replay, replay: {recording: r.json}}\n",
    );
    assert_eq!(
        report,
        "project.yaml:2:24: output_annotation_dir: tasks.jsonl is not a directory\n\
         project.yaml:3:51: live_agent.replay.recording: there is no such file: r.json"
    );
    assert_eq!(
        folder.errors("data_files: [tasks.jsonl]\nlive_agent: {backend: replay}\n"),
        "project.yaml:2:1: live_agent.replay.recording: this key is missing: the replay backend needs a recording"
    );
}

#[test]
fn a_whole_configuration_needs_tasks_and_a_backend() {
    assert_eq!(
        Folder::new().errors("task_name: a\n"),
        "project.yaml:1:1: live_agent.backend: this key is missing: which backend runs the agent (ollama, anthropic, claude_agent_sdk, replay)\n\
         project.yaml:1:1: data_files: this key is missing: a list of files with the tasks"
    );
}

#[test]
fn the_live_agent_may_stand_in_two_places_but_no_key_in_both() {
    let folder = Folder::new();
    let both = "data_files: [tasks.jsonl]\nagentic:\n  live_agent:\n    backend: ollama\n    controls: {branch: {max_branches: 2}}\n\
                live_agent:\n  model: m\n  controls: {branch: {compare_view: false}}\n";
    let controls = folder.load(both).unwrap().settings.controls;
    assert_eq!((controls.max_branches, controls.compare_view), (2, false));
    assert_eq!(
        folder.errors(format!(
            "{both}  backend: ollama\n  loop_detection: {{threshold: 1}}\n"
        )),
        "project.yaml:9:3: live_agent.backend: agentic.live_agent.backend says this too; keep one of the two\n\
         project.yaml:10:31: live_agent.loop_detection.threshold: 1 is too small; the smallest value is 2"
    );
}

#[test]
fn a_model_may_stand_in_the_backends_own_block() {
    let yaml = "data_files: [tasks.jsonl]\nlive_agent:\n  backend: ollama\n  ollama: {model: m, keep_alive: 300, host: 'http://gpu:11434/'}\n";
    let folder = Folder::new();
    let backend = folder.load(yaml).unwrap().settings.backend;
    let BackendSettings::Ollama {
        host,
        model,
        keep_alive,
        ..
    } = backend
    else {
        panic!("{backend:?}");
    };
    assert_eq!((host.as_str(), model.as_str()), ("http://gpu:11434", "m"));
    assert_eq!(keep_alive.as_deref(), Some("300s"));
    assert_eq!(
        folder.errors(format!("{yaml}  model: other\n")),
        "project.yaml:4:19: live_agent.ollama.model: live_agent.model says something else; keep one of the two"
    );
}

#[test]
fn tools_and_display_are_as_written() {
    let project = load(
        "  tools: [grep, read_file]\nagentic:\n  coding_trace_display:\n    diff_style: side_by_side\n    file_tree: {enabled: false}\n",
    );
    assert_eq!(project.settings.tools, [ToolName::Grep, ToolName::ReadFile]);
    assert_eq!(project.display.diff_style, DiffStyle::SideBySide);
    assert!(!project.display.file_tree && project.display.syntax_highlight);
}

#[test]
fn shortcuts_of_controls_that_are_off_do_not_collide() {
    let yaml = "  controls:\n    rollback: {enabled: false, keyboard_shortcut: Space}\n    branch: {keyboard_shortcut: 'shift + cmd + ArrowUp'}\n";
    assert_eq!(load(yaml).settings.controls.rollback_shortcut, "Space");
    let report = Folder::new().errors(format!(
        "{WHOLE}  controls:\n    rollback: {{keyboard_shortcut: control+b}}\n    branch: {{keyboard_shortcut: Hyper+X}}\n    send_instructions: {{keyboard_shortcut: ''}}\n    pause_resume: {{keyboard_shortcut: 'B + Ctrl'}}\n"
    ));
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 3, "{report}");
    assert!(lines[0].contains("\"Hyper\" is not a modifier key"));
    assert!(lines[1].contains("\"\" is not a shortcut"));
    assert!(lines[2].contains("\"B + Ctrl\" is not a shortcut"));
}

#[test]
fn a_key_in_the_wrong_place_is_told_where_it_belongs() {
    let report = Folder::new().errors(format!("{WHOLE}model: x\ntools: [bash]\nenabled: true\n"));
    assert_eq!(
        report,
        "project.yaml:5:1: model: unknown key (did you mean live_agent.model?)\n\
         project.yaml:6:1: tools: unknown key (did you mean live_agent.tools?)\n\
         project.yaml:7:1: enabled: unknown key"
    );
}

#[test]
fn keys_that_are_not_built_open_and_are_named_with_their_place() {
    let project = load(
        "  enabled: false\n  sandbox: {network: none, anything: [1, {deep: true}]}\n\
         agentic:\n  enabled: false\n",
    );
    let found: Vec<String> = project
        .not_built
        .iter()
        .map(|key| format!("{}:{} {}", key.line, key.column, key.key))
        .collect();
    assert_eq!(
        found,
        [
            "5:3 live_agent.enabled: false",
            "6:3 live_agent.sandbox",
            "8:3 agentic.enabled: false",
        ]
    );
    let quiet = load("  enabled: true\n  sandbox: {}\n");
    assert_eq!(quiet.not_built, []);
}

#[test]
fn what_worktrees_carry_is_named_with_its_means() {
    let project = load(
        "  git_checkpoints:\n    worktrees: true\n    carry:\n      - node_modules/\n      - {path: .venv, by: hard_link}\n",
    );
    let checkpoints = &project.settings.checkpoints;
    assert!(checkpoints.worktrees);
    let carry: Vec<_> = checkpoints
        .carry
        .iter()
        .map(|carried| (carried.path.as_str(), carried.by))
        .collect();
    assert_eq!(
        carry,
        [
            ("node_modules", CarryBy::Reflink),
            (".venv", CarryBy::HardLink)
        ]
    );
}

#[test]
fn nothing_outside_the_project_is_carried() {
    let report = Folder::new().errors(format!(
        "{WHOLE}  git_checkpoints:\n    carry: [../secrets, /etc]\n"
    ));
    assert!(
        report.contains("\"../secrets\" is no path within the project directory"),
        "{report}"
    );
    assert!(
        report.contains("\"/etc\" is no path within the project directory"),
        "{report}"
    );
}

#[test]
fn schemes_are_asked_where_they_belong() {
    let schemes = schemes(
        "  - {annotation_type: branch_preference, name: better}\n\
         \x20 - {annotation_type: radio, name: solved, labels: [Yes, No], label_requirement: {required: true}}\n\
         \x20 - {annotation_type: radio, name: style, labels: [Good, Bad]}\n\
         \x20 - {annotation_type: per_turn_rating, name: steps, rating_type: likert, min_label: bad, max_label: good}\n\
         \x20 - {annotation_type: multiselect, name: faults, labels: [slow, wrong]}\n\
         \x20 - {annotation_type: likert, name: agree, labels: [no, so so, yes]}\n\
         \x20 - {annotation_type: slider, name: trust, min: -1, max: 1, step: 0.5}\n\
         \x20 - {annotation_type: number, name: minutes, min: 0}\n\
         \x20 - {annotation_type: text, name: notes, description: What did you see?}\n",
    );
    insta::assert_json_snapshot!(schemes);
}

#[test]
fn verdicts_say_what_the_labels_of_a_comparison_mean() {
    let schemes = schemes(
        "  - annotation_type: radio\n    name: branch_preference\n    labels: [왼쪽이 훨씬, 왼쪽이 조금, 같음, 오른쪽, 둘 다 아님]\n    verdicts:\n      왼쪽이 훨씬: a\n      왼쪽이 조금: a\n      같음: tie\n      오른쪽: b\n      둘 다 아님: neither\n",
    );
    assert_eq!(schemes[0].kind, SchemeKind::BranchPreference);
    assert_eq!(schemes[0].target, SchemeTarget::Comparison);
    assert_eq!(schemes[0].prefers_a, ["왼쪽이 훨씬", "왼쪽이 조금"]);
    assert_eq!(schemes[0].prefers_b, ["오른쪽"]);
}

#[test]
fn schemes_that_make_no_sense_are_refused() {
    let report = Folder::new().errors(format!(
        "{WHOLE}annotation_schemes:\n\
         \x20 - {{annotation_type: text, name: branch_preference}}\n\
         \x20 - {{annotation_type: multiselect, name: m, size: 4}}\n\
         \x20 - {{annotation_type: per_turn_rating, name: r, rating_type: text, labels: [a], verdicts: {{a: a}}}}\n\
         \x20 - {{annotation_type: likert, name: l, size: 4, labels: [a, b]}}\n\
         \x20 - {{annotation_type: branch_preference, name: b, labels: [only]}}\n\
         \x20 - {{annotation_type: slider, name: s, step: 0, max: -1}}\n\
         \x20 - {{annotation_type: radio, name: root_branch, labels: [], target: session}}\n"
    ));
    insta::assert_snapshot!(report);
}

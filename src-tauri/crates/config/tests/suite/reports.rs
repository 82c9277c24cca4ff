//! Reports of many errors at once.

use super::support::Folder;

const MESSY: &str = r#"task_name: 5
task_dri: "."
data_files:
  - tasks.jsonl
  - tasks.jsonl
  - missing.jsonl
item_properties:
  id_key: id
  idkey: x
backend: ollama
agentic:
  enabled: yes
  display_type: coding_traces
  coding_trace_display:
    diff_style: side-by-side
    diff_context_lines: -1
    file_tree: true
  live_agent:
    backend: olama
    max_steps: 0
    step_timeout_seconds: "60"
    tools: []
    max_branches: 3
    ollama:
      host: localhost:11434
      temperature: 7
      num_ctx: 8k
    anthropic:
      api_key: 12345
      api_keyy: x
    controls:
      pause_resume:
        keyboard_shortcut: Ctrl+Spcae
      rollback:
        keyboard_shortcut: Enter
      send_instructions:
        presets:
        inject_as: system-message
    git_checkpoints:
      branch_prefix: "my session"
      commit_message_format: "Step {step}: {file}"
      enabled: true
      enabled: false
live_agent:
  max_steps: 5
annotation_schemes:
  - annotation_type: radio
    name: id
    labels: [Good, Good]
    min: 3
  - annotation_type: radoi
    name: x
  - name: y
  - annotation_type: slider
    name: s
    min: 5
    max: 1
  - annotation_type: radio
    name: branch_preference
    labels: [Branch A, Branch B]
    verdicts: {Branch A: a, Branch C: b}
  - annotation_type: text
    name: s
output_annotation_format: csv
"#;

#[test]
fn every_error_is_told_at_once_with_its_place() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.errors(MESSY));
}

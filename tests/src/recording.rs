//! Recordings made in a test: what the model says, turn by turn.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A turn with one call.
pub fn call(tool: &str, input: Value) -> Value {
    json!({"calls": [{"tool": tool, "input": input}]})
}

/// A turn with several calls.
pub fn calls(calls: &[(&str, Value)]) -> Value {
    let calls: Vec<Value> = calls
        .iter()
        .map(|(tool, input)| json!({"tool": tool, "input": input}))
        .collect();
    json!({"text": "Several at once.", "calls": calls})
}

/// A turn that runs a shell command.
pub fn bash(command: &str) -> Value {
    call("bash", json!({"command": command}))
}

/// A turn that writes a file.
pub fn write(path: &str, content: &str) -> Value {
    call("write_file", json!({"path": path, "content": content}))
}

/// The closing turn.
pub fn say(text: &str) -> Value {
    json!({"text": text})
}

/// A recorded branch.
pub fn branch(
    id: &str,
    parent: &str,
    after_step: i32,
    instruction: &str,
    turns: &[Value],
) -> Value {
    json!({"id": id, "parent": parent, "after_step": after_step, "instruction": instruction, "turns": turns})
}

/// Writes a recording with these turns on main, and branches, and returns its path.
pub fn record(folder: &Path, main: &[Value], branches: &[Value]) -> PathBuf {
    let mut all = vec![json!({"id": "main", "turns": main})];
    all.extend_from_slice(branches);
    let path = folder.join("recording.json");
    let recording = json!({
        "format": "espalier-recording/1", "title": "Test", "model": "recorded", "branches": all,
    });
    crate::project::write(&path, &recording.to_string());
    path
}

/// The `live_agent` lines of a replay without waiting.
pub const REPLAY: &str =
    "  backend: replay\n  replay:\n    recording: recording.json\n    pace: 0\n";

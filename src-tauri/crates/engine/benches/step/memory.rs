//! Memory of a headless run of many steps with much output each.

use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const STEPS: usize = 1_000;
/// Bytes a step's command prints.
const OUTPUT: usize = 100_000;

/// Resident memory of the program after so many steps, in kilobytes.
pub struct Memory {
    pub app: Vec<(usize, u64)>,
}

/// Runs the built program (`ESPALIER_BIN`) on a recording of shell commands.
pub fn measure() -> Memory {
    let program = PathBuf::from(std::env::var("ESPALIER_BIN").expect("ESPALIER_BIN"));
    let folder = tempfile::tempdir().unwrap();
    crate::repository::make(&folder.path().join("project"), 100);
    configure(folder.path());
    let mut child = Command::new(program)
        .arg("run")
        .arg(folder.path().join("bench.yaml"))
        .arg("--json")
        .env("ESPALIER_DATA_DIR", folder.path().join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut finished = 0;
    let mut app = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if line.unwrap().contains("\"type\":\"step_finished\"") {
            finished += 1;
            if finished % 100 == 0 && finished <= STEPS {
                app.push((finished, resident(child.id())));
            }
        }
    }
    assert!(child.wait().unwrap().success());
    Memory { app }
}

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn configure(folder: &Path) {
    let task = json!({"id": "bench", "task_description": "Print", "project_dir": "project"});
    std::fs::write(folder.join("tasks.jsonl"), format!("{task}\n")).unwrap();
    let mut turns: Vec<_> = (0..STEPS)
        .map(|number| {
            let command =
                format!("head -c {OUTPUT} /dev/zero | tr '\\0' x | fold -w 80; echo {number}");
            json!({"calls": [{"tool": "bash", "input": {"command": command}}], "ms": 0})
        })
        .collect();
    turns.push(json!({"text": "Done.", "ms": 0}));
    let recording = json!({
        "format": "espalier-recording/1", "title": "Bench", "model": "none",
        "branches": [{"id": "main", "turns": turns}],
    });
    std::fs::write(folder.join("recording.json"), recording.to_string()).unwrap();
    std::fs::write(
        folder.join("bench.yaml"),
        "task_name: Bench\ntask_dir: .\ndata_files: [tasks.jsonl]\nlive_agent:\n  backend: replay\n  \
         replay:\n    recording: recording.json\n    pace: 0\n  max_steps: 100000\n",
    )
    .unwrap();
}

//! The cost of a step at a given size of project.

use crate::{agent, repository};
use espalier_engine::{AgentProgram, Engine, EngineOptions, NewSession};
use espalier_protocol::session::SessionState;
use espalier_protocol::{Actor, EventBody, Op};
use espalier_store::Store;
use std::path::Path;

/// Steps measured, after those that warm caches up.
const STEPS: usize = 120;
const WARM_UP: usize = 20;

/// The cost at one size, in microseconds.
pub struct Row {
    pub files: usize,
    pub p50: u64,
    pub p95: u64,
    pub baseline_p50: u64,
}

pub async fn measure(files: usize) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    let baseline = folder.path().join("baseline");
    repository::make(&project, files);
    repository::make(&baseline, files);
    configure(folder.path());
    let samples_file = folder.path().join("samples.json");
    let data_dir = folder.path().join("data");
    std::fs::create_dir_all(&data_dir).unwrap();
    let engine = Engine::new(EngineOptions {
        store: Store::open(&data_dir).await.unwrap(),
        data_dir,
        agent: AgentProgram {
            program: std::env::current_exe().unwrap(),
            args: vec![
                agent::FLAG.to_owned(),
                (STEPS + WARM_UP).to_string(),
                baseline.display().to_string(),
                samples_file.display().to_string(),
            ],
        },
        app_version: "bench".to_owned(),
        models: std::sync::Arc::default(),
        looking: std::sync::Arc::new(|_, _| {}),
    });
    let config = espalier_config::load_project(&folder.path().join("bench.yaml")).unwrap();
    let handle = engine
        .create(NewSession {
            project: &config,
            task: &config.tasks[0].id,
            annotator: "bench".to_owned(),
        })
        .await
        .unwrap();
    let mut events = handle.subscribe().await.unwrap().live;
    handle.op(Actor::Script, Op::Resume).await.unwrap();
    while let Some(event) = events.recv().await {
        match event.body {
            EventBody::StateChanged {
                state: SessionState::Ended { .. },
            } => break,
            EventBody::StateChanged {
                state: SessionState::Paused { reason },
            } => panic!("{reason:?}"),
            _ => {}
        }
    }
    handle
        .op(Actor::Script, Op::Finish { keep: true })
        .await
        .unwrap();
    row(files, &samples_file)
}

fn row(files: usize, samples_file: &Path) -> Row {
    let samples: Vec<agent::Sample> =
        serde_json::from_slice(&std::fs::read(samples_file).unwrap()).unwrap();
    let samples = &samples[WARM_UP..];
    let mut engine: Vec<u64> = samples.iter().map(|sample| sample.0).collect();
    let mut git: Vec<u64> = samples.iter().map(|sample| sample.1).collect();
    engine.sort_unstable();
    git.sort_unstable();
    Row {
        files,
        p50: engine[engine.len() / 2],
        p95: engine[engine.len() * 95 / 100],
        baseline_p50: git[git.len() / 2],
    }
}

fn configure(folder: &Path) {
    let task =
        serde_json::json!({"id": "bench", "task_description": "Edit", "project_dir": "project"});
    std::fs::write(folder.join("tasks.jsonl"), format!("{task}\n")).unwrap();
    let recording = serde_json::json!({
        "format": "espalier-recording/1", "title": "Bench", "model": "none",
        "branches": [{"id": "main", "turns": [{"text": "Done."}]}],
    });
    std::fs::write(folder.join("recording.json"), recording.to_string()).unwrap();
    std::fs::write(
        folder.join("bench.yaml"),
        "task_name: Bench\ntask_dir: .\ndata_files: [tasks.jsonl]\nlive_agent:\n  backend: replay\n  \
         replay:\n    recording: recording.json\n  max_steps: 100000\n",
    )
    .unwrap();
}

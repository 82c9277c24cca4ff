//! Sessions saved as recordings and played again.

use super::ollama::bench::{Bench, write_file};
use espalier_tests::ollama_server::Reply;
use espalier_tests::program::{Ran, run};
use espalier_tests::project::{Workspace, write};
use serde_json::{Value, json};

/// In two parts, so that nothing takes this for a key that was left here.
fn secret() -> String {
    format!("sk-{}", "a1B2c3D4e5F6g7H8i9J0")
}

/// A session against a model server: an instruction in the middle, a branch, and a secret.
fn recorded(folder: &Workspace) -> Value {
    let key = format!("echo key {} && cat a.txt", secret());
    let bench = Bench::new([
        write_file("a.txt", "one\n").text("First."),
        Reply::call("bash", json!({"command": key})).thinking("What is there?"),
        write_file("b.txt", "told\n"),
        Reply::say("Done."),
        write_file("c.txt", "branch\n"),
        Reply::say("Done otherwise."),
    ]);
    let ran = bench
        .drive(&[
            json!({"after_step": 1, "do": "pause"}),
            json!({"do": "instruct", "text": "Write b.txt"}),
            json!({"do": "resume"}),
            json!({"after": "end", "do": "branch", "from": "main", "step": 0, "instruction": "Write c.txt"}),
            json!({"after": "end", "do": "finish"}),
        ])
        .expect_code(0);
    let session = ran.events()[0]["session"].as_str().unwrap().to_owned();
    let file = folder.root().join("recording.json");
    let saved = run(
        &bench.workspace.data(),
        ["save-recording", &session, "-o", file.to_str().unwrap()],
    )
    .expect_code(0);
    assert!(
        saved.stderr.contains("secrets were taken out"),
        "{}",
        saved.stderr
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&secret()), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Plays the recording in a workspace, with what the person did.
fn play(workspace: &Workspace) -> Ran {
    let config = workspace.configure(
        "  backend: replay\n  replay:\n    recording: recording.json\n    pace: 0\n  git_checkpoints:\n    require_clean_working_dir: false\n",
        &json!({}),
    );
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "instruct", "text": "Write b.txt"}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "branch", "from": "main", "step": 0, "instruction": "Write c.txt"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let lines: Vec<String> = script.iter().map(Value::to_string).collect();
    let file = workspace.root().join("script.jsonl");
    write(&file, &lines.join("\n"));
    run(
        &workspace.data(),
        [
            "run",
            config.to_str().unwrap(),
            "--json",
            "--script",
            file.to_str().unwrap(),
        ],
    )
}

#[test]
fn a_session_that_was_saved_is_played_again_without_its_server() {
    let workspace = Workspace::new(&[("a.txt", "zero\n")]);
    let recording = recorded(&workspace);
    let ids: Vec<&str> = recording["branches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| branch["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["main", "main_2", "branch_1"]);
    let ran = play(&workspace).expect_code(0);
    assert_eq!(workspace.read("c.txt"), "branch\n");
    let steps: Vec<Value> = ran
        .events_of("step_started")
        .iter()
        .map(|event| {
            json!([
                event["step"]["branch"],
                event["step"]["index"],
                event["step"]["kind"]
            ])
        })
        .collect();
    assert_eq!(
        steps,
        [
            json!(["main", 0, "write"]),
            json!(["main", 1, "terminal"]),
            json!(["main", 2, "write"]),
            json!(["main", 3, "message"]),
            json!(["branch_1", 1, "write"]),
            json!(["branch_1", 2, "message"]),
        ]
    );
    let told = ran.events_of("notice");
    let diverged = told
        .iter()
        .filter(|event| event["code"] == "replay_diverged");
    assert_eq!(diverged.count(), 0, "{told:?}");
}

#[test]
fn a_file_that_is_not_as_recorded_is_told_at_its_step() {
    let workspace = Workspace::new(&[("b.txt", "there already\n")]);
    recorded(&workspace);
    let ran = play(&workspace).expect_code(0);
    let told: Vec<String> = ran
        .events_of("notice")
        .iter()
        .filter(|event| event["code"] == "replay_diverged")
        .map(|event| event["text"].as_str().unwrap().to_owned())
        .collect();
    // a.txt was there when it was recorded, b.txt was not.
    assert!(
        told.iter()
            .any(|text| text.starts_with("Step 0 (write_file)")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|text| text.starts_with("Step 2 (write_file)")),
        "{told:?}"
    );
}

//! Calls that a person changes or refuses while Claude Code is held before them.

use super::bench::{Bench, statuses};
use espalier_tests::anthropic_server::Reply;
use espalier_tests::program::Ran;
use serde_json::{Value, json};

/// Two files in one message; the second call waits while the script acts.
fn acted(act: impl FnOnce(&Bench) -> Value) -> (Bench, Ran) {
    let bench = Bench::on_project(|project| {
        let (write, one) = Bench::write_call(project, "one.txt", "1\n");
        let (_, two) = Bench::write_call(project, "two.txt", "2\n");
        let both = Reply::say("Both.").and_call(write, one);
        vec![both.and_call(write, two), Reply::say("Done.")]
    });
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        act(&bench),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    (bench, ran)
}

/// What the model read of the second call, in full.
fn read_of_the_second(bench: &Bench) -> Value {
    let told = bench.told(1);
    let calls = told[0]["content"].as_array().unwrap();
    let results = told[1]["content"].as_array().unwrap();
    assert_eq!(results[1]["tool_use_id"], calls[2]["id"], "{told:?}");
    results[1].clone()
}

#[test]
fn a_call_runs_with_the_arguments_that_the_person_gave_it() {
    let mut input = Value::Null;
    let (bench, ran) = acted(|bench| {
        let path = bench.workspace.project().join("three.txt");
        input = json!({"file_path": path, "content": "3\n"});
        json!({"do": "edit_call", "input": input})
    });
    assert_eq!(bench.workspace.read("one.txt"), "1\n");
    assert_eq!(bench.workspace.read("three.txt"), "3\n");
    assert!(!bench.workspace.project().join("two.txt").exists());
    assert_eq!(statuses(&ran), ["ok", "ok", "ok"]);
    let step = &ran.events_of("step_started")[1]["step"];
    assert_eq!(step["input"], input);
    assert_eq!(step["target"], "three.txt");
    let told = read_of_the_second(&bench).to_string();
    assert!(told.contains("three.txt"), "{told}");
    let recorded = ran.events_of("intervened");
    let recorded = serde_json::to_string(&recorded).unwrap();
    for part in ["edit_call", "two.txt", "three.txt"] {
        assert!(recorded.contains(part), "{recorded}");
    }
}

#[test]
fn a_refused_call_does_not_run_and_the_model_reads_why() {
    let (bench, ran) = acted(|_| json!({"do": "refuse_call", "reason": "Leave two.txt alone."}));
    assert_eq!(bench.workspace.read("one.txt"), "1\n");
    assert!(!bench.workspace.project().join("two.txt").exists());
    assert_eq!(statuses(&ran), ["ok", "refused", "ok"]);
    let told = read_of_the_second(&bench);
    // The words before it are Claude Code's.
    let words = told["content"].as_str().unwrap();
    assert!(words.ends_with("Leave two.txt alone."), "{words}");
    assert_eq!(told["is_error"], true);
}

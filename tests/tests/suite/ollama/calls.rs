//! Calls that a person changes or refuses before they run, and what the model is told.

use super::bench::{Bench, after_the_task, write_file};
use espalier_tests::ollama_server::Reply;
use serde_json::{Value, json};

/// A message with two calls; the second waits while the script acts.
fn two_calls() -> Bench {
    let both = write_file("a.txt", "one\n")
        .and_call("write_file", json!({"path": "b.txt", "content": "two\n"}))
        .text("Both.");
    Bench::new([both, Reply::say("Done.")])
}

fn acting(acts: &[Value]) -> Vec<Value> {
    let mut script = vec![json!({"after_step": 0, "do": "pause"})];
    script.extend_from_slice(acts);
    script.extend([
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ]);
    script
}

fn result_of_the_second(bench: &Bench) -> String {
    let chats = bench.server.chats();
    let after = after_the_task(&chats[1]);
    // The message itself stays the model's.
    assert_eq!(
        after[0]["tool_calls"][1]["function"]["arguments"],
        json!({"path": "b.txt", "content": "two\n"})
    );
    assert_eq!(after[2]["tool_call_id"], after[0]["tool_calls"][1]["id"]);
    after[2]["content"].as_str().unwrap().to_owned()
}

fn interventions(bench: &Bench) -> Vec<Value> {
    let tree = bench.tree();
    let all = tree["root_branch"]["espalier"]["interventions"].clone();
    all.as_array()
        .unwrap()
        .iter()
        .filter(|one| one.to_string().contains("_call"))
        .cloned()
        .collect()
}

#[test]
fn a_call_runs_with_the_arguments_that_the_person_gave_it() {
    let bench = two_calls();
    let input = json!({"path": "c.txt", "content": "three\n"});
    let ran = bench
        .drive(&acting(&[json!({"do": "edit_call", "input": input})]))
        .expect_code(0);
    assert_eq!(bench.workspace.read("c.txt"), "three\n");
    assert!(!bench.workspace.project().join("b.txt").exists());
    let told = result_of_the_second(&bench);
    assert!(
        told.starts_with("[The person in charge changed the arguments of this call to"),
        "{told}"
    );
    assert!(told.contains("c.txt"), "{told}");
    let step = &ran.events_of("step_started")[1]["step"];
    assert_eq!(step["input"], input);
    assert_eq!(step["target"], "c.txt");
    let recorded = interventions(&bench);
    assert_eq!(recorded.len(), 1);
    let recorded = recorded[0].to_string();
    for part in ["b.txt", "two", "c.txt", "three"] {
        assert!(recorded.contains(part), "{recorded}");
    }
}

#[test]
fn a_change_that_was_taken_back_changes_nothing() {
    let bench = two_calls();
    let script = acting(&[
        json!({"do": "edit_call", "input": {"path": "c.txt", "content": "three\n"}}),
        json!({"do": "edit_call", "input": {"path": "b.txt", "content": "two\n"}}),
    ]);
    bench.drive(&script).expect_code(0);
    assert_eq!(bench.workspace.read("b.txt"), "two\n");
    assert!(!bench.workspace.project().join("c.txt").exists());
    assert!(!result_of_the_second(&bench).contains("person in charge"));
}

#[test]
fn a_refused_call_does_not_run_and_the_model_reads_why() {
    let bench = two_calls();
    let script = acting(&[json!({"do": "refuse_call", "reason": "Leave b.txt alone."})]);
    let ran = bench.drive(&script).expect_code(0);
    assert!(!bench.workspace.project().join("b.txt").exists());
    assert_eq!(result_of_the_second(&bench), "Leave b.txt alone.");
    assert_eq!(
        ran.events_of("step_finished")[1]["result"]["status"],
        "refused"
    );
    assert_eq!(interventions(&bench).len(), 1);
}

#[test]
fn arguments_that_the_tool_does_not_take_are_told_before_anything_runs() {
    let bench = two_calls();
    let script = acting(&[json!({"do": "edit_call", "input": {"path": "c.txt"}})]);
    let ran = bench.drive(&script).expect_code(2);
    assert!(
        ran.stderr.contains("write_file cannot be called like that"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("content"), "{}", ran.stderr);
    assert_eq!(ran.events_of("step_started").len(), 1);
    bench.server.forget_the_rest();
}

#[test]
fn an_edit_does_not_outlive_its_call() {
    // The rollback drops the call that was changed; the model makes it again.
    let both = write_file("a.txt", "one\n")
        .and_call("write_file", json!({"path": "b.txt", "content": "two\n"}));
    let bench = Bench::new([both, write_file("b.txt", "again\n"), Reply::say("Done.")]);
    let script = acting(&[
        json!({"do": "edit_call", "input": {"path": "c.txt", "content": "three\n"}}),
        json!({"do": "rollback", "to_step": -1}),
        json!({"do": "undo_rollback"}),
    ]);
    bench.drive(&script).expect_code(0);
    assert_eq!(bench.workspace.read("b.txt"), "again\n");
    assert!(!bench.workspace.project().join("c.txt").exists());
}

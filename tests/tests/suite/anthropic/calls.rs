//! Calls that a person changes or refuses before they run, and what the model is told.

use super::bench::{AndWrite, Bench, after_the_task};
use espalier_tests::anthropic_server::Reply;
use serde_json::{Value, json};

/// A message with two calls; the second waits while the script acts.
fn acted(act: Value) -> (Bench, espalier_tests::program::Ran) {
    let both = Reply::thinking("Both at once.")
        .text("Both.")
        .and_write("a.txt", "one\n")
        .and_write("b.txt", "two\n");
    let bench = Bench::new([both, Reply::say("Done.")]);
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        act,
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    (bench, ran)
}

/// The turn that the model read next. What it had said came back as it was, signature and all.
fn results(bench: &Bench) -> Vec<Value> {
    let turns = after_the_task(&bench.server.chats()[1]);
    let call = |at: usize, path: &str, content: &str| {
        json!({"type": "tool_use", "id": format!("toolu_001_{at}"), "name": "write_file",
            "input": {"path": path, "content": content}})
    };
    assert_eq!(
        turns[0]["content"],
        json!([
            {"type": "thinking", "thinking": "Both at once.", "signature": "c2lnbmVk001_0=="},
            {"type": "text", "text": "Both."},
            call(2, "a.txt", "one\n"),
            call(3, "b.txt", "two\n"),
        ])
    );
    let results = turns[1]["content"].as_array().unwrap().clone();
    assert_eq!(results.len(), 2);
    assert_eq!(results[1]["tool_use_id"], "toolu_001_3");
    results
}

#[test]
fn a_call_runs_with_the_arguments_that_the_person_gave_it() {
    let input = json!({"path": "c.txt", "content": "three\n"});
    let (bench, ran) = acted(json!({"do": "edit_call", "input": input}));
    assert_eq!(bench.workspace.read("c.txt"), "three\n");
    assert!(!bench.workspace.project().join("b.txt").exists());
    let told = results(&bench)[1]["content"].as_str().unwrap().to_owned();
    assert!(
        told.starts_with("[The person in charge changed the arguments of this call to"),
        "{told}"
    );
    assert_eq!(ran.events_of("step_started")[1]["step"]["input"], input);
    let recorded = bench.tree()["root_branch"]["espalier"]["interventions"].to_string();
    for part in ["edit_call", "b.txt", "two", "c.txt", "three"] {
        assert!(recorded.contains(part), "{recorded}");
    }
}

#[test]
fn a_refused_call_does_not_run_and_the_model_reads_why() {
    let (bench, ran) = acted(json!({"do": "refuse_call", "reason": "Leave b.txt alone."}));
    assert!(!bench.workspace.project().join("b.txt").exists());
    let told = &results(&bench)[1];
    assert_eq!(told["content"], "Leave b.txt alone.");
    assert_eq!(told["is_error"], true);
    let status = &ran.events_of("step_finished")[1]["result"]["status"];
    assert_eq!(status, "refused");
}

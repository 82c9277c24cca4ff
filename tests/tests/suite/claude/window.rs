//! What a session with Claude Code costs, and its context window.

use super::bench::Bench;
use espalier_tests::anthropic_server::Reply;
use espalier_tests::project::write;
use serde_json::json;

#[test]
fn a_nearly_full_window_holds_it_between_two_steps() {
    let bench = Bench::on_project(|project| {
        vec![
            Reply::call("Read", json!({"file_path": project.join("a.txt")})),
            Reply::say("Done."),
        ]
    });
    let list = json!({
        "source": "a test", "as_of": "2026-11-01",
        "models": [{"id": "claude", "context_window": 100, "input": 1, "output": 1,
            "cache_write_5m": 1, "cache_write_1h": 1, "cache_read": 1}],
    });
    write(
        &bench.workspace.data().join("models.json"),
        &list.to_string(),
    );
    let ran = bench.run().expect_code(4);
    let said = &ran.events_of("message_completed")[0]["usage"];
    let count = |field: &str| said[field].as_u64().unwrap();
    // At one price for every kind of token the cost is their number.
    let tokens = count("input_tokens") + count("output_tokens");
    assert_eq!(count("cost_micro_usd"), tokens, "{said}");
    assert_eq!(
        said["context"],
        json!({"used_tokens": tokens, "window_tokens": 100})
    );
    let states = ran.events_of("state_changed");
    let paused = |kind: &str| {
        let reasons = states.iter().map(|body| &body["state"]["reason"]["kind"]);
        reasons.filter(|reason| *reason == kind).count()
    };
    assert_eq!(paused("context_nearly_full"), 1, "{states:#?}");
    assert_eq!(bench.server.chats().len(), 1);
    let ran = bench.resume(&ran.session()).expect_code(0);
    assert_eq!(ran.events_of("message_completed").len(), 2);
}

//! What messages cost.

use super::bench::{Bench, write_file};
use espalier_tests::anthropic_server::{PLAIN_MODEL, Reply, WINDOW};
use espalier_tests::project::write;
use serde_json::{Value, json};

#[test]
fn each_step_says_what_its_tokens_cost() {
    let bench = Bench::new([
        write_file("a.txt", "one\n"),
        write_file("b.txt", "two\n"),
        Reply::say("Done."),
    ]);
    let list = json!({
        "source": "our contract", "as_of": "2026-11-01",
        "models": [{"id": "claude-scripted", "context_window": 1_000_000, "input": 4, "output": 20,
            "cache_write_5m": 5, "cache_write_1h": 8, "cache_read": 0.2}],
    });
    write(
        &bench.workspace.data().join("models.json"),
        &list.to_string(),
    );
    let ran = bench.run().expect_code(0);
    let messages = ran.events_of("message_completed");
    for message in &messages {
        let usage = &message["usage"];
        let count = |field: &str| usage[field].as_u64().unwrap();
        let (read, written) = (count("cached_tokens"), count("cache_write_tokens"));
        let fresh = count("input_tokens") - read - written;
        // In tenths, as a token read from the cache costs 0.2.
        let tenths = fresh * 40 + read * 2 + written * 50 + count("output_tokens") * 200;
        assert_eq!(count("cost_micro_usd"), (tenths + 5) / 10, "{usage}");
        // What the server says of its model counts more than the list.
        assert_eq!(usage["context"]["window_tokens"], WINDOW);
    }
    let tree = bench.tree();
    let step = &tree["root_branch"]["trajectory"]["steps"][0];
    let steps: Vec<Value> = ran.events_of("step_started");
    assert_eq!(steps[0]["step"]["usage"], messages[0]["usage"], "{step}");
}

#[test]
fn a_model_without_a_price_has_no_cost() {
    let bench = Bench::new([Reply::say("Done.")]).model(PLAIN_MODEL);
    let ran = bench.run().expect_code(0);
    let usage = &ran.events_of("message_completed")[0]["usage"];
    assert_eq!(usage["cost_micro_usd"], Value::Null);
    assert_eq!(usage["context"]["window_tokens"], Value::Null);
}

#[test]
fn a_broken_list_of_models_is_told_before_anything_starts() {
    let bench = Bench::new([]);
    write(
        &bench.workspace.data().join("models.json"),
        "{\"models\": [",
    );
    let ran = bench.run().expect_code(2);
    assert!(
        ran.stderr.contains("models.json cannot be read"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("rm '"), "{}", ran.stderr);
}

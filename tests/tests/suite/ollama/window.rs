//! The model's context window: how full it is, and what happens before it overflows.

use super::bench::{Bench, after_the_task, write_file};
use espalier_tests::ollama_server::Reply;
use espalier_tests::program::Ran;
use serde_json::{Value, json};

const SMALL: &str = "    num_ctx: 4096\n";
const COMPACTING: &str = "  context: {when_nearly_full: compact}\n";
/// What the model reads in place of a result that was left out.
const CLEARED: &str = "[What this call returned was left out to save room.";

fn contexts(ran: &Ran) -> Vec<Value> {
    let said = ran.events_of("message_completed");
    said.iter()
        .map(|body| body["usage"]["context"].clone())
        .collect()
}

fn pauses(ran: &Ran) -> Vec<Value> {
    let states = ran.events_of("state_changed").into_iter();
    states
        .map(|body| body["state"]["reason"].clone())
        .filter(|reason| reason["kind"] == "context_nearly_full")
        .collect()
}

#[test]
fn a_nearly_full_window_pauses_the_session_between_two_steps() {
    let bench = Bench::new([
        write_file("a.txt", "one\n").tokens(1000, 100),
        write_file("b.txt", "two\n").tokens(3600, 100),
        write_file("c.txt", "three\n").tokens(3780, 20),
        write_file("d.txt", "four\n").tokens(3900, 20),
        Reply::say("Done.").tokens(4000, 10),
    ])
    .ollama(SMALL);
    let ran = bench.run().expect_code(4);
    assert_eq!(
        contexts(&ran),
        [
            json!({"used_tokens": 1100, "window_tokens": 4096}),
            json!({"used_tokens": 3700, "window_tokens": 4096}),
        ]
    );
    let paused = pauses(&ran);
    assert_eq!(paused.len(), 1);
    let used = paused[0]["used_tokens"].as_u64().unwrap();
    assert!(
        (3701..3740).contains(&used),
        "{used}: what the call returned counts too"
    );
    assert!(
        ran.stderr
            .contains(&format!("{used} of the model's 4096 tokens are used")),
        "{}",
        ran.stderr
    );
    assert_eq!(bench.server.chats().len(), 2);
    assert_eq!(ran.events_of("step_finished").len(), 2, "no step is cut");

    // Half of what is left: up to about 3,900.
    let on = bench.resume(&ran.session()).expect_code(4);
    assert_eq!(bench.server.chats().len(), 4);
    let used = pauses(&on).last().unwrap()["used_tokens"].as_u64().unwrap();
    assert!((3921..3960).contains(&used), "{used}");
    bench.resume(&ran.session()).expect_code(0);
    assert_eq!(bench.workspace.read("d.txt"), "four\n");
}

#[test]
fn a_rollback_makes_room() {
    let bench = Bench::new([
        write_file("a.txt", "one\n").tokens(1000, 100),
        write_file("b.txt", "two\n").tokens(3700, 100),
        Reply::say("Done.").tokens(1200, 10),
    ])
    .ollama(SMALL);
    let script = [
        json!({"after_step": 1, "do": "rollback", "to_step": 0}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    assert_eq!(bench.server.chats().len(), 3);
    assert_eq!(ran.events_of("step_started").len(), 3);
}

#[test]
fn a_window_that_the_configuration_tells_counts_most() {
    let bench = Bench::new([write_file("a.txt", "one\n").tokens(700, 50)])
        .ollama(SMALL)
        .live_agent("  context: {window: 1000, nearly_full: 70}\n");
    let ran = bench.run().expect_code(4);
    assert_eq!(pauses(&ran)[0]["window_tokens"], 1000);
}

/// Looks at eight files of 3,000 bytes, the last of which fills the window.
fn many_looks() -> Vec<Reply> {
    let look = |at: u32, prompt: u32| {
        Reply::call("read_file", json!({"path": format!("big_{at}.txt")})).tokens(prompt, 20)
    };
    let mut script: Vec<Reply> = (1..8).map(|at| look(at, 800 * at)).collect();
    script.push(look(8, 7000));
    script
}

fn big_files(bench: &Bench) {
    let lines: String = (0..100)
        .map(|line| format!("line {line:03} of a big file\n"))
        .collect();
    for at in 1..9 {
        bench.workspace.write(&format!("big_{at}.txt"), &lines);
    }
    bench.workspace.git(&["add", "-A"]);
    bench.workspace.git(&["commit", "-q", "-m", "Big files"]);
}

/// The contents of the tool messages of a request.
fn results(chat: &Value) -> Vec<String> {
    let said = after_the_task(chat);
    let tools = said.iter().filter(|message| message["role"] == "tool");
    tools
        .map(|message| message["content"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn compaction_leaves_out_old_results_and_the_agent_goes_on() {
    let mut script = many_looks();
    script.push(write_file("c.txt", "three\n").tokens(5900, 20));
    script.push(Reply::say("Done.").tokens(6000, 10));
    let bench = Bench::new(script)
        .ollama("    num_ctx: 8192\n")
        .live_agent(COMPACTING);
    big_files(&bench);
    let ran = bench.run().expect_code(0);
    let compacted = ran.events_of("context_compacted");
    assert_eq!(compacted.len(), 1);
    assert_eq!(compacted[0]["cleared"].as_array().unwrap().len(), 3);
    let notices = ran.events_of("notice");
    assert!(
        notices
            .iter()
            .any(|notice| notice["code"] == "context_compacted"),
        "{notices:#?}"
    );
    let chats = bench.server.chats();
    let before = results(&chats[7]);
    assert!(before.iter().all(|result| result.contains("line 099")));
    for chat in &chats[8..10] {
        let after = results(chat);
        for (at, result) in after.iter().enumerate() {
            assert_eq!(result.starts_with(CLEARED), at < 3, "{at}: {result}");
        }
    }
    assert!(pauses(&ran).is_empty());
    let tree = bench.tree();
    let told = &tree["root_branch"]["espalier"]["compactions"];
    assert_eq!(told[0]["cleared"], compacted[0]["cleared"]);
}

#[test]
fn what_was_left_out_is_back_after_a_rollback_to_before() {
    let mut script = many_looks();
    script.push(write_file("c.txt", "three\n").tokens(5900, 20));
    script.push(Reply::say("Done.").tokens(3000, 10));
    let bench = Bench::new(script)
        .ollama("    num_ctx: 8192\n")
        .live_agent(COMPACTING);
    big_files(&bench);
    let script = [
        json!({"after_step": 8, "do": "branch", "from": "main", "step": 1, "instruction": "Stop."}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    bench.drive(&script).expect_code(0);
    let chats = bench.server.chats();
    assert!(results(&chats[8])[0].starts_with(CLEARED));
    let back = results(&chats[9]);
    assert_eq!(back.len(), 2);
    assert!(
        back.iter().all(|result| result.contains("line 099")),
        "{back:?}"
    );
}

#[test]
fn where_there_is_nothing_to_leave_out_compaction_is_a_pause() {
    let bench = Bench::new([write_file("a.txt", "one\n").tokens(3900, 20)])
        .ollama(SMALL)
        .live_agent(COMPACTING);
    let ran = bench.run().expect_code(4);
    assert_eq!(pauses(&ran).len(), 1);
    assert!(ran.events_of("context_compacted").is_empty());
}

//! Rollbacks, branches and new processes: the next request holds what the session holds.

use super::bench::{Bench, result, statuses, text, user};
use espalier_tests::anthropic_server::Reply;
use serde_json::{Value, json};

/// Two files in one message, then an end.
fn two_in_one(more: Vec<Reply>) -> Bench {
    Bench::on_project(|project| {
        let (write, one) = Bench::write_call(project, "one.txt", "1\n");
        let (_, two) = Bench::write_call(project, "two.txt", "2\n");
        let both = Reply::thinking("First the one, then the other.")
            .text("Both.")
            .and_call(write, one)
            .and_call(write, two);
        std::iter::once(both).chain(more).collect()
    })
}

/// What the model said, and its calls. What it thought Claude Code leaves out once it was started
/// again.
fn said(told: &[Value]) -> Vec<Value> {
    assert_eq!(told[0]["role"], "assistant");
    let blocks = told[0]["content"].as_array().unwrap().iter();
    blocks
        .filter(|block| block["type"] != "thinking")
        .cloned()
        .collect()
}

#[test]
fn between_two_calls_of_a_message_only_the_first_is_known() {
    let bench = two_in_one(vec![Reply::say("Done.")]);
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        json!({"do": "instruct", "text": "Leave two.txt alone."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let told = bench.told(1);
    let said = said(&told);
    assert_eq!(said.len(), 2, "text, one call: {said:?}");
    let returned = &ran.events_of("step_finished")[0]["result"]["content"];
    assert_eq!(
        told[1..],
        [user(json!([
            result(&said[1]["id"], returned),
            text("Leave two.txt alone.")
        ]))]
    );
    assert_eq!(bench.workspace.read("one.txt"), "1\n");
    assert!(!bench.workspace.project().join("two.txt").exists());
}

#[test]
fn a_rollback_between_two_calls_goes_on_as_if_the_second_had_never_been() {
    let bench = two_in_one(vec![Reply::say("Done.")]);
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "rollback", "to_step": 0}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let told = bench.told(1);
    let said = said(&told);
    assert_eq!(said.len(), 2);
    let returned = &ran.events_of("step_finished")[0]["result"]["content"];
    // Nothing was added: neither a word nor the lost call.
    assert_eq!(told[1..], [user(json!([result(&said[1]["id"], returned)]))]);
    assert!(!bench.workspace.project().join("two.txt").exists());
}

#[test]
fn an_undone_rollback_leads_back_to_both() {
    let bench = two_in_one(vec![Reply::say("Done.")]);
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "rollback", "to_step": 0}),
        json!({"do": "undo_rollback"}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let told = bench.told(1);
    let said = said(&told);
    assert_eq!(said.len(), 3);
    let finished = ran.events_of("step_finished");
    let returned = |at: usize| result(&said[1 + at]["id"], &finished[at]["result"]["content"]);
    assert_eq!(told[1..], [user(json!([returned(0), returned(1)]))]);
    assert_eq!(bench.workspace.read("two.txt"), "2\n");
}

#[test]
fn branches_share_what_came_before_and_nothing_after() {
    let bench = Bench::on_project(|project| {
        let (write, one) = Bench::write_call(project, "one.txt", "1\n");
        vec![
            Reply::call(write, one),
            Reply::call("Bash", json!({"command": "cp one.txt main.txt"})),
            Reply::say("Done."),
            Reply::call("Read", json!({"file_path": project.join("one.txt")})),
            Reply::call(
                "Edit",
                json!({"file_path": project.join("one.txt"), "old_string": "1", "new_string": "eins"}),
            ),
            Reply::say("Done otherwise."),
        ]
    });
    let script = [
        json!({"after": "end", "do": "branch", "from": "main", "step": 0, "instruction": "In German."}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let told = bench.told(3);
    let returned = &ran.events_of("step_finished")[0]["result"]["content"];
    let call = &said(&told)[0]["id"];
    assert_eq!(
        told[1..],
        [user(json!([result(call, returned), text("In German.")]))]
    );
    // Its own record of the branch goes on from there.
    let last = bench.told(5);
    assert_eq!(last.len(), 6);
    assert_eq!(last[..2], told[..]);
    assert_eq!(bench.workspace.read("one.txt"), "eins\n");
    assert!(!bench.workspace.project().join("main.txt").exists());
    assert!(statuses(&ran).iter().all(|status| status == "ok"));
}

#[test]
fn a_rollback_to_the_beginning_begins_anew() {
    let bench = two_in_one(vec![Reply::say("Done.")]);
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "rollback", "to_step": -1}),
        json!({"do": "instruct", "text": "Only look."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    bench.drive(&script).expect_code(0);
    let chats = bench.server.chats();
    let turns = espalier_tests::anthropic_server::conversation(&chats[1]);
    let [only] = turns.as_slice() else {
        panic!("{turns:?}");
    };
    let words = only["content"].as_array().unwrap();
    assert_eq!(words.last().unwrap(), &text("Only look."));
}

#[test]
fn without_its_record_claude_code_is_told_in_words() {
    let bench = two_in_one(vec![]);
    bench.refuses("not now");
    let ran = bench.run();
    bench.server.forget_the_rest();
    assert_eq!(statuses(&ran), ["ok", "ok"]);
    std::fs::remove_dir_all(bench.records()).unwrap();
    bench.server.then(Reply::say("Done."));
    let resumed = bench.resume(&ran.session()).expect_code(0);
    let notices = resumed.events_of("notice");
    assert!(
        notices
            .iter()
            .any(|notice| notice["code"] == "conversation_retold"),
        "{notices:?}"
    );
    let chats = bench.server.chats();
    let asked = chats.last().unwrap()["messages"].to_string();
    for words in [
        "Make the tests pass",
        "[You called Write]",
        "one.txt",
        "[Write returned]",
    ] {
        assert!(asked.contains(words), "{words} is not in {asked}");
    }
}

//! What a model says, what its calls do, and what it is told next.

use super::bench::{Bench, after_the_task, write_file};
use espalier_tests::ollama_server::{Gate, Reply};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

/// The texts of a run's deltas of that kind, joined.
fn streamed(ran: &espalier_tests::program::Ran, kind: &str) -> String {
    let deltas = ran.events_of(kind);
    deltas
        .iter()
        .map(|delta| delta["text"].as_str().unwrap())
        .collect()
}

#[test]
fn thinking_and_text_arrive_while_the_model_speaks() {
    let gate = Gate::default();
    let reply = Reply::say("I look at the file.").thinking("What is it about?");
    let bench = Bench::new([reply.held_after(6, &gate)]);
    let mut child = bench.start();
    let mut seen = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = event["body"]["text"].as_str().unwrap_or_default();
        match event["body"]["type"].as_str().unwrap() {
            "thinking_delta" => seen.push(format!("thinking {text}")),
            "text_delta" => seen.push(format!("text {text}")),
            "message_completed" => seen.push("message".to_owned()),
            _ => continue,
        }
        // Four pieces of thinking and two of text were sent: the rest comes once these are here.
        if seen.concat().contains("look") {
            gate.open();
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(seen.last().map(String::as_str), Some("message"));
    let said = |kind: &str| -> String {
        seen.iter()
            .filter_map(|one| one.strip_prefix(kind))
            .collect()
    };
    assert_eq!(said("thinking "), "What is it about?");
    assert_eq!(said("text "), "I look at the file.");
    assert!(seen.iter().filter(|one| one.starts_with("text ")).count() > 1);
}

#[test]
fn two_calls_of_one_message_are_two_steps_and_both_results_go_back() {
    let both = write_file("b.txt", "two\n")
        .and_call("bash", json!({"command": "cat a.txt b.txt"}))
        .thinking("I do both.")
        .text("Both at once.");
    let bench = Bench::new([both, Reply::say("Done.")]);
    let ran = bench.run().expect_code(0);
    let steps = ran.events_of("step_started");
    assert_eq!(steps.len(), 3);
    assert_eq!(
        steps[0]["step"]["message_id"],
        steps[1]["step"]["message_id"]
    );
    let results = ran.events_of("step_finished");
    let chats = bench.server.chats();
    let after = after_the_task(&chats[1]);
    let ids: Vec<&Value> = (0..2).map(|at| &after[0]["tool_calls"][at]["id"]).collect();
    assert_eq!(
        after,
        [
            json!({
                "role": "assistant", "content": "Both at once.", "thinking": "I do both.",
                "tool_calls": [
                    {"id": ids[0], "function": {"index": 0, "name": "write_file",
                        "arguments": {"path": "b.txt", "content": "two\n"}}},
                    {"id": ids[1], "function": {"index": 1, "name": "bash",
                        "arguments": {"command": "cat a.txt b.txt"}}},
                ],
            }),
            json!({"role": "tool", "tool_name": "write_file", "tool_call_id": ids[0],
                "content": results[0]["result"]["content"]}),
            json!({"role": "tool", "tool_name": "bash", "tool_call_id": ids[1],
                "content": "zero\ntwo\n[Exit code 0]"}),
        ]
    );
    assert_eq!(
        chats[0]["messages"],
        json!(chats[1]["messages"].as_array().unwrap()[..2])
    );
    assert_eq!(chats[0]["messages"][1]["content"], "Make the tests pass");
}

/// Steers after the calls of a message so that only the first of two is left; the request that
/// follows is compared in full.
fn asked_after(script: &[Value], inject_as: &str, role: &str) {
    let both = write_file("a.txt", "one\n")
        .and_call("write_file", json!({"path": "b.txt", "content": "two\n"}))
        .thinking("First the one, then the other.")
        .text("Both.");
    let instruct = format!("  controls:\n    send_instructions:\n      inject_as: {inject_as}\n");
    let bench = Bench::new([both, Reply::say("Done.")]).live_agent(&instruct);
    bench.drive(script).expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats.len(), 2);
    let first = chats[0]["messages"].as_array().unwrap();
    let call = &chats[1]["messages"][2]["tool_calls"][0]["id"];
    let mut expected = chats[0].clone();
    expected["messages"] = json!([
        first[0],
        first[1],
        {"role": "assistant", "content": "Both.", "thinking": "First the one, then the other.",
            "tool_calls": [{"id": call, "function": {"index": 0, "name": "write_file",
                "arguments": {"path": "a.txt", "content": "one\n"}}}]},
        {"role": "tool", "tool_name": "write_file", "tool_call_id": call,
            "content": "Overwrote `a.txt`: 4 bytes, 1 line."},
        {"role": role, "content": "Leave b.txt alone."},
    ]);
    for (at, message) in expected["messages"].as_array().unwrap().iter().enumerate() {
        assert_eq!(chats[1]["messages"][at], *message);
    }
    assert_eq!(chats[1], expected);
    assert_eq!(bench.workspace.read("a.txt"), "one\n");
    assert!(!bench.workspace.project().join("b.txt").exists());
}

#[test]
fn after_a_rollback_between_two_calls_the_model_knows_of_the_first_alone() {
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "branch", "from": "main", "step": 0, "instruction": "Leave b.txt alone."}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    asked_after(&script, "system_message", "system");
}

#[test]
fn an_instruction_between_two_calls_takes_the_place_of_the_second() {
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        json!({"do": "instruct", "text": "Leave b.txt alone."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    asked_after(&script, "user_message", "user");
}

#[test]
fn wrong_calls_go_back_to_the_model_as_errors() {
    let bench = Bench::new([
        Reply::call("teleport", json!({"to": "Mars"})),
        Reply::call("read_file", json!({"file_name": 7})),
        Reply::call("edit_file", json!({})),
        Reply::call("read_file", json!("not an object")).sloppily(),
        Reply::call("bash", json!(null)),
        Reply::say("I give up."),
    ])
    .live_agent("  controls:\n    pause_resume:\n      auto_pause_on_error: false\n");
    let ran = bench.run().expect_code(0);
    let results = ran.events_of("step_finished");
    let statuses: Vec<&str> = results
        .iter()
        .map(|body| body["result"]["status"].as_str().unwrap())
        .collect();
    let wrong = "tool_error";
    assert_eq!(statuses, ["refused", wrong, wrong, wrong, wrong, "ok"]);
    let chats = bench.server.chats();
    let told = |at: usize| {
        let last = chats[at]["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["role"], "tool");
        last["content"].as_str().unwrap()
    };
    assert!(
        told(1).contains("`teleport` is not available"),
        "{}",
        told(1)
    );
    assert!(told(1).contains("read_file"), "{}", told(1));
    for at in 2..=5 {
        assert!(told(at).len() > 20, "{at}: {}", told(at));
    }
    assert!(told(2).contains("path"), "{}", told(2));
}

#[test]
fn every_way_of_writing_an_answer_is_understood() {
    let call = || {
        write_file("b.txt", "zwei ä\n")
            .and_call("bash", json!({"command": "cat b.txt"}))
            .text("Both, naïvely. ")
            .thinking("Überlegt. ")
    };
    for reply in [
        call().in_one_chunk(),
        call().without_ids(),
        call().sloppily(),
        call().lines_end("\r\n"),
        call().lines_end("\n\n"),
        call().in_pieces_of(1),
        call().in_pieces_of(7),
    ] {
        let name = format!("{reply:?}");
        let bench = Bench::new([reply, Reply::say("Done.")]);
        let ran = bench.run().expect_code(0);
        assert_eq!(
            streamed(&ran, "text_delta"),
            "Both, naïvely. Done.",
            "{name}"
        );
        assert_eq!(streamed(&ran, "thinking_delta"), "Überlegt. ", "{name}");
        let results = ran.events_of("step_finished");
        assert_eq!(
            results[1]["result"]["content"], "zwei ä\n[Exit code 0]",
            "{name}"
        );
    }
}

/// The answers of the recorded server, in a session of their own.
#[test]
fn the_recorded_answers_are_understood() {
    let bench = Bench::new([
        Reply::recorded("chat-two-tools"),
        Reply::recorded("chat-think-high"),
    ])
    .live_agent("  controls:\n    pause_resume:\n      auto_pause_on_error: false\n");
    let ran = bench.run().expect_code(0);
    assert_eq!(ran.events_of("step_started").len(), 3);
}

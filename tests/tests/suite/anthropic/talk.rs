//! What a model says, what its calls do, and what it is told next.

use super::bench::{AndWrite, Bench, after_the_task, unmarked, write_file};
use espalier_tests::anthropic_server::{Gate, Reply};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

/// The texts of a run's deltas of that kind, joined.
fn streamed(ran: &espalier_tests::program::Ran, kind: &str) -> String {
    let deltas = ran.events_of(kind);
    let texts = deltas.iter().map(|delta| delta["text"].as_str().unwrap());
    texts.collect()
}

#[test]
fn thinking_and_text_arrive_while_the_model_speaks() {
    let gate = Gate::default();
    let reply = Reply::thinking("What is it about?").text("I look at the file.");
    // A start, a ping, a block with four deltas and a signature, and two deltas of text.
    let bench = Bench::new([reply.held_after(12, &gate)]);
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
        // The rest comes once these are here.
        if seen.concat().contains("look") {
            gate.open();
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(seen.last().map(String::as_str), Some("message"));
    let said = |kind: &str| -> String {
        let pieces = seen.iter().filter_map(|one| one.strip_prefix(kind));
        pieces.collect()
    };
    assert_eq!(said("thinking "), "What is it about?");
    assert_eq!(said("text "), "I look at the file.");
}

#[test]
fn a_whole_session_with_two_calls_in_one_message() {
    let both = Reply::thinking("I do both.")
        .redacted("c2VhbGVk")
        .text("Both at once.")
        .and_write("b.txt", "two\n")
        .and_call("bash", json!({"command": "cat a.txt b.txt; exit 3"}));
    let bench = Bench::new([both, Reply::thinking("Well.").text("Done.")])
        .live_agent("  controls:\n    pause_resume:\n      auto_pause_on_error: false\n");
    let ran = bench.run().expect_code(0);
    let steps = ran.events_of("step_started");
    assert_eq!(steps.len(), 3);
    let message = |at: usize| &steps[at]["step"]["message_id"];
    assert_eq!(message(0), message(1));
    let results = ran.events_of("step_finished");
    let chats = bench.server.chats();
    assert_eq!(
        after_the_task(&chats[1]),
        [
            json!({"role": "assistant", "content": [
                {"type": "thinking", "thinking": "I do both.", "signature": "c2lnbmVk001_0=="},
                {"type": "redacted_thinking", "data": "c2VhbGVk"},
                {"type": "text", "text": "Both at once."},
                {"type": "tool_use", "id": "toolu_001_3", "name": "write_file",
                    "input": {"path": "b.txt", "content": "two\n"}},
                {"type": "tool_use", "id": "toolu_001_4", "name": "bash",
                    "input": {"command": "cat a.txt b.txt; exit 3"}},
            ]}),
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_001_3",
                    "content": results[0]["result"]["content"]},
                {"type": "tool_result", "tool_use_id": "toolu_001_4",
                    "content": "zero\ntwo\n[Exit code 3]", "is_error": true},
            ]}),
        ]
    );
    let first = chats[0]["messages"].as_array().unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["content"][0]["text"], "Make the tests pass");
    let tools = chats[0]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 6);
    for key in [
        "model",
        "max_tokens",
        "system",
        "tools",
        "thinking",
        "stream",
    ] {
        assert_eq!(chats[0][key], chats[1][key], "{key}");
    }
}

fn both() -> Reply {
    Reply::thinking("First the one, then the other.")
        .text("Both.")
        .and_write("a.txt", "one\n")
        .and_write("b.txt", "two\n")
}

/// The request that follows when `left` calls of the message remain, and then these words.
fn expected(first: &Value, left: usize, words: Option<&str>) -> Value {
    let call = |at: usize, path: &str, content: &str| {
        json!({"type": "tool_use", "id": format!("toolu_001_{at}"), "name": "write_file",
        "input": {"path": path, "content": content}})
    };
    let result = |at: usize, content: &str| json!({"type": "tool_result", "tool_use_id": format!("toolu_001_{at}"), "content": content});
    let mut said = vec![
        json!({"type": "thinking", "thinking": "First the one, then the other.",
            "signature": "c2lnbmVk001_0=="}),
        json!({"type": "text", "text": "Both."}),
    ];
    said.extend([call(2, "a.txt", "one\n"), call(3, "b.txt", "two\n")]);
    said.truncate(2 + left);
    let mut told = vec![
        result(2, "Overwrote `a.txt`: 4 bytes, 1 line."),
        result(3, "Created `b.txt`: 4 bytes, 1 line."),
    ];
    told.truncate(left);
    told.extend(words.map(|words| json!({"type": "text", "text": words})));
    let mut expected = unmarked(first);
    let messages = expected["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": said}));
    messages.push(json!({"role": "user", "content": told}));
    // The marks: the turn that was the last one before, and the last one now.
    for turn in [0, 2] {
        let blocks = messages[turn]["content"].as_array_mut().unwrap();
        blocks.last_mut().unwrap()["cache_control"] = json!({"type": "ephemeral"});
    }
    expected
}

/// Compares the second request in full.
fn asked_next(script: &[Value], inject_as: &str, left: usize, words: Option<&str>) -> Bench {
    let instruct = format!("  controls:\n    send_instructions:\n      inject_as: {inject_as}\n");
    let bench = Bench::new([both(), Reply::say("Done.")]).live_agent(&instruct);
    bench.drive(script).expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats.len(), 2);
    assert_eq!(chats[1], expected(&chats[0], left, words));
    bench
}

fn only_the_first(bench: &Bench) {
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
    let words = "<system_message>\nLeave b.txt alone.\n</system_message>";
    only_the_first(&asked_next(&script, "system_message", 1, Some(words)));
}

#[test]
fn after_a_rollback_without_a_word_as_well() {
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "rollback", "to_step": 0}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    only_the_first(&asked_next(&script, "system_message", 1, None));
}

#[test]
fn after_its_undo_the_model_knows_of_both_again() {
    let script = [
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "rollback", "to_step": 0}),
        json!({"do": "undo_rollback"}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let bench = asked_next(&script, "system_message", 2, None);
    assert_eq!(bench.workspace.read("b.txt"), "two\n");
}

#[test]
fn an_undo_after_the_model_went_on_returns_to_the_old_conversation() {
    let other = || Reply::default().and_write("c.txt", "three\n");
    let bench = Bench::new([both(), other(), Reply::say("Done.")]);
    let script = [
        json!({"after_step": 1, "do": "rollback", "to_step": 0}),
        json!({"do": "resume"}),
        json!({"after_step": 1, "do": "pause"}),
        json!({"do": "undo_rollback"}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    bench.drive(&script).expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats[1], expected(&chats[0], 1, None));
    assert_eq!(chats[2], expected(&chats[0], 2, None));
    assert_eq!(bench.workspace.read("b.txt"), "two\n");
    assert!(!bench.workspace.project().join("c.txt").exists());
}

#[test]
fn an_instruction_between_two_calls_takes_the_place_of_the_second() {
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        json!({"do": "instruct", "text": "Leave b.txt alone."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    only_the_first(&asked_next(
        &script,
        "user_message",
        1,
        Some("Leave b.txt alone."),
    ));
}

#[test]
fn wrong_calls_go_back_to_the_model_as_errors() {
    let bench = Bench::new([
        Reply::call("teleport", json!({"to": "Mars"})),
        Reply::call("read_file", json!({"file_name": 7})),
        Reply::default().and_bare_call("edit_file"),
        Reply::default().and_raw_call("read_file", "{\"path\": \"a.txt"),
        Reply::default().and_raw_call("bash", "null"),
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
    for (at, chat) in bench.server.chats().iter().enumerate().skip(1) {
        let last = chat["messages"].as_array().unwrap().last().unwrap();
        let told = &last["content"][0];
        assert_eq!(told["is_error"], true, "{at}: {told}");
        assert!(told["content"].as_str().unwrap().len() > 20, "{at}: {told}");
    }
}

#[test]
fn every_way_of_writing_an_answer_is_understood() {
    let call = || {
        Reply::thinking("Überlegt. ")
            .text("Both, naïvely. ")
            .and_write("b.txt", "zwei ä\n")
            .and_call("bash", json!({"command": "cat b.txt"}))
    };
    for reply in [
        call(),
        call().with_oddities(),
        call().unsigned(),
        call().lines_end("\r\n"),
        call().in_pieces_of(1),
        call().in_pieces_of(7),
        call().because("a_reason_of_tomorrow"),
        call().because("end_turn"),
        call().because("stop_sequence"),
    ] {
        let name = format!("{reply:?}");
        let bench = Bench::new([reply, Reply::say("Done.").because("stop_sequence")]);
        let ran = bench.run().expect_code(0);
        let said = streamed(&ran, "text_delta");
        assert_eq!(said, "Both, naïvely. Done.", "{name}");
        assert_eq!(streamed(&ran, "thinking_delta"), "Überlegt. ", "{name}");
        let results = ran.events_of("step_finished");
        let content = &results[1]["result"]["content"];
        assert_eq!(content, "zwei ä\n[Exit code 0]", "{name}");
    }
}

#[test]
fn a_block_that_nobody_knows_goes_back_as_it_came() {
    let odd = json!({"type": "hologram", "depth": 3, "of": {"what": ["a", "b"]}});
    let first = Reply::say(" \n").block(odd.clone()).and_write("b.txt", "");
    let bench = Bench::new([first, Reply::say("Done.")]);
    bench.run().expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats[1]["messages"][1]["content"][0], odd);
}

#[test]
fn a_model_that_pauses_goes_on_in_the_same_message() {
    let pause = Reply::thinking("Long.")
        .text("Wait, ")
        .because("pause_turn");
    let bench = Bench::new([
        pause,
        Reply::say("there. ").and_write("b.txt", "two\n"),
        Reply::say("Done."),
    ]);
    let ran = bench.run().expect_code(0);
    let said = ran.events_of("message_completed");
    assert_eq!(said.len(), 2);
    assert_eq!(said[0]["blocks"].as_array().unwrap().len(), 4);
    let chats = bench.server.chats();
    let kinds = |chat: &Value| {
        let blocks = chat["messages"][1]["content"].as_array().unwrap();
        let kinds = blocks.iter().map(|block| block["type"].as_str().unwrap());
        kinds.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds(&chats[1]), "thinking text");
    assert_eq!(kinds(&chats[2]), "thinking text text tool_use");
}

#[test]
fn an_answer_at_the_length_limit_is_kept_and_told() {
    let bench = Bench::new([
        write_file("a.txt", "one\n"),
        Reply::thinking("So much to")
            .text("say")
            .because("max_tokens"),
    ]);
    let ran = bench.run().expect_code(0);
    let notices = ran.events_of("notice");
    assert_eq!(notices[0]["code"], "answer_cut");
    assert!(notices[0]["text"].as_str().unwrap().contains("max_tokens"));
}

//! What Claude Code does is a session like any other: steps, checkpoints, texts.

use super::bench::{Bench, claude, result, statuses, text, user};
use espalier_tests::anthropic_server::Reply;
use serde_json::{Value, json};

#[test]
fn every_call_is_a_step_with_its_files() {
    let bench = Bench::on_project(|project| {
        let file = project.join("a.txt");
        vec![
            Reply::thinking("What is in it?")
                .text("I read it.")
                .and_call("Read", json!({"file_path": file})),
            Reply::call(
                "Edit",
                json!({"file_path": file, "old_string": "zero", "new_string": "one"}),
            ),
            Reply::default()
                .and_call("Bash", json!({"command": "cat a.txt > b.txt; cat b.txt"}))
                .and_call("Bash", json!({"command": "exit 3"})),
            Reply::say("Done."),
        ]
    })
    .live_agent("  controls:\n    pause_resume:\n      auto_pause_on_error: false\n");
    let ran = bench.run().expect_code(0);
    let started = ran.events_of("step_started");
    let steps: Vec<(&str, &str)> = started
        .iter()
        .map(|body| {
            let step = &body["step"];
            (
                step["kind"].as_str().unwrap(),
                step["target"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("file_read", "a.txt"),
            ("edit", "a.txt"),
            ("terminal", "cat a.txt > b.txt; cat b.txt"),
            ("terminal", "exit 3"),
            ("message", ""),
        ]
    );
    assert_eq!(statuses(&ran), ["ok", "ok", "ok", "command_failed", "ok"]);
    let finished = ran.events_of("step_finished");
    let changed = |at: usize| -> Vec<&str> {
        let changes = finished[at]["checkpoint"]["changes"].as_array().unwrap();
        changes
            .iter()
            .map(|change| change["path"].as_str().unwrap())
            .collect()
    };
    assert_eq!(changed(0), [""; 0]);
    assert_eq!(changed(1), ["a.txt"]);
    assert_eq!(changed(2), ["b.txt"]);
    assert_eq!(finished[3]["result"]["exit_code"], 3);
    let deltas = |kind: &str| -> String {
        let deltas = ran.events_of(kind);
        deltas
            .iter()
            .map(|delta| delta["text"].as_str().unwrap())
            .collect()
    };
    assert_eq!(deltas("thinking_delta"), "What is in it?");
    assert_eq!(deltas("text_delta"), "I read it.Done.");
    let messages = ran.events_of("message_completed");
    assert!(messages[0]["usage"]["input_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn an_instruction_at_a_pause_reaches_the_running_turn() {
    let bench = Bench::on_project(|_| {
        vec![
            Reply::call("Bash", json!({"command": "echo one"})),
            Reply::say("Done."),
        ]
    });
    let script = [
        json!({"after_step": 0, "do": "pause"}),
        json!({"do": "instruct", "text": "Now stop."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let told = bench.told(1);
    let call = &told[0]["content"][0];
    assert_eq!(
        told[1..],
        [user(json!([
            result(&call["id"], &json!("one")),
            text("Now stop.")
        ]))]
    );
    // The turn ran on in the same process.
    assert_eq!(bench.server.chats().len(), 2);
    assert_eq!(ran.events_of("run_started").len(), 1);
}

#[test]
fn an_instruction_after_the_end_begins_another_turn() {
    let bench = Bench::new([Reply::say("Done."), Reply::say("Done again.")]);
    let script = [
        json!({"after": "end", "do": "instruct", "text": "Once more."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    bench.drive(&script).expect_code(0);
    let said = json!({"role": "assistant", "content": [text("Done.")]});
    assert_eq!(bench.told(1), [said, user(json!([text("Once more.")]))]);
}

#[test]
fn calls_that_cannot_be_made_are_steps_that_failed() {
    let bench = Bench::on_project(|project| {
        vec![
            Reply::call("Teleport", json!({"to": "Mars"}))
                .and_call("Edit", json!({"file_path": project.join("a.txt")}))
                .and_call("Bash", json!({"command": "echo still here"})),
            Reply::say("I give up."),
        ]
    });
    let ran = bench.run().expect_code(0);
    assert_eq!(statuses(&ran), ["tool_error", "tool_error", "ok", "ok"]);
    let finished = ran.events_of("step_finished");
    let said = |at: usize| finished[at]["result"]["content"].as_str().unwrap();
    assert!(said(0).contains("Teleport"), "{}", said(0));
    assert!(said(1).contains("old_string"), "{}", said(1));
    assert_eq!(said(2), "still here");
}

#[test]
fn no_command_sees_the_key_nor_another_claude_code() {
    let seen = "env; cat /proc/$PPID/environ | tr '\\0' '\\n'; ls /proc/$PPID/fd/";
    let bench = Bench::new([
        Reply::call("Bash", json!({"command": seen})),
        Reply::say("Done."),
    ]);
    // That the key is nowhere is looked for after every run.
    let ran = bench.run().expect_code(0);
    let finished = ran.events_of("step_finished");
    let content = finished[0]["result"]["content"].as_str().unwrap();
    assert!(content.contains("DISABLE_TELEMETRY=1"), "{content}");
    assert!(
        !content.contains("CLAUDE_CODE_SESSION_ID=another"),
        "{content}"
    );
}

#[test]
fn the_tests_run_beside_claude_code_and_the_session_goes_on_after_them() {
    let bench = Bench::new([Reply::say("Done."), Reply::say("Done again.")])
        .task(json!({"test_command": "test -f a.txt"}));
    let script = [
        json!({"after": "end", "do": "instruct", "text": "Once more."}),
        json!({"do": "resume"}),
        json!({"after": "end", "do": "finish", "keep": true}),
    ];
    let ran = bench.drive(&script).expect_code(0);
    let outcomes = ran.events_of("test_finished");
    assert!(outcomes.iter().all(|test| test["outcome"] == "passed"));
    assert_eq!(outcomes.len(), 2);
    let said = json!({"role": "assistant", "content": [text("Done.")]});
    assert_eq!(bench.told(1), [said, user(json!([text("Once more.")]))]);
}

#[test]
fn settings_reach_claude_code() {
    let bench = Bench::new([Reply::say("Done.")])
        .claude("    enable_thinking: false\n    permission_mode: bypassPermissions\n")
        .live_agent("  system_prompt: Be brief as a telegram.\n  tools: [read_file, bash]\n");
    let ran = bench.run().expect_code(0);
    let chats = bench.server.chats();
    assert_eq!(chats[0]["model"], "claude-sonnet-5");
    assert_eq!(chats[0]["thinking"]["type"], "disabled");
    let tools = chats[0]["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Bash", "Read"]);
    assert!(
        chats[0]["system"]
            .to_string()
            .contains("Be brief as a telegram.")
    );
    let root = std::process::Command::new("id").arg("-u").output().unwrap();
    let notices: Vec<Value> = ran.events_of("notice");
    let explained = notices
        .iter()
        .any(|notice| notice["code"] == "permission_mode");
    assert_eq!(explained, root.stdout == b"0\n", "{notices:?}");
}

#[test]
fn the_doctor_tells_which_claude_code_is_used() {
    let bench = Bench::new([]);
    let told = bench
        .command(&["doctor", &bench.config()])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = told.lines().find(|line| line.contains("Claude CLI"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains(&claude().display().to_string()), "{line}");
    assert!(line.contains("2."), "{line}");
}

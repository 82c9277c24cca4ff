//! What can go wrong, each told in a sentence with a way out, and nothing recorded lost.

use super::bench::{Bench, claude, result, statuses, user};
use espalier_tests::anthropic_server::{Gate, Reply};
use espalier_tests::program::Ran;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run failed with, code, sentence and hint.
fn failure(ran: &Ran) -> (String, String, String) {
    let states = ran.events_of("state_changed");
    let errors: Vec<_> = states
        .iter()
        .map(|body| &body["state"]["reason"]["error"])
        .filter(|error| error.is_object())
        .collect();
    let error = errors.last().unwrap_or_else(|| panic!("{states:?}"));
    let part = |name: &str| error[name].as_str().unwrap().to_owned();
    (part("code"), part("message"), part("hint"))
}

#[test]
fn a_refused_request_pauses_the_session_which_goes_on_as_if_it_had_not_been() {
    let bench = Bench::new([Reply::call("Bash", json!({"command": "echo one"}))]);
    bench.refuses("a riddle");
    let ran = bench.run();
    bench.server.forget_the_rest();
    assert_ne!(ran.code, 0);
    let (code, message, hint) = failure(&ran);
    assert_eq!(code, "backend_refused");
    assert!(
        message.contains("a riddle") && !hint.is_empty(),
        "{message} {hint}"
    );
    bench.server.then(Reply::say("Done."));
    bench.resume(&ran.session()).expect_code(0);
    // Refused requests are counted, too: the one that was answered is the last.
    let told = bench.told(bench.server.chats().len() - 1);
    let call = &told[0]["content"][0]["id"];
    assert_eq!(told[1..], [user(json!([result(call, &json!("one"))]))]);
}

#[test]
fn a_wrong_key_and_none_are_told_as_such() {
    let mut bench = Bench::new([]);
    bench.set_key(None);
    let (code, message, hint) = failure(&bench.run());
    assert_eq!(code, "backend_auth", "{message}");
    assert!(hint.contains("ANTHROPIC_API_KEY"), "{hint}");
    let mut bench = Bench::new([]);
    bench.set_key(Some("sk-ant-api03-wrong-wrong-wrong-wrong"));
    let (code, message, hint) = failure(&bench.run());
    assert_eq!(code, "backend_auth", "{message}");
    assert!(hint.contains("ANTHROPIC_API_KEY"), "{hint}");
}

#[test]
fn an_api_that_is_busy_is_waited_for() {
    let bench = Bench::new([
        Reply::refuse(529, "overloaded_error", "Overloaded"),
        Reply::say("Done."),
    ]);
    let ran = bench.run().expect_code(0);
    let waits = ran.events_of("provider_failed");
    assert_eq!(waits[0]["error"]["code"], "backend_busy");
    assert!(waits[0]["retry_in_ms"].as_u64().unwrap() > 0);
}

#[test]
fn no_server_is_told_with_its_own_hint() {
    let bench = Bench::new([]).nowhere();
    let (code, message, _) = failure(&bench.run());
    assert_eq!(code, "backend_unreachable", "{message}");
}

#[test]
fn at_max_turns_the_session_waits_and_may_go_on() {
    let bench = Bench::new([
        Reply::call("Bash", json!({"command": "echo one"})),
        Reply::call("Bash", json!({"command": "echo two"})),
    ])
    .claude("    max_turns: 2\n");
    let ran = bench.run();
    assert_eq!(statuses(&ran), ["ok", "ok"]);
    let (_, message, _) = failure(&ran);
    assert!(message.contains("max_turns"), "{message}");
    bench.server.then(Reply::say("Done."));
    bench.resume(&ran.session()).expect_code(0);
    assert_eq!(bench.told(2).len(), 4);
}

/// Claude Code makes two calls, the second of which ends with its own death.
fn killed_by(command: &str) -> (Bench, Ran) {
    let bench = Bench::new([
        Reply::call("Bash", json!({"command": "echo one"})),
        Reply::call("Bash", json!({"command": command})),
    ]);
    let ran = bench.run();
    assert_eq!(statuses(&ran), ["ok", "cancelled"]);
    let (code, message, hint) = failure(&ran);
    assert_eq!(code, "agent_died");
    assert!(message.contains("Claude Code ended"), "{message}");
    assert!(hint.contains("Resume"), "{hint}");
    bench.server.then(Reply::say("Done."));
    (bench, ran)
}

#[test]
fn a_claude_code_killed_while_a_call_runs_is_started_again_from_there() {
    // It writes its record now and then.
    let (bench, ran) = killed_by(
        "echo half > half.txt; until grep -q half.txt $CLAUDE_CONFIG_DIR/projects/*/*.jsonl; \
         do sleep 0.05; done; kill -9 $PPID; sleep 60",
    );
    let resumed = bench.resume(&ran.session()).expect_code(0);
    // What it did stays, as a step; the model reads what became of the call.
    assert_eq!(bench.workspace.read("half.txt"), "half\n");
    let told = bench.told(2);
    let [_, first, _, second] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(first["content"].as_array().unwrap().len(), 1);
    let words = second["content"][0]["content"].as_str().unwrap();
    assert!(words.contains("Claude Code ended"), "{words}");
    assert_eq!(second["content"].as_array().unwrap().len(), 1);
    assert!(!is_retold(&resumed), "it has its record");
}

#[test]
fn one_killed_before_it_wrote_its_record_is_told_in_words() {
    let (bench, ran) = killed_by("echo half > half.txt; kill -9 $PPID; sleep 60");
    bench.resume(&ran.session()).expect_code(0);
    assert_eq!(bench.workspace.read("half.txt"), "half\n");
    let asked = bench.server.chats()[2]["messages"].to_string();
    for words in [
        "Make the tests pass",
        "echo one",
        "half.txt",
        "Claude Code ended",
    ] {
        assert!(asked.contains(words), "{words} is not in {asked}");
    }
}

/// Whether Claude Code had to be told in words what it had done.
fn is_retold(ran: &Ran) -> bool {
    let notices = ran.events_of("notice");
    notices
        .iter()
        .any(|notice| notice["code"] == "conversation_retold")
}

/// Kills the Claude Code that works in a folder.
fn kill_claude_in(project: &Path) {
    let project = project.canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut own = processes.filter(|process| {
        let link = |name: &str| std::fs::read_link(process.path().join(name)).ok();
        let program = link("exe").and_then(|exe| Some(exe.file_name()?.to_owned()));
        program.is_some_and(|name| name == claude().file_name().unwrap())
            && link("cwd").as_ref() == Some(&project)
    });
    let pid = own.next().expect("no Claude Code works there").file_name();
    let killed = Command::new("kill").arg("-9").arg(pid).status().unwrap();
    assert!(killed.success());
}

#[test]
fn one_killed_while_the_model_speaks_is_started_again() {
    let gate = Gate::default();
    let bench = Bench::new([
        Reply::call("Bash", json!({"command": "echo one > one.txt"})),
        Reply::say("I am about to").held_after(4, &gate),
    ]);
    let child = bench
        .command(&bench.arguments(&[]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    bench.wait_for(bench.server.until_chats(2));
    kill_claude_in(&bench.workspace.project());
    let ran = Ran::ended(child).expect_code(5);
    let (code, message, _) = failure(&ran);
    assert_eq!(code, "agent_died", "{message}");
    assert_eq!(statuses(&ran), ["ok"]);
    bench.server.forget_the_rest();
    bench.server.then(Reply::say("Done."));
    let resumed = bench.resume(&ran.session()).expect_code(0);
    assert_eq!(resumed.events_of("message_completed").len(), 2);
    assert_eq!(bench.workspace.read("one.txt"), "one\n");
    let asked = bench.server.chats().pop().unwrap()["messages"].to_string();
    assert!(asked.contains("echo one > one.txt"), "{asked}");
    assert!(!asked.contains("I am about to"), "{asked}");
}

#[test]
fn an_interruption_ends_the_running_command_and_the_session_goes_on_from_it() {
    let bench = Bench::new([]);
    let begun = bench.workspace.root().join("begun");
    let made = Command::new("mkfifo").arg(&begun).status().unwrap();
    assert!(made.success());
    let command = format!(
        "echo half > half.txt; echo > {}; sleep 600",
        begun.display()
    );
    bench
        .server
        .then(Reply::call("Bash", json!({"command": command})));
    let child = bench
        .command(&bench.arguments(&[]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Blocks until the command writes.
    std::fs::read(&begun).unwrap();
    let pid = child.id().to_string();
    let asked = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(asked.success());
    let ran = Ran::ended(child).expect_code(130);
    bench.server.then(Reply::say("Done."));
    let resumed = bench.resume(&ran.session()).expect_code(0);
    assert_eq!(statuses(&resumed), ["cancelled", "ok"]);
    assert_eq!(bench.workspace.read("half.txt"), "half\n");
    let asked = bench.server.chats()[1]["messages"].to_string();
    assert!(asked.contains("half.txt"), "{asked}");
}

//! Where the key comes from, and that it goes nowhere else.

use super::bench::{Bench, KeyIn, write_file};
use espalier_tests::anthropic_server::{KEY, Reply};
use espalier_tests::program::run;
use serde_json::json;

const WRONG: &str = "sk-ant-api03-wrong-0f1e2d3c4b5a6978";

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_key_in_a_file_beside_the_configuration() {
    let bench = Bench::new([write_file("a.txt", "one\n"), Reply::say("Done.")]);
    let bench = bench.key(KeyIn::DotEnv(KEY.to_owned()));
    let ran = bench.run().expect_code(0);
    let file = bench.workspace.root().join("trajectories.jsonl");
    let output = bench.workspace.output();
    let args = [
        "export",
        "-i",
        text(&output),
        "-f",
        "trajectory_tree",
        "-o",
        text(&file),
    ];
    let exported = run(&bench.workspace.data(), args).expect_code(0);
    bench.keeps_the_secret(&exported);
    bench.keeps_the_secret(&ran);
}

#[test]
fn a_key_that_the_agent_itself_prints_is_not_in_what_it_printed() {
    let bash = |command: &str| Reply::call("bash", json!({"command": command}));
    let bench = Bench::new([
        bash("cat ../.env"),
        // Longer than a model reads, so that the whole is kept in a file.
        bash("for i in $(seq 9000); do echo line $i; done; cat ../.env"),
        Reply::say("Done."),
    ]);
    let bench = bench.key(KeyIn::DotEnv(KEY.to_owned()));
    let ran = bench.run().expect_code(0);
    bench.keeps_the_secret(&ran);
    let results = ran.events_of("step_finished");
    let read = results[0]["result"]["content"].as_str().unwrap();
    assert!(read.contains("ANTHROPIC_API_KEY=\"[API key]\""), "{read}");
    assert!(!results[1]["result"]["full_output"].is_null());
    // Nor does the model read it.
    for chat in bench.server.chats() {
        assert!(!chat.to_string().contains(KEY));
    }
    let told = bench.server.chats()[1].to_string();
    assert!(told.contains("[API key]"), "{told}");
}

#[test]
fn no_key_starts_nothing() {
    let bench = Bench::new([]).key(KeyIn::Nowhere);
    let ran = bench.run().expect_code(3);
    assert_eq!(ran.stdout, "");
    let told = &ran.stderr;
    assert!(told.contains("ANTHROPIC_API_KEY"), "{told}");
    assert!(told.contains("export ANTHROPIC_API_KEY="), "{told}");
}

#[test]
fn a_wrong_key_pauses_the_session_and_the_right_one_goes_on() {
    let mut bench = Bench::new([write_file("a.txt", "one\n")]);
    let refused = Reply::refuse(401, "authentication_error", "invalid x-api-key");
    bench.server.then(refused);
    let ran = bench.run().expect_code(3);
    assert!(
        ran.stderr
            .contains("does not accept the API key (401 Unauthorized): invalid x-api-key\n"),
        "{}",
        ran.stderr
    );
    // What the environment has now counts.
    bench.set_key(KeyIn::Environment(WRONG.to_owned()));
    let again = bench.resume(&ran.session()).expect_code(3);
    assert!(
        again.stderr.contains("ANTHROPIC_API_KEY"),
        "{}",
        again.stderr
    );
    bench.set_key(KeyIn::Nowhere);
    let none = bench.resume(&ran.session()).expect_code(3);
    let hint = "export ANTHROPIC_API_KEY=\"sk-ant-...\"";
    assert!(none.stderr.contains(hint), "{}", none.stderr);
    bench.set_key(KeyIn::Environment(KEY.to_owned()));
    bench.goes_on(&ran);
}

#[test]
fn a_server_that_repeats_the_key_is_not_quoted() {
    let said = format!("the key {KEY} is wrong, {}{KEY}", "x".repeat(270));
    let page = format!("The key {KEY} is wrong");
    for reply in [
        Reply::refuse(401, "authentication_error", &said),
        Reply::plain(403, "text/plain", page.clone()),
        Reply::plain(200, "text/plain", page),
        Reply::say("One ").error_event("authentication_error", &said),
    ] {
        let bench = Bench::new(std::iter::repeat_n(reply, 3));
        let ran = bench.run().expect_code(3);
        assert!(ran.stderr.contains("[API key]"), "{}", ran.stderr);
        bench.server.forget_the_rest();
    }
}

#[test]
fn a_key_that_no_header_can_hold() {
    let bench = Bench::new([]).key(KeyIn::Environment("sk-ant-\u{e4}-0123456789".to_owned()));
    let ran = bench.run().expect_code(3);
    let sentence = "The API key has characters in it that no key has.\n";
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
}

//! Every way in which a server fails ends in a plain sentence and a session that goes on.

use super::bench::{Bench, write_file};
use espalier_tests::ollama_server::{Gate, Reply};
use espalier_tests::program::Ran;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Command;

/// How often a failure that may pass is tried.
const TRIES: usize = 3;

/// Runs a session in which the server answers once and then fails like this until it is given up,
/// and goes on with it when the server is well again. What the person reads at the failure.
fn survives(fails: &Reply, tries: usize, live_agent: &str) -> String {
    let failing = std::iter::repeat_n(fails.clone(), tries);
    let script = std::iter::once(write_file("a.txt", "one\n")).chain(failing);
    let bench = Bench::new(script).live_agent(live_agent);
    let ran = bench.run().expect_code(3);
    assert_eq!(bench.server.unused(), 0);
    goes_on(&bench, &ran);
    told(&ran)
}

/// The session of a failed run goes on from where it was, and nothing of it is lost.
fn goes_on(bench: &Bench, ran: &Ran) {
    assert_eq!(
        bench.workspace.read("a.txt"),
        "zero\n",
        "the project is put back"
    );
    bench.server.then(write_file("b.txt", "two\n"));
    bench.server.then(Reply::say("Done."));
    let resumed = bench.resume(&ran.session()).expect_code(0);
    assert_eq!(bench.workspace.read("a.txt"), "one\n");
    assert_eq!(bench.workspace.read("b.txt"), "two\n");
    let (past, all) = (ran.stored(), resumed.stored());
    assert_eq!(past, all[..past.len()], "what was recorded is kept");
    let tree = bench.tree();
    let steps = tree["root_branch"]["steps"].as_array().unwrap();
    let files: Vec<Option<&str>> = steps.iter().map(|step| step["file"].as_str()).collect();
    assert_eq!(files, [Some("a.txt"), Some("b.txt"), None]);
}

fn told(ran: &Ran) -> String {
    for unwanted in ["panicked", "RUST_BACKTRACE", "reqwest", "serde"] {
        assert!(!ran.stderr.contains(unwanted), "{}", ran.stderr);
    }
    assert!(
        ran.stderr.contains("espalier run --resume"),
        "{}",
        ran.stderr
    );
    ran.stderr.clone()
}

#[track_caller]
fn says(told: &str, sentence: &str, hint: &str) {
    assert!(told.contains(&format!("Error: {sentence}\n")), "{told}");
    assert!(told.contains(hint), "{told}");
}

#[test]
fn an_error_within_the_answer() {
    let told = survives(&Reply::recorded("chat-malformed-tool"), TRIES, "");
    let sentence = "The server reported an error within the answer: invalid character '}' looking for \
        beginning of value";
    says(&told, sentence, "Resume to ask again");
}

#[test]
fn an_answer_that_just_ends() {
    let told = survives(&Reply::recorded("err-engine-crash-midstream"), TRIES, "");
    says(
        &told,
        "The answer ended before it was complete.",
        "journalctl -u ollama",
    );
}

#[test]
fn an_answer_whose_calls_are_whole_but_whose_end_is_missing() {
    let told = survives(&write_file("a.txt", "never\n").cut_short(), TRIES, "");
    says(
        &told,
        "The answer ended before it was complete.",
        "ollama serve",
    );
}

#[test]
fn a_connection_that_is_cut() {
    let told = survives(&Reply::say("One two three").connection_lost(), TRIES, "");
    says(
        &told,
        "The answer ended before it was complete.",
        "ollama serve",
    );
}

#[test]
fn a_line_that_is_cut() {
    let told = survives(&Reply::say("One two three").half_a_line(), TRIES, "");
    says(
        &told,
        "The answer ended before it was complete.",
        "ollama serve",
    );
}

#[test]
fn a_line_that_is_no_json() {
    let told = survives(&Reply::say("One two").line("<nonsense>"), TRIES, "");
    says(
        &told,
        "What came is not an answer of Ollama.\n  <nonsense>",
        "live_agent.ollama.host",
    );
}

#[test]
fn a_proxy_s_html() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let told = survives(&Reply::plain(502, "text/html", page), TRIES, "");
    assert!(
        told.contains("could not reach the model server (502 Bad Gateway)\n"),
        "{told}"
    );
    assert!(!told.contains("<html"), "{told}");
    let page = "<html><body>Please sign in</body></html>";
    let told = survives(&Reply::plain(200, "text/html", page), TRIES, "");
    let sentence = format!("What came is not an answer of Ollama.\n  {page}");
    says(&told, &sentence, "something else may answer there");
}

#[test]
fn a_redirection() {
    let moved = Reply::plain(307, "text/plain", "");
    let moved = moved.header("location", "https://models.example/api/chat");
    let told = survives(&moved, 1, "");
    assert!(
        told.contains("sends on to another address (307 Temporary Redirect).\n"),
        "{told}"
    );
    assert!(
        told.contains("live_agent.ollama.host to the new one: https://models.example\n"),
        "{told}"
    );
}

#[test]
fn an_engine_that_fails_and_a_busy_server() {
    let told = survives(&Reply::recorded("err-engine-500"), TRIES, "");
    assert!(
        told.contains("failed (500 Internal Server Error): engine failed on purpose\n"),
        "{told}"
    );
    let busy = Reply::refuse(503, "server busy, please try again").header("retry-after", "0");
    let told = survives(&busy, TRIES, "");
    assert!(
        told.contains("is busy (503 Service Unavailable): server busy"),
        "{told}"
    );
}

#[test]
fn a_model_that_was_removed_meanwhile() {
    let told = survives(&Reply::recorded("err-unknown-model"), 1, "");
    assert!(
        told.contains("does not have the model scripted-thinker.\n"),
        "{told}"
    );
    assert!(told.contains("ollama pull scripted-thinker\n"), "{told}");
}

#[test]
fn an_answer_without_end_is_stopped() {
    let word = format!("{} ", "x".repeat(1 << 20));
    let told = survives(&Reply::say(&word.repeat(17)), 1, "");
    says(
        &told,
        "The answer is longer than 16 MB and was stopped.",
        "live_agent.ollama.num_predict",
    );
    let told = survives(&Reply::say(&"x".repeat(17 << 20)), 1, "");
    assert!(told.contains("a line of more than 16 MB"), "{told}");
}

#[test]
fn a_server_that_never_answers() {
    let told = survives(&Reply::never(), TRIES, "  step_timeout_seconds: 1\n");
    assert!(
        told.contains("Error: Nothing came from http://127.0.0.1:"),
        "{told}"
    );
    assert!(
        told.contains(" for 1 s.\n") && told.contains("step_timeout_seconds"),
        "{told}"
    );
}

#[test]
fn no_server_at_all() {
    let mut bench = Bench::nowhere();
    let ran = bench.run().expect_code(3);
    let told = told(&ran);
    assert!(
        told.contains("Error: Connection refused at http://127.0.0.1:"),
        "{told}"
    );
    assert!(told.contains("ollama serve"), "{told}");
    assert_eq!(ran.events_of("provider_failed").len(), TRIES);
    bench.start_server();
    bench.server.then(write_file("a.txt", "one\n"));
    goes_on(&bench, &ran);
}

#[test]
fn a_failure_that_passes_is_no_failure() {
    let bench = Bench::new([
        Reply::say("One two three").cut_short(),
        Reply::say("One two three"),
    ]);
    let ran = bench.run().expect_code(0);
    let failed = ran.events_of("provider_failed");
    assert_eq!(failed.len(), 1);
    assert!(failed[0]["retry_in_ms"].is_u64(), "{failed:?}");
    // What the first try said is taken back, and said once.
    let said: Vec<Value> = ran.events_of("message_completed");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["blocks"][0]["text"], "One two three");
}

#[test]
fn an_interruption_ends_a_call_that_never_answers() {
    let bench = Bench::new([write_file("a.txt", "one\n"), Reply::never()]);
    let child = bench.start();
    bench.wait_for(bench.server.until_chats(2));
    let pid = child.id().to_string();
    let asked = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(asked.success());
    // The connection is closed, by which the server's engine stops.
    bench.wait_for(bench.server.until_hung_up());
    let ran = Ran::ended(child).expect_code(130);
    told(&ran);
    goes_on(&bench, &ran);
}

/// Acts as soon as the model is about to be asked for the second time.
fn at_the_second_call(action: &str) -> [Value; 2] {
    [
        json!({"after_step": 0, "do": "rate", "branch": "main", "step": 0, "value": "Good"}),
        json!({"do": action}),
    ]
}

/// Why the session waited at the end of a run, other than for its start.
fn paused_for(ran: &Ran) -> Vec<String> {
    let states = ran.events_of("state_changed");
    let reasons = states
        .iter()
        .filter_map(|body| body["state"]["reason"]["kind"].as_str());
    let reasons = reasons.filter(|reason| *reason != "not_started");
    reasons.map(str::to_owned).collect()
}

#[test]
fn a_stop_ends_a_call_that_never_answers() {
    let bench = Bench::new([write_file("a.txt", "one\n"), Reply::never()]);
    let ran = bench.drive(&at_the_second_call("stop")).expect_code(4);
    assert_eq!(paused_for(&ran), ["stopped"]);
    assert!(ran.events_of("provider_failed").is_empty());
    told(&ran);
    // It may have been faster than the request.
    bench.server.forget_the_rest();
    goes_on(&bench, &ran);
}

#[test]
fn a_pause_in_the_middle_of_an_answer_is_no_failure() {
    let gate = Gate::default();
    let held = write_file("b.txt", "two\n")
        .text("One two three.")
        .held_after(1, &gate);
    let bench = Bench::new([write_file("a.txt", "one\n"), held]);
    let mut child = bench.start_driven(&at_the_second_call("pause"));
    let mut stdout = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("\"pausing\"") {
            gate.open();
        }
        stdout.push_str(&line);
        stdout.push('\n');
    }
    let mut ran = Ran::ended(child);
    ran.stdout = stdout;
    let ran = ran.expect_code(4);
    assert_eq!(paused_for(&ran), ["requested"]);
    told(&ran);
    // It may have been faster than the request.
    bench.server.forget_the_rest();
    goes_on(&bench, &ran);
}

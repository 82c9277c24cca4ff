//! Every way in which a server fails ends in a plain sentence and a session that goes on.

use super::bench::{AndWrite, Bench, write_file};
use espalier_tests::anthropic_server::Reply;
use espalier_tests::program::Ran;
use std::process::Command;

/// How often a failure that may pass is tried.
const TRIES: usize = 3;
const ENDED: &str = "The answer ended before it was complete.";

/// Runs a session in which the server answers once and then fails like this until it is given up,
/// and goes on with it when the server is well again. What the person reads at the failure.
fn survives(fails: &Reply, tries: usize, live_agent: &str) -> String {
    survives_as(3, fails, tries, live_agent)
}

/// The same with another exit code than that of a server that will not serve.
fn survives_as(code: i32, fails: &Reply, tries: usize, live_agent: &str) -> String {
    let failing = std::iter::repeat_n(fails.clone(), tries);
    let script = std::iter::once(write_file("a.txt", "one\n")).chain(failing);
    let bench = Bench::new(script).live_agent(live_agent);
    let ran = bench.run().expect_code(code);
    assert_eq!(bench.server.unused(), 0);
    bench.goes_on(&ran);
    told(&ran)
}

/// Runs a session in which the server fails like this once. What is said of the failure.
fn passes(fails: Reply) -> String {
    let bench = Bench::new([fails, Reply::say("Done.")]);
    let ran = bench.run().expect_code(0);
    let failed = ran.events_of("provider_failed");
    assert_eq!(failed.len(), 1);
    let error = &failed[0]["error"];
    assert_ne!(error["hint"], "", "{error}");
    let details = error["details"].as_array().unwrap();
    let lines = std::iter::once(&error["message"]).chain(details);
    let lines = lines.map(|line| format!("{}\n", line.as_str().unwrap()));
    lines.collect()
}

fn told(ran: &Ran) -> String {
    let told = ran.stderr.clone();
    for unwanted in ["panicked", "RUST_BACKTRACE", "reqwest", "serde", "<html"] {
        assert!(!told.contains(unwanted), "{told}");
    }
    assert!(told.contains("espalier run --resume"), "{told}");
    told
}

#[track_caller]
fn says(told: &str, sentence: &str, hint: &str) {
    let lines = told.lines().filter(|line| line.starts_with("Error: "));
    assert_eq!(lines.count(), 1, "{told}");
    assert!(told.contains(&format!("{sentence}\n")), "{told}");
    assert!(told.contains(hint), "{told}");
}

#[test]
fn an_error_within_the_answer() {
    let reply = || Reply::say("One two ");
    let busy = reply().error_event("overloaded_error", "Overloaded");
    let sentence = "Error: The server reported an error within the answer: Overloaded";
    says(&survives(&busy, TRIES, ""), sentence, "Resume in a while");
    let wrong = reply().error_event("invalid_request_error", "Overloaded");
    says(&survives(&wrong, 1, ""), sentence, "live_agent.anthropic");
    // As llama.cpp writes it.
    let data = r#"{"error":{"code":500,"message":"Overloaded","type":"server_error"}}"#;
    let sentence = sentence.trim_start_matches("Error: ");
    let told = passes(reply().event("error", data));
    assert_eq!(told, format!("{sentence}\n"));
}

#[test]
fn an_answer_that_just_ends() {
    let calls = || Reply::thinking("Hm. ").and_write("a.txt", "never\n");
    let told = survives(&calls().cut_short(), TRIES, "");
    says(&told, ENDED, "Resume to ask again");
    for reply in [
        calls().half_an_event(),
        calls().connection_lost(),
        calls().last_block_open(),
        Reply::say("One two three").cut_short(),
        Reply::say("One").event("message_delta", "{\"type\": \"mess"),
    ] {
        let told = passes(reply);
        assert!(told.starts_with(&format!("{ENDED}\n")), "{told}");
    }
}

#[test]
fn data_that_is_no_json_and_a_block_that_never_began() {
    let nonsense = Reply::say("One").event("content_block_delta", "<nonsense>");
    let sentence = "What came is not an answer of the Messages API.\n  <nonsense>";
    says(&survives(&nonsense, TRIES, ""), sentence, "base_url");
    let delta =
        r#"{"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"?"}}"#;
    let told = passes(Reply::say("One").event("content_block_delta", delta));
    assert!(
        told.contains("with a block that it had not begun."),
        "{told}"
    );
}

#[test]
fn a_call_at_the_length_limit_is_not_made() {
    for reply in [
        write_file("a.txt", "never\n"),
        Reply::default().and_raw_call("write_file", "{\"path\": \"a.txt\", \"con"),
        write_file("a.txt", "never\n").last_block_open(),
    ] {
        let told = survives(&reply.because("max_tokens"), 1, "");
        let sentence = "reached its limit of 4096 tokens within a tool call, which was not run.";
        says(&told, sentence, "live_agent.anthropic.max_tokens");
    }
}

#[test]
fn a_model_that_declines_and_a_full_window() {
    let declined = Reply::say("I").declined("cyber", "This looks harmful.");
    let told = survives(&declined, 1, "");
    says(
        &told,
        "The model declined to go on: This looks harmful.",
        "Roll back",
    );
    let full = write_file("a.txt", "never\n").because("model_context_window_exceeded");
    let sentence = "The conversation no longer fits the model's window.";
    says(&survives_as(4, &full, 1, ""), sentence, "Roll back");
    let said = "prompt is too long: 208310 tokens > 200000 maximum";
    let long = Reply::refuse(400, "invalid_request_error", said);
    let sentence = format!("{sentence}\n  {said}");
    says(&survives_as(4, &long, 1, ""), &sentence, "Roll back");
}

#[test]
fn a_proxy_s_html() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let told = survives(&Reply::plain(502, "text/html", page), TRIES, "");
    says(
        &told,
        "could not reach the model server (502 Bad Gateway)",
        "base_url",
    );
    let told = survives_as(4, &Reply::plain(413, "text/html", page), 1, "");
    says(&told, "takes (413 Payload Too Large)", "Roll back");
    let told = survives(&Reply::plain(200, "text/html", "Please sign in"), TRIES, "");
    let sentence = "What came is not an answer of the Messages API.\n  Please sign in";
    says(&told, sentence, "something else may answer there");
}

#[test]
fn refusals_that_stay() {
    let cases = [
        (
            400,
            "invalid_request_error",
            "messages: wrong",
            "refused the request (400 Bad Request): messages: wrong",
            "live_agent.anthropic",
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low",
            "wants to be paid first: Your credit balance is too low",
            "billing",
        ),
        (
            402,
            "billing_error",
            "Pay",
            "wants to be paid first: Pay",
            "billing",
        ),
        (
            403,
            "permission_error",
            "No",
            "does not permit this (403 Forbidden): No",
            "account",
        ),
        (
            404,
            "not_found_error",
            "model: claude-scripted-5",
            "does not have the model claude-scripted-5.",
            "/v1/models",
        ),
        (
            404,
            "not_found_error",
            "Not found",
            "does not know /v1/messages (404 Not Found): Not found",
            "without /v1",
        ),
        (
            413,
            "request_too_large",
            "Too large",
            "takes (413 Payload Too Large): Too large",
            "Roll back",
        ),
    ];
    for (status, kind, said, sentence, hint) in cases {
        // A limit that is reached is not a server that will not serve.
        let code = if status == 413 { 4 } else { 3 };
        let told = survives_as(code, &Reply::refuse(status, kind, said), 1, "");
        let sentence = format!("{sentence}\n  request-id: req_scripted");
        says(&told, &sentence, hint);
    }
}

#[test]
fn refusals_that_may_pass() {
    let cases = [
        (
            408,
            "timeout_error",
            "gave up waiting for the model (408 Request Timeout)",
        ),
        (
            409,
            "conflict_error",
            "is busy or a limit of the key is reached (409 Conflict)",
        ),
        (
            429,
            "rate_limit_error",
            "is busy or a limit of the key is reached (429 Too Many Requests)",
        ),
        (500, "api_error", "failed (500 Internal Server Error)"),
        (
            529,
            "overloaded_error",
            "is busy or a limit of the key is reached (529 Overloaded)",
        ),
    ];
    for (status, kind, sentence) in cases {
        let reply = Reply::refuse(status, kind, "Later").header("retry-after-ms", "1");
        let told = survives(&reply, TRIES, "");
        assert!(told.contains(&format!("{sentence}: Later\n")), "{told}");
    }
    // llama.cpp speaks of errors as OpenAI does.
    let body = r#"{"error":{"code":500,"message":"No messages","type":"server_error"}}"#;
    let reply = Reply::plain(500, "application/json", body).header("retry-after", "0");
    let told = survives(&reply, TRIES, "");
    assert!(
        told.contains("failed (500 Internal Server Error): No messages\n"),
        "{told}"
    );
}

#[test]
fn the_server_says_whether_and_when_to_ask_again() {
    let waits = |reply: &Reply| {
        let bench = Bench::new([reply.clone(), Reply::say("Done.")]);
        let ran = bench.run();
        bench.server.forget_the_rest();
        let failed = ran.events_of("provider_failed");
        (ran.code, failed[0]["retry_in_ms"].clone())
    };
    let busy = || Reply::refuse(429, "rate_limit_error", "Later");
    let millis = busy()
        .header("retry-after-ms", "12.5")
        .header("retry-after", "60");
    assert_eq!(waits(&millis), (0, 12.into()));
    assert_eq!(waits(&busy().header("retry-after", "0")), (0, 0.into()));
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    assert_eq!(waits(&busy().header("retry-after", past)), (0, 0.into()));
    let never = busy().header("x-should-retry", "false");
    assert_eq!(waits(&never).0, 3);
    // Nobody waits for an hour without having been asked.
    assert_eq!(waits(&busy().header("retry-after", "3600")).0, 3);
    let strange = Reply::refuse(418, "api_error", "Again").header("x-should-retry", "true");
    let strange = strange.header("retry-after-ms", "1");
    assert_eq!(waits(&strange), (0, 1.into()));
}

#[test]
fn a_redirection() {
    let moved = Reply::plain(307, "text/plain", "");
    let moved = moved.header("location", "https://models.example/v1/messages");
    let told = survives(&moved, 1, "");
    let hint = "live_agent.anthropic.base_url to the new one: https://models.example\n";
    says(
        &told,
        "sends on to another address (307 Temporary Redirect).",
        hint,
    );
}

#[test]
fn an_answer_without_end_is_stopped() {
    let told = survives(&Reply::say(&"x".repeat(1 << 20)).for_ever(), 1, "");
    let sentence = "The answer is longer than 16 MB and was stopped.";
    says(&told, sentence, "live_agent.anthropic.max_tokens");
    let told = survives(&Reply::say(&"x".repeat(17 << 20)), 1, "");
    says(&told, "a line of more than 16 MB.", "something else");
}

#[test]
fn a_server_that_never_answers() {
    let told = survives(&Reply::never(), TRIES, "  step_timeout_seconds: 1\n");
    says(&told, " for 1 s.", "step_timeout_seconds");
}

#[test]
fn no_server_at_all() {
    let mut bench = Bench::nowhere();
    let ran = bench.run().expect_code(3);
    says(&told(&ran), "", "live_agent.anthropic.base_url");
    assert!(
        ran.stderr
            .contains("Connection refused at http://127.0.0.1:")
    );
    assert_eq!(ran.events_of("provider_failed").len(), TRIES);
    bench.start_server();
    bench.server.then(write_file("a.txt", "one\n"));
    bench.goes_on(&ran);
}

#[test]
fn a_model_that_nobody_knows() {
    let bench = Bench::new([]).model("claude-of-tomorrow");
    let ran = bench.run().expect_code(3);
    says(
        &told(&ran),
        "does not have the model claude-of-tomorrow.\n  request-id: req_scripted",
        "/v1/models",
    );
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
    let said = ran.events_of("message_completed");
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
    bench.keeps_the_secret(&ran);
    told(&ran);
    bench.goes_on(&ran);
}

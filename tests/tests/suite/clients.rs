//! The scripted servers, checked by the official clients: they understand what the servers say,
//! and the servers find nothing wrong in what they ask.

use espalier_tests::anthropic_server::{self, AnthropicServer};
use espalier_tests::ollama_server::{self, OllamaServer};
use espalier_tests::project::repository;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that has the clients: `make test-peers` puts it into the target folder.
pub fn python() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let python = target.join("peers/python/bin/python");
    assert!(
        python.is_file(),
        "{} is missing; run: make test-peers",
        python.display()
    );
    python
}

/// What a client understood.
async fn heard(script: &str, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(python());
    command
        .arg(repository().join(Path::new("tests/peers").join(script)))
        .args(arguments)
        .env_remove("ANTHROPIC_API_KEY");
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn the_messages_api() {
    use anthropic_server::{KEY, MODEL, Reply};
    let server = AnthropicServer::start([
        Reply::thinking("Hm, hm.")
            .redacted("c2VhbGVk")
            .text("Both at once.")
            .and_call("bash", json!({"command": "ls -l"}))
            .and_bare_call("bash"),
        Reply::say("Done so far."),
        Reply::refuse(529, "overloaded_error", "Overloaded").header("retry-after-ms", "1"),
        Reply::say("At last."),
        Reply::say("I").declined("cyber", "This looks harmful."),
        Reply::say("One ").error_event("overloaded_error", "Overloaded"),
        Reply::refuse(413, "request_too_large", "Too large"),
    ])
    .await;
    let heard = heard("anthropic_client.py", &[&server.url(), KEY, MODEL]).await;
    let call = |at: usize, input: Value| json!({"type": "tool_use", "id": format!("toolu_001_{at}"), "name": "bash", "input": input});
    assert_eq!(
        heard,
        [
            json!([
                {"type": "thinking", "thinking": "Hm, hm.", "signature": "c2lnbmVk001_0=="},
                {"type": "redacted_thinking", "data": "c2VhbGVk"},
                {"type": "text", "text": "Both at once."},
                call(3, json!({"command": "ls -l"})),
                call(4, json!({})),
            ]),
            json!(["tool_use", "msg_001", true]),
            json!(["Done so far.", "end_turn", true]),
            json!("At last."),
            json!(["refusal", "cyber", "This looks harmful."]),
            json!(["APIStatusError", 200, "overloaded_error"]),
            json!(["ContentTooLargeError", 413, "request_too_large"]),
            json!(["AuthenticationError", 401, "authentication_error"]),
            json!(["NotFoundError", 404, "not_found_error"]),
        ]
    );
}

#[tokio::test]
async fn ollama() {
    use ollama_server::{MODEL, Reply};
    let server = OllamaServer::start([
        Reply::call("bash", json!({"command": "ls -l"}))
            .and_call("bash", json!({"command": "pwd"}))
            .thinking("Hm, hm.")
            .text("Both at once."),
        Reply::say("Done.").because("length"),
        Reply::say("One ").error_line("out of memory"),
    ])
    .await;
    let heard = heard("ollama_client.py", &[&server.host(), MODEL]).await;
    let models = heard[0].as_array().unwrap();
    assert!(
        models.contains(&json!(format!("{MODEL}:latest"))),
        "{models:?}"
    );
    assert_eq!(heard[1], json!(["completion", "thinking", "tools"]));
    let calls = json!([["bash", {"command": "ls -l"}], ["bash", {"command": "pwd"}]]);
    assert_eq!(
        heard[2..],
        [
            json!(["Hm, hm.", "Both at once.", calls, true, "stop"]),
            json!(["", "Done.", [], true, "length"]),
            json!([-1, "out of memory"]),
            json!([404, "model 'nobody' not found"]),
        ]
    );
}

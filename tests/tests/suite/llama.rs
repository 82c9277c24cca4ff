//! Sessions with a real model, tiny as it is, on a llama.cpp server: what it says arrives while it
//! says it, and what is stopped stops there too.

use super::clients::python;
use espalier_tests::program::{Ran, command};
use espalier_tests::project::{Workspace, repository};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Bench {
    server: Child,
    url: String,
    workspace: Workspace,
}

impl Bench {
    fn new() -> Self {
        let mut server = Command::new(python())
            .arg(repository().join("tests/peers/llama_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(server.stdout.take().unwrap());
        let mut url = String::new();
        while !url.starts_with("http") {
            url.clear();
            let length = told.read_line(&mut url).unwrap();
            assert!(length > 0, "the server ended before it listened");
        }
        // Nobody reads what it says from here on; it may still say it.
        std::thread::spawn(move || told.read_to_end(&mut Vec::new()));
        Self {
            server,
            url: url.trim().to_owned(),
            workspace: Workspace::new(&[("a.txt", "zero\n")]),
        }
    }

    /// A run whose answers have at most so many tokens.
    fn start(&self, max_tokens: u32) -> Child {
        let lines = format!(
            "  backend: anthropic\n  tools: [read_file]\n  anthropic:\n    base_url: {}\n    \
             model: smollm2\n    api_key: not-needed\n    temperature: 0\n    max_tokens: {max_tokens}\n",
            self.url
        );
        let task = json!({"task_description": "Tell a long story."});
        let config = self.workspace.configure(&lines, &task);
        let arguments = ["run", &config.display().to_string(), "--json"];
        let mut command = command(&self.workspace.data(), arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// What the server says of its one slot.
    fn slot(&self) -> String {
        let address = self.url.trim_start_matches("http://");
        let mut line = TcpStream::connect(address).unwrap();
        let request =
            format!("GET /slots HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        line.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// Whether the model is at work.
    fn is_at_work(&self) -> bool {
        self.slot().contains("\"is_processing\":true")
    }

    /// Whether its last answer was ended before the model was through with it.
    fn was_stopped(&self) -> bool {
        self.slot().contains("\"has_next_token\":true")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

#[test]
fn what_the_model_says_arrives_while_it_says_it() {
    let bench = Bench::new();
    let ran = Ran::ended(bench.start(64)).expect_code(0);
    let pieces = ran.events_of("text_delta").len();
    assert!(pieces > 10, "{pieces}");
    let message = &ran.events_of("message_completed")[0];
    let text = message["blocks"][0]["text"].as_str().unwrap();
    let shown: String = ran
        .events_of("text_delta")
        .iter()
        .map(|delta| delta["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown.trim_end(), text.trim_end());
    assert_eq!(message["usage"]["output_tokens"], 64);
    assert_eq!(message["usage"]["context"]["window_tokens"], 4096);
    let notices = ran.events_of("notice");
    assert!(
        notices.iter().any(|notice| notice["code"] == "answer_cut"),
        "{notices:?}"
    );
}

#[test]
fn what_is_stopped_stops_on_the_server_too_and_the_session_goes_on() {
    let bench = Bench::new();
    let mut child = bench.start(400);
    let mut told = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["body"]["type"] == "text_delta" && !told.contains("text_delta") {
            assert!(bench.is_at_work());
            let pid = child.id().to_string();
            let asked = Command::new("kill").args(["-INT", &pid]).status().unwrap();
            assert!(asked.success());
        }
        told.push_str(&line);
        told.push('\n');
    }
    let ended = Ran::ended(child);
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let ran = Ran {
        stdout: told,
        ..ended
    };
    assert!(ran.events_of("message_completed").is_empty());
    while bench.is_at_work() {}
    assert!(bench.was_stopped(), "{}", bench.slot());
    let arguments = ["run", "--resume", &ran.session(), "--json", "--keep"];
    let resumed: Ran = command(&bench.workspace.data(), arguments)
        .output()
        .unwrap()
        .into();
    let resumed = resumed.expect_code(0);
    assert_eq!(resumed.events_of("message_completed").len(), 1);
    assert!(!bench.was_stopped(), "the answer that was whole");
}

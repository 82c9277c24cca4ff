//! The lines between the engine and the agent process, spoken with a whole agent: what each answer
//! and each cancellation leads to.

use espalier_agent::worker::{Patience, serve};
use espalier_protocol::session::BackendSettings;
use espalier_protocol::worker::{AgentSetup, FromAgent, ToAgent, ToolOutcome};
use espalier_protocol::{ConversationItem, StepStatus, ToolName};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// An agent on a thread of this process, and the engine's end of its lines.
struct Agent {
    project: TempDir,
    says: std::io::Lines<BufReader<PipeReader>>,
    hears: Option<PipeWriter>,
    thread: JoinHandle<i32>,
}

impl Agent {
    fn start(backend: impl FnOnce(&Path) -> Option<BackendSettings>, patience: Patience) -> Self {
        let project = tempfile::tempdir().unwrap();
        let (input, hears) = std::io::pipe().unwrap();
        let (says, output) = std::io::pipe().unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(input, output, patience, CancellationToken::new()))
        });
        let dir = project.path().join("project");
        std::fs::create_dir(&dir).unwrap();
        let setup = AgentSetup {
            backend: backend(project.path()),
            api_key: None,
            project_dir: dir.display().to_string(),
            spool_dir: project.path().join("spool").display().to_string(),
            tools: ToolName::ALL.to_vec(),
            step_timeout_seconds: 600,
            compacts: false,
            conversation: vec![ConversationItem::User {
                text: "Do it.".into(),
            }],
            next_step: 0,
            instructions: Vec::new(),
        };
        let mut agent = Self {
            project,
            says: BufReader::new(says).lines(),
            hears: Some(hears),
            thread,
        };
        agent.tell(&ToAgent::Setup {
            setup: Box::new(setup),
        });
        assert_eq!(agent.next(), FromAgent::Ready);
        agent
    }

    /// On a recording of these turns.
    fn playing(turns: &Value) -> Self {
        let recording = json!({
            "format": "espalier-recording/1", "title": "t", "model": "m",
            "branches": [{"id": "main", "turns": turns}],
        });
        let backend = |folder: &Path| {
            let file = folder.join("recording.json");
            std::fs::write(&file, recording.to_string()).unwrap();
            Some(BackendSettings::Replay {
                recording: file.display().to_string(),
                pace: 0.0,
            })
        };
        Self::start(backend, Patience::default())
    }

    fn on_server(host: &str, patience: Patience) -> Self {
        let backend = BackendSettings::Ollama {
            host: host.to_owned(),
            model: "m".to_owned(),
            temperature: None,
            num_ctx: None,
            num_predict: None,
            keep_alive: None,
        };
        Self::start(|_| Some(backend), patience)
    }

    fn tell(&mut self, line: &ToAgent) {
        let hears = self.hears.as_mut().unwrap();
        writeln!(hears, "{}", serde_json::to_string(line).unwrap()).unwrap();
    }

    fn go_on(&mut self) {
        self.tell(&ToAgent::Continue { items: Vec::new() });
    }

    fn go(&mut self, call_id: &str, input: Option<Value>) {
        let call_id = call_id.to_owned();
        self.tell(&ToAgent::Go { call_id, input });
    }

    /// What it says next.
    fn next(&mut self) -> FromAgent {
        let line = self.says.next().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// What it says next that is no piece of a message or an output.
    fn next_whole(&mut self) -> FromAgent {
        loop {
            match self.next() {
                FromAgent::TextDelta { .. }
                | FromAgent::ThinkingDelta { .. }
                | FromAgent::Output { .. }
                | FromAgent::Message { .. } => {}
                other => return other,
            }
        }
    }

    /// The id of the call that it proposes next.
    fn proposed(&mut self) -> String {
        match self.next_whole() {
            FromAgent::Proposed { call_id, .. } => call_id,
            other => panic!("{other:?}"),
        }
    }

    fn finished(&mut self) -> ToolOutcome {
        match self.next_whole() {
            FromAgent::Finished { outcome, .. } => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// Ends it; its exit code.
    fn shut_down(mut self) -> i32 {
        self.tell(&ToAgent::Shutdown);
        assert!(self.says.next().is_none());
        self.thread.join().unwrap()
    }
}

fn bash(command: &str) -> Value {
    json!({"tool": "bash", "input": {"command": command}})
}

/// A server that takes connections and never answers.
fn silent_server() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (
        format!("http://{}", listener.local_addr().unwrap()),
        listener,
    )
}

#[test]
fn a_cancelled_model_call_closes_its_connection() {
    let (host, listener) = silent_server();
    let patience = Patience {
        side_question: Duration::from_millis(1),
        ..Patience::default()
    };
    let mut agent = Agent::on_server(&host, patience);
    agent.go_on();
    let mut chat = listener
        .incoming()
        .map(Result::unwrap)
        .find_map(|mut stream| {
            let mut head = [0; 14];
            let whole = stream.read_exact(&mut head).is_ok();
            (whole && head == *b"POST /api/chat").then_some(stream)
        })
        .unwrap();
    agent.tell(&ToAgent::Cancel);
    assert_eq!(agent.next(), FromAgent::DeltasReset);
    assert_eq!(agent.next(), FromAgent::Ready);
    // The rest of the request, and then the end.
    chat.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn waiting_for_another_try_can_be_cancelled() {
    let (host, listener) = silent_server();
    drop(listener);
    let patience = Patience {
        retries: vec![Duration::from_secs(1000)],
        ..Patience::default()
    };
    let mut agent = Agent::on_server(&host, patience);
    agent.go_on();
    assert_eq!(agent.next(), FromAgent::DeltasReset);
    match agent.next() {
        FromAgent::ProviderFailed {
            attempt: 1,
            retry_in_ms: Some(1_000_000),
            error,
            ..
        } => assert!(error.message.starts_with("Connection refused"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    agent.tell(&ToAgent::Cancel);
    assert_eq!(agent.next(), FromAgent::Ready);
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn a_cancelled_proposal_vanishes_with_those_after_it() {
    let turn = json!({"calls": [bash("echo one"), bash("echo two")]});
    let mut agent = Agent::playing(&json!([turn, {"text": "Done."}]));
    agent.go_on();
    let first = agent.proposed();
    agent.go(&first, None);
    assert_eq!(agent.finished().status, StepStatus::Ok);
    let second = agent.proposed();
    agent.tell(&ToAgent::Cancel);
    assert_eq!(agent.next(), FromAgent::Ready);
    // The answer that was on its way is let pass.
    agent.go(&second, None);
    // Of the recorded message the second call is left to be made.
    agent.go_on();
    let again = agent.proposed();
    agent.go(&again, None);
    assert_eq!(agent.finished().content, "two\n[Exit code 0]");
    assert_eq!(agent.next(), FromAgent::Ready);
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn a_cancelled_call_is_finished_and_those_after_it_vanish() {
    let turn = json!({"calls": [bash("echo begun; sleep 1000"), bash("echo two")]});
    let mut agent = Agent::playing(&json!([turn]));
    agent.go_on();
    let first = agent.proposed();
    agent.go(&first, None);
    assert!(matches!(agent.next(), FromAgent::Output { .. }));
    agent.tell(&ToAgent::Cancel);
    assert_eq!(agent.finished().status, StepStatus::Cancelled);
    assert_eq!(agent.next(), FromAgent::Ready);
    // Where nothing runs, nothing is said to it.
    agent.tell(&ToAgent::Cancel);
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn a_call_may_be_refused_or_changed() {
    let turn = json!({"calls": [bash("rm -rf ."), bash("echo one")]});
    let mut agent = Agent::playing(&json!([turn, {"text": "Done."}]));
    agent.go_on();
    let call_id = agent.proposed();
    let reason = "Not in my house.".to_owned();
    agent.tell(&ToAgent::Refuse { call_id, reason });
    let refused = agent.finished();
    assert_eq!(refused.status, StepStatus::Refused);
    assert_eq!(refused.content, "Not in my house.");
    let second = agent.proposed();
    agent.go(&second, Some(json!({"command": "echo two"})));
    let changed = agent.finished().content;
    assert!(changed.contains("changed the arguments"), "{changed}");
    assert!(changed.ends_with("]\ntwo\n[Exit code 0]"), "{changed}");
    assert_eq!(agent.next(), FromAgent::Ready);
    agent.go_on();
    assert_eq!(agent.next_whole(), FromAgent::Ended);
    assert_eq!(agent.next(), FromAgent::Ready);
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn a_command_of_the_app_s_own_is_answered_alone() {
    let mut agent = Agent::start(|_| None, Patience::default());
    for (command, cancelled) in [("echo tested", false), ("echo begun; sleep 1000", true)] {
        agent.tell(&ToAgent::RunCommand {
            command: command.to_owned(),
            timeout_seconds: 600,
        });
        assert!(matches!(agent.next(), FromAgent::Output { .. }));
        if cancelled {
            agent.tell(&ToAgent::Cancel);
        }
        let FromAgent::CommandFinished { outcome } = agent.next_whole() else {
            panic!("{command}");
        };
        let status = if cancelled {
            StepStatus::Cancelled
        } else {
            StepStatus::Ok
        };
        assert_eq!(outcome.status, status);
    }
    assert_eq!(agent.shut_down(), 0);
}

#[test]
fn a_line_that_does_not_fit_is_fatal() {
    let lines: [fn(&mut Agent); 3] = [
        |agent| writeln!(agent.hears.as_mut().unwrap(), "{{\"cmd\":\"dance\"}}").unwrap(),
        |agent| {
            agent.go_on();
            agent.proposed();
            agent.tell(&ToAgent::RunCommand {
                command: "true".to_owned(),
                timeout_seconds: 1,
            });
        },
        |agent| {
            agent.go_on();
            let call = agent.proposed();
            agent.go(&call, None);
            agent.go_on();
            assert_eq!(agent.finished().status, StepStatus::Cancelled);
        },
    ];
    for line in lines {
        let mut agent = Agent::playing(&json!([{"calls": [bash("sleep 1000")]}]));
        line(&mut agent);
        assert!(matches!(agent.next_whole(), FromAgent::Fatal { .. }));
        assert!(agent.says.next().is_none());
        assert_eq!(agent.thread.join().unwrap(), 1);
    }
}

#[test]
fn an_agent_without_an_engine_ends_what_runs() {
    let command = "echo $$ > pids; echo begun; sleep 1000";
    let mut agent = Agent::playing(&json!([{"calls": [bash(command)]}]));
    agent.go_on();
    let call = agent.proposed();
    agent.go(&call, None);
    assert!(matches!(agent.next(), FromAgent::Output { .. }));
    agent.hears = None;
    assert_eq!(agent.thread.join().unwrap(), 1);
    super::tools_processes::none_runs(&agent.project.path().join("project"), "no engine");
}

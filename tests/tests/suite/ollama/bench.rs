//! A project, a configuration for a scripted server, and the program run on them.

use espalier_tests::ollama_server::{MODEL, OllamaServer, Reply};
use espalier_tests::program::{Ran, run, start};
use espalier_tests::project::{Workspace, write};
use serde_json::{Value, json};
use std::process::Child;
use tokio::runtime::Runtime;

pub struct Bench {
    // Before the runtime: it ends on it.
    pub server: OllamaServer,
    runtime: Runtime,
    pub workspace: Workspace,
    host: String,
    model: String,
    /// Further lines under `live_agent`.
    live_agent: String,
    /// Further lines under `live_agent.ollama`.
    ollama: String,
    task: Value,
}

impl Bench {
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let runtime = runtime();
        let server = runtime.block_on(OllamaServer::start(script));
        Self {
            host: server.host(),
            server,
            runtime,
            workspace: Workspace::new(&[("a.txt", "zero\n")]),
            model: MODEL.to_owned(),
            live_agent: String::new(),
            ollama: String::new(),
            task: json!({}),
        }
    }

    /// Where no server is, until `start_server`.
    pub fn nowhere() -> Self {
        let mut bench = Self::new([]);
        let other = bench.runtime.block_on(OllamaServer::start([]));
        bench
            .runtime
            .block_on(std::mem::replace(&mut bench.server, other).stop());
        bench
    }

    /// Starts a server where the configuration looks for it.
    pub fn start_server(&mut self) {
        let address = self.host.trim_start_matches("http://");
        self.server = self.runtime.block_on(OllamaServer::start_at(address, []));
    }

    pub fn model(mut self, model: &str) -> Self {
        self.model = model.to_owned();
        self
    }

    pub fn live_agent(mut self, lines: &str) -> Self {
        self.live_agent = lines.to_owned();
        self
    }

    pub fn ollama(mut self, lines: &str) -> Self {
        self.ollama = lines.to_owned();
        self
    }

    pub fn task(mut self, task: Value) -> Self {
        self.task = task;
        self
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let lines = format!(
            "  backend: ollama\n  ollama:\n    host: {}\n    model: {}\n{}{}",
            self.host, self.model, self.ollama, self.live_agent,
        );
        let config = self.workspace.configure(&lines, &self.task);
        let fixed = [
            "run",
            &config.display().to_string(),
            "--json",
            "--annotator",
            "ann",
        ];
        fixed.iter().chain(more).map(ToString::to_string).collect()
    }

    /// Runs the task.
    pub fn run(&self) -> Ran {
        run(&self.workspace.data(), self.arguments(&[]))
    }

    /// Runs the task steered by a script.
    pub fn drive(&self, script: &[Value]) -> Ran {
        run(&self.workspace.data(), self.steered(script))
    }

    /// Starts the task steered by a script.
    pub fn start_driven(&self, script: &[Value]) -> Child {
        start(&self.workspace.data(), self.steered(script))
    }

    fn steered(&self, script: &[Value]) -> Vec<String> {
        let path = self.workspace.root().join("script.jsonl");
        let lines: Vec<String> = script.iter().map(Value::to_string).collect();
        write(&path, &lines.join("\n"));
        self.arguments(&["--script", &path.display().to_string()])
    }

    /// Starts the task.
    pub fn start(&self) -> Child {
        start(&self.workspace.data(), self.arguments(&[]))
    }

    /// Waits for what the server sees.
    pub fn wait_for<T>(&self, seen: impl Future<Output = T>) -> T {
        self.runtime.block_on(seen)
    }

    /// Goes on with a session; the result stays in the project.
    pub fn resume(&self, session: &str) -> Ran {
        let arguments = ["run", "--resume", session, "--json", "--keep"];
        run(&self.workspace.data(), arguments)
    }

    /// The last session's tree as the annotator's file has it.
    pub fn tree(&self) -> Value {
        let text = std::fs::read_to_string(self.workspace.output().join("ann.jsonl")).unwrap();
        serde_json::from_str(text.lines().next_back().unwrap()).unwrap()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A call that writes a file.
pub fn write_file(path: &str, content: &str) -> Reply {
    Reply::call("write_file", json!({"path": path, "content": content}))
}

/// The messages of a request from the model's first on.
pub fn after_the_task(chat: &Value) -> Vec<Value> {
    chat["messages"].as_array().unwrap()[2..].to_vec()
}

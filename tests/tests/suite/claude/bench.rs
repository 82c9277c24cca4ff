//! A project, a configuration for Claude Code, a scripted API, and the program run on them.

use espalier_tests::anthropic_server::{AnthropicServer, KEY, Reply, conversation};
use espalier_tests::program::{Ran, command};
use espalier_tests::project::{Workspace, write};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::runtime::Runtime;

pub struct Bench {
    // Before the runtime: it ends on it.
    pub server: AnthropicServer,
    runtime: Runtime,
    pub workspace: Workspace,
    url: String,
    key: Option<String>,
    /// Further lines under `live_agent`.
    live_agent: String,
    /// Further lines under `live_agent.claude_agent_sdk`.
    claude: String,
    task: Value,
}

impl Bench {
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(AnthropicServer::start(script));
        let server = server.of_claude_code();
        Self {
            url: server.url(),
            server,
            runtime,
            workspace: Workspace::new(&[("a.txt", "zero\n")]),
            key: Some(KEY.to_owned()),
            live_agent: String::new(),
            claude: String::new(),
            task: json!({}),
        }
    }

    /// With a script that needs the project's folder: Claude Code's tools take whole paths.
    pub fn on_project(script: impl FnOnce(&Path) -> Vec<Reply>) -> Self {
        let bench = Self::new([]);
        for reply in script(&bench.workspace.project()) {
            bench.server.then(reply);
        }
        bench
    }

    /// The API refuses what comes next for good. Claude Code asks a few times more all the same.
    pub fn refuses(&self, said: &str) {
        for _ in 0..5 {
            let reply = Reply::refuse(400, "invalid_request_error", said);
            self.server.then(reply);
        }
    }

    pub fn live_agent(mut self, lines: &str) -> Self {
        self.live_agent = lines.to_owned();
        self
    }

    pub fn claude(mut self, lines: &str) -> Self {
        self.claude = lines.to_owned();
        self
    }

    pub fn task(mut self, task: Value) -> Self {
        self.task = task;
        self
    }

    /// Where no server is.
    pub fn nowhere(mut self) -> Self {
        "http://127.0.0.1:9".clone_into(&mut self.url);
        self
    }

    /// Another key for what runs next.
    pub fn set_key(&mut self, key: Option<&str>) {
        self.key = key.map(str::to_owned);
    }

    /// Where Claude Code keeps its records.
    pub fn records(&self) -> PathBuf {
        self.workspace.root().join("claude-home")
    }

    pub fn config(&self) -> String {
        let lines = format!(
            "  backend: claude_agent_sdk\n  claude_agent_sdk:\n    model: claude-sonnet-5\n    \
             cli_path: {}\n{}{}",
            claude().display(),
            self.claude,
            self.live_agent,
        );
        let config = self.workspace.configure(&lines, &self.task);
        config.display().to_string()
    }

    /// The program, with nothing of the caller's own Claude Code.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = command(&self.workspace.data(), arguments);
        command
            .env("ANTHROPIC_BASE_URL", &self.url)
            .env("CLAUDE_CONFIG_DIR", self.records())
            .env("HOME", self.records())
            // What a Claude Code that started this would leave behind.
            .env("CLAUDECODE", "1")
            .env("CLAUDE_CODE_SESSION_ID", "another");
        if let Some(key) = &self.key {
            command.env("ANTHROPIC_API_KEY", key);
        }
        command
    }

    fn ran<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let ran: Ran = self.command(arguments).output().unwrap().into();
        if let Some(key) = &self.key {
            assert!(!ran.stdout.contains(key), "the key is in the events");
            assert!(!ran.stderr.contains(key), "the key is in what was told");
            for file in files(self.workspace.root()) {
                let bytes = std::fs::read(&file).unwrap_or_default();
                let found = bytes.windows(key.len()).any(|part| part == key.as_bytes());
                assert!(!found, "the key is in {}", file.display());
            }
        }
        ran
    }

    pub fn arguments(&self, more: &[&str]) -> Vec<String> {
        let config = self.config();
        let fixed = ["run", &config, "--json", "--annotator", "ann"];
        fixed.iter().chain(more).map(ToString::to_string).collect()
    }

    /// Runs the task.
    pub fn run(&self) -> Ran {
        self.ran(&self.arguments(&[]))
    }

    /// Runs the task steered by a script.
    pub fn drive(&self, script: &[Value]) -> Ran {
        let path = self.workspace.root().join("script.jsonl");
        let lines: Vec<String> = script.iter().map(Value::to_string).collect();
        write(&path, &lines.join("\n"));
        self.ran(&self.arguments(&["--script", &path.display().to_string()]))
    }

    /// Waits for what the server sees.
    pub fn wait_for<T>(&self, seen: impl Future<Output = T>) -> T {
        self.runtime.block_on(seen)
    }

    /// Goes on with a session; the result stays in the project.
    pub fn resume(&self, session: &str) -> Ran {
        self.ran(&["run", "--resume", session, "--json", "--keep"])
    }

    /// What the model was told in request `number`, from its first words on.
    pub fn told(&self, number: usize) -> Vec<Value> {
        let chats = self.server.chats();
        conversation(&chats[number])[1..].to_vec()
    }

    /// A call that writes a file of the project.
    pub fn write_call(project: &Path, path: &str, content: &str) -> (&'static str, Value) {
        let input = json!({"file_path": project.join(path), "content": content});
        ("Write", input)
    }
}

/// The program that `make test-peers` fetched.
pub fn claude() -> PathBuf {
    let path = std::env::var_os("ESPALIER_PEER_CLAUDE").map(PathBuf::from);
    path.expect("run these tests with: make test-peers")
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

/// The statuses of a run's steps.
pub fn statuses(ran: &Ran) -> Vec<String> {
    let finished = ran.events_of("step_finished");
    let status = |body: &Value| body["result"]["status"].as_str().unwrap().to_owned();
    finished.iter().map(status).collect()
}

/// A user's turn of results and words, in the form of the API.
pub fn user(blocks: Value) -> Value {
    json!({"role": "user", "content": blocks})
}

pub fn result(id: &Value, content: &Value) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": content})
}

pub fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

//! A project, a configuration for a scripted server, and the program run on them.

use espalier_tests::anthropic_server::{AnthropicServer, KEY, MODEL, Reply};
use espalier_tests::program::{Ran, command};
use espalier_tests::project::{Workspace, write};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::runtime::Runtime;

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyIn {
    Environment(String),
    DotEnv(String),
    Nowhere,
}

pub struct Bench {
    // Before the runtime: it ends on it.
    pub server: AnthropicServer,
    runtime: Runtime,
    pub workspace: Workspace,
    url: String,
    model: String,
    /// Further lines under `live_agent`.
    live_agent: String,
    /// Further lines under `live_agent.anthropic`.
    anthropic: String,
    key: KeyIn,
}

impl Bench {
    pub fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let runtime = runtime();
        let server = runtime.block_on(AnthropicServer::start(script));
        Self {
            url: server.url(),
            server,
            runtime,
            workspace: Workspace::new(&[("a.txt", "zero\n")]),
            model: MODEL.to_owned(),
            live_agent: String::new(),
            anthropic: String::new(),
            key: KeyIn::Environment(KEY.to_owned()),
        }
    }

    /// Where no server is, until `start_server`.
    pub fn nowhere() -> Self {
        let mut bench = Self::new([]);
        let other = bench.runtime.block_on(AnthropicServer::start([]));
        let server = std::mem::replace(&mut bench.server, other);
        bench.runtime.block_on(server.stop());
        bench
    }

    /// Starts a server where the configuration looks for it.
    pub fn start_server(&mut self) {
        let address = self.url.trim_start_matches("http://");
        self.server = self
            .runtime
            .block_on(AnthropicServer::start_at(address, []));
    }

    pub fn model(mut self, model: &str) -> Self {
        self.model = model.to_owned();
        self
    }

    pub fn live_agent(mut self, lines: &str) -> Self {
        self.live_agent = lines.to_owned();
        self
    }

    pub fn anthropic(mut self, lines: &str) -> Self {
        self.anthropic = lines.to_owned();
        self
    }

    pub fn key(mut self, key: KeyIn) -> Self {
        self.key = key;
        self
    }

    /// Another key for what runs next.
    pub fn set_key(&mut self, key: KeyIn) {
        self.key = key;
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let lines = format!(
            "  backend: anthropic\n  model: {}\n  anthropic:\n    api_key: ${{ANTHROPIC_API_KEY}}\n    \
             base_url: {}\n{}{}",
            self.model, self.url, self.anthropic, self.live_agent,
        );
        let config = self.workspace.configure(&lines, &json!({}));
        let config = config.display().to_string();
        let fixed = ["run", &config, "--json", "--annotator", "ann"];
        fixed.iter().chain(more).map(ToString::to_string).collect()
    }

    /// The program with the key where it is to be found.
    fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let dot_env = self.workspace.root().join(".env");
        let mut command = command(&self.workspace.data(), arguments);
        match &self.key {
            KeyIn::Environment(key) => {
                command.env("ANTHROPIC_API_KEY", key);
            }
            KeyIn::DotEnv(key) => {
                write(&dot_env, &format!("# mine\nANTHROPIC_API_KEY=\"{key}\"\n"));
            }
            KeyIn::Nowhere => {}
        }
        if !matches!(self.key, KeyIn::DotEnv(_)) && dot_env.exists() {
            std::fs::remove_file(dot_env).unwrap();
        }
        command
    }

    fn ran<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let ran: Ran = self.command(arguments).output().unwrap().into();
        self.keeps_the_secret(&ran);
        ran
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

    /// Starts the task.
    pub fn start(&self) -> Child {
        let mut command = self.command(&self.arguments(&[]));
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Goes on with a session; the result stays in the project.
    pub fn resume(&self, session: &str) -> Ran {
        self.ran(&["run", "--resume", session, "--json", "--keep"])
    }

    /// Waits for what the server sees.
    pub fn wait_for<T>(&self, seen: impl Future<Output = T>) -> T {
        self.runtime.block_on(seen)
    }

    /// The last session's tree as the annotator's file has it.
    pub fn tree(&self) -> Value {
        let text = std::fs::read_to_string(self.workspace.output().join("ann.jsonl")).unwrap();
        serde_json::from_str(text.lines().next_back().unwrap()).unwrap()
    }

    /// The key is in nothing that was said and in no file but the one it was put in.
    pub fn keeps_the_secret(&self, ran: &Ran) {
        let (KeyIn::Environment(key) | KeyIn::DotEnv(key)) = &self.key else {
            return;
        };
        assert!(!ran.stdout.contains(key), "the key is in the events");
        assert!(!ran.stderr.contains(key), "the key is in what was told");
        for file in files(self.workspace.root()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            let found = bytes.windows(key.len()).any(|part| part == key.as_bytes());
            let own = file.file_name().is_some_and(|name| name == ".env");
            assert!(own || !found, "the key is in {}", file.display());
        }
    }

    /// The session of a failed run goes on from where it was, and nothing of it is lost.
    pub fn goes_on(&self, ran: &Ran) {
        let put_back = "the project is put back";
        assert_eq!(self.workspace.read("a.txt"), "zero\n", "{put_back}");
        self.server.then(write_file("b.txt", "two\n"));
        self.server.then(Reply::say("Done."));
        let resumed = self.resume(&ran.session()).expect_code(0);
        assert_eq!(self.workspace.read("a.txt"), "one\n");
        assert_eq!(self.workspace.read("b.txt"), "two\n");
        let (past, all) = (ran.stored(), resumed.stored());
        assert_eq!(past, all[..past.len()], "what was recorded is kept");
        let tree = self.tree();
        let steps = tree["root_branch"]["steps"].as_array().unwrap();
        let files: Vec<Option<&str>> = steps.iter().map(|step| step["file"].as_str()).collect();
        assert_eq!(files, [Some("a.txt"), Some("b.txt"), None]);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// A call that writes a file.
pub fn write_file(path: &str, content: &str) -> Reply {
    Reply::default().and_write(path, content)
}

/// A call that writes a file, after what a reply has already.
pub trait AndWrite {
    #[must_use]
    fn and_write(self, path: &str, content: &str) -> Self;
}

impl AndWrite for Reply {
    fn and_write(self, path: &str, content: &str) -> Self {
        self.and_call("write_file", json!({"path": path, "content": content}))
    }
}

/// The messages of a request from the model's first on, without the marks for the cache.
pub fn after_the_task(chat: &Value) -> Vec<Value> {
    unmarked(chat)["messages"].as_array().unwrap()[1..].to_vec()
}

/// A request without the marks for the cache in its messages.
pub fn unmarked(chat: &Value) -> Value {
    let mut chat = chat.clone();
    for message in chat["messages"].as_array_mut().unwrap() {
        for block in message["content"].as_array_mut().unwrap() {
            block.as_object_mut().unwrap().remove("cache_control");
        }
    }
    chat
}

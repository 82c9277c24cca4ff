//! Running the built `espalier` program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program under test: `ESPALIER_BIN`, else the debug build beside the tests.
///
/// # Panics
/// When it has not been built.
pub fn espalier() -> PathBuf {
    let path = std::env::var_os("ESPALIER_BIN").map_or_else(beside_the_tests, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing; build it first: cargo build -p espalier",
        path.display()
    );
    path
}

/// Test binaries lie in `TARGET/debug/deps`, the program in `TARGET/debug`.
fn beside_the_tests() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let folder = test
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new("."));
    folder.join("espalier")
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The run, if it ended with that code.
    ///
    /// # Panics
    /// With all its output when it ended otherwise.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        let told: Vec<&str> = self.stdout.lines().rev().take(20).collect();
        let told: Vec<String> = told
            .into_iter()
            .rev()
            .map(|line| line.chars().take(300).collect())
            .collect();
        assert_eq!(
            self.code,
            code,
            "stdout:\n{}\nstderr:\n{}",
            told.join("\n"),
            self.stderr
        );
        self
    }

    /// Its standard output as JSON lines.
    ///
    /// # Panics
    /// When a line is not JSON.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| match serde_json::from_str(line) {
                Ok(value) => value,
                Err(error) => panic!("{error}: {line}"),
            })
            .collect()
    }

    /// The bodies of its events of that type.
    pub fn events_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let events = self.events().into_iter();
        events
            .map(|mut event| event["body"].take())
            .filter(|body| body["type"] == kind)
            .collect()
    }

    /// The session that it is about.
    pub fn session(&self) -> String {
        let events = self.events();
        let first = events.first().map(|event| &event["session"]);
        let session = first.and_then(serde_json::Value::as_str);
        session.unwrap_or_default().to_owned()
    }

    /// The events that were recorded: each has a number of its own.
    pub fn stored(&self) -> Vec<serde_json::Value> {
        let mut last = 0;
        let mut events = self.events();
        events.retain(|event| {
            let seq = event["seq"].as_u64().unwrap_or_default();
            let new = seq > last;
            last = last.max(seq);
            new
        });
        events
    }

    /// What a started run left when it ended.
    ///
    /// # Panics
    /// When its end cannot be seen.
    pub fn ended(child: Child) -> Self {
        match child.wait_with_output() {
            Ok(output) => output.into(),
            Err(error) => panic!("the end of espalier is not known: {error}"),
        }
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command of the program on its own data folder, with nothing of the caller's settings.
pub fn command<I, S>(data_dir: &Path, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(espalier());
    command
        .args(args)
        .env("ESPALIER_DATA_DIR", data_dir)
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run<I, S>(data_dir: &Path, args: I) -> Ran
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    match command(data_dir, args).output() {
        Ok(output) => output.into(),
        Err(error) => panic!("espalier did not start: {error}"),
    }
}

/// Starts the program with its standard output piped.
///
/// # Panics
/// When it cannot be started.
pub fn start<I, S>(data_dir: &Path, args: I) -> Child
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let started = command(data_dir, args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match started {
        Ok(child) => child,
        Err(error) => panic!("espalier did not start: {error}"),
    }
}

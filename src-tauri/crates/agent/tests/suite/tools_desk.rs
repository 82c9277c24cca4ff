//! A project directory with a toolbox on it, for the tool tests.

use espalier_agent::tools::{MAX_PROCESSES, Toolbox, ToolboxOptions};
use espalier_protocol::worker::ToolOutcome;
use espalier_protocol::{StepStatus, ToolName};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; a test that reaches it has failed.
pub const FOR_EVER: Duration = Duration::from_secs(600);

pub struct Desk {
    _root: TempDir,
    pub project: PathBuf,
    pub spool: PathBuf,
    /// A directory beside the project that no tool may reach.
    pub outside: PathBuf,
    pub toolbox: Toolbox,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(&ToolName::ALL, FOR_EVER)
    }

    pub fn with(tools: &[ToolName], timeout: Duration) -> Self {
        Self::of(tools, timeout, MAX_PROCESSES)
    }

    pub fn of(tools: &[ToolName], timeout: Duration, max_processes: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().canonicalize().unwrap();
        let (project, outside) = (base.join("project"), base.join("outside"));
        let spool = base.join("spool");
        std::fs::create_dir(&project).unwrap();
        std::fs::create_dir(&outside).unwrap();
        let toolbox = Toolbox::open(ToolboxOptions {
            project_dir: project.clone(),
            spool_dir: spool.clone(),
            tools: tools.to_vec(),
            timeout,
            max_processes,
            secret: espalier_agent::Secret::default(),
        })
        .unwrap();
        Self {
            _root: root,
            project,
            spool,
            outside,
            toolbox,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.project.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn link(&self, name: &str, target: impl AsRef<Path>) {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
    }

    pub async fn run(&self, tool: &str, input: Value) -> ToolOutcome {
        self.toolbox
            .run(
                "call_1",
                tool,
                &input,
                &mut |_, _| {},
                CancellationToken::new(),
            )
            .await
    }

    /// Runs a call that must succeed; what the model reads.
    pub async fn ok(&self, tool: &str, input: Value) -> String {
        let outcome = self.run(tool, input).await;
        assert_eq!(outcome.status, StepStatus::Ok, "{}", outcome.content);
        outcome.content
    }

    /// Runs a call that must fail and touch nothing; what the model reads.
    pub async fn fails(&self, tool: &str, input: Value) -> String {
        let outcome = self.run(tool, input).await;
        assert_eq!(outcome.status, StepStatus::ToolError, "{}", outcome.content);
        assert_eq!(
            outcome.touched,
            espalier_protocol::worker::Touched::Nothing,
            "{}",
            outcome.content
        );
        outcome.content
    }

    /// Names of everything in the project's top directory.
    pub fn entries(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.project)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Whatever a test comes to, nothing of it goes on: everything that works under its directory is
/// killed, whether or not the code under test finds it.
impl Drop for Desk {
    fn drop(&mut self) {
        let base = self.project.parent().unwrap_or(&self.project);
        for _ in 0..100 {
            let left = working_under(base);
            if left.is_empty() {
                return;
            }
            for pid in left {
                // One that ended meanwhile is as wanted.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(
            std::thread::panicking(),
            "processes still work under {}",
            base.display()
        );
    }
}

fn working_under(dir: &Path) -> Vec<rustix::process::Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let works_in = std::fs::read_link(entry.path().join("cwd")).ok()?;
            works_in.starts_with(dir).then_some(pid)
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

/// Whether a process still runs: it is there and no zombie.
pub fn runs(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat.rsplit(") ").next().unwrap().chars().next().unwrap();
    !matches!(state, 'Z' | 'X')
}

/// The process ids that a command wrote into a file, one a line.
pub fn pids(path: &Path) -> Vec<i32> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| line.trim().parse().unwrap())
        .collect()
}

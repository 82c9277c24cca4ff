//! A project with its repository, a store, and a way to see every byte of both.

use espalier_checkpoint::{
    BeginRequest, Begun, CaptureLimits, CheckpointRequest, Checkpoints, CommitInfo, Dirty,
    OpenRequest, RestoreReport,
};
use espalier_protocol::{BranchId, Checkpoint, CheckpointId, SessionId};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What stands at a path: full mode and content (a link's target).
pub type Listing = BTreeMap<Vec<u8>, (u32, Vec<u8>)>;

pub struct Lab {
    pub temp: TempDir,
    pub repository: PathBuf,
    pub project: PathBuf,
    pub store: PathBuf,
}

impl Lab {
    /// A repository with one commit.
    pub fn new() -> Self {
        let lab = Self::empty();
        lab.write("a.txt", "one\n");
        lab.write("src/lib.py", "def f():\n    return 1\n");
        lab.write("src/deep/x.py", "x = 1\n");
        lab.commit_all("start");
        lab
    }

    /// A repository without a commit.
    pub fn empty() -> Self {
        let temp = TempDir::new().unwrap();
        let repository = temp.path().canonicalize().unwrap().join("project dir");
        fs::create_dir(&repository).unwrap();
        let lab = Self {
            project: repository.clone(),
            store: temp.path().canonicalize().unwrap().join("store"),
            repository,
            temp,
        };
        lab.git(&["init", "-q", "--template=", "-b", "main"]);
        lab.git(&["config", "user.name", "Ada Lovelace"]);
        lab.git(&["config", "user.email", "ada@example.org"]);
        lab
    }

    /// A lab that another process made.
    pub fn at(dir: PathBuf) -> Self {
        // Its own folder is not used; the other process removes the real one.
        let temp = TempDir::with_prefix("unused-").unwrap();
        let repository = dir.canonicalize().unwrap().join("project dir");
        Self {
            project: repository.clone(),
            store: dir.canonicalize().unwrap().join("store"),
            repository,
            temp,
        }
    }

    pub fn commit_all(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.project.join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.path(path)).unwrap()).unwrap()
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    pub fn exists(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    pub fn chmod(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Runs a shell command in the project, as an agent would.
    pub fn sh(&self, command: &str) -> Output {
        let output = git_environment(Command::new("sh"), &self.temp)
            .args(["-c", command])
            .current_dir(&self.project)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    pub fn git_in(&self, dir: &Path, arguments: &[&str]) -> String {
        let output = git_environment(Command::new("git"), &self.temp)
            .args(arguments)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.repository, arguments)
    }

    pub fn request(&self, session: &str) -> OpenRequest {
        OpenRequest {
            project_dir: self.project.clone(),
            store_dir: self.store.clone(),
            session: SessionId::new(session),
            shared: None,
            exclude: Vec::new(),
            limits: CaptureLimits::default(),
            include_ignored: Vec::new(),
        }
    }

    pub fn open(&self) -> Checkpoints {
        Checkpoints::open(self.request("abc123")).unwrap()
    }

    /// An open session that has begun.
    pub fn begin(&self) -> Run {
        self.begin_with(CaptureLimits::default())
    }

    /// The same with another limit on untracked files.
    pub fn begin_with(&self, limits: CaptureLimits) -> Run {
        self.begin_as(OpenRequest {
            limits,
            ..self.request("abc123")
        })
    }

    /// The same with what was asked for.
    pub fn begin_as(&self, request: OpenRequest) -> Run {
        let mut checkpoints = Checkpoints::open(request).unwrap();
        let begun = begin(&mut checkpoints);
        Run {
            checkpoints,
            head: begun.base.id.clone(),
            begun,
            step: 0,
        }
    }

    /// Everything in the project but `.git`, with full modes and bytes.
    pub fn listing(&self) -> Listing {
        let mut found = Listing::new();
        list(&self.project, &self.project, &mut found, &|path| {
            path.file_name() == Some(OsStr::new(".git"))
        });
        found
    }

    /// Everything in `.git` but what may grow: objects and what a published branch needs.
    pub fn git_listing(&self) -> Listing {
        let mut found = Listing::new();
        let git = self.repository.join(".git");
        list(&git, &git, &mut found, &|path| {
            let text = path.to_string_lossy();
            path == git.join("objects")
                || text.contains("potato-session")
                || text.contains("refs/espalier")
        });
        // Folders come and go with what is in them.
        found.retain(|_, (mode, _)| *mode & 0o170_000 != 0o040_000);
        found
    }
}

/// Compares two listings and names only what differs.
#[track_caller]
pub fn assert_same(now: &Listing, then: &Listing) {
    let names: BTreeSet<&Vec<u8>> = now.keys().chain(then.keys()).collect();
    let show = |listing: &Listing, name: &Vec<u8>| match listing.get(name) {
        Some((mode, bytes)) => format!(
            "{mode:o} {:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(200)])
        ),
        None => "nothing".to_owned(),
    };
    let different: Vec<String> = names
        .into_iter()
        .filter(|name| now.get(*name) != then.get(*name))
        .map(|name| {
            format!(
                "{}: {} instead of {}",
                String::from_utf8_lossy(name),
                show(now, name),
                show(then, name)
            )
        })
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// No configuration, hook or identity of the machine.
fn git_environment(mut command: Command, temp: &TempDir) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.as_bytes().starts_with(b"GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", temp.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        // The tests cut no power.
        .env("GIT_TEST_FSYNC", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

pub fn list(root: &Path, dir: &Path, found: &mut Listing, skip: &dyn Fn(&Path) -> bool) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if skip(&path) {
            continue;
        }
        let meta = path.symlink_metadata().unwrap();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .as_os_str()
            .as_bytes()
            .to_vec();
        let content = if meta.is_symlink() {
            fs::read_link(&path)
                .unwrap()
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else if meta.is_file() {
            fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        let mode = if meta.is_symlink() {
            0o120_000
        } else {
            meta.mode()
        };
        found.insert(name, (mode, content));
        if meta.is_dir() {
            list(root, &path, found, skip);
        }
    }
}

pub fn begin(checkpoints: &mut Checkpoints) -> Begun {
    checkpoints
        .begin(&BeginRequest::default(), &mut |_, _| {})
        .unwrap()
}

/// A session under way.
pub struct Run {
    pub checkpoints: Checkpoints,
    pub begun: Begun,
    pub head: CheckpointId,
    step: u32,
}

impl Run {
    /// A checkpoint of all that changed; the head moves to it.
    pub fn step(&mut self) -> Checkpoint {
        self.step_of(Dirty::Watched)
    }

    pub fn step_of(&mut self, dirty: Dirty) -> Checkpoint {
        self.step += 1;
        let request = CheckpointRequest {
            dirty,
            parent: self.head.clone(),
            info: CommitInfo {
                session: SessionId::new("abc123"),
                branch: BranchId::main(),
                step: Some(self.step),
                message: format!("Step {}: bash", self.step),
            },
        };
        let checkpoint = self.checkpoints.checkpoint(&request).unwrap();
        self.head = checkpoint.id.clone();
        checkpoint
    }

    /// Opens the session anew, as after the end of the process.
    pub fn reopen(&mut self, lab: &Lab) {
        self.reopen_with(lab, CaptureLimits::default());
    }

    /// The same with another limit on untracked files.
    pub fn reopen_with(&mut self, lab: &Lab, limits: CaptureLimits) {
        // The lock is let go of before it is taken again.
        let parked = Lab::new();
        let old = std::mem::replace(&mut self.checkpoints, parked.open());
        drop(old);
        let request = OpenRequest {
            limits,
            ..lab.request("abc123")
        };
        self.checkpoints = Checkpoints::open(request).unwrap();
    }

    /// Brings the files to a checkpoint; the head moves to it.
    pub fn restore(&mut self, target: &CheckpointId) -> RestoreReport {
        let plan = self.checkpoints.plan_restore(&self.head, target).unwrap();
        let report = self.checkpoints.restore(&plan).unwrap();
        self.head = target.clone();
        report
    }
}

/// The paths of a checkpoint's changes.
pub fn paths(checkpoint: &Checkpoint) -> Vec<&str> {
    checkpoint
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect()
}

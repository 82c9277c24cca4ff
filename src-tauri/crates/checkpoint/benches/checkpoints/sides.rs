//! Two equal repositories: one under our checkpoints, one for the git command.

use crate::repository;
use espalier_checkpoint::{
    BeginRequest, CaptureLimits, CheckpointRequest, Checkpoints, CommitInfo, Dirty, OpenRequest,
};
use espalier_protocol::{BranchId, Checkpoint, CheckpointId, SessionId};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Files in the one flat directory of the larger repositories.
pub const FLAT: usize = 5_000;

pub struct Sides {
    folder: TempDir,
    pub checkpoints: Checkpoints,
    pub head: CheckpointId,
    pub files: Vec<String>,
    number: u64,
}

/// Opens a project and begins a session on it.
pub fn begin(project: &Path, store: &Path) -> (Checkpoints, CheckpointId) {
    let mut checkpoints = Checkpoints::open(OpenRequest {
        project_dir: project.to_owned(),
        store_dir: store.to_owned(),
        session: SessionId::new("bench"),
        shared: None,
        exclude: Vec::new(),
        limits: CaptureLimits::default(),
        include_ignored: Vec::new(),
    })
    .unwrap();
    let begun = checkpoints
        .begin(&BeginRequest::default(), &mut |_, _| {})
        .unwrap();
    (checkpoints, begun.base.id)
}

/// Takes a checkpoint on top of `head`.
pub fn take(checkpoints: &mut Checkpoints, head: &CheckpointId, dirty: Dirty) -> Checkpoint {
    checkpoints
        .checkpoint(&CheckpointRequest {
            dirty,
            parent: head.clone(),
            info: CommitInfo {
                session: SessionId::new("bench"),
                branch: BranchId::main(),
                step: Some(0),
                message: "Step 0: edit_file".to_owned(),
            },
        })
        .unwrap()
}

impl Sides {
    pub fn new(files: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("ours");
        if files > FLAT {
            for number in 0..FLAT {
                let path = ours.join(format!("flat/file{number}.txt"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, format!("line of flat file {number}\n").repeat(80)).unwrap();
            }
            repository::make(&ours, files - FLAT);
        } else {
            repository::make(&ours, files);
        }
        let copied = Command::new("cp")
            .arg("-a")
            .args([&ours, &folder.path().join("git")])
            .status();
        assert!(copied.unwrap().success());
        let listed = repository::some_files(&ours);
        let (checkpoints, head) = begin(&ours, &folder.path().join("store"));
        let mut sides = Self {
            folder,
            checkpoints,
            head,
            files: listed,
            number: 0,
        };
        // Both sides warm: the index's times settle and caches fill.
        for _ in 0..3 {
            let file = sides.file();
            sides.edit(&file);
            sides.commit();
            sides.take(Dirty::Paths(vec![file]));
        }
        sides
    }

    pub fn ours(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    pub fn git(&self) -> PathBuf {
        self.folder.path().join("git")
    }

    /// A file of the repository, another one each time.
    pub fn file(&mut self) -> String {
        self.number += 1;
        // A step that is coprime to the count visits all before it repeats.
        let place = (self.number as usize).wrapping_mul(7_919) % self.files.len();
        self.files[place].clone()
    }

    /// Changes a file on both sides in the same way.
    pub fn edit(&mut self, file: &str) {
        self.number += 1;
        for side in [self.ours(), self.git()] {
            let path = side.join(file);
            let mut text = std::fs::read_to_string(&path).unwrap_or_default();
            text.push_str(&format!("edit {}\n", self.number));
            std::fs::write(path, text).unwrap();
        }
    }

    pub fn remove(&self, file: &str) {
        for side in [self.ours(), self.git()] {
            std::fs::remove_file(side.join(file)).unwrap();
        }
    }

    pub fn take(&mut self, dirty: Dirty) {
        let taken = take(&mut self.checkpoints, &self.head, dirty);
        assert!(taken.created);
        self.head = taken.id;
    }

    pub fn commit(&self) {
        repository::commit_all(&self.git());
    }

    pub fn run(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.git())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

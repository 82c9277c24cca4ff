//! Directories of their own for branches, with repositories of their own.

use super::lab::{Lab, assert_same, list};
use espalier_checkpoint::{
    BeginRequest, CheckpointReader, CheckpointRequest, Checkpoints, CommitInfo, Dirty, OpenRequest,
    SharedStore, WorktreeRequest, carry, make_worktree,
};
use espalier_protocol::session::{Carried, CarryBy};
use espalier_protocol::{BranchId, CheckpointId, SessionId};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a worktree with the files of a checkpoint.
fn worktree(lab: &Lab, name: &str, target: &CheckpointId) -> (PathBuf, Checkpoints) {
    let folder = lab.temp.path().canonicalize().unwrap().join(name);
    let dir = make_worktree(&WorktreeRequest {
        project_dir: lab.project.clone(),
        store_dir: lab.store.clone(),
        root: folder.join("files"),
    })
    .unwrap();
    let mut checkpoints = Checkpoints::open(OpenRequest {
        project_dir: dir.clone(),
        store_dir: folder.join("store"),
        shared: Some(SharedStore {
            project_dir: lab.project.clone(),
            store_dir: lab.store.clone(),
        }),
        ..lab.request("session")
    })
    .unwrap();
    let begun = checkpoints
        .begin(&BeginRequest::default(), &mut |_, _| {})
        .unwrap();
    let plan = checkpoints.plan_restore(&begun.base.id, target).unwrap();
    checkpoints.restore(&plan).unwrap();
    (dir, checkpoints)
}

fn files_of(dir: &Path) -> super::lab::Listing {
    let mut found = super::lab::Listing::new();
    list(dir, dir, &mut found, &|path| path.ends_with(".git"));
    found
}

#[test]
fn it_has_the_files_of_its_checkpoint_and_its_checkpoints_are_the_projects() {
    let lab = Lab::new();
    lab.write("new file.txt", "not committed\n");
    lab.chmod("a.txt", 0o600);
    lab.sh("mkdir empty && ln -s a.txt link");
    let run = lab.begin();
    let (before, repository) = (lab.listing(), lab.git_listing());
    let (dir, mut checkpoints) = worktree(&lab, "one", &run.head);
    assert_same(&files_of(&dir), &before);
    fs::write(dir.join("a.txt"), "in the worktree\n").unwrap();
    let made = checkpoints
        .checkpoint(&CheckpointRequest {
            dirty: Dirty::Watched,
            parent: run.head,
            info: CommitInfo {
                session: SessionId::new("session"),
                branch: BranchId::new("branch_1"),
                step: Some(0),
                message: "Step 0".to_owned(),
            },
        })
        .unwrap();
    assert_eq!(made.changes.len(), 1, "{:?}", made.changes);
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    assert_eq!(
        reader.file(&made.id, "a.txt").unwrap(),
        b"in the worktree\n"
    );
    // The project and its repository are as they were, byte for byte.
    assert_same(&lab.listing(), &before);
    assert_same(&lab.git_listing(), &repository);
}

#[test]
fn git_works_in_it_and_reaches_nothing_of_the_users() {
    let lab = Lab::new();
    lab.write("a.txt", "stashed\n");
    lab.git(&["stash", "-q"]);
    lab.write("a.txt", "staged\n");
    lab.git(&["add", "a.txt"]);
    let run = lab.begin();
    let repository = lab.git_listing();
    let (dir, _checkpoints) = worktree(&lab, "one", &run.head);
    // It starts as the user's stands: branch, staged work, stash.
    assert_eq!(lab.git_in(&dir, &["status", "--porcelain"]), "M  a.txt");
    assert_eq!(lab.git_in(&dir, &["branch", "--show-current"]), "main");
    assert!(lab.git_in(&dir, &["stash", "list"]).contains("stash@{0}"));
    lab.git_in(&dir, &["commit", "-q", "-m", "the agent's"]);
    lab.git_in(&dir, &["stash", "drop", "-q"]);
    lab.git_in(&dir, &["checkout", "-q", "-b", "agents"]);
    lab.git_in(&dir, &["tag", "agents"]);
    lab.git_in(&dir, &["gc", "-q"]);
    lab.git_in(&dir, &["fsck", "--no-dangling"]);
    assert_same(&lab.git_listing(), &repository);
}

#[test]
fn a_linked_worktree_of_the_users_can_be_the_project() {
    let lab = Lab::new();
    lab.git(&["worktree", "add", "-q", "-b", "side", "../side"]);
    let side = lab.repository.parent().unwrap().join("side");
    let lab = Lab {
        project: side.clone(),
        ..lab
    };
    fs::write(side.join("a.txt"), "side\n").unwrap();
    let run = lab.begin();
    let (dir, _checkpoints) = worktree(&lab, "one", &run.head);
    assert_eq!(fs::read_to_string(dir.join("a.txt")).unwrap(), "side\n");
    assert_eq!(lab.git_in(&dir, &["branch", "--show-current"]), "side");
    assert_eq!(
        PathBuf::from(lab.git_in(&dir, &["rev-parse", "--show-toplevel"])),
        dir
    );
}

#[test]
fn what_is_carried_has_its_links_modes_and_times() {
    let lab = Lab::new();
    lab.sh("mkdir -p node_modules/.bin node_modules/tool && echo run > node_modules/tool/cli.js && chmod 755 node_modules/tool/cli.js && ln -s ../tool/cli.js node_modules/.bin/tool && touch -d 2001-02-03 node_modules/tool/cli.js && echo secret > .env && chmod 600 .env");
    let into = lab.temp.path().join("into");
    fs::create_dir(&into).unwrap();
    let carried = |path: &str, by| Carried {
        path: path.to_owned(),
        by,
    };
    let what = [
        carried("node_modules", CarryBy::Reflink),
        carried(".env", CarryBy::HardLink),
        carried("missing", CarryBy::Copy),
    ];
    let missing = carry(&lab.project, &into, &what, &mut |_| {}).unwrap();
    assert_eq!(missing, ["missing"]);
    let script = into.join("node_modules/tool/cli.js");
    let (now, then) = (
        fs::metadata(&script).unwrap(),
        fs::metadata(lab.path("node_modules/tool/cli.js")).unwrap(),
    );
    assert_eq!(now.permissions().mode() & 0o777, 0o755);
    assert_eq!(now.modified().unwrap(), then.modified().unwrap());
    assert_ne!(now.ino(), then.ino());
    assert_eq!(
        fs::read_link(into.join("node_modules/.bin/tool")).unwrap(),
        Path::new("../tool/cli.js")
    );
    let (now, then) = (
        fs::metadata(into.join(".env")).unwrap(),
        fs::metadata(lab.path(".env")).unwrap(),
    );
    assert_eq!(now.ino(), then.ino());
    // A change in place of what was not hard-linked stays in the worktree.
    fs::write(&script, "changed").unwrap();
    assert_eq!(lab.read("node_modules/tool/cli.js"), "run\n");
}

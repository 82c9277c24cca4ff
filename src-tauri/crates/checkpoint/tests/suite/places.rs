//! Where a project may lie: subdirectory, linked work tree, other file system; and who may have it.

use super::lab::{Lab, assert_same, begin, list, paths};
use espalier_checkpoint::{BeginRequest, CheckpointError, Checkpoints, lock_owner};
use espalier_protocol::ErrorCode;
use std::fs;
use std::path::Path;

#[test]
fn only_the_project_directory_is_ours() {
    let mut lab = Lab::new();
    lab.write("packages/app/main.py", "1\n");
    lab.write("packages/app/.gitignore", "*.tmp\n");
    lab.write(".gitignore", "*.cache\n/packages/app/dist/\n");
    lab.commit_all("app");
    lab.write("a.txt", "dirty outside\n");
    lab.project = lab.repository.join("packages/app");
    lab.write("x.cache", "c\n");
    lab.write("x.tmp", "t\n");
    lab.write("dist/out", "o\n");
    let mut run = lab.begin();
    assert!(run.begun.carried.is_empty(), "{:?}", run.begun.carried);
    assert_eq!(run.head.as_str(), lab.git(&["rev-parse", "HEAD"]));
    fs::write(lab.repository.join("src/lib.py"), "outside\n").unwrap();
    lab.write("main.py", "2\n");
    lab.write("new/x.py", "x\n");
    let step = run.step();
    assert_eq!(paths(&step), ["main.py", "new/x.py"]);
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    assert_eq!(
        lab.git(&["diff", "--name-only", "main", "potato-session-abc123"]),
        "packages/app/main.py\npackages/app/new/x.py"
    );
    run.restore(&run.begun.base.id.clone());
    assert_eq!(lab.read("main.py"), "1\n");
    assert_eq!(
        fs::read(lab.repository.join("src/lib.py")).unwrap(),
        b"outside\n"
    );
    assert_eq!(
        fs::read(lab.repository.join("a.txt")).unwrap(),
        b"dirty outside\n"
    );
}

#[test]
fn a_linked_work_tree_is_a_project() {
    let mut lab = Lab::new();
    let linked = lab.temp.path().canonicalize().unwrap().join("linked");
    lab.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "wt",
        linked.to_str().unwrap(),
    ]);
    let main = lab.listing();
    lab.project = linked;
    let (before, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    lab.sh("echo 2 > a.txt && git commit -qam agent");
    let step = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    run.checkpoints.put_back(false, &run.head).unwrap();
    assert_same(&lab.listing(), &before);
    assert_same(&lab.git_listing(), &git);
    lab.project = lab.repository.clone();
    assert_same(&lab.listing(), &main);
}

#[test]
fn a_store_on_another_file_system_loses_nothing() {
    let shm = Path::new("/dev/shm");
    if !shm.is_dir() {
        return;
    }
    let mut lab = Lab::new();
    let elsewhere = tempfile::TempDir::new_in(shm).unwrap();
    lab.store = elsewhere.path().join("store");
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo 2 > a.txt; rm -r src; git commit -qam x; git reset -q --hard HEAD~1; git checkout -q --orphan o; git rm -rqf .; echo 1 > o; git add o; git commit -qm o; git branch -D main; git reflog expire --expire=now --all; git gc -q --prune=now");
    let step = run.step();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&step.id);
    let report = run.checkpoints.put_back(false, &run.head).unwrap();
    assert!(report.left_alone.is_empty());
    assert_same(&lab.listing(), &before);
    lab.git(&["fsck", "--strict"]);
    assert_eq!(lab.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_sparse_checkout_keeps_what_it_left_out() {
    let lab = Lab::new();
    lab.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/src/deep/"]);
    assert!(!lab.exists("src/deep/x.py"));
    let mut run = lab.begin();
    assert!(run.begun.carried.is_empty(), "{:?}", run.begun.carried);
    assert_eq!(run.head.as_str(), lab.git(&["rev-parse", "HEAD"]));
    lab.write("a.txt", "two\n");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt"]);
    run.restore(&run.begun.base.id.clone());
    assert!(!lab.exists("src/deep"));
}

fn refusal(lab: &Lab) -> CheckpointError {
    match Checkpoints::open(lab.request("abc123")) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

#[test]
fn what_is_no_repository_is_refused_with_the_way_to_mend_it() {
    let mut lab = Lab::new();
    lab.project = lab.temp.path().canonicalize().unwrap().join("plain dir");
    fs::create_dir(&lab.project).unwrap();
    let error = refusal(&lab).to_app();
    assert_eq!(error.code, ErrorCode::NotARepository);
    assert_eq!(error.message, "Project directory is not a git repository");
    let cd = format!("cd '{}'", lab.project.display());
    for line in [
        cd.as_str(),
        "git init",
        "git add -A",
        "git commit -m \"Initial commit\"",
    ] {
        assert!(
            error.hint.lines().any(|other| other == line),
            "{line}: {}",
            error.hint
        );
    }
    assert!(!lab.project.join(".git").exists());

    let unborn = Lab::empty();
    let error = refusal(&unborn).to_app();
    assert_eq!(error.code, ErrorCode::NotARepository);
    assert!(
        error
            .message
            .starts_with("Project directory is not a git repository")
    );
    assert!(!error.hint.contains("git init") && error.hint.contains("git commit"));

    // What the app does when it is asked to: both can be worked on then, and no file has changed.
    let before = unborn.listing();
    for dir in [&lab.project, &unborn.project] {
        fs::write(dir.join("a file.txt"), "one\n").unwrap();
        espalier_checkpoint::initialise(dir, "Initial commit").unwrap();
        assert_eq!(lab.git_in(dir, &["status", "--porcelain"]), "");
        assert_eq!(lab.git_in(dir, &["log", "--format=%s"]), "Initial commit");
    }
    unborn.remove("a file.txt");
    assert_eq!(unborn.listing(), before);
    drop(Checkpoints::open(lab.request("abc123")).unwrap());
    // Never twice, and never over something that is there.
    assert!(espalier_checkpoint::initialise(&lab.project, "Again").is_err());

    lab.project = lab.temp.path().join("bare.git");
    lab.git(&["init", "-q", "--bare", lab.project.to_str().unwrap()]);
    assert!(refusal(&lab).to_app().message.contains("bare"));

    let corrupt = Lab::new();
    fs::write(
        corrupt.repository.join(".git/refs/heads/main"),
        "0123456789012345678901234567890123456789\n",
    )
    .unwrap();
    let error = refusal(&corrupt).to_app();
    assert_eq!(error.code, ErrorCode::RepositoryUnusable);
    assert!(error.hint.contains("git fsck"), "{error:?}");

    lab.project = lab.temp.path().join("missing");
    assert_eq!(refusal(&lab).to_app().code, ErrorCode::Io);
}

#[test]
fn uncommitted_work_is_refused_by_name_when_asked_for() {
    let lab = Lab::new();
    lab.write("a.txt", "two\n");
    lab.write("staged file", "s\n");
    lab.git(&["add", "staged file"]);
    lab.write("new/untracked", "u\n");
    lab.remove("src/lib.py");
    lab.write(".git/info/exclude", "*.o\n");
    lab.write("x.o", "ignored\n");
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut checkpoints = lab.open();
    let error = checkpoints
        .begin(
            &BeginRequest {
                require_clean: true,
            },
            &mut |_, _| {},
        )
        .unwrap_err()
        .to_app();
    assert_eq!(error.code, ErrorCode::DirtyWorkingDir);
    assert_eq!(
        error.details,
        ["a.txt", "new/untracked", "src/lib.py", "staged file"]
    );
    assert!(
        error.hint.contains("git stash") && error.hint.contains("require_clean_working_dir: false")
    );
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
}

#[test]
fn one_session_has_a_project_at_a_time() {
    let lab = Lab::new();
    assert!(lock_owner(&lab.project, &lab.store).is_none());
    let checkpoints = lab.open();
    let error = match Checkpoints::open(lab.request("second")) {
        Ok(_) => panic!("opened twice"),
        Err(error) => error,
    };
    let CheckpointError::Locked { owner } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (owner.session.as_str(), owner.pid),
        ("abc123", std::process::id())
    );
    assert_eq!(error.to_app().code, ErrorCode::ProjectLocked);
    assert!(lock_owner(&lab.project, &lab.store).unwrap().alive);
    drop(checkpoints);
    assert!(!lock_owner(&lab.project, &lab.store).unwrap().alive);
    Checkpoints::open(lab.request("second")).unwrap();
}

#[test]
fn a_parked_session_comes_back_over_what_the_user_did_meanwhile() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "agent\n");
    let step = run.step();
    run.checkpoints.put_back(false, &step.id).unwrap();
    assert_eq!(lab.read("a.txt"), "one\n");
    drop(run);
    lab.write("b.txt", "user\n");
    lab.commit_all("user");
    let before = lab.listing();
    let mut checkpoints = lab.open();
    let begun = begin(&mut checkpoints);
    let plan = checkpoints.plan_restore(&begun.base.id, &step.id).unwrap();
    checkpoints.restore(&plan).unwrap();
    assert_eq!(lab.read("a.txt"), "agent\n");
    assert!(!lab.exists("b.txt"));
    checkpoints.put_back(false, &step.id).unwrap();
    assert_same(&lab.listing(), &before);
}

#[test]
fn a_session_whose_process_died_is_taken_up_again() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    let step = run.step();
    lab.write("b.txt", "not in any checkpoint\n");
    // Nothing of the process is left but what is on disk.
    drop(run);
    let mut checkpoints = lab.open();
    assert!(checkpoints.resume(&step.id).unwrap().differs);
    assert_eq!(checkpoints.edited_by_hand(&step.id).unwrap(), ["b.txt"]);
    lab.remove("b.txt");
    assert!(checkpoints.edited_by_hand(&step.id).unwrap().is_empty());
    let other = Checkpoints::open(lab.request("never-began"));
    assert!(other.is_err());
    drop(checkpoints);
    let mut never = Checkpoints::open(lab.request("never-began")).unwrap();
    assert!(matches!(
        never.resume(&step.id),
        Err(CheckpointError::NotBegun { .. })
    ));
    let mut found = super::lab::Listing::new();
    list(&lab.store, &lab.store, &mut found, &|_| false);
    assert!(!found.is_empty());
}

//! Git around a session: hooks, locks, environment, and an agent that uses git itself.

use super::lab::{Lab, assert_same, paths};
use espalier_checkpoint::{CheckpointError, Dirty};
use std::fs;
use std::process::Command;

#[test]
fn hooks_and_signing_do_not_run() {
    let lab = Lab::new();
    let hooks = lab.repository.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-commit",
        "post-commit",
        "commit-msg",
        "reference-transaction",
        "post-checkout",
        "pre-auto-gc",
        "post-index-change",
    ] {
        fs::write(
            hooks.join(hook),
            "#!/bin/sh\ntouch \"$GIT_DIR/../../hook-ran\" ../hook-ran\nexit 1\n",
        )
        .unwrap();
        fs::set_permissions(
            hooks.join(hook),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
    }
    lab.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]);
    lab.git(&["config", "core.fsmonitor", "touch ../hook-ran"]);
    lab.git(&["config", "commit.gpgsign", "true"]);
    lab.git(&["config", "gpg.program", "/nonexistent/gpg"]);
    let mut run = lab.begin();
    let (base, git) = (run.head.clone(), lab.git_listing());
    lab.write("a.txt", "two\n");
    let step = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    run.restore(&base);
    run.checkpoints.put_back(false, &base).unwrap();
    assert!(!lab.temp.path().join("hook-ran").exists());
    assert_same(&lab.git_listing(), &git);
}

#[test]
fn a_stale_index_lock_is_in_nobodys_way() {
    let lab = Lab::new();
    let lock = lab.repository.join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    let step = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap();
    run.restore(&run.begun.base.id.clone());
    assert_eq!(lab.read("a.txt"), "one\n");
    assert!(lock.exists());
}

#[test]
fn leaked_git_variables_change_nothing() {
    let lab = Lab::new();
    let other = Lab::new();
    let before = other.git_listing();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "suite::basics::a_published_branch_reads_like_any_other",
        ])
        .env("GIT_DIR", other.repository.join(".git"))
        .env("GIT_WORK_TREE", &other.repository)
        .env("GIT_INDEX_FILE", other.repository.join(".git/index"))
        .env("GIT_OBJECT_DIRECTORY", lab.repository.join(".git/objects"))
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "user.name")
        .env("GIT_CONFIG_VALUE_0", "Mallory")
        .env("GIT_AUTHOR_NAME", "Mallory")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_same(&other.git_listing(), &before);
}

#[test]
fn the_users_index_is_not_refreshed() {
    let lab = Lab::new();
    lab.sh("sleep 0.01; touch a.txt src/lib.py");
    let index = fs::read(lab.repository.join(".git/index")).unwrap();
    let mut checkpoints = lab.open();
    let request = espalier_checkpoint::BeginRequest {
        require_clean: true,
    };
    checkpoints.begin(&request, &mut |_, _| {}).unwrap();
    assert!(fs::read(lab.repository.join(".git/index")).unwrap() == index);
}

#[test]
fn what_an_agent_does_with_git_is_in_the_checkpoints() {
    let lab = Lab::new();
    for (number, command) in [
        "echo 1 > n && git add n && git commit -qm n",
        "echo 2 > n && git stash -q",
        "git stash pop -q",
        "git checkout -q -b other && git commit -qam two",
        "git checkout -q main",
        "git merge -q other",
        "git reset -q --hard HEAD~1",
        "git mv a.txt moved.txt && git rm -q src/lib.py",
        "touch junk && git clean -fdxq",
        "git rebase -q other",
        "git checkout -q --detach",
    ]
    .iter()
    .enumerate()
    {
        let mut run = lab.begin();
        lab.sh(&format!("{command} || true"));
        let step = run.step();
        let index = lab.temp.path().join(format!("index{number}"));
        let tree = Command::new("sh")
            .args(["-c", "git add -A && git write-tree"])
            .env("GIT_INDEX_FILE", &index)
            .current_dir(&lab.repository)
            .output()
            .unwrap();
        assert_eq!(
            step.tree,
            String::from_utf8_lossy(&tree.stdout).trim(),
            "{command}"
        );
    }
}

#[test]
fn collecting_garbage_loses_no_checkpoint() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.write("a.txt", "two\n");
    let step = run.step();
    // History is rewritten and everything unreachable is gone at once.
    lab.sh("git checkout -q --orphan fresh && git rm -rqf . && echo n > n && git add n && git commit -qm fresh && git branch -D main && git reflog expire --expire=now --all && git gc -q --prune=now");
    let fresh = run.step();
    run.restore(&step.id);
    assert_eq!(lab.read("a.txt"), "two\n");
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    run.restore(&fresh.id);
    assert_eq!(lab.read("n"), "n\n");
    let report = run.checkpoints.put_back(false, &run.head).unwrap();
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &before);
    assert_eq!(lab.git(&["status", "--porcelain"]), "");
    assert_eq!(lab.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    lab.git(&["fsck", "--strict"]);
}

#[test]
fn packing_the_store_loses_nothing() {
    let lab = Lab::new();
    lab.git(&["branch", "side"]);
    lab.sh("chmod 600 a.txt; mkdir hollow");
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    lab.sh("chmod 640 a.txt; rmdir hollow; mkdir -m 700 other; echo 2 > src/lib.py");
    let step = run.step();
    let after = lab.listing();
    lab.git(&["branch", "-qD", "side"]);
    let shadow = run.checkpoints.store_dir().join("shadow.git");
    lab.git_in(&shadow, &["gc", "-q"]);
    run.restore(&run.begun.base.id.clone());
    assert_same(&lab.listing(), &files);
    lab.write("b.txt", "while packed\n");
    run.step();
    lab.git_in(&shadow, &["gc", "-q"]);
    drop(run);
    let mut checkpoints = lab.open();
    checkpoints.resume(&step.id).unwrap();
    let report = checkpoints.put_back(false, &step.id).unwrap();
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
    let base = super::lab::begin(&mut checkpoints).base.id;
    let plan = checkpoints.plan_restore(&base, &step.id).unwrap();
    checkpoints.restore(&plan).unwrap();
    assert_same(&lab.listing(), &after);
}

#[test]
fn a_deleted_repository_stops_publishing_only() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("rm -rf .git; echo two > a.txt");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt"]);
    let error = run
        .checkpoints
        .publish("potato-session-abc123", &step.id)
        .unwrap_err();
    assert!(matches!(error, CheckpointError::Publish { .. }));
    run.restore(&base);
    assert_same(&lab.listing(), &before);
}

#[test]
fn publishing_repairs_and_keeps_what_is_not_ours() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    let step = run.step();
    let name = "potato-session-abc123";
    run.checkpoints.publish(name, &step.id).unwrap();
    lab.git(&["branch", "-qD", name]);
    lab.git(&["reflog", "expire", "--expire=now", "--all"]);
    lab.git(&["gc", "-q", "--prune=now"]);
    run.checkpoints.publish(name, &step.id).unwrap();
    assert_eq!(lab.git(&["rev-parse", name]), step.id.as_str());
    lab.git(&["fsck", "--strict"]);
    // Somebody commits on top of our branch.
    let tree = lab.git(&["write-tree"]);
    let foreign = lab.git(&["commit-tree", "-m", "foreign", "-p", name, &tree]);
    lab.git(&["update-ref", &format!("refs/heads/{name}"), &foreign]);
    run.checkpoints.publish(name, &step.id).unwrap();
    assert_eq!(lab.git(&["rev-parse", name]), step.id.as_str());
    assert_eq!(
        lab.git(&[
            "rev-parse",
            &format!("refs/espalier/abc123/agent/heads/{name}")
        ]),
        foreign
    );
    // And checks it out: then it is not moved under his feet.
    lab.git(&["checkout", "-qf", name]);
    lab.write("a.txt", "three\n");
    let next = run.step();
    assert!(run.checkpoints.publish(name, &next.id).is_err());
    assert_eq!(lab.git(&["rev-parse", "HEAD"]), step.id.as_str());
    run.checkpoints.put_back(true, &next.id).unwrap();
    assert_eq!(lab.git(&["rev-parse", name]), next.id.as_str());
}

#[test]
fn removing_branches_takes_only_the_sessions_own() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let git = lab.git_listing();
    lab.write("a.txt", "two\n");
    let step = run.step();
    for name in ["potato-session-abc123", "potato-session-abc123-branch_1"] {
        run.checkpoints.publish(name, &step.id).unwrap();
    }
    lab.git(&["branch", "potato-session-abc123-mine", "main"]);
    assert_eq!(
        run.checkpoints
            .remove_branches("potato-session-abc123")
            .unwrap(),
        2
    );
    assert_eq!(
        lab.git(&["branch", "--list", "potato*"]).trim(),
        "potato-session-abc123-mine"
    );
    lab.git(&["branch", "-qD", "potato-session-abc123-mine"]);
    assert_same(&lab.git_listing(), &git);
}

#[test]
fn a_detached_head_and_a_merge_under_way_are_put_back() {
    let lab = Lab::new();
    lab.git(&["checkout", "-q", "-b", "side"]);
    lab.write("a.txt", "side\n");
    lab.commit_all("side");
    lab.git(&["checkout", "-q", "main"]);
    lab.write("a.txt", "main\n");
    lab.commit_all("main");
    lab.git(&["checkout", "-q", "--detach"]);
    Command::new("git")
        .args(["merge", "-q", "side"])
        .current_dir(&lab.repository)
        .output()
        .unwrap();
    assert!(lab.repository.join(".git/MERGE_HEAD").exists());
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    lab.sh("echo resolved > a.txt && git add a.txt && git commit -qm merged && git stash list && git checkout -qf side && git config user.name Mallory");
    run.step();
    let report = run.checkpoints.put_back(false, &run.head).unwrap();
    assert!(
        report
            .agent_git
            .iter()
            .any(|line| line.starts_with(".git/config was changed")),
        "{report:?}"
    );
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
}

#[test]
fn a_stash_of_the_user_survives_an_agent_that_pops_it() {
    let lab = Lab::new();
    for text in ["first", "second"] {
        lab.write("a.txt", text);
        lab.git(&["stash", "-q"]);
    }
    let git = lab.git_listing();
    let mut run = lab.begin();
    lab.sh(
        "git stash pop -q && git checkout -q a.txt && git stash drop -q && git gc -q --prune=now",
    );
    run.step_of(Dirty::FullScan);
    run.checkpoints.put_back(false, &run.head).unwrap();
    assert_eq!(
        lab.git(&["stash", "list", "--format=%gd"]),
        "stash@{0}\nstash@{1}"
    );
    assert_eq!(lab.git(&["show", "stash@{1}:a.txt"]), "first");
    let stash = |listing: &super::lab::Listing| listing.get(&b"logs/refs/stash"[..]).cloned();
    assert_eq!(stash(&lab.git_listing()), stash(&git));
}

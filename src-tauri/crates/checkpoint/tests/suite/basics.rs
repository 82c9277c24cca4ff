//! One session from its start to its end.

use super::lab::{Lab, assert_same, paths};
use espalier_checkpoint::{CheckpointReader, Dirty};
use espalier_protocol::ChangeKind;

#[test]
fn a_clean_project_begins_at_the_users_own_commit() {
    let lab = Lab::new();
    let run = lab.begin();
    assert_eq!(run.head.as_str(), lab.git(&["rev-parse", "HEAD"]));
    assert!(!run.begun.base.created);
    assert_eq!(run.begun.base.tree, lab.git(&["rev-parse", "HEAD^{tree}"]));
    assert!(run.begun.carried.is_empty());
}

#[test]
fn dirty_work_becomes_the_base() {
    let lab = Lab::new();
    lab.write("a.txt", "changed\n");
    lab.write("new.txt", "new\n");
    let run = lab.begin();
    assert!(run.begun.base.created);
    assert_eq!(run.begun.carried, ["a.txt", "new.txt"]);
    assert_eq!(paths(&run.begun.base), ["a.txt", "new.txt"]);
}

#[test]
fn a_checkpoint_holds_what_git_would_commit() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("src/lib.py", "def f():\n    return 2\n");
    lab.sh("mkdir -p new/dir && echo hi > new/dir/file && rm a.txt && ln -s lib.py src/link && printf '#!/bin/sh\\n' > run.sh && chmod +x run.sh");
    let checkpoint = run.step();
    assert!(checkpoint.created && !checkpoint.full_scan);
    assert_eq!(
        paths(&checkpoint),
        ["a.txt", "new/dir/file", "run.sh", "src/lib.py", "src/link"]
    );
    lab.git(&["add", "-A"]);
    assert_eq!(checkpoint.tree, lab.git(&["write-tree"]));
    let edit = &checkpoint.changes[3];
    assert_eq!(
        (edit.kind, edit.added_lines, edit.removed_lines),
        (ChangeKind::Modified, Some(1), Some(1))
    );
}

#[test]
fn nothing_changed_shares_the_parent() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    lab.write("a.txt", "one\n");
    let checkpoint = run.step();
    assert!(!checkpoint.created);
    assert_eq!(checkpoint.id, base);
    assert!(checkpoint.changes.is_empty());
}

#[test]
fn named_paths_take_only_those() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "tool\n");
    lab.write("src/lib.py", "hand\n");
    let checkpoint = run.step_of(Dirty::Paths(vec!["a.txt".to_owned()]));
    assert_eq!(paths(&checkpoint), ["a.txt"]);
    assert_eq!(
        run.checkpoints.edited_by_hand(&run.head).unwrap(),
        ["src/lib.py"]
    );
    let rest = run.step();
    assert_eq!(paths(&rest), ["src/lib.py"]);
    assert!(
        run.checkpoints
            .edited_by_hand(&run.head)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn rollback_and_undo_are_exact() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("rm -r src && mkdir -p src && echo now > src/lib.py && echo 1 > b && mkdir empty && chmod 600 a.txt && ln -s nowhere dangling");
    let step = run.step();
    let after = lab.listing();
    let report = run.restore(&base);
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &before);
    let report = run.restore(&step.id);
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &after);
    assert!(report.kept.is_none());
}

#[test]
fn a_published_branch_reads_like_any_other() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let before = lab.git_listing();
    lab.write("a.txt", "two\n");
    run.step();
    lab.write("b.txt", "b\n");
    let tip = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &tip.id)
        .unwrap();
    run.checkpoints
        .publish("potato-session-abc123", &tip.id)
        .unwrap();
    assert_eq!(
        lab.git(&["branch", "--list", "potato-session*"]).trim(),
        "potato-session-abc123"
    );
    let log = lab.git(&["log", "potato-session-abc123", "--format=%s|%an|%ae"]);
    assert_eq!(
        log,
        "Step 2: bash|Ada Lovelace|ada@example.org\nStep 1: bash|Ada Lovelace|ada@example.org\nstart|Ada Lovelace|ada@example.org"
    );
    let trailers = lab.git(&["log", "-1", "--format=%(trailers)", "potato-session-abc123"]);
    assert_eq!(
        trailers.trim(),
        "Espalier-Session: abc123\nEspalier-Branch: main\nEspalier-Step: 2"
    );
    lab.git(&["fsck", "--strict"]);
    assert_same(&lab.git_listing(), &before);
}

#[test]
fn putting_back_leaves_project_and_repository_as_they_were() {
    let lab = Lab::new();
    lab.write("staged.txt", "staged\n");
    lab.git(&["add", "staged.txt"]);
    lab.write("a.txt", "unstaged\n");
    let (files, git) = (lab.listing(), lab.git_listing());
    let mut run = lab.begin();
    lab.sh("echo x > a.txt && git commit -qam agent && git checkout -q -b feature && git rm -q -r src && git stash -q && git tag v1");
    let tip = run.step();
    run.checkpoints
        .publish("potato-session-abc123", &tip.id)
        .unwrap();
    let report = run.checkpoints.put_back(false, &run.head).unwrap();
    assert!(report.left_alone.is_empty(), "{report:?}");
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
    assert!(
        report
            .agent_git
            .iter()
            .any(|line| line.contains("Branch main stood at")),
        "{report:?}"
    );
    lab.git(&["rev-parse", "refs/espalier/abc123/agent/heads/main"]);
    lab.git(&["fsck", "--strict"]);
}

#[test]
fn keeping_the_result_leaves_only_the_files() {
    let lab = Lab::new();
    let git = lab.git_listing();
    let mut run = lab.begin();
    lab.sh("echo x > a.txt && git commit -qam agent");
    run.step();
    let files = lab.listing();
    run.checkpoints.put_back(true, &run.head).unwrap();
    assert_same(&lab.listing(), &files);
    assert_same(&lab.git_listing(), &git);
}

#[test]
fn a_reader_shows_files_and_differences() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    lab.write("bin", b"\0\x01");
    let step = run.step();
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    let diff = reader.step_diff(&step.id).unwrap();
    assert_eq!(diff[0].old_text.as_deref(), Some("one\n"));
    assert_eq!(diff[0].new_text.as_deref(), Some("two\n"));
    assert!(diff[1].binary && diff[1].new_text.is_none());
    assert_eq!(reader.file(&run.begun.base.id, "a.txt").unwrap(), b"one\n");
    let files: Vec<String> = reader
        .tree(&step.id)
        .unwrap()
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert_eq!(files, ["a.txt", "bin", "src/deep/x.py", "src/lib.py"]);
    assert_eq!(
        reader.diff(Some(&run.begun.base.id), &step.id).unwrap(),
        diff
    );
}

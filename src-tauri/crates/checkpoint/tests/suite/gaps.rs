//! What a checkpoint does not hold: it says so, and a restore never touches it.

use super::lab::{Lab, assert_same, paths};
use espalier_checkpoint::OpenRequest;
use espalier_protocol::{Checkpoint, UncapturedReason};
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::process::Command;

fn gap(checkpoint: &Checkpoint, path: &str) -> Option<UncapturedReason> {
    checkpoint
        .uncaptured
        .iter()
        .find(|gap| gap.path == path)
        .map(|gap| gap.reason)
}

#[test]
fn large_untracked_files_are_told_and_left() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    fs::write(lab.path("dump.bin"), vec![1_u8; 11 * 1024 * 1024]).unwrap();
    lab.write("b.txt", "b\n");
    let step = run.step();
    assert_eq!(paths(&step), ["b.txt"]);
    assert_eq!(gap(&step, "dump.bin"), Some(UncapturedReason::TooLarge));
    run.restore(&base);
    assert_eq!(
        fs::metadata(lab.path("dump.bin")).unwrap().len(),
        11 * 1024 * 1024
    );
    assert!(!lab.exists("b.txt"));
}

#[test]
fn ignored_files_are_told_and_left() {
    let lab = Lab::new();
    lab.write(".gitignore", "node_modules/\n*.log\n!keep.log\n/build\n");
    lab.commit_all("ignore");
    lab.write("node_modules/x/index.js", "x\n");
    lab.write("run.log", "log\n");
    lab.write("build/out", "o\n");
    lab.write("keep.log", "kept\n");
    lab.write("src/build/out", "o\n");
    let mut run = lab.begin();
    assert_eq!(run.begun.carried, ["keep.log", "src/build/out"]);
    assert_eq!(
        gap(&run.begun.base, "node_modules"),
        Some(UncapturedReason::Ignored)
    );
    assert_eq!(
        gap(&run.begun.base, "run.log"),
        Some(UncapturedReason::Ignored)
    );
    assert_eq!(run.begun.base.uncaptured_total, 3);
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo y > node_modules/x/index.js; echo more >> run.log; rm keep.log; echo z > src/build/new");
    let step = run.step();
    assert_eq!(paths(&step), ["keep.log", "src/build/new"]);
    run.restore(&base);
    let mut expected = before;
    expected.get_mut(&b"node_modules/x/index.js"[..]).unwrap().1 = b"y\n".to_vec();
    expected.get_mut(&b"run.log"[..]).unwrap().1 = b"log\nmore\n".to_vec();
    assert_same(&lab.listing(), &expected);
}

#[test]
fn ignored_files_that_were_asked_for_are_held_and_restored() {
    let lab = Lab::new();
    lab.write(".gitignore", ".env\nbuild/\n*.log\n");
    lab.write("docs/.gitignore", "drafts\n");
    lab.commit_all("ignore");
    lab.write(".env", "KEY=1\n");
    lab.write("build/deep/out.bin", "1\n");
    lab.write("docs/drafts/a.md", "a\n");
    lab.write("run.log", "log\n");
    let include = ["/.env", "build/", "docs/drafts"];
    let mut run = lab.begin_as(OpenRequest {
        include_ignored: include.map(str::to_owned).to_vec(),
        ..lab.request("abc123")
    });
    assert_eq!(
        gap(&run.begun.base, "run.log"),
        Some(UncapturedReason::Ignored)
    );
    assert_eq!(run.begun.base.uncaptured_total, 1);
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo KEY=2 > .env; rm -r build; mkdir build; \
         echo n > build/new; echo more >> run.log; echo b > docs/drafts/b.md; rm docs/drafts/a.md");
    let step = run.step();
    assert_eq!(
        paths(&step),
        [
            ".env",
            "build/deep/out.bin",
            "build/new",
            "docs/drafts/a.md",
            "docs/drafts/b.md"
        ]
    );
    run.restore(&base);
    let mut expected = before;
    expected.get_mut(&b"run.log"[..]).unwrap().1 = b"log\nmore\n".to_vec();
    assert_same(&lab.listing(), &expected);
}

#[test]
fn tracked_files_are_held_although_ignored() {
    let lab = Lab::new();
    lab.write("build/kept.txt", "1\n");
    lab.commit_all("kept");
    lab.write(".gitignore", "build/\n");
    lab.commit_all("ignore");
    lab.write("build/other.txt", "other\n");
    let mut run = lab.begin();
    let base = run.head.clone();
    lab.write("build/kept.txt", "2\n");
    lab.write("build/other.txt", "changed\n");
    let step = run.step();
    assert_eq!(paths(&step), ["build/kept.txt"]);
    lab.remove("build/kept.txt");
    let gone = run.step();
    run.restore(&base);
    assert_eq!(lab.read("build/kept.txt"), "1\n");
    run.restore(&gone.id);
    assert!(!lab.exists("build/kept.txt"));
    assert_eq!(lab.read("build/other.txt"), "changed\n");
}

#[test]
fn what_stops_being_ignored_is_held_and_not_cleaned_away() {
    let lab = Lab::new();
    lab.write(".gitignore", "data/\n");
    lab.commit_all("ignore");
    lab.write("data/precious.db", "years of work\n");
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.write(".gitignore", "# nothing\n");
    let step = run.step();
    assert_eq!(paths(&step), [".gitignore", "data/precious.db"]);
    let plan = run.checkpoints.plan_restore(&run.head, &base).unwrap();
    assert_eq!(
        plan.left_alone,
        ["data/precious.db: ignored by git in the checkpoint"]
    );
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    assert!(run.checkpoints.edited_by_hand(&base).unwrap().is_empty());
    // While it was out of sight again it changed: going forward keeps that version too.
    lab.write("data/precious.db", "changed out of sight\n");
    let report = run.restore(&step.id);
    assert_eq!(lab.read("data/precious.db"), "years of work\n");
    let kept = report.kept.unwrap();
    let reader = espalier_checkpoint::CheckpointReader::open(&lab.project, &lab.store).unwrap();
    assert_eq!(
        reader.file(&kept, "data/precious.db").unwrap(),
        b"changed out of sight\n"
    );
}

#[test]
fn pipes_and_sockets_are_told_and_left() {
    let lab = Lab::new();
    lab.sh("mkfifo pipe");
    let mut run = lab.begin();
    let base = run.head.clone();
    assert_eq!(
        gap(&run.begun.base, "pipe"),
        Some(UncapturedReason::Special)
    );
    lab.sh("rm a.txt && mkfifo a.txt");
    let step = run.step();
    assert_eq!(paths(&step), ["a.txt"]);
    let report = run.restore(&base);
    assert_eq!(
        report.left_alone,
        ["a.txt: a pipe, socket or device is in its place"]
    );
    for pipe in ["pipe", "a.txt"] {
        assert!(
            fs::symlink_metadata(lab.path(pipe))
                .unwrap()
                .file_type()
                .is_fifo()
        );
    }
}

#[test]
fn folders_of_ours_are_never_part_of_it() {
    let lab = Lab::new();
    lab.write("output/old.jsonl", "tracked\n");
    lab.commit_all("output");
    let mut request = lab.request("abc123");
    request.store_dir = lab.path(".espalier/store");
    request.exclude = vec![
        lab.path("output"),
        "output-later".into(),
        lab.path("later/deep"),
    ];
    let mut checkpoints = espalier_checkpoint::Checkpoints::open(request).unwrap();
    lab.write("output/a.jsonl", "x\n");
    let begun = super::lab::begin(&mut checkpoints);
    assert_eq!(begun.base.id.as_str(), lab.git(&["rev-parse", "HEAD"]));
    lab.write("output/old.jsonl", "changed\n");
    lab.write("later/deep/file", "x\n");
    assert!(
        checkpoints
            .edited_by_hand(&begun.base.id)
            .unwrap()
            .iter()
            .all(|path| path == "later")
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_rest_is_held() {
    // Root reads everything: the same test runs again in a process that may not.
    if std::env::var_os("ESPALIER_TEST_WITHOUT_RIGHTS").is_none() {
        let test = "suite::gaps::a_file_that_cannot_be_read_is_told_and_the_rest_is_held";
        let caps = "-dac_override,-dac_read_search";
        let status = Command::new("setpriv")
            .args(["--bounding-set", caps, "--inh-caps", caps])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("ESPALIER_TEST_WITHOUT_RIGHTS", "1")
            .output();
        match status {
            Ok(output) => assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            ),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
        return;
    }
    let lab = Lab::new();
    lab.write("locked", "secret\n");
    lab.commit_all("locked");
    let mut run = lab.begin();
    let base = run.head.clone();
    lab.sh("chmod 000 locked; echo n > noread; chmod 000 noread; mkdir shut; echo 1 > shut/in; chmod 000 shut; echo b > b.txt");
    if fs::read(lab.path("noread")).is_ok() {
        lab.sh("chmod 700 shut");
        return;
    }
    let step = run.step();
    assert_eq!(paths(&step), ["b.txt"]);
    for path in ["locked", "noread", "shut"] {
        assert_eq!(
            gap(&step, path),
            Some(UncapturedReason::Unreadable),
            "{path}"
        );
    }
    run.restore(&base);
    assert!(!lab.exists("b.txt") && lab.exists("noread"));
    lab.sh("chmod 700 shut; test $(cat shut/in) = 1");
}

#[test]
fn a_directory_without_write_permission_is_restored_too() {
    let lab = Lab::new();
    lab.write("ro/file", "1\n");
    lab.commit_all("ro");
    lab.chmod("ro", 0o555);
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("chmod 755 ro; echo 2 > ro/file; echo 3 > ro/new; chmod 555 ro");
    run.step();
    run.restore(&base);
    assert_same(&lab.listing(), &before);
    lab.chmod("ro", 0o755);
}

#[test]
fn a_file_written_all_the_while_is_caught_up_with() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let mut writer = Command::new("sh")
        .args(["-c", "while true; do echo line >> busy.txt; done"])
        .current_dir(&lab.project)
        .spawn()
        .unwrap();
    for _ in 0..5 {
        run.step();
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    run.step();
    assert!(
        run.checkpoints
            .edited_by_hand(&run.head)
            .unwrap()
            .is_empty()
    );
    let reader = espalier_checkpoint::CheckpointReader::open(&lab.project, &lab.store).unwrap();
    if lab.exists("busy.txt") {
        assert_eq!(
            reader.file(&run.head, "busy.txt").unwrap(),
            fs::read(lab.path("busy.txt")).unwrap()
        );
    }
}

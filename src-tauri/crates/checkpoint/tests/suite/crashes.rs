//! The process is killed at every step of a restore, by SIGKILL; the next one finishes the work.

use super::lab::{Lab, assert_same};
use espalier_checkpoint::CheckpointReader;
use espalier_protocol::CheckpointId;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// The process that dies. It restores from one checkpoint to another, or puts the project back, as
/// its environment says. Where no other test of this file started it there is nothing to do.
#[test]
fn victim() {
    if std::env::var_os("LAB").is_none() {
        return;
    }
    let value = |name: &str| std::env::var(name).unwrap();
    let (from, target) = (
        CheckpointId::new(value("FROM")),
        CheckpointId::new(value("TARGET")),
    );
    let lab = Lab::at(value("LAB").into());
    let mut checkpoints = lab.open();
    checkpoints.resume(&from).unwrap();
    if value("DEED") == "put back" {
        checkpoints.put_back(false, &from).unwrap();
        return;
    }
    let plan = checkpoints.plan_restore(&from, &target).unwrap();
    if value("DEED") == "overtaken" {
        lab.write("src/lib.py", TYPED);
        lab.write("typed/deep", TYPED);
    }
    checkpoints.restore(&plan).unwrap();
}

/// What somebody types between the plan and the restore.
const TYPED: &str = "typed by hand\n";

/// Runs the victim and says whether it was killed. Any other failure fails the test.
#[track_caller]
fn run_victim(
    lab: &Lab,
    deed: &str,
    (from, target): (&CheckpointId, &CheckpointId),
    place: &str,
) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "suite::crashes::victim"])
        .env("LAB", lab.temp.path())
        .env("DEED", deed)
        .env("FROM", from.as_str())
        .env("TARGET", target.as_str())
        .env("ESPALIER_CHECKPOINT_CRASH", place)
        .output()
        .unwrap();
    let died = output.status.signal() == Some(9);
    assert!(
        died || output.status.success(),
        "{place}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    died
}

#[test]
fn a_restore_that_was_killed_anywhere_is_finished() {
    let lab = Lab::new();
    lab.sh("mkdir -p old/deep && echo 1 > old/deep/file && echo 2 > old/other && mkdir hollow && chmod 700 hollow && echo k > kept");
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("rm -r old hollow && echo 2 > a.txt && mkdir -p new/dir && echo n > new/dir/n && chmod 600 kept && ln -s a.txt link && rm -r src && echo f > src");
    let step = run.step();
    let after = lab.listing();
    drop(run);
    let (mut crashes, mut untouched) = (0, 0);
    for number in 1.. {
        let forward = number % 2 == 0;
        let (from, target, expected) = match forward {
            true => (&base, &step.id, &after),
            false => (&step.id, &base, &before),
        };
        // Every place is passed on the way back and on the way forward.
        let place = format!("any:{}", (number + 1) / 2);
        let died = run_victim(&lab, "restore", (from, target), &place);
        let mut checkpoints = lab.open();
        checkpoints.resume(from).unwrap();
        let finished = checkpoints.finish_interrupted().unwrap();
        // Before the plan was written down nothing has moved, after the last step all has.
        assert!(died || finished.is_none(), "{number}");
        if finished.is_none() && lab.listing() != *expected {
            assert!(died, "{number}");
            untouched += 1;
            let plan = checkpoints.plan_restore(from, target).unwrap();
            assert!(plan.edited.is_empty(), "{number}: {plan:?}");
            checkpoints.restore(&plan).unwrap();
        }
        if let Some(report) = finished {
            assert!(
                report.left_alone.is_empty() && report.kept.is_none(),
                "{number}: {report:?}"
            );
        }
        assert_same(&lab.listing(), expected);
        assert!(checkpoints.edited_by_hand(target).unwrap().is_empty());
        assert!(checkpoints.finish_interrupted().unwrap().is_none());
        crashes += u32::from(died);
        if !died && !forward {
            break;
        }
    }
    assert!(crashes >= 40 && untouched >= 2, "{crashes} {untouched}");
}

#[test]
fn work_done_between_the_crash_and_the_repair_is_kept() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo 2 > a.txt; echo 2 > src/lib.py; echo 2 > src/deep/x.py");
    let step = run.step();
    drop(run);
    assert!(run_victim(&lab, "restore", (&step.id, &base), "renamed:1"));
    lab.write("src/lib.py", "typed by hand after the crash\n");
    let mut checkpoints = lab.open();
    checkpoints.resume(&step.id).unwrap();
    let report = checkpoints.finish_interrupted().unwrap().unwrap();
    assert_same(&lab.listing(), &before);
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    let kept = report.kept.unwrap();
    assert_eq!(
        reader.file(&kept, "src/lib.py").unwrap(),
        b"typed by hand after the crash\n"
    );
}

#[test]
fn what_overtook_a_killed_restore_is_on_disk_or_kept() {
    let mut killed = 0;
    for number in 1.. {
        let lab = Lab::new();
        let mut run = lab.begin();
        let (base, before) = (run.head.clone(), lab.listing());
        lab.sh("echo 2 > a.txt; echo 2 > src/lib.py; mkdir typed && echo 2 > typed/deep");
        let step = run.step();
        let after = lab.listing();
        drop(run);
        let died = run_victim(
            &lab,
            "overtaken",
            (&step.id, &base),
            &format!("any:{number}"),
        );
        killed += u32::from(died);
        let mut checkpoints = lab.open();
        checkpoints.resume(&step.id).unwrap();
        let report = checkpoints.finish_interrupted().unwrap();
        let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
        let kept = match report {
            Some(report) => {
                assert_same(&lab.listing(), &before);
                report.kept
            }
            // Killed before anything moved, or after all had.
            None if lab.listing() == before => None,
            None => {
                assert_eq!(lab.read("src/lib.py"), TYPED);
                assert_eq!(lab.read("typed/deep"), TYPED);
                continue;
            }
        };
        if let Some(kept) = kept {
            for path in ["src/lib.py", "typed/deep"] {
                assert_eq!(
                    reader.file(&kept, path).unwrap(),
                    TYPED.as_bytes(),
                    "{number}"
                );
            }
        } else {
            // The report went with the process; the checkpoint did not.
            let log = lab.git_in(
                &checkpoints.store_dir().join("shadow.git"),
                &["log", "--all", "--format=%H", "--grep=Files found changed"],
            );
            let kept = CheckpointId::new(log.lines().next().unwrap());
            assert_eq!(reader.file(&kept, "src/lib.py").unwrap(), TYPED.as_bytes());
        }
        // And the way back is open.
        let plan = checkpoints.plan_restore(&base, &step.id).unwrap();
        checkpoints.restore(&plan).unwrap();
        assert_same(&lab.listing(), &after);
        if !died {
            break;
        }
    }
    assert!(killed >= 15, "{killed}");
}

#[test]
fn putting_back_that_was_killed_anywhere_is_done_again() {
    let mut killed = 0;
    for number in 1.. {
        let lab = Lab::new();
        lab.git(&["branch", "side"]);
        lab.write("staged", "s\n");
        lab.git(&["add", "staged"]);
        let (files, git) = (lab.listing(), lab.git_listing());
        let mut run = lab.begin();
        lab.sh("echo 2 > a.txt; git commit -qam agent; git checkout -q -b new; git branch -qD side; rm -r src; git config user.name M");
        let agents = lab.git(&["rev-parse", "HEAD"]);
        let step = run.step();
        run.checkpoints
            .publish("potato-session-abc123", &step.id)
            .unwrap();
        drop(run);
        let died = run_victim(
            &lab,
            "put back",
            (&step.id, &step.id),
            &format!("any:{number}"),
        );
        let mut checkpoints = lab.open();
        checkpoints.resume(&step.id).unwrap();
        checkpoints.finish_interrupted().unwrap();
        let report = checkpoints.put_back(false, &step.id).unwrap();
        assert!(report.left_alone.is_empty(), "{number}: {report:?}");
        assert_same(&lab.listing(), &files);
        assert_same(&lab.git_listing(), &git);
        lab.git(&["fsck", "--strict"]);
        // The agent's own commit has a reference still, and the session's branch is there.
        let contains = lab.git(&["for-each-ref", "--contains", &agents]);
        assert!(
            contains.contains("refs/espalier/abc123/agent/"),
            "{number}: {contains}"
        );
        assert_eq!(
            lab.git(&["rev-parse", "potato-session-abc123"]),
            step.id.as_str()
        );
        if !died {
            break;
        }
        killed += 1;
    }
    assert!(killed >= 20, "{killed}");
}

#[test]
fn locks_that_a_killed_process_left_beside_references_do_not_stay() {
    let lab = Lab::new();
    let mut run = lab.begin();
    lab.write("a.txt", "two\n");
    let step = run.step();
    run.checkpoints.publish("session-branch", &step.id).unwrap();
    let store = run.checkpoints.store_dir().to_owned();
    let published = store.join("shadow.git/refs/espalier-published/abc123/session-branch.lock");
    let theirs = lab.repository.join(".git/refs/heads/session-branch.lock");
    // A lock of the user's own git on another branch is not ours to touch.
    let other = lab.repository.join(".git/refs/heads/main.lock");
    for lock in [&published, &theirs, &other] {
        std::fs::write(lock, "").unwrap();
    }
    run.reopen(&lab);
    lab.write("a.txt", "three\n");
    let next = run.step();
    run.checkpoints.publish("session-branch", &next.id).unwrap();
    assert_eq!(lab.git(&["rev-parse", "session-branch"]), next.id.as_str());
    assert!(other.exists());
}

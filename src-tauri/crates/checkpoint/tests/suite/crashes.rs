//! The process is killed at every step of a restore, by SIGKILL; the next one finishes the work.

use super::lab::{Lab, assert_same};
use espalier_checkpoint::Checkpoints;
use espalier_protocol::CheckpointId;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// The process that dies: restores from one checkpoint to another as its environment says. Where
/// no other test of this file started it there is nothing to restore.
#[test]
fn victim() {
    let Some(lab) = std::env::var_os("LAB") else {
        return;
    };
    let id = |name: &str| CheckpointId::new(std::env::var(name).unwrap());
    let lab = Lab::at(lab.into());
    let mut checkpoints = Checkpoints::open(lab.request("abc123")).unwrap();
    checkpoints.resume(&id("FROM")).unwrap();
    let plan = checkpoints
        .plan_restore(&id("FROM"), &id("TARGET"))
        .unwrap();
    checkpoints.restore(&plan).unwrap();
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
    let mut crashes = 0;
    for number in 1.. {
        let forward = number % 2 == 0;
        let (from, target, expected) = match forward {
            true => (&base, &step.id, &after),
            false => (&step.id, &base, &before),
        };
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "suite::crashes::victim"])
            .env("LAB", lab.temp.path())
            .env("FROM", from.as_str())
            .env("TARGET", target.as_str())
            // Every place is passed on the way back and on the way forward.
            .env(
                "ESPALIER_CHECKPOINT_CRASH",
                format!("any:{}", (number + 1) / 2),
            )
            .output()
            .unwrap();
        let died = output.status.signal() == Some(9);
        assert!(
            died || output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        let mut checkpoints = lab.open();
        checkpoints.resume(from).unwrap();
        let finished = checkpoints.finish_interrupted().unwrap();
        assert_eq!(finished.is_some(), died, "{number}");
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
    assert!(crashes >= 20, "{crashes}");
}

#[test]
fn work_done_between_the_crash_and_the_repair_is_kept() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());
    lab.sh("echo 2 > a.txt; echo 2 > src/lib.py; echo 2 > src/deep/x.py");
    let step = run.step();
    drop(run);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "suite::crashes::victim"])
        .env("LAB", lab.temp.path())
        .env("FROM", step.id.as_str())
        .env("TARGET", base.as_str())
        .env("ESPALIER_CHECKPOINT_CRASH", "renamed:1")
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9));
    lab.write("src/lib.py", "typed by hand after the crash\n");
    let mut checkpoints = lab.open();
    checkpoints.resume(&step.id).unwrap();
    let report = checkpoints.finish_interrupted().unwrap().unwrap();
    assert_same(&lab.listing(), &before);
    let reader = espalier_checkpoint::CheckpointReader::open(&lab.project, &lab.store).unwrap();
    let kept = report.kept.unwrap();
    assert_eq!(
        reader.file(&kept, "src/lib.py").unwrap(),
        b"typed by hand after the crash\n"
    );
}

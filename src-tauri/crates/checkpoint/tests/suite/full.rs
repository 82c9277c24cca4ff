//! No room in the middle: the system refuses to write on. Nothing is lost, and the work is done once
//! there is room.
//!
//! Two ways to have no room: a limit on the size of files, which any process can give itself, and a
//! small file system of its own where the system lets one be mounted.

use super::lab::{Lab, assert_same, list};
use espalier_checkpoint::{CheckpointReader, CheckpointRequest, CommitInfo, Dirty};
use espalier_protocol::{BranchId, ErrorCode, SessionId};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs;
use std::process::Command;

/// Set by the tests that start this program again.
const NO_ROOM: &str = "ESPALIER_TEST_NO_ROOM";

fn has_no_room() -> bool {
    std::env::var_os(NO_ROOM).is_some()
}

/// Bytes that do not get smaller when they are compressed.
fn noise(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size).map(|_| next()).collect()
}

const LARGE: usize = 600 * 1024;

fn request(parent: &espalier_protocol::CheckpointId) -> CheckpointRequest {
    CheckpointRequest {
        dirty: Dirty::Watched,
        parent: parent.clone(),
        info: CommitInfo {
            session: SessionId::new("abc123"),
            branch: BranchId::main(),
            step: Some(1),
            message: "step".to_owned(),
        },
    }
}

/// A checkpoint and a restore, each of which finds no room half-way.
fn without_room(tighten: &dyn Fn(&Lab), loosen: &dyn Fn(&Lab), code: Option<ErrorCode>) {
    let lab = Lab::new();
    lab.write("m.bin", noise(1, LARGE));
    lab.write("z.txt", "one\n");
    lab.commit_all("large");
    let mut run = lab.begin();
    let (base, before) = (run.head.clone(), lab.listing());

    lab.sh("echo two > a.txt; echo two > z.txt; mkdir new");
    lab.write("m.bin", noise(2, LARGE));
    let after = lab.listing();
    tighten(&lab);
    let refused = run.checkpoints.checkpoint(&request(&base));
    loosen(&lab);
    let error = refused.unwrap_err().to_app();
    assert_eq!(error.code, code.unwrap_or(ErrorCode::CheckpointFailed));
    assert!(error.retryable && !error.hint.is_empty(), "{error:?}");
    assert_same(&lab.listing(), &after);
    let step = run.checkpoints.checkpoint(&request(&base)).unwrap();
    assert_eq!(step.changes.len(), 4, "{:?}", step.changes);

    let plan = run.checkpoints.plan_restore(&step.id, &base).unwrap();
    assert!(plan.edited.is_empty(), "{plan:?}");
    tighten(&lab);
    let refused = run.checkpoints.restore(&plan);
    loosen(&lab);
    let error = refused.unwrap_err().to_app();
    assert_eq!(error.code, code.unwrap_or(ErrorCode::RestoreFailed));
    let between = lab.listing();
    for (name, found) in &between {
        let known = [&before, &after]
            .iter()
            .any(|listing| listing.get(name) == Some(found));
        assert!(
            known,
            "{} is of no checkpoint",
            String::from_utf8_lossy(name)
        );
    }
    assert!(between != before && between.contains_key(&b"m.bin"[..]));
    // Here and after the process ended: the restore is finished.
    let report = run.checkpoints.finish_interrupted().unwrap().unwrap();
    assert!(
        report.left_alone.is_empty() && report.kept.is_none(),
        "{report:?}"
    );
    assert_same(&lab.listing(), &before);
    assert!(run.checkpoints.edited_by_hand(&base).unwrap().is_empty());
    run.head = base;
    run.restore(&step.id);
    assert_same(&lab.listing(), &after);
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    assert!(reader.file(&step.id, "m.bin").unwrap() == noise(2, LARGE));
    let mut stored = super::lab::Listing::new();
    list(&lab.store, &lab.store, &mut stored, &|_| false);
    let leftovers: Vec<_> = stored
        .keys()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .filter(|name| name.contains("tmp"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

/// Run by the next test, in a process that may hit the limit; by itself it has nothing to do.
#[test]
fn with_a_limit_on_files() {
    if !has_no_room() {
        return;
    }
    let limit = |bytes: Option<u64>| {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        setrlimit(Resource::Fsize, limit).unwrap();
    };
    without_room(&|_| limit(Some(128 * 1024)), &|_| limit(None), None);
}

#[test]
fn a_write_that_is_refused_half_way_loses_nothing() {
    // The signal that comes with the refusal would end the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "suite::full::with_a_limit_on_files"])
        .env(NO_ROOM, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Run by the next test, in a small file system; by itself it has nothing to do.
#[test]
fn with_a_small_disk() {
    if !has_no_room() {
        return;
    }
    let filler = |lab: &Lab| lab.temp.path().join("filler");
    without_room(
        &|lab| {
            let mut size = 64 * 1024 * 1024;
            let mut bytes = Vec::new();
            // As much as fits, but for a little.
            while size >= 4096 {
                let mut longer = bytes.clone();
                longer.resize(bytes.len() + size, 0_u8);
                if fs::write(filler(lab), &longer).is_ok() {
                    bytes = longer;
                }
                size /= 2;
            }
            bytes.truncate(bytes.len() - 128 * 1024);
            fs::write(filler(lab), &bytes).unwrap();
        },
        &|lab| fs::remove_file(filler(lab)).unwrap(),
        Some(ErrorCode::DiskFull),
    );
}

#[test]
fn a_disk_that_is_full_half_way_loses_nothing() {
    let place = tempfile::TempDir::new().unwrap();
    // As root, or as root of a namespace of one's own; the other test needs neither.
    for namespace in ["-m", "-rm"] {
        let output = Command::new("unshare")
            .arg(namespace)
            .args(["sh", "-c"])
            .arg("mount -t tmpfs -o size=32m tmpfs \"$TMPDIR\" || exit 77; exec \"$0\" \"$@\"")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "suite::full::with_a_small_disk"])
            .env(NO_ROOM, "1")
            .env("TMPDIR", place.path())
            .output();
        let Ok(output) = output else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("running 1 test") {
            assert!(
                output.status.success() && text.contains("1 passed"),
                "{text}"
            );
            return;
        }
    }
}

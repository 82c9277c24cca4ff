//! Packing the store loses nothing and saves space.

use super::lab::{Lab, assert_same};
use espalier_checkpoint::{CheckpointReader, disk_use};
use std::path::{Path, PathBuf};

/// The folder of the shadow repository.
fn shadow(dir: &Path) -> PathBuf {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("objects").is_dir() {
            return folder;
        }
        let entries = std::fs::read_dir(&folder).unwrap();
        folders.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_dir()),
        );
    }
    panic!("no repository below {}", dir.display());
}

#[test]
fn a_packed_store_has_every_checkpoint_and_takes_more() {
    let lab = Lab::new();
    let mut run = lab.begin();
    let base = run.head.clone();
    let states: Vec<_> = (0..30)
        .map(|number| {
            lab.write("src/lib.py", format!("{number}\n").repeat(500));
            lab.write(&format!("new/{number}"), "new\n");
            (run.step().id, lab.listing())
        })
        .collect();
    let shadow = shadow(run.checkpoints.store_dir());
    let count = |what: &str| -> u32 {
        let told = lab.git_in(&shadow, &["count-objects", "-v"]);
        let line = told.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(count("count:") > 90);
    run.checkpoints.pack().unwrap();
    assert_eq!(count("count:"), 0);
    assert_eq!(count("packs:"), 1);
    // So are the references that keep them, and git reads them.
    let kept = lab.git_in(&shadow, &["for-each-ref", "refs/espalier/"]);
    assert_eq!(kept.lines().count(), 31);
    let loose = lab.sh(&format!(
        "find '{}/refs/espalier' -type f | wc -l",
        shadow.display()
    ));
    assert_eq!(String::from_utf8_lossy(&loose.stdout).trim(), "0");
    lab.git_in(&shadow, &["fsck", "--strict", "--no-dangling"]);

    // A reader that was open before finds what moved, and every state comes back.
    for (id, listing) in [&states[3], &states[29], &states[0]] {
        run.restore(id);
        assert_same(&lab.listing(), listing);
    }
    run.restore(&base);
    lab.write("after.txt", "after\n");
    let after = run.step();
    assert!(after.created);
    run.checkpoints.pack().unwrap();
    assert_eq!(count("packs:"), 2);
    let reader = CheckpointReader::open(&lab.project, &lab.store).unwrap();
    assert_eq!(reader.file(&after.id, "after.txt").unwrap(), b"after\n");
    run.checkpoints
        .publish("session-branch", &after.id)
        .unwrap();
    assert_eq!(lab.git(&["show", "session-branch:after.txt"]), "after");
}

#[test]
fn what_the_checkpoints_of_a_project_take_can_be_told() {
    let lab = Lab::new();
    assert_eq!(disk_use(&lab.store).unwrap(), []);
    // Ten megabytes that the project's own repository has cost nothing here.
    std::fs::write(lab.path("big.bin"), noise(10 << 20)).unwrap();
    lab.commit_all("big");
    let mut run = lab.begin();
    let before = disk_use(&lab.store).unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(
        before[0].project_dir.as_deref(),
        Some(lab.project.as_path())
    );
    assert!(before[0].bytes < 4 << 20, "{before:?}");
    std::fs::write(lab.path("more.bin"), noise(3 << 20)).unwrap();
    run.step();
    let grown = disk_use(&lab.store).unwrap()[0].bytes - before[0].bytes;
    assert!((3 << 20..4 << 20).contains(&grown), "{grown}");
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        bytes.extend_from_slice(&(state >> 32).to_le_bytes()[..4]);
    }
    bytes
}

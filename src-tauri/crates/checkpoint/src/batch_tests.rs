#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::*;
use git2::Oid;
use rustix::fs::{Mode, OFlags, open};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn root(dir: &Path) -> OwnedFd {
    open(dir, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

fn job(root: &OwnedFd, name: &str, text: &str) -> Job {
    Job {
        path: RelPath::from_text(name).unwrap(),
        version: Version {
            id: Oid::ZERO_SHA1,
            full_mode: 0o100_640,
        },
        bytes: text.as_bytes().to_vec(),
        seen: statat(root, name, AtFlags::SYMLINK_NOFOLLOW).ok(),
    }
}

/// Names with contents, temporary ones too.
fn listing(dir: &Path) -> Vec<(String, String)> {
    let mut all: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn each_file_is_in_its_place_with_its_mode_and_nothing_stays_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..20).map(|number| format!("file{number:02}")).collect();
    for name in &names[..10] {
        fs::write(dir.path().join(name), "before").unwrap();
    }
    let root = root(dir.path());
    let jobs: Vec<Job> = names.iter().map(|name| job(&root, name, name)).collect();
    assert!(put(&root, &jobs).iter().all(|put| *put == Put::Done));
    let expected: Vec<_> = names.iter().cloned().zip(names.iter().cloned()).collect();
    assert_eq!(listing(dir.path()), expected);
    let mode = fs::metadata(dir.path().join("file00"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode(), 0o100_640);
}

#[test]
fn what_somebody_wrote_in_between_stays() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path());
    for name in ["a", "b", "c", "d"] {
        fs::write(dir.path().join(name), "before").unwrap();
    }
    let mut jobs: Vec<Job> = ["a", "b", "c", "d", "new", "free"]
        .iter()
        .map(|name| job(&root, name, "after"))
        .collect();
    // After they were looked at: one is written over, one replaced, one appears.
    fs::write(dir.path().join("b"), "by hand").unwrap();
    fs::write(dir.path().join("other"), "by hand").unwrap();
    fs::rename(dir.path().join("other"), dir.path().join("c")).unwrap();
    fs::write(dir.path().join("new"), "by hand").unwrap();
    jobs.push(job(&root, "in/a/missing/directory", "after"));
    assert_eq!(
        put(&root, &jobs),
        [
            Put::Done,
            Put::Changed,
            Put::Changed,
            Put::Done,
            Put::Changed,
            Put::Done,
            Put::Alone
        ]
    );
    let expected = [
        ("a", "after"),
        ("b", "by hand"),
        ("c", "by hand"),
        ("d", "after"),
        ("free", "after"),
        ("new", "by hand"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    assert_eq!(listing(dir.path()), expected);
}

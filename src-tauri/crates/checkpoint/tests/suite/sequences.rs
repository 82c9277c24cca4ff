//! Random sequences of changes, checkpoints and restores against a model: the listing of every byte
//! on disk when a checkpoint was taken.

use super::lab::{Lab, Listing, assert_same};
use espalier_checkpoint::Dirty;
use espalier_protocol::CheckpointId;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Deed {
    Write(usize, u8),
    Remove(usize),
    MakeDir(usize),
    Move(usize, usize),
    Copy(usize, usize),
    Link(usize, usize),
    Mode(usize, u32),
    Checkpoint,
    Scan,
    Named(usize, u8),
    Restore(usize),
}

/// Few places, so that files, links and directories meet.
const PLACES: [&str; 12] = [
    "a", "b", "d/a", "d/b", "d/e/a", "d/e/f/a", "x/y/z/w", "x/y", "d", "x", "d/e", "g/h",
];

fn deed() -> impl Strategy<Value = Deed> {
    let place = || 0..PLACES.len();
    prop_oneof![
        6 => (place(), any::<u8>()).prop_map(|(place, byte)| Deed::Write(place, byte)),
        3 => place().prop_map(Deed::Remove),
        2 => place().prop_map(Deed::MakeDir),
        2 => (place(), place()).prop_map(|(from, to)| Deed::Move(from, to)),
        1 => (place(), place()).prop_map(|(from, to)| Deed::Copy(from, to)),
        1 => (place(), place()).prop_map(|(from, to)| Deed::Link(from, to)),
        2 => (place(), prop_oneof![Just(0o600), Just(0o755), Just(0o644), Just(0o700), Just(0o444)])
            .prop_map(|(place, mode)| Deed::Mode(place, mode)),
        5 => Just(Deed::Checkpoint),
        1 => Just(Deed::Scan),
        2 => (place(), any::<u8>()).prop_map(|(place, byte)| Deed::Named(place, byte)),
        4 => any::<usize>().prop_map(Deed::Restore),
    ]
}

/// Changes the disk; what cannot be done (a file in a file) is left undone.
fn do_to_disk(project: &Path, deed: &Deed) {
    let at = |place: &usize| project.join(PLACES[*place]);
    let parents = |path: &Path| {
        let _ = fs::create_dir_all(path.parent().unwrap());
    };
    // An agent's commands fail too; what they leave is what counts.
    let _ = match deed {
        Deed::Write(place, byte) | Deed::Named(place, byte) => {
            parents(&at(place));
            fs::write(at(place), [*byte; 3])
        }
        Deed::Remove(place) if at(place).is_dir() && !at(place).is_symlink() => {
            fs::remove_dir_all(at(place))
        }
        Deed::Remove(place) => fs::remove_file(at(place)),
        Deed::MakeDir(place) => fs::create_dir_all(at(place)),
        Deed::Move(from, to) => {
            parents(&at(to));
            fs::rename(at(from), at(to))
        }
        Deed::Copy(from, to) => {
            parents(&at(to));
            std::process::Command::new("cp")
                .arg("-r")
                .args([at(from), at(to)])
                .stderr(std::process::Stdio::null())
                .status()
                .map(|_| ())
        }
        Deed::Link(from, to) => {
            parents(&at(to));
            symlink(at(from).file_name().unwrap(), at(to))
        }
        Deed::Mode(place, mode) if at(place).exists() && !at(place).is_dir() => {
            fs::set_permissions(at(place), fs::Permissions::from_mode(*mode))
        }
        _ => Ok(()),
    };
}

fn play(deeds: &[Deed]) {
    let lab = Lab::new();
    let mut run = lab.begin();
    let mut known: Vec<(CheckpointId, Listing)> = vec![(run.head.clone(), lab.listing())];
    for deed in deeds {
        do_to_disk(&lab.project, deed);
        match deed {
            Deed::Checkpoint | Deed::Scan => {
                let dirty = if matches!(deed, Deed::Scan) {
                    Dirty::FullScan
                } else {
                    Dirty::Watched
                };
                let checkpoint = run.step_of(dirty);
                known.push((checkpoint.id, lab.listing()));
                // What the watch reported was everything there was.
                let missed = run.step_of(Dirty::FullScan);
                assert!(!missed.created, "missed: {:?}", missed.changes);
            }
            Deed::Named(place, _) => {
                run.step_of(Dirty::Paths(vec![PLACES[*place].to_owned()]));
            }
            Deed::Restore(which) => {
                let present = run.step();
                known.push((present.id, lab.listing()));
                let (target, listing) = known[which % known.len()].clone();
                let report = run.restore(&target);
                assert!(report.left_alone.is_empty(), "{report:?}");
                assert_same(&lab.listing(), &listing);
                assert!(run.checkpoints.edited_by_hand(&target).unwrap().is_empty());
            }
            _ => {}
        }
    }
    // Every checkpoint can still be reached, whatever lies between.
    run.step();
    for (target, listing) in known.iter().rev().take(6) {
        run.restore(target);
        assert_same(&lab.listing(), listing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn files_always_equal_the_model(deeds in proptest::collection::vec(deed(), 1..40)) {
        play(&deeds);
    }
}

/// The same with the other watches; in processes of their own, because the choice is one of the
/// environment.
#[test]
fn the_other_watches_miss_nothing_either() {
    for watch in ["notify", "none"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "suite::sequences::files_always_equal_the_model"])
            .env("ESPALIER_WATCH", watch)
            .env("PROPTEST_CASES", "8")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{watch}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

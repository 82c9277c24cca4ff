//! Random sequences of changes, checkpoints and restores against a model: the listing of every byte
//! on disk when a checkpoint was taken.

use super::lab::{Lab, Listing, Run, assert_same, begin};
use espalier_checkpoint::{CheckpointReader, Dirty};
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
    Undo,
    Overtaken(usize, usize, u8),
    Reopen,
    Park,
    Publish,
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
        2 => Just(Deed::Undo),
        1 => (any::<usize>(), place(), any::<u8>())
            .prop_map(|(which, place, byte)| Deed::Overtaken(which, place, byte)),
        1 => Just(Deed::Reopen),
        1 => Just(Deed::Park),
        1 => Just(Deed::Publish),
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

/// A session and what its checkpoints must hold. Going back to any checkpoint and on from there is
/// a branch; `undo` holds what each move left behind.
struct Game {
    lab: Lab,
    run: Run,
    known: Vec<(CheckpointId, Listing)>,
    undo: Vec<(CheckpointId, Listing)>,
}

impl Game {
    fn new() -> Self {
        let lab = Lab::new();
        let run = lab.begin();
        let known = vec![(run.head.clone(), lab.listing())];
        Self {
            lab,
            run,
            known,
            undo: Vec::new(),
        }
    }

    fn play(&mut self, deed: &Deed) {
        do_to_disk(&self.lab.project, deed);
        match deed {
            Deed::Checkpoint => self.keep(Dirty::Watched),
            Deed::Scan => self.keep(Dirty::FullScan),
            Deed::Named(place, _) => {
                self.run
                    .step_of(Dirty::Paths(vec![PLACES[*place].to_owned()]));
            }
            Deed::Restore(which) => {
                let target = self.known[which % self.known.len()].clone();
                self.go_to(target);
            }
            Deed::Undo => {
                if let Some(target) = self.undo.pop() {
                    self.go_to(target);
                }
            }
            Deed::Overtaken(which, place, byte) => self.overtaken(*which, *place, *byte),
            Deed::Reopen => self.reopen(),
            Deed::Park => self.park(),
            Deed::Publish => self.publish(),
            _ => {}
        }
    }

    fn keep(&mut self, dirty: Dirty) {
        let checkpoint = self.run.step_of(dirty);
        self.known.push((checkpoint.id, self.lab.listing()));
        // What the watch reported was everything there was.
        let missed = self.run.step_of(Dirty::FullScan);
        assert!(!missed.created, "missed: {:?}", missed.changes);
    }

    fn go_to(&mut self, (target, listing): (CheckpointId, Listing)) {
        let present = self.run.step();
        let left = (present.id, self.lab.listing());
        self.known.push(left.clone());
        self.undo.push(left);
        let report = self.run.restore(&target);
        assert!(
            report.left_alone.is_empty() && report.kept.is_none(),
            "{report:?}"
        );
        assert_same(&self.lab.listing(), &listing);
        let edited = self.run.checkpoints.edited_by_hand(&target).unwrap();
        assert!(edited.is_empty(), "{edited:?}");
    }

    /// A file is written after the plan was made: its bytes are on disk or in what was kept.
    fn overtaken(&mut self, which: usize, place: usize, byte: u8) {
        let target = self.known[which % self.known.len()].0.clone();
        let present = self.run.step();
        let checkpoints = &mut self.run.checkpoints;
        let plan = checkpoints.plan_restore(&present.id, &target).unwrap();
        do_to_disk(&self.lab.project, &Deed::Write(place, byte));
        // Through a link the bytes are in the file behind it.
        let real = self.lab.path(PLACES[place]).canonicalize();
        let real = real
            .ok()
            .filter(|path| fs::read(path).is_ok_and(|bytes| bytes == [byte; 3]));
        let report = checkpoints.restore(&plan).unwrap();
        self.run.head = target;
        let Some(real) = real else { return };
        let written = [byte; 3].to_vec();
        let name = real.strip_prefix(&self.lab.project).unwrap();
        let reader = CheckpointReader::open(&self.lab.project, &self.lab.store).unwrap();
        let held = |id: &CheckpointId| reader.file(id, name.to_str().unwrap()).ok();
        let there = fs::read(&real).ok() == Some(written.clone())
            || held(&present.id) == Some(written.clone())
            || report.kept.is_some_and(|kept| held(&kept) == Some(written));
        assert!(there, "{}: lost", real.display());
    }

    /// The process ends and another takes the session up.
    fn reopen(&mut self) {
        self.run.reopen(&self.lab);
        let differs = self.run.checkpoints.resume(&self.run.head).unwrap().differs;
        let checkpoint = self.run.step();
        assert_eq!(checkpoint.created, differs);
        self.known.push((checkpoint.id, self.lab.listing()));
    }

    /// The project is put back as the user had it, and the session begins again where it was.
    fn park(&mut self) {
        let present = self.run.step();
        let listing = self.lab.listing();
        let report = self.run.checkpoints.put_back(false, &present.id).unwrap();
        assert!(report.left_alone.is_empty(), "{report:?}");
        assert_same(&self.lab.listing(), &self.known[0].1);
        self.run.reopen(&self.lab);
        self.run.head = begin(&mut self.run.checkpoints).base.id;
        self.run.restore(&present.id);
        assert_same(&self.lab.listing(), &listing);
    }

    fn publish(&mut self) {
        let present = self.run.step();
        let branch = "potato-session-abc123";
        self.run.checkpoints.publish(branch, &present.id).unwrap();
        assert_eq!(self.lab.git(&["rev-parse", branch]), present.id.as_str());
        let tree = self.lab.git(&["rev-parse", &format!("{branch}^{{tree}}")]);
        // Git agrees on what the files are.
        self.lab.git(&["read-tree", "--empty"]);
        self.lab.git(&["add", "-A"]);
        assert_eq!(tree, self.lab.git(&["write-tree"]));
        self.lab.git(&["fsck", "--strict"]);
    }
}

fn play(deeds: &[Deed]) {
    let mut game = Game::new();
    for deed in deeds {
        game.play(deed);
    }
    // Every checkpoint can still be reached, whatever lies between.
    game.run.step();
    for (target, listing) in game.known.clone().iter().rev().take(6) {
        game.run.restore(target);
        assert_same(&game.lab.listing(), listing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16),
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

//! Random sequences in which files are ignored, un-ignored, and too large for a checkpoint: whatever
//! a restore does, no byte is lost, and what the target holds is there or reported.

use super::lab::{Lab, Listing, Run};
use espalier_checkpoint::{CaptureLimits, CheckpointReader, Dirty};
use espalier_protocol::CheckpointId;
use proptest::prelude::*;
use std::fs;

/// Largest untracked file that a checkpoint holds here, in bytes.
const LIMIT: u64 = 12;
const PLACES: [&str; 10] = [
    "a.txt",
    "b",
    "d/a",
    "d/b.log",
    "d/e/a",
    "d/e",
    "d",
    "src/lib.py",
    "src",
    "c.log",
];
const RULES: [&str; 8] = [
    "",
    "*.log\n",
    "d/\n",
    "*\n!.gitignore\n",
    "/b\nsrc/\n",
    "d/*\n!d/a\n",
    "a\n",
    "e\n",
];

#[derive(Debug, Clone)]
enum Deed {
    Write(usize, bool),
    Remove(usize),
    Ignore(usize),
    IgnoreBelow(usize),
    Pipe(usize),
    Checkpoint,
    Scan,
    Restore(usize),
    Overtaken(usize, usize, bool),
    Reopen,
}

fn deed() -> impl Strategy<Value = Deed> {
    let place = || 0..PLACES.len();
    prop_oneof![
        6 => (place(), any::<bool>()).prop_map(|(place, large)| Deed::Write(place, large)),
        3 => place().prop_map(Deed::Remove),
        3 => (0..RULES.len()).prop_map(Deed::Ignore),
        1 => (0..RULES.len()).prop_map(Deed::IgnoreBelow),
        1 => place().prop_map(Deed::Pipe),
        4 => Just(Deed::Checkpoint),
        1 => Just(Deed::Scan),
        4 => any::<usize>().prop_map(Deed::Restore),
        2 => (any::<usize>(), place(), any::<bool>())
            .prop_map(|(which, place, large)| Deed::Overtaken(which, place, large)),
        1 => Just(Deed::Reopen),
    ]
}

struct Game {
    lab: Lab,
    run: Run,
    known: Vec<CheckpointId>,
    /// Every content is another one.
    written: u32,
}

const LIMITS: CaptureLimits = CaptureLimits {
    max_file_bytes: LIMIT,
};

impl Game {
    fn new() -> Self {
        let lab = Lab::new();
        lab.write(".gitignore", "*.log\n");
        lab.commit_all("ignore");
        let run = lab.begin_with(LIMITS);
        let known = vec![run.head.clone()];
        Self {
            lab,
            run,
            known,
            written: 0,
        }
    }

    fn play(&mut self, deed: &Deed) {
        match deed {
            Deed::Write(place, large) => self.write(*place, *large),
            Deed::Remove(place) => {
                let path = self.lab.path(PLACES[*place]);
                // An agent's commands fail too; what they leave is what counts.
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
            Deed::Ignore(rules) => self.lab.write(".gitignore", RULES[*rules]),
            Deed::IgnoreBelow(rules) => {
                let _ = fs::write(self.lab.path("d/.gitignore"), RULES[*rules]);
            }
            Deed::Pipe(place) => {
                let _ = std::process::Command::new("mkfifo")
                    .arg(self.lab.path(PLACES[*place]))
                    .stderr(std::process::Stdio::null())
                    .status();
            }
            Deed::Checkpoint => self.keep(Dirty::Watched),
            Deed::Scan => self.keep(Dirty::FullScan),
            Deed::Restore(which) => self.restore(*which, None),
            Deed::Overtaken(which, place, large) => self.restore(*which, Some((*place, *large))),
            Deed::Reopen => {
                self.run.reopen_with(&self.lab, LIMITS);
                self.run.checkpoints.resume(&self.run.head).unwrap();
            }
        }
    }

    fn write(&mut self, place: usize, large: bool) {
        self.written += 1;
        let path = self.lab.path(PLACES[place]);
        let text = format!("{:<1$}", self.written, if large { 40 } else { 6 });
        let special = fs::symlink_metadata(&path).is_ok_and(|meta| !meta.is_file());
        if special {
            return;
        }
        let _ = fs::create_dir_all(path.parent().unwrap());
        let _ = fs::write(path, text);
    }

    fn keep(&mut self, dirty: Dirty) {
        let checkpoint = self.run.step_of(dirty);
        self.known.push(checkpoint.id);
    }

    fn restore(&mut self, which: usize, overtaken: Option<(usize, bool)>) {
        let target = self.known[which % self.known.len()].clone();
        let present = self.run.step().id;
        let plan = self.run.checkpoints.plan_restore(&present, &target);
        let plan = plan.unwrap();
        assert!(plan.edited.is_empty(), "{:?}", plan.edited);
        if let Some((place, large)) = overtaken {
            self.write(place, large);
        }
        let before = self.lab.listing();
        let report = self.run.checkpoints.restore(&plan).unwrap();
        self.run.head = target.clone();
        self.known.push(present.clone());
        let after = self.lab.listing();
        let reader = CheckpointReader::open(&self.lab.project, &self.lab.store).unwrap();
        let holders: Vec<&CheckpointId> = report.kept.iter().chain([&present]).collect();
        nothing_lost(&before, &after, &reader, &holders);
        for file in reader.tree(&target).unwrap() {
            let wanted = reader.file(&target, &file.path).unwrap();
            let there = after.get(file.path.as_bytes());
            let told = report
                .left_alone
                .iter()
                .any(|line| line.starts_with(&format!("{}: ", file.path)));
            let overtook = overtaken.is_some_and(|(place, _)| file.path.starts_with(PLACES[place]));
            assert!(
                there.is_some_and(|(_, bytes)| *bytes == wanted) || told || overtook,
                "{} is not as in the target: {there:?}, {report:?}",
                file.path
            );
        }
    }
}

/// Every file of `before` is on disk still or in one of the checkpoints.
fn nothing_lost(
    before: &Listing,
    after: &Listing,
    reader: &CheckpointReader,
    holders: &[&CheckpointId],
) {
    for (name, (mode, bytes)) in before {
        if mode & 0o170_000 != 0o100_000 {
            let special = mode & 0o170_000 == 0o010_000;
            assert!(!special || after.get(name).is_some_and(|(now, _)| now == mode));
            continue;
        }
        let path = String::from_utf8(name.clone()).unwrap();
        let there = after.get(name).is_some_and(|(_, now)| now == bytes);
        let held = holders
            .iter()
            .any(|id| reader.file(id, &path).is_ok_and(|held| held == *bytes));
        assert!(there || held, "{path} is lost: {bytes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_restore_loses_a_byte(deeds in proptest::collection::vec(deed(), 1..30)) {
        let mut game = Game::new();
        for deed in &deeds {
            game.play(deed);
        }
    }
}

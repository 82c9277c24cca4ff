//! The same work done by both sides, timed one after the other.

use crate::sides::Sides;
use espalier_checkpoint::Dirty;
use std::time::Instant;

/// Medians in microseconds.
#[derive(Clone, Copy)]
pub struct Medians {
    pub ours: f64,
    pub git: f64,
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prepares, then times ours and git's, in changing order.
fn compare(
    sides: &mut Sides,
    repetitions: usize,
    mut prepare: impl FnMut(&mut Sides, usize) -> Vec<String>,
    mut ours: impl FnMut(&mut Sides, &[String]),
    mut git: impl FnMut(&Sides),
) -> Medians {
    let (mut our_samples, mut git_samples) = (Vec::new(), Vec::new());
    for number in 0..repetitions {
        let prepared = prepare(sides, number);
        if number % 2 == 0 {
            our_samples.push(timed(|| ours(sides, &prepared)));
            git_samples.push(timed(|| git(sides)));
        } else {
            git_samples.push(timed(|| git(sides)));
            our_samples.push(timed(|| ours(sides, &prepared)));
        }
    }
    Medians {
        ours: median(our_samples),
        git: median(git_samples),
    }
}

fn edit_some(sides: &mut Sides, count: usize) -> Vec<String> {
    let files: Vec<String> = (0..count).map(|_| sides.file()).collect();
    for file in &files {
        sides.edit(file);
    }
    files
}

fn take_paths(sides: &mut Sides, files: &[String]) {
    sides.take(Dirty::Paths(files.to_vec()));
}

pub fn edit(sides: &mut Sides) -> Medians {
    compare(
        sides,
        40,
        |sides, _| edit_some(sides, 1),
        take_paths,
        Sides::commit,
    )
}

pub fn twenty(sides: &mut Sides) -> Medians {
    compare(
        sides,
        30,
        |sides, _| edit_some(sides, 20),
        take_paths,
        Sides::commit,
    )
}

pub fn flat(sides: &mut Sides) -> Medians {
    let edit = |sides: &mut Sides, number: usize| {
        let file = format!("flat/file{}.txt", number * 131 % crate::sides::FLAT);
        sides.edit(&file);
        vec![file]
    };
    compare(sides, 30, edit, take_paths, Sides::commit)
}

pub fn full_scan(sides: &mut Sides) -> Medians {
    let edit = |sides: &mut Sides, number: usize| {
        edit_some(sides, 1);
        sides.edit(&format!("new{number}.txt"));
        Vec::new()
    };
    compare(
        sides,
        10,
        edit,
        |sides, _| sides.take(Dirty::FullScan),
        Sides::commit,
    )
}

/// There and back over ten checkpoints: 16 files changed, 2 added, 2 deleted.
pub fn rollback(sides: &mut Sides) -> Medians {
    let (start, git_start) = (sides.head.clone(), sides.run(&["rev-parse", "HEAD"]));
    for number in 0..10 {
        let mut files: Vec<String> = sides.files[number * 4..number * 4 + 4].to_vec();
        files.truncate(if number < 6 { 2 } else { 1 });
        for file in &files {
            sides.edit(file);
        }
        match number {
            8 => {
                for name in ["added1.txt", "added2.txt"] {
                    sides.edit(name);
                    files.push(name.to_owned());
                }
            }
            9 => {
                for place in [60, 61] {
                    let file = sides.files[place].clone();
                    sides.remove(&file);
                    files.push(file);
                }
            }
            _ => {}
        }
        sides.take(Dirty::Paths(files));
        sides.commit();
    }
    let (end, git_end) = (sides.head.clone(), sides.run(&["rev-parse", "HEAD"]));
    let (mut ours, mut git) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let (from, to, git_to) = if number % 2 == 0 {
            (&end, &start, &git_start)
        } else {
            (&start, &end, &git_end)
        };
        let checkpoints = &mut sides.checkpoints;
        ours.push(timed(|| {
            let plan = checkpoints.plan_restore(from, to).unwrap();
            assert!(plan.edited.is_empty());
            checkpoints.restore(&plan).unwrap();
        }));
        git.push(timed(|| {
            sides.run(&["checkout", "-q", git_to]);
        }));
    }
    sides.run(&["checkout", "-q", "main"]);
    // Deleted for good: later cases edit what is listed.
    sides.files.drain(60..62);
    Medians {
        ours: median(ours),
        git: median(git),
    }
}

pub fn branch(sides: &mut Sides) -> Medians {
    let (mut ours, mut git) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let head = sides.head.clone();
        let checkpoints = &mut sides.checkpoints;
        let name = format!("bench-branch_{number}");
        ours.push(timed(|| checkpoints.publish(&name, &head).unwrap()));
        if number % 7 == 0 {
            let folder = format!("../worktree{number}");
            git.push(timed(|| {
                sides.run(&["worktree", "add", "-q", "--detach", &folder]);
            }));
        }
    }
    Medians {
        ours: median(ours),
        git: median(git),
    }
}

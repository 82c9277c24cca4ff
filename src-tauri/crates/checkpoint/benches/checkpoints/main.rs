//! What checkpoints, rollbacks and branches cost beside the git commands people would use instead.
//!
//! `make bench` runs this in a release build and writes `docs/performance.md`. Both methods do the
//! same work on equal repositories, one after the other in each repetition, in changing order; the
//! figures are medians. The two sides never share a repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark ends at the first surprise and speaks to a terminal"
)]

mod cases;
mod commands;
mod report;
#[path = "../../../engine/benches/step/repository.rs"]
mod repository;
mod sides;

use report::{Bar, Row, Table};

fn main() {
    let mut table = Table::default();
    let mut edits = Vec::new();
    for (files, must, aim) in [
        (1_000, 8.0, 20.0),
        (20_000, 35.0, 100.0),
        (100_000, 150.0, 400.0),
    ] {
        eprintln!("projects of {files} files");
        let mut sides = sides::Sides::new(files);
        let name = |what: &str| format!("{what}, {files} files");
        let edit = cases::edit(&mut sides);
        edits.push(edit.ours);
        table.ratio(
            Row::new(
                name("checkpoint of one edit"),
                "git add -A && git commit",
                edit,
            ),
            Bar::new(must, aim),
        );
        if files == 20_000 {
            let twenty = cases::twenty(&mut sides);
            table.ratio(
                Row::new(name("20 files changed"), "git add -A && git commit", twenty),
                Bar::new(6.0, 15.0),
            );
            let flat = cases::flat(&mut sides);
            table.ratio(
                Row::new(
                    name("one file in a directory of 5,000"),
                    "git add -A && git commit",
                    flat,
                ),
                Bar::new(10.0, 40.0),
            );
        }
        let (must, aim) = match files {
            1_000 => (3.0, 5.0),
            20_000 => (8.0, 20.0),
            _ => (25.0, 80.0),
        };
        let rollback = cases::rollback(&mut sides);
        table.ratio(
            Row::new(
                name("rollback over 10 checkpoints of 20 files"),
                "git checkout",
                rollback,
            ),
            Bar::new(must, aim),
        );
        if files == 20_000 {
            let branch = cases::branch(&mut sides);
            table.ratio(
                Row::new(name("branch at a checkpoint"), "git worktree add", branch),
                Bar::new(200.0, 200.0),
            );
        }
        if files == 100_000 {
            let scan = cases::full_scan(&mut sides);
            table.ratio(
                Row::new(name("full scan"), "git add -A && git commit", scan),
                Bar::new(1.5, 2.5),
            );
        }
    }
    let growth = edits[2] / edits[0];
    table.limit(
        "one edit, 100,000 files against 1,000",
        format!("{growth:.2}×"),
        growth,
        Bar::new(2.0, 1.5),
    );
    eprintln!("shell commands");
    let barrier = commands::barrier();
    table.limit(
        "barrier after a shell command, p50",
        report::millis(barrier.p50),
        barrier.p50 / 1e3,
        Bar::new(1.0, 1.0),
    );
    table.limit(
        "barrier after a shell command, p95",
        report::millis(barrier.p95),
        barrier.p95 / 1e3,
        Bar::new(5.0, 0.1),
    );
    let missed = commands::missed(10_000);
    table.limit(
        "changes missed over 10,000 random shell commands",
        missed.to_string(),
        missed as f64,
        Bar::new(0.0, 0.0),
    );
    eprintln!("10,000 checkpoints on disk");
    let bytes = commands::packed_bytes(10_000);
    let megabytes = bytes as f64 / 1e6;
    table.limit(
        "10,000 checkpoints on disk, packed",
        format!("{megabytes:.1} MB"),
        megabytes,
        Bar::new(10.0, 10.0),
    );
    report::write(&table);
}

//! Writes what was measured where users read it.

use crate::cases::Medians;
use std::fmt::Write;
use std::path::Path;

const START: &str = "<!-- checkpoints: written by make bench -->";
const END: &str = "<!-- checkpoints: end -->";

/// What a figure must reach, and what it should.
pub struct Bar {
    must: f64,
    aim: f64,
}

impl Bar {
    pub fn new(must: f64, aim: f64) -> Self {
        Self { must, aim }
    }
}

pub struct Row {
    what: String,
    baseline: &'static str,
    medians: Medians,
}

impl Row {
    pub fn new(what: String, baseline: &'static str, medians: Medians) -> Self {
        Self {
            what,
            baseline,
            medians,
        }
    }
}

#[derive(Default)]
pub struct Table {
    ratios: String,
    limits: String,
}

impl Table {
    /// A figure that should be high: how many times faster than the baseline.
    pub fn ratio(&mut self, row: Row, bar: Bar) {
        let Medians { ours, git } = row.medians;
        let ratio = git / ours;
        let verdict = verdict(ratio >= bar.must, ratio >= bar.aim);
        writeln!(
            self.ratios,
            "| {} | {} | {} | {} | {ratio:.1}× | {}× | {}× | {verdict} |",
            row.what,
            millis(ours),
            row.baseline,
            millis(git),
            bar.must,
            bar.aim,
        )
        .unwrap();
    }

    /// A figure that should be low.
    pub fn limit(&mut self, what: &str, shown: String, value: f64, bar: Bar) {
        let verdict = verdict(value <= bar.must, value <= bar.aim);
        let (must, aim) = (bar.must, bar.aim);
        writeln!(
            self.limits,
            "| {what} | {shown} | {must} | {aim} | {verdict} |"
        )
        .unwrap();
    }
}

fn verdict(must: bool, aim: bool) -> &'static str {
    match (must, aim) {
        (_, true) => "aim met",
        (true, false) => "met",
        (false, false) => "**missed**",
    }
}

pub fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1e3)
}

pub fn write(table: &Table) {
    let text = format!(
        "| what | ours, p50 | baseline | p50 | ratio | must | aim | |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n{}\n\
         | what | measured | at most | aim | |\n| --- | --- | --- | --- | --- |\n{}",
        table.ratios, table.limits
    );
    println!("{text}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/performance.md");
    let old = std::fs::read_to_string(&file).unwrap();
    let start = old.find(START).unwrap() + START.len();
    let end = old.find(END).unwrap();
    let new = format!("{}\n{text}{}", &old[..start], &old[end..]);
    std::fs::write(&file, new).unwrap();
}

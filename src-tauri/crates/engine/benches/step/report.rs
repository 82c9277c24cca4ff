//! Writes what was measured where users read it.

use crate::memory::Memory;
use crate::steps::Row;
use std::fmt::Write;
use std::path::Path;

const START: &str = "<!-- step: written by make bench -->";
const END: &str = "<!-- step: end -->";

pub fn write(rows: &[Row], memory: &Memory) {
    let mut text = String::new();
    text.push_str("| project | a step, p50 | p95 | aim | `git add -A && git commit`, p50 | ratio of p50 | aim |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        let ratio = row.baseline_p50 as f64 / row.p50 as f64;
        let met = if row.p95 < 10_000 { "met" } else { "missed" };
        let aim = match row.files {
            20_000 if ratio >= 10.0 => "10×: met",
            20_000 => "10×: missed",
            _ => "",
        };
        writeln!(
            text,
            "| {} files | {} | {} | 10 ms: {met} | {} | {ratio:.1}× | {aim} |",
            row.files,
            millis(row.p50),
            millis(row.p95),
            millis(row.baseline_p50),
        )
        .unwrap();
    }
    text.push_str("\n| steps done | memory of the app, MB |\n| --- | --- |\n");
    for (steps, kilobytes) in &memory.app {
        writeln!(text, "| {steps} | {:.1} |", *kilobytes as f64 / 1024.0).unwrap();
    }
    println!("{text}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/performance.md");
    let old = std::fs::read_to_string(&file).unwrap();
    let start = old.find(START).unwrap() + START.len();
    let end = old.find(END).unwrap();
    let new = format!("{}\n{text}{}", &old[..start], &old[end..]);
    std::fs::write(&file, new).unwrap();
}

fn millis(micros: u64) -> String {
    format!("{:.2} ms", micros as f64 / 1000.0)
}

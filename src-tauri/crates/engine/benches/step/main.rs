//! What a step costs apart from model and tool, and whether a long run's memory stays flat.
//!
//! `make bench` runs this in a release build and writes `docs/performance.md`. The cost is taken
//! where the agent feels it: from telling the engine that a tool has finished to being told to go
//! on. A stand-in agent process (this program itself) edits one file a step. The baseline,
//! `git add -A && git commit`, runs interleaved in the same run on an equal repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark ends at the first surprise and speaks to a terminal"
)]

mod agent;
mod memory;
mod report;
mod repository;
mod steps;

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some(agent::FLAG) {
        agent::main();
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut rows = Vec::new();
    for files in [1_000, 20_000] {
        eprintln!("a step in a project of {files} files");
        rows.push(runtime.block_on(steps::measure(files)));
    }
    eprintln!("1,000 steps with 100 KB of output each");
    let memory = memory::measure();
    report::write(&rows, &memory);
}

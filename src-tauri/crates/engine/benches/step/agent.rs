//! The stand-in agent: edits one file a step and notes how long the engine keeps it waiting.

use crate::repository::commit_all;
use espalier_protocol::worker::{FromAgent, ToAgent, ToolOutcome, Touched};
use espalier_protocol::{Block, StepKind, StepStatus, Usage};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Makes this program the stand-in agent.
pub const FLAG: &str = "--stand-in-agent";

/// One step: how long the engine took, and the baseline beside it, in microseconds.
pub type Sample = (u64, u64);

struct Agent {
    lines: std::io::Lines<std::io::StdinLock<'static>>,
}

impl Agent {
    fn hear(&mut self) -> Option<ToAgent> {
        let line = self.lines.next()?.unwrap();
        Some(serde_json::from_str(&line).unwrap())
    }
}

fn say(said: &FromAgent) {
    let mut line = serde_json::to_vec(said).unwrap();
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).unwrap();
    out.flush().unwrap();
}

/// Arguments after the flag: number of steps, the baseline's repository, the file for samples.
pub fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let steps: usize = args[0].parse().unwrap();
    let baseline = PathBuf::from(&args[1]);
    let samples_file = PathBuf::from(&args[2]);
    let mut agent = Agent {
        lines: std::io::stdin().lines(),
    };
    let Some(ToAgent::Setup { setup }) = agent.hear() else {
        panic!("no setup");
    };
    let project = PathBuf::from(&setup.project_dir);
    let files = crate::repository::some_files(&project);
    let mut samples: Vec<Sample> = Vec::new();
    say(&FromAgent::Ready);
    let mut told = agent.hear();
    for number in 0..steps {
        let Some(ToAgent::Continue { .. }) = told else {
            return;
        };
        let path = &files[number * 7919 % files.len()];
        propose(number, path);
        let Some(ToAgent::Go { .. }) = agent.hear() else {
            return;
        };
        edit(&project.join(path), number);
        let start = Instant::now();
        finish(number, path);
        say(&FromAgent::Ready);
        told = agent.hear();
        let engine = start.elapsed();
        edit(&baseline.join(path), number);
        let start = Instant::now();
        commit_all(&baseline);
        samples.push((micros(engine), micros(start.elapsed())));
    }
    std::fs::write(&samples_file, serde_json::to_vec(&samples).unwrap()).unwrap();
    say(&FromAgent::Message {
        blocks: vec![Block::Text {
            text: "Done.".to_owned(),
            raw: None,
        }],
        usage: Usage::default(),
        model: None,
        model_ms: 0,
        notices: Vec::new(),
    });
    say(&FromAgent::Ended);
    say(&FromAgent::Ready);
    while let Some(told) = agent.hear() {
        if told == ToAgent::Shutdown {
            return;
        }
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap()
}

fn propose(number: usize, path: &str) {
    let call_id = format!("call_{number}");
    let input = json!({"path": path, "content": format!("edit {number}")});
    say(&FromAgent::Message {
        blocks: vec![Block::ToolCall {
            call_id: call_id.clone(),
            name: "write_file".to_owned(),
            input: input.clone(),
            raw: None,
        }],
        usage: Usage::default(),
        model: None,
        model_ms: 0,
        notices: Vec::new(),
    });
    say(&FromAgent::Proposed {
        call_id,
        call_index: 0,
        name: "write_file".to_owned(),
        input,
        kind: StepKind::Write,
        target: path.to_owned(),
    });
}

fn finish(number: usize, path: &str) {
    say(&FromAgent::Finished {
        call_id: format!("call_{number}"),
        outcome: ToolOutcome {
            status: StepStatus::Ok,
            content: "Written.".to_owned(),
            spool_file: None,
            output_bytes: 8,
            exit_code: None,
            duration_ms: 0,
            touched: Touched::Paths {
                paths: vec![path.to_owned()],
            },
        },
    });
}

fn edit(path: &Path, number: usize) {
    let mut text = std::fs::read_to_string(path).unwrap();
    text.push_str(&format!("edit {number}\n"));
    std::fs::write(path, text).unwrap();
}

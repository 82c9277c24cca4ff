//! File and search tools on a thread of their own, under a time-out and a cancellation.

use super::answer::{Attempt, Failure, outcome};
use espalier_protocol::StepStatus;
use espalier_protocol::worker::{ToolOutcome, Touched};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a tool that writes may take to come to a clean end once it is to stop.
const CLEAN_END: Duration = Duration::from_secs(2);

/// What a tool does to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// Why a tool was stopped.
#[derive(Debug, Clone, Copy)]
enum Halt {
    TimedOut,
    Cancelled,
}

/// Runs `work` to its end, the time-out or the cancellation. A reader that is stopped is left to
/// notice by itself; a writer is waited for, so that it never writes after the answer.
pub(crate) async fn run(
    effect: Effect,
    limit: Duration,
    cancel: &CancellationToken,
    work: impl FnOnce(&CancellationToken) -> Attempt + Send + 'static,
) -> ToolOutcome {
    let started = Instant::now();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    // Also when this future is dropped, the thread is told.
    let told = stop.drop_guard();
    let mut task = tokio::task::spawn_blocking(move || work(&stopped));
    let halt = tokio::select! {
        biased;
        () = cancel.cancelled() => Halt::Cancelled,
        done = &mut task => return finished(done, None, limit, started),
        () = tokio::time::sleep(limit) => Halt::TimedOut,
    };
    drop(told);
    if effect == Effect::Reads {
        return halted(halt, limit, Touched::Nothing, started);
    }
    match tokio::time::timeout(CLEAN_END, &mut task).await {
        Ok(done) => finished(done, Some(halt), limit, started),
        Err(_) => halted(halt, limit, Touched::Anything, started),
    }
}

fn finished(
    done: <JoinHandle<Attempt> as Future>::Output,
    halt: Option<Halt>,
    limit: Duration,
    started: Instant,
) -> ToolOutcome {
    match done {
        Ok(Ok(answer)) => outcome(StepStatus::Ok, answer.content, answer.touched, started),
        Ok(Err(Failure::Told { content, touched })) => {
            outcome(StepStatus::ToolError, content, touched, started)
        }
        Ok(Err(Failure::Stopped)) => halted(
            halt.unwrap_or(Halt::Cancelled),
            limit,
            Touched::Nothing,
            started,
        ),
        Err(error) => {
            tracing::error!(%error, "a tool broke down");
            let content = "The tool broke down; this is a fault of its own.".to_owned();
            outcome(StepStatus::ToolError, content, Touched::Anything, started)
        }
    }
}

/// The outcome of a call that was cancelled before it began.
pub(crate) fn not_begun(started: Instant) -> ToolOutcome {
    let nothing = Touched::Nothing;
    halted(Halt::Cancelled, Duration::ZERO, nothing, started)
}

fn halted(halt: Halt, limit: Duration, touched: Touched, started: Instant) -> ToolOutcome {
    match halt {
        Halt::TimedOut => outcome(
            StepStatus::TimedOut,
            format!("Timed out after {} s.", limit.as_secs_f64()),
            touched,
            started,
        ),
        Halt::Cancelled => outcome(
            StepStatus::Cancelled,
            "Cancelled.".to_owned(),
            touched,
            started,
        ),
    }
}

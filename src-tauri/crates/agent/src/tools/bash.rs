//! `bash`: a shell command, its output as it comes, and an end after which nothing of it runs.
//!
//! Standard output and error share one pipe, so that their order is the true one. When the command
//! ends, runs out of time or is cancelled, everything that it started is ended before the tool
//! answers: a checkpoint is never taken while something still writes.

use super::answer::milliseconds;
use super::processes::Ended;
use crate::secret::Secret;
use espalier_protocol::StepStatus;
use espalier_protocol::event::OutputStream;
use espalier_protocol::worker::{ToolOutcome, Touched};
use output::{Captured, Pump};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use warden::Warden;

pub mod environment;
mod output;
mod transcript;
mod warden;

/// How long what a command left behind may take to end by itself.
const SETTLE: Duration = Duration::from_millis(500);
/// How long processes may take to end once they are asked to.
const GRACE: Duration = Duration::from_secs(1);
/// The same where an annotator waits.
const SHORT_GRACE: Duration = Duration::from_millis(40);
/// Between two looks at whether it has.
const LOOK: Duration = Duration::from_millis(20);
/// How long output may still come once nothing runs that could write any.
const DRAIN: Duration = Duration::from_secs(2);
/// Processes that are named when they had to be stopped.
const MAX_NAMED: usize = 5;

/// Where the output goes as it comes.
pub type Sink<'a> = &'a mut (dyn FnMut(OutputStream, String) + Send);

/// A command about to run.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) command: String,
    pub(crate) shell: PathBuf,
    pub(crate) dir: PathBuf,
    /// File for the whole output, should it be longer than what the model reads.
    pub(crate) spool: PathBuf,
    pub(crate) limit: Duration,
    /// Processes that the command may have at the same time.
    pub(crate) max_processes: usize,
    /// Taken out of what the command prints.
    pub(crate) secret: Secret,
    /// Marks the command's processes in their environment.
    pub(crate) mark: String,
}

/// How a command came to its end.
#[derive(Debug)]
enum End {
    Exited(io::Result<ExitStatus>),
    TimedOut,
    Cancelled,
    /// It had started too many processes.
    Overran,
}

/// Runs the command and ends all that it started.
pub(crate) async fn run(order: &Order, sink: Sink<'_>, cancel: &CancellationToken) -> ToolOutcome {
    let started = Instant::now();
    let mut running = match start(order) {
        Ok(running) => running,
        Err(error) => return not_started(order, &error, started),
    };
    let end = running.until_end(order, sink, cancel).await;
    let (end, ended) = running.clear_up(end, sink, cancel).await;
    let captured = running.pump.finish().await;
    report(order, &end, &ended, captured, started)
}

/// A command that runs. Dropping it ends the command and all that it started.
struct Running {
    child: Box<dyn ChildWrapper>,
    pump: Pump,
    warden: Warden,
}

fn start(order: &Order) -> io::Result<Running> {
    let warden = Warden::start(order.max_processes)?;
    let (reader, writer) = io::pipe()?;
    let mut command = tokio::process::Command::new(&order.shell);
    command
        .arg("-c")
        .arg("--")
        .arg(&order.command)
        .current_dir(&order.dir)
        .env_clear()
        .envs(environment::of_this_process())
        .envs(environment::always(&order.dir))
        .env(super::processes::MARK, &order.mark)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .kill_on_drop(true);
    // A session of its own: no terminal to ask questions on, and a group that is found again.
    let child = CommandWrap::from(command).wrap(ProcessSession).spawn()?;
    let pump = Pump::start(reader, order.spool.clone(), &order.secret)?;
    warden.watch(child.id(), order.mark.clone());
    Ok(Running {
        // The wrapper waits for its whole group; here the shell alone says when the command ended.
        child: child.into_inner(),
        pump,
        warden,
    })
}

impl Running {
    /// Passes output on until the shell ends or is to be ended.
    async fn until_end(
        &mut self,
        order: &Order,
        sink: Sink<'_>,
        cancel: &CancellationToken,
    ) -> End {
        let deadline = tokio::time::Instant::now() + order.limit;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return End::Cancelled,
                () = sleep_until(deadline) => return End::TimedOut,
                () = self.warden.overrun() => return End::Overran,
                status = self.child.wait() => return End::Exited(status),
                Some((stream, text)) = self.pump.live() => sink(stream, text),
            }
        }
    }

    /// Leaves nothing of the command running and takes its last output.
    async fn clear_up(
        &mut self,
        end: End,
        sink: Sink<'_>,
        cancel: &CancellationToken,
    ) -> (End, Ended) {
        let mut end = end;
        let mut left = Left::Something;
        if matches!(end, End::Exited(_)) {
            let settled = settle(&self.warden);
            tokio::select! {
                biased;
                () = cancel.cancelled() => end = End::Cancelled,
                settled = passing_on(settled, &mut self.pump, sink) => left = settled,
            }
        }
        let ended = match left {
            Left::Nothing => Ended::default(),
            Left::Something => {
                let grace = match end {
                    End::Cancelled => SHORT_GRACE,
                    End::Exited(_) | End::TimedOut | End::Overran => GRACE,
                };
                passing_on(self.warden.end(grace), &mut self.pump, sink).await
            }
        };
        if !matches!(end, End::Exited(_))
            && let Ok(Err(error)) = timeout(DRAIN, self.child.wait()).await
        {
            tracing::warn!(%error, "the shell's end could not be waited for");
        }
        let drained = timeout(DRAIN, async {
            while let Some((stream, text)) = self.pump.live().await {
                sink(stream, text);
            }
        });
        if drained.await.is_err() {
            tracing::warn!("something that was not found still holds the command's output open");
        }
        (end, ended)
    }
}

/// What of a command still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Something,
}

/// Gives what the command left behind a moment: a pipe's last reader, a daemon's parent.
async fn settle(warden: &Warden) -> Left {
    let until = tokio::time::Instant::now() + SETTLE;
    while warden.is_running().await {
        if tokio::time::Instant::now() >= until {
            return Left::Something;
        }
        sleep(LOOK).await;
    }
    Left::Nothing
}

/// Awaits something while output still flows.
async fn passing_on<T>(awaited: impl Future<Output = T>, pump: &mut Pump, sink: Sink<'_>) -> T {
    tokio::pin!(awaited);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            done = &mut awaited => return done,
            live = pump.live(), if open => match live {
                Some((stream, text)) => sink(stream, text),
                None => open = false,
            },
        }
    }
}

fn not_started(order: &Order, error: &io::Error, started: Instant) -> ToolOutcome {
    let content = match error.kind() {
        io::ErrorKind::ArgumentListTooLong => format!(
            "The command is too long for the system ({} bytes). Put large texts into files with \
             write_file.",
            order.command.len()
        ),
        io::ErrorKind::InvalidInput => {
            "The command contains a NUL character, which no shell takes.".to_owned()
        }
        _ => format!("The command could not be started: {error}"),
    };
    super::answer::outcome(StepStatus::ToolError, content, Touched::Nothing, started)
}

fn report(
    order: &Order,
    end: &End,
    ended: &Ended,
    captured: Captured,
    started: Instant,
) -> ToolOutcome {
    let (status, exit_code, note) = verdict(order, end);
    let mut notes = vec![note];
    if matches!(end, End::Exited(_)) && !ended.stopped.is_empty() {
        notes.push(left_running(&ended.stopped));
    }
    if !ended.survivors.is_empty() {
        let ids: Vec<String> = ended.survivors.iter().map(i32::to_string).collect();
        notes.push(format!(
            "Could not be stopped: processes {}.",
            ids.join(", ")
        ));
    }
    notes.extend(captured.trouble);
    let mut content = captured.text;
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    content.push_str(&format!("[{}]", notes.join("]\n[")));
    ToolOutcome {
        status,
        content,
        spool_file: captured
            .spooled
            .map(|path| path.to_string_lossy().into_owned()),
        output_bytes: u32::try_from(captured.bytes).unwrap_or(u32::MAX),
        exit_code,
        duration_ms: milliseconds(started),
        touched: Touched::Anything,
    }
}

/// Status, exit code and the words for how a command came to its end.
fn verdict(order: &Order, end: &End) -> (StepStatus, Option<i32>, String) {
    match end {
        End::Exited(Ok(status)) => exited(*status),
        End::Exited(Err(error)) => (
            StepStatus::CommandFailed,
            None,
            format!("The end of the command could not be seen: {error}"),
        ),
        End::TimedOut => (
            StepStatus::TimedOut,
            None,
            format!(
                "Timed out after {} s; the command and all that it started were stopped.",
                order.limit.as_secs_f64()
            ),
        ),
        End::Cancelled => (
            StepStatus::Cancelled,
            None,
            "Cancelled; the command and all that it started were stopped.".to_owned(),
        ),
        End::Overran => (
            StepStatus::CommandFailed,
            None,
            format!(
                "Stopped: the command had started more than {} processes.",
                order.max_processes
            ),
        ),
    }
}

fn exited(status: ExitStatus) -> (StepStatus, Option<i32>, String) {
    if let Some(signal) = status.signal() {
        let code = 128 + signal;
        let note = format!("Ended by signal {signal}, exit code {code}");
        return (StepStatus::CommandFailed, Some(code), note);
    }
    let code = status.code().unwrap_or_default();
    let status = if code == 0 {
        StepStatus::Ok
    } else {
        StepStatus::CommandFailed
    };
    (status, Some(code), format!("Exit code {code}"))
}

fn left_running(stopped: &[String]) -> String {
    let named = stopped[..stopped.len().min(MAX_NAMED)].join("; ");
    let more = if stopped.len() > MAX_NAMED {
        "; …"
    } else {
        ""
    };
    let noun = if stopped.len() == 1 {
        "background process"
    } else {
        "background processes"
    };
    format!(
        "Stopped {} {noun} that the command left running: {named}{more}",
        stopped.len()
    )
}

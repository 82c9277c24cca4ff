//! A running Claude Code: lines in, lines out, and an end that keeps its record whole.

use super::said::{self, Said};
use super::words;
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Lines that wait to be heard.
const MAX_UNHEARD: usize = 1024;
/// Bytes of one line. A file that was read stands in one, more than once.
const MAX_LINE: usize = 256 * 1024 * 1024;
/// How long it may take to end by itself; earlier its record would lose its last lines.
const GRACE: Duration = Duration::from_secs(3);
/// How long it may take once it is told to.
const SHORT_GRACE: Duration = Duration::from_secs(2);
/// Lines of its complaints that are kept.
const MAX_COMPLAINTS: usize = 5;

/// What is heard of it.
#[derive(Debug)]
pub(crate) enum Heard {
    Said(Said),
    /// It is gone; what it complained of last.
    Gone(String),
}

/// The running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: mpsc::UnboundedSender<Vec<u8>>,
    heard: mpsc::Receiver<Heard>,
}

impl Process {
    /// Starts it and opens the conversation with it.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let missing = || io::Error::other("its pipes are missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let (lines, to_write) = mpsc::unbounded_channel();
        let (sender, heard) = mpsc::channel(MAX_UNHEARD);
        tokio::spawn(write(stdin, to_write));
        tokio::spawn(listen(stdout, stderr, sender));
        let process = Self {
            child,
            lines,
            heard,
        };
        process.say(&words::opening());
        Ok(process)
    }

    /// Says a line. One that is gone is told by `hear`.
    pub(crate) fn say(&self, line: &Value) {
        let mut bytes = line.to_string().into_bytes();
        bytes.push(b'\n');
        if self.lines.send(bytes).is_err() {
            tracing::debug!("Claude Code no longer reads");
        }
    }

    /// What is heard next. Cancel safe.
    pub(crate) async fn hear(&mut self) -> Heard {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => Heard::Gone(String::new()),
        }
    }

    /// Whether it is known to be gone already.
    pub(crate) fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it: what runs is stopped first, so that nothing is done and nobody is asked meanwhile.
    pub(crate) async fn end(self) {
        self.say(&words::interrupt());
        let Self {
            mut child,
            lines,
            mut heard,
        } = self;
        // The end of its input is the order to end.
        drop(lines);
        let drained = async { while heard.recv().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            ask_to_end(&child);
        }
        if exited(&mut child, SHORT_GRACE).await.is_none() {
            tracing::warn!("Claude Code did not end by itself");
            if let Err(error) = child.kill().await {
                tracing::warn!(%error, "Claude Code could not be killed");
            }
        }
    }
}

fn ask_to_end(child: &Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(id) = id.and_then(rustix::process::Pid::from_raw)
        && let Err(error) = rustix::process::kill_process(id, rustix::process::Signal::TERM)
    {
        tracing::debug!(%error, "Claude Code ended meanwhile");
    }
}

async fn exited(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let status = tokio::time::timeout(patience, child.wait()).await.ok()?;
    status.ok()
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if let Err(error) = stdin.write_all(&line).await {
            tracing::debug!(%error, "Claude Code no longer reads");
            return;
        }
    }
}

async fn listen(stdout: ChildStdout, stderr: ChildStderr, sender: mpsc::Sender<Heard>) {
    let complaints: JoinHandle<String> = tokio::spawn(last_lines(stderr));
    let mut lines = BufReader::new(stdout);
    let mut line = Vec::new();
    let mut broken = None;
    loop {
        match next_line(&mut lines, &mut line).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                broken = Some(error.to_string());
                break;
            }
        }
        // It writes blank lines and, in trouble, plain words.
        let Ok(value) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        if let Some(said) = said::read(&value)
            && sender.send(Heard::Said(said)).await.is_err()
        {
            break;
        }
    }
    let why = match broken {
        Some(why) => why,
        None => complaints.await.unwrap_or_default(),
    };
    // Nobody listens any more to one that was ended.
    let _ = sender.send(Heard::Gone(why)).await;
}

/// Reads a line, without a limit on time and with one on length. Returns false at the end.
async fn next_line(
    input: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<bool> {
    line.clear();
    loop {
        let (used, ended) = {
            let some = input.fill_buf().await?;
            if some.is_empty() {
                return Ok(!line.is_empty());
            }
            match memchr::memchr(b'\n', some) {
                Some(end) => {
                    line.extend_from_slice(&some[..end]);
                    (end + 1, true)
                }
                None => {
                    line.extend_from_slice(some);
                    (some.len(), false)
                }
            }
        };
        input.consume(used);
        if ended {
            return Ok(true);
        }
        if line.len() > MAX_LINE {
            return Err(io::Error::other("it said a line that does not end"));
        }
    }
}

async fn last_lines(stderr: ChildStderr) -> String {
    let mut kept = VecDeque::new();
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if kept.len() == MAX_COMPLAINTS {
            kept.pop_front();
        }
        kept.push_back(crate::backend::excerpt(&line, 300));
    }
    Vec::from(kept).join("\n")
}

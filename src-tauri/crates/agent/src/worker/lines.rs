//! The two ends of the conversation with the engine, each on a thread of its own.
//!
//! Threads, not the runtime's: a read that never returns must not hold up the process's end.

use super::End;
use crate::error::AgentError;
use crate::secret::Secret;
use espalier_protocol::worker::{FromAgent, ToAgent};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Lines that wait to be heard; the engine speaks in turns, so there are few.
const MAX_UNHEARD: usize = 64;
/// Bytes that are written at once when lines come faster than they are read.
const MAX_BATCH: usize = 256 * 1024;

/// What was read.
enum Told {
    Line(ToAgent),
    Unreadable(String),
}

/// Hears the engine.
pub(super) struct Ears {
    told: mpsc::Receiver<Told>,
    stop: CancellationToken,
}

/// Reads lines until the input ends.
pub(super) fn listen(input: impl Read + Send + 'static, stop: CancellationToken) -> Ears {
    let (sender, told) = mpsc::channel(MAX_UNHEARD);
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        loop {
            line.clear();
            let told = match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) if line.trim_ascii().is_empty() => continue,
                Ok(_) => match serde_json::from_slice(&line) {
                    Ok(line) => Told::Line(line),
                    Err(error) => Told::Unreadable(error.to_string()),
                },
                Err(error) => Told::Unreadable(error.to_string()),
            };
            let last = matches!(told, Told::Unreadable(_));
            if sender.blocking_send(told).is_err() || last {
                return;
            }
        }
    });
    Ears { told, stop }
}

impl Ears {
    /// The next line. Cancel safe.
    pub(super) async fn hear(&mut self) -> Result<ToAgent, End> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(End::Gone),
            told = self.told.recv() => match told {
                Some(Told::Line(ToAgent::Shutdown)) => Err(End::Shutdown),
                Some(Told::Line(line)) => Ok(line),
                Some(Told::Unreadable(why)) => Err(End::Fault(AgentError::Told(why))),
                None => Err(End::Gone),
            },
        }
    }
}

/// Speaks to the engine.
#[derive(Clone)]
pub(super) struct Mouth {
    /// Unbounded, because a tool's output comes from where nothing can be awaited; what one command
    /// shows and what one answer says is bounded.
    lines: mpsc::UnboundedSender<FromAgent>,
    /// Taken out of every line, once it is known.
    secret: Arc<OnceLock<Secret>>,
}

impl Mouth {
    /// From here on no line has this in it. The first time counts.
    pub(super) fn keep(&self, secret: Secret) {
        self.secret.get_or_init(|| secret);
    }

    /// Says a line. Where nobody reads any more, `stop` is on its way.
    pub(super) fn say(&self, line: FromAgent) {
        if self.lines.send(line).is_err() {
            tracing::debug!("a line was not said: nobody reads");
        }
    }
}

/// Writes lines until the last mouth is dropped, which the receiver tells. A broken output cancels
/// `stop`.
pub(super) fn speak(
    output: impl Write + Send + 'static,
    stop: CancellationToken,
) -> (Mouth, oneshot::Receiver<()>) {
    let (lines, mut queue) = mpsc::unbounded_channel();
    let secret = Arc::new(OnceLock::new());
    let hidden = Arc::clone(&secret);
    let (written, told) = oneshot::channel();
    std::thread::spawn(move || {
        if let Err(error) = write_all(output, &mut queue, &hidden) {
            tracing::debug!(%error, "the app no longer listens");
            stop.cancel();
        }
        // That it is dropped is the news.
        drop(written);
    });
    (Mouth { lines, secret }, told)
}

fn write_all(
    mut output: impl Write,
    queue: &mut mpsc::UnboundedReceiver<FromAgent>,
    secret: &OnceLock<Secret>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while let Some(line) = queue.blocking_recv() {
        bytes.clear();
        append(&mut bytes, &line)?;
        while bytes.len() < MAX_BATCH {
            match queue.try_recv() {
                Ok(line) => append(&mut bytes, &line)?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        if let Some(secret) = secret.get() {
            secret.hide_within(&mut bytes);
        }
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}

fn append(bytes: &mut Vec<u8>, line: &FromAgent) -> std::io::Result<()> {
    serde_json::to_writer(&mut *bytes, line)?;
    bytes.push(b'\n');
    Ok(())
}

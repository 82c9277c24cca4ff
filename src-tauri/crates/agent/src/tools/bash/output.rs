//! A command's output on its way: to the screen as it comes, to the model's text, and, once it is
//! too long for a model, whole to a file.
//!
//! A task of its own reads the pipe. Neither a slow disk nor a slow listener holds up the end of
//! the command, and memory stays flat whatever comes.

use super::transcript::Transcript;
use crate::secret::{Secret, Veil};
use encoding_rs::{Decoder, UTF_8};
use espalier_protocol::event::OutputStream;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Live events of one command; what comes after is only kept.
const MAX_LIVE_EVENTS: usize = 10_000;
/// Bytes of live text of one command. Bounds the memory of an unread queue, too.
const MAX_LIVE_BYTES: usize = 4 << 20;
/// Bytes of one output that are kept on disk.
const MAX_SPOOLED: u64 = 512 << 20;

/// What became of an output.
#[derive(Debug)]
pub(super) struct Captured {
    /// What the model reads.
    pub(super) text: String,
    /// Bytes of the whole.
    pub(super) bytes: u64,
    /// The file with the whole, where `text` is not.
    pub(super) spooled: Option<PathBuf>,
    /// Why the file does not hold the whole.
    pub(super) trouble: Option<String>,
}

/// Reads a command's output until its end.
#[derive(Debug)]
pub(super) struct Pump {
    live: UnboundedReceiver<(OutputStream, String)>,
    kept: Arc<Mutex<Kept>>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Kept {
    transcript: Transcript,
    bytes: u64,
    spooled: Option<PathBuf>,
    trouble: Option<String>,
}

impl Pump {
    /// Starts reading; must be called within a tokio runtime.
    pub(super) fn start(
        reader: io::PipeReader,
        spool: PathBuf,
        secret: &Secret,
    ) -> io::Result<Self> {
        let reader = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let (sender, live) = unbounded_channel();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let flow = Flow {
            kept: kept.clone(),
            veil: secret.veil(),
            decoder: UTF_8.new_decoder_without_bom_handling(),
            screen: Screen {
                sender: Some(sender),
                events: 0,
                bytes: 0,
            },
            spool: Spool::Waiting {
                path: spool,
                bytes: Vec::new(),
            },
        };
        let task = tokio::spawn(flow.run(reader)).abort_handle();
        Ok(Self { live, kept, task })
    }

    /// The next piece for the screen; nothing once the output ended. Cancel safe.
    pub(super) async fn live(&mut self) -> Option<(OutputStream, String)> {
        self.live.recv().await
    }

    /// What was captured. Output that still comes is lost.
    pub(super) async fn finish(self) -> Captured {
        self.task.abort();
        let mut kept = std::mem::take(&mut *lock(&self.kept));
        if let Some(path) = &kept.spooled
            && let Err(error) = tokio::fs::metadata(path).await
        {
            kept.trouble = Some(not_kept(&error));
            kept.spooled = None;
        }
        Captured {
            text: kept.transcript.finish(),
            bytes: kept.bytes,
            spooled: kept.spooled,
            trouble: kept.trouble,
        }
    }
}

/// The kept state is plain data; a panic elsewhere does not make it wrong.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_kept(error: &io::Error) -> String {
    format!("The whole output could not be kept: {error}")
}

/// One output from pipe to screen, model and disk.
struct Flow {
    kept: Arc<Mutex<Kept>>,
    veil: Veil,
    decoder: Decoder,
    screen: Screen,
    spool: Spool,
}

impl Flow {
    async fn run(mut self, mut reader: Receiver) {
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk).await {
                Ok(0) => break,
                Ok(read) => {
                    let shown = self.veil.through(&chunk[..read]);
                    self.take(&shown).await;
                }
                Err(error) => {
                    lock(&self.kept).trouble = Some(format!("The output broke off: {error}"));
                    break;
                }
            }
        }
        let held = self.veil.rest();
        self.take(&held).await;
        let rest = self.decode(&[], true);
        lock(&self.kept).transcript.push(&rest);
        self.screen.show(rest);
        if let Err(error) = self.spool.flush().await {
            self.spool_failed(&error);
        }
        // Dropping the sender tells the listener that the output ended.
    }

    async fn take(&mut self, bytes: &[u8]) {
        let text = self.decode(bytes, false);
        let long = {
            let mut kept = lock(&self.kept);
            kept.bytes += bytes.len() as u64;
            kept.transcript.push(&text);
            kept.transcript.is_long()
        };
        self.screen.show(text);
        match self.spool.take(bytes, long).await {
            Ok(Spooling::Same) => {}
            Ok(Spooling::Began(path)) => lock(&self.kept).spooled = Some(path),
            Ok(Spooling::Full) => {
                lock(&self.kept).trouble = Some(format!(
                    "Only the first {} MB of the output are kept",
                    MAX_SPOOLED >> 20
                ));
            }
            Err(error) => self.spool_failed(&error),
        }
    }

    fn spool_failed(&mut self, error: &io::Error) {
        self.spool = Spool::Closed;
        let mut kept = lock(&self.kept);
        kept.trouble = Some(not_kept(error));
        kept.spooled = None;
    }

    fn decode(&mut self, bytes: &[u8], last: bool) -> String {
        let room = self.decoder.max_utf8_buffer_length(bytes.len());
        let mut text = String::with_capacity(room.unwrap_or(bytes.len() * 3 + 16));
        // The room is the decoder's own worst case, so all of the input goes in.
        let _ = self.decoder.decode_to_string(bytes, &mut text, last);
        text
    }
}

/// The listener's side, up to the caps.
struct Screen {
    sender: Option<UnboundedSender<(OutputStream, String)>>,
    events: usize,
    bytes: usize,
}

impl Screen {
    fn show(&mut self, text: String) {
        let capped = self.events >= MAX_LIVE_EVENTS || self.bytes >= MAX_LIVE_BYTES;
        let Some(sender) = self.sender.as_ref().filter(|_| !text.is_empty()) else {
            return;
        };
        if self.events > MAX_LIVE_EVENTS {
            return;
        }
        self.events += 1;
        self.bytes += text.len();
        let piece = if capped {
            self.events = MAX_LIVE_EVENTS + 1;
            let note = "\n[The output is too long to be shown as it comes; it is kept.]\n";
            (OutputStream::Stderr, note.to_owned())
        } else {
            (OutputStream::Stdout, text)
        };
        if sender.send(piece).is_err() {
            // Nobody listens any more.
            self.sender = None;
        }
    }
}

/// The file of the whole output.
enum Spool {
    /// Not needed so far.
    Waiting {
        path: PathBuf,
        bytes: Vec<u8>,
    },
    Open {
        file: File,
        written: u64,
    },
    Closed,
}

enum Spooling {
    Same,
    Began(PathBuf),
    Full,
}

impl Spool {
    async fn take(&mut self, bytes: &[u8], long: bool) -> io::Result<Spooling> {
        match self {
            Self::Waiting { path, bytes: early } => {
                early.extend_from_slice(bytes);
                if !long {
                    return Ok(Spooling::Same);
                }
                let path = path.clone();
                let mut file = File::create(&path).await?;
                file.write_all(early).await?;
                let written = early.len() as u64;
                *self = Self::Open { file, written };
                Ok(Spooling::Began(path))
            }
            Self::Open { file, written } => {
                file.write_all(bytes).await?;
                *written += bytes.len() as u64;
                if *written < MAX_SPOOLED {
                    return Ok(Spooling::Same);
                }
                file.flush().await?;
                *self = Self::Closed;
                Ok(Spooling::Full)
            }
            Self::Closed => Ok(Spooling::Same),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open { file, .. } => file.flush().await,
            Self::Waiting { .. } | Self::Closed => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;

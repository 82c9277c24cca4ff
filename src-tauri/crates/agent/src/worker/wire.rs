//! JSON lines in and out.

use espalier_protocol::worker::{FromAgent, ToAgent};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Says lines, in order, from anywhere.
#[derive(Clone)]
pub struct Said(mpsc::UnboundedSender<FromAgent>);

impl Said {
    /// Says a line. When nobody listens the app is gone, which standard input tells.
    pub fn say(&self, line: FromAgent) {
        drop(self.0.send(line));
    }
}

/// Writes lines until all who can say one are gone.
pub fn say_on(mut out: impl AsyncWrite + Unpin + Send + 'static) -> (Said, JoinHandle<()>) {
    let (sender, mut lines) = mpsc::unbounded_channel::<FromAgent>();
    let writer = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            let mut text = match serde_json::to_vec(&line) {
                Ok(text) => text,
                Err(error) => {
                    tracing::error!(%error, "a line could not be written");
                    continue;
                }
            };
            text.push(b'\n');
            let written = async {
                out.write_all(&text).await?;
                out.flush().await
            };
            if let Err(error) = written.await {
                tracing::debug!(%error, "the app no longer listens");
                return;
            }
        }
    });
    (Said(sender), writer)
}

/// Reads lines until the app is gone.
pub fn hear_from(input: impl AsyncRead + Unpin + Send + 'static) -> mpsc::Receiver<ToAgent> {
    let (sender, told) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut lines = BufReader::new(input).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            match serde_json::from_str(&line) {
                Ok(line) => {
                    if sender.send(line).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the app said something unreadable");
                    return;
                }
            }
        }
    });
    told
}

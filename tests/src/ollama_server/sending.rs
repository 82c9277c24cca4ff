//! A reply on its way, and the client that may leave in the middle of it.

use super::{Arc, Body, Bytes, Response, Shared, StatusCode};
use futures::stream::unfold;
use std::collections::VecDeque;
use std::io;
use tokio::sync::watch;

/// Holds a reply back until it is opened. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate {
    open: watch::Sender<bool>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(false),
        }
    }
}

impl Gate {
    /// Lets what waits at the gate pass.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    async fn opened(&self) {
        let mut open = self.open.subscribe();
        // The sender is `self`'s own.
        let _ = open.wait_for(|open| *open).await;
    }
}

/// A piece of a reply on its way.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Bytes(Vec<u8>),
    Wait(Gate),
    /// The connection breaks.
    Break,
}

/// A reply as it goes out.
#[derive(Debug, Clone, Default)]
pub(super) struct Spoken {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) parts: Vec<Part>,
    /// Nothing is ever sent.
    pub(super) silent: bool,
}

/// Notes a client that leaves before the end.
struct Watch {
    shared: Arc<Shared>,
    over: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.over {
            self.shared.client_left();
        }
    }
}

pub(super) async fn send(reply: Spoken, shared: Arc<Shared>) -> Response {
    let mut watch = Watch {
        shared,
        over: false,
    };
    if reply.silent {
        return std::future::pending().await;
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let mut response = Response::builder().status(status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let parts = VecDeque::from(reply.parts);
    watch.over = parts.is_empty();
    let stream = unfold((parts, watch), |(mut parts, mut watch)| async {
        loop {
            let item = match parts.pop_front()? {
                Part::Bytes(bytes) => Ok(Bytes::from(bytes)),
                Part::Break => {
                    // What was said before goes out first: a body that waits is flushed.
                    tokio::task::yield_now().await;
                    Err(io::Error::other("the engine crashed"))
                }
                Part::Wait(gate) => {
                    gate.opened().await;
                    continue;
                }
            };
            watch.over = parts.is_empty();
            return Some((item, (parts, watch)));
        }
    });
    match response.body(Body::from_stream(stream)) {
        Ok(response) => response,
        Err(error) => panic!("the reply cannot be sent: {error}"),
    }
}

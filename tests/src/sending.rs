//! A scripted reply on its way, and the client that may leave in the middle of it.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
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
pub(crate) enum Part {
    Bytes(Vec<u8>),
    Wait(Gate),
    /// The connection breaks.
    Break,
    /// These bytes again and again.
    Endless(Bytes),
}

/// A reply as it goes out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoken {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) parts: Vec<Part>,
    /// Nothing is ever sent.
    pub(crate) silent: bool,
}

/// Notes a client that leaves before the end.
struct Watch<F: Fn()> {
    client_left: F,
    over: bool,
}

impl<F: Fn()> Drop for Watch<F> {
    fn drop(&mut self) {
        if !self.over {
            (self.client_left)();
        }
    }
}

/// Sends a reply; `client_left` is called when the client does not wait for its end.
pub(crate) async fn send(
    reply: Spoken,
    client_left: impl Fn() + Send + Unpin + 'static,
) -> Response {
    let mut watch = Watch {
        client_left,
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
                Part::Endless(bytes) => {
                    parts.push_front(Part::Endless(bytes.clone()));
                    Ok(bytes)
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

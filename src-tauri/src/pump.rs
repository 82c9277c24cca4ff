//! From a session's event stream to the window: one batch a frame, deltas merged.
//!
//! Stored events and text deltas always arrive. A command that floods its terminal does not: of its
//! output each frame carries at most the last part, and says how much it left out; the step's
//! result has it all.

mod batch;

pub use batch::Batch;

use espalier_engine::Subscription;
use espalier_protocol::Event;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// One frame of a screen.
const FRAME: Duration = Duration::from_millis(16);
/// Events of the past in one batch: small enough that the screen stays responsive.
const PAST_BATCH: usize = 256;

/// Sends what was and what comes to `sink` until the session closes or `sink` refuses.
pub async fn run(subscription: Subscription, mut sink: impl FnMut(Vec<Event>) -> bool) {
    let Subscription { past, mut live } = subscription;
    if !send_past(past, &mut sink) {
        return;
    }
    while let Some(event) = live.recv().await {
        let mut batch = Batch::default();
        batch.push(event);
        let end = Instant::now() + FRAME;
        while !batch.is_full() {
            match timeout_at(end, live.recv()).await {
                Ok(Some(event)) => batch.push(event),
                Ok(None) | Err(_) => break,
            }
        }
        if !sink(batch.take()) {
            return;
        }
    }
}

/// Sends a session's past, some events at a time.
fn send_past(past: Vec<Event>, sink: &mut impl FnMut(Vec<Event>) -> bool) -> bool {
    let mut past = past.into_iter();
    loop {
        let part: Vec<Event> = past.by_ref().take(PAST_BATCH).collect();
        if part.is_empty() {
            return true;
        }
        if !sink(part) {
            return false;
        }
    }
}

#[cfg(test)]
#[path = "pump_tests.rs"]
mod tests;

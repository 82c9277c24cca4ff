//! Events of one frame, with consecutive deltas of one target made one.

use espalier_protocol::{Event, EventBody};

/// Events in a batch at which it is sent before its frame is over.
const FULL: usize = 512;
/// A command's output in one event of a batch, in bytes.
const OUTPUT_KEPT: usize = 64 * 1024;

/// The events of one frame.
#[derive(Default)]
pub struct Batch {
    events: Vec<Event>,
    /// Bytes left out of the last event, where that is a command's output.
    skipped: usize,
}

impl Batch {
    /// Takes an event in, merged with the one before where both continue the same text.
    pub fn push(&mut self, event: Event) {
        let Some(last) = self.events.last_mut() else {
            return self.begin(event);
        };
        if last.worktree != event.worktree {
            return self.begin(event);
        }
        match (&mut last.body, &event.body) {
            (EventBody::TextDelta { text }, EventBody::TextDelta { text: more })
            | (EventBody::ThinkingDelta { text }, EventBody::ThinkingDelta { text: more }) => {
                text.push_str(more);
            }
            (
                EventBody::OutputDelta { step, stream, text },
                EventBody::OutputDelta {
                    step: same_step,
                    stream: same_stream,
                    text: more,
                },
            ) if step == same_step && stream == same_stream => {
                text.push_str(more);
                self.skipped += cut_front(text);
            }
            // Only the latest count of a long job is of interest.
            (
                EventBody::Progress { label, done, total },
                EventBody::Progress {
                    label: same,
                    done: now,
                    total: of,
                },
            ) if label == same => {
                *done = *now;
                *total = *of;
            }
            _ => self.begin(event),
        }
    }

    fn begin(&mut self, event: Event) {
        self.tell_skipped();
        self.events.push(event);
        if let Some(Event {
            body: EventBody::OutputDelta { text, .. },
            ..
        }) = self.events.last_mut()
        {
            self.skipped = cut_front(text);
        }
    }

    /// Puts in words what the last event lost.
    fn tell_skipped(&mut self) {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0
            && let Some(Event {
                body: EventBody::OutputDelta { text, .. },
                ..
            }) = self.events.last_mut()
        {
            text.insert_str(0, &format!("\r\n[{skipped} bytes not shown live]\r\n"));
        }
    }

    /// Whether it should be sent now.
    pub fn is_full(&self) -> bool {
        self.events.len() >= FULL
    }

    /// The events, ready to be sent.
    pub fn take(mut self) -> Vec<Event> {
        self.tell_skipped();
        self.events
    }
}

/// Shortens a text to its last part, at a line's beginning where one is near; returns the bytes cut.
fn cut_front(text: &mut String) -> usize {
    // Twice the limit may gather before the front is cut, so that it is not moved for every delta.
    if text.len() <= 2 * OUTPUT_KEPT {
        return 0;
    }
    let mut cut = text.len() - OUTPUT_KEPT;
    while !text.is_char_boundary(cut) {
        cut += 1;
    }
    if let Some(line_end) = text[cut..].find('\n').filter(|end| *end < OUTPUT_KEPT / 2) {
        cut += line_end + 1;
    }
    text.drain(..cut);
    cut
}

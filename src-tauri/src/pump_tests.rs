#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use espalier_protocol::event::OutputStream;
use espalier_protocol::{EventBody, Millis, SessionId, StepId};

fn event(seq: u32, body: EventBody) -> Event {
    Event {
        session: SessionId::new("session"),
        seq,
        at: Millis(0),
        worktree: espalier_protocol::WorktreeId::default(),
        body,
    }
}

fn text(text: &str) -> Event {
    event(
        1,
        EventBody::TextDelta {
            text: text.to_owned(),
        },
    )
}

fn output(step: &str, stream: OutputStream, text: &str) -> Event {
    event(
        1,
        EventBody::OutputDelta {
            step: StepId::from(step),
            stream,
            text: text.to_owned(),
        },
    )
}

fn notice(seq: u32) -> Event {
    event(
        seq,
        EventBody::Notice {
            code: "n".to_owned(),
            text: String::new(),
        },
    )
}

fn batched(events: Vec<Event>) -> Vec<Event> {
    let mut batch = Batch::default();
    for event in events {
        batch.push(event);
    }
    batch.take()
}

#[test]
fn consecutive_deltas_of_one_target_become_one() {
    let merged = batched(vec![text("a"), text("b"), notice(2), text("c"), text("d")]);
    assert_eq!(merged, [text("ab"), notice(2), text("cd")]);
}

#[test]
fn deltas_of_different_targets_keep_their_order() {
    use OutputStream::{Stderr, Stdout};
    let events = vec![
        output("s1", Stdout, "1"),
        output("s1", Stderr, "2"),
        output("s2", Stderr, "3"),
        output("s2", Stderr, "4"),
    ];
    let merged = batched(events);
    assert_eq!(
        merged,
        [
            output("s1", Stdout, "1"),
            output("s1", Stderr, "2"),
            output("s2", Stderr, "34"),
        ]
    );
}

#[test]
fn a_flood_of_output_is_cut_to_whole_lines_and_says_so() {
    let line = format!("{}é\n", "x".repeat(97));
    let bytes = 20_000 * line.len();
    let events = (0..20_000)
        .map(|_| output("s1", OutputStream::Stdout, &line))
        .collect();
    let merged = batched(events);
    assert_eq!(merged.len(), 1);
    let EventBody::OutputDelta { text, .. } = &merged[0].body else {
        panic!("an output delta is expected");
    };
    assert!(text.len() < 256 * 1024, "{} bytes", text.len());
    let (told, rest) = text.trim_start().split_once("\r\n").unwrap();
    assert_eq!(
        told,
        format!("[{} bytes not shown live]", bytes - rest.len())
    );
    assert!(rest.starts_with(&line) && rest.ends_with(&line));
}

#[test]
fn text_is_never_cut() {
    let piece = "y".repeat(1000);
    let merged = batched((0..1000).map(|_| text(&piece)).collect());
    let EventBody::TextDelta { text } = &merged[0].body else {
        panic!("a text delta is expected");
    };
    assert_eq!(text.len(), 1_000_000);
}

#[tokio::test]
async fn past_and_live_events_all_arrive_in_order() {
    let past: Vec<Event> = (1..=1000).map(notice).collect();
    let (sender, live) = tokio::sync::mpsc::unbounded_channel();
    for seq in 1001..=3000 {
        sender.send(notice(seq)).unwrap();
    }
    drop(sender);
    let mut seen = Vec::new();
    let mut batches = 0;
    run(Subscription { past, live }, |batch| {
        batches += 1;
        seen.extend(batch.iter().map(|event| event.seq));
        true
    })
    .await;
    assert_eq!(seen, (1..=3000).collect::<Vec<_>>());
    assert!(batches < 30, "{batches} batches");
}

#[tokio::test]
async fn a_window_that_is_gone_ends_the_pump() {
    let (sender, live) = tokio::sync::mpsc::unbounded_channel();
    let past = vec![notice(1)];
    run(Subscription { past, live }, |_| false).await;
    assert!(sender.send(notice(2)).is_err());
}

use super::*;

#[test]
fn live_events_are_capped_with_a_note() {
    let (sender, mut live) = unbounded_channel();
    let mut screen = Screen {
        sender: Some(sender),
        events: 0,
        bytes: 0,
    };
    for number in 0..MAX_LIVE_EVENTS + 50 {
        screen.show(format!("{number}\n"));
    }
    drop(screen);
    let mut shown = Vec::new();
    while let Ok(piece) = live.try_recv() {
        shown.push(piece);
    }
    assert_eq!(shown.len(), MAX_LIVE_EVENTS + 1);
    assert!(shown[MAX_LIVE_EVENTS].1.contains("too long to be shown"));
}

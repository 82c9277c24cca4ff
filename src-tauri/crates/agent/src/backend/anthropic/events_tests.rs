#![expect(clippy::unwrap_used, reason = "tests end at the first surprise")]

use super::{Event, Events};

fn events(text: &str, piece: usize) -> Vec<(String, String)> {
    let mut reader = Events::default();
    let mut found = Vec::new();
    for chunk in text.as_bytes().chunks(piece) {
        reader.push(chunk).unwrap();
        while let Some(event) = reader.next_event() {
            found.push(event);
        }
    }
    found.extend(reader.last());
    let text = |Event { name, data }| (name, String::from_utf8(data.to_vec()).unwrap());
    found.into_iter().map(text).collect()
}

#[test]
fn events_are_read_wherever_the_network_cuts_them() {
    let stream = "\u{feff}: hello\n\nevent: ping\r\ndata: {}\r\n\r\ndata:ä\ndata: b\nid: 7\n\n\nevent: x\n\nevent: last\ndata";
    let expected = [("ping", "{}"), ("", "ä\nb"), ("last", "")];
    for piece in [1, 2, 3, 7, 1000] {
        let found = events(stream, piece);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(found, expected, "in pieces of {piece}");
    }
}

#[test]
fn a_line_without_end_is_refused() {
    let mut reader = Events::default();
    let chunk = vec![b'x'; 1 << 20];
    let pushed: Result<Vec<()>, _> = (0..17).map(|_| reader.push(&chunk)).collect();
    assert!(pushed.is_err());
}

use super::*;

const KEY: &str = "sk-ant-0123456789abcdef";

fn veiled(pieces: &[&str]) -> String {
    let mut veil = Secret::new(Some(KEY)).veil();
    let mut shown = Vec::new();
    for piece in pieces {
        shown.extend_from_slice(&veil.through(piece.as_bytes()));
    }
    shown.extend_from_slice(&veil.rest());
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn a_key_is_hidden_wherever_the_pieces_part() {
    let text = format!("a={KEY}\nb={KEY}{KEY} sk-ant-0 s");
    let clean = "a=[API key]\nb=[API key][API key] sk-ant-0 s";
    assert_eq!(veiled(&[&text]), clean);
    for at in 0..text.len() {
        assert_eq!(veiled(&[&text[..at], &text[at..]]), clean, "{at}");
    }
    let single: Vec<String> = text.chars().map(String::from).collect();
    let single: Vec<&str> = single.iter().map(String::as_str).collect();
    assert_eq!(veiled(&single), clean);
}

#[test]
fn what_is_no_key_is_shown_as_it_comes() {
    let mut veil = Secret::new(Some(KEY)).veil();
    assert_eq!(&*veil.through(b"plain\n"), b"plain\n");
    assert_eq!(&*veil.through(b"it begins: sk-ant"), b"it begins: ");
    assert_eq!(&*veil.through(b"ibiotic"), b"sk-antibiotic");
}

#[test]
fn a_short_key_is_a_word_like_any_other() {
    let secret = Secret::new(Some("ollama"));
    assert_eq!(secret.hide("ollama serve".to_owned()), "ollama serve");
    assert_eq!(format!("{:?}", Secret::new(Some(KEY))), "Secret");
}

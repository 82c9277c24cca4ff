use super::{RelPath, from_text, to_text};
use proptest::prelude::*;
use std::path::Path;

#[test]
fn text_keeps_utf8_and_escapes_the_rest() {
    assert_eq!(to_text("src/한글.py".as_bytes()), "src/한글.py");
    assert_eq!(to_text(b"a\xffb"), "a\\xffb");
    assert_eq!(to_text(b"a\\b"), "a\\x5cb");
    assert_eq!(from_text("a\\b"), b"a\\b");
}

#[test]
fn paths_that_leave_the_project_are_nothing() {
    assert_eq!(RelPath::from_text("../x"), None);
    assert_eq!(RelPath::from_text("a/../../x"), None);
    assert_eq!(RelPath::from_text("/etc/passwd"), None);
    assert_eq!(
        RelPath::from_text("./a/../b").map(|path| path.to_text()),
        Some("b".to_owned())
    );
    assert_eq!(
        RelPath::of(Path::new("/p/q/r"), Path::new("/p")).map(|p| p.to_text()),
        Some("q/r".to_owned())
    );
    assert_eq!(RelPath::from_bytes(b"a//b"), None);
}

#[test]
fn a_sibling_with_the_same_beginning_is_not_within() {
    let (a, ab, inside) = (
        RelPath::from_text("a"),
        RelPath::from_text("ab"),
        RelPath::from_text("a/b"),
    );
    let (Some(a), Some(ab), Some(inside)) = (a, ab, inside) else {
        panic!("paths parse")
    };
    assert!(!ab.is_within(&a));
    assert!(inside.is_within(&a));
    assert!(a.is_within(&RelPath::root()));
}

proptest! {
    #[test]
    fn text_leads_back_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(from_text(&to_text(&bytes)), bytes);
    }
}

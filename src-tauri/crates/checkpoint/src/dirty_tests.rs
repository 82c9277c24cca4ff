#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::DirtySet;
use crate::path::RelPath;

fn path(text: &str) -> RelPath {
    RelPath::from_text(text).unwrap()
}

#[test]
fn a_whole_directory_swallows_what_is_below() {
    let mut set = DirtySet::default();
    set.add(&path("a/b/c"));
    set.add_whole(&path("a/b"));
    set.add(&path("a/b/d"));
    let mut other = DirtySet::default();
    other.add_whole(&path("a/b"));
    assert_eq!(set, other);
}

#[test]
fn an_ignore_file_concerns_its_directory() {
    let mut set = DirtySet::default();
    set.add(&path("a/.gitignore"));
    let mut other = DirtySet::default();
    other.add_whole(&path("a"));
    assert_eq!(set, other);
}

#[test]
fn removing_a_path_leaves_its_neighbours() {
    let mut set = DirtySet::default();
    set.add(&path("a/b"));
    set.add(&path("a/c"));
    set.remove(&path("a/b"));
    let mut other = DirtySet::default();
    other.add(&path("a/c"));
    assert_eq!(set, other);
    set.remove(&path("a/c"));
    assert!(set.is_empty());
}

#[test]
fn merging_keeps_the_wider_of_both() {
    let mut set = DirtySet::default();
    set.add(&path("a/b"));
    let mut other = DirtySet::default();
    other.add_whole(&path("a"));
    set.merge(other.clone());
    assert_eq!(set, other);
    other.merge(DirtySet::everything());
    assert!(other.whole);
}

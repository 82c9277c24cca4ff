//! How much a `git gc` would free once a session's branch is gone.

use crate::snapshot::Trailers;
use git2::{ObjectType, Oid, Repository, Tree};
use std::collections::HashSet;

/// Bytes of the loose objects that the session's commits below a tip brought. An estimate: packed
/// objects are not counted, shared ones are.
pub fn loose_bytes(repository: &Repository, tip: Oid) -> u64 {
    let mut seen = HashSet::new();
    let mut bytes = 0;
    let mut next = Some(tip);
    while let Some(id) = next {
        // What cannot be read is not counted.
        let Ok(commit) = repository.find_commit(id) else {
            return bytes;
        };
        if Trailers::read(commit.message_bytes()).session.is_none() || !seen.insert(id) {
            return bytes;
        }
        bytes += size(repository, id);
        let parent = commit.parent(0).ok();
        let before = parent.as_ref().and_then(|parent| parent.tree().ok());
        if let Ok(tree) = commit.tree() {
            bytes += tree_bytes(repository, before.as_ref(), &tree, &mut seen);
        }
        next = parent.map(|parent| parent.id());
    }
    bytes
}

fn tree_bytes(
    repository: &Repository,
    before: Option<&Tree<'_>>,
    tree: &Tree<'_>,
    seen: &mut HashSet<Oid>,
) -> u64 {
    if before.is_some_and(|before| before.id() == tree.id()) || !seen.insert(tree.id()) {
        return 0;
    }
    let mut bytes = size(repository, tree.id());
    for entry in tree {
        let old = before.and_then(|before| before.get_name_bytes(entry.name_bytes()));
        if old.as_ref().is_some_and(|old| old.id() == entry.id()) {
            continue;
        }
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let below = old.and_then(|old| repository.find_tree(old.id()).ok());
                if let Ok(tree) = repository.find_tree(entry.id()) {
                    bytes += tree_bytes(repository, below.as_ref(), &tree, seen);
                }
            }
            Some(ObjectType::Blob) if seen.insert(entry.id()) => {
                bytes += size(repository, entry.id());
            }
            _ => {}
        }
    }
    bytes
}

/// Bytes of a loose object's file; 0 where it is packed.
fn size(repository: &Repository, id: Oid) -> u64 {
    let name = id.to_string();
    let path = repository
        .commondir()
        .join("objects")
        .join(&name[..2])
        .join(&name[2..]);
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

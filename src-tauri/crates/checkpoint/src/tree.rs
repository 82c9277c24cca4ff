//! Git trees, changed path by path: only the directories on the way to a change are written.

use crate::error::CheckpointError;
use crate::paths::Bytes;
use git2::{ObjectType, Oid, Repository};
use std::collections::BTreeMap;

/// What becomes of a path: a blob with a git mode, or nothing.
pub type Change = Option<(Oid, i32)>;

/// Writes the tree that `tree` becomes with these changes. `None` when nothing is left of it.
pub fn update(
    repository: &Repository,
    tree: Option<Oid>,
    changes: &BTreeMap<Bytes, Change>,
) -> Result<Option<Oid>, CheckpointError> {
    let refs: Vec<(&[u8], Change)> = changes.iter().map(|(p, c)| (p.as_slice(), *c)).collect();
    update_level(repository, tree, &refs)
}

fn update_level(
    repository: &Repository,
    tree: Option<Oid>,
    changes: &[(&[u8], Change)],
) -> Result<Option<Oid>, CheckpointError> {
    let old = tree.map(|oid| repository.find_tree(oid)).transpose()?;
    let mut builder = repository.treebuilder(old.as_ref())?;
    let mut below: BTreeMap<&[u8], Vec<(&[u8], Change)>> = BTreeMap::new();
    for (path, change) in changes {
        match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => below
                .entry(&path[..slash])
                .or_default()
                .push((&path[slash + 1..], *change)),
            None => match change {
                Some((oid, mode)) => {
                    builder.insert(*path, *oid, *mode)?;
                }
                // A directory may have taken the file's place; that is for its own entries to say.
                None => {
                    if builder
                        .get(*path)?
                        .is_some_and(|entry| entry.kind() != Some(ObjectType::Tree))
                    {
                        builder.remove(*path)?;
                    }
                }
            },
        }
    }
    for (name, changes) in below {
        let subtree = builder
            .get(name)?
            .filter(|entry| entry.kind() == Some(ObjectType::Tree))
            .map(|entry| entry.id());
        let is_file = subtree.is_none() && builder.get(name)?.is_some();
        match update_level(repository, subtree, &changes)? {
            Some(oid) => {
                builder.insert(name, oid, 0o040_000)?;
            }
            None if is_file => {}
            None => {
                if subtree.is_some() {
                    builder.remove(name)?;
                }
            }
        }
    }
    if builder.is_empty() {
        return Ok(None);
    }
    Ok(Some(builder.write()?))
}

/// The entries of a tree below `prefix`, files and links only; submodules under `links`.
pub fn read(repository: &Repository, tree: Oid, prefix: &[u8]) -> Result<Listing, CheckpointError> {
    let mut listing = Listing::default();
    if let Some(subtree) = below(repository, tree, prefix)? {
        collect(repository, subtree, &mut Vec::new(), &mut listing)?;
    }
    Ok(listing)
}

/// What a tree holds.
#[derive(Debug, Default)]
pub struct Listing {
    pub files: BTreeMap<Bytes, (Oid, i32)>,
    pub submodules: Vec<Bytes>,
}

/// The subtree at `prefix`, which may be empty.
pub fn below(
    repository: &Repository,
    tree: Oid,
    prefix: &[u8],
) -> Result<Option<Oid>, CheckpointError> {
    let mut at = tree;
    for part in prefix
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty())
    {
        let tree = repository.find_tree(at)?;
        let entry = tree.iter().find(|entry| entry.name_bytes() == part);
        match entry {
            Some(entry) if entry.kind() == Some(ObjectType::Tree) => at = entry.id(),
            _ => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn collect(
    repository: &Repository,
    tree: Oid,
    path: &mut Bytes,
    listing: &mut Listing,
) -> Result<(), CheckpointError> {
    for entry in &repository.find_tree(tree)? {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(entry.name_bytes());
        match entry.kind() {
            Some(ObjectType::Tree) => collect(repository, entry.id(), path, listing)?,
            Some(ObjectType::Commit) => listing.submodules.push(path.clone()),
            _ => {
                listing
                    .files
                    .insert(path.clone(), (entry.id(), entry.filemode()));
            }
        }
        path.truncate(length);
    }
    Ok(())
}

/// A path of the project as one of its repository.
pub fn full(prefix: &[u8], path: &[u8]) -> Bytes {
    if prefix.is_empty() {
        return path.to_vec();
    }
    let mut full = prefix.to_vec();
    full.push(b'/');
    full.extend_from_slice(path);
    full
}

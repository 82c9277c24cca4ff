//! Which paths may differ from a checkpoint: a set of paths and of whole directories, as a trie.

use crate::path::RelPath;
use std::collections::BTreeMap;

/// Name of the file whose change may show or hide other files.
pub const IGNORE_FILE: &[u8] = b".gitignore";

/// Paths that have to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirtySet {
    /// Everything below has to be looked at.
    pub whole: bool,
    /// Parts of the path below.
    pub children: BTreeMap<Vec<u8>, DirtySet>,
}

impl DirtySet {
    /// Everything.
    pub fn everything() -> Self {
        Self {
            whole: true,
            children: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        !self.whole && self.children.is_empty()
    }

    /// Adds one path. A changed ignore file concerns its whole directory.
    pub fn add(&mut self, path: &RelPath) {
        match path.split_last() {
            Some((dir, IGNORE_FILE)) => self.add_whole(&dir),
            _ => {
                self.node(path);
            }
        }
    }

    /// Adds a path with everything below it.
    pub fn add_whole(&mut self, path: &RelPath) {
        let node = self.node(path);
        node.whole = true;
        node.children.clear();
    }

    /// The node of a path, made where it is missing. Below a whole directory there is only itself.
    pub fn node(&mut self, path: &RelPath) -> &mut Self {
        let mut node = self;
        for part in path.parts() {
            if node.whole {
                return node;
            }
            node = node.children.entry(part.to_vec()).or_default();
        }
        node
    }

    /// Takes a path with everything below it out, unless a directory above is to be looked at whole.
    pub fn remove(&mut self, path: &RelPath) {
        fn within(node: &mut DirtySet, parts: &[&[u8]]) {
            let Some((first, rest)) = parts.split_first() else {
                return;
            };
            if rest.is_empty() {
                node.children.remove(*first);
            } else if let Some(child) = node.children.get_mut(*first) {
                within(child, rest);
                // A directory that was there only as the way to this path goes with it.
                if child.is_empty() {
                    node.children.remove(*first);
                }
            }
        }
        if path.is_root() {
            *self = Self::default();
        } else {
            within(self, &path.parts().collect::<Vec<_>>());
        }
    }

    /// Adds everything of another set.
    pub fn merge(&mut self, other: Self) {
        if self.whole {
            return;
        }
        if other.whole {
            *self = other;
            return;
        }
        for (name, child) in other.children {
            self.children.entry(name).or_default().merge(child);
        }
    }
}

#[cfg(test)]
#[path = "dirty_tests.rs"]
mod tests;

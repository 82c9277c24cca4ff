//! What a checkpoint does not hold, and why.

use crate::path::RelPath;
use espalier_protocol::{Uncaptured, UncapturedReason};
use std::collections::{BTreeMap, BTreeSet};

/// Most paths named in one checkpoint; the rest is counted.
const NAMED: usize = 32;

/// The known gaps of the present state, by path.
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    /// Ignored paths; a repository can have many thousands.
    ignored: BTreeSet<RelPath>,
    /// All others: what a person would not expect.
    others: BTreeMap<RelPath, UncapturedReason>,
}

impl Gaps {
    /// Notes a path that is not captured.
    pub fn add(&mut self, path: &RelPath, reason: UncapturedReason) {
        if reason == UncapturedReason::Ignored {
            self.ignored.insert(path.clone());
        } else {
            self.others.insert(path.clone(), reason);
        }
    }

    /// Forgets a path before it is looked at again, with everything below it when all of that is.
    pub fn forget(&mut self, path: &RelPath, whole: bool) {
        if self.ignored.is_empty() && self.others.is_empty() {
            return;
        }
        self.ignored.remove(path);
        self.others.remove(path);
        if !whole {
            return;
        }
        while let Some(below) = self.ignored.range(path.before_children()..).next().cloned()
            && below.is_within(path)
        {
            self.ignored.remove(&below);
        }
        while let Some((below, _)) = self.others.range(path.before_children()..).next()
            && below.is_within(path)
        {
            let below = below.clone();
            self.others.remove(&below);
        }
    }

    /// The list for a checkpoint, what a person would not expect first, and how many there are.
    pub fn report(&self) -> (Vec<Uncaptured>, u32) {
        let others = self.others.iter().map(|(path, reason)| (path, *reason));
        let ignored = self
            .ignored
            .iter()
            .map(|path| (path, UncapturedReason::Ignored));
        let named = others
            .chain(ignored)
            .take(NAMED)
            .map(|(path, reason)| Uncaptured {
                path: path.to_text(),
                reason,
            })
            .collect();
        let total = self.others.len() + self.ignored.len();
        (named, u32::try_from(total).unwrap_or(u32::MAX))
    }
}

//! A checkpoint: the dirty paths stored, a commit on top of the parent, a reference that keeps it.

use super::Checkpoints;
use crate::diff::{self, Delta};
use crate::error::{CheckpointError, Result};
use crate::path::RelPath;
use crate::request::{CheckpointRequest, Dirty};
use crate::snapshot::{NewCommit, Snapshot};
use crate::tree::{MODE_COMMIT, MODE_TREE};
use crate::walk::Pair;
use espalier_protocol::{Checkpoint, CheckpointId};
use git2::{Oid, Repository};

impl Checkpoints {
    /// Stores the files as they are. When nothing differs from the parent, the answer is the
    /// parent's id with `created` false.
    pub fn checkpoint(&mut self, request: &CheckpointRequest) -> Result<Checkpoint> {
        self.commit(request)
            .map_err(CheckpointError::while_capturing)
    }

    fn commit(&mut self, request: &CheckpointRequest) -> Result<Checkpoint> {
        let parent = self.snapshot(&request.parent)?;
        if request.dirty == Dirty::Nothing {
            return self.describe(&parent, &Delta::default(), false, false);
        }
        self.drain();
        self.stand_on(&parent)?;
        let taken = self.take(&request.dirty)?;
        if taken.pair == parent.pair {
            return self.describe(&parent, &Delta::default(), false, taken.full);
        }
        let delta = diff::between(&self.objects, parent.pair, taken.pair)?;
        let made = self.commit_pair(&parent, taken.pair, &request.info.message, |commit| {
            commit.branch = request.info.branch.as_str();
            commit.step = request.info.step;
        });
        let snapshot = match made {
            Ok(snapshot) => snapshot,
            Err(error) => {
                // Looked at, but not in any checkpoint: it has to be looked at again.
                for path in delta.paths() {
                    self.pending.add(path);
                }
                return Err(error);
            }
        };
        self.known = Some(snapshot);
        self.describe(&snapshot, &delta, true, taken.full)
    }

    /// Writes a commit for a state of the files and keeps it.
    pub(super) fn commit_pair<'a>(
        &'a self,
        parent: &Snapshot,
        pair: Pair,
        message: &'a str,
        details: impl FnOnce(&mut NewCommit<'a>),
    ) -> Result<Snapshot> {
        let tree = self.published_tree(parent.commit_tree, pair)?;
        let plain = self.objects.at(Some(tree), &self.prefix)?;
        let needs_record = !self.prefix.is_root() || pair.side.is_some() || plain != pair.files;
        let mut commit = NewCommit {
            tree,
            parent: parent.commit,
            author: &self.author,
            message,
            session: &self.session,
            branch: "main",
            step: None,
            record: if needs_record {
                Some(self.objects.write_record(pair)?)
            } else {
                None
            },
        };
        details(&mut commit);
        let id = self.objects.write_commit(&commit)?;
        self.keep(id)?;
        let snapshot = Snapshot {
            commit: id,
            commit_tree: tree,
            pair,
            side_known: true,
        };
        self.objects.remember_snapshot(snapshot);
        Ok(snapshot)
    }

    /// Gives a commit its own reference, so that it is never collected.
    pub(super) fn keep(&self, commit: Oid) -> Result<()> {
        self.objects
            .keep(&format!("refs/espalier/{}", self.session), commit)
    }

    /// The tree as the user's repository would have it: the project in its place, submodules as
    /// links to their commits.
    pub(super) fn published_tree(&self, parent_tree: Oid, pair: Pair) -> Result<Oid> {
        let mut files = pair.files;
        let submodules = self
            .notes
            .as_ref()
            .map(|notes| notes.submodules())
            .unwrap_or_default();
        for path in submodules {
            let parts: Vec<&[u8]> = path.parts().collect();
            let link = self
                .submodule(parent_tree, &path)?
                .map(|id| (MODE_COMMIT, id));
            files = self.objects.with_entry(files, &parts, link)?;
        }
        if self.prefix.is_root() {
            return self.objects.tree_id(files);
        }
        let parts: Vec<&[u8]> = self.prefix.parts().collect();
        let entry = files.map(|id| (MODE_TREE, id));
        let tree = self.objects.with_entry(Some(parent_tree), &parts, entry)?;
        self.objects.tree_id(tree)
    }

    /// The commit that a submodule stands at; nothing when its directory is gone.
    fn submodule(&self, parent_tree: Oid, path: &RelPath) -> Result<Option<Oid>> {
        let dir = path.under(&self.project.dir);
        if !dir.is_dir() {
            return Ok(None);
        }
        let flags = git2::RepositoryOpenFlags::NO_SEARCH;
        let none: &[&std::ffi::OsStr] = &[];
        let own = Repository::open_ext(&dir, flags, none).and_then(|repository| {
            repository
                .head()?
                .peel_to_commit()
                .map(|commit| commit.id())
        });
        if let Ok(id) = own {
            return Ok(Some(id));
        }
        // Not checked out: as the parent has it.
        let Some((above, name)) = path.split_last() else {
            return Ok(None);
        };
        let project = self.objects.at(Some(parent_tree), &self.prefix)?;
        let tree = self.objects.tree(self.objects.at(project, &above)?)?;
        Ok(tree
            .get(name)
            .filter(|entry| entry.mode == MODE_COMMIT)
            .map(|entry| entry.id))
    }

    /// A checkpoint in the protocol's words.
    pub(super) fn describe(
        &self,
        snapshot: &Snapshot,
        delta: &Delta,
        created: bool,
        full_scan: bool,
    ) -> Result<Checkpoint> {
        let (uncaptured, uncaptured_total) = self.gaps.report();
        Ok(Checkpoint {
            id: CheckpointId::new(snapshot.commit.to_string()),
            tree: self.objects.tree_id(snapshot.pair.files)?.to_string(),
            created,
            changes: diff::changes(&self.objects, delta)?,
            uncaptured,
            uncaptured_total,
            full_scan,
        })
    }
}

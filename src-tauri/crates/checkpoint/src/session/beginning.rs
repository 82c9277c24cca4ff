//! The start of a session: the user's state noted, the first scan, the base.

use super::Checkpoints;
use crate::adopt::{COPIED, adopt_objects};
use crate::diff;
use crate::dirty::DirtySet;
use crate::error::{CheckpointError, Doing, Result};
use crate::notes::Notes;
use crate::request::{BeginRequest, Begun};
use crate::snapshot::{NewCommit, Snapshot};
use crate::tracked::{self, Tracked};
use crate::walk::Pair;
use espalier_protocol::Checkpoint;
use git2::{Oid, Repository};

/// Files between two calls of the progress function.
const PROGRESS_EVERY: u32 = 256;

impl Checkpoints {
    /// Notes the user's state and stores the files as they are. `progress` gets the number of files
    /// looked at and, once it is known, how many there are.
    pub fn begin(
        &mut self,
        request: &BeginRequest,
        progress: &mut dyn FnMut(u32, Option<u32>),
    ) -> Result<Begun> {
        let repository = self.project.repository()?;
        crate::index::make_readable(&self.project, &repository, self.store.dir())?;
        let carried = tracked::uncommitted(&repository, &self.prefix, &self.excluded)?;
        if request.require_clean && !carried.is_empty() {
            return Err(CheckpointError::Dirty {
                dir: self.project.dir.clone(),
                files: carried,
            });
        }
        let base = self
            .first_scan(&repository, progress)
            .map_err(CheckpointError::while_capturing)?;
        Ok(Begun { base, carried })
    }

    fn first_scan(
        &mut self,
        repository: &Repository,
        progress: &mut dyn FnMut(u32, Option<u32>),
    ) -> Result<Checkpoint> {
        let head = self.project.head(repository)?;
        self.adopt(repository)?;
        let tracked = self.read_tracked(repository)?;
        let notes = Notes::take(
            &self.store,
            &self.objects,
            &self.session,
            &self.project,
            repository,
            head,
            &tracked,
        )?;
        self.notes = Some(notes);
        let root = self.open_root()?;
        self.drain();
        self.pending = DirtySet::default();
        let total = repository
            .index()
            .ok()
            .and_then(|index| u32::try_from(index.len()).ok());
        let mut done = 0;
        progress(0, total);
        let before = Pair {
            files: tracked.tree,
            side: None,
        };
        let everything = DirtySet::everything();
        let scanned = self.walk(&root, before, &everything, false, &mut || {
            done += 1;
            if done % PROGRESS_EVERY == 0 {
                progress(done, total);
            }
        });
        let pair = match scanned {
            Ok(pair) => pair,
            Err(error) => {
                self.pending = DirtySet::everything();
                self.known = None;
                return Err(error);
            }
        };
        progress(done, Some(done));
        self.base(head, pair)
    }

    /// The base is the user's commit itself where nothing but modes and empty directories differs.
    fn base(&mut self, head: Oid, pair: Pair) -> Result<Checkpoint> {
        let commit = self.objects.commit(head)?;
        let tree = self.published_tree(commit.tree, pair)?;
        let plain = Pair {
            files: self.objects.at(Some(commit.tree), &self.prefix)?,
            side: None,
        };
        let record = self.objects.write_record(pair)?;
        let noted = self.objects.base_record(head)?;
        let is_head = tree == commit.tree && noted.is_none_or(|noted| noted == record);
        let id = if is_head {
            self.objects.set_base_record(head, record)?;
            head
        } else {
            self.objects.write_commit(&NewCommit {
                tree,
                parent: head,
                author: &self.author,
                message: "Files at the start of the session",
                session: &self.session,
                branch: "main",
                step: None,
                record: Some(record),
            })?
        };
        self.keep(id)?;
        if let Some(notes) = &mut self.notes {
            notes.base = id.to_string();
            notes.keep(&self.store, &self.session)?;
        }
        let snapshot = Snapshot {
            commit: id,
            commit_tree: tree,
            pair,
            side_known: true,
        };
        self.known = Some(snapshot);
        let delta = match is_head {
            true => diff::Delta::default(),
            false => diff::between(&self.objects, plain, Pair { side: None, ..pair })?,
        };
        self.describe(&snapshot, &delta, !is_head, true)
    }

    /// Takes over every object of the user's repository.
    fn adopt(&self, repository: &Repository) -> Result<()> {
        let from = repository.commondir().join("objects");
        let elsewhere = adopt_objects(&from, self.objects.dir(), COPIED)?;
        if !elsewhere.is_empty() {
            // Too much to copy: borrowed, with the start of the session pinned where it lies.
            let head = self.project.head(repository)?;
            let pin = format!("refs/espalier/{}/base", self.session);
            super::set_reference(repository, &pin, head, None, "espalier: pinned")
                .doing(|| "Pinning the start of the session".to_owned())?;
        }
        for dir in elsewhere {
            self.objects.borrow_from(&dir)?;
        }
        Ok(())
    }

    fn read_tracked(&mut self, repository: &Repository) -> Result<Tracked> {
        self.rules
            .renew(tracked::outer_rules(&self.project, repository)?);
        let tracked =
            tracked::read_index(&self.objects, repository, &self.prefix, &mut self.cache)?;
        self.absent.clone_from(&tracked.absent);
        Ok(tracked)
    }

    /// What a resumed session needs of the repository, where that is still there.
    pub(super) fn read_repository(&mut self) -> Result<()> {
        match self.project.repository() {
            Ok(repository) => {
                self.adopt(&repository)?;
                crate::index::make_readable(&self.project, &repository, self.store.dir())?;
                self.read_tracked(&repository).map(|_| ())
            }
            Err(error) => {
                tracing::warn!(%error, "the project's repository cannot be opened");
                Ok(())
            }
        }
    }
}

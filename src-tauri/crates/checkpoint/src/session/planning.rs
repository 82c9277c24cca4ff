//! What a restore would do.

use super::Checkpoints;
use crate::diff::{self, Delta, FileDelta};
use crate::error::{CheckpointError, Result};
use crate::objects::Objects;
use crate::path::RelPath;
use crate::request::{PlannedDir, PlannedFile, RestorePlan};
use crate::rules::{Here, IgnoreFile, Rules};
use crate::snapshot::Snapshot;
use espalier_protocol::CheckpointId;
use git2::{ObjectType, Oid};

impl Checkpoints {
    /// Says what bringing the files from one checkpoint to another would do. Nothing is moved.
    pub fn plan_restore(
        &mut self,
        from: &CheckpointId,
        target: &CheckpointId,
    ) -> Result<RestorePlan> {
        let (from, target) = (self.snapshot(from)?, self.snapshot(target)?);
        let edited = self
            .compare(&from)
            .map_err(CheckpointError::while_capturing)?;
        let mut plan = self.plan(&from, &target)?;
        plan.edited = edited.into_iter().map(|path| path.to_text()).collect();
        Ok(plan)
    }

    pub(super) fn plan(&self, from: &Snapshot, target: &Snapshot) -> Result<RestorePlan> {
        let delta = between(&self.objects, from, target)?;
        let mut plan = RestorePlan {
            from: CheckpointId::new(from.commit.to_string()),
            target: CheckpointId::new(target.commit.to_string()),
            writes: Vec::new(),
            deletes: Vec::new(),
            dirs: Vec::new(),
            edited: Vec::new(),
            left_alone: Vec::new(),
            uncaptured: self.gaps.report().0,
        };
        for file in delta.files {
            self.plan_file(&mut plan, from, target, file)?;
        }
        plan.dirs = delta
            .dirs
            .into_iter()
            .map(|dir| PlannedDir {
                path: dir.path.to_text(),
                old: dir.old,
                new: dir.new,
            })
            .collect();
        Ok(plan)
    }

    /// A file that is in `from` only because its ignore rule went away was there before any
    /// checkpoint had it: where the target ignores it again it stays.
    fn plan_file(
        &self,
        plan: &mut RestorePlan,
        from: &Snapshot,
        target: &Snapshot,
        file: FileDelta,
    ) -> Result<()> {
        let text = file.path.to_text();
        if file.new.is_some() {
            plan.writes.push(PlannedFile {
                path: text,
                old: file.old,
                new: file.new,
            });
        } else if self.ignored_in(target, &file.path)? && !self.ignored_in(from, &file.path)? {
            plan.left_alone
                .push(format!("{text}: ignored by git in the checkpoint"));
        } else {
            plan.deletes.push(PlannedFile {
                path: text,
                old: file.old,
                new: None,
            });
        }
        Ok(())
    }

    /// Whether a snapshot's own ignore rules ignore a path.
    fn ignored_in(&self, snapshot: &Snapshot, path: &RelPath) -> Result<bool> {
        let parts: Vec<&[u8]> = path.parts().collect();
        let own = ignore_file(&self.objects, &self.rules, snapshot.pair.files)?;
        let here = Here::top(own.as_deref());
        ignored(
            &self.objects,
            &self.rules,
            snapshot.pair.files,
            &RelPath::root(),
            &here,
            &parts,
        )
    }
}

/// What differs between two snapshots; modes only where both know them.
pub fn between(objects: &Objects, from: &Snapshot, to: &Snapshot) -> Result<Delta> {
    let (mut old, mut new) = (from.pair, to.pair);
    if !(from.side_known && to.side_known) {
        old.side = None;
        new.side = None;
    }
    diff::between(objects, old, new)
}

fn ignored(
    objects: &Objects,
    rules: &Rules,
    tree: Option<Oid>,
    dir: &RelPath,
    here: &Here<'_>,
    parts: &[&[u8]],
) -> Result<bool> {
    let Some((name, rest)) = parts.split_first() else {
        return Ok(false);
    };
    let path = dir.join(name);
    if here.ignores(rules, &path, !rest.is_empty()) {
        return Ok(true);
    }
    if rest.is_empty() {
        return Ok(false);
    }
    let entry = objects
        .tree(tree)?
        .get(name)
        .filter(|entry| entry.is_tree())
        .map(|entry| entry.id);
    let own = ignore_file(objects, rules, entry)?;
    let below = here.below(&path, own.as_deref());
    ignored(objects, rules, entry, &path, &below, rest)
}

fn ignore_file(objects: &Objects, rules: &Rules, tree: Option<Oid>) -> Result<IgnoreFile> {
    let tree = objects.tree(tree)?;
    match tree
        .get(crate::dirty::IGNORE_FILE)
        .filter(|entry| entry.mode & 0o170_000 == 0o100_000)
    {
        Some(entry) => Ok(rules.parse(&objects.read(entry.id, ObjectType::Blob)?)),
        None => Ok(None),
    }
}

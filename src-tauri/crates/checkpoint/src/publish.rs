//! Showing a session's branches in the user's repository.

use crate::error::CheckpointError;
use crate::snapshot::Checkpoints;
use espalier_protocol::CheckpointId;
use git2::{ObjectType, Odb, Oid, Repository};

impl Checkpoints {
    /// Makes `git_branch` in the user's repository point at a checkpoint. Repeating it repairs
    /// what something else removed.
    pub fn publish(&mut self, git_branch: &str, tip: &CheckpointId) -> Result<(), CheckpointError> {
        let tip = Oid::from_str(tip.as_str())?;
        let name = format!("refs/heads/{git_branch}");
        if self.user.refname_to_id(&name).ok() == Some(tip) {
            return Ok(());
        }
        let to = self.user.odb()?;
        copy_history(&self.shadow, &to, tip)?;
        self.user
            .reference(&name, tip, true, "Espalier: checkpoint")?;
        Ok(())
    }

    /// Removes the branches of a session: the one of that name and those that continue it with `-`.
    pub fn remove_branches(&mut self, prefix: &str) -> Result<u32, CheckpointError> {
        let mut removed = 0;
        for branch in self.user.branches(Some(git2::BranchType::Local))? {
            let (mut branch, _) = branch?;
            let ours = branch.name()?.is_some_and(|name| {
                name == prefix
                    || name
                        .strip_prefix(prefix)
                        .is_some_and(|rest| rest.starts_with('-'))
            });
            if ours {
                branch.delete()?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Copies a commit and what it needs, as far as the other side lacks it.
fn copy_history(from: &Repository, to: &Odb<'_>, tip: Oid) -> Result<(), CheckpointError> {
    let mut missing = Vec::new();
    let mut next = vec![tip];
    while let Some(id) = next.pop() {
        if to.exists(id) {
            continue;
        }
        let commit = from.find_commit(id)?;
        next.extend(commit.parent_ids());
        missing.push(commit);
    }
    // Oldest first, and a commit after its tree: what is there is complete at any moment.
    for commit in missing.into_iter().rev() {
        copy_tree(from, to, commit.tree_id())?;
        copy_object(from, to, commit.id(), ObjectType::Commit)?;
    }
    Ok(())
}

fn copy_tree(from: &Repository, to: &Odb<'_>, id: Oid) -> Result<(), CheckpointError> {
    if to.exists(id) {
        return Ok(());
    }
    for entry in &from.find_tree(id)? {
        match entry.kind() {
            Some(ObjectType::Tree) => copy_tree(from, to, entry.id())?,
            Some(ObjectType::Blob) => copy_object(from, to, entry.id(), ObjectType::Blob)?,
            _ => {}
        }
    }
    copy_object(from, to, id, ObjectType::Tree)
}

fn copy_object(
    from: &Repository,
    to: &Odb<'_>,
    id: Oid,
    kind: ObjectType,
) -> Result<(), CheckpointError> {
    if !to.exists(id) {
        to.write(kind, from.odb()?.read(id)?.data())?;
    }
    Ok(())
}

//! Shows a branch of the session in the user's repository.
//!
//! Objects first, then one reference under `refs/heads`. libgit2 runs no hook, signs nothing and
//! leaves HEAD, index and work tree alone. What was published is remembered in the shadow
//! repository; doing it again repairs what somebody removed.

use super::Checkpoints;
use crate::error::{CheckpointError, Doing, Result};
use crate::notes::session_of;
use crate::stale;
use crate::tree::{Entry, MODE_COMMIT};
use espalier_protocol::CheckpointId;
use git2::{ErrorCode, ObjectType, Odb, Oid, Reference, Repository};
use std::collections::HashSet;
use std::time::Duration;

/// Tries to take a reference that another git process holds.
const TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

impl Checkpoints {
    /// Brings a branch of the user's repository to a checkpoint. Doing it again changes nothing.
    pub fn publish(&mut self, git_branch: &str, tip: &CheckpointId) -> Result<()> {
        let tip = self.snapshot(tip)?.commit;
        let name = format!("refs/heads/{git_branch}");
        if !Reference::is_valid_name(&name) {
            return Err(refused(git_branch, "git does not allow the name"));
        }
        let repository = self
            .project
            .repository()
            .map_err(|error| refused(git_branch, &error.to_string()))?;
        // Wanted from now on, whether or not it works: it is tried again when files are put back.
        let before = self.published(git_branch)?;
        let whole = self
            .all_published()?
            .into_iter()
            .map(|(_, tip)| tip)
            .collect();
        self.objects.point(&self.published_name(git_branch), tip)?;
        self.publish_objects(&repository, &whole, tip)?;
        let current = target(&repository, &name)?;
        if current == Some(tip) {
            return Ok(());
        }
        if let Some(current) = current {
            if is_checked_out(&repository, &name) {
                return Err(refused(
                    git_branch,
                    "it is checked out in the project's repository",
                ));
            }
            let ours = Some(current) == before
                || session_of(&repository, current).as_deref() == Some(self.session.as_str());
            if !ours {
                self.keep_agents(&repository, &name, current)?;
            }
        }
        set_reference(&repository, &name, tip, current, "espalier: checkpoint")
            .map_err(|error| refused(git_branch, &error.to_string()))
    }

    /// Removes the session's branches whose names begin with `prefix` from the user's repository.
    /// Returns how many there were.
    pub fn remove_branches(&mut self, prefix: &str) -> Result<u32> {
        let mut removed = 0;
        let repository = self.project.repository()?;
        for (branch, tip) in self.all_published()? {
            if !branch.starts_with(prefix) {
                continue;
            }
            let name = format!("refs/heads/{branch}");
            let current = target(&repository, &name)?;
            let ours = current.is_some_and(|current| {
                current == tip
                    || session_of(&repository, current).as_deref() == Some(self.session.as_str())
            });
            if ours && !is_checked_out(&repository, &name) {
                delete_reference(&repository, &name)?;
                removed += 1;
            }
            delete_reference(self.objects.repository(), &self.published_name(&branch))?;
        }
        Ok(removed)
    }

    /// The branches that are to be in the user's repository, with where they are to stand.
    pub(super) fn all_published(&self) -> Result<Vec<(String, Oid)>> {
        let doing = || "Reading the checkpoint store".to_owned();
        let prefix = self.published_name("");
        let mut found = Vec::new();
        let references = self
            .objects
            .repository()
            .references_glob(&format!("{prefix}*"))
            .doing(doing)?;
        for reference in references {
            let reference = reference.doing(doing)?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            if let (Some(branch), Some(tip)) = (name.strip_prefix(&prefix), reference.target()) {
                found.push((branch.to_owned(), tip));
            }
        }
        Ok(found)
    }

    /// Removes the locks that a killed process of this session left: in the store, and beside the
    /// session's own references in the user's repository.
    pub(super) fn clear_stale_locks(&self) -> Result<()> {
        let store = self.objects.repository().path();
        stale::clear(&store.join("refs"))?;
        stale::clear_one(&store.join("packed-refs.lock"))?;
        let Ok(repository) = self.project.repository() else {
            return Ok(());
        };
        let refs = repository.commondir().join("refs");
        for (branch, _) in self.all_published()? {
            stale::clear_one(&refs.join("heads").join(format!("{branch}.lock")))?;
        }
        stale::clear(&refs.join("espalier").join(&self.session))
    }

    fn published(&self, branch: &str) -> Result<Option<Oid>> {
        target(self.objects.repository(), &self.published_name(branch))
    }

    fn published_name(&self, branch: &str) -> String {
        format!("refs/espalier-published/{}/{branch}", self.session)
    }

    /// Keeps a commit that is not ours under a reference of the user's repository. Returns its name.
    pub(super) fn keep_agents(
        &self,
        repository: &Repository,
        name: &str,
        id: Oid,
    ) -> Result<String> {
        let short = name.strip_prefix("refs/").unwrap_or(name);
        let mut kept = format!("refs/espalier/{}/agent/{short}", self.session);
        let mut number = 1;
        while target(repository, &kept)?.is_some_and(|other| other != id) {
            number += 1;
            kept = format!("refs/espalier/{}/agent/{short}-{number}", self.session);
        }
        set_reference(repository, &kept, id, None, "espalier: kept")
            .doing(|| format!("Keeping {short}"))?;
        Ok(kept)
    }

    /// Copies what the user's repository does not have. A commit that is published is whole there;
    /// below it only the user's own commits count as whole.
    fn publish_objects(
        &self,
        repository: &Repository,
        whole: &HashSet<Oid>,
        tip: Oid,
    ) -> Result<()> {
        let odb = repository
            .odb()
            .doing(|| "Opening the project's objects".to_owned())?;
        let mut waiting = vec![tip];
        let mut missing = Vec::new();
        let mut seen = HashSet::new();
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let here = odb.exists(id);
            if here && whole.contains(&id) {
                continue;
            }
            let commit = match self.objects.commit(id) {
                Ok(commit) => commit,
                // A shallow history ends somewhere.
                Err(_) if here => continue,
                Err(error) => return Err(error),
            };
            if here && commit.trailers.session.is_none() {
                continue;
            }
            waiting.extend(commit.parents.iter().copied());
            missing.push((id, commit));
        }
        for (id, commit) in missing.into_iter().rev() {
            let before = match commit.parents.first() {
                Some(parent) => self.objects.commit(*parent).ok().map(|parent| parent.tree),
                None => None,
            };
            self.copy_tree(&odb, before, commit.tree)?;
            self.copy(&odb, id, ObjectType::Commit)?;
        }
        Ok(())
    }

    /// Copies the entries of a tree that another one does not have.
    fn copy_tree(&self, odb: &Odb<'_>, before: Option<Oid>, tree: Oid) -> Result<()> {
        if before == Some(tree) {
            return Ok(());
        }
        let old = match before {
            Some(before) if odb.exists(before) => self.objects.tree(Some(before))?,
            _ => self.objects.tree(None)?,
        };
        for entry in self.objects.tree(Some(tree))?.iter() {
            let known = old.get(entry.name).filter(|other| other.mode == entry.mode);
            if entry.mode == MODE_COMMIT || known.is_some_and(|other| other.id == entry.id) {
                continue;
            }
            if entry.is_tree() {
                let below = known
                    .as_ref()
                    .filter(|entry| Entry::is_tree(entry))
                    .map(|other| other.id);
                self.copy_tree(odb, below, entry.id)?;
            } else {
                self.copy(odb, entry.id, ObjectType::Blob)?;
            }
        }
        self.copy(odb, tree, ObjectType::Tree)
    }

    fn copy(&self, odb: &Odb<'_>, id: Oid, kind: ObjectType) -> Result<()> {
        if odb.exists(id) {
            return Ok(());
        }
        let bytes = self.objects.read(id, kind)?;
        odb.write(kind, &bytes)
            .map(|_| ())
            .doing(|| "Writing to the project's repository".to_owned())
    }
}

/// Where a reference points; nothing when it is not there or points to another one.
pub fn target(repository: &Repository, name: &str) -> Result<Option<Oid>> {
    match repository.find_reference(name) {
        Ok(reference) => Ok(reference.target()),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {
            Ok(None)
        }
        Err(error) => Err(error).doing(|| format!("Reading {name}")),
    }
}

/// Points a reference, waiting for another git process that holds it.
pub fn set_reference(
    repository: &Repository,
    name: &str,
    id: Oid,
    current: Option<Oid>,
    log: &str,
) -> std::result::Result<(), git2::Error> {
    patiently(|| match current {
        Some(current) => repository
            .reference_matching(name, id, true, current, log)
            .map(|_| ()),
        None => repository.reference(name, id, true, log).map(|_| ()),
    })
}

/// Deletes a reference, waiting for another git process that holds it.
pub fn delete_reference(repository: &Repository, name: &str) -> Result<()> {
    patiently(|| match repository.find_reference(name) {
        Ok(mut reference) => reference.delete(),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
        Err(error) => Err(error),
    })
    .doing(|| format!("Deleting {name}"))
}

fn patiently(
    mut act: impl FnMut() -> std::result::Result<(), git2::Error>,
) -> std::result::Result<(), git2::Error> {
    crate::fault::point("reference");
    let mut tries = 0;
    loop {
        match act() {
            Err(error) if error.code() == ErrorCode::Locked && tries < TRIES => {
                tries += 1;
                std::thread::sleep(BETWEEN_TRIES);
            }
            other => return other,
        }
    }
}

/// Whether a branch is checked out in any work tree of the repository.
pub fn is_checked_out(repository: &Repository, name: &str) -> bool {
    let points = |head: &std::path::Path| {
        std::fs::read(head).is_ok_and(|text| text.trim_ascii() == format!("ref: {name}").as_bytes())
    };
    let common = repository.commondir();
    if points(&common.join("HEAD")) || points(&repository.path().join("HEAD")) {
        return true;
    }
    let Ok(entries) = std::fs::read_dir(common.join("worktrees")) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| points(&entry.path().join("HEAD")))
}

fn refused(branch: &str, detail: &str) -> CheckpointError {
    CheckpointError::Publish {
        branch: branch.to_owned(),
        detail: detail.trim_end_matches('.').to_owned(),
    }
}

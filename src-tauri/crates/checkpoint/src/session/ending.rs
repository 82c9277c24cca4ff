//! The end of a session: the project and its repository as they were.

use super::Checkpoints;
use super::publishing::{delete_reference, set_reference, target};
use crate::adopt::{COPIED, adopt_objects};
use crate::error::{CheckpointError, Doing, Result};
use crate::fault;
use crate::notes::{Noted, Notes, References, is_ours, place, references, state_files};
use crate::request::PutBackReport;
use espalier_protocol::CheckpointId;
use git2::{ObjectType, Oid, Repository};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

impl Checkpoints {
    /// Puts the project back as it was when the session began: its repository always, its files
    /// unless the result is to be kept. What no checkpoint holds is stored first.
    pub fn put_back(&mut self, keep: bool, head: &CheckpointId) -> Result<PutBackReport> {
        self.bring_back(keep, head)
            .map_err(CheckpointError::while_restoring)
    }

    fn bring_back(&mut self, keep: bool, head: &CheckpointId) -> Result<PutBackReport> {
        let Some(notes) = self.notes.clone() else {
            return Err(CheckpointError::NotBegun {
                session: self.session.clone(),
            });
        };
        let mut report = PutBackReport::default();
        if !keep {
            let present = self.keep_present(head, &mut report)?;
            let base = CheckpointId::new(notes.base.clone());
            let plan = self.plan_restore(&present, &base)?;
            let restored = self.restore(&plan)?;
            report.changed = restored.changed;
            report.left_alone = restored.left_alone;
            report.kept = restored.kept.or(report.kept);
        }
        fault::point("files_back");
        report.agent_git = self.put_repository_back(&notes)?;
        Ok(report)
    }

    /// The files as they are, as a checkpoint: the given one where they are the same.
    fn keep_present(
        &mut self,
        head: &CheckpointId,
        report: &mut PutBackReport,
    ) -> Result<CheckpointId> {
        let head = self.snapshot(head)?;
        self.drain();
        self.stand_on(&head)?;
        let taken = self.take(&crate::request::Dirty::Watched)?;
        if taken.pair == head.pair {
            return Ok(CheckpointId::new(head.commit.to_string()));
        }
        let message = "Files found changed before the project was put back";
        let snapshot = self.commit_pair(&head, taken.pair, message, |_| {})?;
        self.known = Some(snapshot);
        let id = CheckpointId::new(snapshot.commit.to_string());
        report.kept = Some(id.clone());
        Ok(id)
    }

    /// References, HEAD, index and the rest of the repository's state as noted.
    fn put_repository_back(&mut self, notes: &Notes) -> Result<Vec<String>> {
        let mut told = Vec::new();
        let repository = match self.project.repository() {
            Ok(repository) => repository,
            Err(error) => {
                told.push(format!(
                    "The project's repository cannot be opened any more ({error}); its objects are kept in {}.",
                    self.store.dir().join("shadow.git").display()
                ));
                return Ok(told);
            }
        };
        // Before anything is moved: the agent's commits can no longer be lost.
        adopt_objects(
            &repository.commondir().join("objects"),
            self.objects.dir(),
            COPIED,
        )?;
        fault::point("adopted");
        self.keep_detached(&repository, notes, &mut told)?;
        self.put_references_back(&repository, notes, &mut told)?;
        self.put_files_back(&repository, notes, &mut told)?;
        for (branch, tip) in self.all_published()? {
            if let Err(error) = self.publish(&branch, &CheckpointId::new(tip.to_string())) {
                told.push(error.to_string());
            }
        }
        Ok(told)
    }

    /// Keeps the commit that HEAD stands at when no reference that was noted has it.
    fn keep_detached(
        &self,
        repository: &Repository,
        notes: &Notes,
        told: &mut Vec<String>,
    ) -> Result<()> {
        let Some(head) = repository.head().ok().and_then(|head| head.target()) else {
            return Ok(());
        };
        let detached = repository.head_detached().unwrap_or(false);
        let id = head.to_string();
        if detached
            && id != notes.head
            && !notes.references.values().any(|value| *value == id)
            && !is_ours(repository, head)
        {
            let kept = self.keep_agents(repository, "HEAD", head)?;
            told.push(format!("HEAD stood at {}; kept as {kept}.", short(&id)));
        }
        Ok(())
    }

    fn put_references_back(
        &self,
        repository: &Repository,
        notes: &Notes,
        told: &mut Vec<String>,
    ) -> Result<()> {
        let published: Vec<String> = self
            .all_published()?
            .into_iter()
            .map(|(branch, _)| format!("refs/heads/{branch}"))
            .collect();
        let present: References = references(repository)?
            .into_iter()
            .filter(|(name, _)| !published.contains(name))
            .collect();
        // New ones go first: `a/b` may stand where `a` stood.
        for (name, value) in present
            .iter()
            .filter(|(name, _)| !notes.references.contains_key(*name))
        {
            let kept = self.keep_value(repository, name, value)?;
            delete_reference(repository, name)?;
            told.push(format!("{} was new{kept}.", title(name)));
        }
        for (name, value) in &notes.references {
            let now = present.get(name);
            if now == Some(value) {
                continue;
            }
            let kept = match now {
                Some(now) => self.keep_value(repository, name, now)?,
                None => String::new(),
            };
            self.set_back(repository, name, value)?;
            told.push(match now {
                Some(now) => format!(
                    "{} stood at {}{kept}; it is back at {}.",
                    title(name),
                    short(now),
                    short(value)
                ),
                None => format!("{} was gone; it is back at {}.", title(name), short(value)),
            });
        }
        Ok(())
    }

    /// Keeps what a reference points to; for the stash, all of it.
    fn keep_value(&self, repository: &Repository, name: &str, value: &str) -> Result<String> {
        let Ok(id) = Oid::from_str(value) else {
            return Ok(String::new());
        };
        let kept = self.keep_agents(repository, name, id)?;
        if name == "refs/stash"
            && let Ok(log) = repository.reflog(name)
        {
            for entry in log.iter().skip(1) {
                if entry.id_new() != id {
                    self.keep_agents(repository, name, entry.id_new())?;
                }
            }
        }
        Ok(format!(", kept as {kept}"))
    }

    fn set_back(&self, repository: &Repository, name: &str, value: &str) -> Result<()> {
        let doing = || format!("Putting {name} back");
        if let Some(other) = value.strip_prefix("ref: ") {
            return repository
                .reference_symbolic(name, other, true, "")
                .map(|_| ())
                .doing(doing);
        }
        let id = Oid::from_str(value).doing(doing)?;
        if !repository.odb().doing(doing)?.exists(id) {
            // The agent pruned it away; ours is a link to the same object or a pack that has it.
            adopt_objects(
                self.objects.dir(),
                &repository.commondir().join("objects"),
                COPIED,
            )?;
        }
        delete_reference(repository, name)?;
        set_reference(repository, name, id, None, "").doing(doing)
    }

    fn put_files_back(
        &self,
        repository: &Repository,
        notes: &Notes,
        told: &mut Vec<String>,
    ) -> Result<()> {
        let present = state_files(&self.objects, &self.project)?;
        for (key, noted) in &notes.files {
            if present.get(key) != Some(noted)
                && let Some(path) = place(&self.project, key)
            {
                self.write_state(&path, noted)?;
                if let Some(words) = matters(key) {
                    told.push(format!("{words} was changed; it is as it was."));
                }
            }
        }
        for key in present.keys().filter(|key| !notes.files.contains_key(*key)) {
            let Some(path) = place(&self.project, key) else {
                continue;
            };
            if self.is_log_in_use(repository, key)? {
                continue;
            }
            fault::point("state_removed");
            fs::remove_file(&path).doing(|| format!("Removing {}", path.display()))?;
            remove_empty_folders(&path, &self.project.common_dir, &self.project.git_dir);
            if let Some(words) = matters(key) {
                told.push(format!("{words} was new; it is gone."));
            }
        }
        Ok(())
    }

    /// A log of a reference that stays: a published branch, a remote-tracking one.
    fn is_log_in_use(&self, repository: &Repository, key: &str) -> Result<bool> {
        let Some((_, name)) = key.split_once("/logs/") else {
            return Ok(false);
        };
        Ok(name.starts_with("refs/") && target(repository, name)?.is_some())
    }

    fn write_state(&self, path: &Path, noted: &Noted) -> Result<()> {
        let doing = || format!("Putting {} back", path.display());
        let id = Oid::from_str(&noted.blob).doing(doing)?;
        let bytes = self.objects.read(id, ObjectType::Blob)?;
        fault::point("state");
        crate::store::write_whole(path, &bytes)?;
        fs::set_permissions(path, fs::Permissions::from_mode(noted.mode)).doing(doing)
    }
}

/// Folders that held only what is gone go too, up to the repository's own.
fn remove_empty_folders(file: &Path, common: &Path, own: &Path) {
    let mut dir = file.parent();
    while let Some(at) = dir {
        if at == common || at == own || fs::remove_dir(at).is_err() {
            return;
        }
        dir = at.parent();
    }
}

/// What to call a file whose change a person wants to know of; the index and logs change by themselves.
fn matters(key: &str) -> Option<String> {
    let (_, name) = key.split_once('/')?;
    let quiet = name.starts_with("logs/")
        || [
            "index",
            "ORIG_HEAD",
            "AUTO_MERGE",
            "COMMIT_EDITMSG",
            "FETCH_HEAD",
        ]
        .contains(&name);
    (!quiet).then(|| format!(".git/{name}"))
}

/// A reference as people call it.
fn title(name: &str) -> String {
    match name.split_once("refs/heads/") {
        Some((_, branch)) => format!("Branch {branch}"),
        None if name == "refs/stash" => "The stash".to_owned(),
        None => name.to_owned(),
    }
}

fn short(value: &str) -> &str {
    match value.strip_prefix("ref: ") {
        Some(name) => name,
        None => value.get(..10).unwrap_or(value),
    }
}

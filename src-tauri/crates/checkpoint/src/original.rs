//! The user's own git state as a session found it: noted at the start, put back at the end.

use crate::error::{CheckpointError, at};
use crate::files::is_absent;
use crate::restore::write_atomically;
use crate::snapshot::Checkpoints;
use espalier_protocol::CheckpointId;
use git2::{BranchType, Oid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// HEAD, branches, stash and the base checkpoint; the index lies beside it as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    pub base: CheckpointId,
    /// Content of HEAD: `ref: refs/heads/…`, or a commit id.
    head: String,
    branches: BTreeMap<String, String>,
    stash: Option<String>,
}

impl Original {
    /// Notes the present state for the session.
    pub fn note(checkpoints: &Checkpoints, base: &CheckpointId) -> Result<(), CheckpointError> {
        let note = Self::present(checkpoints, base)?;
        write_atomically(&file(checkpoints), &serde_json::to_vec_pretty(&note)?)?;
        let kept = index_note(checkpoints);
        match std::fs::read(index(checkpoints)) {
            Ok(bytes) => write_atomically(&kept, &bytes),
            Err(error) if is_absent(&error) => match std::fs::remove_file(&kept) {
                Err(error) if !is_absent(&error) => Err(at(&kept)(error)),
                _ => Ok(()),
            },
            Err(error) => Err(at(&index(checkpoints))(error)),
        }
    }

    fn present(checkpoints: &Checkpoints, base: &CheckpointId) -> Result<Self, CheckpointError> {
        let head_file = checkpoints.user.path().join("HEAD");
        let head = std::fs::read_to_string(&head_file).map_err(at(&head_file))?;
        let mut branches = BTreeMap::new();
        for branch in checkpoints.user.branches(Some(BranchType::Local))? {
            let (branch, _) = branch?;
            let reference = branch.get();
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                branches.insert(name.to_owned(), target.to_string());
            }
        }
        let stash = checkpoints
            .user
            .refname_to_id("refs/stash")
            .ok()
            .map(|id| id.to_string());
        Ok(Self {
            base: base.clone(),
            head: head.trim_end().to_owned(),
            branches,
            stash,
        })
    }

    /// The session's note.
    pub fn read(checkpoints: &Checkpoints) -> Result<Self, CheckpointError> {
        let file = file(checkpoints);
        let text = std::fs::read(&file).map_err(at(&file))?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Puts HEAD, branches, stash and index back where they changed. What the agent had committed
    /// stays under `refs/espalier/SESSION/agent/`. Returns what was done, in words.
    pub fn put_back(&self, checkpoints: &Checkpoints) -> Result<Vec<String>, CheckpointError> {
        let present = Self::present(checkpoints, &self.base)?;
        let mut told = Vec::new();
        let ours = checkpoints.session.as_str();
        for (name, target) in &present.branches {
            if name.contains(ours) || self.branches.get(name) == Some(target) {
                continue;
            }
            let kept = self.keep(checkpoints, name, target)?;
            match self.branches.get(name) {
                Some(before) => {
                    let before = Oid::from_str(before)?;
                    checkpoints
                        .user
                        .reference(name, before, true, "Espalier: put back")?;
                    told.push(format!(
                        "{name} had moved; it is back, and the new commits are kept as {kept}"
                    ));
                }
                None => {
                    if self.head != format!("ref: {name}") {
                        checkpoints.user.find_reference(name)?.delete()?;
                    }
                    told.push(format!(
                        "{name} was made during the session; it is kept as {kept}"
                    ));
                }
            }
        }
        for (name, before) in &self.branches {
            if !present.branches.contains_key(name) {
                let before = Oid::from_str(before)?;
                checkpoints
                    .user
                    .reference(name, before, true, "Espalier: put back")?;
                told.push(format!("{name} had been deleted; it is back"));
            }
        }
        if present.stash != self.stash {
            if let Some(stash) = &present.stash {
                self.keep(checkpoints, "refs/stash", stash)?;
            }
            match &self.stash {
                Some(before) => {
                    let before = Oid::from_str(before)?;
                    checkpoints
                        .user
                        .reference("refs/stash", before, true, "Espalier: put back")?;
                }
                None => checkpoints.user.find_reference("refs/stash")?.delete()?,
            }
            told.push("The stash had changed; it is back".to_owned());
        }
        if present.head != self.head {
            if let Ok(commit) = checkpoints
                .user
                .head()
                .and_then(|head| head.peel_to_commit())
            {
                self.keep(checkpoints, "HEAD", &commit.id().to_string())?;
            }
            let head = checkpoints.user.path().join("HEAD");
            write_atomically(&head, format!("{}\n", self.head).as_bytes())?;
            told.push(format!("HEAD had moved; it is back at {}", self.head));
        }
        self.put_index_back(checkpoints)?;
        Ok(told)
    }

    fn put_index_back(&self, checkpoints: &Checkpoints) -> Result<(), CheckpointError> {
        let (kept, index) = (index_note(checkpoints), index(checkpoints));
        let before = match std::fs::read(&kept) {
            Ok(before) => before,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(at(&kept)(error)),
        };
        match std::fs::read(&index) {
            Ok(now) if now == before => Ok(()),
            _ => write_atomically(&index, &before),
        }
    }

    fn keep(
        &self,
        checkpoints: &Checkpoints,
        name: &str,
        target: &str,
    ) -> Result<String, CheckpointError> {
        let short = name.strip_prefix("refs/").unwrap_or(name);
        let kept = format!("refs/espalier/{}/agent/{short}", checkpoints.session);
        checkpoints
            .user
            .reference(&kept, Oid::from_str(target)?, true, "Espalier: kept")?;
        Ok(kept)
    }
}

fn file(checkpoints: &Checkpoints) -> PathBuf {
    checkpoints
        .folder
        .join("sessions")
        .join(format!("{}.json", checkpoints.session))
}

fn index_note(checkpoints: &Checkpoints) -> PathBuf {
    file(checkpoints).with_extension("index")
}

fn index(checkpoints: &Checkpoints) -> PathBuf {
    checkpoints.user.path().join("index")
}

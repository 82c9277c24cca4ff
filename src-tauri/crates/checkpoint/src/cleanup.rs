//! Removing the branches of past sessions, which are recognised by what their commits say.

use crate::error::{CheckpointError, at};
use crate::snapshot::open_user;
use git2::{BranchType, Repository};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What to remove.
pub struct CleanupRequest<'a> {
    pub projects: Vec<PathBuf>,
    /// Espalier's own folder, whose references of the removed sessions go too.
    pub store_dir: Option<PathBuf>,
    /// Whatever their age.
    pub all: bool,
    /// Only sessions whose last commit is older.
    pub older_than: Option<Duration>,
    pub dry_run: bool,
    /// Sessions that stay whatever their age.
    pub keep: &'a dyn Fn(&str) -> bool,
}

/// A branch of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedBranch {
    pub project: PathBuf,
    pub name: String,
    pub session: String,
    pub age_seconds: u64,
}

/// What was, or would be, removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanupReport {
    pub removed: Vec<RemovedBranch>,
    /// Old enough, and kept because the caller said so.
    pub kept: Vec<RemovedBranch>,
}

/// Removes the session branches of these projects.
pub fn cleanup(request: &CleanupRequest<'_>) -> Result<CleanupReport, CheckpointError> {
    let mut report = CleanupReport::default();
    for project in &request.projects {
        let repository = open_user(project)?;
        for branch in session_branches(&repository, project)? {
            let old = request.all
                || request
                    .older_than
                    .is_some_and(|limit| branch.age_seconds >= limit.as_secs());
            if !old {
                continue;
            }
            if (request.keep)(&branch.session) {
                report.kept.push(branch);
                continue;
            }
            if !request.dry_run {
                repository
                    .find_branch(&branch.name, BranchType::Local)?
                    .delete()?;
                forget(request.store_dir.as_deref(), project, &branch.session)?;
            }
            report.removed.push(branch);
        }
    }
    Ok(report)
}

/// Lets go of a session's checkpoints in Espalier's own repository.
fn forget(store_dir: Option<&Path>, project: &Path, session: &str) -> Result<(), CheckpointError> {
    let Some(store_dir) = store_dir else {
        return Ok(());
    };
    let project = project.canonicalize().map_err(at(project))?;
    let own = crate::lock::folder(store_dir, &project).join("repository.git");
    if !own.join("HEAD").exists() {
        return Ok(());
    }
    let own = Repository::open_bare(&own)?;
    let pattern = format!("refs/espalier/{session}/*");
    let references = own.references_glob(&pattern)?;
    for reference in references.collect::<Result<Vec<_>, _>>()? {
        let mut reference = reference;
        reference.delete()?;
    }
    Ok(())
}

fn session_branches(
    repository: &Repository,
    project: &Path,
) -> Result<Vec<RemovedBranch>, CheckpointError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let mut found = Vec::new();
    let mut sessions = Vec::new();
    let mut plain = Vec::new();
    for branch in repository.branches(Some(BranchType::Local))? {
        let (branch, _) = branch?;
        let Some(name) = branch.name()?.map(str::to_owned) else {
            continue;
        };
        let commit = branch.get().peel_to_commit()?;
        let age_seconds = u64::try_from(now - commit.time().seconds()).unwrap_or(0);
        let session = commit.message().ok().and_then(session_of);
        match session {
            Some(session) => {
                sessions.push(session.clone());
                found.push(RemovedBranch {
                    project: project.to_path_buf(),
                    name,
                    session,
                    age_seconds,
                });
            }
            None => plain.push((name, age_seconds)),
        }
    }
    // A branch of a known session that has no commit of its own (its agent changed nothing).
    for (name, age_seconds) in plain {
        let parts: Vec<&str> = name.split('-').collect();
        if let Some(session) = sessions
            .iter()
            .find(|session| parts.contains(&session.as_str()))
        {
            found.push(RemovedBranch {
                project: project.to_path_buf(),
                name: name.clone(),
                session: session.clone(),
                age_seconds,
            });
        }
    }
    Ok(found)
}

fn session_of(message: &str) -> Option<String> {
    message
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("Espalier-Session: "))
        .map(|session| session.trim().to_owned())
}

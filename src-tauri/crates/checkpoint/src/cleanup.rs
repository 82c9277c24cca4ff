//! Removes the branches of sessions. Sessions are recognised by the trailers of their commits, so
//! no database is needed and any prefix will do.

use crate::error::{CheckpointError, Result};
use crate::lock;
use crate::notes::session_of;
use crate::packed_refs;
use crate::project::{Project, canonical};
use crate::session::{delete_reference, is_checked_out};
use crate::store::Store;
use git2::{Oid, Repository};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Asks for a clean-up.
pub struct CleanupRequest<'a> {
    /// Projects to look in, besides those of the store.
    pub projects: Vec<PathBuf>,
    pub store_dir: Option<PathBuf>,
    /// Only sessions whose last commit is at least this old.
    pub older_than: Option<Duration>,
    /// Sessions of any age.
    pub all: bool,
    /// Only say what would be removed.
    pub dry_run: bool,
    /// Sessions that stay whatever their age.
    pub keep: &'a dyn Fn(&str) -> bool,
}

/// A branch that was, or would be, removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedBranch {
    pub project: PathBuf,
    pub name: String,
    pub session: String,
    /// Since the session's last commit.
    pub age_seconds: u64,
}

/// A session's branch that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBranch {
    pub project: PathBuf,
    pub name: String,
    pub session: String,
    /// In words.
    pub why: &'static str,
}

/// What a clean-up did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanupReport {
    pub removed: Vec<RemovedBranch>,
    pub kept: Vec<KeptBranch>,
    /// Bytes of loose objects in the users' repositories that `git gc --prune=now` would free.
    pub gc_would_free: u64,
    /// Projects that could not be looked at, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

/// One session in one repository.
#[derive(Default)]
struct Found {
    branches: Vec<(String, Oid)>,
    last_commit: i64,
}

/// Removes the branches of old or all sessions, and what the store keeps of these sessions.
pub fn cleanup(request: &CleanupRequest<'_>) -> Result<CleanupReport> {
    let mut report = CleanupReport::default();
    let mut projects: BTreeSet<PathBuf> = BTreeSet::new();
    for project in &request.projects {
        projects.insert(canonical(project)?);
    }
    if let Some(store_dir) = &request.store_dir {
        for store in Store::all(store_dir)? {
            if let Some(project) = store.project()? {
                projects.insert(project.dir);
            }
        }
    }
    let mut repositories = BTreeSet::new();
    for dir in projects {
        match Project::find(&dir) {
            Ok((project, repository)) => {
                // Two projects in one repository share its branches.
                let first = repositories.insert(project.common_dir.clone());
                clean(request, &dir, &repository, first, &mut report)?;
            }
            Err(CheckpointError::NoProject { .. }) => {}
            Err(error) => report.skipped.push((dir, error.to_string())),
        }
    }
    Ok(report)
}

fn clean(
    request: &CleanupRequest<'_>,
    dir: &Path,
    repository: &Repository,
    first: bool,
    report: &mut CleanupReport,
) -> Result<()> {
    let store = match &request.store_dir {
        Some(store_dir) => Some(Store::of(store_dir, dir)?).filter(|store| store.dir().is_dir()),
        None => None,
    };
    let mut sessions = if first {
        by_commits(repository)?
    } else {
        BTreeMap::new()
    };
    if let Some(store) = &store {
        add_published(store, repository, &mut sessions)?;
    }
    let running = store
        .as_ref()
        .and_then(|store| lock::owner(&store.lock_path()))
        .filter(|owner| owner.alive);
    for (session, found) in sessions {
        let age = age_of(found.last_commit);
        let young = request
            .older_than
            .is_some_and(|limit| age < limit.as_secs());
        let why = if running
            .as_ref()
            .is_some_and(|owner| owner.session == session)
        {
            Some("the session is open")
        } else if (request.keep)(&session) {
            Some("its annotations were not exported")
        } else if !request.all && (young || request.older_than.is_none()) {
            Some("it is not old enough")
        } else {
            None
        };
        remove_session(
            request,
            dir,
            repository,
            store.as_ref(),
            (&session, &found, age, why),
            report,
        )?;
    }
    Ok(())
}

fn remove_session(
    request: &CleanupRequest<'_>,
    dir: &Path,
    repository: &Repository,
    store: Option<&Store>,
    (session, found, age_seconds, why): (&str, &Found, u64, Option<&'static str>),
    report: &mut CleanupReport,
) -> Result<()> {
    let mut all_gone = why.is_none();
    for (name, tip) in &found.branches {
        let reference = format!("refs/heads/{name}");
        let why =
            why.or_else(|| is_checked_out(repository, &reference).then_some("it is checked out"));
        if let Some(why) = why {
            all_gone = false;
            let (project, name, session) = (dir.to_path_buf(), name.clone(), session.to_owned());
            report.kept.push(KeptBranch {
                project,
                name,
                session,
                why,
            });
            continue;
        }
        report.gc_would_free += crate::space::loose_bytes(repository, *tip);
        if !request.dry_run {
            delete_reference(repository, &reference)?;
        }
        report.removed.push(RemovedBranch {
            project: dir.to_path_buf(),
            name: name.clone(),
            session: session.to_owned(),
            age_seconds,
        });
    }
    if all_gone && !request.dry_run {
        delete_all(repository, &format!("refs/espalier/{session}/"))?;
        if let Some(store) = store {
            forget(store, session)?;
        }
    }
    Ok(())
}

/// Branches whose tip a session committed.
fn by_commits(repository: &Repository) -> Result<BTreeMap<String, Found>> {
    let mut sessions: BTreeMap<String, Found> = BTreeMap::new();
    for (name, id) in references(repository, "refs/heads/*")? {
        if let Some(session) = session_of(repository, id) {
            add(
                &mut sessions,
                &session,
                &name["refs/heads/".len()..],
                id,
                repository,
            );
        }
    }
    Ok(sessions)
}

/// Branches that a session published and that have no commit of its own yet.
fn add_published(
    store: &Store,
    repository: &Repository,
    sessions: &mut BTreeMap<String, Found>,
) -> Result<()> {
    let shadow = store.shadow()?;
    const PREFIX: &str = "refs/espalier-published/";
    for (name, tip) in references(shadow.repository(), &format!("{PREFIX}*"))? {
        let Some((session, branch)) = name[PREFIX.len()..].split_once('/') else {
            continue;
        };
        let there = crate::session::target(repository, &format!("refs/heads/{branch}"))?;
        let known = sessions
            .get(session)
            .is_some_and(|found| found.branches.iter().any(|(name, _)| name == branch));
        if there == Some(tip) && !known {
            add(sessions, session, branch, tip, repository);
        }
    }
    Ok(())
}

fn add(
    sessions: &mut BTreeMap<String, Found>,
    session: &str,
    branch: &str,
    id: Oid,
    repository: &Repository,
) {
    let found = sessions.entry(session.to_owned()).or_default();
    found.branches.push((branch.to_owned(), id));
    if let Ok(commit) = repository.find_commit(id) {
        found.last_commit = found.last_commit.max(commit.time().seconds());
    }
}

fn references(repository: &Repository, glob: &str) -> Result<Vec<(String, Oid)>> {
    use crate::error::Doing as _;
    let doing = || "Reading the repository's references".to_owned();
    let mut found = Vec::new();
    for reference in repository.references_glob(glob).doing(doing)? {
        // A reference that cannot be read is broken already; git itself goes on without it.
        let Ok(reference) = reference else { continue };
        let Ok(name) = std::str::from_utf8(reference.name_bytes()) else {
            continue;
        };
        if let Some(id) = reference.target() {
            found.push((name.to_owned(), id));
        }
    }
    Ok(found)
}

fn delete_all(repository: &Repository, prefix: &str) -> Result<()> {
    for (name, _) in references(repository, &format!("{prefix}*"))? {
        delete_reference(repository, &name)?;
    }
    Ok(())
}

/// Takes a session's references and notes out of the store.
fn forget(store: &Store, session: &str) -> Result<()> {
    use crate::error::Doing as _;
    let shadow = store.shadow()?;
    for kind in ["espalier", "espalier-published"] {
        packed_refs::remove(
            shadow.repository().path(),
            &format!("refs/{kind}/{session}/"),
        )?;
    }
    let notes = store.session(session);
    match std::fs::remove_dir_all(&notes) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).doing(|| format!("Removing {}", notes.display())),
    }
}

fn age_of(seconds: i64) -> u64 {
    let now = i64::try_from(crate::stat::now() / 1_000_000_000).unwrap_or(i64::MAX);
    u64::try_from(now.saturating_sub(seconds)).unwrap_or(0)
}

//! `espalier cleanup-sessions`.
//!
//! Sessions are recognised by their commits. The database, where there is one, adds the projects to
//! look in and says which sessions hold answers that were not exported yet; `--older-than` keeps
//! those, `--all` means all. A session that runs keeps its branches in either case.

use super::{CleanupArgs, age};
use crate::console;
use crate::exit::Exit;
use crate::workbench::Workbench;
use espalier_checkpoint::{CleanupReport, CleanupRequest};
use espalier_protocol::{AppError, ErrorCode};
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// Removes session branches, or says which it would remove.
pub async fn cleanup(data_dir: PathBuf, args: CleanupArgs) -> Result<Exit, AppError> {
    let known = known(&data_dir).await?;
    let projects = match args.project {
        Some(project) => vec![existing(&project)?],
        None => known.projects.into_iter().chain(here()).collect(),
    };
    let all = args.which.all;
    let unexported = if all {
        HashSet::new()
    } else {
        known.unexported
    };
    let store_dir = data_dir.join("checkpoints");
    let dry_run = args.dry_run;
    let older_than = args.which.older_than;
    let report = tokio::task::spawn_blocking(move || {
        espalier_checkpoint::cleanup(&CleanupRequest {
            projects,
            store_dir: store_dir.is_dir().then_some(store_dir),
            older_than,
            all,
            dry_run,
            keep: &|session| unexported.contains(session),
        })
    })
    .await
    .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))?
    .map_err(|error| error.to_app())?;
    if !dry_run {
        remove_worktrees(&data_dir, &report);
    }
    tell(&report, dry_run);
    Ok(Exit::Done)
}

/// The worktrees of sessions whose branches are all gone go too.
fn remove_worktrees(data_dir: &Path, report: &CleanupReport) {
    let gone: BTreeSet<&str> = report
        .removed
        .iter()
        .map(|branch| branch.session.as_str())
        .filter(|session| report.kept.iter().all(|kept| kept.session != *session))
        .collect();
    for session in gone {
        let folder = espalier_engine::worktrees_of(data_dir, session);
        if let Err(error) = espalier_checkpoint::remove_worktree(&folder) {
            console::tell(error.to_string());
        }
    }
}

#[derive(Default)]
struct Known {
    projects: BTreeSet<PathBuf>,
    unexported: HashSet<String>,
}

/// What the database knows, if there is one.
async fn known(data_dir: &Path) -> Result<Known, AppError> {
    if !data_dir.join("espalier.db").is_file() {
        return Ok(Known::default());
    }
    let bench = Workbench::open(data_dir.to_owned()).await?;
    let mut known = Known::default();
    for session in bench.sessions().await? {
        let project = PathBuf::from(&session.project_dir);
        if project.is_dir() {
            known.projects.insert(project);
        }
    }
    let unexported = bench
        .store
        .unexported()
        .await
        .map_err(|error| error.to_app())?;
    known.unexported = unexported.into_iter().map(|id| id.0).collect();
    Ok(known)
}

/// The current directory, if it may be a project.
fn here() -> Option<PathBuf> {
    std::env::current_dir()
        .ok()
        .filter(|folder| folder.join(".git").exists())
}

fn existing(project: &Path) -> Result<PathBuf, AppError> {
    project.canonicalize().map_err(|error| {
        AppError::new(
            ErrorCode::Usage,
            format!("{} is no project directory: {error}", project.display()),
            "",
        )
    })
}

fn tell(report: &CleanupReport, dry_run: bool) {
    let verb = if dry_run { "would remove" } else { "removed" };
    for branch in &report.removed {
        console::answer(format!(
            "{verb}  {}  {}  ({} old)",
            branch.project.display(),
            branch.name,
            age::render(branch.age_seconds)
        ));
    }
    for branch in &report.kept {
        console::tell(format!(
            "kept  {}  {}: {}",
            branch.project.display(),
            branch.name,
            branch.why
        ));
    }
    for (project, why) in &report.skipped {
        console::tell(format!("skipped  {}: {why}", project.display()));
    }
    let count = report.removed.len();
    let plural = if count == 1 { "" } else { "es" };
    let done = if dry_run {
        "would be removed"
    } else {
        "removed"
    };
    console::tell(format!("{count} branch{plural} {done}."));
    if report.gc_would_free > 0 {
        let would = if dry_run { " then" } else { "" };
        console::tell(format!(
            "`git gc --prune=now`{would} frees about {} KiB.",
            report.gc_would_free.div_ceil(1024)
        ));
    }
}

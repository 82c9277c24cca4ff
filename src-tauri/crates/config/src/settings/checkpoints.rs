//! Git checkpoints.

use super::Review;
use crate::model::{Carry, CarryMeans, GitCheckpoints};
use crate::nearest;
use espalier_protocol::session::{Carried, CarryBy, CheckpointSettings};
use std::path::{Component, Path};

/// What a commit message may hold.
const PLACEHOLDERS: [&str; 3] = ["{step}", "{tool}", "{file_path}"];

pub(super) fn checkpoints(review: &mut Review<'_>, git: &GitCheckpoints) -> CheckpointSettings {
    if let Some(wrong) = not_a_branch_name(&git.branch_prefix) {
        let path = review.live("git_checkpoints.branch_prefix");
        let message = format!(
            "git does not allow \"{}\" in a branch's name: {wrong}",
            git.branch_prefix
        );
        review.refuse(&path, message);
    }
    for unknown in unknown_placeholders(&git.commit_message_format) {
        let path = review.live("git_checkpoints.commit_message_format");
        let message = format!(
            "{unknown} stands for nothing; known are {}",
            PLACEHOLDERS.join(", ")
        );
        review.refuse_near(&path, message, nearest::word(&unknown, PLACEHOLDERS));
    }
    CheckpointSettings {
        enabled: git.enabled,
        branch_prefix: git.branch_prefix.clone(),
        commit_message_format: git.commit_message_format.clone(),
        auto_commit: git.auto_commit,
        cleanup_on_complete: git.cleanup_on_complete,
        require_clean_working_dir: git.require_clean_working_dir,
        include_ignored: included(review, &git.include_ignored),
        worktrees: git.worktrees,
        carry: carried(review, &git.carry),
    }
}

/// Patterns of what is included although it is ignored.
fn included(review: &mut Review<'_>, patterns: &[String]) -> Vec<String> {
    for (index, pattern) in patterns.iter().enumerate() {
        let nothing = pattern.trim().is_empty() || pattern.starts_with('#');
        if nothing || pattern.starts_with('!') || pattern.contains('\n') {
            let at = review.live(&format!("git_checkpoints.include_ignored[{index}]"));
            let message = format!("\"{pattern}\" is no pattern of files to include");
            review.refuse(&at, message);
        }
    }
    patterns.to_vec()
}

/// What is carried; each path must lie within the project.
fn carried(review: &mut Review<'_>, carry: &[Carry]) -> Vec<Carried> {
    let mut carried = Vec::new();
    for (index, entry) in carry.iter().enumerate() {
        let (path, by) = match entry {
            Carry::Path(path) => (path, CarryBy::default()),
            Carry::With(with) => (&with.path, by(with.by)),
        };
        let mut parts = Path::new(path)
            .components()
            .filter(|part| *part != Component::CurDir)
            .peekable();
        let within =
            parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)));
        if within {
            let path = path.trim_end_matches('/').to_owned();
            carried.push(Carried { path, by });
        } else {
            let at = review.live(&format!("git_checkpoints.carry[{index}]"));
            let message = format!("\"{path}\" is no path within the project directory");
            review.refuse(&at, message);
        }
    }
    carried
}

const fn by(means: CarryMeans) -> CarryBy {
    match means {
        CarryMeans::Reflink => CarryBy::Reflink,
        CarryMeans::HardLink => CarryBy::HardLink,
        CarryMeans::Copy => CarryBy::Copy,
    }
}

/// Why `{prefix}-{session_id}` would not be a branch's name (`git check-ref-format`).
fn not_a_branch_name(prefix: &str) -> Option<&'static str> {
    let forbidden =
        |letter: char| letter.is_control() || letter == ' ' || "~^:?*[\\".contains(letter);
    if prefix.contains(forbidden) {
        Some("no spaces, control characters or any of ~ ^ : ? * [ \\")
    } else if prefix.contains("..") || prefix.contains("@{") || prefix.contains("//") {
        Some("no .. or @{ or //")
    } else if prefix.starts_with(['-', '/']) {
        Some("it must not begin with - or /")
    } else if prefix
        .split('/')
        .any(|part| part.starts_with('.') || part.ends_with(".lock"))
    {
        Some("no part of it may begin with . or end with .lock")
    } else {
        None
    }
}

/// The `{words}` of a commit message that stand for nothing.
fn unknown_placeholders(format: &str) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut rest = format;
    while let Some(begin) = rest.find('{') {
        rest = &rest[begin..];
        let Some(end) = rest.find('}') else { break };
        let word = &rest[..=end];
        if !PLACEHOLDERS.contains(&word) {
            unknown.push(word.to_owned());
        }
        rest = &rest[end + 1..];
    }
    unknown
}

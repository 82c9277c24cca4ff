//! Which untracked files git ignores: `.gitignore` on the way down, then the repository's and the
//! user's own exclude files, the nearest rule that says something deciding.
//!
//! The two outer files are read once per session, so that an agent that deletes `.git` does not
//! change what a checkpoint holds.

use crate::path::RelPath;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Rules of one ignore file.
pub type IgnoreFile = Option<Arc<Gitignore>>;

/// Rules outside the project directory, and those inside as far as they were read.
#[derive(Default)]
pub struct Rules {
    case_insensitive: bool,
    /// Nearest last: user's excludes, repository's excludes, `.gitignore` files above the project.
    /// Each with the project's path as that file sees it.
    outer: Vec<(Vec<u8>, Gitignore)>,
    inner: HashMap<RelPath, IgnoreFile>,
    /// What a checkpoint holds although git ignores it.
    taken: IgnoreFile,
}

impl Rules {
    /// No rules yet.
    pub fn new(case_insensitive: bool) -> Self {
        Self {
            case_insensitive,
            ..Self::default()
        }
    }

    /// Adds rules from outside the project; later ones decide before earlier ones. `prefix` is the
    /// project's path as this file sees it.
    pub fn add_outer(&mut self, prefix: &[u8], text: &[u8]) {
        if let Some(file) = self.parse(text) {
            self.outer.push((prefix.to_vec(), (*file).clone()));
        }
    }

    /// Takes in what these patterns, as in an ignore file at the top of the project, match.
    pub fn take(&mut self, patterns: &[String]) {
        self.taken = self.parse(patterns.join("\n").as_bytes());
    }

    /// Reads the rules anew; what is asked for stays.
    pub fn renew(&mut self, rules: Self) {
        let taken = std::mem::take(&mut self.taken);
        *self = Self { taken, ..rules };
    }

    fn takes(&self, path: &RelPath, is_dir: bool) -> bool {
        self.taken.as_ref().is_some_and(|taken| {
            taken
                .matched_path_or_any_parents(as_path(path.as_bytes()), is_dir)
                .is_ignore()
        })
    }

    /// Reads an ignore file's text.
    pub fn parse(&self, text: &[u8]) -> IgnoreFile {
        let text = String::from_utf8_lossy(text);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut builder = GitignoreBuilder::new(".");
        // The only failure is an unknown platform setting; matching by case is the safe side then.
        let _ = builder.case_insensitive(self.case_insensitive);
        for line in text.lines() {
            // A line that git cannot use either is skipped, as git does.
            let _ = builder.add_line(None, line);
        }
        builder
            .build()
            .ok()
            .filter(|rules| !rules.is_empty())
            .map(Arc::new)
    }

    /// The rules last read for a directory; the outer nothing when it was not read yet.
    pub fn known(&self, dir: &RelPath) -> Option<IgnoreFile> {
        self.inner.get(dir).cloned()
    }

    /// Keeps the rules of a directory.
    pub fn keep(&mut self, dir: &RelPath, file: IgnoreFile) {
        self.inner.insert(dir.clone(), file);
    }
}

/// The rules in force in a directory: its own file and those above.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    above: Option<&'a Here<'a>>,
    /// Length of the directory's path, up to which a path is cut for this file.
    depth: usize,
    own: Option<&'a Gitignore>,
}

impl<'a> Here<'a> {
    /// The rules in the project directory.
    pub fn top(own: Option<&'a Gitignore>) -> Self {
        Self {
            above: None,
            depth: 0,
            own,
        }
    }

    /// The rules in a directory below.
    pub fn below(&'a self, dir: &RelPath, own: Option<&'a Gitignore>) -> Self {
        Self {
            above: Some(self),
            depth: dir.as_bytes().len() + 1,
            own,
        }
    }

    /// Whether an untracked path in this directory is ignored. Directories above are known not to be.
    pub fn ignores(&self, rules: &Rules, path: &RelPath, is_dir: bool) -> bool {
        if rules.takes(path, is_dir) {
            return false;
        }
        let mut level = Some(self);
        while let Some(here) = level {
            let verdict = here
                .own
                .and_then(|file| says(file, &path.as_bytes()[here.depth..], is_dir));
            if let Some(ignored) = verdict {
                return ignored;
            }
            level = here.above;
        }
        rules
            .outer
            .iter()
            .rev()
            .find_map(|(prefix, file)| {
                let mut whole = prefix.clone();
                if !whole.is_empty() {
                    whole.push(b'/');
                }
                whole.extend_from_slice(path.as_bytes());
                says(file, &whole, is_dir)
            })
            .unwrap_or(false)
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn says(file: &Gitignore, path: &[u8], is_dir: bool) -> Option<bool> {
    match file.matched(as_path(path), is_dir) {
        Match::None => None,
        Match::Ignore(_) => Some(true),
        Match::Whitelist(_) => Some(false),
    }
}

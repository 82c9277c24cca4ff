//! Turns what is on disk into trees: only the dirty paths, or a whole directory.
//!
//! One descent does both. In each directory the names to look at are those of the dirty set, or,
//! where a directory is looked at whole, those on disk and those known. Every name is then stored,
//! kept as it was, or left out with a reason. Directories are opened one from another without
//! following links, so nothing outside the project is ever read.

use crate::ahead::Ahead;
use crate::dirty::{DirtySet, IGNORE_FILE};
use crate::error::{Doing, Result};
use crate::objects::Objects;
use crate::path::RelPath;
use crate::read::{self, Content};
use crate::rules::{Here, IgnoreFile, Rules};
use crate::side::Side;
use crate::stat::StatCache;
use crate::tree::{Changes, MODE_COMMIT, MODE_LINK, MODE_TREE, Tree};
use crate::uncaptured::Gaps;
use crate::watch::Watch;
use espalier_protocol::UncapturedReason;
use git2::Oid;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Dir, Stat, statat};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};

mod next;

use next::{Before, Found, Next};

/// Beginning of the names that a restore writes under before it renames.
pub const TEMPORARY: &[u8] = b".espalier-tmp-";

/// A directory as trees: its files and its record. Nothing where there is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    pub files: Option<Oid>,
    pub side: Option<Oid>,
}

/// Everything a descent works with.
pub struct Walk<'a> {
    pub objects: &'a Objects,
    pub rules: &'a mut Rules,
    pub cache: &'a mut StatCache,
    pub watch: &'a mut dyn Watch,
    pub gaps: &'a mut Gaps,
    /// Paths that are never part of a checkpoint.
    pub excluded: &'a [RelPath],
    /// Tracked paths that a sparse checkout keeps off the disk: not there is as it should be.
    pub absent: &'a mut BTreeSet<RelPath>,
    /// Largest untracked file that is stored, in bytes.
    pub max_file_bytes: u64,
    /// Paths that changed while they were read, or could not be pinned down.
    pub unsteady: &'a mut DirtySet,
    /// Called for every file looked at.
    pub progress: &'a mut dyn FnMut(),
    /// Store what would be left out for its size or because it is ignored: it is about to be
    /// overwritten.
    pub rescue: bool,
    /// Directories that other threads look at ahead.
    pub ahead: Option<&'a Ahead>,
}

/// Names to look at, with what the system says of those that were looked at ahead.
type Names = BTreeMap<Vec<u8>, Option<Stat>>;

/// Where a descent stands.
struct Place<'a> {
    dir: &'a OwnedFd,
    path: &'a RelPath,
    here: &'a Here<'a>,
    /// Only what is known counts: the directory is ignored.
    known_only: bool,
}

impl Walk<'_> {
    /// The project directory, starting from what the parent checkpoint holds.
    pub fn project(&mut self, root: &OwnedFd, before: Pair, dirty: &DirtySet) -> Result<Pair> {
        let path = RelPath::root();
        let own = self.ignore_file(root, &path, dirty.whole)?;
        let here = Here::top(own.as_deref());
        let place = Place {
            dir: root,
            path: &path,
            here: &here,
            known_only: false,
        };
        self.directory(&place, before, dirty)
    }

    fn directory(&mut self, place: &Place<'_>, before: Pair, dirty: &DirtySet) -> Result<Pair> {
        let tree = self.objects.tree(before.files)?;
        let side = self.objects.side(before.side)?;
        let mut next = Next {
            tree: &tree,
            side: &side,
            changes: Changes::new(),
            new_side: None,
        };
        if dirty.whole {
            let whole = DirtySet::everything();
            for (name, stat) in self.names(place, &tree, &side)? {
                self.name(place, &mut next, &name, stat, &whole)?;
            }
        } else {
            for (name, child) in &dirty.children {
                self.name(place, &mut next, name, None, child)?;
            }
        }
        next.store(self.objects, before)
    }

    /// Names on disk and names known. Watched first, so that nothing slips in between.
    fn names(&mut self, place: &Place<'_>, tree: &Tree, side: &Side) -> Result<Names> {
        let known = tree.iter().map(|entry| entry.name.to_vec());
        let recorded = side.modes.keys().chain(side.dirs.keys()).cloned();
        let mut names: Names = known.chain(recorded).map(|name| (name, None)).collect();
        self.watch.add(place.path);
        if place.known_only && !self.rescue {
            return Ok(names);
        }
        if let Some(listing) = self
            .ahead
            .and_then(|ahead| ahead.listing(place.path, place.dir))
        {
            names.extend(listing.into_iter().map(|(name, stat)| (name, Some(stat))));
            return Ok(names);
        }
        let doing = || format!("Reading the directory {}", shown(place.path));
        for entry in Dir::read_from(place.dir).doing(doing)? {
            let entry = entry.doing(doing)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.insert(name.to_vec(), None);
            }
        }
        Ok(names)
    }

    fn name(
        &mut self,
        place: &Place<'_>,
        next: &mut Next<'_>,
        name: &[u8],
        stat: Option<Stat>,
        dirty: &DirtySet,
    ) -> Result<()> {
        let path = place.path.join(name);
        let entry = next.tree.get(name).map(|entry| (entry.mode, entry.id));
        let before = Before {
            entry,
            side: next.side.dirs.get(name).copied(),
            empty_dir: entry.is_none() && next.side.modes.contains_key(name),
        };
        let found = self.look(place, name, &path, stat, &before, dirty)?;
        next.take(name, &before, found);
        Ok(())
    }

    fn look(
        &mut self,
        place: &Place<'_>,
        name: &[u8],
        path: &RelPath,
        stat: Option<Stat>,
        before: &Before,
        dirty: &DirtySet,
    ) -> Result<Found> {
        if self.excluded.contains(path) {
            return Ok(if before.is_known() {
                Found::Kept
            } else {
                Found::Nothing
            });
        }
        if name.starts_with(TEMPORARY) {
            return Ok(Found::Nothing);
        }
        self.gaps.forget(path, dirty.whole);
        let stat = stat.map_or_else(|| statat(place.dir, name, AtFlags::SYMLINK_NOFOLLOW), Ok);
        let stat = match stat {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => {
                self.gaps.forget(path, true);
                let sparse = before.is_known() && self.is_absent(path);
                return Ok(if sparse { Found::Kept } else { Found::Nothing });
            }
            Err(Errno::ACCESS) => {
                return Ok(self.left_out(path, before, UncapturedReason::Unreadable));
            }
            Err(error) => return Err(error).doing(|| format!("Looking at {}", path.to_text())),
        };
        if name.eq_ignore_ascii_case(b".git") {
            self.git_entry(place.path, path, name);
            return Ok(Found::Nothing);
        }
        (self.progress)();
        self.absent.remove(path);
        match stat.st_mode & 0o170_000 {
            0o040_000 => self.subdirectory(place, name, path, &stat, before, dirty),
            0o100_000 => self.file(place, name, path, &stat, before),
            0o120_000 => {
                if self.is_left_out(place, path, before, false) {
                    return Ok(Found::Nothing);
                }
                let content = read::link(self.objects, place.dir, name, path, &stat)?;
                Ok(self.content(path, before, content))
            }
            _ if self.is_left_out(place, path, before, false) => Ok(Found::Nothing),
            _ => {
                self.gaps.add(path, UncapturedReason::Special);
                Ok(Found::Nothing)
            }
        }
    }

    /// A `.git` below the project directory marks a repository within; git keeps the name in any
    /// case for itself.
    fn git_entry(&mut self, dir: &RelPath, path: &RelPath, name: &[u8]) {
        if name != b".git" {
            self.gaps.add(path, UncapturedReason::Special);
        } else if !dir.is_root() {
            self.gaps.add(dir, UncapturedReason::NestedRepository);
        }
    }

    fn file(
        &mut self,
        place: &Place<'_>,
        name: &[u8],
        path: &RelPath,
        stat: &Stat,
        before: &Before,
    ) -> Result<Found> {
        if self.is_left_out(place, path, before, false) {
            return Ok(Found::Nothing);
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if !before.is_known() && size > self.max_file_bytes && !self.rescue {
            self.gaps.add(path, UncapturedReason::TooLarge);
            return Ok(Found::Nothing);
        }
        let content = read::file(self.objects, self.cache, place.dir, name, path, stat)?;
        Ok(self.content(path, before, content))
    }

    fn content(&mut self, path: &RelPath, before: &Before, content: Content) -> Found {
        match content {
            Content::Is { id, stat, steady } => {
                if !steady {
                    self.unsteady.add(path);
                }
                Found::File {
                    full_mode: full_mode(&stat),
                    id,
                }
            }
            // It changes under our hands: what it became is looked at next time.
            Content::Gone => {
                self.unsteady.add_whole(path);
                Found::Nothing
            }
            Content::Unreadable => self.left_out(path, before, UncapturedReason::Unreadable),
        }
    }

    fn subdirectory(
        &mut self,
        place: &Place<'_>,
        name: &[u8],
        path: &RelPath,
        stat: &Stat,
        before: &Before,
        dirty: &DirtySet,
    ) -> Result<Found> {
        let known = before.empty_dir
            || before
                .entry
                .is_some_and(|(mode, _)| mode == MODE_TREE || mode == MODE_COMMIT);
        let ignored = place.known_only || place.here.ignores(self.rules, path, true);
        if ignored && !known && !self.rescue {
            self.gaps.add(path, UncapturedReason::Ignored);
            return Ok(Found::Nothing);
        }
        let dir = match read::open_dir(place.dir, name) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                self.unsteady.add_whole(path);
                return Ok(Found::Nothing);
            }
            Err(Errno::ACCESS | Errno::PERM) => {
                return Ok(self.left_out(path, before, UncapturedReason::Unreadable));
            }
            Err(error) => {
                return Err(error).doing(|| format!("Opening the directory {}", path.to_text()));
            }
        };
        let pair = before.pair();
        let everything = DirtySet::everything();
        // A directory that is not known is taken whole, whatever part of it was named; a rescue wants
        // only what is about to be overwritten.
        let dirty = if pair == Pair::default() && !self.rescue {
            &everything
        } else {
            dirty
        };
        let own = self.ignore_file(&dir, path, dirty.whole)?;
        let here = place.here.below(path, own.as_deref());
        let within = Place {
            dir: &dir,
            path,
            here: &here,
            known_only: ignored,
        };
        let pair = self.directory(&within, pair, dirty)?;
        Ok(Found::Directory {
            full_mode: full_mode(stat),
            pair,
        })
    }

    /// Whether a sparse checkout leaves the path, or all below it, out.
    fn is_absent(&self, path: &RelPath) -> bool {
        let below = self.absent.range(path.before_children()..).next();
        self.absent.contains(path) || below.is_some_and(|below| below.is_within(path))
    }

    /// Whether an unknown file is left out because git ignores it; noted if so.
    fn is_left_out(
        &mut self,
        place: &Place<'_>,
        path: &RelPath,
        before: &Before,
        is_dir: bool,
    ) -> bool {
        if before.is_known() || self.rescue {
            return false;
        }
        let ignored = place.known_only || place.here.ignores(self.rules, path, is_dir);
        if ignored {
            self.gaps.add(path, UncapturedReason::Ignored);
        }
        ignored
    }

    fn left_out(&mut self, path: &RelPath, before: &Before, reason: UncapturedReason) -> Found {
        self.gaps.add(path, reason);
        if before.is_known() {
            Found::Kept
        } else {
            Found::Nothing
        }
    }

    /// The ignore file of a directory; read anew where the directory is looked at whole.
    fn ignore_file(&mut self, dir: &OwnedFd, path: &RelPath, anew: bool) -> Result<IgnoreFile> {
        if !anew && let Some(known) = self.rules.known(path) {
            return Ok(known);
        }
        let file = match read::small_file(dir, IGNORE_FILE) {
            Ok(Some(text)) => self.rules.parse(&text),
            Ok(None) => None,
            Err(error) => {
                return Err(error)
                    .doing(|| format!("Reading {}", path.join(IGNORE_FILE).to_text()));
            }
        };
        self.rules.keep(path, file.clone());
        Ok(file)
    }
}

/// Type and permission bits; a link has no permissions of its own.
pub fn full_mode(stat: &Stat) -> u32 {
    #[allow(
        clippy::allow_attributes,
        clippy::unnecessary_cast,
        reason = "the type differs by platform"
    )]
    let mode = stat.st_mode as u32;
    if mode & 0o170_000 == MODE_LINK {
        MODE_LINK
    } else {
        mode & 0o177_777
    }
}

fn shown(path: &RelPath) -> String {
    if path.is_root() {
        "of the project".to_owned()
    } else {
        path.to_text()
    }
}

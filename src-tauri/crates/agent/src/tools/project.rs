//! The project directory as the tools see it: a tree that no path leads out of.
//!
//! A path is first resolved here, link by link, so that a refusal can say which link leads out.
//! Then every open, create and rename goes through a `cap_std::fs::Dir`, where the kernel
//! (`openat2`, `RESOLVE_BENEATH`) refuses what was swapped for a link in between.

use super::answer::Failure;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

/// More links than this on one path are a loop.
const MAX_LINKS: usize = 40;

/// An open project directory.
#[derive(Debug)]
pub(crate) struct Project {
    dir: Dir,
    /// Without links; what commands run in.
    path: PathBuf,
    /// As it was configured; models and tests may use either.
    given: PathBuf,
}

/// Where a requested path leads, within the project.
#[derive(Debug)]
pub(crate) struct Place {
    /// Relative to the project, without links and dots; empty for the project itself.
    pub(crate) relative: PathBuf,
    /// What is there; nothing when the path does not exist (yet).
    pub(crate) found: Option<Metadata>,
}

impl Place {
    /// As it is shown and recorded: `/` between parts, `.` for the project itself.
    pub(crate) fn name(&self) -> String {
        shown(&self.relative)
    }

    /// Whether it lies in git's own folder.
    pub(crate) fn in_git_dir(&self) -> bool {
        self.relative
            .iter()
            .any(|part| part.eq_ignore_ascii_case(".git"))
    }

    /// Its last part.
    pub(crate) fn file_name(&self) -> &OsStr {
        self.relative.file_name().unwrap_or_default()
    }

    /// The directory that holds it, relative to the project; empty for the project itself.
    pub(crate) fn parent(&self) -> &Path {
        self.relative.parent().unwrap_or(Path::new(""))
    }
}

/// A relative path as text, `/` between parts.
pub(crate) fn shown(relative: &Path) -> String {
    if relative.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        relative.to_string_lossy().into_owned()
    }
}

impl Project {
    /// Opens the directory.
    ///
    /// # Errors
    /// It does not exist, is no directory, or may not be entered.
    pub(crate) fn open(given: &Path) -> io::Result<Self> {
        let path = given.canonicalize()?;
        let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
        Ok(Self {
            dir,
            path,
            given: given.to_path_buf(),
        })
    }

    /// Absolute, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The rest of an absolute path that lies in the project, by its text alone.
    pub(crate) fn strip<'a>(&self, absolute: &'a Path) -> Option<&'a Path> {
        absolute
            .strip_prefix(&self.path)
            .or_else(|_| absolute.strip_prefix(&self.given))
            .ok()
    }

    /// Follows `requested` to where it leads.
    ///
    /// # Errors
    /// It leads out of the project, round in circles, through a file, or may not be looked at.
    pub(crate) fn resolve(&self, requested: &str) -> Result<Place, Failure> {
        let asked = Path::new(requested);
        if requested.is_empty() {
            return Err(Failure::told(
                "`path` is empty. Give a path relative to the project.",
            ));
        }
        let inside = if asked.is_absolute() {
            self.strip(asked).ok_or_else(|| self.outside(requested))?
        } else {
            asked
        };
        let mut walk = Walk {
            done: PathBuf::new(),
            ahead: parts(inside),
            found: Some(self.dir.dir_metadata().map_err(|e| told(requested, &e))?),
            links: 0,
        };
        while let Some(part) = walk.ahead.pop_front() {
            if part == ".." {
                if !walk.done.pop() {
                    return Err(self.outside(requested));
                }
                walk.found = self.look(&walk.done, requested)?;
            } else {
                self.enter(&mut walk, &part, requested)?;
            }
        }
        Ok(Place {
            relative: walk.done,
            found: walk.found,
        })
    }

    /// Takes one step of a walk: into `part`, or on to where the link of that name points.
    fn enter(&self, walk: &mut Walk, part: &OsStr, requested: &str) -> Result<(), Failure> {
        let next = walk.done.join(part);
        if walk.found.is_none() {
            walk.done = next;
            return Ok(());
        }
        let found = self.look(&next, requested)?;
        if !found.as_ref().is_some_and(Metadata::is_symlink) {
            walk.done = next;
            walk.found = found;
            return Ok(());
        }
        walk.links += 1;
        if walk.links > MAX_LINKS {
            return Err(Failure::told(format!(
                "`{requested}` leads through links that go round in circles."
            )));
        }
        let target = self
            .dir
            .read_link_contents(&next)
            .map_err(|error| told(requested, &error))?;
        let ahead = if target.is_absolute() {
            walk.done = PathBuf::new();
            self.strip(&target).map(parts)
        } else {
            Some(parts(&target))
        };
        let leaves = || self.link_outside(requested, &next, &target);
        let mut ahead = ahead.ok_or_else(leaves)?;
        if climbs_out(&walk.done, &ahead) {
            return Err(leaves());
        }
        ahead.append(&mut walk.ahead);
        walk.ahead = ahead;
        walk.found = self.look(&walk.done, requested)?;
        Ok(())
    }

    fn look(&self, relative: &Path, requested: &str) -> Result<Option<Metadata>, Failure> {
        let looked = if relative.as_os_str().is_empty() {
            self.dir.dir_metadata()
        } else {
            self.dir.symlink_metadata(relative)
        };
        match looked {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(requested, &error)),
        }
    }

    /// Opens a file for reading without ever waiting: a FIFO or device is refused.
    pub(crate) fn open_file(&self, place: &Place) -> Result<(File, Metadata), Failure> {
        let name = place.name();
        let special = |metadata: &Metadata| {
            Failure::told(format!(
                "`{name}` is {}, not a file that can be read.",
                kind_of(metadata)
            ))
        };
        if let Some(found) = place.found.as_ref().filter(|found| !found.is_file()) {
            return Err(special(found));
        }
        let file = self
            .open_nonblocking(&place.relative)
            .map_err(|error| told(&name, &error))?;
        let metadata = file.metadata().map_err(|error| told(&name, &error))?;
        if metadata.is_file() {
            Ok((file, metadata))
        } else {
            Err(special(&metadata))
        }
    }

    /// Opens whatever is there for reading, without waiting for the other side of a FIFO.
    pub(crate) fn open_nonblocking(&self, relative: &Path) -> io::Result<File> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        self.dir.open_with(relative, &options)
    }

    /// The directory of that path, to create and rename in.
    pub(crate) fn open_dir(&self, relative: &Path) -> io::Result<Dir> {
        if relative.as_os_str().is_empty() {
            self.dir.try_clone()
        } else {
            self.dir.open_dir(relative)
        }
    }

    /// Makes a directory and those above it where they are missing.
    pub(crate) fn create_dirs(&self, relative: &Path) -> io::Result<()> {
        if relative.as_os_str().is_empty() {
            Ok(())
        } else {
            self.dir.create_dir_all(relative)
        }
    }

    fn outside(&self, requested: &str) -> Failure {
        Failure::told(format!(
            "`{requested}` is outside the project directory. Files can be reached only under \
             {}: use a path relative to it.",
            self.path.display()
        ))
    }

    fn link_outside(&self, requested: &str, link: &Path, target: &Path) -> Failure {
        Failure::told(format!(
            "`{requested}` leads outside the project directory: `{}` is a symbolic link to `{}`. \
             Files can be reached only under {}.",
            shown(link),
            target.display(),
            self.path.display()
        ))
    }
}

/// A path on its way to where it leads.
struct Walk {
    /// Followed so far; holds no link.
    done: PathBuf,
    ahead: VecDeque<OsString>,
    /// What is at `done`; nothing once a part was missing.
    found: Option<Metadata>,
    links: usize,
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect()
}

/// Whether the `..` at the start of a link's target go higher than the project.
fn climbs_out(from: &Path, target: &VecDeque<OsString>) -> bool {
    let climb = target.iter().take_while(|part| *part == "..").count();
    climb > from.iter().count()
}

/// What something that is not a plain file is, with its article.
pub(crate) fn kind_of(metadata: &Metadata) -> &'static str {
    use cap_std::fs::FileTypeExt;
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe (FIFO)"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        "a file"
    }
}

/// What the system said about a path, in words a model can act on.
pub(crate) fn told(path: &str, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be accessed (permission denied)".to_owned(),
        io::ErrorKind::NotADirectory => "leads through a file as if it were a directory".to_owned(),
        io::ErrorKind::StorageFull => "cannot be written: the disk is full".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "cannot be written: read-only file system".to_owned(),
        _ => format!("could not be used: {error}"),
    };
    Failure::told(format!("`{path}` {why}."))
}

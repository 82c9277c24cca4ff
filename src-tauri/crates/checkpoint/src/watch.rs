//! Which paths changed since somebody asked last.
//!
//! Contract of a watch: every change made to a watched directory before [`Watch::drain`] is called
//! is in its answer, or the answer says that something was lost. A directory that appears is
//! reported whole: what was put into it before it was watched gave no event. Whoever reads such a
//! directory watches it first.

use crate::dirty::DirtySet;
use crate::path::RelPath;
use std::path::Path;

#[cfg(target_os = "linux")]
mod inotify;
mod portable;

/// What changed.
#[derive(Debug, Default)]
pub struct Drained {
    pub dirty: DirtySet,
    /// Why the paths are not all: everything has to be looked at.
    pub lost: Option<String>,
}

/// A source of changes.
pub trait Watch: Send {
    /// Watches one directory, not what is below. Watching it again is harmless.
    fn add(&mut self, dir: &RelPath);
    /// Everything that changed up to now.
    fn drain(&mut self) -> Drained;
    /// The directories that are watched one by one; none where that is not how it works.
    fn watched(&self) -> Vec<RelPath> {
        Vec::new()
    }
}

/// No watch at all: every answer is that all may have changed.
pub struct Blind(pub String);

impl Watch for Blind {
    fn add(&mut self, _dir: &RelPath) {}

    fn drain(&mut self) -> Drained {
        Drained {
            dirty: DirtySet::everything(),
            lost: Some(self.0.clone()),
        }
    }
}

/// Chooses the watch by name: `notify`, or `none` for comparing all files every time. For finding
/// out whether a missed change is the watch's fault, and for file systems that report nothing.
const CHOICE: &str = "ESPALIER_WATCH";

/// The best watch this system has for a project; `private` is a folder of ours outside it.
pub fn open(project: &Path, private: &Path) -> Box<dyn Watch> {
    let choice = std::env::var(CHOICE).unwrap_or_default();
    match choice.as_str() {
        "none" => return Box::new(Blind(format!("{CHOICE} is none."))),
        "notify" => return portable(project, private),
        _ => {}
    }
    #[cfg(target_os = "linux")]
    match inotify::Inotify::open(project) {
        Ok(watch) => return Box::new(watch),
        Err(error) => tracing::warn!(%error, "inotify is not available"),
    }
    portable(project, private)
}

/// The watch of the `notify` library, for systems without inotify.
fn portable(project: &Path, private: &Path) -> Box<dyn Watch> {
    match portable::Portable::open(project, private) {
        Ok(watch) => Box::new(watch),
        Err(error) => {
            tracing::warn!(%error, "changes cannot be watched; every checkpoint compares all files");
            Box::new(Blind(format!("Changes cannot be watched: {error}.")))
        }
    }
}

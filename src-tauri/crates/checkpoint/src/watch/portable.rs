//! The `notify` library, one watch per directory, with a cookie file as the barrier.
//!
//! The library reads the system's queue on its own thread. A file of ours is created in a private
//! folder that the same watcher watches; when its event has come, all earlier ones have. Events
//! that only say that a file was opened are dropped at once.

use super::{Drained, Watch};
use crate::dirty::DirtySet;
use crate::path::RelPath;
use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the barrier waits for its cookie before everything is looked at instead.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Seen {
    dirty: DirtySet,
    /// Something was lost since the last drain.
    lost: Option<String>,
    cookie: Option<PathBuf>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    arrived: Condvar,
}

/// See the module.
pub struct Portable {
    watcher: RecommendedWatcher,
    shared: Arc<Shared>,
    project: PathBuf,
    private: PathBuf,
    cookies: u64,
    /// A directory could not be watched: from then on nothing can be relied on.
    blind: Option<String>,
}

impl Portable {
    /// Starts watching the private folder only.
    pub fn open(project: &Path, private: &Path) -> notify::Result<Self> {
        std::fs::create_dir_all(private)?;
        let private = private.canonicalize()?;
        let shared = Arc::new(Shared::default());
        let (handler, root, cookies) =
            (Arc::clone(&shared), project.to_path_buf(), private.clone());
        let mut watcher = notify::recommended_watcher(move |event| {
            take(&handler, &root, &cookies, event);
        })?;
        watcher.watch(&private, RecursiveMode::NonRecursive)?;
        Ok(Self {
            watcher,
            shared,
            project: project.to_path_buf(),
            private,
            cookies: 0,
            blind: None,
        })
    }

    /// Waits until every change made so far has been seen.
    fn barrier(&mut self) {
        self.cookies += 1;
        let cookie = self
            .private
            .join(format!("cookie-{}-{}", std::process::id(), self.cookies));
        if let Err(error) = std::fs::write(&cookie, b"") {
            self.seen().lost = Some(format!("The barrier file cannot be written: {error}."));
            return;
        }
        let waited = self
            .shared
            .arrived
            .wait_timeout_while(self.seen(), PATIENCE, |seen| {
                seen.lost.is_none() && seen.cookie.as_ref() != Some(&cookie)
            });
        let (mut seen, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            seen.lost = Some("The system did not report changes in time.".to_owned());
        }
        drop(seen);
        if let Err(error) = std::fs::remove_file(&cookie) {
            tracing::debug!(%error, "a barrier file stays behind");
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Portable {
    fn add(&mut self, dir: &RelPath) {
        if self.blind.is_some() {
            return;
        }
        if let Err(error) = self
            .watcher
            .watch(&dir.under(&self.project), RecursiveMode::NonRecursive)
        {
            let gone = matches!(error.kind, notify::ErrorKind::PathNotFound)
                || matches!(&error.kind, notify::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound);
            if !gone {
                self.blind = Some(format!("Not every directory can be watched: {error}."));
            }
        }
    }

    fn drain(&mut self) -> Drained {
        if let Some(reason) = &self.blind {
            return Drained {
                dirty: DirtySet::everything(),
                lost: Some(reason.clone()),
            };
        }
        self.barrier();
        let mut seen = self.seen();
        let mut dirty = std::mem::take(&mut seen.dirty);
        let lost = seen.lost.take();
        if lost.is_some() {
            dirty = DirtySet::everything();
        }
        Drained { dirty, lost }
    }
}

fn take(shared: &Shared, project: &Path, private: &Path, event: notify::Result<Event>) {
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Err(error) => seen.lost = Some(format!("Watching failed: {error}.")),
        Ok(event) if event.need_rescan() => {
            seen.lost = Some("The system lost file changes: too many at once.".to_owned());
        }
        Ok(event) => {
            for path in &event.paths {
                if path.starts_with(private) {
                    seen.cookie = Some(path.clone());
                } else if let Some(path) = RelPath::of(path, project) {
                    note(&mut seen.dirty, event.kind, &path);
                }
            }
        }
    }
    shared.arrived.notify_all();
}

fn note(dirty: &mut DirtySet, kind: EventKind, path: &RelPath) {
    match kind {
        EventKind::Access(_) => {}
        // The project directory's own metadata is not captured.
        _ if path.is_root() => {}
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => {
            dirty.add(path);
        }
        // Whether it is a directory is not always told: whole is right for a file too.
        _ => {
            dirty.add(path);
            dirty.add_whole(path);
        }
    }
}

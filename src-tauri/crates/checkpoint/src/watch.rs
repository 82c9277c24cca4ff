//! Which paths changed since the last look, from the operating system's notifications.
//!
//! One watch a directory, never recursive. Notifications come in order through one queue, so the
//! event of a cookie file that we write ourselves tells that all before it has been seen. Lost
//! events, errors or a cookie that does not come mean: nobody knows, compare everything.

use crate::error::{CheckpointError, at};
use notify::event::{EventKind, Flag};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long the cookie may take.
const PATIENCE: Duration = Duration::from_millis(1000);

#[derive(Debug, Default)]
struct Seen {
    paths: HashSet<PathBuf>,
    cookie: u64,
    lost: bool,
}

/// The watches on one project.
pub struct Watch {
    watcher: RecommendedWatcher,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    cookies: PathBuf,
    last_cookie: u64,
    watched: HashSet<PathBuf>,
}

impl Watch {
    /// Starts watching; `cookies` is a folder of ours on any file system.
    pub fn start(cookies: &Path) -> Result<Self, CheckpointError> {
        std::fs::create_dir_all(cookies).map_err(at(cookies))?;
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let sink = Arc::clone(&seen);
        let folder = cookies.to_path_buf();
        let handler = move |event: notify::Result<notify::Event>| take(&sink, &folder, event);
        let mut watcher =
            notify::recommended_watcher(handler).map_err(|error| fail(cookies, &error))?;
        watcher
            .watch(cookies, RecursiveMode::NonRecursive)
            .map_err(|error| fail(cookies, &error))?;
        Ok(Self {
            watcher,
            seen,
            cookies: cookies.to_path_buf(),
            last_cookie: 0,
            watched: HashSet::new(),
        })
    }

    /// Watches these directories too. False when one could not be watched.
    pub fn add(&mut self, directories: &[PathBuf]) -> bool {
        let mut all = true;
        for directory in directories {
            if self.watched.contains(directory) {
                continue;
            }
            match self.watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(directory.clone());
                }
                // A directory that is gone again needs no watch.
                Err(_) if !directory.exists() => {}
                Err(_) => all = false,
            }
        }
        all
    }

    /// Forgets directories that are gone, so that one made anew is watched anew.
    pub fn forget(&mut self, directory: &Path) {
        self.watched
            .retain(|watched| !watched.starts_with(directory));
    }

    /// All paths that changed up to now; `None` when nobody knows.
    pub fn drain(&mut self) -> Option<HashSet<PathBuf>> {
        self.last_cookie += 1;
        let cookie = self.cookies.join(format!("cookie-{}", self.last_cookie));
        let written = std::fs::write(&cookie, b"").and_then(|()| std::fs::remove_file(&cookie));
        if written.is_err() {
            return None;
        }
        let (lock, told) = &*self.seen;
        let wanted = self.last_cookie;
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut seen, waited) = told
            .wait_timeout_while(guard, PATIENCE, |seen| seen.cookie < wanted && !seen.lost)
            .unwrap_or_else(PoisonError::into_inner);
        let paths = std::mem::take(&mut seen.paths);
        if waited.timed_out() || std::mem::take(&mut seen.lost) {
            return None;
        }
        Some(paths)
    }
}

fn take(sink: &(Mutex<Seen>, Condvar), cookies: &Path, event: notify::Result<notify::Event>) {
    let (lock, told) = sink;
    let mut seen = lock.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Err(_) => seen.lost = true,
        Ok(event) if event.attrs.flag() == Some(Flag::Rescan) => seen.lost = true,
        // Opening and reading change nothing.
        Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
        Ok(event) => {
            for path in event.paths {
                if path.parent() == Some(cookies) {
                    let number = path
                        .file_name()
                        .and_then(|name| name.to_str()?.strip_prefix("cookie-")?.parse().ok());
                    seen.cookie = seen.cookie.max(number.unwrap_or(0));
                } else {
                    seen.paths.insert(path);
                }
            }
        }
    }
    told.notify_all();
}

fn fail(path: &Path, error: &notify::Error) -> CheckpointError {
    CheckpointError::Io {
        path: path.to_path_buf(),
        error: std::io::Error::other(error.to_string()),
    }
}

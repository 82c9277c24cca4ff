//! Raw inotify: the kernel queues an event inside the writer's system call, so reading until the
//! queue is empty is an exact barrier without any round trip.
//!
//! A thread empties the queue between barriers, so that a long command does not overflow it. Only
//! changes are asked for: reading a tree gives no events.

use super::{Drained, Watch};
use crate::dirty::DirtySet;
use crate::path::RelPath;
use crate::walk::TEMPORARY;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Bytes read from the queue at once.
const BUFFER: usize = 64 * 1024;

struct Queue {
    descriptor: Arc<OwnedFd>,
    project: PathBuf,
    dirs: HashMap<i32, RelPath>,
    dirty: DirtySet,
    /// The kernel's queue overflowed since the last drain.
    overflowed: bool,
    /// Directories that could not be watched: from then on nothing can be relied on.
    blind: Option<String>,
}

/// See the module.
pub struct Inotify {
    queue: Arc<Mutex<Queue>>,
    stop: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Inotify {
    /// Starts watching nothing yet.
    pub fn open(project: &Path) -> io::Result<Self> {
        let descriptor = Arc::new(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?);
        let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let queue = Arc::new(Mutex::new(Queue {
            descriptor: Arc::clone(&descriptor),
            project: project.to_path_buf(),
            dirs: HashMap::new(),
            dirty: DirtySet::default(),
            overflowed: false,
            blind: None,
        }));
        let shared = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("file-changes".to_owned())
            .spawn(move || empty_until_stopped(&shared, &descriptor, &stopped))?;
        Ok(Self {
            queue,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Inotify {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads file changes ended badly");
        }
    }
}

impl Watch for Inotify {
    fn add(&mut self, dir: &RelPath) {
        lock(&self.queue).add(dir);
    }

    fn drain(&mut self) -> Drained {
        let mut queue = lock(&self.queue);
        queue.read_all();
        let mut dirty = std::mem::take(&mut queue.dirty);
        let overflowed = std::mem::take(&mut queue.overflowed);
        let lost = queue.blind.clone().or_else(|| {
            overflowed.then(|| "The system lost file changes: too many at once.".to_owned())
        });
        if lost.is_some() {
            dirty = DirtySet::everything();
        }
        Drained { dirty, lost }
    }

    fn watched(&self) -> Vec<RelPath> {
        lock(&self.queue).dirs.values().cloned().collect()
    }
}

impl Queue {
    fn add(&mut self, dir: &RelPath) {
        if self.blind.is_some() {
            return;
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW
            | WatchFlags::EXCL_UNLINK;
        match inotify::add_watch(&*self.descriptor, dir.under(&self.project), flags) {
            Ok(descriptor) => {
                self.dirs.insert(descriptor, dir.clone());
            }
            // It went away again; the event of its parent says so.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            // What cannot be read is not captured either.
            Err(Errno::ACCESS) => {}
            Err(error) => {
                let reason = match error {
                    Errno::NOSPC => {
                        "the limit of watched directories is reached (fs.inotify.max_user_watches)"
                            .to_owned()
                    }
                    other => io::Error::from(other).to_string(),
                };
                tracing::warn!(dir = %dir.to_text(), %reason, "a directory cannot be watched");
                self.blind = Some(format!("Not every directory can be watched: {reason}."));
            }
        }
    }

    /// Reads until the kernel has nothing more.
    fn read_all(&mut self) {
        let descriptor = Arc::clone(&self.descriptor);
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        let mut reader = inotify::Reader::new(&*descriptor, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_bytes().to_vec());
                    self.take(event.wd(), event.events(), name.as_deref());
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(error) => {
                    let reason = io::Error::from(error);
                    self.blind = Some(format!("Changes cannot be read any more: {reason}."));
                    return;
                }
            }
        }
    }

    fn take(&mut self, watch: i32, events: ReadFlags, name: Option<&[u8]>) {
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.overflowed = true;
            return;
        }
        if events.contains(ReadFlags::IGNORED) {
            self.dirs.remove(&watch);
            return;
        }
        let Some(dir) = self.dirs.get(&watch) else {
            return;
        };
        // An event without a name is about the directory itself; its parent reports it too.
        let Some(name) = name else {
            return;
        };
        // Our own, which no checkpoint holds: a restore makes many.
        if name.starts_with(TEMPORARY) {
            return;
        }
        let path = dir.join(name);
        let appeared = events.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        if appeared && events.contains(ReadFlags::ISDIR) {
            self.dirty.add_whole(&path);
        } else {
            self.dirty.add(&path);
        }
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    // The state is a set of paths: it is whole after every single change to it.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Empties the queue whenever something is in it, until the other end of `stopped` closes.
fn empty_until_stopped(queue: &Mutex<Queue>, descriptor: &OwnedFd, stopped: &OwnedFd) {
    loop {
        let mut ready = [
            PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stopped.as_fd(), PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => {
                let reason = io::Error::from(error);
                lock(queue).blind = Some(format!("Changes cannot be read any more: {reason}."));
                return;
            }
        }
        if !ready[1].revents().is_empty() {
            return;
        }
        if !ready[0].revents().is_empty() {
            lock(queue).read_all();
        }
    }
}

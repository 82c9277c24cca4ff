//! What the window's commands share.

use crate::commands::project::AppEvent;
use crate::output::{OutputWriter, Report};
use crate::pump;
use crate::workbench::Workbench;
use espalier_engine::{Looking, SessionHandle, Subscription};
use espalier_protocol::{AppError, Event, SessionId};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tauri::ipc::Channel;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// How far the app is with ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    No,
    /// Sessions are being saved.
    Underway,
    Done,
}

/// Where app events go: the page that is shown, once it has asked for them.
pub type Watcher = Arc<Mutex<Option<Channel<AppEvent>>>>;

/// The state of the desktop app.
pub struct Desk {
    pub bench: Workbench,
    pub initial_config: Option<PathBuf>,
    watcher: Watcher,
    pumps: Mutex<HashMap<SessionId, VecDeque<AbortHandle>>>,
    writers: Mutex<Vec<OutputWriter>>,
    closing: Mutex<Closing>,
    /// Stops the model that is being got.
    pull: Mutex<CancellationToken>,
}

impl Desk {
    /// A desk on an open data folder.
    pub fn new(bench: Workbench, initial_config: Option<PathBuf>, watcher: Watcher) -> Self {
        Self {
            bench,
            initial_config,
            watcher,
            pumps: Mutex::default(),
            writers: Mutex::default(),
            closing: Mutex::new(Closing::No),
            pull: Mutex::default(),
        }
    }

    /// Tells the window how far the first look at a project's files is.
    pub fn looking(watcher: &Watcher) -> Looking {
        let watcher = Arc::clone(watcher);
        Arc::new(move |done, total| tell(&watcher, AppEvent::Looking { done, total }))
    }

    /// Sends app events there from now on.
    pub fn watch(&self, channel: Channel<AppEvent>) {
        *lock(&self.watcher) = Some(channel);
    }

    /// Tells the window something that is not in a session's log.
    pub fn tell(&self, event: AppEvent) {
        tell(&self.watcher, event);
    }

    /// Stops what is being got, and returns what stops the next.
    pub fn begin_pull(&self) -> CancellationToken {
        let next = CancellationToken::new();
        std::mem::replace(&mut *lock(&self.pull), next.clone()).cancel();
        next
    }

    /// Stops getting a model.
    pub fn stop_pull(&self) {
        lock(&self.pull).cancel();
    }

    /// Keeps the session's output folder up to date while it is open.
    pub async fn keep_output(&self, handle: &SessionHandle) -> Result<(), AppError> {
        if self.writes(handle.id()) {
            return Ok(());
        }
        let watcher = Arc::clone(&self.watcher);
        let session = handle.id().clone();
        let report: Report = Arc::new(move |error| {
            let session = Some(session.clone());
            tell(&watcher, AppEvent::Problem { session, error });
        });
        let writer = OutputWriter::start(handle, self.bench.store.clone(), report).await?;
        lock(&self.writers).extend(writer);
        Ok(())
    }

    fn writes(&self, session: &SessionId) -> bool {
        let mut writers = lock(&self.writers);
        writers.retain(|writer| !writer.is_over());
        writers.iter().any(|writer| writer.session() == session)
    }

    /// Waits until every output folder holds the last state of its sessions.
    pub async fn finish_output(&self) {
        let writers = std::mem::take(&mut *lock(&self.writers));
        for writer in writers {
            writer.finish().await;
        }
    }

    /// Pumps a session's events into a channel.
    pub fn pump(
        &self,
        session: SessionId,
        subscription: Subscription,
        channel: Channel<Vec<Event>>,
    ) {
        let task = tokio::spawn(pump::run(subscription, move |batch| {
            channel.send(batch).is_ok()
        }));
        lock(&self.pumps)
            .entry(session)
            .or_default()
            .push_back(task.abort_handle());
    }

    /// Ends the oldest pump of a session. A view that follows another one of the same session may
    /// subscribe before the other has unsubscribed, and must not lose its events to it.
    pub fn unpump(&self, session: &SessionId) {
        let oldest = lock(&self.pumps)
            .get_mut(session)
            .and_then(VecDeque::pop_front);
        if let Some(pump) = oldest {
            pump.abort();
        }
    }

    /// Ends all pumps: the page they ran for is gone.
    pub fn unpump_all(&self) {
        for (_, pumps) in lock(&self.pumps).drain() {
            for pump in pumps {
                pump.abort();
            }
        }
    }

    /// Sets how far ending is; returns how far it was.
    pub fn set_closing(&self, closing: Closing) -> Closing {
        std::mem::replace(&mut *lock(&self.closing), closing)
    }
}

fn tell(watcher: &Mutex<Option<Channel<AppEvent>>>, event: AppEvent) {
    match lock(watcher).as_ref().map(|channel| channel.send(event)) {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::warn!(%error, "the window was not told"),
        None => tracing::warn!("no window listens to app events"),
    }
}

/// A panic elsewhere leaves these plain lists as good as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

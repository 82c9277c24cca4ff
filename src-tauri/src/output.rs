//! The output folder, kept up to date while a session lives.
//!
//! One writer per open session listens to its events and writes the folder at rest points (a pause,
//! an end, an answer) at once and otherwise about a second after a change. What it writes is read
//! back from the log, so a failed write loses nothing and is tried again.

use espalier_dataset::OutputFolder;
use espalier_engine::SessionHandle;
use espalier_protocol::session::SessionState;
use espalier_protocol::{
    AppError, ErrorCode, Event, EventBody, Millis, Persistence, SessionId, SessionTree,
};
use espalier_store::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long after a change that is no rest point.
const DELAY: Duration = Duration::from_secs(1);
/// A long session takes long to write; it is written that many times more rarely than it takes.
const REST_FACTOR: u32 = 10;
/// How long after a write that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Where failures are told.
pub type Report = Arc<dyn Fn(AppError) + Send + Sync>;

/// The writer of one open session.
pub struct OutputWriter {
    session: SessionId,
    task: JoinHandle<()>,
}

impl OutputWriter {
    /// Starts to write what the session's configuration asks for; nothing where it names no folder.
    pub async fn start(
        handle: &SessionHandle,
        store: Store,
        report: Report,
    ) -> Result<Option<Self>, AppError> {
        let meta = handle.meta();
        let Some(folder) = meta.settings.output_dir.as_ref().map(PathBuf::from) else {
            return Ok(None);
        };
        let subscription = handle.subscribe().await.map_err(|error| error.to_app())?;
        let writing = Writing {
            session: handle.id().clone(),
            annotator: meta.annotator.clone(),
            folder,
            store,
            report,
            told: None,
        };
        drop(subscription.past);
        let task = tokio::spawn(writing.follow(subscription.live));
        Ok(Some(Self {
            session: handle.id().clone(),
            task,
        }))
    }

    /// The session it writes.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Whether its session has closed and all is written.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until the session has closed and its last state is written.
    pub async fn finish(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the output writer ended badly");
        }
    }
}

struct Writing {
    session: SessionId,
    annotator: String,
    folder: PathBuf,
    store: Store,
    report: Report,
    /// The failure told last; the same one is not told again until a write succeeded.
    told: Option<AppError>,
}

impl Writing {
    async fn follow(mut self, mut live: mpsc::UnboundedReceiver<Event>) {
        // What an earlier process could not write any more is made up for.
        let mut due = Some(Instant::now() + DELAY);
        let mut not_before = Instant::now();
        loop {
            let writes_at = due.unwrap_or_else(|| Instant::now() + DELAY);
            tokio::select! {
                event = live.recv() => match event {
                    Some(event) => due = sooner(due, &event, not_before),
                    None => break,
                },
                () = tokio::time::sleep_until(writes_at), if due.is_some() => {
                    // What has come meanwhile belongs to this write.
                    while live.try_recv().is_ok() {}
                    let began = Instant::now();
                    due = (!self.write().await).then(|| Instant::now() + RETRY);
                    not_before = Instant::now() + began.elapsed() * REST_FACTOR;
                }
            }
        }
        if due.is_some() {
            self.write().await;
        }
    }

    /// Writes once; tells about a failure and returns whether it went well.
    async fn write(&mut self) -> bool {
        match self.try_write().await {
            Ok(()) => {
                self.told = None;
                true
            }
            Err(error) => {
                tracing::error!(session = %self.session, %error, "the output folder was not written");
                if self.told.as_ref() != Some(&error) {
                    (self.report)(error.clone());
                    self.told = Some(error);
                }
                false
            }
        }
    }

    async fn try_write(&self) -> Result<(), AppError> {
        let events = self
            .store
            .events(&self.session, 0)
            .await
            .map_err(|error| error.to_app())?;
        let (folder, annotator) = (self.folder.clone(), self.annotator.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &annotator, &events))
            .await
            .map_err(|error| AppError::new(ErrorCode::Internal, error.to_string(), ""))??;
        if let Some(at) = written {
            self.store
                .mark_exported(&self.session, at)
                .await
                .map_err(|error| error.to_app())?;
        }
        Ok(())
    }
}

/// Writes the session into the folder; returns the time of the last event that is in it now.
fn write(folder: &Path, annotator: &str, events: &[Event]) -> Result<Option<Millis>, AppError> {
    let tree = SessionTree::fold(events);
    if tree.steps.is_empty() && tree.answers.is_empty() {
        return Ok(None);
    }
    OutputFolder::open(folder, annotator)
        .and_then(|output| output.write(events, &tree))
        .map_err(|error| error.to_app())?;
    Ok(Some(tree.updated_at))
}

/// When to write, after that event.
fn sooner(due: Option<Instant>, event: &Event, not_before: Instant) -> Option<Instant> {
    let now = Instant::now();
    let wanted = match &event.body {
        EventBody::StateChanged { state } if !is_passing(state) => now,
        EventBody::Annotated { .. } => now,
        body if body.persistence() == Persistence::Stored => (now + DELAY).max(not_before),
        _ => return due,
    };
    Some(due.map_or(wanted, |due| due.min(wanted)))
}

/// Whether the session leaves that state by itself.
const fn is_passing(state: &SessionState) -> bool {
    state.is_active()
}

//! The checkpoint engine on its own thread: git work never blocks the actors, jobs keep their
//! order, and publishing, flushing and packing wait until nothing else is to do.

use crate::error::EngineError;
use espalier_checkpoint::Checkpoints;
use espalier_protocol::CheckpointId;
use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Idle for so long, the thread flushes what it wrote: the model is thinking, or the turn is over.
const QUIET: Duration = Duration::from_millis(500);

type Job = Box<dyn FnOnce(&mut Checkpoints) + Send>;

enum Message {
    Run(Job),
    Publish {
        branch: String,
        tip: CheckpointId,
    },
    /// Answers once everything before it, publishing included, is done.
    Settle(oneshot::Sender<Vec<String>>),
}

/// A handle on the thread that owns an open project's checkpoints.
pub struct CheckpointThread {
    jobs: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl CheckpointThread {
    /// Moves the checkpoints to a thread of their own.
    pub fn start(checkpoints: Checkpoints) -> Result<Self, EngineError> {
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || work(checkpoints, &queue))
            .map_err(|error| EngineError::Internal(format!("No thread for git: {error}")))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs a job after those before it and returns what it returns.
    pub async fn run<T, F>(&self, job: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Checkpoints) -> Result<T, espalier_checkpoint::CheckpointError>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Run(Box::new(move |checkpoints| {
            // The asker may have gone; the work is done all the same.
            let _ = reply.send(job(checkpoints));
        })))?;
        answer.await.map_err(|_| gone())?.map_err(EngineError::from)
    }

    /// Shows a branch in the user's repository when nothing more urgent is to do.
    pub fn publish(&self, branch: String, tip: CheckpointId) -> Result<(), EngineError> {
        self.send(Message::Publish { branch, tip })
    }

    /// Waits until all is done and returns what publishing complained about.
    pub async fn settle(&self) -> Result<Vec<String>, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Settle(reply))?;
        answer.await.map_err(|_| gone())
    }

    fn send(&self, message: Message) -> Result<(), EngineError> {
        self.jobs
            .as_ref()
            .and_then(|jobs| jobs.send(message).ok())
            .ok_or_else(gone)
    }

    /// Ends the thread; the project directory's lock is free afterwards.
    pub async fn close(mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the checkpoint thread ended badly");
            }
        }
    }
}

fn gone() -> EngineError {
    EngineError::Internal("The checkpoint thread has ended.".to_owned())
}

/// What the thread works with.
struct Worker {
    checkpoints: Checkpoints,
    unpublished: BTreeMap<String, CheckpointId>,
    /// Something was written that a power failure could still take.
    unflushed: bool,
    complaints: Vec<String>,
}

fn work(checkpoints: Checkpoints, queue: &mpsc::Receiver<Message>) {
    let mut worker = Worker {
        checkpoints,
        unpublished: BTreeMap::new(),
        unflushed: false,
        complaints: Vec::new(),
    };
    loop {
        let waited = if !worker.unpublished.is_empty() {
            queue.try_recv().map_err(|error| match error {
                mpsc::TryRecvError::Empty => RecvTimeoutError::Timeout,
                mpsc::TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else if worker.unflushed {
            queue.recv_timeout(QUIET)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match waited {
            Ok(Message::Run(job)) => {
                job(&mut worker.checkpoints);
                worker.unflushed = true;
            }
            Ok(Message::Publish { branch, tip }) => {
                worker.unpublished.insert(branch, tip);
            }
            Ok(Message::Settle(reply)) => {
                worker.settle();
                // The asker may have gone; nothing depends on the answer.
                let _ = reply.send(std::mem::take(&mut worker.complaints));
            }
            Err(RecvTimeoutError::Timeout) if !worker.unpublished.is_empty() => {
                worker.publish_one();
            }
            Err(RecvTimeoutError::Timeout) => worker.flush(),
            Err(RecvTimeoutError::Disconnected) => {
                worker.settle();
                return;
            }
        }
    }
}

impl Worker {
    fn settle(&mut self) {
        while !self.unpublished.is_empty() {
            self.publish_one();
        }
        if self.unflushed {
            self.flush();
        }
    }

    /// Makes what was written outlive a power failure, and packs it when there is much of it.
    fn flush(&mut self) {
        self.unflushed = false;
        let mut flushed = self.checkpoints.sync();
        if flushed.is_ok() && self.checkpoints.is_packing_due() {
            flushed = self.checkpoints.pack();
        }
        if let Err(error) = flushed {
            tracing::warn!(%error, "the checkpoint store was not flushed");
            self.complain(error.to_string());
        }
    }

    fn publish_one(&mut self) {
        let Some((branch, tip)) = self.unpublished.pop_first() else {
            return;
        };
        self.unflushed = true;
        if let Err(error) = self.checkpoints.publish(&branch, &tip) {
            tracing::warn!(%error, %branch, "a branch could not be published");
            self.complain(format!(
                "{branch} could not be shown in the project's repository: {error}"
            ));
        }
    }

    fn complain(&mut self, complaint: String) {
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }
}

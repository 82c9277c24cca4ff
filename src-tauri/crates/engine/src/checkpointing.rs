//! The checkpoint engine on its own thread: git work never blocks the actors, jobs keep their
//! order, and publishing waits until nothing else is to do.

use crate::error::EngineError;
use espalier_checkpoint::Checkpoints;
use espalier_protocol::CheckpointId;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

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

fn work(mut checkpoints: Checkpoints, queue: &mpsc::Receiver<Message>) {
    let mut unpublished: BTreeMap<String, CheckpointId> = BTreeMap::new();
    let mut complaints = Vec::new();
    loop {
        let message = if unpublished.is_empty() {
            queue.recv().ok()
        } else {
            match queue.try_recv() {
                Ok(message) => Some(message),
                Err(mpsc::TryRecvError::Empty) => {
                    publish_one(&mut checkpoints, &mut unpublished, &mut complaints);
                    continue;
                }
                Err(mpsc::TryRecvError::Disconnected) => None,
            }
        };
        match message {
            Some(Message::Run(job)) => job(&mut checkpoints),
            Some(Message::Publish { branch, tip }) => {
                unpublished.insert(branch, tip);
            }
            Some(Message::Settle(reply)) => {
                while !unpublished.is_empty() {
                    publish_one(&mut checkpoints, &mut unpublished, &mut complaints);
                }
                // The asker may have gone; nothing depends on the answer.
                let _ = reply.send(std::mem::take(&mut complaints));
            }
            None => {
                while !unpublished.is_empty() {
                    publish_one(&mut checkpoints, &mut unpublished, &mut complaints);
                }
                return;
            }
        }
    }
}

fn publish_one(
    checkpoints: &mut Checkpoints,
    unpublished: &mut BTreeMap<String, CheckpointId>,
    complaints: &mut Vec<String>,
) {
    if let Some((branch, tip)) = unpublished.pop_first()
        && let Err(error) = checkpoints.publish(&branch, &tip)
    {
        tracing::warn!(%error, %branch, "a branch could not be published");
        let complaint = format!("{branch} could not be shown in the project's repository: {error}");
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }
}

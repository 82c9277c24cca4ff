//! All open sessions of this process.

use crate::actor::{Apart, Lane, SessionActor, lane_of, missing_notice, worktree_notice};
use crate::apart::Places;
use crate::checkpointing::CheckpointThread;
use crate::error::EngineError;
use crate::handle::SessionHandle;
use crate::model_list::ModelList;
use crate::starting::{meta, startable};
use espalier_checkpoint::{BeginRequest, CaptureLimits, Checkpoints, OpenRequest};
use espalier_config::Project;
use espalier_protocol::event::{EventBody, Intervention};
use espalier_protocol::session::{BackendSettings, SessionMeta, SessionState};
use espalier_protocol::{
    BranchId, Checkpoint, CheckpointId, Event, SessionId, SessionTree, TaskId, WorktreeId,
};
use espalier_store::Store;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// How the agent process is started: this program's own hidden subcommand.
#[derive(Debug, Clone)]
pub struct AgentProgram {
    pub program: PathBuf,
    pub args: Vec<String>,
}

/// Told how far the first look at a project's files is: files seen, and how many there are as far
/// as that is known. Called from a thread of its own.
pub type Looking = Arc<dyn Fn(u32, Option<u32>) + Send + Sync>;

/// What an engine works with.
pub struct EngineOptions {
    pub data_dir: PathBuf,
    pub store: Store,
    pub agent: AgentProgram,
    pub app_version: String,
    pub looking: Looking,
    pub models: Arc<ModelList>,
}

/// A session to begin.
pub struct NewSession<'a> {
    pub project: &'a Project,
    pub task: &'a TaskId,
    pub annotator: String,
}

/// What reopening a session needs besides the log.
#[derive(Default)]
pub struct OpenMode {
    /// Read again from the configuration, as no secret is ever stored.
    pub api_key: Option<String>,
}

/// Creates, opens and keeps the sessions of one data folder. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    options: Arc<EngineOptions>,
    live: Arc<Mutex<HashMap<SessionId, SessionHandle>>>,
}

impl Engine {
    /// An engine on a data folder.
    pub fn new(options: EngineOptions) -> Self {
        Self {
            options: Arc::new(options),
            live: Arc::new(Mutex::new(HashMap::new())),
        }
    }

    /// The store the engine writes to.
    pub fn store(&self) -> &Store {
        &self.options.store
    }

    /// The folder that holds checkpoints.
    pub fn checkpoint_store(&self) -> PathBuf {
        self.options.data_dir.join("checkpoints")
    }

    /// The sessions that are open now.
    pub async fn live(&self) -> Vec<SessionHandle> {
        let mut live = self.live.lock().await;
        live.retain(|_, handle| handle.is_open());
        live.values().cloned().collect()
    }

    /// Begins a session: checks that it can run, takes the project directory, records the files as
    /// they are. The agent starts with the first `Resume`.
    pub async fn create(&self, new: NewSession<'_>) -> Result<SessionHandle, EngineError> {
        let task = startable(&new)?;
        let meta = meta(&new, task, &self.options.app_version)?;
        let mut live = self.live.lock().await;
        free_directory(&mut live, &meta.task.project_dir).await?;
        let begun = match meta.settings.checkpoints.enabled {
            true => Some(self.take_directory(&meta).await?),
            false => None,
        };
        let created = self.options.store.create_session(&meta).await?;
        let meta = Arc::new(meta);
        let mut notices = Vec::new();
        let (checkpoints, base) = match begun {
            Some((checkpoints, base)) => (Some(CheckpointThread::start(checkpoints)?), Some(base)),
            None => {
                notices.push(checkpoints_off());
                (None, None)
            }
        };
        let backend = meta.settings.backend.clone();
        let (lane, apart) = match (checkpoints, &base) {
            (Some(home), Some(base)) if meta.settings.checkpoints.worktrees => {
                let places = self.places(&meta);
                let first = WorktreeId::default();
                let opened = places.make(first, base.id.clone(), None).await?;
                notices.push(worktree_notice(&BranchId::main(), &opened));
                notices.extend(missing_notice(&opened));
                (lane_of(opened, backend, -1)?, Some(Apart { places, home }))
            }
            (checkpoints, _) => {
                let dir = PathBuf::from(&meta.task.project_dir);
                (Lane::new(dir, checkpoints, backend, -1), None)
            }
        };
        let tree = SessionTree::fold([&created]);
        let (handle, mut actor) =
            self.actor(meta, tree, lane, apart, new.project.secrets.api_key.clone());
        actor.begin(base).await?;
        actor.emit(notices).await?;
        tokio::spawn(actor.run());
        live.insert(handle.id().clone(), handle.clone());
        Ok(handle)
    }

    /// Opens a stored session again, brought to where it can go on. A finished one opens for
    /// reading and rating. Returns the open one where it is open already.
    pub async fn open(&self, id: &SessionId, mode: OpenMode) -> Result<SessionHandle, EngineError> {
        let mut live = self.live.lock().await;
        if let Some(handle) = live.get(id).filter(|handle| handle.is_open()) {
            return Ok(handle.clone());
        }
        let events = self.options.store.events(id, 0).await?;
        let mut tree = SessionTree::fold(&events);
        let meta = tree.meta.clone().ok_or_else(|| EngineError::Unknown {
            what: "session",
            name: id.to_string(),
        })?;
        let step_ids: Vec<_> = tree.steps.keys().cloned().collect();
        for step in &step_ids {
            tree.forget_content(step);
        }
        let finished = matches!(tree.state, Some(SessionState::Finished { .. }));
        let checkpoints = if finished || !meta.settings.checkpoints.enabled {
            None
        } else {
            free_directory(&mut live, &meta.task.project_dir).await?;
            let request = self.open_request(&meta);
            Some(CheckpointThread::start(
                blocking(move || Checkpoints::open(request)).await?,
            )?)
        };
        let meta = Arc::new(meta);
        let backends = last_backends(&events);
        let backend_of = |id| backends.get(&id).cloned();
        let settings_backend = meta.settings.backend.clone();
        let backend_of = |id| backend_of(id).unwrap_or_else(|| settings_backend.clone());
        drop(events);
        let here = tree.worktree;
        let mut others = BTreeMap::new();
        let (lane, apart) = match checkpoints {
            Some(home) if meta.settings.checkpoints.worktrees => {
                let places = self.places(&meta);
                for (id, (target, step)) in heads(&tree)? {
                    let opened = places.reopen(id, target).await?;
                    others.insert(id, lane_of(opened, backend_of(id), step)?);
                }
                let lane = others.remove(&here).ok_or_else(|| {
                    EngineError::Internal("The session stands in no worktree.".to_owned())
                })?;
                (lane, Some(Apart { places, home }))
            }
            checkpoints => {
                let dir = PathBuf::from(&meta.task.project_dir);
                let step = tree.cursor.as_ref().map_or(-1, |cursor| cursor.step);
                (Lane::new(dir, checkpoints, backend_of(here), step), None)
            }
        };
        let (handle, mut actor) = self.actor(meta, tree, lane, apart, mode.api_key);
        actor.others = others;
        if !finished && let Err(error) = actor.recover_everywhere().await {
            actor.let_go().await;
            return Err(error);
        }
        tokio::spawn(actor.run());
        live.insert(handle.id().clone(), handle.clone());
        Ok(handle)
    }

    fn actor(
        &self,
        meta: Arc<SessionMeta>,
        tree: SessionTree,
        lane: Lane,
        apart: Option<Apart>,
        api_key: Option<String>,
    ) -> (SessionHandle, SessionActor) {
        let (sender, requests) = mpsc::channel(64);
        let handle = SessionHandle {
            meta: Arc::clone(&meta),
            requests: sender,
            checkpoint_store: self.checkpoint_store(),
        };
        let actor = SessionActor {
            store: self.options.store.clone(),
            program: self.options.agent.clone(),
            spool_dir: self.options.data_dir.join("spool").join(meta.id.as_str()),
            api_key,
            looking: Arc::clone(&self.options.looking),
            models: Arc::clone(&self.options.models),
            meta,
            heard_last: tree.worktree,
            tree,
            requests,
            subscribers: Vec::new(),
            lane,
            others: BTreeMap::new(),
            apart,
        };
        (handle, actor)
    }

    fn places(&self, meta: &Arc<SessionMeta>) -> Places {
        Places::new(
            Arc::clone(meta),
            &self.options.data_dir,
            self.checkpoint_store(),
            Arc::clone(&self.options.looking),
        )
    }

    async fn take_directory(
        &self,
        meta: &SessionMeta,
    ) -> Result<(Checkpoints, Checkpoint), EngineError> {
        let request = self.open_request(meta);
        let require_clean = meta.settings.checkpoints.require_clean_working_dir;
        let looking = Arc::clone(&self.options.looking);
        blocking(move || {
            let mut checkpoints = Checkpoints::open(request)?;
            let begun =
                checkpoints.begin(&BeginRequest { require_clean }, &mut |done, total| {
                    looking(done, total);
                })?;
            Ok((checkpoints, begun.base))
        })
        .await
    }

    fn open_request(&self, meta: &SessionMeta) -> OpenRequest {
        let output = meta.settings.output_dir.as_ref().map(PathBuf::from);
        OpenRequest {
            project_dir: PathBuf::from(&meta.task.project_dir),
            store_dir: self.checkpoint_store(),
            session: meta.id.clone(),
            shared: None,
            exclude: output
                .into_iter()
                .chain([self.options.data_dir.clone()])
                .collect(),
            limits: CaptureLimits::default(),
            include_ignored: meta.settings.checkpoints.include_ignored.clone(),
        }
    }
}

/// One session at a time owns a project directory: another one of this process is parked first.
async fn free_directory(
    live: &mut HashMap<SessionId, SessionHandle>,
    project_dir: &str,
) -> Result<(), EngineError> {
    live.retain(|_, handle| handle.is_open());
    let others: Vec<SessionHandle> = live
        .values()
        .filter(|handle| handle.meta().task.project_dir == project_dir)
        .cloned()
        .collect();
    for other in others {
        other.close().await?;
        live.remove(other.id());
    }
    Ok(())
}

/// The backends that an annotator chose to go on with, by worktree.
fn last_backends(events: &[Event]) -> BTreeMap<WorktreeId, BackendSettings> {
    events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Intervened {
                intervention: Intervention::ContinueWith { backend },
                ..
            } => Some((event.worktree, backend.clone())),
            _ => None,
        })
        .collect()
}

/// The files and the step at which each open worktree stands.
fn heads(tree: &SessionTree) -> Result<BTreeMap<WorktreeId, (CheckpointId, i32)>, EngineError> {
    let here = (tree.worktree, &tree.last_checkpoint, &tree.cursor);
    tree.others
        .iter()
        .map(|(id, other)| (*id, &other.last_checkpoint, &other.cursor))
        .chain([here])
        .map(|(id, checkpoint, cursor)| {
            let checkpoint = checkpoint.as_ref().ok_or_else(|| {
                EngineError::Internal(format!("Worktree {id} has no checkpoint."))
            })?;
            let step = cursor.as_ref().map_or(-1, |cursor| cursor.step);
            Ok((id, (checkpoint.id.clone(), step)))
        })
        .collect()
}

fn checkpoints_off() -> EventBody {
    EventBody::Notice {
        code: "checkpoints_off".to_owned(),
        text: "Checkpoints are off (git_checkpoints.enabled: false): there is no rollback and no branch."
            .to_owned(),
    }
}

pub(crate) async fn blocking<T, F>(work: F) -> Result<T, EngineError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, espalier_checkpoint::CheckpointError> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EngineError::Internal(error.to_string()))?
        .map_err(EngineError::from)
}

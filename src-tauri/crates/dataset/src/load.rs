//! Sessions from an output folder or a data folder.

use crate::error::{DatasetError, at};
use crate::output::FOLDER;
use espalier_protocol::{Event, SessionTree};
use espalier_store::Store;
use std::path::{Path, PathBuf};

/// One session with its log.
pub struct SessionRecord {
    pub events: Vec<Event>,
    pub tree: SessionTree,
}

impl SessionRecord {
    fn new(events: Vec<Event>) -> Self {
        let tree = SessionTree::fold(&events);
        Self { events, tree }
    }
}

/// Reads every session of a folder, the earliest first.
pub async fn load(input: &Path) -> Result<Vec<SessionRecord>, DatasetError> {
    let events = input.join(FOLDER);
    let mut records = if events.is_dir() {
        from_output(&events)?
    } else if input.join("espalier.db").is_file() {
        from_data(input).await?
    } else {
        return Err(DatasetError::NoSessions(input.to_path_buf()));
    };
    records.sort_by_key(|record| {
        let meta = record.tree.meta.as_ref();
        meta.map(|meta| (meta.created_at, meta.id.clone()))
    });
    Ok(records)
}

fn from_output(folder: &Path) -> Result<Vec<SessionRecord>, DatasetError> {
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            records.push(SessionRecord::new(read_events(&path)?));
        }
    }
    Ok(records)
}

/// A last line that a crash cut is passed over; it was never reported as written.
fn read_events(path: &PathBuf) -> Result<Vec<Event>, DatasetError> {
    let text = std::fs::read_to_string(path).map_err(at(path))?;
    let whole = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    let mut events = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(event) => events.push(event),
            Err(_) if !whole && index + 1 == lines.len() => {}
            Err(error) => {
                return Err(DatasetError::Event {
                    path: path.clone(),
                    line: index + 1,
                    error,
                });
            }
        }
    }
    Ok(events)
}

async fn from_data(folder: &Path) -> Result<Vec<SessionRecord>, DatasetError> {
    let fail = |error: espalier_store::StoreError| DatasetError::Store(error.to_app());
    let store = Store::open(folder).await.map_err(fail)?;
    let mut records = Vec::new();
    for session in store.sessions().await.map_err(fail)? {
        let events = store.events(&session.id, 0).await.map_err(fail)?;
        records.push(SessionRecord::new(events));
    }
    Ok(records)
}

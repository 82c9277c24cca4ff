//! Commits of the shadow repository: what a checkpoint's id leads to.
//!
//! A commit's tree is that of the user's repository, so that it reads like any other commit there.
//! What that tree cannot say (full modes, empty directories, files within submodules, the project's
//! place) lies in a record, a tree with `files` and `side`, named by the trailer `Espalier-Record`.
//! A commit of the user's own that serves as a base gets its record through a reference.

use crate::error::{CheckpointError, Doing, Result};
use crate::objects::Objects;
use crate::path::RelPath;
use crate::tree::{Changes, MODE_TREE, Tree};
use crate::walk::Pair;
use git2::{ErrorCode, ObjectType, Oid, Signature};

const SESSION: &str = "Espalier-Session";
const BRANCH: &str = "Espalier-Branch";
const STEP: &str = "Espalier-Step";
const RECORD: &str = "Espalier-Record";

/// The files a commit stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    pub commit: Oid,
    /// The commit's own tree, as in the user's repository.
    pub commit_tree: Oid,
    /// The project's files.
    pub pair: Pair,
    /// Whether full modes and empty directories are known.
    pub side_known: bool,
}

/// What a new commit says.
pub struct NewCommit<'a> {
    pub tree: Oid,
    pub parent: Oid,
    pub author: &'a Author,
    pub message: &'a str,
    pub session: &'a str,
    pub branch: &'a str,
    pub step: Option<u32>,
    pub record: Option<Oid>,
}

/// Whose commits they are.
#[derive(Debug, Clone)]
pub struct Author {
    pub name: String,
    pub email: String,
}

impl Author {
    /// The user's identity as git is configured, else Espalier's.
    pub fn of(repository: Option<&git2::Repository>) -> Self {
        let read = |config: &git2::Config, key: &str| {
            config
                .get_string(key)
                .ok()
                .map(plain)
                .filter(|value| !value.is_empty())
        };
        let configured = repository
            .and_then(|repository| repository.config().ok())
            .and_then(|mut config| config.snapshot().ok())
            .and_then(|config| Some((read(&config, "user.name")?, read(&config, "user.email")?)));
        let (name, email) =
            configured.unwrap_or_else(|| ("Espalier".to_owned(), "espalier@localhost".to_owned()));
        Self { name, email }
    }
}

/// A name without what would break a commit's header.
fn plain(text: String) -> String {
    text.chars()
        .filter(|letter| !"<>\n\r\0".contains(*letter))
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The trailers of one of our commits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trailers {
    pub session: Option<String>,
    pub branch: Option<String>,
    pub record: Option<Oid>,
}

impl Trailers {
    /// Reads them from a commit's message: the lines of its last paragraph.
    pub fn read(message: &[u8]) -> Self {
        let text = String::from_utf8_lossy(message);
        let last = text.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let value = |key: &str| {
            last.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                (name == key).then(|| value.trim().to_owned())
            })
        };
        Self {
            session: value(SESSION),
            branch: value(BRANCH),
            record: value(RECORD).and_then(|id| Oid::from_str(&id).ok()),
        }
    }
}

/// A commit object, as far as it matters here.
pub struct CommitText {
    pub tree: Oid,
    pub parents: Vec<Oid>,
    pub trailers: Trailers,
}

impl CommitText {
    /// Reads a commit object's bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
        let header = std::str::from_utf8(&bytes[..end]).map_or_else(
            |_| String::from_utf8_lossy(&bytes[..end]).into_owned(),
            str::to_owned,
        );
        let ids = |key: &str| -> Vec<Oid> {
            header
                .lines()
                .filter_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
                .filter_map(|id| Oid::from_str(id).ok())
                .collect()
        };
        Some(Self {
            tree: *ids("tree").first()?,
            parents: ids("parent"),
            trailers: Trailers::read(&bytes[end + 2..]),
        })
    }
}

impl Objects {
    /// Reads a commit.
    pub fn commit(&self, id: Oid) -> Result<CommitText> {
        let bytes = self.read(id, ObjectType::Commit)?;
        CommitText::parse(&bytes).ok_or_else(|| CheckpointError::BrokenStore {
            detail: format!("commit {id} cannot be read"),
        })
    }

    /// The files that a checkpoint's id stands for.
    pub fn snapshot(&self, id: &str, prefix: &RelPath) -> Result<Snapshot> {
        let unknown = || CheckpointError::UnknownCheckpoint { id: id.to_owned() };
        let commit = Oid::from_str(id)
            .ok()
            .filter(|_| id.len() == 40)
            .ok_or_else(unknown)?;
        if let Some(known) = self.known_snapshot(commit) {
            return Ok(known);
        }
        if !self.has(commit)? {
            return Err(unknown());
        }
        let text = self.commit(commit)?;
        let record = match text.trailers.record {
            Some(record) => Some(record),
            None => self.base_record(commit)?,
        };
        let (pair, side_known) = match record {
            Some(record) => (self.read_record(record)?, true),
            None => {
                let files = self.at(Some(text.tree), prefix)?;
                (Pair { files, side: None }, text.trailers.session.is_some())
            }
        };
        let snapshot = Snapshot {
            commit,
            commit_tree: text.tree,
            pair,
            side_known,
        };
        if side_known {
            self.remember_snapshot(snapshot);
        }
        Ok(snapshot)
    }

    /// The directory at a path of a tree; nothing when there is none.
    pub fn at(&self, tree: Option<Oid>, path: &RelPath) -> Result<Option<Oid>> {
        let mut tree = tree;
        for part in path.parts() {
            let found = self.tree(tree)?;
            match found.get(part) {
                Some(entry) if entry.is_tree() => tree = Some(entry.id),
                _ => return Ok(None),
            }
        }
        // The empty tree is nothing too.
        Ok(if self.tree(tree)?.is_empty() {
            None
        } else {
            tree
        })
    }

    /// A tree with one path in it set or taken out; directories that become empty go.
    pub fn with_entry(
        &self,
        tree: Option<Oid>,
        path: &[&[u8]],
        entry: Option<(u32, Oid)>,
    ) -> Result<Option<Oid>> {
        let Some((first, rest)) = path.split_first() else {
            return Ok(entry.map(|(_, id)| id));
        };
        let here = self.tree(tree)?;
        let new = if rest.is_empty() {
            entry
        } else {
            let below = here
                .get(first)
                .filter(crate::tree::Entry::is_tree)
                .map(|entry| entry.id);
            self.with_entry(below, rest, entry)?
                .map(|id| (MODE_TREE, id))
        };
        let changes = Changes::from([(first.to_vec(), new)]);
        self.put_tree(here.with(&changes))
    }

    /// Stores a record.
    pub fn write_record(&self, pair: Pair) -> Result<Oid> {
        let mut entries = Changes::new();
        if let Some(id) = pair.files {
            entries.insert(b"files".to_vec(), Some((MODE_TREE, id)));
        }
        if let Some(id) = pair.side {
            entries.insert(b"side".to_vec(), Some((MODE_TREE, id)));
        }
        self.write(ObjectType::Tree, Tree::default().with(&entries).raw())
    }

    fn read_record(&self, record: Oid) -> Result<Pair> {
        let tree = self.tree(Some(record))?;
        let id = |name: &[u8]| tree.get(name).map(|entry| entry.id);
        Ok(Pair {
            files: id(b"files"),
            side: id(b"side"),
        })
    }

    /// The record of a user's commit that served as a base.
    pub fn base_record(&self, commit: Oid) -> Result<Option<Oid>> {
        match self.repository().find_reference(&base_record_name(commit)) {
            Ok(reference) => Ok(reference.target()),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error).doing(|| "Reading the checkpoint store".to_owned()),
        }
    }

    /// Gives a user's commit a record.
    pub fn set_base_record(&self, commit: Oid, record: Oid) -> Result<()> {
        self.forget_snapshot(commit);
        self.point(&base_record_name(commit), record)
    }

    /// Gives an object a reference of its own, which is never moved.
    pub fn keep(&self, folder: &str, id: Oid) -> Result<()> {
        let dir = self.repository().path().join(folder);
        let name = id.to_string();
        crate::loose::place(&dir, &name, format!("{name}\n").as_bytes())
            .doing(|| "Writing to the checkpoint store".to_owned())
    }

    /// Points a reference of the shadow repository at an object.
    pub fn point(&self, name: &str, id: Oid) -> Result<()> {
        self.repository()
            .reference(name, id, true, "")
            .map(|_| ())
            .doing(|| "Writing to the checkpoint store".to_owned())
    }

    /// Writes a commit with its trailers.
    pub fn write_commit(&self, new: &NewCommit<'_>) -> Result<Oid> {
        let when = Signature::now("Espalier", "espalier@localhost")
            .doing(|| "Reading the clock".to_owned())?
            .when();
        let offset = when.offset_minutes();
        let who = format!(
            "{} <{}> {} {}{:02}{:02}",
            new.author.name,
            new.author.email,
            when.seconds(),
            if offset < 0 { '-' } else { '+' },
            offset.abs() / 60,
            offset.abs() % 60,
        );
        let mut text = format!(
            "tree {}\nparent {}\nauthor {who}\ncommitter {who}\n\n",
            new.tree, new.parent
        );
        text.push_str(&message(new));
        self.write(ObjectType::Commit, text.as_bytes())
    }
}

fn base_record_name(commit: Oid) -> String {
    format!("refs/espalier-records/{commit}")
}

fn message(new: &NewCommit<'_>) -> String {
    let given = new.message.replace('\0', "");
    let given = given.trim();
    let given = if given.is_empty() {
        "Checkpoint"
    } else {
        given
    };
    let mut text = format!(
        "{given}\n\n{SESSION}: {}\n{BRANCH}: {}\n",
        one_line(new.session),
        one_line(new.branch)
    );
    if let Some(step) = new.step {
        text.push_str(&format!("{STEP}: {step}\n"));
    }
    if let Some(record) = new.record {
        text.push_str(&format!("{RECORD}: {record}\n"));
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

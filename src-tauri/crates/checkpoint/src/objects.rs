//! The shadow repository's objects: content-addressed bytes, trees and records, with a cache.
//!
//! Bytes go in and out as they are; nothing here knows of filters, line endings or attributes.

use crate::error::{CheckpointError, Doing, Result};
use crate::loose::{self, Deflater};
use crate::side::Side;
use crate::snapshot::Snapshot;
use crate::tree::Tree;
use git2::{ObjectType, Odb, OdbLookupFlags, Oid, Repository};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Parsed trees kept in memory; beyond this many the cache starts anew.
const CACHED: usize = 16_384;
/// Larger contents are not held in memory whole, in bytes.
pub const STREAMED: u64 = 32 * 1024 * 1024;
/// Bytes read at once of a large file.
const PIECE: usize = 1024 * 1024;

/// Objects of one repository.
pub struct Objects {
    repository: Repository,
    trees: RefCell<HashMap<Oid, Arc<Tree>>>,
    sides: RefCell<HashMap<Oid, Arc<Side>>>,
    snapshots: RefCell<HashMap<Oid, Snapshot>>,
    /// Objects known to be there.
    known: RefCell<HashSet<Oid>>,
    deflater: RefCell<Deflater>,
    dir: PathBuf,
}

impl Objects {
    /// Wraps an open bare repository.
    pub fn new(repository: Repository) -> Self {
        Self {
            dir: repository.path().join("objects"),
            repository,
            trees: RefCell::default(),
            sides: RefCell::default(),
            snapshots: RefCell::default(),
            known: RefCell::default(),
            deflater: RefCell::default(),
        }
    }

    /// The repository itself, for references.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The folder that holds the objects.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn odb(&self) -> Result<Odb<'_>> {
        self.repository
            .odb()
            .doing(|| "Opening the checkpoint store".to_owned())
    }

    /// Reads from another folder of objects too, from now on.
    pub fn borrow_from(&self, objects: &Path) -> Result<()> {
        let doing = || format!("Reading the objects in {}", objects.display());
        let list = self.dir().join("info/alternates");
        let mut text = std::fs::read(&list).unwrap_or_default();
        let line = objects.as_os_str().as_bytes();
        if text.split(|byte| *byte == b'\n').any(|known| known == line) {
            return Ok(());
        }
        text.extend_from_slice(line);
        text.push(b'\n');
        crate::store::write_whole(&list, &text)?;
        match objects.to_str() {
            Some(text) => self.odb()?.add_disk_alternate(text).doing(doing),
            None => Ok(()),
        }
    }

    /// Whether the object is there.
    pub fn has(&self, id: Oid) -> Result<bool> {
        Ok(self.odb()?.exists(id))
    }

    /// Stores an object and returns its id.
    pub fn write(&self, kind: ObjectType, bytes: &[u8]) -> Result<Oid> {
        let doing = || "Writing to the checkpoint store".to_owned();
        let id = Oid::hash_object(kind, bytes).doing(doing)?;
        if self.is_known(id)? {
            return Ok(id);
        }
        let name = id.to_string();
        let mut deflater = self.deflater.borrow_mut();
        let packed = deflater.object(kind.str(), bytes).doing(doing)?;
        crate::fault::point("object");
        loose::place(&self.dir.join(&name[..2]), &name[2..], packed).doing(doing)?;
        self.known.borrow_mut().insert(id);
        Ok(id)
    }

    /// Whether an object need not be written. Packs that appeared meanwhile are not looked for: the
    /// object would only be there twice.
    fn is_known(&self, id: Oid) -> Result<bool> {
        if self.known.borrow().contains(&id) {
            return Ok(true);
        }
        let there = self.odb()?.exists_ext(id, OdbLookupFlags::NO_REFRESH);
        if there {
            self.known.borrow_mut().insert(id);
        }
        Ok(there)
    }

    /// Stores a file's content piece by piece. Nothing when it is not `size` bytes long.
    pub fn write_stream(&self, file: &mut File, size: u64) -> Result<Option<Oid>> {
        let doing = || "Writing a large file to the checkpoint store".to_owned();
        let odb = self.odb()?;
        let Ok(length) = usize::try_from(size) else {
            return Ok(None);
        };
        let mut writer = odb.writer(length, ObjectType::Blob).doing(doing)?;
        let mut piece = vec![0; PIECE];
        let mut left = size;
        loop {
            let read = file.read(&mut piece).doing(doing)?;
            let Some(rest) = left.checked_sub(read as u64) else {
                return Ok(None);
            };
            if read == 0 {
                break;
            }
            writer.write_all(&piece[..read]).doing(doing)?;
            left = rest;
        }
        if left > 0 {
            return Ok(None);
        }
        let id = writer.finalize().doing(doing)?;
        Ok(Some(id))
    }

    /// Writes an object's content into a file, piece by piece where it is large and loose.
    pub fn copy_to(&self, id: Oid, file: &mut File) -> Result<()> {
        let doing = || format!("Reading object {id} of the checkpoint store");
        if self.size(id)? > STREAMED {
            let odb = self.odb()?;
            if let Ok((mut reader, _, _)) = odb.reader(id) {
                return io::copy(&mut reader, file).map(|_| ()).doing(doing);
            }
        }
        file.write_all(&self.read(id, ObjectType::Blob)?)
            .doing(doing)
    }

    /// The snapshot of a commit, if it was read before.
    pub fn known_snapshot(&self, commit: Oid) -> Option<Snapshot> {
        self.snapshots.borrow().get(&commit).copied()
    }

    /// Remembers the snapshot of a commit.
    pub fn remember_snapshot(&self, snapshot: Snapshot) {
        self.snapshots
            .borrow_mut()
            .insert(snapshot.commit, snapshot);
    }

    /// Forgets what was remembered of a commit.
    pub fn forget_snapshot(&self, commit: Oid) {
        self.snapshots.borrow_mut().remove(&commit);
    }

    /// An object's bytes.
    pub fn read(&self, id: Oid, kind: ObjectType) -> Result<Vec<u8>> {
        let odb = self.odb()?;
        let object = odb
            .read(id)
            .doing(|| format!("Reading object {id} of the checkpoint store"))?;
        if object.kind() != kind {
            return Err(CheckpointError::BrokenStore {
                detail: format!("object {id} is a {}, not a {}", object.kind(), kind),
            });
        }
        Ok(object.data().to_vec())
    }

    /// A blob's bytes, unless it is larger than `most`.
    pub fn small_blob(&self, id: Oid, most: u64) -> Result<Option<Vec<u8>>> {
        let doing = || format!("Reading object {id} of the checkpoint store");
        let name = id.to_string();
        let file = self.dir.join(&name[..2]).join(&name[2..]);
        if let Some(bytes) = loose::blob(&file, most).doing(doing)?
            && Oid::hash_object(ObjectType::Blob, &bytes).doing(doing)? == id
        {
            return Ok(Some(bytes));
        }
        match self.size(id)? <= most {
            true => self.read(id, ObjectType::Blob).map(Some),
            false => Ok(None),
        }
    }

    /// Bytes of an object, without reading it whole.
    pub fn size(&self, id: Oid) -> Result<u64> {
        let (size, _) = self
            .odb()?
            .read_header(id)
            .doing(|| format!("Reading object {id} of the checkpoint store"))?;
        Ok(size as u64)
    }

    /// A tree; the empty one for nothing.
    pub fn tree(&self, id: Option<Oid>) -> Result<Arc<Tree>> {
        let Some(id) = id else {
            return Ok(Arc::default());
        };
        if let Some(tree) = self.trees.borrow().get(&id) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(Tree::parse(self.read(id, ObjectType::Tree)?)?);
        remember(&self.trees, id, &tree);
        Ok(tree)
    }

    /// Stores a tree; nothing when it is empty.
    pub fn put_tree(&self, tree: Tree) -> Result<Option<Oid>> {
        if tree.is_empty() {
            return Ok(None);
        }
        let id = self.write(ObjectType::Tree, tree.raw())?;
        remember(&self.trees, id, &Arc::new(tree));
        Ok(Some(id))
    }

    /// A tree's id, with the empty tree written where there is nothing.
    pub fn tree_id(&self, id: Option<Oid>) -> Result<Oid> {
        match id {
            Some(id) => Ok(id),
            None => self.write(ObjectType::Tree, &[]),
        }
    }

    /// A directory's record; the empty one for nothing.
    pub fn side(&self, id: Option<Oid>) -> Result<Arc<Side>> {
        let Some(id) = id else {
            return Ok(Arc::default());
        };
        if let Some(side) = self.sides.borrow().get(&id) {
            return Ok(Arc::clone(side));
        }
        let tree = self.tree(Some(id))?;
        let side = Arc::new(Side::from_tree(&tree, |blob| {
            self.read(blob, ObjectType::Blob)
        })?);
        remember(&self.sides, id, &side);
        Ok(side)
    }

    /// Stores a directory's record; nothing when it is empty.
    pub fn put_side(&self, side: Side) -> Result<Option<Oid>> {
        if side.is_empty() {
            return Ok(None);
        }
        let modes = match side.modes.is_empty() {
            true => None,
            false => Some(self.write(ObjectType::Blob, &side.modes_blob())?),
        };
        let id = self.write(ObjectType::Tree, side.to_tree(modes).raw())?;
        remember(&self.sides, id, &Arc::new(side));
        Ok(Some(id))
    }
}

fn remember<T>(cache: &RefCell<HashMap<Oid, Arc<T>>>, id: Oid, value: &Arc<T>) {
    let mut cache = cache.borrow_mut();
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(id, Arc::clone(value));
}

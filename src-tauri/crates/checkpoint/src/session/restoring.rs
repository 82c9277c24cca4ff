//! Brings the files to a checkpoint: keep what would be lost, write it down, move, verify.
//!
//! The journal holds the whole plan before the first file moves. Every single change either has
//! happened or has not (rename), and doing one again does nothing; so a restore that was cut off
//! anywhere is finished by running its plan once more.

use super::Checkpoints;
use crate::batch::{self, Job, Put};
use crate::diff::Version;
use crate::dirty::DirtySet;
use crate::error::{CheckpointError, Doing, Result};
use crate::fault;
use crate::hands::{Hands, Outcome};
use crate::path::RelPath;
use crate::read::{self, Content};
use crate::request::{PlannedFile, RestorePlan, RestoreReport};
use crate::side::git_mode;
use crate::snapshot::Snapshot;
use crate::store::{read_json, write_json};
use crate::tree::MODE_LINK;
use espalier_protocol::CheckpointId;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Stat, statat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Why a file that somebody wrote meanwhile is left.
const CHANGED: &str = "it changed while files were being restored";

/// A restore under way.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    plan: RestorePlan,
    kept: Option<CheckpointId>,
}

/// What a path held when the restore began, where that is not what the plan expects.
type Found = BTreeMap<RelPath, Option<Version>>;

impl Checkpoints {
    /// Carries a plan out. What is no longer as the plan expects is stored first (`kept` in the
    /// report) and then brought to the checkpoint too; what cannot be stored is left alone.
    pub fn restore(&mut self, plan: &RestorePlan) -> Result<RestoreReport> {
        self.carry_out(plan, None)
            .map_err(CheckpointError::while_restoring)
    }

    /// Finishes a restore that was cut off; nothing when there is none.
    pub fn finish_interrupted(&mut self) -> Result<Option<RestoreReport>> {
        let Some(journal) = read_json::<Journal>(&self.journal_path())? else {
            return Ok(None);
        };
        self.finish(&journal)
            .map(Some)
            .map_err(CheckpointError::while_restoring)
    }

    fn finish(&mut self, journal: &Journal) -> Result<RestoreReport> {
        let root = self.open_root()?;
        let hands = Hands::new(&root, &self.objects);
        let mut swept = BTreeSet::new();
        for file in &journal.plan.writes {
            let path = parse(&file.path)?;
            if swept.insert(path.split_last().map(|(dir, _)| dir)) {
                hands.sweep(&path)?;
            }
        }
        self.carry_out(&journal.plan, journal.kept.clone())
    }

    fn journal_path(&self) -> PathBuf {
        self.store.session(&self.session).join("restore.json")
    }

    fn carry_out(
        &mut self,
        plan: &RestorePlan,
        kept: Option<CheckpointId>,
    ) -> Result<RestoreReport> {
        let (from, target) = (self.snapshot(&plan.from)?, self.snapshot(&plan.target)?);
        let root = self.open_root()?;
        fault::point("begun");
        let (found, kept) = self.keep_what_changed(&root, plan, &from, kept)?;
        let mut report = RestoreReport {
            left_alone: plan.left_alone.clone(),
            kept,
            ..RestoreReport::default()
        };
        fault::point("kept");
        let journal = Journal {
            plan: plan.clone(),
            kept: report.kept.clone(),
        };
        write_json(&self.journal_path(), &journal)?;
        fault::point("journal");
        self.move_files(&root, plan, &found, &mut report)?;
        fault::point("moved");
        self.verify(plan, &target, &mut report)?;
        fault::point("verified");
        std::fs::remove_file(self.journal_path())
            .doing(|| "Closing the restore's journal".to_owned())?;
        Ok(report)
    }

    /// Stores what the plan's paths hold where that is neither what the plan expects nor what it
    /// will write. What an earlier attempt kept is the parent of what this one keeps.
    fn keep_what_changed(
        &mut self,
        root: &OwnedFd,
        plan: &RestorePlan,
        from: &Snapshot,
        earlier: Option<CheckpointId>,
    ) -> Result<(Found, Option<CheckpointId>)> {
        self.drain();
        self.stand_on(from)?;
        let mut work = DirtySet::default();
        let mut wanted = BTreeMap::new();
        for file in plan.writes.iter().chain(&plan.deletes) {
            let path = parse(&file.path)?;
            work.node(&path);
            wanted.insert(path, file);
        }
        let present = self.walk(root, from.pair, &work, true, &mut || {});
        // Looked at for the restore's sake; whether they are as they should be is verified after it.
        self.pending.merge(work);
        let present = present?;
        let delta = crate::diff::between(&self.objects, from.pair, present)?;
        let found: Found = delta
            .files
            .into_iter()
            .filter(|file| wanted.contains_key(&file.path))
            .map(|file| (file.path, file.new))
            .collect();
        let parent = match &earlier {
            Some(earlier) => self.snapshot(earlier)?,
            None => *from,
        };
        let unheld = crate::diff::between(&self.objects, parent.pair, present)?;
        let unheld: BTreeSet<RelPath> = unheld.files.into_iter().map(|file| file.path).collect();
        let lost = found.iter().any(|(path, version)| {
            let planned = wanted.get(path).and_then(|planned| planned.new);
            version.is_some() && *version != planned && unheld.contains(path)
        });
        let kept = match lost {
            true => {
                let message = "Files found changed before a restore";
                let snapshot = self.commit_pair(&parent, present, message, |_| {})?;
                Some(CheckpointId::new(snapshot.commit.to_string()))
            }
            false => earlier,
        };
        Ok((found, kept))
    }

    fn move_files(
        &mut self,
        root: &OwnedFd,
        plan: &RestorePlan,
        found: &Found,
        report: &mut RestoreReport,
    ) -> Result<()> {
        for file in &plan.deletes {
            self.delete(root, file, found, report)?;
        }
        let (mut gone, mut made): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for dir in &plan.dirs {
            match dir.new {
                None => gone.push(parse(&dir.path)?),
                Some(mode) => made.push((parse(&dir.path)?, dir.old, mode)),
            }
        }
        // A path sorts after the directory that holds it: backwards is deepest first.
        gone.sort();
        made.sort();
        let hands = Hands::new(root, &self.objects);
        for path in gone.iter().rev() {
            note(report, path, hands.remove_dir(path)?);
        }
        for (path, _, _) in made.iter().filter(|(_, old, _)| old.is_none()) {
            note(report, path, hands.make_dir(path)?);
        }
        self.write_all(root, plan, found, report)?;
        let hands = Hands::new(root, &self.objects);
        for (path, _, mode) in made.iter().rev() {
            note(report, path, hands.set_mode(path, *mode)?);
        }
        Ok(())
    }

    fn delete(
        &mut self,
        root: &OwnedFd,
        file: &PlannedFile,
        found: &Found,
        report: &mut RestoreReport,
    ) -> Result<()> {
        let path = parse(&file.path)?;
        let expected = found.get(&path).copied().unwrap_or(file.old);
        match self.present(root, &path)? {
            Present::Nothing => Ok(()),
            Present::Is(version, _) if Some(version) == expected => {
                let outcome = Hands::new(root, &self.objects).remove(&path)?;
                note(report, &path, outcome);
                Ok(())
            }
            Present::Is(..) => leave(report, &path, CHANGED),
            Present::Other(why) => leave(report, &path, why),
        }
    }

    /// Small files go side by side, a batch at a time; the others one by one.
    fn write_all(
        &mut self,
        root: &OwnedFd,
        plan: &RestorePlan,
        found: &Found,
        report: &mut RestoreReport,
    ) -> Result<()> {
        let mut batch = Vec::new();
        for file in &plan.writes {
            if let Some(job) = self.prepare(root, file, found, report)? {
                batch.push(job);
            }
            if batch.len() == batch::MOST {
                self.put_batch(root, &mut batch, report)?;
            }
        }
        self.put_batch(root, &mut batch, report)
    }

    fn put_batch(
        &self,
        root: &OwnedFd,
        batch: &mut Vec<Job>,
        report: &mut RestoreReport,
    ) -> Result<()> {
        let answers = batch::put(root, batch);
        for (job, put) in batch.drain(..).zip(answers) {
            match put {
                Put::Done => note(report, &job.path, Ok(())),
                Put::Changed => leave(report, &job.path, CHANGED)?,
                Put::Alone => {
                    let outcome = Hands::new(root, &self.objects).write(&job.path, job.version)?;
                    note(report, &job.path, outcome);
                }
            }
        }
        Ok(())
    }

    /// Looks at a file that is to be written. One that is small is answered, to be put in its place
    /// with others; everything else is done here.
    fn prepare(
        &mut self,
        root: &OwnedFd,
        file: &PlannedFile,
        found: &Found,
        report: &mut RestoreReport,
    ) -> Result<Option<Job>> {
        let path = parse(&file.path)?;
        let Some(new) = file.new else {
            return Ok(None);
        };
        let expected = found.get(&path).copied().unwrap_or(file.old);
        let present = self.present(root, &path)?;
        let mut hands = Hands::new(root, &self.objects);
        let seen = match present {
            Present::Is(version, _) if version == new => return Ok(None),
            Present::Is(version, _)
                if version.id == new.id
                    && same_type(version, new)
                    && git_mode(new.full_mode) != MODE_LINK =>
            {
                let outcome = hands.set_mode(&path, new.full_mode)?;
                note(report, &path, outcome);
                return Ok(None);
            }
            Present::Nothing => None,
            Present::Is(version, stat) if Some(version) == expected => Some(stat),
            Present::Is(..) => {
                leave(report, &path, CHANGED)?;
                return Ok(None);
            }
            Present::Other(why) => {
                leave(report, &path, why)?;
                return Ok(None);
            }
        };
        let bytes = match git_mode(new.full_mode) {
            MODE_LINK => None,
            _ => self.objects.small_blob(new.id, batch::LARGEST)?,
        };
        let Some(bytes) = bytes else {
            let outcome = hands.write(&path, new)?;
            note(report, &path, outcome);
            return Ok(None);
        };
        Ok(Some(Job {
            path,
            version: new,
            bytes,
            seen,
        }))
    }

    /// What is at a path now.
    fn present(&mut self, root: &OwnedFd, path: &RelPath) -> Result<Present> {
        let (Some(dir), Some((_, name))) = (
            Hands::new(root, &self.objects).parent(path)?,
            path.split_last(),
        ) else {
            return Ok(Present::Nothing);
        };
        let stat = match statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Present::Nothing),
            Err(error) => return Err(error).doing(|| format!("Looking at {}", path.to_text())),
        };
        let content = match stat.st_mode & 0o170_000 {
            0o100_000 => read::file(&self.objects, &mut self.cache, &dir, name, path, &stat)?,
            0o120_000 => read::link(&self.objects, &dir, name, path, &stat)?,
            // An empty directory in a file's place goes with the rename or the removal of directories.
            0o040_000 => return Ok(Present::Nothing),
            _ => return Ok(Present::Other("a pipe, socket or device is in its place")),
        };
        Ok(match content {
            Content::Is { id, stat, .. } => Present::Is(
                Version {
                    id,
                    full_mode: crate::walk::full_mode(&stat),
                },
                stat,
            ),
            Content::Gone => Present::Nothing,
            Content::Unreadable => Present::Other("it cannot be read, so it could not be kept"),
        })
    }

    /// Compares the files with the target; what the plan meant to change and did not is reported.
    fn verify(
        &mut self,
        plan: &RestorePlan,
        target: &Snapshot,
        report: &mut RestoreReport,
    ) -> Result<()> {
        // The files are now the target's but for the plan's own paths, which are pending.
        self.known = Some(*target);
        let planned = plan
            .writes
            .iter()
            .chain(&plan.deletes)
            .map(|file| &file.path);
        for path in planned.chain(plan.dirs.iter().map(|dir| &dir.path)) {
            self.pending.add(&parse(path)?);
        }
        let different = self.compare(target)?;
        for file in plan.writes.iter().chain(&plan.deletes) {
            let path = parse(&file.path)?;
            let told = report
                .left_alone
                .iter()
                .any(|line| line.starts_with(&format!("{}: ", file.path)));
            if !told && different.contains(&path) {
                leave(report, &path, "it is not as the checkpoint has it")?;
            }
        }
        Ok(())
    }
}

/// What is at a path.
enum Present {
    Nothing,
    Is(Version, Stat),
    /// Something that cannot be stored.
    Other(&'static str),
}

fn parse(text: &str) -> Result<RelPath> {
    RelPath::from_text(text)
        .filter(|path| !path.is_root())
        .ok_or_else(|| CheckpointError::BrokenStore {
            detail: format!("a plan names {text}"),
        })
}

fn same_type(a: Version, b: Version) -> bool {
    (a.full_mode ^ b.full_mode) & 0o170_000 == 0
}

fn note(report: &mut RestoreReport, path: &RelPath, outcome: Outcome) {
    match outcome {
        Ok(()) => report.changed += 1,
        Err(why) => report.left_alone.push(format!("{}: {why}", path.to_text())),
    }
}

fn leave(report: &mut RestoreReport, path: &RelPath, why: &str) -> Result<()> {
    report.left_alone.push(format!("{}: {why}", path.to_text()));
    Ok(())
}

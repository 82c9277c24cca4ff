//! The process table of the system (`/proc`), searched for members of a family.

use super::{Belonging, MARK};
use rustix::process::getpid;
use std::collections::{HashMap, HashSet};

/// One process at one moment.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    session: i32,
    state: u8,
    threads: u32,
    /// Clock ticks from boot to its start; with the id it names a process for good.
    pub(super) started: u64,
}

impl Entry {
    /// Whether it has ended. A process whose first thread ended while others run is not dead.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X') && self.threads <= 1
    }

    /// Its command line, shortened.
    pub(super) fn command(&self) -> String {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let short: String = line.trim().chars().take(80).collect();
        format!("{short} (pid {})", self.pid)
    }

    /// Its children, as far as the kernel lists them; a look at all finds the others.
    pub(super) fn children(&self) -> Vec<Self> {
        listed_children(self.pid).unwrap_or_default()
    }

    fn read(pid: i32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may itself hold spaces and parentheses.
        let after_name = memchr::memrchr(b')', &stat)? + 1;
        let text = std::str::from_utf8(&stat[after_name..]).ok()?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            state: *fields.first()?.as_bytes().first()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

/// The children of this process, ended ones included.
pub(super) fn children_of_this_process() -> Vec<Entry> {
    let this = getpid().as_raw_pid();
    listed_children(this).unwrap_or_else(|| {
        let all = process_ids().filter_map(Entry::read);
        all.filter(|entry| entry.parent == this).collect()
    })
}

/// The children that the kernel lists for each thread of a process; nothing where it does not.
fn listed_children(pid: i32) -> Option<Vec<Entry>> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let list = task.ok()?.path().join("children");
        let list = std::fs::read_to_string(list).ok()?;
        let ids = list.split_ascii_whitespace();
        children.extend(ids.filter_map(|id| Entry::read(id.parse().ok()?)));
    }
    Some(children)
}

/// What a look takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    AtAll,
    /// Only processes that no look has met since the last one at all.
    AtNewOnes,
}

/// Searches the process table and remembers what it learned.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Members by id, with their time of start.
    members: HashMap<i32, u64>,
    /// Ids met since the last look at all that are no members.
    strangers: HashSet<i32>,
    /// Processes known to carry no mark, likewise: environments are read once.
    unmarked: HashMap<i32, u64>,
}

impl Table {
    /// The members met, by id, ended ones that nobody waited for included. `seen` is called as
    /// soon as each is met. Children have, but for the wrap-around, higher ids than their parents.
    pub(super) fn look(
        &mut self,
        belonging: &Belonging,
        look: Look,
        mut seen: impl FnMut(&mut Self, &Entry),
    ) -> Vec<Entry> {
        let mut found = Vec::new();
        let mut here = HashSet::new();
        if look == Look::AtAll {
            self.strangers.clear();
        }
        for pid in process_ids() {
            let known = self.members.contains_key(&pid) || self.strangers.contains(&pid);
            if known && look == Look::AtNewOnes {
                continue;
            }
            let Some(entry) = Entry::read(pid) else {
                continue;
            };
            if self.belongs(belonging, &entry) {
                self.admit(&entry);
                seen(self, &entry);
                here.insert(pid);
                found.push(entry);
            } else {
                self.strangers.insert(pid);
            }
        }
        if look == Look::AtAll {
            self.members.retain(|pid, _| here.contains(pid));
        }
        found
    }

    /// Takes a process that is known to belong as a member.
    pub(super) fn admit(&mut self, entry: &Entry) {
        self.members.insert(entry.pid, entry.started);
    }

    fn belongs(&mut self, belonging: &Belonging, entry: &Entry) -> bool {
        let this = getpid().as_raw_pid();
        if entry.pid == this {
            return false;
        }
        if self.members.get(&entry.pid) == Some(&entry.started) {
            return true;
        }
        if self.members.contains_key(&entry.parent) {
            return true;
        }
        match belonging {
            Belonging::Descendants { .. } => entry.parent == this,
            Belonging::Marked { leader, mark } => {
                leader.is_some_and(|leader| entry.pid == leader || entry.session == leader)
                    || self.is_marked(entry, mark)
            }
            Belonging::Under { root, mark } => {
                *root == Some(entry.pid) || self.is_marked(entry, mark)
            }
        }
    }

    fn is_marked(&mut self, entry: &Entry, mark: &str) -> bool {
        if self.unmarked.get(&entry.pid) == Some(&entry.started) {
            return false;
        }
        let path = format!("/proc/{}/environ", entry.pid);
        let environment = std::fs::read(path).unwrap_or_default();
        // Between its start and its first program a process shows an environment not yet its own.
        let settled = !environment.is_empty();
        let marked = environment
            .split(|byte| *byte == 0)
            .filter(|variable| variable.starts_with(MARK.as_bytes()))
            .any(|variable| variable.starts_with(mark.as_bytes()));
        if settled && !marked {
            self.unmarked.insert(entry.pid, entry.started);
        }
        marked
    }
}

/// The ids of all processes, ascending, as they are met.
fn process_ids() -> impl Iterator<Item = i32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

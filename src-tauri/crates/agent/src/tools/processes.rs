//! Every process that a command started, found and ended.
//!
//! In the agent process, which is a child subreaper (`adopt_descendants`), whatever descends from
//! it belongs to its commands: a double-forked, `setsid` or renamed child falls back to it and is
//! found by ancestry alone, whatever its environment says. In a process that is no subreaper
//! (several toolboxes in one test program) a process belongs to a command by its session, by
//! ancestry, or by the mark in its environment.
//!
//! Ending goes: stop every one where it stands, whole process groups at once (a stopped process
//! cannot fork, so a fork bomb is caught), let them end by themselves for a moment, kill the rest,
//! look again until none is left.

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, getpgid, getpid, kill_process, kill_process_group, waitpid,
};
use std::collections::{HashMap, HashSet};
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};
use table::{Entry, Look, Table};

mod table;

/// The variable that marks a command and what it starts.
pub(crate) const MARK: &str = "ESPALIER_STEP";
/// More processes than this are not asked politely.
const POLITE_UP_TO: usize = 64;
/// How long to go on without any change, and how many looks at least, before processes that
/// cannot be killed are told about.
const PATIENCE: Duration = Duration::from_secs(5);
const MIN_ROUNDS: u32 = 50;
/// How long to go on while there are changes.
const MAX_PATIENCE: Duration = Duration::from_secs(60);
/// Looks at new processes alone that may follow each other; ids are used again in time.
const MAX_QUICK: u32 = 16;
/// Looks that must find nothing after something was killed.
const QUIET_LOOKS: u32 = 2;
/// Between two looks at whether processes have gone.
const PAUSE: Duration = Duration::from_millis(4);

/// Makes this process the one to which everything that its commands start falls back, and from
/// which no command can read secrets. To be called once, first of all, by the agent process; from
/// then on a `Toolbox` takes every descendant of the process as its own.
///
/// # Errors
/// The system refuses.
pub fn adopt_descendants() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(getpid()))?;
    // Closes /proc/PID/environ and /proc/PID/mem of this process to its commands.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Kills a process and everything that descends from it, and what its commands started should
/// it be an agent process. It must not have been waited for, or its id may be another's by now.
/// Blocks until all are gone, at most 5 s longer than any of them still ends; returns how many
/// there were.
pub fn kill_process_tree(pid: u32) -> usize {
    kill_under(i32::try_from(pid).ok(), pid)
}

/// Kills what the commands of an agent process left running that has ended by itself, as far as
/// it carries their mark. Blocks as `kill_process_tree` does; returns how many there were.
pub fn kill_left_behind(pid: u32) -> usize {
    kill_under(None, pid)
}

fn kill_under(root: Option<i32>, agent: u32) -> usize {
    let mark = format!("{MARK}={agent}-");
    let mut family = Family::new(Belonging::Under { root, mark });
    family.end(Manner::AtOnce).stopped.len()
}

/// Takes the exits of ended processes that fell back to this one, a subreaper, so that none stays a
/// zombie. `waited_for` is the child whose exit somebody else takes. Nothing to do elsewhere.
pub(crate) fn reap_orphans(waited_for: Option<u32>) {
    if !is_subreaper() {
        return;
    }
    loop {
        let ended = table::children_of_this_process()
            .into_iter()
            .filter(|child| child.is_dead() && u32::try_from(child.pid).ok() != waited_for);
        let mut reaped = 0;
        for pid in ended.filter_map(|child| Pid::from_raw(child.pid)) {
            match waitpid(Some(pid), WaitOptions::NOHANG) {
                Ok(Some(_)) => reaped += 1,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, ?pid, "somebody else waited for it"),
            }
        }
        if reaped == 0 {
            return;
        }
    }
}

fn is_subreaper() -> bool {
    matches!(rustix::process::child_subreaper(), Ok(Some(_)))
}

/// Which processes are meant.
#[derive(Debug, Clone)]
pub(crate) enum Belonging {
    /// Everything that descends from this process; one command may be running as `leader`.
    Descendants { leader: Option<i32> },
    /// What one command started: its first process, its session, and what carries the mark.
    Marked { leader: Option<i32>, mark: String },
    /// Another process, its descendants, and what carries the mark.
    Under { root: Option<i32>, mark: String },
}

impl Belonging {
    /// What belongs to the commands with that mark, of which one may be running as `leader`.
    pub(crate) fn of_commands(leader: Option<u32>, mark: &str) -> Self {
        let leader = leader.and_then(|pid| i32::try_from(pid).ok());
        if is_subreaper() {
            Self::Descendants { leader }
        } else {
            Self::Marked {
                leader,
                mark: format!("{MARK}={mark}"),
            }
        }
    }

    /// The first process of a command, which leads a session and a group of its own.
    fn leader(&self) -> Option<i32> {
        match self {
            Self::Descendants { leader } | Self::Marked { leader, .. } => *leader,
            Self::Under { .. } => None,
        }
    }
}

/// How processes are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Asked first, with so long to tidy up.
    Politely {
        grace: Duration,
    },
    AtOnce,
}

/// What came of ending processes.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The commands of the processes that were running, in the order of their ids.
    pub(crate) stopped: Vec<String>,
    /// Ids of those that could not be ended.
    pub(crate) survivors: Vec<i32>,
}

/// The processes that belong to a command, as far as they have been seen.
#[derive(Debug)]
pub(crate) struct Family {
    belonging: Belonging,
    table: Table,
    frozen: Frozen,
    /// Process groups that hold more than members: this process's own, an agent process's.
    spared: Vec<i32>,
}

impl Family {
    pub(crate) fn new(belonging: Belonging) -> Self {
        let root = match &belonging {
            Belonging::Under { root, .. } => root.and_then(Pid::from_raw),
            Belonging::Descendants { .. } | Belonging::Marked { .. } => None,
        };
        let spared = [Some(getpid()), root]
            .into_iter()
            .flatten()
            .filter_map(|of| getpgid(Some(of)).ok())
            .map(Pid::as_raw_pid)
            .collect();
        Self {
            belonging,
            spared,
            table: Table::default(),
            frozen: Frozen::default(),
        }
    }

    /// Whether any member still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        !self.members().is_empty()
    }

    /// How many members run.
    pub(crate) fn count(&mut self) -> usize {
        self.members().len()
    }

    /// Ends every member. Blocks until they are gone; what cannot be killed is given up after 5 s
    /// in which nothing changed.
    pub(crate) fn end(&mut self, manner: Manner) -> Ended {
        let first = self.freeze();
        if first.is_empty() {
            return Ended::default();
        }
        let stopped = first.iter().map(Entry::command).collect();
        if let Manner::Politely { grace } = manner
            && first.len() <= POLITE_UP_TO
        {
            self.ask(&first, grace);
            self.freeze();
        }
        let survivors = self.kill();
        Ended {
            stopped,
            survivors: survivors.iter().map(|member| member.pid).collect(),
        }
    }

    /// Kills what there is until looks find nothing any more, one after the other; a member that is
    /// just making way for its child can slip through one.
    fn kill(&mut self) -> Vec<Entry> {
        let begun = Instant::now();
        let mut last_change = begun;
        let mut rounds_since = 0;
        let mut quiet = 0;
        let mut before = HashSet::new();
        loop {
            let members = self.freeze();
            let now: HashSet<i32> = members.iter().map(|member| member.pid).collect();
            quiet = if now.is_empty() { quiet + 1 } else { 0 };
            rounds_since += 1;
            if now != before {
                (before, rounds_since, last_change) = (now, 0, Instant::now());
            }
            let stuck = rounds_since >= MIN_ROUNDS && last_change.elapsed() > PATIENCE;
            if quiet == QUIET_LOOKS || stuck || begun.elapsed() > MAX_PATIENCE {
                return members;
            }
            for member in &members {
                send(member, Signal::KILL, &self.spared);
            }
            sleep(PAUSE);
        }
    }

    /// The members that run. A look at new ones follows the look at all, in the time of which an
    /// old one may have ended and left a child.
    fn members(&mut self) -> Vec<Entry> {
        let mut members = self.table.look(&self.belonging, Look::AtAll, |_, _| {});
        members.extend(self.table.look(&self.belonging, Look::AtNewOnes, |_, _| {}));
        members.retain(|entry| !entry.is_dead());
        members
    }

    /// Stops members where they stand, as soon as each is seen, until a look at all and one at new
    /// ones find no running one. Quick looks at new ones outrun what is forking.
    fn freeze(&mut self) -> Vec<Entry> {
        let deadline = Instant::now() + PATIENCE;
        if let Some(leader) = self.belonging.leader().and_then(Pid::from_raw) {
            // One call for the whole group: no process of it can fork in between.
            note(kill_process_group(leader, Signal::STOP), leader);
        }
        loop {
            let known = self.frozen.times;
            if let Belonging::Descendants {
                leader: Some(leader),
            } = self.belonging
            {
                // The fewer the dead, the quicker the look.
                reap_orphans(u32::try_from(leader).ok());
            }
            let mut members = self.stop_seen(Look::AtAll);
            for _ in 0..MAX_QUICK {
                let before = self.frozen.times;
                members.extend(self.stop_seen(Look::AtNewOnes));
                if self.frozen.times == before {
                    break;
                }
            }
            if self.frozen.times == known || Instant::now() > deadline {
                members.retain(|entry| !entry.is_dead());
                return members;
            }
        }
    }

    fn stop_seen(&mut self, look: Look) -> Vec<Entry> {
        let (frozen, spared) = (&mut self.frozen, &self.spared);
        self.table.look(&self.belonging, look, |table, entry| {
            stop_down(entry, table, frozen, spared);
        })
    }

    /// Asks members to end and lets them go on for a moment to do so.
    fn ask(&mut self, members: &[Entry], grace: Duration) {
        for member in members {
            if let Some(pid) = Pid::from_raw(member.pid) {
                note(kill_process(pid, Signal::TERM), pid);
                note(kill_process(pid, Signal::CONT), pid);
            }
        }
        self.frozen.forget();
        let until = Instant::now() + grace;
        while Instant::now() < until && self.is_running() {
            sleep(PAUSE);
        }
    }
}

/// The members that have been told to stop where they stand.
#[derive(Debug, Default)]
struct Frozen {
    /// By id, with their time of start.
    members: HashMap<i32, u64>,
    /// How often a member was stopped, ever.
    times: u64,
}

impl Frozen {
    /// Notes a member that is about to be stopped; whether it was not before.
    fn note(&mut self, entry: &Entry) -> bool {
        let first = self.members.insert(entry.pid, entry.started) != Some(entry.started);
        self.times += u64::from(first);
        first
    }

    /// Takes all as going on again.
    fn forget(&mut self) {
        self.members.clear();
    }
}

/// Stops a process and then at once, before they can fork in turn, the children it already has.
fn stop_down(entry: &Entry, table: &mut Table, frozen: &mut Frozen, spared: &[i32]) {
    let mut below = vec![entry.clone()];
    while let Some(entry) = below.pop() {
        if !entry.is_dead() && frozen.note(&entry) {
            send(&entry, Signal::STOP, spared);
            table.admit(&entry);
            below.extend(entry.children());
        }
    }
}

/// Signals a process, and with it its whole process group unless that group is spared.
fn send(member: &Entry, signal: Signal, spared: &[i32]) {
    let group = Pid::from_raw(member.group).filter(|_| !spared.contains(&member.group));
    if let Some(group) = group {
        note(kill_process_group(group, signal), group);
    }
    if let Some(pid) = Pid::from_raw(member.pid) {
        note(kill_process(pid, signal), pid);
    }
}

/// A process that is gone is as wanted; one that may not be signalled shows up as a survivor.
fn note(signalled: rustix::io::Result<()>, pid: Pid) {
    match signalled {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => tracing::debug!(%error, ?pid, "a process could not be signalled"),
    }
}

//! A thread that watches over one command's processes and ends them.
//!
//! It exists before the command does, so that ending needs no new thread on a machine whose
//! process table a fork bomb has filled. A command that starts processes without end is ended by
//! the warden itself. Letting go of a warden ends the command.

use super::super::processes::{Belonging, Ended, Family, Manner, reap_orphans};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Between two looks at the number of processes of the machine.
const ROUND: Duration = Duration::from_millis(50);

/// What a warden is told to do.
enum Order {
    /// The command was started.
    Watch { leader: Option<u32>, mark: String },
    /// Say whether anything of it runs; take the exits of what has ended.
    Look(oneshot::Sender<bool>),
    /// End all of it, with so long to tidy up.
    End(Duration, oneshot::Sender<Ended>),
}

/// The handle of a warden.
#[derive(Debug)]
pub(super) struct Warden {
    orders: Option<Sender<Order>>,
    overrun: watch::Receiver<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Warden {
    /// Starts the thread. The command may have `max_processes` at the same time.
    pub(super) fn start(max_processes: usize) -> io::Result<Self> {
        let (orders, received) = channel();
        let (overran, overrun) = watch::channel(false);
        let thread = std::thread::Builder::new()
            .name("command-warden".to_owned())
            .spawn(move || Watch::new(overran, max_processes).run(&received))?;
        Ok(Self {
            orders: Some(orders),
            overrun,
            thread: Some(thread),
        })
    }

    /// Puts a command that was just started under the warden's eyes.
    pub(super) fn watch(&self, leader: Option<u32>, mark: String) {
        self.order(Order::Watch { leader, mark });
    }

    /// Whether anything of the command still runs.
    pub(super) async fn is_running(&self) -> bool {
        let (answer, running) = oneshot::channel();
        self.order(Order::Look(answer));
        running.await.unwrap_or(true)
    }

    /// Ends everything of the command; a process has `grace` to tidy up.
    pub(super) async fn end(&self, grace: Duration) -> Ended {
        let (answer, ended) = oneshot::channel();
        self.order(Order::End(grace, answer));
        ended.await.unwrap_or_default()
    }

    /// Comes back once the warden has ended the command for starting too many processes.
    pub(super) async fn overrun(&self) {
        let mut overrun = self.overrun.clone();
        if overrun.wait_for(|overran| *overran).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn order(&self, order: Order) {
        let sent = self.orders.as_ref().map(|orders| orders.send(order));
        if !matches!(sent, Some(Ok(()))) {
            tracing::error!("the warden of a command is gone");
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the warden of a command broke down");
        }
    }
}

/// The thread's own side.
struct Watch {
    family: Option<Family>,
    leader: Option<u32>,
    overran: watch::Sender<bool>,
    max_processes: usize,
    /// What the warden itself had to end.
    ended: Option<Ended>,
    /// Threads on the machine when they were last no reason to count.
    usual: u64,
}

impl Watch {
    fn new(overran: watch::Sender<bool>, max_processes: usize) -> Self {
        Self {
            family: None,
            leader: None,
            overran,
            max_processes,
            ended: None,
            usual: threads_of_the_machine(),
        }
    }

    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(ROUND) {
                Ok(Order::Watch { leader, mark }) => {
                    self.leader = leader;
                    self.family = Some(Family::new(Belonging::of_commands(leader, &mark)));
                }
                // Whoever asked may have gone; the answer is then of no interest.
                Ok(Order::Look(answer)) => drop(answer.send(self.look())),
                Ok(Order::End(grace, answer)) => {
                    drop(answer.send(self.end(Manner::Politely { grace })));
                }
                Err(RecvTimeoutError::Timeout) => self.guard(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.end(Manner::AtOnce);
                    return;
                }
            }
        }
    }

    fn look(&mut self) -> bool {
        let Some(family) = &mut self.family else {
            return false;
        };
        let running = family.is_running();
        reap_orphans(self.leader);
        if !running {
            // Where nothing runs, nothing can begin to.
            self.family = None;
        }
        running
    }

    fn end(&mut self, manner: Manner) -> Ended {
        let Some(mut family) = self.family.take() else {
            return self.ended.take().unwrap_or_default();
        };
        let ended = family.end(manner);
        reap_orphans(self.leader);
        ended
    }

    /// Takes the exits of orphans; ends a command that has started too many processes.
    fn guard(&mut self) {
        if self.family.is_some() {
            reap_orphans(self.leader);
        }
        let threads = threads_of_the_machine();
        // Counting is dear; half as many new threads on the machine are the reason to do it.
        let suspicious = u64::try_from(self.max_processes / 2).unwrap_or(u64::MAX);
        if threads < self.usual.saturating_add(suspicious) {
            return;
        }
        self.usual = threads;
        let Some(family) = &mut self.family else {
            return;
        };
        if family.count() > self.max_processes {
            // Said first: the shell's own end must not be taken for how it came about.
            self.overran.send_replace(true);
            let ended = self.end(Manner::AtOnce);
            self.ended = Some(ended);
        }
    }
}

/// All threads on the machine, which the system knows without counting; 0 where it does not say.
fn threads_of_the_machine() -> u64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_ascii_whitespace()
        .nth(3)
        .and_then(|field| field.split_once('/'))
        .and_then(|(_, all)| all.parse().ok())
        .unwrap_or_default()
}

//! How long things are waited for, and how often they are tried.

use crate::backend::Retry;
use std::time::Duration;

/// Times of the agent's own. The configuration's `step_timeout_seconds` is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Waits before each further try of a failed model call; so many tries there are.
    pub retries: Vec<Duration>,
    /// A server that asks for a longer wait than this is not waited for.
    pub longest_wait: Duration,
    /// For a connection.
    pub connect: Duration,
    /// For a question beside the work, of which the answer matters little.
    pub side_question: Duration,
    /// For the first sign of a model that its server has yet to load.
    pub load: Duration,
    /// Between two words about something that takes long.
    pub progress_every: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retries: vec![Duration::from_secs(1), Duration::from_secs(2)],
            longest_wait: Duration::from_secs(120),
            connect: Duration::from_secs(10),
            side_question: Duration::from_secs(2),
            load: Duration::from_secs(600),
            progress_every: Duration::from_secs(1),
        }
    }
}

impl Patience {
    /// How long to wait after the failed try number `attempt`, counted from 1; nothing when it was
    /// the last.
    pub(super) fn wait_after(&self, attempt: usize, retry: Retry) -> Option<Duration> {
        let usual = *self.retries.get(attempt - 1)?;
        match retry {
            Retry::Never => None,
            Retry::Soon => Some(usual),
            Retry::After(asked) if asked > self.longest_wait => None,
            Retry::After(asked) => Some(asked),
        }
    }
}

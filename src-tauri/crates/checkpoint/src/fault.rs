//! Places where a test ends the process, to see what a crash there leaves behind.
//!
//! `ESPALIER_CHECKPOINT_CRASH=NAME:N` kills the process at the Nth passing of NAME. Not part of
//! optimised builds.

/// Ends the process here when a test asks for it.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Some(wanted) = std::env::var_os("ESPALIER_CHECKPOINT_CRASH") else {
        return;
    };
    let wanted = wanted.to_string_lossy().into_owned();
    let Some((place, number)) = wanted.split_once(':') else {
        return;
    };
    if place != name && place != "any" {
        return;
    }
    let passed = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if number.parse() == Ok(passed) {
        let killed =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        tracing::error!(?killed, "the process was to end here");
    }
}

/// Nothing in optimised builds.
#[cfg(not(debug_assertions))]
pub fn point(_name: &str) {}

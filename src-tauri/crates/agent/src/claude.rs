//! Claude Code as the agent: its command-line program is started and spoken with over standard
//! input and output, one JSON object a line.
//!
//! `cli` finds the program, `launch` says how it is started, `process` holds it, `said` reads its
//! lines, `words` makes ours, `gather` puts its lines together to what the engine is told, `place`
//! finds where in its own record a conversation stands. `worker::claude` uses them.
//!
//! Claude Code keeps the conversation in a record of its own, every line with an id. The ids ride
//! along in the blocks of the messages (`place::Anchor`), so that any place of a session can be gone
//! on from in a new process, whatever happened to the old one.

pub mod cli;
pub(crate) mod failure;
pub(crate) mod gather;
pub(crate) mod launch;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod said;
mod telling;
pub(crate) mod tools;
pub(crate) mod words;

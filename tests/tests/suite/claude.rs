//! Sessions with the real Claude Code as the agent, against a scripted Messages API.

mod bench;
mod failures;
mod held;
mod moves;
mod recordings;
mod talk;
mod window;

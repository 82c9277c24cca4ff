//! The integration tests of the crate, in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod suite {
    mod tools_agent_process;
    mod tools_bash;
    mod tools_calls;
    mod tools_desk;
    mod tools_edit;
    mod tools_paths;
    mod tools_processes;
    mod tools_read;
    mod tools_search;
    mod tools_write;
    mod worker;
}

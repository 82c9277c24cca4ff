//! Where log lines go: standard error for commands, a file in the data folder for the window.
//!
//! Log lines name things and errors; they never hold prompts, outputs or keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "ESPALIER_LOG";
/// A longer log file makes room for a new one; one old one is kept.
const FILE_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// Logs to standard error: errors, unless `ESPALIER_LOG` says otherwise. What a person should know
/// the commands tell themselves.
pub fn to_stderr() {
    tracing_subscriber::fmt()
        .with_env_filter(filter("error"))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// Logs to `logs/espalier.log` in the data folder.
pub fn to_file(data_dir: &Path) -> io::Result<()> {
    let file = open(&data_dir.join("logs"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter("warn,espalier=info"))
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .init();
    Ok(())
}

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default))
}

fn open(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let path = folder.join("espalier.log");
    if fs::metadata(&path).is_ok_and(|log| log.len() > FILE_LIMIT_BYTES) {
        fs::rename(&path, folder.join("espalier.old.log"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

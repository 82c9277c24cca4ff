//! The one place that writes to standard output and standard error.
//!
//! A reader that has gone away (`espalier sessions | head`) is not an error: what it does not want
//! is dropped.

use espalier_protocol::AppError;
use std::io::{self, IsTerminal, Write};

/// Writes a line to standard output: a command's answer.
pub fn answer(line: impl AsRef<str>) {
    write(io::stdout().lock(), line.as_ref());
}

/// Writes a line to standard error: everything that is not a command's answer.
pub fn tell(line: impl AsRef<str>) {
    write(io::stderr().lock(), line.as_ref());
}

/// Writes an error with its details and what to do about it to standard error.
pub fn tell_error(error: &AppError) {
    tell(render_error(error));
}

/// Whether a person watches standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// An error in lines: `Error: …`, its details, what to do.
pub fn render_error(error: &AppError) -> String {
    let mut text = format!("Error: {}", error.message);
    for detail in &error.details {
        text.push_str("\n  ");
        text.push_str(detail);
    }
    for line in error.hint.lines() {
        text.push_str("\n  → ");
        text.push_str(line);
    }
    text
}

fn write(mut to: impl Write, line: &str) {
    // Nobody is left to be told when the terminal or pipe is gone.
    drop(writeln!(to, "{line}").and_then(|()| to.flush()));
}

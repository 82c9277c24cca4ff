//! The one binary of Espalier: window, command line and agent process.

mod app;
mod bindings;
mod cli;
mod commands;
mod console;
mod demo;
mod doctor;
mod exit;
mod logging;
mod output;
mod project;
mod pump;
mod recent;
mod signals;
mod workbench;

fn main() -> std::process::ExitCode {
    cli::main()
}

//! The command line: what each command is called and takes, and who carries it out.

mod age;
mod cleanup;
mod config;
mod export;
mod recording;
mod run;
mod sessions;

use crate::exit::Exit;
use crate::workbench::{self, Workbench};
use crate::{app, bindings, console, doctor, logging};
use clap::{Args, Parser, Subcommand};
use espalier_protocol::{AppError, ErrorCode, SessionId, TaskId};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::commands::dataset::ExportFormat;

/// Watch coding agents work and turn what you see into training data.
#[derive(Debug, Parser)]
#[command(name = "espalier", version)]
struct Cli {
    /// Folder that holds the database and the checkpoints [default: the platform's].
    #[arg(long, global = true, env = "ESPALIER_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Project configuration to open in the window.
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open the window, on a project configuration where one is given.
    Open { config: Option<PathBuf> },
    /// Run or continue sessions without a window.
    Run(RunArgs),
    /// Check a project configuration and its tasks.
    Validate { config: PathBuf },
    /// Print the JSON Schema of project configurations.
    Schema,
    /// Check what this machine has, and what a configuration needs of it.
    Doctor { config: Option<PathBuf> },
    /// Export sessions as training data.
    Export(ExportArgs),
    /// Save a session as a recording that `backend: replay` plays.
    SaveRecording {
        #[arg(value_parser = session_id)]
        session: SessionId,
        /// File to write.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Remove the branches that sessions left in projects.
    CleanupSessions(CleanupArgs),
    /// List the sessions in the database.
    Sessions {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// The agent process: lines in, lines out.
    #[command(hide = true)]
    Agent,
    /// Write the TypeScript bindings of the window's commands.
    #[command(hide = true)]
    ExportBindings { file: PathBuf },
}

/// What `run` takes.
#[derive(Debug, Args)]
struct RunArgs {
    /// Project configuration.
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Task to run; may be given several times [default: all].
    #[arg(long = "task", value_name = "ID", value_parser = task_id)]
    tasks: Vec<TaskId>,
    /// Name the sessions are recorded under [default: your user name].
    #[arg(long, value_name = "NAME", value_parser = annotator)]
    annotator: Option<String>,
    /// Steer with the lines of this file, as an annotator would.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print every event as one JSON object a line on standard output.
    #[arg(long)]
    json: bool,
    /// Leave the result in the project when a session is finished.
    #[arg(long)]
    keep: bool,
    /// Continue this session.
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["config", "tasks", "annotator"], value_parser = session_id)]
    resume: Option<SessionId>,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// Output folder or data folder to read.
    #[arg(short, long, value_name = "DIR")]
    input: PathBuf,
    #[arg(short, long)]
    format: ExportFormat,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Args)]
struct CleanupArgs {
    /// Project directory [default: every project in the database, and the current directory].
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Only show what would be removed.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Sessions without a commit for so long: 30m, 12h, 7d, 2w. Keeps what was annotated and not
    /// exported yet.
    #[arg(long, value_name = "AGE", value_parser = age::parse)]
    older_than: Option<Duration>,
    /// Every session that is not running.
    #[arg(long)]
    all: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a clap value parser")]
fn task_id(text: &str) -> Result<TaskId, String> {
    Ok(TaskId::new(text))
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a clap value parser")]
fn session_id(text: &str) -> Result<SessionId, String> {
    Ok(SessionId::new(text))
}

fn annotator(text: &str) -> Result<String, String> {
    workbench::check_annotator(text).map_err(|error| error.message)
}

/// Reads the command line and carries it out.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::tell_error(&error);
            Exit::of_error(&error).into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, AppError> {
    let data_dir = cli.data_dir;
    let Some(command) = cli.command else {
        return window(data_dir, cli.config);
    };
    if let Some(config) = cli.config {
        return Err(AppError::new(
            ErrorCode::Usage,
            format!("{} stands before the command.", config.display()),
            "espalier --help",
        ));
    }
    if let Command::Open { config } = command {
        return window(data_dir, config);
    }
    logging::to_stderr();
    match command {
        Command::Open { .. } => Ok(Exit::Done),
        Command::Validate { config } => config::validate(&config),
        Command::Schema => config::schema(),
        Command::ExportBindings { file } => bindings::export(&file).map(|()| Exit::Done),
        Command::Agent => agent(),
        Command::Run(args) => runtime()?.block_on(async {
            let bench = Workbench::open(workbench::data_dir(data_dir)?).await?;
            run::run(bench, args).await
        }),
        Command::Doctor { config } => {
            runtime()?.block_on(doctor::print(workbench::data_dir(data_dir)?, config))
        }
        Command::Export(args) => {
            runtime()?.block_on(export::export(&args.input, args.format, &args.output))
        }
        Command::SaveRecording { session, output } => runtime()?.block_on(recording::save(
            workbench::data_dir(data_dir)?,
            &session,
            &output,
        )),
        Command::CleanupSessions(args) => {
            runtime()?.block_on(cleanup::cleanup(workbench::data_dir(data_dir)?, args))
        }
        Command::Sessions { json } => {
            runtime()?.block_on(sessions::list(workbench::data_dir(data_dir)?, json))
        }
    }
}

fn window(data_dir: Option<PathBuf>, config: Option<PathBuf>) -> Result<Exit, AppError> {
    if let Some(config) = &config
        && !config.is_file()
    {
        return Err(AppError::new(
            ErrorCode::Usage,
            format!("There is no configuration {}.", config.display()),
            "espalier --help lists the commands; espalier open CONFIG opens a configuration.",
        ));
    }
    let runtime = runtime()?;
    app::run(&runtime, workbench::data_dir(data_dir)?, config).map(|()| Exit::Done)
}

/// The agent process ends with the code that its own loop returns.
fn agent() -> Result<Exit, AppError> {
    let runtime = runtime()?;
    let code = runtime.block_on(espalier_agent::agent_main());
    std::process::exit(code)
}

fn runtime() -> Result<tokio::runtime::Runtime, AppError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            AppError::new(
                ErrorCode::Io,
                format!("No threads could be started: {error}"),
                "",
            )
        })
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;

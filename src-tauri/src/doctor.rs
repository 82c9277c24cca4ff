//! What this machine has, and what a configuration needs of it.

mod checks;

use crate::exit::Exit;
use crate::{console, project};
use checks::{Checkup, Finding, Need};
use espalier_config::Project;
use espalier_protocol::AppError;
use espalier_protocol::view::DoctorLine;
use std::path::{Path, PathBuf};

/// Checks, for the window.
pub async fn lines(data_dir: &Path, project: Option<&Project>) -> Vec<DoctorLine> {
    let findings = examine(data_dir, project).await;
    findings.into_iter().map(|finding| finding.line).collect()
}

/// Checks, on the command line. Ends well when what the configuration needs is there; without a
/// configuration nothing is needed.
pub async fn print(data_dir: PathBuf, config: Option<PathBuf>) -> Result<Exit, AppError> {
    let project = match &config {
        Some(config) => Some(project::load(config).await?),
        None => None,
    };
    let findings = examine(&data_dir, project.as_ref()).await;
    for finding in &findings {
        let DoctorLine {
            name,
            ok,
            text,
            mend,
        } = &finding.line;
        let mark = match (ok, finding.need) {
            (true, _) => "ok",
            (false, Need::Nothing) => "-",
            (false, _) => "MISSING",
        };
        console::answer(format!("{mark:<8}{name:<13} {text}"));
        if !mend.is_empty() {
            console::answer(format!("{:<22}→ {mend}", ""));
        }
    }
    let missing = findings.iter().filter(|finding| !finding.line.ok);
    Ok(missing
        .map(|finding| finding.need.exit())
        .max()
        .unwrap_or(Exit::Done))
}

async fn examine(data_dir: &Path, project: Option<&Project>) -> Vec<Finding> {
    let mut checkup = Checkup::default();
    checkup.git(project).await;
    checkup.backends(project).await;
    checkup.data_folder(data_dir);
    checkup.checkpoints(&data_dir.join("checkpoints")).await;
    checkup.display();
    checkup.findings
}

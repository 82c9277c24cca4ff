//! The embedded demo: a small project with a bug and a recorded agent, unpacked where it can be
//! worked on. What an annotator does there stays there, like in any project.

use espalier_protocol::{AppError, ErrorCode};
use std::path::{Path, PathBuf};

/// Path in the demo's folder, and content.
type File = (&'static str, &'static [u8]);

macro_rules! embed {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../", $path)))),+]
    };
}

const FILES: &[File] = embed![
    "config/demo.yaml",
    "data/demo_tasks.jsonl",
    "data/demo_steering.jsonl",
    "data/recordings/demo.json",
    "data/demo-project/.gitignore",
    "data/demo-project/README.md",
    "data/demo-project/src/__init__.py",
    "data/demo-project/src/parser.py",
    "data/demo-project/tests/__init__.py",
    "data/demo-project/tests/test_parser.py",
];
const CONFIG: &str = "config/demo.yaml";
const PROJECT: &str = "data/demo-project";

/// The demo's configuration in the data folder; unpacks the demo first where it is not there yet.
///
/// # Errors
/// When the data folder cannot be written.
pub fn unpack(data_dir: &Path) -> Result<PathBuf, AppError> {
    let folder = data_dir.join("demo");
    let config = folder.join(CONFIG);
    if config.is_file() {
        return Ok(config);
    }
    let cannot = |error: std::io::Error| {
        AppError::new(
            ErrorCode::Io,
            format!(
                "The demo cannot be unpacked to {}: {error}",
                folder.display()
            ),
            "espalier --data-dir DIR",
        )
    };
    // Whole or not at all: a folder that was begun is thrown away.
    let begun = tempfile::tempdir_in(data_dir).map_err(cannot)?;
    for (path, content) in FILES {
        let file = begun.path().join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(cannot)?;
        }
        std::fs::write(&file, content).map_err(cannot)?;
    }
    espalier_checkpoint::initialise(&begun.path().join(PROJECT), "A settings parser with a bug")
        .map_err(|error| error.to_app())?;
    std::fs::rename(begun.path(), &folder).map_err(cannot)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use std::process::Command;

    fn git(folder: &Path, args: &[&str]) -> String {
        let output = Command::new("git").args(args).current_dir(folder).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    #[test]
    fn the_demo_is_unpacked_once_and_is_a_clean_repository() {
        let data = tempfile::tempdir().unwrap();
        let config = unpack(data.path()).unwrap();
        espalier_config::load_project(&config).unwrap();
        let project = data.path().join("demo").join(PROJECT);
        assert_eq!(git(&project, &["status", "--porcelain", "--ignored"]), "");
        assert_eq!(git(&project, &["rev-list", "--count", "main"]), "1\n");

        std::fs::write(project.join("README.md"), "mine\n").unwrap();
        assert_eq!(unpack(data.path()).unwrap(), config);
        assert_eq!(std::fs::read(project.join("README.md")).unwrap(), b"mine\n");
    }

    #[test]
    fn every_file_of_the_demo_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let listed = git(&root, &["ls-files", "data/demo-project"]);
        for path in listed.lines() {
            assert!(FILES.iter().any(|(known, _)| *known == path), "{path}");
        }
    }
}

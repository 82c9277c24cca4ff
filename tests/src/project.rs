//! Real projects in real git repositories, and what the `git` command says of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A workspace of its own: a project under git, a data folder, a configuration.
pub struct Workspace {
    folder: TempDir,
}

impl Workspace {
    /// A project with these files, committed on branch `main`.
    ///
    /// # Panics
    /// When the folder or the repository cannot be made.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("no temporary folder: {error}"),
        };
        let workspace = Self { folder };
        for (path, content) in files {
            workspace.write(path, content);
        }
        let project = workspace.project();
        make_folder(&project);
        git(&project, &["init", "-q", "-b", "main"]);
        git(&project, &["config", "user.name", "Test"]);
        git(&project, &["config", "user.email", "test@example.org"]);
        git(&project, &["add", "-A"]);
        git(
            &project,
            &["commit", "-q", "--allow-empty", "-m", "Initial commit"],
        );
        workspace
    }

    /// The folder of everything.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The project directory.
    pub fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root().join("espalier-data")
    }

    /// The output folder that `configure` names.
    pub fn output(&self) -> PathBuf {
        self.root().join("output")
    }

    /// Writes a file of the project.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: &str) {
        write(&self.project().join(path), content);
    }

    /// Reads a file of the project.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read(&self, path: &str) -> String {
        let path = self.project().join(path);
        match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// Writes a whole configuration with one task and returns its path. `live_agent` holds the
    /// lines under that key, indented by two spaces; `task` further fields of the task.
    pub fn configure(&self, live_agent: &str, task: &serde_json::Value) -> PathBuf {
        let mut item = serde_json::json!({
            "id": "task_1",
            "task_description": "Make the tests pass",
            "project_dir": "project",
        });
        if let (Some(item), Some(more)) = (item.as_object_mut(), task.as_object()) {
            item.extend(more.clone());
        }
        write(&self.root().join("tasks.jsonl"), &format!("{item}\n"));
        let config = self.root().join("espalier.yaml");
        write(
            &config,
            &format!("{HEAD}live_agent:\n{live_agent}{SCHEMES}"),
        );
        config
    }

    /// What `git` prints for these arguments in the project.
    pub fn git(&self, args: &[&str]) -> String {
        git(&self.project(), args)
    }
}

const HEAD: &str = "task_name: Test\ntask_dir: .\ndata_files: [tasks.jsonl]\n\
    output_annotation_dir: output\n";

const SCHEMES: &str = r#"
annotation_schemes:
  - annotation_type: per_turn_rating
    name: step_quality
    description: "Rate each step"
    target: agentic_steps
    rating_type: radio
    labels: ["Good", "Acceptable", "Unnecessary", "Incorrect"]
  - annotation_type: radio
    name: task_completion
    description: "Did it work?"
    labels: ["Fully Complete", "Partially Complete", "Failed"]
  - annotation_type: radio
    name: branch_preference
    description: "Which is better?"
    labels: ["Branch A", "Branch B", "Both Equal", "Both Failed"]
  - annotation_type: text
    name: observation_notes
    description: "Notes"
"#;

/// Writes a file and the folders above it.
///
/// # Panics
/// When it cannot be written.
pub fn write(path: &Path, content: &str) {
    if let Some(folder) = path.parent() {
        make_folder(folder);
    }
    if let Err(error) = std::fs::write(path, content) {
        panic!("{}: {error}", path.display());
    }
}

fn make_folder(path: &Path) {
    if let Err(error) = std::fs::create_dir_all(path) {
        panic!("{}: {error}", path.display());
    }
}

/// What `git` prints, without the last line end.
///
/// # Panics
/// When git fails.
pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .trim_end_matches('\n')
            .to_owned(),
        Ok(output) => panic!(
            "git {args:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("git did not start: {error}"),
    }
}

/// The repository's own folder of this workspace's sources.
pub fn repository() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map_or(tests.clone(), Path::to_path_buf)
}

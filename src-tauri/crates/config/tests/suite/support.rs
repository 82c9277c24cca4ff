//! A folder with a configuration and a project, and how its errors read.

use espalier_config::{ConfigErrors, Project, load_project_with};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that holds `project.yaml`, a data file with one good task, and its project directory.
pub struct Folder {
    dir: TempDir,
}

/// What a configuration needs besides what a test is about.
pub const WHOLE: &str = "\
data_files: [tasks.jsonl]
live_agent:
  backend: ollama
  model: qwen2.5-coder:7b
";

impl Folder {
    pub fn new() -> Self {
        let folder = Self {
            dir: TempDir::new().unwrap(),
        };
        folder.write("project/src/parser.py", "print()\n");
        folder.write(
            "tasks.jsonl",
            r#"{"id": "task_001", "task_description": "Fix it", "project_dir": "project"}"#,
        );
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Loads a configuration of this text, in an empty environment.
    pub fn load(&self, text: impl AsRef<[u8]>) -> Result<Project, ConfigErrors> {
        self.load_with(text, &|_| None)
    }

    pub fn load_with(
        &self,
        text: impl AsRef<[u8]>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Project, ConfigErrors> {
        load_project_with(&self.write("project.yaml", text), env)
    }

    /// The errors of a configuration, with this folder's name left out.
    pub fn errors(&self, text: impl AsRef<[u8]>) -> String {
        self.report(&self.load(text).unwrap_err())
    }

    pub fn report(&self, errors: &ConfigErrors) -> String {
        let root = format!(
            "{}/",
            self.path("").display().to_string().trim_end_matches('/')
        );
        errors.to_string().replace(&root, "")
    }
}

/// The repository's root folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_owned()
}

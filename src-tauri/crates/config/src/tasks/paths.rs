//! Directories and files that tasks name. Each is looked at once, however many tasks name it.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

type Answer<T> = Result<T, String>;

/// What was found of project directories and of files in them.
pub(super) struct Directories<'a> {
    task_dir: &'a Path,
    projects: HashMap<String, Answer<PathBuf>>,
    files: HashMap<(PathBuf, String), Answer<String>>,
}

impl<'a> Directories<'a> {
    pub(super) fn new(task_dir: &'a Path) -> Self {
        Self {
            task_dir,
            projects: HashMap::new(),
            files: HashMap::new(),
        }
    }

    /// The project directory, absolute and with symbolic links resolved, so that two names of one
    /// directory are known for the same.
    pub(super) fn project(&mut self, written: &str) -> Answer<PathBuf> {
        if let Some(known) = self.projects.get(written) {
            return known.clone();
        }
        let answer = find_directory(&self.task_dir.join(written));
        self.projects.insert(written.to_owned(), answer.clone());
        answer
    }

    /// A file of a project, relative to its directory and with `/` between names.
    pub(super) fn file(&mut self, project: &Path, written: &str) -> Answer<String> {
        let key = (project.to_owned(), written.to_owned());
        if let Some(known) = self.files.get(&key) {
            return known.clone();
        }
        let answer = find_file(project, written);
        self.files.insert(key, answer.clone());
        answer
    }
}

fn find_directory(path: &Path) -> Answer<PathBuf> {
    let found = std::fs::canonicalize(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("there is no such directory: {}", path.display()),
        _ => format!("{} cannot be opened: {error}", path.display()),
    })?;
    if !found.is_dir() {
        return Err(format!("{} is not a directory", path.display()));
    }
    if found.to_str().is_none() {
        return Err(format!("the name of {} is not Unicode", found.display()));
    }
    Ok(found)
}

fn find_file(project: &Path, written: &str) -> Answer<String> {
    let path = project.join(written);
    let outside = || {
        format!(
            "\"{written}\" lies outside project_dir {}",
            project.display()
        )
    };
    let found = match std::fs::canonicalize(&path) {
        Ok(found) => found,
        Err(_) if leaves(project, Path::new(written)) => return Err(outside()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(format!(
                "there is no file \"{written}\" in {}",
                project.display()
            ));
        }
        Err(error) => return Err(format!("{} cannot be opened: {error}", path.display())),
    };
    let Ok(inner) = found.strip_prefix(project) else {
        return Err(outside());
    };
    if found.is_dir() {
        return Err(format!("\"{written}\" is a directory; name a file"));
    }
    // The name as it was written, where that is a plain way down: an agent should see the file
    // under the name its author uses, not under what a symbolic link leads to.
    let plain = Path::new(written)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let relative = if plain { Path::new(written) } else { inner };
    let names = relative.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    Ok(names.collect::<Vec<_>>().join("/"))
}

/// Whether a path that leads to nothing would lead out of the project by its names alone.
fn leaves(project: &Path, written: &Path) -> bool {
    if written.is_absolute() {
        return !written.starts_with(project);
    }
    let mut depth = 0_i32;
    for part in written.components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

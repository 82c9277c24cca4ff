//! The tasks of all data files.

mod items;
mod paths;
mod reader;

use crate::issues::unreadable;
use crate::model::Config;
use crate::settings::{Folders, Review, resolve};
use espalier_protocol::{ProjectTask, TaskId};
use items::{DataFile, Item, Problem};
use paths::Directories;
use reader::{Need, Reader};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Most errors that are told of one data file: in a large one, a wrong key is wrong in every line.
const MAX_ISSUES_PER_FILE: usize = 100;

/// Loads the tasks of all data files and notes what is wrong with them.
pub(crate) fn load(
    review: &mut Review<'_>,
    config: &Config,
    folders: &Folders,
) -> Vec<ProjectTask> {
    if config.data_files.is_empty() {
        let message = "this key is missing: a list of files with the tasks";
        review.missing("data_files", message);
    }
    if !folders.task_dir.is_dir() {
        return Vec::new();
    }
    let mut loading = Loading {
        id_key: &config.item_properties.id_key,
        text_key: &config.item_properties.text_key,
        directories: Directories::new(&folders.task_dir),
        first_places: HashMap::new(),
        tasks: Vec::new(),
    };
    let places = review.items("data_files");
    for (name, place) in config.data_files.iter().zip(&places) {
        let file = resolve(&folders.task_dir, name);
        match std::fs::read(&file) {
            Ok(bytes) => loading.file(review, &file, bytes),
            Err(error) => {
                let message = format!("{}: {}", file.display(), unreadable(&error));
                review.refuse(place, message);
            }
        }
    }
    loading.tasks
}

struct Loading<'a> {
    id_key: &'a str,
    text_key: &'a str,
    directories: Directories<'a>,
    /// Where each id was first given.
    first_places: HashMap<String, (PathBuf, usize)>,
    tasks: Vec<ProjectTask>,
}

impl Loading<'_> {
    fn file(&mut self, review: &mut Review<'_>, file: &Path, bytes: Vec<u8>) {
        let data = match DataFile::decode(bytes) {
            Ok(data) => data,
            Err(position) => {
                let message = "not UTF-8 text; save the file as UTF-8";
                return review.issues.at(file, position, "", message);
            }
        };
        let mut problems = Vec::new();
        let items = data.items(&mut problems);
        if items.is_empty() && problems.is_empty() {
            return review.issues.whole_file(file, "the file holds no tasks");
        }
        for item in &items {
            self.item(file, &data, item, &mut problems);
        }
        if problems.len() > MAX_ISSUES_PER_FILE {
            let count = problems.len();
            let message = format!("{count} errors; these are the first {MAX_ISSUES_PER_FILE}");
            review.issues.whole_file(file, message);
        }
        problems.sort_by_key(|problem| problem.offset);
        for problem in problems.into_iter().take(MAX_ISSUES_PER_FILE) {
            review.issues.push(problem.into_issue(file, &data));
        }
    }

    /// Keeps the task if all of it is right.
    fn item(&mut self, file: &Path, data: &DataFile, item: &Item<'_>, problems: &mut Vec<Problem>) {
        let known_before = problems.len();
        let mut reader = Reader { item, problems };
        reader.repeated_keys(&[
            self.id_key,
            self.text_key,
            "project_dir",
            "start_file",
            "test_command",
            "context_files",
        ]);
        let id = self.id(file, data, &mut reader);
        let description = reader.text(self.text_key, Need::Required);
        let test_command = reader.text("test_command", Need::Optional);
        let project = self.project(&mut reader);
        let complete = problems.len() == known_before;
        if let (true, Some(id), Some((description, _)), Some(project)) =
            (complete, id, description, project)
        {
            self.tasks.push(ProjectTask {
                id: TaskId(id),
                description,
                project_dir: project.directory.to_string_lossy().into_owned(),
                start_file: project.start_file,
                test_command: test_command.map(|(command, _)| command),
                context_files: project.context_files,
            });
        }
    }

    /// The task's id, which no other task has.
    fn id(&mut self, file: &Path, data: &DataFile, reader: &mut Reader<'_>) -> Option<String> {
        let (id, offset) = reader.id(self.id_key)?;
        if let Some((first_file, first_line)) = self.first_places.get(&id) {
            let message = format!(
                "\"{id}\" is the id of the task on line {first_line} of {} already",
                first_file.display()
            );
            reader.problem(offset, self.id_key, message);
            return None;
        }
        let place = (file.to_owned(), data.line(offset));
        self.first_places.insert(id.clone(), place);
        Some(id)
    }

    /// The project directory and the files in it that the task names. All of them are looked at;
    /// without the directory, its files cannot be.
    fn project(&mut self, reader: &mut Reader<'_>) -> Option<TaskProject> {
        let written = reader.text("project_dir", Need::Required);
        let start_file = reader.text("start_file", Need::Optional);
        let context_files = reader.texts("context_files");
        let (written, offset) = written?;
        let directory = match self.directories.project(&written) {
            Ok(directory) => directory,
            Err(message) => {
                reader.problem(offset, "project_dir", message);
                return None;
            }
        };
        let mut file = |written: &str, offset, key: &str| {
            let found = self.directories.file(&directory, written);
            found
                .map_err(|message| reader.problem(offset, key, message))
                .ok()
        };
        let start_file = start_file.and_then(|(name, at)| file(&name, at, "start_file"));
        let context_files = context_files
            .iter()
            .filter_map(|(key, name, at)| file(name, *at, key))
            .collect();
        Some(TaskProject {
            directory,
            start_file,
            context_files,
        })
    }
}

/// A task's project directory, absolute, and the files in it that the task names.
struct TaskProject {
    directory: PathBuf,
    start_file: Option<String>,
    context_files: Vec<String>,
}

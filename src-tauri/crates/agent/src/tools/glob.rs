//! `glob`: files by the pattern of their names, the most recently changed first.

use super::answer::{Answer, Attempt, Failure};
use super::arguments::Arguments;
use super::nearest;
use super::project::{Place, Project, shown};
use super::walk::{self, Ignored};
use super::wording::grouped;
use globset::{GlobBuilder, GlobMatcher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// Paths that are returned.
const MAX_PATHS: usize = 200;
/// Ignored files that are named when nothing else was found.
const MAX_IGNORED: usize = 5;
/// Files looked at in search of ignored ones.
const MAX_IGNORED_LOOKED_AT: usize = 200_000;

/// Runs the tool.
pub(crate) fn glob(project: &Project, arguments: &Arguments, stop: &CancellationToken) -> Attempt {
    let pattern = arguments.text("pattern");
    let start = start(project, arguments.optional_text("path"), stop)?;
    let names = Names::new(project, pattern)?;
    let mut found = Vec::new();
    for file in walk::files(project, &start.relative, Ignored::Left) {
        if stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        if names.hold(&start.relative, &file.relative) {
            found.push((file.changed(), file.relative));
        }
    }
    if found.is_empty() {
        return Ok(Answer::read(nothing(
            project, pattern, &start, &names, stop,
        )));
    }
    Ok(Answer::read(listed(found)))
}

/// The directory (or file) a search begins at; the project without one.
pub(crate) fn start(
    project: &Project,
    path: Option<&str>,
    stop: &CancellationToken,
) -> Result<Place, Failure> {
    let requested = path.filter(|path| !path.is_empty()).unwrap_or(".");
    let place = project.resolve(requested)?;
    if place.found.is_none() {
        return Err(nearest::missing(project, requested, &place, stop));
    }
    Ok(place)
}

/// A pattern of names, relative to where a search begins.
pub(crate) struct Names {
    matcher: GlobMatcher,
    /// A pattern without `/` is about the last part of a path alone.
    last_part_only: bool,
}

impl Names {
    /// Understands the pattern; the failure explains what is wrong with it.
    pub(crate) fn new(project: &Project, pattern: &str) -> Result<Self, Failure> {
        let relative = relative_pattern(project, pattern)?;
        let glob = GlobBuilder::new(&relative)
            .literal_separator(true)
            .build()
            .map_err(|error| {
                Failure::told(format!(
                    "`{pattern}` is not a pattern that glob understands: {}. Right: `src/**/*.ts`, \
                     `*.{{js,jsx}}`, `file_[0-9].txt`; put `[` or `{{` in `[ ]` to mean itself.",
                    error.kind()
                ))
            })?;
        Ok(Self {
            matcher: glob.compile_matcher(),
            last_part_only: !relative.contains('/'),
        })
    }

    /// Whether the pattern holds for a file found below `start`; both relative to the project.
    pub(crate) fn hold(&self, start: &Path, file: &Path) -> bool {
        let below = file.strip_prefix(start).unwrap_or(file);
        // A search that begins at a file finds that file by its name.
        let below = if below.as_os_str().is_empty() {
            file
        } else {
            below
        };
        if self.last_part_only {
            below
                .file_name()
                .is_some_and(|name| self.matcher.is_match(name))
        } else {
            self.matcher.is_match(below)
        }
    }
}

/// The pattern without the project's own path and without `./` in front.
fn relative_pattern(project: &Project, pattern: &str) -> Result<String, Failure> {
    let inside = if Path::new(pattern).is_absolute() {
        let rest = project.strip(Path::new(pattern)).ok_or_else(|| {
            Failure::told(format!(
                "`{pattern}` is outside the project directory {}. Give a pattern relative to it.",
                project.path().display()
            ))
        })?;
        // As given: a `Path` made of the rest would lose a trailing `/`, which means nothing here.
        rest.to_string_lossy().into_owned()
    } else {
        pattern.to_owned()
    };
    let bare = inside.trim_start_matches("./");
    if bare.is_empty() {
        return Err(Failure::told(
            "`pattern` is empty. Give one such as `**/*.py`.",
        ));
    }
    if bare.split('/').any(|part| part == "..") {
        return Err(Failure::told(format!(
            "`{pattern}` leads upwards. Give a pattern below the project directory, or a \
             directory of it as `path`."
        )));
    }
    // A directory's name stands for what is in it.
    Ok(match bare.strip_suffix('/') {
        Some(directory) => format!("{directory}/**"),
        None => bare.to_owned(),
    })
}

fn listed(mut found: Vec<(SystemTime, PathBuf)>) -> String {
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let total = found.len();
    let paths: Vec<String> = found
        .iter()
        .take(MAX_PATHS)
        .map(|(_, path)| shown(path))
        .collect();
    let mut text = paths.join("\n");
    if total > MAX_PATHS {
        text.push_str(&format!(
            "\n[The {MAX_PATHS} most recently changed of {} files. Narrow the pattern to see \
             others.]",
            grouped(total as u64)
        ));
    }
    text
}

/// What to say when no file matches.
fn nothing(
    project: &Project,
    pattern: &str,
    start: &Place,
    names: &Names,
    stop: &CancellationToken,
) -> String {
    let ignored: Vec<String> = walk::files(project, &start.relative, Ignored::Taken)
        .take_while(|_| !stop.is_cancelled())
        .take(MAX_IGNORED_LOOKED_AT)
        .filter(|file| names.hold(&start.relative, &file.relative))
        .take(MAX_IGNORED)
        .map(|file| shown(&file.relative))
        .collect();
    let place = if start.relative.as_os_str().is_empty() {
        "the project".to_owned()
    } else {
        format!("`{}`", start.name())
    };
    let mut text = format!("No files in {place} match `{pattern}`.");
    if !ignored.is_empty() {
        text.push_str(&format!(
            " Among the files that .gitignore leaves out: {}",
            ignored.join(", ")
        ));
    }
    text
}

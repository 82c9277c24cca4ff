//! `write_file`: a new file, or the whole of an existing one.

use super::answer::{Answer, Attempt, Failure};
use super::arguments::Arguments;
use super::project::{Place, Project, kind_of};
use super::replace::{self, Existing, half_way};
use super::wording::counted;
use espalier_protocol::worker::Touched;
use std::io::Read;
use tokio_util::sync::CancellationToken;

/// Runs the tool.
pub(crate) fn write_file(
    project: &Project,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Attempt {
    let requested = arguments.text("path");
    let content = arguments.text("content").as_bytes();
    let place = project.resolve(requested)?;
    check(requested, &place)?;
    let name = place.name();
    let existing = place.found.as_ref().map(Existing::of);
    if existing.is_some() && holds(project, &place, content) {
        return Ok(Answer::read(format!(
            "`{name}` already has exactly this content; nothing was written."
        )));
    }
    if stop.is_cancelled() {
        return Err(Failure::Stopped);
    }
    if existing.is_none() {
        project
            .create_dirs(place.parent())
            .map_err(|error| half_way(&name, &error))?;
    }
    replace::replace(project, &place, content, existing.as_ref(), stop)
        .map_err(|failure| after_directories(failure, &name, existing.as_ref()))?;
    let done = if existing.is_some() {
        "Overwrote"
    } else {
        "Created"
    };
    let lines = memchr::memchr_iter(b'\n', content).count()
        + usize::from(!content.is_empty() && !content.ends_with(b"\n"));
    Ok(Answer::changed(
        format!(
            "{done} `{name}`: {}, {}.",
            counted(content.len() as u64, "byte"),
            counted(lines as u64, "line")
        ),
        name,
    ))
}

fn check(requested: &str, place: &Place) -> Result<(), Failure> {
    let is_file = place.found.as_ref().is_none_or(|found| found.is_file());
    let as_directory = requested.ends_with('/') || place.relative.as_os_str().is_empty();
    if !is_file || as_directory {
        let kind = match &place.found {
            Some(found) if !found.is_file() => kind_of(found),
            _ => "written as a directory",
        };
        return Err(Failure::told(format!(
            "`{requested}` is {kind}; write_file needs the path of a file."
        )));
    }
    replace::may_change(place)
}

/// Directories may already have been made for a file that was not written.
fn after_directories(failure: Failure, name: &str, existing: Option<&Existing>) -> Failure {
    match failure {
        Failure::Told { content, .. } if existing.is_none() => Failure::Told {
            content,
            touched: Touched::Paths {
                paths: vec![name.to_owned()],
            },
        },
        other => other,
    }
}

/// Whether the file holds these very bytes already.
fn holds(project: &Project, place: &Place, content: &[u8]) -> bool {
    let same_size = place
        .found
        .as_ref()
        .is_some_and(|found| found.len() == content.len() as u64);
    if !same_size {
        return false;
    }
    let Ok((file, _)) = project.open_file(place) else {
        return false;
    };
    let mut bytes = Vec::with_capacity(content.len());
    let read = file.take(content.len() as u64 + 1).read_to_end(&mut bytes);
    read.is_ok() && bytes == content
}

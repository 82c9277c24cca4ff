//! `read_file`: the lines of a file with their numbers, or the entries of a directory.
//!
//! A file is streamed, so one of any size is read in flat memory; a single line of any length too.

use super::answer::{Answer, Attempt, Failure};
use super::arguments::Arguments;
use super::nearest;
use super::project::{Place, Project, told};
use super::text::{Content, Extent, LineEnds, TextForm, recognise};
use super::wording::counted;
use cap_std::fs::File;
use lines::Window;
use std::io::Read;
use tokio_util::sync::CancellationToken;

mod lines;

/// Lines that come without a `limit`.
const DEFAULT_LINES: u64 = 2000;
/// Bytes of text that one call returns at most.
const MAX_BYTES: usize = 50_000;
/// Characters of one line that are shown.
const MAX_LINE: usize = 2000;
/// Bytes by which the encoding is recognised.
const SAMPLE: usize = 1 << 20;
/// Entries of a directory that are shown.
const MAX_ENTRIES: usize = 500;
/// Bytes after the shown lines that are still read to count the rest.
const MAX_COUNTED: u64 = 256 << 20;

/// Runs the tool.
pub(crate) fn read_file(
    project: &Project,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Attempt {
    let requested = arguments.text("path");
    let place = project.resolve(requested)?;
    let Some(found) = &place.found else {
        return Err(nearest::missing(project, requested, &place, stop));
    };
    if found.is_dir() {
        return list(project, &place, stop);
    }
    let (mut file, metadata) = project.open_file(&place)?;
    let mut sample = Vec::new();
    (&mut file)
        .take(SAMPLE as u64)
        .read_to_end(&mut sample)
        .map_err(|error| told(requested, &error))?;
    let extent = if metadata.len() > sample.len() as u64 {
        Extent::Beginning
    } else {
        Extent::Whole
    };
    let form = match recognise(&sample, extent) {
        Content::Text(form) => form,
        Content::Binary(kind) => {
            return Ok(Answer::read(format!(
                "`{}` is not text: {kind}, {}. Its content cannot be shown.",
                place.name(),
                counted(metadata.len(), "byte")
            )));
        }
    };
    let mut window = Window::new(
        arguments.integer("offset").unwrap_or(1),
        arguments.integer("limit").unwrap_or(DEFAULT_LINES),
    );
    stream(&mut window, form, &sample, file, requested, stop)?;
    render(&place, form, &window)
}

/// Feeds the sample and the rest of the file to the window, decoded.
fn stream(
    window: &mut Window,
    form: TextForm,
    sample: &[u8],
    mut file: File,
    requested: &str,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut decoder = form.decoder();
    let mut text = String::new();
    let mut feed = |window: &mut Window, bytes: &[u8], last: bool| {
        text.clear();
        let room = decoder.max_utf8_buffer_length(bytes.len());
        text.reserve(room.unwrap_or(bytes.len() * 3 + 16));
        // The room is the decoder's own worst case, so all of the input goes in.
        let _ = decoder.decode_to_string(bytes, &mut text, last);
        window.feed(&text);
    };
    feed(window, &sample[form.mark..], false);
    let mut chunk = vec![0; 64 * 1024];
    let mut counted = 0;
    loop {
        if stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        let read = file
            .read(&mut chunk)
            .map_err(|error| told(requested, &error))?;
        feed(window, &chunk[..read], read == 0);
        if read == 0 {
            window.end();
            return Ok(());
        }
        if window.is_full() {
            counted += read as u64;
            if counted > MAX_COUNTED {
                return Ok(());
            }
        }
    }
}

fn render(place: &Place, form: TextForm, window: &Window) -> Attempt {
    let name = place.name();
    if window.lines_seen() == 0 && window.ended() {
        return Ok(Answer::read(format!("`{name}` is empty.")));
    }
    if window.shown() == 0 {
        return Err(Failure::told(format!(
            "`{name}` has {}; there is no line {}.",
            counted(window.lines_seen(), "line"),
            window.first()
        )));
    }
    let mut content = window.text().to_owned();
    let mut notes = Vec::new();
    if window.last_shown() < window.lines_seen() || !window.ended() {
        let of = if window.ended() {
            format!("of {}", window.lines_seen())
        } else {
            format!("of more than {}", window.lines_seen())
        };
        notes.push(format!(
            "Lines {}-{} {of}. Read on with offset {}.",
            window.first(),
            window.last_shown(),
            window.last_shown() + 1
        ));
    }
    notes.extend(form_note(form, window.line_ends()));
    if !notes.is_empty() {
        content.push_str(&format!("[{}]\n", notes.join(" ")));
    }
    Ok(Answer::read(content))
}

fn form_note(form: TextForm, ends: LineEnds) -> Option<String> {
    let said: Vec<String> = form
        .noteworthy()
        .into_iter()
        .chain(ends.noteworthy().map(str::to_owned))
        .collect();
    (!said.is_empty()).then(|| format!("{}; edit_file keeps this.", said.join(", ")))
}

fn list(project: &Project, place: &Place, stop: &CancellationToken) -> Attempt {
    let name = place.name();
    let entries = project
        .open_dir(&place.relative)
        .and_then(|dir| dir.entries())
        .map_err(|error| told(&name, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        if stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        let entry = entry.map_err(|error| told(&name, &error))?;
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let slash = if is_dir { "/" } else { "" };
        names.push(format!("{}{slash}", entry.file_name().to_string_lossy()));
    }
    if names.is_empty() {
        return Ok(Answer::read(format!("`{name}` is an empty directory.")));
    }
    names.sort();
    let total = names.len();
    names.truncate(MAX_ENTRIES);
    let mut content = format!("Entries of the directory `{name}`:\n{}\n", names.join("\n"));
    if total > MAX_ENTRIES {
        content.push_str(&format!(
            "[{} more. Narrow with glob.]\n",
            total - MAX_ENTRIES
        ));
    }
    Ok(Answer::read(content))
}

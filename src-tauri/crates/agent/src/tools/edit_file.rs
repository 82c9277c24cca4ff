//! `edit_file`: one exact text of a file replaced by another.
//!
//! Everything outside the replaced text keeps its very bytes: line ends, encoding, byte order
//! mark, final newline. A failure says what is in the file instead.

use super::answer::{Answer, Attempt, Failure};
use super::arguments::Arguments;
use super::nearest;
use super::project::{Place, Project, kind_of, told};
use super::replace::{self, Existing};
use super::text::{Content, Extent, TextForm, recognise};
use explain::{explain_absent, numbered};
use matching::{Flat, normalised};
use std::io::Read;
use tokio_util::sync::CancellationToken;

mod explain;
mod matching;

/// Larger files are for other tools.
const MAX_FILE: u64 = 32 << 20;
/// Line numbers that are listed where a text occurs often.
const MAX_LISTED: usize = 20;
/// Places that are counted where exactly one was wanted.
const MAX_COUNTED: usize = 1000;
/// Lines shown before and after an edit.
const AROUND: usize = 3;
/// Lines of an edit that are shown.
const MAX_SHOWN: usize = 40;

/// How often the text may occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occurrences {
    ExactlyOne,
    All,
}

/// Runs the tool.
pub(crate) fn edit_file(
    project: &Project,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Attempt {
    let requested = arguments.text("path");
    let old = normalised(arguments.text("old_string"));
    let new = normalised(arguments.text("new_string"));
    let place = project.resolve(requested)?;
    let original = check(project, requested, &place, stop)?;
    refuse_empty_or_same(arguments, &old, &new)?;
    let (bytes, form) = read(project, &place, requested)?;
    let Some(working) = form.to_working(&bytes) else {
        return Err(Failure::told(format!(
            "`{requested}` is not quite {}: an edit would damage other parts of it. Change it \
             with a command instead.",
            form.encoding.name()
        )));
    };
    let flat = Flat::new(&working);
    let wanted = if arguments.flag("replace_all") {
        Occurrences::All
    } else {
        Occurrences::ExactlyOne
    };
    let places = find(&flat, &old, &new, wanted, requested)?;
    let edited = flat.replace(&working, &places, &old, &new);
    let file = form.to_file(&bytes, &edited).map_err(|character| {
        Failure::told(format!(
            "`{requested}` is written in {}, which has no `{character}`. Use other characters, or \
             convert the file to UTF-8 with a command first.",
            form.encoding.name()
        ))
    })?;
    if stop.is_cancelled() {
        return Err(Failure::Stopped);
    }
    replace::replace(project, &place, &file, Some(&original), stop)?;
    Ok(Answer::changed(
        report(&place, &flat, &places, &old, &new),
        place.name(),
    ))
}

/// Refuses what cannot be edited; returns what is there.
fn check(
    project: &Project,
    requested: &str,
    place: &Place,
    stop: &CancellationToken,
) -> Result<Existing, Failure> {
    let Some(found) = &place.found else {
        return Err(match nearest::missing(project, requested, place, stop) {
            Failure::Told { content, touched } => Failure::Told {
                content: format!("{content} To create a file use write_file."),
                touched,
            },
            stopped @ Failure::Stopped => stopped,
        });
    };
    if !found.is_file() {
        return Err(Failure::told(format!(
            "`{requested}` is {}, not a file that can be edited.",
            kind_of(found)
        )));
    }
    if found.len() > MAX_FILE {
        return Err(Failure::told(format!(
            "`{requested}` has {} MB, too much for edit_file. Change it with a command.",
            found.len() >> 20
        )));
    }
    replace::may_change(place)?;
    Ok(Existing::of(found))
}

fn refuse_empty_or_same(arguments: &Arguments, old: &str, new: &str) -> Result<(), Failure> {
    if old.is_empty() {
        return Err(Failure::told(
            "`old_string` is empty. Give the text to replace; to create a file or replace a whole \
             one use write_file.",
        ));
    }
    if old == new {
        let same = arguments.text("old_string") == arguments.text("new_string");
        return Err(Failure::told(if same {
            "`old_string` and `new_string` are the same: nothing to change."
        } else {
            "`old_string` and `new_string` differ only in their line ends, which edit_file keeps \
             as the file has them. Change line ends with a command."
        }));
    }
    Ok(())
}

fn read(project: &Project, place: &Place, requested: &str) -> Result<(Vec<u8>, TextForm), Failure> {
    let (file, _) = project.open_file(place)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| told(requested, &error))?;
    match recognise(&bytes, Extent::Whole) {
        Content::Text(form) => Ok((bytes, form)),
        Content::Binary(kind) => Err(Failure::told(format!(
            "`{requested}` is not text ({kind}) and cannot be edited."
        ))),
    }
}

/// The places of `old` in the file, as many as are wanted.
fn find(
    flat: &Flat,
    old: &str,
    new: &str,
    wanted: Occurrences,
    requested: &str,
) -> Result<Vec<usize>, Failure> {
    let places = flat.places(old);
    if places.is_empty() {
        return Err(Failure::told(format!(
            "`old_string` was not found in `{requested}`. {}",
            explain_absent(&flat.text(), old, new)
        )));
    }
    if wanted == Occurrences::ExactlyOne {
        let all = flat.overlapping_places(old, MAX_COUNTED);
        if all.len() > 1 {
            return Err(several(flat, &all, requested));
        }
    }
    Ok(places)
}

fn several(flat: &Flat, places: &[usize], requested: &str) -> Failure {
    let lines: Vec<String> = places
        .iter()
        .take(MAX_LISTED)
        .map(|at| flat.line_of(*at).to_string())
        .collect();
    let more = if places.len() > MAX_LISTED {
        ", …"
    } else {
        ""
    };
    let at_least = if places.len() == MAX_COUNTED {
        "at least "
    } else {
        ""
    };
    Failure::told(format!(
        "`old_string` occurs {at_least}{} times in `{requested}`, at lines {}{more}. Include more \
         neighbouring lines to make it unique, or set `replace_all`.",
        places.len(),
        lines.join(", ")
    ))
}

/// What was done, with the changed lines as they are now.
fn report(place: &Place, flat: &Flat, places: &[usize], old: &str, new: &str) -> String {
    let name = place.name();
    let after = flat.edited_text(places, old, new);
    let Some(first) = places.first() else {
        return format!("Edited `{name}`.");
    };
    let line = flat.line_of(*first);
    if places.len() > 1 {
        let grown = isize::try_from(new.matches('\n').count()).unwrap_or_default()
            - isize::try_from(old.matches('\n').count()).unwrap_or_default();
        let lines: Vec<String> = places
            .iter()
            .take(MAX_LISTED)
            .zip(0..)
            .map(|(at, before)| {
                flat.line_of(*at)
                    .saturating_add_signed(grown * before)
                    .to_string()
            })
            .collect();
        let more = if places.len() > MAX_LISTED {
            ", …"
        } else {
            ""
        };
        return format!(
            "Edited `{name}`: {} replacements, at lines {}{more}.",
            places.len(),
            lines.join(", ")
        );
    }
    let last = line + new.trim_end_matches('\n').matches('\n').count();
    let from = line.saturating_sub(AROUND).max(1);
    let to = (last + AROUND).min(from + MAX_SHOWN);
    format!(
        "Edited `{name}`. It now reads:\n{}",
        numbered(&after, from, to)
    )
}

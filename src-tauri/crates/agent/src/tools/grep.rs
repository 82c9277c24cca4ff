//! `grep`: lines by regular expression, with ripgrep's searcher.

use super::answer::{Answer, Attempt, Failure};
use super::arguments::Arguments;
use super::glob::{Names, start};
use super::project::{Place, Project, shown};
use super::walk::{self, Ignored};
use super::wording::counted;
use grep_matcher::LineTerminator;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use hits::{Hits, Mode};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

mod hits;

/// Matching lines, or files, that are returned without a `limit`.
const DEFAULT_LIMIT: u64 = 100;
/// A file with a longer line is left out.
const MAX_LINE_MEMORY: usize = 64 << 20;
/// Lines of context at most.
const MAX_CONTEXT: u64 = 50;

/// Runs the tool.
pub(crate) fn grep(project: &Project, arguments: &Arguments, stop: &CancellationToken) -> Attempt {
    let pattern = arguments.text("pattern");
    let matcher = matcher(pattern, arguments.flag("case_insensitive"))?;
    let start = start(project, arguments.optional_text("path"), stop)?;
    let names = match arguments
        .optional_text("glob")
        .filter(|glob| !glob.is_empty())
    {
        Some(glob) => Some(Names::new(project, glob)?),
        None => None,
    };
    let context = arguments.integer("context").unwrap_or(0).min(MAX_CONTEXT);
    let mut searcher = SearcherBuilder::new()
        .line_terminator(LineTerminator::crlf())
        .binary_detection(BinaryDetection::quit(0))
        .before_context(usize::try_from(context).unwrap_or_default())
        .after_context(usize::try_from(context).unwrap_or_default())
        .line_number(true)
        .heap_limit(Some(MAX_LINE_MEMORY))
        .build();
    let mode = match arguments.optional_text("output_mode") {
        Some("files") => Mode::Files,
        Some("count") => Mode::Count,
        _ => Mode::Lines,
    };
    let limit = arguments.integer("limit").unwrap_or(DEFAULT_LIMIT);
    let between = if context > 0 { "--\n" } else { "" };
    let mut hits = Hits::new(mode, limit, between, stop);
    let mut searched = 0_u64;
    for file in candidates(project, &start, names.as_ref()) {
        if stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        if hits.is_full() {
            break;
        }
        searched += u64::from(search(project, &mut searcher, &matcher, &file, &mut hits));
    }
    if stop.is_cancelled() {
        return Err(Failure::Stopped);
    }
    if hits.is_empty() {
        return Ok(Answer::read(nothing(pattern, &start, searched)));
    }
    Ok(Answer::read(hits.finish()))
}

fn matcher(pattern: &str, case_insensitive: bool) -> Result<RegexMatcher, Failure> {
    if pattern.is_empty() {
        return Err(Failure::told(
            "`pattern` is empty. Give what to search for.",
        ));
    }
    RegexMatcherBuilder::new()
        .case_insensitive(case_insensitive)
        .crlf(true)
        .build(pattern)
        .map_err(|error| {
            let mut said = format!("`{pattern}` is not a regular expression:\n{error}\n");
            said.push_str(if pattern.contains("\\n") || pattern.contains('\n') {
                "The search goes line by line: a pattern cannot reach over the end of a line. \
                 Search for one of the lines, with `context`."
            } else {
                "To search for a sign of `.+*?()[]{}|^$\\` itself, put a backslash before it. \
                 Look-around and back-references do not exist here."
            });
            Failure::told(said)
        })
}

fn candidates<'a>(
    project: &'a Project,
    start: &'a Place,
    names: Option<&'a Names>,
) -> impl Iterator<Item = PathBuf> + use<'a> {
    walk::files(project, &start.relative, Ignored::Left)
        .filter(walk::Found::is_plain)
        .map(|file| file.relative)
        .filter(move |file| names.is_none_or(|names| names.hold(&start.relative, file)))
}

/// Searches one file; whether that was possible.
fn search(
    project: &Project,
    searcher: &mut Searcher,
    matcher: &RegexMatcher,
    file: &std::path::Path,
    hits: &mut Hits,
) -> bool {
    let opened = project.open_nonblocking(file);
    let Ok(opened) = opened else {
        // It is gone or may not be read: as for ripgrep, no reason to end the search.
        return false;
    };
    if !opened.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    hits.begin(shown(file));
    let searched = searcher.search_reader(matcher, opened, &mut *hits);
    hits.end();
    if let Err(error) = &searched {
        tracing::debug!(%error, file = %file.display(), "a file could not be searched");
    }
    searched.is_ok()
}

fn nothing(pattern: &str, start: &Place, searched: u64) -> String {
    let place = if start.relative.as_os_str().is_empty() {
        "the project".to_owned()
    } else {
        format!("`{}`", start.name())
    };
    let mut text = format!(
        "No line matches `{pattern}` in {place} ({} searched).",
        counted(searched, "file")
    );
    if searched == 0 {
        text.push_str(
            " Files that .gitignore leaves out are searched only when `path` leads to them.",
        );
    }
    text
}

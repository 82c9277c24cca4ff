//! Why a text was not found: what the file has instead, so that the next try can be right.

use std::fmt::Write as _;

/// Lines of the file that are shown.
const MAX_SHOWN: usize = 30;
/// Lines that are pointed out as different.
const MAX_DIFFERENT: usize = 3;
/// Characters of a line that are compared and shown.
const MAX_LINE: usize = 300;
/// Lines of the file, and characters of each, that are measured for likeness.
const MAX_MEASURED: (usize, usize) = (20_000, 100);
/// Below this likeness a line is no hint.
const ALIKE: f64 = 0.6;

/// Explains why `old` is not in `text`; both with plain line ends.
pub(super) fn explain_absent(text: &str, old: &str, new: &str) -> String {
    if let Some(said) = almost(text, old) {
        return said;
    }
    let region = region_like(text, old);
    let mut said = match region {
        Some(region) => describe(text, old, region),
        None => "Nothing in the file is much like it. Read the file again.".to_owned(),
    };
    if let Some(line) = line_of(text, new).filter(|_| !new.trim().is_empty()) {
        let _ = write!(
            said,
            "\n`new_string` is already in the file, at line {line}: this edit may have been made \
             before."
        );
    }
    said
}

/// A whole slip of which the cause is known.
fn almost(text: &str, old: &str) -> Option<String> {
    let without_numbers = strip_line_numbers(old);
    if let Some(line) = without_numbers.and_then(|stripped| line_of(text, &stripped)) {
        return Some(format!(
            "It contains the line numbers that read_file shows in front of each line. Without \
             them it is at line {line}: leave out number and tab."
        ));
    }
    let unescaped = old
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\\"", "\"");
    if let Some(line) = (unescaped != old)
        .then(|| line_of(text, &unescaped))
        .flatten()
    {
        return Some(format!(
            "It contains escapes such as `\\n` or `\\\"` where the file, at line {line}, has the \
             characters themselves."
        ));
    }
    let trimmed = old.trim_matches('\n');
    if let Some(line) = (trimmed != old && !trimmed.trim().is_empty())
        .then(|| line_of(text, trimmed))
        .flatten()
    {
        return Some(format!(
            "Without the newlines at its beginning or end it is at line {line}."
        ));
    }
    let plain = plain_signs(old);
    if let Some(line) = line_of(&plain_signs(text), &plain) {
        let count = old.lines().count().max(1);
        return Some(format!(
            "Quotation marks, dashes or spaces are of another kind in the file, at line {line}:\n{}",
            numbered(text, line, line + count - 1)
        ));
    }
    None
}

/// The old text without the line numbers of `read_file`, where every line has one.
fn strip_line_numbers(old: &str) -> Option<String> {
    let lines: Option<Vec<&str>> = old
        .split('\n')
        .map(|line| {
            if line.is_empty() {
                return Some(line);
            }
            let (number, text) = line.split_once('\t')?;
            let digits = number.trim_start();
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(text)
        })
        .collect();
    lines.map(|lines| lines.join("\n"))
}

fn plain_signs(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' => '"',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

fn line_of(text: &str, part: &str) -> Option<usize> {
    let at = text.find(part)?;
    Some(1 + text[..at].matches('\n').count())
}

/// The line (from 0) at which the file is most like the old text.
fn region_like(text: &str, old: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let wanted: Vec<&str> = old.lines().collect();
    by_votes(&lines, &wanted).or_else(|| by_likest_line(&lines, &wanted))
}

/// Each line of the old text that is in the file votes for where the whole would begin; rare
/// lines weigh more than braces and blank lines.
fn by_votes(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    let mut places: std::collections::HashMap<String, Vec<usize>> =
        std::collections::HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        places.entry(squeezed(line)).or_default().push(at);
    }
    let mut votes: std::collections::BTreeMap<usize, f64> = std::collections::BTreeMap::new();
    for (offset, line) in wanted.iter().enumerate() {
        let squeezed = squeezed(line);
        if squeezed.is_empty() {
            continue;
        }
        let Some(found) = places.get(&squeezed) else {
            continue;
        };
        for at in found.iter().filter(|at| **at >= offset) {
            *votes.entry(at - offset).or_default() += 1.0 / found.len() as f64;
        }
    }
    votes
        .into_iter()
        .filter(|(_, weight)| *weight >= 0.5)
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        .map(|(at, _)| at)
}

fn by_likest_line(lines: &[&str], wanted: &[&str]) -> Option<usize> {
    let (offset, sample) = wanted
        .iter()
        .enumerate()
        .max_by_key(|(_, line)| squeezed(line).len())?;
    let measured = |line: &str| -> String {
        let squeezed = squeezed(line);
        squeezed.chars().take(MAX_MEASURED.1).collect()
    };
    let sample = measured(sample);
    let best = lines
        .iter()
        .take(MAX_MEASURED.0)
        .enumerate()
        .map(|(at, line)| {
            let line = measured(line);
            (strsim::normalized_damerau_levenshtein(&line, &sample), at)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
    Some(best.1.saturating_sub(offset))
}

/// A line with every run of white space as one space.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn clipped(line: &str) -> String {
    line.chars().take(MAX_LINE).collect()
}

/// The likest region, and where it differs.
fn describe(text: &str, old: &str, region: usize) -> String {
    let count = old.lines().count().max(1);
    let there: Vec<&str> = text.lines().skip(region).take(count).collect();
    let pairs = || {
        old.lines()
            .zip(there.iter().copied().chain(std::iter::repeat("")))
    };
    let only_space = there.len() == count && pairs().all(|(a, b)| squeezed(a) == squeezed(b));
    let last = region + count.min(MAX_SHOWN);
    let mut said = if only_space {
        format!(
            "Lines {}-{} differ from it only in white space",
            region + 1,
            region + count
        )
    } else {
        format!(
            "The likest are lines {}-{}",
            region + 1,
            region + there.len()
        )
    };
    let _ = write!(said, ":\n{}", numbered(text, region + 1, last));
    let different = pairs().enumerate().filter(|(_, (a, b))| a != b);
    for (at, (asked, is)) in different.take(MAX_DIFFERENT) {
        let show = |line: &str| {
            if only_space || squeezed(asked) == squeezed(is) {
                visible_space(&clipped(line))
            } else {
                clipped(line)
            }
        };
        let _ = write!(
            said,
            "\nLine {}: the file has `{}`, old_string has `{}`.",
            region + at + 1,
            show(is),
            show(asked)
        );
    }
    said
}

/// White space made visible: tabs as `→`, leading and trailing spaces as `·`.
fn visible_space(line: &str) -> String {
    let inner = line.trim();
    if inner.is_empty() {
        return line.replace('\t', "→").replace(' ', "·");
    }
    let start = line.len() - line.trim_start().len();
    let end = start + inner.len();
    let mark = |space: &str| space.replace('\t', "→").replace(' ', "·");
    format!(
        "{}{}{}",
        mark(&line[..start]),
        inner.replace('\t', "→"),
        mark(&line[end..])
    )
}

/// Lines `from` to `to` (from 1, inclusive) with their numbers, as `read_file` shows them.
pub(super) fn numbered(text: &str, from: usize, to: usize) -> String {
    let mut shown = String::new();
    let lines = text.lines().enumerate().skip(from.saturating_sub(1));
    for (at, line) in lines.take((to + 1).saturating_sub(from)) {
        let _ = writeln!(shown, "{:>6}\t{}", at + 1, clipped(line));
    }
    shown.truncate(shown.trim_end_matches('\n').len());
    shown
}

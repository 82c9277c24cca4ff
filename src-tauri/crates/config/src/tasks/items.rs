//! The objects of a data file, each value with its place.
//!
//! A file is one object, an array of objects, or one object a line; what it is shows in its text,
//! not in its name.

use crate::issues::{ConfigIssue, Position};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::cell::OnceCell;
use std::fmt;
use std::path::Path;

/// The text of a data file.
pub(super) struct DataFile {
    text: String,
    /// Where each line begins; made when the first place is asked for.
    line_starts: OnceCell<Vec<usize>>,
}

/// One object of a data file.
pub(super) struct Item<'t> {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    pub(super) fields: Vec<Field<'t>>,
}

/// A key's value, or a list's item.
pub(super) struct Field<'t> {
    pub(super) key: String,
    /// Where the value begins, in bytes.
    pub(super) offset: usize,
    /// The value's JSON.
    pub(super) raw: &'t str,
}

/// Something wrong in a data file.
pub(super) struct Problem {
    /// Where, in bytes. Lines and columns are only counted for what is told.
    pub(super) offset: usize,
    key: String,
    message: String,
}

impl Problem {
    pub(super) fn new(offset: usize, key: &str, message: impl Into<String>) -> Self {
        Self {
            offset,
            key: key.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn into_issue(self, file: &Path, data: &DataFile) -> ConfigIssue {
        let position = data.position(self.offset);
        ConfigIssue {
            file: file.to_owned(),
            line: position.line,
            column: position.column,
            key: self.key,
            message: self.message,
            nearest: None,
        }
    }
}

impl DataFile {
    /// The bytes as text, without a byte order mark.
    ///
    /// # Errors
    /// The first line that is not UTF-8.
    pub(super) fn decode(bytes: Vec<u8>) -> Result<Self, Position> {
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            Position { line, column: 1 }
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Self {
            text,
            line_starts: OnceCell::new(),
        })
    }

    /// All objects of the file. What is no object is noted.
    pub(super) fn items(&self, problems: &mut Vec<Problem>) -> Vec<Item<'_>> {
        let text = self.text.as_str();
        if text.trim().is_empty() {
            return Vec::new();
        }
        if text.trim_start().starts_with('[') {
            return match serde_json::from_str::<Vec<&RawValue>>(text) {
                Ok(values) => values
                    .into_iter()
                    .filter_map(|value| self.item(value.get(), problems))
                    .collect(),
                Err(error) => {
                    problems.push(self.not_json(0, &error));
                    Vec::new()
                }
            };
        }
        match serde_json::from_str::<&RawValue>(text) {
            Ok(value) => self.item(value.get(), problems).into_iter().collect(),
            Err(error) if self.is_one_broken_document() => {
                problems.push(self.not_json(0, &error));
                Vec::new()
            }
            Err(_) => self.lines(problems),
        }
    }

    /// Whether a text that is not JSON as a whole was meant to be: in JSON lines, one of the first
    /// two lines at least is an object of its own.
    fn is_one_broken_document(&self) -> bool {
        let mut lines = self.text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.by_ref().take(2);
        let alone = |line: &str| serde_json::from_str::<Fields<'_>>(line).is_ok();
        !first.into_iter().any(alone)
    }

    fn lines(&self, problems: &mut Vec<Problem>) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        let mut begin = 0;
        for line in self.text.split('\n') {
            if !line.trim().is_empty() {
                match serde_json::from_str::<&RawValue>(line) {
                    Ok(value) => items.extend(self.item(value.get(), problems)),
                    Err(error) => problems.push(self.not_json(begin, &error)),
                }
            }
            begin += line.len() + 1;
        }
        items
    }

    /// The number of the line that a byte stands in, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.line_starts().partition_point(|start| *start <= offset)
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.line(offset);
        let start = self.line_start(line);
        let rest = self.text.get(start..).unwrap_or("");
        let before = rest
            .char_indices()
            .take_while(|(at, _)| start + at < offset);
        Position {
            line,
            column: before.count() + 1,
        }
    }

    fn line_start(&self, line: usize) -> usize {
        let starts = self.line_starts();
        starts.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        })
    }

    fn item<'t>(&'t self, json: &'t str, problems: &mut Vec<Problem>) -> Option<Item<'t>> {
        let offset = self.offset_of(json);
        let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(json) else {
            let message = "expected a task: an object in braces";
            problems.push(Problem::new(offset, "", message));
            return None;
        };
        let fields = fields
            .into_iter()
            .map(|(key, value)| Field {
                key,
                offset: self.offset_of(value.get()),
                raw: value.get(),
            })
            .collect();
        Some(Item { offset, fields })
    }

    /// Where a piece of this text begins.
    fn offset_of(&self, piece: &str) -> usize {
        (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    /// A JSON error in the piece of text that begins at `begin`.
    fn not_json(&self, begin: usize, error: &serde_json::Error) -> Problem {
        let line_start = match error.line() {
            0 | 1 => begin,
            line => self.line_start(self.line(begin) + line - 1),
        };
        let text = error.to_string();
        let cut = text.rfind(" at line ").unwrap_or(text.len());
        let offset = line_start + error.column().saturating_sub(1);
        Problem::new(offset, "", format!("not JSON: {}", &text[..cut]))
    }
}

impl<'t> Item<'t> {
    /// The first value of a key.
    pub(super) fn field(&self, key: &str) -> Option<&Field<'t>> {
        self.fields.iter().find(|field| field.key == key)
    }
}

impl<'t> Field<'t> {
    /// The value. JSON allows what no text and no number can hold: half a character, `1e999`.
    pub(super) fn value(&self) -> Result<Value, Problem> {
        serde_json::from_str(self.raw).map_err(|_| {
            let message =
                "this value cannot be read: it holds a broken escape or too large a number";
            Problem::new(self.offset, &self.key, message)
        })
    }

    /// The items of a list; nothing where the value is none.
    pub(super) fn list(&self) -> Option<Vec<Field<'t>>> {
        let values = serde_json::from_str::<Vec<&'t RawValue>>(self.raw).ok()?;
        let begin = self.raw.as_ptr() as usize;
        let items = values.into_iter().map(|value| Field {
            key: String::new(),
            offset: self.offset + (value.get().as_ptr() as usize).saturating_sub(begin),
            raw: value.get(),
        });
        Some(items.collect())
    }
}

/// The entries of an object as they stand in the text, repeated keys included.
struct Fields<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Fields(fields))
    }
}

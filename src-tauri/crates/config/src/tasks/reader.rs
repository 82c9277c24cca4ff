//! The keys of one task.

use super::items::{Field, Item, Problem};
use crate::nearest;
use serde_json::Value;

/// Whether a task has to have a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// An empty text and `null` count as absent.
    Optional,
}

/// Reads the keys of one task and notes what is wrong with them.
pub(super) struct Reader<'r> {
    pub(super) item: &'r Item<'r>,
    pub(super) problems: &'r mut Vec<Problem>,
}

impl<'r> Reader<'r> {
    pub(super) fn problem(&mut self, offset: usize, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(offset, key, message));
    }

    pub(super) fn repeated_keys(&mut self, known: &[&str]) {
        for (index, field) in self.item.fields.iter().enumerate() {
            let earlier = &self.item.fields[..index];
            if known.contains(&field.key.as_str())
                && earlier.iter().any(|other| other.key == field.key)
            {
                self.problem(field.offset, &field.key, "this key is given twice");
            }
        }
    }

    /// A field's value and where it stands; nothing after noting why it cannot be read.
    fn value(&mut self, field: &Field<'_>) -> Option<(Value, usize)> {
        match field.value() {
            Ok(value) => Some((value, field.offset)),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn required(&mut self, key: &str) -> Option<&'r Field<'r>> {
        if self.item.field(key).is_none() {
            let keys = self.item.fields.iter().map(|field| field.key.as_str());
            let message = match nearest::word(key, keys) {
                Some(like) => format!("this key is missing; \"{like}\" may be it, misspelt"),
                None => "this key is missing".to_owned(),
            };
            self.problem(self.item.offset, key, message);
        }
        self.item.field(key)
    }

    /// A text or a number, as text, and where it stands.
    pub(super) fn id(&mut self, key: &str) -> Option<(String, usize)> {
        let field = self.required(key)?;
        let (value, offset) = self.value(field)?;
        match value {
            Value::String(text) if !text.trim().is_empty() => Some((text, offset)),
            Value::Number(_) => Some((field.raw.to_owned(), offset)),
            Value::String(_) => {
                self.problem(offset, key, "an id must not be empty");
                None
            }
            other => {
                let message = format!("expected a text or a number, found {}", kind(&other));
                self.problem(offset, key, message);
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &str, need: Need) -> Option<(String, usize)> {
        let field = match need {
            Need::Required => self.required(key)?,
            Need::Optional => self.item.field(key)?,
        };
        let (value, offset) = self.value(field)?;
        match value {
            Value::String(text) if !text.trim().is_empty() => Some((text, offset)),
            Value::String(_) | Value::Null if need == Need::Optional => None,
            Value::String(_) => {
                self.problem(offset, key, "this text must not be empty");
                None
            }
            other => {
                let message = format!("expected text, found {}", kind(&other));
                self.problem(offset, key, message);
                None
            }
        }
    }

    /// The texts of a list, each with its own key (`context_files[2]`) and where it stands.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, String, usize)> {
        let Some(field) = self.item.field(key) else {
            return Vec::new();
        };
        let Some(items) = field.list() else {
            if let Some((value, offset)) = self.value(field)
                && value != Value::Null
            {
                let message = format!("expected a list of texts, found {}", kind(&value));
                self.problem(offset, key, message);
            }
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let key = format!("{key}[{index}]");
            match self.value(item) {
                Some((Value::String(text), offset)) if !text.trim().is_empty() => {
                    texts.push((key, text, offset));
                }
                Some((other, offset)) => {
                    let message = format!("expected text, found {}", kind(&other));
                    self.problem(offset, &key, message);
                }
                None => {}
            }
        }
        texts
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(text) if text.trim().is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

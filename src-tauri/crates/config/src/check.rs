//! A document against the schema: every wrong key and value, not only the first.
//!
//! The result holds what was right, so that the stages after this one can find what else is wrong
//! in the same run.

mod scalar;

use crate::document::{Content, Document, Entry, Node, Variables};
use crate::issues::{ConfigIssue, Issues};
use crate::nearest;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// What a check leaves.
pub(crate) struct Checked {
    /// The document without what was wrong in it.
    pub(crate) value: Value,
    /// Secrets whose environment variable is not set: path of the key, name of the variable.
    pub(crate) unset_secrets: Vec<(String, String)>,
    /// Items of lists that were wrong as a whole and are not in `value`, by their paths.
    pub(crate) dropped_items: Vec<String>,
}

/// Checks a document against a schema and notes everything that is wrong.
pub(crate) fn check(
    file: &Path,
    document: &Document,
    schema: &Value,
    issues: &mut Issues,
) -> Checked {
    let mut checker = Checker {
        file,
        document,
        schema,
        issues,
        unset_secrets: Vec::new(),
        dropped_items: Vec::new(),
    };
    let value = checker.value(&document.root, schema, "");
    Checked {
        value: value.unwrap_or_else(|| Value::Object(Map::new())),
        unset_secrets: checker.unset_secrets,
        dropped_items: checker.dropped_items,
    }
}

struct Checker<'a> {
    file: &'a Path,
    document: &'a Document,
    /// The whole schema, to find where a misplaced key belongs.
    schema: &'a Value,
    issues: &'a mut Issues,
    unset_secrets: Vec<(String, String)>,
    dropped_items: Vec<String>,
}

impl Checker<'_> {
    /// The value as the schema wants it, or nothing after noting why not.
    fn value(&mut self, node: &Node, schema: &Value, path: &str) -> Option<Value> {
        let schema = fitting(node, schema);
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.mapping(node, schema, path),
            Some("array") => self.list(node, schema, path),
            _ => self.scalar(node, schema, path),
        }
    }

    fn mapping(&mut self, node: &Node, schema: &Value, path: &str) -> Option<Value> {
        let Content::Map(entries) = &node.content else {
            return self.wrong_type(node, schema, path);
        };
        let entries = self.without_repeats(entries, path);
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let mut kept = Map::new();
        for entry in &entries {
            let inner_path = join(path, &entry.key);
            let known = properties.and_then(|properties| properties.get(&entry.key));
            let value = match (known, others) {
                (Some(inner), _) => self.value(&entry.value, inner, &inner_path),
                (None, Some(Value::Bool(false))) => self.unknown_key(entry, properties, path),
                (None, Some(inner @ Value::Object(_))) => {
                    self.value(&entry.value, inner, &inner_path)
                }
                (None, _) => self.anything(&entry.value, &inner_path),
            };
            if let Some(value) = value {
                kept.insert(entry.key.clone(), value);
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        let mut whole = true;
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !entries.iter().any(|entry| entry.key == name) {
                self.issue(node, &join(path, name), "this key is missing");
            }
            whole &= kept.contains_key(name);
        }
        whole.then_some(Value::Object(kept))
    }

    /// The entries with each key once; the others are noted.
    fn without_repeats<'n>(&mut self, entries: &'n [Entry], path: &str) -> Vec<&'n Entry> {
        let mut first_line: HashMap<&str, usize> = HashMap::new();
        let mut kept = Vec::new();
        for entry in entries {
            if let Some(line) = first_line.get(entry.key.as_str()) {
                let message = format!("this key is given twice, first on line {line}");
                self.issues
                    .at(self.file, entry.position, join(path, &entry.key), message);
            } else {
                first_line.insert(&entry.key, entry.position.line);
                kept.push(entry);
            }
        }
        kept
    }

    fn unknown_key(
        &mut self,
        entry: &Entry,
        properties: Option<&Map<String, Value>>,
        path: &str,
    ) -> Option<Value> {
        let siblings = properties.into_iter().flat_map(Map::keys);
        let nearest = nearest::word(&entry.key, siblings.map(String::as_str))
            .or_else(|| nearest::elsewhere(&entry.key, self.schema));
        self.issues.push(ConfigIssue {
            file: self.file.to_owned(),
            line: entry.position.line,
            column: entry.position.column,
            key: join(path, &entry.key),
            message: "unknown key".to_owned(),
            nearest,
        });
        None
    }

    fn list(&mut self, node: &Node, schema: &Value, path: &str) -> Option<Value> {
        let Content::List(nodes) = &node.content else {
            return self.wrong_type(node, schema, path);
        };
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if (nodes.len() as u64) < least {
            self.issue(node, path, "this list must not be empty");
            return None;
        }
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let items = schema.get("items").unwrap_or(&Value::Null);
        let mut kept: Vec<Value> = Vec::new();
        for (index, item) in nodes.iter().enumerate() {
            let inner_path = format!("{path}[{index}]");
            match self.value(item, items, &inner_path) {
                Some(value) if unique && kept.contains(&value) => {
                    let message = format!("{} is listed twice", self.document.source(item));
                    self.issue(item, &inner_path, message);
                    self.dropped_items.push(inner_path);
                }
                Some(value) => kept.push(value),
                None => self.dropped_items.push(inner_path),
            }
        }
        Some(Value::Array(kept))
    }

    /// A value of which the schema says nothing.
    fn anything(&mut self, node: &Node, path: &str) -> Option<Value> {
        match &node.content {
            Content::Nothing => Some(Value::Null),
            Content::Bool(value) => Some(Value::Bool(*value)),
            Content::Number(value) => Some(Value::Number(value.clone())),
            Content::NotFinite => {
                self.issue(node, path, "this number is not finite");
                None
            }
            Content::Text(text) => {
                if matches!(
                    text.variables,
                    Variables::Missing(_) | Variables::Malformed(_)
                ) {
                    self.variable_problem(node, &text.variables, path);
                    return None;
                }
                Some(Value::String(text.value.clone()))
            }
            Content::List(nodes) => {
                let items = nodes.iter().enumerate();
                let values = items
                    .filter_map(|(index, item)| self.anything(item, &format!("{path}[{index}]")));
                Some(Value::Array(values.collect()))
            }
            Content::Map(entries) => {
                let mut kept = Map::new();
                for entry in self.without_repeats(entries, path) {
                    if let Some(value) = self.anything(&entry.value, &join(path, &entry.key)) {
                        kept.insert(entry.key.clone(), value);
                    }
                }
                Some(Value::Object(kept))
            }
        }
    }

    fn issue(&mut self, node: &Node, path: &str, message: impl Into<String>) {
        self.issues.at(self.file, node.position, path, message);
    }
}

/// Of alternatives, the one for a mapping or a list where the document has such; else the schema.
fn fitting<'s>(node: &Node, schema: &'s Value) -> &'s Value {
    let wanted = match node.content {
        Content::Map(_) => "object",
        Content::List(_) => "array",
        _ => return schema,
    };
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    alternatives
        .into_iter()
        .flatten()
        .find(|one| one.get("type").and_then(Value::as_str) == Some(wanted))
        .unwrap_or(schema)
}

/// The path of a key within a mapping.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

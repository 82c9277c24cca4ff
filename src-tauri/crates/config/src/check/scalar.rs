//! Texts, numbers, truth values and choices against the schema.

use super::Checker;
use crate::document::{Content, Node, Text, Variables};
use crate::issues::ConfigIssue;
use crate::nearest;
use serde_json::{Number, Value};

/// Longest piece of a document that a message quotes, in characters.
const QUOTE_LIMIT: usize = 60;

impl Checker<'_> {
    pub(super) fn scalar(&mut self, node: &Node, schema: &Value, path: &str) -> Option<Value> {
        let choices = choices(schema);
        match &node.content {
            Content::Text(text) => self.text(node, text, schema, &choices, path),
            _ if !choices.is_empty() => self.not_a_choice(node, &choices, path),
            Content::Bool(value) if allows(schema, "boolean") => Some(Value::Bool(*value)),
            // A text that may be written as a number: `1.10` is not `1.1` there.
            Content::Number(_) if allows(schema, "string") && allows(schema, "number") => {
                Some(Value::String(self.document.source(node).to_owned()))
            }
            Content::Number(number) if is_number_of(number, schema) => {
                self.in_range(node, number, schema, path)
            }
            _ => self.wrong_type(node, schema, path),
        }
    }

    fn text(
        &mut self,
        node: &Node,
        text: &Text,
        schema: &Value,
        choices: &[&str],
        path: &str,
    ) -> Option<Value> {
        match &text.variables {
            Variables::None | Variables::Expanded => {}
            Variables::Missing(names) if is_secret(schema) => {
                let path = || path.to_owned();
                let unset = names.iter().map(|name| (path(), name.clone()));
                self.unset_secrets.extend(unset);
                return None;
            }
            Variables::Malformed(_) if is_secret(schema) => {
                self.issue(
                    node,
                    path,
                    "expected ${NAME} with the name of an environment variable",
                );
                return None;
            }
            Variables::Missing(_) | Variables::Malformed(_) => {
                self.variable_problem(node, &text.variables, path);
                return None;
            }
            // What it will stand for is not known here; a text may well hold it.
            Variables::Kept if choices.is_empty() && allows(schema, "string") => {}
            Variables::Kept => return None,
        }
        if !choices.is_empty() {
            return if choices.contains(&text.value.as_str()) {
                Some(Value::String(text.value.clone()))
            } else {
                self.not_a_choice(node, choices, path)
            };
        }
        if allows(schema, "string") {
            let least = limit(schema, "minLength").unwrap_or(0.0);
            if (text.value.chars().count() as f64) < least {
                self.issue(node, path, "this text must not be empty");
                return None;
            }
            return Some(Value::String(text.value.clone()));
        }
        match self.read_as_other(node, text, schema) {
            Some(Value::Number(number)) => self.in_range(node, &number, schema, path),
            Some(value) => Some(value),
            None => self.wrong_type(node, schema, path),
        }
    }

    /// A variable's text may stand for a number or a truth value; `yes`, `no`, `on` and `off`,
    /// written without quotes, are truth values in older YAML.
    fn read_as_other(&self, node: &Node, text: &Text, schema: &Value) -> Option<Value> {
        let expanded = text.variables == Variables::Expanded;
        let word = text.value.trim();
        if allows(schema, "boolean") && (expanded || self.is_plain(node)) {
            let truth = match word.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            };
            if let Some(truth) = truth {
                return Some(Value::Bool(truth));
            }
        }
        if !expanded {
            return None;
        }
        let number: Number = word.parse().ok()?;
        is_number_of(&number, schema).then_some(Value::Number(number))
    }

    fn is_plain(&self, node: &Node) -> bool {
        !self
            .document
            .source(node)
            .starts_with(['"', '\'', '|', '>'])
    }

    fn in_range(
        &mut self,
        node: &Node,
        number: &Number,
        schema: &Value,
        path: &str,
    ) -> Option<Value> {
        let value = number.as_f64()?;
        let (format_least, format_most) = format_range(schema);
        let least = limit(schema, "minimum").or(format_least);
        let most = limit(schema, "maximum").or(format_most);
        let above = limit(schema, "exclusiveMinimum");
        let message = if let Some(least) = least.filter(|least| value < *least) {
            format!("{number} is too small; the smallest value is {least}")
        } else if let Some(most) = most.filter(|most| value > *most) {
            format!("{number} is too large; the largest value is {most}")
        } else if let Some(above) = above.filter(|above| value <= *above) {
            format!("{number} is too small; the value has to be above {above}")
        } else {
            return Some(Value::Number(number.clone()));
        };
        self.issue(node, path, message);
        None
    }

    fn not_a_choice(&mut self, node: &Node, choices: &[&str], path: &str) -> Option<Value> {
        let found = self.quoted(node);
        let bare = found.trim_matches(['"', '\'']);
        self.issues.push(ConfigIssue {
            file: self.file.to_owned(),
            line: node.position.line,
            column: node.position.column,
            key: path.to_owned(),
            message: match choices {
                [only] => format!("expected {only}, found {found}"),
                _ => format!("expected one of {}, found {found}", choices.join(", ")),
            },
            nearest: nearest::word(bare, choices.iter().copied()),
        });
        None
    }

    pub(super) fn wrong_type(&mut self, node: &Node, schema: &Value, path: &str) -> Option<Value> {
        let expected = expected(schema);
        let message = match &node.content {
            Content::Nothing => {
                format!("expected {expected}, found nothing; give it a value or remove the key")
            }
            Content::Bool(_) | Content::Number(_) if allows(schema, "string") => {
                let found = self.found(node, schema);
                format!("expected {expected}, found {found}; put it in quotes to make it text")
            }
            Content::Text(text) if !is_secret(schema) && reads_as(text.value.trim(), schema) => {
                let found = self.found(node, schema);
                format!("expected {expected}, found {found}; write it without quotes")
            }
            _ => format!("expected {expected}, found {}", self.found(node, schema)),
        };
        self.issue(node, path, message);
        None
    }

    /// What stands there, in words. A secret is never quoted.
    fn found(&self, node: &Node, schema: &Value) -> String {
        let kind = match &node.content {
            Content::Nothing => return "nothing".to_owned(),
            Content::List(_) => return "a list".to_owned(),
            Content::Map(_) => return "a mapping".to_owned(),
            Content::Bool(_) if is_secret(schema) => return "a truth value".to_owned(),
            Content::Bool(_) => "",
            Content::Number(_) | Content::NotFinite => "the number ",
            Content::Text(_) => "the text ",
        };
        if is_secret(schema) {
            return kind.replace("the ", "a ").trim().to_owned();
        }
        format!("{kind}{}", self.quoted(node))
    }

    /// The value as it was written, variables not filled in, on one line.
    fn quoted(&self, node: &Node) -> String {
        match &node.content {
            Content::List(_) => return "a list".to_owned(),
            Content::Map(_) => return "a mapping".to_owned(),
            Content::Nothing => return "nothing".to_owned(),
            _ => {}
        }
        let source = self.document.source(node);
        let line = source.lines().next().unwrap_or("");
        let mut short: String = line.chars().take(QUOTE_LIMIT).collect();
        if short.len() < source.len() {
            short.push('…');
        }
        let is_bare_text = matches!(node.content, Content::Text(_)) && self.is_plain(node);
        if is_bare_text {
            format!("\"{short}\"")
        } else {
            short
        }
    }

    pub(super) fn variable_problem(&mut self, node: &Node, variables: &Variables, path: &str) {
        match variables {
            Variables::Missing(names) => {
                for name in names {
                    let message = format!(
                        "the environment variable {name} is not set; set it, or put it in the .env file beside the configuration"
                    );
                    self.issue(node, path, message);
                }
            }
            Variables::Malformed(written) => {
                let message = format!(
                    "{written} does not name a variable; write $${{ where the text is meant as it stands"
                );
                self.issue(node, path, message);
            }
            Variables::None | Variables::Expanded | Variables::Kept => {}
        }
    }
}

/// The values that an enumeration allows; empty where the schema is none.
fn choices(schema: &Value) -> Vec<&str> {
    if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
        return listed.iter().filter_map(Value::as_str).collect();
    }
    let described = schema.get("oneOf").and_then(Value::as_array);
    described
        .into_iter()
        .flatten()
        .filter_map(|choice| choice.get("const").and_then(Value::as_str))
        .collect()
}

/// The types that a schema allows, of itself or by its alternatives.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(only)) => vec![only],
        _ => {
            let alternatives = schema.get("anyOf").and_then(Value::as_array);
            let types = alternatives.into_iter().flatten().flat_map(types);
            types.collect()
        }
    }
}

fn allows(schema: &Value, kind: &str) -> bool {
    types(schema).contains(&kind)
}

fn is_number_of(number: &Number, schema: &Value) -> bool {
    allows(schema, "number") || (allows(schema, "integer") && !number.is_f64())
}

/// Whether a quoted text would be right without its quotes.
fn reads_as(word: &str, schema: &Value) -> bool {
    let is_number = word
        .parse::<Number>()
        .is_ok_and(|number| is_number_of(&number, schema));
    is_number || (allows(schema, "boolean") && matches!(word, "true" | "false"))
}

fn is_secret(schema: &Value) -> bool {
    schema.get("writeOnly") == Some(&Value::Bool(true))
}

/// A limit of the schema or of one of its alternatives.
fn limit(schema: &Value, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64).or_else(|| {
        let alternatives = schema.get("anyOf").and_then(Value::as_array)?;
        alternatives.iter().find_map(|inner| limit(inner, name))
    })
}

/// What the number's Rust type can hold.
fn format_range(schema: &Value) -> (Option<f64>, Option<f64>) {
    match schema.get("format").and_then(Value::as_str) {
        Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        _ => (None, None),
    }
}

fn expected(schema: &Value) -> String {
    let words: Vec<&str> = types(schema)
        .into_iter()
        .map(|kind| match kind {
            "string" => "text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "object" => "a mapping",
            other => other,
        })
        .collect();
    words.join(" or ")
}

//! The arguments of a call, checked against the tool's form.
//!
//! A wrong call is answered with everything that is wrong with it and the right form, so that the
//! model's next try can be right. Harmless slips are understood: the usual other names, a number
//! or a flag written as text, `null` for an argument left out, the whole object as a JSON text.

use super::definitions::{Field, Form, Kind, Need};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(Debug, PartialEq)]
enum Argument {
    Text(String),
    Integer(u64),
    Flag(bool),
}

/// Arguments that fit the form they were checked against.
#[derive(Debug)]
pub(crate) struct Arguments {
    values: BTreeMap<&'static str, Argument>,
}

impl Arguments {
    /// Checks `input`; the error is the text for the model.
    pub(crate) fn check(form: &'static Form, input: &Value) -> Result<Self, String> {
        let Some(object) = as_object(input) else {
            return Err(wrong(
                form,
                &[format!("they must be a JSON object, not {}", shown(input))],
            ));
        };
        let mut problems = Vec::new();
        let mut values = BTreeMap::new();
        for (key, value) in &object {
            let Some(field) = field_named(form, key) else {
                problems.push(unknown(form, key));
                continue;
            };
            if value.is_null() {
                continue;
            }
            match argument(field, value) {
                Ok(argument) => {
                    if values.insert(field.name, argument).is_some() {
                        problems.push(format!("`{}` is given twice", field.name));
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        for field in form.fields {
            let named = object.keys().any(|key| {
                field_named(form, key).is_some_and(|named| named.name == field.name)
                    && !object[key].is_null()
            });
            if field.need == Need::Required && !named {
                problems.push(format!("`{}` is missing", field.name));
            }
        }
        if problems.is_empty() {
            Ok(Self { values })
        } else {
            Err(wrong(form, &problems))
        }
    }

    /// A required text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_default()
    }

    /// An optional text.
    pub(crate) fn optional_text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// An optional number.
    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        match self.values.get(name) {
            Some(Argument::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// A flag; not set when left out.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Argument::Flag(true)))
    }
}

/// The text of one argument of a call that need not be a right one; for describing it.
pub(crate) fn text_of(form: &Form, input: &Value, name: &str) -> Option<String> {
    let object = as_object(input)?;
    let found = object.iter().find(|(key, value)| {
        value.is_string() && field_named(form, key).is_some_and(|field| field.name == name)
    });
    found.and_then(|(_, value)| value.as_str().map(str::to_owned))
}

fn as_object(input: &Value) -> Option<Map<String, Value>> {
    match input {
        Value::Object(object) => Some(object.clone()),
        Value::Null => Some(Map::new()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

fn field_named(form: &Form, key: &str) -> Option<&'static Field> {
    let fields: &'static [Field] = form.fields;
    fields
        .iter()
        .find(|field| field.name == key || field.other_names.contains(&key))
}

fn argument(field: &Field, value: &Value) -> Result<Argument, String> {
    let problem = |wanted: &str| format!("`{}` must be {wanted}, not {}", field.name, shown(value));
    match field.kind {
        Kind::Text => match value {
            Value::String(text) => Ok(Argument::Text(text.clone())),
            _ => Err(problem("a text")),
        },
        Kind::Integer { minimum } => {
            let number = match value {
                Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            number
                .filter(|number| *number >= minimum)
                .map(Argument::Integer)
                .ok_or_else(|| problem(&format!("a whole number of at least {minimum}")))
        }
        Kind::Flag => match value {
            Value::Bool(flag) => Ok(Argument::Flag(*flag)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Argument::Flag(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Argument::Flag(false)),
            _ => Err(problem("true or false")),
        },
        Kind::Choice(choices) => {
            let chosen = value.as_str().and_then(|text| choice(choices, text));
            let wanted = choices.join("`, `");
            chosen
                .map(|text| Argument::Text(text.to_owned()))
                .ok_or_else(|| problem(&format!("one of `{wanted}`")))
        }
    }
}

/// The choice meant: its own name, or a longer one of other tools (`files_with_matches`).
fn choice<'a>(choices: &[&'a str], text: &str) -> Option<&'a str> {
    choices
        .iter()
        .copied()
        .find(|choice| *choice == text || text.starts_with(&format!("{choice}_")))
}

fn whole(number: f64) -> Option<u64> {
    // A float that holds a whole number prints without a fraction, so no lossy cast is needed.
    (number.fract() == 0.0 && number >= 0.0)
        .then(|| format!("{number:.0}").parse().ok())
        .flatten()
}

fn unknown(form: &Form, key: &str) -> String {
    let nearest = form
        .fields
        .iter()
        .map(|field| (strsim::jaro_winkler(key, field.name), field.name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, name)) => format!("`{key}` is not an argument; did you mean `{name}`?"),
        None => format!("`{key}` is not an argument"),
    }
}

fn wrong(form: &Form, problems: &[String]) -> String {
    let mut text = format!("{} was called with wrong arguments:\n", form.tool);
    for problem in problems {
        let _ = writeln!(text, "- {problem}");
    }
    let _ = writeln!(text, "The right form: {} {}", form.tool, form.example);
    text.push_str("Arguments:");
    for field in form.fields {
        let kind = match field.kind {
            Kind::Text => "text".to_owned(),
            Kind::Integer { .. } => "whole number".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::Choice(choices) => choices.join(" | "),
        };
        let need = match field.need {
            Need::Required => "required",
            Need::Optional => "optional",
        };
        let _ = write!(text, "\n- {} ({kind}, {need}): {}", field.name, field.about);
    }
    text
}

/// A value short enough to stand in a sentence.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    let kind = match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        _ => "a long text",
    };
    kind.to_owned()
}

//! Which fields an object of a request may and must have, and of which kinds.

use serde_json::Value;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A text that is not empty.
    Filled,
    /// A text that says something.
    Words,
    Integer,
    Number,
    List,
    Object,
    True,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

pub(crate) type Fields = &'static [(&'static str, Kind, Need)];

/// Notes everything that is wrong with an object's fields.
pub(crate) fn fields(place: &str, value: &Value, known: Fields, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        found.push(format!("{place} is not an object: {value}"));
        return;
    };
    for (name, value) in object {
        match known.iter().find(|(known, ..)| known == name) {
            None => found.push(format!("{place} has the unknown field `{name}`")),
            Some((_, kind, _)) if !is(value, *kind) => {
                found.push(format!("{place}: `{name}` cannot be {value}"));
            }
            Some(_) => {}
        }
    }
    for (name, _, need) in known {
        if *need == Need::Required && !object.contains_key(*name) {
            found.push(format!("{place} has no `{name}`"));
        }
    }
}

fn is(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Filled => value.as_str().is_some_and(|text| !text.is_empty()),
        Kind::Words => value.as_str().is_some_and(|text| !text.trim().is_empty()),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::List => value.is_array(),
        Kind::Object => value.is_object(),
        Kind::True => *value == true,
    }
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

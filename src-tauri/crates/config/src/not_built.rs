//! Keys that are documented and checked, but whose feature this version does not have.
//!
//! Such a configuration opens and validates; starting a session with it is refused by name. When
//! a feature is built, its row goes.

use crate::settings::Review;
use serde_json::Value;

/// A key that keeps a session from being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotBuilt {
    /// Full path of the key, with its value where the value is what counts.
    pub key: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Why it is refused, as a sentence.
    pub why: String,
}

/// When a row applies.
enum When {
    /// The key is false.
    False,
    /// The key is given, and not as an empty list or mapping.
    Given,
}

struct Row {
    /// Below `live_agent`, or from the top where it begins with a slash.
    key: &'static str,
    when: When,
    why: &'static str,
}

const TABLE: &[Row] = &[
    Row {
        key: "sandbox",
        when: When::Given,
        why: "The sandbox is not in this version; the agent would run without it.",
    },
    Row {
        key: "enabled",
        when: When::False,
        why: "The configuration switches the live agent off.",
    },
    Row {
        key: "/agentic.enabled",
        when: When::False,
        why: "The configuration switches the agent off.",
    },
];

/// The keys of a configuration that keep a session from being started, from the top down.
pub(crate) fn find(review: &Review<'_>, config: &Value, live_agent: &Value) -> Vec<NotBuilt> {
    let mut found: Vec<NotBuilt> = TABLE
        .iter()
        .filter_map(|row| {
            let (from, tail, path) = match row.key.strip_prefix('/') {
                Some(tail) => (config, tail, tail.to_owned()),
                None => (live_agent, row.key, review.live(row.key)),
            };
            let value = from.pointer(&format!("/{}", tail.replace('.', "/")))?;
            let key = match row.when {
                When::False if *value == Value::Bool(false) => format!("{path}: false"),
                When::Given if !is_empty(value) => path.clone(),
                _ => return None,
            };
            let position = review.place_of_key(&path);
            Some(NotBuilt {
                key,
                line: position.line,
                column: position.column,
                why: row.why.to_owned(),
            })
        })
        .collect();
    found.sort_by_key(|refused| (refused.line, refused.column));
    found
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

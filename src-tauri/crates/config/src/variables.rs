//! `${VAR}` in the texts of a document.
//!
//! Expansion works on parsed texts, never on YAML: whatever a value holds, it stays one text.
//! `$${` stands for `${` itself; a `$` before anything else is a plain character.

use crate::document::{Content, Node, Text, Variables};

/// Where variables come from.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Expands the variables in all texts below a node. Without an environment they are only noted.
pub(crate) fn expand(node: &mut Node, environment: Option<Environment<'_>>) {
    match &mut node.content {
        Content::Text(text) => expand_text(text, environment),
        Content::List(nodes) => {
            for node in nodes {
                expand(node, environment);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                expand(&mut entry.value, environment);
            }
        }
        Content::Nothing | Content::Bool(_) | Content::Number(_) | Content::NotFinite => {}
    }
}

fn expand_text(text: &mut Text, environment: Option<Environment<'_>>) {
    if !text.value.contains("${") {
        return;
    }
    let Some(environment) = environment else {
        text.variables = Variables::Kept;
        return;
    };
    let mut expanded = String::new();
    let mut missing = Vec::new();
    let mut rest = text.value.as_str();
    while let Some(at) = rest.find("${") {
        expanded.push_str(&rest[..at]);
        if rest[..at].ends_with('$') {
            expanded.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        let name = rest[at + 2..].split('}').next().unwrap_or("");
        let end = at + 2 + name.len();
        if !is_name(name) || !rest[end..].starts_with('}') {
            text.variables = Variables::Malformed(rest[at..].chars().take(24).collect());
            return;
        }
        match environment(name) {
            Some(value) => expanded.push_str(&value),
            None => missing.push(name.to_owned()),
        }
        rest = &rest[end + 1..];
    }
    expanded.push_str(rest);
    if missing.is_empty() {
        text.value = expanded;
        text.variables = Variables::Expanded;
    } else {
        text.variables = Variables::Missing(missing);
    }
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}

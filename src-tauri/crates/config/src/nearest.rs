//! The nearest right word to a wrong one.

use serde_json::Value;

/// The candidate that the word was most likely meant to be; nothing where none is near.
pub(crate) fn word<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let wrong = plain(wrong);
    candidates
        .into_iter()
        .map(|candidate| (likeness(&wrong, &plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate.to_owned())
}

/// Path of the key of that name somewhere else in the schema, the nearest to the top; nothing
/// where several are equally near.
pub(crate) fn elsewhere(key: &str, schema: &Value) -> Option<String> {
    let mut paths = Vec::new();
    collect(key, schema, "", &mut paths);
    // `live_agent` may stand in two places; one of them is enough to point at.
    paths.retain(|path| !path.starts_with("agentic.live_agent."));
    let depth = |path: &String| path.matches('.').count();
    let least = paths.iter().map(depth).min()?;
    paths.retain(|path| depth(path) == least);
    match paths.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn collect(key: &str, schema: &Value, path: &str, found: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, inner) in properties.into_iter().flatten() {
        let inner_path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect(key, inner, &inner_path, found);
        if name == key {
            found.push(inner_path);
        }
    }
    if let Some(items) = schema.get("items") {
        collect(key, items, &format!("{path}[]"), found);
    }
}

/// Case and the choice of `-`, `_` or a space are not what makes words different.
fn plain(word: &str) -> String {
    word.chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// 1 for equal words. A word that begins with the other counts as near: people shorten.
fn likeness(left: &str, right: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(left, right);
    let shorter = left.len().min(right.len());
    if shorter >= 3 && (left.starts_with(right) || right.starts_with(left)) {
        return edits.max(0.75);
    }
    edits
}

//! Where a key stands in the document, for what is found wrong after the check.

use crate::check::join;
use crate::document::{Content, Node};
use crate::issues::{ConfigIssue, Issues, Position};
use std::path::Path;

/// A document under review: refuses keys by their path.
pub(crate) struct Review<'a> {
    file: &'a Path,
    root: &'a Node,
    dropped_items: &'a [String],
    pub(crate) issues: &'a mut Issues,
}

/// A key or a list's item that a path leads to.
struct Found<'a> {
    key: Position,
    node: &'a Node,
}

impl<'a> Review<'a> {
    /// A review of a document; `dropped_items` are the list items that its check left out.
    pub(crate) fn new(
        file: &'a Path,
        root: &'a Node,
        dropped_items: &'a [String],
        issues: &'a mut Issues,
    ) -> Self {
        Self {
            file,
            root,
            dropped_items,
            issues,
        }
    }

    /// Paths of a list's items that passed the check, in order.
    pub(crate) fn items(&self, list: &str) -> Vec<String> {
        let Ok(Found { node, .. }) = self.find(list) else {
            return Vec::new();
        };
        let count = match &node.content {
            Content::List(items) => items.len(),
            _ => 0,
        };
        (0..count)
            .map(|index| format!("{list}[{index}]"))
            .filter(|path| !self.dropped_items.contains(path))
            .collect()
    }

    /// Full path of a key of the live agent, in the place where it is given.
    pub(crate) fn live(&self, tail: &str) -> String {
        let inner = format!("agentic.live_agent.{tail}");
        let top = format!("live_agent.{tail}");
        let in_inner = self.is_given("agentic.live_agent") && !self.is_given(&top);
        if self.is_given(&inner) || in_inner {
            inner
        } else {
            top
        }
    }

    /// Whether the document gives the key, with a right value or a wrong one.
    pub(crate) fn is_given(&self, path: &str) -> bool {
        self.find(path).is_ok()
    }

    /// Paths below two mappings that both of them give, mappings in both left out.
    pub(crate) fn given_in_both(&self, left: &str, right: &str) -> Vec<String> {
        let mut both = Vec::new();
        if let (Ok(left), Ok(right)) = (self.find(left), self.find(right)) {
            collect_both(left.node, right.node, "", &mut both);
        }
        both
    }

    /// Where the key stands; where it is not given, the nearest key around it.
    pub(crate) fn place_of_key(&self, path: &str) -> Position {
        match self.find(path) {
            Ok(found) => found.key,
            Err(around) => around,
        }
    }

    /// Notes that the value of a key is wrong.
    pub(crate) fn refuse(&mut self, path: &str, message: impl Into<String>) {
        self.refuse_near(path, message, None);
    }

    /// Notes that the value of a key is wrong, and what may have been meant.
    pub(crate) fn refuse_near(
        &mut self,
        path: &str,
        message: impl Into<String>,
        nearest: Option<String>,
    ) {
        let position = match self.find(path) {
            Ok(found) => found.node.position,
            Err(around) => around,
        };
        self.push(path, position, message.into(), nearest);
    }

    /// Notes that a key should not be there.
    pub(crate) fn refuse_key(&mut self, path: &str, message: impl Into<String>) {
        let position = self.place_of_key(path);
        self.push(path, position, message.into(), None);
    }

    /// Notes that a key is missing.
    pub(crate) fn missing(&mut self, path: &str, message: impl Into<String>) {
        if !self.is_given(path) {
            self.refuse(path, message);
        }
    }

    /// The configuration's name without folder and ending.
    pub(crate) fn file_stem(&self) -> String {
        self.file
            .file_stem()
            .map_or(String::new(), |stem| stem.to_string_lossy().into_owned())
    }

    fn push(&mut self, path: &str, at: Position, message: String, nearest: Option<String>) {
        self.issues.push(ConfigIssue {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
            key: path.to_owned(),
            message,
            nearest,
        });
    }

    /// What a path like `annotation_schemes[2].labels` leads to, or where the way ends.
    fn find(&self, path: &str) -> Result<Found<'a>, Position> {
        let mut found = Found {
            key: Position::START,
            node: self.root,
        };
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let mut names = part.split('[');
            let key = names.next().unwrap_or("");
            let entry = found.node.entry(key).ok_or(found.key)?;
            found = Found {
                key: entry.position,
                node: &entry.value,
            };
            for index in names {
                let index: usize = index.trim_end_matches(']').parse().map_err(|_| found.key)?;
                let Content::List(items) = &found.node.content else {
                    return Err(found.key);
                };
                let item = items.get(index).ok_or(found.key)?;
                found = Found {
                    key: item.position,
                    node: item,
                };
            }
        }
        Ok(found)
    }
}

fn collect_both(left: &Node, right: &Node, path: &str, both: &mut Vec<String>) {
    for entry in right.entries() {
        let Some(other) = left.entry(&entry.key) else {
            continue;
        };
        let path = join(path, &entry.key);
        match (&entry.value.content, &other.value.content) {
            (Content::Map(_), Content::Map(_)) => {
                collect_both(&other.value, &entry.value, &path, both);
            }
            _ => both.push(path),
        }
    }
}

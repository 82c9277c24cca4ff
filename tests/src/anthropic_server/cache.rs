//! The prompt cache: which part of a request was marked in an earlier one.

use super::check::prefix_blocks;
use serde_json::Value;
use std::collections::HashSet;

/// Blocks before a mark among which an earlier one is looked for.
const LOOK_BACK: usize = 20;
/// Bytes of a token.
const TOKEN: usize = 4;

/// The prefixes that are kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: HashSet<String>,
}

/// Tokens of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) input: usize,
    pub(super) read: usize,
    pub(super) written: usize,
}

impl Cache {
    /// Counts a request's tokens and keeps what it marks.
    pub(super) fn count(&mut self, body: &Value) -> Counted {
        let mut prefixes: Vec<String> = Vec::new();
        let mut marks = Vec::new();
        for (at, block) in prefix_blocks(body).into_iter().enumerate() {
            let mut plain = block.clone();
            let marked = plain
                .as_object_mut()
                .and_then(|block| block.remove("cache_control"));
            let before = prefixes.last().map_or("", String::as_str);
            prefixes.push(format!("{before}{plain}\n"));
            marks.extend(marked.map(|_| at));
        }
        let hits = marks.iter().flat_map(|mark| {
            let from = mark.saturating_sub(LOOK_BACK);
            (from..=*mark).filter(|at| self.kept.contains(&prefixes[*at]))
        });
        let tokens = |at: Option<usize>| at.map_or(0, |at| prefixes[at].len() / TOKEN);
        let read = tokens(hits.max());
        let marked = tokens(marks.last().copied());
        let all = tokens(prefixes.len().checked_sub(1));
        self.kept
            .extend(marks.iter().map(|mark| prefixes[*mark].clone()));
        Counted {
            input: all - marked.max(read),
            read,
            written: marked.saturating_sub(read),
        }
    }
}

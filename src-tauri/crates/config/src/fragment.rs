//! Pieces of a configuration, as documentation shows them.

use crate::check::check;
use crate::issues::{ConfigErrors, Issues};
use crate::model::{Config, LiveAgent};
use crate::project::parse;
use crate::schema;
use crate::settings::{self, Review};
use crate::variables::expand;
use std::path::Path;

/// A piece of a configuration, defaults filled in. Variables stand in it as they were written.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The configuration as it is written, the live agent in the place where it stands.
    pub config: Config,
    /// The live agent, brought together from its two places.
    pub live_agent: LiveAgent,
}

/// Parses a piece of a configuration; `file` is only named in errors.
///
/// # Errors
/// Every unknown key and wrong value. Keys that are missing, tasks and paths are not looked at.
pub fn parse_fragment(text: &str, file: &Path) -> Result<Fragment, ConfigErrors> {
    let mut issues = Issues::default();
    let fragment = read(text, file, &mut issues);
    issues.finish(fragment)
}

fn read(text: &str, file: &Path, issues: &mut Issues) -> Option<Fragment> {
    let mut document = parse(text.to_owned(), file, issues)?;
    expand(&mut document.root, None);
    let checked = check(file, &document, &schema::SHAPE, issues);
    let mut review = Review::new(file, &document.root, &checked.dropped_items, issues);
    let live_agent = settings::live_agent(&mut review, &checked.value);
    Some(Fragment {
        live_agent: review.typed(live_agent)?,
        config: review.typed(checked.value)?,
    })
}

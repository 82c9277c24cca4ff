//! What models cost and how much fits into them: a list with its source and date, and whatever the
//! person put beside it.
//!
//! Costs are reckoned when a message arrives and stored with it: a later price changes no record.

use crate::error::EngineError;
use espalier_protocol::{ContextFill, Usage};
use serde::Deserialize;
use std::path::Path;

/// The list that comes with Espalier.
const OWN: &str = include_str!("../../../../data/models.json");

/// Models by the beginning of their names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelList {
    /// Where the prices were read.
    pub source: String,
    /// When: a date as `YYYY-MM-DD`.
    pub as_of: String,
    #[serde(default, rename = "note")]
    _note: String,
    models: Vec<Model>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    id: String,
    /// In tokens.
    context_window: Option<u32>,
    #[serde(flatten)]
    price: Price,
    /// What every token of a request costs whose prompt is longer than `over`.
    long_prompt: Option<LongPrompt>,
}

#[derive(Debug, Clone, Deserialize)]
struct LongPrompt {
    over: u32,
    #[serde(flatten)]
    price: Price,
}

/// US dollars for a million tokens, which is millionths of a dollar for one.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Price {
    input: f64,
    output: f64,
    cache_write_5m: f64,
    cache_write_1h: f64,
    cache_read: f64,
}

impl ModelList {
    /// Espalier's list, with `models.json` of the data folder before it where there is one.
    ///
    /// # Errors
    /// That file cannot be read, or is not such a list.
    pub fn open(data_dir: &Path) -> Result<Self, EngineError> {
        let mut list = Self::parse(OWN).map_err(EngineError::Internal)?;
        let path = data_dir.join("models.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(list),
            Err(error) => return Err(EngineError::model_list(&path, &error.to_string())),
        };
        let theirs = Self::parse(&text).map_err(|why| EngineError::model_list(&path, &why))?;
        list.source = theirs.source;
        list.as_of = theirs.as_of;
        list.models.splice(0..0, theirs.models);
        Ok(list)
    }

    fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The longest id that the name begins with; of equal ones the first.
    fn find(&self, name: &str) -> Option<&Model> {
        let mut best: Option<&Model> = None;
        for model in self.models.iter().filter(|model| model.is_meant_by(name)) {
            if best.is_none_or(|best| model.id.len() > best.id.len()) {
                best = Some(model);
            }
        }
        best
    }

    /// The usage of one message with what it cost and how large the window is. `window` is what the
    /// configuration says; it counts most. The first of the names that is on the list counts.
    pub fn complete(&self, mut usage: Usage, names: &[Option<&str>], window: Option<u32>) -> Usage {
        let model = names.iter().flatten().find_map(|name| self.find(name));
        if let Some(model) = model {
            usage.cost_micro_usd = usage
                .cost_micro_usd
                .or_else(|| Some(model.cost_micro_usd(&usage)));
        }
        let listed = model.and_then(|model| model.context_window);
        usage.context = usage.context.map(|fill| ContextFill {
            window_tokens: window.or(fill.window_tokens).or(listed),
            ..fill
        });
        usage
    }
}

impl Model {
    /// `claude-opus-4-5` is meant by `claude-opus-4-5-20251101`, and not by `claude-opus-4-50`.
    fn is_meant_by(&self, name: &str) -> bool {
        name.strip_prefix(self.id.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '[', '@', ':']))
    }

    fn cost_micro_usd(&self, usage: &Usage) -> u32 {
        let price = match &self.long_prompt {
            Some(long) if usage.input_tokens > long.over => &long.price,
            _ => &self.price,
        };
        let for_an_hour = usage.cache_write_1h_tokens.min(usage.cache_write_tokens);
        let briefly = usage.cache_write_tokens - for_an_hour;
        let fresh = usage
            .input_tokens
            .saturating_sub(usage.cached_tokens)
            .saturating_sub(usage.cache_write_tokens);
        let parts = [
            (fresh, price.input),
            (usage.cached_tokens, price.cache_read),
            (briefly, price.cache_write_5m),
            (for_an_hour, price.cache_write_1h),
            (usage.output_tokens, price.output),
        ];
        let sum: f64 = parts
            .iter()
            .map(|(tokens, each)| f64::from(*tokens) * each)
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of products of what is not negative; casts to integers saturate"
        )]
        let cost = sum.round() as u32;
        cost
    }
}

#[cfg(test)]
#[path = "model_list_tests.rs"]
mod tests;

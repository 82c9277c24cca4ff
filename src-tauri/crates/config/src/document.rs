//! A YAML document as a tree in which every key and value knows where it stands.
//!
//! Nothing is judged here but the YAML itself: repeated keys stay in the tree, and what they are
//! worth is for `check` to say.

use crate::issues::Position;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Spanned};
use std::fmt;
use std::ops::Range;

/// Largest configuration that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A parsed document and its text.
pub(crate) struct Document {
    text: String,
    pub(crate) root: Node,
}

/// Why a text is not YAML.
pub(crate) struct SyntaxError {
    pub(crate) position: Position,
    pub(crate) message: String,
}

/// A value and where it stands.
pub(crate) struct Node {
    pub(crate) position: Position,
    /// Bytes of the document that it was written with, for scalars.
    bytes: Range<usize>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Nothing,
    Bool(bool),
    Number(Number),
    /// Infinities and NaN, which JSON does not have.
    NotFinite,
    Text(Text),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A text, before and after its variables.
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) variables: Variables,
}

/// What became of the `${VAR}`s of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Variables {
    /// There are none.
    None,
    /// `value` holds what they stand for.
    Expanded,
    /// They were left as they are, as in a fragment that is read without an environment.
    Kept,
    /// These are not set.
    Missing(Vec<String>),
    /// This is not the name of a variable.
    Malformed(String),
}

/// A key of a mapping with its value.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) value: Node,
}

impl Document {
    /// Parses a text that begins without a byte order mark.
    pub(crate) fn parse(text: String) -> Result<Self, SyntaxError> {
        let root = serde_yaml::from_str_with_options::<Node>(&text, options())
            .map_err(|error| syntax_error(&error, &text))?;
        Ok(Self { text, root })
    }

    /// A scalar as it was written, quotes included.
    pub(crate) fn source(&self, node: &Node) -> &str {
        self.text.get(node.bytes.clone()).unwrap_or("").trim()
    }
}

impl Node {
    /// A key with its value, the first where it is given more than once.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entries of a mapping; none where it is something else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// Limits far above any configuration and far below what could hold up the machine: a few hundred
/// bytes of nested aliases can stand for billions of values.
fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 100_000,
            max_nodes: 50_000,
            max_aliases: 2_000,
            max_anchors: 1_000,
            max_depth: 48,
            max_documents: 2,
            max_merge_keys: 500,
            max_total_scalar_bytes: 4 * 1024 * 1024,
            max_recorded_anchor_events: 50_000,
            max_recorded_anchor_bytes: 4 * 1024 * 1024,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 16,
        },
        emit_comments: false,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn syntax_error(error: &serde_yaml::Error, text: &str) -> SyntaxError {
    let position = error
        .location()
        .filter(|location| *location != Location::UNKNOWN)
        .map_or(Position::START, position_of);
    let line = text
        .lines()
        .nth(position.line.saturating_sub(1))
        .unwrap_or("");
    let indent = &line[..line.len() - line.trim_start().len()];
    let message = if indent.contains('\t') {
        "not valid YAML: a tab indents this line; YAML is indented with spaces".to_owned()
    } else {
        format!("not valid YAML: {}", plain_words(error))
    };
    SyntaxError { position, message }
}

/// The error's own words, on one line and without the place, which is told apart.
fn plain_words(error: &serde_yaml::Error) -> String {
    use serde_yaml::Error;
    let own = match error.without_snippet() {
        Error::MultipleDocuments { .. } => "a second document begins here; a configuration is one",
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias stands within what it stands for"
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => {
            "the document is too large, nests too deep or repeats too much by aliases"
        }
        Error::AliasError { error, .. } => return plain_words(error),
        Error::Unexpected { .. } => "a key has to be a text",
        _ => "",
    };
    if !own.is_empty() {
        return own.to_owned();
    }
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or("").trim();
    let cut = first.find(" at line ").unwrap_or(first.len());
    first[..cut].trim_end_matches(['.', ':', ',']).to_owned()
}

fn position_of(location: Location) -> Position {
    Position {
        line: usize::try_from(location.line()).unwrap_or(0),
        column: usize::try_from(location.column()).unwrap_or(0),
    }
}

fn bytes_of(location: Location) -> Range<usize> {
    let span = location.span();
    let begin = span.byte_offset().and_then(|at| usize::try_from(at).ok());
    let length = span.byte_len().and_then(|len| usize::try_from(len).ok());
    match (begin, length) {
        (Some(begin), Some(length)) => begin..begin + length,
        _ => 0..0,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        // Where a value is defined, not where an alias repeats it: that is the text to mend.
        Ok(Self {
            position: position_of(spanned.defined),
            bytes: bytes_of(spanned.defined),
            content: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl ContentVisitor {
    fn text<E>(value: &str) -> Result<Content, E> {
        Ok(Content::Text(Text {
            value: value.to_owned(),
            variables: Variables::None,
        }))
    }
}

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Nothing)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Number::from_i128(value).map_or(Content::NotFinite, Content::Number))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Content, E> {
        Ok(Number::from_u128(value).map_or(Content::NotFinite, Content::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Number::from_f64(value).map_or(Content::NotFinite, Content::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Self::text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Content::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            entries.push(Entry {
                key: key.value,
                position: position_of(key.defined),
                value: map.next_value()?,
            });
        }
        Ok(Content::Map(entries))
    }
}

//! `annotation_schemes`: the questions that the annotator answers.

use super::TextOrNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

// One shape for all types: which keys belong to which is a table (`AnnotationType::keys`), so
// that an error can say so in words instead of "matches none of eight shapes".
/// A question that the annotator answers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnotationScheme {
    /// Type of the question.
    pub annotation_type: AnnotationType,
    /// Name under which answers are kept. A scheme named `branch_preference` is asked about two
    /// branches that are compared.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The question. Absent: the name.
    pub description: Option<String>,
    /// What a per-turn rating rates.
    #[serde(default)]
    pub target: RatingTarget,
    /// How a per-turn rating is answered.
    #[serde(default)]
    pub rating_type: RatingType,
    /// Choices, in order; keys 1 to 9 pick them.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true), with = "Vec<TextOrNumber>")]
    pub labels: Vec<String>,
    /// Points of a Likert scale. Absent: as many as `labels`, else 5.
    #[schemars(range(min = 2, max = 100))]
    pub size: Option<u32>,
    /// Words at the low end of a scale.
    pub min_label: Option<String>,
    /// Words at the high end of a scale.
    pub max_label: Option<String>,
    /// Lowest value. A slider without it begins at 0.
    pub min: Option<f64>,
    /// Highest value. A slider without it ends at 100.
    pub max: Option<f64>,
    /// Distance between two values. A slider without it has 1.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub step: Option<f64>,
    /// Whether an answer has to be given.
    #[serde(default)]
    pub label_requirement: LabelRequirement,
    /// For a comparison: what each label says. Labels that are not named make no pair. Absent: the
    /// first label prefers A, the second B.
    #[serde(default)]
    pub verdicts: BTreeMap<String, Verdict>,
}

/// Type of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationType {
    /// Asked about every step.
    PerTurnRating,
    /// One of the labels.
    Radio,
    /// Any of the labels.
    Multiselect,
    /// A point on a scale.
    Likert,
    /// A number on a line.
    Slider,
    /// A number.
    Number,
    /// Free text.
    Text,
    /// Which of two branches is better.
    BranchPreference,
}

impl AnnotationType {
    /// The type as configurations write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerTurnRating => "per_turn_rating",
            Self::Radio => "radio",
            Self::Multiselect => "multiselect",
            Self::Likert => "likert",
            Self::Slider => "slider",
            Self::Number => "number",
            Self::Text => "text",
            Self::BranchPreference => "branch_preference",
        }
    }
}

impl AnnotationType {
    /// Keys that belong to this type, beside those that every scheme has. What a per-turn rating
    /// takes depends on its `rating_type` besides.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::PerTurnRating => &[
                "target",
                "rating_type",
                "labels",
                "size",
                "min_label",
                "max_label",
                "min",
                "max",
                "step",
            ],
            Self::Radio | Self::BranchPreference => &["labels", "verdicts"],
            Self::Multiselect => &["labels"],
            Self::Likert => &["labels", "size", "min_label", "max_label"],
            Self::Slider => &["min", "max", "step", "min_label", "max_label"],
            Self::Number => &["min", "max", "step"],
            Self::Text => &[],
        }
    }

    /// Whether the question makes no sense without `labels`.
    pub const fn needs_labels(self) -> bool {
        matches!(self, Self::Radio | Self::Multiselect)
    }

    /// Every type.
    pub const ALL: [Self; 8] = [
        Self::PerTurnRating,
        Self::Radio,
        Self::Multiselect,
        Self::Likert,
        Self::Slider,
        Self::Number,
        Self::Text,
        Self::BranchPreference,
    ];
}

/// Keys that every scheme has, whatever its type.
pub const COMMON_SCHEME_KEYS: [&str; 4] = [
    "annotation_type",
    "name",
    "description",
    "label_requirement",
];

/// Keys that only some types of schemes have.
pub const SPECIAL_SCHEME_KEYS: [&str; 10] = [
    "target",
    "rating_type",
    "labels",
    "size",
    "min_label",
    "max_label",
    "min",
    "max",
    "step",
    "verdicts",
];

/// What a per-turn rating rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingTarget {
    /// Each step of the agent.
    #[default]
    AgenticSteps,
}

/// How a per-turn rating is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingType {
    #[default]
    Radio,
    Multiselect,
    Likert,
    Slider,
    Number,
    Text,
}

impl RatingType {
    /// The scheme type that is answered in the same way.
    pub const fn as_annotation_type(self) -> AnnotationType {
        match self {
            Self::Radio => AnnotationType::Radio,
            Self::Multiselect => AnnotationType::Multiselect,
            Self::Likert => AnnotationType::Likert,
            Self::Slider => AnnotationType::Slider,
            Self::Number => AnnotationType::Number,
            Self::Text => AnnotationType::Text,
        }
    }
}

/// Whether an answer has to be given.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LabelRequirement {
    /// The annotator has to answer.
    pub required: bool,
}

/// What a label of a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first branch is better.
    A,
    /// The second branch is better.
    B,
    /// Both are equally good.
    Tie,
    /// Neither is any good.
    Neither,
}

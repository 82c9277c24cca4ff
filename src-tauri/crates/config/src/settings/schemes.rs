//! Annotation schemes: what each is asked about and how it is answered.

use super::Review;
use crate::model::{
    AnnotationScheme, AnnotationType, COMMON_SCHEME_KEYS, SPECIAL_SCHEME_KEYS, Verdict,
};
use crate::nearest;
use espalier_protocol::session::{SchemeKind, SchemeSettings, SchemeTarget};

/// Name that makes a scheme a comparison, whatever its type says.
const COMPARISON_NAME: &str = "branch_preference";

/// Labels of a comparison that names none.
const COMPARISON_LABELS: [&str; 4] = ["Branch A", "Branch B", "Both Equal", "Both Failed"];

/// Keys of the exported tree, next to which session-level answers stand under their scheme's name.
const TREE_KEYS: [&str; 4] = ["id", "annotator", "root_branch", "espalier"];

/// Points of a Likert scale that says nothing of its size.
const LIKERT_POINTS: u32 = 5;

pub(super) fn schemes(
    review: &mut Review<'_>,
    schemes: &[AnnotationScheme],
) -> Vec<SchemeSettings> {
    let places = review.items("annotation_schemes");
    check_names(review, schemes, &places);
    let mut outcome_is_taken = false;
    schemes
        .iter()
        .zip(&places)
        .map(|(scheme, place)| {
            let kind = kind(scheme);
            check_keys(review, scheme, place);
            let mut settings = answer(review, scheme, place);
            settings.target = match kind {
                SchemeKind::PerTurnRating => SchemeTarget::Step,
                SchemeKind::BranchPreference => SchemeTarget::Comparison,
                SchemeKind::Radio if !outcome_is_taken => {
                    outcome_is_taken = true;
                    SchemeTarget::Branch
                }
                _ => SchemeTarget::Session,
            };
            settings
        })
        .collect()
}

fn kind(scheme: &AnnotationScheme) -> SchemeKind {
    match scheme.annotation_type {
        AnnotationType::Radio if scheme.name == COMPARISON_NAME => SchemeKind::BranchPreference,
        other => kind_of(other),
    }
}

const fn kind_of(annotation_type: AnnotationType) -> SchemeKind {
    match annotation_type {
        AnnotationType::PerTurnRating => SchemeKind::PerTurnRating,
        AnnotationType::Radio => SchemeKind::Radio,
        AnnotationType::Multiselect => SchemeKind::Multiselect,
        AnnotationType::Likert => SchemeKind::Likert,
        AnnotationType::Slider => SchemeKind::Slider,
        AnnotationType::Number => SchemeKind::Number,
        AnnotationType::Text => SchemeKind::Text,
        AnnotationType::BranchPreference => SchemeKind::BranchPreference,
    }
}

fn check_names(review: &mut Review<'_>, schemes: &[AnnotationScheme], places: &[String]) {
    for (index, (scheme, place)) in schemes.iter().zip(places).enumerate() {
        let path = format!("{place}.name");
        let name = &scheme.name;
        if schemes[..index].iter().any(|earlier| earlier.name == *name) {
            review.refuse(&path, format!("another scheme is named \"{name}\" already"));
        }
        if TREE_KEYS.contains(&name.as_str()) {
            review.refuse(
                &path,
                format!("\"{name}\" is a key of the exported tree; choose another name"),
            );
        }
        let fits = matches!(
            scheme.annotation_type,
            AnnotationType::Radio | AnnotationType::BranchPreference
        );
        if name == COMPARISON_NAME && !fits {
            let message = "a scheme of this name compares two branches, so its annotation_type is radio or branch_preference";
            review.refuse(&path, message);
        }
    }
}

/// How a scheme is answered: by its type, or for a per-turn rating by its `rating_type`.
fn answered_by(scheme: &AnnotationScheme) -> AnnotationType {
    match scheme.annotation_type {
        AnnotationType::PerTurnRating => scheme.rating_type.as_annotation_type(),
        other => other,
    }
}

/// Refuses keys that do not belong to the scheme's type, and asks for labels where it needs them.
fn check_keys(review: &mut Review<'_>, scheme: &AnnotationScheme, place: &str) {
    let answer = answered_by(scheme);
    let is_rating = scheme.annotation_type == AnnotationType::PerTurnRating;
    let is_comparison = kind(scheme) == SchemeKind::BranchPreference;
    let belongs = |key: &str| match key {
        "target" | "rating_type" => is_rating,
        "verdicts" => is_comparison,
        _ => answer.keys().contains(&key),
    };
    let how = if is_rating {
        format!("rating_type: {}", answer.as_str())
    } else {
        format!("annotation_type: {}", answer.as_str())
    };
    for key in SPECIAL_SCHEME_KEYS.into_iter().filter(|key| !belongs(key)) {
        let path = format!("{place}.{key}");
        if review.is_given(&path) {
            let known: Vec<&str> = COMMON_SCHEME_KEYS
                .into_iter()
                .chain(SPECIAL_SCHEME_KEYS.into_iter().filter(|key| belongs(key)))
                .collect();
            let message = format!("does not belong to {how}, which has {}", known.join(", "));
            review.refuse_key(&path, message);
        }
    }
    if answer.needs_labels() {
        let path = format!("{place}.labels");
        review.missing(&path, format!("this key is missing: {how} needs choices"));
    }
}

/// The scheme with its defaults, its target still open.
fn answer(review: &mut Review<'_>, scheme: &AnnotationScheme, place: &str) -> SchemeSettings {
    let kind = kind(scheme);
    let answered_by = answered_by(scheme);
    let mut labels = scheme.labels.clone();
    if kind == SchemeKind::BranchPreference && labels.is_empty() {
        labels = COMPARISON_LABELS.map(str::to_owned).to_vec();
    }
    let (min, max, step) = scale(review, scheme, answered_by, place);
    let (prefers_a, prefers_b) = match kind {
        SchemeKind::BranchPreference => verdicts(review, scheme, &labels, place),
        _ => (Vec::new(), Vec::new()),
    };
    SchemeSettings {
        name: scheme.name.clone(),
        description: scheme
            .description
            .clone()
            .unwrap_or_else(|| scheme.name.clone()),
        kind,
        target: SchemeTarget::Session,
        answer: match kind {
            SchemeKind::PerTurnRating => kind_of(answered_by),
            other => other,
        },
        labels,
        min,
        max,
        step,
        min_label: scheme.min_label.clone(),
        max_label: scheme.max_label.clone(),
        required: scheme.label_requirement.required,
        prefers_a,
        prefers_b,
    }
}

type Scale = (Option<f64>, Option<f64>, Option<f64>);

/// Lowest value, highest value and distance.
fn scale(
    review: &mut Review<'_>,
    scheme: &AnnotationScheme,
    answered_by: AnnotationType,
    place: &str,
) -> Scale {
    match answered_by {
        AnnotationType::Likert => {
            let labels = u32::try_from(scheme.labels.len()).unwrap_or(u32::MAX);
            if let Some(size) = scheme.size
                && labels > 0
                && labels != size
            {
                let message = format!("there are {labels} labels for {size} points");
                review.refuse(&format!("{place}.size"), message);
            }
            let points = match (scheme.size, labels) {
                (Some(size), _) => size,
                (None, 0) => LIKERT_POINTS,
                (None, labels) => labels,
            };
            (Some(1.0), Some(f64::from(points)), Some(1.0))
        }
        AnnotationType::Slider => {
            let (min, max) = (scheme.min.unwrap_or(0.0), scheme.max.unwrap_or(100.0));
            check_ends(review, Some(min), Some(max), place);
            (Some(min), Some(max), Some(scheme.step.unwrap_or(1.0)))
        }
        AnnotationType::Number => {
            check_ends(review, scheme.min, scheme.max, place);
            (scheme.min, scheme.max, scheme.step)
        }
        _ => (None, None, None),
    }
}

fn check_ends(review: &mut Review<'_>, min: Option<f64>, max: Option<f64>, place: &str) {
    if let (Some(min), Some(max)) = (min, max)
        && min >= max
    {
        let key = if review.is_given(&format!("{place}.min")) {
            "min"
        } else {
            "max"
        };
        let message = format!("min ({min}) has to be below max ({max})");
        review.refuse(&format!("{place}.{key}"), message);
    }
}

/// The labels that prefer A and those that prefer B: as `verdicts` says, else the first and the
/// second.
fn verdicts(
    review: &mut Review<'_>,
    scheme: &AnnotationScheme,
    labels: &[String],
    place: &str,
) -> (Vec<String>, Vec<String>) {
    if scheme.verdicts.is_empty() {
        let nth = |index: usize| labels.get(index).cloned().into_iter().collect();
        if labels.len() < 2 {
            let message =
                "a comparison needs two labels at least: the first prefers A, the second B";
            review.refuse(&format!("{place}.labels"), message);
        }
        return (nth(0), nth(1));
    }
    for label in scheme
        .verdicts
        .keys()
        .filter(|label| !labels.contains(label))
    {
        let nearest = nearest::word(label, labels.iter().map(String::as_str));
        let message = format!("\"{label}\" is none of the labels");
        review.refuse_near(&format!("{place}.verdicts"), message, nearest);
    }
    let with = |wanted: Verdict| {
        let labels = labels.iter();
        let chosen = labels.filter(|label| scheme.verdicts.get(*label) == Some(&wanted));
        chosen.cloned().collect()
    };
    (with(Verdict::A), with(Verdict::B))
}

//! Whether an answer fits its scheme.

use crate::error::EngineError;
use espalier_protocol::SessionTree;
use espalier_protocol::op::AnnotationTarget;
use espalier_protocol::session::{SchemeKind, SchemeSettings, SchemeTarget};
use serde_json::Value;

/// Checks that the scheme exists, is asked about such a target, and allows the value. Null takes
/// an answer back and always fits.
pub fn check(
    tree: &SessionTree,
    schemes: &[SchemeSettings],
    target: &AnnotationTarget,
    name: &str,
    value: &Value,
) -> Result<(), EngineError> {
    let scheme = schemes
        .iter()
        .find(|scheme| scheme.name == name)
        .ok_or_else(|| EngineError::Unknown {
            what: "annotation scheme",
            name: name.to_owned(),
        })?;
    check_target(tree, scheme, target)?;
    if value.is_null() {
        return Ok(());
    }
    check_value(scheme, value)
}

fn check_target(
    tree: &SessionTree,
    scheme: &SchemeSettings,
    target: &AnnotationTarget,
) -> Result<(), EngineError> {
    let known_branch = |id: &espalier_protocol::BranchId| {
        tree.branch(id)
            .map(|_| ())
            .ok_or_else(|| EngineError::Unknown {
                what: "branch",
                name: id.to_string(),
            })
    };
    let fits = match target {
        AnnotationTarget::Step { step } => {
            if !tree.steps.contains_key(step) {
                return Err(EngineError::Unknown {
                    what: "step",
                    name: step.to_string(),
                });
            }
            scheme.target == SchemeTarget::Step
        }
        AnnotationTarget::Branch { branch } => {
            known_branch(branch)?;
            scheme.target == SchemeTarget::Branch
        }
        AnnotationTarget::Comparison { a, b } => {
            known_branch(a)?;
            known_branch(b)?;
            if a == b {
                return Err(refuse(scheme, "a branch cannot be compared with itself"));
            }
            scheme.target == SchemeTarget::Comparison
        }
        AnnotationTarget::Session => scheme.target == SchemeTarget::Session,
    };
    if fits {
        Ok(())
    } else {
        let asked = match scheme.target {
            SchemeTarget::Step => "it is asked about steps",
            SchemeTarget::Branch => "it is asked about branches",
            SchemeTarget::Comparison => "it is asked about comparisons",
            SchemeTarget::Session => "it is asked about the whole session",
        };
        Err(refuse(scheme, asked))
    }
}

fn check_value(scheme: &SchemeSettings, value: &Value) -> Result<(), EngineError> {
    let is_label = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| scheme.labels.iter().any(|label| label == text))
    };
    match scheme.answer {
        SchemeKind::Radio | SchemeKind::BranchPreference | SchemeKind::PerTurnRating => {
            if is_label(value) {
                return Ok(());
            }
            Err(refuse(scheme, &one_of(scheme)))
        }
        SchemeKind::Multiselect => match value.as_array() {
            Some(values) if values.iter().all(is_label) => Ok(()),
            _ => Err(refuse(
                scheme,
                &format!("a list of: {}", scheme.labels.join(", ")),
            )),
        },
        SchemeKind::Likert if !scheme.labels.is_empty() && value.is_string() => {
            if is_label(value) {
                return Ok(());
            }
            Err(refuse(scheme, &one_of(scheme)))
        }
        SchemeKind::Likert | SchemeKind::Slider | SchemeKind::Number => {
            let number = value
                .as_f64()
                .ok_or_else(|| refuse(scheme, "the answer is a number"))?;
            if scheme.min.is_some_and(|min| number < min)
                || scheme.max.is_some_and(|max| number > max)
            {
                return Err(refuse(
                    scheme,
                    &format!(
                        "the answer lies between {} and {}",
                        scheme.min.map_or("any".to_owned(), |min| min.to_string()),
                        scheme.max.map_or("any".to_owned(), |max| max.to_string())
                    ),
                ));
            }
            Ok(())
        }
        SchemeKind::Text => {
            if value.is_string() {
                return Ok(());
            }
            Err(refuse(scheme, "the answer is a text"))
        }
    }
}

fn one_of(scheme: &SchemeSettings) -> String {
    format!("the answer is one of: {}", scheme.labels.join(", "))
}

fn refuse(scheme: &SchemeSettings, why: &str) -> EngineError {
    EngineError::Annotation {
        scheme: scheme.name.clone(),
        why: format!("{why}."),
    }
}

//! What the annotator decides on: two branches side by side, what a rollback would undo, what a
//! step changed.

use crate::error::EngineError;
use espalier_checkpoint::CheckpointReader;
use espalier_protocol::op::Place;
use espalier_protocol::view::{ComparisonSide, ComparisonView, FileDiff, RestorePreview};
use espalier_protocol::{BranchId, CheckpointId, SessionTree, Step, StepId};

/// Sets two branches side by side: where they part, their figures, and how their files differ.
pub fn compare(
    reader: &CheckpointReader,
    tree: &SessionTree,
    a: &BranchId,
    b: &BranchId,
) -> Result<ComparisonView, EngineError> {
    let tip_a = tip(tree, a)?;
    let tip_b = tip(tree, b)?;
    let shared = tree.shared_step(a, b);
    let files = match (&tip_a, &tip_b) {
        (Some(from), Some(to)) => reader.diff(Some(from), to)?,
        _ => Vec::new(),
    };
    let fork = Place {
        branch: a.clone(),
        step: shared,
    };
    // Steps are shared by identity, so files and conversation agree at the fork; only what the
    // checkpoint could not hold may differ.
    let same_start = tree
        .checkpoint_at(&fork)
        .is_some_and(|checkpoint| checkpoint.uncaptured_total == 0);
    let base = tree
        .checkpoint_at(&fork)
        .map(|checkpoint| checkpoint.id.clone());
    Ok(ComparisonView {
        a: a.clone(),
        b: b.clone(),
        shared_step: shared,
        same_start,
        files,
        side_a: side(reader, tree, a, shared, base.as_ref(), tip_a.as_ref())?,
        side_b: side(reader, tree, b, shared, base.as_ref(), tip_b.as_ref())?,
    })
}

fn tip(tree: &SessionTree, id: &BranchId) -> Result<Option<CheckpointId>, EngineError> {
    let branch = tree.branch(id).ok_or_else(|| EngineError::Unknown {
        what: "branch",
        name: id.to_string(),
    })?;
    let place = Place {
        branch: id.clone(),
        step: tree.tip_step(id),
    };
    let tip = branch.tip.as_ref().or_else(|| tree.checkpoint_at(&place));
    Ok(tip.map(|checkpoint| checkpoint.id.clone()))
}

fn side(
    reader: &CheckpointReader,
    tree: &SessionTree,
    id: &BranchId,
    shared: i32,
    base: Option<&CheckpointId>,
    tip: Option<&CheckpointId>,
) -> Result<ComparisonSide, EngineError> {
    let place = Place {
        branch: id.clone(),
        step: tree.tip_step(id),
    };
    let own: Vec<&Step> = tree
        .path_steps(&place)
        .into_iter()
        .filter(|step| i64::from(step.index) > i64::from(shared))
        .collect();
    let changes = match (base, tip) {
        (Some(base), Some(tip)) => reader.changes(Some(base), tip)?,
        _ => Vec::new(),
    };
    let working = own
        .iter()
        .map(|step| step.model_ms + step.result.as_ref().map_or(0, |result| result.duration_ms));
    Ok(ComparisonSide {
        steps: u32::try_from(own.len()).unwrap_or(u32::MAX),
        test: tree
            .branch(id)
            .and_then(|branch| branch.tests.last())
            .map(|test| test.outcome),
        working_ms: working.fold(0, u32::saturating_add),
        input_tokens: sum(&own, |step| step.usage.input_tokens),
        output_tokens: sum(&own, |step| step.usage.output_tokens),
        cost_micro_usd: own
            .iter()
            .filter_map(|step| step.usage.cost_micro_usd)
            .reduce(u32::saturating_add),
        changed_files: u32::try_from(changes.len()).unwrap_or(u32::MAX),
        added_lines: changes.iter().filter_map(|change| change.added_lines).sum(),
        removed_lines: changes
            .iter()
            .filter_map(|change| change.removed_lines)
            .sum(),
    })
}

fn sum(steps: &[&Step], figure: impl Fn(&Step) -> u32) -> u32 {
    steps
        .iter()
        .map(|step| figure(step))
        .fold(0, u32::saturating_add)
}

/// Says what a rollback to `place` would undo.
pub fn preview(
    reader: &CheckpointReader,
    tree: &SessionTree,
    place: &Place,
    edited_by_hand: Vec<String>,
) -> Result<RestorePreview, EngineError> {
    let target = tree
        .checkpoint_at(place)
        .ok_or_else(|| EngineError::Unknown {
            what: "checkpoint after step",
            name: place.step.to_string(),
        })?;
    let files = match &tree.last_checkpoint {
        Some(head) if head.id != target.id => reader.diff(Some(&head.id), &target.id)?,
        _ => Vec::new(),
    };
    let steps_undone = tree.cursor.as_ref().map_or(0, |cursor| {
        let kept = tree.path_steps(place);
        tree.path_steps(cursor)
            .iter()
            .filter(|step| !kept.iter().any(|other| other.id == step.id))
            .count()
    });
    Ok(RestorePreview {
        target: target.id.clone(),
        files,
        edited_by_hand,
        uncaptured: target.uncaptured.clone(),
        steps_undone: u32::try_from(steps_undone).unwrap_or(u32::MAX),
    })
}

/// The difference that one step made.
pub fn step_diff(
    reader: &CheckpointReader,
    tree: &SessionTree,
    id: &StepId,
) -> Result<Vec<FileDiff>, EngineError> {
    let step = tree.steps.get(id).ok_or_else(|| EngineError::Unknown {
        what: "step",
        name: id.to_string(),
    })?;
    match &step.checkpoint {
        Some(checkpoint) if checkpoint.created => Ok(reader.step_diff(&checkpoint.id)?),
        _ => Ok(Vec::new()),
    }
}

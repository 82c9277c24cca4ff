//! The document's trajectory tree. Further facts stand under one extra key, `espalier`.

use espalier_protocol::op::{AnnotationTarget, Place};
use espalier_protocol::session::{SchemeKind, SchemeSettings, SchemeTarget, SessionMeta};
use espalier_protocol::tree::{Answer, PathItem};
use espalier_protocol::{Branch, BranchId, SessionTree, Step, StepKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A session as the document's tree.
pub fn trajectory_tree(tree: &SessionTree) -> Value {
    let Some(meta) = &tree.meta else {
        return Value::Null;
    };
    let mut out = Map::new();
    out.insert("id".to_owned(), json!(meta.task.id));
    out.insert("annotator".to_owned(), json!(meta.annotator));
    out.insert(
        "root_branch".to_owned(),
        branch(tree, meta, &BranchId::main()),
    );
    if let Some((a, b)) = tree.comparisons.last()
        && let Some(value) = comparison_value(tree, meta, a, b)
    {
        out.insert("branch_preference".to_owned(), value);
    }
    if let Some(answers) = tree.answers.get(&AnnotationTarget::Session) {
        for scheme in &meta.settings.schemes {
            if let Some(answer) = answers.get(&scheme.name) {
                out.insert(scheme.name.clone(), answer.value.clone());
            }
        }
    }
    out.insert("espalier".to_owned(), session_facts(tree, meta));
    Value::Object(out)
}

fn comparison_value(
    tree: &SessionTree,
    meta: &SessionMeta,
    a: &BranchId,
    b: &BranchId,
) -> Option<Value> {
    let target = AnnotationTarget::Comparison {
        a: a.clone(),
        b: b.clone(),
    };
    let scheme = first(meta, SchemeTarget::Comparison)?;
    Some(tree.answer(&target, &scheme.name)?.value.clone())
}

fn first(meta: &SessionMeta, target: SchemeTarget) -> Option<&SchemeSettings> {
    meta.settings
        .schemes
        .iter()
        .find(|scheme| scheme.target == target)
}

fn branch(tree: &SessionTree, meta: &SessionMeta, id: &BranchId) -> Value {
    let Some(found) = tree.branch(id) else {
        return Value::Null;
    };
    let mut out = Map::new();
    out.insert("branch_id".to_owned(), json!(found.id));
    if found.parent.is_some() {
        out.insert("branch_point".to_owned(), json!(found.branch_point));
    }
    if let Some(instruction) = &found.instruction {
        out.insert("instruction".to_owned(), json!(instruction));
    }
    let steps: Vec<Value> = found
        .steps()
        .filter_map(|id| tree.steps.get(id))
        .map(|one| step(tree, meta, one))
        .collect();
    out.insert("steps".to_owned(), Value::Array(steps));
    let target = AnnotationTarget::Branch {
        branch: found.id.clone(),
    };
    let outcome = meta
        .settings
        .schemes
        .iter()
        .find(|scheme| scheme.target == SchemeTarget::Branch && scheme.kind == SchemeKind::Radio)
        .and_then(|scheme| tree.answer(&target, &scheme.name));
    if let Some(outcome) = outcome {
        out.insert("outcome".to_owned(), outcome.value.clone());
    }
    let children: Vec<Value> = tree
        .branches
        .iter()
        .filter(|child| child.parent.as_ref() == Some(id))
        .map(|child| branch(tree, meta, &child.id))
        .collect();
    out.insert("children".to_owned(), Value::Array(children));
    out.insert("espalier".to_owned(), branch_facts(tree, found, &target));
    Value::Object(out)
}

fn step(tree: &SessionTree, meta: &SessionMeta, step: &Step) -> Value {
    let mut out = Map::new();
    out.insert("step".to_owned(), json!(step.index));
    out.insert("type".to_owned(), json!(step.kind));
    match step.kind {
        StepKind::FileRead | StepKind::Edit | StepKind::Write => {
            out.insert("file".to_owned(), json!(step.target));
        }
        StepKind::Terminal => {
            let command = step.input["command"].as_str().unwrap_or(&step.target);
            out.insert("command".to_owned(), json!(command));
        }
        StepKind::Glob | StepKind::Grep => {
            let pattern = step.input["pattern"].as_str().unwrap_or(&step.target);
            out.insert("pattern".to_owned(), json!(pattern));
        }
        StepKind::Tool => {
            out.insert("name".to_owned(), json!(step.tool));
        }
        StepKind::Message => {}
    }
    let target = AnnotationTarget::Step {
        step: step.id.clone(),
    };
    let rating = meta
        .settings
        .schemes
        .iter()
        .find(|scheme| scheme.kind == SchemeKind::PerTurnRating)
        .and_then(|scheme| tree.answer(&target, &scheme.name));
    if let Some(rating) = rating {
        out.insert("rating".to_owned(), rating.value.clone());
    }
    let result = step.result.as_ref();
    out.insert(
        "espalier".to_owned(),
        json!({
            "id": step.id,
            "message": step.message_id,
            "tool": step.tool,
            "input": step.input,
            "status": result.map(|result| result.status),
            "exit_code": result.and_then(|result| result.exit_code),
            "started_at": step.started_at,
            "duration_ms": result.map(|result| result.duration_ms),
            "model_ms": step.model_ms,
            "usage": step.usage,
            "checkpoint": step.checkpoint.as_ref().map(|checkpoint| &checkpoint.id),
            "tree": step.checkpoint.as_ref().map(|checkpoint| &checkpoint.tree),
            "changed": step.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.created),
            "conversation_hash": step.conversation_hash,
            "ratings": answers(tree.answers.get(&target)),
        }),
    );
    Value::Object(out)
}

fn answers(answers: Option<&BTreeMap<String, Answer>>) -> Value {
    answers
        .into_iter()
        .flatten()
        .map(|(scheme, answer)| {
            let facts = json!({
                "value": answer.value, "annotator": answer.annotator, "by": answer.by,
                "at": answer.at, "revision": answer.revision,
            });
            (scheme.clone(), facts)
        })
        .collect::<Map<_, _>>()
        .into()
}

fn branch_facts(tree: &SessionTree, branch: &Branch, target: &AnnotationTarget) -> Value {
    let tests: Vec<Value> = branch
        .tests
        .iter()
        .map(|test| {
            json!({
                "after_step": test.after_step, "command": test.command, "outcome": test.outcome,
                "exit_code": test.result.exit_code, "duration_ms": test.result.duration_ms,
                "at": test.at,
            })
        })
        .collect();
    let interventions: Vec<Value> = tree
        .interventions
        .iter()
        .filter(|record| record.place.branch == branch.id)
        .map(|record| {
            json!({
                "at": record.at, "by": record.by, "after_step": record.place.step,
                "intervention": record.intervention,
            })
        })
        .collect();
    let instructions: Vec<Value> = branch
        .items
        .iter()
        .filter_map(|item| match item {
            PathItem::Instruction {
                text,
                inject_as,
                by,
                at,
            } => Some(json!({"text": text, "inject_as": inject_as, "by": by, "at": at})),
            PathItem::Step(_) | PathItem::Compaction(_) => None,
        })
        .collect();
    let compactions: Vec<Value> = branch
        .items
        .iter()
        .filter_map(|item| match item {
            PathItem::Compaction(cleared) => Some(json!({"cleared": cleared})),
            PathItem::Step(_) | PathItem::Instruction { .. } => None,
        })
        .collect();
    json!({
        "kind": branch.kind,
        "git_branch": branch.git_branch,
        "checkpoint": branch.tip.as_ref().map(|tip| &tip.id),
        "created_at": branch.created_at,
        "tests": tests,
        "interventions": interventions,
        "instructions": instructions,
        "compactions": compactions,
        "annotations": answers(tree.answers.get(target)),
    })
}

fn session_facts(tree: &SessionTree, meta: &SessionMeta) -> Value {
    let comparisons: Vec<Value> = tree
        .comparisons
        .iter()
        .map(|(a, b)| {
            let target = AnnotationTarget::Comparison {
                a: a.clone(),
                b: b.clone(),
            };
            json!({
                "a": a, "b": b, "shared_step": tree.shared_step(a, b),
                "answers": answers(tree.answers.get(&target)),
            })
        })
        .collect();
    let cursor = tree.cursor.clone().unwrap_or(Place {
        branch: BranchId::main(),
        step: -1,
    });
    json!({
        "format": "espalier-tree/1",
        "session": meta.id,
        "app_version": meta.app_version,
        "created_at": meta.created_at,
        "updated_at": tree.updated_at,
        "state": tree.state,
        "stands_at": cursor,
        "config_path": meta.config_path,
        "project_dir": meta.task.project_dir,
        "task_description": meta.task.description,
        "backend": meta.settings.backend,
        "tools": meta.settings.tools,
        "base": tree.base.as_ref().map(|base| &base.id),
        "comparisons": comparisons,
        "annotations": answers(tree.answers.get(&AnnotationTarget::Session)),
    })
}

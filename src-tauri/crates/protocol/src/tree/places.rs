//! Places on the tree, and the paths that lead to them.

use super::{Branch, PathItem, SessionTree, Trailing, index_of};
use crate::event::BranchKind;
use crate::ids::{BranchId, StepId};
use crate::op::Place;
use crate::step::{Checkpoint, Step};

impl SessionTree {
    /// The place said by the branch that owns its step: a place at or above a branch's own fork
    /// belongs to its ancestor. The start of the session belongs to the root.
    pub fn owner(&self, place: &Place) -> Place {
        let mut owner = place.clone();
        while let Some(branch) = self.branch(&owner.branch)
            && let Some(parent) = &branch.parent
            && owner.step <= branch.branch_point
        {
            owner.branch = parent.clone();
        }
        owner
    }

    /// How many of a branch's items lie up to and with step `step`, without instructions after it.
    pub(super) fn items_until(&self, branch: &Branch, step: i32) -> usize {
        branch
            .items
            .iter()
            .rposition(|item| {
                item.step()
                    .and_then(|id| self.steps.get(id))
                    .is_some_and(|found| index_of(found) <= step)
            })
            .map_or(0, |position| position + 1)
    }

    /// The items of a place's whole path, from the root.
    pub fn path(&self, place: &Place, trailing: Trailing) -> Vec<&PathItem> {
        let Some(branch) = self.branch(&place.branch) else {
            return Vec::new();
        };
        let mut items = match &branch.parent {
            Some(parent) => self.path(
                &Place {
                    branch: parent.clone(),
                    step: place.step.min(branch.branch_point),
                },
                Trailing::Exclude,
            ),
            None => Vec::new(),
        };
        if place.step < branch.branch_point {
            return items;
        }
        let mut end = self.items_until(branch, place.step);
        if trailing == Trailing::Include {
            while branch
                .items
                .get(end)
                .is_some_and(|item| item.step().is_none())
            {
                end += 1;
            }
        }
        items.extend(&branch.items[..end]);
        items
    }

    /// The steps of a place's whole path, from step 0.
    pub fn path_steps(&self, place: &Place) -> Vec<&Step> {
        self.path(place, Trailing::Exclude)
            .into_iter()
            .filter_map(|item| self.steps.get(item.step()?))
            .collect()
    }

    /// The last step number on a branch's path; its branch point when it has no step of its own.
    pub fn tip_step(&self, id: &BranchId) -> i32 {
        self.branch(id).map_or(-1, |branch| {
            branch
                .steps()
                .next_back()
                .and_then(|step| self.steps.get(step))
                .map_or(branch.branch_point, index_of)
        })
    }

    /// The step at a place, if the place's branch itself made it.
    pub(super) fn own_step_at(&self, place: &Place) -> Option<&StepId> {
        self.branch(&place.branch)?.steps().find(|id| {
            self.steps
                .get(*id)
                .is_some_and(|s| index_of(s) == place.step)
        })
    }

    /// The step at a place of the path.
    pub fn step_at(&self, place: &Place) -> Option<&Step> {
        let owner = self.owner(place);
        self.own_step_at(&owner).and_then(|id| self.steps.get(id))
    }

    /// Where a step is now.
    pub fn locate(&self, id: &StepId) -> Option<Place> {
        self.steps.get(id).map(|step| Place {
            branch: step.branch.clone(),
            step: index_of(step),
        })
    }

    /// The checkpoint a rollback to that place restores: the files right after the step, or the
    /// session's base. A step without one of its own (checkpoints only at pauses) takes the last
    /// one before it.
    pub fn checkpoint_at(&self, place: &Place) -> Option<&Checkpoint> {
        self.path_steps(place)
            .into_iter()
            .rev()
            .find_map(|step| step.checkpoint.as_ref())
            .or(self.base.as_ref())
    }

    /// How many branches leave from a place, abandoned tails not counted (`max_branches`).
    pub fn branches_at(&self, place: &Place) -> u32 {
        let owner = self.owner(place);
        let count = self
            .branches
            .iter()
            .filter(|branch| {
                branch.parent.as_ref() == Some(&owner.branch)
                    && branch.branch_point == owner.step
                    && branch.kind != BranchKind::Abandoned
            })
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The last step number that two branches' paths share; -1 when they share none.
    pub fn shared_step(&self, a: &BranchId, b: &BranchId) -> i32 {
        let path = |id: &BranchId| {
            self.path_steps(&Place {
                branch: id.clone(),
                step: self.tip_step(id),
            })
        };
        path(a)
            .into_iter()
            .zip(path(b))
            .take_while(|(x, y)| x.id == y.id)
            .last()
            .map_or(-1, |(step, _)| index_of(step))
    }
}

//! The order in which units are listed, the same in the table and the heat map.

use std::cmp::Ordering;
use std::sync::Arc;

use super::tuned::Tuned;
use super::view::{SortKey, View};
use crate::workbench::Answer;

/// Value of a unit by which it is sorted; `None` where it is undefined.
pub fn value(answer: &Answer, key: SortKey, unit: usize) -> Option<f32> {
    let tuning = || answer.outcome.tuning.as_ref().and_then(|tuning| tuning.units.get(unit));
    match key {
        SortKey::Unit => Some(unit as f32),
        SortKey::Osi => tuning()?.global_osi,
        SortKey::Dsi => tuning()?.global_dsi,
        SortKey::Preferred => Tuned::of(&answer.outcome)?.preferred(unit),
        SortKey::Mean => answer.mean.get(unit).copied(),
    }
}

/// Remembers the last order: sorting thousands of units for every frame of the window would be waste.
#[derive(Default)]
pub struct Order {
    made_for: Option<(Arc<Answer>, SortKey, bool)>,
    units: Vec<usize>,
}

impl Order {
    /// Units in the order of the view; those without a value come last.
    pub fn of(&mut self, answer: &Arc<Answer>, view: &View) -> &[usize] {
        let wanted = (view.sort, view.descending);
        let fresh = self
            .made_for
            .as_ref()
            .is_some_and(|(made, sort, descending)| Arc::ptr_eq(made, answer) && (*sort, *descending) == wanted);
        if !fresh {
            let values: Vec<Option<f32>> =
                (0..answer.outcome.units.len()).map(|unit| value(answer, view.sort, unit)).collect();
            self.units = (0..values.len()).collect();
            self.units.sort_by(|&a, &b| match (values[a], values[b]) {
                (Some(a), Some(b)) if view.descending => b.total_cmp(&a),
                (Some(a), Some(b)) => a.total_cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            });
            self.made_for = Some((Arc::clone(answer), view.sort, view.descending));
        }
        &self.units
    }
}

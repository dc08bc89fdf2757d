//! Stochastic gradient descent with adaptive clipping, on rows of numbers.
//!
//! The same steps as [`training::SgdClip`](crate::training::SgdClip), which belongs to burn's networks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Gradient, Parameters, Table};
use crate::model::twin::parameters::Entry;
use crate::training::SgdClipConfig;

/// The optimizer: settings and momenta.
#[derive(Debug, Clone, PartialEq)]
pub struct SgdClip {
    config: SgdClipConfig,
    table: Arc<Table>,
    state: SgdClipState,
}

/// With the parameters, all that a later step depends on: momenta by the name of their parameter, row-major.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SgdClipState {
    /// Only of parameters that have had a gradient.
    pub momenta: BTreeMap<String, Vec<f32>>,
}

impl SgdClip {
    /// An optimizer of parameters in this table, without momentum yet.
    pub fn new(config: SgdClipConfig, table: &Arc<Table>) -> Self {
        Self { config, table: table.clone(), state: SgdClipState::default() }
    }

    /// What a later step depends on.
    pub fn state(&self) -> &SgdClipState {
        &self.state
    }

    /// Goes on from a state. Momenta of unknown parameters or of another length are an error, by name.
    ///
    /// # Errors
    /// The name of the first one that does not fit.
    pub fn set_state(&mut self, state: SgdClipState) -> Result<(), String> {
        fits(&self.table, &state.momenta)?;
        self.state = state;
        Ok(())
    }

    /// One step. A parameter without a gradient stays as it is, and so does its momentum.
    pub fn step(&mut self, parameters: &mut Parameters, gradient: &Gradient, lr: f64) {
        let SgdClipConfig { decay, momentum, nesterov, clip, .. } = self.config;
        let mut update = Vec::new();
        for (index, entry) in self.table.entries().iter().enumerate() {
            if !gradient.is_present(index) {
                continue;
            }
            let range = self.table.range(index);
            let values = &mut parameters.values_mut()[range.clone()];
            update.clear();
            update.extend(gradient.values()[range].iter().map(|&g| g * entry.gradient_scale));
            if clip < f64::INFINITY {
                self.clip(entry, values, &mut update);
            }
            if momentum > 0.0 {
                let share = momentum as f32;
                let sums = match self.state.momenta.get_mut(&entry.key) {
                    Some(sums) => {
                        sums.iter_mut().zip(&update).for_each(|(sum, new)| *sum = *sum * share + new);
                        sums
                    }
                    None => self.state.momenta.entry(entry.key.clone()).or_insert_with(|| update.clone()),
                };
                for (update, &sum) in update.iter_mut().zip(sums.iter()) {
                    *update = if nesterov { *update + sum * share } else { sum };
                }
            }
            let decay = if entry.decay { decay as f32 } else { 0.0 };
            for (value, update) in values.iter_mut().zip(&update) {
                *value -= (update + *value * decay) * lr as f32;
            }
        }
    }

    /// Shortens slices of the gradient that are long beside the parameters they change.
    fn clip(&self, entry: &Entry, values: &[f32], gradient: &mut [f32]) {
        let SgdClipConfig { clip, eps, .. } = self.config;
        let shortest = eps * (entry.len() as f64).sqrt();
        let slices = Slices::new(entry);
        for slice in 0..slices.count {
            let length = |x: &[f32]| slices.places(slice).map(|at| f64::from(x[at]).powi(2)).sum::<f64>().sqrt();
            let longest = (clip * length(values)).max(shortest);
            let found = length(gradient);
            let factor = (longest / found.max(longest)) as f32;
            slices.places(slice).for_each(|at| gradient[at] *= factor);
        }
    }
}

/// Momenta or moments that belong to a table.
pub(super) fn fits(table: &Table, values: &BTreeMap<String, Vec<f32>>) -> Result<(), String> {
    for (key, values) in values {
        if table.find(key).is_none_or(|range| range.len() != values.len()) {
            return Err(format!(
                "the state of the optimizer has {} numbers for `{key}`, which do not fit",
                values.len()
            ));
        }
    }
    Ok(())
}

/// The slices of a tensor over which norms are taken.
struct Slices {
    shape: Vec<usize>,
    summed: Vec<bool>,
    count: usize,
    size: usize,
}

impl Slices {
    fn new(entry: &Entry) -> Self {
        let summed: Vec<bool> = match &entry.norm_axes {
            None => vec![true; entry.shape.len()],
            Some(axes) => (0..entry.shape.len()).map(|axis| axes.contains(&axis)).collect(),
        };
        let product = |which: bool| {
            entry.shape.iter().zip(&summed).filter(|(_, summed)| **summed == which).map(|(&size, _)| size).product()
        };
        Self { count: product(false), size: product(true), shape: entry.shape.clone(), summed }
    }

    /// Places of one slice, in the order of memory.
    fn places(&self, slice: usize) -> impl Iterator<Item = usize> + '_ {
        // Nearly always the last axes are summed: a slice is one piece.
        let contiguous = self.summed.iter().skip_while(|summed| !**summed).all(|&summed| summed);
        let along = |which: bool, mut index: usize| {
            // The place of an index over some of the axes.
            let (mut at, mut stride) = (0, 1);
            for (&size, &summed) in self.shape.iter().zip(&self.summed).rev() {
                if summed == which {
                    at += index % size * stride;
                    index /= size;
                }
                stride *= size;
            }
            at
        };
        let start = along(false, slice);
        (0..self.size).map(move |index| start + if contiguous { index } else { along(true, index) })
    }
}

//! Either optimizer behind one face, and its state as tensors for a checkpoint.

use std::collections::BTreeMap;

use super::cpu::{AdamW, AdamWState, Gradient, Parameters, SgdClip, SgdClipState};
use super::recipe::OptimizerRecipe;
use crate::model::weights::NamedTensor;

/// An optimizer with what it remembers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Optimizer {
    SgdClip(SgdClip),
    AdamW(AdamW),
}

impl Optimizer {
    /// The optimizer of a recipe, before its first step on these parameters.
    pub fn new(recipe: &OptimizerRecipe, parameters: &Parameters) -> Self {
        match recipe {
            OptimizerRecipe::SgdClip(config) => Self::SgdClip(SgdClip::new(*config, parameters.table())),
            OptimizerRecipe::AdamW(config) => Self::AdamW(AdamW::new(*config, parameters)),
        }
    }

    /// One step with this learning rate. A parameter without a gradient stays as it is.
    pub fn step(&mut self, parameters: &mut Parameters, gradient: &Gradient, lr: f64) {
        match self {
            Self::SgdClip(optimizer) => optimizer.step(parameters, gradient, lr),
            Self::AdamW(optimizer) => drop(optimizer.step(parameters, gradient, lr)),
        }
    }

    /// All that a later step depends on, under names with this beginning.
    pub fn tensors(&self, prefix: &str, tensors: &mut BTreeMap<String, NamedTensor>) {
        let mut put = |part: &str, key: &str, values: Vec<f32>| {
            let tensor = NamedTensor { shape: vec![values.len()], values };
            tensors.insert(format!("{prefix}.{part}.{key}"), tensor);
        };
        match self {
            Self::SgdClip(optimizer) => {
                optimizer.state().momenta.iter().for_each(|(key, values)| put("momenta", key, values.clone()));
            }
            Self::AdamW(optimizer) => {
                let AdamWState { rates, steps, means, squares } = optimizer.state();
                rates.iter().for_each(|(key, &rate)| put("rates", key, vec![rate]));
                // Exact: recipes have fewer steps than f32 has whole numbers.
                steps.iter().for_each(|(key, &steps)| put("steps", key, vec![steps as f32]));
                means.iter().for_each(|(key, values)| put("means", key, values.clone()));
                squares.iter().for_each(|(key, values)| put("squares", key, values.clone()));
            }
        }
    }

    /// Goes on from such tensors.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn restore(&mut self, prefix: &str, tensors: &BTreeMap<String, NamedTensor>) -> Result<(), String> {
        let part = |part: &str| -> BTreeMap<String, Vec<f32>> {
            let start = format!("{prefix}.{part}.");
            let named = tensors.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
            named.map(|(key, tensor)| (key[start.len()..].to_owned(), tensor.values.clone())).collect()
        };
        let single = |name: &str| -> Result<BTreeMap<String, f32>, String> {
            let one = |(key, values): (String, Vec<f32>)| match values[..] {
                [value] if value.is_finite() && value >= 0.0 => Ok((key, value)),
                _ => Err(format!("`{prefix}.{name}.{key}` is not one number")),
            };
            part(name).into_iter().map(one).collect()
        };
        match self {
            Self::SgdClip(optimizer) => optimizer.set_state(SgdClipState { momenta: part("momenta") }),
            Self::AdamW(optimizer) => optimizer.set_state(AdamWState {
                rates: single("rates")?,
                steps: single("steps")?.into_iter().map(|(key, steps)| (key, steps as u64)).collect(),
                means: part("means"),
                squares: part("squares"),
            }),
        }
    }
}

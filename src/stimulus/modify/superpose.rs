//! A second stimulus: added, averaged, or laid on top.
//!
//! Added: the differences of both from the background sum up; what leaves 0..=255 is clipped. Averaged: the mean of both.
//! On top: the second stimulus hides the first wherever its grey is not that of the background. The second one has its
//! own seed, derived from that of the first.

use serde::{Deserialize, Serialize};

use super::super::fields::{Field, Setting, choices};
use super::super::{DriftingGrating, Stimulus};
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};

choices! {
    /// How two stimuli become one.
    pub enum SuperposeMode {
        /// Their differences from the background sum up.
        Add = "add", "Added";
        /// Their mean.
        Average = "average", "Averaged";
        /// The second hides the first where it is not the background.
        Cover = "cover", "On top";
    }
}

/// Puts another stimulus on top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Superpose {
    /// How the two become one.
    pub mode: SuperposeMode,
    /// The second stimulus.
    pub stimulus: Box<Stimulus>,
}

impl Default for Superpose {
    /// With a grating it makes a plaid.
    fn default() -> Self {
        let across = DriftingGrating { direction_deg: 90.0, ..Default::default() };
        Self { mode: SuperposeMode::Average, stimulus: Box::new(across.into()) }
    }
}

impl Superpose {
    /// What can be set beside the parameters of the second stimulus.
    pub const FIELDS: &'static [Field] =
        &[Field::choice("Mode", SuperposeMode::OPTIONS, "How the second stimulus is laid over the first").at("mode")];

    pub(super) fn get(&self, key: &str) -> Option<f64> {
        match key.strip_prefix("stimulus.") {
            Some(key) => self.stimulus.get(key),
            None => (key == "mode").then(|| self.mode.number()),
        }
    }

    pub(super) fn set(&mut self, key: &str, value: f64) -> bool {
        match key.strip_prefix("stimulus.") {
            Some(key) => self.stimulus.set(key, value),
            None if key == "mode" => {
                self.mode = SuperposeMode::from_number(value);
                true
            }
            None => false,
        }
    }
}

impl ModifierParameters for Superpose {
    fn is_random(&self) -> bool {
        self.stimulus.is_random()
    }

    fn nested(&self) -> Option<&Stimulus> {
        Some(&self.stimulus)
    }

    fn nested_mut(&mut self) -> Option<&mut Stimulus> {
        Some(&mut self.stimulus)
    }

    fn prepare(&self, below: &Prepared, nested: Option<Prepared>, seed: u64) -> Result<Box<dyn Change>, StimulusError> {
        let second = match nested {
            Some(second) => second,
            None => Prepared::bare(&self.stimulus, &below.screen, seed)?,
        };
        Ok(Box::new(Layer { mode: self.mode, second }))
    }
}

/// The second stimulus.
#[derive(Debug)]
struct Layer {
    mode: SuperposeMode,
    second: Prepared,
}

impl Change for Layer {
    fn apply(&self, screen: &Screen, frame: usize, greys: &mut [f32]) {
        let mut pixels = vec![0; greys.len()];
        self.second.frame(frame, &mut pixels);
        let background = screen.monitor().background;
        for (grey, second) in greys.iter_mut().zip(pixels) {
            *grey = match self.mode {
                SuperposeMode::Add => *grey + f32::from(second) - f32::from(background),
                SuperposeMode::Average => (*grey + f32::from(second)) / 2.0,
                SuperposeMode::Cover if second == background => *grey,
                SuperposeMode::Cover => f32::from(second),
            };
        }
    }
}

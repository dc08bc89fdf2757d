//! Contrast: scaled about the background, or set for every frame.
//!
//! Scaled: grey = background + scale (grey - background); 2 may leave 0..=255, which clips. Set: the root mean square of
//! each frame, the standard deviation of its grey levels over the largest swing around the background, is brought to one
//! value while the frame's mean stays; a frame without contrast stays as it is. Setting undoes fades that come before it.

use super::super::fields::{Field, choices, parameters};
use super::super::swing;
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};

choices! {
    /// What is asked of the contrast.
    pub enum ContrastMode {
        /// A multiple of what it is.
        Scale = "scale", "Scaled";
        /// One root mean square for all frames.
        Rms = "rms", "Set in every frame";
    }
}

parameters! {
    /// Changes the contrast.
    pub struct Contrast {
        /// What is asked.
        mode: ContrastMode = ContrastMode::Scale,
            Field::choice("Mode", ContrastMode::OPTIONS, "Scale the contrast, or set that of every frame");
        /// Factor when scaled; 0 is the background, 1 changes nothing.
        scale: f64 = 0.5, Field::number(
            "Factor",
            "",
            (0.0, 2.0),
            0.05,
            "Factor of the difference from the background when scaled; what leaves the range is clipped",
        );
        /// Standard deviation of the grey levels of each frame when set, as a fraction of the largest swing.
        rms_contrast: f64 = 0.25, Field::number(
            "RMS contrast",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of each frame when set, as a fraction of the largest swing around the background",
        );
    }
}

impl ModifierParameters for Contrast {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "scale" if self.mode == ContrastMode::Rms => {
                Some("the contrast is set, not scaled; sweep `contrast.rms_contrast`, or set `mode` to \"scale\"")
            }
            "rms_contrast" if self.mode == ContrastMode::Scale => {
                Some("the contrast is scaled, not set; sweep `contrast.scale`, or set `mode` to \"rms\"")
            }
            _ => None,
        }
    }

    fn prepare(
        &self,
        _below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        Ok(Box::new(self.clone()))
    }
}

/// Standard deviation below which a frame counts as blank, grey levels: that of rounding is 0.29.
const BLANK: f64 = 0.3;

impl Change for Contrast {
    fn apply(&self, screen: &Screen, _frame: usize, greys: &mut [f32]) {
        let background = screen.monitor().background;
        let (about, factor) = match self.mode {
            ContrastMode::Scale => (f64::from(background), self.scale),
            ContrastMode::Rms => {
                let count = greys.len() as f64;
                let mean = greys.iter().map(|&grey| f64::from(grey)).sum::<f64>() / count;
                let variance = greys.iter().map(|&grey| (f64::from(grey) - mean).powi(2)).sum::<f64>() / count;
                let deviation = variance.sqrt();
                if deviation < BLANK {
                    return;
                }
                (mean, self.rms_contrast * swing(background) / deviation)
            }
        };
        let (about, factor) = (about as f32, factor as f32);
        for grey in greys {
            *grey = about + factor * (*grey - about);
        }
    }
}

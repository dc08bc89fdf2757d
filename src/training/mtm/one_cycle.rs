//! The learning rate over a whole training: up along half a cosine, then down.

use serde::{Deserialize, Serialize};

/// One cycle of the learning rate (Smith and Topin 2017), in cosines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// Highest rate.
    pub peak: f64,
    /// Share of the steps that lead up to it.
    pub warm_up: f64,
    /// Rate of the first step, as a share of the highest.
    pub start: f64,
    /// Rate of the last step, as a share of the highest.
    pub end: f64,
}

impl Default for OneCycle {
    /// The published training.
    fn default() -> Self {
        Self { peak: 1e-4, warm_up: 0.15, start: 0.1, end: 1e-5 }
    }
}

impl OneCycle {
    /// Learning rate of a step, counted from 0, of a training of so many.
    pub fn at(&self, step: usize, steps: usize) -> f64 {
        let (step, last) = (step as f64, steps as f64 - 1.0);
        let top = (self.warm_up * steps as f64 - 1.0).max(0.0);
        let (from, to, progress) = if step < top {
            (self.start, 1.0, step / top)
        } else {
            // A training of one step has no way down.
            (1.0, self.end, if last > top { ((step - top) / (last - top)).min(1.0) } else { 0.0 })
        };
        self.peak * (to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_goes_up_and_down_between_its_ends() {
        let cycle = OneCycle { peak: 2.0, ..OneCycle::default() };
        let rates: Vec<f64> = (0..100).map(|step| cycle.at(step, 100)).collect();
        assert!((rates[0] - 0.2).abs() < 1e-12 && (rates[14] - 2.0).abs() < 1e-12 && (rates[99] - 2e-5).abs() < 1e-12);
        assert!(rates[..15].is_sorted() && rates[14..].is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn short_trainings_have_a_rate_too() {
        for steps in 1..12 {
            for step in 0..steps {
                let rate = OneCycle::default().at(step, steps);
                assert!(rate > 0.0 && rate <= 1e-4 + 1e-18, "step {step} of {steps}: {rate}");
            }
        }
    }
}

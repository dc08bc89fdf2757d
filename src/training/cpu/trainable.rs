//! A network, the objective of training, and its gradient.

use super::{Gradient, Parameters};
use crate::model::twin::TwinConfig;
use crate::model::twin::engine::Kernel;
use crate::model::twin::engine::gradient::{Differentiable, PARTS, Pictures, Showing};
use crate::model::twin::network::Run;
use crate::signals::Responses;
use crate::training::{Clip, Objective, ObjectiveError};

/// Computes the objective of a clip and its gradient on the CPU. Holds working memory, but no parameters.
#[derive(Debug)]
pub struct Trainable {
    network: Differentiable,
}

impl Trainable {
    /// A network of these sizes, with the constants that come along with these parameters.
    pub fn new(config: &TwinConfig, parameters: &Parameters) -> Self {
        Self { network: Differentiable::new(config, parameters) }
    }

    /// The same with a chosen instruction set, which must be one of [`Kernel::available`].
    ///
    /// # Panics
    /// When this machine does not have the instruction set.
    pub fn with_kernel(config: &TwinConfig, parameters: &Parameters, kernel: Kernel) -> Self {
        Self { network: Differentiable::with_kernel(config, parameters, kernel) }
    }

    /// Leaves the parameters whose names begin with one of these as they are, and saves the work for their gradients.
    /// Adaptation to a new animal freezes `core.` and `modulation.lstm.`. Replaces an earlier choice.
    #[must_use]
    pub fn freeze(mut self, prefixes: &[&str]) -> Self {
        self.network.freeze(prefixes);
        self
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.network.units()
    }

    /// Number of streams.
    pub fn streams(&self) -> usize {
        self.network.streams()
    }

    /// Time spent in the parts of all steps so far ([`PARTS`](crate::model::twin::engine::gradient::PARTS)), in ms.
    /// For benchmarks.
    pub fn spent_ms(&self) -> [f64; PARTS.len()] {
        self.network.spent_ms()
    }

    /// The objective of a clip, and its gradient into `gradient`. The same to the bit on any number of threads.
    ///
    /// # Errors
    /// When no frame is left after burn-in, the clip belongs to other units, or the objective is not finite; what
    /// `gradient` holds is then left open.
    ///
    /// # Panics
    /// When `run` belongs to another number of samples, units or streams.
    pub fn objective_and_gradient(
        &mut self,
        parameters: &Parameters,
        clip: &Clip,
        objective: &Objective,
        run: &Run,
        gradient: &mut Gradient,
    ) -> Result<f32, ObjectiveError> {
        let terms = self.check(clip, objective, run)?;
        let (units, share) = (self.units(), 1.0 / terms as f64);
        let start = objective.burnin_frames * units;
        let loss = |sample: usize, rates: &[f32], back: &mut [f32]| {
            back[..start].fill(0.0);
            let mut sum = 0.0;
            for (frame, (rates, back)) in rates.chunks_exact(units).zip(back.chunks_exact_mut(units)).enumerate() {
                if frame < objective.burnin_frames {
                    continue;
                }
                let targets = clip.responses().row(frame, sample);
                for ((&rate, &target), back) in rates.iter().zip(targets).zip(back) {
                    if target.is_nan() {
                        *back = 0.0;
                        continue;
                    }
                    let response = f64::from(rate).exp();
                    sum += response - f64::from(rate) * f64::from(target);
                    *back = ((response - f64::from(target)) * share) as f32;
                }
            }
            sum
        };
        let sum = self.network.gradient(parameters, showing(clip, run), loss, gradient);
        finite(sum * share)
    }

    /// The objective of a clip alone.
    ///
    /// # Errors
    /// As [`Self::objective_and_gradient`].
    ///
    /// # Panics
    /// As [`Self::objective_and_gradient`].
    pub fn objective(
        &mut self,
        parameters: &Parameters,
        clip: &Clip,
        objective: &Objective,
        run: &Run,
    ) -> Result<f32, ObjectiveError> {
        let terms = self.check(clip, objective, run)?;
        let rates = self.network.log_rates(parameters, showing(clip, run));
        let start = objective.burnin_frames * clip.movie().samples() * self.units();
        let pairs = rates[start..].iter().zip(&clip.responses().values()[start..]);
        let pairs = pairs.filter(|(_, target)| !target.is_nan());
        let sum: f64 = pairs.map(|(&rate, &target)| f64::from(rate).exp() - f64::from(rate) * f64::from(target)).sum();
        finite(sum / terms as f64)
    }

    /// Responses to a clip of any length; memory grows with it, so that long movies are for the inference engine.
    ///
    /// # Panics
    /// When `run` belongs to another number of samples, units or streams.
    pub fn responses(&mut self, parameters: &Parameters, clip: &Clip, run: &Run) -> Responses {
        let mut rates = self.network.log_rates(parameters, showing(clip, run));
        rates.iter_mut().for_each(|rate| *rate = rate.exp());
        let (frames, samples) = (clip.movie().frames(), clip.movie().samples());
        Responses::new(frames, samples, self.units(), rates).expect("a value for every frame, sample and unit")
    }

    /// Number of terms of the mean: all that were measured.
    fn check(&self, clip: &Clip, objective: &Objective, run: &Run) -> Result<usize, ObjectiveError> {
        let (frames, samples, units) = (clip.movie().frames(), clip.movie().samples(), self.units());
        assert_eq!(run.samples, samples, "a run of as many samples as the clip has");
        if frames <= objective.burnin_frames {
            return Err(ObjectiveError::TooShort { frames, burnin: objective.burnin_frames });
        }
        if clip.responses().units() != units {
            return Err(ObjectiveError::Units { found: clip.responses().units(), expected: units });
        }
        let start = objective.burnin_frames * samples * units;
        Ok(clip.responses().values()[start..].iter().filter(|target| !target.is_nan()).count().max(1))
    }
}

fn showing<'a>(clip: &'a Clip, run: &'a Run) -> Showing<'a> {
    let movie = Pictures::Movie(clip.movie());
    Showing { movie, behavior: clip.behavior(), stream: run.stream, draws: run.training.as_ref() }
}

fn finite(value: f64) -> Result<f32, ObjectiveError> {
    let value = value as f32;
    if value.is_finite() { Ok(value) } else { Err(ObjectiveError::NotFinite(value)) }
}

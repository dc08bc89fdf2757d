//! Collects predictions and responses of one domain, trial by trial, into numbers for every unit.
//!
//! Of the predictions only their means over repeats and running sums are kept: memory is that of the responses and a
//! little more.

use rayon::prelude::*;

use super::showings::Showing;
use super::{EvaluationError, UnitEvaluation};
use crate::analysis::reliability::{Freedom, Moments, Repeats, cc_max, cc_norm, ceiling, correlation};
use crate::signals::Responses;

/// One domain under way.
#[derive(Debug)]
pub(super) struct Tally {
    repeats: usize,
    frames: usize,
    units: usize,
    burnin: usize,
    /// Frames of the movies before the next.
    begun: usize,
    /// `[repeat, frame, unit]`; NaN where nothing was measured.
    responses: Vec<f32>,
    /// `[frame, unit]`: sum of the predictions wherever a response was measured.
    predicted: Vec<f64>,
    missing: usize,
    sums: Vec<Sums>,
    /// Whether every trial has a true rate.
    rates_known: bool,
}

/// Over all trials of one unit.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Prediction and response.
    single: Moments,
    /// Prediction and true rate.
    rate: Moments,
    loss: f64,
}

impl Tally {
    /// An empty one for these movies.
    pub fn new(showings: &[Showing<'_>], units: usize, burnin: usize) -> Result<Self, EvaluationError> {
        let repeats = showings.iter().map(|showing| showing.trials.len()).max().unwrap_or(0);
        let frames = showings.iter().map(|showing| showing.frames - burnin).sum::<usize>();
        let too_large = || EvaluationError::TooLarge { repeats, frames, units };
        let row = frames.checked_mul(units).ok_or_else(too_large)?;
        Ok(Self {
            repeats,
            frames,
            units,
            burnin,
            begun: 0,
            responses: room(row.checked_mul(repeats), f32::NAN).ok_or_else(too_large)?,
            predicted: room(Some(row), 0.0).ok_or_else(too_large)?,
            missing: 0,
            sums: vec![Sums::default(); units],
            rates_known: true,
        })
    }

    /// Frames of all movies after burn-in.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Responses that were not measured in the trials added.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Begins the next movie; the place of its first frame after burn-in.
    pub fn begin(&mut self, showing: &Showing<'_>) -> usize {
        let start = self.begun;
        self.begun += showing.frames - self.burnin;
        start
    }

    /// Adds a trial of the movie that begins at `start`. The columns are those of the units in what was recorded; the
    /// prediction is one sample of several.
    pub fn add(
        &mut self,
        start: usize,
        repeat: usize,
        columns: &[usize],
        (predicted, sample): (&Responses, usize),
        recorded: &Responses,
        rates: Option<&Responses>,
    ) -> Result<(), EvaluationError> {
        self.rates_known &= rates.is_some();
        for (offset, time) in (self.burnin..predicted.frames()).enumerate() {
            let place = (start + offset) * self.units;
            let kept = &mut self.responses[repeat * self.frames * self.units + place..][..self.units];
            let means = &mut self.predicted[place..][..self.units];
            let (predicted, recorded) = (predicted.row(time, sample), recorded.row(time, 0));
            let rates = rates.map(|rates| rates.row(time, 0));
            for (unit, &column) in columns.iter().enumerate() {
                let (p, r) = (f64::from(predicted[unit]), f64::from(recorded[column]));
                let sums = &mut self.sums[unit];
                if let Some(rates) = rates {
                    sums.rate.push(p, f64::from(rates[column]));
                }
                if r.is_nan() {
                    self.missing += 1;
                    continue;
                }
                if r.is_infinite() {
                    return Err(EvaluationError::Infinite);
                }
                kept[unit] = recorded[column];
                means[unit] += p;
                sums.single.push(p, r);
                sums.loss += poisson_loss(p, r);
            }
        }
        Ok(())
    }

    /// The numbers of every unit.
    pub fn finish(mut self) -> Result<Vec<UnitEvaluation>, EvaluationError> {
        let responses = std::mem::take(&mut self.responses);
        let responses =
            Repeats::new(self.repeats, self.frames, self.units, responses).ok_or(EvaluationError::Infinite)?;
        Ok((0..self.units).into_par_iter().map(|unit| self.of_unit(unit, &responses)).collect())
    }

    fn of_unit(&self, unit: usize, responses: &Repeats) -> UnitEvaluation {
        let response = responses.unit(unit);
        let measured = |frame: usize| (0..self.repeats).filter(|&r| response.at(r, frame).is_some()).count() as f64;
        let mean = |frame: usize| self.predicted[frame * self.units + unit] / measured(frame);
        let predicted: Vec<f64> = (0..self.frames).map(mean).collect();
        let means: Vec<f64> = response.mean().into_iter().map(|mean| mean.unwrap_or(f64::NAN)).collect();
        let cc_abs = correlation(&predicted, &means);
        let published = ceiling(&response, Freedom::Published);
        let Sums { single, rate, loss } = self.sums[unit];
        UnitEvaluation {
            cc_abs,
            cc_max: published.ok(),
            cc_max_consistent: cc_max(&response, Freedom::Consistent),
            cc_norm: cc_norm(cc_abs, published.ok()),
            no_ceiling: published.err(),
            cc_single: single.correlation(),
            cc_true: rate.correlation().filter(|_| self.rates_known),
            mean_ratio: single.means().filter(|(_, recorded)| *recorded > 0.0).map(|(p, r)| p / r),
            poisson_loss: (single.count() > 0).then(|| loss / single.count() as f64).filter(|loss| loss.is_finite()),
        }
    }
}

/// p - r ln p, where r ln p is 0 without a response; infinite or NaN for a prediction that no Poisson process has.
fn poisson_loss(predicted: f64, recorded: f64) -> f64 {
    if predicted < 0.0 {
        f64::NAN
    } else if recorded == 0.0 {
        predicted
    } else {
        predicted - recorded * predicted.ln()
    }
}

/// So many equal values; `None` when they do not fit into memory.
fn room<T: Clone>(length: Option<usize>, value: T) -> Option<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(length?).ok()?;
    room.resize(length?, value);
    Some(room)
}

//! Collects predictions and responses of one domain, trial by trial, into numbers for every unit.
//!
//! Only running sums are kept, and of a movie that is shown several times the sums of each frame until its last showing:
//! memory does not grow with the length of a recording.

use super::showings::Showing;
use super::{EvaluationError, UnitEvaluation};
use crate::analysis::reliability::{CeilingSums, Freedom, Moments, cc_norm};
use crate::signals::Responses;

/// One domain under way.
#[derive(Debug)]
pub(super) struct Tally {
    units: usize,
    burnin: usize,
    /// Of all movies that were begun, after burn-in.
    frames: usize,
    /// Of the movie under way, `[frame, unit]`; empty when it is shown once.
    movie: Vec<FrameSums>,
    missing: usize,
    sums: Vec<Sums>,
    /// Whether every trial has a true rate.
    rates_known: bool,
}

/// Over the repeats in which a response was measured.
#[derive(Debug, Clone, Copy, Default)]
struct FrameSums {
    predicted: f64,
    response: f64,
    measured: u32,
}

/// Over all trials of one unit.
#[derive(Debug, Clone, Default)]
struct Sums {
    /// Means over repeats: prediction and response.
    mean: Moments,
    ceiling: CeilingSums,
    /// Prediction and response.
    single: Moments,
    /// Prediction and true rate.
    rate: Moments,
    loss: f64,
}

impl Sums {
    /// A frame was shown for the last time.
    fn end_frame(&mut self, frame: FrameSums) {
        let FrameSums { predicted, response, measured } = frame;
        if measured > 0 {
            let n = f64::from(measured);
            self.mean.push(predicted / n, response / n);
            self.ceiling.end_frame(measured as usize, response);
        }
    }

    fn evaluated(&self, rates_known: bool) -> UnitEvaluation {
        let Self { mean, ceiling, single, rate, loss } = self;
        let cc_abs = mean.correlation();
        let published = ceiling.ceiling(Freedom::Published);
        UnitEvaluation {
            cc_abs,
            cc_max: published.ok(),
            cc_max_consistent: ceiling.ceiling(Freedom::Consistent).ok(),
            cc_norm: cc_norm(cc_abs, published.ok()),
            no_ceiling: published.err(),
            cc_single: single.correlation(),
            cc_true: rate.correlation().filter(|_| rates_known),
            mean_ratio: single.means().filter(|(_, recorded)| *recorded > 0.0).map(|(p, r)| p / r),
            poisson_loss: (single.count() > 0).then(|| loss / single.count() as f64).filter(|loss| loss.is_finite()),
        }
    }
}

impl Tally {
    /// An empty one.
    pub fn new(units: usize, burnin: usize) -> Self {
        Self {
            units,
            burnin,
            frames: 0,
            movie: Vec::new(),
            missing: 0,
            sums: vec![Sums::default(); units],
            rates_known: true,
        }
    }

    /// Frames of all movies after burn-in.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Responses that were not measured in the trials added.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Begins the next movie: the one before has been shown for the last time.
    pub fn begin(&mut self, showing: &Showing<'_>) -> Result<(), EvaluationError> {
        self.end_movie();
        let (frames, units) = (showing.frames - self.burnin, self.units);
        self.frames += frames;
        if showing.trials.len() > 1 {
            let length = frames.checked_mul(units);
            let room = length.filter(|&length| self.movie.try_reserve_exact(length).is_ok());
            self.movie.resize(room.ok_or(EvaluationError::TooLarge { frames, units })?, FrameSums::default());
        }
        Ok(())
    }

    fn end_movie(&mut self) {
        for frame in self.movie.chunks_exact(self.units.max(1)) {
            self.sums.iter_mut().zip(frame).for_each(|(sums, &frame)| sums.end_frame(frame));
        }
        self.movie.clear();
    }

    /// Adds a trial of the movie that was begun last. The columns are those of the units in what was recorded; the
    /// prediction is one sample of several.
    pub fn add(
        &mut self,
        repeat: usize,
        columns: &[usize],
        (predicted, sample): (&Responses, usize),
        recorded: &Responses,
        rates: Option<&Responses>,
    ) -> Result<(), EvaluationError> {
        self.rates_known &= rates.is_some();
        let mut frames = self.movie.chunks_exact_mut(self.units.max(1));
        for time in self.burnin..predicted.frames() {
            let mut frame = frames.next();
            let (predicted, recorded) = (predicted.row(time, sample), recorded.row(time, 0));
            let rates = rates.map(|rates| rates.row(time, 0));
            for (unit, (&column, sums)) in columns.iter().zip(&mut self.sums).enumerate() {
                let (p, r) = (f64::from(predicted[unit]), f64::from(recorded[column]));
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
                sums.single.push(p, r);
                sums.loss += poisson_loss(p, r);
                sums.ceiling.add(repeat, r);
                match &mut frame {
                    Some(frame) => {
                        let FrameSums { predicted, response, measured } = &mut frame[unit];
                        (*predicted, *response, *measured) = (*predicted + p, *response + r, *measured + 1);
                    }
                    None => sums.end_frame(FrameSums { predicted: p, response: r, measured: 1 }),
                }
            }
        }
        Ok(())
    }

    /// The numbers of every unit.
    pub fn finish(mut self) -> Vec<UnitEvaluation> {
        self.end_movie();
        self.sums.iter().map(|sums| sums.evaluated(self.rates_known)).collect()
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

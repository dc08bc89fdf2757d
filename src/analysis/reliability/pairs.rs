//! What two units share: their answers to the stimulus, and their noise.

use rayon::prelude::*;

use super::{Repeats, UnitRepeats, correlation};

/// A number for every pair of units, the same for both orders.
#[derive(Debug, Clone, PartialEq)]
pub struct PairTable {
    units: usize,
    /// Row after row of the lower triangle with the diagonal: (0, 0), (1, 0), (1, 1), (2, 0), …
    values: Vec<Option<f64>>,
}

impl PairTable {
    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The value of a pair; `None` where it is not defined, or where there is no such unit.
    pub fn get(&self, a: usize, b: usize) -> Option<f64> {
        let (low, high) = (a.min(b), a.max(b));
        if high < self.units { self.values[high * (high + 1) / 2 + low] } else { None }
    }

    /// The values of all pairs of different units that have one.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let pairs = (0..self.units).flat_map(|b| (0..b).map(move |a| (a, b)));
        pairs.filter_map(|(a, b)| self.get(a, b).map(|value| (a, b, value)))
    }
}

/// Signal correlation: that of the mean responses to each frame. Noise that is left in the means lowers it.
pub fn signal_correlation(a: &UnitRepeats, b: &UnitRepeats) -> Option<f64> {
    (a.frames() == b.frames()).then(|| correlation(&a.means(), &b.means())).flatten()
}

/// Noise correlation: that of the deviations of each repeat from the unit's own mean at that frame, over all repeats and
/// frames. Frames that were measured once say nothing and are left out.
pub fn noise_correlation(a: &UnitRepeats, b: &UnitRepeats) -> Option<f64> {
    let fits = a.frames() == b.frames() && a.repeats() == b.repeats();
    fits.then(|| correlation(&deviations(a), &deviations(b))).flatten()
}

/// [`signal_correlation`] of all pairs.
pub fn signal_correlations(responses: &Repeats) -> PairTable {
    table(&series(responses, UnitRepeats::means))
}

/// [`noise_correlation`] of all pairs.
pub fn noise_correlations(responses: &Repeats) -> PairTable {
    table(&series(responses, deviations))
}

/// What the correlations of pairs are made of, taken in so many units at a time. Where movies were shown different
/// numbers of times, only what was shown is held, and no place for repeats that never were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PairSeries {
    means: Vec<Vec<f64>>,
    deviations: Vec<Vec<f64>>,
}

impl PairSeries {
    /// Takes units, which follow those before. `shown` says of how many repeats there are at each frame, `[frame]`; it is
    /// the same for all units.
    pub fn add(&mut self, responses: &Repeats, shown: &[usize]) {
        self.means.extend(series(responses, UnitRepeats::means));
        let frames = responses.frames();
        let was_shown = |place: usize| shown.get(place % frames).is_some_and(|&repeats| place / frames < repeats);
        self.deviations.extend(series(responses, |unit| {
            let all = deviations(unit).into_iter().enumerate();
            let mut kept: Vec<f64> = all.filter(|(place, _)| was_shown(*place)).map(|(_, value)| value).collect();
            kept.shrink_to_fit();
            kept
        }));
    }

    /// Number of values that are held.
    pub fn held(&self) -> usize {
        self.means.iter().chain(&self.deviations).map(Vec::len).sum()
    }

    /// [`signal_correlation`] of all pairs.
    pub fn signal_correlations(&self) -> PairTable {
        table(&self.means)
    }

    /// [`noise_correlation`] of all pairs.
    pub fn noise_correlations(&self) -> PairTable {
        table(&self.deviations)
    }
}

/// One series for each unit.
fn series(responses: &Repeats, of: impl Fn(&UnitRepeats) -> Vec<f64> + Sync) -> Vec<Vec<f64>> {
    (0..responses.units()).into_par_iter().map(|unit| of(&responses.unit(unit))).collect()
}

fn table(series: &[Vec<f64>]) -> PairTable {
    let units = series.len();
    let row = |b: usize| (0..=b).map(|a| correlation(&series[a], &series[b])).collect::<Vec<_>>();
    let rows: Vec<Vec<Option<f64>>> = (0..units).into_par_iter().map(row).collect();
    PairTable { units, values: rows.concat() }
}

/// Deviations from the mean at each frame, `[repeat, frame]`; NaN where fewer than two repeats were measured.
fn deviations(response: &UnitRepeats) -> Vec<f64> {
    let known = |frame: usize| if response.measured(frame).nth(1).is_some() { 0.0 } else { f64::NAN };
    let means: Vec<f64> = response.means().iter().enumerate().map(|(frame, mean)| mean + known(frame)).collect();
    response.rows().flat_map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean)).collect()
}

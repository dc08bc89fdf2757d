//! Preferred values and selectivity with intervals over trials: what another set of presentations would have given.
//!
//! Trials are drawn again within each value that was shown, the curve is made anew, and the quantity read from it.

use super::selectivity::{global_dsi, global_osi, preferred_direction_deg, preferred_orientation_deg};
use super::statistics::moments::{mean, quantile};
use super::statistics::{Chance, Interval, Resampling, StatisticsError, bootstrap_within};
use crate::signals::Degrees;

/// An angle with its interval on the circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AngleInterval {
    /// The angle of the data as they are, degrees in 0..period.
    pub estimate_deg: Degrees,
    /// How far the interval reaches clockwise and counter-clockwise of it: (negative, positive) degrees; either may be of
    /// the other sign where resamples lean to one side.
    pub reach_deg: (Degrees, Degrees),
    /// Length of the mean vector of the resampled angles, 0..=1: 1 when all agree; near 0 the angle means nothing.
    pub agreement: f64,
    /// Chance with which the interval is to cover the truth.
    pub level: f64,
    /// Resamples in which the angle has a value.
    pub resamples: usize,
}

/// One unit's tuning to direction with intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionConfidence {
    /// Preferred direction, on the whole circle.
    pub direction: Result<AngleInterval, StatisticsError>,
    /// Preferred orientation, on half of it.
    pub orientation: Result<AngleInterval, StatisticsError>,
    /// Global orientation selectivity.
    pub global_osi: Result<Interval, StatisticsError>,
    /// Global direction selectivity.
    pub global_dsi: Result<Interval, StatisticsError>,
}

/// Intervals of one unit's preferred angles and selectivity, from its response to each trial of each direction,
/// `[direction][trial]`. Quantities that are undefined, such as the preferred direction of a unit that responds equally to
/// opposite ones, say so each on its own. Negative means of a direction count as 0, below which there is no selectivity.
pub fn direction_confidence(directions_deg: &[Degrees], trials: &[Vec<f64>], how: &Resampling) -> DirectionConfidence {
    let curve = |drawn: &[Vec<usize>]| -> Vec<f64> { means(trials, drawn).map(|mean| mean.max(0.0)).collect() };
    let index = |index: fn(&[f64], &[f64]) -> Option<f32>| {
        bootstrap_within(&counts(trials), |drawn| index(directions_deg, &curve(drawn)).map(f64::from), how)
    };
    let angle = |angle: fn(&[f64], &[f64]) -> Option<f32>, period| {
        angle_interval(&counts(trials), period, |drawn| angle(directions_deg, &curve(drawn)).map(f64::from), how)
    };
    DirectionConfidence {
        direction: angle(preferred_direction_deg, 360.0),
        orientation: angle(preferred_orientation_deg, 180.0),
        global_osi: index(global_osi),
        global_dsi: index(global_dsi),
    }
}

/// Interval of one unit's preferred value, the shown value with the largest mean, from its response to each trial of each
/// value, `[value][trial]`.
///
/// # Errors
/// With fewer than two trials of a value, an impossible level, or a flat curve.
pub fn preferred_value(values: &[f64], trials: &[Vec<f64>], how: &Resampling) -> Result<Interval, StatisticsError> {
    let preferred = |drawn: &[Vec<usize>]| {
        let means: Vec<f64> = means(trials, drawn).collect();
        let best = (0..means.len()).max_by(|&a, &b| means[a].total_cmp(&means[b]).then(b.cmp(&a)))?;
        let tuned = means.iter().any(|&mean| mean < means[best]);
        values.get(best).copied().filter(|_| tuned)
    };
    bootstrap_within(&counts(trials), preferred, how)
}

/// Trials of each value.
fn counts(trials: &[Vec<f64>]) -> Vec<usize> {
    trials.iter().map(Vec::len).collect()
}

/// The mean over the drawn trials of each value.
fn means(trials: &[Vec<f64>], drawn: &[Vec<usize>]) -> impl Iterator<Item = f64> {
    trials
        .iter()
        .zip(drawn)
        .map(|(trials, drawn)| drawn.iter().map(|&trial| trials[trial]).sum::<f64>() / drawn.len() as f64)
}

/// Interval of an angle: quantiles of the resamples' distances from the estimate, the short way round.
fn angle_interval(
    groups: &[usize],
    period: Degrees,
    angle: impl Fn(&[Vec<usize>]) -> Option<f64>,
    how: &Resampling,
) -> Result<AngleInterval, StatisticsError> {
    super::statistics::checked(groups, how)?;
    let resamples = how.resamples;
    let mut drawn: Vec<Vec<usize>> = groups.iter().map(|&count| (0..count).collect()).collect();
    let estimate_deg = angle(&drawn).ok_or(StatisticsError::Undefined { undefined: resamples, resamples })?;
    let around: Vec<f64> = (0..resamples)
        .filter_map(|resample| {
            super::statistics::draw_again(&mut drawn, &mut Chance::new(how.seed, resample as u32));
            let apart = (angle(&drawn)? - estimate_deg).rem_euclid(period);
            Some(if apart > 0.5 * period { apart - period } else { apart })
        })
        .collect();
    if 2 * around.len() < resamples {
        return Err(StatisticsError::Undefined { undefined: resamples - around.len(), resamples });
    }
    let tail = 0.5 * (1.0 - how.level);
    let reach = |fraction: f64| quantile(&around, fraction).unwrap_or(0.0);
    let turns = |part: fn(f64) -> f64| {
        mean(&around.iter().map(|apart| part(std::f64::consts::TAU * apart / period)).collect::<Vec<_>>())
            .unwrap_or(0.0)
    };
    Ok(AngleInterval {
        estimate_deg,
        reach_deg: (reach(tail), reach(1.0 - tail)),
        agreement: turns(f64::cos).hypot(turns(f64::sin)),
        level: how.level,
        resamples: around.len(),
    })
}

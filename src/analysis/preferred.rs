//! Preferred values and selectivity with intervals over trials: what another set of presentations would have given.
//!
//! Trials are drawn again within each value that was shown, the curve of means is made anew, and the quantities are read
//! from it. No curve is fitted to a resample: these quantities are sums over the means.

use super::selectivity::{Harmonic, dsi, osi};
use super::statistics::moments::mean;
use super::statistics::{Draws, Interval, Means, Resampling, StatisticsError, quantile_of_sorted};
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
    /// Orientation selectivity of two points.
    pub osi: Result<Interval, StatisticsError>,
    /// Direction selectivity of two points.
    pub dsi: Result<Interval, StatisticsError>,
}

/// Intervals of one unit's preferred angles and selectivity, from its response to each trial of each direction,
/// `[direction][trial]`. Quantities that are undefined, such as the preferred direction of a unit that responds equally to
/// opposite ones, say so each on its own. Negative means of a direction count as 0, below which there is no selectivity.
pub fn direction_confidence(directions_deg: &[Degrees], trials: &[Vec<f64>], how: &Resampling) -> DirectionConfidence {
    match draws(trials, how) {
        Ok(draws) => drawn_direction_confidence(directions_deg, trials, &draws),
        Err(error) => DirectionConfidence {
            direction: Err(error.clone()),
            orientation: Err(error.clone()),
            global_osi: Err(error.clone()),
            global_dsi: Err(error.clone()),
            osi: Err(error.clone()),
            dsi: Err(error),
        },
    }
}

/// The same from resamples that were drawn before, perhaps for other units with as many trials.
///
/// # Panics
/// With draws for other numbers of trials.
pub fn drawn_direction_confidence(
    directions_deg: &[Degrees],
    trials: &[Vec<f64>],
    draws: &Draws,
) -> DirectionConfidence {
    let means = Means::new(trials, draws).at_least(0.0);
    let (direction, orientation) = (Harmonic::direction(directions_deg), Harmonic::orientation(directions_deg));
    let index = |harmonic: &Harmonic| means.interval(|curve| harmonic.selectivity(curve).map(f64::from));
    DirectionConfidence {
        direction: angle_interval(&means, &direction),
        orientation: angle_interval(&means, &orientation),
        global_osi: index(&orientation),
        global_dsi: index(&direction),
        osi: means.interval(|curve| osi(directions_deg, curve).map(f64::from)),
        dsi: means.interval(|curve| dsi(directions_deg, curve).map(f64::from)),
    }
}

/// Interval of one unit's preferred value, the shown value with the largest mean, from its response to each trial of each
/// value, `[value][trial]`.
///
/// # Errors
/// With fewer than two trials of a value, an impossible level, or a flat curve.
pub fn preferred_value(values: &[f64], trials: &[Vec<f64>], how: &Resampling) -> Result<Interval, StatisticsError> {
    drawn_preferred_value(values, trials, &draws(trials, how)?)
}

/// The same from resamples that were drawn before, perhaps for other units with as many trials.
///
/// # Errors
/// With a flat curve.
///
/// # Panics
/// With draws for other numbers of trials.
pub fn drawn_preferred_value(values: &[f64], trials: &[Vec<f64>], draws: &Draws) -> Result<Interval, StatisticsError> {
    Means::new(trials, draws).interval(|means| {
        let best = (0..means.len()).max_by(|&a, &b| means[a].total_cmp(&means[b]).then(b.cmp(&a)))?;
        let tuned = means.iter().any(|&mean| mean < means[best]);
        values.get(best).copied().filter(|_| tuned)
    })
}

/// Resamples of the trials of each value.
fn draws(trials: &[Vec<f64>], how: &Resampling) -> Result<Draws, StatisticsError> {
    Draws::new(&trials.iter().map(Vec::len).collect::<Vec<_>>(), how)
}

/// Interval of a preferred angle: quantiles of the resamples' distances from the estimate, the short way round.
fn angle_interval(means: &Means<'_>, harmonic: &Harmonic) -> Result<AngleInterval, StatisticsError> {
    let (resamples, period) = (means.how().resamples, harmonic.period_deg());
    let angle = |curve: &[f64]| harmonic.preferred_deg(curve).map(f64::from);
    let estimate_deg = angle(means.all()).ok_or(StatisticsError::Undefined { undefined: resamples, resamples })?;
    let apart = |curve: &[f64]| {
        let apart = (angle(curve)? - estimate_deg).rem_euclid(period);
        Some(if apart > 0.5 * period { apart - period } else { apart })
    };
    let mut around: Vec<f64> = means.resampled().filter_map(apart).collect();
    if 2 * around.len() < resamples {
        return Err(StatisticsError::Undefined { undefined: resamples - around.len(), resamples });
    }
    let turns = |part: fn(f64) -> f64| {
        mean(&around.iter().map(|apart| part(std::f64::consts::TAU * apart / period)).collect::<Vec<_>>())
            .unwrap_or(0.0)
    };
    let agreement = turns(f64::cos).hypot(turns(f64::sin));
    around.sort_by(f64::total_cmp);
    let level = means.how().level;
    let tail = 0.5 * (1.0 - level);
    let reach = |fraction: f64| quantile_of_sorted(&around, fraction).unwrap_or(0.0);
    let reach_deg = (reach(tail), reach(1.0 - tail));
    Ok(AngleInterval { estimate_deg, reach_deg, agreement, level, resamples: around.len() })
}

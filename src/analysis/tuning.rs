//! Direction tuning of a population.

use super::presentation::{mean_and_sem, mean_response};
use super::selectivity::{global_dsi, global_osi, preferred_direction_deg};
use crate::signals::Responses;
use crate::stimulus::schedule::Schedule;

/// Tuning of every unit over the same directions.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionTuning {
    /// Directions shown, degrees in 0..360, ascending.
    pub directions_deg: Vec<f64>,
    /// Presentations of each direction, in the same order.
    pub presentations: Vec<usize>,
    /// Presentations of the direction that was shown least often.
    pub repeats: usize,
    /// One for each unit, in the order of the responses.
    pub units: Vec<UnitTuning>,
}

/// One unit's direction tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTuning {
    /// Mean response at each direction, in units of the unit's mean activity.
    pub mean: Vec<f32>,
    /// Standard error over presentations at each direction; `None` when one was shown fewer than twice.
    pub sem: Option<Vec<f32>>,
    /// Global orientation selectivity, |Σ r e^{2iθ}| / Σ r; `None` where undefined.
    pub global_osi: Option<f32>,
    /// Global direction selectivity, |Σ r e^{iθ}| / Σ r; `None` where undefined.
    pub global_dsi: Option<f32>,
    /// Direction of Σ r e^{iθ}, degrees in 0..360; `None` where undefined.
    pub preferred_direction_deg: Option<f32>,
}

impl UnitTuning {
    /// From the mean and standard error at each direction.
    pub fn new(directions_deg: &[f64], mean: Vec<f32>, sem: Option<Vec<f32>>) -> Self {
        Self {
            global_osi: global_osi(directions_deg, &mean),
            global_dsi: global_dsi(directions_deg, &mean),
            preferred_direction_deg: preferred_direction_deg(directions_deg, &mean),
            mean,
            sem,
        }
    }
}

/// Direction tuning: the mean over each presentation's frames after the first `skip_frames`, then mean and standard
/// error over the presentations of each direction. Samples side by side count as further presentations, and so do
/// conditions that share a direction.
///
/// `None` when no direction was shown, when a presentation is not covered by the responses, or when nothing of one
/// remains after the skip.
pub fn direction_tuning(schedule: &Schedule, skip_frames: usize, responses: &Responses) -> Option<DirectionTuning> {
    let directions_deg = directions_of(schedule);
    if directions_deg.is_empty() {
        return None;
    }
    let mut shown: Vec<Vec<Vec<f64>>> = vec![Vec::new(); directions_deg.len()];
    for presentation in &schedule.presentations {
        let Some(direction) = schedule.conditions.get(presentation.condition)?.direction_deg() else {
            continue;
        };
        let index = directions_deg.iter().position(|&known| known == on_the_circle(direction))?;
        for sample in 0..responses.samples() {
            shown[index].push(mean_response(presentation, skip_frames, responses, sample)?);
        }
    }
    tuned(directions_deg, &shown, responses.units())
}

/// Tuning from every unit's response to each showing of each direction, `[direction][showing][unit]`; `None` when one was
/// never shown.
pub(super) fn tuned(directions_deg: Vec<f64>, shown: &[Vec<Vec<f64>>], units: usize) -> Option<DirectionTuning> {
    let presentations: Vec<usize> = shown.iter().map(Vec::len).collect();
    let repeats = presentations.iter().copied().min().filter(|&least| least > 0)?;
    let units = (0..units)
        .map(|unit| {
            let (mean, sem): (Vec<f32>, Vec<Option<f32>>) =
                shown.iter().map(|presentations| mean_and_sem(presentations, unit)).unzip();
            UnitTuning::new(&directions_deg, mean, sem.into_iter().collect())
        })
        .collect();
    Some(DirectionTuning { directions_deg, presentations, repeats, units })
}

/// The directions that were shown, each once, ascending.
fn directions_of(schedule: &Schedule) -> Vec<f64> {
    let shown = schedule.presentations.iter().filter_map(|p| schedule.conditions.get(p.condition));
    let mut directions: Vec<f64> = shown.filter_map(|condition| condition.direction_deg().map(on_the_circle)).collect();
    directions.sort_by(f64::total_cmp);
    directions.dedup();
    directions
}

/// The same direction in 0..360.
fn on_the_circle(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    if turned >= 360.0 { 0.0 } else { turned }
}

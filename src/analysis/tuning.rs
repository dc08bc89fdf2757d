//! Direction tuning of a population.

use std::io;

use super::presentation::{Column, columns, curve};
use super::selectivity::{global_dsi, global_osi, preferred_direction_deg};
use super::varied;
use crate::signals::{ResponseRows, Responses};
use crate::stimulus::schedule::{Condition, Schedule};

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
    // Memory can be read.
    direction_tuning_of_rows(schedule, skip_frames, responses).ok().flatten()
}

/// The same of responses that need not lie in memory: they are read once, direction by direction.
///
/// # Errors
/// When they cannot be read.
pub fn direction_tuning_of_rows(
    schedule: &Schedule,
    skip_frames: usize,
    responses: &dyn ResponseRows,
) -> io::Result<Option<DirectionTuning>> {
    let directions_deg = directions_of(schedule);
    if directions_deg.is_empty() {
        return Ok(None);
    }
    let direction = |condition: &Condition| condition.direction_deg().map(on_the_circle);
    let columns = columns(schedule, skip_frames, responses, &directions_deg, &direction)?;
    Ok(columns.and_then(|columns| tuned(directions_deg, &columns, responses.units())))
}

/// Tuning from the responses to each direction; `None` when there is none.
pub(super) fn tuned(directions_deg: Vec<f64>, columns: &[Column], units: usize) -> Option<DirectionTuning> {
    let presentations: Vec<usize> = columns.iter().map(|column| column.presentations).collect();
    let repeats = presentations.iter().copied().min()?;
    let tuning = |unit| {
        let (mean, sem) = curve(columns, unit);
        UnitTuning::new(&directions_deg, mean, sem)
    };
    let units = (0..units).map(tuning).collect();
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
    varied::on_the_circle(degrees, 360.0)
}

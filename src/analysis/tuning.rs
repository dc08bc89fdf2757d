//! Direction tuning of a population.

/// Tuning of every unit over the same directions.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionTuning {
    /// Directions shown, degrees, ascending.
    pub directions_deg: Vec<f64>,
    /// Presentations per direction.
    pub repeats: usize,
    /// One for each unit, in the order of the responses.
    pub units: Vec<UnitTuning>,
}

/// One unit's direction tuning.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTuning {
    /// Mean response at each direction, in units of the unit's mean activity.
    pub mean: Vec<f32>,
    /// Standard error over repeats at each direction; `None` with fewer than two repeats.
    pub sem: Option<Vec<f32>>,
    /// Global orientation selectivity, |Σ r e^{2iθ}| / Σ r.
    pub global_osi: Option<f32>,
    /// Global direction selectivity, |Σ r e^{iθ}| / Σ r.
    pub global_dsi: Option<f32>,
    /// Direction of Σ r e^{iθ}, degrees in 0..360.
    pub preferred_direction_deg: Option<f32>,
}

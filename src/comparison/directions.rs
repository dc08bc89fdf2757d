//! Tuning to the direction of motion, or to orientation, of recorded and predicted responses, from the same presentations
//! by the same functions.

use super::pairs::Pairs;
use crate::analysis::UnitTuning;
use crate::analysis::bandwidth::half_width_deg;
use crate::analysis::selectivity::preferred_orientation_deg;
use crate::study::SELECTIVE;

/// Least number of angles over which tuning is measured.
const LEAST_ANGLES: usize = 4;
/// A unit is orientation selective above this global OSI, as in the published comparisons of twins with recordings.
pub const ORIENTED: f32 = 0.25;

/// Tuning of a population.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The angles, degrees, ascending.
    pub angles_deg: Vec<f64>,
    /// Presentations of each.
    pub presentations: Vec<usize>,
    /// One for each unit; `None` where a response to one of the angles was never measured.
    pub units: Vec<Option<UnitTuning>>,
}

/// Tuning in one domain of stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionComparison {
    /// Name of the domain.
    pub domain: String,
    /// Of the animal.
    pub recorded: Tuned,
    /// Of the twin.
    pub predicted: Tuned,
}

/// What is read from a unit's tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Direction of the mean vector, where the recorded unit is selective.
    PreferredDirection,
    /// The same for orientation.
    PreferredOrientation,
    /// Global orientation selectivity.
    GlobalOsi,
    /// Global direction selectivity.
    GlobalDsi,
    /// Half width at half height.
    HalfWidth,
}

impl Measure {
    /// Every measure, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::PreferredDirection, Self::PreferredOrientation, Self::GlobalOsi, Self::GlobalDsi, Self::HalfWidth];

    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::PreferredDirection => "Preferred direction",
            Self::PreferredOrientation => "Preferred orientation",
            Self::GlobalOsi => "gOSI",
            Self::GlobalDsi => "gDSI",
            Self::HalfWidth => "Tuning half width",
        }
    }

    /// Name in tables.
    pub fn key(self) -> &'static str {
        match self {
            Self::PreferredDirection => "preferred_direction_deg",
            Self::PreferredOrientation => "preferred_orientation_deg",
            Self::GlobalOsi => "global_osi",
            Self::GlobalDsi => "global_dsi",
            Self::HalfWidth => "half_width_deg",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::GlobalOsi | Self::GlobalDsi => "",
            _ => "°",
        }
    }

    /// After how much it begins anew, of what lies on a circle.
    pub(super) fn period(self) -> Option<f64> {
        match self {
            Self::PreferredDirection => Some(360.0),
            Self::PreferredOrientation => Some(180.0),
            _ => None,
        }
    }

    fn among(self) -> &'static str {
        match self {
            Self::PreferredDirection => "recorded gDSI > 0.2",
            Self::PreferredOrientation => "recorded gOSI > 0.25",
            _ => "",
        }
    }

    /// Whether a recorded unit is selective enough for the measure to mean something.
    fn takes(self, recorded: &UnitTuning) -> bool {
        match self {
            Self::PreferredDirection => recorded.global_dsi.is_some_and(|index| index > SELECTIVE),
            Self::PreferredOrientation => recorded.global_osi.is_some_and(|index| index > ORIENTED),
            _ => true,
        }
    }
}

impl Tuned {
    /// A measure of a unit; `None` where it is not defined.
    pub fn get(&self, unit: usize, measure: Measure) -> Option<f64> {
        let tuning = self.units.get(unit)?.as_ref()?;
        match measure {
            Measure::PreferredDirection => tuning.preferred_direction_deg.map(f64::from),
            Measure::PreferredOrientation => preferred_orientation_deg(&self.angles_deg, &tuning.mean).map(f64::from),
            Measure::GlobalOsi => tuning.global_osi.map(f64::from),
            Measure::GlobalDsi => tuning.global_dsi.map(f64::from),
            Measure::HalfWidth => {
                let mean: Vec<f64> = tuning.mean.iter().map(|&mean| f64::from(mean)).collect();
                half_width_deg(360.0, &mean).filter(|_| self.is_even())
            }
        }
    }

    /// Whether the angles stand evenly around the whole circle, as a width over neighbours wants it.
    fn is_even(&self) -> bool {
        let step = 360.0 / self.angles_deg.len() as f64;
        self.angles_deg.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 1e-6)
    }
}

impl DirectionComparison {
    /// A measure of all units for which it is defined in both.
    pub fn pairs(&self, measure: Measure) -> Pairs {
        let point = |unit: usize| {
            let taken = self.recorded.units[unit].as_ref().is_some_and(|tuning| measure.takes(tuning));
            let (recorded, predicted) = (self.recorded.get(unit, measure)?, self.predicted.get(unit, measure)?);
            taken.then_some((unit, recorded, predicted))
        };
        Pairs {
            label: measure.label(),
            key: measure.key(),
            unit: measure.unit(),
            period: measure.period(),
            among: measure.among(),
            points: (0..self.recorded.units.len()).filter_map(point).collect(),
        }
    }
}

/// Responses to the angles of one domain under way: sums, so that memory does not grow with the number of presentations.
#[derive(Debug, Clone, Default)]
pub(super) struct AngleLedger {
    /// Ascending, each with what was found.
    angles: Vec<(f64, Presented)>,
}

/// Responses to one angle, `[unit]`.
#[derive(Debug, Clone, Default)]
struct Presented {
    presentations: usize,
    recorded: Vec<Spread>,
    predicted: Vec<Spread>,
}

/// Mean and squares about it, by Welford's updates.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn push(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1.0;
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    fn sem(&self) -> Option<f32> {
        (self.count >= 2.0).then(|| (self.squares / (self.count - 1.0) / self.count).sqrt() as f32)
    }
}

impl AngleLedger {
    /// Adds every unit's mean response to one presentation, NaN where nothing was measured.
    pub(super) fn add(&mut self, angle_deg: f64, recorded: &[f64], predicted: &[f64]) {
        let place = self.angles.partition_point(|(known, _)| *known < angle_deg);
        if self.angles.get(place).is_none_or(|(known, _)| *known != angle_deg) {
            let new = Presented {
                presentations: 0,
                recorded: vec![Spread::default(); recorded.len()],
                predicted: vec![Spread::default(); predicted.len()],
            };
            self.angles.insert(place, (angle_deg, new));
        }
        let (_, here) = &mut self.angles[place];
        here.presentations += 1;
        here.recorded.iter_mut().zip(recorded).for_each(|(spread, &value)| spread.push(value));
        here.predicted.iter_mut().zip(predicted).for_each(|(spread, &value)| spread.push(value));
    }

    /// The tuning of both; `None` when too few angles were shown.
    pub(super) fn finish(self, domain: &str) -> Option<DirectionComparison> {
        if self.angles.len() < LEAST_ANGLES {
            return None;
        }
        Some(DirectionComparison {
            domain: domain.to_owned(),
            recorded: self.tuned(|presented| &presented.recorded),
            predicted: self.tuned(|presented| &presented.predicted),
        })
    }

    fn tuned(&self, of: impl Fn(&Presented) -> &Vec<Spread>) -> Tuned {
        let angles_deg: Vec<f64> = self.angles.iter().map(|(angle, _)| *angle).collect();
        let units = self.angles.first().map_or(0, |(_, presented)| of(presented).len());
        let unit = |unit: usize| {
            let spreads = || self.angles.iter().map(|(_, presented)| of(presented)[unit]);
            // Below 0 there is no selectivity: negative means count as 0, as in the intervals of preferred angles.
            let mean = spreads().map(|spread| spread.mean.max(0.0) as f32).collect();
            let sem = spreads().map(|spread| spread.sem()).collect();
            spreads().all(|spread| spread.count > 0.0).then(|| UnitTuning::new(&angles_deg, mean, sem))
        };
        Tuned {
            presentations: self.angles.iter().map(|(_, presented)| presented.presentations).collect(),
            units: (0..units).map(unit).collect(),
            angles_deg,
        }
    }
}

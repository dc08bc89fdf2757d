//! Whether a twin's units are tuned as the simulated units that it learned from: the truth is known.

use std::sync::Arc;

use super::StudyError;
use crate::analysis::Median;
use crate::analysis::selectivity::{global_dsi, preferred_direction_deg};
use crate::data::simulated::Mouse;
use crate::data::{ScanId, Session};
use crate::evaluation::{Origin, Responder, Selection};
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::{Twin, TwinError, TwinOptions};
use crate::model::weights::TwinWeights;
use crate::signals::{Behavior, FrameSource, Monitor, Responses, UnitId};
use crate::stimulus::{
    Condition, DriftingGrating, FlashingGaussianDots, MovingDots, Presentation, Schedule, ScheduleSource, Stimulus,
};

/// Directions that are shown.
const DIRECTIONS: usize = 16;
/// Frames of one presentation, and those at its beginning that count nothing.
const SHOWN: usize = 60;
const SKIPPED: usize = 15;
/// Frames of grey between two of them.
const GREY: usize = 15;
/// Frames of flashing Gaussian dots: 105 places, white and black, 9 frames each.
const DOT_FRAMES: usize = 1890;
/// Frames by which responses are late.
const LATE: usize = 4;
/// Sharpness of the centre of mass of a map: places below half of the peak count nothing.
const SHARPNESS: i32 = 8;
/// A simulated unit is direction selective above this global DSI, measured under the same stimulus.
pub const SELECTIVE: f32 = 0.2;
/// z-score of running at which everything is measured: that of the average animal.
const AVERAGE: [f32; 2] = [0.0, 0.0];

/// Tuning to direction of one unit, simulated and the twin's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TunedUnit {
    /// Index in [`Fidelity::units`].
    pub unit: usize,
    /// Preferred direction of the simulated unit and of the twin's, degrees.
    pub preferred_deg: [f64; 2],
    /// Global DSI of the simulated unit and of the twin's.
    pub gdsi: [f64; 2],
}

/// Tuning to direction of twin and simulated units under one stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningError {
    /// What was shown.
    pub stimulus: &'static str,
    /// Units that prefer a direction in both, in the order of units.
    pub units: Vec<TunedUnit>,
}

/// Receptive field of one unit, simulated and the twin's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldUnit {
    /// Index in [`Fidelity::units`].
    pub unit: usize,
    /// Centre for the simulated unit and for the twin's, degrees right of and above the middle of the screen.
    pub centre_deg: [[f64; 2]; 2],
}

/// How true a twin is to the simulated mouse that it learned from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fidelity {
    /// The twin.
    pub origin: Origin,
    /// The session of the simulated mouse.
    pub recording: ScanId,
    /// Seed of the simulated mouse.
    pub mouse_seed: u64,
    /// Seed of the intervals of medians.
    pub seed: u64,
    /// Units of the twin.
    pub units: Vec<UnitId>,
    /// Under gratings and under coherent dots.
    pub tuning: Vec<TuningError>,
    /// Units for which a map of Gaussian dots finds a centre in both.
    pub fields: Vec<FieldUnit>,
}

impl TunedUnit {
    /// Whether the simulated unit is direction selective, see [`SELECTIVE`].
    pub fn is_selective(&self) -> bool {
        self.gdsi[0] > f64::from(SELECTIVE)
    }

    /// Absolute error of the twin's preferred direction, the short way round, degrees.
    pub fn error_deg(&self) -> f64 {
        let turn = (self.preferred_deg[1] - self.preferred_deg[0]).rem_euclid(360.0);
        turn.min(360.0 - turn)
    }
}

impl FieldUnit {
    /// Distance of both centres, degrees.
    pub fn distance_deg(&self) -> f64 {
        let [simulated, twin] = self.centre_deg;
        (simulated[0] - twin[0]).hypot(simulated[1] - twin[1])
    }
}

impl TuningError {
    /// Units whose truth is selective.
    pub fn selective(&self) -> impl Iterator<Item = &TunedUnit> {
        self.units.iter().filter(|unit| unit.is_selective())
    }

    /// Errors of the preferred direction of the selective units, degrees.
    pub fn errors_deg(&self) -> Vec<f64> {
        self.selective().map(TunedUnit::error_deg).collect()
    }

    /// Share of the selective units within so many degrees.
    pub fn within(&self, degrees: f64) -> f64 {
        let errors = self.errors_deg();
        errors.iter().filter(|error| **error <= degrees).count() as f64 / errors.len().max(1) as f64
    }
}

impl Fidelity {
    /// As CSV, one row a unit for each stimulus and for receptive fields: identity, preferred directions and selectivity,
    /// or centres, of the simulated unit and of the twin's. `error_deg` is the error of the preferred direction, or the
    /// distance of the centres.
    pub fn csv(&self) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let columns = [
            "stimulus",
            "animal",
            "session",
            "scan",
            "unit",
            "error_deg",
            "selective",
            "simulated_preferred_deg",
            "twin_preferred_deg",
            "simulated_gdsi",
            "twin_gdsi",
            "simulated_centre_x_deg",
            "simulated_centre_y_deg",
            "twin_centre_x_deg",
            "twin_centre_y_deg",
        ];
        table.write_record(columns).expect("memory can be written to");
        let mut add = |stimulus: &str, unit: usize, error_deg: f64, selective: &str, numbers: [String; 8]| {
            let id = &self.units[unit];
            let animal = id.animal.clone().unwrap_or_default();
            let first = [stimulus.to_owned(), animal, id.session.to_string(), id.scan.to_string(), id.unit.to_string()];
            let error = [format!("{error_deg:.3}"), selective.to_owned()];
            let row = first.into_iter().chain(error).chain(numbers);
            table.write_record(row).expect("memory can be written to");
        };
        let none = String::new;
        for tuning in &self.tuning {
            for unit in &tuning.units {
                let [simulated, twin] = unit.preferred_deg.map(|degrees| format!("{degrees:.3}"));
                let [simulated_gdsi, twin_gdsi] = unit.gdsi.map(|gdsi| format!("{gdsi:.4}"));
                let selective = if unit.is_selective() { "yes" } else { "no" };
                let numbers = [simulated, twin, simulated_gdsi, twin_gdsi, none(), none(), none(), none()];
                add(tuning.stimulus, unit.unit, unit.error_deg(), selective, numbers);
            }
        }
        for field in &self.fields {
            let [[x, y], [twin_x, twin_y]] =
                field.centre_deg.map(|centre| centre.map(|degrees| format!("{degrees:.3}")));
            let numbers = [none(), none(), none(), none(), x, y, twin_x, twin_y];
            add("receptive field", field.unit, field.distance_deg(), "", numbers);
        }
        table.into_inner().expect("memory can be written to")
    }

    /// Median error of the preferred direction under one stimulus, degrees, with its interval; `None` without selective
    /// units.
    pub fn median_error(&self, tuning: &TuningError) -> Option<Median> {
        Median::of(&tuning.errors_deg(), self.seed)
    }

    /// Distances of the receptive fields' centres, degrees.
    pub fn distances_deg(&self) -> Vec<f64> {
        self.fields.iter().map(FieldUnit::distance_deg).collect()
    }

    /// Their median with its interval; `None` without units.
    pub fn median_distance(&self) -> Option<Median> {
        Median::of(&self.distances_deg(), self.seed)
    }
}

/// Shows gratings, coherent dots and Gaussian dots to a twin and to the mouse that it learned from, both calm and looking
/// straight ahead.
///
/// # Errors
/// When the session is not of a simulated mouse, twin and session do not belong together, a stimulus cannot be shown, or
/// the user asked to stop.
pub fn fidelity(weights: TwinWeights, session: &Session, progress: &Progress) -> Result<Fidelity, StudyError> {
    let columns = session.columns_of(&weights.units)?;
    let mouse_seed = mouse_seed(session)?;
    let mouse = Mouse::new(mouse_seed, session.units.len()).with_drift(0.0);
    let monitor = Monitor::WANG2025.with_raster(weights.card.raster);
    let twin = Twin::open(Arc::new(weights), &ComputeDevice::Cpu, TwinOptions::default())?;
    let mut tuning = Vec::new();
    for (name, stimuli) in [("gratings", gratings()), ("coherent dots", dots())] {
        let schedule = directions(&stimuli);
        let (seen, truth) = both(&twin, &mouse, &columns, &schedule, &monitor, progress)?;
        tuning.push(compare(name, &schedule, stimuli.len() / DIRECTIONS, &seen, &truth));
    }
    let schedule = one(dots_of_the_map(), DOT_FRAMES);
    let (seen, truth) = both(&twin, &mouse, &columns, &schedule, &monitor, progress)?;
    let mut source = ScheduleSource::new(schedule, &monitor)?;
    let mut pixels = vec![0; source.frames() * monitor.raster.pixels()];
    let frames = source.frames();
    source.read(0, frames, &mut pixels).map_err(TwinError::from)?;
    let centres = |responses: &Responses| centres_deg(&pixels, responses, &monitor);
    let pairs = centres(&truth).into_iter().zip(centres(&seen)).enumerate();
    let fields =
        pairs.filter_map(|(unit, (truth, twin))| Some(FieldUnit { unit, centre_deg: [truth?, twin?] })).collect();
    Ok(Fidelity {
        origin: twin.origin(),
        recording: session.id.clone(),
        mouse_seed,
        seed: Selection::default().seed,
        units: Responder::units(&twin).to_vec(),
        tuning,
        fields,
    })
}

/// Seed of the simulated mouse of a session.
fn mouse_seed(session: &Session) -> Result<u64, StudyError> {
    let seed = session.about.get("mouse_seed").and_then(toml::Value::as_str).and_then(|seed| seed.parse().ok());
    seed.ok_or_else(|| {
        StudyError::Plan(format!(
            "{}: the session does not name the seed of a simulated mouse, so the truth about its units is not known",
            session.id
        ))
    })
}

/// Full-field gratings in all directions, at four pairs of frequencies.
fn gratings() -> Vec<Stimulus> {
    let pairs = [(0.03, 1.5), (0.03, 3.0), (0.05, 1.5), (0.05, 3.0)];
    all_directions(&pairs, |direction_deg, (spatial, temporal)| {
        DriftingGrating {
            direction_deg,
            spatial_frequency_cyc_per_deg: spatial,
            temporal_frequency_hz: temporal,
            ..DriftingGrating::default()
        }
        .into()
    })
}

/// Coherent dots in all directions, at two speeds.
fn dots() -> Vec<Stimulus> {
    all_directions(&[20.0, 50.0], |direction_deg, speed_deg_per_sec| {
        MovingDots { direction_deg, speed_deg_per_sec, coherence: 1.0, ..MovingDots::default() }.into()
    })
}

/// Direction by direction, each with all variants.
fn all_directions<V: Copy>(variants: &[V], stimulus: impl Fn(f64, V) -> Stimulus) -> Vec<Stimulus> {
    let direction = |number: usize| number as f64 * 360.0 / DIRECTIONS as f64;
    (0..DIRECTIONS)
        .flat_map(|number| variants.iter().map(move |&variant| (number, variant)))
        .map(|(number, variant)| stimulus(direction(number), variant))
        .collect()
}

/// Gaussian dots for receptive fields: narrower than the published ones, whose maps are drawn to the middle of the screen
/// near its edges.
fn dots_of_the_map() -> Stimulus {
    FlashingGaussianDots { sigma_deg: 10.0, ..FlashingGaussianDots::default() }.into()
}

/// Each stimulus once, with grey between them.
fn directions(stimuli: &[Stimulus]) -> Schedule {
    let shown = |condition: usize| Presentation {
        condition,
        repeat: 0,
        onset_frame: GREY + condition * (SHOWN + GREY),
        frames: SHOWN,
        seed: 1 + condition as u64,
    };
    Schedule {
        conditions: stimuli.iter().cloned().map(Condition::from).collect(),
        presentations: (0..stimuli.len()).map(shown).collect(),
        frames: GREY + stimuli.len() * (SHOWN + GREY),
    }
}

/// One stimulus for so many frames.
fn one(stimulus: Stimulus, frames: usize) -> Schedule {
    let shown = Presentation { condition: 0, repeat: 0, onset_frame: 0, frames, seed: 1 };
    Schedule { conditions: vec![stimulus.into()], presentations: vec![shown], frames }
}

/// Responses of the twin and true rates of its units, both `[time, 1, unit]`.
fn both(
    twin: &Twin,
    mouse: &Mouse,
    columns: &[usize],
    schedule: &Schedule,
    monitor: &Monitor,
    progress: &Progress,
) -> Result<(Responses, Responses), StudyError> {
    let mut movie = ScheduleSource::new(schedule.clone(), monitor)?;
    let frames = movie.frames();
    let behavior = Behavior::new(frames, 1, vec![[0.0; 2]; frames], vec![AVERAGE; frames]).expect("finite");
    let mut seen = Vec::with_capacity(frames * columns.len());
    twin.rollout::<TwinError>(&mut movie, Some(&behavior), SHOWN, &Progress::new(), &mut |_, rows| {
        seen.extend_from_slice(rows);
        Ok(())
    })?;
    let truth = mouse.rates(monitor, &mut movie, &behavior, progress)?;
    let chosen = (0..frames).flat_map(|time| columns.iter().map(move |&column| (time, column)));
    let truth: Vec<f32> = chosen.map(|(time, column)| truth.row(time, 0)[column]).collect();
    let responses = |values| Responses::new(frames, 1, columns.len(), values).expect("a row for every frame");
    Ok((responses(seen), responses(truth)))
}

/// Preferred directions and selectivity of both.
fn compare(
    stimulus: &'static str,
    schedule: &Schedule,
    variants: usize,
    seen: &Responses,
    truth: &Responses,
) -> TuningError {
    let degrees: Vec<f64> = (0..DIRECTIONS).map(|number| number as f64 * 360.0 / DIRECTIONS as f64).collect();
    let tuned = |unit: usize| {
        let [simulated, twin] = [truth, seen].map(|responses| curve(schedule, variants, responses, unit));
        let pair = |of: fn(&[f64], &[f32]) -> Option<f32>| {
            Some([f64::from(of(&degrees, &simulated)?), f64::from(of(&degrees, &twin)?)])
        };
        Some(TunedUnit { unit, preferred_deg: pair(preferred_direction_deg)?, gdsi: pair(global_dsi)? })
    };
    TuningError { stimulus, units: (0..truth.units()).filter_map(tuned).collect() }
}

/// Mean response to each direction, over its variants and the frames after the onset.
fn curve(schedule: &Schedule, variants: usize, responses: &Responses, unit: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; DIRECTIONS];
    for shown in &schedule.presentations {
        let frames = shown.onset_frame + SKIPPED..shown.onset_frame + shown.frames;
        sums[shown.condition / variants] += frames.map(|time| f64::from(responses.row(time, 0)[unit])).sum::<f64>();
    }
    let count = (variants * (SHOWN - SKIPPED)) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// Centre of each unit's map: mean response weighted by how far every pixel was from grey; its peak's centre of mass in
/// degrees to the right and up. `None` for a unit whose map is flat.
fn centres_deg(pixels: &[u8], responses: &Responses, monitor: &Monitor) -> Vec<Option<[f64; 2]>> {
    let size = monitor.raster.pixels();
    let units = responses.units();
    let mut weights = vec![0.0f64; size];
    let mut maps = vec![vec![0.0f64; size]; units];
    for time in LATE..responses.frames() {
        let frame = &pixels[(time - LATE) * size..(time - LATE + 1) * size];
        let lit = frame.iter().enumerate().filter(|(_, grey)| grey.abs_diff(128) > 2);
        let lit: Vec<(usize, f64)> = lit.map(|(place, grey)| (place, f64::from(grey.abs_diff(128)))).collect();
        lit.iter().for_each(|(place, weight)| weights[*place] += weight);
        for (map, &response) in maps.iter_mut().zip(responses.row(time, 0)) {
            lit.iter().for_each(|(place, weight)| map[*place] += weight * f64::from(response));
        }
    }
    maps.iter_mut().for_each(|map| map.iter_mut().zip(&weights).for_each(|(sum, weight)| *sum /= weight.max(1e-9)));
    let width = monitor.raster.width;
    let centre = |map: &Vec<f64>| {
        let mut sorted = map.clone();
        sorted.sort_by(f64::total_cmp);
        let (middle, top) = (sorted[size / 2], sorted[size - 1]);
        if top - middle <= 1e-9 {
            return None;
        }
        let mut sums = [0.0; 3];
        for (place, value) in map.iter().enumerate() {
            let weight = ((value - middle) / (top - middle)).max(0.0).powi(SHARPNESS);
            let (x, y) = monitor.degrees_from_pixel((place / width) as f64, (place % width) as f64);
            sums = [sums[0] + weight, sums[1] + weight * x, sums[2] + weight * y];
        }
        Some([sums[1] / sums[0], sums[2] / sums[0]])
    };
    maps.iter().map(centre).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Raster;

    #[test]
    fn the_centre_of_a_map_is_where_dots_drive_the_unit() {
        let monitor = Monitor::WANG2025.with_raster(Raster { height: 18, width: 32 });
        let mut source = ScheduleSource::new(one(dots_of_the_map(), DOT_FRAMES), &monitor).expect("it can be drawn");
        let size = monitor.raster.pixels();
        let mut pixels = vec![0; DOT_FRAMES * size];
        source.read(0, DOT_FRAMES, &mut pixels).expect("it can be drawn");
        let places = [(9, 16), (5, 24), (12, 7)];
        // The energy that falls on one pixel, a few frames later; the last unit is silent.
        let drive = |time: usize, (row, column): (usize, usize)| {
            let grey = time.checked_sub(LATE).map_or(128, |time| pixels[time * size + row * 32 + column]);
            (f32::from(grey.abs_diff(128)) / 127.0).powi(2)
        };
        let values = (0..DOT_FRAMES).flat_map(|time| places.map(|place| drive(time, place)).into_iter().chain([1.0]));
        let responses = Responses::new(DOT_FRAMES, 1, 4, values.collect()).expect("four units");
        let centres = centres_deg(&pixels, &responses, &monitor);
        for (centre, (row, column)) in centres.iter().zip(places) {
            let [x, y] = centre.expect("the unit is driven");
            let expected = monitor.degrees_from_pixel(row as f64, column as f64);
            // The dots stand 8 degrees apart: half of that.
            assert!((x - expected.0).hypot(y - expected.1) < 4.5, "({x}, {y}), expected {expected:?}");
        }
        assert_eq!(centres[3], None);
    }
}

//! An outcome as it is looked at: with the few numbers that every view needs.

use super::unit_name;
use crate::experiment::Outcome;
use crate::signals::UnitId;

/// Most parts of a movie that are told apart where all units are seen at once: more than a window has pixels to show.
const MOST_PARTS: usize = 1024;

/// A finished run.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was computed.
    pub outcome: Outcome,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Mean response of each unit over the whole movie, `[unit]`.
    pub mean: Vec<f32>,
    /// Strongest response of each unit, `[unit]`; at least 0.
    pub peak: Vec<f32>,
    /// The movie in so many parts, of one frame each where it is short.
    pub parts: usize,
    /// Mean response of each unit in each part of the movie, `[unit, part]`.
    pub course: Vec<f32>,
    /// The unit most modulated by the parameter that is analysed, or with the sharpest direction tuning; the first when
    /// nothing was tuned.
    pub most_selective: usize,
    /// Whether the units are of more than one animal.
    several_animals: bool,
}

impl Answer {
    /// Takes an outcome and the time it took. Looks at every response once, frame by frame as they lie in memory.
    pub fn new(outcome: Outcome, seconds: f64) -> Self {
        let (units, frames) = (outcome.responses.units(), outcome.responses.frames());
        let parts = frames.min(MOST_PARTS);
        let (mut total, mut peak) = (vec![0.0_f64; units], vec![0.0_f32; units]);
        let mut course = vec![0.0; units * parts];
        let mut sums = vec![0.0_f32; units];
        for part in 0..parts {
            let range = part * frames / parts..(part + 1) * frames / parts;
            let count = range.len() as f32;
            for time in range {
                let row = outcome.responses.row(time, 0);
                for (((sum, total), peak), &value) in sums.iter_mut().zip(&mut total).zip(&mut peak).zip(row) {
                    *sum += value;
                    *total += f64::from(value);
                    *peak = peak.max(value);
                }
            }
            for (unit, sum) in sums.iter_mut().enumerate() {
                course[unit * parts + part] = std::mem::take(sum) / count;
            }
        }
        let mean = total.into_iter().map(|sum| (sum / frames.max(1) as f64) as f32).collect();
        let dsi = |unit: usize| outcome.tuning.as_ref().and_then(|tuning| tuning.units.get(unit)?.global_dsi);
        let sharper =
            |&a: &usize, &b: &usize| dsi(a).unwrap_or(-1.0).total_cmp(&dsi(b).unwrap_or(-1.0)).then(b.cmp(&a));
        let modulated = outcome.parameter.as_ref().and_then(|tuning| tuning.most_modulated());
        let most_selective = modulated.or_else(|| (0..units).max_by(sharper)).unwrap_or(0);
        let several_animals = outcome.units.iter().any(|unit| unit.animal != outcome.units[0].animal);
        Self { outcome, seconds, mean, peak, parts, course, most_selective, several_animals }
    }

    /// Speed of the twin, frames of the movie per second of computing.
    pub fn frames_per_sec(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.outcome.responses.frames() as f64 / self.seconds)
    }

    /// Name of a unit in lists and plots: `session-scan · unit`, with the animal where units of several are there; empty
    /// when there is no such unit.
    pub fn unit_name(&self, unit: usize) -> String {
        match self.outcome.units.get(unit) {
            Some(id) if self.several_animals => unit_name(id),
            Some(id) => unit_name(&UnitId { animal: None, ..id.clone() }),
            None => String::new(),
        }
    }

    /// One line that every view of these answers carries: which twin, and whether its animal was simulated.
    pub fn origin(&self) -> String {
        self.outcome.provenance.notice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Protocol, Provenance};
    use crate::signals::{Raster, Responses, UnitId};

    #[test]
    fn a_long_answer_is_seen_in_parts_with_its_true_peaks() {
        let (units, frames) = (3, 2500);
        let values: Vec<f32> = (0..frames * units)
            .map(|index| if index == 2000 * units + 1 { 9.0 } else { (index % units) as f32 })
            .collect();
        let protocol = Protocol::default_direction_tuning();
        let monitor = protocol.monitor(Raster { height: 9, width: 16 });
        let mut schedule = protocol.schedule(&monitor);
        schedule.frames = frames;
        let unit = |unit| UnitId { animal: None, session: 1, scan: 1, unit };
        let (version, twin, device) = (String::new(), String::new(), String::new());
        let outcome = Outcome {
            protocol,
            monitor,
            schedule,
            responses: Responses::new(frames, 1, units, values).expect("the sizes fit"),
            units: (0..units as u32).map(unit).collect(),
            tuning: None,
            parameter: None,
            provenance: Provenance { version, twin, simulated: true, weights_sha256: String::new(), device, seed: 1 },
        };
        let answer = Answer::new(outcome, 1.0);
        assert_eq!(answer.peak, [0.0, 9.0, 2.0]);
        assert_eq!((answer.parts, answer.course.len()), (MOST_PARTS, units * MOST_PARTS));
        assert!(answer.course[2 * MOST_PARTS..].iter().all(|&value| value == 2.0));
        let part = (0..MOST_PARTS).find(|part| (part + 1) * frames / MOST_PARTS > 2000).expect("inside the movie");
        let course = &answer.course[MOST_PARTS..2 * MOST_PARTS];
        assert!(course.iter().enumerate().all(|(at, &value)| if at == part { value > 3.0 } else { value == 1.0 }));
    }
}

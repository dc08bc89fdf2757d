//! Receptive fields from sparse noise, square by square.

use std::io;

use super::masked::{Lit, Probes, square_map};
use crate::analysis::presentation::mean_of_rows;
use crate::signals::{Monitor, ResponseRows, Responses};
use crate::stimulus::Stimulus;
use crate::stimulus::schedule::Schedule;
use crate::stimulus::sparse_noise::SparsePatterns;

/// Responses to the squares of sparse noise.
#[derive(Debug, Clone)]
pub struct SquareMaps {
    patterns: SparsePatterns,
    probes: Probes,
}

impl SquareMaps {
    /// Squares above one another and side by side.
    pub fn shape(&self) -> [usize; 2] {
        [self.patterns.rows(), self.patterns.columns()]
    }

    /// The grid: which square a pixel belongs to.
    pub fn patterns(&self) -> &SparsePatterns {
        &self.patterns
    }

    /// The responses to each square, white and black in turn.
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// One unit's map, `[row, column]` from the upper left; `None` at squares that were not shown.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn map(&self, lit: Lit, unit: usize) -> Vec<Option<f64>> {
        square_map(&self.probes, lit, unit)
    }
}

/// Responses to the sparse noise of a schedule: the mean over the frames of each pattern, `delay_frames` later, counted
/// for each of its squares. Noise of another grid than the first, noise to which something was done by a modifier, and
/// patterns whose frames end after the responses are left out.
///
/// `None` when no pattern remains.
pub fn sparse_noise_maps(
    schedule: &Schedule,
    monitor: &Monitor,
    delay_frames: usize,
    responses: &Responses,
) -> Option<SquareMaps> {
    // Memory can be read.
    sparse_noise_maps_of_rows(schedule, monitor, delay_frames, responses).ok().flatten()
}

/// The same of responses that need not lie in memory: they are read once, pattern by pattern.
///
/// # Errors
/// When they cannot be read.
pub fn sparse_noise_maps_of_rows(
    schedule: &Schedule,
    monitor: &Monitor,
    delay_frames: usize,
    rows: &dyn ResponseRows,
) -> io::Result<Option<SquareMaps>> {
    let mut maps: Option<(f64, SquareMaps)> = None;
    for shown in &schedule.presentations {
        let Some(condition) = schedule.conditions.get(shown.condition) else { return Ok(None) };
        let Stimulus::SparseNoise(noise) = &condition.stimulus else { continue };
        if condition.is_blank() || !condition.modifiers.is_empty() {
            continue;
        }
        let Ok(patterns) = SparsePatterns::new(noise, monitor, shown.seed) else { return Ok(None) };
        let (side, maps) = maps.get_or_insert_with(|| {
            let white = [true, false].repeat(patterns.rows() * patterns.columns());
            let probes = Probes::new(white, rows.units());
            (noise.square_deg, SquareMaps { patterns: patterns.clone(), probes })
        });
        if *side != noise.square_deg {
            continue;
        }
        let mut first = 0;
        while first < shown.frames {
            let number = patterns.number(first);
            let frames = (first..shown.frames).take_while(|&frame| patterns.number(frame) == number).count();
            let from = shown.onset_frame.saturating_add(first).saturating_add(delay_frames);
            for sample in 0..rows.samples() {
                let Some(means) = mean_of_rows(from, frames, rows, sample)? else { continue };
                for (square, &sign) in patterns.pattern(first).iter().enumerate().filter(|(_, sign)| **sign != 0) {
                    let known = maps.probes.add(2 * square + usize::from(sign < 0), &means);
                    known.expect("two probes for each square of the grid, and a response of each unit");
                }
            }
            first += frames;
        }
    }
    let known = maps.map(|(_, maps)| maps);
    Ok(known.filter(|maps| maps.probes.shown().iter().any(|&count| count > 0)))
}

//! Receptive fields from Gaussian dots, shown one at a time.

use std::io;

use super::masked::{Lit, Probes, masked_map};
use crate::analysis::presentation::mean_of_rows;
use crate::signals::{Degrees, Monitor, Raster, ResponseRows, Responses};
use crate::stimulus::gaussian_dots::{DotSequence, FlashedDot};
use crate::stimulus::schedule::{Presentation, Schedule};
use crate::stimulus::{GaussianDot, Screen, Stimulus};

/// Responses to Gaussian dots with the mask of each, for maps on a raster of their own.
#[derive(Debug, Clone)]
pub struct DotMaps {
    screen: Screen,
    /// `[dot, pixel]`.
    masks: Vec<Vec<f32>>,
    probes: Probes,
}

impl DotMaps {
    /// Pixels of a map.
    pub fn raster(&self) -> Raster {
        self.screen.monitor().raster
    }

    /// Place of each pixel, degrees right of and above the middle of the screen, row by row from the upper left.
    pub fn places(&self) -> Vec<[Degrees; 2]> {
        self.screen.places().iter().map(|place| place.position.map(f64::from)).collect()
    }

    /// The responses to each dot.
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// One unit's map, `[height, width]`; `None` at pixels that no dot covered.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn map(&self, lit: Lit, unit: usize) -> Vec<Option<f64>> {
        masked_map(&self.masks, &self.probes, lit, unit)
    }
}

/// A dot, its size and its polarity: everything that its mask and its map depend on.
type Dot = ([u64; 3], bool);

/// Responses to the Gaussian dots of a schedule, single ones at swept places and flashing ones: the mean over the frames
/// of each dot, `delay_frames` later. Maps are drawn with the monitor's geometry on a raster of their own, which may be
/// coarser. Dots to which something was done by a modifier, and those whose frames end after the responses, are left out.
///
/// `None` when no dot remains.
pub fn gaussian_dot_maps(
    schedule: &Schedule,
    monitor: &Monitor,
    raster: Raster,
    delay_frames: usize,
    responses: &Responses,
) -> Option<DotMaps> {
    // Memory can be read.
    gaussian_dot_maps_of_rows(schedule, monitor, raster, delay_frames, responses).ok().flatten()
}

/// The same of responses that need not lie in memory: they are read once, dot by dot.
///
/// # Errors
/// When they cannot be read.
pub fn gaussian_dot_maps_of_rows(
    schedule: &Schedule,
    monitor: &Monitor,
    raster: Raster,
    delay_frames: usize,
    rows: &dyn ResponseRows,
) -> io::Result<Option<DotMaps>> {
    let screen = Screen::new(&Monitor { raster, ..*monitor });
    let mut known: Vec<Dot> = Vec::new();
    let mut masks = Vec::new();
    let mut shown: Vec<(usize, usize, usize)> = Vec::new();
    let mut note = |mask: GaussianDot, first: usize, frames: usize| {
        let dot = ([mask.x_deg, mask.y_deg, mask.sigma_deg].map(f64::to_bits), mask.contrast > 0.0);
        let index = known.iter().position(|other| *other == dot).unwrap_or_else(|| {
            masks.push(mask.mask(&screen));
            known.push(dot);
            known.len() - 1
        });
        shown.push((index, first, frames));
    };
    for presentation in &schedule.presentations {
        let Some(condition) = schedule.conditions.get(presentation.condition) else { return Ok(None) };
        if condition.is_blank() || !condition.modifiers.is_empty() {
            continue;
        }
        match &condition.stimulus {
            Stimulus::GaussianDot(dot) if dot.contrast != 0.0 => {
                note(dot.clone(), presentation.onset_frame, presentation.frames);
            }
            Stimulus::FlashingGaussianDots(dots) => {
                let Ok(sequence) = DotSequence::new(dots, monitor, presentation.seed) else { return Ok(None) };
                for (first, frames) in steps(presentation, sequence.frames_per_dot()) {
                    let FlashedDot { x_deg, y_deg, white, .. } = sequence.dot(first - presentation.onset_frame);
                    let contrast = if white { 1.0 } else { -1.0 };
                    note(GaussianDot { x_deg, y_deg, sigma_deg: dots.sigma_deg, contrast }, first, frames);
                }
            }
            _ => {}
        }
    }
    let mut probes = Probes::new(known.iter().map(|(_, white)| *white).collect(), rows.units());
    for (dot, first, frames) in shown {
        for sample in 0..rows.samples() {
            if let Some(means) = mean_of_rows(first.saturating_add(delay_frames), frames, rows, sample)? {
                probes.add(dot, &means).expect("a probe for every dot, and a response of each unit");
            }
        }
    }
    Ok(probes.shown().iter().any(|&count| count > 0).then_some(DotMaps { screen, masks, probes }))
}

/// First frame and length of the steps of a presentation that changes every so many frames; a last one that is cut short
/// is left out.
fn steps(shown: &Presentation, frames: usize) -> impl Iterator<Item = (usize, usize)> {
    let onset = shown.onset_frame;
    (0..shown.frames / frames.max(1)).map(move |step| (onset + step * frames, frames))
}

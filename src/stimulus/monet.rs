//! Directional noise after "Monet2", the stimulus with which the MICrONS project and Wang et al. 2025 measured direction
//! tuning: blurred Gaussian noise that from time to time becomes oriented and moves.
//!
//! It is known as directional pink noise, but its spectrum is Gaussian, not 1/f: over spatial frequency the power is
//! exp(-s^2 w^2), w in radians per degree and s the blur in degrees. (For 1/f see `pink_noise.rs`.) In time it is white
//! noise through a Hamming window, or its falling half, of 2 rate / cut-off + 1 frames.
//!
//! Time goes in periods, one direction each, and a trial shows every direction once, in random order. In the middle of
//! each period, the window, the waves k are weighted by their angle q to the direction of motion,
//!
//!   sqrt(c) (1 + cos(c q)) / 2 where |q| < 180 deg / c, else 0,
//!
//! which has the full width 180 deg / c at half height, and the whole picture moves in that direction. Outside the window
//! it has no orientation and stays where the motion left it; over a trial the displacements cancel. The weighting of c
//! >= 2 keeps 3/4 of the variance.
//!
//! Not taken over: the published movies are periodic on the screen and 72 samples wide, enlarged three times; here the
//! waves are drawn at the full resolution. `synthesis.rs` sums the waves.

use std::f64::consts::{PI, TAU};
use std::ops::Range;
use std::sync::Arc;

use rustfft::num_complex::Complex;

use super::drawing::{self, Kind, Painting, Shader, shader};
use super::fields::{Field, choices, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::synthesis::{Moment, Synthesis, Waves};
use super::{StimulusError, swing};
use crate::signals::{Degrees, FrameRate};

pub(super) static SHADER: Shader = shader!("monet", "cycles", "synthesis");

parameters! {
    /// Blurred Gaussian noise with windows of coherent orientation and motion.
    pub struct Monet {
        /// Number of directions, evenly spaced from 0 on.
        directions: u32 = 16, Field::number(
            "Directions",
            "",
            (1.0, 36.0),
            1.0,
            "Number of evenly spaced directions; every trial of so many periods shows each once, in random order",
        );
        /// Length of the period of one direction, seconds.
        period_secs: f64 = 0.9375, Field::number(
            "Period",
            "s",
            (0.1, 60.0),
            0.1,
            "Time for each direction; 16 periods of 0.9375 s make a trial of 15 s",
        );
        /// Part of each period, in its middle, with orientation and motion.
        moving_fraction: f64 = 0.4, Field::number(
            "Moving fraction",
            "",
            (0.0, 1.0),
            0.05,
            "Part of each period, in its middle, in which the noise is oriented and moves",
        );
        /// Coherence c of the orientation: the full width at half height is 180 degrees / c.
        orientation_coherence: f64 = 2.5, Field::number(
            "Orientation coherence",
            "",
            (1.0, 10.0),
            0.1,
            "Orientations within the moving window span 180 degrees divided by this (full width at half height)",
        );
        /// Speed within the moving window, degrees per second at the centre of the screen.
        speed_deg_per_sec: f64 = 54.0, Field::number(
            "Speed",
            "deg/s",
            (0.0, 500.0),
            5.0,
            "Speed within the moving window at the centre of the screen; 54 is a quarter of the published screen a second",
        );
        /// Standard deviation s of the Gaussian blur at the centre of the screen, degrees.
        blur_deg: Degrees = 3.0, Field::number(
            "Blur",
            "deg",
            (1.0, 30.0),
            0.5,
            "Standard deviation of the Gaussian blur; the spectrum is Gaussian, not 1/f (for that, take pink noise)",
        );
        /// Temporal cut-off, Hz.
        cut_off_hz: f64 = 4.0, Field::number(
            "Temporal cut-off",
            "Hz",
            (0.2, 60.0),
            0.5,
            "The noise is filtered through a window of time that lasts two periods of this frequency",
        );
        /// Shape of the temporal filter.
        temporal_window: TemporalWindow = TemporalWindow::HalfHamming, Field::choice(
            "Temporal window",
            TemporalWindow::OPTIONS,
            "Shape of the temporal filter; the whole window changes more smoothly from frame to frame",
        );
        /// Standard deviation of the grey levels without orientation, as a fraction of the largest swing around the
        /// background, 0..=1 (Gaussian; what leaves the range is clipped).
        contrast: f64 = 0.35, Field::number(
            "Contrast (RMS)",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of the grey levels, as a fraction of the largest swing; 13 % less while oriented",
        );
    }
}

choices! {
    /// Window through which white noise becomes noise that changes slowly; both are as long.
    pub enum TemporalWindow {
        /// From the peak down.
        HalfHamming = "half_hamming", "Falling half of Hamming";
        /// Up and down.
        Hamming = "hamming", "Hamming";
    }
}

/// What a frame of [`Monet`] shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonetMotion {
    /// Direction of its period, degrees, 0..360.
    pub direction_deg: Degrees,
    /// Whether the noise is oriented and moves: whether the frame lies in the window of its period.
    pub moving: bool,
    /// Number of the direction, from 0.
    direction: u32,
    /// Displacement of the whole picture since onset, degrees at the centre of the screen, x to the right and y up.
    displacement_deg: [f64; 2],
}

/// Second counters of the order of the directions: the number of the trial, far below those of the synthesis.
const ORDER: u32 = 0x4000_0000;

/// What a frame may miss the edge of a period or window by and still count as behind it, seconds: rounding only.
const ROUNDING: f64 = 1e-9;

impl Monet {
    /// Which direction a frame shows, and whether it moves; frame 0 is the onset.
    pub fn motion(&self, frame_rate: FrameRate, seed: u64, frame: usize) -> MonetMotion {
        let (period, directions) = (self.period_secs, self.directions.max(1));
        let secs = frame_rate.secs_at(frame) + ROUNDING;
        let periods = (secs / period).floor();
        let trial = (periods / f64::from(directions)).floor();
        let order = order(seed, trial as u32, directions);
        let nth = ((periods - trial * f64::from(directions)) as usize).min(order.len() - 1);
        let window = self.moving_fraction * period;
        let since = secs - periods * period - (period - window) / 2.0;
        let unit = |direction: u32| {
            let (sin, cos) = (TAU * f64::from(direction) / f64::from(directions)).sin_cos();
            [cos, sin]
        };
        // The directions of a whole trial cancel, unless there is only one.
        let whole = if directions == 1 { trial } else { 0.0 };
        let mut displacement_deg = unit(0).map(|part| part * whole * window * self.speed_deg_per_sec);
        let shown = order[..nth].iter().map(|&direction| (direction, window));
        for (direction, secs) in shown.chain([(order[nth], since.clamp(0.0, window))]) {
            for (sum, part) in displacement_deg.iter_mut().zip(unit(direction)) {
                *sum += part * secs * self.speed_deg_per_sec;
            }
        }
        MonetMotion {
            direction_deg: 360.0 * f64::from(order[nth]) / f64::from(directions),
            moving: (0.0..window).contains(&since),
            direction: order[nth],
            displacement_deg,
        }
    }

    /// Relative amplitudes of all waves: without orientation, then for each direction.
    fn amplitudes(&self, waves: &Waves) -> Vec<f32> {
        let vectors: Vec<Option<(f64, f64)>> = waves
            .vectors()
            .map(|vector| {
                vector.map(|[x, y]| {
                    let radians = TAU * x.hypot(y) * self.blur_deg;
                    (y.atan2(x), (-radians * radians / 2.0).exp())
                })
            })
            .collect();
        let coherence = self.orientation_coherence;
        let weight = |angle: f64, direction: f64| {
            // To the direction or its opposite, whichever is nearer.
            let away = (angle - direction + PI / 2.0).rem_euclid(PI) - PI / 2.0;
            let phase = coherence * away;
            if phase.abs() < PI { coherence.sqrt() * (1.0 + phase.cos()) / 2.0 } else { 0.0 }
        };
        let mut amplitudes: Vec<f32> = vectors.iter().map(|vector| vector.map_or(0.0, |(_, a)| a as f32)).collect();
        for direction in 0..self.directions {
            let direction = TAU * f64::from(direction) / f64::from(self.directions);
            let oriented = |(angle, amplitude): (f64, f64)| (amplitude * weight(angle, direction)) as f32;
            amplitudes.extend(vectors.iter().map(|vector| vector.map_or(0.0, oriented)));
        }
        amplitudes
    }
}

/// The directions of a trial, each once (Fisher and Yates).
fn order(seed: u64, trial: u32, directions: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..directions).collect();
    for last in (1..order.len()).rev() {
        let word = random_words(seed, last as u32, ORDER ^ trial)[0];
        // A fraction of last + 1; uneven by one in 2^32 only.
        let chosen = (u64::from(word) * (last as u64 + 1)) >> 32;
        order.swap(last, chosen as usize);
    }
    order
}

impl TemporalWindow {
    /// Power at a frequency in cycles per frame of white noise through the window.
    fn power(self, taps: usize) -> impl Fn(f64) -> f64 {
        let last = taps.max(2) as f64 - 1.0;
        // Both are 0.54 + a cos(step n), n = 0..=last: sums of three waves, each with a geometric series.
        let (cosine, step) = match self {
            Self::HalfHamming => (0.46, PI / last),
            Self::Hamming => (-0.46, TAU / last),
        };
        move |cycles| {
            let series = |angle: f64| {
                let half = angle / 2.0;
                let sin = half.sin();
                let length = if sin.abs() < 1e-12 { last + 1.0 } else { ((last + 1.0) * half).sin() / sin };
                Complex::from_polar(length, -half * last)
            };
            let angle = TAU * cycles;
            (series(angle) * 0.54 + (series(angle - step) + series(angle + step)) * (cosine / 2.0)).norm_sqr()
        }
    }
}

impl Kind for Monet {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "directions" | "period_secs" | "orientation_coherence" | "speed_deg_per_sec"
                if self.moving_fraction == 0.0 =>
            {
                Some("the noise is never oriented and never moves; raise `moving_fraction`")
            }
            _ => None,
        }
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        // Beyond 3.5 standard deviations of the spectrum of amplitudes lies less than 10^-5 of the power.
        let waves = Waves::new(monitor, 3.5 / (TAU * self.blur_deg));
        let amplitudes = self.amplitudes(&waves);
        let taps = (2.0 * monitor.frame_rate.0 / self.cut_off_hz).round() as usize + 1;
        let (background, deviation) = (monitor.background, self.contrast * swing(monitor.background));
        let synthesis =
            Synthesis::new(waves, seed, background, deviation, self.temporal_window.power(taps), amplitudes);
        Ok(Arc::new(Drawing { monet: self.clone(), frame_rate: monitor.frame_rate, seed, waves, synthesis }))
    }
}

/// The noise on a screen, ready to be drawn.
#[derive(Debug)]
struct Drawing {
    monet: Monet,
    frame_rate: FrameRate,
    seed: u64,
    waves: Waves,
    synthesis: Synthesis,
}

impl Drawing {
    fn moment(&self, frame: usize) -> Moment {
        let motion = self.monet.motion(self.frame_rate, self.seed, frame);
        let set = if motion.moving { motion.direction + 1 } else { 0 };
        Moment { set, shift: self.waves.cycles(motion.displacement_deg), ..Moment::at(frame) }
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.synthesis.frame(self.moment(frame), pixels);
    }

    fn painting(&self, _screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let moments: Vec<Moment> = frames.map(|frame| self.moment(frame)).collect();
        self.synthesis.painting(&SHADER, &moments)
    }
}

//! Uniform fields: flashes, the chirp and steps of luminance. Every pixel of a frame has the same grey level.
//!
//! Flash: the level of a contrast c is background + c (255 - background) for c > 0 and background (1 + c) for c < 0.
//!
//! Chirp, after Baden et al., Nature 529:345 (2016): a bright and a dark step, a sweep of frequency and a sweep of
//! contrast, with grey between the parts. A sweep is background + amplitude sin(2 pi p(t)), where the phase p is the
//! integral of the frequency over time: f0 t + (f1 - f0) t^2 / 2T when the frequency grows linearly, and
//! f0 T (k^(t/T) - 1) / ln k with k = f1 / f0 when it grows by octaves.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::Arc;

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, shader};
use super::fields::{CONTRAST, Field, SIGNED_CONTRAST, choices, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::{StimulusError, grey_level, level_of_contrast, swing};
use crate::signals::Monitor;

pub(super) static SHADER: Shader = shader!("full_field");

parameters! {
    /// Uniform field that goes on and off.
    pub struct Flash {
        /// Contrast while it is on, -1..=1.
        contrast: f64 = 1.0, SIGNED_CONTRAST;
        /// Contrast while it is off, -1..=1.
        off_contrast: f64 = 0.0, Field {
            label: "Contrast when off",
            help: "Level between the flashes: 0 is the background, -1 black for steps from dark to bright",
            ..SIGNED_CONTRAST
        };
        /// Duration of each flash, seconds.
        on_secs: f64 = 0.5, Field::number("Time on", "s", (0.01, 600.0), 0.1, "Duration of each flash, which starts at onset");
        /// Time between flashes, seconds.
        off_secs: f64 = 0.5, Field::number("Time off", "s", (0.0, 600.0), 0.1, "Time from the end of a flash to the next");
    }
}

choices! {
    /// How a frequency grows.
    pub enum Sweep {
        /// By the same number of hertz in each second.
        Linear = "linear", "Linear";
        /// By the same number of octaves in each second.
        Octaves = "octaves", "By octaves";
    }
}

parameters! {
    /// Steps, a sweep of frequency and a sweep of contrast.
    pub struct Chirp {
        /// Duration of the bright step and of the dark step, seconds; 0 leaves them out.
        step_secs: f64 = 3.0, Field::number(
            "Step duration",
            "s",
            (0.0, 60.0),
            0.5,
            "Duration of the bright step and of the dark step after it; 0 leaves both out",
        );
        /// Background after each part, seconds.
        pause_secs: f64 = 2.0, Field::number("Pause", "s", (0.0, 60.0), 0.5, "Time at the background after each part");
        /// Duration of the sweep of frequency, seconds; 0 leaves it out.
        frequency_sweep_secs: f64 = 8.0, Field::number(
            "Frequency sweep",
            "s",
            (0.0, 120.0),
            0.5,
            "Duration of the sweep of frequency; 0 leaves it out",
        );
        /// Frequency at the start of its sweep, Hz.
        start_hz: f64 = 0.5, Field::number("Start frequency", "Hz", (0.01, 60.0), 0.1, "Frequency at which its sweep starts");
        /// Frequency at the end of its sweep, Hz.
        end_hz: f64 = 8.0, Field::number("End frequency", "Hz", (0.01, 60.0), 0.5, "Frequency at which its sweep ends");
        /// How the frequency grows.
        sweep: Sweep = Sweep::Linear,
            Field::choice("Sweep", Sweep::OPTIONS, "Whether the frequency grows by hertz or by octaves per second");
        /// Duration of the sweep of contrast, seconds; 0 leaves it out.
        contrast_sweep_secs: f64 = 8.0, Field::number(
            "Contrast sweep",
            "s",
            (0.0, 120.0),
            0.5,
            "Duration of the sweep of contrast from 0; 0 leaves it out",
        );
        /// Frequency during the sweep of contrast, Hz.
        contrast_sweep_hz: f64 = 2.0, Field::number(
            "Contrast sweep frequency",
            "Hz",
            (0.01, 60.0),
            0.1,
            "Frequency of the flicker whose contrast grows",
        );
        /// Largest contrast of every part, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
        /// Start again after the last part.
        repeat: bool = true, Field::switch("Repeat", "Start again after the last part; else the background stays");
    }
}

choices! {
    /// Order of the steps of luminance.
    pub enum StepOrder {
        /// From dark to bright.
        Up = "up", "Dark to bright";
        /// From bright to dark.
        Down = "down", "Bright to dark";
        /// Shuffled by the seed, anew in each round.
        Shuffled = "shuffled", "Shuffled";
    }
}

parameters! {
    /// Uniform grey levels from black to white, one after another, again and again.
    pub struct LuminanceSteps {
        /// Number of grey levels, evenly spaced from 0 to 255.
        steps: u32 = 8, Field::number("Steps", "", (2.0, 256.0), 1.0, "Number of grey levels, evenly spaced from black to white");
        /// Duration of each level, seconds.
        step_secs: f64 = 1.0, Field::number("Step duration", "s", (0.01, 600.0), 0.1, "Time for which each grey level is shown");
        /// Order of the levels.
        order: StepOrder = StepOrder::Up,
            Field::choice("Order", StepOrder::OPTIONS, "Order of the levels; shuffled gives each round its own order");
    }
}

/// Rounding errors of frame times, frames: less never makes a part miss its frame.
const SLACK: f64 = 1e-6;

/// A uniform field on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing<Course> {
    course: Course,
    background: u8,
    frames_per_sec: f64,
    seed: u64,
}

impl<Course> Drawing<Course> {
    fn new(course: Course, screen: &Screen, seed: u64) -> Self {
        let Monitor { background, frame_rate, .. } = *screen.monitor();
        Self { course, background, frames_per_sec: frame_rate.0, seed }
    }
}

/// How the level changes over time.
trait Level: std::fmt::Debug + Send + Sync {
    /// Grey level of a frame.
    fn level(&self, frame: usize, background: u8, frames_per_sec: f64, seed: u64) -> u8;
}

impl<Course: Level> Drawing<Course> {
    fn level(&self, frame: usize) -> u8 {
        self.course.level(frame, self.background, self.frames_per_sec, self.seed)
    }
}

impl<Course: Level> drawing::Drawing for Drawing<Course> {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        pixels.fill(self.level(frame));
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let levels: Vec<u32> = frames.map(|frame| self.level(frame).into()).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&levels)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}

impl Kind for Flash {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "off_contrast" if self.off_secs == 0.0 => Some("the flash never goes off; raise `off_secs`"),
            _ => None,
        }
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self.clone(), screen, seed)))
    }
}

impl Level for Flash {
    fn level(&self, frame: usize, background: u8, frames_per_sec: f64, _seed: u64) -> u8 {
        let (on, off) = (self.on_secs * frames_per_sec, self.off_secs * frames_per_sec);
        let on_now = (frame as f64 + SLACK).rem_euclid(on + off) < on;
        grey_level(level_of_contrast(background, if on_now { self.contrast } else { self.off_contrast }))
    }
}

impl Kind for Chirp {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "start_hz" | "end_hz" | "sweep" if self.frequency_sweep_secs == 0.0 => {
                Some("the sweep of frequency is left out; raise `frequency_sweep_secs`")
            }
            "sweep" if self.start_hz == self.end_hz => {
                Some("the frequency stays the same; set `end_hz` to another than `start_hz`")
            }
            "contrast_sweep_hz" if self.contrast_sweep_secs == 0.0 => {
                Some("the sweep of contrast is left out; raise `contrast_sweep_secs`")
            }
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let fastest = monitor.frame_rate.0 / 2.0;
        let frequencies =
            [("start_hz", self.start_hz), ("end_hz", self.end_hz), ("contrast_sweep_hz", self.contrast_sweep_hz)];
        for (key, frequency) in frequencies {
            if frequency > fastest {
                let rate = monitor.frame_rate.0;
                let what = format!("is {frequency}; at {rate} frames per second it must lie in 0..={fastest} Hz");
                return Err(StimulusError::Impossible { stimulus: "Chirp", key, what });
            }
        }
        Ok(())
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self.clone(), screen, seed)))
    }
}

impl Chirp {
    /// Cycles since the start of the sweep of frequency.
    fn cycles(&self, secs: f64) -> f64 {
        let (start, duration, ratio) = (self.start_hz, self.frequency_sweep_secs, self.end_hz / self.start_hz);
        match self.sweep {
            Sweep::Linear => start * secs + (self.end_hz - start) * secs * secs / (2.0 * duration),
            // Without a change the quotient is 0 / 0; its limit is the linear one.
            Sweep::Octaves if (ratio - 1.0).abs() < 1e-9 => start * secs,
            Sweep::Octaves => start * duration * (ratio.powf(secs / duration) - 1.0) / ratio.ln(),
        }
    }

    /// Contrast at a time after onset, -1..=1.
    fn contrast_at(&self, secs: f64) -> f64 {
        let flicker = |cycles: f64| (TAU * cycles.fract()).sin();
        let pause = |part: f64| if part > 0.0 { self.pause_secs } else { 0.0 };
        let (step, pause_after_steps) = (self.step_secs, pause(self.step_secs));
        let (frequency, contrast) = (self.frequency_sweep_secs, self.contrast_sweep_secs);
        let ends = [step, step, pause_after_steps, frequency, pause(frequency), contrast, pause(contrast)];
        let mut left = secs;
        if self.repeat {
            let whole: f64 = ends.iter().sum();
            left = if whole > 0.0 { secs.rem_euclid(whole) } else { 0.0 };
        }
        for (part, duration) in ends.into_iter().enumerate() {
            if left < duration {
                return match part {
                    0 => 1.0,
                    1 => -1.0,
                    3 => flicker(self.cycles(left)),
                    5 => left / contrast * flicker(self.contrast_sweep_hz * left),
                    _ => 0.0,
                };
            }
            left -= duration;
        }
        0.0
    }
}

impl Level for Chirp {
    fn level(&self, frame: usize, background: u8, frames_per_sec: f64, _seed: u64) -> u8 {
        let contrast = self.contrast_at((frame as f64 + SLACK) / frames_per_sec);
        grey_level(f64::from(background) + self.contrast * swing(background) * contrast)
    }
}

impl Kind for LuminanceSteps {
    fn is_random(&self) -> bool {
        self.order == StepOrder::Shuffled
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self.clone(), screen, seed)))
    }
}

impl Level for LuminanceSteps {
    fn level(&self, frame: usize, _background: u8, frames_per_sec: f64, seed: u64) -> u8 {
        let steps = self.steps.max(2);
        let shown = ((frame as f64 + SLACK) / (self.step_secs * frames_per_sec)) as u64;
        let (round, index) = ((shown / u64::from(steps)) as u32, (shown % u64::from(steps)) as u32);
        let step = match self.order {
            StepOrder::Up => index,
            StepOrder::Down => steps - 1 - index,
            StepOrder::Shuffled => shuffled(steps, seed, round)[index as usize],
        };
        grey_level(255.0 * f64::from(step) / f64::from(steps - 1))
    }
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: u32, seed: u64, round: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    for last in (1..count).rev() {
        let word = random_words(seed, last, round)[0];
        // Of 2^32 words the most frequent choice gets at most one more than the others: a bias of 256 / 2^32.
        let chosen = (u64::from(word) * u64::from(last + 1)) >> 32;
        order.swap(last as usize, chosen as usize);
    }
    order
}

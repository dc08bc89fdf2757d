//! Gaussian dots: one at a place, and flashing ones at every place of a grid, white and black, for receptive fields.
//!
//! grey = background + amplitude exp(-d^2 / (2 sigma^2)), d being the distance from the dot's centre in
//! azimuthal-equidistant degrees. The exponential alone, 0..=1, is the dot's mask: the weight of each pixel in a map of
//! the receptive field, sum(mask response) / sum(mask) (Wang et al., Nature 640:470, 2025). Their dots have a standard
//! deviation of about 0.07 widths of the monitor: 15 degrees at its centre.

use std::ops::Range;
use std::sync::Arc;

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, shader};
use super::fields::{CONTRAST, Field, X, Y, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::{Stimulus, StimulusError, check_monitor, grey_level};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("gaussian_dots", "geometry");

const SIGMA: Field = Field::number(
    "Standard deviation",
    "deg",
    (0.5, 60.0),
    0.5,
    "Standard deviation of the dot in visual angle; at 2.35 times this width it has half its contrast",
);

parameters! {
    /// One white or black Gaussian dot.
    pub struct GaussianDot {
        /// Place of the centre, degrees to the right of the screen's centre.
        x_deg: Degrees = 0.0, X;
        /// Place of the centre, degrees above the screen's centre.
        y_deg: Degrees = 0.0, Y;
        /// Standard deviation, degrees.
        sigma_deg: Degrees = 15.0, SIGMA;
        /// Difference of the dot's middle from the background, as a fraction of the available range, -1..=1.
        contrast: f64 = 1.0, Field::number(
            "Contrast",
            "",
            (-1.0, 1.0),
            0.05,
            "Difference of the dot's middle from the background, as a fraction of what the range allows; below 0 it is \
             darker",
        );
    }
}

parameters! {
    /// Gaussian dots, one at a time, at every place of a grid, white and black: each exactly once in random order, then
    /// all of them in another order.
    pub struct FlashingGaussianDots {
        /// Places side by side.
        columns: u32 = 15, Field::number(
            "Columns",
            "",
            (1.0, 40.0),
            1.0,
            "Number of places side by side; the grid covers the screen evenly",
        );
        /// Places above one another.
        rows: u32 = 7, Field::number(
            "Rows",
            "",
            (1.0, 40.0),
            1.0,
            "Number of places above one another; the grid covers the screen evenly",
        );
        /// Time for which each dot is shown, seconds.
        dot_secs: f64 = 0.3, Field::number(
            "Time of a dot",
            "s",
            (0.01, 60.0),
            0.05,
            "Time for which each dot is shown; the next follows at once",
        );
        /// Standard deviation, degrees.
        sigma_deg: Degrees = 15.0, SIGMA;
        /// Difference of a dot's middle from the background, as a fraction of the available range, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl GaussianDot {
    /// The mask of this dot, 0..=1, `[height, width]`: 1 at its centre.
    pub fn mask(&self, screen: &Screen) -> Vec<f32> {
        mask([self.x_deg, self.y_deg], self.sigma_deg, screen)
    }
}

impl Kind for GaussianDot {
    fn prepare(&self, screen: &Arc<Screen>, _seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        let dot = Spot { centre: [self.x_deg, self.y_deg], amplitude: amplitude(self.contrast, monitor) };
        Ok(Arc::new(Drawing { sigma: self.sigma_deg, shown: Shown::Still(dot) }))
    }
}

impl Kind for FlashingGaussianDots {
    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        let monitor = screen.monitor();
        let [white, black] = [self.contrast, -self.contrast].map(|contrast| amplitude(contrast, monitor));
        let shown = Shown::Flashing { sequence: DotSequence::unchecked(self, monitor, seed), white, black };
        Ok(Arc::new(Drawing { sigma: self.sigma_deg, shown }))
    }
}

/// A dot of a [`DotSequence`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlashedDot {
    /// Number of its place: row by row from the upper left.
    pub place: usize,
    /// Its centre, degrees to the right of the screen's centre.
    pub x_deg: Degrees,
    /// Its centre, degrees above the screen's centre.
    pub y_deg: Degrees,
    /// Whether it is brighter than the background.
    pub white: bool,
}

/// Which of the flashing dots is on when.
#[derive(Debug, Clone, PartialEq)]
pub struct DotSequence {
    seed: u64,
    sigma_deg: Degrees,
    frames_per_dot: usize,
    /// Centre of each place, degrees.
    places: Vec<[Degrees; 2]>,
}

impl DotSequence {
    /// The sequence that this stimulus shows under a seed.
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible.
    pub fn new(dots: &FlashingGaussianDots, monitor: &Monitor, seed: u64) -> Result<Self, StimulusError> {
        check_monitor(monitor)?;
        Stimulus::from(dots.clone()).validate_for(monitor)?;
        Ok(Self::unchecked(dots, monitor, seed))
    }

    fn unchecked(dots: &FlashingGaussianDots, monitor: &Monitor, seed: u64) -> Self {
        let middle = |index: u32, count: u32| (f64::from(index) + 0.5) / f64::from(count) - 0.5;
        let place = |row: u32, column: u32| {
            let across = middle(column, dots.columns) * monitor.width_cm;
            let up = -middle(row, dots.rows) * monitor.height_cm;
            <[f64; 2]>::from(monitor.degrees_from_cm(across, up))
        };
        Self {
            seed,
            sigma_deg: dots.sigma_deg,
            frames_per_dot: monitor.frame_rate.frames_in(dots.dot_secs).max(1),
            places: (0..dots.rows).flat_map(|row| (0..dots.columns).map(move |column| place(row, column))).collect(),
        }
    }

    /// Number of different dots, places times two polarities: after so many each was shown once.
    pub fn len(&self) -> usize {
        2 * self.places.len()
    }

    /// Whether there is no dot; never so.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Frames for which each dot is on.
    pub fn frames_per_dot(&self) -> usize {
        self.frames_per_dot
    }

    /// The dot that is on at a frame; frame 0 is the onset of the stimulus.
    pub fn dot(&self, frame: usize) -> FlashedDot {
        let number = frame / self.frames_per_dot;
        let round = number / self.len();
        let drawn = self.order(round as u32)[number % self.len()];
        let place = drawn / 2;
        let [x_deg, y_deg] = self.places[place];
        FlashedDot { place, x_deg, y_deg, white: drawn.is_multiple_of(2) }
    }

    /// The dots of one round in order: a shuffle by Fisher and Yates.
    fn order(&self, round: u32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        for last in (1..order.len()).rev() {
            // A random word as a fraction, times the number of places to choose from.
            let word = u64::from(random_words(self.seed, last as u32, round)[0]);
            order.swap(last, ((word * (last as u64 + 1)) >> 32) as usize);
        }
        order
    }

    /// The mask of one dot, 0..=1, `[height, width]`: 1 at its centre, whatever its polarity.
    pub fn mask(&self, dot: &FlashedDot, screen: &Screen) -> Vec<f32> {
        mask([dot.x_deg, dot.y_deg], self.sigma_deg, screen)
    }
}

/// Difference of a dot's middle from the background, grey levels.
fn amplitude(contrast: f64, monitor: &Monitor) -> f64 {
    let background = f64::from(monitor.background);
    contrast * if contrast > 0.0 { 255.0 - background } else { background }
}

/// Exponent of the Gaussian at a pixel, the sign left out.
fn exponent(pixel: [f32; 2], centre: [Degrees; 2], sigma: Degrees) -> f64 {
    let [x, y] = [0, 1].map(|axis| f64::from(pixel[axis]) - centre[axis]);
    (x * x + y * y) / (2.0 * sigma * sigma)
}

fn mask(centre: [Degrees; 2], sigma: Degrees, screen: &Screen) -> Vec<f32> {
    screen.places().iter().map(|place| (-exponent(place.position, centre, sigma)).exp() as f32).collect()
}

/// A dot to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    centre: [Degrees; 2],
    /// Difference of its middle from the background, grey levels.
    amplitude: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Shown {
    Still(Spot),
    Flashing { sequence: DotSequence, white: f64, black: f64 },
}

/// Gaussian dots on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    sigma: Degrees,
    shown: Shown,
}

impl Drawing {
    fn spot(&self, frame: usize) -> Spot {
        match &self.shown {
            Shown::Still(spot) => *spot,
            Shown::Flashing { sequence, white, black } => {
                let dot = sequence.dot(frame);
                Spot { centre: [dot.x_deg, dot.y_deg], amplitude: if dot.white { *white } else { *black } }
            }
        }
    }
}

/// Exponent above which a dot changes no grey level: 255 e^-7 is a quarter of one.
const FARTHEST: f64 = 7.0;

impl drawing::Drawing for Drawing {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let Spot { centre, amplitude } = self.spot(frame);
        let background = screen.monitor().background;
        for (pixel, place) in pixels.iter_mut().zip(screen.places()) {
            let exponent = exponent(place.position, centre, self.sigma);
            *pixel = if exponent > FARTHEST {
                background
            } else {
                grey_level(f64::from(background) + amplitude * (-exponent).exp())
            };
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let background = f32::from(screen.monitor().background);
        let per_degrees2 = 1.0 / (2.0 * self.sigma * self.sigma);
        let spots: Vec<[f32; 4]> = frames
            .map(|frame| {
                let Spot { centre: [x, y], amplitude } = self.spot(frame);
                [x as f32, y as f32, amplitude as f32, 0.0]
            })
            .collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[background, per_degrees2 as f32]), Table::of(&spots), Table::Places],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}

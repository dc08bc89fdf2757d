//! Moving dots (random dot kinematogram): translation, and the optic flow of expansion, rotation and the spirals between.
//!
//! Everything happens in azimuthal-equidistant degrees, on a field that reaches beyond the corners of the screen. A dot's
//! place is a function of (dot, life, age), so any frame can be computed alone, and every path keeps a uniform density
//! uniform:
//!
//! - *Translation*, on a square that wraps around. A position is a fraction of the square's side in units of 2^-32, so
//!   wrapping is the overflow of a `u32`, and a dot's place is its start plus age times step.
//! - *Flow*, on a disc of the same area about the centre of the flow: the velocity at a place is that place, seen from the
//!   centre, times k e^{i spiral} (read as complex numbers), as approaching or turning a flat scene gives it. Speed grows
//!   with the distance from the centre, divergence is 2 k cos(spiral) and curl 2 k sin(spiral) everywhere. In terms of
//!   the area a = (r / R)^2 inside a dot's circle an expansion is a e^{2 k cos(spiral) t}: a dot that was born anywhere
//!   with equal chance leaves after -ln a / (2 k cos(spiral)), and its successor is born anywhere with equal chance; the
//!   births just fill what the expansion thins out. A contraction is that film run backwards: dots come in over the
//!   rim, beside the screen, and vanish anywhere.
//!
//! The first `round(coherence N)` dots carry the signal ("same" in the terms of Scase, Braddick and Raymond, Vision
//! Research 36, 1996), so the number of signal dots is exact in every frame; as each life starts at an unrelated place,
//! who watches cannot tell this from a new draw at each life. The noise rules are those compared there.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, shader};
use super::fields::{CONTRAST, DIRECTION, Field, choices, parameters};
use super::hash::random_words;
use super::screen::{Place, Screen};
use super::{StimulusError, grey_level};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("dots", "geometry");

choices! {
    /// How the signal dots move.
    pub enum Motion {
        /// All in one direction at one speed.
        Translation = "translation", "Translation";
        /// Expansion, rotation, contraction or a spiral about a centre.
        Flow = "flow", "Optic flow";
    }
}

choices! {
    /// What noise dots do.
    pub enum NoiseRule {
        /// Each keeps a random direction for its life, at the speed of the signal; in a flow a random spiral angle.
        RandomDirection = "random_direction", "Random direction";
        /// Each appears at a random place in every frame.
        RandomPosition = "random_position", "Random position";
        /// Each takes a new random direction in every frame, at the speed that is set: also in a flow, where steps that
        /// grow with the distance from the centre would crowd the dots there.
        RandomWalk = "random_walk", "Random walk";
    }
}

choices! {
    /// Which of the two contrasts occur.
    pub enum Polarity {
        /// Half white, half black.
        Both = "both", "White and black";
        /// Only white.
        White = "white", "White only";
        /// Only black.
        Black = "black", "Black only";
    }
}

/// Distance from the centre of a flow at which its speed is the one that is set, degrees.
pub const FLOW_ECCENTRICITY_DEG: Degrees = 30.0;

parameters! {
    /// Random dot kinematogram: signal dots move together, noise dots each in a random direction.
    pub struct MovingDots {
        /// Translation, or flow about a centre.
        motion: Motion = Motion::Translation, Field::choice(
            "Motion",
            Motion::OPTIONS,
            "Translation in one direction, or optic flow: expansion, contraction, rotation and spirals",
        );
        /// Direction of the signal dots in translation, degrees.
        direction_deg: Degrees = 0.0, Field {
            help: "Direction of the signal dots in translation: 0 is rightward, 90 upward, counter-clockwise",
            ..DIRECTION
        };
        /// Angle between the motion in a flow and the way outward, degrees.
        spiral_deg: Degrees = 0.0, Field::number(
            "Spiral angle of flow",
            "deg",
            (-360.0, 360.0),
            5.0,
            "Flow: 0 is expansion, 90 counter-clockwise rotation, 180 contraction, 270 clockwise rotation; between \
             them spirals",
        );
        /// Centre of a flow, degrees to the right of the screen's centre.
        centre_x_deg: Degrees = 0.0, Field::number(
            "Flow centre, horizontal",
            "deg",
            (-90.0, 90.0),
            1.0,
            "Centre of the flow, degrees of visual angle to the right of the screen's centre",
        );
        /// Centre of a flow, degrees above the screen's centre.
        centre_y_deg: Degrees = 0.0, Field::number(
            "Flow centre, vertical",
            "deg",
            (-90.0, 90.0),
            1.0,
            "Centre of the flow, degrees of visual angle above the screen's centre",
        );
        /// Fraction of signal dots, 0..=1.
        coherence: f64 = 1.0, Field::number(
            "Coherence",
            "",
            (0.0, 1.0),
            0.05,
            "Fraction of the dots that move as set; the others follow the noise rule",
        );
        /// What the other dots do.
        noise_rule: NoiseRule = NoiseRule::RandomDirection, Field::choice(
            "Noise dots",
            NoiseRule::OPTIONS,
            "Noise dots keep a random direction at the speed of the signal, jump anywhere in each frame, or take a new \
             direction in each frame",
        );
        /// Speed, degrees per second; in a flow that at [`FLOW_ECCENTRICITY_DEG`].
        speed_deg_per_sec: f64 = 30.0, Field::number(
            "Speed",
            "deg/s",
            (0.0, 500.0),
            1.0,
            "Speed of every dot; in a flow the speed 30 degrees from its centre, growing in proportion to the distance",
        );
        /// Diameter of a dot, degrees.
        diameter_deg: Degrees = 6.0, Field::number(
            "Dot diameter",
            "deg",
            (1.0, 40.0),
            0.5,
            "Diameter of each dot in visual angle",
        );
        /// Dots per 1000 square degrees.
        density_per_1000_deg2: f64 = 6.0, Field::number(
            "Density",
            "/1000 deg²",
            (0.1, 200.0),
            0.5,
            "Dots per 1000 square degrees of visual field",
        );
        /// Time after which a dot is placed anew, seconds.
        lifetime_secs: f64 = 0.67, Field::number(
            "Dot lifetime",
            "s",
            (0.03, 600.0),
            0.05,
            "Time after which a dot disappears and another appears elsewhere",
        );
        /// White dots, black dots or both.
        polarity: Polarity = Polarity::Both, Field::choice(
            "Polarity",
            Polarity::OPTIONS,
            "Whether dots are white, black, or half of them each",
        );
        /// Difference of the dots from the background, as a fraction of the available range, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl Kind for MovingDots {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "direction_deg" if self.motion == Motion::Flow => {
                Some("a flow has no one direction; sweep `spiral_deg`, or set `motion` to \"translation\"")
            }
            "spiral_deg" | "centre_x_deg" | "centre_y_deg" if self.motion == Motion::Translation => Some(
                "it belongs to flows, and these dots move in one direction; sweep `direction_deg`, or set `motion` to \"flow\"",
            ),
            "direction_deg" | "spiral_deg" if self.coherence == 0.0 => {
                Some("no dot moves with the signal; raise `coherence`")
            }
            "noise_rule" if self.coherence == 1.0 => Some("there are no noise dots; lower `coherence`"),
            _ => None,
        }
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(DotField::new(self, screen.monitor(), seed)))
    }
}

/// One dot at one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Azimuthal-equidistant position, degrees; x to the right and y up.
    pub position: [f32; 2],
    /// Grey level, 0..=255.
    pub grey: f32,
    /// Which of its lives this is; between two frames of one life the dot has moved, between lives it has jumped.
    pub life: u32,
    /// Whether it moves with the signal.
    pub signal: bool,
}

/// Directions that a noise dot can take, evenly spaced: 0.35 degrees apart.
const DIRECTIONS: u32 = 1024;

/// Counter of the words that belong to a dot for good, such as the one that staggers its lives: no life has this number.
const STAGGER: u32 = u32::MAX;

/// Counter of the words that make the random walk: no dot has this number.
const WALK: u32 = u32::MAX;

/// Steps after which a random walk repeats its turns: nine minutes at 30 frames per second.
const WALK_STEPS: u32 = 1 << 14;

/// Largest growth of the eccentricity in one turn of a dot's clock, natural logarithm: e^4 = 55 takes a dot from 1.2
/// degrees to the corner of the screen, so hardly any dot is cut short, and a turn sees 8 births on average.
const MOST_GROWTH: f64 = 4.0;

/// Births that can be counted in one turn of a dot's clock. More than 63 where 8 are expected happens to one turn in
/// 10^34.
const BIRTHS: u32 = 64;

/// Displacement in one frame, in units of 2^-32 of the field's side; a negative one is its two's complement.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    x: u32,
    y: u32,
}

/// Motion about a centre.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Flow {
    centre: [f64; 2],
    /// Radius of the disc, degrees.
    radius: f64,
    /// Angle between motion and the way outward, radians.
    spiral: f64,
    /// Distance moved in one frame as a fraction of the distance from the centre.
    per_frame: f64,
}

/// Moving dots on a screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct DotField {
    seed: u64,
    count: u32,
    /// The first so many dots carry the signal.
    signal: u32,
    life_frames: u32,
    side_deg: f32,
    radius_deg: f32,
    background: f32,
    /// Grey level of the dots of even and of odd number.
    greys: [f32; 2],
    flow: Option<Flow>,
    noise_rule: NoiseRule,
    fraction_per_frame: f64,
    /// Step of the signal in translation, then those of the noise directions.
    steps: Vec<Step>,
    /// Where a random walk is after 0, 1, 2... steps of length 1; empty under the other noise rules.
    walk: Vec<[f64; 2]>,
    /// A dot farther from the middle than this, horizontally or vertically, does not touch the screen.
    visible_deg: [f32; 2],
}

impl DotField {
    pub(super) fn new(dots: &MovingDots, monitor: &Monitor, seed: u64) -> Self {
        let (x, y) = monitor.degrees_from_cm(monitor.width_cm / 2.0, monitor.height_cm / 2.0);
        // The seam of the field stays one dot away from every pixel.
        let reach = x.hypot(y) + dots.diameter_deg;
        let centre = [dots.centre_x_deg, dots.centre_y_deg];
        // The disc of a flow has the area of the square.
        let round = std::f64::consts::PI.sqrt();
        let side = match dots.motion {
            Motion::Translation => 2.0 * reach,
            Motion::Flow => (2.0 * reach).max(round * (reach + centre[0].hypot(centre[1]))),
        };
        let count = (dots.density_per_1000_deg2 * side * side / 1000.0).round() as u32;
        let fraction_per_frame = dots.speed_deg_per_sec / monitor.frame_rate.0 / side;
        let step = |direction: f64| {
            let (sin, cos) = direction.sin_cos();
            Step { x: wrapping_units(cos * fraction_per_frame), y: wrapping_units(sin * fraction_per_frame) }
        };
        let noise = (0..DIRECTIONS).map(|k| step(TAU * f64::from(k) / f64::from(DIRECTIONS)));
        let background = f64::from(monitor.background);
        let white = (background + dots.contrast * (255.0 - background)) as f32;
        let black = (background - dots.contrast * background) as f32;
        let life_frames = monitor.frame_rate.frames_in(dots.lifetime_secs).max(1) as u32;
        let margin = dots.diameter_deg / 2.0 + pixel_deg(monitor);
        let widest = [
            monitor.degrees_from_cm(monitor.width_cm / 2.0, 0.0).0,
            monitor.degrees_from_cm(0.0, monitor.height_cm / 2.0).1,
        ];
        Self {
            seed,
            count,
            signal: (dots.coherence * f64::from(count)).round() as u32,
            life_frames,
            side_deg: side as f32,
            radius_deg: (dots.diameter_deg / 2.0) as f32,
            background: background as f32,
            greys: match dots.polarity {
                Polarity::Both => [white, black],
                Polarity::White => [white; 2],
                Polarity::Black => [black; 2],
            },
            flow: (dots.motion == Motion::Flow).then(|| Flow {
                centre,
                radius: side / round,
                spiral: dots.spiral_deg.to_radians(),
                per_frame: dots.speed_deg_per_sec / FLOW_ECCENTRICITY_DEG / monitor.frame_rate.0,
            }),
            noise_rule: dots.noise_rule,
            fraction_per_frame,
            steps: std::iter::once(step(dots.direction_deg.to_radians())).chain(noise).collect(),
            walk: if dots.noise_rule == NoiseRule::RandomWalk { walk(seed) } else { Vec::new() },
            visible_deg: widest.map(|widest| (widest + margin) as f32),
        }
    }

    /// Number of dots on the field; about half of them lie beside the screen.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether the density is so low that there is no dot.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Side of the square field, degrees; the disc of a flow has the same area.
    pub fn side_deg(&self) -> f32 {
        self.side_deg
    }

    /// One dot at one frame.
    pub fn dot(&self, index: usize, frame: usize) -> Dot {
        let (dot, frame) = (index as u32, frame as u32);
        let signal = dot < self.signal;
        let (life, position) = match (self.noise_rule, &self.flow) {
            (NoiseRule::RandomPosition, _) if !signal => self.jumping(dot, frame),
            (NoiseRule::RandomWalk, _) if !signal => self.walking(dot, frame),
            (_, None) => self.translating(dot, frame, signal),
            (_, Some(flow)) => self.flowing(flow, dot, frame, signal),
        };
        Dot { position, grey: self.greys[index % 2], life, signal }
    }

    /// All dots at one frame; later ones lie on top.
    pub fn dots(&self, frame: usize) -> impl Iterator<Item = Dot> + '_ {
        (0..self.len()).map(move |index| self.dot(index, frame))
    }

    /// The dots that may touch the screen.
    fn visible(&self, frame: usize) -> impl Iterator<Item = Dot> + '_ {
        let [x, y] = self.visible_deg;
        self.dots(frame).filter(move |dot| dot.position[0].abs() <= x && dot.position[1].abs() <= y)
    }

    /// Number of a dot's life and its age, for lives of so many frames, staggered over dots.
    fn clock(&self, dot: u32, frame: u32, life_frames: u32) -> (u32, u32) {
        let stagger = random_words(self.seed, dot, STAGGER)[0] % life_frames;
        let clock = frame.wrapping_add(stagger);
        (clock / life_frames, clock % life_frames)
    }

    /// Degrees on the square from fractions of its side in units of 2^-32.
    fn on_square(&self, units: [u32; 2]) -> [f32; 2] {
        units.map(|units| ((units >> 8) as f32 * (1.0 / 16_777_216.0) - 0.5) * self.side_deg)
    }

    /// Moves straight through the square: the signal of a translation, or noise in a direction of its own.
    fn translating(&self, dot: u32, frame: u32, signal: bool) -> (u32, [f32; 2]) {
        let (life, age) = self.clock(dot, frame, self.life_frames);
        let [x, y, direction, _] = random_words(self.seed, dot, life);
        let step = self.steps[if signal { 0 } else { (1 + direction % DIRECTIONS) as usize }];
        let moved = |start: u32, step: u32| start.wrapping_add(age.wrapping_mul(step));
        (life, self.on_square([moved(x, step.x), moved(y, step.y)]))
    }

    /// Is anywhere on the square in each frame.
    fn jumping(&self, dot: u32, frame: u32) -> (u32, [f32; 2]) {
        let [x, y, ..] = random_words(self.seed, dot, frame);
        (frame, self.on_square([x, y]))
    }

    /// Walks over the square at random: a piece of the one long walk, turned by an angle of its own, so that the place
    /// after any number of steps is known at once.
    fn walking(&self, dot: u32, frame: u32) -> (u32, [f32; 2]) {
        let (life, age) = self.clock(dot, frame, self.life_frames);
        let [x, y, heading, from] = random_words(self.seed, dot, life);
        let steps = self.walk.len() - 1;
        let from = from as usize % steps;
        let after = |gone: usize| {
            // Every round starts where the last one ended.
            let rounds = (gone / steps) as f64;
            [0, 1].map(|axis| rounds * self.walk[steps][axis] + self.walk[gone % steps][axis])
        };
        let ([x0, y0], [x1, y1]) = (after(from), after(from + age as usize));
        let (sin, cos) = turn(heading).sin_cos();
        let (across, up) = (x1 - x0, y1 - y0);
        let gone = [cos * across - sin * up, sin * across + cos * up];
        let [right, above] = gone.map(|gone| wrapping_units(gone * self.fraction_per_frame));
        (life, self.on_square([x.wrapping_add(right), y.wrapping_add(above)]))
    }

    /// Follows the flow, or as noise a flow of the same strength with a spiral angle of its own: then its speed is that
    /// of the signal at its place, in a random direction.
    fn flowing(&self, flow: &Flow, dot: u32, frame: u32, signal: bool) -> (u32, [f32; 2]) {
        let spiral = if signal { flow.spiral } else { turn(random_words(self.seed, dot, STAGGER)[1]) };
        let (turning, growth) = (flow.per_frame * spiral.sin(), flow.per_frame * spiral.cos());
        // A cast saturates, also from infinity.
        let most_frames = (MOST_GROWTH / growth.abs()) as u32;
        let frames = self.life_frames.min(most_frames).max(1);
        let (round, age) = self.clock(dot, frame, frames);
        // A contraction is an expansion run backwards.
        let elapsed = if growth < 0.0 { frames - 1 - age } else { age };
        let mut growing = 2.0 * growth.abs() * f64::from(elapsed);
        let mut life = round.wrapping_mul(BIRTHS);
        loop {
            let [area, angle, ..] = random_words(self.seed, dot, life);
            // Fraction of the disc's area inside the circle through the dot, never 0.
            let area = (f64::from(area) + 0.5) / 2f64.powi(32);
            let leaving = -area.ln();
            if growing < leaving || life % BIRTHS == BIRTHS - 1 {
                let radius = flow.radius * (area * growing.min(leaving).exp()).sqrt();
                let (sin, cos) = (turn(angle) + turning * f64::from(age)).sin_cos();
                let [x, y] = flow.centre;
                return (life, [(x + radius * cos) as f32, (y + radius * sin) as f32]);
            }
            growing -= leaving;
            life = life.wrapping_add(1);
        }
    }
}

/// A random word as an angle, radians.
fn turn(word: u32) -> f64 {
    f64::from(word) / 2f64.powi(32) * TAU
}

/// A fraction of the field's side in units of 2^-32; whole sides fall away.
fn wrapping_units(fraction: f64) -> u32 {
    // Through i64, so that a negative one wraps instead of saturating.
    (fraction * 2f64.powi(32)).round() as i64 as u32
}

/// Where a walk with a random direction at each step is after 0, 1, 2... steps.
fn walk(seed: u64) -> Vec<[f64; 2]> {
    let mut at = [0.0, 0.0];
    let steps = (0..WALK_STEPS).map(|step| {
        let (sin, cos) = turn(random_words(seed, WALK, step)[0]).sin_cos();
        at = [at[0] + cos, at[1] + sin];
        at
    });
    std::iter::once([0.0, 0.0]).chain(steps).collect()
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    radius: f32,
    background: f32,
}

/// A dot as the shader takes it.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Disc {
    position: [f32; 2],
    grey: f32,
    unused: f32,
}

impl drawing::Drawing for DotField {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let width = screen.monitor().raster.width;
        let mut greys = vec![self.background; pixels.len()];
        for dot in self.visible(frame) {
            let Reach { rows, columns, pixel_deg } = reach(screen.monitor(), dot.position, self.radius_deg);
            // Closer than `inside` a pixel is covered wholly, farther than `outside` not at all; a little generous.
            let half_ramp = 0.51 * pixel_deg;
            let inside = (self.radius_deg - half_ramp).max(0.0).powi(2);
            let outside = (self.radius_deg + half_ramp).powi(2);
            for row in rows {
                let reached = row * width + columns.start..row * width + columns.end;
                for (place, grey) in screen.places()[reached.clone()].iter().zip(&mut greys[reached]) {
                    let (x, y) = (place.position[0] - dot.position[0], place.position[1] - dot.position[1]);
                    let squared = x * x + y * y;
                    if squared < inside {
                        *grey += dot.grey - *grey;
                    } else if squared < outside {
                        *grey += coverage(place, dot.position, self.radius_deg) * (dot.grey - *grey);
                    }
                }
            }
        }
        for (pixel, grey) in pixels.iter_mut().zip(greys) {
            *pixel = grey_level(f64::from(grey));
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let uniform = Uniform { radius: self.radius_deg, background: self.background };
        let mut discs = Vec::new();
        let mut firsts = vec![0];
        for frame in frames {
            discs.extend(self.visible(frame).map(|dot| Disc { position: dot.position, grey: dot.grey, unused: 0.0 }));
            firsts.push(discs.len() as u32);
        }
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&firsts), Table::of(&discs), Table::Places],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }

    fn dots(&self) -> Option<&DotField> {
        Some(self)
    }
}

/// Diagonal of a pixel at the centre of the screen, where it is largest, degrees.
fn pixel_deg(monitor: &Monitor) -> f64 {
    let (dx, dy) = monitor.pitch_cm();
    (dx.hypot(dy) / monitor.distance_cm).to_degrees()
}

/// Part of a pixel that a disc covers, 0..=1: its edge is a ramp one pixel wide, measured across the edge.
fn coverage(pixel: &Place, centre: [f32; 2], radius: f32) -> f32 {
    let (x, y) = (pixel.position[0] - centre[0], pixel.position[1] - centre[1]);
    let distance = (x * x + y * y).sqrt();
    let toward = 1.0 / distance.max(1e-6);
    let (along_column, along_row) = (
        (x * pixel.per_column[0] + y * pixel.per_column[1]) * toward,
        (x * pixel.per_row[0] + y * pixel.per_row[1]) * toward,
    );
    let pixel_width = (along_column * along_column + along_row * along_row).sqrt().max(1e-6);
    (0.5 + (radius - distance) / pixel_width).clamp(0.0, 1.0)
}

/// Pixels that a disc can touch.
struct Reach {
    /// A little generous.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Largest diagonal among these pixels, degrees.
    pixel_deg: f32,
}

fn reach(monitor: &Monitor, centre: [f32; 2], radius: f32) -> Reach {
    let (dx, dy) = monitor.pitch_cm();
    let [x, y] = centre.map(f64::from);
    let margin = f64::from(radius) + pixel_deg(monitor);
    let eccentricity = x.hypot(y);
    let stretch = |eccentricity: f64| monitor.cm_per_degree(eccentricity);
    let (least, most) = (stretch(eccentricity - margin), stretch(eccentricity + margin));
    let ends = |v: f64| {
        let (low, high) = (v - margin, v + margin);
        (low * if low < 0.0 { most } else { least }, high * if high < 0.0 { least } else { most })
    };
    let ((left, right), (bottom, top)) = (ends(x), ends(y));
    let raster = monitor.raster;
    let pixel = |cm: f64, pitch: f64, size: usize| cm / pitch + (size as f64 - 1.0) / 2.0;
    let range = |from: f64, to: f64, size: usize| {
        (from.floor().max(0.0) as usize).min(size)..((to.ceil() + 1.0).max(0.0) as usize).min(size)
    };
    Reach {
        rows: range(pixel(-top, dy, raster.height), pixel(-bottom, dy, raster.height), raster.height),
        columns: range(pixel(left, dx, raster.width), pixel(right, dx, raster.width), raster.width),
        pixel_deg: (dx.hypot(dy) / least) as f32,
    }
}

//! A rendered clip: a world of occluding, textured objects, seen by a camera that wanders.
//!
//! The world is a "dead leaves" picture: objects of random place and depth hide each other, and their diameters d are
//! distributed as d^-3 between two cut-offs, so that every octave of sizes covers the same area and the picture looks
//! alike at every scale. Ruderman, Vision Research 37:3385 (1997), and Lee, Mumford and Huang, International Journal of
//! Computer Vision 41:35 (2001), show that this gives the statistics of natural images, a power spectrum of 1/f^2 among
//! them. An object is an ellipse or a rounded rectangle with one grey level and a cut-out of a 1/f texture.
//!
//! The camera pans, turns and zooms on sums of slow sinusoids whose clock itself runs now slower, now faster; part of
//! the objects wander on their own; now and then one comes close and passes (its diameter is that of a thing on a
//! straight path, 1 / sqrt(1 + (t / tau)^2)); a cut shows another part of another world. All of it is a function of seed
//! and time. The world is a torus larger than what the camera can see: a position is a fraction of its side in units of
//! 2^-32, and wraps by itself.
//!
//! As in a filmed clip, the picture is flat: degrees are exact at the centre of the screen.
//!
//! Nearest objects are painted first. An edge is a ramp one pixel wide; a pixel is finished when less than 1/4096 of what
//! lies behind would shine through.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, fixed, shader};
use super::fields::{Field, parameters};
use super::hash::random_words;
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("scene");

parameters! {
    /// Rendered clip: occluding objects of all sizes, seen by a moving camera.
    pub struct Scene {
        /// Standard deviation of the grey levels as a fraction of the largest swing around the background, 0..=1; what
        /// leaves the range is clipped.
        contrast: f64 = 0.35, Field::number(
            "Contrast",
            "",
            (0.0, 1.0),
            0.05,
            "Standard deviation of the grey levels, as a fraction of the largest swing around the background",
        );
        /// Part of the variance that lies within objects, 0..=1.
        texture: f64 = 0.3, Field::number(
            "Texture",
            "",
            (0.0, 1.0),
            0.05,
            "Part of the variance that comes from texture within objects; the rest is that of their grey levels",
        );
        /// Smallest diameter, degrees.
        size_min_deg: Degrees = 2.0,
            Field::number("Smallest object", "deg", (1.0, 30.0), 0.5, "Diameter of the smallest objects; many are near it");
        /// Largest diameter, degrees.
        size_max_deg: Degrees = 80.0,
            Field::number("Largest object", "deg", (1.0, 120.0), 5.0, "Diameter of the largest objects; few are near it");
        /// Root mean square speed of the camera's pan, degrees per second.
        camera_speed_deg_per_sec: f64 = 8.0,
            Field::number("Camera speed", "deg/s", (0.0, 100.0), 1.0, "Root mean square speed of the camera's pan");
        /// Root mean square rate of the camera's zoom, part per second.
        zoom_rate_per_sec: f64 = 0.06, Field::number(
            "Zoom rate",
            "/s",
            (0.0, 2.0),
            0.02,
            "Root mean square rate of growth by the camera's zoom; 0.1 is 10 % in a second",
        );
        /// Root mean square rate of the camera's turn, degrees per second.
        rotation_deg_per_sec: f64 = 3.0, Field::number(
            "Rotation rate",
            "deg/s",
            (0.0, 180.0),
            1.0,
            "Root mean square rate of the camera's turn about its line of sight",
        );
        /// Root mean square speed of the objects, degrees per second.
        object_speed_deg_per_sec: f64 = 4.0, Field::number(
            "Object speed",
            "deg/s",
            (0.0, 100.0),
            1.0,
            "Root mean square speed of the objects on their own; most are slower, a few much faster",
        );
        /// Objects that come close and pass, per second.
        looming_per_sec: f64 = 0.1, Field::number(
            "Looming objects",
            "/s",
            (0.0, 2.0),
            0.05,
            "How often an object comes close and passes",
        );
        /// Time between cuts, seconds; 0 never cuts.
        cut_secs: f64 = 0.0,
            Field::number("Time between cuts", "s", (0.0, 600.0), 1.0, "After this time another scene begins; 0 never cuts");
    }
}

/// Mean number of objects over a point: one point in 55 shows the backdrop.
const COVERAGE: f64 = 4.0;
/// Largest ratio of an object's axes.
const LONGEST: f64 = 2.0;
/// Extent of a rounded rectangle |u|^4 + |v|^4 = 1 over that of the ellipse with its axes: the fourth root of 2.
const CORNER: f64 = 1.189_207_115_002_721;
/// Most objects in a world.
const MOST: f64 = 500_000.0;
/// Paths on which objects wander, each with its own speed.
const PATHS: usize = 64;
/// Root mean square of the logarithm of the zoom, and its largest value, that of three sinusoids together.
const ZOOM: f64 = 0.1;
const FARTHEST: f64 = ZOOM * 2.449_489_742_783_178;
/// Slowest and fastest sinusoid of a path, Hz.
const WANDER_HZ: (f64, f64) = (0.06, 0.4);
/// Time from first sight of a looming object to its disappearance, seconds.
const LOOMING_SECS: f64 = 3.0;
/// That time over twice the time constant tau.
const LOOMING_TAUS: f64 = 5.0;
/// Side of the texture, texels.
const TEXELS: usize = 256;
/// Texels in a degree.
const TEXELS_PER_DEG: f32 = 2.0;
/// What shines through a pixel that is finished.
const CLEAR: f32 = 1.0 / 4096.0;
/// Side of a tile of the shader's lists, pixels.
const TILE: usize = 8;

/// Second counters of the random words; the first counts objects, paths or scenes.
mod draw {
    pub const PLACE: u32 = 0;
    pub const LOOK: u32 = 1;
    pub const SURFACE: u32 = 2;
    pub const TEXTURE: u32 = 3;
    pub const SCENE: u32 = 4;
    pub const LOOMING: u32 = 5;
    pub const LOOMING_LOOK: u32 = 6;
    pub const LOOMING_SURFACE: u32 = 7;
    /// Each sinusoid of the camera and of the paths has its own from here on.
    pub const MOTION: u32 = 16;
}

/// From a random word to 0..1.
fn part(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 2f64.powi(32)
}

impl Scene {
    fn impossible<T>(key: &'static str, what: String) -> Result<T, StimulusError> {
        Err(StimulusError::Impossible { stimulus: "Rendered clip", key, what })
    }

    /// Diameter that a part 0..1 of the objects does not reach: the distribution of density d^-3 between the cut-offs.
    fn diameter(&self, part: f64) -> Degrees {
        let ratio = self.size_min_deg / self.size_max_deg;
        self.size_min_deg / (1.0 - part * (1.0 - ratio * ratio)).sqrt()
    }

    /// Side of the world, degrees: the camera never sees one object twice.
    fn side(&self, monitor: &Monitor) -> Degrees {
        let [half_width, half_height] = half_screen(monitor);
        let reach = self.size_max_deg / 2.0 * LONGEST.sqrt() * CORNER;
        2.0 * (half_width.hypot(half_height) * FARTHEST.exp() + reach)
    }

    /// Number of objects in the world.
    fn objects(&self, monitor: &Monitor) -> f64 {
        // The mean of d^2 over the density 2 d^-3 / (1/least^2 - 1/most^2).
        let (least, most) = (self.size_min_deg, self.size_max_deg);
        let octaves = (most / least).ln();
        let square = if octaves < 1e-9 { least * least } else { 2.0 * octaves / (least.powi(-2) - most.powi(-2)) };
        let side = self.side(monitor);
        (COVERAGE * side * side / (TAU / 8.0 * square)).round()
    }
}

impl Kind for Scene {
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        if self.size_min_deg > self.size_max_deg {
            return Self::impossible(
                "size_min_deg",
                format!("is {}; it must not exceed `size_max_deg`, {}", self.size_min_deg, self.size_max_deg),
            );
        }
        let objects = self.objects(monitor);
        // Written so that a number that is none is refused as well.
        if !matches!(objects.partial_cmp(&MOST), Some(std::cmp::Ordering::Less)) {
            return Self::impossible(
                "size_min_deg",
                format!(
                    "is {}: so small that this screen would take {objects} objects; the limit is {MOST}",
                    self.size_min_deg
                ),
            );
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        self.check(screen.monitor())?;
        Ok(Arc::new(World::new(self, screen.monitor(), seed)))
    }
}

/// Degrees at the centre from one column to the next and from one row to the next.
fn pixel_deg(monitor: &Monitor) -> [f64; 2] {
    let (dx, dy) = monitor.pitch_cm();
    [dx, dy].map(|cm| (cm / monitor.distance_cm).to_degrees())
}

/// Half the width and height of the screen, in degrees at its centre.
fn half_screen(monitor: &Monitor) -> [f64; 2] {
    [monitor.width_cm, monitor.height_cm].map(|cm| (cm / 2.0 / monitor.distance_cm).to_degrees())
}

/// Rows of texels, periodic.
type Texture = [f32; TEXELS * TEXELS];

/// What an object looks like, wherever it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    /// Half axes, degrees.
    axes: [f32; 2],
    /// Cosine and sine of the first axis against the world's.
    along: [f32; 2],
    /// Place in the texture, texels.
    texture: [f32; 2],
    grey: f32,
    rectangle: bool,
}

/// An object, or the backdrop, as it lies on the screen in one frame; the layout of `Leaf` in `shaders/scene.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Leaf {
    /// Column and row of the centre.
    centre: [f32; 2],
    /// From pixels to half axes: the border is at distance 1.
    across: [f32; 2],
    down: [f32; 2],
    /// Half axes in texels.
    texels: [f32; 2],
    /// Place in the texture, texels.
    texture: [f32; 2],
    grey: f32,
    /// 1 for a rounded rectangle, 0 for an ellipse.
    rectangle: u32,
}

impl Leaf {
    fn new(look: &Look, centre: [f32; 2], view: &View) -> Self {
        // Turned with the camera.
        let [cos, sin] = [
            look.along[0] * view.turn[0] + look.along[1] * view.turn[1],
            look.along[1] * view.turn[0] - look.along[0] * view.turn[1],
        ];
        let [dx, dy] = view.pixel;
        let [a, b] = look.axes.map(|axis| 1.0 / axis);
        Self {
            centre,
            across: [cos * dx * a, -sin * dx * b],
            down: [-sin * dy * a, -cos * dy * b],
            texels: look.axes.map(|axis| axis * TEXELS_PER_DEG),
            texture: look.texture,
            grey: look.grey,
            rectangle: u32::from(look.rectangle),
        }
    }

    /// Place in the object's own axes.
    fn own(&self, column: f32, row: f32) -> [f32; 2] {
        let (x, y) = (column - self.centre[0], row - self.centre[1]);
        [self.across[0] * x + self.down[0] * y, self.across[1] * x + self.down[1] * y]
    }

    /// Largest change of the distance within one pixel.
    fn steepest(&self) -> f32 {
        let [a, b, c, d] = [self.across[0], self.across[1], self.down[0], self.down[1]];
        (a * a + b * b + c * c + d * d).sqrt()
    }

    /// Part of a pixel that lies inside, 0..=1: a ramp one pixel wide, measured across the border.
    fn cover(&self, [u, v]: [f32; 2]) -> f32 {
        let (uu, vv) = (u * u, v * v);
        let (distance, power, gu, gv) = if self.rectangle == 1 {
            let squared = (uu * uu + vv * vv).sqrt();
            let distance = squared.sqrt();
            (distance, squared * distance, uu * u, vv * v)
        } else {
            let distance = (uu + vv).sqrt();
            (distance, distance, u, v)
        };
        if distance < 1e-3 {
            return 1.0;
        }
        let x = self.across[0] * gu + self.across[1] * gv;
        let y = self.down[0] * gu + self.down[1] * gv;
        (0.5 + (1.0 - distance) * power / (x * x + y * y).sqrt()).clamp(0.0, 1.0)
    }

    /// Distance in the object's own axes (as of an ellipse) within which pixels are wholly covered, and beyond which
    /// they are not touched, both squared.
    fn bounds(&self) -> (f32, f32) {
        let edge = 0.5 * self.steepest();
        let (inner, outer) = ((1.0 - edge).max(0.0), 1.0 + edge);
        let corner = if self.rectangle == 1 { (CORNER * CORNER) as f32 } else { 1.0 };
        (inner * inner, outer * outer * corner)
    }
}

/// The camera and the wandering objects at one frame.
struct View {
    /// Where the camera looks, texels of the backdrop.
    texture: [f32; 2],
    /// Cosine and sine of its turn.
    turn: [f32; 2],
    /// Degrees of the world from one column to the next and from one row to the next.
    pixel: [f32; 2],
    /// Displacement along each path, less that of the camera, fractions of the world.
    paths: [[u32; 2]; PATHS],
    /// Homes are dealt out anew in each scene, from this one on.
    deal: usize,
}

/// A scene on a screen, ready to be drawn.
#[derive(Debug)]
struct World {
    scene: Scene,
    seed: u64,
    side: f64,
    background: f32,
    /// Grey levels of one standard deviation of the texture.
    relief: f32,
    /// Grey levels of one standard deviation of the objects.
    spread: f32,
    homes: Vec<[u32; 2]>,
    looks: Vec<Look>,
    /// Distance from an object's centre that none of it exceeds, degrees.
    reaches: Vec<f32>,
    path: Vec<u8>,
    texture: Box<Texture>,
    cut_frames: Option<f64>,
}

impl World {
    fn new(scene: &Scene, monitor: &Monitor, seed: u64) -> Self {
        let count = scene.objects(monitor).max(1.0) as u32;
        let deviation = scene.contrast * swing(monitor.background);
        let mut world = Self {
            scene: scene.clone(),
            seed,
            side: scene.side(monitor),
            background: f32::from(monitor.background),
            relief: (deviation * scene.texture.sqrt()) as f32,
            spread: (deviation * (1.0 - scene.texture).sqrt()) as f32,
            homes: Vec::with_capacity(count as usize),
            looks: Vec::with_capacity(count as usize),
            reaches: Vec::with_capacity(count as usize),
            path: Vec::with_capacity(count as usize),
            texture: texture(seed),
            cut_frames: (scene.cut_secs > 0.0).then_some(scene.cut_secs * monitor.frame_rate.0),
        };
        for index in 0..count {
            let [x, y, size, path] = random_words(seed, index, draw::PLACE);
            let look = world.look(scene.diameter(part(size)), [draw::LOOK, draw::SURFACE], index);
            let corner = if look.rectangle { CORNER as f32 } else { 1.0 };
            world.homes.push([x, y]);
            world.reaches.push(look.axes[0] * corner);
            world.looks.push(look);
            world.path.push((path % PATHS as u32) as u8);
        }
        world
    }

    /// The look of an object of this diameter.
    fn look(&self, diameter: Degrees, draws: [u32; 2], index: u32) -> Look {
        let [angle, longer, grey, shape] = random_words(self.seed, index, draws[0]);
        let [right, up, ..] = random_words(self.seed, index, draws[1]);
        // Both axes change, so that the area stays that of the disc.
        let longer = LONGEST.powf(part(longer) / 2.0);
        let (sin, cos) = (TAU * part(angle)).sin_cos();
        Look {
            axes: [(diameter / 2.0 * longer) as f32, (diameter / 2.0 / longer) as f32],
            along: [cos as f32, sin as f32],
            texture: [right, up].map(|word| (part(word) * TEXELS as f64) as f32),
            // Uniform levels of deviation 1 reach the root of 3.
            grey: self.background + self.spread * (12f64.sqrt() * (part(grey) - 0.5)) as f32,
            rectangle: shape >> 31 == 1,
        }
    }

    /// Which scene a frame belongs to.
    fn scene_at(&self, frame: usize) -> u32 {
        // The small addition keeps cuts of whole frames from coming late by a rounding error.
        self.cut_frames.map_or(0, |cut| (frame as f64 / cut + 1e-9) as u64 as u32)
    }

    /// A smooth random function of time whose rate of change has a root mean square of 1.
    fn wander(&self, scene: u32, which: u32, secs: f64) -> f64 {
        const TERMS: u32 = 4;
        let (slowest, fastest) = WANDER_HZ;
        let share = (2.0 / f64::from(TERMS)).sqrt();
        (0..TERMS)
            .map(|term| {
                let [rate, phase, ..] = random_words(self.seed, scene, draw::MOTION + TERMS * which + term);
                let hz = slowest * (fastest / slowest).powf(part(rate));
                share / (TAU * hz) * (TAU * (hz * secs + part(phase)).rem_euclid(1.0)).sin()
            })
            .sum()
    }

    fn view(&self, monitor: &Monitor, frame: usize) -> View {
        let scene = self.scene_at(frame);
        let secs = monitor.frame_rate.secs_at(frame);
        let [x, y, turn, deal] = random_words(self.seed, scene, draw::SCENE);
        // The camera's clock runs at 0.2 to 1.8 of its mean, in about 4 s: pauses and sweeps.
        let (swell, hz) = (0.8, 0.23);
        let clock = (secs + swell / (TAU * hz) * (TAU * (hz * secs + part(deal)).rem_euclid(1.0)).sin())
            / (1.0f64 + swell * swell / 2.0).sqrt();
        let pan = self.scene.camera_speed_deg_per_sec / 2f64.sqrt();
        let camera =
            [(x, 0), (y, 1)].map(|(start, which)| part(start) * self.side + pan * self.wander(scene, which, clock));
        let turn = TAU * part(turn) + self.scene.rotation_deg_per_sec.to_radians() * self.wander(scene, 2, clock);
        let (sin, cos) = turn.sin_cos();
        let zoom = self.zoom(scene, clock).exp();
        let camera_at = camera.map(|degrees| fixed(degrees / self.side));
        let scale = self.scene.object_speed_deg_per_sec / 2f64.sqrt() / self.side;
        let paths = std::array::from_fn(|path| {
            // Quantiles of an exponential distribution, whose mean square is 2: many slow paths, few fast ones.
            let speed = -(1.0 - (path as f64 + 0.5) / PATHS as f64).ln() / 2f64.sqrt();
            let which = 3 + 2 * path as u32;
            [0, 1].map(|axis| {
                let moved = scale * speed * self.wander(scene, which + axis as u32, secs);
                fixed(moved).wrapping_sub(camera_at[axis])
            })
        });
        View {
            texture: camera.map(|degrees| (degrees * f64::from(TEXELS_PER_DEG)).rem_euclid(TEXELS as f64) as f32),
            turn: [cos as f32, sin as f32],
            pixel: pixel_deg(monitor).map(|degrees| (degrees / zoom) as f32),
            paths,
            deal: deal as usize % self.homes.len(),
        }
    }

    /// Logarithm of the zoom: its size is fixed, and the rate that was asked sets how fast it changes.
    fn zoom(&self, scene: u32, secs: f64) -> f64 {
        const PACES: [f64; 3] = [0.7, 1.0, 1.22];
        let pace = (PACES.iter().map(|pace| pace * pace).sum::<f64>() / 3.0).sqrt();
        let hz = self.scene.zoom_rate_per_sec / (ZOOM * TAU * pace);
        let phases = random_words(self.seed, scene, draw::MOTION - 1);
        let sum: f64 = PACES
            .iter()
            .zip(phases)
            .map(|(pace, phase)| (TAU * (pace * hz * secs + part(phase)).rem_euclid(1.0)).sin())
            .sum();
        ZOOM * (2.0f64 / 3.0).sqrt() * sum
    }

    /// Everything that can be seen in a frame, the nearest first; then the backdrop.
    fn leaves(&self, monitor: &Monitor, frame: usize) -> (Vec<Leaf>, Leaf) {
        let view = self.view(monitor, frame);
        let raster = monitor.raster;
        let middle = [raster.width, raster.height].map(|side| (side as f32 - 1.0) / 2.0);
        let [dx, dy] = view.pixel;
        let (half_width, half_height) = ((middle[0] + 1.0) * dx, (middle[1] + 1.0) * dy);
        let per_deg = [1.0 / dx, 1.0 / dy];
        let unit = (self.side / 2f64.powi(32)) as f32;
        let mut leaves = self.looming(monitor, frame, &view);
        // Two runs, because the homes are dealt out from the middle on.
        let (dealt_last, dealt_first) = self.homes.split_at(view.deal);
        for (first, homes) in [(0, dealt_first), (dealt_first.len(), dealt_last)] {
            let objects = homes.iter().zip(&self.reaches[first..]).zip(&self.path[first..]);
            for (index, ((home, &reach), &path)) in objects.enumerate() {
                let moved = view.paths[usize::from(path) % PATHS];
                let [x, y] = [0, 1].map(|axis| home[axis].wrapping_add(moved[axis]) as i32 as f32 * unit);
                let (right, up) = (view.turn[0] * x + view.turn[1] * y, view.turn[0] * y - view.turn[1] * x);
                if right.abs() < half_width + reach && up.abs() < half_height + reach {
                    let centre = [middle[0] + right * per_deg[0], middle[1] - up * per_deg[1]];
                    leaves.push(Leaf::new(&self.looks[first + index], centre, &view));
                }
            }
        }
        let plain =
            Look { axes: [1.0; 2], along: [1.0, 0.0], texture: view.texture, grey: self.background, rectangle: false };
        (leaves, Leaf::new(&plain, middle, &view))
    }

    /// Objects that come close: on a clock of their own, one in each period of the rate that was asked.
    fn looming(&self, monitor: &Monitor, frame: usize, view: &View) -> Vec<Leaf> {
        let rate = self.scene.looming_per_sec;
        if rate <= 0.0 {
            return Vec::new();
        }
        let secs = monitor.frame_rate.secs_at(frame);
        let last = (secs * rate).floor();
        let first = ((secs - LOOMING_SECS) * rate).floor() - 1.0;
        let raster = monitor.raster;
        let pixel = pixel_deg(monitor);
        let half = half_screen(monitor);
        let mut leaves = Vec::new();
        // Saturating casts: a frame beyond all time shows what its last period shows.
        for period in (first.max(0.0) as u32)..=(last as u32) {
            // The scene counts, so that nothing survives a cut.
            let index = period ^ self.scene_at(frame).wrapping_mul(0x9e37_79b9);
            let [onset, right, up, size] = random_words(self.seed, index, draw::LOOMING);
            let age = (secs - (f64::from(period) + part(onset)) / rate) / LOOMING_SECS;
            if !(0.0..1.0).contains(&age) {
                continue;
            }
            let near = |age: f64| 1.0 / (1.0 + (LOOMING_TAUS * (2.0 * age - 1.0)).powi(2)).sqrt();
            let grown = (near(age) - near(0.0)) / (1.0 - near(0.0));
            let diameter = (40.0 + 50.0 * part(size)) * grown;
            if diameter < 0.05 {
                continue;
            }
            let full = self.look(40.0, [draw::LOOMING_LOOK, draw::LOOMING_SURFACE], index);
            let shrink = (diameter / 40.0) as f32;
            // Much brighter or darker than what it hides.
            let grey = self.background + (full.grey - self.background).signum() * self.spread * 1.5;
            // Passes the screen's middle part on a straight path.
            let [to_x, to_y] = full.along.map(|along| f64::from(along) * 20.0 * (age - 0.5));
            let at = [(right, half[0], to_x), (up, half[1], to_y)]
                .map(|(word, half, drift)| 0.7 * half * (2.0 * part(word) - 1.0) + drift);
            let centre = [
                (raster.width as f64 - 1.0) / 2.0 + at[0] / pixel[0],
                (raster.height as f64 - 1.0) / 2.0 - at[1] / pixel[1],
            ];
            let seen = View { pixel: pixel.map(|degrees| degrees as f32), paths: view.paths, ..*view };
            let leaf = Leaf::new(
                &Look { axes: full.axes.map(|axis| axis * shrink), grey, ..full },
                centre.map(|place| place as f32),
                &seen,
            );
            // The texture grows with the object.
            leaves.push(Leaf { texels: full.axes.map(|axis| axis * TEXELS_PER_DEG), ..leaf });
        }
        leaves
    }

    /// Grey level of a leaf at a place in its own axes: its texture is interpolated between four texels.
    fn grey(&self, leaf: &Leaf, [u, v]: [f32; 2]) -> f32 {
        let (x, y) = (leaf.texture[0] + u * leaf.texels[0], leaf.texture[1] + v * leaf.texels[1]);
        let ((column, right), (row, up)) = (split(x), split(y));
        let texel = |column: i32, row: i32| {
            let wrap = |index: i32| index as u32 as usize % TEXELS;
            self.texture[wrap(row) * TEXELS + wrap(column)]
        };
        let lower = texel(column, row) + right * (texel(column + 1, row) - texel(column, row));
        let upper = texel(column, row + 1) + right * (texel(column + 1, row + 1) - texel(column, row + 1));
        leaf.grey + self.relief * (lower + up * (upper - lower))
    }

    fn draw(&self, monitor: &Monitor, frame: usize, pixels: &mut [u8]) {
        let (width, height) = (monitor.raster.width, monitor.raster.height);
        let (leaves, backdrop) = self.leaves(monitor, frame);
        // Light that reached each pixel, what still shines through it, and one bit where it is not finished.
        let mut light = vec![0.0f32; pixels.len()];
        let mut clear = vec![1.0f32; pixels.len()];
        let words = width.div_ceil(64);
        let mut open = vec![u64::MAX; words * height];
        for leaf in &leaves {
            let (inner, outer) = leaf.bounds();
            let [(a, c), (b, d)] = [0, 1].map(|axis| (leaf.across[axis], leaf.down[axis]));
            // The distance squared is xx x^2 + 2 xy x y + yy y^2.
            let (xx, xy, yy) = (a * a + b * b, a * c + b * d, c * c + d * d);
            let area = (a * d - b * c).abs();
            let (wide, high) = ((outer * yy).sqrt() / area, (outer * xx).sqrt() / area);
            let columns = touched(leaf.centre[0], -wide, wide, width);
            let inside = columns.start / 64..columns.end.div_ceil(64);
            for row in touched(leaf.centre[1], -high, high, height) {
                let unfinished = &open[row * words..(row + 1) * words];
                // Most of what is far away is hidden.
                if inside.clone().all(|word| unfinished[word] & bits(word, &columns) == 0) {
                    continue;
                }
                let y = row as f32 - leaf.centre[1];
                let root = (xy * y) * (xy * y) - xx * (yy * y * y - outer);
                if root < 0.0 {
                    continue;
                }
                let (centre, half) = (-xy * y / xx, root.sqrt() / xx);
                let columns = touched(leaf.centre[0], centre - half, centre + half, width);
                for word in columns.start / 64..columns.end.div_ceil(64) {
                    let mut left = open[row * words + word] & bits(word, &columns);
                    while left != 0 {
                        let column = word * 64 + left.trailing_zeros() as usize;
                        left &= left - 1;
                        let own = leaf.own(column as f32, row as f32);
                        let inside = own[0] * own[0] + own[1] * own[1] <= inner;
                        let cover = if inside { 1.0 } else { leaf.cover(own) };
                        if cover <= 0.0 {
                            continue;
                        }
                        let pixel = row * width + column;
                        light[pixel] += clear[pixel] * cover * self.grey(leaf, own);
                        clear[pixel] *= 1.0 - cover;
                        if clear[pixel] < CLEAR {
                            clear[pixel] = 0.0;
                            open[row * words + word] &= !(1 << (column % 64));
                        }
                    }
                }
            }
        }
        for (index, (pixel, (light, clear))) in pixels.iter_mut().zip(light.into_iter().zip(clear)).enumerate() {
            let mut grey = light;
            if clear > 0.0 {
                let own = backdrop.own((index % width) as f32, (index / width) as f32);
                grey += clear * self.grey(&backdrop, own);
            }
            *pixel = grey_level(f64::from(grey));
        }
    }
}

/// Whole part, rounded down, and the rest.
fn split(value: f32) -> (i32, f32) {
    let whole = value as i32;
    let whole = if (whole as f32) > value { whole - 1 } else { whole };
    (whole, value - whole as f32)
}

/// Pixels of `0..size` from `centre + from` to `centre + to`, a little generous.
fn touched(centre: f32, from: f32, to: f32, size: usize) -> Range<usize> {
    // Casts saturate: what lies left of the screen becomes 0.
    let (start, end) = ((centre + from) as usize, (centre + to + 1.01) as usize);
    start.min(size)..end.clamp(start.min(size), size)
}

/// The bits of one word of 64 that lie in a range.
fn bits(word: usize, range: &Range<usize>) -> u64 {
    let first = range.start.saturating_sub(word * 64);
    let end = (range.end - word * 64).min(64);
    if first >= end { 0 } else { (u64::MAX << first) & (u64::MAX >> (64 - end)) }
}

/// A periodic texture of mean 0 and deviation 1 whose amplitude falls as 1/f: octaves of smooth noise, each of half the
/// grain of the one before and of the same variance. Each is a grid of random numbers, interpolated by cubic splines,
/// periodic like the whole.
fn texture(seed: u64) -> Box<Texture> {
    let mut sum = vec![0.0f64; TEXELS * TEXELS];
    for octave in 1..=6u32 {
        let nodes = 2usize << octave;
        let node = |column: usize, row: usize| {
            let index = (octave << 16) | ((row % nodes) * nodes + column % nodes) as u32;
            part(random_words(seed, index, draw::TEXTURE)[0]) - 0.5
        };
        let grid: Vec<f64> = (0..nodes * nodes).map(|index| node(index % nodes, index / nodes)).collect();
        let grain = TEXELS / nodes;
        // First along rows, then along columns.
        let weights: Vec<[f64; 4]> = (0..grain).map(|texel| spline(texel as f64 / grain as f64)).collect();
        let taps = |texel: usize| {
            let first = texel / grain + nodes - 1;
            [0, 1, 2, 3].map(|tap| (weights[texel % grain][tap], (first + tap) % nodes))
        };
        let mut rows = vec![0.0; nodes * TEXELS];
        for row in 0..nodes {
            for texel in 0..TEXELS {
                rows[row * TEXELS + texel] =
                    taps(texel).iter().map(|(weight, column)| weight * grid[row * nodes + column]).sum();
            }
        }
        for row in 0..TEXELS {
            for (weight, node) in taps(row) {
                let line = &rows[node * TEXELS..][..TEXELS];
                for (sum, value) in sum[row * TEXELS..][..TEXELS].iter_mut().zip(line) {
                    *sum += weight * value;
                }
            }
        }
    }
    let count = sum.len() as f64;
    let mean = sum.iter().sum::<f64>() / count;
    let deviation = (sum.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt();
    let texels: Box<[f32]> = sum.iter().map(|value| ((value - mean) / deviation) as f32).collect();
    texels.try_into().expect("as many texels as sums")
}

/// Weights of four nodes for a place between the middle two: the cubic B-spline.
fn spline(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    [
        s * s * s / 6.0,
        (4.0 - 6.0 * t * t + 3.0 * t * t * t) / 6.0,
        (4.0 - 6.0 * s * s + 3.0 * s * s * s) / 6.0,
        t * t * t / 6.0,
    ]
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    relief: f32,
    tiles_across: u32,
    tiles: u32,
    texels: u32,
}

/// Lists of the leaves that touch each tile, the nearest first, for some frames.
#[derive(Default)]
struct Lists {
    leaves: Vec<Leaf>,
    /// Where the list of each tile of each frame starts among the entries; one more at the end.
    starts: Vec<u32>,
    /// Leaves by their number.
    entries: Vec<u32>,
}

impl Lists {
    fn add(&mut self, leaves: &[Leaf], width: usize, height: usize) {
        let (across, down) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let mut hidden = vec![false; across * down];
        let mut found: Vec<(u32, u32)> = Vec::new();
        for leaf in leaves {
            let (inner, outer) = leaf.bounds();
            let [(a, c), (b, d)] = [0, 1].map(|axis| (leaf.across[axis], leaf.down[axis]));
            let area = (a * d - b * c).abs();
            let (x, y) = ((outer * (c * c + d * d)).sqrt() / area, (outer * (a * a + b * b)).sqrt() / area);
            let tiles = |pixels: Range<usize>| pixels.start / TILE..pixels.end.div_ceil(TILE);
            let columns = tiles(touched(leaf.centre[0], -x, x, width));
            let rows = tiles(touched(leaf.centre[1], -y, y, height));
            let number = self.leaves.len() as u32;
            let before = found.len();
            for (row, column) in rows.flat_map(|row| columns.clone().map(move |column| (row, column))) {
                let tile = row * across + column;
                if hidden[tile] {
                    continue;
                }
                found.push((tile as u32, number));
                let corners = [(0, 0), (TILE - 1, 0), (0, TILE - 1), (TILE - 1, TILE - 1)];
                // An ellipse is convex: it hides what its four corners lie in.
                hidden[tile] = corners.iter().all(|(right, below)| {
                    let [u, v] = leaf.own((column * TILE + right) as f32, (row * TILE + below) as f32);
                    u * u + v * v <= inner
                });
            }
            if found.len() > before {
                self.leaves.push(*leaf);
            }
        }
        let first = self.entries.len();
        let mut counts = vec![0u32; across * down];
        found.iter().for_each(|(tile, _)| counts[*tile as usize] += 1);
        let mut next = first as u32;
        for count in &mut counts {
            self.starts.push(next);
            next += std::mem::replace(count, next);
        }
        self.entries.resize(first + found.len(), 0);
        for (tile, number) in found {
            let place = &mut counts[tile as usize];
            self.entries[*place as usize] = number;
            *place += 1;
        }
    }
}

impl drawing::Drawing for World {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.draw(screen.monitor(), frame, pixels);
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let monitor = screen.monitor();
        let (width, height) = (monitor.raster.width, monitor.raster.height);
        let mut lists = Lists::default();
        let mut backdrops = Vec::with_capacity(frames.len());
        for frame in frames {
            let (leaves, backdrop) = self.leaves(monitor, frame);
            lists.add(&leaves, width, height);
            backdrops.push(backdrop);
        }
        lists.starts.push(lists.entries.len() as u32);
        let (across, down) = (width.div_ceil(TILE), height.div_ceil(TILE));
        let uniform = Uniform {
            relief: self.relief,
            tiles_across: across as u32,
            tiles: (across * down) as u32,
            texels: TEXELS as u32,
        };
        Some(Painting {
            shader: &SHADER,
            tables: vec![
                Table::of(&[uniform]),
                Table::of(&backdrops),
                Table::of(&lists.leaves),
                Table::of(&lists.starts),
                Table::of(&lists.entries),
                Table::of(self.texture.as_slice()),
            ],
            passes: vec![Pass { entry: "draw", things: monitor.raster.pixels() }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(scene: &Scene) -> World {
        World::new(scene, &Monitor::WANG2025, 3)
    }

    #[test]
    fn every_octave_of_diameters_covers_the_same_area() {
        let scene = Scene::default();
        let mut areas = [0.0; 4];
        for k in 0..100_000 {
            let diameter = scene.diameter((f64::from(k) + 0.5) / 100_000.0);
            assert!((2.0..=80.0).contains(&diameter), "{diameter}");
            if let Some(area) = areas.get_mut((diameter / 2.0).log2() as usize) {
                *area += diameter * diameter;
            }
        }
        for area in areas {
            assert!((area / areas[0] - 1.0).abs() < 0.01, "{areas:?}");
        }
    }

    #[test]
    fn wandering_has_the_speed_that_was_asked() {
        let world = world(&Scene { size_min_deg: 10.0, ..Default::default() });
        let step = 1e-3;
        let squares: f64 = (0..2000)
            .map(|scene| {
                let at = |secs| world.wander(scene, 0, secs);
                ((at(7.0 + step) - at(7.0)) / step).powi(2)
            })
            .sum();
        // Eight terms of two degrees of freedom in 2000 draws: a standard error of about 2 %.
        assert!((squares / 2000.0 - 1.0).abs() < 0.08, "{}", squares / 2000.0);
    }

    #[test]
    fn zoom_changes_at_its_rate_and_stays_within_what_the_world_was_made_for() {
        let scene = Scene { size_min_deg: 10.0, zoom_rate_per_sec: 0.3, ..Default::default() };
        let world = world(&scene);
        let step = 1e-4;
        let mut squares = 0.0;
        for k in 0..2000 {
            let secs = f64::from(k) * 0.37;
            let zoom = world.zoom(k, secs);
            assert!(zoom.abs() <= FARTHEST, "{zoom}");
            squares += ((world.zoom(k, secs + step) - zoom) / step).powi(2);
        }
        let rate = (squares / 2000.0).sqrt();
        assert!((rate / 0.3 - 1.0).abs() < 0.05, "{rate}");
    }
}

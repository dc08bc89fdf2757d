//! From the monitor to the retina over a whole clip, one sample, forwards and backwards.
//!
//! Coordinates are f64: rays that graze the screen have huge ones, and the power law is steep near black.

use super::super::buffer::Shared;
use super::super::math::{exp, ln};
use super::super::perspective::{Vector, dot, rotation, transposed};
use super::super::simd::{Simd, dispatched};
use super::parameters::{Parameters, Table};
use super::room::{Context, Room};
use super::small::{Small, gelu};
use crate::model::twin::TwinConfig;
use crate::model::twin::config::Periphery;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// Added to luminance before the retina's power, so that darkness has a slope.
const FLOOR: f64 = 1e-5;
/// Rays that point away from the screen are sent far outside of it.
const GRAZING: f64 = 1e-5;

/// Names of the parameters beside the eye's network, in the order of [`Own`].
const OWN: [&str; 7] = [
    "perspective.monitor.center",
    "perspective.monitor.angle",
    "perspective.monitor.center_std",
    "perspective.monitor.angle_std",
    "perspective.retina_pixel.logit",
    "perspective.retina_pixel.scale",
    "perspective.retina_pixel.offset",
];

/// Constants, and the parameters of this step.
#[derive(Debug)]
pub(super) struct Perspective {
    eye: Vec<Small>,
    rays: Vec<Vector>,
    gamma: Gamma,
    /// Luminance of every whole grey level.
    luminance: Vec<f64>,
    periphery: Periphery,
    retina: Raster,
    starts: [usize; OWN.len()],
    own: Own,
    /// Whether anything here is learned.
    pub learns: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Own {
    center: Vector,
    angle: Vector,
    center_std: Vector,
    angle_std: Vector,
    /// Exponent, scale and offset of the retina's response.
    response: [f64; 3],
}

/// Random shift and turn of the monitor, standard normal.
pub(super) type Jitter = Option<(Vector, Vector)>;

/// Grey levels 0..=255 of all samples, `[frame, sample, pixel]`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Levels<'a> {
    Whole(&'a [u8]),
    Between(&'a [f32]),
}

/// What a sample shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    /// Pixels of the movie.
    pub raster: Raster,
    /// Grey levels of all samples.
    pub levels: Levels<'a>,
    /// Which sample, of how many.
    pub sample: (usize, usize),
}

impl<'a> Shown<'a> {
    fn frame(&self, frame: usize) -> Levels<'a> {
        let (sample, samples) = self.sample;
        let size = self.raster.pixels();
        let at = (frame * samples + sample) * size..(frame * samples + sample + 1) * size;
        match self.levels {
            Levels::Whole(pixels) => Levels::Whole(&pixels[at]),
            Levels::Between(pixels) => Levels::Between(&pixels[at]),
        }
    }
}

/// What a monitor emits at a grey level: `(grey / 255)^power * scale + offset`.
#[derive(Debug, Clone, Copy)]
struct Gamma {
    power: f64,
    scale: f64,
    offset: f64,
}

impl Gamma {
    fn luminance(self, grey: f32) -> f64 {
        f64::from(grey / 255.0).powf(self.power) * self.scale + self.offset
    }

    /// Derivative with respect to the grey level. A power below 1 is infinitely steep at black; there the slope at a
    /// tenth of a level stands for it.
    fn slope(self, grey: f32) -> f64 {
        let least = if self.power < 1.0 { 0.1 / 255.0 } else { 0.0 };
        self.power * (f64::from(grey) / 255.0).max(least).powf(self.power - 1.0) * self.scale / 255.0
    }
}

/// What the way back needs.
#[derive(Debug, Default)]
pub(super) struct Tape {
    frames: Vec<FrameTape>,
    /// Axes of the monitor, one a row, and its centre.
    axes: [Vector; 3],
    center: Vector,
    angle: Vector,
    /// Luminance, its logarithm and its power, `[frame, 3, pixel]`.
    light: Room,
    /// Retina images `[frame, pixel]`, and their gradient.
    pub out: Room,
    pub out_back: Room,
}

#[derive(Debug, Default, Clone)]
struct FrameTape {
    /// Input of every layer of the eye's network, and the slope of the activation after it.
    layers: Vec<(Vec<f64>, Vec<f64>)>,
    angles: Vector,
    eye: [Vector; 3],
    /// The axes as the turned eye sees them.
    turned: [Vector; 3],
    /// Gradients of `turned`, of the distance along the axes, and of the response.
    back: [f64; 15],
}

impl Perspective {
    /// From constants and sizes.
    pub fn new(config: &TwinConfig, layers: &[Layer], parameters: &Parameters) -> Self {
        let p = &config.perspective;
        let table: &Table = parameters.table();
        let eye = layers.iter().filter(|layer| layer.name.starts_with("perspective.mlp."));
        let constants = parameters.constants();
        let value = |part: &str| f64::from(constants.values(&format!("perspective.monitor_pixel.{part}"))[0]);
        let gamma = Gamma { power: value("power"), scale: value("scale"), offset: value("offset") };
        let rays: &[[f32; 3]] = constants.values("perspective.retina.grid").as_chunks().0;
        Self {
            eye: eye.map(|layer| Small::new(layer, table, 0)).collect(),
            rays: rays.iter().map(|ray| ray.map(f64::from)).collect(),
            luminance: (0..=255u8).map(|grey| gamma.luminance(f32::from(grey))).collect(),
            gamma,
            periphery: config.periphery,
            retina: Raster { height: p.height, width: p.width },
            starts: OWN.map(|key| table.at(key).start),
            own: Own::default(),
            learns: true,
        }
    }

    /// Pixels of the retina.
    pub fn pixels(&self) -> usize {
        self.rays.len()
    }

    /// Reads the parameters of this step.
    pub fn pack(&mut self, parameters: &[f32]) {
        self.eye.iter_mut().for_each(|layer| layer.pack(parameters));
        let vector = |own: usize| -> Vector { [0, 1, 2].map(|i| f64::from(parameters[self.starts[own] + i])) };
        let number = |own: usize| f64::from(parameters[self.starts[own]]);
        self.own = Own {
            center: vector(0),
            angle: vector(1),
            center_std: vector(2),
            angle_std: vector(3),
            response: [1.0 / (1.0 + (-number(4)).exp()), number(5), number(6)],
        };
    }

    /// Retina images of all frames.
    pub fn forward<'a>(
        &self,
        context: Context<'_>,
        shown: Shown<'_>,
        gaze: impl Iterator<Item = &'a [f32; 2]>,
        jitter: Jitter,
        tape: &mut Tape,
    ) {
        let (mut center, mut angle) = (self.own.center, self.own.angle);
        if let Some((shift, turn)) = jitter {
            for i in 0..3 {
                center[i] += shift[i] * self.own.center_std[i];
                angle[i] += turn[i] * self.own.angle_std[i];
            }
        }
        (tape.center, tape.angle) = (center, angle);
        tape.axes = transposed(rotation(angle));
        tape.frames.clear();
        tape.frames.extend(gaze.map(|&gaze| self.look(gaze, &tape.axes)));
        let (frames, n) = (tape.frames.len(), self.rays.len());
        let row = row_of(n);
        let (light, out) = (Shared::new(tape.light.fit(3 * frames * row)), Shared::new(tape.out.fit(frames * n)));
        let tape = &*tape;
        let [exponent, scale, offset] = self.own.response;
        context.each(frames, |frame, _| {
            // SAFETY: tasks write frames of their own.
            let (light, out) = unsafe {
                let light = std::slice::from_raw_parts_mut(light.at(3 * frame * row), 3 * row);
                (light, std::slice::from_raw_parts_mut(out.at(frame * n), n))
            };
            let view = self.view(&tape.frames[frame], tape, shown.raster);
            match shown.frame(frame) {
                Levels::Whole(grey) => {
                    let lit = |place: usize| self.luminance[usize::from(grey[place])];
                    self.fall(&view, shown.raster, lit, light);
                }
                Levels::Between(grey) => self.fall(&view, shown.raster, |at| self.gamma.luminance(grey[at]), light),
            }
            // SAFETY: the room of the frame holds three whole pictures.
            unsafe {
                let response = [exponent as f32, scale as f32, offset as f32];
                respond(context.kernel, light.as_mut_ptr(), n, row, response);
                let power = &light[2 * row..];
                out.iter_mut().zip(power).for_each(|(out, &power)| *out = power * response[1] + response[2]);
            }
        });
    }

    /// The eye at a gaze.
    fn look(&self, gaze: [f32; 2], axes: &[Vector; 3]) -> FrameTape {
        let mut frame = FrameTape::default();
        let mut x: Vec<f64> = gaze.iter().map(|&v| f64::from(v)).collect();
        for (i, layer) in self.eye.iter().enumerate() {
            let mut y = vec![0.0; layer.outputs()];
            layer.forward(&x, &mut y);
            let (values, slopes) =
                if i + 1 < self.eye.len() { y.into_iter().map(gelu).unzip() } else { (y, vec![1.0; 3]) };
            frame.layers.push((std::mem::replace(&mut x, values), slopes));
        }
        frame.angles = [x[0], x[1], x[2]];
        frame.eye = rotation(frame.angles);
        // Instead of every ray the axes are turned, against the eye.
        let back = transposed(frame.eye);
        frame.turned = axes.map(|axis| [0, 1, 2].map(|i| dot(&back[i], &axis)));
        frame
    }

    fn view<'a>(&self, frame: &'a FrameTape, tape: &Tape, raster: Raster) -> View<'a> {
        let (width, height) = (raster.width as f64, raster.height as f64);
        let (columns, rows) = (self.retina.width as f64, self.retina.height as f64);
        let spread = if raster.width > 1 { width / (width - 1.0) } else { 1.0 };
        let (fx, fy) = (spread * (columns - 1.0) / columns, width / height * spread * (rows - 1.0) / rows);
        View {
            turned: &frame.turned,
            center: tape.axes.map(|axis| dot(&axis, &tape.center)),
            size: [width, height],
            scale: [fx * width / 2.0, fy * height / 2.0],
            dark: self.periphery == Periphery::Dark,
        }
    }

    /// Light of a frame on every pixel of the retina, where `lit` is the luminance of a pixel of the frame.
    #[inline(always)]
    fn fall(&self, view: &View<'_>, raster: Raster, lit: impl Fn(usize) -> f64, light: &mut [f32]) {
        for (light, ray) in light.iter_mut().zip(&self.rays) {
            let point = view.point(ray);
            let ([a, b, c, d], [fx, fy]) = (taps(&lit, raster, &point), point.fractions);
            let (top, bottom) = (a + fx * (b - a), c + fx * (d - c));
            *light = (top + fy * (bottom - top) + FLOOR) as f32;
        }
    }

    /// From the gradient of the retina images, `tape.out_back`, to that of the grey levels `[frame, pixel]`.
    pub fn greys_backward(&self, context: Context<'_>, shown: Shown<'_>, tape: &Tape, back: &mut [f32]) {
        let (n, size) = (self.rays.len(), shown.raster.pixels());
        let (row, width) = (row_of(n), shown.raster.width);
        let [exponent, scale, _] = self.own.response;
        debug_assert_eq!(back.len(), tape.frames.len() * size);
        let all = Shared::new(back);
        context.each(tape.frames.len(), |index, _| {
            // SAFETY: tasks write frames of their own.
            let back = unsafe { std::slice::from_raw_parts_mut(all.at(index * size), size) };
            let view = self.view(&tape.frames[index], tape, shown.raster);
            let light = &tape.light[3 * index * row..][..3 * row];
            let mut sums = vec![0.0f64; size];
            for (i, ray) in self.rays.iter().enumerate() {
                let (lit, power) = (f64::from(light[i]), f64::from(light[2 * row + i]));
                let slope = f64::from(tape.out_back[index * n + i]) * scale * exponent * power / lit;
                let Point { first: [left, top], fractions: [fx, fy], .. } = view.point(ray);
                let weights = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
                for (tap, weight) in weights.into_iter().enumerate() {
                    let (x, y) = (left + (tap % 2) as i64, top + (tap / 2) as i64);
                    if (0..width as i64).contains(&x) && (0..shown.raster.height as i64).contains(&y) {
                        sums[y as usize * width + x as usize] += slope * weight;
                    }
                }
            }
            let frame = shown.frame(index);
            for (place, (back, sum)) in back.iter_mut().zip(sums).enumerate() {
                let grey = match frame {
                    Levels::Whole(grey) => f32::from(grey[place]),
                    Levels::Between(grey) => grey[place],
                };
                *back = (sum * self.gamma.slope(grey)) as f32;
            }
        });
    }

    /// From the gradient of the retina images, `tape.out_back`, to that of the parameters.
    pub fn backward(&self, context: Context<'_>, shown: Shown<'_>, jitter: Jitter, tape: &mut Tape, flat: &mut [f32]) {
        let n = self.rays.len();
        let row = row_of(n);
        let mut frames = std::mem::take(&mut tape.frames);
        let [exponent, scale, _] = self.own.response;
        let places = Frames(frames.as_mut_ptr());
        let tape_ref = &*tape;
        context.each(frames.len(), |index, _| {
            let places = &places;
            // SAFETY: tasks write frames of their own.
            let frame = unsafe { &mut *places.0.add(index) };
            let picture = shown.frame(index);
            let mut sums = [0.0; 15];
            let view = self.view(frame, tape_ref, shown.raster);
            let light = &tape_ref.light[3 * index * row..][..3 * row];
            let light = light[..n].iter().zip(&light[row..]).zip(&light[2 * row..]);
            for ((&back, ((&lit, &logarithm), &power)), ray) in
                tape_ref.out_back[index * n..][..n].iter().zip(light).zip(&self.rays)
            {
                let (back, lit, logarithm, power) =
                    (f64::from(back), f64::from(lit), f64::from(logarithm), f64::from(power));
                sums[12] += back * power * logarithm;
                sums[13] += back * power;
                sums[14] += back;
                let point = view.point(ray);
                if point.moves == [0.0; 2] {
                    continue;
                }
                let [a, b, c, d] = match picture {
                    Levels::Whole(grey) => {
                        taps(&|place| self.luminance[usize::from(grey[place])], shown.raster, &point)
                    }
                    Levels::Between(grey) => taps(&|at| self.gamma.luminance(grey[at]), shown.raster, &point),
                };
                let [fx, fy] = point.fractions;
                let slope = back * scale * exponent * power / lit;
                let x_back = slope * ((1.0 - fy) * (b - a) + fy * (d - c)) * point.moves[0];
                let y_back = slope * ((1.0 - fx) * (c - a) + fx * (d - b)) * point.moves[1];
                view.back(ray, &point, [x_back, y_back], &mut sums);
            }
            frame.back = sums;
        });
        tape.frames = frames;
        self.gather(jitter, tape, flat);
    }

    /// From the sums of every frame to the parameters.
    fn gather(&self, jitter: Jitter, tape: &Tape, flat: &mut [f32]) {
        let mut gradients: Vec<Vec<f64>> = self.eye.iter().map(|layer| vec![0.0; layer.len()]).collect();
        let (mut axes, mut center, mut response) = ([[0.0; 3]; 3], [0.0; 3], [0.0; 3]);
        for frame in &tape.frames {
            let back = &frame.back;
            let turned: [Vector; 3] = [0, 3, 6].map(|i| [back[i], back[i + 1], back[i + 2]]);
            for i in 0..3 {
                response[i] += back[12 + i];
            }
            let mut eye = [[0.0; 3]; 3];
            for j in 0..3 {
                for k in 0..3 {
                    axes[j][k] += dot(&turned[j], &frame.eye[k]) + back[9 + j] * tape.center[k];
                    center[k] += back[9 + j] * tape.axes[j][k];
                    for i in 0..3 {
                        eye[k][i] += tape.axes[j][k] * turned[j][i];
                    }
                }
            }
            let mut dy = rotation_back(frame.angles, &eye).to_vec();
            for ((layer, (x, slopes)), gradient) in self.eye.iter().zip(&frame.layers).zip(&mut gradients).rev() {
                dy.iter_mut().zip(slopes).for_each(|(dy, slope)| *dy *= slope);
                let mut dx = vec![0.0; x.len()];
                layer.backward(x, &dy, &mut dx, gradient);
                dy = dx;
            }
        }
        self.eye.iter().zip(&gradients).for_each(|(layer, gradient)| layer.scatter(gradient, flat));
        let angle = rotation_back(tape.angle, &transposed(axes));
        let [exponent, scale, _] = self.own.response;
        for i in 0..3 {
            flat[self.starts[0] + i] += center[i] as f32;
            flat[self.starts[1] + i] += angle[i] as f32;
            if let Some((shift, turn)) = jitter {
                flat[self.starts[2] + i] += (center[i] * shift[i]) as f32;
                flat[self.starts[3] + i] += (angle[i] * turn[i]) as f32;
            }
        }
        flat[self.starts[4]] += (response[0] * scale * exponent * (1.0 - exponent)) as f32;
        flat[self.starts[5]] += response[1] as f32;
        flat[self.starts[6]] += response[2] as f32;
    }
}

/// Luminance of the four pixels around a point; there is no light beside the frame.
#[inline(always)]
fn taps(lit: &impl Fn(usize) -> f64, raster: Raster, point: &Point) -> [f64; 4] {
    let [left, top] = point.first;
    if left >= 0 && top >= 0 && left + 1 < raster.width as i64 && top + 1 < raster.height as i64 {
        let first = top as usize * raster.width + left as usize;
        return [lit(first), lit(first + 1), lit(first + raster.width), lit(first + raster.width + 1)];
    }
    let at = |x: i64, y: i64| {
        if (0..raster.width as i64).contains(&x) && (0..raster.height as i64).contains(&y) {
            lit(y as usize * raster.width + x as usize)
        } else {
            0.0
        }
    };
    [at(left, top), at(left + 1, top), at(left, top + 1), at(left + 1, top + 1)]
}

/// Numbers of one picture of the tape: whole vectors.
fn row_of(pixels: usize) -> usize {
    pixels.next_multiple_of(16)
}

#[inline(always)]
unsafe fn respond_generic<S: Simd>(light: *mut f32, n: usize, row: usize, response: [f32; 3]) {
    for i in (0..n).step_by(S::LANES) {
        // SAFETY: the caller's pictures are whole vectors.
        unsafe {
            let logarithm = ln::<S>(S::load(light.add(i)));
            S::store(light.add(row + i), logarithm);
            S::store(light.add(2 * row + i), exp::<S>(S::mul(logarithm, S::splat(response[0]))));
        }
    }
}

dispatched! {
    /// Logarithm and power of `n` luminances, `row` numbers apart.
    fn respond(light: *mut f32, n: usize, row: usize, response: [f32; 3]) = respond_generic
}

/// The frames of a tape, for tasks that write one each.
struct Frames(*mut FrameTape);
// SAFETY: every task writes a frame of its own.
unsafe impl Sync for Frames {}

/// One frame's way from rays to pixels of the movie.
struct View<'a> {
    turned: &'a [Vector; 3],
    /// Centre of the monitor along its axes.
    center: Vector,
    size: [f64; 2],
    /// Pixels for a unit on the monitor.
    scale: [f64; 2],
    dark: bool,
}

/// Where a ray meets the movie.
struct Point {
    /// Left and upper pixel.
    first: [i64; 2],
    fractions: [f64; 2],
    /// Derivative of the coordinates with respect to the place on the monitor; 0 where they are held.
    moves: [f64; 2],
    /// The ray along the axes, the last at least [`GRAZING`], and the length to the monitor.
    along: Vector,
    reach: f64,
}

impl View<'_> {
    #[inline(always)]
    fn point(&self, ray: &Vector) -> Point {
        let along = [dot(&self.turned[0], ray), dot(&self.turned[1], ray), dot(&self.turned[2], ray).max(GRAZING)];
        let reach = self.center[2] / along[2];
        let (mut first, mut fractions, mut moves) = ([0; 2], [0.0; 2], [0.0; 2]);
        for axis in 0..2 {
            let size = self.size[axis];
            let at = (reach * along[axis] - self.center[axis]) * self.scale[axis] + (size - 1.0) / 2.0;
            let (low, high) = if self.dark { (-1.0, size) } else { (0.0, size - 1.0) };
            let held = at.clamp(low, high);
            moves[axis] = if held == at { self.scale[axis] } else { 0.0 };
            // A cast rounds down, since held + 1 is not negative; one pixel less at the very end, so that two remain.
            let whole = ((held + 1.0) as i64 - 1).min(if self.dark { high as i64 } else { (high as i64 - 1).max(0) });
            (first[axis], fractions[axis]) = (whole, held - whole as f64);
        }
        Point { first, fractions, moves, along, reach }
    }

    /// Adds the gradients of the turned axes (9 numbers) and of the centre along the axes (3).
    #[inline(always)]
    fn back(&self, ray: &Vector, point: &Point, back: [f64; 2], sums: &mut [f64; 15]) {
        let reach = back[0] * point.along[0] + back[1] * point.along[1];
        let depth = if point.along[2] > GRAZING { -reach * point.reach / point.along[2] } else { 0.0 };
        for i in 0..3 {
            sums[i] += back[0] * point.reach * ray[i];
            sums[3 + i] += back[1] * point.reach * ray[i];
            sums[6 + i] += depth * ray[i];
        }
        sums[9] -= back[0];
        sums[10] -= back[1];
        sums[11] += reach / point.along[2];
    }
}

/// From the gradient of a rotation matrix to that of its angles.
fn rotation_back(angles: Vector, back: &[Vector; 3]) -> Vector {
    let r = rotation(angles);
    let ((sx, cx), (sy, cy), (sz, cz)) = (angles[0].sin_cos(), angles[1].sin_cos(), angles[2].sin_cos());
    let about_y =
        [[-cz * sy, cz * cy * sx, cz * cy * cx], [-sz * sy, sz * cy * sx, sz * cy * cx], [-cy, -sy * sx, -sy * cx]];
    let mut angle = [0.0; 3];
    for i in 0..3 {
        angle[0] += back[i][1] * r[i][2] - back[i][2] * r[i][1];
        angle[1] += dot(&back[i], &about_y[i]);
        angle[2] += back[1][i] * r[0][i] - back[0][i] * r[1][i];
    }
    angle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_of_a_rotation_are_those_of_finite_differences() {
        let (angles, back) = ([0.3, -0.7, 1.1], [[0.5, -1.0, 0.2], [0.7, 0.1, -0.4], [-0.9, 0.6, 0.3]]);
        let value = |angles: Vector| (0..3).map(|i| dot(&back[i], &rotation(angles)[i])).sum::<f64>();
        let found = rotation_back(angles, &back);
        for axis in 0..3 {
            let at = |step: f64| {
                let mut angles = angles;
                angles[axis] += step;
                value(angles)
            };
            let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((found[axis] - expected).abs() < 1e-9, "axis {axis}: {}, not {expected}", found[axis]);
        }
    }
}

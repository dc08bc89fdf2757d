//! From the monitor to the retina: eye rotation, projection onto the screen, sampling.
//!
//! Coordinates are f64: rays that graze the screen have huge ones, and dark pixels are steep in the power that follows.

use std::sync::Arc;

use rayon::prelude::*;

use super::buffer::Buffer;
use super::effective::Effective;
use super::math::{GAMMA, power};
use super::simd::{Kernel, Simd, dispatched};
use super::tasks::Pool;
use crate::model::twin::config::{Periphery, TwinConfig};
use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;
use crate::signals::Raster;

/// Added to luminance before the retina's power, so that darkness has a slope.
const FLOOR: f32 = 1e-5;
/// Rays that point away from the screen are sent far outside of it.
const GRAZING: f64 = 1e-5;

/// Rows of the retina that are worth a task.
const BAND: usize = 32;

pub(super) type Vector = [f64; 3];

/// Prepared perspective; one for all streams.
#[derive(Debug)]
pub(super) struct Perspective {
    eye: Vec<(Effective, usize)>,
    /// Values of two successive layers of the eye's network: gaze may change with every frame.
    layers: Pool<[Vec<f64>; 2]>,
    rays: Vec<Vector>,
    centre: Vector,
    /// Rows: the screen's axes x, y and its normal.
    axes: [Vector; 3],
    luminance: [f32; 256],
    exponent: f32,
    scale: f32,
    offset: f32,
    periphery: Periphery,
    retina: Raster,
    border: usize,
}

/// Where the retina looks at the screen, for one gaze.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    /// Gaze (bits) and raster of the coordinates below.
    made_for: Option<([u32; 2], Raster)>,
    /// Top left of the four pixels around each point, in a picture with a border of one pixel.
    corner: Vec<u32>,
    /// Weights of the right and of the lower pixels.
    right: Vec<f32>,
    below: Vec<f32>,
}

pub(super) fn dot(a: &Vector, b: &Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Rotation about x, then y, then z.
pub(super) fn rotation(angle: Vector) -> [Vector; 3] {
    let ((sx, cx), (sy, cy), (sz, cz)) = (angle[0].sin_cos(), angle[1].sin_cos(), angle[2].sin_cos());
    [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
}

pub(super) fn transposed(m: [Vector; 3]) -> [Vector; 3] {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

impl Perspective {
    /// From the eye's and the screen's parameters.
    pub fn new(config: &TwinConfig, layers: &[Layer], state: &StateDict) -> Self {
        let p = &config.perspective;
        let eye = layers
            .iter()
            .filter(|layer| layer.name.starts_with("perspective.mlp."))
            .map(|layer| (Effective::new(layer, state, 0), layer.outputs))
            .collect();
        let value = |key: &str| f64::from(state.values(&format!("perspective.{key}"))[0]);
        let vector = |key: &str| -> Vector {
            let v = state.values(&format!("perspective.{key}"));
            [v[0].into(), v[1].into(), v[2].into()]
        };
        let (exponent, scale, offset) =
            (value("monitor_pixel.power"), value("monitor_pixel.scale"), value("monitor_pixel.offset"));
        let luminance =
            std::array::from_fn(|grey| (f64::from(grey as f32 / 255.0).powf(exponent) * scale + offset) as f32);
        let rays = state.values("perspective.retina.grid");
        Self {
            eye,
            layers: Pool::new(),
            rays: rays.as_chunks().0.iter().map(|r: &[f32; 3]| r.map(f64::from)).collect(),
            centre: vector("monitor.center"),
            axes: transposed(rotation(vector("monitor.angle"))),
            luminance,
            exponent: (1.0 / (1.0 + (-value("retina_pixel.logit")).exp())) as f32,
            scale: value("retina_pixel.scale") as f32,
            offset: value("retina_pixel.offset") as f32,
            periphery: config.periphery,
            retina: Raster { height: p.height, width: p.width },
            border: (config.core.feedforward.input_spatial - config.core.feedforward.input_stride) / 2,
        }
    }

    /// Rows and columns of the retina image with its repeated border.
    pub fn bordered(&self) -> Raster {
        Raster { height: self.retina.height + 2 * self.border, width: self.retina.width + 2 * self.border }
    }

    /// Pixels of the retina image, without its border.
    pub fn pixels(&self) -> usize {
        self.rays.len()
    }

    /// Rotation of the eye at a gaze.
    pub fn eye(&self, gaze: [f32; 2]) -> [Vector; 3] {
        self.layers.with(Default::default, |[x, next]| {
            x.clear();
            x.extend(gaze.map(f64::from));
            for (i, (layer, outputs)) in self.eye.iter().enumerate() {
                next.clear();
                next.extend((0..*outputs).map(|o| {
                    let sum: f64 = x.iter().enumerate().map(|(k, x)| x * layer.at(o, k)).sum();
                    let y = sum + f64::from(layer.bias[o]);
                    if i + 1 < self.eye.len() { gelu_exact(y) } else { y }
                }));
                std::mem::swap(x, next);
            }
            rotation([x[0], x[1], x[2]])
        })
    }

    /// The point on the screen that each pixel of the retina sees, in the screen's own coordinates.
    pub fn points(&self, gaze: [f32; 2]) -> impl Fn(usize) -> [f64; 2] + Sync {
        // Instead of every ray the three axes are turned, against the eye.
        let back = transposed(self.eye(gaze));
        let turned = self.axes.map(|axis| std::array::from_fn(|i| dot(&back[i], &axis)));
        let distance = dot(&self.axes[2], &self.centre);
        let (x0, y0) = (dot(&self.axes[0], &self.centre), dot(&self.axes[1], &self.centre));
        move |pixel| {
            let ray = &self.rays[pixel];
            let reach = distance / dot(&turned[2], ray).max(GRAZING);
            [reach * dot(&turned[0], ray) - x0, reach * dot(&turned[1], ray) - y0]
        }
    }

    /// Brings a grid up to date; nothing happens while gaze and raster stay the same.
    pub fn aim(&self, grid: &mut Arc<Grid>, gaze: [f32; 2], raster: Raster) {
        let key = Some((gaze.map(f32::to_bits), raster));
        if grid.made_for == key {
            return;
        }
        if Arc::get_mut(grid).is_none() {
            // Another state still looks through the old one.
            *grid = Arc::default();
        }
        let grid = Arc::get_mut(grid).expect("just made, so nobody shares it");
        let n = self.rays.len();
        grid.made_for = key;
        grid.corner.resize(n, 0);
        grid.right.resize(n, 0.0);
        grid.below.resize(n, 0.0);
        let (width, height) = (raster.width as f64, raster.height as f64);
        let (columns, rows) = (self.retina.width as f64, self.retina.height as f64);
        let spread = if raster.width > 1 { width / (width - 1.0) } else { 1.0 };
        let (fx, fy) = (spread * (columns - 1.0) / columns, width / height * spread * (rows - 1.0) / rows);
        let place = |u: f64, size: f64| {
            let x = ((u + 1.0) * size - 1.0) / 2.0;
            let x = match self.periphery {
                Periphery::Dark => x.clamp(-1.0, size),
                Periphery::Extend => x.clamp(0.0, size - 1.0),
            };
            // A cast rounds down, since x + 1 is not negative.
            let first = ((x + 1.0) as u32).min(size as u32);
            (first, (x + 1.0 - f64::from(first)) as f32)
        };
        let points = self.points(gaze);
        let below = grid.below.par_iter_mut();
        let pixels = grid.corner.par_iter_mut().zip(grid.right.par_iter_mut()).zip(below).enumerate();
        pixels.with_min_len(BAND * self.retina.width).for_each(|(i, ((corner, right), below))| {
            let [px, py] = points(i);
            let (x, y) = (place(px * fx, width), place(py * fy, height));
            *corner = y.0 * (raster.width as u32 + 2) + x.0;
            (*right, *below) = (x.1, y.1);
        });
    }

    /// Numbers of a luminance picture with its dark border of one pixel.
    pub fn screen_len(raster: Raster) -> usize {
        (raster.height + 2) * (raster.width + 2)
    }

    /// Luminance of a frame inside a dark border.
    pub fn light(&self, raster: Raster, frame: &[u8], screen: &mut [f32]) {
        screen.fill(0.0);
        let lines = screen.chunks_exact_mut(raster.width + 2).skip(1);
        for (line, greys) in lines.zip(frame.chunks_exact(raster.width)) {
            for (light, &grey) in line[1..].iter_mut().zip(greys) {
                *light = self.luminance[usize::from(grey)];
            }
        }
    }

    /// Samples the screen at a grid into the bordered retina image.
    pub fn see(&self, kernel: Kernel, grid: &Grid, raster: Raster, screen: &[f32], retina: &mut [f32]) {
        let (b, pitch) = (self.border, self.bordered().width);
        let below = raster.width + 2;
        let inside = &mut retina[b * pitch..(b + self.retina.height) * pitch];
        inside.par_chunks_exact_mut(pitch).enumerate().with_min_len(BAND).for_each(|(y, line)| {
            let row = y * self.retina.width..(y + 1) * self.retina.width;
            let points = grid.corner[row.clone()].iter().zip(&grid.right[row.clone()]).zip(&grid.below[row]);
            for (pixel, ((&corner, &fx), &fy)) in line[b..].iter_mut().zip(points) {
                let at = corner as usize;
                let (top, bottom) = (&screen[at..at + 2], &screen[at + below..at + below + 2]);
                let (top, bottom) = (top[0] + fx * (top[1] - top[0]), bottom[0] + fx * (bottom[1] - bottom[0]));
                *pixel = top + fy * (bottom - top);
            }
            let seen = &mut line[b..b + self.retina.width];
            // SAFETY: the kernel is one that this machine has; the slice is read and written inside its length.
            unsafe { respond(kernel, seen.as_mut_ptr(), seen.len(), self.exponent, self.scale, self.offset) };
            let (left, right) = (line[b], line[b + self.retina.width - 1]);
            line[..b].fill(left);
            line[b + self.retina.width..].fill(right);
        });
        for y in 0..b {
            retina.copy_within(b * pitch..(b + 1) * pitch, y * pitch);
            let last = b + self.retina.height - 1;
            retina.copy_within(last * pitch..(last + 1) * pitch, (last + 1 + y) * pitch);
        }
    }

    /// The retina image without its border.
    pub fn inside(&self, retina: &Buffer) -> Vec<f32> {
        let lines = retina.chunks_exact(self.bordered().width).skip(self.border).take(self.retina.height);
        lines.flat_map(|line| &line[self.border..self.border + self.retina.width]).copied().collect()
    }
}

#[inline(always)]
unsafe fn respond_generic<S: Simd>(pixels: *mut f32, n: usize, exponent: f32, scale: f32, offset: f32) {
    // SAFETY: the caller's pixels; the last, partial vector goes through a copy.
    unsafe {
        let answer = |v: S::V| {
            let v = power::<S>(S::add(v, S::splat(FLOOR)), S::splat(exponent));
            S::fma(v, S::splat(scale), S::splat(offset))
        };
        let whole = n / S::LANES * S::LANES;
        for i in (0..whole).step_by(S::LANES) {
            S::store(pixels.add(i), answer(S::load(pixels.add(i))));
        }
        let mut rest = [1.0f32; 16];
        std::ptr::copy_nonoverlapping(pixels.add(whole), rest.as_mut_ptr(), n - whole);
        S::store(rest.as_mut_ptr(), answer(S::load(rest.as_ptr())));
        std::ptr::copy_nonoverlapping(rest.as_ptr(), pixels.add(whole), n - whole);
    }
}

dispatched! {
    /// `(v + 1e-5)^exponent * scale + offset` of `n` pixels.
    fn respond(pixels: *mut f32, n: usize, exponent: f32, scale: f32, offset: f32) = respond_generic
}

/// GELU times gamma in f64; for the few values of the eye's network.
pub(super) fn gelu_exact(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)) * GAMMA
}

/// Error function in f64: its power series near zero, the continued fraction of its complement beyond.
pub(super) fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size > 6.0 {
        return x.signum();
    }
    if size < 2.5 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..=60).rev().fold(size, |f, k| size + f64::from(k) / 2.0 / f);
    let complement = (-size * size).exp() * 0.5 * std::f64::consts::FRAC_2_SQRT_PI / fraction;
    x.signum() * (1.0 - complement)
}

//! From the core to the units over a whole clip, one sample.

use std::ops::Range;

use super::super::buffer::Shared;
use super::super::readout::{Place, read};
use super::super::recurrent::sum;
use super::super::simd::{Simd, dispatched};
use super::parameters::Table;
use super::room::{Context, Room};
use crate::signals::Raster;

/// Units of one task.
const UNITS: usize = 32;

/// Where the readout's parameters stand.
#[derive(Debug)]
pub(super) struct Readout {
    map: Raster,
    units: usize,
    mean: Range<usize>,
    spread: Range<usize>,
    /// Whether positions are learned.
    pub learns: bool,
}

/// The features of one stream.
#[derive(Debug)]
pub(super) struct Features {
    weights: Range<usize>,
    biases: Range<usize>,
    real: usize,
    /// `[unit, channel]`, padded.
    values: Room,
    n: usize,
    pub learns: bool,
}

/// Where all units of a sample look, and how that depends on the positions.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: Vec<Place>,
    /// Distances to the first pixel along x and y.
    fractions: Vec<[f64; 2]>,
    /// Derivative of the coordinates with respect to the position; 0 where they are held to the map.
    slopes: Vec<[f64; 2]>,
}

impl Readout {
    /// For so many units on a map.
    pub fn new(table: &Table, map: Raster, units: usize) -> Self {
        let (mean, spread) = (table.at("readout.position.mu"), table.at("readout.position.sigma"));
        Self { map, units, mean, spread, learns: true }
    }

    /// Places of all units; `draws` shift them while training.
    pub fn aim(&self, parameters: &[f32], draws: Option<&[[f32; 2]]>, to: &mut Places) {
        let (mean, spread) = (&parameters[self.mean.clone()], &parameters[self.spread.clone()]);
        to.places.clear();
        to.fractions.clear();
        to.slopes.clear();
        for unit in 0..self.units {
            let mut axes = [(0, 0, 0.0, 0.0); 2];
            for (axis, size) in [self.map.width, self.map.height].into_iter().enumerate() {
                let mut position = f64::from(mean[2 * unit + axis]);
                if let Some(draw) = draws.map(|draws| draws[unit]) {
                    let row = &spread[4 * unit + 2 * axis..][..2];
                    position += f64::from(row[0]) * f64::from(draw[0]) + f64::from(row[1]) * f64::from(draw[1]);
                }
                let bounded = position.tanh();
                let (at, last) = (((bounded + 1.0) * size as f64 - 1.0) / 2.0, (size - 1) as f64);
                let slope =
                    if (0.0..=last).contains(&at) { (1.0 - bounded * bounded) * size as f64 / 2.0 } else { 0.0 };
                let at = at.clamp(0.0, last);
                let first = at.floor() as usize;
                axes[axis] = (first.min(size - 1), (first + 1).min(size - 1), at - at.floor(), slope);
            }
            let [(x0, x1, right, dx), (y0, y1, below, dy)] = axes;
            let pixel = |y: usize, x: usize| (y * self.map.width + x) as u32;
            let weights = [(1.0 - below) * (1.0 - right), (1.0 - below) * right, below * (1.0 - right), below * right];
            to.places.push(Place {
                pixels: [pixel(y0, x0), pixel(y0, x1), pixel(y1, x0), pixel(y1, x1)],
                weights: weights.map(|w| w as f32),
            });
            to.fractions.push([right, below]);
            to.slopes.push([dx, dy]);
        }
    }

    /// Log-rates `[frame, unit]` from the core `[frame, pixel, channel]`.
    pub fn forward(
        &self,
        context: Context<'_>,
        (frames, parameters): (usize, &[f32]),
        (places, features): (&Places, &Features),
        core: &[f32],
        rates: &mut [f32],
    ) {
        let (n, pixels, units) = (features.n, self.map.pixels(), self.units);
        debug_assert!(core.len() >= frames * pixels * n && rates.len() == frames * units);
        let rates = Shared::new(rates);
        let biases = &parameters[features.biases.clone()];
        context.each(frames, |frame, _| {
            // SAFETY: the core holds all pixels of the frame, which places stay inside of; tasks write frames of their
            // own.
            let rates = unsafe {
                let core = core.as_ptr().add(frame * pixels * n);
                read(context.kernel, &places.places, core, features.values.as_ptr(), n, rates.at(frame * units));
                std::slice::from_raw_parts_mut(rates.at(frame * units), units)
            };
            rates.iter_mut().zip(biases).for_each(|(rate, bias)| *rate += bias);
        });
    }

    /// From the gradient of the log-rates `[frame, unit]` to that of the core, which is overwritten, and of the
    /// parameters.
    pub fn backward(
        &self,
        context: Context<'_>,
        frames: usize,
        (places, features): (&Places, &Features),
        (core, core_back): (&[f32], Option<&mut [f32]>),
        (back, draws): (&[f32], Option<&[[f32; 2]]>),
        room: &mut Room,
        flat: &mut [f32],
    ) {
        let (n, pixels, units, kernel) = (features.n, self.map.pixels(), self.units, context.kernel);
        debug_assert!(core.len() >= frames * pixels * n && back.len() == frames * units);
        if let Some(core_back) = core_back {
            assert!(core_back.len() >= frames * pixels * n);
            let core_back = Shared::new(core_back);
            context.each(frames, |frame, _| {
                // SAFETY: as in `forward`.
                unsafe {
                    let core = core_back.at(frame * pixels * n);
                    std::slice::from_raw_parts_mut(core, pixels * n).fill(0.0);
                    let back = back.as_ptr().add(frame * units);
                    read_back(kernel, &places.places, core, features.values.as_ptr(), n, back);
                }
            });
        }
        if !self.learns && !features.learns {
            return;
        }
        // For each unit: what it read, weighted by the gradient, and four products with its features.
        let row = n + 8;
        let sums = room.zeros(units * row);
        let shared = Shared::new(sums);
        context.each(units.div_ceil(UNITS), |block, scratch| {
            let places = &places.places[block * UNITS..units.min((block + 1) * UNITS)];
            let taps = scratch.rooms[0].fit(4 * n).as_mut_ptr();
            // SAFETY: as in `forward`; tasks write rows of their own units.
            unsafe {
                let first = block * UNITS;
                let (back, values) = (back.as_ptr().add(first), features.values.as_ptr().add(first * n));
                let sums = shared.at(first * row);
                learn(kernel, places, core.as_ptr(), (frames, pixels, units), values, n, back, taps, sums, row);
            }
        });
        for (unit, sums) in sums.chunks_exact(row).enumerate() {
            if features.learns {
                let to = &mut flat[features.weights.start + unit * features.real..][..features.real];
                to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
                let total: f64 = back[unit..].iter().step_by(units).map(|&v| f64::from(v)).sum();
                flat[features.biases.start + unit] += total as f32;
            }
            if self.learns {
                let [a, b, c, d] = [0, 1, 2, 3].map(|tap| f64::from(sums[n + tap]));
                let ([right, below], [dx, dy]) = (places.fractions[unit], places.slopes[unit]);
                let along_x = ((1.0 - below) * (b - a) + below * (d - c)) * dx;
                let along_y = ((1.0 - right) * (c - a) + right * (d - b)) * dy;
                for (axis, slope) in [along_x, along_y].into_iter().enumerate() {
                    flat[self.mean.start + 2 * unit + axis] += slope as f32;
                    for (k, draw) in draws.iter().flat_map(|draws| draws[unit]).enumerate() {
                        flat[self.spread.start + 4 * unit + 2 * axis + k] += (slope * f64::from(draw)) as f32;
                    }
                }
            }
        }
    }
}

impl Features {
    /// Features of a stream, for a core with `n` numbers in a pixel.
    pub fn new(table: &Table, stream: usize, units: usize, n: usize) -> Self {
        let weights = table.at(&format!("readout.feature.weights.{stream}"));
        let biases = table.at(&format!("readout.biases.{stream}"));
        Self { real: weights.len() / units, weights, biases, values: Room::default(), n, learns: true }
    }

    /// Reads the parameters of this step.
    pub fn pack(&mut self, parameters: &[f32]) {
        let units = self.biases.len();
        let rows = self.values.fit(units * self.n).chunks_exact_mut(self.n);
        for (to, from) in rows.zip(parameters[self.weights.clone()].chunks_exact(self.real)) {
            to[..self.real].copy_from_slice(from);
        }
    }
}

#[inline(always)]
unsafe fn read_back_generic<S: Simd>(
    places: &[Place],
    core: *mut f32,
    features: *const f32,
    n: usize,
    back: *const f32,
) {
    for (unit, place) in places.iter().enumerate() {
        for (&pixel, &weight) in place.pixels.iter().zip(&place.weights) {
            // SAFETY: the caller's pixels and features.
            unsafe {
                let (to, from) = (core.add(pixel as usize * n), features.add(unit * n));
                let factor = S::splat(weight * *back.add(unit));
                for c in (0..n).step_by(S::LANES) {
                    S::store(to.add(c), S::fma(factor, S::load(from.add(c)), S::load(to.add(c))));
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn learn_generic<S: Simd>(
    places: &[Place],
    core: *const f32,
    (frames, pixels, units): (usize, usize, usize),
    features: *const f32,
    n: usize,
    back: *const f32,
    taps: *mut f32,
    sums: *mut f32,
    row: usize,
) {
    for (unit, place) in places.iter().enumerate() {
        // SAFETY: the caller's pixels, features and rows.
        unsafe {
            for c in (0..4 * n).step_by(S::LANES) {
                S::store(taps.add(c), S::splat(0.0));
            }
            for frame in 0..frames {
                let factor = S::splat(*back.add(frame * units + unit));
                for (tap, &pixel) in place.pixels.iter().enumerate() {
                    let (from, to) = (core.add((frame * pixels + pixel as usize) * n), taps.add(tap * n));
                    for c in (0..n).step_by(S::LANES) {
                        S::store(to.add(c), S::fma(factor, S::load(from.add(c)), S::load(to.add(c))));
                    }
                }
            }
            let sums = sums.add(unit * row);
            for (tap, &weight) in place.weights.iter().enumerate() {
                let (weight, from) = (S::splat(weight), taps.add(tap * n));
                let mut product = S::splat(0.0);
                for c in (0..n).step_by(S::LANES) {
                    let (value, to) = (S::load(from.add(c)), sums.add(c));
                    product = S::fma(value, S::load(features.add(unit * n + c)), product);
                    S::store(to, S::fma(weight, value, S::load(to)));
                }
                *sums.add(n + tap) = sum::<S>(product);
            }
        }
    }
}

dispatched! {
    /// Adds gradients of log-rates, times features, to the four pixels of every unit.
    fn read_back(places: &[Place], core: *mut f32, features: *const f32, n: usize, back: *const f32) =
        read_back_generic
}
dispatched! {
    /// For every unit: the gradient of its features, and that of the four pixels' weights, in a row of `sums`.
    fn learn(
        places: &[Place], core: *const f32, size: (usize, usize, usize), features: *const f32, n: usize,
        back: *const f32, taps: *mut f32, sums: *mut f32, row: usize,
    ) = learn_generic
}

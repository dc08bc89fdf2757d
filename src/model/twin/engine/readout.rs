//! From the core to the units: every unit reads one place of the map through its own weights.

use super::buffer::Buffer;
use super::channels::Channels;
use super::recurrent::sum;
use super::simd::{Kernel, Simd, dispatched};
use crate::model::weights::StateDict;
use crate::signals::Raster;

/// Where a unit looks: four neighbouring pixels and their weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub pixels: [u32; 4],
    pub weights: [f32; 4],
}

/// Places of all units; the same for all streams.
pub(super) fn places(state: &StateDict, map: Raster) -> Vec<Place> {
    let axis = |mean: f32, size: usize| {
        let x = ((f64::from(mean).tanh() + 1.0) * size as f64 - 1.0) / 2.0;
        let x = x.clamp(0.0, (size - 1) as f64);
        let first = x.floor();
        (first as usize, (first as usize + 1).min(size - 1), x - first)
    };
    let place = |mean: &[f32; 2]| {
        let ((x0, x1, right), (y0, y1, below)) = (axis(mean[0], map.width), axis(mean[1], map.height));
        let pixel = |y: usize, x: usize| (y * map.width + x) as u32;
        Place {
            pixels: [pixel(y0, x0), pixel(y0, x1), pixel(y1, x0), pixel(y1, x1)],
            weights: [(1.0 - below) * (1.0 - right), (1.0 - below) * right, below * (1.0 - right), below * right]
                .map(|w| w as f32),
        }
    };
    state.values("readout.position.mu").as_chunks().0.iter().map(place).collect()
}

/// Prepared readout of one stream.
#[derive(Debug)]
pub(super) struct Readout {
    kernel: Kernel,
    /// `[unit, channel]`.
    features: Buffer,
    bias: Vec<f32>,
    channels: usize,
}

impl Readout {
    /// The readout of a stream.
    pub fn new(kernel: Kernel, state: &StateDict, stream: usize, channels: Channels) -> Self {
        let values = state.values(&format!("readout.feature.weights.{stream}"));
        let n = channels.stride();
        let mut features = Buffer::zeros(values.len() / channels.real * n);
        for (to, from) in features.chunks_exact_mut(n).zip(values.chunks_exact(channels.real)) {
            to[..channels.real].copy_from_slice(from);
        }
        let bias = state.values(&format!("readout.biases.{stream}")).to_vec();
        Self { kernel, features, bias, channels: n }
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        self.features.len() * 4
    }

    /// Log-rates of units `first..first + out.len()` from the core, `[pixel, channel]`.
    pub fn run(&self, places: &[Place], core: &[f32], first: usize, out: &mut [f32]) {
        let units = first..first + out.len();
        let features = &self.features[first * self.channels..units.end * self.channels];
        // SAFETY: the slices have an entry for every unit; places lie inside the map, whose pixels `core` holds.
        unsafe {
            read(
                self.kernel,
                &places[units.clone()],
                core.as_ptr(),
                features.as_ptr(),
                self.channels,
                out.as_mut_ptr(),
            );
        }
        for (out, bias) in out.iter_mut().zip(&self.bias[units]) {
            *out += bias;
        }
    }
}

#[inline(always)]
unsafe fn read_generic<S: Simd>(places: &[Place], core: *const f32, features: *const f32, n: usize, out: *mut f32) {
    for (unit, place) in places.iter().enumerate() {
        // SAFETY: the caller's pixels and features.
        unsafe {
            let [a, b, c, d] = place.pixels.map(|pixel| core.add(pixel as usize * n));
            let [wa, wb, wc, wd] = place.weights.map(|w| S::splat(w));
            let feature = features.add(unit * n);
            let mut total = S::splat(0.0);
            for k in (0..n).step_by(S::LANES) {
                let mut v = S::mul(wa, S::load(a.add(k)));
                v = S::fma(wb, S::load(b.add(k)), v);
                v = S::fma(wc, S::load(c.add(k)), v);
                v = S::fma(wd, S::load(d.add(k)), v);
                total = S::fma(v, S::load(feature.add(k)), total);
            }
            *out.add(unit) = sum::<S>(total);
        }
    }
}

dispatched! {
    /// Weighted sums over four pixels, without bias.
    fn read(places: &[Place], core: *const f32, features: *const f32, n: usize, out: *mut f32) = read_generic
}

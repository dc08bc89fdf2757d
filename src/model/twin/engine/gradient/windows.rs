//! Convolutions of any kernel, stride and edge, by gathering the window of every output pixel.

use super::super::buffer::Shared;
use super::super::product::{Pixels, Segment, Start, product};
use super::super::simd::Kernel;
use super::outer::outer;
use super::room::{Context, Pictures, Room};
use super::weights::Weights;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// Numbers of the gathered windows that are multiplied at once: they stay in the cache.
const GATHERED: usize = 1 << 15;
/// Tasks that a weight gradient is split into; a fixed number, so that sums have a fixed order.
const PARTS: usize = 8;

/// No pixel of the input.
const OUTSIDE: u32 = u32::MAX;

/// One causal convolution of one stream.
#[derive(Debug)]
pub(super) struct Windows {
    from: Raster,
    to: Raster,
    temporal: usize,
    /// Pixels of the kernel.
    taps: usize,
    /// Channels of a group with padding, in and out.
    channels: (usize, usize),
    /// Numbers gathered for each of the `temporal` frames, with padding.
    window: usize,
    /// `[output pixel, tap]`: pixel of the input, or [`OUTSIDE`].
    inputs: Vec<u32>,
    /// For each group.
    weights: Vec<Weights>,
}

impl Windows {
    /// A layer whose groups have so many channels, with padding, in and out; `place(group, input, tap, output)` is the
    /// parameter of a tap counted over time, rows and columns.
    pub fn new(
        kernel: Kernel,
        layer: &Layer,
        from: Raster,
        groups: usize,
        channels: (usize, usize),
        place: impl Fn(usize, usize, usize, usize) -> Option<usize>,
    ) -> Self {
        let side = |n: usize| (n + 2 * layer.padding() - layer.spatial) / layer.stride + 1;
        let taps = layer.spatial * layer.spatial;
        let window = (taps * channels.0).next_multiple_of(kernel.lanes());
        let segments = vec![window; layer.temporal];
        let weights = (0..groups).map(|group| {
            Weights::new(kernel, &segments, channels.1, |k, o| {
                let (time, tap, input) = (k / window, k % window / channels.0, k % window % channels.0);
                if tap < taps { place(group, input, time * taps + tap, o) } else { None }
            })
        });
        let weights = weights.collect();
        let to = Raster { height: side(from.height), width: side(from.width) };
        let mut inputs = Vec::with_capacity(to.pixels() * taps);
        for pixel in 0..to.pixels() {
            let at = (pixel / to.width, pixel % to.width);
            inputs.extend((0..taps).map(|tap| input(layer, from, at, tap)));
        }
        Self { from, to, temporal: layer.temporal, taps, channels, window, inputs, weights }
    }

    /// Pixels of the output.
    pub fn raster(&self) -> Raster {
        self.to
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        self.weights.iter_mut().for_each(|weights| weights.pack(effective));
    }

    /// Rows of the output that are gathered together.
    fn band(&self) -> usize {
        (GATHERED / (self.temporal * self.window * self.to.width)).clamp(1, self.to.height)
    }

    /// Gathers the windows of rows `first..last` at one frame, `[pixel, time, tap, channel]`.
    unsafe fn gather(&self, x: Pictures, group: usize, frame: usize, (first, last): (usize, usize), out: &mut [f32]) {
        let (n, all) = (self.channels.0, self.temporal * self.window);
        out.fill(0.0);
        for time in (0..self.temporal).filter(|time| frame + time + 1 >= self.temporal) {
            let source = (frame + time + 1 - self.temporal) * x.frame + group * x.group;
            for (pixel, inputs) in self.inputs(first, last).enumerate() {
                let line = &mut out[pixel * all + time * self.window..][..self.window];
                // SAFETY: the caller's pictures have these pixels.
                unsafe {
                    if n == 1 {
                        for (to, &at) in line.iter_mut().zip(inputs).filter(|(_, at)| **at != OUTSIDE) {
                            *to = *x.data.at(source + at as usize * x.pixel);
                        }
                        continue;
                    }
                    for (to, &at) in line.chunks_exact_mut(n).zip(inputs).filter(|(_, at)| **at != OUTSIDE) {
                        let from = x.data.at(source + at as usize * x.pixel);
                        to.copy_from_slice(std::slice::from_raw_parts(from, n));
                    }
                }
            }
        }
    }

    /// Input pixels of all taps of the output pixels of some rows.
    fn inputs(&self, first: usize, last: usize) -> impl Iterator<Item = &[u32]> {
        let row = self.to.width * self.taps;
        self.inputs[first * row..last * row].chunks_exact(self.taps)
    }

    /// Computes all frames. `bias` has one vector a group side by side.
    ///
    /// # Safety
    /// The pictures exist with the strides told, and nobody else writes `y` meanwhile.
    pub unsafe fn forward(&self, context: Context<'_>, frames: usize, x: Pictures, y: Pictures, bias: &[f32]) {
        let (n, all) = (self.channels.1, self.temporal * self.window);
        context.each(frames * self.weights.len(), |task, scratch| {
            let (group, frame) = (task / frames, task % frames);
            for first in (0..self.to.height).step_by(self.band()) {
                let last = self.to.height.min(first + self.band());
                let count = (last - first) * self.to.width;
                let room = scratch.rooms[0].fit(count * all);
                // SAFETY: the caller's pictures; tasks write frames and groups of their own.
                unsafe {
                    self.gather(x, group, frame, (first, last), room);
                    let out = y.data.at(frame * y.frame + group * y.group + first * self.to.width * y.pixel);
                    let start = Start::Bias(bias[group * n..].as_ptr());
                    let segment = Segment { data: room.as_ptr(), k: all, stride: all };
                    let pixels = Pixels { count, output: y.pixel };
                    product(context.kernel, pixels, &[segment], self.weights[group].forward(), start, out);
                }
            }
        });
    }

    /// Writes the gradient of the input, or adds it to what stands in `dx`.
    ///
    /// # Safety
    /// As [`Self::forward`], for `dx`.
    pub unsafe fn backward(&self, context: Context<'_>, frames: usize, dy: Pictures, dx: Pictures, add: bool) {
        let n = self.channels.0;
        context.each(frames * self.weights.len(), |task, scratch| {
            let (group, frame) = (task / frames, task % frames);
            let weights = &self.weights[group];
            if !add {
                for pixel in 0..self.from.pixels() {
                    // SAFETY: the caller's pictures; tasks write frames and groups of their own.
                    unsafe {
                        let to = dx.data.at(frame * dx.frame + group * dx.group + pixel * dx.pixel);
                        std::slice::from_raw_parts_mut(to, n).fill(0.0);
                    }
                }
            }
            for time in (0..self.temporal).filter(|time| frame + self.temporal - 1 - time < frames) {
                let source = (frame + self.temporal - 1 - time) * dy.frame + group * dy.group;
                for first in (0..self.to.height).step_by(self.band()) {
                    let last = self.to.height.min(first + self.band());
                    let count = (last - first) * self.to.width;
                    let room = scratch.rooms[0].fit(count * self.window);
                    // SAFETY: the caller's pictures; tasks add to frames and groups of their own.
                    unsafe {
                        let data = dy.data.at(source + first * self.to.width * dy.pixel).cast_const();
                        let segment = Segment { data, k: self.channels.1, stride: dy.pixel };
                        let pixels = Pixels { count, output: self.window };
                        let operand = weights.backward(time);
                        product(context.kernel, pixels, &[segment], operand, Start::Zero, room.as_mut_ptr());
                        let base = frame * dx.frame + group * dx.group;
                        for (line, inputs) in room.chunks_exact(self.window).zip(self.inputs(first, last)) {
                            if n == 1 {
                                for (from, &at) in line.iter().zip(inputs).filter(|(_, at)| **at != OUTSIDE) {
                                    *dx.data.at(base + at as usize * dx.pixel) += from;
                                }
                                continue;
                            }
                            let taps = line.chunks_exact(n).zip(inputs);
                            for (from, &at) in taps.filter(|(_, at)| **at != OUTSIDE) {
                                let to = dx.data.at(base + at as usize * dx.pixel);
                                let to = std::slice::from_raw_parts_mut(to, n);
                                to.iter_mut().zip(from).for_each(|(to, &value)| *to += value);
                            }
                        }
                    }
                }
            }
        });
    }

    /// Adds the gradient of the weights.
    ///
    /// # Safety
    /// The pictures exist, and nobody writes them meanwhile.
    pub unsafe fn weight_gradient(
        &self,
        context: Context<'_>,
        frames: usize,
        (x, dy): (Pictures, Pictures),
        room: &mut Room,
        flat: &mut [f32],
    ) {
        let (n, all) = (self.channels.1, self.temporal * self.window);
        let parts = PARTS.min(frames);
        for (group, weights) in self.weights.iter().enumerate() {
            let sums = Shared::new(room.zeros(parts * all * n));
            context.each(parts, |part, scratch| {
                for frame in part * frames / parts..(part + 1) * frames / parts {
                    for first in (0..self.to.height).step_by(self.band()) {
                        let last = self.to.height.min(first + self.band());
                        let count = (last - first) * self.to.width;
                        let room = scratch.rooms[0].fit(count * all);
                        // SAFETY: the caller's pictures; every task has a sum of its own.
                        unsafe {
                            self.gather(x, group, frame, (first, last), room);
                            let at = frame * dy.frame + group * dy.group + first * self.to.width * dy.pixel;
                            let (a, b) = ((room.as_ptr(), all, all), (dy.data.at(at).cast_const(), dy.pixel, n));
                            outer(context.kernel, count, a, b, sums.at(part * all * n));
                        }
                    }
                }
            });
            for part in 0..parts {
                weights.scatter(&room[part * all * n..(part + 1) * all * n], flat);
            }
        }
    }
}

/// Where a tap of an output pixel reads the input.
fn input(layer: &Layer, from: Raster, (y, x): (usize, usize), tap: usize) -> u32 {
    let along = |at: usize, tap: usize, size: usize| {
        let at = at * layer.stride + tap;
        if layer.replicate {
            Some(at.saturating_sub(layer.padding()).min(size - 1))
        } else {
            at.checked_sub(layer.padding()).filter(|&at| at < size)
        }
    };
    let (row, column) = (along(y, tap / layer.spatial, from.height), along(x, tap % layer.spatial, from.width));
    let at = row.zip(column).map(|(row, column)| row * from.width + column);
    at.map_or(OUTSIDE, |at| u32::try_from(at).expect("sizes are checked"))
}

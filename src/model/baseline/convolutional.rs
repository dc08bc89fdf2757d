//! A small network of the usual kind: convolutions, a gated recurrent unit at every place of their map (Cho et al. 2014),
//! and for each unit one place of that map with weights of its own for the channels.
//!
//! The first convolution reaches over a few frames. Gaze shifts the places, running and the pupil multiply the rates.
//! Unlike the twin it has no model of the eye and of the monitor, no attention, and nothing that several animals share.
//! The way back is written by hand, next to the way there.

use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::within;
use super::linear_nonlinear::{Output, log_rate};
use super::product::{Matrix, product};
use super::{BaselineError, LARGEST_LOG_RATE, check_pair, file, rows};
use crate::signals::{Behavior, Movie, Raster, Responses};

const KIND: &str = "convolutional_gru";
/// Frames that are computed at once.
const BLOCK: usize = 64;

/// Sizes of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GruConfig {
    /// Movies are averaged to this raster.
    pub raster: Raster,
    /// Frames that the first convolution sees at a time.
    pub frames: usize,
    /// Channels of each convolution.
    pub channels: Vec<usize>,
    /// Side of each kernel, odd.
    pub kernels: Vec<usize>,
    /// Stride of each convolution.
    pub strides: Vec<usize>,
    /// Channels of the recurrent unit.
    pub hidden: usize,
}

impl Default for GruConfig {
    /// 36 x 64 pixels to a map of 9 x 16 places; about 23,000 weights, and 37 for each unit.
    fn default() -> Self {
        Self {
            raster: Raster { height: 36, width: 64 },
            frames: 4,
            channels: vec![16, 32, 32],
            kernels: vec![7, 3, 3],
            strides: vec![2, 2, 1],
            hidden: 32,
        }
    }
}

impl GruConfig {
    /// Refuses settings that cannot be.
    pub(crate) fn check(&self) -> Result<(), BaselineError> {
        within("raster.height", self.raster.height, 1, 512)?;
        within("raster.width", self.raster.width, 1, 512)?;
        within("frames", self.frames, 1, 60)?;
        within("channels (their number)", self.channels.len(), 1, 8)?;
        within("kernels (their number)", self.kernels.len(), self.channels.len(), self.channels.len())?;
        within("strides (their number)", self.strides.len(), self.channels.len(), self.channels.len())?;
        within("hidden", self.hidden, 1, 512)?;
        self.channels.iter().try_for_each(|&channels| within("channels", channels, 1, 512))?;
        self.strides.iter().try_for_each(|&stride| within("strides", stride, 1, 16))?;
        for &kernel in &self.kernels {
            within("kernels", kernel, 1, 31)?;
            if kernel % 2 == 0 {
                return Err(BaselineError::Config(format!("`kernels` is {kernel}, expected odd numbers")));
            }
        }
        Ok(())
    }
}

/// A tensor of the network.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub name: String,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

/// One convolution, channels side by side, zeros around the picture.
#[derive(Debug, Clone)]
struct Convolution {
    taps: usize,
    kernel: usize,
    stride: usize,
    input: [usize; 3],
    output: [usize; 3],
    /// `[tap, row, column, input channel, output channel]`
    weight: Range<usize>,
    bias: Range<usize>,
}

/// Sizes of everything, and where each tensor stands among all numbers.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    units: usize,
    pixels: usize,
    frames: usize,
    hidden: usize,
    convolutions: Vec<Convolution>,
    /// Height and width of the map.
    map: [usize; 2],
    entries: Vec<Entry>,
    len: usize,
    /// `[channel, 3 hidden]`: of the update gate, the reset gate and the candidate.
    input: Range<usize>,
    input_bias: Range<usize>,
    /// `[hidden, 3 hidden]`
    recurrent: Range<usize>,
    /// Of the candidate, inside the reset gate.
    recurrent_bias: Range<usize>,
    /// `[unit, (x, y)]` in -1..1 over the map, y down.
    position: Range<usize>,
    /// `[(x, y), gaze]`
    shift: Range<usize>,
    /// `[unit, hidden]`
    features: Range<usize>,
    biases: Range<usize>,
    /// `[unit, state]`
    gains: Range<usize>,
}

impl Layers {
    /// Lays out the numbers of a network whose settings were checked.
    pub fn new(config: &GruConfig, units: usize) -> Self {
        let (mut entries, mut len) = (Vec::new(), 0);
        let mut add = |name: String, shape: Vec<usize>| {
            let range = len..len + shape.iter().product::<usize>();
            len = range.end;
            entries.push(Entry { name, shape, range: range.clone() });
            range
        };
        let mut convolutions: Vec<Convolution> = Vec::new();
        let mut input = [config.raster.height, config.raster.width, 1];
        for (index, &channels) in config.channels.iter().enumerate() {
            let (kernel, stride) = (config.kernels[index], config.strides[index]);
            let taps = if index == 0 { config.frames } else { 1 };
            let output = [input[0].div_ceil(stride), input[1].div_ceil(stride), channels];
            let weight = add(format!("convolution.{index}.weight"), vec![taps, kernel, kernel, input[2], channels]);
            let bias = add(format!("convolution.{index}.bias"), vec![channels]);
            convolutions.push(Convolution { taps, kernel, stride, input, output, weight, bias });
            input = output;
        }
        let [height, width, channels] = input;
        let hidden = config.hidden;
        Self {
            units,
            pixels: config.raster.pixels(),
            frames: config.frames,
            hidden,
            convolutions,
            map: [height, width],
            input: add("recurrent.input.weight".into(), vec![channels, 3 * hidden]),
            input_bias: add("recurrent.input.bias".into(), vec![3 * hidden]),
            recurrent: add("recurrent.hidden.weight".into(), vec![hidden, 3 * hidden]),
            recurrent_bias: add("recurrent.hidden.bias".into(), vec![hidden]),
            position: add("readout.position".into(), vec![units, 2]),
            shift: add("readout.shift".into(), vec![2, 2]),
            features: add("readout.features".into(), vec![units, hidden]),
            biases: add("readout.biases".into(), vec![units]),
            gains: add("readout.gains".into(), vec![units, 2]),
            entries,
            len,
        }
    }

    /// Every tensor, in the order of the numbers.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Numbers in all.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Height and width of the map.
    pub fn map(&self) -> [usize; 2] {
        self.map
    }

    /// Computes drives `[time, unit]` of frames `[frames - 1 + time, pixel]` into the tape, from what the recurrent unit
    /// remembers, `[place, hidden]`.
    pub fn forward(&self, values: &[f32], rows: &[f32], gaze: &[[f32; 2]], memory: &[f32], tape: &mut Tape) {
        let times = gaze.len();
        assert_eq!(rows.len(), (times + self.frames - 1) * self.pixels, "frames of every time and of those before");
        tape.activities.resize_with(self.convolutions.len(), Vec::new);
        for (index, layer) in self.convolutions.iter().enumerate() {
            let (before, after) = tape.activities.split_at_mut(index);
            let input = before.last().map_or(rows, Vec::as_slice);
            layer.forward(values, times, input, &mut tape.patches, &mut after[0]);
        }
        self.remember(values, times, memory, tape);
        self.read(values, gaze, tape);
    }

    /// The recurrent unit: hidden activities `[1 + time, place, hidden]`, the first from before.
    fn remember(&self, values: &[f32], times: usize, memory: &[f32], tape: &mut Tape) {
        let (hidden, places) = (self.hidden, self.map[0] * self.map[1]);
        let channels = self.convolutions.last().map_or(1, |layer| layer.output[2]);
        let seen = tape.activities.last().expect("at least one convolution");
        fit(&mut tape.gates, times * places * 3 * hidden);
        let bias = &values[self.input_bias.clone()];
        tape.gates.chunks_exact_mut(3 * hidden).for_each(|gates| gates.copy_from_slice(bias));
        let weights = Matrix::new(&values[self.input.clone()], 3 * hidden);
        product(Matrix::new(seen, channels), weights, true, &mut tape.gates);
        fit(&mut tape.hidden, (times + 1) * places * hidden);
        tape.hidden[..places * hidden].copy_from_slice(memory);
        fit(&mut tape.inner, times * places * hidden);
        let mut recurrent = vec![0.0; places * 3 * hidden];
        let weights = Matrix::new(&values[self.recurrent.clone()], 3 * hidden);
        let inner_bias = &values[self.recurrent_bias.clone()];
        for time in 0..times {
            let (before, after) = tape.hidden[time * places * hidden..].split_at_mut(places * hidden);
            product(Matrix::new(before, hidden), weights, false, &mut recurrent);
            let gates = tape.gates[time * places * 3 * hidden..].chunks_exact_mut(3 * hidden);
            let inner = tape.inner[time * places * hidden..].chunks_exact_mut(hidden);
            let lines = gates.zip(inner).zip(recurrent.chunks_exact(3 * hidden));
            let memories = before.chunks_exact(hidden).zip(after.chunks_exact_mut(hidden));
            for (((gates, inner), recurrent), (before, after)) in lines.zip(memories) {
                for channel in 0..hidden {
                    let update = sigmoid(gates[channel] + recurrent[channel]);
                    let reset = sigmoid(gates[hidden + channel] + recurrent[hidden + channel]);
                    inner[channel] = recurrent[2 * hidden + channel] + inner_bias[channel];
                    // The hyperbolic tangent.
                    let candidate = 2.0 * sigmoid(2.0 * (gates[2 * hidden + channel] + reset * inner[channel])) - 1.0;
                    after[channel] = candidate + update * (before[channel] - candidate);
                    gates[channel] = update;
                    gates[hidden + channel] = reset;
                    gates[2 * hidden + channel] = candidate;
                }
            }
        }
    }

    /// The readout: every unit's drive, from one place between four of the map.
    fn read(&self, values: &[f32], gaze: &[[f32; 2]], tape: &mut Tape) {
        let (hidden, plane) = (self.hidden, self.map[0] * self.map[1] * self.hidden);
        fit(&mut tape.drives, gaze.len() * self.units);
        for (time, drives) in tape.drives.chunks_exact_mut(self.units).enumerate() {
            let map = &tape.hidden[(time + 1) * plane..(time + 2) * plane];
            for (unit, drive) in drives.iter_mut().enumerate() {
                let features = &values[self.features.start + unit * hidden..][..hidden];
                let corners = self.corners(values, unit, gaze[time]);
                *drive = values[self.biases.start + unit];
                for (place, weight, _) in corners {
                    let seen = &map[place * hidden..][..hidden];
                    *drive += weight * seen.iter().zip(features).map(|(x, w)| x * w).sum::<f32>();
                }
            }
        }
    }

    /// The four places around a unit's own, their weights, and how these change with its position.
    fn corners(&self, values: &[f32], unit: usize, gaze: [f32; 2]) -> [(usize, f32, [f32; 2]); 4] {
        let [height, width] = self.map;
        let shift = &values[self.shift.clone()];
        // Cell, share of the next one, and how the share changes with the position; none beyond the outermost centres.
        let along = |axis: usize, size: usize| {
            let moved = shift[2 * axis] * gaze[0] + shift[2 * axis + 1] * gaze[1];
            let position = values[self.position.start + 2 * unit + axis] + moved;
            let last = (size - 1) as f32;
            let exact = (position + 1.0) * 0.5 * size as f32 - 0.5;
            let at = exact.clamp(0.0, last);
            let cell = (at.floor() as usize).min(size.saturating_sub(2));
            (cell, at - cell as f32, if exact == at && size > 1 { 0.5 * size as f32 } else { 0.0 })
        };
        let ((column, x, dx), (row, y, dy)) = (along(0, width), along(1, height));
        let (right, below) = ((column + 1).min(width - 1), (row + 1).min(height - 1));
        [
            (row * width + column, (1.0 - x) * (1.0 - y), [-dx * (1.0 - y), -dy * (1.0 - x)]),
            (row * width + right, x * (1.0 - y), [dx * (1.0 - y), -dy * x]),
            (below * width + column, (1.0 - x) * y, [-dx * y, dy * (1.0 - x)]),
            (below * width + right, x * y, [dx * y, dy * x]),
        ]
    }

    /// Adds to `gradient` what the derivatives of a loss with respect to the drives, `[time, unit]`, make of it. Gains
    /// are no part of the drives.
    pub fn backward(
        &self,
        values: &[f32],
        rows: &[f32],
        gaze: &[[f32; 2]],
        errors: &[f32],
        tape: &mut Tape,
        gradient: &mut [f32],
    ) {
        let (times, hidden) = (gaze.len(), self.hidden);
        let places = self.map[0] * self.map[1];
        let plane = places * hidden;
        let channels = self.convolutions.last().map_or(1, |layer| layer.output[2]);
        fit(&mut tape.hidden_back, (times + 1) * plane);
        let mut seen = vec![0.0; hidden];
        for (time, errors) in errors.chunks_exact(self.units).enumerate() {
            let map = &tape.hidden[(time + 1) * plane..(time + 2) * plane];
            let back = &mut tape.hidden_back[(time + 1) * plane..(time + 2) * plane];
            for (unit, &error) in errors.iter().enumerate() {
                let at = self.features.start + unit * hidden;
                let features = &values[at..at + hidden];
                seen.fill(0.0);
                let mut by_position = [0.0; 2];
                for (place, weight, slopes) in self.corners(values, unit, gaze[time]) {
                    let map = &map[place * hidden..][..hidden];
                    seen.iter_mut().zip(map).for_each(|(sum, value)| *sum += weight * value);
                    let inner: f32 = map.iter().zip(features).map(|(x, w)| x * w).sum();
                    by_position.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope * inner);
                    let back = &mut back[place * hidden..][..hidden];
                    back.iter_mut().zip(features).for_each(|(sum, feature)| *sum += error * weight * feature);
                }
                gradient[at..at + hidden].iter_mut().zip(&seen).for_each(|(sum, value)| *sum += error * value);
                gradient[self.biases.start + unit] += error;
                for (axis, slope) in by_position.into_iter().enumerate() {
                    gradient[self.position.start + 2 * unit + axis] += error * slope;
                    for which in 0..2 {
                        gradient[self.shift.start + 2 * axis + which] += error * slope * gaze[time][which];
                    }
                }
            }
        }
        // The gates before their nonlinearity, as the input and as the memory have part in them.
        fit(&mut tape.gates_back, times * places * 3 * hidden);
        let mut recurrent_back = vec![0.0; times * places * 3 * hidden];
        let weights = Matrix::new(&values[self.recurrent.clone()], 3 * hidden);
        for time in (0..times).rev() {
            let range = time * places * 3 * hidden..(time + 1) * places * 3 * hidden;
            let (before_back, back) = tape.hidden_back[time * plane..].split_at_mut(plane);
            let lines = tape.gates[range.clone()].chunks_exact(3 * hidden);
            let lines = lines.zip(tape.inner[time * plane..].chunks_exact(hidden));
            let lines = lines.zip(tape.hidden[time * plane..].chunks_exact(hidden));
            let backs = back.chunks_exact(hidden).zip(before_back.chunks_exact_mut(hidden));
            let outs = tape.gates_back[range.clone()].chunks_exact_mut(3 * hidden);
            let outs = outs.zip(recurrent_back[range.clone()].chunks_exact_mut(3 * hidden));
            for ((((gates, inner), before), (back, before_back)), (out, recurrent)) in lines.zip(backs).zip(outs) {
                for channel in 0..hidden {
                    let [update, reset, candidate] = std::array::from_fn(|gate| gates[gate * hidden + channel]);
                    let by_update = back[channel] * (before[channel] - candidate) * update * (1.0 - update);
                    let by_candidate = back[channel] * (1.0 - update) * (1.0 - candidate * candidate);
                    let by_reset = by_candidate * inner[channel] * reset * (1.0 - reset);
                    before_back[channel] += back[channel] * update;
                    for (gate, value) in [by_update, by_reset, by_candidate].into_iter().enumerate() {
                        out[gate * hidden + channel] = value;
                    }
                    for (gate, value) in [by_update, by_reset, by_candidate * reset].into_iter().enumerate() {
                        recurrent[gate * hidden + channel] = value;
                    }
                }
            }
            product(Matrix::new(&recurrent_back[range], 3 * hidden), weights.turned(), true, before_back);
        }
        let gates_back = Matrix::new(&tape.gates_back, 3 * hidden);
        let before = Matrix::new(&tape.hidden[..times * plane], hidden);
        let recurrent = Matrix::new(&recurrent_back, 3 * hidden);
        product(before.turned(), recurrent, true, &mut gradient[self.recurrent.clone()]);
        for line in recurrent_back.chunks_exact(3 * hidden) {
            add(&mut gradient[self.recurrent_bias.clone()], &line[2 * hidden..]);
        }
        let last = tape.activities.last().expect("at least one convolution");
        product(Matrix::new(last, channels).turned(), gates_back, true, &mut gradient[self.input.clone()]);
        for line in tape.gates_back.chunks_exact(3 * hidden) {
            add(&mut gradient[self.input_bias.clone()], line);
        }
        let mut back = vec![0.0; last.len()];
        let weights = Matrix::new(&values[self.input.clone()], 3 * hidden);
        product(gates_back, weights.turned(), false, &mut back);
        for (index, layer) in self.convolutions.iter().enumerate().rev() {
            let input = if index == 0 { rows } else { &tape.activities[index - 1] };
            let output = &tape.activities[index];
            back = layer.backward(values, (input, output), back, index > 0, &mut tape.patches, gradient);
        }
    }

    /// What a recurrent unit remembers that has seen nothing.
    pub fn nothing(&self) -> Vec<f32> {
        vec![0.0; self.map[0] * self.map[1] * self.hidden]
    }

    /// Log-rate of a unit, and its derivatives with respect to the drive and to both gains.
    pub fn log_rate(&self, values: &[f32], unit: usize, drive: f32, state: [f32; 2]) -> (f32, f32) {
        let gains = &values[self.gains.start + 2 * unit..][..2];
        let (log, by_drive, _) = log_rate(Output::Power, drive, 1.0);
        (log + gains[0] * state[0] + gains[1] * state[1], by_drive)
    }

    /// Where the gains of a unit stand.
    pub fn gains(&self, unit: usize) -> Range<usize> {
        self.gains.start + 2 * unit..self.gains.start + 2 * unit + 2
    }
}

impl Convolution {
    /// Copies what each place of a map sees, `[place, tap, row, column, channel]`, or adds it back.
    fn each_run(&self, mut run: impl FnMut(usize, Range<usize>)) {
        let ([height, width, channels], [rows, columns, _]) = (self.input, self.output);
        let (half, size) = (self.kernel / 2, self.kernel * channels);
        let mut patch = 0;
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            for tap in 0..self.taps {
                for kernel_row in 0..self.kernel {
                    let (y, x) = (row * self.stride + kernel_row, column * self.stride);
                    if (half..half + height).contains(&y) {
                        let (first, end) = (x.max(half), (x + self.kernel).min(half + width));
                        if first < end {
                            let from = ((tap * height + y - half) * width + first - half) * channels;
                            run(patch + (first - x) * channels, from..from + (end - first) * channels);
                        }
                    }
                    patch += size;
                }
            }
        }
    }

    /// Inputs of one place.
    fn inputs(&self) -> usize {
        self.taps * self.kernel * self.kernel * self.input[2]
    }

    /// Activities `[time, place, channel]` after an exponential linear unit (Clevert et al. 2016).
    fn forward(&self, values: &[f32], times: usize, input: &[f32], patches: &mut Vec<f32>, output: &mut Vec<f32>) {
        let (frame, [rows, columns, channels]) = (self.input.iter().product::<usize>(), self.output);
        let places = rows * columns;
        fit(output, times * places * channels);
        fit(patches, places * self.inputs());
        let weights = Matrix::new(&values[self.weight.clone()], channels);
        for (time, output) in output.chunks_exact_mut(places * channels).enumerate() {
            let input = &input[time * frame..(time + self.taps) * frame];
            self.each_run(|to, from| patches[to..to + from.len()].copy_from_slice(&input[from]));
            output.chunks_exact_mut(channels).for_each(|line| line.copy_from_slice(&values[self.bias.clone()]));
            product(Matrix::new(patches, self.inputs()), weights, true, output);
            // With `exp_m1` here and `tanh` in the memory, a seventh of a training step would go into these two.
            output.iter_mut().filter(|value| **value < 0.0).for_each(|value| *value = value.exp() - 1.0);
        }
    }

    /// Adds to the gradient; returns the derivatives with respect to the input where they are needed.
    fn backward(
        &self,
        values: &[f32],
        (input, output): (&[f32], &[f32]),
        mut back: Vec<f32>,
        needed: bool,
        patches: &mut Vec<f32>,
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let (frame, [rows, columns, channels]) = (self.input.iter().product::<usize>(), self.output);
        let places = rows * columns;
        // The slope of e^x - 1 is e^x.
        let pairs = back.iter_mut().zip(output);
        pairs.filter(|(_, activity)| **activity < 0.0).for_each(|(back, activity)| *back *= activity + 1.0);
        for line in back.chunks_exact(channels) {
            add(&mut gradient[self.bias.clone()], line);
        }
        let weights = Matrix::new(&values[self.weight.clone()], channels);
        let mut input_back = vec![0.0; if needed { input.len() } else { 0 }];
        fit(patches, places * self.inputs());
        let mut patches_back = vec![0.0; if needed { patches.len() } else { 0 }];
        for (time, back) in back.chunks_exact(places * channels).enumerate() {
            let range = time * frame..(time + self.taps) * frame;
            let input = &input[range.clone()];
            self.each_run(|to, from| patches[to..to + from.len()].copy_from_slice(&input[from]));
            let back = Matrix::new(back, channels);
            product(Matrix::new(patches, self.inputs()).turned(), back, true, &mut gradient[self.weight.clone()]);
            if needed {
                product(back, weights.turned(), false, &mut patches_back);
                let input_back = &mut input_back[range];
                self.each_run(|at, to| {
                    let size = to.len();
                    add(&mut input_back[to], &patches_back[at..at + size]);
                });
            }
        }
        input_back
    }
}

/// What the way back needs of the way there, for one sample.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// What each place of a layer sees; zeros beyond the picture stay zeros.
    patches: Vec<f32>,
    /// Of each convolution, `[time, place, channel]`.
    activities: Vec<Vec<f32>>,
    /// Gates after their nonlinearity, `[time, place, 3 hidden]`.
    gates: Vec<f32>,
    /// The memory's part in the candidate, before the reset gate, `[time, place, hidden]`.
    inner: Vec<f32>,
    hidden: Vec<f32>,
    hidden_back: Vec<f32>,
    gates_back: Vec<f32>,
    /// `[time, unit]`
    pub drives: Vec<f32>,
}

/// Zeros of this length.
fn fit(values: &mut Vec<f32>, length: usize) {
    values.clear();
    values.resize(length, 0.0);
}

fn add(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// A trained network of some units.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvolutionalGru {
    config: GruConfig,
    units: usize,
    values: Vec<f32>,
}

impl ConvolutionalGru {
    pub(crate) fn assemble(config: GruConfig, units: usize, values: Vec<f32>) -> Self {
        Self { config, units, values }
    }

    /// Its sizes.
    pub fn config(&self) -> &GruConfig {
        &self.config
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Learned numbers in all.
    pub fn parameters(&self) -> usize {
        self.values.len()
    }

    /// Responses `[time, sample, unit]` to movies of any raster. Before a movie its first frame stood still.
    ///
    /// # Errors
    /// When movie and behaviour differ in frames or samples.
    pub fn responses(&self, movie: &Movie, behavior: &Behavior) -> Result<Responses, BaselineError> {
        check_pair(movie, behavior)?;
        let (frames, samples, units) = (movie.frames(), movie.samples(), self.units);
        let layers = Layers::new(&self.config, units);
        let of_sample = |sample: usize| {
            let (mut tape, mut memory) = (Tape::default(), layers.nothing());
            let mut rates = Vec::with_capacity(frames * units);
            for start in (0..frames).step_by(BLOCK) {
                let range = start..frames.min(start + BLOCK);
                let rows = rows(self.config.raster, self.config.frames, movie, sample, range.clone());
                let gaze: Vec<[f32; 2]> = range.clone().map(|time| behavior.gaze(time)[sample]).collect();
                layers.forward(&self.values, &rows, &gaze, &memory, &mut tape);
                let rest = tape.hidden.len() - memory.len();
                memory.copy_from_slice(&tape.hidden[rest..]);
                for (time, drives) in range.zip(tape.drives.chunks_exact(units)) {
                    let state = behavior.state(time)[sample];
                    let rate = |(unit, &drive): (usize, &f32)| {
                        layers.log_rate(&self.values, unit, drive, state).0.min(LARGEST_LOG_RATE).exp()
                    };
                    rates.extend(drives.iter().enumerate().map(rate));
                }
            }
            rates
        };
        let found: Vec<Vec<f32>> = (0..samples).into_par_iter().map(of_sample).collect();
        let mut values = Vec::with_capacity(frames * samples * units);
        for time in 0..frames {
            found.iter().for_each(|rates| values.extend_from_slice(&rates[time * units..(time + 1) * units]));
        }
        Ok(Responses::new(frames, samples, units, values).expect("a value for every frame, sample and unit"))
    }

    /// Writes the network as a `.safetensors` file. The same network always gives the same bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), BaselineError> {
        let layers = Layers::new(&self.config, self.units);
        let tensor =
            |entry: &Entry| (entry.name.clone(), entry.shape.clone(), self.values[entry.range.clone()].to_vec());
        let tensors: Vec<_> = layers.entries().iter().map(tensor).collect();
        let tensors: Vec<_> =
            tensors.iter().map(|(name, shape, values)| (name.as_str(), shape.clone(), values.clone())).collect();
        file::write(path, KIND, self.units, &self.config, &tensors)
    }

    /// Reads what [`Self::save`] has written.
    ///
    /// # Errors
    /// When the file is damaged or something else.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let (units, config, mut contents): (usize, GruConfig, _) = file::read(path, KIND)?;
        config.check().map_err(|error| contents.damaged(error.to_string()))?;
        within("units", units, 1, 1 << 20).map_err(|error| contents.damaged(error.to_string()))?;
        let layers = Layers::new(&config, units);
        let mut values = Vec::new();
        for entry in layers.entries() {
            values.extend(contents.take(&entry.name, &entry.shape)?);
        }
        contents.finish()?;
        Ok(Self { config, units, values })
    }
}

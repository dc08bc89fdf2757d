//! The one building block: weight-normalised, grouped, causal convolution of several streams at once.
//!
//! [`Conv`] owns the parameters of all streams, [`Kernel`] the effective weights of the running ones. A kernel sees a
//! feature map `[sample, stream * channel, height, width]` as batches `[sample, stream * group, channel, pixel]`, so
//! that every convolution is a batched matrix product; both are the same memory.

use std::ops::Range;

use burn::module::{Module, Param};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{DType, Device, Slice, Tensor, TensorData};

use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;

/// Factor that gives a standard normal input unit variance after GELU: 1 / sqrt(E[gelu(z)²]).
pub const GELU_GAIN: f64 = 1.701_504_349_708_557_1;
/// Added to the variance of a filter before its inverse square root is taken.
const NORM_EPSILON: f64 = 1e-5;

/// How a spatial convolution is computed; all give the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convolution {
    /// burn's convolution: on its CPU device, the least memory while training.
    Native,
    /// Batched matrix product with the patches, copied out of an overlapping view in one pass. On a GPU burn runs
    /// every grouped convolution by its slowest kernel. The view's gradient is slow: for inference only.
    Windows,
    /// The same product, with patches from one slice for each kernel position: for training on a GPU, and for
    /// inference on the CPU, where it takes a fifth less time than burn's convolution.
    Slices,
}

impl Convolution {
    /// The best for a device.
    pub fn for_device(device: &Device) -> Self {
        match (super::prefers_matmul(device), device.is_autodiff()) {
            (false, true) => Self::Native,
            (true, false) => Self::Windows,
            (true, true) | (false, false) => Self::Slices,
        }
    }
}

/// Where parameters come from: a state dict that was checked against the table of entries.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Every entry.
    pub state: &'a StateDict,
    /// Where tensors are put.
    pub device: &'a Device,
}

impl Source<'_> {
    /// The parameter with this name; missing trailing axes have size 1.
    pub fn parameter<const D: usize>(&self, key: &str) -> Param<Tensor<D>> {
        Param::from_data(self.data::<D>(key), self.device)
    }

    /// The values with this name; missing trailing axes have size 1.
    pub fn data<const D: usize>(&self, key: &str) -> TensorData {
        let mut shape = [1; D];
        let found = self.state.tensors.get(key).map_or(&[][..], |tensor| &tensor.shape);
        shape[..found.len()].copy_from_slice(found);
        TensorData::new(self.state.values(key).to_vec(), shape)
    }

    /// One parameter for each stream, `key.0`, `key.1`, ...
    pub fn streams<const D: usize>(&self, key: &str, streams: usize) -> Vec<Param<Tensor<D>>> {
        (0..streams).map(|s| self.parameter(&format!("{key}.{s}"))).collect()
    }
}

/// Parameters of a convolution (or linear layer, or inter-group product), one set for each stream.
#[derive(Module, Debug)]
pub struct Conv {
    /// `[output, input / groups, time, y, x]`, or `[group, group - 1, output, input, 1]` between groups.
    weights: Vec<Param<Tensor<5>>>,
    /// `[group, output / group]`; empty without gain.
    gains: Vec<Param<Tensor<2>>>,
    /// `[group, output / group]`; empty without bias.
    biases: Vec<Param<Tensor<2>>>,
    #[module(skip)]
    layer: Layer,
}

impl Conv {
    /// The layer of this name.
    pub fn new(layer: &Layer, streams: usize, source: Source<'_>) -> Self {
        let copies = if layer.shared { 1 } else { streams };
        let name = &layer.name;
        let optional = |part: &str, exists: bool| {
            if exists { source.streams(&format!("{name}.{part}"), copies) } else { Vec::new() }
        };
        Self {
            weights: source.streams(&format!("{name}.weights"), copies),
            gains: optional("gains", layer.gain.is_some()),
            biases: optional("biases", layer.bias.is_some()),
            layer: layer.clone(),
        }
    }

    /// Effective weights of these streams, in this number type.
    pub fn kernel(&self, streams: Range<usize>, how: Convolution, dtype: DType) -> Kernel {
        let layer = &self.layer;
        let streams = if layer.shared { 0..1 } else { streams };
        let count = streams.len();
        let rows = self.rows(streams.clone(), dtype);
        let weight =
            if layer.inter_group {
                self.between_groups(rows, count)
            } else {
                let (groups, outputs) = (layer.groups_in, layer.outputs / layer.groups_in);
                let (inputs, window) = (layer.inputs / layer.groups_in, layer.spatial * layer.spatial);
                // Frames become rows: one product yields what the arriving frame adds to this and the next outputs.
                rows.reshape([count * groups, outputs, inputs, layer.temporal, window])
                    .permute([0, 3, 1, 2, 4])
                    .reshape([1, count * groups, layer.temporal * outputs, inputs * window])
            };
        let batches = weight.dims()[1];
        let bias = (!self.biases.is_empty()).then(|| {
            let all = self.biases[streams].iter().map(|bias| bias.val().cast(dtype)).collect();
            Tensor::cat(all, 0).reshape([1, batches, layer.outputs * count / batches, 1])
        });
        Kernel {
            weight,
            bias,
            temporal: layer.temporal,
            spatial: layer.spatial,
            stride: layer.stride,
            padding: layer.padding(),
            replicate: layer.replicate,
            how,
        }
    }

    /// One filter a row, standardised: `[stream * output, fan in]`.
    fn rows(&self, streams: Range<usize>, dtype: DType) -> Tensor<2> {
        let layer = &self.layer;
        let (outputs, fan_in) = (layer.outputs, layer.fan_in());
        let filters = self.weights[streams.clone()].iter().map(|weight| {
            let weight = weight.val().cast(dtype);
            let weight = if layer.inter_group { weight.permute([0, 2, 1, 3, 4]) } else { weight };
            weight.reshape([outputs, fan_in])
        });
        let filters = Tensor::cat(filters.collect(), 0);
        if !layer.normalised {
            return filters;
        }
        let centred = filters.clone() - filters.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        let mut scale = (variance * fan_in as f64 + NORM_EPSILON).sqrt().recip();
        if !self.gains.is_empty() {
            let gains = self.gains[streams].iter().map(|gain| gain.val().cast(dtype).reshape([outputs, 1]));
            scale = scale * Tensor::cat(gains.collect(), 0);
        }
        centred * scale
    }

    /// Dense matrix of every stream with zeros where a group would see itself: `[1, stream, output, input]`.
    fn between_groups(&self, rows: Tensor<2>, streams: usize) -> Tensor<4> {
        let groups = self.layer.groups_in;
        let (outputs, inputs) = (self.layer.outputs / groups, self.layer.inputs / groups);
        let rows = rows.reshape([streams, groups, outputs, (groups - 1) * inputs]);
        let own = Tensor::zeros([streams, 1, outputs, inputs], (&rows.device(), rows.dtype()));
        let group = |o: usize| {
            let row = rows.clone().narrow(1, o, 1);
            let mut parts = Vec::new();
            if o > 0 {
                parts.push(row.clone().narrow(3, 0, o * inputs));
            }
            parts.push(own.clone());
            if o + 1 < groups {
                parts.push(row.narrow(3, o * inputs, (groups - 1 - o) * inputs));
            }
            Tensor::cat(parts, 3)
        };
        Tensor::cat((0..groups).map(group).collect(), 1).reshape([1, streams, groups * outputs, groups * inputs])
    }
}

/// Effective weights of the running streams.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// `[1, batch, frame * output, input * y * x]`, the oldest frame first.
    weight: Tensor<4>,
    /// `[1, batch, output, 1]`.
    bias: Option<Tensor<4>>,
    temporal: usize,
    spatial: usize,
    stride: usize,
    padding: usize,
    replicate: bool,
    how: Convolution,
}

impl Kernel {
    /// The kernel of one input that all streams share: streams become rows.
    pub fn of_shared_input(mut self) -> Self {
        let [_, streams, rows, patch] = self.weight.dims();
        self.weight = self.weight.reshape([1, 1, streams * rows, patch]);
        self.bias = self.bias.map(|bias| bias.reshape([1, 1, streams * rows, 1]));
        self
    }

    /// Several pointwise kernels on the same input as one product; outputs follow each other inside every batch.
    pub fn join(kernels: Vec<Self>) -> Self {
        let biases: Option<Vec<_>> = kernels.iter().map(|kernel| kernel.bias.clone()).collect();
        let weights = kernels.iter().map(|kernel| kernel.weight.clone()).collect();
        let first = kernels.into_iter().next().expect("at least one kernel is joined");
        Self { weight: Tensor::cat(weights, 2), bias: biases.map(|biases| Tensor::cat(biases, 2)), ..first }
    }

    /// Pointwise: `[sample, batch, input, pixel]` to `[sample, batch, output, pixel]`.
    pub fn product(&self, x: Tensor<4>) -> Tensor<4> {
        self.biased(self.weight.clone().matmul(x))
    }

    /// Pointwise on a single pixel: `[sample, batch, input, 1]` to `[sample, batch, output, 1]`. A weighted sum instead
    /// of a matrix product: on a GPU it becomes one small kernel together with its neighbours.
    pub fn linear(&self, x: Tensor<4>) -> Tensor<4> {
        self.biased((self.weight.clone() * x.swap_dims(2, 3)).sum_dim(3))
    }

    /// Spatial, one frame: `[sample, stream * input, height, width]` to `[.., stream * output, ..]`.
    pub fn spatial(&self, x: Tensor<4>) -> Tensor<4> {
        let (y, height, width) = self.windows(x);
        ungroup(self.biased(y), height, width)
    }

    /// Causal: like [`Self::spatial`], and `pending[i]` is what the frames so far add to the output of `i + 1` frames
    /// later (nothing where the list ends). The convolution is linear in time, so no history is kept.
    pub fn causal(&self, x: Tensor<4>, pending: &mut Vec<Tensor<4>>) -> Tensor<4> {
        let (y, height, width) = self.windows(x);
        let outputs = y.dims()[2] / self.temporal;
        let tap = |frame: usize| y.clone().narrow(2, frame * outputs, outputs);
        let mut carried = std::mem::take(pending).into_iter();
        let mut add = |tap: Tensor<4>| match carried.next() {
            Some(sum) => tap + sum,
            None => tap,
        };
        let now = add(tap(self.temporal - 1));
        *pending = (0..self.temporal - 1).rev().map(|frame| add(tap(frame))).collect();
        ungroup(self.biased(now), height, width)
    }

    fn biased(&self, y: Tensor<4>) -> Tensor<4> {
        match &self.bias {
            Some(bias) => y + bias.clone(),
            None => y,
        }
    }

    /// Products with every window: `[sample, batch, frame * output, pixel]`, height and width.
    fn windows(&self, x: Tensor<4>) -> (Tensor<4>, usize, usize) {
        if self.spatial == 1 && self.stride == 1 {
            let [_, _, height, width] = x.dims();
            return (self.weight.clone().matmul(group(x, self.weight.dims()[1])), height, width);
        }
        let [_, batches, rows, patch] = self.weight.dims();
        let (k, stride, p) = (self.spatial, self.stride, self.padding);
        let x = match (p, self.replicate) {
            (0, _) => x,
            (_, true) => x.pad([(p, p), (p, p)], PadMode::Edge),
            (_, false) => x.pad([(p, p), (p, p)], PadMode::Constant(0.0)),
        };
        let [samples, channels, height, width] = x.dims();
        let (height, width) = ((height - k) / stride + 1, (width - k) / stride + 1);
        let patches = match self.how {
            Convolution::Native => {
                let weight = self.weight.clone().reshape([batches * rows, patch / (k * k), k, k]);
                let options = ConvOptions::new([stride; 2], [0; 2], [1; 2], batches);
                let y = conv2d(x, weight, None, options);
                return (y.reshape([samples, batches, rows, height * width]), height, width);
            }
            Convolution::Windows => {
                let windows: Tensor<5> = x.unfold(2, k, stride);
                let windows: Tensor<6> = windows.unfold(3, k, stride);
                windows.permute([0, 1, 4, 5, 2, 3]).reshape([samples, batches, patch, height * width])
            }
            Convolution::Slices => {
                let along = |from: usize, count: usize| {
                    let end = from + (count - 1) * stride + 1;
                    Slice::new(from as isize, Some(end as isize), stride as isize)
                };
                let all = Slice::new(0, None, 1);
                let slices = (0..k * k).map(|i| {
                    let x = x.clone().slice([all, all, along(i / k, height), along(i % k, width)]);
                    x.reshape([samples, channels, 1, height * width])
                });
                Tensor::cat(slices.collect(), 2).reshape([samples, batches, patch, height * width])
            }
        };
        (self.weight.clone().matmul(patches), height, width)
    }
}

/// `[sample, batch * channel, height, width]` as `[sample, batch, channel, pixel]`.
pub fn group(x: Tensor<4>, batches: usize) -> Tensor<4> {
    let [samples, channels, height, width] = x.dims();
    x.reshape([samples, batches, channels / batches, height * width])
}

/// `[sample, batch, channel, pixel]` as `[sample, batch * channel, height, width]`.
pub fn ungroup(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [samples, batches, channels, _] = x.dims();
    x.reshape([samples, batches * channels, height, width])
}

/// Gaussian error linear unit, exact, with its gain. Written out because burn's own gradient on a GPU is that of the
/// tanh approximation, off by 5e-4.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let gate = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0;
    x * gate * (0.5 * GELU_GAIN)
}

/// Long short-term memory from joined gates input, forget, new, output `[sample, batch, 4 * channel, pixel]` and the
/// old cell: new hidden state and cell.
pub fn lstm(gates: Tensor<4>, cell: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
    use burn::tensor::activation::sigmoid;
    let channels = gates.dims()[2] / 4;
    let gate = |index: usize| gates.clone().narrow(2, index * channels, channels);
    let cell = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * gate(2).tanh();
    (sigmoid(gate(3)) * cell.clone().tanh(), cell)
}

//! The building blocks: linear layers, normalisation, and the Gaussian error linear unit.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::weights::StateDict;

/// Added to the variance before its inverse square root is taken.
const NORM_EPSILON: f64 = 1e-5;

/// Where weights come from: a state dict that was checked against the table of entries.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) state: &'a StateDict,
    pub(super) device: &'a Device,
}

impl Source<'_> {
    /// The weights of this name.
    pub(super) fn parameter<const D: usize>(&self, key: &str) -> Param<Tensor<D>> {
        let tensor = self.state.tensors.get(key).expect("every entry was checked to be there");
        Param::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), self.device)
    }
}

/// y = W x + b.
#[derive(Module, Debug)]
pub(super) struct Linear {
    /// `[output, input]`.
    pub(super) weight: Param<Tensor<2>>,
    /// `[output]`.
    pub(super) bias: Param<Tensor<1>>,
}

impl Linear {
    pub(super) fn new(name: &str, source: Source<'_>) -> Self {
        Self { weight: source.parameter(&format!("{name}.weight")), bias: source.parameter(&format!("{name}.bias")) }
    }

    /// `[trial, place, input]` to `[trial, place, output]`.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        product(x, self.weight.val(), self.bias.val())
    }
}

/// `[trial, place, input]` times `[output, input]`, plus `[output]`: one large product instead of one a trial.
pub(super) fn product(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    let [trials, places, inputs] = x.dims();
    let outputs = bias.dims()[0];
    let y = x.reshape([trials * places, inputs]).matmul(weight.transpose());
    (y + bias.unsqueeze()).reshape([trials, places, outputs])
}

/// Every row to mean 0 and variance 1, then scaled and shifted (Ba et al. 2016).
#[derive(Module, Debug)]
pub(super) struct Norm {
    /// `[width]`.
    weight: Param<Tensor<1>>,
    /// `[width]`.
    bias: Param<Tensor<1>>,
}

impl Norm {
    pub(super) fn new(name: &str, source: Source<'_>) -> Self {
        Self { weight: source.parameter(&format!("{name}.weight")), bias: source.parameter(&format!("{name}.bias")) }
    }

    /// `[trial, place, width]`.
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        burn::tensor::module::layer_norm(x, self.weight.val(), Some(self.bias.val()), NORM_EPSILON)
    }
}

/// x / (1 + |x|).
pub(super) fn softsign<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() / (x.abs() + 1.0)
}

/// x Φ(x), exact. Written out because burn's own gradient on a GPU is that of the tanh approximation, off by 5e-4.
pub(super) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let gate = (x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0;
    x * gate * 0.5
}

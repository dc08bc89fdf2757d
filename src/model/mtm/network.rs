//! The network as burn modules: differentiable, on any burn device.
//!
//! Spikes `[trial, bin, neuron]` pass the session's own linear layer, a shared embedding, the transformer together with
//! a prompt and a session token, and the session's own readout, which gives log-rates `[trial, bin, neuron]`.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData, TensorReadError};

use super::config::MtmConfig;
use super::dropout::Dropout;
use super::encoder::{Layer, Sight};
use super::error::MtmError;
use super::layers::{Linear, Norm, Source, softsign};
use super::masking::{Mask, Scheme};
use super::parameters::{SessionInfo, entries};
use super::weights::MtmWeights;
use crate::model::weights::{NamedTensor, StateDict};
use crate::signals::Binned;

/// A masked transformer over spikes: the shared part, and the weights of every session.
#[derive(Module, Debug)]
pub struct Mtm {
    /// `[scheme, width]`.
    prompt: Param<Tensor<2>>,
    /// `[bin, width]`.
    position: Param<Tensor<2>>,
    expand: Linear,
    project: Linear,
    layers: Vec<Layer>,
    norm: Norm,
    sessions: Vec<Session>,
    #[module(skip)]
    config: MtmConfig,
}

/// Weights of one session.
#[derive(Module, Debug)]
struct Session {
    stitch_in: Linear,
    stitch_out: Linear,
    /// `[width]`.
    token: Param<Tensor<1>>,
    #[module(skip)]
    info: SessionInfo,
}

/// What the network answers.
#[derive(Debug, Clone)]
pub struct Output {
    /// Logarithm of the expected count, `[trial, bin, neuron]`.
    pub log_rates: Tensor<3>,
    /// What the readout sees, `[trial, bin, width]`: what behaviour is decoded from.
    pub latents: Tensor<3>,
}

/// What happens inside, for tests and for those who look into the network.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    /// What enters the first layer, then what leaves each layer, `[trial, 2 + bin, width]`: prompt, session, bins.
    pub states: Vec<Tensor<3>>,
}

impl Mtm {
    /// A network with these weights.
    pub fn new(weights: &MtmWeights, device: &Device) -> Self {
        let config = weights.config();
        let source = Source { state: weights.state(), device };
        let session = |info: &SessionInfo| Session {
            stitch_in: Linear::new(&format!("stitch_in.{}", info.id), source),
            stitch_out: Linear::new(&format!("stitch_out.{}", info.id), source),
            token: source.parameter(&format!("session.{}", info.id)),
            info: info.clone(),
        };
        Self {
            prompt: source.parameter("prompt"),
            position: source.parameter("position"),
            expand: Linear::new("expand", source),
            project: Linear::new("project", source),
            layers: (0..config.layers).map(|index| Layer::new(config, index, source)).collect(),
            norm: Norm::new("norm", source),
            sessions: weights.sessions().iter().map(session).collect(),
            config: config.clone(),
        }
    }

    /// Sizes.
    pub fn config(&self) -> &MtmConfig {
        &self.config
    }

    /// The sessions that have weights.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.sessions.iter().map(|session| session.info.clone()).collect()
    }

    /// Device of the weights.
    pub fn device(&self) -> Device {
        self.prompt.val().device()
    }

    /// Log-rates and latents of a batch of one session, hidden counts being 0. With a seed, dropout is as in training.
    ///
    /// # Errors
    /// When there is no such session, or the spikes have other neurons or more bins than it.
    pub fn forward(
        &self,
        spikes: Tensor<3>,
        session: &str,
        scheme: Scheme,
        dropout_seed: Option<u64>,
    ) -> Result<Output, MtmError> {
        self.pass(spikes, session, scheme, dropout_seed, None)
    }

    /// The same, and what happens inside.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub fn forward_staged(
        &self,
        spikes: Tensor<3>,
        session: &str,
        scheme: Scheme,
    ) -> Result<(Output, Stages), MtmError> {
        let mut stages = Stages::default();
        let output = self.pass(spikes, session, scheme, None, Some(&mut stages))?;
        Ok((output, stages))
    }

    fn pass(
        &self,
        spikes: Tensor<3>,
        id: &str,
        scheme: Scheme,
        dropout_seed: Option<u64>,
        mut stages: Option<&mut Stages>,
    ) -> Result<Output, MtmError> {
        let session = self.session(id)?;
        let [trials, bins, neurons] = spikes.dims();
        session.info.check([trials, bins, neurons], &self.config)?;
        let (width, device) = (self.config.width, spikes.device());
        let mut dropout = Dropout::new(dropout_seed);
        let x = self.project.forward(softsign(self.expand.forward(session.stitch_in.forward(spikes))));
        let x = x + self.position.val().narrow(0, 0, bins).unsqueeze();
        let x = dropout.apply(x, self.config.embedding_dropout);
        let prompt = self.prompt.val().narrow(0, scheme.row(), 1).reshape([1, 1, width]);
        let token = session.token.val().reshape([1, 1, width]);
        let each = |token: Tensor<3>| token.expand([trials, 1, width]);
        let mut x = Tensor::cat(vec![each(prompt), each(token), x], 1);
        let sight = Sight::new(2 + bins, width, scheme.is_causal(), &device);
        for layer in &self.layers {
            if let Some(stages) = stages.as_deref_mut() {
                stages.states.push(x.clone());
            }
            x = layer.forward(x, &sight, &mut dropout);
        }
        if let Some(stages) = stages {
            stages.states.push(x.clone());
        }
        let latents = self.norm.forward(x.narrow(1, 2, bins));
        Ok(Output { log_rates: session.stitch_out.forward(latents.clone()), latents })
    }

    fn session(&self, id: &str) -> Result<&Session, MtmError> {
        let found = self.sessions.iter().find(|session| session.info.id == id);
        found.ok_or_else(|| MtmError::unknown_session(id, self.sessions.iter().map(|session| session.info.id.as_str())))
    }

    /// All weights.
    ///
    /// # Errors
    /// When the device fails, or a weight is not finite.
    pub fn to_weights(&self) -> Result<MtmWeights, MtmError> {
        let mut reader = Reader { names: self.names(), gradients: None, values: BTreeMap::new() };
        self.visit(&mut reader);
        MtmWeights::new(self.config.clone(), self.sessions(), self.shaped(reader)?)
    }

    /// Gradients by the name of their weights; a weight that nothing depended on, such as another session's, has none.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(&self, gradients: &Gradients) -> Result<StateDict, MtmError> {
        let mut reader = Reader { names: self.names(), gradients: Some(gradients), values: BTreeMap::new() };
        self.visit(&mut reader);
        self.shaped(reader)
    }

    fn shaped(&self, reader: Reader<'_>) -> Result<StateDict, MtmError> {
        let mut read = reader.values;
        let mut state = StateDict::default();
        for entry in entries(&self.config, &self.sessions()) {
            let Some(values) = read.remove(&entry.key) else { continue };
            let values = values.map_err(|source| MtmError::Read { what: entry.key.clone(), source })?;
            state.tensors.insert(entry.key, NamedTensor { shape: entry.shape, values });
        }
        Ok(state)
    }

    /// Stops training all weights whose name is frozen: they get no gradient. For a new session with the rest kept as
    /// it is, all names but those of [`Self::belongs_to_session`].
    #[must_use]
    pub fn freeze_where(self, is_frozen: impl Fn(&str) -> bool) -> Self {
        let names = self.names();
        self.map(&mut Freezer { names, is_frozen })
    }

    /// Whether weights of this name belong to a session, not to all.
    pub fn belongs_to_session(key: &str) -> bool {
        ["stitch_in.", "stitch_out.", "session."].iter().any(|prefix| key.starts_with(prefix))
    }

    /// A walk that knows the names of the weights.
    pub(crate) fn names(&self) -> Names {
        Names { ids: self.sessions.iter().map(|session| session.info.id.clone()).collect(), path: Vec::new() }
    }
}

/// Counts or other numbers as a tensor.
pub(super) fn tensor(numbers: &Binned, device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(numbers.values().to_vec(), numbers.shape()), device)
}

/// Poisson loss: the sum of e^r - r y over what is scored, r being log-rates and y counts, both
/// `[trial, bin, neuron]`. The constant ln y! is left out.
///
/// # Panics
/// When the shapes differ.
pub fn poisson_loss(log_rates: Tensor<3>, counts: &Binned, mask: &Mask) -> Tensor<1> {
    assert_eq!(counts.shape(), mask.shape(), "a mask of the shape of the counts");
    let device = log_rates.device();
    let scored: Vec<f32> = mask.scored().iter().map(|&scored| f32::from(u8::from(scored))).collect();
    let scored = Tensor::from_data(TensorData::new(scored, mask.shape()), &device);
    ((log_rates.clone().exp() - log_rates * tensor(counts, &device)) * scored).sum()
}

/// Where a walk through the modules is.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    ids: Vec<String>,
    path: Vec<String>,
}

impl Names {
    pub(crate) fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.path.pop();
    }

    /// Name of the weights here.
    pub(crate) fn key(&self) -> String {
        let [first, index, rest @ ..] = &self.path[..] else { return self.path.join(".") };
        let id = || index.parse().ok().and_then(|index: usize| self.ids.get(index));
        match (first.as_str(), rest) {
            ("sessions", [token]) if token == "token" => format!("session.{}", id().map_or("", String::as_str)),
            ("sessions", [stitch, part]) => format!("{stitch}.{}.{part}", id().map_or("", String::as_str)),
            _ => self.path.join("."),
        }
    }
}

/// Reads all weights, or their gradients.
struct Reader<'a> {
    names: Names,
    gradients: Option<&'a Gradients>,
    values: BTreeMap<String, Result<Vec<f32>, TensorReadError>>,
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.names.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            None => Some(param.val()),
            Some(gradients) => param.val().grad(gradients),
        };
        if let Some(tensor) = tensor {
            self.values.insert(self.names.key(), tensor.try_into_vec_as::<f32>());
        }
    }
}

struct Freezer<F> {
    names: Names,
    is_frozen: F,
}

impl<F: Fn(&str) -> bool> ModuleMapper for Freezer<F> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.names.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.names.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if (self.is_frozen)(&self.names.key()) { param.set_require_grad(false) } else { param }
    }
}

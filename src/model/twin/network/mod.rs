//! The network as burn modules: differentiable, on any burn device.
//!
//! One file for each box of the paper. The fields of the modules spell the names of the published state dict, so that
//! the path to a parameter is its key. A sequence begins with [`Network::start`], which computes everything that does
//! not change from frame to frame, and goes on with [`Network::step`].
//!
//! On a CPU the coordinates on the monitor are computed in double precision: near black the retina's power law
//! magnifies their rounding a thousandfold in the gradients of the perspective.

mod draws;
mod feedforward;
mod layers;
mod modulation;
mod perspective;
mod probe;
mod readout;
mod recurrent;
mod sampling;
mod state;
mod visual_core;

use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Gradients, Tensor, TensorReadError};

use modulation::Modulation;
use perspective::Perspective;
use readout::Readout;
use state::Sequence;
use visual_core::VisualCore;

use super::config::{ConfigError, TwinConfig};
use super::parameters::{Kind, entries};
use crate::model::weights::{NamedTensor, StateDict};

pub(crate) use draws::normal;
pub use draws::{Draws, hash};
pub use layers::Convolution;
pub use probe::Probe;
pub use state::{Frame, Run, Stages, State};

/// Why a network could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Sizes that no network can have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An entry is absent.
    #[error("the weights have no entry `{0}`; they belong to a network of other sizes")]
    Missing(String),
    /// An entry that no part asks for.
    #[error("the weights have an entry `{0}` that this network does not have")]
    Unexpected(String),
    /// An entry of another shape.
    #[error("`{key}` has shape {found:?} with {values} values, but the network needs {expected:?}")]
    Shape {
        /// Name of the entry.
        key: String,
        /// Its shape.
        found: Vec<usize>,
        /// Its number of values.
        values: usize,
        /// The shape that fits.
        expected: Vec<usize>,
    },
    /// The device could not hand back a tensor.
    #[error("`{key}` could not be read from the device: {source}")]
    Read {
        /// Name of the entry.
        key: String,
        /// What the device said.
        source: TensorReadError,
    },
}

/// Whether convolutions must be matrix products on this device: everywhere but on burn's CPU device, which is also
/// the only one with cheap double precision.
pub fn prefers_matmul(device: &Device) -> bool {
    *device != Device::flex()
}

/// Number type of the coordinates on the monitor: double precision where it is cheap.
fn coordinates(device: &Device) -> DType {
    if prefers_matmul(device) { DType::F32 } else { DType::F64 }
}

/// A twin: all parameters, and the functions that carry a frame through them.
#[derive(Module, Debug)]
pub struct Network {
    core: VisualCore,
    perspective: Perspective,
    modulation: Modulation,
    readout: Readout,
    /// Sizes, constants and choices that are not learned.
    #[module(skip)]
    plan: Plan,
}

#[derive(Debug, Clone)]
struct Plan {
    config: TwinConfig,
    units: usize,
    buffers: StateDict,
    convolution: Option<Convolution>,
}

impl Network {
    /// A network of these sizes with these weights.
    ///
    /// # Errors
    /// When the sizes are impossible, or the state dict does not have exactly the entries of such a network.
    pub fn new(config: &TwinConfig, state: &StateDict, units: usize, device: &Device) -> Result<Self, NetworkError> {
        config.check()?;
        let table = entries(config, units);
        let mut buffers = StateDict::default();
        for entry in &table {
            let Some(tensor) = state.tensors.get(&entry.key) else {
                return Err(NetworkError::Missing(entry.key.clone()));
            };
            if tensor.shape != entry.shape || tensor.values.len() != entry.len() {
                return Err(NetworkError::Shape {
                    key: entry.key.clone(),
                    found: tensor.shape.clone(),
                    values: tensor.values.len(),
                    expected: entry.shape.clone(),
                });
            }
            if entry.kind == Kind::Buffer {
                buffers.tensors.insert(entry.key.clone(), tensor.clone());
            }
        }
        if state.tensors.len() > table.len() {
            let extra = state.tensors.keys().find(|&key| table.iter().all(|entry| entry.key != *key));
            return Err(NetworkError::Unexpected(extra.cloned().unwrap_or_default()));
        }
        let source = layers::Source { state, device };
        Ok(Self {
            core: VisualCore::new(config, source),
            perspective: Perspective::new(config, source),
            modulation: Modulation::new(config, source),
            readout: Readout::new(config, source),
            plan: Plan { config: config.clone(), units, buffers, convolution: None },
        })
    }

    /// Sizes.
    pub fn config(&self) -> &TwinConfig {
        &self.plan.config
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.plan.units
    }

    /// Device of the parameters.
    pub fn device(&self) -> Device {
        self.devices().into_iter().next().expect("a network has parameters")
    }

    /// The same network with another way to compute its convolutions than the best for its device.
    #[must_use]
    pub fn with_convolution(mut self, convolution: Convolution) -> Self {
        self.plan.convolution = Some(convolution);
        self
    }

    /// Every entry of the published state dict, constants included.
    ///
    /// # Errors
    /// When the device fails.
    pub fn to_state_dict(&self) -> Result<StateDict, NetworkError> {
        let mut reader = Reader::new(None);
        self.visit(&mut reader);
        let mut state = self.shaped(reader)?;
        state.tensors.extend(self.plan.buffers.tensors.clone());
        Ok(state)
    }

    /// Gradients by the name of their parameter; a parameter that nothing depended on has none.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(&self, gradients: &Gradients) -> Result<StateDict, NetworkError> {
        let mut reader = Reader::new(Some(gradients));
        self.visit(&mut reader);
        self.shaped(reader)
    }

    /// Gives what was read the published shapes.
    fn shaped(&self, reader: Reader<'_>) -> Result<StateDict, NetworkError> {
        let mut values = reader.values;
        let mut state = StateDict::default();
        for entry in entries(&self.plan.config, self.plan.units) {
            let Some(read) = values.remove(&entry.key) else { continue };
            let values = read.map_err(|source| NetworkError::Read { key: entry.key.clone(), source })?;
            state.tensors.insert(entry.key, NamedTensor { shape: entry.shape, values });
        }
        Ok(state)
    }

    /// Stops training all parameters whose name begins with one of these: they get no gradient.
    #[must_use]
    pub fn freeze(self, prefixes: &[&str]) -> Self {
        struct Freezer<'a>(Path, &'a [&'a str]);
        impl ModuleMapper for Freezer<'_> {
            fn enter_module(&mut self, name: &str, _: &str) {
                self.0.enter(name);
            }
            fn exit_module(&mut self, _: &str, _: &str) {
                self.0.exit();
            }
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let key = self.0.key();
                let frozen = self.1.iter().any(|prefix| key.starts_with(prefix));
                if frozen { param.set_require_grad(false) } else { param }
            }
        }
        self.map(&mut Freezer(Path::default(), prefixes))
    }

    /// Begins a sequence: effective weights, monitor pose and positions, and a state of zeros.
    ///
    /// # Panics
    /// When there is no such stream, or the draws are for other samples or units.
    pub fn start(&self, run: &Run) -> State {
        let Plan { config, units, convolution, .. } = &self.plan;
        let device = self.device();
        let samples = run.samples;
        let streams = run.stream.map_or(0..config.streams, |stream| stream..stream + 1);
        assert!(streams.end <= config.streams, "stream {} of {}", streams.start, config.streams);
        let draws = run.training.as_ref();
        if let Some(Draws { center, angle, position }) = draws {
            let found = [center.len(), angle.len(), position.len()];
            assert_eq!(found, [samples, samples, samples * units], "draws for each sample, and for each of its units");
        }
        let how = convolution.unwrap_or_else(|| Convolution::for_device(&device));
        let sequence = Sequence {
            eye: self.perspective.start(draws, coordinates(&device)),
            arousal: self.modulation.start(streams.clone()),
            pathway: self.core.feedforward.start(streams.clone(), how),
            recurrent: self.core.recurrent.start(streams.clone(), how),
            reader: self.readout.start(streams.clone(), samples, draws, &device),
            single: run.stream.is_some(),
        };
        let zero = Tensor::zeros([samples, streams.len(), config.modulation.lstm_features, 1], &device);
        State {
            samples,
            modulation: (zero.clone(), zero),
            feedforward: sequence.pathway.pending(),
            recurrent: sequence.recurrent.memory(samples, &device),
            sequence: Arc::new(sequence),
        }
    }

    /// Shows one frame.
    pub fn step(&self, state: &mut State, frame: Frame) -> Stages {
        self.step_probed(state, frame, &mut Probe::off())
    }

    /// Shows one frame and records what happens inside.
    pub fn step_probed(&self, state: &mut State, frame: Frame, probe: &mut Probe) -> Stages {
        let sequence = Arc::clone(&state.sequence);
        let samples = state.samples;
        let Frame { grey, gaze, behavior } = frame;
        let retina = sequence.eye.see(grey, gaze, probe);
        let [_, _, height, width] = retina.dims();
        let retina = retina.expand([samples, 1, height, width]);

        state.modulation = sequence.arousal.step(behavior, state.modulation.clone(), probe);
        let modulation = state.modulation.0.clone();
        let feedforward = sequence.pathway.step(retina.clone(), &mut state.feedforward, probe);
        let core = sequence.recurrent.step(feedforward.clone(), modulation.clone(), &mut state.recurrent, probe);
        let readout = sequence.reader.read(core.clone());
        let [_, streams, units] = readout.dims();
        // The mean of log-rates: the geometric mean of the streams' responses.
        let raw = if sequence.single { readout.clone() } else { readout.clone().mean_dim(1) };
        let raw = raw.reshape([samples, units]);
        let channels = modulation.dims()[2];
        Stages {
            perspective: retina,
            modulation: modulation.reshape([samples, streams * channels]),
            feedforward,
            recurrent: core,
            readout,
            response: raw.clone().exp(),
            raw,
        }
    }
}

/// Where a walk through the modules is; the names spell the key of a parameter.
#[derive(Debug, Default)]
pub(crate) struct Path(Vec<String>);

impl Path {
    pub(crate) fn enter(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    pub(crate) fn key(&self) -> String {
        self.0.join(".")
    }
}

/// Reads all parameters, or their gradients.
struct Reader<'a> {
    path: Path,
    gradients: Option<&'a Gradients>,
    values: std::collections::BTreeMap<String, Result<Vec<f32>, TensorReadError>>,
}

impl<'a> Reader<'a> {
    fn new(gradients: Option<&'a Gradients>) -> Self {
        Self { path: Path::default(), gradients, values: Default::default() }
    }
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            None => Some(param.val()),
            Some(gradients) => param.val().grad(gradients),
        };
        if let Some(tensor) = tensor {
            self.values.insert(self.path.key(), tensor.try_into_vec_as::<f32>());
        }
    }
}

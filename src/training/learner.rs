//! Objective and gradient on the CPU engine or on burn's device: the same numbers, in the same row.

use burn::tensor::Device;

use super::cpu::{Gradient, Parameters, Trainable};
use super::{Clip, Objective, TrainingError};
use crate::gpu::ComputeDevice;
use crate::model::twin::TwinConfig;
use crate::model::twin::network::{Network, Run};

/// What burn's passes need.
#[derive(Debug)]
pub(super) struct OnDevice {
    config: TwinConfig,
    device: Device,
    frozen: Vec<&'static str>,
}

/// Computes gradients for the parameters it is handed.
#[derive(Debug)]
pub(super) enum Learner {
    /// Our own passes.
    Cpu(Box<Trainable>),
    /// burn's; parameters travel to the device and gradients back in every step, so that optimizers and checkpoints
    /// are the same everywhere.
    Device(Box<OnDevice>),
}

impl Learner {
    /// Where the network runs; parameters whose names begin with one of `frozen` get no gradient.
    pub fn new(config: &TwinConfig, parameters: &Parameters, device: &ComputeDevice, frozen: &[&'static str]) -> Self {
        match device {
            ComputeDevice::Cpu => Self::Cpu(Box::new(Trainable::new(config, parameters).freeze(frozen))),
            ComputeDevice::Gpu(gpu) => {
                let device = gpu.burn.clone().autodiff();
                Self::Device(Box::new(OnDevice { config: config.clone(), device, frozen: frozen.to_vec() }))
            }
        }
    }

    /// The objective of a clip, and its gradient.
    ///
    /// # Errors
    /// When the objective is not finite or the device fails.
    pub fn gradient(
        &mut self,
        parameters: &Parameters,
        clip: &Clip,
        objective: &Objective,
        run: &Run,
        gradient: &mut Gradient,
    ) -> Result<f32, TrainingError> {
        match self {
            Self::Cpu(network) => Ok(network.objective_and_gradient(parameters, clip, objective, run, gradient)?),
            Self::Device(on) => {
                let OnDevice { config, device, frozen } = on.as_ref();
                let units = clip.responses().units();
                let network = Network::new(config, &parameters.to_state_dict(), units, device)?.freeze(frozen);
                let value = objective.of(&network, clip, run)?;
                let gradients = value.backward();
                let value = Objective::read(&value)?;
                gradient.set(&network.gradients(&gradients)?);
                Ok(value)
            }
        }
    }
}

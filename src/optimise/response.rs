//! The response that is optimised, and its gradient with respect to the grey levels.

use burn::tensor::{Device, Tensor, TensorData};

use super::{OptimiseError, Plan};
use crate::gpu::ComputeDevice;
use crate::model::twin::engine::gradient::{Differentiable, Parameters, Pictures, Showing};
use crate::model::twin::network::{Frame, Network, Run};
use crate::model::weights::TwinWeights;
use crate::signals::{Behavior, Raster};

/// Mean response over units and window, as a function of the grey levels of the frames that matter.
#[derive(Debug)]
pub(super) struct Response {
    way: Way,
    raster: Raster,
    /// Frames over which the response is averaged.
    window: std::ops::Range<usize>,
    behavior: Behavior,
    units: usize,
}

/// What computes it.
#[derive(Debug)]
enum Way {
    /// Our own passes.
    Cpu(Box<(Differentiable, Parameters)>),
    /// burn's.
    Device(Box<(Network, Device)>),
}

impl Response {
    /// Of all units of the weights; `device` is burn's with autodiff, `None` the CPU engine.
    fn with(weights: &TwinWeights, plan: &Plan, device: Option<Device>) -> Result<Self, OptimiseError> {
        let units = weights.units.len();
        // Every name begins with nothing: all parameters stay as they are.
        const ALL: [&str; 1] = [""];
        let way = match device {
            None => {
                let parameters = Parameters::new(&weights.config, units, &weights.state)?;
                let mut network = Differentiable::new(&weights.config, &parameters);
                network.freeze(&ALL);
                Way::Cpu(Box::new((network, parameters)))
            }
            Some(device) => {
                let network = Network::new(&weights.config, &weights.state, units, &device)?.freeze(&ALL);
                Way::Device(Box::new((network, device)))
            }
        };
        let (before, frames) = (plan.grey_frames.0, plan.frames_that_matter());
        Ok(Self {
            way,
            raster: weights.card.raster,
            window: before + plan.window.0..before + plan.window.1,
            behavior: behavior(plan, frames),
            units,
        })
    }

    /// Of all units of the weights, on a device.
    pub fn new(weights: &TwinWeights, plan: &Plan, device: &ComputeDevice) -> Result<Self, OptimiseError> {
        Self::with(weights, plan, device.gpu().map(|gpu| gpu.burn.clone().autodiff()))
    }

    /// The response to grey levels `[frame, pixel]`.
    pub fn of(&mut self, greys: &[f32]) -> Result<f64, OptimiseError> {
        let Self { way, raster, window, behavior, units } = self;
        match way {
            Way::Cpu(network) => {
                let (network, parameters) = network.as_mut();
                let movie = Pictures::Greys { raster: *raster, greys };
                let rates = network.log_rates(parameters, Showing { movie, behavior, stream: None, draws: None });
                let seen = &rates[window.start * *units..window.end * *units];
                Ok(seen.iter().map(|&rate| f64::from(rate).exp()).sum::<f64>() / seen.len() as f64)
            }
            Way::Device(_) => self.on_device(greys, None),
        }
    }

    /// The response to grey levels `[frame, pixel]`, and its gradient with respect to them, per grey level.
    pub fn with_gradient(&mut self, greys: &[f32], gradient: &mut [f32]) -> Result<f64, OptimiseError> {
        let Self { way, raster, window, behavior, units } = self;
        match way {
            Way::Cpu(network) => {
                let (network, parameters) = network.as_mut();
                let movie = Pictures::Greys { raster: *raster, greys };
                let showing = Showing { movie, behavior, stream: None, draws: None };
                let seen = window.start * *units..window.end * *units;
                let share = 1.0 / seen.len() as f64;
                let mean = |rates: &[f32], back: &mut [f32]| {
                    back.fill(0.0);
                    let mut sum = 0.0;
                    for (&rate, back) in rates[seen.clone()].iter().zip(&mut back[seen.clone()]) {
                        let response = f64::from(rate).exp();
                        sum += response;
                        *back = (response * share) as f32;
                    }
                    sum * share
                };
                Ok(network.grey_gradient(parameters, showing, mean, gradient))
            }
            Way::Device(_) => self.on_device(greys, Some(gradient)),
        }
    }

    /// The same by burn.
    fn on_device(&self, greys: &[f32], gradient: Option<&mut [f32]>) -> Result<f64, OptimiseError> {
        let Way::Device(network) = &self.way else { unreachable!("asked of burn's network alone") };
        let (network, device) = network.as_ref();
        let Raster { height, width } = self.raster;
        let frames = self.behavior.frames();
        let data = TensorData::new(greys.to_vec(), [frames, height, width]);
        let movie = Tensor::<3>::from_data(data, device).require_grad();
        let mut state = network.start(&Run::inference(1));
        let mut sum: Option<Tensor<1>> = None;
        for time in 0..frames {
            let pair = |rows: &[[f32; 2]]| Tensor::<2>::from_data(TensorData::new(rows[0].to_vec(), [1, 2]), device);
            let frame = Frame {
                grey: movie.clone().slice([time..time + 1, 0..height, 0..width]),
                gaze: pair(self.behavior.gaze(time)),
                behavior: pair(self.behavior.state(time)),
            };
            let response = network.step(&mut state, frame).response;
            if self.window.contains(&time) {
                let response = response.sum();
                sum = Some(match sum {
                    Some(sum) => sum + response,
                    None => response,
                });
            }
        }
        let mean = sum.expect("the window has a frame") / (self.window.len() * self.units) as f64;
        let failed = |error: &dyn std::fmt::Debug| OptimiseError::Device(format!("{error:?}"));
        if let Some(gradient) = gradient {
            let gradients = mean.backward();
            let found = movie.grad(&gradients).ok_or_else(|| failed(&"no gradient reached the pixels"))?;
            let found = found.try_into_vec_as::<f32>().map_err(|error| failed(&error))?;
            gradient.copy_from_slice(&found);
        }
        let value = mean.try_to_vec_as::<f32>().map_err(|error| failed(&error))?;
        Ok(f64::from(value[0]))
    }
}

/// The behaviour of a plan, the same in every frame.
pub(super) fn behavior(plan: &Plan, frames: usize) -> Behavior {
    let (gaze, state) = (vec![plan.gaze; frames], vec![plan.arousal; frames]);
    Behavior::new(frames, 1, gaze, state).expect("the plan was checked to hold finite numbers")
}

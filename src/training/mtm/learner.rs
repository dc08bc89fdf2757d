//! The network that learns, with its optimizer: our own engine on the CPU, burn's elsewhere.

use burn::tensor::{Device, Tensor, TensorData};

use super::adam_w::{AdamW, AdamWConfig, AdamWState};
use super::fit::FitError;
use crate::model::mtm::{Engine, Mask, Mtm, MtmError, MtmWeights, Predict, Scheme, poisson_loss};
use crate::signals::Binned;

/// A network and what its optimizer remembers.
#[derive(Debug)]
pub(super) enum Learner {
    /// On the CPU.
    Engine { engine: Box<Engine>, config: AdamWConfig, moments: AdamWState },
    /// On any device of burn.
    Burn { network: Box<Mtm>, optimizer: AdamW, device: Device },
}

/// A batch of one session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub counts: &'a Binned,
    pub mask: &'a Mask,
    pub session: &'a str,
    pub scheme: Scheme,
    pub dropout_seed: u64,
}

impl Learner {
    /// A network that goes on from these weights and moments. With `keep_shared`, only the sessions' weights learn.
    pub fn new(
        weights: &MtmWeights,
        config: AdamWConfig,
        moments: AdamWState,
        keep_shared: bool,
        device: &Device,
    ) -> Result<Self, FitError> {
        let is_frozen = |key: &str| keep_shared && !Mtm::belongs_to_session(key);
        if *device == Device::flex() {
            moments.check().map_err(FitError::Settings)?;
            let engine = Box::new(Engine::new(weights).freeze_where(is_frozen));
            return Ok(Self::Engine { engine, config, moments });
        }
        let device = device.clone().autodiff();
        let network = Box::new(Mtm::new(weights, &device).freeze_where(is_frozen));
        let mut optimizer = AdamW::new(config);
        optimizer.set_state(moments, &device).map_err(FitError::Settings)?;
        Ok(Self::Burn { network, optimizer, device })
    }

    /// One step; the loss before it. Where that is not finite, nothing changes.
    pub fn step(&mut self, batch: Batch<'_>, lr: f64) -> Result<f32, FitError> {
        let Batch { counts, mask, session, scheme, dropout_seed } = batch;
        let seen = mask.apply(counts);
        match self {
            Self::Engine { engine, config, moments } => {
                let loss = engine.loss(&seen, counts, mask, session, scheme, Some(dropout_seed))?;
                if loss.is_finite() {
                    moments.step(config, engine, lr);
                }
                Ok(loss)
            }
            Self::Burn { network, optimizer, device } => {
                let seen = Tensor::from_data(TensorData::new(seen.values().to_vec(), seen.shape()), &*device);
                let output = network.forward(seen, session, scheme, Some(dropout_seed))?;
                let objective = poisson_loss(output.log_rates, counts, mask);
                let loss = objective.try_to_vec_as::<f32>()?[0];
                if loss.is_finite() {
                    let gradients = objective.backward();
                    **network = optimizer.step((**network).clone(), &gradients, lr);
                }
                Ok(loss)
            }
        }
    }

    /// All weights.
    pub fn weights(&self) -> Result<MtmWeights, MtmError> {
        match self {
            Self::Engine { engine, .. } => engine.to_weights(),
            Self::Burn { network, .. } => network.to_weights(),
        }
    }

    /// What the optimizer remembers.
    pub fn moments(&self) -> Result<AdamWState, FitError> {
        match self {
            Self::Engine { moments, .. } => Ok(moments.clone()),
            Self::Burn { optimizer, .. } => Ok(optimizer.state()?),
        }
    }

    /// The network as it predicts now.
    pub fn network(&self) -> &dyn Predict {
        match self {
            Self::Engine { engine, .. } => &**engine,
            Self::Burn { network, .. } => &**network,
        }
    }
}

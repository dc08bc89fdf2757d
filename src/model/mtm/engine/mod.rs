//! The network on the CPU: the pass and its gradient by hand, on plain numbers, in memory that is used again.
//!
//! The same network as [`Mtm`](super::Mtm), which tests hold it against. Answers are the same to the bit on any number
//! of threads.

mod answer;
mod attention;
mod backward;
mod dense;
mod descent;
mod drops;
mod forward;
mod parameters;
mod product;
mod room;
mod rows;

use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use self::answer::{Answering, Packed, TaskRoom};
use self::backward::Gradients;
pub use self::descent::Descent;
use self::forward::Pass;
use self::parameters::{Parameter, Places, parameters};
use self::room::{BackRoom, Room, Sizes};
use super::config::MtmConfig;
use super::error::MtmError;
use super::masking::{Mask, Scheme};
use super::parameters::SessionInfo;
use super::weights::MtmWeights;
use crate::model::weights::{NamedTensor, StateDict};
use crate::signals::Binned;

/// A masked transformer over spikes on the CPU.
#[derive(Debug)]
pub struct Engine {
    config: MtmConfig,
    parameters: Vec<Parameter>,
    places: Places,
    gradients: Gradients,
    room: Room,
    back_room: BackRoom,
    /// The weights for passes without gradient, until they change.
    packed: OnceLock<Packed>,
    /// Memory of such passes that have ended.
    idle: Mutex<Vec<TaskRoom>>,
}

/// Most trials that a task takes from counts to log-rates: the more, the less often weights are fetched from memory, and
/// the longer the last task lets the others wait.
const MOST_TRIALS: usize = 4;

/// What the engine answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Logarithm of the expected count, `[trial, bin, neuron]`.
    pub log_rates: Binned,
    /// What the readout sees, `[trial, bin, width]`: what behaviour is decoded from.
    pub latents: Binned,
}

impl Engine {
    /// A network with these weights.
    pub fn new(weights: &MtmWeights) -> Self {
        let config = weights.config().clone();
        let (parameters, places) = parameters(&config, weights.sessions(), weights.state());
        let (gradients, room, back_room) = (Gradients::default(), Room::default(), BackRoom::default());
        let (packed, idle) = (OnceLock::new(), Mutex::new(Vec::new()));
        Self { config, parameters, places, gradients, room, back_room, packed, idle }
    }

    /// Sizes.
    pub fn config(&self) -> &MtmConfig {
        &self.config
    }

    /// Stops training all weights whose name is frozen: they get no gradient.
    #[must_use]
    pub fn freeze_where(mut self, is_frozen: impl Fn(&str) -> bool) -> Self {
        for parameter in &mut self.parameters {
            parameter.is_trained &= !is_frozen(&parameter.key);
        }
        self
    }

    /// Log-rates and latents of a batch of one session, hidden counts being 0, without dropout.
    ///
    /// # Errors
    /// When there is no such session, or the spikes have other neurons or more bins than it.
    pub fn forward(&self, seen: &Binned, session: &str, scheme: Scheme) -> Result<Answer, MtmError> {
        let session = self.session(session)?;
        self.places.sessions[session].info.check(seen.shape(), &self.config)?;
        let [trials, bins, neurons] = seen.shape();
        let together = trials.div_ceil(rayon::current_num_threads()).clamp(1, MOST_TRIALS);
        let packed = self.packed.get_or_init(|| Packed::new(&self.parameters, &self.places));
        let answering = Answering::new(&self.parameters, &self.places, packed, session, scheme);
        let width = self.config.width;
        let mut log_rates = vec![0.0; trials * bins * neurons];
        let mut latents = vec![0.0; trials * bins * width];
        let each = (
            seen.values().par_chunks(together * bins * neurons),
            log_rates.par_chunks_mut(together * bins * neurons),
            latents.par_chunks_mut(together * bins * width),
        );
        each.into_par_iter().for_each(|(seen, log_rates, latents)| {
            let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut room = idle().pop().unwrap_or_default();
            let sizes = Sizes::new(&self.config, [seen.len() / (bins * neurons), bins, neurons]);
            answering.task(&sizes, seen, log_rates, latents, &mut room);
            idle().push(room);
        });
        let binned = |columns: usize, values: Vec<f32>| {
            Binned::new(trials, bins, columns, values).expect("one value for each place")
        };
        Ok(Answer { log_rates: binned(neurons, log_rates), latents: binned(width, latents) })
    }

    /// The Poisson loss of a batch, as [`poisson_loss`](super::poisson_loss), `seen` being the counts that are not
    /// hidden; its gradients replace those of the call before.
    ///
    /// # Errors
    /// As [`Self::forward`].
    ///
    /// # Panics
    /// When the shapes differ, or there are no trials.
    pub fn loss(
        &mut self,
        seen: &Binned,
        counts: &Binned,
        mask: &Mask,
        session: &str,
        scheme: Scheme,
        dropout_seed: Option<u64>,
    ) -> Result<f32, MtmError> {
        assert!(counts.shape() == mask.shape() && seen.shape() == mask.shape(), "a mask of the shape of the counts");
        assert!(seen.trials() > 0, "a batch has trials");
        let session = &self.places.sessions[self.session(session)?];
        session.info.check(seen.shape(), &self.config)?;
        let sizes = Sizes::new(&self.config, seen.shape());
        let mut room = std::mem::take(&mut self.room);
        let mut gradients = std::mem::take(&mut self.gradients);
        let mut back_room = std::mem::take(&mut self.back_room);
        room.fit(&sizes, self.config.layers);
        back_room.fit(&sizes);
        let (config, parameters, places) = (&self.config, &self.parameters[..], &self.places);
        let pass = Pass { config, parameters, places, session, scheme, dropout_seed, sizes: &sizes };
        pass.forward(seen.values(), &mut room);
        let loss = pass.backward(seen.values(), counts.values(), mask, &room, &mut back_room, &mut gradients);
        (self.gradients, self.room, self.back_room) = (gradients, room, back_room);
        Ok(loss as f32)
    }

    /// Gradients of the last loss by the name of their weights; a weight that nothing depended on, such as another
    /// session's, and one that is frozen, has none.
    pub fn gradients(&self) -> StateDict {
        let there = self.gradients.is_there.iter().zip(&self.gradients.values).zip(&self.parameters);
        let named = there.filter(|((is_there, _), _)| **is_there).map(|((_, values), parameter)| {
            (parameter.key.clone(), NamedTensor { shape: parameter.shape.clone(), values: values.clone() })
        });
        StateDict { tensors: named.collect() }
    }

    /// Shows every weight that has a gradient to `change`: its name, its values, and the gradient of the last loss.
    pub fn update(&mut self, mut change: impl FnMut(&str, &mut [f32], &[f32])) {
        self.packed.take();
        let there = self.gradients.is_there.iter().zip(&self.gradients.values).zip(&mut self.parameters);
        for ((_, gradient), parameter) in there.filter(|((is_there, _), _)| **is_there) {
            change(&parameter.key, &mut parameter.values, gradient);
        }
    }

    /// All weights.
    ///
    /// # Errors
    /// When a weight is not finite.
    pub fn to_weights(&self) -> Result<MtmWeights, MtmError> {
        let named = self.parameters.iter().map(|parameter| {
            let tensor = NamedTensor { shape: parameter.shape.clone(), values: parameter.values.clone() };
            (parameter.key.clone(), tensor)
        });
        let sessions: Vec<SessionInfo> = self.places.sessions.iter().map(|session| session.info.clone()).collect();
        MtmWeights::new(self.config.clone(), sessions, StateDict { tensors: named.collect() })
    }

    /// Index of a session.
    fn session(&self, id: &str) -> Result<usize, MtmError> {
        let found = self.places.sessions.iter().position(|session| session.info.id == id);
        let known = self.places.sessions.iter().map(|session| session.info.id.as_str());
        found.ok_or_else(|| MtmError::unknown_session(id, known))
    }
}

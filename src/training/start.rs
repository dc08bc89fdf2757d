//! The network before its first step.

use super::TrainingError;
use super::cpu::Parameters;
use super::recipe::StartValues;
use crate::model::twin::TwinConfig;
use crate::model::twin::network::normal;
use crate::model::weights::{TwinWeights, initial};

/// What all animals share: the core, and the memory of arousal.
pub const SHARED: [&str; 2] = ["core.", "modulation.lstm."];

/// Whether a parameter belongs to all animals.
pub(super) fn is_shared(key: &str) -> bool {
    SHARED.iter().any(|prefix| key.starts_with(prefix))
}

/// Steepness and threshold of the retina, fitted to grey levels of movies.
const RETINA: [(&str, f32); 2] = [("scale", 8.0), ("offset", -4.4)];
/// Standard deviation of the first weights of arousal, which are zero in the published network.
const AROUSAL: f32 = 0.5;

/// Parameters before training.
///
/// # Errors
/// When the network is impossible.
pub(super) fn start(
    config: &TwinConfig,
    units: usize,
    seed: u64,
    values: StartValues,
) -> Result<Parameters, TrainingError> {
    let mut parameters = Parameters::new(config, units, &initial(config, units, seed))?;
    if values == StartValues::Published {
        return Ok(parameters);
    }
    let first = usize::from(config.core.recurrent.groups > 1);
    let mut change = |key: String, change: &mut dyn FnMut(usize, &mut f32)| {
        let numbers = parameters.get_mut(&key).expect("every twin has this entry");
        numbers.iter_mut().enumerate().for_each(|(place, number)| change(place, number));
    };
    for (part, value) in RETINA {
        change(format!("perspective.retina_pixel.{part}"), &mut |_, number| *number = value);
    }
    for stream in 0..config.streams {
        change(format!("core.recurrent.out.gains.{stream}"), &mut |_, gain| *gain *= 4.0);
        change(format!("core.recurrent.proj_x.{first}.gains.{stream}"), &mut |_, gain| *gain = 1.5);
        for gate in ["i", "f", "g", "o"] {
            change(format!("core.recurrent.proj_{gate}.gains.{stream}"), &mut |_, gain| *gain = 2.0);
        }
        change(format!("modulation.mlp.linears.0.weights.{stream}"), &mut |place, weight| {
            *weight = AROUSAL * normal(seed, stream as u64, place as u64);
        });
    }
    Ok(parameters)
}

/// Takes parameters from another twin: those whose names begin so. Units are not looked at.
///
/// # Errors
/// When the other network has other sizes.
pub(super) fn inherit(parameters: &mut Parameters, from: &TwinWeights, prefixes: &[&str]) -> Result<(), TrainingError> {
    let keys: Vec<String> = parameters.table().entries().iter().map(|entry| entry.key.clone()).collect();
    for key in keys.into_iter().filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix))) {
        let numbers = parameters.get_mut(&key).expect("the key is from the table");
        match from.state.tensors.get(&key) {
            Some(tensor) if tensor.values.len() == numbers.len() => numbers.copy_from_slice(&tensor.values),
            _ => return Err(TrainingError::OtherNetwork { key }),
        }
    }
    Ok(())
}

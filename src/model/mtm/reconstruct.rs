//! Predicting what is hidden from a trained network: held-out neurons, regions and time.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;

use super::engine::Engine;
use super::error::MtmError;
use super::masking::Scheme;
use super::network::{Mtm, tensor};
use super::weights::MtmWeights;
use crate::job::Progress;
use crate::signals::Binned;

/// Trials that are predicted at once; memory does not grow with their number.
const BATCH: usize = 64;

/// Log-rates of counts that the network did not see.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// The neurons that were hidden, ascending.
    pub neurons: Vec<usize>,
    /// The bins that were hidden.
    pub bins: Range<usize>,
    /// `[trial, hidden bin, hidden neuron]`.
    pub log_rates: Binned,
}

impl Predicted {
    /// The counts at the same places, for scores.
    ///
    /// # Panics
    /// When the spikes are not those that were predicted.
    pub fn truth(&self, spikes: &Binned) -> Binned {
        spikes.of_bins(self.bins.clone()).of_neurons(&self.neurons)
    }
}

/// Neurons that are hidden together, and what remains to be seen beside them.
struct Hiding {
    hidden: Vec<usize>,
    /// `None`: all others.
    seen: Option<Vec<bool>>,
}

/// What is asked of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Logarithm of the expected count, `[trial, bin, neuron]`.
    LogRates,
    /// What the readout sees, `[trial, bin, width]`.
    Latents,
}

/// The network that predicts fastest on this device: our own engine on the CPU, burn's elsewhere.
pub fn predictor(weights: &MtmWeights, device: &Device) -> Box<dyn Predict> {
    if *device == Device::flex() { Box::new(Engine::new(weights)) } else { Box::new(Mtm::new(weights, device)) }
}

impl Predict for Mtm {
    fn answer(&self, seen: &Binned, session: &str, scheme: Scheme, wanted: Wanted) -> Result<Binned, MtmError> {
        let network = self.valid();
        let output = network.forward(tensor(seen, &network.device()), session, scheme, None)?;
        let (answer, what) = match wanted {
            Wanted::LogRates => (output.log_rates, "log-rates"),
            Wanted::Latents => (output.latents, "latents"),
        };
        let [trials, bins, columns] = answer.dims();
        let read = answer.try_into_vec_as::<f32>();
        let values = read.map_err(|source| MtmError::Read { what: what.to_owned(), source })?;
        Ok(Binned::new(trials, bins, columns, values).expect("one value for each place"))
    }
}

impl Predict for Engine {
    fn answer(&self, seen: &Binned, session: &str, scheme: Scheme, wanted: Wanted) -> Result<Binned, MtmError> {
        let answer = self.forward(seen, session, scheme)?;
        Ok(match wanted {
            Wanted::LogRates => answer.log_rates,
            Wanted::Latents => answer.latents,
        })
    }
}

/// A trained network that predicts what it does not see.
pub trait Predict: std::fmt::Debug + Send {
    /// The answer for a batch of trials, without dropout; hidden counts must be 0.
    ///
    /// # Errors
    /// When there is no such session, the counts do not fit it, or the device fails.
    fn answer(&self, seen: &Binned, session: &str, scheme: Scheme, wanted: Wanted) -> Result<Binned, MtmError>;

    /// The same for all trials, some at a time.
    ///
    /// # Errors
    /// As [`Self::answer`].
    fn answers(&self, seen: &Binned, session: &str, scheme: Scheme, wanted: Wanted) -> Result<Binned, MtmError> {
        if (1..=BATCH).contains(&seen.trials()) {
            return self.answer(seen, session, scheme, wanted);
        }
        let (mut values, mut columns) = (Vec::new(), 0);
        let all: Vec<usize> = (0..seen.trials()).collect();
        for trials in all.chunks(BATCH) {
            let answer = self.answer(&seen.of_trials(trials), session, scheme, wanted)?;
            columns = answer.neurons();
            values.extend_from_slice(answer.values());
        }
        Ok(Binned::new(seen.trials(), seen.bins(), columns, values).expect("one value for each place"))
    }

    /// Log-rates `[trial, bin, neuron]` of a whole session from the counts that can be seen; hidden ones must be 0.
    ///
    /// # Errors
    /// As [`Self::answer`].
    fn reconstruct(&self, seen: &Binned, session: &str, scheme: Scheme) -> Result<Binned, MtmError> {
        self.answers(seen, session, scheme, Wanted::LogRates)
    }

    /// Latents `[trial, bin, width]` of a whole session, for decoders of behaviour.
    ///
    /// # Errors
    /// As [`Self::answer`].
    fn latents(&self, seen: &Binned, session: &str, scheme: Scheme) -> Result<Binned, MtmError> {
        self.answers(seen, session, scheme, Wanted::Latents)
    }

    /// Co-smoothing: hides groups of neurons in turn and predicts each from all others. One neuron a group leaves one
    /// neuron out at a time.
    ///
    /// # Errors
    /// As [`Self::answer`]; and when a group is empty, has an unknown neuron, or shares one with another.
    fn co_smoothing(
        &self,
        spikes: &Binned,
        session: &str,
        groups: &[Vec<usize>],
        scheme: Scheme,
        progress: &Progress,
    ) -> Result<Predicted, MtmError> {
        let hiding = groups.iter().map(|group| Hiding { hidden: group.clone(), seen: None }).collect();
        hide_each(self, spikes, session, hiding, scheme, progress)
    }

    /// Hides each region in turn and predicts it from all others. `regions` are the labels of the neurons.
    ///
    /// # Errors
    /// As [`Self::co_smoothing`].
    fn inter_region(
        &self,
        spikes: &Binned,
        session: &str,
        regions: &[usize],
        scheme: Scheme,
        progress: &Progress,
    ) -> Result<Predicted, MtmError> {
        check_regions(spikes, regions)?;
        let labels = std::collections::BTreeSet::from_iter(regions.iter().copied());
        let members = |label| (0..regions.len()).filter(|&neuron| regions[neuron] == label).collect();
        let hiding = labels.into_iter().map(|label| Hiding { hidden: members(label), seen: None }).collect();
        hide_each(self, spikes, session, hiding, scheme, progress)
    }

    /// Leaves one neuron out at a time and predicts it from the others of its own region alone.
    ///
    /// # Errors
    /// As [`Self::co_smoothing`].
    fn intra_region(
        &self,
        spikes: &Binned,
        session: &str,
        regions: &[usize],
        scheme: Scheme,
        progress: &Progress,
    ) -> Result<Predicted, MtmError> {
        check_regions(spikes, regions)?;
        let hiding = |neuron: usize| Hiding {
            hidden: vec![neuron],
            seen: Some(regions.iter().map(|&region| region == regions[neuron]).collect()),
        };
        hide_each(self, spikes, session, (0..regions.len()).map(hiding).collect(), scheme, progress)
    }

    /// Hides the last bins of every trial, `fraction` of them rounded to whole ones, and predicts them.
    ///
    /// # Errors
    /// As [`Self::answer`]; and when no bin would be hidden or seen.
    fn forward_prediction(
        &self,
        spikes: &Binned,
        session: &str,
        fraction: f64,
        scheme: Scheme,
    ) -> Result<Predicted, MtmError> {
        let [_, bins, neurons] = spikes.shape();
        let hidden = (fraction * bins as f64).round();
        if !(hidden >= 1.0 && hidden < bins as f64) {
            let what =
                format!("{fraction} of {bins} bins leaves nothing to predict, or nothing to see; choose another share");
            return Err(MtmError::Hidden(what));
        }
        let first = bins - hidden as usize;
        let mut seen = spikes.clone();
        for trial in seen.values_mut().chunks_exact_mut(bins * neurons) {
            trial[first * neurons..].fill(0.0);
        }
        let log_rates = self.reconstruct(&seen, session, scheme)?.of_bins(first..bins);
        Ok(Predicted { neurons: (0..neurons).collect(), bins: first..bins, log_rates })
    }
}

/// Hides each group in turn and predicts it.
fn hide_each(
    network: &(impl Predict + ?Sized),
    spikes: &Binned,
    session: &str,
    hiding: Vec<Hiding>,
    scheme: Scheme,
    progress: &Progress,
) -> Result<Predicted, MtmError> {
    let [trials, bins, neurons] = spikes.shape();
    let mut is_hidden = vec![false; neurons];
    for &neuron in hiding.iter().flat_map(|Hiding { hidden, .. }| hidden) {
        match is_hidden.get_mut(neuron) {
            Some(hidden) if !*hidden => *hidden = true,
            Some(_) => return Err(MtmError::Hidden(format!("neuron {neuron} would be hidden twice"))),
            None => {
                return Err(MtmError::Hidden(format!("there is no neuron {neuron}; the spikes have {neurons}")));
            }
        }
    }
    if hiding.is_empty() || hiding.iter().any(|Hiding { hidden, .. }| hidden.is_empty()) {
        return Err(MtmError::Hidden("a group of neurons to be hidden is empty".to_owned()));
    }
    let hidden: Vec<usize> = (0..neurons).filter(|&neuron| is_hidden[neuron]).collect();
    let mut column = vec![0; neurons];
    hidden.iter().enumerate().for_each(|(index, &neuron)| column[neuron] = index);
    let mut values = vec![0.0; trials * bins * hidden.len()];
    progress.begin(hiding.len() as u64);
    for Hiding { hidden: group, seen: visible } in hiding {
        let mut seen = spikes.clone();
        for row in seen.values_mut().chunks_exact_mut(neurons) {
            if let Some(visible) = &visible {
                row.iter_mut().zip(visible).filter(|(_, visible)| !**visible).for_each(|(value, _)| *value = 0.0);
            }
            group.iter().for_each(|&neuron| row[neuron] = 0.0);
        }
        let log_rates = network.reconstruct(&seen, session, scheme)?;
        for (to, from) in values.chunks_exact_mut(hidden.len()).zip(log_rates.values().chunks_exact(neurons)) {
            group.iter().for_each(|&neuron| to[column[neuron]] = from[neuron]);
        }
        progress.advance(1)?;
    }
    let log_rates = Binned::new(trials, bins, hidden.len(), values).expect("one value for each place");
    Ok(Predicted { neurons: hidden, bins: 0..bins, log_rates })
}

fn check_regions(spikes: &Binned, regions: &[usize]) -> Result<(), MtmError> {
    if regions.len() == spikes.neurons() {
        return Ok(());
    }
    Err(MtmError::Hidden(format!("there are {} regions for {} neurons", regions.len(), spikes.neurons())))
}

//! What is hidden from the network, and what the loss scores: five schemes, each a pure function of the shape, the
//! regions, the scheme and a seed.
//!
//! | scheme | hidden | scored |
//! |---|---|---|
//! | temporal (the baseline, no part of MtM) | all neurons in random bins | what is hidden |
//! | causal | all neurons in random bins, and attention sees no later bin | what is hidden |
//! | neuron | all bins of random neurons | what is hidden |
//! | inter-region | every neuron of one random region | what is hidden |
//! | intra-region | all other regions, and random neurons of one random region | the hidden neurons of that region |
//!
//! Bins and neurons are drawn for each trial, the region once for the batch. Hidden counts become 0 with no rescaling,
//! so that hidden and silent look alike; the prompt tells the network which scheme it faces.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::chance::{Topic, sub_seed, uniform};
use crate::signals::Binned;

/// A way to hide spikes, and the prompt that names it to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// All bins of random neurons.
    Neuron,
    /// All neurons in random bins; attention sees no later bin.
    Causal,
    /// Every neuron of a random region.
    InterRegion,
    /// Random neurons of a random region, with only that region to see.
    IntraRegion,
    /// All neurons in random bins: the baseline that MtM is compared with.
    Temporal,
}

impl Scheme {
    /// All, in the order of the rows of the prompt table.
    pub const ALL: [Self; 5] = [Self::Neuron, Self::Causal, Self::InterRegion, Self::IntraRegion, Self::Temporal];
    /// Those that MtM is trained with.
    pub const MTM: [Self; 4] = [Self::Neuron, Self::Causal, Self::InterRegion, Self::IntraRegion];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neuron => "neuron",
            Self::Causal => "causal",
            Self::InterRegion => "inter-region",
            Self::IntraRegion => "intra-region",
            Self::Temporal => "temporal",
        }
    }

    /// Row of the prompt table.
    pub fn row(self) -> usize {
        self as usize
    }

    /// Share of what could be hidden that is, in the published training.
    pub fn ratio(self) -> f64 {
        match self {
            Self::Neuron | Self::IntraRegion | Self::Temporal => 0.3,
            Self::Causal => 0.6,
            Self::InterRegion => 1.0,
        }
    }

    /// Whether attention sees no later bin.
    pub fn is_causal(self) -> bool {
        self == Self::Causal
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// No scheme has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no masking scheme `{0}`; choose neuron, causal, inter-region, intra-region or temporal")]
pub struct UnknownScheme(String);

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        let found = Self::ALL.into_iter().find(|scheme| scheme.name() == name);
        found.ok_or_else(|| UnknownScheme(name.escape_debug().take(40).collect()))
    }
}

/// What is hidden and what is scored in a batch, both `[trial, bin, neuron]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    shape: [usize; 3],
    hidden: Vec<bool>,
    scored: Vec<bool>,
}

impl Mask {
    /// Draws a mask for a batch `[trial, bin, neuron]`. `regions` are the labels of the neurons; `ratio` is usually
    /// [`Scheme::ratio`].
    ///
    /// # Panics
    /// When there is not one label for each neuron.
    pub fn draw(shape: [usize; 3], regions: &[usize], scheme: Scheme, ratio: f64, seed: u64) -> Self {
        let [_, bins, neurons] = shape;
        assert_eq!(regions.len(), neurons, "one region for each neuron");
        let hits = |topic: Topic| {
            let seed = sub_seed(seed, topic, 0);
            move |trial: usize, place: usize, places: usize| uniform(seed, (trial * places + place) as u64) < ratio
        };
        match scheme {
            Scheme::Temporal | Scheme::Causal => {
                let hit = hits(Topic::Bins);
                let lots: Vec<bool> = (0..shape[0] * bins).map(|i| hit(i / bins, i % bins, bins)).collect();
                Self::new(shape, |trial, bin, _| (lots[trial * bins + bin], lots[trial * bins + bin]))
            }
            Scheme::Neuron | Scheme::InterRegion | Scheme::IntraRegion => {
                let hit = hits(Topic::Neurons);
                let lots: Vec<bool> = (0..shape[0] * neurons).map(|i| hit(i / neurons, i % neurons, neurons)).collect();
                let region = (scheme != Scheme::Neuron).then(|| chosen_region(regions, seed)).flatten();
                Self::new(shape, |trial, _, neuron| {
                    let inside = region.is_none_or(|region| regions[neuron] == region);
                    let scored = inside && lots[trial * neurons + neuron];
                    (scored || (scheme == Scheme::IntraRegion && !inside), scored)
                })
            }
        }
    }

    /// A mask from whether each place is hidden and scored.
    pub fn new(shape: [usize; 3], mut place: impl FnMut(usize, usize, usize) -> (bool, bool)) -> Self {
        let [trials, bins, neurons] = shape;
        let size = trials * bins * neurons;
        let (mut hidden, mut scored) = (Vec::with_capacity(size), Vec::with_capacity(size));
        for trial in 0..trials {
            for bin in 0..bins {
                for neuron in 0..neurons {
                    let (hide, score) = place(trial, bin, neuron);
                    hidden.push(hide);
                    scored.push(score);
                }
            }
        }
        Self { shape, hidden, scored }
    }

    /// Trials, bins, neurons.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// What the network does not see, `[trial, bin, neuron]`.
    pub fn hidden(&self) -> &[bool] {
        &self.hidden
    }

    /// What the loss is summed over, `[trial, bin, neuron]`.
    pub fn scored(&self) -> &[bool] {
        &self.scored
    }

    /// Number of scored counts.
    pub fn scores(&self) -> usize {
        self.scored.iter().filter(|&&scored| scored).count()
    }

    /// What the network sees: hidden counts are 0.
    ///
    /// # Panics
    /// When the spikes have another shape.
    pub fn apply(&self, spikes: &Binned) -> Binned {
        assert_eq!(spikes.shape(), self.shape, "a mask of the shape of the spikes");
        let mut seen = spikes.clone();
        for (value, &hidden) in seen.values_mut().iter_mut().zip(&self.hidden) {
            if hidden {
                *value = 0.0;
            }
        }
        seen
    }
}

/// One of the labels that occur, each as likely; `None` without neurons.
fn chosen_region(regions: &[usize], seed: u64) -> Option<usize> {
    let labels: Vec<usize> = std::collections::BTreeSet::from_iter(regions.iter().copied()).into_iter().collect();
    let index = (uniform(sub_seed(seed, Topic::Region, 0), 0) * labels.len() as f64) as usize;
    labels.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [40, 50, 60];

    fn regions() -> Vec<usize> {
        (0..SHAPE[2]).map(|neuron| [7, 2, 9][neuron % 3]).collect()
    }

    fn draw(scheme: Scheme, seed: u64) -> Mask {
        Mask::draw(SHAPE, &regions(), scheme, scheme.ratio(), seed)
    }

    fn at(mask: &Mask, trial: usize, bin: usize, neuron: usize) -> (bool, bool) {
        let index = (trial * SHAPE[1] + bin) * SHAPE[2] + neuron;
        (mask.hidden[index], mask.scored[index])
    }

    fn share(flags: &[bool]) -> f64 {
        flags.iter().filter(|&&flag| flag).count() as f64 / flags.len() as f64
    }

    #[test]
    fn whatever_is_scored_is_hidden_and_the_seed_decides() {
        for scheme in Scheme::ALL {
            let mask = draw(scheme, 5);
            assert!(mask.scored.iter().zip(&mask.hidden).all(|(&scored, &hidden)| hidden || !scored), "{scheme}");
            assert!(mask.scores() > 0);
            assert_eq!(mask, draw(scheme, 5));
            // Inter-region masks have only as many values as there are regions.
            assert!((6..30).any(|seed| draw(scheme, seed) != mask), "{scheme}");
            assert_ne!(
                (0..30).map(|seed| draw(scheme, seed)).collect::<Vec<_>>(),
                (0..30).map(|seed| draw(scheme, seed | 1 << 63)).collect::<Vec<_>>(),
                "{scheme}: the highest bit of the seed counts"
            );
        }
    }

    #[test]
    fn temporal_and_causal_hide_whole_bins_and_score_them() {
        for scheme in [Scheme::Temporal, Scheme::Causal] {
            let mask = draw(scheme, 11);
            assert_eq!(mask.hidden, mask.scored);
            for trial in 0..SHAPE[0] {
                for bin in 0..SHAPE[1] {
                    let first = at(&mask, trial, bin, 0);
                    assert!((0..SHAPE[2]).all(|neuron| at(&mask, trial, bin, neuron) == first));
                }
            }
            // 2000 draws: four standard errors are 0.044.
            assert!((share(&mask.hidden) - scheme.ratio()).abs() < 0.044, "{scheme}: {}", share(&mask.hidden));
            assert_ne!(mask.hidden[..3000], mask.hidden[3000..6000], "each trial has bins of its own");
        }
    }

    #[test]
    fn neuron_hides_whole_neurons_and_scores_them() {
        let mask = draw(Scheme::Neuron, 3);
        assert_eq!(mask.hidden, mask.scored);
        for trial in 0..SHAPE[0] {
            for neuron in 0..SHAPE[2] {
                assert!((0..SHAPE[1]).all(|bin| at(&mask, trial, bin, neuron) == at(&mask, trial, 0, neuron)));
            }
        }
        // 2400 draws: four standard errors are 0.037.
        assert!((share(&mask.hidden) - 0.3).abs() < 0.037, "{}", share(&mask.hidden));
        assert_ne!(mask.hidden[..60], mask.hidden[3000..3060], "each trial has neurons of its own");
    }

    #[test]
    fn inter_region_hides_exactly_one_region_and_every_region_has_its_turn() {
        let regions = regions();
        let mut turns = std::collections::BTreeMap::new();
        for seed in 0..300 {
            let mask = Mask::draw([2, 3, 60], &regions, Scheme::InterRegion, 1.0, seed);
            assert_eq!(mask.hidden, mask.scored);
            let hidden: Vec<usize> = (0..60).filter(|&neuron| mask.hidden[neuron]).collect();
            let region = regions[hidden[0]];
            assert!((0..mask.hidden.len()).all(|i| mask.hidden[i] == (regions[i % 60] == region)));
            *turns.entry(region).or_insert(0) += 1;
        }
        // 300 draws of three: four standard errors are 33.
        assert!(turns.len() == 3 && turns.values().all(|&count: &i32| (count - 100).abs() < 33), "{turns:?}");
    }

    #[test]
    fn intra_region_shows_only_the_rest_of_one_region() {
        let regions = regions();
        let mask = draw(Scheme::IntraRegion, 8);
        let scored: Vec<usize> = (0..mask.scored.len()).filter(|&i| mask.scored[i]).collect();
        let region = regions[scored[0] % 60];
        assert!(scored.iter().all(|i| regions[i % 60] == region), "the loss falls inside one region");
        for (i, (&hidden, &scored)) in mask.hidden.iter().zip(&mask.scored).enumerate() {
            assert_eq!(hidden, scored || regions[i % 60] != region, "place {i}");
        }
        // 20 of 60 neurons belong to the region; 800 draws: four standard errors are 0.065.
        let share = share(&mask.scored) * 3.0;
        assert!((share - 0.3).abs() < 0.065, "{share}");
    }

    #[test]
    fn hidden_counts_are_zero_and_visible_ones_as_they_were() {
        let spikes = Binned::from_fn([2, 3, 4], |trial, bin, neuron| 1.0 + (trial + bin + neuron) as f32);
        let mask = Mask::draw([2, 3, 4], &[0; 4], Scheme::Neuron, 0.5, 1);
        let seen = mask.apply(&spikes);
        for ((&seen, &spikes), &hidden) in seen.values().iter().zip(spikes.values()).zip(mask.hidden()) {
            assert_eq!(seen, if hidden { 0.0 } else { spikes });
        }
    }

    #[test]
    fn names_are_read_back() {
        for (row, scheme) in Scheme::ALL.into_iter().enumerate() {
            assert_eq!((scheme.name().parse(), scheme.row()), (Ok(scheme), row));
        }
        assert!("region".parse::<Scheme>().is_err_and(|e| e.to_string().contains("inter-region")));
    }
}

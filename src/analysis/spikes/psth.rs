//! The peri-stimulus time histogram as a prediction: every trial is the smoothed mean of the training trials.

use super::smoothing::{gaussian, mirrored};
use crate::signals::Binned;

/// Smallest rate per bin, so that the logarithm is finite.
const FLOOR: f64 = 1e-6;

/// Log-rates `[trial, bin, neuron]` of so many trials, all alike: mean counts of the training trials, smoothed over the
/// bins by a Gaussian of this standard deviation (0 smooths nothing) that is mirrored at the ends of the trial.
pub fn psth(training: &Binned, sigma_bins: f64, trials: usize) -> Binned {
    let [_, bins, neurons] = training.shape();
    let mean = training.trial_mean();
    let kernel = gaussian(sigma_bins);
    let log_rate = |bin: usize, neuron: usize| {
        let reach = (kernel.len() / 2) as isize;
        let near = |(i, weight): (usize, &f64)| {
            weight * f64::from(mean.at(0, mirrored(bin as isize + i as isize - reach, bins), neuron))
        };
        kernel.iter().enumerate().map(near).sum::<f64>().max(FLOOR).ln() as f32
    };
    let one: Vec<f32> =
        (0..bins).flat_map(|bin| (0..neurons).map(move |neuron| (bin, neuron))).map(|(b, n)| log_rate(b, n)).collect();
    Binned::new(trials, bins, neurons, one.repeat(trials)).expect("one value for each place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_response_stays_flat_and_a_spike_spreads_by_the_kernel() {
        let flat = Binned::from_fn([4, 7, 1], |_, _, _| 2.0);
        assert!(psth(&flat, 2.0, 3).values().iter().all(|value| (value - 2f32.ln()).abs() < 1e-6));
        let spike = Binned::from_fn([1, 41, 1], |_, bin, _| f32::from(u8::from(bin == 20)));
        let rates = psth(&spike, 2.0, 1);
        let ratio = f64::from(rates.at(0, 22, 0) - rates.at(0, 20, 0));
        assert!((ratio + 0.5).abs() < 1e-6, "e^-1/2 two bins away: {ratio}");
        assert_eq!(rates.at(0, 29, 0), (1e-6f64).ln() as f32, "nothing beyond four standard deviations");
        assert_eq!(psth(&spike, 0.0, 1).at(0, 20, 0), 0.0);
    }

    #[test]
    fn the_trial_is_mirrored_at_its_ends() {
        assert_eq!([-3, -1, 0, 4, 5, 6, 10, 12].map(|bin| mirrored(bin, 5)), [2, 0, 0, 4, 4, 3, 0, 2]);
        assert_eq!([-2, 0, 3].map(|bin| mirrored(bin, 1)), [0; 3]);
    }
}

//! Share of the variance over time that predicted rates explain: R² = 1 - Σ (y - λ)² / Σ (y - mean y)².

use super::{SpikeScoreError, check};
use crate::signals::Binned;

/// R² of each neuron's rate, averaged over trials, for its mean count, `[neuron]`. `None` where that mean does not change
/// over the bins. Log-rates and counts are `[trial, bin, neuron]`.
///
/// # Errors
/// When the shapes differ, or a log-rate or a count is none.
pub fn trial_average_r2(log_rates: &Binned, counts: &Binned) -> Result<Vec<Option<f64>>, SpikeScoreError> {
    check(log_rates, counts)?;
    Ok(r2(&rates(log_rates).trial_mean(), &counts.trial_mean()))
}

/// R² of each neuron's rate in single trials for its counts, `[neuron]`. `None` for a neuron whose count never changes.
///
/// # Errors
/// As [`trial_average_r2`].
pub fn single_trial_r2(log_rates: &Binned, counts: &Binned) -> Result<Vec<Option<f64>>, SpikeScoreError> {
    check(log_rates, counts)?;
    Ok(r2(&rates(log_rates), counts))
}

fn rates(log_rates: &Binned) -> Binned {
    let mut rates = log_rates.clone();
    rates.values_mut().iter_mut().for_each(|value| *value = value.exp());
    rates
}

fn r2(rates: &Binned, counts: &Binned) -> Vec<Option<f64>> {
    let neurons = counts.neurons();
    let means = counts.means();
    let (mut left, mut all) = (vec![0.0; neurons], vec![0.0; neurons]);
    let rows = rates.values().chunks_exact(neurons.max(1)).zip(counts.values().chunks_exact(neurons.max(1)));
    for (rates, counts) in rows {
        for (neuron, (&rate, &count)) in rates.iter().zip(counts).enumerate() {
            left[neuron] += (f64::from(count) - f64::from(rate)).powi(2);
            all[neuron] += (f64::from(count) - means[neuron]).powi(2);
        }
    }
    left.into_iter().zip(all).map(|(left, all)| (all > 0.0).then(|| 1.0 - left / all)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_explains_everything_and_the_mean_nothing() {
        let counts = Binned::from_fn([3, 4, 2], |_, bin, neuron| if neuron == 0 { 1.0 + bin as f32 } else { 2.0 });
        let ln = |binned: &Binned| Binned::from_fn(binned.shape(), |t, b, n| binned.at(t, b, n).ln());
        // Logarithm and exponential of f32 lose 1e-7 of each rate.
        for r2 in [trial_average_r2, single_trial_r2] {
            let perfect = r2(&ln(&counts), &counts).expect("good");
            assert!((perfect[0].expect("changes") - 1.0).abs() < 1e-10 && perfect[1].is_none(), "{perfect:?}");
            let flat = Binned::from_fn(counts.shape(), |_, _, _| 2.5f32.ln());
            assert!(r2(&flat, &counts).expect("good")[0].expect("changes").abs() < 1e-6);
        }
    }

    #[test]
    fn noise_of_single_trials_averages_out() {
        // Even trials have one spike more, odd ones one less: the mean over trials is as predicted.
        let rate = |bin: usize| 2.0 + (bin % 3) as f32;
        let counts = Binned::from_fn([10, 6, 1], |trial, bin, _| rate(bin) + if trial % 2 == 0 { 1.0 } else { -1.0 });
        let log_rates = Binned::from_fn([10, 6, 1], |_, bin, _| rate(bin).ln());
        let average = trial_average_r2(&log_rates, &counts).expect("good")[0].expect("changes");
        let single = single_trial_r2(&log_rates, &counts).expect("good")[0].expect("changes");
        // The variance of the rate is 2/3, that of the noise 1: R² = 1 - 1 / (5/3) = 0.4.
        assert!((average - 1.0).abs() < 1e-6 && (single - 0.4).abs() < 1e-6, "{average} {single}");
    }
}

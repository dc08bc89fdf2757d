use std::collections::HashSet;

use twinscope::stimulus::hash::random_words;

#[test]
fn every_bit_of_the_seed_and_of_the_counters_changes_half_of_the_bits() {
    let mut least = u32::MAX;
    for trial in 0..64u64 {
        let (seed, a, b) = (trial.wrapping_mul(0x9e37_79b9_7f4a_7c15), trial as u32, (trial * 7) as u32);
        let base = random_words(seed, a, b);
        let flips = (0..64).map(|bit| random_words(seed ^ 1 << bit, a, b));
        let flips = flips.chain((0..32).map(|bit| random_words(seed, a ^ 1 << bit, b)));
        let flips = flips.chain((0..32).map(|bit| random_words(seed, a, b ^ 1 << bit)));
        for other in flips {
            let changed: u32 = base.iter().zip(other).map(|(x, y)| (x ^ y).count_ones()).sum();
            least = least.min(changed);
        }
    }
    // 64 of 128 bits on average, standard deviation 5.7; 8192 trials reach 4 deviations, an avalanche in name only
    // would leave whole words untouched.
    assert!(least > 24, "a flipped bit changed only {least} of 128 bits");
}

#[test]
fn words_are_uniform_and_uncorrelated_between_neighbours() {
    for word in 0..4 {
        let values: Vec<f64> =
            (0..1 << 16).map(|a| f64::from(random_words(5, a & 0xff, a >> 8)[word]) / 2f64.powi(32) - 0.5).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / n;
        // Standard errors: 1/sqrt(12 n) = 0.0011, 1/sqrt(180 n) = 0.0003, and 1/sqrt(n) = 0.004; five of each.
        assert!(mean.abs() < 0.0056, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.0015, "{variance}");
        for lag in [1, 2, 255, 256] {
            let products: f64 = values.iter().zip(&values[lag..]).map(|(a, b)| a * b).sum();
            assert!((12.0 * products / n).abs() < 0.02, "word {word} lag {lag}: {}", 12.0 * products / n);
        }
    }
}

#[test]
fn no_two_of_a_million_counters_or_seeds_share_their_words() {
    let mut seen = HashSet::new();
    for i in 0..250_000u64 {
        assert!(seen.insert(random_words(i, 0, 0)), "seed {i}");
        assert!(seen.insert(random_words((i + 1) << 32, 0, 0)), "seed {i} << 32");
        assert!(seen.insert(random_words(0, i as u32 + 1, 0)), "counter a {i}");
        assert!(seen.insert(random_words(0, 0, i as u32 + 1)), "counter b {i}");
    }
}

#[test]
fn the_words_are_those_of_the_published_version_of_this_program() {
    // Outcomes store seeds: a change here changes what every stored seed means.
    assert_eq!(random_words(0, 0, 0), GOLDEN_0);
    assert_eq!(random_words(0x0123_4567_89ab_cdef, 7, 42), GOLDEN_1);
}

// From the same formula in Python's unbounded integers.
const GOLDEN_0: [u32; 4] = [251852587, 760654399, 850458251, 3542457295];
const GOLDEN_1: [u32; 4] = [20722491, 2247863008, 4201075158, 1227252215];

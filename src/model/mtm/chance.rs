//! Random numbers by counting: each is a function of the seed, a topic, and its place alone.

use crate::stimulus::hash::random_words;

/// What is drawn; keeps numbers for different purposes apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    /// Which bins are hidden.
    Bins = 1,
    /// Which neurons are hidden.
    Neurons,
    /// Which region is chosen.
    Region,
    /// Start values of weights.
    Weights,
    /// What is dropped out.
    Dropout,
}

/// A seed of 64 bits for a topic and a place under another seed.
pub(super) fn sub_seed(seed: u64, topic: Topic, place: u32) -> u64 {
    let [low, high, ..] = random_words(seed, topic as u32, place);
    u64::from(high) << 32 | u64::from(low)
}

/// Uniform in 0..1, never 0 or 1, with 32 bits.
pub(super) fn uniform(seed: u64, index: u64) -> f64 {
    let [word, ..] = random_words(seed, index as u32, (index >> 32) as u32);
    open_interval(word)
}

/// Normal of mean 0 and standard deviation 1 (Box and Muller 1958).
pub(super) fn normal(seed: u64, index: u64) -> f64 {
    let [a, b, ..] = random_words(seed, index as u32, (index >> 32) as u32);
    (-2.0 * open_interval(a).ln()).sqrt() * (std::f64::consts::TAU * open_interval(b)).cos()
}

fn open_interval(word: u32) -> f64 {
    (f64::from(word) + 0.5) / 4_294_967_296.0
}

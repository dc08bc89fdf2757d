//! The test fill: a whole network and its inputs from one small seed, the same bits on every machine.
//!
//! For tests and benchmarks that need full-size weights without a file. [`initial`](super::initial) is where
//! training starts.

use super::published::rows_as_units;
use super::start::{start_values, state_dict};
use super::{StateDict, TwinCard, TwinWeights};
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::Entry;
use crate::signals::{Behavior, Movie, Raster, Responses};

/// Hash of seed, key and element. A counter, not a stream: elements can be asked for in any order.
pub fn hash(seed: u32, key: u32, element: u32) -> u32 {
    mix(mix(mix(seed).wrapping_add(key.wrapping_mul(0x9E37_79B1))).wrapping_add(element.wrapping_mul(0x85EB_CA6B)))
}

/// The upper 24 bits of a hash as a number in -1..1, exactly.
pub fn unit(hash: u32) -> f32 {
    ((hash >> 8) as i32 - (1 << 23)) as f32 * (-23f32).exp2()
}

/// The integer mixer "lowbias32".
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// A network whose every parameter differs from its start; buffers have the values they always have.
pub fn filled(config: &TwinConfig, units: usize, seed: u32) -> StateDict {
    state_dict(config, units, |index, entry| filled_values(config, entry, index, seed))
}

/// The same as a complete twin, whose card says what it is. Units are the rows of the readout.
///
/// # Panics
/// When the configuration was never checked and describes no possible network, or one with so many units was not
/// ([`TwinConfig::check_units`]).
pub fn filled_twin(config: &TwinConfig, units: usize, seed: u32) -> TwinWeights {
    let card = TwinCard {
        name: "Test fill".to_owned(),
        simulated: false,
        raster: Raster::WANG2025,
        note: format!("Deterministic test fill with seed {seed}: reproducible numbers that know nothing."),
    };
    let state = filled(config, units, seed);
    TwinWeights::new(config.clone(), state, rows_as_units((0, 0), units), card)
        .expect("the fill has every entry of its configuration")
}

fn filled_values(config: &TwinConfig, entry: &Entry, index: usize, seed: u32) -> Vec<f32> {
    let Some(fill) = &entry.fill else { return start_values(config, entry, index, 0) };
    let offsets = fill.offset.iter().copied().cycle();
    // The scale is a power of two: the product is exact, the sum is the only rounding.
    (0..entry.len())
        .zip(offsets)
        .map(|(e, offset)| offset + fill.scale * unit(hash(seed, index as u32, e as u32)))
        .collect()
}

/// Inputs of the test fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Squares of six pixels on the published raster, redrawn every other frame.
    pub movie: Movie,
    /// Gaze (perspective) and state (modulation) in -2..2.
    pub behavior: Behavior,
    /// Recorded responses in 0..2, for losses.
    pub target: Responses,
}

/// Keys of the four inputs, beyond the index of every parameter.
const VIDEO: u32 = 0xFFFF_0001;
const PERSPECTIVE: u32 = 0xFFFF_0002;
const MODULATION: u32 = 0xFFFF_0003;
const TARGET: u32 = 0xFFFF_0004;

/// Movie, behaviour and targets for a filled network.
pub fn inputs(seed: u32, frames: usize, samples: usize, units: usize) -> Inputs {
    const SQUARE: usize = 6;
    let raster = Raster::WANG2025;
    let (rows, columns) = (raster.height.div_ceil(SQUARE), raster.width.div_ceil(SQUARE));
    let mut pixels = Vec::with_capacity(frames * samples * raster.pixels());
    for t in 0..frames {
        for n in 0..samples {
            for y in 0..raster.height {
                for x in 0..raster.width {
                    let square = (((t / 2) * samples + n) * rows + y / SQUARE) * columns + x / SQUARE;
                    pixels.push((hash(seed, VIDEO, square as u32) >> 24) as u8);
                }
            }
        }
    }
    let pairs = |key| {
        let value = move |e: usize| 2.0 * unit(hash(seed, key, e as u32));
        (0..frames * samples).map(|i| [value(2 * i), value(2 * i + 1)]).collect::<Vec<_>>()
    };
    let target = (0..frames * samples * units).map(|e| 1.0 + unit(hash(seed, TARGET, e as u32))).collect();
    Inputs {
        movie: Movie::new(raster, frames, samples, pixels).expect("one grey level was pushed a pixel"),
        behavior: Behavior::new(frames, samples, pairs(PERSPECTIVE), pairs(MODULATION)).expect("one pair a sample"),
        target: Responses::new(frames, samples, units, target).expect("one value a unit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u32 = 20_250_409;

    #[test]
    fn the_mixer_and_the_hash_give_the_published_words() {
        assert_eq!([0, 1, 2, SEED].map(mix), [0, 0x6889_90C0, 0xD113_2181, 0xA385_051F]);
        let row = |key| [0, 1, 2, 3].map(|e| hash(SEED, key, e));
        assert_eq!(row(0), [0x9BB8_0DCB, 0xCDF0_47A7, 0x20C6_F7A0, 0x6305_7533]);
        assert_eq!(row(17), [0x159D_A702, 0xDED5_B993, 0xEB88_9670, 0x9680_3250]);
        assert_eq!(row(0xFFFF_0001), [0x75FD_FAB2, 0x0AA5_0DB4, 0x6D2E_CF76, 0x4E2A_5480]);
    }

    #[test]
    fn a_hash_becomes_an_exact_number_between_minus_one_and_one() {
        let values = [0, 1, 2, 3].map(|e| unit(hash(SEED, 0, e)));
        assert_eq!(values, [0.216_554_28, 0.608_895_2, -0.743_928_1, -0.226_395_96]);
        assert_eq!((unit(0), unit(u32::MAX)), (-1.0, 1.0 - (-23f32).exp2()));
    }

    #[test]
    fn filled_parameters_follow_their_rule_and_do_not_depend_on_the_units() {
        let config = TwinConfig::microns();
        let state = filled(&config, 3, SEED);
        let first = state.values("core.feedforward.inputs.0.weights.0");
        assert_eq!(first[0], 0.125 * 0.216_554_28);
        assert_eq!(
            state.values("core.feedforward.inputs.2.biases.3"),
            filled(&config, 1, SEED).values("core.feedforward.inputs.2.biases.3")
        );
        // Offsets are cycled: the monitor stands half a unit away along z only.
        let center = state.values("perspective.monitor.center");
        assert!(center[0].abs() <= 1.0 / 32.0 && (center[2] - 0.5).abs() <= 1.0 / 32.0, "{center:?}");
        assert_eq!(state.values("perspective.monitor_pixel.power"), [1.7]);
        let mask = state.values("core.recurrent.proj_x.0.mask");
        assert_eq!((mask.len(), mask.iter().sum::<f32>(), mask[0], mask[9], mask[1]), (64, 56.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn inputs_have_their_sizes_and_squares() {
        let inputs = inputs(SEED, 3, 2, 5);
        assert_eq!((inputs.movie.frames(), inputs.movie.samples(), inputs.target.units()), (3, 2, 5));
        assert_eq!(inputs.movie.frame(0), inputs.movie.frame(1));
        assert_ne!(inputs.movie.frame(0), inputs.movie.frame(2));
        assert_eq!(inputs.movie.pixels()[..7], [0x75, 0x75, 0x75, 0x75, 0x75, 0x75, 0x0A]);
        let gaze = inputs.behavior.gaze(0)[0];
        assert_eq!(gaze, [2.0 * unit(hash(SEED, PERSPECTIVE, 0)), 2.0 * unit(hash(SEED, PERSPECTIVE, 1))]);
    }

    #[test]
    fn start_values_stay_inside_their_bounds_and_fill_them() {
        let config = TwinConfig::microns();
        let state = super::super::initial(&config, 2, 7);
        let weights = state.values("core.feedforward.blocks.0.convs.0.weights.0");
        let bound = (1.0 / (32.0 * 27.0f32)).sqrt();
        let largest = weights.iter().fold(0.0f32, |m, w| m.max(w.abs()));
        let mean = weights.iter().sum::<f32>() / weights.len() as f32;
        // 27,648 uniform draws: the largest comes within 0.1 % of the bound, the mean within four standard errors.
        assert!(largest <= bound && largest > 0.999 * bound, "{largest} against {bound}");
        assert!(mean.abs() < 4.0 * bound / (3.0 * weights.len() as f32).sqrt(), "{mean}");
        assert_ne!(weights, state.values("core.feedforward.blocks.0.convs.0.weights.1"));
        assert_eq!(state, super::super::initial(&config, 2, 7));
        assert_eq!(state.values("readout.position.sigma"), [0.4, 0.0, 0.0, 0.4, 0.4, 0.0, 0.0, 0.4]);
        assert_eq!(state.values("modulation.lstm.proj_f.biases.0"), [1.0; 16]);
    }
}

//! A twin before training, and the constants it carries along.

use super::{NamedTensor, StateDict};
use crate::model::twin::TwinConfig;
use crate::model::twin::config::PerspectiveConfig;
use crate::model::twin::parameters::{Entry, Init, entries};

/// Start values of an untrained twin (Wang et al. 2025): uniform weights, constant gains and biases, silent
/// features. Every number is a function of the seed, the entry and the element alone.
///
/// An untrained twin answers exactly 1 to everything: its readout has no features yet.
pub fn initial(config: &TwinConfig, units: usize, seed: u64) -> StateDict {
    state_dict(config, units, |index, entry| start_values(config, entry, index, seed))
}

/// A state dict with the values that `values(index, entry)` gives.
pub(super) fn state_dict(config: &TwinConfig, units: usize, values: impl Fn(usize, &Entry) -> Vec<f32>) -> StateDict {
    let tensors = entries(config, units)
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let values = values(index, &entry);
            (entry.key, NamedTensor { shape: entry.shape, values })
        })
        .collect();
    StateDict { tensors }
}

/// The values of one entry before training; for a buffer, the values it always has.
pub(super) fn start_values(config: &TwinConfig, entry: &Entry, index: usize, seed: u64) -> Vec<f32> {
    let elements = entry.len();
    match &entry.init {
        Init::Constant(cycle) => cycle.iter().copied().cycle().take(elements).collect(),
        Init::Uniform { bound } => {
            let key = scramble(scramble(seed).wrapping_add(index as u64));
            let draw = |e| (scramble(key ^ scramble(e)) >> 11) as f64 * (-53f64).exp2();
            (0..elements as u64).map(|e| (bound * (2.0 * draw(e) - 1.0)) as f32).collect()
        }
        Init::OffDiagonal => {
            let (rows, columns) = (entry.shape[0], entry.shape[1]);
            let inside = elements / (rows * columns);
            let value = |e: usize| if e / inside / columns == e / inside % columns { 0.0 } else { 1.0 };
            (0..elements).map(value).collect()
        }
        Init::RetinaRays => retina_rays(&config.perspective),
    }
}

/// Viewing direction of every pixel of the retina image, unit vectors `[height, width, 3]`: x to the right, y down,
/// z along the line of sight. The angle from the line of sight is proportional to the distance from the image
/// centre (`degrees` at the edge along x) and ends at 90 degrees. Computed in f64, rounded once.
pub fn retina_rays(retina: &PerspectiveConfig) -> Vec<f32> {
    let (height, width) = (retina.height, retina.width);
    let mut rays = Vec::with_capacity(height * width * 3);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = retina_position(height, width, row, column);
            let angle = (x.hypot(y) * (retina.degrees / 180.0) * std::f64::consts::PI).min(std::f64::consts::FRAC_PI_2);
            let direction = y.atan2(x);
            rays.push((angle.sin() * direction.cos()) as f32);
            rays.push((angle.sin() * direction.sin()) as f32);
            rays.push(angle.cos() as f32);
        }
    }
    rays
}

/// Position of a retina pixel as a fraction of half the image width. The factor `(width - 1) / width` is that of the
/// published network on both axes.
pub(super) fn retina_position(height: usize, width: usize, row: usize, column: usize) -> (f64, f64) {
    // A single row or column stands at -1, as in every linspace of one point.
    let along = |i: usize, n: usize| if n == 1 { -1.0 } else { 2.0 * i as f64 / (n - 1) as f64 - 1.0 };
    let (h, w) = (height as f64, width as f64);
    let shrink = (w - 1.0) / w;
    (along(column, width) * shrink, along(row, height) * h / w * shrink)
}

/// SplitMix64's finaliser: a bijection that spreads every input bit over all output bits.
fn scramble(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

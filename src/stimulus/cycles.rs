//! Waves by fixed-point phase: a phase is a fraction of a cycle in units of 2^-32, so sums wrap around by themselves and
//! are the same bits on every machine and in `shaders/shared/cycles.wgsl`.

use std::f64::consts::TAU;

use super::drawing::fixed;
use crate::signals::{Degrees, Monitor};

const QUARTER_CYCLE: u32 = 1 << 30;

/// Steepest ramp of a square wave: it stays finite where the wave does not change over the screen.
const STEEPEST: f64 = 1.0;

/// Phase that falls steadily, so that what it belongs to moves onward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Drift {
    /// Phase at onset, cycles.
    onset: f64,
    cycles_per_frame: f64,
}

impl Drift {
    pub(super) fn new(phase_deg: Degrees, cycles_per_sec: f64, monitor: &Monitor) -> Self {
        Self { onset: phase_deg / 360.0, cycles_per_frame: cycles_per_sec / monitor.frame_rate.0 }
    }

    /// Phase at a frame; frame 0 is the onset.
    pub(super) fn phase(self, frame: usize) -> u32 {
        fixed(self.onset - self.cycles_per_frame * frame as f64)
    }
}

/// Distance from the nearest whole cycle, 0 to half a cycle.
fn from_whole_cycle(phase: u32) -> u32 {
    phase.min(phase.wrapping_neg())
}

/// cos(2 pi t) to 1e-12, exactly 1, 0 and -1 where it should be.
///
/// Taylor series within an eighth of a cycle, instead of the cosine of the platform, whose last bit differs between
/// machines; compilers also draw several pixels at once with it.
#[inline]
pub(super) fn cosine_of_cycles(phase: u32) -> f64 {
    let away = from_whole_cycle(phase);
    let folded = away.min(2 * QUARTER_CYCLE - away);
    let near = folded <= QUARTER_CYCLE / 2;
    let x = f64::from(if near { folded } else { QUARTER_CYCLE - folded }) * (TAU / 4_294_967_296.0);
    let s = x * x;
    // Products of the inverse integers: 1 / ((2k - 1) 2k), then 1 / (2k (2k + 1)).
    let series = |k: [f64; 6]| k.iter().rev().fold(1.0, |sum, k| 1.0 - s * k * sum);
    let cosine = series([1.0 / 2.0, 1.0 / 12.0, 1.0 / 30.0, 1.0 / 56.0, 1.0 / 90.0, 1.0 / 132.0]);
    let sine = x * series([1.0 / 6.0, 1.0 / 20.0, 1.0 / 42.0, 1.0 / 72.0, 1.0 / 110.0, 1.0 / 156.0]);
    let size = if near { cosine } else { sine };
    if away > QUARTER_CYCLE { -size } else { size }
}

/// Square wave with the sign of the cosine; each edge is a linear ramp, see [`ramp`].
#[inline]
pub(super) fn square_of_cycles(phase: u32, slope: f32) -> f32 {
    // Half a cycle does not fit into an i32; the difference wraps back to the right number.
    let from_edge = (QUARTER_CYCLE as i32).wrapping_sub(from_whole_cycle(phase) as i32);
    (from_edge as f32 * slope).clamp(-1.0, 1.0)
}

/// Slope of a ramp from -1 to 1 that is so many cycles wide, per 2^-32 cycles.
pub(super) fn ramp(cycles: f64) -> f32 {
    (2.0 / (cycles * 4_294_967_296.0)).min(STEEPEST) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_is_that_of_the_platform_and_exact_at_its_extremes() {
        for k in 0..100_000u32 {
            let phase = k.wrapping_mul(2_654_435_761);
            let expected = (TAU * f64::from(phase) / 4_294_967_296.0).cos();
            assert!((cosine_of_cycles(phase) - expected).abs() < 2e-12, "{phase}");
        }
        for (phase, expected) in [(0, 1.0), (1 << 30, 0.0), (1 << 31, -1.0), (3 << 30, 0.0)] {
            assert_eq!(cosine_of_cycles(phase), expected);
        }
    }

    #[test]
    fn the_square_wave_has_ramps_of_the_width_asked_for() {
        let slope = ramp(0.02);
        for (at, expected) in [(0.0, 1.0), (0.239, 1.0), (0.25, 0.0), (0.255, -0.5), (0.261, -1.0), (0.745, -0.5)] {
            let found = square_of_cycles(fixed(at), slope);
            assert!((f64::from(found) - expected).abs() < 1e-6, "{at}: {found}");
        }
        assert_eq!(square_of_cycles(fixed(0.25), ramp(0.0)), 0.0);
        assert_eq!(square_of_cycles(fixed(0.24), ramp(0.0)), 1.0);
    }
}

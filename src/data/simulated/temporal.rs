//! Temporal filters: a pair in quadrature for every unit, t² e^{-t/τ} times a cosine or a sine of the preferred
//! temporal frequency.

use std::f64::consts::TAU;

use crate::signals::FrameRate;

/// Time constant of the envelope, seconds.
const TAU_SECS: f64 = 0.07;
/// Longest memory, seconds: the envelope has then fallen to 7 % of its peak at 0.14 s.
const MEMORY_SECS: f64 = 0.53;
/// Time of the filters' common phase zero, seconds: near the start of the envelope's flank.
const PHASE_ZERO_SECS: f64 = 0.06;

/// Filters of many channels, most recent frame first.
#[derive(Debug, Clone)]
pub(super) struct TemporalFilters {
    channels: usize,
    taps: usize,
    /// `[tap, channel]`.
    cosine: Vec<f32>,
    sine: Vec<f32>,
}

impl TemporalFilters {
    /// Filters for these temporal frequencies, Hz, at a frame rate.
    pub(super) fn new(frequencies: &[f64], rate: FrameRate) -> Self {
        let taps = rate.frames_in(MEMORY_SECS).max(2);
        let channels = frequencies.len();
        let mut filters = Self { channels, taps, cosine: vec![0.0; taps * channels], sine: vec![0.0; taps * channels] };
        let secs = |tap: usize| rate.secs_at(tap);
        let half = 0.5 * rate.secs_at(1);
        let envelope: Vec<f64> =
            (0..taps).map(|tap| (secs(tap) + half).powi(2) * (-secs(tap) / TAU_SECS).exp()).collect();
        let mass: f64 = envelope.iter().sum();
        for (channel, &frequency) in frequencies.iter().enumerate() {
            let fill = |wave: fn(f64) -> f64, values: &mut [f32]| {
                let wave = |tap: usize| wave(TAU * frequency * (secs(tap) - PHASE_ZERO_SECS));
                // Without a response to what stands still.
                let mean = (0..taps).map(|tap| wave(tap) * envelope[tap]).sum::<f64>() / mass;
                for tap in 0..taps {
                    values[tap * channels + channel] = ((wave(tap) - mean) * envelope[tap] / mass) as f32;
                }
            };
            fill(f64::cos, &mut filters.cosine);
            fill(f64::sin, &mut filters.sine);
        }
        filters
    }

    /// Frames that a response depends on.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// Outputs of both filters, `[channel]` each, at a time when `past(tap)` were the channels so many frames ago.
    pub(super) fn apply<'a>(&self, past: impl Fn(usize) -> &'a [f32], [cosine, sine]: &mut [Vec<f32>; 2]) {
        cosine.fill(0.0);
        sine.fill(0.0);
        for tap in 0..self.taps {
            let input = &past(tap)[..self.channels];
            let (c, s) = (&self.cosine[tap * self.channels..], &self.sine[tap * self.channels..]);
            for (((cosine, sine), &x), (&c, &s)) in
                cosine.iter_mut().zip(sine.iter_mut()).zip(input).zip(c.iter().zip(s))
            {
                *cosine += c * x;
                *sine += s * x;
            }
        }
    }
}

//! How channels lie in memory: those of a group side by side, each group filled up to whole vectors.

use super::simd::Kernel;

/// Channels of one stream, in groups padded with channels that stay zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channels {
    /// Groups.
    pub groups: usize,
    /// Channels of the network in a group.
    pub real: usize,
    /// Numbers in memory for a group.
    pub padded: usize,
}

impl Channels {
    /// `channels` in `groups` equal groups.
    pub fn new(kernel: Kernel, channels: usize, groups: usize) -> Self {
        let real = channels / groups;
        Self { groups, real, padded: real.next_multiple_of(kernel.lanes()) }
    }

    /// Numbers in a pixel.
    pub fn stride(self) -> usize {
        self.groups * self.padded
    }

    /// The network's channel at a place in a pixel; `None` in the padding.
    pub fn real_at(self, place: usize) -> Option<usize> {
        let (group, channel) = (place / self.padded, place % self.padded);
        (channel < self.real).then_some(group * self.real + channel)
    }

    /// Spreads one value a channel over a pixel.
    pub fn spread(self, values: &[f32]) -> Vec<f32> {
        (0..self.stride()).map(|place| self.real_at(place).map_or(0.0, |channel| values[channel])).collect()
    }

    /// Picks the network's channels of `[pixel, place]` as `[channel, pixel]`.
    pub fn gather(self, pixels: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(pixels.len());
        for place in (0..self.stride()).filter(|&place| self.real_at(place).is_some()) {
            out.extend(pixels.iter().skip(place).step_by(self.stride()));
        }
        out
    }
}

//! Biases of a layer, spread over padded channels.

use std::ops::Range;

use super::super::buffer::{Buffer, Shared};
use super::super::channels::Channels;
use super::linear::{sum_of_frames, sums_by_frame};
use super::parameters::Table;
use super::room::{Context, Room};
use crate::model::twin::parameters::Layer;

/// Biases of one stream of a layer; zeros where the layer has none.
#[derive(Debug)]
pub(super) struct Bias {
    range: Option<Range<usize>>,
    channels: Channels,
    values: Buffer,
}

impl Bias {
    /// Biases of a layer whose outputs lie as told.
    pub fn new(layer: &Layer, table: &Table, stream: usize, channels: Channels) -> Self {
        let range = layer.bias.map(|_| table.at(&format!("{}.biases.{stream}", layer.name)));
        Self { range, channels, values: Buffer::zeros(channels.stride()) }
    }

    /// Reads the values of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        let Some(range) = &self.range else { return };
        let values = &effective[range.clone()];
        for (place, value) in self.values.iter_mut().enumerate() {
            *value = self.channels.real_at(place).map_or(0.0, |channel| values[channel]);
        }
    }

    /// One number for each place in a pixel.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Adds sums over everything, one for each place in a pixel, to the gradient.
    pub fn scatter(&self, sums: impl Iterator<Item = f32>, flat: &mut [f32]) {
        let Some(range) = &self.range else { return };
        for (place, sum) in sums.enumerate() {
            if let Some(channel) = self.channels.real_at(place) {
                flat[range.start + channel] += sum;
            }
        }
    }

    /// Adds the sums of `rows` rows of each of `frames` frames.
    ///
    /// # Safety
    /// The rows exist, and nobody writes them meanwhile.
    pub unsafe fn gradient(
        &self,
        context: Context<'_>,
        size: (usize, usize),
        rows: (Shared, usize),
        room: &mut Room,
        flat: &mut [f32],
    ) {
        if self.range.is_some() {
            let n = self.channels.stride();
            let sums = room.fit(size.0 * n);
            // SAFETY: the caller's rows.
            unsafe { sums_by_frame(context, size, rows, n, sums) };
            self.scatter(sum_of_frames(sums, n), flat);
        }
    }
}

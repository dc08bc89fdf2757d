//! The weights of one group of the recurrent core, as its products read them.

use super::super::buffer::Buffer;
use super::super::channels::Channels;
use super::super::simd::Kernel;
use super::convolution::Convolution;
use super::parameters::Table;
use super::weights::Weights;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// The layers that one group of the recurrent core has to itself.
#[derive(Debug)]
pub(super) struct Group {
    /// To the x of this group from the hidden state of all others; nothing where there is one group only.
    pub heard: Option<Weights>,
    /// To the hidden state of this group: its transpose, from the x of all others.
    pub told: Option<Weights>,
    pub convolution: Convolution,
    pub attended: Weights,
    pub scale_start: usize,
    pub scale: Buffer,
    pub gates: Weights,
    pub gate_bias: Buffer,
    /// Parameter of each place of the bias.
    pub gate_bias_places: Vec<Option<usize>>,
}

impl Group {
    /// Layers of one group of a stream; `start` tells where the weights of a part of the recurrent core begin.
    pub fn new(
        kernel: Kernel,
        (map, groups): (Raster, usize),
        (x, hidden, common): (Channels, Channels, Channels),
        (conv, table, stream): (&Layer, &Table, usize),
        start: &dyn Fn(&str) -> usize,
        group: usize,
    ) -> Self {
        let (xp, hp, zp) = (x.padded, hidden.padded, common.padded);
        let inside = |place: usize, channels: Channels| (place < channels.real).then_some(place);
        // Weight to `o` of group `to` from `i` of group `from`.
        let between = |to: usize, from: usize, o: usize, i: usize| {
            let (o, i) = (inside(o, x)?, inside(i, hidden)?);
            let other = from - usize::from(from > to);
            Some(start("proj_x.0") + ((to * (groups - 1) + other) * x.real + o) * hidden.real + i)
        };
        let other = |place: usize| place + usize::from(place >= group);
        let sizes = |n: usize| [group * n, (groups - group - 1) * n];
        let heard = |k: usize, o: usize| between(group, other(k / hp), o, k % hp);
        let told = |k: usize, o: usize| between(other(k / xp), group, k % xp, o);
        let weights_of = |o: usize, inputs: usize| (group * common.real + o) * inputs;
        let gate = |o: usize| Some((["proj_i", "proj_f", "proj_g", "proj_o"][o / hp], inside(o % hp, hidden)?));
        let biases = (0..4 * hp).map(|o| {
            let (name, o) = gate(o)?;
            Some(table.at(&format!("core.recurrent.{name}.biases.{stream}")).start + group * hidden.real + o)
        });
        let starts = ["proj_q", "proj_k", "proj_v"].map(start);
        let gate_starts = ["proj_i", "proj_f", "proj_g", "proj_o"].map(start);
        Self {
            heard: (groups > 1).then(|| Weights::new(kernel, &sizes(hp), xp, heard)),
            told: (groups > 1).then(|| Weights::new(kernel, &sizes(xp), hp, told)),
            convolution: Convolution::of_group(kernel, (conv, table, stream), map, xp + hp, common, group, |place| {
                if place < xp { inside(place, x) } else { Some(x.real + inside(place - xp, hidden)?) }
            }),
            attended: Weights::new(kernel, &[zp], 3 * zp, |k, o| {
                let (k, from) = (inside(k, common)?, starts[o / zp]);
                Some(from + weights_of(inside(o % zp, common)?, common.real) + k)
            }),
            scale_start: table.at(&format!("core.recurrent.scales.{stream}")).start + group * common.real,
            scale: Buffer::zeros(zp),
            gates: Weights::new(kernel, &[zp, zp], 4 * hp, |k, o| {
                let (part, k) = (k / zp, inside(k % zp, common)?);
                let o_real = group * hidden.real + inside(o % hp, hidden)?;
                Some(gate_starts[o / hp] + (o_real * 2 + part) * common.real + k)
            }),
            gate_bias: Buffer::zeros(4 * hp),
            gate_bias_places: biases.collect(),
        }
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, common: Channels, effective: &[f32]) {
        let weights = [&mut self.heard, &mut self.told];
        weights.into_iter().flatten().for_each(|weights| weights.pack(effective));
        self.convolution.pack(effective);
        self.attended.pack(effective);
        self.gates.pack(effective);
        self.scale[..common.real].copy_from_slice(&effective[self.scale_start..][..common.real]);
        for (value, place) in self.gate_bias.iter_mut().zip(&self.gate_bias_places) {
            *value = place.map_or(0.0, |place| effective[place]);
        }
    }
}

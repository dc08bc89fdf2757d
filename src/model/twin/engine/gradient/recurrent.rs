//! The recurrent core of one stream over a whole clip.
//!
//! Only the loop over frames is sequential, and inside a frame the groups are independent. Weight gradients are
//! products over all frames at once, after the loop.

use rayon::prelude::*;

use super::super::buffer::{Buffer, Shared};
use super::super::channels::Channels;
use super::super::math::tanh_rows;
use super::super::product::{Pixels, Segment, Start, product};
use super::super::simd::Kernel;
use super::attention::Attention;
use super::bias::Bias;
use super::cell::{add_rows, remember, remember_back, tanh_back};
use super::group::Group;
use super::linear::{From, Source, linear, sums_by_frame, weight_gradient};
use super::parameters::Table;
use super::room::{Context, Pictures, Room};
use super::weights::Weights;
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// The weights of one stream.
#[derive(Debug)]
pub(super) struct Recurrent {
    map: Raster,
    x: Channels,
    hidden: Channels,
    common: Channels,
    groups: Vec<Group>,
    /// Dense, from the feedforward core.
    from_feedforward: Weights,
    bias: Bias,
    from_modulation: FromModulation,
    out: Weights,
    out_bias: Bias,
    learns: Learns,
}

/// The input from behaviour: the same everywhere on the map.
#[derive(Debug)]
struct FromModulation {
    start: usize,
    features: usize,
    /// `[feature, place in x]`.
    columns: Vec<Buffer>,
}

/// What is learned.
#[derive(Debug, Default)]
struct Learns {
    heard: bool,
    feedforward: bool,
    modulation: bool,
    attended: bool,
    scale: bool,
    gates: bool,
    out: bool,
    convolution: bool,
}

/// Everything that the way back needs of a clip, and the gradients on that way.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// `[frame, x]`: bias of x.
    bias: Room,
    /// `[frame, pixel, x]` before its tanh; the gradient of that on the way back.
    x: Room,
    /// `[frame, pixel, group, x and hidden]`: input of the convolution.
    both: Room,
    /// `[frame + 1, pixel, hidden]`, zero at first.
    hidden: Room,
    cell: Room,
    /// `[frame, pixel, group, z and answer]`.
    answered: Room,
    /// `[frame, pixel, group, q, k, v]`; their gradients on the way back.
    asked: Room,
    /// `[frame, pixel, group, i, f, g, o]`; their gradients on the way back.
    gates: Room,
    /// `[frame, pixel, channel]`: what is handed on, and its gradient.
    pub out: Room,
    pub out_back: Room,
    hidden_back: Room,
    cell_back: Room,
    /// `[frame, pixel, z]`.
    z_back: Room,
    /// `[pixel, group, x and hidden]`.
    both_back: Room,
    scale_back: Room,
    sums: Room,
    /// `[frame, feature]`: gradient of the modulation.
    pub modulation_back: Vec<f32>,
}

/// Addresses of a tape, for the tasks of one frame.
#[derive(Clone, Copy)]
struct Places {
    x: Shared,
    both: Shared,
    hidden: Shared,
    cell: Shared,
    answered: Shared,
    asked: Shared,
    gates: Shared,
    hidden_back: Shared,
    cell_back: Shared,
    z_back: Shared,
    both_back: Shared,
    scale_back: Shared,
}

impl Tape {
    fn places(&mut self) -> Places {
        Places {
            x: self.x.shared(),
            both: self.both.shared(),
            hidden: self.hidden.shared(),
            cell: self.cell.shared(),
            answered: self.answered.shared(),
            asked: self.asked.shared(),
            gates: self.gates.shared(),
            hidden_back: self.hidden_back.shared(),
            cell_back: self.cell_back.shared(),
            z_back: self.z_back.shared(),
            both_back: self.both_back.shared(),
            scale_back: self.scale_back.shared(),
        }
    }
}

impl Recurrent {
    /// The layers of a stream; `feedforward` numbers come in for every pixel.
    pub fn new(
        kernel: Kernel,
        config: &TwinConfig,
        layers: &[Layer],
        table: &Table,
        stream: usize,
        feedforward: usize,
    ) -> Self {
        let r = &config.core.recurrent;
        let map = config.map();
        let find = |part: &str| {
            let name = format!("core.recurrent.{part}");
            layers.iter().find(|layer| layer.name == name).expect("the table of layers has every part")
        };
        let start = |part: &str| table.at(&format!("core.recurrent.{part}.weights.{stream}")).start;
        let channels = |n| Channels::new(kernel, n, r.groups);
        let (x, hidden, common) = (channels(r.in_channels), channels(r.hidden_channels), channels(r.common_channels));
        let first = usize::from(r.groups > 1);
        let (from_ff, from_mod) = (format!("proj_x.{first}"), format!("proj_x.{}", first + 1));
        let (ff_start, ff_inputs) = (start(&from_ff), config.core.feedforward.out_channels);
        let out_channels = Channels::new(kernel, r.out_channels, 1);
        let out_start = start("out");
        let groups = (0..r.groups).map(|group| {
            Group::new(kernel, (map, r.groups), (x, hidden, common), (find("conv"), table, stream), &start, group)
        });
        Self {
            map,
            x,
            hidden,
            common,
            groups: groups.collect(),
            from_feedforward: Weights::new(kernel, &[feedforward], x.stride(), |k, o| {
                let (k, o) = ((k < ff_inputs).then_some(k)?, x.real_at(o)?);
                Some(ff_start + o * ff_inputs + k)
            }),
            bias: Bias::new(find(&from_ff), table, stream, x),
            from_modulation: FromModulation {
                start: start(&from_mod),
                features: config.modulation.lstm_features,
                columns: (0..config.modulation.lstm_features).map(|_| Buffer::zeros(x.stride())).collect(),
            },
            out: Weights::new(kernel, &[hidden.stride()], out_channels.stride(), |k, o| {
                let (k, o) = (hidden.real_at(k)?, out_channels.real_at(o)?);
                Some(out_start + o * r.hidden_channels + k)
            }),
            out_bias: Bias::new(find("out"), table, stream, out_channels),
            learns: Learns::default(),
        }
    }

    /// Pixels of the map.
    pub fn map(&self) -> Raster {
        self.map
    }

    /// Numbers handed on for every pixel.
    pub fn channels(&self) -> usize {
        self.out.n
    }

    /// Asks which layers are learned; whether any is.
    pub fn learn(&mut self, learned: &dyn Fn(&str) -> bool) -> bool {
        let part = |part: &str| learned(&format!("core.recurrent.{part}"));
        let first = usize::from(self.groups.len() > 1);
        self.learns = Learns {
            heard: first == 1 && part("proj_x.0"),
            feedforward: part(&format!("proj_x.{first}")),
            modulation: part(&format!("proj_x.{}", first + 1)),
            attended: part("proj_q") || part("proj_k") || part("proj_v"),
            scale: part("scales"),
            gates: ["proj_i", "proj_f", "proj_g", "proj_o"].into_iter().any(part),
            out: part("out"),
            convolution: part("conv"),
        };
        for group in &mut self.groups {
            group.convolution.learn(learned);
        }
        let Learns { heard, feedforward, modulation, attended, scale, gates, out, convolution } = self.learns;
        heard || feedforward || modulation || attended || scale || gates || out || convolution
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        let (x, common) = (self.x, self.common);
        self.from_feedforward.pack(effective);
        self.bias.pack(effective);
        self.out.pack(effective);
        self.out_bias.pack(effective);
        let FromModulation { start, features, columns } = &mut self.from_modulation;
        for (feature, column) in columns.iter_mut().enumerate() {
            for (place, value) in column.iter_mut().enumerate() {
                *value = x.real_at(place).map_or(0.0, |o| effective[*start + o * *features + feature]);
            }
        }
        self.groups.par_iter_mut().for_each(|group| group.pack(common, effective));
    }

    /// Numbers of the groups of one pixel in each room.
    fn rows(&self) -> Rows {
        let (groups, both) = (self.x.groups, self.x.padded + self.hidden.padded);
        Rows {
            x: self.x.stride(),
            both: groups * both,
            hidden: self.hidden.stride(),
            answered: groups * 2 * self.common.padded,
            asked: groups * 3 * self.common.padded,
            gates: groups * 4 * self.hidden.padded,
            z: self.common.stride(),
        }
    }

    /// All frames from the feedforward core `[frame, pixel, channel]` and the modulation `[frame, feature]`.
    pub fn forward(
        &self,
        context: Context<'_>,
        frames: usize,
        feedforward: &mut Room,
        modulation: &[f32],
        tape: &mut Tape,
    ) {
        let (rows, pixels) = (self.rows(), self.map.pixels());
        let all = frames * pixels;
        tape.bias.fit(frames * rows.x);
        tape.x.fit(all * rows.x);
        tape.both.fit(all * rows.both);
        tape.hidden.fit((all + pixels) * rows.hidden)[..pixels * rows.hidden].fill(0.0);
        tape.cell.fit((all + pixels) * rows.hidden)[..pixels * rows.hidden].fill(0.0);
        tape.answered.fit(all * rows.answered);
        tape.asked.fit(all * rows.asked);
        tape.gates.fit(all * rows.gates);
        tape.out.fit(all * self.channels());
        self.project(context, frames, feedforward, modulation, tape);
        let places = tape.places();
        for frame in 0..frames {
            context.each(self.groups.len(), |group, scratch| {
                // SAFETY: the rooms hold all frames; tasks write channels of their own group, and read those of others
                // one frame earlier.
                unsafe { self.group_forward(context.kernel, places, frame, group, context, &mut scratch.rooms) };
            });
        }
        // SAFETY: the rooms hold all rows.
        unsafe {
            let hidden = tape.hidden.shared().offset(pixels * rows.hidden);
            let source = Source { data: hidden, k: rows.hidden, row: rows.hidden };
            let to = (tape.out.shared(), self.channels());
            linear(context, all, &[source], self.out.forward(), From::Bias(self.out_bias.values()), to);
        }
    }

    /// What comes into x from outside.
    fn project(
        &self,
        context: Context<'_>,
        frames: usize,
        feedforward: &mut Room,
        modulation: &[f32],
        tape: &mut Tape,
    ) {
        let (n, pixels, features) = (self.x.stride(), self.map.pixels(), self.from_modulation.features);
        for (bias, features) in tape.bias[..frames * n].chunks_exact_mut(n).zip(modulation.chunks_exact(features)) {
            bias.copy_from_slice(self.bias.values());
            for (column, &feature) in self.from_modulation.columns.iter().zip(features) {
                bias.iter_mut().zip(column.iter()).for_each(|(bias, &weight)| *bias += weight * feature);
            }
        }
        let (bias, from, to) = (tape.bias.shared(), feedforward.shared(), tape.x.shared());
        let weights = &self.from_feedforward;
        context.each(frames, |frame, _| {
            // SAFETY: the rooms hold all frames; tasks write frames of their own.
            unsafe {
                let data = from.at(frame * pixels * weights.k).cast_const();
                let segment = Segment { data, k: weights.k, stride: weights.k };
                let (start, pixels_of) = (Start::Bias(bias.at(frame * n)), Pixels { count: pixels, output: n });
                let to = to.at(frame * pixels * n);
                product(context.kernel, pixels_of, &[segment], weights.forward(), start, to);
            }
        });
    }

    /// One group at one frame.
    unsafe fn group_forward(
        &self,
        kernel: Kernel,
        places: Places,
        frame: usize,
        index: usize,
        context: Context<'_>,
        rooms: &mut [Room],
    ) {
        let (rows, pixels, group) = (self.rows(), self.map.pixels(), &self.groups[index]);
        let (xp, hp, zp) = (self.x.padded, self.hidden.padded, self.common.padded);
        let at = frame * pixels;
        let count = |output: usize| Pixels { count: pixels, output };
        // SAFETY: the caller's places.
        unsafe {
            let x = places.x.at(at * rows.x + index * xp);
            let hidden = places.hidden.at(at * rows.hidden);
            if let Some(weights) = group.heard.as_ref().filter(|_| frame > 0) {
                let others = others(hidden, rows.hidden, hp, index, self.groups.len());
                product(kernel, count(rows.x), &others, weights.forward(), Start::Output, x);
            }
            let both = places.both.at(at * rows.both + index * (xp + hp));
            tanh_rows(kernel, x, rows.x, both, rows.both, pixels, xp);
            for pixel in 0..pixels {
                let from = hidden.add(pixel * rows.hidden + index * hp);
                std::ptr::copy_nonoverlapping(from, both.add(pixel * rows.both + xp), hp);
            }
            let still = Context { parallel: false, ..context };
            let z = places.answered.offset(at * rows.answered + index * 2 * zp);
            let of = |data: Shared, pixel: usize| Pictures { data, pixel, frame: 0, group: 0 };
            let both = places.both.offset(at * rows.both + index * (xp + hp));
            group.convolution.forward(still, 1, of(both, rows.both), of(z, rows.answered));
            let z = z.at(0);
            let asked = places.asked.at(at * rows.asked + index * 3 * zp);
            let segment = Segment { data: z, k: zp, stride: rows.answered };
            product(kernel, count(rows.asked), &[segment], group.attended.forward(), Start::Zero, asked);
            let attention = Attention { kernel, pixels, n: zp, row: rows.asked };
            attention.forward(asked, &group.scale, rooms, (z.add(zp), rows.answered));
            let gates = places.gates.at(at * rows.gates + index * 4 * hp);
            let segment = Segment { data: z, k: 2 * zp, stride: rows.answered };
            let start = Start::Bias(group.gate_bias.as_ptr());
            product(kernel, count(rows.gates), &[segment], group.gates.forward(), start, gates);
            let (before, now) = (at * rows.hidden + index * hp, (at + pixels) * rows.hidden + index * hp);
            let (cell, hidden) = (places.cell.at(now), places.hidden.at(now));
            remember(kernel, gates, rows.gates, places.cell.at(before), cell, hidden, rows.hidden, pixels, hp);
        }
    }

    /// From `tape.out_back` to the gradients of all parameters that are learned and of the modulation, and, if there is
    /// room for it, of the feedforward core.
    pub fn backward(
        &self,
        context: Context<'_>,
        frames: usize,
        feedforward: &mut Room,
        modulation: &[f32],
        tape: &mut Tape,
        flat: &mut [f32],
        feedforward_back: Option<&mut Room>,
    ) {
        let (rows, pixels) = (self.rows(), self.map.pixels());
        let all = frames * pixels;
        tape.hidden_back.fit(all * rows.hidden);
        tape.cell_back.zeros(pixels * rows.hidden);
        tape.z_back.fit(all * rows.z);
        tape.both_back.fit(pixels * rows.both);
        tape.scale_back.zeros(self.common.stride());
        // SAFETY: the rooms hold all rows.
        unsafe {
            let hidden = tape.hidden.shared().offset(pixels * rows.hidden);
            let source = Source { data: hidden, k: rows.hidden, row: rows.hidden };
            let back = (tape.out_back.shared(), self.channels());
            if self.learns.out {
                weight_gradient(context, all, &[source], back, &self.out, &mut tape.sums, flat);
                self.out_bias.gradient(context, (frames, pixels), back, &mut tape.sums, flat);
            }
            let source = Source { data: back.0, k: back.1, row: back.1 };
            let to = (tape.hidden_back.shared(), rows.hidden);
            linear(context, all, &[source], self.out.backward(0), From::Zero, to);
        }
        let places = tape.places();
        for frame in (0..frames).rev() {
            let last = frame + 1 == frames;
            context.each(self.groups.len(), |group, scratch| {
                // SAFETY: the rooms hold all frames; tasks write channels of their own group, and read those of others
                // one frame later.
                unsafe { self.group_backward(places, (frame, last), group, context, &mut scratch.rooms) };
            });
        }
        self.gradients(context, frames, feedforward, modulation, tape, flat);
        if let Some(to) = feedforward_back {
            to.fit(all * self.from_feedforward.k);
            let source = Source { data: tape.x.shared(), k: rows.x, row: rows.x };
            let to = (to.shared(), self.from_feedforward.k);
            // SAFETY: the rooms hold all rows.
            unsafe { linear(context, all, &[source], self.from_feedforward.backward(0), From::Zero, to) };
        }
    }

    /// One group at one frame, backwards.
    unsafe fn group_backward(
        &self,
        places: Places,
        (frame, last): (usize, bool),
        index: usize,
        context: Context<'_>,
        rooms: &mut [Room],
    ) {
        let (rows, pixels, group) = (self.rows(), self.map.pixels(), &self.groups[index]);
        let (xp, hp, zp) = (self.x.padded, self.hidden.padded, self.common.padded);
        let (kernel, at) = (context.kernel, frame * pixels);
        let count = |output: usize| Pixels { count: pixels, output };
        // SAFETY: the caller's places.
        unsafe {
            let hidden_back = places.hidden_back.at(at * rows.hidden + index * hp);
            let both_back = places.both_back.offset(index * (xp + hp));
            if !last {
                add_rows(kernel, both_back.at(xp), rows.both, hidden_back, rows.hidden, pixels, hp);
                if let Some(weights) = &group.told {
                    let x_back = places.x.at((at + pixels) * rows.x);
                    let others = others(x_back, rows.x, xp, index, self.groups.len());
                    product(kernel, count(rows.hidden), &others, weights.forward(), Start::Output, hidden_back);
                }
            }
            let gates = places.gates.at(at * rows.gates + index * 4 * hp);
            let (before, now) = (at * rows.hidden + index * hp, (at + pixels) * rows.hidden + index * hp);
            let (cell, before) = (places.cell.at(now), places.cell.at(before));
            let cell_back = places.cell_back.at(index * hp);
            remember_back(kernel, gates, rows.gates, before, cell, hidden_back, cell_back, rows.hidden, pixels, hp);
            let [answers, rooms @ ..] = rooms else { unreachable!("there are ten rooms") };
            let answers = answers.fit(pixels * zp).as_mut_ptr();
            let segment = Segment { data: gates, k: 4 * hp, stride: rows.gates };
            let z_back = places.z_back.offset(at * rows.z + index * zp);
            product(kernel, count(rows.z), &[segment], group.gates.backward(0), Start::Zero, z_back.at(0));
            product(kernel, count(zp), &[segment], group.gates.backward(1), Start::Zero, answers);
            let asked = places.asked.at(at * rows.asked + index * 3 * zp);
            let attention = Attention { kernel, pixels, n: zp, row: rows.asked };
            let scale_back = std::slice::from_raw_parts_mut(places.scale_back.at(index * zp), zp);
            attention.backward(asked, &group.scale, rooms, (answers, zp), scale_back);
            let segment = Segment { data: asked, k: 3 * zp, stride: rows.asked };
            product(kernel, count(rows.z), &[segment], group.attended.backward(0), Start::Output, z_back.at(0));

            let still = Context { parallel: false, ..context };
            let of = |data: Shared, pixel: usize| Pictures { data, pixel, frame: 0, group: 0 };
            group.convolution.backward(still, 1, of(z_back, rows.z), of(both_back, rows.both), false);
            let both = places.both.at(at * rows.both + index * (xp + hp));
            let x_back = places.x.at(at * rows.x + index * xp);
            tanh_back(kernel, both, rows.both, both_back.at(0), rows.both, x_back, rows.x, pixels, xp);
        }
    }

    /// Gradients of the weights, over all frames at once.
    fn gradients(
        &self,
        context: Context<'_>,
        frames: usize,
        feedforward: &mut Room,
        modulation: &[f32],
        tape: &mut Tape,
        flat: &mut [f32],
    ) {
        let (rows, pixels, learns) = (self.rows(), self.map.pixels(), &self.learns);
        let (xp, hp, zp) = (self.x.padded, self.hidden.padded, self.common.padded);
        let (all, places) = (frames * pixels, tape.places());
        let sums = &mut tape.sums;
        // SAFETY: the rooms hold all rows, and nobody else writes them now.
        unsafe {
            for (index, group) in self.groups.iter().enumerate() {
                let x_back = (places.x.offset(index * xp), rows.x);
                if let Some(weights) = group.heard.as_ref().filter(|_| learns.heard) {
                    let part = |first: usize, groups: usize| Source {
                        data: places.hidden.offset(first * hp),
                        k: groups * hp,
                        row: rows.hidden,
                    };
                    let after = self.groups.len() - index - 1;
                    let sources = [part(0, index), part((index + 1).min(self.groups.len() - 1), after)];
                    weight_gradient(context, all, &sources, x_back, weights, sums, flat);
                }
                let z = Source { data: places.answered.offset(index * 2 * zp), k: zp, row: rows.answered };
                if learns.attended {
                    let asked = (places.asked.offset(index * 3 * zp), rows.asked);
                    weight_gradient(context, all, &[z], asked, &group.attended, sums, flat);
                }
                if learns.gates {
                    let gates = (places.gates.offset(index * 4 * hp), rows.gates);
                    let z = Source { k: 2 * zp, ..z };
                    weight_gradient(context, all, &[z], gates, &group.gates, sums, flat);
                    let room = sums.fit(frames * 4 * hp);
                    sums_by_frame(context, (frames, pixels), gates, 4 * hp, room);
                    let totals = super::linear::sum_of_frames(room, 4 * hp);
                    for (sum, place) in totals.zip(&group.gate_bias_places) {
                        if let Some(place) = place {
                            flat[*place] += sum;
                        }
                    }
                }
                let of = |data: Shared, pixel: usize| Pictures { data, pixel, frame: pixels * pixel, group: 0 };
                let both = of(places.both.offset(index * (xp + hp)), rows.both);
                let z_back = of(places.z_back.offset(index * zp), rows.z);
                group.convolution.gradient(context, frames, both, z_back, sums, flat);
                if learns.scale {
                    let from = &tape.scale_back[index * zp..][..self.common.real];
                    let to = &mut flat[group.scale_start..][..self.common.real];
                    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
                }
            }
            let x_back = (places.x, rows.x);
            if learns.feedforward {
                let k = self.from_feedforward.k;
                let source = Source { data: feedforward.shared(), k, row: k };
                weight_gradient(context, all, &[source], x_back, &self.from_feedforward, sums, flat);
            }
            let room = sums.fit(frames * rows.x);
            sums_by_frame(context, (frames, pixels), x_back, rows.x, room);
            if learns.feedforward {
                self.bias.scatter(super::linear::sum_of_frames(room, rows.x), flat);
            }
            self.modulation_gradient(frames, modulation, room, &mut tape.modulation_back, flat);
        }
    }

    /// From the sums of the gradient of x over each frame.
    fn modulation_gradient(
        &self,
        frames: usize,
        modulation: &[f32],
        sums: &[f32],
        back: &mut Vec<f32>,
        flat: &mut [f32],
    ) {
        let FromModulation { start, features, columns } = &self.from_modulation;
        let n = self.x.stride();
        back.clear();
        back.resize(frames * features, 0.0);
        for (frame, sums) in sums.chunks_exact(n).enumerate() {
            for (feature, column) in columns.iter().enumerate() {
                let weighted = column.iter().zip(sums).map(|(&weight, &sum)| weight * sum);
                back[frame * features + feature] = weighted.sum();
                if self.learns.modulation {
                    let value = modulation[frame * features + feature];
                    for (place, &sum) in sums.iter().enumerate() {
                        if let Some(o) = self.x.real_at(place) {
                            flat[start + o * features + feature] += value * sum;
                        }
                    }
                }
            }
        }
    }
}

/// Numbers of one pixel in each room.
#[derive(Clone, Copy)]
struct Rows {
    x: usize,
    both: usize,
    hidden: usize,
    answered: usize,
    asked: usize,
    gates: usize,
    z: usize,
}

/// The channels of all groups but one.
unsafe fn others(data: *const f32, row: usize, n: usize, group: usize, groups: usize) -> [Segment; 2] {
    // SAFETY: an address past the last group is not read.
    let part = |first: usize, count: usize| Segment { data: data.wrapping_add(first * n), k: count * n, stride: row };
    [part(0, group), part(group + 1, groups - group - 1)]
}

//! The recurrent core of one stream: a convolutional LSTM whose gates also see attention over the whole map.
//!
//! After the projection and the 3 x 3 convolution the groups are independent up to the new hidden state: keys, values,
//! queries, scores, softmax, gates and cell are computed group by group, a few pixels at a time.

use super::Probe;
use super::buffer::{Buffer, Shared};
use super::channels::Channels;
use super::convolution::{Bordered, Convolution, Source};
use super::effective::Effective;
use super::math::{exp, sigmoid, tanh, tanh_rows};
use super::product::{Operand, Panels, Pixels, Segment, Start, panel_of, product};
use super::simd::{Kernel, Simd, dispatched};
use super::tasks::{Pool, Workspace, each};
use super::winograd::{Strides, Tile};
use crate::model::twin::config::TwinConfig;
use crate::model::twin::parameters::Layer;
use crate::model::weights::StateDict;
use crate::signals::Raster;

/// Queries that are answered together: their scores stay in the cache.
const QUERIES: usize = 24;

/// Prepared weights of one stream.
#[derive(Debug)]
pub(super) struct Recurrent {
    kernel: Kernel,
    map: Raster,
    bordered: Bordered,
    /// Channels of x, of the hidden state, of the shared representation, and handed on.
    x: Channels,
    hidden: Channels,
    common: Channels,
    out_channels: Channels,
    /// Numbers in a pixel of the feedforward output.
    feedforward: usize,
    project: Vec<Panels>,
    project_bias: Buffer,
    /// `[modulation feature, place in x]`.
    from_modulation: Vec<Buffer>,
    groups: Vec<Group>,
    no_bias: Buffer,
    out: Panels,
    out_bias: Buffer,
}

#[derive(Debug)]
struct Group {
    convolution: Convolution,
    query: Panels,
    key: Panels,
    scale: Buffer,
    /// Input, forget, cell and output gates side by side, from z and from the attended z: the values of attention are
    /// linear in z, so their projection is part of these weights.
    gates: Panels,
    gate_bias: Buffer,
}

/// What one stream of one sample remembers.
#[derive(Debug, Clone)]
pub(super) struct RecurrentState {
    /// Hidden state, a bordered picture.
    hidden: Buffer,
    /// Cell, `[group, pixel, channel]`.
    cell: Buffer,
}

/// Memory between the layers of one stream.
#[derive(Debug)]
pub(super) struct Between {
    /// A bordered picture.
    x: Buffer,
    /// Bias of x in this frame.
    bias: Buffer,
    /// `[group, pixel, channel]`.
    z: Buffer,
}

fn buffer(values: &[f32]) -> Buffer {
    let mut out = Buffer::zeros(values.len());
    out.copy_from_slice(values);
    out
}

impl Recurrent {
    /// Prepares the weights of a stream.
    pub fn new(
        kernel: Kernel,
        config: &TwinConfig,
        layers: &[Layer],
        state: &StateDict,
        stream: usize,
        feedforward: Channels,
    ) -> Self {
        let r = &config.core.recurrent;
        let map = config.map();
        let find = |part: &str| {
            let name = format!("core.recurrent.{part}");
            let layer = layers.iter().find(|layer| layer.name == name).expect("the table of layers has every part");
            Effective::new(layer, state, stream)
        };
        let channels = |n| Channels::new(kernel, n, r.groups);
        let (x, hidden, common) = (channels(r.in_channels), channels(r.hidden_channels), channels(r.common_channels));
        let out_channels = Channels::new(kernel, r.out_channels, 1);
        let others = (r.groups > 1).then(|| find("proj_x.0"));
        let first = usize::from(r.groups > 1);
        let (from_ff, from_mod) = (find(&format!("proj_x.{first}")), find(&format!("proj_x.{}", first + 1)));
        let project = (0..r.groups)
            .map(|group| {
                let heard = if others.is_some() { (r.groups - 1) * hidden.padded } else { 0 };
                Panels::pack(kernel, heard + feedforward.stride(), x.padded, |k, o| {
                    let Some(o) = (o < x.real).then_some(group * x.real + o) else { return 0.0 };
                    if k >= heard {
                        return feedforward.real_at(k - heard).map_or(0.0, |k| from_ff.at(o, k));
                    }
                    // The group itself is left out.
                    let place = if k < group * hidden.padded { k } else { k + hidden.padded };
                    let others = others.as_ref().expect("there are groups to hear");
                    hidden.real_at(place).map_or(0.0, |k| others.at(o, k))
                })
            })
            .collect();
        let from_modulation = (0..from_mod.fan)
            .map(|m| {
                let column: Vec<f32> = (0..r.in_channels).map(|o| from_mod.at(o, m) as f32).collect();
                buffer(&x.spread(&column))
            })
            .collect();
        let parts = ["conv", "proj_q", "proj_k", "proj_v", "proj_i", "proj_f", "proj_g", "proj_o"].map(find);
        let scale = state.values(&format!("core.recurrent.scales.{stream}"));
        let tile = Tile::for_map(r.spatial, map);
        let groups = (0..r.groups)
            .map(|group| Group::new(kernel, (map, r.spatial, tile), (x, hidden, common), &parts, scale, group))
            .collect();
        let out = find("out");
        Self {
            kernel,
            map,
            bordered: Bordered::new(map, r.spatial, tile),
            x,
            hidden,
            common,
            out_channels,
            feedforward: feedforward.stride(),
            project,
            project_bias: buffer(&x.spread(&from_ff.bias)),
            from_modulation,
            groups,
            no_bias: Buffer::zeros(common.padded),
            out: Panels::pack(kernel, hidden.stride(), out_channels.stride(), |k, o| {
                match (hidden.real_at(k), out_channels.real_at(o)) {
                    (Some(k), Some(o)) => out.at(o, k),
                    _ => 0.0,
                }
            }),
            out_bias: buffer(&out_channels.spread(&out.bias)),
        }
    }

    /// Channels handed on.
    pub fn channels(&self) -> Channels {
        self.out_channels
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        let group = |g: &Group| g.convolution.bytes() + g.query.bytes() + g.key.bytes() + g.gates.bytes();
        self.groups.iter().map(group).sum::<usize>()
            + self.project.iter().map(Panels::bytes).sum::<usize>()
            + self.out.bytes()
    }

    /// The state before the first frame.
    pub fn start(&self) -> RecurrentState {
        RecurrentState {
            hidden: Buffer::zeros(self.bordered.pixels() * self.hidden.stride()),
            cell: Buffer::zeros(self.map.pixels() * self.hidden.stride()),
        }
    }

    /// Memory between the layers.
    pub fn between(&self) -> Between {
        Between {
            x: Buffer::zeros(self.bordered.pixels() * self.x.stride()),
            bias: Buffer::zeros(self.x.stride()),
            z: Buffer::zeros(self.map.pixels() * self.common.stride()),
        }
    }

    /// Numbers that a workspace needs.
    pub fn room(&self) -> (usize, usize) {
        let (conv, attention) = (self.groups[0].convolution.room(), self.layout());
        (conv.0.max(attention.end), conv.1)
    }

    /// Pixels of the map, filled up to whole vectors.
    fn keys(&self) -> usize {
        self.map.pixels().next_multiple_of(self.kernel.lanes())
    }

    /// Where the pieces of attention lie in a workspace.
    fn layout(&self) -> Layout {
        let z = self.common.padded;
        let key = 0;
        let keys = key + self.map.pixels() * z;
        let scores = keys + self.keys() * z;
        let query = scores + QUERIES * self.keys();
        let answer = query + QUERIES * z;
        let gates = answer + QUERIES * z;
        Layout { key, keys, scores, query, answer, gates, end: gates + QUERIES * 4 * self.hidden.padded }
    }

    /// One frame: from the feedforward output and the modulation to `out`, both `[pixel, channel]`.
    #[allow(clippy::too_many_arguments, reason = "inputs, state, scratch and output of one stream")]
    pub fn run(
        &self,
        feedforward: &[f32],
        modulation: &[f32],
        state: &mut RecurrentState,
        between: &mut Between,
        pool: &Pool<Workspace>,
        room: (usize, usize),
        parallel: bool,
        out: &mut [f32],
        mut probe: Option<&mut Probe>,
    ) {
        let (map, b, groups) = (self.map, self.bordered, self.x.groups);
        between.bias.copy_from_slice(&self.project_bias);
        for (column, &m) in self.from_modulation.iter().zip(modulation) {
            for (bias, w) in between.bias.iter_mut().zip(column.iter()) {
                *bias += w * m;
            }
        }
        let (x, bias, z) = (Shared::new(&mut between.x), &between.bias, Shared::new(&mut between.z));
        let (hidden, cell) = (Shared::new(&mut state.hidden), Shared::new(&mut state.cell));
        each(parallel, groups, |group| {
            pool.with(
                || Workspace::new(room),
                |ws| {
                    for y in 0..map.height {
                        // SAFETY: each task writes its own group of x; the hidden state is only read.
                        unsafe { self.project(group, y, feedforward, hidden, bias, x, ws) };
                    }
                },
            );
        });
        let rows = self.groups[0].convolution.rows();
        let chunks = map.height.div_ceil(rows);
        each(parallel, chunks * groups, |task| {
            let (group, first) = (task / chunks, task % chunks * rows);
            let source = |data: Shared, channels: Channels| {
                let strides = Strides { pixel: channels.stride(), row: b.width * channels.stride() };
                // SAFETY: the group's first channel lies in the picture.
                Source { data: unsafe { data.at(group * channels.padded) }, strides, channels: channels.padded }
            };
            let sources = [source(x, self.x), source(hidden, self.hidden)];
            let out = Strides { pixel: self.common.padded, row: map.width * self.common.padded };
            pool.with(
                || Workspace::new(room),
                |ws| {
                    // SAFETY: each task writes its own rows of its own group of z; x and the hidden state are only read.
                    unsafe {
                        let to = z.at(group * map.pixels() * self.common.padded);
                        let bias = self.no_bias.as_ptr();
                        self.groups[group].convolution.run(self.kernel, &sources, bias, first, to, out, ws);
                    }
                },
            );
        });
        if let Some(probe) = probe.as_deref_mut() {
            // SAFETY: no task runs; the pictures are read.
            unsafe { self.probe_inputs(x, hidden, z, probe) };
        }
        let attend = |group: usize, probe: Option<&mut Probe>| {
            pool.with(
                || Workspace::new(room),
                |ws| {
                    // SAFETY: each task writes its own group of the hidden state and of the cell; z is only read.
                    unsafe { self.attend(group, z, hidden, cell, ws, probe) };
                },
            );
        };
        match probe.as_deref_mut() {
            None => each(parallel, groups, |group| attend(group, None)),
            Some(probe) => (0..groups).for_each(|group| attend(group, Some(&mut *probe))),
        }
        let to = Shared::new(out);
        let n = self.out_channels.stride();
        each(parallel, map.height, |y| {
            let k = self.hidden.stride();
            let pixels = Pixels { count: map.width, output: n };
            // SAFETY: each task writes its own row of the output; the hidden state is only read.
            unsafe {
                let segment = [Segment { data: hidden.at(b.at(y, 0) * k), k, stride: k }];
                let bias = Start::Bias(self.out_bias.as_ptr());
                product(self.kernel, pixels, &segment, self.out.operand(), bias, to.at(y * map.width * n));
            }
        });
        if let Some(probe) = probe {
            let inside = self.inside(&state.hidden, self.hidden);
            probe.insert("h".to_owned(), inside);
            probe.insert("c".to_owned(), self.by_group(&state.cell, self.hidden));
        }
    }

    /// x of one group and row, from the other groups' hidden state, the feedforward core and the modulation.
    #[allow(clippy::too_many_arguments, reason = "the inputs of one projection")]
    unsafe fn project(
        &self,
        group: usize,
        y: usize,
        feedforward: &[f32],
        hidden: Shared,
        bias: &[f32],
        x: Shared,
        ws: &mut Workspace,
    ) {
        let (h, width) = (self.hidden, self.map.width);
        let row = self.bordered.at(y, 0);
        // SAFETY: the caller's pictures have this row.
        unsafe {
            ws.segments.clear();
            if self.x.groups > 1 {
                let start = hidden.at(row * h.stride());
                let (before, after) = (group * h.padded, (h.groups - 1 - group) * h.padded);
                ws.segments.push(Segment { data: start, k: before, stride: h.stride() });
                ws.segments.push(Segment { data: start.add(before + h.padded), k: after, stride: h.stride() });
            }
            let data = feedforward[y * width * self.feedforward..].as_ptr();
            ws.segments.push(Segment { data, k: self.feedforward, stride: self.feedforward });
            let stride = self.x.stride();
            let to = x.at(row * stride + group * self.x.padded);
            let bias = Start::Bias(bias[group * self.x.padded..].as_ptr());
            let pixels = Pixels { count: width, output: stride };
            product(self.kernel, pixels, &ws.segments, self.project[group].operand(), bias, to);
            tanh_rows(self.kernel, to, stride, to, stride, width, self.x.padded);
        }
    }

    /// Attention, gates and cell of one group.
    unsafe fn attend(
        &self,
        group: usize,
        z: Shared,
        hidden: Shared,
        cell: Shared,
        ws: &mut Workspace,
        mut probe: Option<&mut Probe>,
    ) {
        let (kernel, weights, at) = (self.kernel, &self.groups[group], self.layout());
        let (n, pixels, keys) = (self.common.padded, self.map.pixels(), self.keys());
        let room = ws.inputs.as_mut_ptr();
        // SAFETY: the workspace has the layout's room; z, hidden state and cell are the caller's.
        unsafe {
            let z = z.at(group * pixels * n);
            let of_z = |first: usize| Segment { data: z.add(first * n), k: n, stride: n };
            let key = room.add(at.key);
            let all = Pixels { count: pixels, output: n };
            product(kernel, all, &[of_z(0)], weights.key.operand(), Start::Zero, key);
            unit_rows(kernel, key, n, pixels, n, self.no_bias.as_ptr(), false);
            self.transpose_keys(key, room.add(at.keys));
            let transposed = Operand { data: room.add(at.keys), k: n, vectors: keys / kernel.lanes(), row: None };
            let values = Operand { data: z, k: pixels, vectors: n / kernel.lanes(), row: Some(n) };
            let (scores, query, answer) = (room.add(at.scores), room.add(at.query), room.add(at.answer));
            let gates = room.add(at.gates);
            for first in (0..pixels).step_by(QUERIES) {
                let count = QUERIES.min(pixels - first);
                let few = |output: usize| Pixels { count, output };
                product(kernel, few(n), &[of_z(first)], weights.query.operand(), Start::Zero, query);
                unit_rows(kernel, query, n, count, n, weights.scale.as_ptr(), true);
                let queries = [Segment { data: query, k: n, stride: n }];
                product(kernel, few(keys), &queries, transposed, Start::Zero, scores);
                let mut totals = [0.0; QUERIES];
                softmax_rows(kernel, scores, keys, count, pixels, totals.as_mut_ptr());
                let attention = [Segment { data: scores, k: pixels, stride: keys }];
                product(kernel, few(n), &attention, values, Start::Zero, answer);
                divide_rows(kernel, answer, n, count, n, totals.as_ptr());
                let both = [of_z(first), Segment { data: answer, k: n, stride: n }];
                let bias = Start::Bias(weights.gate_bias.as_ptr());
                let h = self.hidden;
                product(kernel, few(4 * h.padded), &both, weights.gates.operand(), bias, gates);
                for pixel in first..first + count {
                    let place = self.bordered.at(pixel / self.map.width, pixel % self.map.width);
                    let gates = gates.add((pixel - first) * 4 * h.padded);
                    let cell = cell.at((group * pixels + pixel) * h.padded);
                    remember(kernel, gates, cell, hidden.at(place * h.stride() + group * h.padded), h.padded);
                }
                if let Some(probe) = probe.as_deref_mut() {
                    divide_rows(kernel, scores, keys, count, keys, totals.as_ptr());
                    self.probe_attention(group, first, scores, count, probe);
                }
            }
        }
    }

    /// Keys `[pixel, channel]` into packed panels `[channel, pixel]`; pixels beyond the map are zero.
    unsafe fn transpose_keys(&self, from: *const f32, to: *mut f32) {
        let (n, keys) = (self.common.padded, self.keys());
        let mut first = 0;
        while first < keys {
            let (start, width) = panel_of(self.kernel, n, keys, first);
            for column in 0..width {
                let pixel = first + column;
                for c in 0..n {
                    // SAFETY: the caller's keys and panels.
                    unsafe {
                        let value = if pixel < self.map.pixels() { *from.add(pixel * n + c) } else { 0.0 };
                        *to.add(start + c * width + column) = value;
                    }
                }
            }
            first += width;
        }
    }

    /// Interior of a bordered picture as `[channel, pixel]`.
    fn inside(&self, picture: &[f32], channels: Channels) -> Vec<f32> {
        let n = channels.stride();
        let row = |y: usize| &picture[self.bordered.at(y, 0) * n..][..self.map.width * n];
        let pixels: Vec<f32> = (0..self.map.height).flat_map(row).copied().collect();
        channels.gather(&pixels)
    }

    /// `[group, pixel, channel]` as `[channel, pixel]`.
    fn by_group(&self, values: &[f32], channels: Channels) -> Vec<f32> {
        let one = Channels { groups: 1, ..channels };
        values.chunks_exact(self.map.pixels() * channels.padded).flat_map(|group| one.gather(group)).collect()
    }

    unsafe fn probe_inputs(&self, x: Shared, hidden: Shared, z: Shared, probe: &mut Probe) {
        let pixels = self.bordered.pixels();
        // SAFETY: the caller's pictures, complete.
        let (x, hidden, z) = unsafe {
            (
                std::slice::from_raw_parts(x.at(0), pixels * self.x.stride()),
                std::slice::from_raw_parts(hidden.at(0), pixels * self.hidden.stride()),
                std::slice::from_raw_parts(z.at(0), self.map.pixels() * self.common.stride()),
            )
        };
        let (x, h) = (self.inside(x, self.x), self.inside(hidden, self.hidden));
        let size = self.map.pixels();
        let both = x.chunks_exact(self.x.real * size).zip(h.chunks_exact(self.hidden.real * size));
        probe.insert("input.core.recurrent.conv".to_owned(), both.flat_map(|(x, h)| [x, h].concat()).collect());
        probe.insert("layer.core.recurrent.conv".to_owned(), self.by_group(z, self.common));
    }

    unsafe fn probe_attention(&self, group: usize, first: usize, scores: *const f32, count: usize, probe: &mut Probe) {
        let size = self.map.pixels();
        let attention = probe.entry("attention".to_owned()).or_default();
        attention.resize(self.x.groups * size * size, 0.0);
        for q in 0..count {
            // SAFETY: the caller's scores, `count` rows.
            let row = unsafe { std::slice::from_raw_parts(scores.add(q * self.keys()), size) };
            attention[(group * size + first + q) * size..][..size].copy_from_slice(row);
        }
    }
}

/// Places in the workspace of one group's attention.
struct Layout {
    key: usize,
    keys: usize,
    scores: usize,
    query: usize,
    answer: usize,
    gates: usize,
    end: usize,
}

impl Group {
    fn new(
        kernel: Kernel,
        (map, spatial, tile): (Raster, usize, Option<Tile>),
        (x, hidden, common): (Channels, Channels, Channels),
        [conv, q, k, v, gates @ ..]: &[Effective; 8],
        scale: &[f32],
        group: usize,
    ) -> Self {
        let taps = spatial * spatial;
        let real = |channels: Channels, o: usize| (o < channels.real).then_some(group * channels.real + o);
        let n = common.padded;
        let square = |layer: &Effective, k: usize, o: usize| match real(common, o) {
            Some(o) if k < common.real => layer.at(o, k),
            _ => 0.0,
        };
        let sizes = [x.padded, hidden.padded];
        let convolution = Convolution::new(kernel, map, spatial, tile, (&sizes, n), |i, tap, o| {
            let i = match i.checked_sub(x.padded) {
                None => (i < x.real).then_some(i),
                Some(i) => (i < hidden.real).then_some(x.real + i),
            };
            match (i, real(common, o)) {
                (Some(i), Some(o)) => conv.at(o, i * taps + tap),
                _ => 0.0,
            }
        });
        let h = hidden.padded;
        let mut gate_bias = Buffer::zeros(4 * h);
        for (gate, layer) in gates.iter().enumerate() {
            gate_bias[gate * h..][..hidden.real].copy_from_slice(&layer.bias[group * hidden.real..][..hidden.real]);
        }
        let mut padded_scale = Buffer::zeros(n);
        padded_scale[..common.real].copy_from_slice(&scale[group * common.real..][..common.real]);
        Self {
            convolution,
            query: Panels::pack(kernel, n, n, |i, o| square(q, i, o)),
            key: Panels::pack(kernel, n, n, |i, o| square(k, i, o)),
            scale: padded_scale,
            gates: Panels::pack(kernel, 2 * n, 4 * h, |i, o| {
                let (part, i, gate) = (i / n, i % n, &gates[o / h]);
                match real(hidden, o % h) {
                    Some(o) if i < common.real && part == 0 => gate.at(o, i),
                    Some(o) if i < common.real => {
                        let value = |c: usize| gate.at(o, common.real + c) * v.at(group * common.real + c, i);
                        (0..common.real).map(value).sum()
                    }
                    _ => 0.0,
                }
            }),
            gate_bias,
        }
    }
}

/// Sum of the numbers in a vector, in a fixed order.
#[inline(always)]
pub(super) unsafe fn sum<S: Simd>(v: S::V) -> f32 {
    let mut values = [0.0f32; 16];
    // SAFETY: no vector has more than 16 numbers.
    unsafe { S::store(values.as_mut_ptr(), v) };
    let mut width = S::LANES / 2;
    while width > 0 {
        for i in 0..width {
            values[i] += values[i + width];
        }
        width /= 2;
    }
    values[0]
}

#[inline(always)]
unsafe fn unit_generic<S: Simd>(rows: *mut f32, row: usize, count: usize, n: usize, scale: *const f32, scaled: bool) {
    for r in 0..count {
        // SAFETY: the caller's rows and scale.
        unsafe {
            let line = rows.add(r * row);
            let mut squares = S::splat(0.0);
            for c in (0..n).step_by(S::LANES) {
                let v = S::load(line.add(c));
                squares = S::fma(v, v, squares);
            }
            let squares = sum::<S>(squares);
            // A zero vector has no direction; it stays zero and attends everywhere alike.
            let factor = S::splat(if squares > 0.0 { squares.sqrt().recip() } else { 0.0 });
            for c in (0..n).step_by(S::LANES) {
                let v = S::mul(S::load(line.add(c)), factor);
                S::store(line.add(c), if scaled { S::mul(v, S::load(scale.add(c))) } else { v });
            }
        }
    }
}

#[inline(always)]
unsafe fn softmax_generic<S: Simd>(rows: *mut f32, row: usize, count: usize, n: usize, totals: *mut f32) {
    let padded = n.next_multiple_of(S::LANES);
    for r in 0..count {
        // SAFETY: the caller's rows hold whole vectors.
        unsafe {
            let line = rows.add(r * row);
            for c in n..padded {
                *line.add(c) = f32::MIN;
            }
            let mut top = S::load(line);
            for c in (0..padded).step_by(S::LANES) {
                top = S::max(top, S::load(line.add(c)));
            }
            let mut tops = [f32::MIN; 16];
            S::store(tops.as_mut_ptr(), top);
            let top = S::splat(tops.iter().fold(f32::MIN, |a, &b| a.max(b)));
            let mut total = S::splat(0.0);
            for c in (0..padded).step_by(S::LANES) {
                let e = exp::<S>(S::sub(S::load(line.add(c)), top));
                total = S::add(total, e);
                S::store(line.add(c), e);
            }
            *totals.add(r) = sum::<S>(total);
        }
    }
}

#[inline(always)]
unsafe fn divide_generic<S: Simd>(rows: *mut f32, row: usize, count: usize, n: usize, totals: *const f32) {
    for r in 0..count {
        // SAFETY: the caller's rows and totals.
        unsafe {
            let factor = S::splat((*totals.add(r)).recip());
            for c in (0..n).step_by(S::LANES) {
                let at = rows.add(r * row + c);
                S::store(at, S::mul(S::load(at), factor));
            }
        }
    }
}

#[inline(always)]
unsafe fn remember_generic<S: Simd>(gates: *const f32, cell: *mut f32, hidden: *mut f32, n: usize) {
    for c in (0..n).step_by(S::LANES) {
        // SAFETY: the caller's gates, cell and hidden state.
        unsafe {
            let gate = |k: usize| S::load(gates.add(k * n + c));
            let kept = S::mul(sigmoid::<S>(gate(1)), S::load(cell.add(c)));
            let now = S::fma(sigmoid::<S>(gate(0)), tanh::<S>(gate(2)), kept);
            S::store(cell.add(c), now);
            S::store(hidden.add(c), S::mul(sigmoid::<S>(gate(3)), tanh::<S>(now)));
        }
    }
}

dispatched! {
    /// Brings rows to length 1, then multiplies them by `scale` if told.
    fn unit_rows(rows: *mut f32, row: usize, count: usize, n: usize, scale: *const f32, scaled: bool) = unit_generic
}
dispatched! {
    /// Softmax over the first `n` numbers of each row, but for the division by the rows' totals.
    fn softmax_rows(rows: *mut f32, row: usize, count: usize, n: usize, totals: *mut f32) = softmax_generic
}
dispatched! {
    /// Divides each row by its total.
    fn divide_rows(rows: *mut f32, row: usize, count: usize, n: usize, totals: *const f32) = divide_generic
}
dispatched! {
    /// One pixel of the LSTM: gates i, f, g, o of `n` channels each, cell and hidden state.
    fn remember(gates: *const f32, cell: *mut f32, hidden: *mut f32, n: usize) = remember_generic
}

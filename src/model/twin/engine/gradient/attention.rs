//! Normalised attention of one group at one frame, forwards and backwards.
//!
//! Every position asks all positions: weights are the softmax of the cosine of query and key, channels scaled (Wang et
//! al. 2025). The way back computes the weights anew instead of remembering them: a few queries at a time stay in the
//! cache.

use super::super::product::{Operand, Pixels, Segment, Start, panel_of, product};
use super::super::recurrent::{divide_rows, softmax_rows, sum};
use super::super::simd::{Kernel, Simd, dispatched};
use super::outer::outer;
use super::room::Room;

/// Queries that are answered together: their scores stay in the cache.
const QUERIES: usize = 48;

/// Sizes of one group's attention.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attention {
    /// Instruction set.
    pub kernel: Kernel,
    /// Positions.
    pub pixels: usize,
    /// Channels, with padding.
    pub n: usize,
    /// Numbers from position to position; queries, keys and values lie side by side.
    pub row: usize,
}

impl Attention {
    /// Positions, filled up to whole vectors.
    fn keys(self) -> usize {
        self.pixels.next_multiple_of(self.kernel.lanes())
    }

    fn operand(self, room: &Room, k: usize, n: usize) -> Operand {
        Operand { data: room.as_ptr(), k, vectors: n / self.kernel.lanes(), row: None }
    }

    /// Packs rows as the right side `[position, channel]`.
    unsafe fn plain(self, from: *const f32, row: usize, room: &mut Room) {
        let (k, n) = (self.keys(), self.n);
        let to = room.zeros(k * n);
        let mut column = 0;
        while column < n {
            let (start, width) = panel_of(self.kernel, k, n, column);
            for r in 0..self.pixels {
                // SAFETY: the caller's rows.
                let line = unsafe { std::slice::from_raw_parts(from.add(r * row + column), width) };
                to[start + r * width..][..width].copy_from_slice(line);
            }
            column += width;
        }
    }

    /// Packs rows as the right side `[channel, position]`.
    unsafe fn transposed(self, from: *const f32, row: usize, room: &mut Room) {
        let (k, n) = (self.n, self.keys());
        let to = room.zeros(k * n);
        for position in 0..self.pixels {
            let (start, width) = panel_of(self.kernel, k, n, position);
            let first = start + position - start / k;
            for c in 0..k {
                // SAFETY: the caller's rows.
                to[first + c * width] = unsafe { *from.add(position * row + c) };
            }
        }
    }

    /// Unit queries times scale, and unit keys; their inverse lengths.
    unsafe fn directions(self, qkv: *const f32, scale: &[f32], rooms: &mut [Room]) {
        let size = self.pixels * self.n;
        let [queries, keys, lengths, ..] = rooms else { unreachable!("there are ten rooms") };
        let (queries, keys) = (queries.fit(size), keys.fit(size));
        let (of_queries, of_keys) = lengths.fit(2 * self.pixels).split_at_mut(self.pixels);
        // SAFETY: the caller's rows, and rooms of their size.
        unsafe {
            let unit = |from: *const f32, scale: *const f32, scaled, to: &mut [f32], lengths: &mut [f32]| {
                let (to, lengths) = (to.as_mut_ptr(), lengths.as_mut_ptr());
                unit(self.kernel, from, self.row, to, self.pixels, self.n, scale, scaled, lengths);
            };
            unit(qkv, scale.as_ptr(), true, queries, of_queries);
            unit(qkv.add(self.n), scale.as_ptr(), false, keys, of_keys);
        }
    }

    /// Attention weights of a few queries, `[query, key]`.
    unsafe fn weights(self, first: usize, count: usize, queries: &Room, keys: &Room, scores: &mut [f32]) {
        let (kernel, n, keys_n) = (self.kernel, self.n, self.keys());
        let mut totals = [0.0; QUERIES];
        // SAFETY: the rooms hold all queries, packed keys and the scores of `count` queries.
        unsafe {
            let segment = Segment { data: queries.as_ptr().add(first * n), k: n, stride: n };
            let pixels = Pixels { count, output: keys_n };
            product(kernel, pixels, &[segment], self.operand(keys, n, keys_n), Start::Zero, scores.as_mut_ptr());
            softmax_rows(kernel, scores.as_mut_ptr(), keys_n, count, self.pixels, totals.as_mut_ptr());
            divide_rows(kernel, scores.as_mut_ptr(), keys_n, count, keys_n, totals.as_ptr());
        }
    }

    /// Answers all queries: `out [position, channel]`.
    ///
    /// # Safety
    /// All places exist with the strides told, and nobody else writes them meanwhile.
    pub unsafe fn forward(self, qkv: *const f32, scale: &[f32], rooms: &mut [Room], out: (*mut f32, usize)) {
        let (n, keys_n) = (self.n, self.keys());
        // SAFETY: the caller's rows, and rooms of their size.
        unsafe {
            self.directions(qkv, scale, rooms);
            let [queries, keys, _, packed_keys, packed_values, scores, ..] = rooms else {
                unreachable!("there are ten rooms")
            };
            self.transposed(keys.as_ptr(), n, packed_keys);
            self.plain(qkv.add(2 * n), self.row, packed_values);
            let scores = scores.fit(QUERIES * keys_n);
            for first in (0..self.pixels).step_by(QUERIES) {
                let count = QUERIES.min(self.pixels - first);
                self.weights(first, count, queries, packed_keys, scores);
                let segment = Segment { data: scores.as_ptr(), k: keys_n, stride: keys_n };
                let pixels = Pixels { count, output: out.1 };
                let values = self.operand(packed_values, keys_n, n);
                product(self.kernel, pixels, &[segment], values, Start::Zero, out.0.add(first * out.1));
            }
        }
    }

    /// From the gradient of the answers to those of queries, keys and values, which take their places; adds the
    /// gradient of the scale.
    ///
    /// # Safety
    /// As [`Self::forward`].
    pub unsafe fn backward(
        self,
        qkv: *mut f32,
        scale: &[f32],
        rooms: &mut [Room],
        answers: (*const f32, usize),
        scale_back: &mut [f32],
    ) {
        let (kernel, n, keys_n) = (self.kernel, self.n, self.keys());
        // SAFETY: the caller's rows, and rooms of their size.
        unsafe {
            self.directions(qkv, scale, rooms);
            let [queries, keys, lengths, packed, packed_values, scores, plain_keys, keys_back, values_back] = rooms
            else {
                unreachable!("nine rooms are given")
            };
            self.transposed(keys.as_ptr(), n, packed);
            self.plain(keys.as_ptr(), n, plain_keys);
            self.transposed(qkv.add(2 * n), self.row, packed_values);
            let keys_back = keys_back.zeros(keys_n * n).as_mut_ptr();
            let values_back = values_back.zeros(keys_n * n).as_mut_ptr();
            let (scores, rest) = scores.fit(QUERIES * (2 * keys_n + n)).split_at_mut(QUERIES * keys_n);
            let (slopes, queries_back) = rest.split_at_mut(QUERIES * keys_n);
            for first in (0..self.pixels).step_by(QUERIES) {
                let count = QUERIES.min(self.pixels - first);
                self.weights(first, count, queries, packed, scores);
                let answers = (answers.0.add(first * answers.1), answers.1);
                outer(kernel, count, (scores.as_ptr(), keys_n, keys_n), (answers.0, answers.1, n), values_back);
                let segment = Segment { data: answers.0, k: n, stride: answers.1 };
                let pixels = Pixels { count, output: keys_n };
                let values = self.operand(packed_values, n, keys_n);
                product(kernel, pixels, &[segment], values, Start::Zero, slopes.as_mut_ptr());
                softmax_back(kernel, scores.as_ptr(), slopes.as_mut_ptr(), count, keys_n);
                let query = queries.as_ptr().add(first * n);
                outer(kernel, count, (slopes.as_ptr(), keys_n, keys_n), (query, n, n), keys_back);
                let segment = Segment { data: slopes.as_ptr(), k: keys_n, stride: keys_n };
                let pixels = Pixels { count, output: n };
                let to = queries_back.as_mut_ptr();
                product(kernel, pixels, &[segment], self.operand(plain_keys, keys_n, n), Start::Zero, to);
                let (from, lengths) = (qkv.add(first * self.row), lengths.as_ptr().add(first));
                let (scale, back) = (scale.as_ptr(), scale_back.as_mut_ptr());
                unit_back(kernel, from, self.row, to, count, n, lengths, scale, back, true);
            }
            let (from, lengths) = (qkv.add(n), lengths.as_ptr().add(self.pixels));
            let (scale, back) = (scale.as_ptr(), scale_back.as_mut_ptr());
            unit_back(kernel, from, self.row, keys_back, self.pixels, n, lengths, scale, back, false);
            for position in 0..self.pixels {
                let to = qkv.add(position * self.row + 2 * n);
                std::ptr::copy_nonoverlapping(values_back.add(position * n), to, n);
            }
        }
    }
}

#[inline(always)]
unsafe fn unit_generic<S: Simd>(
    from: *const f32,
    row: usize,
    to: *mut f32,
    count: usize,
    n: usize,
    scale: *const f32,
    scaled: bool,
    lengths: *mut f32,
) {
    for r in 0..count {
        // SAFETY: the caller's rows.
        unsafe {
            let (line, to) = (from.add(r * row), to.add(r * n));
            let mut squares = S::splat(0.0);
            for c in (0..n).step_by(S::LANES) {
                let v = S::load(line.add(c));
                squares = S::fma(v, v, squares);
            }
            let squares = sum::<S>(squares);
            // A zero vector has no direction; it stays zero and attends everywhere alike.
            let factor = if squares > 0.0 { squares.sqrt().recip() } else { 0.0 };
            *lengths.add(r) = factor;
            for c in (0..n).step_by(S::LANES) {
                let v = S::mul(S::load(line.add(c)), S::splat(factor));
                S::store(to.add(c), if scaled { S::mul(v, S::load(scale.add(c))) } else { v });
            }
        }
    }
}

#[inline(always)]
unsafe fn unit_back_generic<S: Simd>(
    line: *mut f32,
    row: usize,
    dy: *const f32,
    count: usize,
    n: usize,
    lengths: *const f32,
    scale: *const f32,
    scale_back: *mut f32,
    scaled: bool,
) {
    for r in 0..count {
        // SAFETY: the caller's rows.
        unsafe {
            let (line, dy, factor) = (line.add(r * row), dy.add(r * n), S::splat(*lengths.add(r)));
            let mut along = S::splat(0.0);
            for c in (0..n).step_by(S::LANES) {
                let unit = S::mul(S::load(line.add(c)), factor);
                let mut back = S::load(dy.add(c));
                if scaled {
                    let to = scale_back.add(c);
                    S::store(to, S::fma(unit, back, S::load(to)));
                    back = S::mul(back, S::load(scale.add(c)));
                }
                along = S::fma(unit, back, along);
            }
            let along = S::splat(-sum::<S>(along));
            for c in (0..n).step_by(S::LANES) {
                let unit = S::mul(S::load(line.add(c)), factor);
                let mut back = S::load(dy.add(c));
                if scaled {
                    back = S::mul(back, S::load(scale.add(c)));
                }
                S::store(line.add(c), S::mul(factor, S::fma(unit, along, back)));
            }
        }
    }
}

#[inline(always)]
unsafe fn softmax_back_generic<S: Simd>(weights: *const f32, slopes: *mut f32, count: usize, n: usize) {
    for r in 0..count {
        // SAFETY: the caller's rows.
        unsafe {
            let (w, d) = (weights.add(r * n), slopes.add(r * n));
            let mut along = S::splat(0.0);
            for c in (0..n).step_by(S::LANES) {
                along = S::fma(S::load(w.add(c)), S::load(d.add(c)), along);
            }
            let along = S::splat(sum::<S>(along));
            for c in (0..n).step_by(S::LANES) {
                S::store(d.add(c), S::mul(S::load(w.add(c)), S::sub(S::load(d.add(c)), along)));
            }
        }
    }
}

dispatched! {
    /// Brings rows to length 1, and multiplies them by `scale` if told; writes the factors.
    fn unit(
        from: *const f32, row: usize, to: *mut f32, count: usize, n: usize, scale: *const f32, scaled: bool,
        lengths: *mut f32,
    ) = unit_generic
}
dispatched! {
    /// The way back through [`unit`]: rows `line` are replaced by their gradients; adds the gradient of the scale.
    fn unit_back(
        line: *mut f32, row: usize, dy: *const f32, count: usize, n: usize, lengths: *const f32, scale: *const f32,
        scale_back: *mut f32, scaled: bool,
    ) = unit_back_generic
}
dispatched! {
    /// The way back through a softmax, `slopes = weights * (slopes - Σ weights * slopes)` in each row.
    fn softmax_back(weights: *const f32, slopes: *mut f32, count: usize, n: usize) = softmax_back_generic
}

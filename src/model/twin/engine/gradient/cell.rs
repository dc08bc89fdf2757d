//! The memory of the recurrent core at one frame: gates, cell and hidden state, forwards and backwards.

use super::super::math::{sigmoid, tanh};
use super::super::simd::{Simd, dispatched};

#[inline(always)]
unsafe fn remember_generic<S: Simd>(
    gates: *mut f32,
    gates_row: usize,
    before: *const f32,
    cell: *mut f32,
    hidden: *mut f32,
    row: usize,
    rows: usize,
    n: usize,
) {
    for r in 0..rows {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows.
            unsafe {
                // No closures: they would not be compiled for the instruction set.
                let (gate, at) = (gates.add(r * gates_row + c), r * row + c);
                let i = sigmoid::<S>(S::load(gate));
                let f = sigmoid::<S>(S::load(gate.add(n)));
                let g = tanh::<S>(S::load(gate.add(2 * n)));
                let o = sigmoid::<S>(S::load(gate.add(3 * n)));
                let now = S::fma(i, g, S::mul(f, S::load(before.add(at))));
                S::store(cell.add(at), now);
                S::store(hidden.add(at), S::mul(o, tanh::<S>(now)));
                S::store(gate, i);
                S::store(gate.add(n), f);
                S::store(gate.add(2 * n), g);
                S::store(gate.add(3 * n), o);
            }
        }
    }
}

#[inline(always)]
unsafe fn remember_back_generic<S: Simd>(
    gates: *mut f32,
    gates_row: usize,
    before: *const f32,
    cell: *const f32,
    hidden_back: *const f32,
    cell_back: *mut f32,
    row: usize,
    rows: usize,
    n: usize,
) {
    for r in 0..rows {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows.
            unsafe {
                let (gate, at, one) = (gates.add(r * gates_row + c), r * row + c, S::splat(1.0));
                let (i, f) = (S::load(gate), S::load(gate.add(n)));
                let (g, o) = (S::load(gate.add(2 * n)), S::load(gate.add(3 * n)));
                let seen = tanh::<S>(S::load(cell.add(at)));
                let dh = S::load(hidden_back.add(at));
                let through = S::mul(S::mul(dh, o), S::sub(one, S::mul(seen, seen)));
                let dc = S::add(S::load(cell_back.add(at)), through);
                S::store(cell_back.add(at), S::mul(dc, f));
                S::store(gate, S::mul(S::mul(dc, g), S::mul(i, S::sub(one, i))));
                let from_before = S::mul(dc, S::load(before.add(at)));
                S::store(gate.add(n), S::mul(from_before, S::mul(f, S::sub(one, f))));
                S::store(gate.add(2 * n), S::mul(S::mul(dc, i), S::sub(one, S::mul(g, g))));
                S::store(gate.add(3 * n), S::mul(S::mul(dh, seen), S::mul(o, S::sub(one, o))));
            }
        }
    }
}

#[inline(always)]
unsafe fn tanh_back_generic<S: Simd>(
    y: *const f32,
    y_row: usize,
    dy: *const f32,
    dy_row: usize,
    dx: *mut f32,
    dx_row: usize,
    rows: usize,
    n: usize,
) {
    for r in 0..rows {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows.
            unsafe {
                let y = S::load(y.add(r * y_row + c));
                let slope = S::sub(S::splat(1.0), S::mul(y, y));
                S::store(dx.add(r * dx_row + c), S::mul(slope, S::load(dy.add(r * dy_row + c))));
            }
        }
    }
}

#[inline(always)]
unsafe fn add_generic<S: Simd>(x: *const f32, x_row: usize, y: *mut f32, y_row: usize, rows: usize, n: usize) {
    for r in 0..rows {
        for c in (0..n).step_by(S::LANES) {
            // SAFETY: the caller's rows.
            unsafe {
                let to = y.add(r * y_row + c);
                S::store(to, S::add(S::load(to), S::load(x.add(r * x_row + c))));
            }
        }
    }
}

dispatched! {
    /// Gates i, f, g, o of `n` numbers each, before their activation in each row of `gates` and after it when done; the
    /// cell before and now, and the hidden state.
    fn remember(
        gates: *mut f32, gates_row: usize, before: *const f32, cell: *mut f32, hidden: *mut f32, row: usize,
        rows: usize, n: usize,
    ) = remember_generic
}
dispatched! {
    /// The way back: activated gates are replaced by the gradients of what they were before their activation,
    /// `cell_back` by that of the cell one frame before.
    fn remember_back(
        gates: *mut f32, gates_row: usize, before: *const f32, cell: *const f32, hidden_back: *const f32,
        cell_back: *mut f32, row: usize, rows: usize, n: usize,
    ) = remember_back_generic
}
dispatched! {
    /// `dx = (1 - y²) dy` in rows of `n` numbers.
    fn tanh_back(
        y: *const f32, y_row: usize, dy: *const f32, dy_row: usize, dx: *mut f32, dx_row: usize, rows: usize, n: usize,
    ) = tanh_back_generic
}
dispatched! {
    /// `y += x` in rows of `n` numbers.
    fn add_rows(x: *const f32, x_row: usize, y: *mut f32, y_row: usize, rows: usize, n: usize) = add_generic
}

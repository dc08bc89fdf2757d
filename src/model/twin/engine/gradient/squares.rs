//! Winograd's transforms of squares of pixels, for whole tiles of a block.
//!
//! Pictures have no border: pixels outside of them are read from a place that holds zeros.

use super::super::simd::{Simd, dispatched};
use super::super::winograd::{Four, Points, Tile, Two};

/// Stands for the pixels outside of the picture.
pub(super) static NOTHING: [f32; 1 << 10] = [0.0; 1 << 10];

/// Addresses of the pixels of a square, those outside of the picture zeros.
#[inline(always)]
fn square<const SIZE: usize>(
    data: *const f32,
    pixel: usize,
    [height, width]: [usize; 2],
    (y, x): (isize, isize),
) -> [[*const f32; SIZE]; SIZE] {
    let mut places = [[NOTHING.as_ptr(); SIZE]; SIZE];
    // Rows and columns on their own: there are few of them, and many pixels.
    let (mut rows, mut columns) = ([usize::MAX; SIZE], [usize::MAX; SIZE]);
    for i in 0..SIZE {
        let (y, x) = (y.wrapping_add_unsigned(i) as usize, x.wrapping_add_unsigned(i) as usize);
        rows[i] = if y < height { y * width * pixel } else { usize::MAX };
        columns[i] = if x < width { x * pixel } else { usize::MAX };
    }
    for (line, &row) in places.iter_mut().zip(&rows) {
        for (place, &column) in line.iter_mut().zip(&columns) {
            let inside = row != usize::MAX && column != usize::MAX;
            // The address is read only when the pixel lies inside the caller's picture.
            *place = if inside { data.wrapping_add(row.wrapping_add(column)) } else { *place };
        }
    }
    places
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "columns of a square of vectors")]
unsafe fn into_generic<S: Simd, P: Points<SIZE, SIDE>, const SIZE: usize, const SIDE: usize>(
    data: *const f32,
    pixel: usize,
    size: [usize; 2],
    n: usize,
    [first, tiles, across]: [usize; 3],
    v: *mut f32,
    pitch: usize,
) {
    for tile in 0..tiles {
        let (y, x) = ((first + tile) / across * SIDE, (first + tile) % across * SIDE);
        // SAFETY: the caller's picture and room; zeros are as long as the channels.
        unsafe {
            let from = square::<SIZE>(data, pixel, size, (y as isize - 1, x as isize - 1));
            let to = v.add(tile * n);
            for c in (0..n).step_by(S::LANES) {
                let mut rows = [[S::splat(0.0); SIZE]; SIZE];
                for (row, from) in rows.iter_mut().zip(&from) {
                    let mut line = [S::splat(0.0); SIZE];
                    for (value, from) in line.iter_mut().zip(from) {
                        *value = S::load(from.add(c));
                    }
                    *row = P::input::<S>(line);
                }
                for j in 0..SIZE {
                    let mut line = [S::splat(0.0); SIZE];
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = rows[i][j];
                    }
                    for (i, &value) in P::input::<S>(line).iter().enumerate() {
                        S::store(to.add((i * SIZE + j) * pitch + c), value);
                    }
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "columns of a square of vectors")]
unsafe fn spread_generic<S: Simd, P: Points<SIZE, SIDE>, const SIZE: usize, const SIDE: usize>(
    data: *const f32,
    pixel: usize,
    size: [usize; 2],
    n: usize,
    [first, tiles, across]: [usize; 3],
    d: *mut f32,
    pitch: usize,
) {
    for tile in 0..tiles {
        let (y, x) = ((first + tile) / across * SIDE, (first + tile) % across * SIDE);
        // SAFETY: the caller's picture and room; zeros are as long as the channels.
        unsafe {
            let from = square::<SIDE>(data, pixel, size, (y as isize, x as isize));
            let to = d.add(tile * n);
            for c in (0..n).step_by(S::LANES) {
                let mut rows = [[S::splat(0.0); SIZE]; SIDE];
                for (row, from) in rows.iter_mut().zip(&from) {
                    let mut line = [S::splat(0.0); SIDE];
                    for (value, from) in line.iter_mut().zip(from) {
                        *value = S::load(from.add(c));
                    }
                    *row = P::spread::<S>(line);
                }
                for j in 0..SIZE {
                    let mut line = [S::splat(0.0); SIDE];
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = rows[i][j];
                    }
                    for (i, &value) in P::spread::<S>(line).iter().enumerate() {
                        S::store(to.add((i * SIZE + j) * pitch + c), value);
                    }
                }
            }
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "columns of a square of vectors")]
unsafe fn out_generic<S: Simd, P: Points<SIZE, SIDE>, const SIZE: usize, const SIDE: usize>(
    m: *const f32,
    pitch: usize,
    [height, width]: [usize; 2],
    n: usize,
    [first, tiles, across]: [usize; 3],
    bias: *const f32,
    add: bool,
    data: *mut f32,
    pixel: usize,
) {
    for tile in 0..tiles {
        let (y, x) = ((first + tile) / across * SIDE, (first + tile) % across * SIDE);
        let (rows_inside, columns_inside) = (SIDE.min(height - y), SIDE.min(width - x));
        // SAFETY: the caller's room; only pixels inside the picture are written.
        unsafe {
            let (from, to) = (m.add(tile * n), data.add((y * width + x) * pixel));
            for c in (0..n).step_by(S::LANES) {
                let mut rows = [[S::splat(0.0); SIDE]; SIZE];
                for (i, row) in rows.iter_mut().enumerate() {
                    let mut line = [S::splat(0.0); SIZE];
                    for (j, value) in line.iter_mut().enumerate() {
                        *value = S::load(from.add((i * SIZE + j) * pitch + c));
                    }
                    *row = P::output::<S>(line);
                }
                for j in 0..columns_inside {
                    let mut line = [S::splat(0.0); SIZE];
                    for (i, value) in line.iter_mut().enumerate() {
                        *value = rows[i][j];
                    }
                    for (i, &value) in P::output::<S>(line).iter().enumerate().take(rows_inside) {
                        let to = to.add((i * width + j) * pixel + c);
                        let start = if add { S::load(to) } else { S::load(bias.add(c)) };
                        S::store(to, S::add(value, start));
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn into_of<S: Simd>(
    tile: Tile,
    data: *const f32,
    pixel: usize,
    size: [usize; 2],
    n: usize,
    block: [usize; 3],
    v: *mut f32,
    pitch: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        match tile {
            Tile::Two => into_generic::<S, Two, 4, 2>(data, pixel, size, n, block, v, pitch),
            Tile::Four => into_generic::<S, Four, 6, 4>(data, pixel, size, n, block, v, pitch),
        }
    }
}

#[inline(always)]
unsafe fn spread_of<S: Simd>(
    tile: Tile,
    data: *const f32,
    pixel: usize,
    size: [usize; 2],
    n: usize,
    block: [usize; 3],
    d: *mut f32,
    pitch: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        match tile {
            Tile::Two => spread_generic::<S, Two, 4, 2>(data, pixel, size, n, block, d, pitch),
            Tile::Four => spread_generic::<S, Four, 6, 4>(data, pixel, size, n, block, d, pitch),
        }
    }
}

#[inline(always)]
unsafe fn out_of<S: Simd>(
    tile: Tile,
    m: *const f32,
    pitch: usize,
    size: [usize; 2],
    n: usize,
    block: [usize; 3],
    bias: *const f32,
    add: bool,
    data: *mut f32,
    pixel: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        match tile {
            Tile::Two => out_generic::<S, Two, 4, 2>(m, pitch, size, n, block, bias, add, data, pixel),
            Tile::Four => out_generic::<S, Four, 6, 4>(m, pitch, size, n, block, bias, add, data, pixel),
        }
    }
}

dispatched! {
    /// Transforms tiles of `n` channels of a picture of `size` (height and width); `block` is the first tile, how many,
    /// and how many lie in a row.
    fn tiles_in(
        tile: Tile, data: *const f32, pixel: usize, size: [usize; 2], n: usize, block: [usize; 3], v: *mut f32,
        pitch: usize,
    ) = into_of
}
dispatched! {
    /// Transforms tiles of gradients of outputs to gradients of products.
    fn tiles_spread(
        tile: Tile, data: *const f32, pixel: usize, size: [usize; 2], n: usize, block: [usize; 3], d: *mut f32,
        pitch: usize,
    ) = spread_of
}
dispatched! {
    /// Transforms tiles of products back, and adds the bias or what stands there.
    fn tiles_out(
        tile: Tile, m: *const f32, pitch: usize, size: [usize; 2], n: usize, block: [usize; 3], bias: *const f32,
        add: bool, data: *mut f32, pixel: usize,
    ) = out_of
}

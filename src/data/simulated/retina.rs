//! What the eye sees: the monitor as contrast on a grid of degrees, the same whatever its pixels, shifted by gaze.

use crate::signals::{Degrees, Monitor};

/// Side of a cell of the grid, degrees: six cells to the finest period that a unit prefers.
pub(super) const CELL_DEG: Degrees = 2.5;
/// Cells to the left and right of the middle, and above and below: 70 x 50 degrees, a little more than the monitor of
/// Wang et al. 2025 covers.
const REACH: [usize; 2] = [28, 20];
/// Columns of the grid.
const COLUMNS: usize = 2 * REACH[0] + 1;
/// Rows of the grid, from the top.
const ROWS: usize = 2 * REACH[1] + 1;
/// Cells of the grid.
pub(super) const CELLS: usize = COLUMNS * ROWS;
/// Points along each side of a cell at which the monitor is sampled: closer than the pixels of the paper's raster.
const POINTS: usize = 4;
/// Farthest eccentricity that is looked up on the flat screen, degrees; beyond it the screen's border is repeated.
const FARTHEST_DEG: Degrees = 80.0;
/// Exponent from luminance to the eye's response; with a gamma of 1.7 the response is nearly the grey level again.
const ADAPTATION: f64 = 0.6;

/// Middle of a cell, degrees, x to the right and y up.
pub(super) fn cell_deg(cell: usize) -> [Degrees; 2] {
    let (row, column) = (cell / COLUMNS, cell % COLUMNS);
    [(column as f64 - REACH[0] as f64) * CELL_DEG, (REACH[1] as f64 - row as f64) * CELL_DEG]
}

/// The monitor, ready to be seen.
#[derive(Debug, Clone)]
pub(super) struct Retina {
    pixels: usize,
    /// Contrast of each grey level: 0 is the background, -1 black.
    contrast: [f32; 256],
    /// Pixels that each cell covers, and how much of it; cell after cell.
    covered: Vec<(u32, f32)>,
    /// Where the pixels of each cell end in that list.
    ends: Vec<usize>,
    /// The frame in contrast, and on the grid.
    screen: Vec<f32>,
    world: Vec<f32>,
}

impl Retina {
    pub(super) fn new(monitor: &Monitor) -> Self {
        let response = |grey: u8| monitor.luminance(grey).powf(ADAPTATION);
        // A black background has no contrast to measure by; a hundredth of white stands in for it.
        let background = response(monitor.background).max(0.01);
        let contrast = std::array::from_fn(|grey| {
            let grey = u8::try_from(grey).expect("256 grey levels");
            ((response(grey) - response(monitor.background)) / background) as f32
        });
        let (mut covered, mut ends) = (Vec::new(), Vec::with_capacity(CELLS));
        let mut points = Vec::with_capacity(POINTS * POINTS);
        for cell in 0..CELLS {
            let middle = cell_deg(cell);
            points.clear();
            points.extend((0..POINTS * POINTS).map(|point| {
                let offset = |index: usize| ((index as f64 + 0.5) / POINTS as f64 - 0.5) * CELL_DEG;
                pixel_at(monitor, middle[0] + offset(point % POINTS), middle[1] + offset(point / POINTS))
            }));
            points.sort_unstable();
            for same in points.chunk_by(|a, b| a == b) {
                covered.push((same[0], same.len() as f32 / (POINTS * POINTS) as f32));
            }
            ends.push(covered.len());
        }
        let pixels = monitor.raster.pixels();
        Self { pixels, contrast, covered, ends, screen: vec![0.0; pixels], world: vec![0.0; CELLS] }
    }

    /// Contrast of light above the background, and of darkness below it, on the grid of an eye that looks this far to
    /// the right and up of average.
    pub(super) fn see(&mut self, frame: &[u8], gaze_deg: [f32; 2], on: &mut [f32], off: &mut [f32]) {
        assert_eq!(frame.len(), self.pixels, "pixels of a frame");
        for (contrast, &grey) in self.screen.iter_mut().zip(frame) {
            *contrast = self.contrast[usize::from(grey)];
        }
        let mut start = 0;
        for (cell, &end) in self.world.iter_mut().zip(&self.ends) {
            *cell = self.covered[start..end].iter().map(|&(pixel, part)| part * self.screen[pixel as usize]).sum();
            start = end;
        }
        let [right, up] = gaze_deg.map(|degrees| degrees / CELL_DEG as f32);
        let columns = Neighbours::shifted(COLUMNS, right);
        let rows = Neighbours::shifted(ROWS, -up);
        for row in 0..ROWS {
            let (upper, lower) = rows.of(row);
            let (upper, lower) = (&self.world[upper * COLUMNS..][..COLUMNS], &self.world[lower * COLUMNS..][..COLUMNS]);
            for column in 0..COLUMNS {
                let (left, right) = columns.of(column);
                let above = upper[left] + columns.part * (upper[right] - upper[left]);
                let below = lower[left] + columns.part * (lower[right] - lower[left]);
                let contrast = above + rows.part * (below - above);
                on[row * COLUMNS + column] = contrast.max(0.0);
                off[row * COLUMNS + column] = (-contrast).max(0.0);
            }
        }
    }
}

/// Cells between which the shifted cells of one axis lie; at the borders the last one is repeated.
struct Neighbours {
    last: isize,
    whole: isize,
    /// Part of the way from the first to the second.
    part: f32,
}

impl Neighbours {
    fn shifted(length: usize, cells: f32) -> Self {
        // Farther than the grid is long makes no difference; a cast saturates.
        let cells = cells.clamp(-(length as f32), length as f32);
        Self { last: length as isize - 1, whole: cells.floor() as isize, part: cells - cells.floor() }
    }

    fn of(&self, index: usize) -> (usize, usize) {
        let at = |index: isize| index.clamp(0, self.last) as usize;
        let first = index as isize + self.whole;
        (at(first), at(first + 1))
    }
}

/// Pixel at a place in degrees; beside the screen the nearest one of its border.
fn pixel_at(monitor: &Monitor, x: Degrees, y: Degrees) -> u32 {
    let scale = (FARTHEST_DEG / x.hypot(y).max(1e-9)).min(1.0);
    let (x_cm, y_cm) = monitor.cm_from_degrees(x * scale, y * scale).expect("less than 90 degrees from the middle");
    let (dx, dy) = monitor.pitch_cm();
    let index = |from_border: f64, length: usize| (from_border.max(0.0) as usize).min(length - 1);
    let column = index((x_cm + monitor.width_cm / 2.0) / dx, monitor.raster.width);
    let row = index((monitor.height_cm / 2.0 - y_cm) / dy, monitor.raster.height);
    (row * monitor.raster.width + column) as u32
}

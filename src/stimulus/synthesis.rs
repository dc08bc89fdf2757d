//! Gaussian noise of any spectrum in space and in time, by Fourier synthesis; the kinds of noise choose the spectra.
//!
//! grey(x, t) = background + Re sum over k of w(k) s(k) b(t + o(k)) e^(2 pi i k (x - d(t)))
//!
//! The wave vectors k fill half of the plane up to the highest that the pixels can show (the other half is the mirror
//! image that makes the picture real). w(k) is the amplitude, which fixes the spectrum in space, and d(t) a common
//! displacement. In time every wave goes up, down and around like the complex process b, whose spectrum is exact: b is
//! one long sequence, the inverse transform of the wanted amplitudes with random phases, and each wave reads it from its
//! own random place o(k) under its own random sign s(k). So a frame costs the same wherever it lies, and none needs the
//! one before it. Sums of so many independent waves are Gaussian.
//!
//! The waves are periodic on a field of [`FIELD`] screens, so that the opposite borders of the screen are not
//! neighbours. The sequence comes back after [`LENGTH`] frames, 36 minutes at 30 frames per second.
//!
//! The CPU sums by fast Fourier transforms; the shaders sum the same waves one after the other, first along the columns,
//! then along the rows, by what they share in `shaders/shared/synthesis.wgsl`.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use bytemuck::{NoUninit, Pod, Zeroable};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::drawing::{Painting, Pass, Shader, Table, fixed};
use super::grey_level;
use super::hash::random_words;
use crate::signals::{Monitor, Raster};

/// Width and height of the periodic field in those of the screen.
const FIELD: f64 = 1.5;

/// Length of the sequence that all waves read, frames.
const LENGTH: usize = 1 << 16;

/// Second counters of the random numbers: one for each use. Those of the kinds lie below.
const PHASES: u32 = u32::MAX;
const PLACES: u32 = u32::MAX - 1;

/// Largest table that the shader may write: what every device can bind, bytes.
const LARGEST_TABLE: usize = 1 << 27;

/// The waves that fit on the field of a screen: columns 0..across of wave vectors, rows -up..=up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waves {
    raster: Raster,
    /// Width and height of the field, pixels.
    field: [usize; 2],
    across: usize,
    up: usize,
    /// Cycles per degree, at the centre of the screen, of one cycle per field along x and y.
    unit: [f64; 2],
}

impl Waves {
    /// All that the pixels can show, up to a frequency in cycles per degree along each axis.
    pub(super) fn new(monitor: &Monitor, highest: f64) -> Self {
        let raster = monitor.raster;
        let field = [raster.width, raster.height].map(|side| smooth_size((side as f64 * FIELD).ceil() as usize));
        let (dx, dy) = monitor.pitch_cm();
        let degrees = |cm: f64| (cm / monitor.distance_cm).to_degrees();
        let unit = [1.0 / (degrees(dx) * field[0] as f64), 1.0 / (degrees(dy) * field[1] as f64)];
        // The wave of half the field's pixels is left out: it has no direction.
        let most = |axis: usize| ((highest / unit[axis]) as usize).min((field[axis] / 2).saturating_sub(1));
        Self { raster, field, across: most(0) + 1, up: most(1), unit }
    }

    fn rows(&self) -> usize {
        2 * self.up + 1
    }

    /// Number of waves.
    fn count(&self) -> usize {
        self.across * self.rows()
    }

    /// Wave vectors in cycles per degree, x to the right and y up; `None` where the mirror image stands for it.
    pub(super) fn vectors(&self) -> impl Iterator<Item = Option<[f64; 2]>> + '_ {
        (0..self.count()).map(|index| {
            let (column, row) = (index / self.rows(), (index % self.rows()) as i64 - self.up as i64);
            // Rows count downwards.
            (column > 0 || row > 0).then_some([column as f64 * self.unit[0], -(row as f64) * self.unit[1]])
        })
    }

    /// A displacement in degrees, y up, in cycles of the field as the shader counts them, y down.
    pub(super) fn cycles(&self, displacement_deg: [f64; 2]) -> [u32; 2] {
        [fixed(displacement_deg[0] * self.unit[0]), fixed(-displacement_deg[1] * self.unit[1])]
    }
}

/// The next even number without prime factors above 5, which transforms fast.
fn smooth_size(least: usize) -> usize {
    let smooth = |mut n: usize| {
        for prime in [2, 3, 5] {
            while n.is_multiple_of(prime) {
                n /= prime;
            }
        }
        n == 1
    };
    (least.max(2)..).find(|&size| size.is_multiple_of(2) && smooth(size)).expect("powers of two never end")
}

/// What a frame shows; the layout of `Moment` in `shaders/monet.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Moment {
    /// Number of the frame.
    pub time: u32,
    /// Which of the sets of amplitudes.
    pub set: u32,
    /// Displacement in cycles of the field, units of 2^-32.
    pub shift: [u32; 2],
}

impl Moment {
    /// The first set of amplitudes, in place.
    pub(super) fn at(frame: usize) -> Self {
        Self { time: (frame % LENGTH) as u32, set: 0, shift: [0, 0] }
    }
}

/// Parameters of the shaders.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    across: u32,
    up: u32,
    field: [u32; 2],
    length: u32,
    background: f32,
}

/// Noise of given spectra under a seed.
pub(super) struct Synthesis {
    waves: Waves,
    background: f64,
    /// Place in the sequence of each wave, and its sign as the highest bit.
    places: Vec<u32>,
    /// Sets of one amplitude a wave, grey levels.
    amplitudes: Vec<f32>,
    sequence: Vec<Complex<f32>>,
    along_columns: Arc<dyn Fft<f64>>,
    along_rows: Arc<dyn Fft<f64>>,
}

impl fmt::Debug for Synthesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synthesis").field("waves", &self.waves).finish_non_exhaustive()
    }
}

impl Synthesis {
    /// `power` is the power at a temporal frequency in cycles per frame, 0..=0.5, up to a factor. `sets` has the
    /// amplitudes of all waves up to a factor, set after set; the standard deviation is that of the first set.
    pub(super) fn new(
        waves: Waves,
        seed: u64,
        background: u8,
        deviation: f64,
        power: impl Fn(f64) -> f64,
        mut sets: Vec<f32>,
    ) -> Self {
        let squares: f64 = sets[..waves.count()].iter().map(|&w| f64::from(w).powi(2)).sum();
        // A wave of amplitude w has variance w^2 / 2.
        let scale = if squares > 0.0 { deviation * (2.0 / squares).sqrt() } else { 0.0 };
        sets.iter_mut().for_each(|amplitude| *amplitude = (f64::from(*amplitude) * scale) as f32);
        let place = |wave: usize| {
            let words = random_words(seed, wave as u32, PLACES);
            (words[0] % LENGTH as u32) | (words[1] & (1 << 31))
        };
        let mut planner = FftPlanner::new();
        Self {
            background: f64::from(background),
            places: (0..waves.count()).map(place).collect(),
            amplitudes: sets,
            sequence: sequence(seed, power, &mut planner),
            along_columns: planner.plan_fft_inverse(waves.field[1]),
            along_rows: planner.plan_fft_inverse(waves.field[0]),
            waves,
        }
    }

    /// Draws one frame, `[height, width]`.
    pub(super) fn frame(&self, moment: Moment, pixels: &mut [u8]) {
        let [width, height] = self.waves.field;
        let columns = self.columns(moment);
        let mut scratch = vec![Complex::default(); self.along_rows.get_inplace_scratch_len()];
        let mut line = vec![Complex::default(); width];
        for (pair, greys) in pixels.chunks_mut(2 * self.waves.raster.width).enumerate() {
            // Two rows at once: one becomes the real part, the other the imaginary part. The mirror images carry half of
            // every wave. Of an odd number of rows, the last goes with one of the field below the screen, or with itself.
            let (even, odd) = (2 * pair, (2 * pair + 1) % height);
            line.fill(Complex::default());
            for (wave, column) in columns.chunks_exact(height).enumerate() {
                let (a, b) = (column[even], column[odd]);
                if wave == 0 {
                    line[0] = Complex::new(a.re, b.re);
                } else {
                    line[wave] = Complex::new(a.re - b.im, a.im + b.re) * 0.5;
                    line[width - wave] = Complex::new(a.re + b.im, b.re - a.im) * 0.5;
                }
            }
            self.along_rows.process_with_scratch(&mut line, &mut scratch);
            let (above, below) = greys.split_at_mut(self.waves.raster.width);
            for (grey, value) in above.iter_mut().zip(&line) {
                *grey = grey_level(self.background + value.re);
            }
            for (grey, value) in below.iter_mut().zip(&line) {
                *grey = grey_level(self.background + value.im);
            }
        }
    }

    /// The waves summed along each column of wave vectors: `[column, row of the field]`.
    fn columns(&self, moment: Moment) -> Vec<Complex<f64>> {
        let (across, up, rows, height) = (self.waves.across, self.waves.up, self.waves.rows(), self.waves.field[1]);
        let set = &self.amplitudes[moment.set as usize * self.waves.count()..][..self.waves.count()];
        let turn = |shift: u32, wave: i64| {
            // Whole cycles wrap around by themselves.
            let cycles = f64::from(shift.wrapping_mul(wave as u32) as i32) / 2f64.powi(32);
            let (sin, cos) = (TAU * cycles).sin_cos();
            Complex::new(cos, -sin)
        };
        let still = moment.shift == [0, 0];
        let turns: Vec<_> = (-(up as i64)..=up as i64).map(|row| turn(moment.shift[1], row)).collect();
        let mut columns = vec![Complex::default(); across * height];
        for (wave, column) in columns.chunks_exact_mut(height).enumerate() {
            let first = turn(moment.shift[0], wave as i64);
            let own = wave * rows..(wave + 1) * rows;
            for (row, (&amplitude, &place)) in set[own.clone()].iter().zip(&self.places[own]).enumerate() {
                let value = self.sequence[moment.time.wrapping_add(place) as usize % LENGTH];
                let amplitude = f64::from(f32::from_bits(amplitude.to_bits() ^ place & 1 << 31));
                let value = Complex::new(f64::from(value.re) * amplitude, f64::from(value.im) * amplitude);
                column[(row + height - up) % height] = if still { value } else { value * first * turns[row] };
            }
        }
        self.along_columns.process(&mut columns);
        columns
    }

    /// What the shader of a kind of noise needs: `shared/synthesis.wgsl` and a table of what each frame shows, for its
    /// `time_of` and `factor`. `None` for more frames than fit into its memory.
    pub(super) fn painting<T: NoUninit>(&self, shader: &'static Shader, shown: &[T]) -> Option<Painting> {
        let Waves { raster, field, across, up, .. } = self.waves;
        let lines = raster.height.checked_mul(across)?;
        let bytes = lines.checked_mul(shown.len())?.checked_mul(8).filter(|&bytes| bytes <= LARGEST_TABLE)?;
        let uniform = Uniform {
            across: across as u32,
            up: up as u32,
            field: field.map(|side| side as u32),
            length: LENGTH as u32,
            background: self.background as f32,
        };
        let spectrum: Vec<u32> =
            self.places.iter().copied().chain(self.amplitudes.iter().map(|amplitude| amplitude.to_bits())).collect();
        let turns: Vec<[f32; 2]> = [field[1], field[0]]
            .into_iter()
            .flat_map(|side| (0..side).map(move |part| (TAU * part as f64 / side as f64).sin_cos()))
            .map(|(sin, cos)| [cos as f32, sin as f32])
            .collect();
        let sequence: Vec<[f32; 2]> = self.sequence.iter().map(|value| [value.re, value.im]).collect();
        Some(Painting {
            shader,
            tables: vec![
                Table::of(&[uniform]),
                Table::of(&spectrum),
                Table::of(&sequence),
                Table::of(&turns),
                Table::Scratch(bytes),
                Table::of(shown),
            ],
            passes: vec![Pass { entry: "columns", things: lines }, Pass { entry: "draw", things: raster.pixels() }],
        })
    }
}

/// A complex process of mean power 1 with this power spectrum, exactly.
fn sequence(seed: u64, power: impl Fn(f64) -> f64, planner: &mut FftPlanner<f64>) -> Vec<Complex<f32>> {
    // Both signs of a frequency have the same power.
    let amplitudes: Vec<f64> = (0..=LENGTH / 2).map(|bin| power(bin as f64 / LENGTH as f64).max(0.0).sqrt()).collect();
    let mut values: Vec<Complex<f64>> = (0..LENGTH)
        .map(|bin| {
            let phase = f64::from(random_words(seed, bin as u32, PHASES)[0]) * 2f64.powi(-32);
            Complex::from_polar(amplitudes[bin.min(LENGTH - bin)], TAU * phase)
        })
        .collect();
    let power: f64 = values.iter().map(Complex::norm_sqr).sum();
    let scale = power.sqrt().recip();
    planner.plan_fft_inverse(LENGTH).process(&mut values);
    values.iter().map(|value| Complex::new((value.re * scale) as f32, (value.im * scale) as f32)).collect()
}

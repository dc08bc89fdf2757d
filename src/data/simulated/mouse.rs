//! A simulated mouse: a population with known tuning that watches any movie.
//!
//! Each unit filters the retinal image with a quadrature pair of Gabors and of temporal filters (motion energy, Adelson
//! and Bergen 1985), takes the energy (complex) or the half-squared output (simple), and divides it by the local
//! contrast energy (Heeger 1992). Running and arousal multiply the rate, gaze moves the receptive field, and
//! excitability drifts slowly. A unit depends on (seed, number) alone, not on the size of the population.

use super::chance::{Chance, Topic};
use super::drift::Drift;
use super::filters::{FIELD, Filters};
use super::product::product;
use super::retina::{CELLS, Retina};
use super::temporal::TemporalFilters;
use super::unit::{CellKind, Unit};
use crate::job::{Cancelled, Progress};
use crate::signals::{Behavior, Degrees, FrameSource, Monitor, Responses, SourceError};

/// Frames that are computed at once.
const BLOCK: usize = 48;
/// Energy that is added in the division: on grey, contrasts well below its root, 6 %, are not seen.
const HALF_ENERGY: f32 = 0.004;
/// Weight of a unit's own drive in the division.
const OWN_WEIGHT: f32 = 0.3;
/// Weight of the local energy for a surround of strength 1. The energy is that of all orientations and of a wide band,
/// several times that in a unit's own band in natural clips.
const LOCAL_WEIGHT: f32 = 0.3;
/// Temporal frequency of the local energy, Hz.
const FIELD_HZ: f64 = 2.5;
/// Mean and standard deviation of running (0 rest, 1 full speed) behind the z-score of velocity.
pub(super) const RUNNING: (f32, f32) = (0.4, 0.454);

/// Why a mouse could not watch a movie.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The movie could not be read.
    #[error(transparent)]
    Movie(#[from] SourceError),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Movie and monitor, or movie and behaviour, do not fit together.
    #[error("the mouse cannot watch: {0}")]
    Mismatch(String),
}

/// A simulated mouse.
#[derive(Debug, Clone)]
pub struct Mouse {
    seed: u64,
    units: Vec<Unit>,
    gaze_deg: [Degrees; 2],
    filters: Filters,
    drift: Drift,
    /// Each unit's mean rate, by which it is divided; 1 before it is known.
    mean: Vec<f32>,
}

impl Mouse {
    /// The mouse of a seed, with so many units.
    pub fn new(seed: u64, units: usize) -> Self {
        let count = u32::try_from(units).expect("fewer units than a mouse has neurons");
        let units: Vec<Unit> = (0..count).map(|number| Unit::new(seed, number)).collect();
        let mut eye = Chance::new(seed, Topic::Eye, 0);
        Self {
            seed,
            gaze_deg: [eye.between((3.0, 5.0)), eye.between((2.0, 4.0))],
            filters: Filters::new(&units),
            drift: Drift::new(seed),
            mean: vec![1.0; units.len()],
            units,
        }
    }

    /// The same mouse with another standard deviation of the slow drift (of the logarithm of every rate); 0 is none.
    pub fn with_drift(self, deviation: f64) -> Self {
        Self { drift: self.drift.with_deviation(deviation), ..self }
    }

    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The truth about every unit.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// How far the receptive fields move to the right and up for one standard deviation of pupil x and y, degrees.
    pub fn gaze_deg(&self) -> [Degrees; 2] {
        self.gaze_deg
    }

    /// Each unit's mean rate, by which it is divided.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Divides each unit's rate by this from now on, so that 1.0 is its mean activity. A unit that never responded
    /// keeps its rate.
    ///
    /// # Panics
    /// When there is not one mean for each unit.
    pub fn set_mean(&mut self, mean: Vec<f32>) {
        assert_eq!(mean.len(), self.units.len(), "means of all units");
        self.mean = mean.into_iter().map(|mean| if mean > 0.0 && mean.is_finite() { mean } else { 1.0 }).collect();
    }

    /// Sets the mean to that over a movie.
    ///
    /// # Errors
    /// See [`Watching::rates`].
    pub fn calibrate(
        &mut self,
        monitor: &Monitor,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<(), WatchError> {
        self.mean.fill(1.0);
        let mut sums = vec![0.0f64; self.units.len()];
        let mut rows = 0.0;
        self.watch(monitor).stream(movie, behavior, 0, progress, &mut |_, rates| {
            for row in rates.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &rate)| *sum += f64::from(rate));
                rows += 1.0;
            }
        })?;
        self.set_mean(sums.into_iter().map(|sum| (sum / f64::max(rows, 1.0)) as f32).collect());
        Ok(())
    }

    /// The mouse in front of a monitor.
    pub fn watch(&self, monitor: &Monitor) -> Watching<'_> {
        let frequencies: Vec<f64> = self.units.iter().map(|unit| unit.temporal_frequency_hz).collect();
        Watching {
            mouse: self,
            monitor: *monitor,
            retina: Retina::new(monitor),
            units: TemporalFilters::new(&frequencies, monitor.frame_rate),
            field: TemporalFilters::new(&[FIELD_HZ; FIELD], monitor.frame_rate),
        }
    }

    /// True rates during a movie: [`Watching::rates`] from the start of the session.
    ///
    /// # Errors
    /// See [`Watching::rates`].
    pub fn rates(
        &self,
        monitor: &Monitor,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, WatchError> {
        self.watch(monitor).rates(movie, behavior, 0, progress)
    }
}

/// A mouse in front of a monitor.
#[derive(Debug, Clone)]
pub struct Watching<'m> {
    mouse: &'m Mouse,
    monitor: Monitor,
    retina: Retina,
    units: TemporalFilters,
    field: TemporalFilters,
}

impl Watching<'_> {
    /// True rates `[time, sample, unit]` during a movie that starts at this frame of the session. Before the movie its
    /// first frame stood still.
    ///
    /// # Errors
    /// When the movie cannot be read, has other pixels than the monitor, or another length than the behaviour, or when
    /// the user asked to stop.
    pub fn rates(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        first_frame: u64,
        progress: &Progress,
    ) -> Result<Responses, WatchError> {
        let (frames, samples, units) = (movie.frames(), movie.samples(), self.mouse.units.len());
        let mut values = Vec::with_capacity(frames * samples * units);
        self.stream(movie, behavior, first_frame, progress, &mut |_, rates| values.extend_from_slice(rates))?;
        Ok(Responses::new(frames, samples, units, values).expect("every frame was given once"))
    }

    /// The same, handed out in pieces: first frame and rates `[time, sample, unit]`. Memory does not grow with the
    /// length of the movie. Counts frames of `progress`.
    ///
    /// # Errors
    /// See [`Watching::rates`].
    pub fn stream(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        first_frame: u64,
        progress: &Progress,
        sink: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), WatchError> {
        let (frames, samples, raster) = (movie.frames(), movie.samples(), movie.raster());
        if raster != self.monitor.raster {
            let what = format!("the movie has {raster} pixels, the monitor {}", self.monitor.raster);
            return Err(WatchError::Mismatch(what));
        }
        if behavior.frames() != frames || !(behavior.samples() == samples || behavior.samples() == 1) {
            return Err(WatchError::Mismatch(format!(
                "the movie has {frames} frames and {samples} samples, the behaviour {} and {}",
                behavior.frames(),
                behavior.samples()
            )));
        }
        let units = self.mouse.units.len();
        let past = || Past::new(Filters::count(units), self.units.taps());
        let mut pasts: Vec<Past> = (0..samples).map(|_| past()).collect();
        let mut pixels = vec![0; BLOCK.min(frames) * samples * raster.pixels()];
        let mut rates = vec![0.0; BLOCK.min(frames) * samples * units];
        for start in (0..frames).step_by(BLOCK) {
            let count = BLOCK.min(frames - start);
            let pixels = &mut pixels[..count * samples * raster.pixels()];
            movie.read(start, count, pixels)?;
            for (sample, past) in pasts.iter_mut().enumerate() {
                let frame = |time: usize| &pixels[(time * samples + sample) * raster.pixels()..][..raster.pixels()];
                let animal = sample.min(behavior.samples() - 1);
                let moments: Vec<Moment> = (start..start + count)
                    .map(|time| Moment {
                        gaze: behavior.gaze(time)[animal],
                        state: behavior.state(time)[animal],
                        secs: (first_frame as f64 + time as f64) / self.monitor.frame_rate.0,
                    })
                    .collect();
                self.block(frame, &moments, past, |time, row| {
                    rates[(time * samples + sample) * units..][..units].copy_from_slice(row);
                });
            }
            sink(start, &rates[..count * samples * units]);
            progress.advance(count as u64)?;
        }
        Ok(())
    }

    /// Rates of one sample over some frames.
    fn block<'p>(
        &mut self,
        frame: impl Fn(usize) -> &'p [u8],
        moments: &[Moment],
        past: &mut Past,
        mut put: impl FnMut(usize, &[f32]),
    ) {
        let (count, units) = (moments.len(), self.mouse.units.len());
        let filters = Filters::count(units);
        let mut images = vec![0.0; 2 * count * CELLS];
        let (on, off) = images.split_at_mut(count * CELLS);
        for (time, moment) in moments.iter().enumerate() {
            let range = time * CELLS..(time + 1) * CELLS;
            let gaze = std::array::from_fn(|axis| moment.gaze[axis] * self.mouse.gaze_deg[axis] as f32);
            self.retina.see(frame(time), gaze, &mut on[range.clone()], &mut off[range]);
        }
        let mut seen = vec![0.0; 2 * count * filters];
        product(2 * count, filters, &images, &self.mouse.filters.weights, &mut seen);
        let (on, off) = seen.split_at_mut(count * filters);
        for (on, off) in on.chunks_exact_mut(filters).zip(off.chunks_exact(filters)) {
            self.combine(on, off);
        }
        past.push(on);
        let mut drive = Drive::new(units);
        let mut drives = vec![0.0; count * units];
        let mut energies = vec![0.0; count * FIELD];
        for time in 0..count {
            let line = |tap: usize| past.line(time, tap);
            self.units.apply(line, &mut drive.even);
            self.units.apply(|tap| &line(tap)[units..], &mut drive.odd);
            drive.of(&self.mouse.units, &mut drives[time * units..][..units]);
            self.field.apply(|tap| &line(tap)[2 * units..], &mut drive.field);
            let [cosine, sine] = &drive.field;
            for ((energy, c), s) in energies[time * FIELD..][..FIELD].iter_mut().zip(cosine).zip(sine) {
                // Either filter passes half the amplitude of its frequency.
                *energy = 4.0 * (*c * *c + *s * *s);
            }
        }
        let mut local = vec![0.0; count * units];
        product(count, units, &energies, &self.mouse.filters.regions, &mut local);
        for (time, moment) in moments.iter().enumerate() {
            let row = &mut drives[time * units..][..units];
            self.finish(row, &local[time * units..][..units], moment);
            put(time, row);
        }
        past.forget();
    }

    /// Filter outputs to light and to darkness, into what each channel makes of both.
    fn combine(&self, on: &mut [f32], off: &[f32]) {
        let units = self.mouse.units.len();
        for (number, unit) in self.mouse.units.iter().enumerate() {
            let gain = unit.on_gain as f32;
            for filter in [number, units + number] {
                on[filter] = gain * on[filter] - (2.0 - gain) * off[filter];
            }
        }
        on[2 * units..].iter_mut().zip(&off[2 * units..]).for_each(|(on, off)| *on -= off);
    }

    /// Drives into rates.
    fn finish(&self, row: &mut [f32], local: &[f32], moment: &Moment) {
        let [radius, velocity] = moment.state;
        let running = (RUNNING.0 + RUNNING.1 * velocity).clamp(0.0, 1.5);
        let radius = radius.clamp(-2.5, 2.5);
        for (number, (rate, unit)) in row.iter_mut().zip(&self.mouse.units).enumerate() {
            let divided =
                *rate / (HALF_ENERGY + OWN_WEIGHT * *rate + LOCAL_WEIGHT * unit.surround as f32 * local[number]);
            let gain = (1.0 + unit.run_gain as f32 * running) * (unit.pupil_gain as f32 * radius).exp();
            let drift = self.mouse.drift.factor(number, moment.secs) as f32;
            *rate =
                (unit.baseline as f32 + divided.powf(unit.exponent as f32)) * gain * drift / self.mouse.mean[number];
        }
    }
}

/// What the animal does at a frame.
#[derive(Debug, Clone, Copy)]
struct Moment {
    gaze: [f32; 2],
    state: [f32; 2],
    secs: f64,
}

/// Filter outputs of the latest frames, `[time, filter]`.
#[derive(Debug)]
struct Past {
    filters: usize,
    /// Frames before the newest ones that still matter.
    memory: usize,
    lines: Vec<f32>,
}

impl Past {
    fn new(filters: usize, taps: usize) -> Self {
        Self { filters, memory: taps - 1, lines: Vec::new() }
    }

    /// Adds frames; the first frame ever also stood still before itself.
    fn push(&mut self, lines: &[f32]) {
        if self.lines.is_empty() {
            self.lines = lines[..self.filters].repeat(self.memory);
        }
        self.lines.extend_from_slice(lines);
    }

    /// Frame `time` of those added last, or the one so many before it.
    fn line(&self, time: usize, before: usize) -> &[f32] {
        &self.lines[(self.memory + time - before) * self.filters..][..self.filters]
    }

    /// Drops what the next frames do not need.
    fn forget(&mut self) {
        self.lines.drain(..self.lines.len() - self.memory * self.filters);
    }
}

/// Outputs of the temporal filters at one frame.
#[derive(Debug)]
struct Drive {
    even: [Vec<f32>; 2],
    odd: [Vec<f32>; 2],
    field: [Vec<f32>; 2],
}

impl Drive {
    fn new(units: usize) -> Self {
        let zeros = |count| [vec![0.0; count], vec![0.0; count]];
        Self { even: zeros(units), odd: zeros(units), field: zeros(FIELD) }
    }

    /// Energy, or half-squared output, of every unit. With both pairs in quadrature, cos·cos − sin·sin and
    /// cos·sin + sin·cos move with the preferred direction, their counterparts against it.
    fn of(&self, units: &[Unit], drives: &mut [f32]) {
        for (number, (drive, unit)) in drives.iter_mut().zip(units).enumerate() {
            let [a1, a2] = [self.even[0][number], self.even[1][number]];
            let [b1, b2] = [self.odd[0][number], self.odd[1][number]];
            let (with, against) = ([a1 - b2, a2 + b1], [a1 + b2, a2 - b1]);
            let null = 1.0 - unit.direction_selectivity as f32;
            let energy = |pair: [f32; 2]| pair[0] * pair[0] + pair[1] * pair[1];
            *drive = match unit.kind {
                CellKind::Complex => energy(with) + null * energy(against),
                CellKind::Simple => 2.0 * (with[0] + null * against[0]).max(0.0).powi(2),
            };
        }
    }
}

//! Trains convolutional networks with a gated recurrent unit: Poisson loss of random stretches of the clips, AdamW with
//! rates relative to the size of each tensor, and the state that predicts the validation clips best.
//!
//! Units start where the local contrast and motion of the movie go with their responses. Without that most of a short
//! training is spent on finding the place.

use std::f64::consts::{PI, TAU};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::units_of;
use crate::job::Progress;
use crate::model::baseline::product::{Matrix, product};
use crate::model::baseline::{BaselineError, ConvolutionalGru, GruConfig, Layers, Tape, between, rows, within};
use crate::model::twin::network::hash;
use crate::training::Clip;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GruTraining {
    /// Steps of the optimizer.
    pub steps: usize,
    /// Stretches in each step.
    pub batch: usize,
    /// Frames of a stretch, or all of a shorter clip.
    pub frames: usize,
    /// Frames at the beginning that count nothing: the memory is still empty.
    pub burnin_frames: usize,
    /// Steps over which the rates rise; then they fall along half a cosine.
    pub warmup_steps: usize,
    /// Learning rate of the weights in units of the root mean square of each tensor before training.
    pub relative_lr: f64,
    /// Learning rate of the units' features and biases; positions learn half as fast.
    pub readout_lr: f64,
    /// Weight decay, times the learning rate.
    pub decay: f64,
    /// Steps from one look at the validation clips to the next.
    pub check_steps: usize,
}

impl Default for GruTraining {
    fn default() -> Self {
        Self {
            steps: 400,
            batch: 8,
            frames: 50,
            burnin_frames: 10,
            warmup_steps: 40,
            relative_lr: 0.015,
            readout_lr: 0.01,
            decay: 0.01,
            check_steps: 50,
        }
    }
}

impl GruTraining {
    fn check(&self) -> Result<(), BaselineError> {
        within("steps", self.steps, 1, 10_000_000)?;
        within("batch", self.batch, 1, 1024)?;
        within("frames", self.frames, 1, 10_000)?;
        within("burnin_frames", self.burnin_frames, 0, self.frames - 1)?;
        within("check_steps", self.check_steps, 1, 10_000_000)?;
        between("relative_lr", self.relative_lr, 0.0, 10.0)?;
        between("readout_lr", self.readout_lr, 0.0, 10.0)?;
        between("decay", self.decay, 0.0, 1e3)
    }

    /// What multiplies all rates in a step.
    fn schedule(&self, step: usize) -> f64 {
        let warm = self.warmup_steps.min(self.steps / 2);
        if step < warm {
            return (step as f64 + 0.5) / warm as f64;
        }
        0.5 + 0.5 * (PI * (step - warm) as f64 / (self.steps - warm) as f64).cos()
    }
}

impl ConvolutionalGru {
    /// Trains a network for the units of some clips; missing responses (NaN) count nothing. The same seed gives the same
    /// network, on any number of threads of one machine. Counts steps of `progress`.
    ///
    /// # Errors
    /// When a setting is impossible, clips do not belong together or are too short, the loss leaves the range of numbers,
    /// or the user asked to stop.
    pub fn fit(
        training: &[Clip],
        validation: &[Clip],
        config: &GruConfig,
        how: &GruTraining,
        seed: u64,
        progress: &Progress,
    ) -> Result<Self, BaselineError> {
        config.check()?;
        how.check()?;
        let units = units_of(training, validation)?;
        progress.begin(how.steps as u64);
        let layers = Layers::new(config, units);
        let stretches = Stretches::new(training, how)?;
        let mut values = start(&layers, config, training, seed);
        let mut optimizer = Optimizer::new(&layers, how, &values);
        let mut slots: Vec<Slot> = (0..how.batch).map(|_| Slot::new(&layers)).collect();
        let (mut best, mut chosen) = (f64::INFINITY, values.clone());
        for step in 0..how.steps {
            progress.check()?;
            let share = 1.0 / (how.batch * (stretches.frames - how.burnin_frames) * units) as f32;
            slots.par_iter_mut().enumerate().for_each(|(index, slot)| {
                let (clip, sample, first) = stretches.draw(hash(seed, (step * how.batch + index) as u64));
                let range = first..first + stretches.frames;
                slot.learn(&layers, config, &values, (clip, sample, range, how.burnin_frames, share));
            });
            let loss: f64 = slots.iter().map(|slot| slot.loss).sum();
            if !loss.is_finite() {
                return Err(BaselineError::NotFinite(loss));
            }
            let (first, rest) = slots.split_first_mut().expect("a batch has at least one stretch");
            for slot in rest {
                first.gradient.iter_mut().zip(&slot.gradient).for_each(|(sum, value)| *sum += value);
            }
            optimizer.step(&mut values, &first.gradient, how.schedule(step));
            if (step + 1) % how.check_steps == 0 || step + 1 == how.steps {
                let model = Self::assemble(config.clone(), units, values.clone());
                let loss = validate(&model, validation, how.burnin_frames)?;
                if loss < best {
                    (best, chosen) = (loss, values.clone());
                }
            }
            progress.advance(1)?;
        }
        if !best.is_finite() {
            return Err(BaselineError::NotFinite(best));
        }
        Ok(Self::assemble(config.clone(), units, chosen))
    }
}

/// Mean Poisson loss of all measured responses.
fn validate(model: &ConvolutionalGru, clips: &[Clip], burnin: usize) -> Result<f64, BaselineError> {
    let of_clip = |clip: &Clip| -> Result<(f64, f64), BaselineError> {
        let found = model.responses(clip.movie(), clip.behavior())?;
        let start = burnin.min(clip.movie().frames() / 2) * clip.movie().samples() * model.units();
        let pairs = found.values()[start..].iter().zip(&clip.responses().values()[start..]);
        let pairs = pairs.filter(|(_, target)| !target.is_nan());
        Ok(pairs.fold((0.0, 0.0), |(sum, count), (&rate, &target)| {
            let rate = f64::from(rate).max(1e-12);
            (sum + rate - rate.ln() * f64::from(target), count + 1.0)
        }))
    };
    let each: Vec<(f64, f64)> = clips.par_iter().map(of_clip).collect::<Result<_, _>>()?;
    let (sum, count) = each.into_iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
    Ok(sum / f64::max(count, 1.0))
}

/// Where stretches can be cut from.
struct Stretches<'c> {
    frames: usize,
    /// Clip and sample, and how many first frames were counted before.
    places: Vec<(&'c Clip, usize, u64)>,
    total: u64,
}

impl<'c> Stretches<'c> {
    fn new(clips: &'c [Clip], how: &GruTraining) -> Result<Self, BaselineError> {
        // A short session still teaches something: stretches are then as long as its longest clip.
        let longest = clips.iter().map(|clip| clip.movie().frames()).max().unwrap_or(0);
        let frames = how.frames.min(longest);
        if frames <= how.burnin_frames {
            let what = format!("no clip has more than the {} frames of burn-in", how.burnin_frames);
            return Err(BaselineError::Clips(what));
        }
        let (mut places, mut total) = (Vec::new(), 0);
        for clip in clips.iter().filter(|clip| clip.movie().frames() >= frames) {
            for sample in 0..clip.movie().samples() {
                places.push((clip, sample, total));
                total += (clip.movie().frames() - frames + 1) as u64;
            }
        }
        Ok(Self { frames, places, total })
    }

    /// Clip, sample and first frame; all stretches are equally likely.
    fn draw(&self, word: u64) -> (&'c Clip, usize, usize) {
        let number = word % self.total;
        let place = self.places.partition_point(|(_, _, before)| *before <= number) - 1;
        let (clip, sample, before) = self.places[place];
        (clip, sample, (number - before) as usize)
    }
}

/// Working memory of one stretch.
struct Slot {
    tape: Tape,
    gradient: Vec<f32>,
    loss: f64,
}

impl Slot {
    fn new(layers: &Layers) -> Self {
        Self { tape: Tape::default(), gradient: vec![0.0; layers.len()], loss: 0.0 }
    }

    /// Loss of a stretch `(clip, sample, frames, burn-in, share of a term)` and its gradient.
    fn learn(
        &mut self,
        layers: &Layers,
        config: &GruConfig,
        values: &[f32],
        (clip, sample, range, burnin, share): (&Clip, usize, std::ops::Range<usize>, usize, f32),
    ) {
        self.gradient.fill(0.0);
        let rows = rows(config.raster, config.frames, clip.movie(), sample, range.clone());
        let gaze: Vec<[f32; 2]> = range.clone().map(|time| clip.behavior().gaze(time)[sample]).collect();
        layers.forward(values, &rows, &gaze, &layers.nothing(), &mut self.tape);
        let units = clip.responses().units();
        let mut errors = std::mem::take(&mut self.tape.drives);
        let mut sum = 0.0;
        for ((index, time), errors) in range.enumerate().zip(errors.chunks_exact_mut(units)) {
            let (state, targets) = (clip.behavior().state(time)[sample], clip.responses().row(time, sample));
            for (unit, (drive, &target)) in errors.iter_mut().zip(targets).enumerate() {
                if index < burnin || target.is_nan() {
                    *drive = 0.0;
                    continue;
                }
                let (log, by_drive) = layers.log_rate(values, unit, *drive, state);
                let rate = log.exp();
                sum += f64::from(rate) - f64::from(log) * f64::from(target);
                let error = (rate - target) * share;
                *drive = error * by_drive;
                let gains = self.gradient[layers.gains(unit)].iter_mut();
                gains.zip(state).for_each(|(sum, value)| *sum += error * value);
            }
        }
        self.loss = sum * f64::from(share);
        layers.backward(values, &rows, &gaze, &errors, &mut self.tape, &mut self.gradient);
        self.tape.drives = errors;
    }
}

/// AdamW (Loshchilov and Hutter 2019).
struct Optimizer {
    /// Range, learning rate and decay of each tensor.
    rates: Vec<(std::ops::Range<usize>, f64, f64)>,
    means: Vec<f32>,
    squares: Vec<f32>,
    steps: i32,
}

impl Optimizer {
    fn new(layers: &Layers, how: &GruTraining, values: &[f32]) -> Self {
        let rate = |entry: &crate::model::baseline::Entry| {
            let tensor = &values[entry.range.clone()];
            let squares: f64 = tensor.iter().map(|&value| f64::from(value).powi(2)).sum();
            let relative = how.relative_lr * (squares / tensor.len().max(1) as f64).sqrt();
            let (rate, decay) = match entry.name.as_str() {
                "readout.position" => (how.readout_lr / 2.0, 0.0),
                "readout.shift" => (how.readout_lr / 5.0, 0.0),
                "readout.features" => (how.readout_lr, how.decay),
                name if name.starts_with("readout.") => (how.readout_lr, 0.0),
                name if name.ends_with(".weight") => (relative, how.decay),
                _ => (how.readout_lr / 5.0, 0.0),
            };
            (entry.range.clone(), rate, decay)
        };
        let zeros = || vec![0.0; values.len()];
        Self { rates: layers.entries().iter().map(rate).collect(), means: zeros(), squares: zeros(), steps: 0 }
    }

    fn step(&mut self, values: &mut [f32], gradient: &[f32], schedule: f64) {
        const BETA: (f64, f64) = (0.9, 0.98);
        /// Longest gradient.
        const LONGEST: f64 = 1.0;
        self.steps = self.steps.saturating_add(1);
        let length = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let factor = if length > LONGEST { LONGEST / length } else { 1.0 };
        let (scale, shrink) = (1.0 - BETA.0.powi(self.steps), (1.0 - BETA.1.powi(self.steps)).sqrt().recip());
        for (range, rate, decay) in &self.rates {
            let (rate, keep) = (rate * schedule, 1.0 - rate * schedule * decay);
            for i in range.clone() {
                let g = f64::from(gradient[i]) * factor;
                let mean = f64::from(self.means[i]) * BETA.0 + g * (1.0 - BETA.0);
                let square = f64::from(self.squares[i]) * BETA.1 + g * g * (1.0 - BETA.1);
                (self.means[i], self.squares[i]) = (mean as f32, square as f32);
                let step = rate / scale * mean / (square.sqrt() * shrink + 1e-8);
                values[i] = (f64::from(values[i]) * keep - step) as f32;
            }
        }
    }
}

/// Numbers before training.
fn start(layers: &Layers, config: &GruConfig, clips: &[Clip], seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; layers.len()];
    // Far from the counters of the stretches.
    let uniform = |counter: u64| ((hash(!seed, counter) >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    let normal = |i: u64| (-2.0 * uniform(2 * i).ln()).sqrt() * (TAU * uniform(2 * i + 1)).cos();
    for entry in layers.entries() {
        let tensor = &mut values[entry.range.clone()];
        let outputs = entry.shape.last().copied().unwrap_or(1);
        let inputs = (tensor.len() / outputs.max(1)) as f64;
        let deviation = match entry.name.as_str() {
            name if name.starts_with("convolution.") && name.ends_with(".weight") => (2.0 / inputs).sqrt(),
            name if name.ends_with(".weight") => (1.0 / inputs).sqrt(),
            "readout.features" => 0.3 / (config.hidden as f64).sqrt(),
            _ => 0.0,
        };
        for (number, value) in (entry.range.start as u64..).zip(tensor.iter_mut()) {
            *value = (deviation * normal(number)) as f32;
        }
        match entry.name.as_str() {
            // The first kernels see contrast, not light: its slow waves are far stronger than all others.
            "convolution.0.weight" => {
                let taps = config.frames;
                for tap in tensor.chunks_exact_mut(entry.range.len() / taps) {
                    for channel in 0..outputs {
                        let each = || (channel..tap.len()).step_by(outputs);
                        let mean = each().map(|at| tap[at]).sum::<f32>() / each().count() as f32;
                        each().for_each(|at| tap[at] -= mean);
                    }
                }
            }
            // A rate of 1, the mean of every unit.
            "readout.biases" => tensor.fill(1f32.exp_m1().ln()),
            "readout.position" => tensor.copy_from_slice(&positions(layers.map(), config, clips)),
            _ => {}
        }
    }
    values
}

/// Frames that responses lag behind what they are correlated with.
const LAGS: std::ops::Range<usize> = 2..7;

/// Where in the map contrast and motion go with each unit's responses, `[unit, (x, y)]` in -1..1.
fn positions([height, width]: [usize; 2], config: &GruConfig, clips: &[Clip]) -> Vec<f32> {
    let (places, units) = (height * width, clips[0].responses().units());
    let each: Vec<(&Clip, usize)> =
        clips.iter().flat_map(|clip| (0..clip.movie().samples()).map(move |sample| (clip, sample))).collect();
    let of_sample = |&(clip, sample): &(&Clip, usize)| {
        let frames = clip.movie().frames();
        let energy = energies([height, width], config, clip, sample);
        let late = LAGS.end.min(frames)..frames;
        let mut recent = vec![0.0; late.len() * places];
        for (row, time) in recent.chunks_exact_mut(places).zip(late.clone()) {
            for lag in LAGS {
                let from = &energy[(time - lag) * places..(time - lag + 1) * places];
                row.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
            }
        }
        let value = |target: &f32| if target.is_nan() { 1.0 } else { *target };
        let targets: Vec<f32> = late.flat_map(|time| clip.responses().row(time, sample)).map(value).collect();
        // Within a clip, so that a lively one is not taken for a place.
        centre(&mut recent, places);
        let mut targets = targets;
        centre(&mut targets, units);
        let mut together = vec![0.0; places * units];
        if !recent.is_empty() {
            product(Matrix::new(&recent, places).turned(), Matrix::new(&targets, units), false, &mut together);
        }
        let mut power = vec![0.0; places];
        for row in recent.chunks_exact(places) {
            power.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
        }
        (together, power)
    };
    let sums: Vec<(Vec<f32>, Vec<f32>)> = each.par_iter().map(of_sample).collect();
    let (mut together, mut power) = (vec![0.0f64; places * units], vec![0.0f64; places]);
    for (a, b) in sums {
        together.iter_mut().zip(a).for_each(|(sum, value)| *sum += f64::from(value));
        power.iter_mut().zip(b).for_each(|(sum, value)| *sum += f64::from(value));
    }
    (0..units)
        .flat_map(|unit| {
            let map: Vec<f64> =
                (0..places).map(|place| together[place * units + unit] / power[place].sqrt().max(1e-9)).collect();
            peak(&smooth(&map, height, width), height, width)
        })
        .collect()
}

/// Contrast and motion in every place of the map, `[time, place]`.
fn energies([height, width]: [usize; 2], config: &GruConfig, clip: &Clip, sample: usize) -> Vec<f32> {
    let (pixels, places, frames) = (config.raster.pixels(), height * width, clip.movie().frames());
    let rows = rows(config.raster, 3, clip.movie(), sample, 0..frames);
    let place: Vec<usize> = (0..pixels)
        .map(|pixel| {
            let (row, column) = (pixel / config.raster.width, pixel % config.raster.width);
            row * height / config.raster.height * width + column * width / config.raster.width
        })
        .collect();
    let mut counts = vec![0.0f32; places];
    place.iter().for_each(|&place| counts[place] += 1.0);
    let mut energies = vec![0.0; frames * places];
    let mut means = vec![0.0; places];
    for (time, energy) in energies.chunks_exact_mut(places).enumerate() {
        let row = |index: usize| &rows[index * pixels..(index + 1) * pixels];
        let (now, before) = (row(time + 2), row(time));
        means.fill(0.0);
        for (&place, &value) in place.iter().zip(now) {
            means[place] += value / counts[place];
        }
        for ((&place, &value), &old) in place.iter().zip(now).zip(before) {
            energy[place] += ((value - means[place]).powi(2) + (value - old).powi(2)) / counts[place];
        }
        energy.iter_mut().for_each(|value| *value = value.sqrt());
    }
    energies
}

fn centre(values: &mut [f32], columns: usize) {
    let rows = (values.len() / columns).max(1) as f32;
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        means.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / rows);
    }
    for row in values.chunks_exact_mut(columns) {
        row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
    }
}

/// A map after a binomial filter of three by three.
fn smooth(map: &[f64], height: usize, width: usize) -> Vec<f64> {
    let at = |row: usize, column: usize| map[row.clamp(1, height) * width - width + column.clamp(1, width) - 1];
    let mut smooth = Vec::with_capacity(map.len());
    for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
        let weight = |step: usize| if step == 1 { 0.5 } else { 0.25 };
        let steps = (0..3).flat_map(|y| (0..3).map(move |x| (y, x)));
        smooth.push(steps.map(|(y, x)| weight(y) * weight(x) * at(row + y, column + x)).sum());
    }
    smooth
}

/// Centre of the highest part of a map.
fn peak(map: &[f64], height: usize, width: usize) -> [f32; 2] {
    let mut sorted = map.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (middle, highest) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    let (mut x, mut y, mut whole) = (0.0, 0.0, 0.0);
    for (place, value) in map.iter().enumerate() {
        let weight = if highest > middle { ((value - middle) / (highest - middle)).max(0.0).powi(8) } else { 1.0 };
        let along = |index: usize, size: usize| (2 * index + 1) as f64 / size as f64 - 1.0;
        x += weight * along(place % width, width);
        y += weight * along(place / width, height);
        whole += weight;
    }
    [(x / whole) as f32, (y / whole) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{Behavior, Movie, Raster, Responses};

    /// A number in -1..1.
    fn number(counter: u64) -> f32 {
        (hash(11, counter) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn clip(raster: Raster, frames: usize, units: usize) -> Clip {
        let pixels = (0..(frames * raster.pixels()) as u64).map(|i| (128.0 + 100.0 * number(i)) as u8).collect();
        let movie = Movie::new(raster, frames, 1, pixels).expect("whole frames");
        let pairs = |key: u64| (0..frames as u64).map(|i| [number(key + 2 * i), number(key + 2 * i + 1)]).collect();
        let behavior = Behavior::new(frames, 1, pairs(1_000_000), pairs(2_000_000)).expect("finite");
        let target = |i: u64| if i.is_multiple_of(7) { f32::NAN } else { 1.0 + number(3_000_000 + i) };
        let responses = Responses::new(frames, 1, units, (0..(frames * units) as u64).map(target).collect());
        Clip::new(movie, behavior, responses.expect("a value each")).expect("one recording")
    }

    #[test]
    fn the_slope_of_every_tensor_is_what_the_gradient_says() {
        let raster = Raster { height: 9, width: 13 };
        let config =
            GruConfig { raster, frames: 3, channels: vec![3, 4], kernels: vec![5, 3], strides: vec![2, 1], hidden: 4 };
        let (units, frames) = (3, 9);
        let clip = clip(raster, frames, units);
        let layers = Layers::new(&config, units);
        let mut values: Vec<f32> = (0..layers.len() as u64).map(|i| 0.4 * number(4_000_000 + i)).collect();
        let mut slot = Slot::new(&layers);
        let mut of = |values: &[f32]| {
            slot.learn(&layers, &config, values, (&clip, 0, 1..frames, 2, 0.5));
            (slot.loss, slot.gradient.clone())
        };
        let (_, gradient) = of(&values);
        for entry in layers.entries() {
            // Uphill in every number, so that the slope is steep.
            let along = |i: usize| number(5_000_000 + i as u64).abs() * gradient[i].signum();
            let step = 2e-3;
            let mut at = |step: f32| {
                let before = values[entry.range.clone()].to_vec();
                entry.range.clone().for_each(|i| values[i] += step * along(i));
                let loss = of(&values).0;
                values[entry.range.clone()].copy_from_slice(&before);
                loss
            };
            let expected = (at(step) - at(-step)) / f64::from(2.0 * step);
            let found: f64 = entry.range.clone().map(|i| f64::from(gradient[i] * along(i))).sum();
            // Losses of about 10 are known to 1e-6, and the kinks of sampling and of the activities are rare.
            let tolerance = 3e-3 + 3e-3 * expected.abs();
            assert!((found - expected).abs() < tolerance, "{}: {found}, not {expected}", entry.name);
            assert!(expected.abs() > 0.02, "{}: {expected} tells nothing", entry.name);
        }
    }

    #[test]
    fn the_peak_of_a_map_is_found_between_its_places() {
        let (height, width) = (9, 16);
        let map: Vec<f64> = (0..height * width)
            .map(|place| {
                let (row, column) = ((place / width) as f64, (place % width) as f64);
                (-((row - 2.0).powi(2) + (column - 10.5).powi(2)) / 8.0).exp()
            })
            .collect();
        let [x, y] = peak(&smooth(&map, height, width), height, width);
        let expected = [22.0 / 16.0 - 1.0, 5.0 / 9.0 - 1.0];
        assert!((x - expected[0]).abs() < 0.02 && (y - expected[1]).abs() < 0.02, "{x} {y}, not {expected:?}");
    }
}

//! Fits linear-nonlinear models: all units together as products of matrices, each with a search of its own.
//!
//! Pictures are learned as sums of cosine waves, each in units of its standard deviation in the clips: natural movies
//! have hundreds of times more power in slow waves than in fine ones, and a search that saw pixels would not get far.
//! The start is the spike-triggered average, divided by the power of each wave and by the correlation over time (a ridge
//! regression that takes the movie for stationary). Then the Poisson loss `rate - response ln rate` goes down with a
//! Gaussian prior that pictures and time courses are small and smooth. Each unit takes the strength of the prior whose
//! filter predicts the validation clips best.

use rayon::prelude::*;

use super::search::minimise;
use super::units_of;
use crate::job::Progress;
use crate::model::baseline::product::{Matrix, product};
use crate::model::baseline::{BaselineError, Filters, LinearNonlinear, LnConfig, Output, lag, log_rate, rows};
use crate::training::Clip;

/// Frames that are computed at once.
const PIECE: usize = 512;
/// Sums that are computed side by side, whatever the number of threads, and then added in order.
const GROUPS: usize = 16;
/// Penalty of the start.
const START_PENALTY: f64 = 0.01;
/// What is added to the correlation over time at lag 0 before it is divided by.
const START_RIDGE: f64 = 0.2;
/// Penalty of gains and of the exponents' logarithms: enough to hold units that hardly respond.
const PLAIN_PENALTY: f64 = 1e-4;
/// Weight of the roughness (squared second differences) of a time course beside its length.
const COURSE_ROUGHNESS: f64 = 4.0;

impl LinearNonlinear {
    /// Fits the units of some clips; missing responses (NaN) count nothing, nor do the first frames of a clip, before
    /// which nobody knows what was shown. There is no chance in it: the same clips give the same model, on any number
    /// of threads. Counts evaluations of `progress`.
    ///
    /// # Errors
    /// When a setting is impossible, clips do not belong together or are too short, or the user asked to stop.
    pub fn fit(
        training: &[Clip],
        validation: &[Clip],
        config: &LnConfig,
        progress: &Progress,
    ) -> Result<Self, BaselineError> {
        config.check()?;
        let units = units_of(training, validation)?;
        progress.begin((config.penalties.len() * (config.evaluations + 1)) as u64);
        let (training, validation) = (Pieces::new(config, units, training)?, Pieces::new(config, units, validation)?);
        let waves = Waves::new(config, &training);
        let start = start(config, &training, &waves);
        let size = waves.size();
        let mut best = vec![f64::INFINITY; units];
        let mut chosen = start.clone();
        for &penalty in &config.penalties {
            let mut left = config.evaluations as u64 + 1;
            let found = minimise(size, start.clone(), config.evaluations, |places, gradients| {
                progress.advance(1)?;
                left -= 1;
                Ok::<_, BaselineError>(loss_and_gradient(config, &training, &waves, penalty, places, gradients))
            })?;
            // A search that was done early has left evaluations over.
            progress.advance(left)?;
            let tested = sums(config, &validation, &waves.filters(config, &found), false);
            for (unit, (best, loss)) in best.iter_mut().zip(tested.losses()).enumerate() {
                if loss < *best {
                    *best = loss;
                    chosen[unit * size..(unit + 1) * size].copy_from_slice(&found[unit * size..(unit + 1) * size]);
                }
            }
        }
        if let Some(loss) = best.iter().find(|loss| !loss.is_finite()) {
            return Err(BaselineError::NotFinite(*loss));
        }
        Ok(Self::assemble(config.clone(), waves.filters(config, &chosen)))
    }
}

/// A stretch of a clip, at the raster of the model.
#[derive(Debug)]
struct Piece {
    /// `[lags - 1 + time, pixel]`
    rows: Vec<f32>,
    /// `[time, unit]`, NaN where nothing was measured.
    targets: Vec<f32>,
    /// `[time]`
    state: Vec<[f32; 2]>,
}

/// All stretches, and how often each unit was measured.
#[derive(Debug)]
struct Pieces {
    units: usize,
    pieces: Vec<Piece>,
    counts: Vec<f64>,
    means: Vec<f64>,
}

impl Pieces {
    fn new(config: &LnConfig, units: usize, clips: &[Clip]) -> Result<Self, BaselineError> {
        let places: Vec<(&Clip, usize, usize)> = clips
            .iter()
            .flat_map(|clip| {
                let starts = move || (config.lags - 1..clip.movie().frames()).step_by(PIECE);
                (0..clip.movie().samples()).flat_map(move |sample| starts().map(move |start| (clip, sample, start)))
            })
            .collect();
        if places.is_empty() {
            let what = format!("no clip has more than {} frames, as many as a filter needs", config.lags - 1);
            return Err(BaselineError::Clips(what));
        }
        let piece = |&(clip, sample, start): &(&Clip, usize, usize)| {
            let range = start..clip.movie().frames().min(start + PIECE);
            Piece {
                rows: rows(config.raster, config.lags, clip.movie(), sample, range.clone()),
                targets: range.clone().flat_map(|time| clip.responses().row(time, sample)).copied().collect(),
                state: range.map(|time| clip.behavior().state(time)[sample]).collect(),
            }
        };
        let pieces: Vec<Piece> = places.par_iter().map(piece).collect();
        let (mut counts, mut means) = (vec![0.0f64; units], vec![0.0f64; units]);
        for row in pieces.iter().flat_map(|piece| piece.targets.chunks_exact(units)) {
            for ((count, mean), &target) in counts.iter_mut().zip(&mut means).zip(row) {
                if !target.is_nan() {
                    *count += 1.0;
                    *mean += f64::from(target);
                }
            }
        }
        for (mean, count) in means.iter_mut().zip(&mut counts) {
            *count = count.max(1.0);
            *mean /= *count;
        }
        Ok(Self { units, pieces, counts, means })
    }

    /// Applies `add` to the pieces of each group in order, and `join` to the groups in order.
    fn gather<T: Send>(
        &self,
        zero: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, &Piece) + Sync,
        join: impl Fn(&mut T, T),
    ) -> T {
        let size = self.pieces.len().div_ceil(GROUPS);
        let groups = self.pieces.par_chunks(size).map(|group| {
            let mut sum = zero();
            group.iter().for_each(|piece| add(&mut sum, piece));
            sum
        });
        let groups: Vec<T> = groups.collect();
        groups.into_iter().fold(zero(), |mut sum, group| {
            join(&mut sum, group);
            sum
        })
    }
}

/// How the numbers that are searched become filters.
///
/// Of each unit these are: the waves of each term's picture, each term's time course, the bias, the logarithm of the
/// exponent, and two gains.
#[derive(Debug)]
struct Waves {
    units: usize,
    rank: usize,
    lags: usize,
    pixels: usize,
    /// Orthonormal cosine waves, `[pixel, wave]`.
    waves: Vec<f32>,
    /// Standard deviation of each wave in the clips.
    deviations: Vec<f32>,
    /// Prior precision of each wave, for a penalty of 1.
    precisions: Vec<f64>,
    /// Correlation of the waves with themselves so many frames ago.
    correlations: Vec<f64>,
}

impl Waves {
    fn new(config: &LnConfig, pieces: &Pieces) -> Self {
        let (height, width, pixels) = (config.raster.height, config.raster.width, config.raster.pixels());
        let cosine = |frequency: usize, place: usize, size: usize| {
            let norm = if frequency == 0 { 1.0 } else { 2.0f64 } / size as f64;
            norm.sqrt() * (std::f64::consts::PI * frequency as f64 * (place as f64 + 0.5) / size as f64).cos()
        };
        let mut waves = vec![0.0; pixels * pixels];
        for (pixel, row) in waves.chunks_exact_mut(pixels).enumerate() {
            for (wave, value) in row.iter_mut().enumerate() {
                let vertical = cosine(wave / width, pixel / width, height);
                *value = (vertical * cosine(wave % width, pixel % width, width)) as f32;
            }
        }
        let precision = |wave: usize| {
            let cycles = |frequency: usize, size: usize| frequency as f64 / (2.0 * size as f64);
            let frequency = cycles(wave / width, height).hypot(cycles(wave % width, width));
            (1.0 + (frequency / config.smooth_cyc_per_pixel).powi(2)).powi(2)
        };
        let lags = config.lags;
        // Every few frames tell enough about powers and correlations.
        let frames: usize = pieces.pieces.iter().map(|piece| piece.state.len()).sum();
        let skip = (frames / 4000).max(1);
        let zero = || (vec![0.0f64; pixels], vec![0.0f64; lags], vec![0.0f64; pixels], 0.0);
        let add = |sums: &mut (Vec<f64>, Vec<f64>, Vec<f64>, f64), piece: &Piece| {
            let mut seen = vec![0.0; piece.rows.len()];
            product(Matrix::new(&piece.rows, pixels), Matrix::new(&waves, pixels), false, &mut seen);
            let row = |time: usize| &seen[time * pixels..(time + 1) * pixels];
            for time in (lags - 1..seen.len() / pixels).step_by(skip) {
                let now = row(time);
                for ((square, mean), &value) in sums.0.iter_mut().zip(&mut sums.2).zip(now) {
                    *square += f64::from(value) * f64::from(value);
                    *mean += f64::from(value);
                }
                // Fine waves decorrelate faster; those in the middle stand for all.
                for (lag, correlation) in sums.1.iter_mut().enumerate() {
                    let weighted = |((&a, &b), wave): ((&f32, &f32), usize)| f64::from(a * b) * precision(wave);
                    *correlation += now.iter().zip(row(time - lag)).zip(0..).map(weighted).sum::<f64>();
                }
                sums.3 += 1.0;
            }
        };
        let join = |sum: &mut (Vec<f64>, Vec<f64>, Vec<f64>, f64), group: (Vec<f64>, Vec<f64>, Vec<f64>, f64)| {
            sum.0.iter_mut().zip(group.0).for_each(|(a, b)| *a += b);
            sum.1.iter_mut().zip(group.1).for_each(|(a, b)| *a += b);
            sum.2.iter_mut().zip(group.2).for_each(|(a, b)| *a += b);
            sum.3 += group.3;
        };
        let (squares, correlations, sums, count) = pieces.gather(zero, add, join);
        let variance = |(&square, &sum): (&f64, &f64)| (square / count - (sum / count).powi(2)).max(0.0);
        let variances: Vec<f64> = squares.iter().zip(&sums).map(variance).collect();
        // Waves that the clips do not have are left to the prior.
        let least = (1e-4 * variances.iter().sum::<f64>() / pixels as f64).max(1e-6);
        Self {
            units: pieces.units,
            rank: config.rank,
            lags,
            pixels,
            deviations: variances.iter().map(|variance| (variance + least).sqrt() as f32).collect(),
            precisions: (0..pixels).map(precision).collect(),
            correlations: correlations.iter().map(|value| value / correlations[0].max(1e-30)).collect(),
            waves,
        }
    }

    /// Numbers of one unit.
    fn size(&self) -> usize {
        self.rank * (self.pixels + self.lags) + 4
    }

    /// Parts of one unit's numbers: pictures, time courses, and the last four.
    fn parts<'a>(&self, place: &'a [f32]) -> (&'a [f32], &'a [f32], &'a [f32]) {
        let (pictures, rest) = place.split_at(self.rank * self.pixels);
        let (courses, rest) = rest.split_at(self.rank * self.lags);
        (pictures, courses, rest)
    }

    fn filters(&self, config: &LnConfig, places: &[f32]) -> Filters {
        let (units, columns) = (self.units, self.units * self.rank);
        let mut weights = vec![0.0; self.pixels * columns];
        let mut filters = Filters {
            units,
            pictures: vec![0.0; self.pixels * columns],
            courses: vec![0.0; self.lags * columns],
            ..Filters::default()
        };
        for (unit, place) in places.chunks_exact(self.size()).enumerate() {
            let (pictures, courses, rest) = self.parts(place);
            for term in 0..self.rank {
                let column = term * units + unit;
                let scaled = pictures[term * self.pixels..][..self.pixels].iter().zip(&self.deviations);
                for (wave, (value, deviation)) in scaled.enumerate() {
                    weights[wave * columns + column] = value / deviation;
                }
                for (lag, &value) in courses[term * self.lags..][..self.lags].iter().enumerate() {
                    filters.courses[lag * columns + column] = value;
                }
            }
            filters.biases.push(rest[0]);
            filters.exponents.push(if config.output == Output::Power { rest[1].exp() } else { 1.0 });
            filters.gains[0].push(rest[2]);
            filters.gains[1].push(rest[3]);
        }
        product(Matrix::new(&self.waves, self.pixels), Matrix::new(&weights, columns), false, &mut filters.pictures);
        filters
    }

    /// The prior's loss of one unit, for a penalty of 1, whose gradient is added to `gradient` times `penalty`.
    fn prior(&self, place: &[f32], penalty: f64, gradient: &mut [f32]) -> f64 {
        let (pictures, courses, rest) = self.parts(place);
        let mut sum = 0.0;
        for (index, &value) in pictures.iter().enumerate() {
            let wave = index % self.pixels;
            let precision = self.precisions[wave] / f64::from(self.deviations[wave]).powi(2);
            sum += 0.5 * precision * f64::from(value).powi(2);
            gradient[index] += (penalty * precision * f64::from(value)) as f32;
        }
        let start = pictures.len();
        for (term, course) in courses.chunks_exact(self.lags).enumerate() {
            let gradient = &mut gradient[start + term * self.lags..][..self.lags];
            for (value, gradient) in course.iter().zip(gradient.iter_mut()) {
                sum += 0.5 * f64::from(*value).powi(2);
                *gradient += (penalty * f64::from(*value)) as f32;
            }
            for middle in 1..self.lags.saturating_sub(1) {
                let [a, b, c] = [middle - 1, middle, middle + 1].map(|lag| f64::from(course[lag]));
                let bend = a - 2.0 * b + c;
                sum += 0.5 * COURSE_ROUGHNESS * bend * bend;
                for (lag, factor) in [(middle - 1, 1.0), (middle, -2.0), (middle + 1, 1.0)] {
                    gradient[lag] += (penalty * COURSE_ROUGHNESS * factor * bend) as f32;
                }
            }
        }
        let start = start + courses.len();
        let mut plain = 0.0;
        for (value, gradient) in rest.iter().zip(&mut gradient[start..]).skip(1) {
            plain += 0.5 * PLAIN_PENALTY * f64::from(*value).powi(2);
            *gradient += (PLAIN_PENALTY * f64::from(*value)) as f32;
        }
        penalty * sum + plain
    }
}

/// Losses and their gradients with respect to all filters, per measured response.
#[derive(Debug)]
struct Sums {
    counts: Vec<f64>,
    losses: Vec<f64>,
    filters: Filters,
}

impl Sums {
    fn losses(&self) -> impl Iterator<Item = f64> + '_ {
        self.losses.iter().zip(&self.counts).map(|(loss, count)| loss / count)
    }
}

/// Sums over all pieces; gradients only where they are asked for.
fn sums(config: &LnConfig, pieces: &Pieces, filters: &Filters, gradients: bool) -> Sums {
    let units = pieces.units;
    let columns = units * config.rank;
    let many = |length: usize| vec![0.0; if gradients { length } else { 0 }];
    let zero = || Sums {
        counts: pieces.counts.clone(),
        losses: vec![0.0; units],
        filters: Filters {
            units,
            pictures: many(config.raster.pixels() * columns),
            courses: many(config.lags * columns),
            biases: many(units),
            exponents: many(units),
            gains: [many(units), many(units)],
        },
    };
    let add = |sums: &mut Sums, piece: &Piece| add_piece(config, filters, piece, gradients, sums);
    let join = |sum: &mut Sums, group: Sums| {
        sum.losses.iter_mut().zip(group.losses).for_each(|(a, b)| *a += b);
        let into = |sum: &mut Vec<f32>, group: Vec<f32>| sum.iter_mut().zip(group).for_each(|(a, b)| *a += b);
        let Filters { pictures, courses, biases, exponents, gains: [first, second], .. } = group.filters;
        into(&mut sum.filters.pictures, pictures);
        into(&mut sum.filters.courses, courses);
        into(&mut sum.filters.biases, biases);
        into(&mut sum.filters.exponents, exponents);
        into(&mut sum.filters.gains[0], first);
        into(&mut sum.filters.gains[1], second);
    };
    pieces.gather(zero, add, join)
}

fn add_piece(config: &LnConfig, filters: &Filters, piece: &Piece, gradients: bool, sums: &mut Sums) {
    let units = filters.units;
    let (seen, mut drives) = lag(config, filters, &piece.rows);
    let rows = drives.chunks_exact_mut(units).zip(piece.targets.chunks_exact(units)).zip(&piece.state);
    for ((drives, targets), state) in rows {
        for (unit, (drive, &target)) in drives.iter_mut().zip(targets).enumerate() {
            if target.is_nan() {
                *drive = 0.0;
                continue;
            }
            let exponent = filters.exponents[unit];
            let (log, by_drive, by_exponent) = log_rate(config.output, *drive, exponent);
            let gain = filters.gains[0][unit] * state[0] + filters.gains[1][unit] * state[1];
            let rate = (log + gain).exp();
            sums.losses[unit] += f64::from(rate) - f64::from(log + gain) * f64::from(target);
            let error = rate - target;
            *drive = error * by_drive;
            if gradients {
                sums.filters.biases[unit] += *drive;
                sums.filters.exponents[unit] += error * by_exponent;
                sums.filters.gains[0][unit] += error * state[0];
                sums.filters.gains[1][unit] += error * state[1];
            }
        }
    }
    if !gradients {
        return;
    }
    let columns = units * config.rank;
    let mut back = vec![0.0; seen.len()];
    for (time, errors) in drives.chunks_exact(units).enumerate() {
        let courses = filters.courses.chunks_exact(columns).zip(sums.filters.courses.chunks_exact_mut(columns));
        for (lag, (course, course_back)) in courses.enumerate() {
            let at = (time + config.lags - 1 - lag) * columns;
            let (seen, back) = (&seen[at..at + columns], &mut back[at..at + columns]);
            let terms = course.chunks_exact(units).zip(course_back.chunks_exact_mut(units));
            for ((course, course_back), (seen, back)) in
                terms.zip(seen.chunks_exact(units).zip(back.chunks_exact_mut(units)))
            {
                let weights = course.iter().zip(course_back);
                for ((&error, (w, w_back)), (x, x_back)) in errors.iter().zip(weights).zip(seen.iter().zip(back)) {
                    *x_back += w * error;
                    *w_back += x * error;
                }
            }
        }
    }
    let rows = Matrix::new(&piece.rows, config.raster.pixels());
    product(rows.turned(), Matrix::new(&back, columns), true, &mut sums.filters.pictures);
}

/// Losses of all units and their gradients, `[unit, number]`.
fn loss_and_gradient(
    config: &LnConfig,
    pieces: &Pieces,
    waves: &Waves,
    penalty: f64,
    places: &[f32],
    gradients: &mut [f32],
) -> Vec<f64> {
    let filters = waves.filters(config, places);
    let sums = sums(config, pieces, &filters, true);
    let (units, columns, size) = (waves.units, waves.units * waves.rank, waves.size());
    let mut by_wave = vec![0.0; waves.pixels * columns];
    let pictures = Matrix::new(&sums.filters.pictures, columns);
    product(Matrix::new(&waves.waves, waves.pixels).turned(), pictures, false, &mut by_wave);
    let mut losses: Vec<f64> = sums.losses().collect();
    let each = places.par_chunks_exact(size).zip(gradients.par_chunks_exact_mut(size)).zip(losses.par_iter_mut());
    each.enumerate().for_each(|(unit, ((place, gradient), loss))| {
        let share = (1.0 / pieces.counts[unit]) as f32;
        for term in 0..waves.rank {
            let column = term * units + unit;
            for wave in 0..waves.pixels {
                let value = by_wave[wave * columns + column] / waves.deviations[wave];
                gradient[term * waves.pixels + wave] = value * share;
            }
            for lag in 0..waves.lags {
                let at = waves.rank * waves.pixels + term * waves.lags + lag;
                gradient[at] = sums.filters.courses[lag * columns + column] * share;
            }
        }
        let by_power =
            if config.output == Output::Power { sums.filters.exponents[unit] * filters.exponents[unit] } else { 0.0 };
        let [first, second] = sums.filters.gains.each_ref().map(|gain| gain[unit]);
        let rest = [sums.filters.biases[unit], by_power, first, second];
        gradient[size - 4..].iter_mut().zip(rest).for_each(|(gradient, value)| *gradient = value * share);
        *loss += waves.prior(place, penalty, gradient);
    });
    losses
}

/// Spike-triggered averages, divided by power and correlation, as the products that hold most of them.
fn start(config: &LnConfig, pieces: &Pieces, waves: &Waves) -> Vec<f32> {
    let (units, lags, pixels) = (waves.units, waves.lags, waves.pixels);
    let plane = pixels * units;
    let zero = || vec![0.0; lags * plane];
    let add = |sums: &mut Vec<f32>, piece: &Piece| {
        let frames = piece.state.len();
        let means = pieces.means.iter().cycle();
        let errors: Vec<f32> =
            piece.targets.iter().zip(means).map(|(&y, &m)| if y.is_nan() { 0.0 } else { y - m as f32 }).collect();
        for (lag, sum) in sums.chunks_exact_mut(plane).enumerate() {
            let rows = &piece.rows[(lags - 1 - lag) * pixels..][..frames * pixels];
            product(Matrix::new(rows, pixels).turned(), Matrix::new(&errors, units), true, sum);
        }
    };
    let join = |sum: &mut Vec<f32>, group: Vec<f32>| sum.iter_mut().zip(group).for_each(|(a, b)| *a += b);
    let averages = pieces.gather(zero, add, join);
    // `[lag, wave, unit]`, in what each wave would have to be weighted with.
    let mut weights = vec![0.0; averages.len()];
    weights.par_chunks_exact_mut(plane).zip(averages.par_chunks_exact(plane)).for_each(|(to, from)| {
        product(Matrix::new(&waves.waves, pixels).turned(), Matrix::new(from, units), false, to);
        for (wave, row) in to.chunks_exact_mut(units).enumerate() {
            let power = f64::from(waves.deviations[wave]).powi(2) + START_PENALTY * waves.precisions[wave];
            let each = row.iter_mut().zip(&pieces.counts);
            each.for_each(|(value, count)| *value = (f64::from(*value) / (power * count)) as f32);
        }
    });
    let matrix = |lag: usize, other: usize| {
        waves.correlations[lag.abs_diff(other)] + if lag == other { START_RIDGE } else { 0.0 }
    };
    let inverse = inverse(lags, matrix);
    let size = waves.size();
    let mut places = vec![0.0; units * size];
    places.par_chunks_exact_mut(size).enumerate().for_each(|(unit, place)| {
        let raw = |lag: usize, wave: usize| f64::from(weights[lag * plane + wave * units + unit]);
        // In units of each wave's standard deviation, as the search has it.
        let mut filter = vec![0.0f64; lags * pixels];
        for wave in 0..pixels {
            let deviation = f64::from(waves.deviations[wave]);
            let column: Vec<f64> = (0..lags).map(|lag| raw(lag, wave) * deviation).collect();
            for lag in 0..lags {
                let row = &inverse[lag * lags..(lag + 1) * lags];
                filter[lag * pixels + wave] = row.iter().zip(&column).map(|(a, b)| a * b).sum();
            }
        }
        for term in 0..waves.rank {
            let course = strongest(&mut filter, lags, pixels, &mut place[term * pixels..][..pixels]);
            let at = waves.rank * pixels + term * lags;
            place[at..at + lags].iter_mut().zip(course).for_each(|(to, from)| *to = from as f32);
        }
        let rest = &mut place[size - 4..];
        // Silent units get a rate that is never reached.
        let mean = pieces.means[unit].max(1e-3);
        rest[0] = match config.output {
            Output::Exponential => mean.ln() as f32,
            Output::Power => mean.exp_m1().ln() as f32,
        };
    });
    places
}

/// Takes the product of a picture and a course that holds most of a filter `[lag, wave]` out of it, by power iteration.
/// Returns the course, of length 1; the picture goes into `picture`.
fn strongest(filter: &mut [f64], lags: usize, pixels: usize, picture: &mut [f32]) -> Vec<f64> {
    let row = |lag: usize| lag * pixels..(lag + 1) * pixels;
    let gram = |filter: &[f64], a: usize, b: usize| -> f64 {
        filter[row(a)].iter().zip(&filter[row(b)]).map(|(a, b)| a * b).sum()
    };
    let grams: Vec<f64> = (0..lags * lags).map(|i| gram(filter, i / lags, i % lags)).collect();
    let first = (0..lags).max_by(|&a, &b| grams[a * lags + a].total_cmp(&grams[b * lags + b])).unwrap_or(0);
    let mut course: Vec<f64> = grams[first * lags..(first + 1) * lags].to_vec();
    for _ in 0..60 {
        let length = course.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length < 1e-30 {
            course = vec![(1.0 / lags as f64).sqrt(); lags];
            break;
        }
        course.iter_mut().for_each(|value| *value /= length);
        course = (0..lags).map(|lag| (0..lags).map(|other| grams[lag * lags + other] * course[other]).sum()).collect();
    }
    let length = course.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-30);
    course.iter_mut().for_each(|value| *value /= length);
    for wave in 0..pixels {
        let value: f64 = (0..lags).map(|lag| course[lag] * filter[lag * pixels + wave]).sum();
        picture[wave] = value as f32;
        (0..lags).for_each(|lag| filter[lag * pixels + wave] -= course[lag] * value);
    }
    course
}

/// The inverse of a positive definite matrix, by elimination.
fn inverse(size: usize, matrix: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut rows: Vec<Vec<f64>> = (0..size)
        .map(|row| {
            let unit = (0..size).map(|column| if row == column { 1.0 } else { 0.0 });
            (0..size).map(|column| matrix(row, column)).chain(unit).collect()
        })
        .collect();
    for pivot in 0..size {
        let factor = rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|value| *value /= factor);
        let line = rows[pivot].clone();
        for (index, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != pivot) {
            debug_assert_ne!(index, pivot);
            let factor = row[pivot];
            row.iter_mut().zip(&line).for_each(|(value, line)| *value -= factor * line);
        }
    }
    rows.into_iter().flat_map(|row| row.into_iter().skip(size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::twin::network::hash;
    use crate::signals::{Behavior, Movie, Raster, Responses};

    /// A number in -1..1.
    fn number(counter: u64) -> f32 {
        (hash(7, counter) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn clip(frames: usize, units: usize) -> Clip {
        let raster = Raster { height: 8, width: 10 };
        let pixels = (0..(frames * 2 * raster.pixels()) as u64).map(|i| (128.0 + 100.0 * number(i)) as u8).collect();
        let movie = Movie::new(raster, frames, 2, pixels).expect("whole frames");
        let state = (0..(frames * 2) as u64).map(|i| [number(1_000_000 + i), number(2_000_000 + i)]).collect();
        let behavior = Behavior::new(frames, 2, vec![[0.0; 2]; frames * 2], state).expect("finite");
        // Some responses are missing.
        let target = |i: u64| if i.is_multiple_of(7) { f32::NAN } else { 1.0 + number(3_000_000 + i) };
        let responses = Responses::new(frames, 2, units, (0..(frames * 2 * units) as u64).map(target).collect());
        Clip::new(movie, behavior, responses.expect("a value each")).expect("one recording")
    }

    #[test]
    fn the_slope_of_the_loss_is_what_its_gradient_says() {
        for output in [Output::Exponential, Output::Power] {
            let raster = Raster { height: 4, width: 5 };
            let config = LnConfig { raster, lags: 4, output, ..LnConfig::default() };
            let pieces = Pieces::new(&config, 3, &[clip(30, 3)]).expect("long enough");
            let waves = Waves::new(&config, &pieces);
            let size = waves.size();
            let places: Vec<f32> = (0..(3 * size) as u64).map(|i| 0.4 * number(4_000_000 + i)).collect();
            let of = |places: &[f32]| {
                let mut gradients = vec![0.0; places.len()];
                (loss_and_gradient(&config, &pieces, &waves, 0.05, places, &mut gradients), gradients)
            };
            let (_, gradients) = of(&places);
            for direction in 0..6 {
                // Part of the numbers at a time, so that a wrong one cannot hide.
                let along = |i: usize| if i % 6 == direction { number(5_000_000 + i as u64) } else { 0.0 };
                let at =
                    |step: f32| of(&places.iter().enumerate().map(|(i, v)| v + step * along(i)).collect::<Vec<_>>()).0;
                let (ahead, behind) = (at(4e-3), at(-4e-3));
                for unit in 0..3 {
                    let expected = (ahead[unit] - behind[unit]) / 8e-3;
                    let range = unit * size..(unit + 1) * size;
                    let found: f64 = range.map(|i| f64::from(gradients[i] * along(i))).sum();
                    // Sums of f32: losses are known to 1e-7.
                    let tolerance = 1e-4 + 2e-3 * expected.abs();
                    assert!(
                        (found - expected).abs() < tolerance,
                        "{output:?} {direction} {unit}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_inverse_times_its_matrix_is_one() {
        let matrix = |a: usize, b: usize| 0.8f64.powi(a.abs_diff(b) as i32) + if a == b { 0.1 } else { 0.0 };
        let found = inverse(5, matrix);
        for (a, b) in (0..25).map(|i| (i / 5, i % 5)) {
            let sum: f64 = (0..5).map(|c| matrix(a, c) * found[c * 5 + b]).sum();
            assert!((sum - f64::from(u8::from(a == b))).abs() < 1e-12, "{a} {b}: {sum}");
        }
    }

    #[test]
    fn clips_that_teach_nothing_are_refused() {
        let config = LnConfig::default();
        let fit = |a: &[Clip], b: &[Clip]| LinearNonlinear::fit(a, b, &config, &Progress::new()).expect_err("refused");
        let (short, long) = (clip(10, 2), clip(30, 2));
        for (training, validation) in [
            (&[][..], &[long.clone()][..]),
            (&[short], std::slice::from_ref(&long)),
            (std::slice::from_ref(&long), &[]),
            (std::slice::from_ref(&long), &[clip(30, 3)]),
        ] {
            let error = fit(training, validation);
            assert!(matches!(error, BaselineError::Clips(_)), "{error}");
        }
        let config = LnConfig { rank: 99, ..config };
        let error =
            LinearNonlinear::fit(&[clip(30, 2)], &[clip(30, 2)], &config, &Progress::new()).expect_err("no such rank");
        assert!(error.to_string().contains("`rank` is 99"), "{error}");
    }
}

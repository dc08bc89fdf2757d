//! Poisson regression of every neuron's count on the smoothed activity of others, with a ridge penalty: the linear
//! baseline of co-smoothing, and, fed with the bins before, of forward prediction.
//!
//! Minimised for each neuron: mean over bins of (λ - y ln λ) + α/2 |w|², λ = exp(b + w·x), with inputs x of mean 0 and
//! variance 1 and a free b. It is convex; L-BFGS (Liu and Nocedal 1989) goes down, many neurons at once so that the work
//! is products of matrices.

use std::collections::VecDeque;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::smoothing::{kept, remember};
use crate::job::{Cancelled, Progress};
use crate::signals::Binned;

/// Neurons that are fitted side by side.
const BLOCK: usize = 32;
/// Steps that the direction remembers.
const MEMORY: usize = 8;
/// Most evaluations of a fit.
const MOST: usize = 300;
/// A fit ends when no slope is larger, in spikes per bin.
const FLAT: f64 = 1e-6;
/// Share of the promised descent that a step must bring (Armijo).
const DESCENT: f64 = 1e-4;
/// Mean counts below this count as this: the logarithm of a silent neuron's mean must be finite.
const LEAST_MEAN: f64 = 1e-6;

/// Why there is no regression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlmError {
    /// Inputs and counts of different trials.
    #[error("a regression needs inputs and counts of the same trials and bins, found {inputs:?} and {counts:?}")]
    Shape {
        /// Shape of the inputs.
        inputs: [usize; 3],
        /// Shape of the counts.
        counts: [usize; 3],
    },
    /// A penalty that is none.
    #[error("the ridge penalty is {0}, but it must be a positive number")]
    Penalty(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Log-rates of neurons as weighted sums of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonGlm {
    /// Of each input over the trials that were learned from.
    means: Vec<f64>,
    /// One over the standard deviation of each input; 0 of one that never changes.
    scales: Vec<f64>,
    /// `[input and then 1, neuron]`, of scaled inputs.
    weights: DMatrix<f64>,
    /// Largest count of each neuron: what a forecast goes on from is never larger.
    largest: Vec<f64>,
}

impl PoissonGlm {
    /// Learns counts `[trial, bin, neuron]` from inputs `[trial, bin, input]`. Only inputs with `coupled(input, neuron)`
    /// have a weight. `start` is a regression of the same inputs and neurons to begin with, such as one of another
    /// penalty; the result is the same but for the tolerance.
    ///
    /// # Errors
    /// When the parts do not fit, the penalty is not positive, or the user asked to stop.
    pub fn fit(
        inputs: &Binned,
        counts: &Binned,
        coupled: &(dyn Fn(usize, usize) -> bool + Sync),
        penalty: f64,
        start: Option<&Self>,
        progress: &Progress,
    ) -> Result<Self, GlmError> {
        if inputs.shape()[..2] != counts.shape()[..2] || inputs.trials() * inputs.bins() == 0 {
            return Err(GlmError::Shape { inputs: inputs.shape(), counts: counts.shape() });
        }
        if !(penalty.is_finite() && penalty > 0.0) {
            return Err(GlmError::Penalty(penalty.to_string()));
        }
        let (means, scales) = moments(inputs);
        let seen = design(inputs, &means, &scales);
        let problem = Problem { turned: seen.transpose(), seen, counts, coupled, penalty };
        let start = start.filter(|start| start.weights.shape() == (inputs.neurons() + 1, counts.neurons()));
        let neurons: Vec<usize> = (0..counts.neurons()).collect();
        let blocks = neurons.par_chunks(BLOCK).map(|block| {
            progress.check()?;
            Ok(problem.fit(block, start.map(|start| &start.weights)))
        });
        let blocks = blocks.collect::<Result<Vec<_>, Cancelled>>()?;
        let columns: Vec<DVector<f64>> = blocks.into_iter().flatten().collect();
        let mut weights = DMatrix::zeros(inputs.neurons() + 1, counts.neurons());
        columns.iter().enumerate().for_each(|(neuron, column)| weights.set_column(neuron, column));
        let mut largest = vec![0.0f64; counts.neurons()];
        for row in counts.values().chunks_exact(counts.neurons().max(1)) {
            largest.iter_mut().zip(row).for_each(|(most, &count)| *most = most.max(f64::from(count)));
        }
        Ok(Self { means, scales, weights, largest })
    }

    /// Weight of an input for a neuron, of the input in units of its standard deviation.
    pub fn weight(&self, input: usize, neuron: usize) -> f64 {
        self.weights[(input, neuron)]
    }

    /// Log-rates `[trial, bin, neuron]` for inputs `[trial, bin, input]`.
    ///
    /// # Panics
    /// When there are other inputs than were learned from.
    pub fn log_rates(&self, inputs: &Binned) -> Binned {
        assert_eq!(inputs.neurons(), self.means.len(), "the inputs that were learned from");
        let neurons = self.weights.ncols();
        let rates = (design(inputs, &self.means, &self.scales) * &self.weights).transpose();
        let values = rates.as_slice().iter().map(|&rate| rate as f32).collect();
        Binned::new(inputs.trials(), inputs.bins(), neurons, values).expect("one value for each place")
    }

    /// Log-rates of so many bins after those that are seen, of a regression on the history of all its neurons
    /// ([`super::Smoothing::History`] with this `tau_bins`). What is forecast is remembered as if it had been counted.
    ///
    /// # Panics
    /// When inputs and neurons are not the same.
    pub fn forecast(&self, seen: &Binned, tau_bins: f64, bins: usize) -> Binned {
        let neurons = self.weights.ncols();
        assert!(seen.neurons() == neurons && self.means.len() == neurons, "every neuron is an input");
        let kept = kept(tau_bins);
        let mut values = Vec::with_capacity(seen.trials() * bins * neurons);
        for trial in 0..seen.trials() {
            let mut state = vec![0.0; neurons];
            for bin in 0..seen.bins() {
                remember(&mut state, seen.row(trial, bin).iter().map(|&count| f64::from(count)), kept);
            }
            for _ in 0..bins {
                let scaled = |(input, value): (usize, &f64)| (value - self.means[input]) * self.scales[input];
                let inputs = state.iter().enumerate().map(scaled).chain([1.0]);
                let inputs = DVector::from_iterator(neurons + 1, inputs);
                let log_rates = self.weights.tr_mul(&inputs);
                values.extend(log_rates.iter().map(|&rate| rate as f32));
                let expected = log_rates.iter().zip(&self.largest).map(|(rate, &largest)| rate.exp().min(largest));
                remember(&mut state, expected, kept);
            }
        }
        Binned::new(seen.trials(), bins, neurons, values).expect("one value for each place")
    }
}

/// Mean, and one over the standard deviation, of each input.
fn moments(inputs: &Binned) -> (Vec<f64>, Vec<f64>) {
    let means = inputs.means();
    let mut squares = vec![0.0; means.len()];
    for row in inputs.values().chunks_exact(means.len().max(1)) {
        for ((square, &value), mean) in squares.iter_mut().zip(row).zip(&means) {
            *square += (f64::from(value) - mean).powi(2);
        }
    }
    let rows = (inputs.trials() * inputs.bins()) as f64;
    let scale = |(square, mean): (f64, &f64)| {
        let deviation = (square / rows).sqrt();
        // What varies by rounding alone says nothing.
        if deviation > 1e-6 * mean.abs() + 1e-12 { deviation.recip() } else { 0.0 }
    };
    let scales = squares.into_iter().zip(&means).map(scale).collect();
    (means, scales)
}

/// Scaled inputs and a column of ones, `[trial and bin, input]`.
fn design(inputs: &Binned, means: &[f64], scales: &[f64]) -> DMatrix<f64> {
    let (rows, columns) = (inputs.trials() * inputs.bins(), means.len());
    let scaled = |row: usize, input: usize| {
        if input == columns {
            return 1.0;
        }
        (f64::from(inputs.values()[row * columns + input]) - means[input]) * scales[input]
    };
    DMatrix::from_fn(rows, columns + 1, scaled)
}

/// What is minimised.
struct Problem<'a> {
    /// `[row, input and 1]`.
    seen: DMatrix<f64>,
    /// Its transpose: nalgebra multiplies fast only what lies as it is.
    turned: DMatrix<f64>,
    counts: &'a Binned,
    coupled: &'a (dyn Fn(usize, usize) -> bool + Sync),
    penalty: f64,
}

/// One neuron on its way down.
struct Descent {
    neuron: usize,
    place: DVector<f64>,
    value: f64,
    slope: DVector<f64>,
    direction: DVector<f64>,
    step: f64,
    /// Steps, changes of slope, and one over their product; the newest last.
    past: VecDeque<(DVector<f64>, DVector<f64>, f64)>,
    is_done: bool,
}

impl Problem<'_> {
    /// Weights of some neurons.
    fn fit(&self, neurons: &[usize], start: Option<&DMatrix<f64>>) -> Vec<DVector<f64>> {
        let inputs = self.seen.ncols() - 1;
        let counts = self.counts.of_neurons(neurons);
        let means = counts.means();
        let counts = DMatrix::from_row_iterator(
            self.seen.nrows(),
            neurons.len(),
            counts.values().iter().map(|&count| f64::from(count)),
        );
        let mut all: Vec<Descent> = neurons
            .iter()
            .zip(means)
            .map(|(&neuron, mean)| {
                let mut place = match start {
                    Some(start) => start.column(neuron).into_owned(),
                    None => DVector::zeros(inputs + 1),
                };
                if start.is_none() {
                    place[inputs] = mean.max(LEAST_MEAN).ln();
                }
                self.masked(neuron, &mut place);
                let nothing = DVector::zeros(inputs + 1);
                Descent {
                    neuron,
                    place,
                    value: f64::INFINITY,
                    slope: nothing.clone(),
                    direction: nothing,
                    step: 0.0,
                    past: VecDeque::new(),
                    is_done: false,
                }
            })
            .collect();
        for _ in 0..MOST {
            let active: Vec<usize> = (0..all.len()).filter(|&index| !all[index].is_done).collect();
            if active.is_empty() {
                break;
            }
            let tried: Vec<DVector<f64>> = active.iter().map(|&index| all[index].tried()).collect();
            let tried_matrix = DMatrix::from_columns(&tried);
            let mut rates = &self.seen * &tried_matrix;
            let rows = rates.nrows() as f64;
            let mut values = Vec::with_capacity(active.len());
            for (mut column, &index) in rates.column_iter_mut().zip(&active) {
                let mut value = 0.0;
                for (rate, count) in column.iter_mut().zip(counts.column(index).iter()) {
                    let expected = rate.exp();
                    value += expected - count * *rate;
                    *rate = (expected - count) / rows;
                }
                values.push(value / rows);
            }
            let slopes = &self.turned * &rates;
            for ((&index, place), (value, slope)) in
                active.iter().zip(tried).zip(values.into_iter().zip(slopes.column_iter()))
            {
                let mut weights = place.clone();
                weights[inputs] = 0.0;
                let value = value + 0.5 * self.penalty * weights.norm_squared();
                let mut slope = slope + weights * self.penalty;
                self.masked(all[index].neuron, &mut slope);
                all[index].judge(place, value, slope);
            }
        }
        all.into_iter().map(|descent| descent.place).collect()
    }

    /// Takes the weights away that must not be.
    fn masked(&self, neuron: usize, weights: &mut DVector<f64>) {
        let inputs = weights.len() - 1;
        (0..inputs).filter(|&input| !(self.coupled)(input, neuron)).for_each(|input| weights[input] = 0.0);
    }
}

impl Descent {
    /// Where to look next.
    fn tried(&self) -> DVector<f64> {
        &self.place + &self.direction * self.step
    }

    /// Goes there when it is lower, else tries half as far.
    fn judge(&mut self, place: DVector<f64>, value: f64, slope: DVector<f64>) {
        let is_first = self.value == f64::INFINITY;
        let enough = self.value + DESCENT * self.step * self.slope.dot(&self.direction);
        let is_number = value.is_finite() && slope.iter().all(|slope| slope.is_finite());
        if !(is_number && (is_first || value <= enough)) {
            self.step *= 0.5;
            // Numbers that do not go lower in such small steps are as low as rounding lets them be.
            self.is_done = is_first || self.step < 1e-12;
            return;
        }
        if !is_first {
            let (step, change) = (&place - &self.place, &slope - &self.slope);
            let product = step.dot(&change);
            if product > 1e-14 {
                if self.past.len() == MEMORY {
                    self.past.pop_front();
                }
                self.past.push_back((step, change, product.recip()));
            }
        }
        (self.place, self.value, self.slope) = (place, value, slope);
        self.is_done = self.slope.amax() <= FLAT;
        self.direction = self.way_down();
        // Without a past the slope has no scale of its own.
        self.step = if self.past.is_empty() { (1.0 / self.slope.norm().max(1e-12)).min(1.0) } else { 1.0 };
    }

    /// Minus the inverse curvature, as far as it is known, times the slope.
    fn way_down(&self) -> DVector<f64> {
        let mut way = -&self.slope;
        let mut shares = Vec::with_capacity(self.past.len());
        for (step, change, inverse) in self.past.iter().rev() {
            let share = inverse * step.dot(&way);
            way.axpy(-share, change, 1.0);
            shares.push(share);
        }
        if let Some((_, change, inverse)) = self.past.back() {
            way /= inverse * change.norm_squared();
        }
        for ((step, change, inverse), share) in self.past.iter().zip(shares.into_iter().rev()) {
            let back = inverse * change.dot(&way);
            way.axpy(share - back, step, 1.0);
        }
        if way.dot(&self.slope) < 0.0 { way } else { -&self.slope }
    }
}

//! Decoding: what was shown, read from the responses of a population by a linear classifier.
//!
//! Fisher's linear discriminant with the covariance shrunk towards a multiple of the identity by the amount of Ledoit and
//! Wolf 2004, so that it also works with more units than presentations. Every presentation is decoded by a classifier that
//! has not seen it: units are scaled and classes are learned on the other folds only.

use nalgebra::{Cholesky, DMatrix, DVector};

use super::ResponseTable;
use crate::analysis::statistics::{Chance, wilson_interval};

/// How to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoder {
    /// Number of folds, at least 2 and at most the presentations of the rarest class.
    pub folds: usize,
    /// What the presentations of each class are dealt to the folds with.
    pub seed: u64,
}

/// Why nothing was decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodingError {
    /// Not one label for each observation.
    #[error("decoding needs one label for each observation, found {observations} observations and {labels} labels")]
    Labels {
        /// Observations.
        observations: usize,
        /// Labels.
        labels: usize,
    },
    /// Nothing to tell apart.
    #[error("decoding needs at least two classes, found {0}")]
    Classes(usize),
    /// A class that cannot be in every fold.
    #[error(
        "{folds} folds need at least as many presentations of each class, class {class} has {found}; 2 is the least"
    )]
    Folds {
        /// Folds that were asked for.
        folds: usize,
        /// The rarest class.
        class: usize,
        /// Its presentations.
        found: usize,
    },
    /// No unit varies within classes or between them.
    #[error("no unit varies: there is nothing to decode from")]
    Constant,
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoding {
    /// The decoded class of each observation.
    pub decoded: Vec<usize>,
    /// How often class `[shown][decoded]` was decoded, counts.
    pub confusion: Vec<Vec<usize>>,
    /// Fraction decoded correctly, the mean over classes, so that frequent ones count no more than rare ones.
    pub accuracy: f64,
    /// What guessing would reach, 1 over the number of classes.
    pub chance: f64,
    /// Number of folds.
    pub folds: usize,
}

/// First stream of the permutations of a decoding, far from those of its folds and of resamples.
const PERMUTED: u32 = 0x0dec_0000;

impl Decoding {
    /// Wilson's interval of the accuracy over held-out observations, (low, high). Of classes of different sizes it is that of
    /// as many observations as would give a mean over classes of the same certainty, K² / Σ 1/n over K classes of n.
    /// `None` for a level outside 0..1.
    pub fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let parts: f64 = self.confusion.iter().map(|row| 1.0 / row.iter().sum::<usize>() as f64).sum();
        let classes = self.confusion.len() as f64;
        wilson_interval(self.accuracy, classes * classes / parts, level)
    }

    /// Chance of an accuracy as large or larger where what is decoded has nothing to do with what was shown: the share of
    /// random assignments of the decoded classes to the held-out observations that reach it, itself counted among them.
    pub fn p_value(&self, permutations: usize, seed: u64) -> f64 {
        let sizes: Vec<usize> = self.confusion.iter().map(|row| row.iter().sum()).collect();
        // In the order of classes; which observation of a class is which makes no difference.
        let shown: Vec<usize> = (0..sizes.len()).flat_map(|class| std::iter::repeat_n(class, sizes[class])).collect();
        let accuracy = |decoded: &[usize]| {
            let right = shown.iter().zip(decoded).filter(|(shown, decoded)| shown == decoded);
            right.map(|(&class, _)| 1.0 / sizes[class] as f64).sum::<f64>() / sizes.len() as f64
        };
        // Sums in another order differ in their last digits.
        let reached = self.accuracy - 1e-9;
        let mut decoded = self.decoded.clone();
        let as_large = (0..permutations).filter(|&permutation| {
            Chance::new(seed, PERMUTED.wrapping_add(permutation as u32)).shuffle(&mut decoded);
            accuracy(&decoded) >= reached
        });
        (as_large.count() + 1) as f64 / (permutations + 1) as f64
    }

    /// Mean distance between shown and decoded direction, degrees, 90 by guessing; `directions_deg` holds that of each
    /// class.
    ///
    /// # Panics
    /// When a class has no direction.
    pub fn mean_error_deg(&self, directions_deg: &[f64]) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for (shown, row) in self.confusion.iter().enumerate() {
            for (decoded, &times) in row.iter().enumerate() {
                let apart = (directions_deg[shown] - directions_deg[decoded]).rem_euclid(360.0);
                sum += times as f64 * apart.min(360.0 - apart);
                count += times;
            }
        }
        sum / count as f64
    }
}

/// Decodes the class of each observation, cross-validated with folds in which every class has its share. `labels` are
/// class numbers 0, 1, 2...
///
/// # Errors
/// When labels, classes or folds do not fit, or when no unit varies.
pub fn decode(table: &ResponseTable, labels: &[usize], how: &Decoder) -> Result<Decoding, DecodingError> {
    if labels.len() != table.observations() {
        return Err(DecodingError::Labels { observations: table.observations(), labels: labels.len() });
    }
    let folds = folds(labels, how)?;
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let mut decoded = vec![0; labels.len()];
    for fold in 0..how.folds {
        let (held, rest): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&row| folds[row] == fold);
        let discriminant = Discriminant::learn(table, labels, &rest, classes).ok_or(DecodingError::Constant)?;
        for row in held {
            decoded[row] = discriminant.class(table.row(row));
        }
    }
    let mut confusion = vec![vec![0; classes]; classes];
    labels.iter().zip(&decoded).for_each(|(&shown, &decoded)| confusion[shown][decoded] += 1);
    let correct = |class: usize| confusion[class][class] as f64 / confusion[class].iter().sum::<usize>() as f64;
    let accuracy = (0..classes).map(correct).sum::<f64>() / classes as f64;
    Ok(Decoding { decoded, confusion, accuracy, chance: 1.0 / classes as f64, folds: how.folds })
}

/// Decodes the class of observations by a classifier that was learned from others. `labels` are the class numbers 0, 1,
/// 2... of what is learned from.
///
/// # Errors
/// When there is not one label for each observation, fewer than two classes, or no unit varies.
///
/// # Panics
/// When the two tables have different units.
pub fn decode_unseen(
    learned: &ResponseTable,
    labels: &[usize],
    unseen: &ResponseTable,
) -> Result<Vec<usize>, DecodingError> {
    assert_eq!(learned.units(), unseen.units(), "the same units");
    if labels.len() != learned.observations() {
        return Err(DecodingError::Labels { observations: learned.observations(), labels: labels.len() });
    }
    let mut counts = Vec::new();
    for &label in labels {
        if label >= labels.len() {
            return Err(DecodingError::Classes(counts.len()));
        }
        counts.resize(counts.len().max(label + 1), 0usize);
        counts[label] += 1;
    }
    let occurring = counts.iter().filter(|&&count| count > 0).count();
    if occurring < 2 || occurring < counts.len() {
        return Err(DecodingError::Classes(occurring));
    }
    let rows: Vec<usize> = (0..labels.len()).collect();
    let discriminant = Discriminant::learn(learned, labels, &rows, counts.len()).ok_or(DecodingError::Constant)?;
    Ok((0..unseen.observations()).map(|row| discriminant.class(unseen.row(row))).collect())
}

/// The fold of each observation: the observations of each class in random order, dealt one fold after the other.
fn folds(labels: &[usize], how: &Decoder) -> Result<Vec<usize>, DecodingError> {
    // Classes are numbered without gaps, or one of them has no presentation.
    let largest = labels.iter().max().copied().unwrap_or(0).min(labels.len());
    let mut members = vec![Vec::new(); largest + 1];
    for (row, &label) in labels.iter().enumerate() {
        members[label.min(largest)].push(row);
    }
    if members.len() < 2 {
        return Err(DecodingError::Classes(members.len()));
    }
    let rarest = (0..members.len()).min_by_key(|&class| members[class].len()).unwrap_or(0);
    if how.folds < 2 || members[rarest].len() < how.folds {
        return Err(DecodingError::Folds { folds: how.folds, class: rarest, found: members[rarest].len() });
    }
    let mut folds = vec![0; labels.len()];
    let mut next = 0;
    for (class, rows) in members.iter_mut().enumerate() {
        Chance::new(how.seed, class as u32).shuffle(rows);
        for &row in rows.iter() {
            folds[row] = next % how.folds;
            next += 1;
        }
    }
    Ok(folds)
}

/// A linear score for each class.
struct Discriminant {
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// `[unit, class]`.
    weights: DMatrix<f64>,
    biases: DVector<f64>,
}

impl Discriminant {
    /// Learned from some rows; `None` when no unit varies within them.
    fn learn(table: &ResponseTable, labels: &[usize], rows: &[usize], classes: usize) -> Option<Self> {
        let (n, p) = (rows.len() as f64, table.units());
        let mut means = vec![0.0; p];
        rows.iter().for_each(|&row| means.iter_mut().zip(table.row(row)).for_each(|(mean, value)| *mean += value / n));
        let mut deviations = vec![0.0; p];
        for &row in rows {
            let squares = table.row(row).iter().zip(&means).map(|(value, mean)| (value - mean).powi(2) / n);
            deviations.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        }
        for (deviation, mean) in deviations.iter_mut().zip(&means) {
            let root = deviation.sqrt();
            // A unit that does not vary, but for rounding, is left as it is: after centring it says nothing.
            *deviation = if root > 1e-12 * mean.abs() { root } else { f64::INFINITY };
        }
        let mut scaled = DMatrix::from_fn(rows.len(), p, |index, unit| {
            (table.row(rows[index])[unit] - means[unit]) / deviations[unit]
        });
        let mut centres = DMatrix::<f64>::zeros(classes, p);
        let mut counts = vec![0.0; classes];
        for (index, &row) in rows.iter().enumerate() {
            counts[labels[row]] += 1.0;
            let mut centre = centres.row_mut(labels[row]);
            centre += scaled.row(index);
        }
        for (mut centre, &count) in centres.row_iter_mut().zip(&counts) {
            centre /= f64::max(count, 1.0);
        }
        for (index, &row) in rows.iter().enumerate() {
            let mut within = scaled.row_mut(index);
            within -= centres.row(labels[row]);
        }
        let weights = shrunk_inverse_times(&scaled, &centres)?;
        let biases = DVector::from_fn(classes, |class, _| -0.5 * (centres.row(class) * weights.column(class))[0]);
        Some(Self { means, deviations, weights, biases })
    }

    /// The class of the highest score, the first of equals.
    fn class(&self, responses: &[f64]) -> usize {
        let scaled =
            responses.iter().zip(&self.means).zip(&self.deviations).map(|((value, mean), sd)| (value - mean) / sd);
        let scaled = DVector::from_iterator(responses.len(), scaled);
        (self.weights.tr_mul(&scaled) + &self.biases).imax()
    }
}

/// S^-1 of the centres `[class, unit]`, as `[unit, class]`, S being the covariance of the rows shrunk towards its mean
/// variance. With more units than rows through the products of rows. `None` when nothing varies.
fn shrunk_inverse_times(rows: &DMatrix<f64>, centres: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (n, p) = (rows.nrows() as f64, rows.ncols() as f64);
    let squares: Vec<f64> = rows.row_iter().map(|row| row.norm_squared()).collect();
    let variance = squares.iter().sum::<f64>() / (n * p);
    if variance <= 0.0 {
        // Classes that never vary are told apart by their centres alone.
        return (centres.norm_squared() > 0.0).then(|| centres.transpose());
    }
    let narrow = rows.ncols() <= rows.nrows();
    let products = if narrow { rows.tr_mul(rows) } else { rows * rows.transpose() };
    // Ledoit and Wolf: how far the covariance is from its target, and how much of that is chance.
    let covariance = products.norm_squared() / (n * n);
    let distance = covariance - p * variance * variance;
    let chance = (squares.iter().map(|square| square * square).sum::<f64>() / n - covariance) / n;
    let shrinkage = if distance > 0.0 { (chance / distance).clamp(0.0, 1.0) } else { 1.0 };
    // Never quite 0, so that the covariance can be inverted.
    let target = shrinkage.max(1e-9) * variance;
    let kept = (1.0 - shrinkage) / n;
    let right = centres.transpose();
    if narrow {
        return Cholesky::new(with_ridge(products * kept, target)).map(|factor| factor.solve(&right));
    }
    // (kept X'X + target)^-1 M = (M - X' (X X' + target / kept)^-1 X M) / target.
    if kept == 0.0 {
        return Some(right / target);
    }
    let inner = Cholesky::new(with_ridge(products, target / kept))?.solve(&(rows * &right));
    Some((right - rows.tr_mul(&inner)) / target)
}

/// The matrix with this added to its diagonal.
fn with_ridge(mut matrix: DMatrix<f64>, value: f64) -> DMatrix<f64> {
    (0..matrix.nrows()).for_each(|index| matrix[(index, index)] += value);
    matrix
}

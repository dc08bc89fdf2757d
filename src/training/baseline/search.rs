//! Many small minimisations side by side: limited-memory quasi-Newton steps (Nocedal 1980) with a line search of its own
//! for each problem, while all problems are evaluated together as products of matrices.

use std::collections::VecDeque;

use rayon::prelude::*;

/// Steps that a direction remembers.
const MEMORY: usize = 8;
/// Share of the promised decrease that a step must keep (Armijo).
const DECREASE: f64 = 1e-4;
/// A problem is solved when a step lowers its loss by less than this, relative to a loss of 1.
const SMALLEST_DECREASE: f64 = 1e-7;

/// One problem.
#[derive(Debug)]
struct Walk {
    place: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
    direction: Vec<f32>,
    /// Slope along the direction.
    slope: f64,
    step: f64,
    shortened: usize,
    /// Steps, changes of the gradient, and their inner products.
    past: VecDeque<(Vec<f32>, Vec<f32>, f64)>,
    solved: bool,
}

/// Minimises problems of `size` numbers each from `start`, `[problem, number]`; returns the best places.
///
/// `evaluate(places, gradients)` writes all gradients and returns all losses; it is called at most `evaluations` times,
/// and once for the start.
pub(super) fn minimise<E>(
    size: usize,
    start: Vec<f32>,
    evaluations: usize,
    mut evaluate: impl FnMut(&[f32], &mut [f32]) -> Result<Vec<f64>, E>,
) -> Result<Vec<f32>, E> {
    let mut places = start;
    let mut gradients = vec![0.0; places.len()];
    let losses = evaluate(&places, &mut gradients)?;
    let each = places.chunks_exact(size).zip(gradients.chunks_exact(size)).zip(losses);
    let mut walks: Vec<Walk> =
        each.map(|((place, gradient), loss)| Walk::new(place.to_vec(), loss, gradient.to_vec())).collect();
    for _ in 0..evaluations {
        if walks.iter().all(|walk| walk.solved) {
            break;
        }
        walks.par_iter().zip(places.par_chunks_exact_mut(size)).for_each(|(walk, place)| walk.ahead(place));
        let losses = evaluate(&places, &mut gradients)?;
        let found = places.par_chunks_exact(size).zip(gradients.par_chunks_exact(size)).zip(losses.par_iter());
        walks.par_iter_mut().zip(found).for_each(|(walk, ((place, gradient), &loss))| {
            walk.judge(place, loss, gradient);
        });
    }
    Ok(walks.into_iter().flat_map(|walk| walk.place).collect())
}

impl Walk {
    fn new(place: Vec<f32>, loss: f64, gradient: Vec<f32>) -> Self {
        let mut walk = Self {
            direction: vec![0.0; place.len()],
            place,
            loss,
            gradient,
            slope: 0.0,
            step: 0.0,
            shortened: 0,
            past: VecDeque::new(),
            solved: false,
        };
        walk.aim();
        walk
    }

    /// The place to look at next.
    fn ahead(&self, place: &mut [f32]) {
        let step = if self.solved { 0.0 } else { self.step as f32 };
        for ((new, &old), &direction) in place.iter_mut().zip(&self.place).zip(&self.direction) {
            *new = old + step * direction;
        }
    }

    /// Goes there, or shortens the step.
    fn judge(&mut self, place: &[f32], loss: f64, gradient: &[f32]) {
        if self.solved {
            return;
        }
        let promised = self.step * self.slope;
        if loss.is_finite() && loss <= self.loss + DECREASE * promised {
            let step: Vec<f32> = place.iter().zip(&self.place).map(|(new, old)| new - old).collect();
            let change: Vec<f32> = gradient.iter().zip(&self.gradient).map(|(new, old)| new - old).collect();
            let product = dot(&step, &change);
            // Only where the slope grows is there a curvature to learn.
            if product > 1e-6 * (dot(&step, &step) * dot(&change, &change)).sqrt() {
                self.past.push_back((step, change, product));
                if self.past.len() > MEMORY {
                    self.past.pop_front();
                }
            }
            self.solved = self.loss - loss < SMALLEST_DECREASE;
            self.place.copy_from_slice(place);
            self.gradient.copy_from_slice(gradient);
            self.loss = loss;
            self.aim();
            return;
        }
        self.shortened += 1;
        if self.shortened < 12 {
            // The parabola through both values and the slope has its least there.
            let curvature = 2.0 * (loss - self.loss - promised);
            let least = if curvature.is_finite() && curvature > 0.0 { -promised / curvature } else { 0.1 };
            self.step *= least.clamp(0.1, 0.5);
        } else if self.past.is_empty() {
            self.solved = true;
        } else {
            self.past.clear();
            self.aim();
        }
    }

    /// The next direction from the gradient and the past.
    fn aim(&mut self) {
        let mut direction = self.gradient.clone();
        let mut shares = Vec::with_capacity(self.past.len());
        for (step, change, product) in self.past.iter().rev() {
            let share = dot(step, &direction) / product;
            add(&mut direction, -share, change);
            shares.push(share);
        }
        if let Some((_, change, product)) = self.past.back() {
            let scale = (product / dot(change, change)) as f32;
            direction.iter_mut().for_each(|value| *value *= scale);
        }
        for ((step, change, product), share) in self.past.iter().zip(shares.into_iter().rev()) {
            let other = dot(change, &direction) / product;
            add(&mut direction, share - other, step);
        }
        direction.iter_mut().for_each(|value| *value = -*value);
        let length = dot(&self.gradient, &self.gradient).sqrt();
        self.slope = dot(&self.gradient, &direction);
        if self.slope >= 0.0 && !self.past.is_empty() {
            self.past.clear();
            return self.aim();
        }
        // Without a past nothing tells how far: as far as a gradient of length 1 would lead at most.
        self.step = if self.past.is_empty() { 1.0f64.min(0.1 / length.max(1e-30)) } else { 1.0 };
        self.shortened = 0;
        self.solved |= length == 0.0 || !self.slope.is_finite();
        self.direction = direction;
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn add(sum: &mut [f32], factor: f64, values: &[f32]) {
    let factor = factor as f32;
    sum.iter_mut().zip(values).for_each(|(sum, &value)| *sum += factor * value);
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Rosenbrock's valley (1960), with its least of 0 at (1, 1), beside a narrow bowl with its least at (3, -2).
    #[test]
    fn each_problem_finds_its_own_minimum() {
        let mut calls = 0;
        let evaluate = |places: &[f32], gradients: &mut [f32]| {
            calls += 1;
            let [a, b, c, d] = std::array::from_fn(|i| f64::from(places[i]));
            let away = b - a * a;
            let (x, y) = (c - 3.0, d + 2.0);
            let found = [-2.0 * (1.0 - a) - 400.0 * a * away, 200.0 * away, 2.0 * x, 2000.0 * y];
            gradients.iter_mut().zip(found).for_each(|(gradient, found)| *gradient = found as f32);
            Ok::<_, Infallible>(vec![(1.0 - a).powi(2) + 100.0 * away.powi(2), x * x + 1000.0 * y * y])
        };
        let Ok(found) = minimise(2, vec![-1.2, 1.0, 50.0, 40.0], 200, evaluate);
        let expected = [1.0, 1.0, 3.0, -2.0];
        // The smallest decrease leaves the flat valley a few thousandths before its end.
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{found:?}, not {expected:?}");
        assert!(calls < 100, "{calls} evaluations");
    }
}

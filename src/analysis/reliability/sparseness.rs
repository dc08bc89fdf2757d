//! How few frames a unit responds to, and how few units respond to a frame.

use rayon::prelude::*;

use super::{Repeats, UnitRepeats};

/// Lifetime sparseness of Vinje and Gallant 2000: (1 - (Σ r / n)² / (Σ r² / n)) / (1 - 1 / n) over the frames' mean
/// responses r: 0 for a constant response, 1 for a response to one frame alone.
///
/// `None` with fewer than two frames, with a negative response, and for a unit that never responds.
pub fn lifetime_sparseness(response: &UnitRepeats) -> Option<f64> {
    let mut all = Spread::default();
    response.means().into_iter().filter(|mean| !mean.is_nan()).for_each(|mean| all.add(mean));
    all.sparseness()
}

/// Population sparseness: the same over the mean responses of all units to each frame, `[frame]`.
pub fn population_sparseness(responses: &Repeats) -> Vec<Option<f64>> {
    let mut found = PopulationSparseness::new(responses.frames());
    found.add(responses);
    found.finish()
}

/// Population sparseness of a population that is looked at in several goes.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationSparseness {
    frames: Vec<Spread>,
}

impl PopulationSparseness {
    /// Of no units yet.
    pub fn new(frames: usize) -> Self {
        Self { frames: vec![Spread::default(); frames] }
    }

    /// Adds units; what they did after the last frame does not count.
    pub fn add(&mut self, responses: &Repeats) {
        let means: Vec<Vec<f64>> =
            (0..responses.units()).into_par_iter().map(|unit| responses.unit(unit).means()).collect();
        for means in means {
            for (frame, mean) in self.frames.iter_mut().zip(means).filter(|(_, mean)| !mean.is_nan()) {
                frame.add(mean);
            }
        }
    }

    /// Of each frame.
    pub fn finish(self) -> Vec<Option<f64>> {
        self.frames.into_iter().map(Spread::sparseness).collect()
    }
}

/// Number, sum and squares of responses, of which none may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Spread {
    n: f64,
    sum: f64,
    squares: f64,
    negative: bool,
}

impl Spread {
    fn add(&mut self, response: f64) {
        self.negative |= response < 0.0;
        self.n += 1.0;
        self.sum += response;
        self.squares += response * response;
    }

    fn sparseness(self) -> Option<f64> {
        let Self { n, sum, squares, negative } = self;
        (!negative && n >= 2.0 && squares > 0.0)
            .then(|| ((1.0 - sum * sum / (n * squares)) / (1.0 - 1.0 / n)).clamp(0.0, 1.0))
    }
}

//! How the baselines are fitted to clips: on the CPU, by their own means, without the twin's training.

mod convolutional;
mod linear_nonlinear;
mod search;

pub use convolutional::GruTraining;

use super::Clip;
use crate::model::baseline::BaselineError;

/// The number of units of clips that belong together.
fn units_of(training: &[Clip], validation: &[Clip]) -> Result<usize, BaselineError> {
    let refuse = |what: String| Err(BaselineError::Clips(what));
    let Some(first) = training.first() else { return refuse("there is no clip to learn from".to_owned()) };
    let units = first.responses().units();
    if units == 0 {
        return refuse("the clips have responses of no unit".to_owned());
    }
    if validation.iter().all(|clip| clip.movie().frames() * clip.movie().samples() == 0) {
        return refuse("there is no clip for validation; keep at least one apart".to_owned());
    }
    for clip in training.iter().chain(validation) {
        if clip.responses().units() != units {
            let found = clip.responses().units();
            return refuse(format!("one clip has responses of {found} units, the first one of {units}"));
        }
        if clip.movie().raster().pixels() == 0 {
            return refuse("a movie needs at least one pixel".to_owned());
        }
        // NaN is a missing response; counts are never negative.
        if let Some(value) = clip.responses().values().iter().find(|value| !value.is_nan() && !value.is_finite()) {
            return refuse(format!(
                "a response is {value}, expected a finite number, or NaN where nothing was measured"
            ));
        }
    }
    Ok(units)
}

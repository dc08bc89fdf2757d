//! Optimised stimuli: the static image or short movie that excites a unit, or a group of units, most or least.
//!
//! Most exciting images (MEIs) were found by gradient ascent through a network and shown to the animal by Walker et al.
//! (Nature Neuroscience 22:2060, 2019) and Bashivan et al. (Science 364:eaav9436, 2019). Here the network is a twin, and
//! the gradient goes from the readout through core and eye to the pixels of the monitor.
//!
//! The movie is the grey level b of the background, and for some frames b + d, where d has a number for every pixel (and,
//! in a movie, every frame). With R(d) the predicted response, averaged over the units and over a window of frames:
//!
//! - Start: d = P(G n), with n white Gaussian noise.
//! - Step k of K: d <- P(d ± η_k C h / rms(h)), with h = G ∂R/∂d and η_k = η (1 − 0.95 k / K); + for most, − for least.
//! - G is a Gaussian blur in space (and, in a movie, in time): the gradient is preconditioned as by Walker et al., and as
//!   the start is blurred in the same way, d stays smooth but for the clipping of P.
//! - P(d) = clip(s d) to the grey levels 0..=255 of the monitor, with the s that makes rms(d) = C. The contrast is C / b:
//!   root mean square over all pixels (and frames) of the difference from the background, over the background.
//!
//! What is handed on is the best d of all steps, in whole grey levels, scaled so that its contrast is at most C / b, and
//! the response to it as the inference engine predicts it.

mod constraint;
mod error;
mod files;
mod optimiser;
mod plan;
mod response;

pub use error::OptimiseError;
pub use files::{Controls, Optimised};
pub use optimiser::{Optimiser, Row};
pub use plan::{Goal, Kind, Plan};

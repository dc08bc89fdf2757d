//! Counterfactual training: the clips that a twin learns from are corrupted or biased on purpose, and what it then knows
//! of every domain of stimuli tells where training on such clips breaks.
//!
//! The simulated mouse watches the corrupted clips, so its responses belong to what it saw. The tests show the same clean
//! stimuli in every arm, clips that nothing learned from among them; but where behaviour is unknown, it is unknown in the
//! tests too. Every mouse watches as many minutes
//! of clips, but where clips are left out, fewer are learned from: the table tells the minutes of each arm, and what such an
//! arm lost is owed to both.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::arm::Arm;
use super::{StudyError, Table};
use crate::data::save::atomically;
use crate::data::simulated::{SimulateOptions, TestMovies, simulate};
use crate::data::{Session, Trial};
use crate::experiment::Protocol;
use crate::gpu::ComputeDevice;
use crate::job::Progress;
use crate::model::twin::TwinConfig;
use crate::signals::{Behavior, Monitor, Movie};
use crate::stimulus::Modifier;
use crate::stimulus::modify::{Blur, Contrast, PixelNoise, ShuffleFrames};
use crate::training::{Recipe, Training};

/// Domain of the clean clips that are tested.
const CLIPS: &str = "Clips";

/// What is done to the clips that are learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Corruption {
    /// Nothing.
    Clean,
    /// A Gaussian blur of 6 degrees.
    Blur,
    /// White noise in every frame, half of the range.
    PixelNoise,
    /// A quarter of the contrast.
    LowContrast,
    /// Frames in random order within every clip.
    ShuffledTime,
    /// No clip that moves to the right on the whole: a quarter of all directions is missing, and with it minutes to learn
    /// from.
    MissingDirections,
    /// Nothing is known of gaze, running and pupil, neither in the clips nor in the tests.
    NoBehavior,
}

/// What is trained and tested.
#[derive(Debug, Clone)]
pub struct StressPlan {
    /// Clips that are learned from.
    pub clips: Protocol,
    /// What is tested, clean, after clips of the same kind.
    pub tests: Vec<TestMovies>,
    /// Pixels and geometry.
    pub monitor: Monitor,
    /// The mouse, its units and its seed; one mouse.
    pub mouse: SimulateOptions,
    /// Sizes of the network.
    pub config: TwinConfig,
    /// Steps of every training.
    pub recipe: Recipe,
    /// Arms.
    pub corruptions: Vec<Corruption>,
}

impl Corruption {
    /// All of them, the clean one first.
    pub const ALL: [Self; 7] = [
        Self::Clean,
        Self::Blur,
        Self::PixelNoise,
        Self::LowContrast,
        Self::ShuffledTime,
        Self::MissingDirections,
        Self::NoBehavior,
    ];

    /// Name of the arm.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean clips",
            Self::Blur => "blurred by 6°",
            Self::PixelNoise => "pixel noise",
            Self::LowContrast => "a quarter of the contrast",
            Self::ShuffledTime => "shuffled frames",
            Self::MissingDirections => "no rightward motion",
            Self::NoBehavior => "behaviour unknown",
        }
    }

    /// What it does to a stimulus.
    fn modifier(self, clip_secs: f64) -> Option<Modifier> {
        match self {
            Self::Blur => Some(Modifier::Blur(Blur { sigma_deg: 6.0 })),
            Self::PixelNoise => Some(Modifier::PixelNoise(PixelNoise { sd: 0.5, ..PixelNoise::default() })),
            Self::LowContrast => Some(Modifier::Contrast(Contrast { scale: 0.25, ..Contrast::default() })),
            Self::ShuffledTime => {
                Some(Modifier::ShuffleFrames(ShuffleFrames { window_secs: clip_secs, ..ShuffleFrames::default() }))
            }
            Self::Clean | Self::MissingDirections | Self::NoBehavior => None,
        }
    }

    /// What it does to a session.
    fn applied(self, session: Session) -> Result<Session, StudyError> {
        let trials = session.trials.iter();
        let trials = match self {
            Self::MissingDirections => {
                let mut kept = Vec::new();
                for trial in trials {
                    if !trial.training || !is_rightward(trial)? {
                        kept.push(trial.clone());
                    }
                }
                kept
            }
            Self::NoBehavior => trials.map(without_behavior).collect::<Result<_, _>>()?,
            _ => return Ok(session),
        };
        Ok(Session { trials, ..session })
    }
}

/// Trains one network from scratch for every corruption and evaluates it on clean clips that are new and on the clean
/// tests, all on the `device`. Beside each finding stand the minutes of clips that were learned from, without those for
/// validation, and how far it lies from that of the clean clips. Sessions, twins and checkpoints are written below `folder`
/// and stay there, so that an interrupted study goes on. `told` hears of every arm.
///
/// # Errors
/// When a mouse cannot be simulated, a training or an evaluation fails, or the user asked to stop.
pub fn stress(
    plan: &StressPlan,
    folder: &Path,
    device: &ComputeDevice,
    progress: &Progress,
    told: &mut dyn FnMut(&str),
) -> Result<Table, StudyError> {
    let mut table = Table::new("Counterfactual training: one simulated mouse, corrupted clips, clean tests");
    table.clean = Some(Corruption::Clean.name().to_owned());
    let tests: Vec<TestMovies> = unseen(&plan.clips, &plan.monitor).into_iter().chain(plan.tests.clone()).collect();
    for &corruption in &plan.corruptions {
        let mut clips = plan.clips.clone();
        if let Some(modifier) = corruption.modifier(clips.timing.stimulus_secs) {
            clips.modify.push(modifier.clone());
            clips.also.iter_mut().for_each(|part| part.modify.push(modifier.clone()));
        }
        let place = folder.join("sessions").join(corruption.name().replace(' ', "-"));
        let schedule = clips.schedule(&plan.monitor);
        same_as_before(&place, &sha256(&(&clips, &tests, &plan.mouse, &plan.monitor)))?;
        let made = match place.join("mouse-1") {
            session if session.join("session.toml").exists() => session,
            _ => simulate(&plan.mouse, &schedule, &tests, &plan.monitor, &place, progress)?.remove(0),
        };
        let session = corruption.applied(Session::open(&made)?)?;
        let sessions = std::slice::from_ref(&session);
        let mut training = Training::new(&plan.recipe, &plan.config, sessions, None, device, progress)?;
        let arm = Arm { name: corruption.name(), seed: plan.recipe.seed, minutes: None };
        // Every arm sees the same minutes, so those that it learns from are no part of its name.
        let learned = arm.place(folder, &session.id.animal);
        let minutes = training.minutes().first().map(|minutes| (100.0 * minutes).round() / 100.0);
        let arm = Arm { minutes, ..arm };
        arm.complete(&mut training, &session, device, Some(&learned), &mut table, progress)?;
        told(corruption.name());
    }
    Ok(table)
}

/// Clean clips that are like those that are learned from, but drawn with another seed: every condition once. `None` when
/// nothing in them is random, as the same clips would come again.
fn unseen(clips: &Protocol, monitor: &Monitor) -> Option<TestMovies> {
    let mut clips = clips.clone();
    clips.repeats.count = 1;
    clips.repeats.seed = clips.repeats.seed.wrapping_add(1);
    let schedule = clips.schedule(monitor);
    let trial_frames = monitor.frame_rate.frames_in(clips.timing.stimulus_secs);
    (schedule.conditions.iter().any(|condition| condition.stimulus.is_random())).then(|| TestMovies {
        domain: CLIPS.to_owned(),
        schedule,
        trial_frames,
    })
}

fn sha256(of: &impl std::fmt::Debug) -> String {
    Sha256::digest(format!("{of:?}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sessions of another plan must not be taken for those of this one: a hash of what they are made of is kept beside them.
fn same_as_before(place: &Path, made_of: &str) -> Result<(), StudyError> {
    let file = place.join("made-of.sha256");
    let failed = |source| StudyError::File { path: file.clone(), source };
    match std::fs::read_to_string(&file) {
        Ok(kept) if kept == made_of => Ok(()),
        Err(_) if !place.join("mouse-1").exists() => {
            std::fs::create_dir_all(place).map_err(failed)?;
            atomically(&file, |to| to.write_all(made_of.as_bytes())).map_err(failed)
        }
        _ => Err(StudyError::Plan(format!(
            "{}: the sessions there were simulated with other clips, tests, units or seeds; choose another folder",
            place.display()
        ))),
    }
}

/// A trial whose behaviour nobody measured: that of the average animal takes its place.
fn without_behavior(trial: &Trial) -> Result<Trial, StudyError> {
    let (mut source, record) = (trial.movie()?, trial.record()?);
    let (frames, raster) = (source.frames(), source.raster());
    let mut pixels = vec![0; frames * raster.pixels()];
    source.read(0, frames, &mut pixels).map_err(crate::data::SessionError::from)?;
    let movie = Movie::new(raster, frames, 1, pixels).map_err(crate::data::SessionError::from)?;
    let behavior = Behavior::still(frames, 1);
    let new = Trial::new(trial.training, trial.condition.clone(), Arc::new(movie), behavior, record.responses.clone())?;
    Ok(match trial.domain() {
        Some(domain) => new.in_domain(domain),
        None => new,
    })
}

/// Whether the picture as a whole moves within 45 degrees of rightward.
fn is_rightward(trial: &Trial) -> Result<bool, StudyError> {
    let mut source = trial.movie()?;
    let (frames, raster) = (source.frames(), source.raster());
    let size = raster.pixels();
    let mut pixels = vec![0; frames * size];
    source.read(0, frames, &mut pixels).map_err(crate::data::SessionError::from)?;
    let (mut x, mut y) = (0.0, 0.0);
    for pair in pixels.chunks_exact(size).collect::<Vec<_>>().windows(2) {
        let flow = flow(pair[0], pair[1], raster.width);
        (x, y) = (x + flow[0], y + flow[1]);
    }
    Ok(x > 0.0 && y.abs() <= x)
}

/// One velocity for a whole picture, pixels a frame to the right and down: least squares on brightness constancy (Lucas
/// and Kanade 1981).
fn flow(before: &[u8], after: &[u8], width: usize) -> [f64; 2] {
    let grey = |frame: &[u8], place: usize| f64::from(frame[place]);
    let (mut xx, mut xy, mut yy, mut xt, mut yt) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in 1..before.len() / width - 1 {
        for column in 1..width - 1 {
            let place = row * width + column;
            let x = (grey(before, place + 1) - grey(before, place - 1)) / 2.0;
            let y = (grey(before, place + width) - grey(before, place - width)) / 2.0;
            let t = grey(after, place) - grey(before, place);
            (xx, xy, yy, xt, yt) = (xx + x * x, xy + x * y, yy + y * y, xt + x * t, yt + y * t);
        }
    }
    let determinant = xx * yy - xy * xy;
    if determinant <= 1e-6 * (xx + yy).powi(2).max(1.0) {
        return [0.0; 2];
    }
    [(xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flow_of_a_moved_picture_is_its_motion() {
        let (width, height) = (48usize, 32usize);
        let picture = |dx: f64, dy: f64| -> Vec<u8> {
            let grey = |place: usize| {
                let (x, y) = ((place % width) as f64 - dx, (place / width) as f64 - dy);
                (128.0 + 40.0 * (x / 3.0).sin() + 40.0 * (y / 4.0 + x / 9.0).cos()).round() as u8
            };
            (0..width * height).map(grey).collect()
        };
        for (dx, dy) in [(0.4, 0.0), (-0.3, 0.2), (0.0, -0.5)] {
            let [x, y] = flow(&picture(0.0, 0.0), &picture(dx, dy), width);
            // Brightness constancy is a first-order formula: a tenth of a pixel.
            assert!((x - dx).abs() < 0.1 && (y - dy).abs() < 0.1, "({x}, {y}), expected ({dx}, {dy})");
        }
        assert_eq!(flow(&[7; 64], &[9; 64], 8), [0.0; 2], "a blank picture tells nothing");
    }
}

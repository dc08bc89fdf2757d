//! Trials sorted by what they showed: domains, and in each the showings of the same pixels.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{DomainEvaluation, EvaluationError, Selection, Trials};
use crate::data::{Session, Trial};

/// Frames of which a fingerprint is taken at once.
const BLOCK: usize = 64;

/// All showings of one movie.
#[derive(Debug)]
pub(super) struct Showing<'s> {
    /// Frames of each trial.
    pub frames: usize,
    /// In order of recording.
    pub trials: Vec<&'s Trial>,
}

impl Showing<'_> {
    pub fn predicted_frames(&self) -> usize {
        self.frames * self.trials.len()
    }
}

/// By what repeats are recognised.
#[derive(PartialEq, Eq, Hash)]
enum Pixels<'s> {
    /// Trials of the same name showed the same pixels, for as long as both lasted.
    Named(&'s str, usize),
    /// SHA-256 of the pixels of a trial without a name.
    Hashed([u8; 32]),
}

/// The selected trials by domain and by movie, both in order of first showing. Trials with nothing left after burn-in are
/// left out, unless a domain has no others.
pub(super) fn domains<'s>(
    session: &'s Session,
    selection: &Selection,
) -> Result<Vec<(String, Vec<Showing<'s>>)>, EvaluationError> {
    let chosen = |trial: &&Trial| match selection.trials {
        Trials::Test => !trial.training,
        Trials::Training => trial.training,
        Trials::All => true,
    };
    let mut domains: Vec<(String, Vec<&Trial>)> = Vec::new();
    for trial in session.trials.iter().filter(chosen) {
        let name = trial.domain.as_deref().unwrap_or(DomainEvaluation::UNNAMED);
        match domains.iter_mut().find(|(known, _)| known == name) {
            Some((_, trials)) => trials.push(trial),
            None => domains.push((name.to_owned(), vec![trial])),
        }
    }
    if domains.is_empty() {
        let what = match selection.trials {
            Trials::Test => "trials that were kept for testing: evaluate all of them, or record some for testing",
            Trials::Training => "trials to learn from",
            Trials::All => "trials",
        };
        return Err(EvaluationError::NoTrials(what.to_owned()));
    }
    if let Some(asked) = &selection.domain {
        let known = domains.iter().map(|(name, _)| name.clone()).collect();
        domains.retain(|(name, _)| name.to_lowercase() == asked.to_lowercase());
        if domains.is_empty() {
            return Err(EvaluationError::NoDomain { asked: asked.clone(), known });
        }
    }
    let sorted = |(name, trials): (String, Vec<&'s Trial>)| {
        let showings = showings(&name, &trials, selection)?;
        Ok((name, showings))
    };
    domains.into_iter().map(sorted).collect()
}

fn showings<'s>(
    domain: &str,
    trials: &[&'s Trial],
    selection: &Selection,
) -> Result<Vec<Showing<'s>>, EvaluationError> {
    let burnin = selection.burnin_frames;
    let mut showings: Vec<Showing<'s>> = Vec::new();
    let mut known: HashMap<Pixels<'s>, usize> = HashMap::new();
    for &trial in trials.iter().filter(|trial| trial.frames > burnin) {
        let pixels = match trial.condition.as_deref() {
            Some(name) => Pixels::Named(name, trial.frames),
            None => Pixels::Hashed(hash(trial)?),
        };
        let index = *known.entry(pixels).or_insert(showings.len());
        if index == showings.len() {
            showings.push(Showing { frames: trial.frames, trials: Vec::new() });
        }
        showings[index].trials.push(trial);
    }
    if showings.is_empty() {
        let frames = trials.iter().map(|trial| trial.frames).max().unwrap_or(0);
        return Err(EvaluationError::TooShort { domain: domain.to_owned(), frames, burnin });
    }
    Ok(showings)
}

/// SHA-256 of number and size of the frames, and of every pixel.
fn hash(trial: &Trial) -> Result<[u8; 32], EvaluationError> {
    let mut movie = trial.movie()?;
    let (frames, raster) = (movie.frames(), movie.raster());
    let mut hash = Sha256::new();
    for size in [frames, raster.height, raster.width] {
        hash.update((size as u64).to_le_bytes());
    }
    let mut pixels = vec![0; BLOCK.min(frames) * raster.pixels()];
    for start in (0..frames).step_by(BLOCK) {
        let count = BLOCK.min(frames - start);
        let pixels = &mut pixels[..count * raster.pixels()];
        movie.read(start, count, pixels)?;
        hash.update(&*pixels);
    }
    Ok(hash.finalize().into())
}

//! What a simulated mouse does: it fixates and makes saccades, runs in bouts, and its pupil widens while it runs.

use super::chance::{Chance, Topic};
use super::mouse::RUNNING;
use crate::signals::{Behavior, FrameRate};

/// Saccades per second.
const SACCADES_HZ: f64 = 1.2;
/// Standard deviation of the eye's jitter within a fixation, of that of the whole gaze.
const JITTER: f64 = 0.05;
/// Mean length of a rest and of a bout of running, seconds: 40 % of the time is spent running.
const REST_SECS: f64 = 6.0;
const BOUT_SECS: f64 = 4.0;
/// Time constants of running and of the pupil, seconds.
const RUNNING_SECS: f64 = 0.4;
const PUPIL_SECS: f64 = 1.0;
/// Standard deviation of the pupil's radius apart from running; 1 is the effect of running at full speed.
const PUPIL_NOISE: f64 = 0.15;
/// Mean and standard deviation of the pupil's radius on that scale, in the long run.
const RADIUS: (f64, f64) = (0.4, 0.43);

/// Behaviour of one sample over so many frames. Every trace is z-scored with its mean and standard deviation in the
/// long run, so short stretches need not have a mean of 0: a mouse may sit still for a minute.
pub fn behavior(seed: u64, frames: usize, rate: FrameRate) -> Behavior {
    let gaze = gaze(seed, frames, rate);
    let running = running(seed, frames, rate);
    let radius = radius(seed, &running, rate);
    let z = |value: f64, (mean, deviation): (f64, f64)| ((value - mean) / deviation) as f32;
    let running_z = (f64::from(RUNNING.0), f64::from(RUNNING.1));
    let state = radius.iter().zip(&running).map(|(&radius, &run)| [z(radius, RADIUS), z(run, running_z)]).collect();
    Behavior::new(frames, 1, gaze, state).expect("as many finite values as frames")
}

/// Fixations at normal places, with jitter.
fn gaze(seed: u64, frames: usize, rate: FrameRate) -> Vec<[f32; 2]> {
    let mut chance = Chance::new(seed, Topic::Gaze, 0);
    // The variances of places and jitter sum to 1.
    let spread = (1.0 - JITTER * JITTER).sqrt();
    let mut place = [chance.normal(), chance.normal()];
    (0..frames)
        .map(|_| {
            if chance.uniform() < SACCADES_HZ / rate.0 {
                place = [chance.normal(), chance.normal()];
            }
            place.map(|at| (spread * at + JITTER * chance.normal()) as f32)
        })
        .collect()
}

/// 0 at rest, 1 at full speed.
fn running(seed: u64, frames: usize, rate: FrameRate) -> Vec<f64> {
    let mut chance = Chance::new(seed, Topic::Running, 0);
    let mut runs = chance.uniform() < BOUT_SECS / (BOUT_SECS + REST_SECS);
    let mut speed = f64::from(u8::from(runs));
    let follow = 1.0 - (-1.0 / (RUNNING_SECS * rate.0)).exp();
    (0..frames)
        .map(|_| {
            if chance.uniform() < 1.0 / (rate.0 * if runs { BOUT_SECS } else { REST_SECS }) {
                runs = !runs;
            }
            speed += follow * (f64::from(u8::from(runs)) - speed);
            speed
        })
        .collect()
}

/// Running, slower, and a random walk that returns.
fn radius(seed: u64, running: &[f64], rate: FrameRate) -> Vec<f64> {
    let mut chance = Chance::new(seed, Topic::Pupil, 0);
    let stay = (-1.0 / (PUPIL_SECS * rate.0)).exp();
    let mut widened = running.first().copied().unwrap_or_default();
    let mut other = PUPIL_NOISE * chance.normal();
    running
        .iter()
        .map(|&run| {
            widened += (1.0 - stay) * (run - widened);
            other = stay * other + PUPIL_NOISE * (1.0 - stay * stay).sqrt() * chance.normal();
            widened + other
        })
        .collect()
}

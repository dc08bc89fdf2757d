//! What the animal does while it watches.

/// Gaze and arousal, z-scored over a scan's training set; zero is the average animal.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    frames: usize,
    samples: usize,
    gaze: Vec<[f32; 2]>,
    state: Vec<[f32; 2]>,
}

impl Behavior {
    /// Average behaviour throughout: gaze, pupil radius and velocity at their means.
    pub fn still(frames: usize, samples: usize) -> Self {
        Self { frames, samples, gaze: vec![[0.0; 2]; frames * samples], state: vec![[0.0; 2]; frames * samples] }
    }

    /// Takes gaze `(pupil x, pupil y)` and state `(pupil radius, velocity)`, each `[time, sample]`.
    /// `None` when a length is not `frames * samples`, or a value is NaN or infinite.
    pub fn new(frames: usize, samples: usize, gaze: Vec<[f32; 2]>, state: Vec<[f32; 2]>) -> Option<Self> {
        let pairs = frames.checked_mul(samples)?;
        let whole = |values: &[[f32; 2]]| values.len() == pairs && values.as_flattened().iter().all(|v| v.is_finite());
        (whole(&gaze) && whole(&state)).then_some(Self { frames, samples, gaze, state })
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Number of samples side by side.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Pupil x and y of every sample at a frame, `[sample]`.
    pub fn gaze(&self, time: usize) -> &[[f32; 2]] {
        &self.gaze[time * self.samples..(time + 1) * self.samples]
    }

    /// Pupil radius and treadmill velocity of every sample at a frame, `[sample]`.
    pub fn state(&self, time: usize) -> &[[f32; 2]] {
        &self.state[time * self.samples..(time + 1) * self.samples]
    }
}

#[cfg(test)]
mod tests {
    use super::Behavior;

    #[test]
    fn only_finite_values_of_every_frame_are_behaviour() {
        let still = || vec![[0.0; 2]; 6];
        assert!(Behavior::new(3, 2, still(), still()).is_some());
        assert!(Behavior::new(3, 3, still(), still()).is_none());
        assert!(Behavior::new(usize::MAX, 2, still(), still()).is_none());
        for value in [f32::NAN, f32::INFINITY] {
            let mut wrong = still();
            wrong[4][1] = value;
            assert!(Behavior::new(3, 2, wrong.clone(), still()).is_none());
            assert!(Behavior::new(3, 2, still(), wrong).is_none());
        }
    }
}

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
    /// `None` when a length is not `frames * samples`.
    pub fn new(frames: usize, samples: usize, gaze: Vec<[f32; 2]>, state: Vec<[f32; 2]>) -> Option<Self> {
        (gaze.len() == frames * samples && state.len() == frames * samples).then_some(Self {
            frames,
            samples,
            gaze,
            state,
        })
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

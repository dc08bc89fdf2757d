//! Modifiers: what can be done to any stimulus, one file each.
//!
//! They act in the order of the protocol on unrounded grey levels, and the picture is rounded to 0..=255 once, at the end:
//! what a later modifier brings back into the range is not lost. Like stimuli they are functions of (parameters, seed,
//! frame) with no memory. They are drawn on the CPU.

mod aperture;
mod blur;
mod contrast;
mod mirror;
mod phase_scramble;
mod pixel_noise;
mod reverse;
mod shuffle_frames;
mod superpose;
mod time_window;

use std::cell::Cell;
use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use aperture::{Aperture, ApertureShape};
pub use blur::Blur;
pub(crate) use blur::Kernels as BlurKernels;
pub use contrast::{Contrast, ContrastMode};
pub use mirror::{Mirror, MirrorAxis};
pub use phase_scramble::PhaseScramble;
pub use pixel_noise::PixelNoise;
pub use reverse::Reverse;
pub use shuffle_frames::ShuffleFrames;
pub use superpose::{Superpose, SuperposeMode};
pub use time_window::TimeWindow;

use super::drawing::{Drawing, Painting};
use super::{Field, Prepared, Screen, Stimulus, StimulusError, check_fields, grey_level};
use crate::signals::Monitor;

/// Parameters of one modifier; what `parameters!` makes has the rest.
trait ModifierParameters {
    /// Whether the seed makes a difference.
    fn is_random(&self) -> bool {
        false
    }

    /// Why a parameter changes nothing as the others stand, and what to do about it; `None` where it matters.
    fn idle(&self, key: &str) -> Option<&'static str> {
        let _ = key;
        None
    }

    /// Checks what a field alone cannot.
    ///
    /// # Errors
    /// The first parameter that cannot be shown.
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let _ = monitor;
        Ok(())
    }

    /// The stimulus that it adds, when it adds one.
    fn nested(&self) -> Option<&Stimulus> {
        None
    }

    /// The same, to be changed.
    fn nested_mut(&mut self) -> Option<&mut Stimulus> {
        None
    }

    /// Computes everything that does not change from frame to frame; `below` is the stimulus that is modified, and
    /// `nested` the one that is added, ready to be drawn.
    ///
    /// # Errors
    /// When the screen cannot show it.
    fn prepare(&self, below: &Prepared, nested: Option<Prepared>, seed: u64) -> Result<Box<dyn Change>, StimulusError>;
}

/// A modifier on a screen under a seed.
trait Change: Debug + Send + Sync {
    /// Which frame of what lies below is shown at this frame; `None` shows the background.
    fn source_frame(&self, frame: usize) -> Option<usize> {
        Some(frame)
    }

    /// Changes one picture `[height, width]`, grey levels that are not rounded yet and may leave 0..=255. `frame` is
    /// that of the modifier, not the one that [`Self::source_frame`] turns it into.
    fn apply(&self, screen: &Screen, frame: usize, greys: &mut [f32]) {
        let _ = (screen, frame, greys);
    }
}

macro_rules! modifiers {
    ($( $(#[$doc:meta])* $kind:ident, $group:literal, $label:literal, $help:literal; )*) => {
        /// A modifier with its parameters, as it stands in a protocol.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
        pub enum Modifier { $( $(#[$doc])* $kind($kind), )* }

        /// The kinds of modifier, without parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ModifierKind { $( $(#[$doc])* $kind, )* }

        impl ModifierKind {
            /// Every kind, in the order in which a list shows them.
            pub const ALL: &'static [Self] = &[$( Self::$kind, )*];

            /// Name for people.
            pub fn label(self) -> &'static str {
                match self { $( Self::$kind => $label, )* }
            }

            /// Heading under which a list shows it.
            pub fn group(self) -> &'static str {
                match self { $( Self::$kind => $group, )* }
            }

            /// One sentence of explanation.
            pub fn help(self) -> &'static str {
                match self { $( Self::$kind => $help, )* }
            }

            /// The kind with its default parameters.
            pub fn modifier(self) -> Modifier {
                match self { $( Self::$kind => Modifier::$kind($kind::default()), )* }
            }

            /// The parameters that can be set.
            pub fn fields(self) -> &'static [Field] {
                match self { $( Self::$kind => $kind::FIELDS, )* }
            }
        }

        impl Modifier {
            /// Which kind it is.
            pub fn kind(&self) -> ModifierKind {
                match self { $( Self::$kind(_) => ModifierKind::$kind, )* }
            }

            /// Value of a parameter; `None` when this kind has none of that name.
            pub fn get(&self, key: &str) -> Option<f64> {
                match self { $( Self::$kind(parameters) => parameters.get(key), )* }
            }

            /// Sets a parameter, unchecked; `false` when this kind has none of that name.
            pub fn set(&mut self, key: &str, value: f64) -> bool {
                match self { $( Self::$kind(parameters) => parameters.set(key, value), )* }
            }

            fn parameters(&self) -> &dyn ModifierParameters {
                match self { $( Self::$kind(parameters) => parameters, )* }
            }

            fn parameters_mut(&mut self) -> &mut dyn ModifierParameters {
                match self { $( Self::$kind(parameters) => parameters, )* }
            }
        }

        $( impl From<$kind> for Modifier {
            fn from(parameters: $kind) -> Self {
                Self::$kind(parameters)
            }
        } )*
    };
}

modifiers! {
    /// Shows the stimulus inside or outside a shape.
    Aperture, "Where and when", "Aperture",
        "Shows the stimulus inside a disc, inside a ring, or everywhere but in a disc";
    /// Shows the stimulus for part of the time.
    TimeWindow, "Where and when", "Time window",
        "Shows the stimulus from a moment on for some time, with fades; before and after is grey";
    /// Changes the contrast.
    Contrast, "Contrast and layers", "Contrast",
        "Scales the contrast about the background, or sets the contrast of every frame to one value";
    /// Puts another stimulus on top.
    Superpose, "Contrast and layers", "Second stimulus",
        "Adds another stimulus, averages with it, or lays it on top";
    /// Gaussian blur.
    Blur, "Perturbations", "Blur", "Removes fine detail: a Gaussian blur";
    /// Independent noise on every pixel.
    PixelNoise, "Perturbations", "Pixel noise", "Adds independent Gaussian noise to every pixel";
    /// Random phases for every spatial frequency.
    PhaseScramble, "Perturbations", "Phase scrambling",
        "Keeps how much there is of each spatial frequency and destroys contours, by shifting each frequency at random";
    /// Frames in random order.
    ShuffleFrames, "Perturbations", "Frame shuffling",
        "Shows the same frames in random order: every picture is kept, motion is lost";
    /// Backwards in time.
    Reverse, "Perturbations", "Time reversal", "Shows the frames backwards";
    /// Left for right or up for down.
    Mirror, "Perturbations", "Mirror", "Swaps left and right, up and down, or both";
}

impl Modifier {
    /// Name for people.
    pub fn label(&self) -> &'static str {
        self.kind().label()
    }

    /// Whether the seed makes a difference.
    pub fn is_random(&self) -> bool {
        self.parameters().is_random()
    }

    /// The parameters that can be set; those of a [`Modifier::nested`] stimulus come on top.
    pub fn fields(&self) -> &'static [Field] {
        self.kind().fields()
    }

    /// The stimulus that it adds, when it adds one; its parameters are read and written as `stimulus.<key>`.
    pub fn nested(&self) -> Option<&Stimulus> {
        self.parameters().nested()
    }

    /// The same, to be changed.
    pub fn nested_mut(&mut self) -> Option<&mut Stimulus> {
        self.parameters_mut().nested_mut()
    }

    /// Why a parameter changes nothing as the others stand, and what to do about it; `None` where it matters.
    pub fn idle(&self, key: &str) -> Option<&'static str> {
        match (key.strip_prefix("stimulus."), self.nested()) {
            (Some(key), Some(nested)) => nested.idle(key),
            _ => self.parameters().idle(key),
        }
    }

    /// Whether it shows what lies in files.
    pub fn reads_files(&self) -> bool {
        self.nested().is_some_and(Stimulus::reads_files)
    }

    /// Takes relative file names as relative to this folder.
    pub fn resolve_paths(&mut self, folder: &Path) {
        if let Some(stimulus) = self.nested_mut() {
            stimulus.resolve_paths(folder);
        }
    }

    /// Checks every parameter; the file of a nested clip is looked at when it is prepared.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn validate(&self) -> Result<(), StimulusError> {
        check_fields(self.label(), self.fields(), |key| self.get(key))?;
        self.nested().map_or(Ok(()), Stimulus::validate)
    }

    /// Checks every parameter, also against what the screen can show.
    ///
    /// # Errors
    /// The first value that is impossible.
    pub fn validate_for(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        self.validate()?;
        if let Some(stimulus) = self.nested() {
            stimulus.validate_for(monitor)?;
        }
        self.parameters().check(monitor)
    }
}

/// Seed of the modifier at this place: two of one kind must not draw the same chance, nor that of the stimulus.
fn own_seed(seed: u64, index: usize) -> u64 {
    seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The files that modifiers show, read once: for each modifier that has one.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn read_files(modifiers: &[Modifier], screen: &Arc<Screen>) -> Result<Vec<Option<Prepared>>, StimulusError> {
    let read = |stimulus: &Stimulus| Prepared::bare(stimulus, screen, 0);
    modifiers.iter().map(|modifier| modifier.nested().filter(|s| s.reads_files()).map(read).transpose()).collect()
}

/// A stimulus with its modifiers; the stimulus itself when there are none. `files` are those of [`read_files`], or
/// nothing where they are to be read now.
pub(super) fn modified(
    bare: Prepared,
    modifiers: &[Modifier],
    files: &[Option<Prepared>],
    seed: u64,
) -> Result<Prepared, StimulusError> {
    if modifiers.is_empty() {
        return Ok(bare);
    }
    let mut changes = Vec::with_capacity(modifiers.len());
    for (index, modifier) in modifiers.iter().enumerate() {
        modifier.validate_for(bare.monitor())?;
        let seed = own_seed(seed, index);
        let nested = match (files.get(index), modifier.nested()) {
            (Some(Some(read)), _) => Some(read.clone()),
            (_, Some(stimulus)) => Some(Prepared::bare(stimulus, &bare.screen, seed)?),
            (_, None) => None,
        };
        changes.push(modifier.parameters().prepare(&bare, nested, seed)?);
    }
    Ok(Prepared { screen: Arc::clone(&bare.screen), drawing: Arc::new(Modified { below: bare.drawing, changes }) })
}

/// A stimulus with its modifiers.
#[derive(Debug)]
struct Modified {
    below: Arc<dyn Drawing>,
    /// In the order in which they act; never empty.
    changes: Vec<Box<dyn Change>>,
}

thread_local! {
    /// Room for one picture, kept from frame to frame.
    static ROOM: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl Drawing for Modified {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        // Time is asked of the last modifier first: what it shows at a frame is a frame of what lies below.
        let mut frames = Vec::with_capacity(self.changes.len());
        let mut source = Some(frame);
        for change in self.changes.iter().rev() {
            let Some(now) = source else { break };
            frames.push(now);
            source = change.source_frame(now);
        }
        match source {
            Some(source) => self.below.frame(screen, source, pixels),
            None => pixels.fill(screen.monitor().background),
        }
        // A modifier that shows the background leaves out those before it.
        let acting = &self.changes[self.changes.len() - frames.len()..];
        let mut greys = ROOM.take();
        greys.clear();
        greys.extend(pixels.iter().map(|&grey| f32::from(grey)));
        for (change, &now) in acting.iter().zip(frames.iter().rev()) {
            change.apply(screen, now, &mut greys);
        }
        for (pixel, &grey) in pixels.iter_mut().zip(&greys) {
            *pixel = grey_level(f64::from(grey));
        }
        ROOM.set(greys);
    }

    fn painting(&self, _screen: &Screen, _frames: Range<usize>) -> Option<Painting> {
        None
    }

    fn frames(&self) -> Option<usize> {
        self.below.frames()
    }
}

/// Frames in a time window of this length that holds a frame: its first frame and their number. The windows follow one
/// another from frame 0; one that a clip ends in is shorter. `None` after the end of a clip.
fn window(frame: usize, length: usize, end: Option<usize>) -> Option<(usize, usize)> {
    let start = frame / length * length;
    match end {
        Some(end) if frame >= end => None,
        Some(end) => Some((start, length.min(end - start))),
        None => Some((start, length)),
    }
}

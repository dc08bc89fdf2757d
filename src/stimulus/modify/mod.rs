//! Modifiers: what can be done to any stimulus, one file each. They act in the order of the protocol, on grey levels
//! relative to nothing but the screen, and are drawn on the CPU.

mod aperture;

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use aperture::{Aperture, ApertureShape};

use super::drawing::{Drawing, Painting};
use super::{Field, Prepared, Screen, StimulusError, check_fields, grey_level};
use crate::signals::Monitor;

/// Parameters of one modifier; what `parameters!` makes has the rest.
trait ModifierParameters {
    /// Whether the seed makes a difference.
    fn is_random(&self) -> bool {
        false
    }

    /// Whether it shows what lies in files.
    fn reads_files(&self) -> bool {
        false
    }

    /// Takes relative file names as relative to this folder.
    fn resolve_paths(&mut self, folder: &Path) {
        let _ = folder;
    }

    /// Checks what a field alone cannot.
    ///
    /// # Errors
    /// The first parameter that cannot be shown.
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let _ = monitor;
        Ok(())
    }

    /// Computes everything that does not change from frame to frame; `below` is what the modifier is put on.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn prepare(&self, below: &Prepared, seed: u64) -> Result<Box<dyn Change>, StimulusError>;
}

/// A modifier on a screen under a seed.
trait Change: Debug + Send + Sync {
    /// Which frame of what lies below is shown at this frame; `None` shows the background.
    fn source_frame(&self, frame: usize) -> Option<usize> {
        Some(frame)
    }

    /// Changes one picture `[height, width]`, grey levels that are not rounded yet and may leave 0..=255.
    fn apply(&self, screen: &Screen, frame: usize, greys: &mut [f32]) {
        let _ = (screen, frame, greys);
    }
}

macro_rules! modifiers {
    ($( $(#[$doc:meta])* $kind:ident, $label:literal; )*) => {
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
    Aperture, "Aperture";
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

    /// Whether it shows what lies in files.
    pub fn reads_files(&self) -> bool {
        self.parameters().reads_files()
    }

    /// Takes relative file names as relative to this folder.
    pub fn resolve_paths(&mut self, folder: &Path) {
        self.parameters_mut().resolve_paths(folder);
    }

    /// Checks every parameter, also against what the screen can show.
    ///
    /// # Errors
    /// The first value that is impossible.
    pub fn validate_for(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        check_fields(self.label(), self.kind().fields(), |key| self.get(key))?;
        self.parameters().check(monitor)
    }
}

/// A stimulus with its modifiers; the stimulus itself when there are none.
pub(super) fn modified(bare: Prepared, modifiers: &[Modifier], seed: u64) -> Result<Prepared, StimulusError> {
    let mut below = bare;
    for (index, modifier) in modifiers.iter().enumerate() {
        modifier.validate_for(below.monitor())?;
        // Two modifiers of one kind must not draw the same chance, nor that of the stimulus.
        let seed = seed ^ (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let change = modifier.parameters().prepare(&below, seed)?;
        let screen = Arc::clone(&below.screen);
        below = Prepared { screen, drawing: Arc::new(Modified { below: below.drawing, change }) };
    }
    Ok(below)
}

/// One modifier on what lies below it.
#[derive(Debug)]
struct Modified {
    below: Arc<dyn Drawing>,
    change: Box<dyn Change>,
}

impl Drawing for Modified {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        match self.change.source_frame(frame) {
            Some(source) => self.below.frame(screen, source, pixels),
            None => pixels.fill(screen.monitor().background),
        }
        let mut greys: Vec<f32> = pixels.iter().map(|&grey| f32::from(grey)).collect();
        self.change.apply(screen, frame, &mut greys);
        for (pixel, grey) in pixels.iter_mut().zip(greys) {
            *pixel = grey_level(f64::from(grey));
        }
    }

    fn painting(&self, _screen: &Screen, _frames: Range<usize>) -> Option<Painting> {
        None
    }

    fn frames(&self) -> Option<usize> {
        self.below.frames()
    }
}

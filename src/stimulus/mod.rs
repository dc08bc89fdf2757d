//! Stimuli: one file a kind, each a function of (parameters, seed, frame) with no memory.
//!
//! The CPU version is the formula; the shader of the same stem in `shaders/` is compared with it. What lies in files has
//! no formula and no shader: `clip` and `images` are uploaded.
//! Directions: 0 degrees is rightward motion, 90 upward, counter-clockwise.
//!
//! Stimuli are drawn in grey levels, as the movies of Wang et al. 2025 are stored; the monitor's gamma turns them into
//! luminance, so a grating that is sinusoidal in grey is not sinusoidal in light, unless the monitor is asked to show
//! computed stimuli in linear light (`levels.rs`).

pub mod bar;
pub mod checkerboard;
pub mod clip;
mod cycles;
pub mod dots;
mod drawing;
pub mod fields;
pub mod full_field;
pub mod gabor;
pub mod gaussian_dots;
pub mod gratings;
pub mod hash;
pub mod images;
pub mod keys;
mod levels;
pub mod modify;
pub mod monet;
pub mod noise;
mod painter;
pub mod pink_noise;
pub mod renderer;
pub mod scene;
pub mod schedule;
pub mod screen;
mod source;
pub mod sparse_noise;
mod synthesis;
pub mod trippy;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use bar::{MovingBar, MovingEdge};
pub use checkerboard::Checkerboard;
pub use clip::{Clip, ClipError, ClipInfo};
pub use dots::MovingDots;
pub use drawing::Shader;
use drawing::{Drawing, Kind, Painting};
pub use fields::{Field, FieldKind, Word};
pub use full_field::{Chirp, Flash, LuminanceSteps, StepOrder, Sweep};
pub use gabor::DriftingGabor;
pub use gaussian_dots::{FlashingGaussianDots, GaussianDot};
pub use gratings::{DriftingGrating, Plaid, StaticGrating, Waveform};
pub use images::{ImageSequence, Images};
pub use modify::{Modifier, ModifierKind};
pub use monet::{Monet, MonetMotion, TemporalWindow};
pub use noise::{BinaryNoise, WhiteNoise};
pub use pink_noise::PinkNoise;
pub use renderer::{Renderer, RendererError};
pub use scene::Scene;
pub use schedule::{Condition, Presentation, Schedule, ScheduleSource};
pub use screen::Screen;
pub use source::source;
pub use sparse_noise::SparseNoise;
pub use trippy::Trippy;

use crate::signals::{Degrees, Monitor};

/// Source of every shader.
pub const SHADERS: &[&Shader] = &[
    &gratings::SHADER,
    &gabor::SHADER,
    &noise::SHADER,
    &dots::SHADER,
    &gaussian_dots::SHADER,
    &sparse_noise::SHADER,
    &pink_noise::SHADER,
    &monet::SHADER,
    &trippy::SHADER,
    &full_field::SHADER,
    &checkerboard::SHADER,
    &bar::SHADER,
    &levels::SHADER,
    &scene::SHADER,
];

/// The kinds of stimulus: the enum of protocols and everything that has one arm for each kind. A new kind is a file
/// with its parameters and one line here.
macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident, $group:literal, $label:literal, $plural:literal; )*) => {
        /// A stimulus with its parameters, as it stands in a protocol.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
        pub enum Stimulus { $( $(#[$doc])* $kind($kind), )* }

        /// The kinds of stimulus, without parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum StimulusKind { $( $(#[$doc])* $kind, )* }

        impl StimulusKind {
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

            /// The name within a sentence, such as "drifting gratings".
            pub fn plural(self) -> &'static str {
                match self { $( Self::$kind => $plural, )* }
            }

            /// The kind with its default parameters; a path is empty.
            pub fn stimulus(self) -> Stimulus {
                match self { $( Self::$kind => Stimulus::$kind($kind::default()), )* }
            }

            /// The parameters that can be set.
            pub fn fields(self) -> &'static [Field] {
                match self { $( Self::$kind => $kind::FIELDS, )* }
            }
        }

        impl Stimulus {
            /// Which kind it is.
            pub fn kind(&self) -> StimulusKind {
                match self { $( Self::$kind(_) => StimulusKind::$kind, )* }
            }

            /// Value of a parameter; `None` when this kind has none of that name. A switch is 0 or 1, a choice the
            /// number of its word.
            pub fn get(&self, key: &str) -> Option<f64> {
                match self { $( Self::$kind(parameters) => parameters.get(key), )* }
            }

            /// Sets a parameter, unchecked; `false` when this kind has none of that name.
            pub fn set(&mut self, key: &str, value: f64) -> bool {
                match self { $( Self::$kind(parameters) => parameters.set(key, value), )* }
            }

            fn parameters(&self) -> &dyn Kind {
                match self { $( Self::$kind(parameters) => parameters, )* }
            }

            fn parameters_mut(&mut self) -> &mut dyn Kind {
                match self { $( Self::$kind(parameters) => parameters, )* }
            }

            /// Path of the type of its parameters, which ends in the stem of its file and its name.
            #[cfg(test)]
            fn type_path(&self) -> &'static str {
                match self { $( Self::$kind(_) => std::any::type_name::<$kind>(), )* }
            }
        }

        $( impl From<$kind> for Stimulus {
            fn from(parameters: $kind) -> Self {
                Self::$kind(parameters)
            }
        } )*
    };
}

kinds! {
    /// Uniform field that goes on and off.
    Flash, "Full field", "Flash", "flashes";
    /// Steps, a sweep of frequency and a sweep of contrast.
    Chirp, "Full field", "Chirp", "chirps";
    /// Uniform grey levels from black to white.
    LuminanceSteps, "Full field", "Luminance steps", "luminance steps";
    /// Luminance grating that drifts.
    DriftingGrating, "Gratings", "Drifting grating", "drifting gratings";
    /// Luminance grating that stands still.
    StaticGrating, "Gratings", "Static grating", "static gratings";
    /// Two drifting gratings superposed.
    Plaid, "Gratings", "Plaid", "plaids";
    /// Grating that drifts under a Gaussian envelope.
    DriftingGabor, "Gratings", "Drifting Gabor", "drifting Gabors";
    /// Checks that reverse their contrast.
    Checkerboard, "Gratings", "Checkerboard", "checkerboards";
    /// Bar that crosses the screen.
    MovingBar, "Bars and shapes", "Moving bar", "moving bars";
    /// Edge that crosses the screen.
    MovingEdge, "Bars and shapes", "Moving edge", "moving edges";
    /// Coherently moving random dots.
    MovingDots, "Dots", "Moving dots", "moving dots";
    /// One Gaussian dot.
    GaussianDot, "Dots", "Gaussian dot", "Gaussian dot";
    /// Gaussian dots, one after the other, all over the screen.
    FlashingGaussianDots, "Dots", "Flashing Gaussian dots", "flashing Gaussian dots";
    /// Independent grey squares.
    WhiteNoise, "Noise", "White noise", "white noise";
    /// Independent black and white squares.
    BinaryNoise, "Noise", "Binary noise", "binary noise";
    /// Noise of power 1/f^a in space and 1/f^b in time.
    PinkNoise, "Noise", "Pink noise (1/f)", "pink noise";
    /// Gaussian-blurred noise with windows of orientation and motion.
    Monet, "Noise", "Directional noise (Monet2)", "directional noise";
    /// Sinusoidal stripes whose phase wanders smoothly.
    Trippy, "Noise", "Trippy", "trippy movie";
    /// A few white and black squares.
    SparseNoise, "Noise", "Sparse noise", "sparse noise";
    /// A natural clip from a file.
    Clip, "Clips and images", "Clip from file", "natural clip";
    /// Images of a folder, one after the other.
    Images, "Clips and images", "Static images", "static images";
    /// A generated clip with the statistics of natural scenes.
    Scene, "Clips and images", "Rendered clip", "rendered clips";
}

/// A stimulus that cannot be shown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StimulusError {
    /// A parameter outside its range.
    #[error("{stimulus}: `{key}` is {found}, but must lie between {least} and {most}{unit}")]
    Parameter {
        /// Name of the stimulus.
        stimulus: &'static str,
        /// Key in the protocol.
        key: &'static str,
        /// The value, as it was given.
        found: f64,
        /// Smallest allowed value.
        least: f64,
        /// Largest allowed value.
        most: f64,
        /// Unit with a space before it, or nothing.
        unit: String,
    },
    /// Parameters that contradict each other or that this screen cannot show.
    #[error("{stimulus}: `{key}` {what}")]
    Impossible {
        /// Name of the stimulus.
        stimulus: &'static str,
        /// Key in the protocol.
        key: &'static str,
        /// What is wrong with it, and what is possible.
        what: String,
    },
    /// A screen on which nothing can be drawn.
    #[error("the monitor cannot be drawn on: {0}")]
    Monitor(String),
    /// The clip could not be read.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The list of presentations contradicts itself.
    #[error("the schedule cannot be shown: {0}")]
    Schedule(String),
}

impl Stimulus {
    /// Name for people.
    pub fn label(&self) -> &'static str {
        self.kind().label()
    }

    /// The parameters that can be set; read and written by [`Stimulus::get`] and [`Stimulus::set`].
    pub fn fields(&self) -> &'static [Field] {
        self.kind().fields()
    }

    /// Direction of motion, when it has one.
    pub fn direction_deg(&self) -> Option<Degrees> {
        self.get("direction_deg")
    }

    /// The same stimulus moving in a direction, 0 to 360 degrees; unchanged when it has none.
    pub fn with_direction(mut self, direction_deg: Degrees) -> Self {
        self.set("direction_deg", direction_deg.rem_euclid(360.0));
        self
    }

    /// Whether the seed makes a difference.
    pub fn is_random(&self) -> bool {
        self.parameters().is_random()
    }

    /// Why a parameter changes nothing as the others stand, and what to do about it; `None` where it matters. So the
    /// direction of dots that flow: `motion` decides whether that or `spiral_deg` counts.
    pub fn idle(&self, key: &str) -> Option<&'static str> {
        self.parameters().idle(key)
    }

    /// The file or folder that it shows, empty before one is named; `None` for what is computed.
    pub fn path(&self) -> Option<&Path> {
        self.parameters().path()
    }

    /// Whether it shows what lies in files.
    pub fn reads_files(&self) -> bool {
        self.path().is_some()
    }

    /// Takes relative file names as relative to this folder.
    pub fn resolve_paths(&mut self, folder: &Path) {
        self.parameters_mut().resolve_paths(folder);
    }

    /// Checks every parameter; a clip's file is looked at when it is prepared.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn validate(&self) -> Result<(), StimulusError> {
        check_fields(self.label(), self.fields(), |key| self.get(key))
    }

    /// Checks every parameter, also against what the screen can show.
    ///
    /// # Errors
    /// The first value that is impossible.
    pub fn validate_for(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        self.validate()?;
        self.parameters().check(monitor)
    }

    /// Draws one frame, `[height, width]`. For many frames prepare once: see [`Prepared`].
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible, or a clip cannot be read.
    pub fn frame(&self, monitor: &Monitor, seed: u64, frame: usize, pixels: &mut [u8]) -> Result<(), StimulusError> {
        Prepared::new(self, monitor, seed)?.frame(frame, pixels);
        Ok(())
    }
}

/// Refuses the first value outside the range of its field.
fn check_fields(
    stimulus: &'static str,
    fields: &'static [Field],
    value: impl Fn(&str) -> Option<f64>,
) -> Result<(), StimulusError> {
    for field in fields {
        let found = value(field.key).unwrap_or(f64::NAN);
        let (least, most) = field.range;
        if !(least..=most).contains(&found) {
            return Err(StimulusError::Parameter {
                stimulus,
                key: field.key,
                found,
                least,
                most,
                unit: if field.unit.is_empty() { String::new() } else { format!(" {}", field.unit) },
            });
        }
    }
    Ok(())
}

/// A stimulus on a monitor under a seed: everything that does not change from frame to frame. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prepared {
    screen: Arc<Screen>,
    drawing: Arc<dyn Drawing>,
}

impl Prepared {
    /// Checks the stimulus and prepares it.
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible, or a clip cannot be read.
    pub fn new(stimulus: &Stimulus, monitor: &Monitor, seed: u64) -> Result<Self, StimulusError> {
        Self::modified(stimulus, &[], monitor, seed)
    }

    /// The same, changed by modifiers, the first of them first.
    ///
    /// # Errors
    /// When a stimulus, a modifier or the monitor is impossible, or a clip cannot be read.
    pub fn modified(
        stimulus: &Stimulus,
        modifiers: &[Modifier],
        monitor: &Monitor,
        seed: u64,
    ) -> Result<Self, StimulusError> {
        check_monitor(monitor)?;
        Self::on(stimulus, modifiers, &Arc::new(Screen::new(monitor)), seed)
    }

    /// The same on a screen that was computed before.
    fn on(stimulus: &Stimulus, modifiers: &[Modifier], screen: &Arc<Screen>, seed: u64) -> Result<Self, StimulusError> {
        let bare = Self::bare(stimulus, screen, seed)?;
        Ok(modify::modified(bare, modifiers, &[], seed)?.lit(stimulus))
    }

    /// Before it is modified, and in grey levels even where the monitor asks for light.
    fn bare(stimulus: &Stimulus, screen: &Arc<Screen>, seed: u64) -> Result<Self, StimulusError> {
        stimulus.validate()?;
        Ok(Self { screen: Arc::clone(screen), drawing: stimulus.parameters().prepare(screen, seed)? })
    }

    /// The last step: linear in luminance where the monitor asks for it. Pictures from files stay as they are.
    fn lit(mut self, stimulus: &Stimulus) -> Self {
        if self.monitor().linear_light && !stimulus.reads_files() {
            self.drawing = Arc::new(levels::LinearLight::new(self.drawing, self.screen.monitor()));
        }
        self
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        self.screen.monitor()
    }

    fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Length of a clip, frames of the monitor; `None` for a stimulus that never ends.
    pub fn frames(&self) -> Option<usize> {
        self.drawing.frames()
    }

    /// The dots, when there are dots.
    pub fn dots(&self) -> Option<&dots::DotField> {
        self.drawing.dots()
    }

    /// What the file of a clip is, when it is one.
    pub fn clip(&self) -> Option<&ClipInfo> {
        self.drawing.clip()
    }

    /// The images and when each is on, when there are images.
    pub fn images(&self) -> Option<&ImageSequence> {
        self.drawing.images()
    }

    /// Draws one frame, `[height, width]`; frame 0 is the onset. A clip shows the background after its end.
    ///
    /// # Panics
    /// When `pixels` has not one value for each pixel.
    pub fn frame(&self, frame: usize, pixels: &mut [u8]) {
        let raster = self.monitor().raster;
        assert_eq!(pixels.len(), raster.pixels(), "values of a frame of {raster} pixels");
        self.drawing.frame(&self.screen, frame, pixels);
    }

    /// What shaders need to draw these frames, one after another; `None` where the CPU draws them.
    fn paintings(&self, frames: Range<usize>) -> Option<Vec<Painting>> {
        let first = self.drawing.painting(&self.screen, frames)?;
        Some(std::iter::once(first).chain(self.drawing.repainting(&self.screen)).collect())
    }
}

/// Largest side of a raster, pixels: far above every screen, and small enough to be allocated.
const LARGEST_SIDE: usize = 4096;

fn check_monitor(monitor: &Monitor) -> Result<(), StimulusError> {
    let positive = |what: &str, value: f64| {
        if value.is_finite() && value > 0.0 {
            Ok(())
        } else {
            Err(StimulusError::Monitor(format!("its {what} is {value}, but must be a positive number")))
        }
    };
    positive("width in cm", monitor.width_cm)?;
    positive("height in cm", monitor.height_cm)?;
    positive("distance in cm", monitor.distance_cm)?;
    positive("frame rate in Hz", monitor.frame_rate.0)?;
    positive("gamma", monitor.gamma)?;
    let raster = monitor.raster;
    if [raster.height, raster.width].iter().any(|side| !(1..=LARGEST_SIDE).contains(side)) {
        return Err(StimulusError::Monitor(format!(
            "its raster is {raster} pixels, but each side must lie between 1 and {LARGEST_SIDE}"
        )));
    }
    Ok(())
}

/// Largest swing around the background that stays within 0..=255, grey levels.
fn swing(background: u8) -> f64 {
    f64::from(background.min(255 - background))
}

/// Grey level of a contrast from -1, black, over 0, the background, to 1, white.
fn level_of_contrast(background: u8, contrast: f64) -> f64 {
    let background = f64::from(background);
    background + contrast * if contrast > 0.0 { 255.0 - background } else { background }
}

/// Nearest whole grey level.
fn grey_level(grey: f64) -> u8 {
    // A cast saturates at 0 and 255.
    (grey + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Raster;

    #[test]
    fn every_computed_kind_is_drawn_by_the_shader_of_its_own_stem() {
        let monitor = Monitor::WANG2025.with_raster(Raster { height: 36, width: 64 });
        for &kind in StimulusKind::ALL {
            let stimulus = kind.stimulus();
            if stimulus.reads_files() {
                continue;
            }
            let shown = Prepared::new(&stimulus, &monitor, 1).unwrap_or_else(|error| panic!("{error}"));
            let paintings = shown.paintings(0..1).unwrap_or_else(|| panic!("{kind:?} has no shader"));
            let shader = paintings[0].shader;
            let stem = stimulus.type_path().rsplit("::").nth(1).expect("a path has a module");
            assert_eq!(shader.stem, stem, "{kind:?}");
            assert!(SHADERS.contains(&shader), "{kind:?}");
        }
    }
}

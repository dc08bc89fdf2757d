//! Stimuli: one file a kind, each a function of (parameters, seed, frame) with no memory.
//!
//! The CPU version is the formula; the shader of the same stem in `shaders/` is compared with it.
//! Directions: 0 degrees is rightward motion, 90 upward, counter-clockwise.
//!
//! Stimuli are drawn in grey levels, as the movies of Wang et al. 2025 are stored; the monitor's gamma turns them into
//! luminance, so a grating that is sinusoidal in grey is not sinusoidal in light.

pub mod clip;
pub mod dots;
pub mod fields;
pub mod gratings;
pub mod hash;
pub mod noise;
pub mod renderer;
pub mod schedule;
pub mod screen;
mod source;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use clip::{Clip, ClipError};
pub use dots::MovingDots;
pub use fields::{Field, FieldKind};
pub use gratings::DriftingGrating;
pub use noise::WhiteNoise;
pub use renderer::{Renderer, RendererError};
pub use schedule::{Condition, Presentation, Schedule, ScheduleSource};
pub use screen::Screen;
pub use source::source;

use crate::signals::{Degrees, Monitor};

/// A stimulus with its parameters, as it stands in a protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stimulus {
    /// Sinusoidal luminance grating that drifts.
    DriftingGrating(DriftingGrating),
    /// Coherently moving random dots.
    MovingDots(MovingDots),
    /// Independent grey squares.
    WhiteNoise(WhiteNoise),
    /// A natural clip from a file.
    Clip(Clip),
}

/// The kinds of stimulus, without parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StimulusKind {
    /// [`Stimulus::DriftingGrating`].
    DriftingGrating,
    /// [`Stimulus::MovingDots`].
    MovingDots,
    /// [`Stimulus::WhiteNoise`].
    WhiteNoise,
    /// [`Stimulus::Clip`].
    Clip,
}

impl StimulusKind {
    /// Every kind, in the order in which a list shows them.
    pub const ALL: [Self; 4] = [Self::DriftingGrating, Self::MovingDots, Self::WhiteNoise, Self::Clip];

    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::DriftingGrating => "Drifting grating",
            Self::MovingDots => "Moving dots",
            Self::WhiteNoise => "White noise",
            Self::Clip => "Clip from file",
        }
    }

    /// The kind with its default parameters; a clip has an empty path.
    pub fn stimulus(self) -> Stimulus {
        match self {
            Self::DriftingGrating => Stimulus::DriftingGrating(DriftingGrating::default()),
            Self::MovingDots => Stimulus::MovingDots(MovingDots::default()),
            Self::WhiteNoise => Stimulus::WhiteNoise(WhiteNoise::default()),
            Self::Clip => Stimulus::Clip(Clip::default()),
        }
    }

    /// The parameters that can be set.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::DriftingGrating => gratings::FIELDS,
            Self::MovingDots => dots::FIELDS,
            Self::WhiteNoise => noise::FIELDS,
            Self::Clip => clip::FIELDS,
        }
    }
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

macro_rules! into_stimulus {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Stimulus {
            fn from(parameters: $kind) -> Self {
                Self::$kind(parameters)
            }
        })*
    };
}
into_stimulus!(DriftingGrating, MovingDots, WhiteNoise, Clip);

impl Stimulus {
    /// Which kind it is.
    pub fn kind(&self) -> StimulusKind {
        match self {
            Self::DriftingGrating(_) => StimulusKind::DriftingGrating,
            Self::MovingDots(_) => StimulusKind::MovingDots,
            Self::WhiteNoise(_) => StimulusKind::WhiteNoise,
            Self::Clip(_) => StimulusKind::Clip,
        }
    }

    /// Name for people.
    pub fn label(&self) -> &'static str {
        self.kind().label()
    }

    /// The parameters that can be set; read and written by [`Stimulus::get`] and [`Stimulus::set`].
    pub fn fields(&self) -> &'static [Field] {
        self.kind().fields()
    }

    /// Value of a parameter; `None` when this kind has none of that name. A switch is 0 or 1.
    pub fn get(&self, key: &str) -> Option<f64> {
        match self {
            Self::DriftingGrating(grating) => grating.get(key),
            Self::MovingDots(dots) => dots.get(key),
            Self::WhiteNoise(noise) => noise.get(key),
            Self::Clip(clip) => clip.get(key),
        }
    }

    /// Sets a parameter, unchecked; `false` when this kind has none of that name.
    pub fn set(&mut self, key: &str, value: f64) -> bool {
        match self {
            Self::DriftingGrating(grating) => grating.set(key, value),
            Self::MovingDots(dots) => dots.set(key, value),
            Self::WhiteNoise(noise) => noise.set(key, value),
            Self::Clip(clip) => clip.set(key, value),
        }
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
        matches!(self, Self::MovingDots(_) | Self::WhiteNoise(_))
    }

    /// Takes relative file names as relative to this folder.
    pub fn resolve_paths(&mut self, folder: &Path) {
        if let Self::Clip(clip) = self {
            clip.path = folder.join(&clip.path);
        }
    }

    /// Checks every parameter; a clip's file is looked at when it is prepared.
    ///
    /// # Errors
    /// The first value outside its range.
    pub fn validate(&self) -> Result<(), StimulusError> {
        for field in self.fields() {
            let found = self.get(field.key).unwrap_or(f64::NAN);
            let (least, most) = field.range;
            if !(least..=most).contains(&found) {
                return Err(StimulusError::Parameter {
                    stimulus: self.label(),
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

    /// Draws one frame, `[height, width]`. For many frames prepare once: see [`Prepared`].
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible, or a clip cannot be read.
    pub fn frame(&self, monitor: &Monitor, seed: u64, frame: usize, pixels: &mut [u8]) -> Result<(), StimulusError> {
        Prepared::new(self, monitor, seed)?.frame(frame, pixels);
        Ok(())
    }
}

/// A stimulus on a monitor under a seed: everything that does not change from frame to frame. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prepared {
    screen: Arc<Screen>,
    drawing: Drawing,
}

#[derive(Debug, Clone)]
enum Drawing {
    Grating(gratings::Drawing),
    Dots(Arc<dots::DotField>),
    Noise(Arc<noise::Drawing>),
    Clip(Arc<clip::Frames>),
}

impl Prepared {
    /// Checks the stimulus and prepares it.
    ///
    /// # Errors
    /// When the stimulus or the monitor is impossible, or a clip cannot be read.
    pub fn new(stimulus: &Stimulus, monitor: &Monitor, seed: u64) -> Result<Self, StimulusError> {
        check_monitor(monitor)?;
        Self::on(stimulus, Arc::new(Screen::new(monitor)), seed)
    }

    /// The same on a screen that was computed before.
    fn on(stimulus: &Stimulus, screen: Arc<Screen>, seed: u64) -> Result<Self, StimulusError> {
        stimulus.validate()?;
        let monitor = screen.monitor();
        let drawing = match stimulus {
            Stimulus::DriftingGrating(grating) => Drawing::Grating(gratings::Drawing::new(grating, monitor)),
            Stimulus::MovingDots(dots) => Drawing::Dots(Arc::new(dots::DotField::new(dots, monitor, seed))),
            Stimulus::WhiteNoise(noise) => Drawing::Noise(Arc::new(noise::Drawing::new(noise, monitor, seed))),
            Stimulus::Clip(clip) => Drawing::Clip(Arc::new(clip::Frames::read(clip, monitor)?)),
        };
        Ok(Self { screen, drawing })
    }

    /// The monitor.
    pub fn monitor(&self) -> &Monitor {
        self.screen.monitor()
    }

    /// Length of a clip, frames of the monitor; `None` for a stimulus that never ends.
    pub fn frames(&self) -> Option<usize> {
        match &self.drawing {
            Drawing::Clip(frames) => Some(frames.len()),
            _ => None,
        }
    }

    /// The dots, when there are dots.
    pub fn dots(&self) -> Option<&dots::DotField> {
        match &self.drawing {
            Drawing::Dots(field) => Some(field),
            _ => None,
        }
    }

    /// Draws one frame, `[height, width]`; frame 0 is the onset. A clip shows the background after its end.
    ///
    /// # Panics
    /// When `pixels` has not one value for each pixel.
    pub fn frame(&self, frame: usize, pixels: &mut [u8]) {
        let monitor = self.monitor();
        assert_eq!(pixels.len(), monitor.raster.pixels(), "values of a frame of {} pixels", monitor.raster);
        match &self.drawing {
            Drawing::Grating(drawing) => drawing.frame(&self.screen, frame, pixels),
            Drawing::Dots(field) => field.frame(&self.screen, frame, pixels),
            Drawing::Noise(drawing) => drawing.frame(frame, pixels),
            Drawing::Clip(frames) => match frames.get(frame) {
                Some(picture) => pixels.copy_from_slice(picture),
                None => pixels.fill(monitor.background),
            },
        }
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

/// Nearest whole grey level.
fn grey_level(grey: f64) -> u8 {
    // A cast saturates at 0 and 255.
    (grey + 0.5) as u8
}

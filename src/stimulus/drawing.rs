//! What a kind of stimulus has to do: draw any frame on the CPU, and say what its shader needs to draw it on the GPU.

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::clip::ClipInfo;
use super::dots::DotField;
use super::images::ImageSequence;
use super::{Screen, StimulusError};
use crate::signals::Monitor;

/// Parameters of one kind; what `parameters!` makes has the rest.
pub(crate) trait Kind {
    /// Checks what a field alone cannot: that the parameters go together and that the screen can show them.
    ///
    /// # Errors
    /// The first parameter that cannot be shown.
    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let _ = monitor;
        Ok(())
    }

    /// Why a parameter changes nothing as the others stand, and what to do about it, such as "the dots flow; set `motion`
    /// to \"translation\""; `None` where it matters.
    fn idle(&self, key: &str) -> Option<&'static str> {
        let _ = key;
        None
    }

    /// Whether the seed makes a difference.
    fn is_random(&self) -> bool {
        false
    }

    /// The file or folder that it shows, empty before one is named; `None` for what is computed.
    fn path(&self) -> Option<&Path> {
        None
    }

    /// Takes relative file names as relative to this folder.
    fn resolve_paths(&mut self, folder: &Path) {
        let _ = folder;
    }

    /// Computes everything that does not change from frame to frame. The parameters were checked before.
    ///
    /// # Errors
    /// When a file cannot be read.
    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn Drawing>, StimulusError>;
}

/// A stimulus on a screen under a seed: a function of the frame with no memory.
pub(crate) trait Drawing: Debug + Send + Sync {
    /// Draws one frame, `[height, width]`; frame 0 is the onset. `pixels` has one value for each pixel.
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]);

    /// What the shader of the same stem needs to draw these frames; `None` where the CPU draws and the pictures are
    /// uploaded.
    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let _ = (screen, frames);
        None
    }

    /// What a shader needs to change the greys that the painting left in the tensor; `None` where they are final.
    fn repainting(&self, screen: &Screen) -> Option<Painting> {
        let _ = screen;
        None
    }

    /// Length of what has an end, frames of the monitor.
    fn frames(&self) -> Option<usize> {
        None
    }

    /// The dots, when there are dots.
    fn dots(&self) -> Option<&DotField> {
        None
    }

    /// What the file is, when there is one.
    fn clip(&self) -> Option<&ClipInfo> {
        None
    }

    /// The images, when there are images.
    fn images(&self) -> Option<&ImageSequence> {
        None
    }
}

/// Everything a shader needs to draw some frames of one stimulus.
///
/// Bindings of every shader (group 0): 0 is the tensor `greys: array<f32>` (read_write), 1 is `target: Target` of
/// `shaders/shared/target.wgsl`, and the tables follow from 2 on in their order here, all in the storage address
/// space. Each pass is dispatched over (things, frames) with workgroups of 64 along x: `id.x` is the thing, which has
/// to be compared with its number, and `id.y` the frame, counted from the first that is drawn.
pub(crate) struct Painting {
    /// The shader.
    pub shader: &'static Shader,
    /// What it reads and writes beside the tensor.
    pub tables: Vec<Table>,
    /// What is computed, in order.
    pub passes: Vec<Pass>,
}

/// One binding of a shader.
pub(crate) enum Table {
    /// `var<storage, read>`: plain values of 32 bits.
    Values(Vec<u8>),
    /// `var<storage, read> places: array<Place>`: where each pixel lies, see `shaders/shared/geometry.wgsl`.
    Places,
    /// `var<storage, read_write>`: room for so many bytes, all zero at first.
    Scratch(usize),
}

impl Table {
    /// Plain values.
    pub fn of<T: bytemuck::NoUninit>(values: &[T]) -> Self {
        Self::Values(bytemuck::cast_slice(values).to_vec())
    }
}

/// One entry point of a shader.
pub(crate) struct Pass {
    /// Name of the function.
    pub entry: &'static str,
    /// Number of invocations for each frame, such as the number of pixels.
    pub things: usize,
}

/// Source of a shader: shared parts, then its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Shader {
    /// Name of the file in `shaders/`, and of the one with the formula in `src/stimulus`.
    pub stem: &'static str,
    /// WGSL.
    pub source: &'static str,
}

/// A [`Shader`] from its stem and the stems of the shared parts that it uses.
macro_rules! shader {
    ($stem:literal $(, $shared:literal)*) => {
        $crate::stimulus::drawing::Shader {
            stem: $stem,
            source: concat!(
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/shared/target.wgsl")),
                $( include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/shared/", $shared, ".wgsl")), )*
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $stem, ".wgsl")),
            ),
        }
    };
}
pub(crate) use shader;

/// Low and high half of a seed, as the shaders take it.
pub(crate) fn halves(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// A fraction of a cycle in units of 2^-32; whole cycles fall away.
pub(crate) fn fixed(cycles: f64) -> u32 {
    // Through i64: rounding 0.99999... up to a whole cycle wraps to 0.
    (cycles.rem_euclid(1.0) * 2f64.powi(32)).round() as i64 as u32
}

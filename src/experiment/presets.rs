//! Experiments of the field, ready to run.

use super::protocol::{Protocol, ProtocolError};

/// A protocol that ships with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Heading under which lists show it.
    pub group: &'static str,
    /// Title of the protocol.
    pub title: &'static str,
    /// Name of its file in `assets/protocols`, without the ending.
    pub stem: &'static str,
    /// The protocol, TOML.
    pub text: &'static str,
}

impl Preset {
    /// The protocol.
    ///
    /// # Errors
    /// Never, as long as the tests pass.
    pub fn protocol(&self) -> Result<Protocol, ProtocolError> {
        Protocol::from_toml(self.text, &format!("{}.toml", self.stem))
    }
}

macro_rules! presets {
    ($( $group:literal: { $( $stem:literal, $title:literal; )* } )*) => {
        /// Every preset, by heading.
        pub const PRESETS: &[Preset] = &[$( $( Preset {
            group: $group,
            title: $title,
            stem: $stem,
            text: include_str!(concat!("../../assets/protocols/", $stem, ".toml")),
        }, )* )*];
    };
}

presets! {
    "Domains of Wang et al. 2025": {
        "paper_natural_clips", "Rendered clips, 6 × 10 repeats";
        "paper_moving_dots", "Coherent motion, translation and flow";
        "paper_monet", "Directional noise (Monet2)";
        "paper_gabor", "Drifting Gabors, 8 directions × 3 × 3 frequencies";
        "paper_gaussian_dots", "Flashing Gaussian dots, 15 × 7 places, white and black";
        "paper_static_images", "Static images";
    }
    "Tuning": {
        "direction_grating", "Direction tuning, drifting gratings";
        "direction_dots", "Direction tuning, moving dots";
        "direction_gabor", "Direction tuning, drifting Gabors";
        "moving_bar", "Direction tuning, moving bars";
        "orientation_static_grating", "Orientation tuning, static gratings";
        "spatial_temporal_frequency", "Spatial × temporal frequency, drifting gratings";
        "contrast", "Contrast tuning, drifting gratings";
        "size", "Size tuning, drifting gratings";
        "surround", "Surround, drifting gratings in a ring";
        "speed", "Speed tuning, moving dots";
        "coherence", "Coherence tuning, moving dots";
    }
    "Receptive fields": {
        "receptive_field_dots", "Receptive fields, Gaussian dots";
        "receptive_field_sparse_noise", "Receptive fields, sparse noise";
        "white_noise", "White noise";
    }
    "Full field and noise": {
        "full_field_flash", "Full-field flashes";
        "chirp", "Chirp";
        "pink_noise", "Pink noise";
        "trippy", "Trippy";
    }
}

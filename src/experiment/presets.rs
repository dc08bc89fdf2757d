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
    "Tuning": {
        "direction_grating", "Direction tuning, drifting gratings";
        "direction_dots", "Direction tuning, moving dots";
    }
    "Receptive fields": {
        "white_noise", "White noise";
    }
}

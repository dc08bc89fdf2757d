//! Visual areas and layers, and how their units differ.
//!
//! That AL and RL prefer lower spatial and higher temporal frequencies than V1, and hence faster motion, with LM in
//! between, follows Andermann et al. 2011 and Marshel et al. 2011; the numbers are ours, and narrower than in the
//! animal so that a small twin can learn them.

/// Visual area of a simulated unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// Primary visual cortex.
    V1,
    /// Lateromedial.
    LM,
    /// Anterolateral.
    AL,
    /// Rostrolateral.
    RL,
}

/// Cortical layer of a simulated unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Layer 2/3.
    L23,
    /// Layer 4.
    L4,
    /// Layer 5.
    L5,
}

/// Ranges from which an area's units are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AreaTraits {
    /// Preferred spatial frequency, cycles per degree.
    pub spatial_frequency: (f64, f64),
    /// Preferred temporal frequency, Hz.
    pub temporal_frequency: (f64, f64),
    /// Standard deviation of the receptive field, periods of the preferred grating.
    pub size_periods: (f64, f64),
    /// Centre of the receptive field: right, degrees.
    pub azimuth: (f64, f64),
    /// Centre of the receptive field: up, degrees.
    pub elevation: (f64, f64),
    /// Fraction of direction-selective units.
    pub direction_selective: f64,
}

/// What a layer changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LayerTraits {
    /// Fraction of complex cells.
    pub complex: f64,
    /// Range of the gain by running.
    pub run_gain: (f64, f64),
    /// Range of the strength of the suppressive surround.
    pub surround: (f64, f64),
    /// Depth of the soma below the surface, µm.
    pub depth_um: (f64, f64),
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 4] = [Self::V1, Self::LM, Self::AL, Self::RL];
    /// Fraction of the units in each, in that order.
    pub(super) const SHARES: [f64; 4] = [0.5, 0.2, 0.15, 0.15];

    /// Its usual abbreviation.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::LM => "LM",
            Self::AL => "AL",
            Self::RL => "RL",
        }
    }

    pub(super) fn traits(self) -> AreaTraits {
        match self {
            Self::V1 => AreaTraits {
                spatial_frequency: (0.026, 0.060),
                temporal_frequency: (1.5, 3.5),
                size_periods: (0.30, 0.40),
                azimuth: (-42.0, 42.0),
                elevation: (-27.0, 27.0),
                direction_selective: 0.55,
            },
            Self::LM => AreaTraits {
                spatial_frequency: (0.022, 0.045),
                temporal_frequency: (1.5, 4.0),
                size_periods: (0.33, 0.45),
                azimuth: (-38.0, 38.0),
                elevation: (-20.0, 27.0),
                direction_selective: 0.5,
            },
            Self::AL => AreaTraits {
                spatial_frequency: (0.020, 0.036),
                temporal_frequency: (2.5, 5.0),
                size_periods: (0.33, 0.45),
                azimuth: (-38.0, 38.0),
                elevation: (-27.0, 27.0),
                direction_selective: 0.75,
            },
            Self::RL => AreaTraits {
                spatial_frequency: (0.020, 0.036),
                temporal_frequency: (2.2, 5.0),
                size_periods: (0.33, 0.45),
                azimuth: (-38.0, 38.0),
                elevation: (-27.0, 12.0),
                direction_selective: 0.75,
            },
        }
    }
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 3] = [Self::L23, Self::L4, Self::L5];
    /// Fraction of the units in each, in that order.
    pub(super) const SHARES: [f64; 3] = [0.5, 0.25, 0.25];

    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::L23 => "L2/3",
            Self::L4 => "L4",
            Self::L5 => "L5",
        }
    }

    pub(super) fn traits(self) -> LayerTraits {
        match self {
            Self::L23 => {
                LayerTraits { complex: 0.6, run_gain: (0.2, 0.9), surround: (1.5, 3.0), depth_um: (120.0, 330.0) }
            }
            Self::L4 => {
                LayerTraits { complex: 0.35, run_gain: (0.0, 0.5), surround: (1.0, 2.0), depth_um: (330.0, 460.0) }
            }
            Self::L5 => {
                LayerTraits { complex: 0.8, run_gain: (0.1, 0.9), surround: (1.0, 2.5), depth_um: (460.0, 650.0) }
            }
        }
    }
}

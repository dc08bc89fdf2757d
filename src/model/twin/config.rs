//! All sizes of a twin, as data.

use serde::{Deserialize, Serialize};

use crate::toml_text::{mistake, unknown_key};

/// What the retina sees beside the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Periphery {
    /// Nothing: luminance 0.
    #[default]
    Dark,
    /// The border of the screen, repeated.
    Extend,
}

/// Sizes of the network; [`TwinConfig::microns`] is the published one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwinConfig {
    /// Version of this description, 1.
    pub schema: u32,
    /// Parallel networks whose log-rates are averaged.
    pub streams: usize,
    /// What lies beside the screen.
    #[serde(default)]
    pub periphery: Periphery,
    /// From the monitor to the retina.
    pub perspective: PerspectiveConfig,
    /// From behaviour to the core.
    pub modulation: ModulationConfig,
    /// Feedforward and recurrent core.
    pub core: CoreConfig,
}

/// Eye rotation and retina.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerspectiveConfig {
    /// Width of the hidden layers of the eye MLP.
    pub mlp_features: usize,
    /// Hidden layers of the eye MLP.
    pub mlp_layers: usize,
    /// Rows of the retina image.
    pub height: usize,
    /// Columns of the retina image.
    pub width: usize,
    /// Visual angle at the edge of the retina image along x, degrees.
    pub degrees: f64,
    /// Exponent from grey level to luminance.
    pub monitor_power: f32,
}

/// Behaviour network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModulationConfig {
    /// Width of the MLP.
    pub mlp_features: usize,
    /// Layers of the MLP.
    pub mlp_layers: usize,
    /// Width of the LSTM.
    pub lstm_features: usize,
}

/// The core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreConfig {
    /// Causal convolutions.
    pub feedforward: FeedforwardConfig,
    /// Convolutional LSTM with attention.
    pub recurrent: RecurrentConfig,
}

/// Dense convolution blocks; the `block_` lists have one entry a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedforwardConfig {
    /// Side of the first kernel, pixels.
    pub input_spatial: usize,
    /// Stride of the first convolution, pixels.
    pub input_stride: usize,
    /// Channels of each stream.
    pub block_channels: Vec<usize>,
    /// Groups of each stream.
    pub block_groups: Vec<usize>,
    /// Convolutions in the block.
    pub block_layers: Vec<usize>,
    /// Frames each convolution sees.
    pub block_temporals: Vec<usize>,
    /// Side of each kernel, pixels.
    pub block_spatials: Vec<usize>,
    /// Average pooling after the block.
    pub block_pools: Vec<usize>,
    /// Channels of each stream handed on.
    pub out_channels: usize,
}

/// Convolutional vision-transformer LSTM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecurrentConfig {
    /// Channels of the input projection.
    pub in_channels: usize,
    /// Channels handed to the readout.
    pub out_channels: usize,
    /// Channels of the hidden state.
    pub hidden_channels: usize,
    /// Channels of the shared representation before attention.
    pub common_channels: usize,
    /// Groups, each with one attention head.
    pub groups: usize,
    /// Side of the kernel, pixels.
    pub spatial: usize,
}

/// A description that no network can have.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ConfigError {
    /// Not the TOML that was expected.
    #[error("the twin configuration could not be read: {0}")]
    Syntax(String),
    /// A key that does not exist.
    #[error("the twin configuration has an unknown key `{key}`{hint}")]
    UnknownKey {
        /// With the tables it stands in.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// Too much of everything together.
    #[error(
        "twin configuration: the network needs {found} {what} in all, but at most {limit} can be held; make it \
         smaller",
        limit = MOST_NUMBERS
    )]
    Size {
        /// What there is too much of.
        what: &'static str,
        /// How many, in words.
        found: String,
    },
    /// A value that cannot be.
    #[error("twin configuration: `{key}` is {found}, but {expected}")]
    Value {
        /// Key in the TOML, dotted.
        key: String,
        /// Value in the file.
        found: String,
        /// What it must be.
        expected: String,
    },
}

/// Largest size of any one dimension: far above every published network, far below what could
/// exhaust memory through a damaged file.
const LARGEST: usize = 1 << 14;

/// Most numbers in all weights together, and in the memory of one movie: 4 GiB each, as much as any file that is read.
const MOST_NUMBERS: usize = 1 << 30;

impl TwinConfig {
    /// The digital twin of the MICrONS release (Wang et al. 2025).
    pub fn microns() -> Self {
        Self {
            schema: 1,
            streams: 4,
            periphery: Periphery::Dark,
            perspective: PerspectiveConfig {
                mlp_features: 16,
                mlp_layers: 3,
                height: 128,
                width: 192,
                degrees: 75.0,
                monitor_power: 1.7,
            },
            modulation: ModulationConfig { mlp_features: 16, mlp_layers: 1, lstm_features: 16 },
            core: CoreConfig {
                feedforward: FeedforwardConfig {
                    input_spatial: 6,
                    input_stride: 2,
                    block_channels: vec![32, 64, 128],
                    block_groups: vec![1, 2, 4],
                    block_layers: vec![2, 2, 2],
                    block_temporals: vec![3, 3, 3],
                    block_spatials: vec![3, 3, 3],
                    block_pools: vec![2, 2, 1],
                    out_channels: 128,
                },
                recurrent: RecurrentConfig {
                    in_channels: 256,
                    out_channels: 128,
                    hidden_channels: 256,
                    common_channels: 512,
                    groups: 8,
                    spatial: 3,
                },
            },
        }
    }

    /// A small twin that learns from low-resolution movies on a processor: one stream, 84 thousand parameters in the
    /// core, a map of 6 x 9.
    pub fn small() -> Self {
        Self {
            schema: 1,
            streams: 1,
            periphery: Periphery::Extend,
            perspective: PerspectiveConfig {
                mlp_features: 8,
                mlp_layers: 2,
                height: 24,
                width: 36,
                degrees: 65.0,
                monitor_power: 1.7,
            },
            modulation: ModulationConfig { mlp_features: 8, mlp_layers: 1, lstm_features: 8 },
            core: CoreConfig {
                feedforward: FeedforwardConfig {
                    input_spatial: 6,
                    input_stride: 2,
                    block_channels: vec![16, 32],
                    block_groups: vec![1, 2],
                    block_layers: vec![2, 2],
                    block_temporals: vec![3, 3],
                    block_spatials: vec![3, 3],
                    block_pools: vec![2, 1],
                    out_channels: 32,
                },
                recurrent: RecurrentConfig {
                    in_channels: 32,
                    out_channels: 32,
                    hidden_channels: 32,
                    common_channels: 64,
                    groups: 2,
                    spatial: 3,
                },
            },
        }
    }

    /// Reads and checks a TOML description.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown or missing key, or describes no possible network.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax(mistake(text, &error));
        let given: toml::Table = toml::from_str(text).map_err(syntax)?;
        let example = toml::Table::try_from(Self::small()).expect("plain numbers and lists are a table");
        if let Some((key, hint)) = unknown_key(&given, &example) {
            return Err(ConfigError::UnknownKey { key, hint });
        }
        let config: Self = toml::from_str(text).map_err(syntax)?;
        config.check()?;
        Ok(config)
    }

    /// The description as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain numbers and lists always serialise")
    }

    /// Side of the core's map and of the readout's input, pixels.
    pub fn map(&self) -> crate::signals::Raster {
        let ff = &self.core.feedforward;
        let side = |n: usize| {
            let padded = n + 2 * ((ff.input_spatial - ff.input_stride) / 2);
            let Some(room) = padded.checked_sub(ff.input_spatial) else { return 0 };
            let mut n = room / ff.input_stride + 1;
            for &pool in &ff.block_pools {
                n /= pool;
            }
            n
        };
        crate::signals::Raster { height: side(self.perspective.height), width: side(self.perspective.width) }
    }

    /// Checks every size.
    ///
    /// # Errors
    /// The first impossible value, with its key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, found: &dyn std::fmt::Debug, expected: &str| {
            Err(ConfigError::Value { key: key.to_owned(), found: format!("{found:?}"), expected: expected.to_owned() })
        };
        if self.schema != 1 {
            return wrong("schema", &self.schema, "this version reads schema 1");
        }
        let (p, m, f, r) = (&self.perspective, &self.modulation, &self.core.feedforward, &self.core.recurrent);
        let sizes = [
            ("streams", self.streams),
            ("perspective.mlp_features", p.mlp_features),
            ("perspective.mlp_layers", p.mlp_layers),
            ("perspective.height", p.height),
            ("perspective.width", p.width),
            ("modulation.mlp_features", m.mlp_features),
            ("modulation.mlp_layers", m.mlp_layers),
            ("modulation.lstm_features", m.lstm_features),
            ("core.feedforward.input_spatial", f.input_spatial),
            ("core.feedforward.input_stride", f.input_stride),
            ("core.feedforward.out_channels", f.out_channels),
            ("core.recurrent.in_channels", r.in_channels),
            ("core.recurrent.out_channels", r.out_channels),
            ("core.recurrent.hidden_channels", r.hidden_channels),
            ("core.recurrent.common_channels", r.common_channels),
            ("core.recurrent.groups", r.groups),
            ("core.recurrent.spatial", r.spatial),
        ];
        for (key, size) in sizes {
            if size == 0 || size > LARGEST {
                return wrong(key, &size, "it must lie between 1 and 16384");
            }
        }
        let lists = [
            ("block_channels", &f.block_channels),
            ("block_groups", &f.block_groups),
            ("block_layers", &f.block_layers),
            ("block_temporals", &f.block_temporals),
            ("block_spatials", &f.block_spatials),
            ("block_pools", &f.block_pools),
        ];
        let blocks = f.block_channels.len();
        for (key, list) in lists {
            let key = format!("core.feedforward.{key}");
            if list.is_empty() || list.len() > 64 || list.len() != blocks {
                return wrong(
                    &key,
                    list,
                    &format!("every `block_` list needs one entry a block (block_channels has {blocks})"),
                );
            }
            if list.iter().any(|&n| n == 0 || n > LARGEST) {
                return wrong(&key, list, "every entry must lie between 1 and 16384");
            }
        }
        if !(p.degrees.is_finite() && p.degrees > 0.0 && p.degrees <= 180.0) {
            return wrong("perspective.degrees", &p.degrees, "it must lie above 0 and at most at 180 degrees");
        }
        if !(p.monitor_power.is_finite() && p.monitor_power > 0.0) {
            return wrong("perspective.monitor_power", &p.monitor_power, "it must be a positive number");
        }
        if f.input_spatial < f.input_stride || !(f.input_spatial - f.input_stride).is_multiple_of(2) {
            return wrong(
                "core.feedforward.input_spatial",
                &f.input_spatial,
                "it must exceed input_stride by an even number of pixels",
            );
        }
        for (i, (&channels, &groups)) in f.block_channels.iter().zip(&f.block_groups).enumerate() {
            if !channels.is_multiple_of(groups) {
                return wrong(
                    &format!("core.feedforward.block_channels[{i}]"),
                    &channels,
                    &format!("it must be a multiple of its {groups} groups"),
                );
            }
        }
        for (i, &spatial) in f.block_spatials.iter().enumerate() {
            if spatial % 2 == 0 {
                return wrong(&format!("core.feedforward.block_spatials[{i}]"), &spatial, "it must be odd");
            }
        }
        if r.spatial % 2 == 0 {
            return wrong("core.recurrent.spatial", &r.spatial, "it must be odd");
        }
        for (key, size) in [
            ("core.recurrent.in_channels", r.in_channels),
            ("core.recurrent.hidden_channels", r.hidden_channels),
            ("core.recurrent.common_channels", r.common_channels),
        ] {
            if !size.is_multiple_of(r.groups) {
                return wrong(key, &size, &format!("it must be a multiple of the {} groups", r.groups));
            }
        }
        let map = self.map();
        if map.height == 0 || map.width == 0 {
            return wrong("perspective.height", &p.height, "the retina is too small for the strides and pools");
        }
        let layers: usize = f.block_layers.iter().sum();
        if layers > LARGEST {
            return wrong("core.feedforward.block_layers", &f.block_layers, "they must not exceed 16384 together");
        }
        self.check_units(1)?;
        fits("numbers for every movie", self.activations())
    }

    /// Checks that all weights of a network with so many units fit into memory; everything else is taken to be checked.
    ///
    /// # Errors
    /// When there are more numbers than can be held.
    pub fn check_units(&self, units: usize) -> Result<(), ConfigError> {
        fits("weights", super::parameters::numbers(self, units))
    }

    /// Roughly the numbers that one movie keeps in memory: maps of every block and frame, states, and attention.
    fn activations(&self) -> Option<usize> {
        let (f, r) = (&self.core.feedforward, &self.core.recurrent);
        let first = |n: usize| n.div_ceil(f.input_stride);
        let (mut height, mut width) = (first(self.perspective.height), first(self.perspective.width));
        let product = |factors: &[usize]| factors.iter().try_fold(1usize, |all, &factor| all.checked_mul(factor));
        let mut sum = 0usize;
        for i in 0..f.block_channels.len() {
            let maps = product(&[f.block_channels[i], f.block_layers[i] + 1, f.block_temporals[i]])?;
            sum = sum.checked_add(product(&[height, width, maps])?)?;
            (height, width) = (height / f.block_pools[i], width / f.block_pools[i]);
        }
        let pixels = height * width;
        let states = f.out_channels + r.in_channels + 2 * r.hidden_channels + 4 * r.common_channels + r.out_channels;
        let sum = sum.checked_add(product(&[pixels, states])?)?.checked_add(product(&[pixels, pixels, r.groups])?)?;
        sum.checked_mul(self.streams)
    }
}

/// Fails when numbers are too many to be held, or to be counted.
fn fits(what: &'static str, found: Option<usize>) -> Result<(), ConfigError> {
    if found.is_some_and(|found| found <= MOST_NUMBERS) {
        return Ok(());
    }
    let found = found.map_or_else(|| "countless".to_owned(), |found| found.to_string());
    Err(ConfigError::Size { what, found })
}

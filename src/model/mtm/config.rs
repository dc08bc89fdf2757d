//! All sizes of a masked transformer over spikes, as data.

use serde::{Deserialize, Serialize};

use crate::toml_text::mistake;

/// Sizes of the network; a TOML file has all of them, or `preset` and those that differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MtmConfig {
    /// Version of this description, 1.
    pub schema: u32,
    /// Bins of the longest trial.
    pub bins: usize,
    /// Width that every session's neurons are mapped to.
    pub stitch: usize,
    /// Width of the hidden layer of the embedding.
    pub expand: usize,
    /// Width of the transformer.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads of a layer, which share the width.
    pub heads: usize,
    /// Hidden width of the feed-forward part.
    pub feedforward: usize,
    /// Share that is dropped while training: attention weights, both branches of a layer, and the feed-forward part.
    pub dropout: f64,
    /// Share of the embedded bins that is dropped while training.
    pub embedding_dropout: f64,
}

/// Sizes that no network can have.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum MtmConfigError {
    /// Not the TOML that was expected.
    #[error("the MtM configuration could not be read: {0}")]
    Syntax(String),
    /// A preset that does not exist.
    #[error("MtM configuration: there is no preset `{0}`; choose {list}", list = MtmConfig::PRESETS.join(" or "))]
    Preset(String),
    /// A value that cannot be.
    #[error("MtM configuration: `{key}` is {found}, but {expected}")]
    Value {
        /// Key in the TOML.
        key: &'static str,
        /// Value in the file.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Too much of everything together.
    #[error(
        "MtM configuration: the network needs {0} weights in all, but at most {MOST_WEIGHTS} can be held; make it smaller"
    )]
    Size(String),
}

/// Largest size of any one dimension: far above the published network, far below what could exhaust memory through a
/// damaged file.
const LARGEST: usize = 1 << 14;
/// Most weights of the shared part, and of all sessions: 4 GiB.
pub(super) const MOST_WEIGHTS: usize = 1 << 30;

impl MtmConfig {
    /// Names of the presets.
    pub const PRESETS: [&'static str; 2] = ["mtm-ndt1", "small"];

    /// The published network (Zhang et al. 2024).
    pub fn mtm_ndt1() -> Self {
        Self {
            schema: 1,
            bins: 100,
            stitch: 668,
            expand: 1336,
            width: 512,
            layers: 5,
            heads: 8,
            feedforward: 1024,
            dropout: 0.4,
            embedding_dropout: 0.2,
        }
    }

    /// One that trains in minutes on a CPU.
    pub fn small() -> Self {
        Self { stitch: 128, expand: 256, width: 128, layers: 3, heads: 4, feedforward: 256, ..Self::mtm_ndt1() }
    }

    /// A preset by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn preset(name: &str) -> Result<Self, MtmConfigError> {
        match name {
            "mtm-ndt1" => Ok(Self::mtm_ndt1()),
            "small" => Ok(Self::small()),
            other => Err(MtmConfigError::Preset(other.escape_debug().take(40).collect())),
        }
    }

    /// Reads and checks a TOML description. With a key `preset`, every key that is not given is that of the preset.
    ///
    /// # Errors
    /// When the text is not TOML, has an unknown or missing key, or describes no possible network.
    pub fn from_toml(text: &str) -> Result<Self, MtmConfigError> {
        let table: toml::Table = toml::from_str(text).map_err(|e| MtmConfigError::Syntax(mistake(text, &e)))?;
        Self::from_table(table)
    }

    /// The same from a table, such as a part of a larger file.
    ///
    /// # Errors
    /// As [`Self::from_toml`].
    pub fn from_table(mut table: toml::Table) -> Result<Self, MtmConfigError> {
        let syntax = |e: &dyn std::fmt::Display| MtmConfigError::Syntax(e.to_string().trim().replace('\n', " "));
        if let Some(preset) = table.remove("preset") {
            let Some(name) = preset.as_str() else {
                return Err(syntax(&format!("`preset` is {preset}, but it must be a name in quotes")));
            };
            let mut whole = toml::Table::try_from(Self::preset(name)?).map_err(|e| syntax(&e))?;
            whole.extend(table);
            table = whole;
        }
        let config: Self = table.try_into().map_err(|e| syntax(&e))?;
        config.check()?;
        Ok(config)
    }

    /// The description as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain numbers always serialise")
    }

    /// Checks every size.
    ///
    /// # Errors
    /// The first impossible value, with its key.
    pub fn check(&self) -> Result<(), MtmConfigError> {
        let wrong = |key, found: &dyn std::fmt::Display, expected| {
            Err(MtmConfigError::Value { key, found: found.to_string(), expected })
        };
        if self.schema != 1 {
            return wrong("schema", &self.schema, "this version reads schema 1");
        }
        let sizes = [
            ("bins", self.bins),
            ("stitch", self.stitch),
            ("expand", self.expand),
            ("width", self.width),
            ("layers", self.layers),
            ("heads", self.heads),
            ("feedforward", self.feedforward),
        ];
        for (key, size) in sizes {
            if size == 0 || size > LARGEST {
                return wrong(key, &size, "it must lie between 1 and 16384");
            }
        }
        if self.layers > 256 {
            return wrong("layers", &self.layers, "it must be at most 256");
        }
        if !self.width.is_multiple_of(self.heads) {
            return wrong("width", &self.width, "it must be a multiple of `heads`");
        }
        for (key, share) in [("dropout", self.dropout), ("embedding_dropout", self.embedding_dropout)] {
            if !(0.0..1.0).contains(&share) {
                return wrong(key, &share, "it must be a share of at least 0 and less than 1");
            }
        }
        match super::parameters::shared_weights(self) {
            Some(found) if found <= MOST_WEIGHTS => Ok(()),
            found => Err(MtmConfigError::Size(found.map_or_else(|| "countless".to_owned(), |found| found.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_and_what_differs_from_them_are_read() {
        let config = MtmConfig::from_toml("preset = 'small'\nbins = 39\ndropout = 0.25").expect("good");
        assert_eq!(config, MtmConfig { bins: 39, dropout: 0.25, ..MtmConfig::small() });
        for name in MtmConfig::PRESETS {
            let preset = MtmConfig::preset(name).expect("there");
            assert_eq!(MtmConfig::from_toml(&preset.to_toml()).expect("its own words"), preset);
        }
    }

    #[test]
    fn impossible_sizes_are_refused_by_their_key() {
        let refused = |change: &str| {
            MtmConfig::from_toml(&format!("preset = 'small'\n{change}")).expect_err("refused").to_string()
        };
        for (change, word) in [
            ("heads = 3", "`width` is 128"),
            ("heads = 0", "`heads` is 0"),
            ("layers = 9000", "`layers` is 9000"),
            ("dropout = 1.0", "`dropout` is 1"),
            ("dropout = nan", "`dropout` is NaN"),
            ("depth = 3", "unknown field `depth`"),
            ("bins = -1", "bins"),
            ("schema = 2", "schema 1"),
        ] {
            assert!(refused(change).contains(word), "{change}: {}", refused(change));
        }
        assert!(MtmConfig::from_toml("preset = 'large'").is_err_and(|e| e.to_string().contains("mtm-ndt1 or small")));
        assert!(MtmConfig::from_toml("preset = 3").is_err_and(|e| e.to_string().contains("in quotes")));
        assert!(MtmConfig::from_toml("bins = 3").is_err_and(|e| e.to_string().contains("missing field")));
        let large = "preset = 'small'\nwidth = 16384\nfeedforward = 16384\nlayers = 200";
        assert!(MtmConfig::from_toml(large).is_err_and(|e| matches!(e, MtmConfigError::Size(_))));
    }
}

//! One configuration for the whole way from simulated animals to a trained network, as data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AdamWConfig, FitConfig, OneCycle};
use crate::data::simulated::{SpikeSimulation, SpikeSimulationError};
use crate::model::mtm::{MtmConfig, MtmConfigError, Scheme};
use crate::nearest::{listed, nearest};
use crate::toml_text::{mistake, unknown_key};

/// The only version of the layout so far.
const SCHEMA: u32 = 1;
/// Longest configuration, bytes; ours have fewer than a few thousand.
const MOST_BYTES: usize = 1 << 20;

/// A configuration of `twinscope mtm`, TOML with `schema = 1`. A key `preset` names where everything that is not given
/// comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MtmRecipe {
    /// Version of the layout.
    pub schema: u32,
    /// Files of sessions, or folders of them; all share one network.
    pub sessions: Vec<PathBuf>,
    /// Share of the training trials that choose the best epoch, of sessions that come without validation trials.
    pub validation_share: f64,
    /// Training trials of each session to learn from, the first ones; all when absent.
    #[serde(default)]
    pub trials: Option<usize>,
    /// Sizes of the network.
    pub network: MtmConfig,
    /// Steps, masks and seed.
    pub training: FitConfig,
    /// Animals that `twinscope mtm simulate` makes.
    pub simulation: SpikeSimulation,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MtmRecipeError {
    /// Not the TOML that was expected.
    #[error("the configuration could not be read: {0}")]
    Syntax(String),
    /// A key that does not exist.
    #[error("the configuration has an unknown key `{key}`{hint}")]
    UnknownKey {
        /// With the tables it stands in.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// A value that cannot be.
    #[error("`{key}` is {found}, but {expected}")]
    Value {
        /// With the tables it stands in.
        key: String,
        /// Value in the file.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// Sizes of the network that cannot be.
    #[error(transparent)]
    Network(#[from] MtmConfigError),
    /// Animals that cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SpikeSimulationError),
    /// Settings of the training that cannot be.
    #[error("in `training`, {0}")]
    Training(String),
}

impl Default for MtmRecipe {
    fn default() -> Self {
        Self::small()
    }
}

impl MtmRecipe {
    /// Names of the presets.
    pub const PRESETS: [&'static str; 2] = MtmConfig::PRESETS;

    /// The published network and training (Zhang et al. 2024).
    pub fn mtm_ndt1() -> Self {
        Self {
            schema: SCHEMA,
            sessions: Vec::new(),
            validation_share: 0.15,
            trials: None,
            network: MtmConfig::mtm_ndt1(),
            training: FitConfig::default(),
            simulation: SpikeSimulation::default(),
        }
    }

    /// A small network, and steps that suit one or a few sessions on a CPU.
    pub fn small() -> Self {
        let training = FitConfig {
            epochs: 200,
            cycle: OneCycle { peak: 1e-3, ..OneCycle::default() },
            optimizer: AdamWConfig { decay: 1.0, ..AdamWConfig::default() },
            ..FitConfig::default()
        };
        Self { network: MtmConfig::small(), training, ..Self::mtm_ndt1() }
    }

    /// A preset by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn preset(name: &str) -> Result<Self, MtmRecipeError> {
        match name {
            "mtm-ndt1" => Ok(Self::mtm_ndt1()),
            "small" => Ok(Self::small()),
            other => Err(word("preset", other, &Self::PRESETS)),
        }
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// The first mistake, with its key and, where one is near, what was probably meant.
    pub fn from_toml(text: &str) -> Result<Self, MtmRecipeError> {
        let syntax = |what: String| MtmRecipeError::Syntax(what.trim().replace('\n', " "));
        if text.len() > MOST_BYTES {
            return Err(syntax(format!("it is {} bytes long, and at most {MOST_BYTES} are read", text.len())));
        }
        let mut given: toml::Table = toml::from_str(text).map_err(|e| MtmRecipeError::Syntax(mistake(text, &e)))?;
        if let Some((key, hint)) = unknown_key(&given, &example()) {
            return Err(MtmRecipeError::UnknownKey { key, hint });
        }
        let preset = match given.remove("preset") {
            None => Self::default(),
            Some(toml::Value::String(name)) => Self::preset(&name)?,
            Some(other) => return Err(syntax(format!("`preset` is {other}, but it must be a name in quotes"))),
        };
        if !given.contains_key("schema") {
            return Err(syntax(format!("`schema` is missing; write `schema = {SCHEMA}`")));
        }
        check_schemes(&given)?;
        let mut whole = table_of(&preset);
        overlay(&mut whole, given);
        let recipe: Self = whole.try_into().map_err(|e: toml::de::Error| syntax(e.to_string()))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The configuration as TOML, which [`Self::from_toml`] reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain numbers and names always serialise")
    }

    /// Checks every value but the sessions.
    ///
    /// # Errors
    /// The first impossible value, with its key.
    pub fn check(&self) -> Result<(), MtmRecipeError> {
        let wrong = |key: &str, found: &dyn std::fmt::Display, expected: &str| {
            let (found, expected) = (found.to_string(), expected.to_owned());
            Err(MtmRecipeError::Value { key: key.to_owned(), found, expected })
        };
        if self.schema != SCHEMA {
            return wrong("schema", &self.schema, "this version reads schema 1");
        }
        if !(0.0..1.0).contains(&self.validation_share) {
            let expected = "it must be a share from 0 to below 1";
            return wrong("validation_share", &self.validation_share, expected);
        }
        if self.trials == Some(0) {
            return wrong("trials", &0, "it must be at least 1; leave it out for all trials");
        }
        self.network.check()?;
        self.training.check().map_err(MtmRecipeError::Training)?;
        Ok(self.simulation.check()?)
    }
}

fn table_of(recipe: &MtmRecipe) -> toml::Table {
    toml::Table::try_from(recipe).expect("plain numbers and names are a table")
}

/// A table with every key there is.
fn example() -> toml::Table {
    let mut whole = MtmRecipe { trials: Some(1), ..MtmRecipe::default() };
    whole.training.ratio = Some(0.3);
    let mut table = table_of(&whole);
    table.insert("preset".to_owned(), "small".into());
    table
}

/// Every masking scheme that is named must exist.
fn check_schemes(given: &toml::Table) -> Result<(), MtmRecipeError> {
    let schemes = given.get("training").and_then(|training| training.get("schemes"));
    let names = schemes.and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str);
    let known = Scheme::ALL.map(Scheme::name);
    match names.into_iter().find(|name| !known.contains(name)) {
        Some(name) => Err(word("training.schemes", name, &known)),
        None => Ok(()),
    }
}

/// A word that means nothing at its place.
fn word(key: &str, found: &str, known: &[&str]) -> MtmRecipeError {
    let expected = match nearest(found, known) {
        Some(near) => format!("there is no such name; did you mean `{near}`?"),
        None => format!("there is no such name; known: {}", listed(known)),
    };
    let found = format!("`{}`", found.escape_debug().take(40).collect::<String>());
    MtmRecipeError::Value { key: key.to_owned(), found, expected }
}

/// Replaces what is given, table by table.
fn overlay(whole: &mut toml::Table, given: toml::Table) {
    for (key, value) in given {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(whole)), toml::Value::Table(given)) => overlay(whole, given),
            (_, value) => drop(whole.insert(key, value)),
        }
    }
}

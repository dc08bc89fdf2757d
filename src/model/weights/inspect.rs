//! What a twin consists of, for people and for scripts.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{TwinCard, TwinWeights};
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::{Kind, entries};

/// A summary of a twin; serialises for scripts, displays for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Origin.
    pub card: TwinCard,
    /// SHA-256 of the file or files, hexadecimal.
    pub sha256: String,
    /// Units of the readout.
    pub units: usize,
    /// Scans that the units belong to, as "4-7", with the animal before it where it is known.
    pub scans: Vec<String>,
    /// Learned numbers in all.
    pub parameters: usize,
    /// The same, module by module.
    pub modules: Vec<Module>,
    /// Constants that the file carries along.
    pub buffers: Vec<Buffer>,
    /// Sizes of the network.
    pub configuration: TwinConfig,
}

/// Learned numbers of one part of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Module {
    /// What its keys start with.
    pub name: String,
    /// Tensors.
    pub tensors: usize,
    /// Numbers in them.
    pub parameters: usize,
}

/// A constant tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Buffer {
    /// Name in the state dict.
    pub key: String,
    /// Row-major shape.
    pub shape: Vec<usize>,
}

/// The parts of the network, in the order of the data.
const MODULES: [&str; 5] = ["perspective", "modulation", "core.feedforward", "core.recurrent", "readout"];

/// Summarises a twin.
pub fn inspect(weights: &TwinWeights) -> Inspection {
    let table = entries(&weights.config, weights.units.len());
    let modules = MODULES.map(|name| {
        let mut module = Module { name: name.to_owned(), tensors: 0, parameters: 0 };
        let own = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        for entry in table.iter().filter(|entry| entry.kind == Kind::Parameter && own(&entry.key)) {
            module.tensors += 1;
            module.parameters += entry.len();
        }
        module
    });
    let buffers = table.iter().filter(|entry| entry.kind == Kind::Buffer);
    let scans: BTreeSet<_> = weights.units.iter().map(|unit| (&unit.animal, unit.session, unit.scan)).collect();
    let scan = |(animal, session, scan): (&Option<String>, u32, u32)| match animal {
        Some(animal) => format!("{animal} {session}-{scan}"),
        None => format!("{session}-{scan}"),
    };
    Inspection {
        card: weights.card.clone(),
        sha256: weights.sha256.clone(),
        units: weights.units.len(),
        scans: scans.into_iter().map(scan).collect(),
        parameters: modules.iter().map(|module| module.parameters).sum(),
        modules: modules.into(),
        buffers: buffers.map(|entry| Buffer { key: entry.key.clone(), shape: entry.shape.clone() }).collect(),
        configuration: weights.config.clone(),
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let animal = if self.card.simulated { "simulated animal, " } else { "" };
        writeln!(f, "{} ({animal}movies of {} pixels)", self.card.name, self.card.raster)?;
        writeln!(f, "{}", self.card.note)?;
        writeln!(f, "sha256      {}", self.sha256)?;
        writeln!(f, "units       {} of scan {}", self.units, self.scans.join(", "))?;
        writeln!(f, "parameters  {}", self.parameters)?;
        for module in &self.modules {
            writeln!(f, "  {:<18}{:>10} in {} tensors", module.name, module.parameters, module.tensors)?;
        }
        writeln!(f, "buffers")?;
        for buffer in &self.buffers {
            writeln!(f, "  {} {:?}", buffer.key, buffer.shape)?;
        }
        write!(f, "configuration\n{}", self.configuration.to_toml())
    }
}

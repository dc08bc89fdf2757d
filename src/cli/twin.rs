//! `twinscope twin ...`: inspect, fill and convert.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Subcommand;

use super::{TwinArgument, check_output, read_config, say};
use crate::model::weights;
use crate::toml_text::mistake;

/// What to do with a twin.
#[derive(Debug, Subcommand)]
pub enum TwinCommand {
    /// Show configuration, units, parameter counts and SHA-256
    ///
    /// Reads a folder in the published layout or one file, and prints where the weights come from, whether the animal is
    /// simulated, and the sizes of every part of the network. Nothing is written.
    Inspect {
        #[command(flatten)]
        twin: TwinArgument,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a twin with the deterministic test fill: reproducible numbers, no knowledge
    ///
    /// The same configuration, units and seed make the same file, byte for byte, on every machine: for tests and for
    /// measuring speed. Written is one file.
    Fill {
        /// Configuration (TOML), or `microns` for the published one
        #[arg(long, value_name = "FILE.toml")]
        config: PathBuf,
        /// Number of units
        #[arg(long, value_name = "U", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        units: u32,
        /// Seed of the fill
        #[arg(long, value_name = "N")]
        seed: u32,
        /// File to write
        #[arg(short, long, value_name = "OUT.safetensors")]
        output: PathBuf,
    },
    /// Write a twin as one `.safetensors` file with its configuration inside
    ///
    /// The file holds the weights, the configuration, the identity of every unit, and what the twin says of its origin, so
    /// that every other command reads it without --scan and --config.
    Convert {
        #[command(flatten)]
        twin: TwinArgument,
        /// What to say of its origin: TOML with name, simulated, raster = { height, width } and note
        #[arg(long, value_name = "CARD.toml")]
        card: Option<PathBuf>,
        /// File to write
        #[arg(short, long, value_name = "OUT.safetensors")]
        output: PathBuf,
    },
}

/// Runs the command.
pub fn perform(command: TwinCommand) -> Result<()> {
    match command {
        TwinCommand::Inspect { twin, json } => {
            let inspection = weights::inspect(&twin.load()?);
            if json {
                say(serde_json::to_string_pretty(&inspection)?)?;
            } else {
                say(inspection)?;
            }
        }
        TwinCommand::Fill { config, units, seed, output } => {
            check_output(&output, [config.as_path()])?;
            let sizes = read_config(&config)?;
            sizes.check_units(units as usize).with_context(|| config.display().to_string())?;
            let twin = weights::filled_twin(&sizes, units as usize, seed);
            weights::save(&output, &twin)?;
            say(output.display())?;
        }
        TwinCommand::Convert { twin, card, output } => {
            let others = card.iter().chain(&twin.choice.config);
            check_output(&output, others.chain([&twin.twin]).map(PathBuf::as_path))?;
            let mut twin = twin.load()?;
            if let Some(path) = card {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("{}: the card could not be read", path.display()))?;
                twin.card = toml::from_str(&text)
                    .map_err(|e| anyhow!("{}: the card could not be read: {}", path.display(), mistake(&text, &e)))?;
                twin.card.check().map_err(|what| anyhow!("{}: {what}", path.display()))?;
            }
            weights::save(&output, &twin)?;
            say(output.display())?;
        }
    }
    Ok(())
}

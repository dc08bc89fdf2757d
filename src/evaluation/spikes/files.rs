//! Evaluations of spikes as tables and as JSON.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Arm, BehaviorDecoding, Bits, RegionScore, SpikeEvaluation, SpikeEvaluationError, TaskScore};
use crate::data::save;

type Part<T> = fn(&T, &mut dyn Write) -> std::io::Result<()>;

impl SpikeEvaluation {
    /// Writes the evaluation into a folder, which is made when absent, and returns the files:
    /// - `summary.csv`: bits per spike of each task, arm and region, pooled and as a mean over neurons, with 95 %
    ///   intervals over trials;
    /// - `neurons.csv`: one row for each task, arm and neuron; what is not defined is left empty;
    /// - `evaluation.json`: both, and where they come from.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, SpikeEvaluationError> {
        let parts: [(&str, Part<Self>); 3] = [
            ("summary.csv", Self::write_summary),
            ("neurons.csv", Self::write_neurons),
            ("evaluation.json", Self::write_json),
        ];
        write_all(self, folder, &parts)
    }

    fn write_summary(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "task",
            "arm",
            "pretrained_animals",
            "region",
            "neurons",
            "silent",
            "pooled",
            "pooled_low_95",
            "pooled_high_95",
            "mean",
            "mean_low_95",
            "mean_high_95",
            "median_r2_trial_average",
            "median_r2_single_trial",
            "settings",
        ])?;
        for score in &self.scores {
            let arm = self.arms.iter().find(|arm| arm.name == score.arm);
            for region in &score.regions {
                let chosen = |values: &[Option<f64>]| TaskScore::median(&self.within(score, region, values));
                let who = [
                    score.task.name().to_owned(),
                    score.arm.clone(),
                    text(arm.and_then(|arm| arm.pretrained_animals)),
                    region.region.clone(),
                    region.neurons.to_string(),
                    region.silent.to_string(),
                ];
                let r2 = [text(chosen(&score.r2_average)), text(chosen(&score.r2_single))];
                let numbers = bits(region.pooled).into_iter().chain(bits(region.mean)).chain(r2);
                table.write_record(who.into_iter().chain(numbers).chain([score.note.clone()]))?;
            }
        }
        table.flush()
    }

    fn write_neurons(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "task",
            "arm",
            "neuron",
            "region",
            "spikes",
            "bits_per_spike",
            "r2_trial_average",
            "r2_single_trial",
        ])?;
        for score in &self.scores {
            for (index, &neuron) in score.neurons.iter().enumerate() {
                table.write_record([
                    score.task.name().to_owned(),
                    score.arm.clone(),
                    neuron.to_string(),
                    self.regions[neuron].clone(),
                    score.spikes[index].to_string(),
                    text(score.bits.per_neuron[index]),
                    text(score.r2_average[index]),
                    text(score.r2_single[index]),
                ])?;
            }
        }
        table.flush()
    }

    fn write_json(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let arms: Vec<Value> = self.arms.iter().map(identified).collect();
        let scores: Vec<Value> = self
            .scores
            .iter()
            .map(|score| {
                let regions: Vec<Value> = score
                    .regions
                    .iter()
                    .map(|region| {
                        json!({
                            "region": region.region, "neurons": region.neurons, "silent": region.silent,
                            "pooled": described(region.pooled), "mean": described(region.mean),
                        })
                    })
                    .collect();
                json!({
                    "task": score.task.name(), "arm": score.arm, "settings": score.note, "regions": regions,
                    "neurons": score.neurons, "spikes": score.spikes, "bits_per_spike": score.bits.per_neuron,
                    "r2_trial_average": score.r2_average, "r2_single_trial": score.r2_single,
                })
            })
            .collect();
        let selection = &self.selection;
        json_to(
            to,
            &json!({
                "schema": 1,
                "version": env!("CARGO_PKG_VERSION"),
                "notice": self.notice(),
                "session": self.session,
                "simulated": self.simulated,
                "test_trials": self.trials,
                "bin_s": self.bin_secs,
                "forward_fraction": selection.forward_fraction,
                "validation_share": selection.validation_share,
                "resamples": selection.resamples,
                "seed": selection.seed,
                "device": self.device,
                "arms": arms,
                "scores": scores,
            }),
        )
    }

    /// The values of a region's neurons.
    fn within(&self, score: &TaskScore, region: &RegionScore, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let inside = |neuron: usize| region.region == RegionScore::ALL || self.regions[neuron] == region.region;
        score.neurons.iter().zip(values).filter(|(neuron, _)| inside(**neuron)).map(|(_, value)| *value).collect()
    }
}

impl BehaviorDecoding {
    /// Writes `decoding.csv` and `decoding.json` into a folder, which is made when absent, and returns the files.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, SpikeEvaluationError> {
        let parts: [(&str, Part<Self>); 2] = [("decoding.csv", Self::write_csv), ("decoding.json", Self::write_json)];
        write_all(self, folder, &parts)
    }

    fn write_csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record([
            "behavior",
            "source",
            "measure",
            "value",
            "low_95",
            "high_95",
            "chance",
            "learned_trials",
            "test_trials",
            "settings",
        ])?;
        for found in &self.found {
            let who = [found.behavior.name().to_owned(), found.source.clone(), found.behavior.measure().to_owned()];
            let rest =
                [found.chance.to_string(), found.trials.0.to_string(), found.trials.1.to_string(), found.note.clone()];
            table.write_record(who.into_iter().chain(bits(Some(found.value))).chain(rest))?;
        }
        table.flush()
    }

    fn write_json(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let found: Vec<Value> = self
            .found
            .iter()
            .map(|found| {
                json!({
                    "behavior": found.behavior.name(), "source": found.source, "measure": found.behavior.measure(),
                    "value": found.value.value, "interval_95": found.value.interval, "chance": found.chance,
                    "learned_trials": found.trials.0, "test_trials": found.trials.1, "settings": found.note,
                })
            })
            .collect();
        let arms: Vec<Value> = self.arms.iter().map(identified).collect();
        json_to(
            to,
            &json!({
                "schema": 1, "version": env!("CARGO_PKG_VERSION"), "session": self.session,
                "simulated": self.simulated, "seed": self.seed, "device": self.device, "arms": arms, "found": found,
            }),
        )
    }
}

/// Each file whole or not at all.
fn write_all<T>(what: &T, folder: &Path, parts: &[(&str, Part<T>)]) -> Result<Vec<PathBuf>, SpikeEvaluationError> {
    let failed = |path: &Path, source| SpikeEvaluationError::Write { path: path.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let save = |(name, write): &(&str, Part<T>)| {
        let path = folder.join(name);
        save::atomically(&path, |to| write(what, to)).map_err(|source| failed(&path, source))?;
        Ok(path)
    };
    parts.iter().map(save).collect()
}

fn json_to(mut to: &mut dyn Write, value: &Value) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut to, value)?;
    to.write_all(b"\n")
}

/// Value, low and high; empty where there is none.
fn bits(bits: Option<Bits>) -> [String; 3] {
    let interval = bits.and_then(|bits| bits.interval);
    [text(bits.map(|bits| bits.value)), text(interval.map(|(low, _)| low)), text(interval.map(|(_, high)| high))]
}

/// Who predicted, or whose latents these are.
fn identified(arm: &Arm) -> Value {
    json!({
        "name": arm.name, "baseline": arm.is_baseline, "pretrained_animals": arm.pretrained_animals,
        "sha256": arm.sha256,
    })
}

fn described(bits: Option<Bits>) -> Value {
    bits.map(|bits| json!({ "value": bits.value, "interval_95": bits.interval })).into()
}

/// A value as text; empty where there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

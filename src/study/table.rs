//! What came out, row by row.

use serde::{Deserialize, Serialize};

use super::PairedTest;
use crate::evaluation::{DomainEvaluation, Evaluation, Quantity};

/// Medians over the units of one animal for one arm of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Arm of the study, such as "adapted" or "without gaze".
    pub arm: String,
    /// Who was recorded.
    pub animal: String,
    /// Seed of the training; `None` where chance had no part in it, or the twin was given.
    pub seed: Option<u64>,
    /// Minutes of clips: of a learning curve those that were given, trials for validation included; of a stress test
    /// those that were learned from.
    pub minutes: Option<f64>,
    /// Domain of stimuli.
    pub domain: String,
    /// Units of which `cc_norm` is defined.
    pub units: usize,
    /// Median CC_norm with its 95 % interval over units.
    pub cc_norm: Option<f64>,
    /// The interval.
    pub interval: Option<(f64, f64)>,
    /// Median CC_abs.
    pub cc_abs: Option<f64>,
    /// Median correlation with the true rate, of simulated animals.
    pub cc_true: Option<f64>,
    /// Median of mean predicted over mean recorded response.
    pub mean_ratio: Option<f64>,
}

/// A study's findings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What was studied, for the title.
    pub title: String,
    /// In order of arms, animals, seeds and domains.
    pub findings: Vec<Finding>,
    /// Arm that learned from clean clips, in a stress test: what the others lost is told beside it.
    pub clean: Option<String>,
    /// Arms against each other over the same units, where the study compares them so.
    pub tests: Vec<PairedTest>,
    /// SHA-256 of the weights of the twin that was given, hexadecimal; `None` where there was none.
    pub sha256: Option<String>,
    /// Devices of the evaluations, in words, in order of appearance.
    pub devices: Vec<String>,
}

impl Table {
    /// A study without findings yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds all domains of an evaluation.
    pub fn add(&mut self, arm: &str, seed: Option<u64>, minutes: Option<f64>, evaluation: &Evaluation) {
        self.computed_on(&evaluation.origin.device);
        for domain in &evaluation.domains {
            self.findings.push(Finding::of(arm, seed, minutes, &evaluation.recording.animal, domain));
        }
    }

    /// Notes a device, once.
    pub(super) fn computed_on(&mut self, device: &str) {
        if !self.devices.iter().any(|known| known == device) {
            self.devices.push(device.to_owned());
        }
    }

    /// Different values of something, in order of appearance.
    pub fn distinct(&self, of: impl Fn(&Finding) -> &str) -> Vec<&str> {
        let mut known: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !known.contains(&of(finding)) {
                known.push(of(finding));
            }
        }
        known
    }

    /// Mean, least and greatest CC_norm over animals and seeds of an arm in a domain, with these minutes; `None` when
    /// there is none.
    pub fn spread(&self, arm: &str, domain: &str, minutes: Option<f64>) -> Option<(f64, f64, f64)> {
        let wanted = |finding: &&Finding| finding.arm == arm && finding.domain == domain && finding.minutes == minutes;
        let values: Vec<f64> = self.findings.iter().filter(wanted).filter_map(|finding| finding.cc_norm).collect();
        let n = values.len();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (n > 0).then(|| (values.iter().sum::<f64>() / n as f64, least, greatest))
    }

    /// Median CC_norm minus that of the [clean](Self::clean) arm for the same animal, seed and domain; `None` for the
    /// clean arm itself, and where either is not there.
    pub fn minus_clean(&self, finding: &Finding) -> Option<f64> {
        let clean = self.clean.as_deref().filter(|clean| *clean != finding.arm)?;
        let key = |one: &Finding| (one.animal.clone(), one.seed, one.domain.clone());
        let beside = self.findings.iter().find(|one| one.arm == clean && key(one) == key(finding))?;
        Some(finding.cc_norm? - beside.cc_norm?)
    }

    /// Where each arm of a stress test is weakest: its finding with the lowest difference from the clean arm, and that
    /// difference. Arms without a difference are left out.
    pub fn weakest(&self) -> Vec<(&Finding, f64)> {
        let of_arm = |arm: &str| {
            let here = self.findings.iter().filter(|one| one.arm == arm);
            here.filter_map(|one| Some((one, self.minus_clean(one)?))).min_by(|a, b| a.1.total_cmp(&b.1))
        };
        self.distinct(|finding| &finding.arm).into_iter().filter_map(of_arm).collect()
    }

    /// As CSV, one row a finding; that of a stress test has one more column, `minus_clean`, at its end.
    pub fn csv(&self) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let columns = [
            "arm",
            "animal",
            "seed",
            "minutes",
            "domain",
            "units",
            "cc_norm",
            "cc_norm_low",
            "cc_norm_high",
            "cc_abs",
            "cc_true_rate",
            "mean_predicted_over_recorded",
        ];
        let minus_clean = self.clean.as_ref().map(|_| "minus_clean");
        table.write_record(columns.into_iter().chain(minus_clean)).expect("memory can be written to");
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
        for finding in &self.findings {
            let row = [
                finding.arm.clone(),
                finding.animal.clone(),
                finding.seed.map_or_else(String::new, |seed| seed.to_string()),
                finding.minutes.map_or_else(String::new, |minutes| minutes.to_string()),
                finding.domain.clone(),
                finding.units.to_string(),
                number(finding.cc_norm),
                number(finding.interval.map(|(low, _)| low)),
                number(finding.interval.map(|(_, high)| high)),
                number(finding.cc_abs),
                number(finding.cc_true),
                number(finding.mean_ratio),
            ];
            let minus_clean = self.clean.as_ref().map(|_| number(self.minus_clean(finding)));
            table.write_record(row.into_iter().chain(minus_clean)).expect("memory can be written to");
        }
        table.into_inner().expect("memory can be written to")
    }
}

impl Finding {
    fn of(arm: &str, seed: Option<u64>, minutes: Option<f64>, animal: &str, domain: &DomainEvaluation) -> Self {
        let median = |quantity| domain.median(quantity);
        let norm = median(Quantity::CcNorm);
        Self {
            arm: arm.to_owned(),
            animal: animal.to_owned(),
            seed,
            minutes,
            domain: domain.name.clone(),
            units: norm.map_or(0, |norm| norm.n),
            cc_norm: norm.map(|norm| norm.value),
            interval: norm.and_then(|norm| norm.interval),
            cc_abs: median(Quantity::CcAbs).map(|median| median.value),
            cc_true: median(Quantity::CcTrue).map(|median| median.value),
            mean_ratio: median(Quantity::MeanRatio).map(|median| median.value),
        }
    }
}

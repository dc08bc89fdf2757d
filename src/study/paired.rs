//! One arm against another over the same units: paired differences, their intervals, and a test of each.

use std::collections::HashMap;
use std::fmt;

use super::Table;
use crate::analysis::Median;
use crate::analysis::statistics::{Alternative, Correction, TestResult, wilcoxon_signed_rank};
use crate::evaluation::{DomainEvaluation, Evaluation, Quantity, UnitEvaluation};
use crate::signals::UnitId;

/// CC_norm of the same units under two arms of a study, in one domain of stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedTest {
    /// The arm.
    pub arm: String,
    /// The arm that it is compared with.
    pub against: String,
    /// Who was recorded.
    pub animal: String,
    /// Domain of stimuli.
    pub domain: String,
    /// Median over units of the difference of CC_norm, the arm minus the other, with its 95 % interval.
    pub difference: Median,
    /// Wilcoxon signed-rank test of the pairs, two-sided; `None` for fewer than two pairs, or where all are equal.
    pub test: Option<TestResult>,
    /// Its p-value, corrected for the number of tests of the table (Holm).
    pub adjusted: Option<f64>,
}

impl Table {
    /// Compares an arm with another over the units for which CC_norm is defined in both, domain by domain, and corrects
    /// the p-values of the whole table anew. A domain without such a unit has no test.
    pub fn compare(&mut self, (arm, evaluation): (&str, &Evaluation), (against, other): (&str, &Evaluation)) {
        for domain in &evaluation.domains {
            let same = other.domains.iter().find(|other| other.name == domain.name);
            let pairs = same.map(|same| pairs((&evaluation.units, domain), (&other.units, same))).unwrap_or_default();
            let (first, second): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let differences: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
            let Some(difference) = Median::of(&differences, domain.seed) else { continue };
            self.tests.push(PairedTest {
                arm: arm.to_owned(),
                against: against.to_owned(),
                animal: evaluation.recording.animal.clone(),
                domain: domain.name.clone(),
                difference,
                test: wilcoxon_signed_rank(&first, &second, Alternative::TwoSided).ok(),
                adjusted: None,
            });
        }
        let known: Vec<f64> = self.tests.iter().filter_map(|one| one.test.map(|test| test.p)).collect();
        let mut adjusted = Correction::Holm.adjust(&known).unwrap_or_default().into_iter();
        for one in &mut self.tests {
            one.adjusted = one.test.and_then(|_| adjusted.next());
        }
    }

    /// Paired tests as CSV, one row a test. `pairs` counts those that differ, which are all that the test looks at.
    pub fn tests_csv(&self) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let columns = [
            "arm",
            "against",
            "animal",
            "domain",
            "units",
            "median_difference",
            "difference_low",
            "difference_high",
            "test",
            "pairs",
            "statistic",
            "effect",
            "p",
            "p_holm",
        ];
        table.write_record(columns).expect("memory can be written to");
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
        let chance = |p: Option<f64>| p.map_or_else(String::new, |p| format!("{p:.3e}"));
        for one in &self.tests {
            let interval = one.difference.interval;
            let row = [
                one.arm.clone(),
                one.against.clone(),
                one.animal.clone(),
                one.domain.clone(),
                one.difference.n.to_string(),
                number(Some(one.difference.value)),
                number(interval.map(|(low, _)| low)),
                number(interval.map(|(_, high)| high)),
                one.test.map_or_else(String::new, |test| format!("{}, two-sided", test.test.label())),
                one.test.map_or_else(String::new, |test| test.n[0].to_string()),
                one.test.map_or_else(String::new, |test| test.statistic.to_string()),
                number(one.test.map(|test| test.effect)),
                chance(one.test.map(|test| test.p)),
                chance(one.adjusted),
            ];
            table.write_record(row).expect("memory can be written to");
        }
        table.into_inner().expect("memory can be written to")
    }
}

impl fmt::Display for PairedTest {
    /// One line: "without gaze against intact, M17, Gabors: median difference of CC_norm -0.047 [95 % interval -0.052 to
    /// -0.041], n = 320 units, p < 0.001 (Holm)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Median { n, value, interval } = self.difference;
        let interval =
            interval.map(|(low, high)| format!(" [95 % interval {low:.3} to {high:.3}]")).unwrap_or_default();
        let p = match self.adjusted {
            Some(p) if p < 0.001 => ", p < 0.001 (Holm)".to_owned(),
            Some(p) => format!(", p = {p:.3} (Holm)"),
            None => ", no test".to_owned(),
        };
        let Self { arm, against, animal, domain, .. } = self;
        let units = if n == 1 { "unit" } else { "units" };
        write!(
            f,
            "{arm} against {against}, {animal}, {domain}: median difference of CC_norm {value:.3}{interval}, n = {n} \
             {units}{p}"
        )
    }
}

/// CC_norm of the units of both for which it is defined in both.
fn pairs(
    (units, domain): (&[UnitId], &DomainEvaluation),
    (other_units, other): (&[UnitId], &DomainEvaluation),
) -> Vec<(f64, f64)> {
    let cc_norm = |unit: &UnitEvaluation| unit.get(Quantity::CcNorm).filter(|value| value.is_finite());
    let others: HashMap<&UnitId, f64> =
        other_units.iter().zip(&other.units).filter_map(|(id, unit)| Some((id, cc_norm(unit)?))).collect();
    let pair = |(id, unit): (&UnitId, &UnitEvaluation)| Some((cc_norm(unit)?, *others.get(id)?));
    units.iter().zip(&domain.units).filter_map(pair).collect()
}

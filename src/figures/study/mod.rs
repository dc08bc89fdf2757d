//! Findings of a study: every arm in every domain of stimuli, what more minutes of clips are worth, and tuning against the
//! truth.

pub mod curve;
pub mod matrix;
pub mod tuning;

use super::plot::with_minus;
use crate::study::{Finding, Table};

/// Arms and domains of these findings, in order of appearance.
fn arms<'t>(findings: &[&'t Finding]) -> Vec<&'t str> {
    distinct(findings.iter().map(|finding| finding.arm.as_str()))
}

fn domains<'t>(findings: &[&'t Finding]) -> Vec<&'t str> {
    distinct(findings.iter().map(|finding| finding.domain.as_str()))
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = Vec::new();
    for value in values {
        if !known.contains(&value) {
            known.push(value);
        }
    }
    known
}

/// CC_norm where it is a number.
fn cc_norm(finding: &Finding) -> Option<f64> {
    finding.cc_norm.filter(|value| value.is_finite())
}

/// How many animals and seeds, and how many units of each animal.
fn counted(findings: &[&Finding]) -> String {
    let several = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let animals = distinct(findings.iter().map(|finding| finding.animal.as_str())).len();
    let seeds = distinct(findings.iter().map(|finding| finding.seed)).len();
    let units = || findings.iter().filter(|finding| cc_norm(finding).is_some()).map(|finding| finding.units);
    let units = match (units().min(), units().max()) {
        (Some(least), Some(most)) if least == most => format!("; {most} units each"),
        (Some(least), Some(most)) => format!("; {least} to {most} units each"),
        _ => String::new(),
    };
    format!("n = {}, {}{units}", several(animals, "animal"), several(seeds, "seed"))
}

/// Who was recorded, below the figure.
fn notice(table: &Table) -> String {
    let animals = distinct(table.findings.iter().map(|finding| finding.animal.as_str()));
    format!("Recordings of {}", animals.join(", "))
}

fn provenance(table: &Table) -> String {
    let seeds = distinct(table.findings.iter().map(|finding| finding.seed.to_string()));
    format!("twinscope {}; seeds of training {}", env!("CARGO_PKG_VERSION"), seeds.join(", "))
}

/// A value with two decimals; nothing that is written as zero has a sign.
fn printed(value: f64) -> String {
    let hundredths = (100.0 * value).round();
    with_minus(format!("{:.2}", if hundredths == 0.0 { 0.0 } else { hundredths / 100.0 }))
}

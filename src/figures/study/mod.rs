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

/// How many animals and seeds of a training, and how many units of each animal. Of a twin that was given, and of a model
/// without chance, there is no seed to be counted: where other arms have some, these are named.
fn counted(findings: &[&Finding]) -> String {
    let several = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let animals = distinct(findings.iter().map(|finding| finding.animal.as_str())).len();
    let seeds = |arm: &str| {
        let of_arm = findings.iter().filter(|finding| finding.arm == arm);
        distinct(of_arm.filter_map(|finding| finding.seed)).len()
    };
    let (trained, given): (Vec<&str>, Vec<&str>) = arms(findings).into_iter().partition(|arm| seeds(arm) > 0);
    let counts = || trained.iter().map(|arm| seeds(arm));
    let seeds = match (counts().min(), counts().max()) {
        (Some(least), Some(most)) if least == most => format!(", {}", several(most, "seed")),
        (Some(least), Some(most)) => format!(", {least} to {most} seeds"),
        _ => String::new(),
    };
    let of = if trained.is_empty() || given.is_empty() { String::new() } else { format!(" of {}", trained.join(", ")) };
    let units = || findings.iter().filter(|finding| cc_norm(finding).is_some()).map(|finding| finding.units);
    let units = match (units().min(), units().max()) {
        (Some(least), Some(most)) if least == most => format!("; {most} units each"),
        (Some(least), Some(most)) => format!("; {least} to {most} units each"),
        _ => String::new(),
    };
    format!("n = {}{seeds}{of}{units}", several(animals, "animal"))
}

/// Who was recorded, below the figure.
fn notice(table: &Table) -> String {
    let animals = distinct(table.findings.iter().map(|finding| finding.animal.as_str()));
    format!("Recordings of {}", animals.join(", "))
}

/// Version of the program, weights that were given, devices, and seeds where chance had a part.
fn provenance(table: &Table) -> String {
    let mut said = vec![format!("twinscope {}", env!("CARGO_PKG_VERSION"))];
    said.extend(table.sha256.iter().map(|sha| format!("weights sha256 {sha}")));
    if !table.devices.is_empty() {
        said.push(format!("device {}", table.devices.join(", ")));
    }
    let seeds = distinct(table.findings.iter().filter_map(|finding| finding.seed));
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    said.push(if seeds.is_empty() {
        "no seed of training".to_owned()
    } else {
        format!("seeds of training {}", seeds.join(", "))
    });
    said.join("; ")
}

/// A value with two decimals; nothing that is written as zero has a sign.
fn printed(value: f64) -> String {
    let hundredths = (100.0 * value).round();
    with_minus(format!("{:.2}", if hundredths == 0.0 { 0.0 } else { hundredths / 100.0 }))
}

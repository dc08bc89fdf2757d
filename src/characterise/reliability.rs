//! Reliability over repeats, signal and noise correlations, and responses beside those to blanks.

use rayon::prelude::*;

use super::table::{cell, identity};
use super::{Characterisation, Look, Measured, Panel, Table};
use crate::analysis::Median;
use crate::analysis::reliability::{
    Freedom, Repeats, cc_max, explainable_variance, fano_factor, lifetime_sparseness, noise_correlations, oracle_score,
    population_sparseness, signal_correlations, split_half_reliability,
};
use crate::analysis::statistics::{Alternative, Correction, mann_whitney, moments};

/// Most units whose pairs are correlated.
const MOST_UNITS: usize = 2000;

/// Adds what repeats and blanks tell.
pub(super) fn add(measured: &Measured, look: &Look, found: &mut Characterisation) {
    match repeats(measured) {
        Some((repeats, movies)) => repeated(measured, look, &repeats, movies, found),
        None => found.findings.push("No movie was shown more than once: reliability is undefined.".to_owned()),
    }
    blanks(measured, found);
}

/// Responses to movies that were shown at least twice, side by side; and how many movies.
fn repeats(measured: &Measured) -> Option<(Repeats, usize)> {
    let presentations = &measured.schedule.presentations;
    let mut showings: Vec<Vec<usize>> = vec![Vec::new(); measured.movies.iter().max()? + 1];
    for (index, (&movie, shown)) in measured.movies.iter().zip(presentations).enumerate() {
        if !measured.schedule.conditions[shown.condition].is_blank() && shown.frames > measured.skip_frames {
            showings[movie].push(index);
        }
    }
    showings.retain(|of| of.len() >= 2);
    let (skip, units) = (measured.skip_frames, measured.units.len());
    let most = showings.iter().map(Vec::len).max()?;
    let lengths: Vec<usize> = showings
        .iter()
        .map(|of| of.iter().map(|&index| presentations[index].frames).min().unwrap_or(0) - skip)
        .collect();
    let frames: usize = lengths.iter().sum();
    let mut values = vec![f32::NAN; most.checked_mul(frames)?.checked_mul(units)?];
    let mut start = 0;
    for (of, &length) in showings.iter().zip(&lengths) {
        for (repeat, &index) in of.iter().enumerate() {
            let onset = presentations[index].onset_frame + skip;
            for frame in 0..length {
                let to = (repeat * frames + start + frame) * units;
                values[to..to + units].copy_from_slice(measured.responses.row(onset + frame, 0));
            }
        }
        start += length;
    }
    Some((Repeats::new(most, frames, units, values)?, showings.len()))
}

fn repeated(measured: &Measured, look: &Look, repeats: &Repeats, movies: usize, found: &mut Characterisation) {
    let quantities = [
        "oracle_score",
        "explainable_variance",
        "fano_factor",
        "lifetime_sparseness",
        "split_half_reliability",
        "cc_max",
    ];
    let mut table = Table::of_units("reliability", &[&quantities[..], &["repeats", "movies", "frames"]].concat());
    let row = |unit: usize| {
        let one = repeats.unit(unit);
        let numbers = [
            oracle_score(&one),
            explainable_variance(&one),
            fano_factor(&one),
            lifetime_sparseness(&one),
            split_half_reliability(&one, look.seed),
            cc_max(&one, Freedom::Consistent),
        ];
        let counts = [repeats.repeats(), movies, repeats.frames()].map(|count| count.to_string());
        [identity(&measured.units[unit]), numbers.map(cell).to_vec(), counts.to_vec()].concat()
    };
    table.rows = (0..measured.units.len()).into_par_iter().map(row).collect();
    let labels = [
        ("oracle_score", "Oracle score", "Correlation with other repeats"),
        ("explainable_variance", "Explainable variance", "Fraction of variance"),
        ("fano_factor", "Fano factor", "Variance / mean over repeats"),
        ("lifetime_sparseness", "Lifetime sparseness", "Sparseness, 0 to 1"),
        ("split_half_reliability", "Split-half reliability", "Correlation of halves"),
    ];
    for (column, title, label) in labels {
        found.panels.push(table.panel(column, title, label));
    }
    let median = |values: &[f64]| match Median::of(values, look.seed) {
        Some(Median { n, value, interval: Some((low, high)) }) => {
            format!("median {value:.3} [{low:.3}, {high:.3}] (95 % percentile bootstrap, n = {n})")
        }
        Some(Median { n, value, interval: None }) => format!("{value:.3} (n = {n})"),
        None => "undefined".to_owned(),
    };
    let shown = format!("{movies} movies, up to {} repeats, {} frames", repeats.repeats(), repeats.frames());
    found.findings.push(format!("Reliability over {shown}: oracle score {}.", median(&table.column("oracle_score"))));
    found.tables.push(table);

    let sparse: Vec<f64> = population_sparseness(repeats).into_iter().flatten().collect();
    found.findings.push(format!("Population sparseness, over frames: {}.", median(&sparse)));
    if measured.units.len() > MOST_UNITS {
        found.findings.push(format!("Pairs of more than {MOST_UNITS} units are not correlated."));
        return;
    }
    let mut pairs =
        Table::new("correlations", &["first_unit", "second_unit", "signal_correlation", "noise_correlation"]);
    let (signal, noise) = (signal_correlations(repeats), noise_correlations(repeats));
    for first in 0..measured.units.len() {
        for second in first + 1..measured.units.len() {
            let numbers = [signal.get(first, second), noise.get(first, second)].map(cell);
            let names = [first, second].map(|unit| measured.units[unit].unit.to_string());
            pairs.rows.push([names.to_vec(), numbers.to_vec()].concat());
        }
    }
    for (column, title) in [("signal_correlation", "Signal correlations"), ("noise_correlation", "Noise correlations")]
    {
        found.panels.push(pairs.panel(column, title, "Correlation of pairs"));
        // Pairs share units: an interval as of independent values would be too narrow.
        let middle =
            moments::median(&pairs.column(column)).map_or_else(|| "undefined".to_owned(), |m| format!("{m:.3}"));
        found.findings.push(format!("{title}: median {middle} (n = {} pairs).", pairs.column(column).len()));
    }
    found.tables.push(pairs);
}

/// Whether responses to stimuli differ from those to blanks, unit by unit.
fn blanks(measured: &Measured, found: &mut Characterisation) {
    let Ok(trials) = measured.trials() else { return };
    let is_blank = |trial: usize| measured.schedule.conditions[trials.conditions[trial]].is_blank();
    let (blank, shown): (Vec<usize>, Vec<usize>) = (0..trials.conditions.len()).partition(|&trial| is_blank(trial));
    if blank.len() < 2 || shown.len() < 2 {
        return;
    }
    let mut table = Table::of_units(
        "responses_beside_blanks",
        &["test", "effect", "p", "p_adjusted", "correction", "n_shown", "n_blank"],
    );
    let of = |some: &[usize], unit: usize| -> Vec<f64> {
        some.iter().map(|&trial| trials.responses.row(trial)[unit]).collect()
    };
    let results: Vec<_> = (0..measured.units.len())
        .map(|unit| mann_whitney(&of(&shown, unit), &of(&blank, unit), Alternative::TwoSided).ok())
        .collect();
    let correction = Correction::BenjaminiHochberg;
    let known: Vec<f64> = results.iter().flatten().map(|result| result.p).collect();
    let mut adjusted = correction.adjust(&known).unwrap_or_default().into_iter();
    let (mut differ, mut tested) = (0, 0);
    for (id, result) in measured.units.iter().zip(&results) {
        let p = result.and(adjusted.next());
        differ += usize::from(p.is_some_and(|p| p <= 0.05));
        tested += usize::from(p.is_some());
        let name = result.map(|result| result.test.label().to_owned()).unwrap_or_default();
        let [effect, raw] = [result.map(|result| result.effect), result.map(|result| result.p)].map(cell);
        let counts = [shown.len(), blank.len()].map(|count| count.to_string());
        let cells = [vec![name, effect, raw, cell(p), correction.label().to_owned()], counts.to_vec()].concat();
        table.rows.push([identity(id), cells].concat());
    }
    found.findings.push(format!(
        "Responses to stimuli (n = {}) differ from those to blanks (n = {}) for {differ} of {tested} units: Mann-Whitney U test, two-sided, {} at 0.05.",
        shown.len(),
        blank.len(),
        correction.label()
    ));
    let values = table.column("effect");
    let title = "Stimuli beside blanks".to_owned();
    found.panels.push(Panel { title, label: "Rank-biserial correlation".to_owned(), values, of: measured.units.len() });
    found.tables.push(table);
}

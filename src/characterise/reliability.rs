//! Reliability over repeats, signal and noise correlations, and responses beside those to blanks.

use rayon::prelude::*;

use super::table::{cell, identity};
use super::{Characterisation, CharacteriseError, Look, Measured, Panel, Table};
use crate::analysis::reliability::{
    Freedom, PairSeries, PopulationSparseness, Repeats, cc_max, explainable_variance, fano_factor, lifetime_sparseness,
    oracle_score, split_half_reliability,
};
use crate::analysis::statistics::{Alternative, Correction, TestResult, mann_whitney, moments};
use crate::analysis::{Median, Trials};
use crate::job::{Cancelled, Progress};
use crate::signals::ResponseRows;

/// Adds what repeats tell.
pub(super) fn add(
    measured: &Measured,
    look: &Look,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    match Showings::of(measured) {
        Some(showings) => repeated(measured, look, &showings, progress, found)?,
        None => found.findings.push("No movie was shown more than once: reliability is undefined.".to_owned()),
    }
    Ok(())
}

/// Where movies lie that were shown at least twice.
struct Showings {
    /// First frames of the showings of each movie after the skip, and frames of the shortest.
    movies: Vec<(Vec<usize>, usize)>,
    /// Showings of the movie that was shown most often.
    most: usize,
    /// Frames of all movies, one after the other.
    frames: usize,
}

impl Showings {
    fn of(measured: &Measured) -> Option<Self> {
        let presentations = &measured.schedule.presentations;
        let mut showings: Vec<Vec<usize>> = vec![Vec::new(); measured.movies.iter().max()? + 1];
        for (index, (&movie, shown)) in measured.movies.iter().zip(presentations).enumerate() {
            if !measured.schedule.conditions[shown.condition].is_blank() && shown.frames > measured.skip_frames {
                showings[movie].push(index);
            }
        }
        showings.retain(|of| of.len() >= 2);
        let skip = measured.skip_frames;
        let most = showings.iter().map(Vec::len).max()?;
        let movie = |of: Vec<usize>| {
            let frames = of.iter().map(|&index| presentations[index].frames).min().unwrap_or(0) - skip;
            (of.into_iter().map(|index| presentations[index].onset_frame + skip).collect(), frames)
        };
        let movies: Vec<(Vec<usize>, usize)> = showings.into_iter().map(movie).collect();
        let frames = movies.iter().map(|(_, frames)| frames).sum();
        Some(Self { movies, most, frames })
    }

    /// Showings of the movie of each frame.
    fn counts(&self) -> Vec<usize> {
        self.movies.iter().flat_map(|(onsets, frames)| std::iter::repeat_n(onsets.len(), *frames)).collect()
    }

    /// Responses of some units to them, side by side. What movies were shown less often than others takes room as well.
    fn responses(&self, measured: &Measured, units: &[usize]) -> Result<Repeats, CharacteriseError> {
        let beyond = || CharacteriseError::Nothing("the repeats are too many to be held, or not finite".to_owned());
        let length = self.most.checked_mul(self.frames).and_then(|values| values.checked_mul(units.len()));
        let mut values = vec![f32::NAN; length.ok_or_else(beyond)?];
        let (rows, width) = (measured.some(units), units.len());
        let mut start = 0;
        for (onsets, frames) in &self.movies {
            for (repeat, &onset) in onsets.iter().enumerate() {
                let from = (repeat * self.frames + start) * width;
                let mut to = values[from..from + frames * width].chunks_exact_mut(width.max(1));
                rows.each_row(onset..onset + frames, 0, &mut |row| {
                    to.next().into_iter().for_each(|to| to.copy_from_slice(row));
                })?;
            }
            start += frames;
        }
        Repeats::new(self.most, self.frames, units.len(), values).ok_or_else(beyond)
    }
}

fn repeated(
    measured: &Measured,
    look: &Look,
    showings: &Showings,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let quantities = [
        "oracle_score",
        "explainable_variance",
        "fano_factor",
        "lifetime_sparseness",
        "split_half_reliability",
        "cc_max",
        "cc_max_consistent",
    ];
    let mut table = Table::of_units("reliability", &[&quantities[..], &["repeats", "movies", "frames"]].concat());
    let (repeats, movies, frames) = (showings.most, showings.movies.len(), showings.frames);
    let mut sparse = PopulationSparseness::new(frames);
    for units in measured.blocks(look.most_values, repeats * frames) {
        progress.check()?;
        let responses = showings.responses(measured, &units)?;
        let row = |place: usize| -> Result<Vec<String>, Cancelled> {
            progress.check()?;
            let one = responses.unit(place);
            let numbers = [
                oracle_score(&one),
                explainable_variance(&one),
                fano_factor(&one),
                lifetime_sparseness(&one),
                split_half_reliability(&one, look.seed),
                cc_max(&one, Freedom::Published),
                cc_max(&one, Freedom::Consistent),
            ];
            let counts = [repeats, movies, frames].map(|count| count.to_string());
            Ok([identity(&measured.units[units[place]]), numbers.map(cell).to_vec(), counts.to_vec()].concat())
        };
        let rows = (0..units.len()).into_par_iter().map(row).collect::<Result<Vec<Vec<String>>, Cancelled>>()?;
        table.rows.extend(rows);
        sparse.add(&responses);
    }
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
    let median = |values: &[f64]| median_in_words(values, look.seed);
    let shown = format!("{movies} movies, up to {repeats} repeats, {frames} frames");
    found.findings.push(format!("Reliability over {shown}: oracle score {}.", median(&table.column("oracle_score"))));
    found.tables.push(table);

    let sparse: Vec<f64> = sparse.finish().into_iter().flatten().collect();
    found.findings.push(format!("Population sparseness, over frames: {}.", median(&sparse)));
    let counts = showings.counts();
    let some = look.paired(measured.units.len(), frames + counts.iter().sum::<usize>());
    if some.len() < measured.units.len() {
        found.findings.push(format!(
            "Pairs of {} of {} units are correlated, drawn with seed {}.",
            some.len(),
            measured.units.len(),
            look.seed
        ));
    }
    progress.check()?;
    let mut pairs =
        Table::new("correlations", &["first_unit", "second_unit", "signal_correlation", "noise_correlation"]);
    let mut series = PairSeries::default();
    for units in some.chunks((look.most_values / (repeats * frames).max(1)).max(1)) {
        progress.check()?;
        series.add(&showings.responses(measured, units)?, &counts);
    }
    let signal = series.signal_correlations();
    progress.check()?;
    let noise = series.noise_correlations();
    drop(series);
    for first in 0..some.len() {
        progress.check()?;
        for second in first + 1..some.len() {
            let numbers = [signal.get(first, second), noise.get(first, second)].map(cell);
            let names = [first, second].map(|place| measured.units[some[place]].unit.to_string());
            pairs.rows.push(&[names, numbers].concat());
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
    Ok(())
}

/// A median with its interval.
pub(super) fn median_in_words(values: &[f64], seed: u64) -> String {
    match Median::of(values, seed) {
        Some(Median { n, value, interval: Some((low, high)) }) => {
            format!("median {value:.3} [{low:.3}, {high:.3}] (95 % percentile bootstrap, n = {n})")
        }
        Some(Median { n, value, interval: None }) => format!("{value:.3} (n = {n})"),
        None => "undefined".to_owned(),
    }
}

/// Whether responses to stimuli differ from those to blanks, unit by unit, under way.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    results: Vec<Option<TestResult>>,
    shown: usize,
    blank: usize,
}

impl Blanks {
    /// Looks at some units, which follow those before; the trials are theirs.
    pub(super) fn take(&mut self, measured: &Measured, trials: &Trials) {
        let is_blank = |trial: usize| measured.schedule.conditions[trials.conditions[trial]].is_blank();
        let (blank, shown): (Vec<usize>, Vec<usize>) = (0..trials.conditions.len()).partition(|&trial| is_blank(trial));
        (self.shown, self.blank) = (shown.len(), blank.len());
        if blank.len() < 2 || shown.len() < 2 {
            return;
        }
        let of = |some: &[usize], unit: usize| -> Vec<f64> {
            let responses = some.iter().map(|&trial| trials.responses.row(trial)[unit]);
            responses.filter(|response| !response.is_nan()).collect()
        };
        let test = |unit: usize| mann_whitney(&of(&shown, unit), &of(&blank, unit), Alternative::TwoSided).ok();
        self.results.extend((0..trials.responses.units()).map(test));
    }

    /// Adds a table, where there are blanks.
    pub(super) fn finish(self, measured: &Measured, found: &mut Characterisation) {
        if !self.results.is_empty() {
            beside_blanks(measured, &self, found);
        }
    }
}

fn beside_blanks(measured: &Measured, Blanks { results, shown, blank }: &Blanks, found: &mut Characterisation) {
    let mut table = Table::of_units(
        "responses_beside_blanks",
        &["test", "effect", "p", "p_adjusted", "correction", "n_shown", "n_blank"],
    );
    let correction = Correction::BenjaminiHochberg;
    let known: Vec<f64> = results.iter().flatten().map(|result| result.p).collect();
    let mut adjusted = correction.adjust(&known).unwrap_or_default().into_iter();
    let (mut differ, mut tested) = (0, 0);
    for (id, result) in measured.units.iter().zip(results) {
        let p = result.and_then(|_| adjusted.next());
        differ += usize::from(p.is_some_and(|p| p <= 0.05));
        tested += usize::from(p.is_some());
        let name = result.map(|result| result.test.label().to_owned()).unwrap_or_default();
        let [effect, raw] = [result.map(|result| result.effect), result.map(|result| result.p)].map(cell);
        let counts = [shown, blank].map(|count| count.to_string());
        let cells = [vec![name, effect, raw, cell(p), correction.label().to_owned()], counts.to_vec()].concat();
        table.rows.push(&[identity(id), cells].concat());
    }
    found.findings.push(format!(
        "Responses to stimuli (n = {shown}) differ from those to blanks (n = {blank}) for {differ} of {tested} units: Mann-Whitney U test, two-sided, {} at 0.05.",
        correction.label()
    ));
    let values = table.column("effect");
    let title = "Stimuli beside blanks".to_owned();
    found.panels.push(Panel { title, label: "Rank-biserial correlation".to_owned(), values, of: measured.units.len() });
    found.tables.push(table);
}

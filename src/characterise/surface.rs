//! Tuning to two parameters that were swept against each other: means over their values, and whether they are separable.

use rayon::prelude::*;

use super::examples::Best;
use super::table::{cell, file_name, identity};
use super::tuning::spoken;
use super::{Characterisation, Measured, SurfaceExample, Table};
use crate::analysis::statistics::moments;
use crate::analysis::trials::Paired;
use crate::analysis::{Trials, UnitSurface};
use crate::job::{Cancelled, Progress};

/// Most pairs of parameters that are looked at, in the order in which they were swept.
const MOST_PAIRS: usize = 6;
/// Most rows of a table of means; of a larger surface the summary alone is told.
const MOST_ROWS: usize = 4_000_000;
/// Least share of the pairs of values that was shown: what was drawn by chance makes no grid.
const LEAST_SHOWN: f64 = 0.5;

/// Tables of all pairs of parameters under way.
#[derive(Debug, Default)]
pub(super) struct Surfaces {
    pairs: Option<Vec<Pair>>,
    /// Pairs beyond those that are looked at.
    more: usize,
}

/// Tables of one pair.
#[derive(Debug)]
struct Pair {
    keys: [String; 2],
    paired: Paired,
    means: Option<Table>,
    summary: Table,
    best: Best<SurfaceExample>,
}

impl Pair {
    fn new(keys: [&str; 2], paired: Paired, units: usize) -> Self {
        let name = format!("{}_by_{}", file_name(keys[0]), file_name(keys[1]));
        let header = [keys[0], keys[1], "mean", "sem", "n"];
        let fits = units.checked_mul(paired.trials.len()).is_some_and(|rows| rows <= MOST_ROWS);
        let means = fits.then(|| Table::of_units(format!("surface_{name}"), &header));
        let preferred = keys.map(|key| format!("preferred_{key}"));
        let header = [preferred[0].as_str(), &preferred[1], "largest_mean", "separability", "explained", "n"];
        let summary = Table::of_units(format!("separability_{name}"), &header);
        Self { keys: keys.map(str::to_owned), paired, means, summary, best: Best::default() }
    }
}

impl Surfaces {
    /// Looks at some units, which follow those before; the trials are theirs.
    ///
    /// # Errors
    /// When the user asked to stop.
    pub(super) fn take(
        &mut self,
        measured: &Measured,
        trials: &Trials,
        units: &[usize],
        progress: &Progress,
    ) -> Result<(), Cancelled> {
        if self.pairs.is_none() {
            let swept = measured.swept();
            let keys = (0..swept.len()).flat_map(|a| (a + 1..swept.len()).map(move |b| (a, b)));
            let all = keys.filter_map(|(a, b)| {
                let keys = [swept[a], swept[b]];
                let paired = trials.paired(&measured.schedule, keys)?;
                let shown = paired.trials.iter().filter(|trials| !trials.is_empty()).count();
                let is_grid = shown as f64 >= LEAST_SHOWN * paired.trials.len() as f64;
                is_grid.then(|| Pair::new(keys, paired, measured.units.len()))
            });
            let mut all: Vec<Pair> = all.collect();
            self.more = all.len().saturating_sub(MOST_PAIRS);
            all.truncate(MOST_PAIRS);
            self.pairs = Some(all);
        }
        self.pairs.iter_mut().flatten().try_for_each(|pair| look_at(measured, trials, units, pair, progress))
    }

    /// Adds a table of means and one of separability for every pair.
    pub(super) fn finish(self, found: &mut Characterisation) {
        for Pair { keys: [first, second], paired, means, summary, best } in self.pairs.into_iter().flatten() {
            let [rows, columns] = [0, 1].map(|axis| paired.values[axis].len());
            let separable = summary.column("separability");
            let median = moments::median(&separable).map_or_else(|| "undefined".to_owned(), |m| format!("{m:.3}"));
            let mut line = format!(
                "{first} by {second}: {rows} x {columns} values; separability: median {median} (n = {} units)",
                separable.len()
            );
            if means.is_none() {
                line += &format!("; the means of all units would be more than {MOST_ROWS} rows and are not written");
            }
            found.findings.push(line + ".");
            let title = format!("{} by {}", spoken(&first).0, spoken(&second).0.to_lowercase());
            found.panels.push(summary.panel("separability", &title, "Separability, 0 to 1"));
            found.tables.extend(means);
            found.tables.push(summary);
            found.examples.surfaces.extend(best.into_iter());
        }
        if self.more > 0 {
            found.findings.push(format!("{} further pairs of parameters are not told.", self.more));
        }
    }
}

/// What one unit's surface tells.
struct Seen {
    surface: UnitSurface,
    responses: Vec<Vec<f64>>,
    separability: Option<f64>,
    explained: Option<f64>,
    /// How clear the surface is.
    clear: f64,
}

fn look_at(
    measured: &Measured,
    trials: &Trials,
    units: &[usize],
    pair: &mut Pair,
    progress: &Progress,
) -> Result<(), Cancelled> {
    let Pair { keys, paired, means, summary, best } = pair;
    let [rows, columns] = [0, 1].map(|axis| paired.values[axis].len());
    let see = |place: usize| -> Result<Seen, Cancelled> {
        progress.check()?;
        let responses = trials.of_groups(place, &paired.trials);
        let surface = UnitSurface::of(&responses, columns);
        let explained = explained(&responses);
        let clear = explained.unwrap_or(1.0) * depth(&surface);
        Ok(Seen { separability: surface.separability([rows, columns]), explained, clear, surface, responses })
    };
    let all = (0..units.len()).into_par_iter().map(see).collect::<Result<Vec<Seen>, Cancelled>>()?;
    for (&unit, Seen { surface, responses, separability, explained, clear }) in units.iter().zip(all) {
        let who = identity(&measured.units[unit]);
        let counts = || responses.iter().map(Vec::len);
        let value = |axis: usize, index: usize| format!("{}", paired.values[axis][index]);
        if let Some(table) = means {
            for (index, n) in counts().enumerate() {
                let numbers = [surface.mean[index], surface.sem[index]].map(|number| cell(number.map(f64::from)));
                let values = vec![value(0, index / columns), value(1, index % columns)];
                table.rows.push(&[who.clone(), values, numbers.to_vec(), vec![n.to_string()]].concat());
            }
        }
        let most = surface.preferred.and_then(|[row, column]| surface.mean[row * columns + column]);
        let preferred = [0, 1].map(|axis| surface.preferred.map(|at| value(axis, at[axis])).unwrap_or_default());
        let numbers = [most.map(f64::from), separability, explained].map(cell);
        let n = counts().sum::<usize>().to_string();
        summary.rows.push(&[who, preferred.to_vec(), numbers.to_vec(), vec![n]].concat());
        if best.takes(clear) {
            let words = [0, 1].map(|axis| spoken(&keys[axis]));
            let example = SurfaceExample {
                labels: words.clone().map(|(name, unit)| name + unit),
                parameters: words.map(|(name, _)| name),
                unit: measured.units[unit].unit,
                values: paired.values.clone(),
                means: surface.mean.iter().map(|mean| mean.map(f64::from)).collect(),
                presentations: counts().collect(),
                separability,
            };
            best.add(clear, example);
        }
    }
    Ok(())
}

/// Share of the variance over presentations that lies between pairs of values; `None` where no pair was shown twice, or
/// nothing varies.
fn explained(responses: &[Vec<f64>]) -> Option<f64> {
    if responses.iter().all(|of| of.len() < 2) {
        return None;
    }
    let squares = |values: &mut dyn Iterator<Item = f64>| {
        let values: Vec<f64> = values.collect();
        let mean = moments::mean(&values).unwrap_or(0.0);
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    let all = squares(&mut responses.iter().flatten().copied());
    let within: f64 = responses.iter().map(|of| squares(&mut of.iter().copied())).sum();
    (all > 0.0).then(|| (1.0 - within / all).clamp(0.0, 1.0))
}

/// Difference of the largest and the least mean, as a share of the one that is farther from 0.
fn depth(surface: &UnitSurface) -> f64 {
    let known = || surface.mean.iter().flatten().map(|&mean| f64::from(mean));
    let (least, most) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let scale = least.abs().max(most.abs());
    if most > least && scale > 0.0 { (most - least) / scale } else { f64::NAN }
}

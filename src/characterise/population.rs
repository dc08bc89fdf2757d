//! The population: principal components, an embedding, sorting, decoding and dissimilarity of conditions.

use super::table::{cell, file_name, identity};
use super::tuning::{Preferred, spoken};
use super::{Characterisation, CharacteriseError, Look, Measured, Table};
use crate::analysis::Trials;
use crate::analysis::population::{
    Decoder, Dissimilarity, Rdm, ResponseTable, Umap, decode, order_by, order_by_correlation, pca, umap,
};
use crate::analysis::statistics::Correction;
use crate::analysis::varied::period_deg;
use crate::job::Progress;
use crate::signals::UnitId;

/// Principal components that are told.
const COMPONENTS: usize = 10;
/// Most responses to single presentations that are decomposed and decoded, of all units together: 100 MB, three times
/// that with the copies of both.
const MOST_RESPONSES: usize = 12_500_000;
/// Most conditions whose pairs are told.
const MOST_CONDITIONS: usize = 500;
/// Folds of the decoder, where there are as many presentations.
const FOLDS: usize = 5;

/// What a figure of the population shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Population {
    /// Units in two dimensions (UMAP): those that respond alike lie together, and only small distances mean something.
    pub units: Vec<Placed>,
    /// What the angles of units are, such as `Direction`, and the circle that they lie on in degrees; `None` where neither
    /// directions nor orientations were shown.
    pub angles: Option<(String, f64)>,
    /// Share of the variance over presentations that so many principal components explain together, from one on.
    pub explained: Vec<f64>,
    /// Presentations that were decomposed.
    pub presentations: usize,
    /// Of conditions.
    pub dissimilarity: Option<Dissimilarities>,
    /// Of each parameter that was decoded.
    pub decoded: Vec<Accuracy>,
}

/// A unit in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Who it is.
    pub unit: UnitId,
    /// Where it lies.
    pub place: [f64; 2],
    /// Its preferred angle, degrees, where it has one.
    pub angle_deg: Option<f64>,
}

/// How differently the population responds to each pair of conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Dissimilarities {
    /// Indices of the conditions.
    pub conditions: Vec<usize>,
    /// 1 less the correlation of their mean responses over units, `[row, column]`.
    pub values: Vec<f64>,
}

/// How often a parameter was decoded correctly from single presentations.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    /// The parameter in words.
    pub parameter: String,
    /// Share of presentations that were not learned from, the mean over values, 0..=1.
    pub accuracy: f64,
    /// Its 95 % interval (Wilson).
    pub interval: Option<(f64, f64)>,
    /// What guessing reaches.
    pub chance: f64,
    /// Presentations.
    pub presentations: usize,
}

/// Adds what the population as a whole tells; `all` are the trials of all units where they lie in memory, `preferred` the
/// preferred direction of each unit where directions were shown, or orientation where orientations were.
pub(super) fn add(
    measured: &Measured,
    all: Option<Trials>,
    preferred: Option<&Preferred>,
    look: &Look,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let (n, presentations) = (measured.units.len(), measured.schedule.presentations.len());
    let most = (MOST_RESPONSES / presentations.max(1)).max(1);
    let units = if n <= most { (0..n).collect() } else { look.drawn(n, most) };
    let trials = match all.filter(|_| units.len() == n) {
        Some(trials) => trials,
        None => measured.trials(&units)?,
    };
    if units.len() < n {
        found.findings.push(format!(
            "Components, dissimilarities and decoding are of {} of {n} units, drawn with seed {}: {presentations} presentations of all are too many responses.",
            units.len(),
            look.seed
        ));
    }
    let (trials, units) = match trials.is_whole() {
        true => (trials, units),
        false => {
            let Some((whole, some)) = trials.whole() else {
                let what = "No unit was measured in every presentation: components, dissimilarities, sorting and decoding \
                            are undefined.";
                found.findings.push(what.to_owned());
                return Ok(());
            };
            found.findings.push(format!(
                "Components, dissimilarities, sorting and decoding are of the {} of {} units that were measured in each of \
                 {} presentations.",
                some.len(),
                units.len(),
                whole.conditions.len()
            ));
            (whole, some.into_iter().map(|place| units[place]).collect::<Vec<usize>>())
        }
    };
    let trials = &trials;
    let conditions = &measured.schedule.conditions;
    let groups: Vec<(usize, Vec<usize>)> = (0..conditions.len())
        .filter(|&condition| !conditions[condition].is_blank())
        .map(|condition| {
            (condition, (0..trials.conditions.len()).filter(|&t| trials.conditions[t] == condition).collect())
        })
        .filter(|(_, of): &(usize, Vec<usize>)| !of.is_empty())
        .collect();
    let lists: Vec<Vec<usize>> = groups.iter().map(|(_, of)| of.clone()).collect();
    let Some(patterns) = trials.responses.group_means(&lists) else { return Ok(()) };
    components(trials, look, found);
    if patterns.observations() >= 3 {
        embedded(measured, &units, &patterns, preferred, look, progress, found)?;
    }
    dissimilarity(&groups, &patterns, found);
    let mut decoded = Vec::new();
    for key in measured.swept() {
        progress.check()?;
        decoded.extend(decoding(measured, trials, look, key, found));
    }
    tell(&decoded, found);
    Ok(())
}

fn components(trials: &Trials, look: &Look, found: &mut Characterisation) {
    let Some(all) = pca(&trials.responses, COMPONENTS, look.seed) else { return };
    let mut table = Table::new("pca", &["component", "variance", "explained", "explained_so_far"]);
    let mut so_far = 0.0;
    for (index, (explained, variance)) in all.explained().zip(&all.variances).enumerate() {
        so_far += explained;
        found.population.explained.push(so_far);
        let cells = [(index + 1).to_string(), cell(Some(*variance)), cell(Some(explained)), cell(Some(so_far))];
        table.rows.push(&cells);
    }
    found.population.presentations = trials.responses.observations();
    found.findings.push(format!(
        "Principal components of n = {} presentations: the first {} explain {:.0} % of the variance.",
        trials.responses.observations(),
        table.rows.len(),
        100.0 * so_far
    ));
    found.tables.push(table);
}

/// Order of units by the correlation of their tuning and by their preferred direction, and a picture of them.
fn embedded(
    measured: &Measured,
    units: &[usize],
    patterns: &ResponseTable,
    preferred: Option<&Preferred>,
    look: &Look,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let some = look.paired(units.len(), patterns.observations());
    let n = some.len();
    if n < units.len() {
        found.findings.push(format!(
            "{n} of {} units are sorted and embedded, drawn with seed {}.",
            measured.units.len(),
            look.seed
        ));
    }
    let patterns = &patterns.some(&some);
    let ranks = |order: Vec<usize>| {
        let mut ranks = vec![0; n];
        order.into_iter().enumerate().for_each(|(place, unit)| ranks[unit] = place);
        ranks
    };
    let by_correlation = ranks(order_by_correlation(patterns));
    let by_tuning = preferred.map(|preferred| {
        let of_some: Vec<Option<f64>> = some.iter().map(|&among| preferred.of_units[units[among]]).collect();
        ranks(order_by(&of_some))
    });
    let profiles = patterns.transposed();
    // It ends within seconds of as many units as are paired, and cannot be stopped meanwhile.
    progress.check()?;
    let picture = umap(&profiles, &Umap::of(n, look.seed));
    progress.check()?;
    if let Err(error) = &picture {
        found.findings.push(format!("No UMAP of units: {error}."));
    }
    let orders: &[&str] =
        if by_tuning.is_some() { &["order_by_correlation", "order_by_tuning"] } else { &["order_by_correlation"] };
    let mut table = Table::of_units("population", &[orders, &["umap_1", "umap_2"]].concat());
    found.population.angles = preferred.map(|preferred| (preferred.label.clone(), preferred.period_deg));
    for (unit, &among) in some.iter().enumerate() {
        let place = picture.as_ref().ok().map(|places| places[unit]);
        found.population.units.extend(place.map(|place| Placed {
            unit: measured.units[units[among]].clone(),
            place,
            angle_deg: preferred.and_then(|preferred| preferred.of_units[units[among]]),
        }));
        let ranks = std::iter::once(&by_correlation).chain(&by_tuning).map(|ranks| ranks[unit].to_string());
        let places = [0, 1].map(|axis| cell(place.map(|place| place[axis])));
        table
            .rows
            .push(&identity(&measured.units[units[among]]).into_iter().chain(ranks).chain(places).collect::<Vec<_>>());
    }
    found.tables.push(table);
    Ok(())
}

fn dissimilarity(groups: &[(usize, Vec<usize>)], patterns: &ResponseTable, found: &mut Characterisation) {
    if groups.len() > MOST_CONDITIONS {
        found.findings.push(format!("Dissimilarities of more than {MOST_CONDITIONS} conditions are not told."));
        return;
    }
    let Some(all) = Rdm::new(patterns, Dissimilarity::Correlation) else { return };
    let conditions: Vec<usize> = groups.iter().map(|(condition, _)| *condition).collect();
    let count = conditions.len();
    let values = (0..count * count).map(|at| all.at(at / count, at % count)).collect();
    found.population.dissimilarity = Some(Dissimilarities { conditions, values });
    let names: Vec<String> = groups.iter().map(|(condition, _)| format!("condition_{condition}")).collect();
    let header: Vec<&str> = std::iter::once("condition").chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::new("dissimilarity", &header);
    for (row, name) in names.iter().enumerate() {
        let cells = (0..names.len()).map(|column| cell(Some(all.at(row, column))));
        table.rows.push(&std::iter::once(name.clone()).chain(cells).collect::<Vec<_>>());
    }
    found.tables.push(table);
}

/// A parameter that was read from the population.
struct Decoded {
    /// How well, up to the name of the test.
    said: String,
    /// Its p-value, as if no other parameter were decoded.
    p: f64,
}

/// Tells what was decoded; p-values of several parameters are corrected for their number.
fn tell(decoded: &[Decoded], found: &mut Characterisation) {
    let alone: Vec<f64> = decoded.iter().map(|one| one.p).collect();
    let corrected = Correction::Holm.adjust(&alone).expect("shares of permutations lie within 0..=1");
    for (Decoded { said, p }, corrected) in decoded.iter().zip(corrected) {
        let corrected = match decoded.len() {
            1 => String::new(),
            count => format!(", corrected (Holm) for {count} decoded parameters p = {}", cell(Some(corrected))),
        };
        found.findings.push(format!("{said}: p = {}{corrected}.", cell(Some(*p))));
    }
}

/// What was shown, read from the population; `None` where it cannot be.
fn decoding(
    measured: &Measured,
    trials: &Trials,
    look: &Look,
    key: &str,
    found: &mut Characterisation,
) -> Option<Decoded> {
    let grouped = trials.grouped(&measured.schedule, key);
    let least = grouped.trials.iter().map(Vec::len).min().unwrap_or(0);
    if grouped.values.len() < 2 {
        return None;
    }
    let how = Decoder { folds: FOLDS.min(least), seed: look.seed };
    let decoded = trials.labelled(&grouped).map(|(table, labels)| decode(&table, &labels, &how))?;
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => {
            found.findings.push(format!("{key} was not decoded: {error}."));
            return None;
        }
    };
    let names: Vec<String> = grouped.values.iter().map(|value| format!("decoded_{value}")).collect();
    let header: Vec<&str> = std::iter::once("shown").chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::new(format!("decoding_{}", file_name(key)), &header);
    for (value, row) in grouped.values.iter().zip(&decoded.confusion) {
        let cells = row.iter().map(usize::to_string);
        table.rows.push(&std::iter::once(value.to_string()).chain(cells).collect::<Vec<_>>());
    }
    let interval = match decoded.interval(0.95) {
        Some((low, high)) => format!("95 % Wilson interval {:.1} to {:.1} %", 100.0 * low, 100.0 * high),
        None => "no interval".to_owned(),
    };
    let error = match period_deg(&measured.schedule, key) {
        Some(period) => {
            // Orientations lie on half a circle: told as directions of twice the angle.
            let turns = 360.0 / period;
            let around: Vec<f64> = grouped.values.iter().map(|value| turns * value).collect();
            format!(", mean error {:.1} deg", decoded.mean_error_deg(&around) / turns)
        }
        None => String::new(),
    };
    let said = format!(
        "Decoding of {key}, linear discriminant, {} folds, n = {} presentations: {:.0} % correct (chance {:.0} %){error}; {interval}; \
         permutation test against chance, one-sided, {} permutations",
        decoded.folds,
        decoded.decoded.len(),
        100.0 * decoded.accuracy,
        100.0 * decoded.chance,
        look.resamples
    );
    found.tables.push(table);
    found.population.decoded.push(Accuracy {
        parameter: spoken(key).0,
        accuracy: decoded.accuracy,
        interval: decoded.interval(0.95),
        chance: decoded.chance,
        presentations: decoded.decoded.len(),
    });
    Some(Decoded { said, p: decoded.p_value(look.resamples, look.seed) })
}

//! What came out when a twin was laid beside a recording, with everything that is shown of it counted once.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::recording::OpenRecording;
use super::{FigureStyle, RunFailure, parts};
use crate::analysis::Median;
use crate::comparison::{
    Comparison, ComparisonError, Distribution, Example, Examples, Measure, Pairs, PopulationComparison,
};
use crate::evaluation::{DomainEvaluation, EvaluationError, Quantity, Responder, Selection, UnitEvaluation};
use crate::figures::comparison::ComparisonFigure;
use crate::figures::{Format, Plate};
use crate::job::Progress;

/// Formats of the figures that are written into a folder: all there are.
pub(super) const FORMATS: [Format; 3] = [Format::Png, Format::Svg, Format::Pdf];
/// Width of a bin of CC_norm, and the ends of its axis; what lies beyond counts in the last bin.
pub const BIN: f64 = 0.05;
const ENDS: (f64, f64) = (-0.5, 1.5);
/// Bins of a histogram over two populations.
const BINS: usize = 20;

/// Name of the sheet among the figures of a comparison.
pub const SHEET: &str = "sheet";
/// Name of the figure with the responses of the unit that is shown, whatever its rank.
pub const UNIT_TRACES: &str = "unit_traces";
/// The tuning of that unit to direction.
pub const UNIT_TUNING: &str = "unit_tuning";

/// A twin beside a recording.
#[derive(Debug)]
pub struct Compared {
    /// The recording.
    pub recording: Arc<OpenRecording>,
    /// SHA-256 of the twin's weights.
    pub sha256: String,
    /// What was compared.
    pub selection: Selection,
    /// Everything that was found.
    pub found: Found,
    /// What is shown, domain by domain.
    pub domains: Vec<ComparedDomain>,
    /// Figures that can be written: name of the file without ending, and name for people. The sheet comes first.
    pub figures: Vec<(String, String)>,
    /// Who predicted whom, and what is simulated, in one line.
    pub notice: String,
    /// Time that it took.
    pub seconds: f64,
}

/// Unit by unit, or two populations.
#[derive(Debug)]
pub enum Found {
    /// The same cells.
    Units(Comparison),
    /// Other cells.
    Population(PopulationComparison),
}

/// One domain of stimuli.
#[derive(Debug)]
pub struct ComparedDomain {
    /// Its name.
    pub name: String,
    /// Movies and repeats in words; empty where they are not counted.
    pub shown: String,
    /// Responses that were not measured.
    pub missing: usize,
    /// Number of units.
    pub units: usize,
    /// Medians over units of CC_norm, CC_abs and CC_max.
    pub medians: [Option<Median>; 3],
    /// Why there is no CC_norm where there is none.
    pub why_no_ceiling: Option<String>,
    /// Middle of each bin of CC_norm, and its units.
    pub bars: Vec<[f64; 2]>,
    /// Index of a unit, its CC_max and its CC_abs.
    pub accuracy: Vec<(usize, [f64; 2])>,
    /// Quantities of tuning, in silico against in vivo.
    pub tunings: Vec<ComparedTuning>,
    /// Quantities of two populations that are not the same cells.
    pub distributions: Vec<ComparedDistribution>,
}

/// A quantity of tuning of all units for which it is defined in both.
#[derive(Debug)]
pub struct ComparedTuning {
    /// Its name.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Index of a unit, its recorded and its predicted value; on a circle the predicted one lies within half a turn of the
    /// recorded one, so that what agrees lies along one line.
    pub points: Vec<(usize, [f64; 2])>,
    /// How well both agree, with n.
    pub agreement: String,
}

/// A quantity of two populations.
#[derive(Debug)]
pub struct ComparedDistribution {
    /// Its name with its unit.
    pub axis: String,
    /// Width of a bin.
    pub bin: f64,
    /// Ends of the axis of what lies on a circle: once around.
    pub ends: Option<(f64, f64)>,
    /// Middle of each bin, and the share of the recorded units in it.
    pub recorded: Vec<[f64; 2]>,
    /// The same of the twin's; empty where a twin has none.
    pub predicted: Vec<[f64; 2]>,
    /// Numbers of units and the test of their difference.
    pub words: String,
}

impl Compared {
    /// Lays a responder beside a recording.
    pub(super) fn of(
        responder: &dyn Responder,
        sha256: &str,
        recording: &Arc<OpenRecording>,
        (selection, population): (&Selection, bool),
        progress: &Progress,
    ) -> Result<Self, RunFailure> {
        let began = std::time::Instant::now();
        let (session, table) = (&recording.session, &recording.table);
        let found = if population {
            Found::Population(
                PopulationComparison::of(responder, session, table, selection, progress).map_err(|e| failure(&e))?,
            )
        } else {
            Found::Units(Comparison::of(responder, session, table, selection, progress).map_err(|e| failure(&e))?)
        };
        let (domains, notice) = match &found {
            Found::Units(found) => (of_units(found), found.evaluation.notice()),
            Found::Population(found) => (of_populations(found), found.notice()),
        };
        let mut compared = Self {
            recording: Arc::clone(recording),
            sha256: sha256.to_owned(),
            selection: selection.clone(),
            found,
            domains,
            figures: Vec::new(),
            notice,
            seconds: began.elapsed().as_secs_f64(),
        };
        let named = |(stem, figure): (String, ComparisonFigure<'_>)| (stem, figure.label());
        let figures: Vec<(String, String)> = compared.named().into_iter().map(named).collect();
        let sheet = (SHEET.to_owned(), "Sheet of all, for the domain that is shown".to_owned());
        let of_unit = |(stem, label): (&str, &str)| (stem.to_owned(), label.to_owned());
        compared.figures = match &compared.found {
            Found::Units(found) => {
                let traces = (UNIT_TRACES, "Responses of the selected unit over time");
                let tuning = (UNIT_TUNING, "Tuning of the selected unit");
                let traces = (!found.examples.is_empty()).then_some(traces);
                let tuning = (!found.directions.is_empty()).then_some(tuning);
                let of_units = traces.into_iter().chain(tuning).map(of_unit).collect();
                [vec![sheet], figures, of_units].concat()
            }
            Found::Population(_) => figures,
        };
        Ok(compared)
    }

    /// The comparison unit by unit; `None` of two populations.
    pub fn comparison(&self) -> Option<&Comparison> {
        match &self.found {
            Found::Units(found) => Some(found),
            Found::Population(_) => None,
        }
    }

    /// What is said of a unit in a domain.
    pub fn unit(&self, domain: usize, unit: usize) -> Option<&UnitEvaluation> {
        self.comparison()?.evaluation.domains.get(domain)?.units.get(unit)
    }

    /// Number of units that are compared one by one.
    pub fn units(&self) -> usize {
        self.comparison().map_or(0, |found| found.evaluation.units.len())
    }

    /// Number of a unit in the recording, as text.
    pub fn unit_name(&self, unit: usize) -> String {
        let id = self.comparison().and_then(|found| found.evaluation.units.get(unit));
        id.map_or_else(String::new, |id| id.unit.to_string())
    }

    /// Area of a unit; empty where it is not known.
    pub fn area(&self, unit: usize) -> &str {
        let place = self.comparison().and_then(|found| found.evaluation.places.get(unit));
        place.and_then(|place| place.area.as_deref()).unwrap_or_default()
    }

    fn named(&self) -> Vec<(String, ComparisonFigure<'_>)> {
        match &self.found {
            Found::Units(found) => ComparisonFigure::named(found),
            Found::Population(found) => {
                let figure = ComparisonFigure::Population(found);
                vec![(figure.stem(), figure)]
            }
        }
    }

    /// Writes one figure with its numbers; the ending of the path decides the format. `domain` and `unit` are those that
    /// are shown: some figures are about them.
    pub(super) fn write_figure(
        &self,
        name: &str,
        (domain, unit): (usize, usize),
        style: &FigureStyle,
        path: &Path,
    ) -> Result<PathBuf, String> {
        let alone = OnceCell::new();
        parts::write_plate(&self.plate(name, (domain, unit), &alone)?, style, path)
    }

    /// Figures that can stand on a sheet beside others, as the domain and the unit that are shown have them: their names,
    /// and their names for people.
    pub fn panels(&self, (domain, unit): (usize, usize)) -> Vec<(String, String)> {
        let tuned = || {
            let (found, name) = (self.comparison()?, &self.domains.get(domain)?.name);
            let directions = found.directions.iter().find(|one| one.domain == *name)?;
            ComparisonFigure::UnitTuning(found, directions, unit).plate().check().ok()
        };
        let fits = |stem: &str| match stem {
            SHEET => false,
            UNIT_TRACES => self.examples_of(domain).is_ok(),
            UNIT_TUNING => tuned().is_some(),
            _ => true,
        };
        self.figures.iter().filter(|(stem, _)| fits(stem)).cloned().collect()
    }

    /// Writes the figures of these names on one sheet, as [`Compared::write_figure`] does a single one.
    pub(super) fn write_sheet(
        &self,
        names: &[String],
        shown: (usize, usize),
        style: &FigureStyle,
        path: &Path,
    ) -> Result<PathBuf, String> {
        let alone = OnceCell::new();
        let plates: Result<Vec<Plate<'_>>, String> = names.iter().map(|name| self.plate(name, shown, &alone)).collect();
        parts::write_plate(&ComparisonFigure::sheet_of(plates?), style, path)
    }

    /// The figure of this name. `alone` keeps the responses of the unit that is shown, which are read for its traces.
    fn plate<'a>(
        &'a self,
        name: &str,
        (domain, unit): (usize, usize),
        alone: &'a OnceCell<Examples>,
    ) -> Result<Plate<'a>, String> {
        let shown = self.domains.get(domain).map_or("", |domain| domain.name.as_str());
        Ok(match (&self.found, name, self.named().into_iter().find(|(stem, _)| stem == name)) {
            (Found::Units(found), UNIT_TRACES, _) => {
                let (examples, example) = self.example_of(domain, unit)?;
                let alone = alone.get_or_init(|| Examples { units: vec![example], ..examples.clone() });
                ComparisonFigure::Traces(found, alone).plate()
            }
            (Found::Units(found), UNIT_TUNING, _) => {
                let nothing =
                    || format!("no direction was varied in the domain {shown}, so there is no tuning to show");
                let directions = found.directions.iter().find(|one| one.domain == shown).ok_or_else(nothing)?;
                ComparisonFigure::UnitTuning(found, directions, unit).plate()
            }
            (_, _, Some((_, figure))) => figure.plate(),
            (Found::Units(found), _, None) => ComparisonFigure::sheet(found, shown),
            (Found::Population(found), _, None) => ComparisonFigure::Population(found).plate(),
        })
    }

    /// Writes every table and every figure into a folder, as `twinscope compare` does.
    pub(super) fn write_all(&self, style: &FigureStyle, folder: &Path) -> Result<PathBuf, String> {
        let tables = match &self.found {
            Found::Units(found) => found.write(folder),
            Found::Population(found) => found.write(folder),
        };
        tables.map_err(|error| parts::sentence(&error))?;
        for (stem, figure) in self.named() {
            let written = figure.plate().export(folder, &stem, &FORMATS, &style.layout);
            written.map_err(|error| parts::sentence(&error))?;
        }
        Ok(folder.to_owned())
    }
}

/// One unit over the movie of a domain that was shown most often.
#[derive(Debug)]
pub struct ComparedTrace {
    /// What it belongs to.
    pub compared: Arc<Compared>,
    /// Index of the domain.
    pub domain: usize,
    /// Index of the unit.
    pub unit: usize,
    /// The responses, or in a sentence why they could not be read.
    pub lines: Result<TraceLines, String>,
}

/// Responses over time as lines: seconds, and multiples of the unit's mean activity.
#[derive(Debug)]
pub struct TraceLines {
    /// Name of the movie, where it has one.
    pub movie: Option<String>,
    /// Number of repeats.
    pub count: usize,
    /// Pieces of the recorded repeats, interrupted where nothing was measured; of the first repeats alone where there are
    /// very many.
    pub repeats: Vec<Vec<[f64; 2]>>,
    /// Pieces of their mean.
    pub mean: Vec<Vec<[f64; 2]>>,
    /// The prediction.
    pub predicted: Vec<[f64; 2]>,
    /// Responses that were not measured.
    pub missing: usize,
}

/// Most points of single repeats that are drawn.
const MOST_POINTS: usize = 60_000;

impl ComparedTrace {
    /// Reads what was recorded of a unit.
    pub(super) fn read(compared: Arc<Compared>, domain: usize, unit: usize) -> Self {
        let lines = compared.trace_of(domain, unit);
        Self { compared, domain, unit, lines }
    }

    /// Whether it is that of a unit in a domain.
    pub fn is_of(&self, compared: &Arc<Compared>, domain: usize, unit: usize) -> bool {
        Arc::ptr_eq(&self.compared, compared) && (self.domain, self.unit) == (domain, unit)
    }
}

impl Compared {
    /// The movie of a domain that was shown most often, of the comparison that it belongs to.
    fn examples_of(&self, domain: usize) -> Result<(&Comparison, &Examples), String> {
        let nothing = || "no movie of this domain was compared unit by unit".to_owned();
        let found = self.comparison().ok_or_else(nothing)?;
        let name = &self.domains.get(domain).ok_or_else(nothing)?.name;
        let examples = found.examples.iter().find(|examples| examples.domain == *name).ok_or_else(nothing)?;
        Ok((found, examples))
    }

    /// The same, and any unit over it.
    fn example_of(&self, domain: usize, unit: usize) -> Result<(&Examples, Example), String> {
        let (found, examples) = self.examples_of(domain)?;
        let example = examples.of_unit(&self.recording.session, &found.evaluation.units, unit);
        Ok((examples, example.map_err(|error| parts::sentence(&error))?))
    }

    fn trace_of(&self, domain: usize, unit: usize) -> Result<TraceLines, String> {
        let (examples, example) = self.example_of(domain, unit)?;
        let frame_rate = self.recording.session.frame_rate;
        let secs = |frame: usize| (frame as f64 + 0.5) / frame_rate.0;
        let pieces = |values: &[f32]| -> Vec<Vec<[f64; 2]>> {
            let mut pieces = vec![Vec::new()];
            for (frame, value) in values.iter().enumerate() {
                match pieces.last_mut().filter(|_| !value.is_nan()) {
                    Some(piece) => piece.push([secs(frame), f64::from(*value)]),
                    None => pieces.push(Vec::new()),
                }
            }
            pieces.retain(|piece| !piece.is_empty());
            pieces
        };
        let drawn = (MOST_POINTS / example.predicted.len().max(1)).max(1);
        Ok(TraceLines {
            movie: examples.movie.clone(),
            count: example.repeats.len(),
            repeats: example.repeats.iter().take(drawn).flat_map(|repeat| pieces(repeat)).collect(),
            mean: pieces(&example.mean()),
            predicted: pieces(&example.predicted).concat(),
            missing: example.repeats.iter().flatten().filter(|value| value.is_nan()).count(),
        })
    }
}

fn failure(error: &ComparisonError) -> RunFailure {
    match error {
        ComparisonError::Evaluation(EvaluationError::Cancelled(_)) => RunFailure::Cancelled,
        other => RunFailure::Failed(parts::sentence(other)),
    }
}

/// A median with its interval in words.
pub fn spoken(median: Option<Median>, decimals: usize, unit: &str) -> String {
    let Some(median) = median else { return "–".to_owned() };
    let interval = median.interval.map(|(low, high)| format!(" [{low:.decimals$}, {high:.decimals$}]"));
    format!("{:.decimals$}{unit}{}", median.value, interval.unwrap_or_default())
}

fn of_units(found: &Comparison) -> Vec<ComparedDomain> {
    let seed = found.evaluation.selection.seed;
    let tuned = |name: &str| -> Vec<ComparedTuning> {
        let directions = found.directions.iter().filter(|one| one.domain == name);
        let mut all: Vec<ComparedTuning> = directions
            .flat_map(|one| {
                [Measure::PreferredDirection, Measure::PreferredOrientation, Measure::GlobalOsi, Measure::GlobalDsi]
                    .map(|measure| tuning(&one.pairs(measure), seed, ""))
            })
            .collect();
        for one in found.fields.iter().filter(|one| one.domain == name) {
            let distance = one.median_distance(seed);
            let distance = distance.map(|distance| format!("; centres {} apart", spoken(Some(distance), 1, "°")));
            all.extend(one.pairs().iter().map(|pairs| tuning(pairs, seed, distance.as_deref().unwrap_or_default())));
        }
        all.retain(|tuning| !tuning.points.is_empty());
        all
    };
    let accuracy = |domain: &DomainEvaluation| {
        let units = domain.units.iter().enumerate();
        units.filter_map(|(unit, scores)| Some((unit, [scores.cc_max?, scores.cc_abs?]))).collect()
    };
    let domain = |domain: &DomainEvaluation| ComparedDomain {
        bars: counted(&domain.values(Quantity::CcNorm)),
        accuracy: accuracy(domain),
        tunings: tuned(&domain.name),
        ..bare(domain)
    };
    found.evaluation.domains.iter().map(domain).collect()
}

fn bare(domain: &DomainEvaluation) -> ComparedDomain {
    ComparedDomain {
        name: domain.name.clone(),
        shown: domain.shown(),
        missing: domain.missing,
        units: domain.units.len(),
        medians: [Quantity::CcNorm, Quantity::CcAbs, Quantity::CcMax].map(|quantity| domain.median(quantity)),
        why_no_ceiling: domain.why_no_ceiling().map(|why| why.to_string()),
        bars: Vec::new(),
        accuracy: Vec::new(),
        tunings: Vec::new(),
        distributions: Vec::new(),
    }
}

fn tuning(pairs: &Pairs, seed: u64, more: &str) -> ComparedTuning {
    let n = pairs.n();
    let among = if pairs.among.is_empty() { String::new() } else { format!(" ({})", pairs.among) };
    let difference = || Some(format!("median difference {}, ", spoken(Some(pairs.median_error(seed)?), 1, pairs.unit)));
    let said = pairs.correlation(seed).map(|r| format!("r = {r}, ")).or_else(difference);
    let agreement = format!("{}n = {n} units{among}{more}", said.unwrap_or_default());
    let points = pairs.points.iter().zip(pairs.unwrapped());
    ComparedTuning {
        label: pairs.label,
        unit: pairs.unit,
        points: points.map(|(point, (recorded, predicted))| (point.0, [recorded, predicted])).collect(),
        agreement,
    }
}

/// Units in each bin of CC_norm, from the first to the last that has any.
fn counted(values: &[f64]) -> Vec<[f64; 2]> {
    let last = ((ENDS.1 - ENDS.0) / BIN).round() as usize - 1;
    let mut counts = vec![0usize; last + 1];
    for value in values {
        let bin = ((value - ENDS.0) / BIN).floor().max(0.0) as usize;
        counts[bin.min(last)] += 1;
    }
    let middle = |bin: usize| ENDS.0 + (bin as f64 + 0.5) * BIN;
    counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bin, &n)| [middle(bin), n as f64]).collect()
}

fn of_populations(found: &PopulationComparison) -> Vec<ComparedDomain> {
    let mut domains: Vec<ComparedDomain> = found
        .ceilings
        .iter()
        .map(|domain| {
            let ceilings = domain.values(Quantity::CcMax);
            let words =
                format!("n = {} of {} recorded units; a twin has no ceiling", ceilings.len(), domain.units.len());
            let ceiling = (!ceilings.is_empty()).then(|| distribution("CC_max", "", None, [&ceilings, &[]], words));
            ComparedDomain { distributions: ceiling.into_iter().collect(), ..bare(domain) }
        })
        .collect();
    for (one, adjusted) in found.distributions.iter().zip(found.adjusted()) {
        let shown = of_distribution(one, adjusted);
        match domains.iter_mut().find(|domain| domain.name == one.domain) {
            Some(domain) => domain.distributions.push(shown),
            None => domains.push(ComparedDomain {
                name: one.domain.clone(),
                shown: String::new(),
                missing: 0,
                units: found.units.0,
                medians: [None; 3],
                why_no_ceiling: None,
                bars: Vec::new(),
                accuracy: Vec::new(),
                tunings: Vec::new(),
                distributions: vec![shown],
            }),
        }
    }
    domains
}

fn of_distribution(one: &Distribution, adjusted: Option<f64>) -> ComparedDistribution {
    let n = format!("n = {} recorded, {} predicted units", one.recorded.len(), one.predicted.len());
    let words = match one.test().zip(adjusted) {
        Some((test, p)) => {
            let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
            format!("{n}; {}, corrected (Holm) {p}", test.test.label())
        }
        None => n,
    };
    distribution(one.label, one.unit, one.period, [&one.recorded, &one.predicted], words)
}

fn distribution(
    label: &str,
    unit: &str,
    period: Option<f64>,
    [recorded, predicted]: [&[f64]; 2],
    words: String,
) -> ComparedDistribution {
    let all = || recorded.iter().chain(predicted).copied();
    let ends = period.map(|period| (0.0, period));
    let (low, high) = ends.unwrap_or_else(|| (all().fold(0.0, f64::min), all().fold(0.0, f64::max)));
    let bin = if high > low { (high - low) / BINS as f64 } else { 1.0 / BINS as f64 };
    let shares = |values: &[f64]| -> Vec<[f64; 2]> {
        let mut counts = [0usize; BINS];
        for value in values {
            counts[(((value - low) / bin).max(0.0) as usize).min(BINS - 1)] += 1;
        }
        let share = |count: usize| count as f64 / values.len().max(1) as f64;
        let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        bars.map(|(place, &count)| [low + (place as f64 + 0.5) * bin, share(count)]).collect()
    };
    ComparedDistribution {
        axis: if unit.is_empty() { label.to_owned() } else { format!("{label} ({unit})") },
        bin,
        ends,
        recorded: shares(recorded),
        predicted: shares(predicted),
        words,
    }
}

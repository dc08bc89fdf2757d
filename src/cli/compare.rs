//! `twinscope compare`: a twin beside a recorded or simulated session.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::evaluate::{SelectionArguments, finding};
use super::figure::FigureArguments;
use super::waiting::{stoppable, while_shown};
use super::{DeviceArgument, OptionalTwin, say};
use crate::comparison::{Comparison, Measure, PopulationComparison, matched};
use crate::data::{PresentationTable, check_folder, import};
use crate::figures::comparison::ComparisonFigure;
use crate::model::twin::{Twin, TwinOptions};

/// Lay a twin beside a recording: accuracy, responses over time, tuning in silico against in vivo.
///
/// Every trial is predicted with its own movie, gaze and running, as by `twinscope evaluate`, whose tables are written too.
/// Figures, each as PNG, SVG and CSV: accuracy (CC_norm as a histogram, CC_abs against CC_max), domains (medians with their
/// 95 % interval), traces (recorded repeats, their mean and the prediction, for the best, the median and the quartile
/// units); where directions or orientations were varied, tuning (preferred direction, circular error, gOSI, gDSI); where
/// spots such as Gaussian dots, sparse noise or white noise were shown, receptive fields (centre, size, distance).
/// Correlations of tuning over 6 units or more have a 95 % interval (BCa bootstrap over units), in tuning_summary.csv too.
///
/// What was shown is read from the conditions of trials, such as `direction=90`, or from presentations.csv in the session
/// folder, which `twinscope simulate` writes.
///
/// Twin and recording must agree in animal, session, scan and unit. With --population other twins are welcome: then only
/// distributions are compared. Nothing is kept of a comparison that was stopped.
#[derive(Debug, Args)]
pub struct CompareArguments {
    #[command(flatten)]
    twin: OptionalTwin,
    /// Recording: a session folder, or any that `twinscope session` reads
    #[arg(long, value_name = "S")]
    session: PathBuf,
    /// Compare distributions over both populations, not pairs of units: twin and recording may be of other animals
    #[arg(long)]
    population: bool,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    figures: FigureArguments,
    #[command(flatten)]
    device: DeviceArgument,
    /// Folder for the tables and figures
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
pub fn perform(arguments: &CompareArguments) -> Result<()> {
    let out = &arguments.out;
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let session = import::open(&arguments.session)?;
    let table = PresentationTable::beside(&arguments.session)?;
    let weights = arguments.twin.load()?;
    if !arguments.population {
        // Said before the device is opened, which may take a while.
        matched(&weights.units, &session)?;
    }
    let twin = Twin::open(Arc::new(weights), &arguments.device.open()?, TwinOptions::default())?;
    let (selection, progress) = (arguments.selection.selection(), stoppable());
    if arguments.population {
        let found = while_shown("compare", &progress, || {
            PopulationComparison::of(&twin, &session, &table, &selection, &progress)
        })?;
        for path in found.write(out)?.into_iter().chain(population(arguments, &found)?) {
            say(path.display())?;
        }
        say(found.notice())?;
        return found.distributions.iter().zip(found.adjusted()).try_for_each(|(one, adjusted)| {
            match one.test().zip(adjusted) {
                Some((test, p)) => {
                    say(format_args!("{}: {}, {test}, corrected (Holm) p = {p:.2e}", one.domain, one.label))
                }
                None => Ok(()),
            }
        });
    }
    let found = while_shown("compare", &progress, || Comparison::of(&twin, &session, &table, &selection, &progress))?;
    let mut paths = found.write(out)?;
    for (stem, figure) in ComparisonFigure::named(&found) {
        paths.extend(arguments.figures.write(&figure.plate(), out, &stem)?);
    }
    for path in paths {
        say(path.display())?;
    }
    say(found.evaluation.notice())?;
    found.evaluation.domains.iter().try_for_each(|domain| say(finding(domain)))?;
    told_tuning(&found)
}

fn population(arguments: &CompareArguments, found: &PopulationComparison) -> Result<Vec<PathBuf>> {
    let figure = ComparisonFigure::Population(found);
    arguments.figures.write(&figure.plate(), &arguments.out, &figure.stem())
}

/// How well tuning agrees, a line for each quantity.
fn told_tuning(found: &Comparison) -> Result<()> {
    let seed = found.evaluation.selection.seed;
    for one in &found.directions {
        for measure in
            [Measure::PreferredDirection, Measure::PreferredOrientation, Measure::GlobalOsi, Measure::GlobalDsi]
        {
            let pairs = one.pairs(measure);
            let n = pairs.n();
            let said = match (pairs.correlation(seed), pairs.period.and_then(|_| pairs.median_error(seed))) {
                (Some(r), _) => format!("r = {r}, n = {n} units"),
                (None, Some(median)) => {
                    format!("median error {:.1}{}, n = {n} units ({})", median.value, pairs.unit, pairs.among)
                }
                (None, None) => continue,
            };
            say(format_args!("{}: {}, in silico against in vivo: {said}", one.domain, pairs.label))?;
        }
    }
    for one in &found.fields {
        if let Some(median) = one.median_distance(seed) {
            let n = median.n;
            say(format_args!(
                "{}: receptive fields, in silico against in vivo: median distance {:.1}°, n = {n} units",
                one.domain, median.value
            ))?;
        }
    }
    Ok(())
}

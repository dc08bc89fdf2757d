//! Runs a protocol from the command line and writes everything it found; the demonstration is one such run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::figure::{FigureArguments, SheetArgument};
use super::{DeviceArgument, say};
use crate::data::check_folder;
use crate::experiment::{self, Outcome, Protocol};
use crate::figures::{Data, Figure};
use crate::gpu::{ComputeDevice, DeviceChoice};
use crate::job::Progress;
use crate::model::twin::{Twin, TwinOptions};
use crate::model::weights::{self, TwinWeights};
use crate::signals::{Responses, SourceError};
use crate::stimulus;

/// The window where there is a display, else the demonstration.
pub fn window_or_demo(
    window: impl FnOnce(Option<DeviceChoice>) -> Result<()>,
    device: Option<DeviceChoice>,
) -> Result<()> {
    if has_display() {
        match window(device) {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("The window could not be opened ({error:#}); running the demonstration instead."),
        }
    } else {
        say("No display was found: running the demonstration without a window.")?;
    }
    let device = DeviceArgument { device: device.unwrap_or_default() }.open()?;
    demo(Path::new("twinscope-demo"), &device, &FigureArguments::default())
}

/// Only Linux and the BSDs run without a desktop and say so.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", target_os = "windows")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Direction tuning of the built-in twin to gratings and to moving dots.
pub fn demo(out: &Path, device: &ComputeDevice, figures: &FigureArguments) -> Result<()> {
    let twin = Arc::new(weights::builtin());
    say(format_args!("{} ({} units): {}", twin.card.name, twin.units.len(), twin.card.note))?;
    for (name, text) in [
        ("gratings", include_str!("../../assets/protocols/direction_grating.toml")),
        ("dots", include_str!("../../assets/protocols/direction_dots.toml")),
    ] {
        let protocol = Protocol::from_toml(text, &format!("{name}.toml"))?;
        let sheet = SheetArgument::default();
        perform(&protocol, twin.clone(), device, &out.join(name), figures, &sheet)?;
    }
    Ok(())
}

/// Runs a protocol whose paths are absolute: it is written beside the results, in another folder, and its clips must be
/// found from there as well.
pub fn run(
    protocol: &Protocol,
    out: &Path,
    twin: TwinWeights,
    device: &DeviceArgument,
    figures: &FigureArguments,
    sheet: &SheetArgument,
) -> Result<()> {
    perform(protocol, Arc::new(twin), &device.open()?, out, figures, sheet)
}

fn perform(
    protocol: &Protocol,
    twin: Arc<TwinWeights>,
    device: &ComputeDevice,
    out: &Path,
    figures: &FigureArguments,
    sheet: &SheetArgument,
) -> Result<()> {
    check_folder(out).with_context(|| format!("{}: nothing can be written there", out.display()))?;
    let mut twin = Twin::open(twin, device, TwinOptions::default())?;
    let outcome = experiment::run(
        protocol,
        &mut twin,
        None,
        &mut |schedule, monitor| {
            stimulus::source(schedule, monitor, Path::new(""), device)
                .map_err(|error| SourceError::new(error.to_string()))
        },
        &Progress::new(),
        &mut |_| (),
    )?;
    for path in save(&outcome, out, figures, sheet)? {
        say(path.display())?;
    }
    if let Some(line) = finding(&outcome) {
        say(line)?;
    }
    Ok(())
}

/// Tables, then every figure that the outcome can fill, and the sheet that was asked for.
fn save(outcome: &Outcome, out: &Path, arguments: &FigureArguments, sheet: &SheetArgument) -> Result<Vec<PathBuf>> {
    let mut paths = outcome.write(out)?;
    let data = Data::of(outcome);
    let unit = most_selective(outcome);
    for figure in Figure::all(unit).into_iter().filter(|figure| figure.fits(&data)) {
        paths.extend(arguments.write(&figure.of(&data), out, figure.stem())?);
    }
    if let Some(sheet) = sheet.plate(&data, unit) {
        paths.extend(arguments.write(&sheet, out, "sheet")?);
    }
    Ok(paths)
}

/// The unit whose tuning is shown: the one most modulated by the parameter that is analysed, or with the sharpest
/// direction tuning; when nothing was tuned, the one whose response varies most.
fn most_selective(outcome: &Outcome) -> usize {
    if let Some(unit) = outcome.parameter.as_ref().and_then(|tuning| tuning.most_modulated()) {
        return unit;
    }
    let Some(tuning) = &outcome.tuning else { return most_variable(&outcome.responses) };
    let selectivity = |unit: usize| tuning.units[unit].global_dsi.unwrap_or(-1.0);
    (0..tuning.units.len()).max_by(|&a, &b| selectivity(a).total_cmp(&selectivity(b))).unwrap_or(0)
}

/// The unit whose response varies most over time.
fn most_variable(responses: &Responses) -> usize {
    let variance = |unit: usize| {
        let values = || responses.trace(0, unit).map(f64::from);
        let mean = values().sum::<f64>() / responses.frames().max(1) as f64;
        values().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    let variances: Vec<f64> = (0..responses.units()).map(variance).collect();
    (0..variances.len()).max_by(|&a, &b| variances[a].total_cmp(&variances[b])).unwrap_or(0)
}

/// One line that says what came out.
fn finding(outcome: &Outcome) -> Option<String> {
    let tuning = outcome.tuning.as_ref()?;
    let selective = tuning.units.iter().filter(|unit| unit.global_dsi.is_some_and(|dsi| dsi > 0.2)).count();
    let (title, units) = (&outcome.protocol.title, tuning.units.len());
    Some(format!("{title}: {selective} of {units} units have a gDSI above 0.2 ({})", outcome.provenance.notice()))
}

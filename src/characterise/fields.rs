//! Receptive fields: Gaussian dots, sparse noise, white noise.

use rayon::prelude::*;

use super::table::{cell, identity};
use super::{Characterisation, CharacteriseError, Look, Measured, Table};
use crate::analysis::fit::fit_gaussian_2d;
use crate::analysis::receptive_field::{
    Lit, SquareMaps, gaussian_dot_maps, reverse_correlate, sparse_noise_maps, spatial_selectivity,
};
use crate::signals::{FrameSource, Monitor, Raster, SourceError};
use crate::stimulus::Stimulus;

/// Most pixels of a map of dots, and most blocks of a map of noise.
const MAP: Raster = Raster { height: 18, width: 32 };
/// Delays of reverse correlation, frames.
const DELAYS: usize = 12;
/// Units whose kernels lie in memory at once.
const TOGETHER: usize = 64;
/// Columns of a fitted field.
const FITTED: [&str; 9] = [
    "x_deg",
    "y_deg",
    "sigma_long_deg",
    "sigma_short_deg",
    "orientation_deg",
    "amplitude",
    "baseline",
    "r2",
    "settled",
];

/// Adds a table for every way to a map that the schedule offers.
pub(super) fn add(
    measured: &Measured,
    look: &Look,
    movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let Some(monitor) = &measured.monitor else { return Ok(()) };
    let raster = Raster { height: MAP.height.min(monitor.raster.height), width: MAP.width.min(monitor.raster.width) };
    let (schedule, responses) = (&measured.schedule, &measured.responses);
    if let Some(maps) = gaussian_dot_maps(schedule, monitor, raster, look.delay_frames, responses) {
        let places = maps.places();
        let shape = [maps.raster().height, maps.raster().width];
        mapped(measured, "dots", "Gaussian dots", &places, shape, &|lit, unit| maps.map(lit, unit), found);
    }
    if let Some(maps) = sparse_noise_maps(schedule, monitor, look.delay_frames, responses) {
        let (places, shape) = (squares(&maps, monitor), maps.shape());
        mapped(measured, "sparse_noise", "sparse noise", &places, shape, &|lit, unit| maps.map(lit, unit), found);
    }
    let noise = |stimulus: &Stimulus| matches!(stimulus, Stimulus::WhiteNoise(_) | Stimulus::BinaryNoise(_));
    let is_noise = |index: usize| {
        let condition = &schedule.conditions[index];
        !condition.is_blank() && noise(&condition.stimulus)
    };
    let stretches: Vec<_> =
        schedule.presentations.iter().filter(|shown| is_noise(shown.condition)).map(|shown| shown.range()).collect();
    if !stretches.is_empty() {
        white_noise(measured, monitor, raster, &stretches, movie, found)?;
    }
    Ok(())
}

/// The middle of every square, degrees.
fn squares(maps: &SquareMaps, monitor: &Monitor) -> Vec<[f64; 2]> {
    let [rows, columns] = maps.shape();
    let mut sums = vec![([0.0; 2], 0.0); rows * columns];
    for row in 0..monitor.raster.height {
        for column in 0..monitor.raster.width {
            let (along, down) = maps.patterns().square_of_pixel(row, column);
            let Some((sum, count)) = sums.get_mut(down * columns + along).filter(|_| along < columns) else { continue };
            let (x, y) = monitor.degrees_from_pixel(row as f64, column as f64);
            *sum = [sum[0] + x, sum[1] + y];
            *count += 1.0;
        }
    }
    sums.into_iter().map(|([x, y], count)| [x / count, y / count]).collect()
}

/// Cells of the Gaussian nearest to a map; pixels that were never lit are left out.
fn fitted(places: &[[f64; 2]], map: &[Option<f64>]) -> Vec<String> {
    let known = places.iter().zip(map).filter_map(|(place, value)| Some((*place, (*value)?)));
    let (places, values): (Vec<[f64; 2]>, Vec<f64>) = known.filter(|(place, _)| place[0].is_finite()).unzip();
    match fit_gaussian_2d(&places, &values) {
        Ok(fit) => {
            let (c, good) = (fit.curve, fit.goodness);
            let numbers =
                [c.centre[0], c.centre[1], c.sigma[0], c.sigma[1], c.orientation_deg, c.amplitude, c.baseline, good.r2];
            [numbers.map(|value| cell(Some(value))).to_vec(), vec![good.success.to_string()]].concat()
        }
        Err(error) => [vec![String::new(); FITTED.len() - 1], vec![error.to_string()]].concat(),
    }
}

/// Maps of bright, dark and all probes, one row each.
fn mapped(
    measured: &Measured,
    name: &str,
    spoken: &str,
    places: &[[f64; 2]],
    [height, width]: [usize; 2],
    map: &(dyn Fn(Lit, usize) -> Vec<Option<f64>> + Sync),
    found: &mut Characterisation,
) {
    let mut table = Table::of_units(format!("receptive_fields_{name}"), &[&["lit"], &FITTED[..], &["SSI"]].concat());
    let rows = |unit: usize| -> Vec<Vec<String>> {
        let one = |lit: Lit| {
            let word = match lit {
                Lit::On => "on",
                Lit::Off => "off",
                Lit::Both => "both",
            };
            let map = map(lit, unit);
            let whole: Option<Vec<f64>> = map.iter().copied().collect();
            let ssi = whole.and_then(|map| spatial_selectivity(&map, height, width));
            [identity(&measured.units[unit]), vec![word.to_owned()], fitted(places, &map), vec![cell(ssi)]].concat()
        };
        Lit::ALL.into_iter().map(one).collect()
    };
    table.rows = (0..measured.units.len()).into_par_iter().flat_map_iter(rows).collect();
    let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
    found.findings.push(format!(
        "Receptive fields from {spoken}: {good} of {} maps (bright, dark and both, for each unit) have a Gaussian fit with r2 of at least 0.5.",
        table.rows.len()
    ));
    found.panels.push(table.panel("r2", &format!("Receptive fields, {spoken}"), "r² of the Gaussian fit"));
    found.panels.push(table.panel("SSI", &format!("Receptive fields, {spoken}"), "Spatial selectivity (SSI)"));
    found.tables.push(table);
}

/// Reverse correlation in space and time.
fn white_noise(
    measured: &Measured,
    monitor: &Monitor,
    grid: Raster,
    stretches: &[std::ops::Range<usize>],
    movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let middle = |index: usize, count: usize, pixels: usize| (index as f64 + 0.5) * pixels as f64 / count as f64 - 0.5;
    let place = |block: usize| {
        let row = middle(block / grid.width, grid.height, monitor.raster.height);
        let (x, y) = monitor.degrees_from_pixel(row, middle(block % grid.width, grid.width, monitor.raster.width));
        [x, y]
    };
    let places: Vec<[f64; 2]> = (0..grid.pixels()).map(place).collect();
    let mut table = Table::of_units(
        "receptive_fields_white_noise",
        &[&["peak_delay_frames", "separable_share", "largest_z", "frames"], &FITTED[..]].concat(),
    );
    let units = measured.units.len();
    for first in (0..units).step_by(TOGETHER) {
        let some = first..units.min(first + TOGETHER);
        let mut source = movie()?;
        let kernels = reverse_correlate(
            source.as_mut(),
            stretches,
            [grid.height, grid.width],
            DELAYS,
            &measured.responses,
            some.clone(),
        )
        .map_err(|error| CharacteriseError::Nothing(error.to_string()))?;
        for unit in some {
            let mut cells = identity(&measured.units[unit]);
            let Some(kernel) = kernels.unit(unit - first) else {
                cells.extend(vec![String::new(); 4 + FITTED.len()]);
                table.rows.push(cells);
                continue;
            };
            let delay = kernel.peak_delay();
            let largest = kernel.z_scores().map(|z| z.into_iter().fold(0.0, |most: f64, z| most.max(z.abs())));
            cells.extend([
                delay.to_string(),
                cell(kernel.separated().map(|both| both.share)),
                cell(largest),
                kernel.frames.to_string(),
            ]);
            let map: Vec<Option<f64>> = kernel.at(delay).iter().map(|&value| Some(value)).collect();
            cells.extend(fitted(&places, &map));
            table.rows.push(cells);
        }
    }
    let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
    found.findings.push(format!(
        "Receptive fields from white noise, reverse correlation with {DELAYS} delays: {good} of {units} units have a Gaussian fit with r2 of at least 0.5."
    ));
    found.panels.push(table.panel("r2", "Receptive fields, white noise", "r² of the Gaussian fit"));
    found.tables.push(table);
    Ok(())
}

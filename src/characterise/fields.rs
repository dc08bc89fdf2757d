//! Receptive fields: Gaussian dots, sparse noise, white noise, and whatever a recording showed.

use rayon::prelude::*;

use super::examples::Best;
use super::table::{cell, identity};
use super::{Characterisation, CharacteriseError, FieldExample, Look, Measured, Table, Watched};
use crate::analysis::fit::{Fit, FitError, Gaussian2d, fit_gaussian_2d};
use crate::analysis::receptive_field::{
    CorrelationError, Lit, SquareMaps, gaussian_dot_maps_of_rows, reverse_correlate, sparse_noise_maps_of_rows,
    spatial_selectivity,
};
use crate::job::Progress;
use crate::signals::{FrameSource, Monitor, Raster, SourceError};
use crate::stimulus::Stimulus;

/// Most pixels of a map of dots, and most blocks of a map of noise.
const MAP: Raster = Raster { height: 18, width: 32 };
/// Delays of reverse correlation, frames.
const DELAYS: usize = 12;
/// Units whose kernels lie in memory at once: 12 delays of 18 x 32 blocks of 2048 units take 113 MB.
const TOGETHER: usize = 2048;
/// Values that the sums of probes take for each unit: squares of sparse noise, or dots of different places.
const PROBES: usize = 3000;
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

/// Adds a table for every way to a map that the schedule or the recording offers.
pub(super) fn add(
    measured: &Measured,
    look: &Look,
    movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let schedule = &measured.schedule;
    if let Some(monitor) = &measured.monitor {
        let raster =
            Raster { height: MAP.height.min(monitor.raster.height), width: MAP.width.min(monitor.raster.width) };
        let (mut dots, mut noise) = (None, None);
        for units in measured.blocks(look.most_values, PROBES) {
            progress.check()?;
            let some = measured.some(&units);
            if let Some(maps) = gaussian_dot_maps_of_rows(schedule, monitor, raster, look.delay_frames, &some)? {
                let map = Map { places: maps.places(), shape: [maps.raster().height, maps.raster().width] };
                let table = dots.get_or_insert_with(|| Mapped::new("dots", "Gaussian dots"));
                table.take(measured, &units, &map, &|lit, unit| maps.map(lit, unit));
            }
            if let Some(maps) = sparse_noise_maps_of_rows(schedule, monitor, look.delay_frames, &some)? {
                let map = Map { places: squares(&maps, monitor), shape: maps.shape() };
                let table = noise.get_or_insert_with(|| Mapped::new("sparse_noise", "sparse noise"));
                table.take(measured, &units, &map, &|lit, unit| maps.map(lit, unit));
            }
        }
        for table in dots.into_iter().chain(noise) {
            table.finish(found);
        }
    }
    let is_white = |stimulus: &Stimulus| matches!(stimulus, Stimulus::WhiteNoise(_) | Stimulus::BinaryNoise(_));
    let is_noise = |index: usize| {
        let condition = &schedule.conditions[index];
        !condition.is_blank() && is_white(&condition.stimulus)
    };
    let stretches: Vec<_> =
        schedule.presentations.iter().filter(|shown| is_noise(shown.condition)).map(|shown| shown.range()).collect();
    if !stretches.is_empty() && measured.monitor.is_some() {
        let noise = Watched { name: "white noise".to_owned(), stretches };
        correlated(measured, &noise, movie, progress, found)?;
    }
    for watched in &measured.watched {
        correlated(measured, watched, movie, progress, found)?;
        found.findings.push(format!(
            "The maps from {} are those of reverse correlation with the movie that was shown: of a movie that is no white noise they are blurred by its own correlations.",
            watched.name
        ));
    }
    Ok(())
}

/// Where the places of a map lie.
struct Map {
    /// Degrees, row by row from the upper left.
    places: Vec<[f64; 2]>,
    shape: [usize; 2],
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

/// The Gaussian nearest to a map; pixels that were never lit are left out.
fn nearest(places: &[[f64; 2]], map: &[Option<f64>]) -> Result<Fit<Gaussian2d>, FitError> {
    let known = places.iter().zip(map).filter_map(|(place, value)| Some((*place, (*value)?)));
    let (places, values): (Vec<[f64; 2]>, Vec<f64>) = known.filter(|(place, _)| place[0].is_finite()).unzip();
    fit_gaussian_2d(&places, &values)
}

/// Its cells.
fn fitted(fit: &Result<Fit<Gaussian2d>, FitError>) -> Vec<String> {
    match fit {
        Ok(fit) => {
            let (c, good) = (fit.curve, fit.goodness);
            let numbers =
                [c.centre[0], c.centre[1], c.sigma[0], c.sigma[1], c.orientation_deg, c.amplitude, c.baseline, good.r2];
            [numbers.map(|value| cell(Some(value))).to_vec(), vec![good.success.to_string()]].concat()
        }
        Err(error) => [vec![String::new(); FITTED.len() - 1], vec![error.to_string()]].concat(),
    }
}

/// Which probes make up a map, in one word.
fn word(lit: Lit) -> &'static str {
    match lit {
        Lit::On => "on",
        Lit::Off => "off",
        Lit::Both => "both",
    }
}

/// Spatial selectivity of a map of reverse correlation: of its squares, as a covariance may be of either sign.
fn selectivity_of_squares(map: &[f64], [height, width]: [usize; 2]) -> Option<f64> {
    let squares: Vec<f64> = map.iter().map(|value| value * value).collect();
    spatial_selectivity(&squares, height, width)
}

/// Spatial selectivity of a map without holes.
fn selectivity(map: &[Option<f64>], [height, width]: [usize; 2]) -> Option<f64> {
    let whole: Option<Vec<f64>> = map.iter().copied().collect();
    whole.and_then(|map| spatial_selectivity(&map, height, width))
}

/// Maps of bright, dark and all probes under way, one row each.
struct Mapped {
    spoken: &'static str,
    table: Table,
    best: Best<FieldExample>,
}

impl Mapped {
    fn new(name: &str, spoken: &'static str) -> Self {
        let header = [&["lit"], &FITTED[..], &["SSI"]].concat();
        Self { spoken, table: Table::of_units(format!("receptive_fields_{name}"), &header), best: Best::default() }
    }

    /// Looks at some units; `map` counts them from 0.
    fn take(
        &mut self,
        measured: &Measured,
        units: &[usize],
        Map { places, shape }: &Map,
        map: &(dyn Fn(Lit, usize) -> Vec<Option<f64>> + Sync),
    ) {
        let rows = |place: usize| -> Vec<(Vec<String>, f64)> {
            let one = |lit: Lit| {
                let map = map(lit, place);
                let fit = nearest(places, &map);
                let who = identity(&measured.units[units[place]]);
                let ssi = cell(selectivity(&map, *shape));
                let cells = [who, vec![word(lit).to_owned()], fitted(&fit), vec![ssi]].concat();
                (cells, fit.map_or(f64::NAN, |fit| fit.goodness.r2))
            };
            Lit::ALL.into_iter().map(one).collect()
        };
        let rows: Vec<Vec<(Vec<String>, f64)>> = (0..units.len()).into_par_iter().map(rows).collect();
        for (place, rows) in rows.into_iter().enumerate() {
            // One example a unit: the clearest of its maps.
            let clearest = Lit::ALL.into_iter().zip(&rows).filter(|(_, (_, r2))| r2.is_finite());
            let clearest = clearest.max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(lit, (_, r2))| (lit, *r2));
            self.table.rows.extend(rows.into_iter().map(|(cells, _)| cells));
            let Some((lit, r2)) = clearest.filter(|(_, r2)| self.best.takes(*r2)) else { continue };
            let values = map(lit, place);
            let Ok(fit) = nearest(places, &values) else { continue };
            let example = FieldExample {
                from: self.spoken.to_owned(),
                unit: measured.units[units[place]].unit,
                part: word(lit).to_owned(),
                shape: *shape,
                places: places.clone(),
                place_unit: "°",
                ssi: selectivity(&values, *shape),
                values,
                fit: fit.curve,
                r2,
            };
            self.best.add(r2, example);
        }
    }

    fn finish(self, found: &mut Characterisation) {
        let Self { spoken, table, best } = self;
        let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
        found.findings.push(format!(
            "Receptive fields from {spoken}: {good} of {} maps (bright, dark and both, for each unit) have a Gaussian fit with r2 of at least 0.5.",
            table.rows.len()
        ));
        found.panels.push(table.panel("r2", &format!("Receptive fields, {spoken}"), "r² of the Gaussian fit"));
        found.panels.push(table.panel("SSI", &format!("Receptive fields, {spoken}"), "Spatial selectivity (SSI)"));
        found.tables.push(table);
        found.examples.fields.extend(best.into_iter());
    }
}

/// What reverse correlation finds of one unit.
struct Kernel {
    cells: Vec<String>,
    /// The map at its peak with the Gaussian that was fitted, and the delay, frames.
    map: Option<(Vec<f64>, Fit<Gaussian2d>, usize)>,
}

/// Reverse correlation in space and time. The maps are covariances of responses with grey levels; divided by the mean
/// response, which the table tells, each is the spike-triggered average less the mean stimulus.
fn correlated(
    measured: &Measured,
    Watched { name, stretches }: &Watched,
    movie: &mut dyn FnMut() -> Result<Box<dyn FrameSource>, SourceError>,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let mut source = movie()?;
    let raster = source.raster();
    let grid = Raster { height: MAP.height.min(raster.height), width: MAP.width.min(raster.width) };
    let middle = |index: usize, count: usize, pixels: usize| (index as f64 + 0.5) * pixels as f64 / count as f64 - 0.5;
    let place = |block: usize| {
        let row = middle(block / grid.width, grid.height, raster.height);
        let column = middle(block % grid.width, grid.width, raster.width);
        match &measured.monitor {
            Some(monitor) => <[f64; 2]>::from(monitor.degrees_from_pixel(row, column)),
            None => [column, row],
        }
    };
    let places: Vec<[f64; 2]> = (0..grid.pixels()).map(place).collect();
    let in_degrees = measured.monitor.is_some();
    let told = FITTED.map(|column| match column {
        "orientation_deg" => column.to_owned(),
        column if in_degrees => column.to_owned(),
        column => column.replace("_deg", "_px"),
    });
    let header: Vec<&str> = ["peak_delay_frames", "separable_share", "largest_z", "frames", "mean_response"]
        .into_iter()
        .chain(told.iter().map(String::as_str))
        .chain(["SSI"])
        .collect();
    let file = super::table::file_name(&name.to_lowercase());
    let mut table = Table::of_units(format!("receptive_fields_{file}"), &header);
    let mut best = Best::default();
    let units = measured.units.len();
    for first in (0..units).step_by(TOGETHER) {
        progress.check()?;
        let some = first..units.min(first + TOGETHER);
        if first > 0 {
            source = movie()?;
        }
        let (shape, rows) = ([grid.height, grid.width], measured.responses.as_ref());
        let kernels = reverse_correlate(source.as_mut(), stretches, shape, DELAYS, rows, some.clone(), progress)
            .map_err(|error| match error {
                CorrelationError::Cancelled(cancelled) => cancelled.into(),
                error => CharacteriseError::Nothing(error.to_string()),
            })?;
        let one = |unit: usize| {
            let mut cells = identity(&measured.units[unit]);
            let Some(kernel) = kernels.unit(unit - first) else {
                cells.extend(vec![String::new(); 6 + FITTED.len()]);
                return Kernel { cells, map: None };
            };
            let delay = kernel.peak_delay();
            let largest = kernel.z_scores().map(|z| z.into_iter().fold(0.0, |most: f64, z| most.max(z.abs())));
            cells.extend([
                delay.to_string(),
                cell(kernel.separated().map(|both| both.share)),
                cell(largest),
                kernel.frames.to_string(),
                cell(Some(kernel.mean_response)),
            ]);
            let map: Vec<Option<f64>> = kernel.at(delay).iter().map(|&value| Some(value)).collect();
            let fit = nearest(&places, &map);
            cells.extend(fitted(&fit));
            cells.push(cell(selectivity_of_squares(kernel.at(delay), shape)));
            Kernel { cells, map: fit.ok().map(|fit| (kernel.at(delay).to_vec(), fit, delay)) }
        };
        let all: Vec<Kernel> = some.clone().into_par_iter().map(one).collect();
        for (unit, Kernel { cells, map }) in some.zip(all) {
            table.rows.push(&cells);
            let Some((map, fit, delay)) = map.filter(|(_, fit, _)| best.takes(fit.goodness.r2)) else { continue };
            let example = FieldExample {
                from: name.clone(),
                unit: measured.units[unit].unit,
                part: format!("{delay} frames before"),
                shape,
                places: places.clone(),
                place_unit: if in_degrees { "°" } else { "px" },
                ssi: selectivity_of_squares(&map, shape),
                values: map.into_iter().map(Some).collect(),
                fit: fit.curve,
                r2: fit.goodness.r2,
            };
            best.add(fit.goodness.r2, example);
        }
    }
    let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
    found.findings.push(format!(
        "Receptive fields from {name}, reverse correlation with {DELAYS} delays: {good} of {units} units have a Gaussian fit with r2 of at least 0.5."
    ));
    found.panels.push(table.panel("r2", &format!("Receptive fields, {name}"), "r² of the Gaussian fit"));
    found.panels.push(table.panel("SSI", &format!("Receptive fields, {name}"), "Selectivity (SSI) of the squares"));
    found.tables.push(table);
    found.examples.fields.extend(best.into_iter());
    Ok(())
}

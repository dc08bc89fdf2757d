//! Receptive fields: Gaussian dots, sparse noise, white noise, and whatever a recording showed.

use rayon::prelude::*;

use super::examples::Best;
use super::maps::{MapAxes, MapFiles, Maps};
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
/// Units whose maps of dots or sparse noise lie in memory at once.
const MAPPED: usize = 256;
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
    maps: &mut Maps<'_>,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let schedule = &measured.schedule;
    if let Some(monitor) = &measured.monitor {
        let raster =
            Raster { height: MAP.height.min(monitor.raster.height), width: MAP.width.min(monitor.raster.width) };
        let (mut dots, mut noise) = (None, None);
        let delay_secs = measured.frame_rate.secs_at(look.delay_frames);
        for units in measured.blocks(look.most_values, PROBES) {
            progress.check()?;
            let some = measured.some(&units);
            if let Some(all) = gaussian_dot_maps_of_rows(schedule, monitor, raster, look.delay_frames, &some)? {
                let map = Map { places: all.places(), shape: [all.raster().height, all.raster().width] };
                let table = match &mut dots {
                    Some(table) => table,
                    None => dots.insert(Mapped::new("dots", "Gaussian dots", &map, delay_secs, measured, maps)?),
                };
                table.take(measured, &units, &map, &|lit, unit| all.map(lit, unit))?;
            }
            if let Some(all) = sparse_noise_maps_of_rows(schedule, monitor, look.delay_frames, &some)? {
                let map = Map { places: squares(&all, monitor), shape: all.shape() };
                let table = match &mut noise {
                    Some(table) => table,
                    None => {
                        noise.insert(Mapped::new("sparse_noise", "sparse noise", &map, delay_secs, measured, maps)?)
                    }
                };
                table.take(measured, &units, &map, &|lit, unit| all.map(lit, unit))?;
            }
        }
        for table in dots.into_iter().chain(noise) {
            table.finish(measured, maps, found)?;
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
        correlated(measured, &noise, movie, progress, maps, found)?;
    }
    for watched in &measured.watched {
        correlated(measured, watched, movie, progress, maps, found)?;
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
    /// The maps themselves, where they are wanted, an array for each of [`Lit::ALL`].
    files: Option<MapFiles>,
}

/// What one unit's probes of one kind tell.
struct OfLit {
    cells: Vec<String>,
    r2: f64,
    /// Where maps are wanted.
    map: Option<Vec<f32>>,
}

impl Mapped {
    fn new(
        name: &str,
        spoken: &'static str,
        Map { places, shape }: &Map,
        delay_secs: f64,
        measured: &Measured,
        maps: &Maps<'_>,
    ) -> Result<Self, CharacteriseError> {
        let header = [&["lit"], &FITTED[..], &["SSI"]].concat();
        let name = format!("receptive_fields_{name}");
        let files = maps.begin(&name, &Lit::ALL.map(word), shape, measured, || {
            let values = "mean response to the probes, weighted by how far each lit the place; NaN where none did";
            MapAxes::new(values, "deg", places, shape[1], vec![delay_secs])
        })?;
        Ok(Self { spoken, table: Table::of_units(name, &header), best: Best::default(), files })
    }

    /// Looks at some units; `map` counts them from 0.
    fn take(
        &mut self,
        measured: &Measured,
        units: &[usize],
        Map { places, shape }: &Map,
        map: &(dyn Fn(Lit, usize) -> Vec<Option<f64>> + Sync),
    ) -> Result<(), CharacteriseError> {
        let is_written = self.files.is_some();
        let rows = |place: usize| -> Vec<OfLit> {
            let one = |lit: Lit| {
                let map = map(lit, place);
                let fit = nearest(places, &map);
                let who = identity(&measured.units[units[place]]);
                let ssi = cell(selectivity(&map, *shape));
                let cells = [who, vec![word(lit).to_owned()], fitted(&fit), vec![ssi]].concat();
                let written = || map.iter().map(|value| value.map_or(f32::NAN, |value| value as f32)).collect();
                OfLit { cells, r2: fit.map_or(f64::NAN, |fit| fit.goodness.r2), map: is_written.then(written) }
            };
            Lit::ALL.into_iter().map(one).collect()
        };
        let starts = (0..units.len()).step_by(MAPPED);
        for some in starts.map(|start| start..units.len().min(start + MAPPED)) {
            let all: Vec<Vec<OfLit>> = some.clone().into_par_iter().map(rows).collect();
            for (place, rows) in some.zip(all) {
                // One example a unit: the clearest of its maps.
                let clearest = Lit::ALL.into_iter().zip(&rows).filter(|(_, of)| of.r2.is_finite());
                let clearest = clearest.max_by(|a, b| a.1.r2.total_cmp(&b.1.r2)).map(|(lit, of)| (lit, of.r2));
                for (part, OfLit { cells, map, .. }) in rows.into_iter().enumerate() {
                    self.table.rows.push(&cells);
                    if let Some((files, map)) = self.files.as_mut().zip(map) {
                        files.write(part, &map)?;
                    }
                }
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
        Ok(())
    }

    fn finish(
        self,
        measured: &Measured,
        maps: &mut Maps<'_>,
        found: &mut Characterisation,
    ) -> Result<(), CharacteriseError> {
        let Self { spoken, table, best, files } = self;
        maps.finish(files, measured)?;
        let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
        found.findings.push(format!(
            "Receptive fields from {spoken}: {good} of {} maps (bright, dark and both, for each unit) have a Gaussian fit with r2 of at least 0.5.",
            table.rows.len()
        ));
        found.panels.push(table.panel("r2", &format!("Receptive fields, {spoken}"), "r² of the Gaussian fit"));
        found.panels.push(table.panel("SSI", &format!("Receptive fields, {spoken}"), "Spatial selectivity (SSI)"));
        found.tables.push(table);
        found.examples.fields.extend(best.into_iter());
        Ok(())
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
    maps: &mut Maps<'_>,
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
    let name_of_file = format!("receptive_fields_{file}");
    let delays_secs = || (0..DELAYS).map(|delay| measured.frame_rate.secs_at(delay)).collect();
    let mut files = maps.begin(&name_of_file, &[], &[DELAYS, grid.height, grid.width], measured, || {
        let values = "covariance of the response with the grey level (0 to 255) shown so much earlier; divided by \
                      mean_response of the table, the spike-triggered average less the mean stimulus";
        MapAxes::new(values, if in_degrees { "deg" } else { "px" }, &places, grid.width, delays_secs())
    })?;
    let mut table = Table::of_units(name_of_file, &header);
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
            if let Some(files) = &mut files {
                // Made again rather than kept: those of all units are large.
                match kernels.unit(unit - first) {
                    Some(kernel) => {
                        let values = kernel.covariance.iter().map(|&value| value as f32);
                        files.write(0, &values.collect::<Vec<f32>>())?;
                    }
                    None => files.write_none(0)?,
                }
            }
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
    maps.finish(files, measured)?;
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

//! Tuning to every parameter that was swept: curves fitted by their kind, intervals over trials.

use rayon::prelude::*;

use super::examples::Best;
use super::table::{cell, identity};
use super::{Characterisation, CurveExample, Look, Measured, Table};
use crate::analysis::fit::{Fit, FitError, fit_contrast, fit_direction, fit_frequency, fit_orientation, fit_size};
use crate::analysis::preferred::{
    direction_confidence, drawn_direction_confidence, drawn_preferred_value, preferred_value,
};
use crate::analysis::selectivity::{
    dsi, global_dsi, global_osi, osi, preferred_direction_deg, preferred_orientation_deg,
};
use crate::analysis::statistics::moments::{mean, variance};
use crate::analysis::statistics::{Draws, Interval, StatisticsError};
use crate::analysis::trials::Grouped;
use crate::analysis::varied::period_deg;
use crate::analysis::{Spacing, Trials, Varied};
use crate::job::{Cancelled, Progress};

/// Which curve belongs to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    Direction,
    /// On half a circle.
    Orientation,
    Frequency,
    Contrast,
    Size,
    /// None that is known: means and the preferred value alone.
    Other,
}

impl Curve {
    /// Of a parameter whose values have this period, degrees, where they lie on a circle.
    fn of(key: &str, period_deg: Option<f64>) -> Self {
        let ends = |endings: &[&str]| endings.iter().any(|ending| key.ends_with(ending));
        match Varied::of(key) {
            Some(Varied::Direction | Varied::Orientation | Varied::Angle) => match period_deg {
                Some(period) if period <= 180.0 => Self::Orientation,
                _ => Self::Direction,
            },
            Some(Varied::SpatialFrequency | Varied::TemporalFrequency | Varied::Speed) => Self::Frequency,
            Some(Varied::Contrast) => Self::Contrast,
            Some(Varied::Size) => Self::Size,
            None if ends(&["_cyc_per_deg", "_hz", "speed_deg_per_sec"]) => Self::Frequency,
            None if ends(&["diameter_deg", "size_deg", "radius_deg"]) => Self::Size,
            None => Self::Other,
        }
    }

    /// Whether it is one of angles, which selectivity is told of.
    fn is_circular(self) -> bool {
        matches!(self, Self::Direction | Self::Orientation)
    }

    /// Name of the curve, and the columns of its parameters.
    fn columns(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Direction => (
                "bi-von Mises",
                &["fit_preferred_deg", "fit_amplitude", "fit_concentration", "fit_share", "fit_baseline"],
            ),
            Self::Orientation => {
                ("von Mises", &["fit_preferred_deg", "fit_amplitude", "fit_concentration", "fit_baseline"])
            }
            Self::Frequency => (
                "log Gaussian",
                &["fit_preferred", "fit_amplitude", "fit_sigma_octaves", "fit_bandwidth_octaves", "fit_baseline"],
            ),
            Self::Contrast => ("Naka-Rushton", &["fit_half_saturation", "fit_maximum", "fit_exponent", "fit_baseline"]),
            Self::Size => (
                "ratio of Gaussians",
                &[
                    "fit_preferred",
                    "fit_suppression",
                    "fit_centre_gain",
                    "fit_centre",
                    "fit_surround_gain",
                    "fit_surround",
                    "fit_baseline",
                ],
            ),
            Self::Other => ("", &[]),
        }
    }

    /// Parameters, r2, mean squared error, and whether the solver settled.
    fn fitted(self, values: &[f64], means: &[f64]) -> Result<(Vec<f64>, f64, f64, bool), FitError> {
        fn all<C>(fit: Fit<C>, parameters: impl Fn(&C) -> Vec<f64>) -> (Vec<f64>, f64, f64, bool) {
            (parameters(&fit.curve), fit.goodness.r2, fit.goodness.mse, fit.goodness.success)
        }
        Ok(match self {
            Self::Direction => all(fit_direction(values, means)?, |c| {
                vec![c.preferred_deg, c.amplitude, c.concentration, c.share, c.baseline]
            }),
            Self::Orientation => all(fit_orientation(values, means)?, |c| {
                vec![c.preferred_deg, c.amplitude, c.concentration, c.baseline]
            }),
            Self::Frequency => all(fit_frequency(values, means)?, |c| {
                vec![c.preferred, c.amplitude, c.sigma_octaves, c.bandwidth_octaves(), c.baseline]
            }),
            Self::Contrast => {
                all(fit_contrast(values, means)?, |c| vec![c.half_saturation, c.maximum, c.exponent, c.baseline])
            }
            Self::Size => all(fit_size(values, means)?, |c| {
                let (preferred, suppression) = (c.preferred(), c.suppression());
                vec![preferred, suppression, c.centre_gain, c.centre, c.surround_gain, c.surround, c.baseline]
            }),
            Self::Other => (Vec::new(), f64::NAN, f64::NAN, true),
        })
    }

    /// The fitted curve at many values from the least to the greatest, of an angle all the way round; nothing where
    /// there is none.
    fn drawn(self, values: &[f64], means: &[f64]) -> Vec<(f64, f64)> {
        const STEPS: usize = 120;
        let (Some(&least), Some(&most)) = (values.first(), values.last()) else { return Vec::new() };
        let (least, most) = match self {
            Self::Direction => (0.0, 360.0),
            Self::Orientation => (0.0, 180.0),
            _ => (least, most),
        };
        let at = |part: f64| match self {
            Self::Frequency => (least.ln() + part * (most.ln() - least.ln())).exp(),
            _ => least + part * (most - least),
        };
        let along: Vec<f64> = (0..=STEPS).map(|step| at(step as f64 / STEPS as f64)).collect();
        let through = |curve: &dyn Fn(f64) -> f64| along.iter().map(|&value| (value, curve(value))).collect();
        let drawn = match self {
            Self::Direction => fit_direction(values, means).map(|fit| through(&|value| fit.curve.at(value))),
            Self::Orientation => fit_orientation(values, means).map(|fit| through(&|value| fit.curve.at(value))),
            Self::Frequency => fit_frequency(values, means).map(|fit| through(&|value| fit.curve.at(value))),
            Self::Contrast => fit_contrast(values, means).map(|fit| through(&|value| fit.curve.at(value))),
            Self::Size => fit_size(values, means).map(|fit| through(&|value| fit.curve.at(value))),
            Self::Other => Ok(Vec::new()),
        };
        drawn.unwrap_or_default()
    }
}

/// Tables of every parameter under way.
#[derive(Debug, Default)]
pub(super) struct Tuned {
    parameters: Option<Vec<Parameter>>,
}

/// Tables of one parameter.
#[derive(Debug)]
struct Parameter {
    key: String,
    curve: Curve,
    grouped: Grouped,
    curves: Table,
    fits: Table,
    best: Best<CurveExample>,
    /// Preferred direction or orientation of each unit, degrees; of angles alone.
    preferred: Vec<Option<f64>>,
}

impl Parameter {
    fn new(key: &str, curve: Curve, grouped: Grouped) -> Self {
        let name = super::table::file_name(key);
        let curves = Table::of_units(format!("tuning_{name}"), &[key, "mean", "sem", "n"]);
        let fits = Table::of_units(format!("fit_{name}"), &fit_header(curve));
        Self { key: key.to_owned(), curve, grouped, curves, fits, best: Best::default(), preferred: Vec::new() }
    }
}

impl Tuned {
    /// Looks at some units, which follow those before; the trials are theirs.
    ///
    /// # Errors
    /// When the user asked to stop.
    pub(super) fn take(
        &mut self,
        measured: &Measured,
        trials: &Trials,
        units: &[usize],
        look: &Look,
        progress: &Progress,
    ) -> Result<(), Cancelled> {
        let parameters = self.parameters.get_or_insert_with(|| {
            let grouped = measured.swept().into_iter().map(|key| (key, trials.grouped(&measured.schedule, key)));
            let varied = grouped.filter(|(_, grouped)| grouped.values.len() >= 2);
            let curve = |key| Curve::of(key, period_deg(&measured.schedule, key));
            varied.map(|(key, grouped)| Parameter::new(key, curve(key), grouped)).collect()
        });
        for parameter in parameters {
            curves(measured, trials, units, parameter);
            fits(measured, trials, units, look, parameter, progress)?;
        }
        Ok(())
    }

    /// Adds a table of curves and one of fits for every parameter; hands back the preferred direction of every unit, where
    /// directions were shown, or else the preferred orientation, where orientations were.
    pub(super) fn finish(self, found: &mut Characterisation) -> Option<Preferred> {
        let (mut directions, mut orientations) = (None, None);
        for parameter in self.parameters.unwrap_or_default() {
            let Parameter { key, curve, grouped, curves, fits: table, best, preferred } = parameter;
            let angles = if curve == Curve::Direction { &mut directions } else { &mut orientations };
            if curve.is_circular() && angles.is_none() {
                let period_deg = if curve == Curve::Direction { 360.0 } else { 180.0 };
                *angles = Some(Preferred { label: spoken(&key).0, period_deg, of_units: preferred });
            }
            found.tables.push(curves);
            let n = grouped.trials.iter().map(Vec::len).fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
            let n = if n.0 == n.1 { n.0.to_string() } else { format!("{} to {}", n.0, n.1) };
            let values = grouped.values.len();
            let mut line = format!("{key}: {values} values, n = {n} presentations of each");
            if curve != Curve::Other {
                let good = table.column("r2").iter().filter(|&&r2| r2 >= 0.5).count();
                line += &format!(
                    "; {} fits, r2 of at least 0.5 for {good} of {} units",
                    curve.columns().0,
                    table.rows.len()
                );
                let (words, unit) = spoken(&key);
                found.panels.push(table.panel("r2", &format!("{words}: {} fit", curve.columns().0), "r² of the fit"));
                let first = curve.columns().1[0];
                let what = first.trim_start_matches("fit_").trim_end_matches("_deg").replace('_', " ");
                found.panels.push(table.panel(first, &format!("{words}: {what}"), &format!("{words}{unit}")));
            }
            if curve.is_circular() {
                found.panels.push(table.panel("gOSI", "Orientation selectivity", "gOSI"));
            }
            if curve == Curve::Direction {
                found.panels.push(table.panel("gDSI", "Direction selectivity", "gDSI"));
            }
            found.findings.push(line + ".");
            found.tables.push(table);
            found.examples.curves.extend(best.into_iter());
        }
        directions.or(orientations)
    }
}

/// Preferred angles of all units.
#[derive(Debug)]
pub(super) struct Preferred {
    /// The parameter in words.
    pub label: String,
    /// Degrees of the circle that they lie on.
    pub period_deg: f64,
    /// Of each unit, degrees; `None` where it has none.
    pub of_units: Vec<Option<f64>>,
}

/// A parameter in words, and its unit in brackets.
pub(super) fn spoken(key: &str) -> (String, &'static str) {
    const UNITS: [(&str, &str); 6] = [
        ("_cyc_per_deg", " (cyc/°)"),
        ("_deg_per_sec", " (°/s)"),
        ("_deg", " (°)"),
        ("_hz", " (Hz)"),
        ("_secs", " (s)"),
        ("_ms", " (ms)"),
    ];
    let known = UNITS.into_iter().find_map(|(ending, unit)| Some((key.strip_suffix(ending)?, unit)));
    let (stem, unit) = known.unwrap_or((key, ""));
    let mut letters = stem.chars().map(|c| if c == '_' { ' ' } else { c });
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    (first + &letters.collect::<String>(), unit)
}

/// Mean and standard error at every value.
fn curves(measured: &Measured, trials: &Trials, units: &[usize], parameter: &mut Parameter) {
    let Parameter { grouped, curves, .. } = parameter;
    let grouped = &*grouped;
    for (place, &unit) in units.iter().enumerate() {
        for (value, responses) in grouped.values.iter().zip(trials.unit(place, grouped)) {
            let n = responses.len();
            let cells = [format!("{value}"), cell(mean(&responses)), cell(error(&responses)), n.to_string()];
            curves.rows.push(&[identity(&measured.units[unit]), cells.to_vec()].concat());
        }
    }
}

/// Standard error of a mean.
fn error(responses: &[f64]) -> Option<f64> {
    variance(responses).map(|variance| (variance / responses.len() as f64).sqrt())
}

/// Columns of a table of fits, after who the unit is.
fn fit_header(curve: Curve) -> Vec<&'static str> {
    let intervals: &[&'static str] = match curve {
        Curve::Direction => &[
            "preferred_deg",
            "preferred_low_deg",
            "preferred_high_deg",
            "orientation_deg",
            "orientation_low_deg",
            "orientation_high_deg",
            "gOSI",
            "gOSI_low",
            "gOSI_high",
            "gDSI",
            "gDSI_low",
            "gDSI_high",
            "OSI",
            "OSI_low",
            "OSI_high",
            "DSI",
            "DSI_low",
            "DSI_high",
        ],
        Curve::Orientation => &[
            "orientation_deg",
            "orientation_low_deg",
            "orientation_high_deg",
            "gOSI",
            "gOSI_low",
            "gOSI_high",
            "OSI",
            "OSI_low",
            "OSI_high",
        ],
        _ => &["preferred", "preferred_low", "preferred_high"],
    };
    [intervals, &["interval"], curve.columns().1, &["r2", "mse", "settled", "remark"]].concat()
}

/// One row a unit: preferred values with intervals, and the fitted curve.
fn fits(
    measured: &Measured,
    trials: &Trials,
    units: &[usize],
    look: &Look,
    parameter: &mut Parameter,
    progress: &Progress,
) -> Result<(), Cancelled> {
    let Parameter { key, curve, grouped, fits, best, preferred, .. } = parameter;
    let (key, curve, grouped) = (key.as_str(), *curve, &*grouped);
    let how = look.resampling();
    let columns = curve.columns().1;
    // Most units were measured in every presentation: they share what is drawn.
    let presented: Vec<usize> = grouped.trials.iter().map(Vec::len).collect();
    let draws = Draws::new(&presented, &how).ok();
    let row = |place: usize| -> Result<Fitted, Cancelled> {
        progress.check()?;
        let (values, responses) = known(trials, place, grouped);
        let means: Vec<f64> = responses.iter().map(|responses| mean(responses).unwrap_or(f64::NAN)).collect();
        let mut cells = identity(&measured.units[units[place]]);
        let draws = draws.as_ref().filter(|draws| draws.are_for(&responses));
        let confidence = || match draws {
            Some(draws) => drawn_direction_confidence(&values, &responses, draws),
            None => direction_confidence(&values, &responses, &how),
        };
        let mut preferred = None;
        if curve == Curve::Direction {
            let found = confidence();
            let positive: Vec<f64> = means.iter().map(|mean| mean.max(0.0)).collect();
            for angle in [&found.direction, &found.orientation] {
                let angle = angle.as_ref().ok();
                cells.push(cell(angle.map(|angle| angle.estimate_deg)));
                cells.push(cell(angle.map(|angle| angle.estimate_deg + angle.reach_deg.0)));
                cells.push(cell(angle.map(|angle| angle.estimate_deg + angle.reach_deg.1)));
            }
            let indices = [&found.global_osi, &found.global_dsi, &found.osi, &found.dsi];
            let plain = [
                global_osi(&values, &positive),
                global_dsi(&values, &positive),
                osi(&values, &positive),
                dsi(&values, &positive),
            ];
            for (interval, plain) in indices.into_iter().zip(plain) {
                cells.extend(three(interval, plain.map(f64::from)));
            }
            preferred = preferred_direction_deg(&values, &positive).map(f64::from);
        } else if curve == Curve::Orientation {
            let found = confidence();
            let positive: Vec<f64> = means.iter().map(|mean| mean.max(0.0)).collect();
            preferred = preferred_orientation_deg(&values, &positive).map(f64::from);
            let angle = found.orientation.as_ref().ok();
            cells.push(cell(angle.map_or(preferred, |angle| Some(angle.estimate_deg))));
            cells.push(cell(angle.map(|angle| angle.estimate_deg + angle.reach_deg.0)));
            cells.push(cell(angle.map(|angle| angle.estimate_deg + angle.reach_deg.1)));
            cells.extend(three(&found.global_osi, global_osi(&values, &positive).map(f64::from)));
            cells.extend(three(&found.osi, osi(&values, &positive).map(f64::from)));
        } else {
            let best = (0..means.len()).max_by(|&a, &b| means[a].total_cmp(&means[b]).then(b.cmp(&a)));
            let plain = best.map(|best| values[best]).filter(|_| means.iter().any(|&mean| mean != means[0]));
            let found = match draws {
                Some(draws) => drawn_preferred_value(&values, &responses, draws),
                None => preferred_value(&values, &responses, &how),
            };
            cells.extend(three(&found, plain));
        }
        cells.push(format!("{} % {} bootstrap, {} resamples", 100.0 * how.level, how.method.label(), how.resamples));
        match curve.fitted(&values, &means) {
            Ok((parameters, r2, mse, settled)) => {
                cells.extend(parameters.into_iter().map(|value| cell(Some(value))));
                cells.extend([cell(Some(r2)), cell(Some(mse)), settled.to_string(), String::new()]);
                Ok(Fitted { cells, r2, preferred })
            }
            Err(error) => {
                cells.extend(vec![String::new(); columns.len() + 3]);
                cells.push(error.to_string());
                Ok(Fitted { cells, r2: f64::NAN, preferred })
            }
        }
    };
    let rows = (0..units.len()).into_par_iter().map(row).collect::<Result<Vec<Fitted>, Cancelled>>()?;
    for (place, &Fitted { r2, .. }) in rows.iter().enumerate() {
        if best.takes(r2) {
            let unit = measured.units[units[place]].unit;
            best.add(r2, example(key, curve, unit, &known(trials, place, grouped), r2));
        }
    }
    if curve.is_circular() {
        preferred.extend(rows.iter().map(|row| row.preferred));
    }
    fits.rows.extend(rows.into_iter().map(|row| row.cells));
    Ok(())
}

/// What a row of a table of fits tells.
struct Fitted {
    cells: Vec<String>,
    r2: f64,
    preferred: Option<f64>,
}

/// The values to which a unit was measured, and its response to each presentation of them.
fn known(trials: &Trials, place: usize, grouped: &Grouped) -> (Vec<f64>, Vec<Vec<f64>>) {
    let all = grouped.values.iter().copied().zip(trials.unit(place, grouped));
    all.filter(|(_, responses)| !responses.is_empty()).unzip()
}

/// A curve to be drawn.
fn example(
    key: &str,
    curve: Curve,
    unit: u32,
    (values, responses): &(Vec<f64>, Vec<Vec<f64>>),
    r2: f64,
) -> CurveExample {
    let (parameter, unit_of) = spoken(key);
    let means: Vec<f64> = responses.iter().map(|responses| mean(responses).unwrap_or(f64::NAN)).collect();
    let points = values.iter().zip(&means).zip(responses);
    CurveExample {
        label: format!("{parameter}{unit_of}"),
        parameter,
        unit,
        logarithmic: Spacing::of(values) == Spacing::Logarithmic,
        points: points.map(|((&value, &mean), trials)| (value, mean, error(trials), trials.len())).collect(),
        curve: curve.columns().0,
        fitted: curve.drawn(values, &means),
        r2,
    }
}

/// A quantity and its interval; without one, the quantity alone.
fn three(interval: &Result<Interval, StatisticsError>, plain: Option<f64>) -> [String; 3] {
    match interval {
        Ok(Interval { estimate, low, high, .. }) => [Some(*estimate), Some(*low), Some(*high)].map(cell),
        Err(_) => [plain, None, None].map(cell),
    }
}

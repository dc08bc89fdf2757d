//! What is said of a run or a recording: the tables hold what was put into the responses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use twinscope::analysis::Varied;
use twinscope::analysis::statistics::Correction;
use twinscope::analysis::varied::period_deg;
use twinscope::characterise::{Characterisation, Look, Measured, Table};
use twinscope::data::{PresentationTable, ScanId, Session, SessionUnit, Trial};
use twinscope::experiment::PRESETS;
use twinscope::figures::{self, Layout};
use twinscope::job::Progress;
use twinscope::signals::{Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, Responses, SourceError, UnitId};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::{
    Condition, DriftingGrating, Monet, Presentation, Schedule, ScheduleSource, SparseNoise, Stimulus, WhiteNoise,
};

const FRAMES: usize = 4;

/// A number uniform in 0..1.
fn chance(index: usize) -> f64 {
    f64::from(random_words(5, index as u32, 0)[0]) / f64::from(u32::MAX)
}

fn units(count: u32) -> Vec<UnitId> {
    (0..count).map(|unit| UnitId { animal: Some("M".to_owned()), session: 1, scan: 1, unit }).collect()
}

/// Responses to conditions with these swept values, each shown so many times with noise; `None` is a blank.
fn measured(
    swept: &[Option<Vec<(&str, f64)>>],
    repeats: usize,
    count: u32,
    response: impl Fn(usize, &[(&str, f64)]) -> f64,
) -> Measured {
    let condition = |swept: &Option<Vec<(&str, f64)>>| {
        let condition = Condition::from(Stimulus::DriftingGrating(DriftingGrating::default()));
        match swept {
            Some(values) => {
                Condition { swept: values.iter().map(|(key, v)| ((*key).to_owned(), *v)).collect(), ..condition }
            }
            None => Condition { part: None, ..condition },
        }
    };
    let (mut presentations, mut values, mut movies) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..repeats {
        for (condition, swept) in swept.iter().enumerate() {
            let onset_frame = presentations.len() * FRAMES;
            presentations.push(Presentation { condition, repeat, onset_frame, frames: FRAMES, seed: 1 });
            movies.push(condition);
            for _ in 0..FRAMES {
                for unit in 0..count as usize {
                    let mean = swept.as_ref().map_or(0.5, |swept| response(unit, swept));
                    values.push((mean + 0.2 * chance(values.len())) as f32);
                }
            }
        }
    }
    let frames = presentations.len() * FRAMES;
    Measured {
        title: "A test".to_owned(),
        notice: "made up".to_owned(),
        provenance: String::new(),
        schedule: Schedule { conditions: swept.iter().map(condition).collect(), presentations, frames },
        frame_rate: FrameRate::WANG2025,
        monitor: None,
        skip_frames: 1,
        movies,
        responses: Arc::new(Responses::new(frames, 1, count as usize, values).expect("a row for every frame")),
        watched: Vec::new(),
        recording: Vec::new(),
        units: units(count),
        remarks: Vec::new(),
    }
}

fn look() -> Look {
    Look { resamples: 50, ..Look::default() }
}

fn characterised(measured: &Measured) -> Characterisation {
    let mut none = || -> Result<Box<dyn FrameSource>, SourceError> { Err(SourceError::new("not asked for")) };
    Characterisation::of(measured, &look(), &mut none, &Progress::new()).expect("there are responses")
}

#[track_caller]
fn table<'f>(found: &'f Characterisation, name: &str) -> &'f Table {
    let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
    found.tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no `{name}` in {names:?}"))
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found}, expected {expected}");
    }
}

#[test]
fn directions_come_out_with_their_preferred_direction_and_are_decoded() {
    let directions: Vec<_> = (0..8).map(|step| Some(vec![("direction_deg", 45.0 * f64::from(step))])).collect();
    let conditions = [directions, vec![None]].concat();
    let preferred = [30.0, 120.0, 200.0, 290.0];
    let measured = measured(&conditions, 6, 4, |unit, swept| {
        0.5 + 3.0 * (2.0 * ((swept[0].1 - preferred[unit]).to_radians().cos() - 1.0)).exp()
    });
    let found = characterised(&measured);
    let fits = table(&found, "fit_direction_deg");
    // Noise of 0.06 beside a peak of 3.
    near(&fits.column("fit_preferred_deg"), &preferred, 4.0);
    near(&fits.column("preferred_deg"), &preferred, 6.0);
    assert!(fits.column("r2").iter().all(|&r2| r2 > 0.95) && fits.column("gDSI").iter().all(|&dsi| dsi > 0.3));
    for (low, high) in fits.column("preferred_low_deg").iter().zip(fits.column("preferred_high_deg")) {
        assert!(*low < high && high - low < 20.0, "{low} to {high}");
    }
    assert!(fits.rows.row(0).contains(&"95 % BCa bootstrap, 50 resamples"), "{:?}", fits.rows.row(0));
    assert_eq!(table(&found, "tuning_direction_deg").rows.len(), 4 * 8);
    let said = found.findings.join("\n");
    for part in [
        "direction_deg: 8 values, n = 6 presentations of each; bi-von Mises fits",
        "Decoding of direction_deg, linear discriminant, 5 folds, n = 48 presentations: 100 % correct (chance 12 %)",
        // 1 / (1 + z² / 48).
        "95 % Wilson interval 92.6 to 100.0 %",
        // None of 50 permutations reaches it.
        "permutation test against chance, one-sided, 50 permutations: p = 0.019608",
        "differ from those to blanks (n = 6) for",
        "Mann-Whitney U test, two-sided, Benjamini-Hochberg at 0.05",
        "Reliability over 8 movies, up to 6 repeats, 24 frames",
    ] {
        assert!(said.contains(part), "`{part}` is missing in\n{said}");
    }
    assert!(!said.contains("Holm"), "one parameter is one test: {said}");
    let reliability = table(&found, "reliability");
    let [published, consistent] = ["cc_max", "cc_max_consistent"].map(|name| reliability.column(name));
    // Over 24 frames.
    let expected: Vec<f64> = consistent.iter().map(|most| most * (24.0f64 / 23.0).sqrt()).collect();
    near(&published, &expected, 1e-5);
    assert!(published.iter().any(|&most| most > 1.0) && consistent.iter().all(|&most| most <= 1.0), "{published:?}");
    assert!(reliability.column("oracle_score").iter().all(|&score| score > 0.9));
    assert_eq!(table(&found, "correlations").rows.len(), 6);
    assert_eq!(table(&found, "dissimilarity").rows.len(), 8);
    near(&[*table(&found, "pca").column("explained_so_far").last().expect("components")], &[1.0], 1e-6);
    let population = table(&found, "population");
    assert_eq!(population.rows.len(), 4);
    // Units prefer 30, 120, 200 and 290 degrees: their ranks.
    near(&population.column("order_by_tuning"), &[0.0, 1.0, 2.0, 3.0], 1e-9);

    // The picture has the numbers of the tables.
    let shown = &found.population;
    assert_eq!(shown.angles, Some(("Direction".to_owned(), 360.0)));
    let angles: Vec<f64> = shown.units.iter().map(|unit| unit.angle_deg.expect("each prefers one")).collect();
    near(&angles, &fits.column("preferred_deg"), 1e-5);
    for (axis, name) in ["umap_1", "umap_2"].into_iter().enumerate() {
        near(&shown.units.iter().map(|unit| unit.place[axis]).collect::<Vec<_>>(), &population.column(name), 1e-5);
    }
    near(&shown.explained, &table(&found, "pca").column("explained_so_far"), 1e-5);
    assert_eq!((shown.presentations, shown.decoded.len()), (54, 1), "components are of the blanks, too");
    let decoded = &shown.decoded[0];
    assert_eq!((decoded.parameter.as_str(), decoded.accuracy, decoded.chance), ("Direction", 1.0, 0.125));
    let apart = shown.dissimilarity.as_ref().expect("of eight conditions");
    let columns = (0..8).map(|condition| table(&found, "dissimilarity").column(&format!("condition_{condition}")));
    near(&apart.values, &columns.flatten().collect::<Vec<_>>(), 1e-5);
    let drawn = figures::populations::plate(&found).svg(&Layout::default()).expect("drawn");
    for part in ["Preferred direction (°)", "n = 4 units", "Direction: 100 %, chance 12 %", "n = 48 presentations"] {
        assert!(drawn.contains(part), "`{part}` is missing in\n{drawn}");
    }
}

#[test]
fn p_values_of_several_decoded_parameters_are_corrected_for_their_number() {
    let grid: Vec<_> = (0..4)
        .flat_map(|step| [0.5, 1.0].map(|c| Some(vec![("direction_deg", 90.0 * f64::from(step)), ("contrast", c)])))
        .collect();
    let preferred = [10.0, 100.0, 190.0, 280.0];
    // Contrast makes no difference.
    let found = characterised(&measured(&grid, 6, 4, |unit, swept| {
        0.5 + 3.0 * (2.0 * ((swept[0].1 - preferred[unit]).to_radians().cos() - 1.0)).exp()
    }));
    let said = |key: &str| -> [f64; 2] {
        let start = format!("Decoding of {key}, ");
        let line = found.findings.iter().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {key}"));
        let (_, told) = line.split_once("50 permutations: p = ").unwrap_or_else(|| panic!("{line}"));
        let (p, corrected) = told
            .split_once(", corrected (Holm) for 2 decoded parameters p = ")
            .unwrap_or_else(|| panic!("not corrected: {line}"));
        [p, corrected.trim_end_matches('.')].map(|number| number.parse().expect("a number"))
    };
    let (direction, contrast) = (said("direction_deg"), said("contrast"));
    // None of 50 permutations reaches it, and two parameters were decoded.
    near(&direction, &[1.0 / 51.0, 2.0 / 51.0], 1e-6);
    let expected = Correction::Holm.adjust(&[direction[0], contrast[0]]).expect("probabilities");
    near(&[direction[1], contrast[1]], &expected, 2e-6);
}

#[test]
fn units_are_ordered_by_the_direction_that_they_prefer() {
    let directions: Vec<_> = (0..8).map(|step| Some(vec![("direction_deg", 45.0 * f64::from(step))])).collect();
    let preferred = [200.0, 30.0, 290.0, 120.0];
    // Once each, as a twin is shown them: no interval, but an order.
    let found = characterised(&measured(&directions, 1, 4, |unit, swept| {
        0.5 + 3.0 * (2.0 * ((swept[0].1 - preferred[unit]).to_radians().cos() - 1.0)).exp()
    }));
    near(&table(&found, "population").column("order_by_tuning"), &[2.0, 0.0, 3.0, 1.0], 1e-9);
    let contrasts: Vec<_> = (1..5).map(|step| Some(vec![("contrast", 0.2 * f64::from(step))])).collect();
    let found = characterised(&measured(&contrasts, 2, 3, |unit, swept| 1.0 + unit as f64 * swept[0].1));
    let header = &table(&found, "population").header;
    assert!(!header.contains(&"order_by_tuning".to_owned()), "no directions were shown: {header:?}");
}

#[test]
fn two_parameters_that_were_swept_against_each_other_make_a_surface() {
    let (spatial, temporal) = ([0.02, 0.04, 0.08, 0.16], [1.0, 2.0, 4.0]);
    let keys = ["spatial_frequency_cyc_per_deg", "temporal_frequency_hz"];
    let pair = |s: f64, t: f64| Some(vec![(keys[0], s), (keys[1], t)]);
    let grid: Vec<_> = spatial.iter().flat_map(|&s| temporal.map(|t| pair(s, t))).collect();
    let near_octave = |value: f64, best: f64| (-(value / best).log2().powi(2)).exp();
    // A product of two curves, one tuned to speed, and one that answers to nothing.
    let found = characterised(&measured(&grid, 4, 3, |unit, swept| {
        let (s, t) = (swept[0].1, swept[1].1);
        match unit {
            0 => 6.0 * near_octave(s, 0.08) * near_octave(t, 2.0),
            1 => 6.0 * near_octave(t / s, 25.0),
            _ => 1.0,
        }
    }));
    let summary = table(&found, "separability_spatial_frequency_cyc_per_deg_by_temporal_frequency_hz");
    let separability = summary.column("separability");
    assert!(separability[0] > 0.99 && separability[1] < 0.9, "{separability:?}");
    near(&summary.column(&format!("preferred_{}", keys[0]))[..1], &[0.08], 1e-9);
    near(&summary.column(&format!("preferred_{}", keys[1]))[..1], &[2.0], 1e-9);
    let explained = summary.column("explained");
    assert!(explained[0] > 0.95 && explained[2] < 0.7, "{explained:?}");
    let means = table(&found, "surface_spatial_frequency_cyc_per_deg_by_temporal_frequency_hz");
    assert_eq!(means.rows.len(), 3 * spatial.len() * temporal.len());
    assert!(means.column("n").iter().all(|&n| n == 4.0));
    let row = 2 * temporal.len() + 1;
    // Noise uniform in 0..0.2, the mean of twelve: 0.1 within a tenth.
    near(&means.column("mean")[row..=row], &[6.1], 0.1);
    let examples = &found.examples.surfaces;
    assert_eq!((examples[0].values[0].as_slice(), examples[0].values[1].as_slice()), (&spatial[..], &temporal[..]));
    assert_eq!(examples[0].labels[0], "Spatial frequency (cyc/°)");
    assert!(examples.iter().take(2).all(|example| example.unit != 2), "the unit that answers to nothing is unclear");
    let said = found.findings.join("\n");
    assert!(said.contains("4 x 3 values; separability: median"), "{said}");
    let drawn = figures::examples::plate(&found).svg(&Layout::default()).expect("drawn");
    for part in ["Tuning to two parameters", "Temporal frequency (Hz)", "separability 1.00, n = 4"] {
        assert!(drawn.contains(part), "`{part}` is missing");
    }
}

#[test]
fn parameters_that_were_not_swept_against_each_other_make_no_surface() {
    let apart: Vec<_> = (1..5)
        .flat_map(|step| {
            [("contrast", 0.2), ("size_deg", 10.0)].map(|(key, unit)| Some(vec![(key, unit * f64::from(step))]))
        })
        .collect();
    // And values that were drawn by chance make no grid.
    let drawn = (1..9).map(|step| Some(vec![("contrast", 0.1 * f64::from(step)), ("size_deg", f64::from(step))]));
    for conditions in [apart, drawn.collect()] {
        let found = characterised(&measured(&conditions, 2, 2, |unit, swept| 1.0 + unit as f64 * swept[0].1));
        let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
        assert!(names.iter().all(|name| !name.starts_with("s")), "{names:?}");
        assert!(found.examples.surfaces.is_empty());
    }
}

#[test]
fn every_kind_of_parameter_has_its_curve() {
    let grid = |key: &'static str, values: &[f64]| -> Vec<_> {
        values.iter().map(|&value| Some(vec![(key, value)])).collect()
    };
    let frequencies = grid("spatial_frequency_cyc_per_deg", &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32]);
    let found = characterised(&measured(&frequencies, 4, 2, |unit, swept| {
        let octaves = (swept[0].1 / [0.04, 0.08][unit]).log2();
        1.0 + 4.0 * (-0.5 * octaves * octaves).exp()
    }));
    near(&table(&found, "fit_spatial_frequency_cyc_per_deg").column("fit_preferred"), &[0.04, 0.08], 0.01);

    let contrasts = grid("contrast", &[0.05, 0.1, 0.2, 0.4, 0.8, 1.0]);
    let found = characterised(&measured(&contrasts, 4, 1, |_, swept| {
        let c = swept[0].1.powi(2);
        1.0 + 5.0 * c / (c + 0.09)
    }));
    near(&table(&found, "fit_contrast").column("fit_half_saturation"), &[0.3], 0.06);

    let sizes = grid("aperture.diameter_deg", &[5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0]);
    let found =
        characterised(&measured(&sizes, 4, 1, |_, swept| 1.0 + 5.0 * (-(swept[0].1 - 20.0).powi(2) / 200.0).exp()));
    let fit = table(&found, "fit_aperture_diameter_deg");
    near(&fit.column("fit_preferred"), &[20.0], 5.0);
    assert!(fit.column("fit_suppression")[0] > 0.5);

    // Coherence has no curve of its own, and too few values say so in the table.
    let found = characterised(&measured(&grid("coherence", &[0.0, 0.5, 1.0]), 3, 1, |_, swept| 1.0 + swept[0].1));
    near(&table(&found, "fit_coherence").column("preferred"), &[1.0], 1e-9);
    let found = characterised(&measured(&grid("contrast", &[0.2, 1.0]), 3, 1, |_, swept| 1.0 + swept[0].1));
    let row = table(&found, "fit_contrast").rows.row(0).join(",");
    assert!(row.contains("needs at least five") || row.contains("needs at least 5"), "{row}");
}

#[test]
fn orientations_lie_on_half_a_circle_and_have_no_direction() {
    let grid = |first: f64, step: f64| -> Vec<_> {
        (0..8).map(|index| Some(vec![("orientation_deg", first + step * f64::from(index))])).collect()
    };
    let preferred = [20.0, 150.0, 100.0];
    let answer = |unit: usize, swept: &[(&str, f64)]| {
        0.5 + 3.0 * (2.0 * ((2.0 * (swept[0].1 - preferred[unit])).to_radians().cos() - 1.0)).exp()
    };
    // The second list is the first: -90 degrees are 90.
    for first in [0.0, -90.0] {
        let found = characterised(&measured(&grid(first, 22.5), 6, 3, answer));
        let fits = table(&found, "fit_orientation_deg");
        // Noise of 0.06 beside a peak of 3.
        near(&fits.column("fit_preferred_deg"), &preferred, 3.0);
        near(&fits.column("orientation_deg"), &preferred, 4.0);
        assert!(fits.column("r2").iter().all(|&r2| r2 > 0.95), "{:?}", fits.column("r2"));
        // k = 2 gives 0.698, on a baseline of 0.6 beside a mean of 0.93.
        near(&fits.column("gOSI"), &[0.42; 3], 0.03);
        for (low, high) in fits.column("orientation_low_deg").iter().zip(fits.column("orientation_high_deg")) {
            assert!(*low < high && high - low < 20.0, "{low} to {high}");
        }
        assert!(fits.header.iter().all(|name| !name.contains("DSI")), "{:?}", fits.header);
        near(&table(&found, "tuning_orientation_deg").column("orientation_deg")[..2], &[0.0, 22.5], 1e-9);
        near(&table(&found, "population").column("order_by_tuning"), &[0.0, 2.0, 1.0], 1e-9);
        let drawn = &found.examples.curves[0].fitted;
        assert_eq!((drawn[0].0, drawn[drawn.len() - 1].0), (0.0, 180.0));
        let said = found.findings.join("\n");
        assert!(said.contains("von Mises fits") && !said.contains("bi-von Mises"), "{said}");
    }
    // Those that go on to 180 degrees and beyond are directions, whatever they are called.
    let found = characterised(&measured(&grid(0.0, 45.0), 4, 1, |_, swept| {
        0.5 + 3.0 * (2.0 * ((swept[0].1 - 200.0).to_radians().cos() - 1.0)).exp()
    }));
    let fits = table(&found, "fit_orientation_deg");
    near(&fits.column("fit_preferred_deg"), &[200.0], 4.0);
    assert!(fits.column("gDSI")[0] > 0.3, "{:?}", fits.column("gDSI"));
}

#[test]
fn parameters_are_known_by_the_names_that_recordings_give_them() {
    for (name, expected) in [
        ("direction_deg", Some(Varied::Direction)),
        ("Dir", Some(Varied::Direction)),
        ("Ori", Some(Varied::Orientation)),
        ("grating_orientation", Some(Varied::Orientation)),
        ("angle", Some(Varied::Angle)),
        ("SF", Some(Varied::SpatialFrequency)),
        ("SpatialFrequency", Some(Varied::SpatialFrequency)),
        ("temporal_frequency_hz", Some(Varied::TemporalFrequency)),
        ("speed_deg_per_sec", Some(Varied::Speed)),
        ("aperture.diameter_deg", Some(Varied::Size)),
        ("stimulus contrast", Some(Varied::Contrast)),
        ("crossing_angle_deg", None),
        ("surround_contrast", None),
        ("phase_deg", None),
        ("deg", None),
        ("", None),
    ] {
        assert_eq!(Varied::of(name), expected, "{name}");
    }
    let preset = PRESETS.iter().find(|preset| preset.stem == "orientation_static_grating").expect("a preset");
    let preset = preset.protocol().expect("a protocol");
    assert_eq!(period_deg(&preset.schedule(&Monitor::WANG2025), "orientation_deg"), Some(180.0));
}

/// What units that prefer these directions answer to directional noise, three frames later; between the windows of motion
/// they say other things.
fn answers(schedule: &Schedule, preferred: &[f64]) -> Responses {
    let units = preferred.len();
    let mut values = vec![0.0; schedule.frames * units];
    for shown in &schedule.presentations {
        let Stimulus::Monet(noise) = &schedule.conditions[shown.condition].stimulus else { continue };
        for frame in 0..shown.frames.min(schedule.frames - shown.onset_frame - 3) {
            let motion = noise.motion(FrameRate::WANG2025, shown.seed, frame);
            for (unit, preferred) in preferred.iter().enumerate() {
                let cos = (motion.direction_deg - preferred).to_radians().cos();
                let answer = if motion.moving { (2.0 * (cos - 1.0)).exp() } else { 3.0 };
                values[(shown.onset_frame + frame + 3) * units + unit] = answer as f32;
            }
        }
    }
    Responses::new(schedule.frames, 1, units, values).expect("a row for every frame")
}

#[test]
fn directional_noise_of_the_preset_tells_what_units_prefer() {
    let preset = PRESETS.iter().find(|preset| preset.stem == "paper_monet").expect("a preset");
    let schedule = preset.protocol().expect("a protocol").schedule(&Monitor::WANG2025);
    let preferred = [40.0, 130.0, 310.0];
    let measured = Measured {
        title: "Noise".to_owned(),
        notice: String::new(),
        provenance: String::new(),
        frame_rate: FrameRate::WANG2025,
        monitor: Some(Monitor::WANG2025),
        skip_frames: 9,
        movies: (0..schedule.presentations.len()).collect(),
        responses: Arc::new(answers(&schedule, &preferred)),
        schedule,
        watched: Vec::new(),
        recording: Vec::new(),
        units: units(3),
        remarks: Vec::new(),
    };
    // A unit at a time, as where there are many.
    for most_values in [Look::default().most_values, 1] {
        let mut none = || -> Result<Box<dyn FrameSource>, SourceError> { Err(SourceError::new("not asked for")) };
        let look = Look { most_values, ..look() };
        let found = Characterisation::of(&measured, &look, &mut none, &Progress::new()).expect("responses");
        let tuning = table(&found, "tuning_monet");
        near(&tuning.column("preferred_direction_deg"), &preferred, 0.1);
        near(&tuning.column("preferred_orientation_deg"), &[40.0, 130.0, 130.0], 0.1);
        // I1(2) / I0(2) and I2(2) / I0(2).
        near(&tuning.column("gDSI"), &[0.6978; 3], 0.001);
        near(&tuning.column("gOSI"), &[0.3022; 3], 0.001);
        near(&tuning.column("windows"), &[160.0; 3], 1e-9);
        let said = found.findings.join("\n");
        assert!(said.contains("16 directions, n = 10 windows of motion of each, responses 3 frames later"), "{said}");
        assert!(found.panels.iter().any(|panel| panel.title == "Directional noise: direction selectivity"));
    }
}

/// A schedule that shows one stimulus for so many frames.
fn noise(stimulus: Stimulus, frames: usize) -> Schedule {
    let presentations = vec![Presentation { condition: 0, repeat: 0, onset_frame: 0, frames, seed: 3 }];
    Schedule { conditions: vec![Condition::from(stimulus)], presentations, frames }
}

/// The values of an array that is the largest part of its file, after its header.
fn array(path: &Path, shape: &[u64]) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("written");
    let sizes: Vec<String> = shape.iter().map(|size| size.to_string()).collect();
    let header = String::from_utf8_lossy(&bytes[..128]).replace(",)", ")");
    assert!(header.contains(&sizes.join(", ")) && header.contains("<f4"), "{header}");
    let values = &bytes[bytes.len() - 4 * shape.iter().product::<u64>() as usize..];
    values.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().expect("four bytes"))).collect()
}

/// The maps of the only unit are there, with axes by which their peak lies at a place and a delay.
fn maps_peak_at(written: &[PathBuf], stem: &Path, place: (f64, f64), delay: usize) {
    let path = stem.with_extension("json");
    assert!(written.contains(&path), "{written:?}");
    let about: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect("written")).expect("a description");
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).collect()
    };
    let shape: Vec<u64> = numbers(&about["shape"]).into_iter().map(|size| size as u64).collect();
    let (rows, columns) = (shape[shape.len() - 2] as usize, shape[shape.len() - 1] as usize);
    let file = about["files"][0].as_str().expect("a name");
    let file = stem.with_file_name(file);
    assert!(written.contains(&file), "{written:?}");
    let values = array(&file, &shape);
    let peak = (0..values.len()).filter(|&at| !values[at].is_nan());
    let peak = peak.max_by(|&a, &b| values[a].total_cmp(&values[b])).expect("a map");
    let (row, column) = (peak / columns % rows, peak % columns);
    let [x, y] = ["x", "y"].map(|axis| numbers(&about[axis][row])[column]);
    // The place is in the square, or one of its neighbours as the field is wider than a pixel.
    assert!((x - place.0).hypot(y - place.1) < 12.0, "({x}, {y}), expected {place:?}");
    assert_eq!((about["place_unit"].as_str(), about["units"][0]["unit"].as_u64()), (Some("deg"), Some(0)));
    let delays = numbers(&about["delays_secs"]);
    let rate = FrameRate::WANG2025;
    if shape.len() == 4 {
        assert_eq!(about["axes"][1], "delay");
        let found = peak / (rows * columns);
        assert_eq!((found, delays.len()), (delay, 12));
        near(&delays[found..=found], &[rate.secs_at(delay)], 1e-9);
    } else {
        assert_eq!((written.len(), delays), (4, vec![rate.secs_at(delay)]), "bright, dark, both and what they mean");
    }
}

#[test]
fn receptive_fields_lie_where_the_units_look() {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 18, width: 32 });
    let (row, column) = (6, 22);
    let (x, y) = monitor.degrees_from_pixel(row as f64, column as f64);
    for (stimulus, name, delay) in [
        (Stimulus::SparseNoise(SparseNoise::default()), "receptive_fields_sparse_noise", 0),
        (Stimulus::WhiteNoise(WhiteNoise::default()), "receptive_fields_white_noise", 2),
    ] {
        let frames = 6000;
        let schedule = noise(stimulus, frames);
        let source = || ScheduleSource::new(schedule.clone(), &monitor).expect("noise");
        let mut pixels = vec![0; frames * monitor.raster.pixels()];
        source().read(0, frames, &mut pixels).expect("drawn");
        // A unit that answers to the brightness of a small neighbourhood, some frames later.
        let bright = |frame: usize| -> f32 {
            let picture = &pixels[frame * monitor.raster.pixels()..][..monitor.raster.pixels()];
            let near = (row - 1..=row + 1).flat_map(|r| (column - 1..=column + 1).map(move |c| r * 32 + c));
            near.map(|place| f32::from(picture[place]) - 128.0).sum::<f32>().max(0.0) / 500.0
        };
        let values = (0..frames).map(|frame| bright(frame.saturating_sub(delay))).collect();
        let measured = Measured {
            title: "Noise".to_owned(),
            notice: String::new(),
            provenance: String::new(),
            schedule: schedule.clone(),
            frame_rate: FrameRate::WANG2025,
            monitor: Some(monitor),
            skip_frames: 0,
            movies: vec![0],
            responses: Arc::new(Responses::new(frames, 1, 1, values).expect("one unit")),
            watched: Vec::new(),
            recording: Vec::new(),
            units: units(1),
            remarks: Vec::new(),
        };
        let mut movie = || -> Result<Box<dyn FrameSource>, SourceError> { Ok(Box::new(source())) };
        let look = Look { delay_frames: delay, ..look() };
        let folder = tempfile::tempdir().expect("a folder");
        let found = Characterisation::with_maps(&measured, &look, &mut movie, &Progress::new(), folder.path());
        let (found, written) = found.expect("responses");
        maps_peak_at(&written, &folder.path().join(name), (x, y), delay);
        let fields = table(&found, name);
        let (found_x, found_y) = (fields.column("x_deg")[0], fields.column("y_deg")[0]);
        // Half a square of sparse noise, or a block and a half of a map.
        assert!((found_x - x).hypot(found_y - y) < 6.0, "{name}, expected ({x}, {y}): {:?}", fields.rows);
        if delay > 0 {
            // A field of three pixels has more selectivity than a flat map, 6.1, though noise lies around it.
            assert!(fields.column("SSI")[0] > 7.0, "{:?}", fields.column("SSI"));
            assert!(found.examples.fields[0].ssi.is_some());
            near(&fields.column("peak_delay_frames"), &[delay as f64], 0.5);
        }
    }
}

#[test]
fn parameters_of_a_recording_are_read_from_the_names_of_its_conditions() {
    let raster = Raster { height: 1, width: 1 };
    let trial = |name: &str, value: f32| {
        let movie = Movie::new(raster, FRAMES, 1, vec![0; FRAMES]).expect("so many pixels");
        let responses = Responses::new(FRAMES, 1, 1, vec![value; FRAMES]).expect("one unit");
        let condition = Some(name.to_owned());
        Trial::new(false, condition, Arc::new(movie), Behavior::still(FRAMES, 1), responses).expect("a trial")
    };
    let name = |step: usize| match step % 2 {
        0 => format!("direction={}, contrast=1, seed={step}", 45 * step),
        _ => format!("Drifting grating, condition {step}, direction {} deg, contrast 1, movie {step}", 45 * step),
    };
    let mut trials: Vec<Trial> = (0..24)
        .map(|index| trial(&name(index % 8), if index % 8 == 2 { 4.0 } else { 1.0 } + 0.01 * index as f32))
        .collect();
    trials.push(trial("direction=0", f32::NAN));
    let session = Session {
        id: ScanId { animal: "M".to_owned(), session: 1, scan: 1 },
        units: vec![SessionUnit::numbered(0)],
        trials,
        frame_rate: FrameRate::WANG2025,
        raster,
        about: Default::default(),
    };
    let unlisted = PresentationTable::default();
    let measured = Measured::of_session(&session, &unlisted, 0, &[], &Progress::new()).expect("trials");
    assert!(
        measured.remarks[0].contains("1 of 25 trials without any measured response were left out"),
        "{:?}",
        measured.remarks
    );
    let found = characterised(&measured);
    near(&table(&found, "fit_direction_deg").column("fit_preferred_deg"), &[90.0], 5.0);
    let fits: Vec<&str> =
        found.tables.iter().map(|table| table.name.as_str()).filter(|name| name.starts_with("fit")).collect();
    assert_eq!(fits, ["fit_direction_deg"], "numbers of movies and seeds are no parameters");
    assert!(
        Measured::of_session(&session, &unlisted, FRAMES, &[], &Progress::new())
            .is_err_and(|e| e.to_string().contains("for more than 4 frames"))
    );

    let drawn = figures::characterisation::plate(&found).svg(&Layout::default()).expect("drawn");
    assert!(drawn.contains("Recording: animal M") && drawn.contains("n = 1 of 1"), "{drawn}");
    if let Some(folder) = std::env::var_os("TWINSCOPE_SHOW_FIGURES") {
        let path = Path::new(&folder).join("analysis.png");
        figures::characterisation::plate(&found).write(&path, &Layout::default()).expect("written");
    }
}

/// A session of trials of some units without movies, by condition.
fn session(units: u32, trials: Vec<(String, Vec<f32>)>) -> Session {
    let raster = Raster { height: 1, width: 1 };
    let trial = |(name, values): (String, Vec<f32>)| {
        let frames = values.len() / units as usize;
        let movie = Movie::new(raster, frames, 1, vec![0; frames]).expect("so many pixels");
        let responses = Responses::new(frames, 1, units as usize, values).expect("so many units");
        Trial::new(false, Some(name), Arc::new(movie), Behavior::still(frames, 1), responses).expect("a trial")
    };
    Session {
        id: ScanId { animal: "M".to_owned(), session: 1, scan: 1 },
        units: (0..units).map(|unit| SessionUnit::numbered(10 + unit)).collect(),
        trials: trials.into_iter().map(trial).collect(),
        frame_rate: FrameRate::WANG2025,
        raster,
        about: Default::default(),
    }
}

#[test]
fn columns_of_a_recording_are_fitted_whatever_they_are_called() {
    let frequencies = [0.01, 0.02, 0.04, 0.08, 0.16];
    let trial = |index: usize| {
        let (orientation, frequency) = (30.0 * (index % 6) as f64, frequencies[index / 6 % 5]);
        let tuned = (2.0 * (orientation - 60.0)).to_radians().cos() - (frequency / 0.04f64).log2().powi(2);
        let row = |frame: usize| (1.0 + 4.0 * tuned.exp() + 0.05 * chance(10 * index + frame)) as f32;
        let name = format!("stimulus=gratings, Ori={orientation}, sf={frequency}, Size=20, contrast_of_surround=1");
        (name, (0..FRAMES).map(row).collect())
    };
    let session = session(1, (0..60).map(trial).collect());
    let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
    let measured = measured.expect("trials");
    let told: Vec<&str> = measured.schedule.conditions[0].swept.iter().map(|(key, _)| key.as_str()).collect();
    // Of a size no unit is told.
    assert_eq!(told, ["orientation_deg", "spatial_frequency_cyc_per_deg", "Size", "contrast_of_surround"]);
    let found = characterised(&measured);
    near(&table(&found, "fit_orientation_deg").column("fit_preferred_deg"), &[60.0], 3.0);
    assert!(table(&found, "fit_orientation_deg").column("gOSI")[0] > 0.1);
    near(&table(&found, "fit_spatial_frequency_cyc_per_deg").column("fit_preferred"), &[0.04], 0.005);
}

#[test]
fn findings_name_options_in_words_that_hold_in_the_window_and_on_the_command_line() {
    let trial = |index: usize| (format!("direction={}", 90 * (index % 4)), vec![1.0 + chance(index) as f32; FRAMES]);
    let session = session(1, (0..8).map(trial).collect());
    let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
    let said = characterised(&measured.expect("trials")).findings.join("\n");
    assert!(said.contains("choose among the options which to map receptive fields from"), "{said}");
    assert!(!said.contains(" --"), "{said}");
}

#[test]
fn directional_noise_of_a_recording_is_read_where_it_tells_the_seed() {
    let noise = Monet { directions: 8, period_secs: 0.5, ..Monet::default() };
    let trial = |seed: u64| {
        let frames = 8 * 15 + 10;
        let presentations = vec![Presentation { condition: 0, repeat: 0, onset_frame: 0, frames, seed }];
        let conditions = vec![Condition::from(Stimulus::Monet(noise.clone()))];
        let values = answers(&Schedule { conditions, presentations, frames }, &[90.0]).values().to_vec();
        (format!("stimulus=Monet2, seed={seed}, directions=8, period_secs=0.5"), values)
    };
    let analysed = |trials: Vec<(String, Vec<f32>)>| {
        let session = session(1, trials);
        let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
        characterised(&measured.expect("trials"))
    };
    let trials: Vec<_> = [7, u64::MAX].map(trial).to_vec();
    let found = analysed(trials.clone());
    let tuning = table(&found, "tuning_monet");
    near(&tuning.column("preferred_direction_deg"), &[90.0], 0.1);
    near(&tuning.column("windows"), &[16.0], 1e-9);
    let untold = trials.into_iter().map(|(name, values)| (name.replace("seed", "number"), values)).collect();
    assert!(analysed(untold).tables.iter().all(|table| table.name != "tuning_monet"), "their order is not known");
}

#[test]
fn what_was_not_measured_leaves_the_rest_in_place() {
    // Four units, eight directions, three trials each. The second unit was never measured; the third misses a frame of
    // every trial, at which it would have answered wildly; the fourth misses the first trial of every direction.
    let trial = |index: usize| {
        let direction = 45.0 * (index % 8) as f64;
        let answer = |preferred: f64| 1.0 + 4.0 * (2.0 * ((direction - preferred).to_radians().cos() - 1.0)).exp();
        let row = |frame: usize| {
            let noise = 0.1 * chance(10 * index + frame);
            let third = if frame == 2 { f64::NAN } else { answer(180.0) + noise };
            let fourth = if index < 8 { f64::NAN } else { answer(90.0) + noise };
            [answer(270.0) + noise, f64::NAN, third, fourth].map(|value| value as f32)
        };
        (format!("direction={direction}"), (0..FRAMES).flat_map(row).collect())
    };
    let session = session(4, (0..24).map(trial).collect());
    let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
    let measured = measured.expect("trials");
    let found = characterised(&measured);
    let said = found.findings.join("\n");
    for part in [
        "1 of 4 units without any measured response were left out",
        // A frame of 24 trials, and four of eight.
        "56 of 288 responses were not measured",
        "of the 2 of 3 units that were measured in each of 24 presentations",
    ] {
        assert!(said.contains(part), "`{part}` is missing in\n{said}");
    }
    let fits = table(&found, "fit_direction_deg");
    assert_eq!(fits.column("unit"), [10.0, 12.0, 13.0]);
    near(&fits.column("fit_preferred_deg"), &[270.0, 180.0, 90.0], 5.0);
    let n = table(&found, "tuning_direction_deg").column("n");
    assert_eq!((&n[..16], &n[16..]), (&[3.0; 16][..], &[2.0; 8][..]));
    assert_eq!(table(&found, "reliability").rows.len(), 3);
    assert_eq!(table(&found, "population").rows.len(), 2);
}

#[test]
fn a_trial_in_which_nobody_was_measured_does_not_take_the_others_along() {
    let trial = |index: usize| {
        let value = |frame: usize| if index % 8 == 3 { 5.0 } else { 1.0 } + 0.1 * chance(index + frame) as f32;
        let silent = index == 5;
        let row = |frame: usize| [if silent { f32::NAN } else { value(frame) }, f32::NAN];
        (format!("direction={}", 45 * (index % 8)), (0..FRAMES).flat_map(row).collect())
    };
    let session = session(2, (0..24).map(trial).collect());
    let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
    let measured = measured.expect("trials");
    assert_eq!((measured.units.len(), measured.schedule.presentations.len()), (1, 23));
    let found = characterised(&measured);
    near(&table(&found, "fit_direction_deg").column("fit_preferred_deg"), &[135.0], 5.0);
    assert!(table(&found, "pca").rows.len() == 1, "nothing else is missing");
}

#[test]
fn presentations_that_do_not_fit_into_their_trial_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let listed = "movie,onset_frame,frames,kind,values\nm,0,4,grating,contrast=0.5\nm,4,4,grating,contrast=1\n\
                  m,8,8,grating,contrast=0.2\nm,8,1,grating,contrast=0.1\n";
    std::fs::write(folder.path().join(PresentationTable::FILE), listed).expect("written");
    let table = PresentationTable::beside(folder.path()).expect("a table");
    let session = session(1, (0..3).map(|trial| ("m".to_owned(), vec![1.0 + trial as f32; 12])).collect());
    let measured = Measured::of_session(&session, &table, 1, &[], &Progress::new()).expect("trials");
    assert_eq!(measured.schedule.presentations.len(), 6);
    let said = measured.remarks.join("\n");
    for part in [
        "3 of 12 presentations that presentations.csv lists for the trials and that end after their trial were left out",
        "3 of 12 presentations that presentations.csv lists for the trials and that are not longer than the frames that \
         are skipped were left out",
    ] {
        assert!(said.contains(part), "`{part}` is missing in\n{said}");
    }
    let whole =
        Measured::of_session(&session, &PresentationTable::default(), 1, &[], &Progress::new()).expect("trials");
    assert!(!whole.remarks.join("").contains("presentations.csv"), "{:?}", whole.remarks);
}

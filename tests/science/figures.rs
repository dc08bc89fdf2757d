//! Figures: what they say, and that they are there.

use std::io::Cursor;

use twinscope::experiment::Outcome;
use twinscope::figures::study::{curve, matrix, tuning};
use twinscope::figures::{Data, Figure, FigureError, Layout, unit_name, write};
use twinscope::study::{Fidelity, Finding, Table};

use super::made_up;
use super::run::outcome;

const NOTICE: &str = "Built-in twin: learned from a simulated mouse";

/// The text of every `<text>` element.
fn texts(svg: &str) -> Vec<String> {
    let elements = svg.split("<text").skip(1).filter_map(|rest| rest.split_once('>'));
    elements.filter_map(|(_, rest)| rest.split_once("</text>")).map(|(text, _)| text.trim().to_owned()).collect()
}

fn says(figure: Figure, outcome: &Outcome, expected: &[&str]) {
    let texts = texts(&figure.of(&Data::of(outcome)).svg(&Layout::default()).expect("drawn"));
    for expected in expected {
        assert!(texts.iter().any(|text| text.contains(expected)), "{figure:?} lacks \"{expected}\": {texts:?}");
    }
}

/// What can be drawn of an outcome in which only directions were swept.
fn of_directions(unit: usize) -> Vec<Figure> {
    let outcome = outcome();
    let figures: Vec<Figure> =
        Figure::all(unit).into_iter().filter(|figure| figure.fits(&Data::of(&outcome))).collect();
    assert_eq!(figures.len(), 5);
    figures
}

#[test]
fn every_figure_says_what_it_shows_and_whose_responses_they_are() {
    let outcome = outcome();
    for figure in of_directions(1) {
        says(figure, &outcome, &["Direction tuning, drifting gratings", NOTICE]);
    }
}

#[test]
fn a_tuning_curve_has_labels_units_number_and_selectivity() {
    let expected = [
        "unit 14 (animal M1, session 4, scan 7)",
        "Response (× mean)",
        "Direction of motion (°)",
        "n = 2 presentations of each direction",
        "gOSI",
        "0.57",
        "gDSI",
        "0.86",
        "Preferred direction",
        "90°",
    ];
    says(Figure::DirectionTuning { unit: 1 }, &outcome(), &expected);
}

#[test]
fn undefined_selectivity_is_said_to_be_undefined() {
    says(Figure::DirectionTuning { unit: 3 }, &outcome(), &["undefined"]);
}

#[test]
fn the_other_figures_have_labels_and_units() {
    let outcome = outcome();
    says(Figure::Traces { unit: 0 }, &outcome, &["Time (s)", "Response (× mean)", "The first"]);
    says(Figure::HeatMap, &outcome, &["Unit", "Direction of motion (°)", "Response (fraction of maximum)"]);
    says(Figure::Population, &outcome, &["Units", "Preferred direction of motion (°)", "gOSI", "gDSI", "3 of 4 units"]);
    says(Figure::Summary { unit: 0 }, &outcome, &["A", "B", "C", "D", "Time (s)", "gDSI"]);
}

#[test]
fn an_svg_has_the_size_of_a_page_and_its_provenance() {
    let outcome = outcome();
    let drawn = Figure::Summary { unit: 0 }.of(&Data::of(&outcome)).svg(&Layout::default()).expect("drawn");
    assert!(drawn.starts_with("<svg ") && drawn.trim_end().ends_with("</svg>"));
    let width = drawn.split("width=\"").nth(1).and_then(|rest| rest.split("mm").next()).expect("a width");
    // Rounded to whole pixels.
    assert!((width.parse::<f64>().expect("a number") - 183.0).abs() < 0.1, "{width} mm wide");
    assert!(drawn.contains("weights sha256 00ff") && drawn.contains("seed 1"));
}

#[test]
fn a_title_cannot_break_an_svg() {
    let mut outcome = outcome();
    outcome.protocol.title = "a<b> & \"c\" \u{7}".to_owned();
    let drawn = Figure::HeatMap.of(&Data::of(&outcome)).svg(&Layout::default()).expect("drawn");
    assert!(!drawn.contains("<b>") && !drawn.contains('\u{7}'));
    assert!(texts(&drawn).iter().any(|text| text.starts_with("a&lt;b&gt; &amp;")));
}

#[test]
fn a_long_title_is_shortened_to_the_page() {
    let mut outcome = outcome();
    outcome.protocol.title = "W".repeat(120);
    says(Figure::HeatMap, &outcome, &["WWW…"]);
}

#[test]
fn a_png_has_the_size_of_a_page_at_300_dots_per_inch() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = outcome();
    for figure in of_directions(0) {
        let path = folder.path().join(figure.stem()).with_extension("png");
        write(figure, &Data::of(&outcome), &path).expect("written");
        let bytes = std::fs::read(&path).expect("readable");
        let decoded = image::ImageReader::with_format(Cursor::new(&bytes), image::ImageFormat::Png).decode();
        let pixels = decoded.expect("a PNG whose checks agree").into_rgb8();
        let (width, height) = figure.of(&Data::of(&outcome)).size_mm(&Layout::default()).expect("drawn");
        let expected = [width, height].map(|mm| (mm / 25.4 * 300.0).round() as u32);
        assert_eq!([pixels.width(), pixels.height()], expected, "{figure:?}");
        let inked = pixels.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        assert!(inked > 10_000, "{figure:?} has only {inked} pixels that are not white");
        let border = |x: u32, y: u32| pixels.get_pixel(x, y).0 == [255; 3];
        assert!((0..expected[0]).all(|x| border(x, 0) && border(x, expected[1] - 1)), "{figure:?} is cut off");
        assert!((0..expected[1]).all(|y| border(0, y) && border(expected[0] - 1, y)), "{figure:?} is cut off");
        // 11811 pixels per metre, in both directions.
        let resolution = [&11_811u32.to_be_bytes()[..], &11_811u32.to_be_bytes(), &[1]].concat();
        assert_eq!(&bytes[37..41], b"pHYs");
        assert_eq!(&bytes[41..50], resolution);
    }
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    let (first, second) = (outcome(), outcome());
    for figure in of_directions(0) {
        assert_eq!(
            figure.of(&Data::of(&first)).svg(&Layout::default()).expect("drawn"),
            figure.of(&Data::of(&second)).svg(&Layout::default()).expect("drawn")
        );
    }
    let figure = Figure::DirectionTuning { unit: 0 };
    assert!(
        figure.of(&Data::of(&first)).picture(&Layout::default()).expect("drawn")
            == figure.of(&Data::of(&second)).picture(&Layout::default()).expect("drawn")
    );
}

#[test]
fn what_cannot_be_drawn_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut outcome = outcome();
    let refused = |figure: Figure, outcome: &Outcome, name: &str| {
        let path = folder.path().join(name);
        let error = write(figure, &Data::of(outcome), &path).expect_err("refused");
        assert!(!path.exists(), "{name} was left behind");
        error
    };
    let format = refused(Figure::HeatMap, &outcome, "figure.tiff");
    assert!(matches!(&format, FigureError::Format { .. }), "{format}");
    let unit = refused(Figure::Traces { unit: 4 }, &outcome, "figure.png");
    assert_eq!(unit.to_string(), "unit 4 was asked for, but there are 4, counted from 0");
    let folder_missing = refused(Figure::HeatMap, &outcome, "absent/figure.png");
    assert!(matches!(&folder_missing, FigureError::Write { .. }), "{folder_missing}");
    outcome.tuning = None;
    let tuning = refused(Figure::HeatMap, &outcome, "figure.svg");
    assert!(tuning.to_string().contains("no direction was swept"), "{tuning}");
    assert!(!Figure::HeatMap.fits(&Data::of(&outcome)) && Figure::Traces { unit: 0 }.fits(&Data::of(&outcome)));
    // A trace needs no tuning.
    Figure::Traces { unit: 0 }.of(&Data::of(&outcome)).svg(&Layout::default()).expect("drawn");
}

#[test]
fn a_unit_is_named_with_its_animal_where_known() {
    let mut id = outcome().units[0].clone();
    assert_eq!(unit_name(&id), "unit 11 (animal M1, session 4, scan 7)");
    id.animal = None;
    assert_eq!(unit_name(&id), "unit 11 (session 4, scan 7)");
}

/// The same responses, as if contrast had been varied in place of the direction.
fn contrast_outcome(values: [f64; 16]) -> Outcome {
    let mut outcome = outcome();
    for (condition, value) in outcome.schedule.conditions.iter_mut().zip(values) {
        condition.swept = vec![("contrast".to_owned(), value)];
    }
    outcome.tuning = None;
    outcome.parameter = twinscope::analysis::parameter_tuning(&outcome.schedule, "contrast", 9, &outcome.responses);
    assert!(outcome.parameter.is_some());
    outcome
}

#[test]
fn tuning_to_a_parameter_has_its_label_its_values_and_its_maximum() {
    let outcome = contrast_outcome(std::array::from_fn(|index| (index + 1) as f64 / 16.0));
    let expected = [
        "unit 14 (animal M1, session 4, scan 7)",
        NOTICE,
        "Contrast",
        "Response (× mean)",
        "n = 2 presentations of each value",
        "Value of the maximum",
        // 90 degrees was the fifth direction.
        "0.3125",
        "0.9375",
    ];
    says(Figure::ParameterTuning { unit: 1 }, &outcome, &expected);
    says(
        Figure::ParameterPopulation,
        &outcome,
        &["Preferred: Contrast", "Units", "over n = 4 units", "fraction of maximum"],
    );
    // The sheet is about what was swept, not about a direction that was not.
    let sheet = Figure::Summary { unit: 1 };
    let expected = ["Contrast tuning of unit 14 (animal M1, session 4, scan 7)", "Preferred: Contrast", "Time (s)"];
    says(
        sheet,
        &outcome,
        &[&expected[..], &["A", "B", "C", "D", "Value of the maximum", "fraction of maximum"]].concat(),
    );
    let texts = texts(&sheet.of(&Data::of(&outcome)).svg(&Layout::default()).expect("drawn"));
    assert!(!texts.iter().any(|text| text.contains("irection") && !text.contains("Direction tuning,")), "{texts:?}");
    let logarithmic = contrast_outcome(std::array::from_fn(|index| 0.5_f64.powi(15 - index as i32)));
    says(Figure::ParameterTuning { unit: 1 }, &logarithmic, &["Logarithmic axis", "0.125"]);
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all parameter_shots`.
#[test]
fn parameter_shots_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = std::path::PathBuf::from(folder);
    let linear = contrast_outcome(std::array::from_fn(|index| (index + 1) as f64 / 16.0));
    let logarithmic = contrast_outcome(std::array::from_fn(|index| 0.5_f64.powi(15 - index as i32)));
    for (name, outcome) in [("linear", &linear), ("logarithmic", &logarithmic)] {
        for figure in [Figure::ParameterTuning { unit: 1 }, Figure::ParameterPopulation, Figure::Summary { unit: 1 }] {
            write(figure, &Data::of(outcome), &folder.join(format!("{name}-{}.png", figure.stem()))).expect("written");
        }
    }
}

/// Findings of three arms, the last without minutes: CC_norm grows by 0.1 with each doubling, is 0.06 better in the
/// second of two animals, and is not defined for the third arm in the second domain.
fn findings(names: [&str; 3]) -> Table {
    let mut table = Table::new("A core for new animals");
    for (arm, name) in names.into_iter().enumerate() {
        for animal in 0..2 {
            let budgets = if arm == 2 { vec![None] } else { vec![Some(1.0), Some(2.0), Some(16.0)] };
            for minutes in budgets {
                for (domain, place) in ["Rendered clip", "Moving dots"].into_iter().zip(0..) {
                    let doublings = minutes.map_or(1.0, f64::log2);
                    let value = 0.2 + 0.1 * arm as f64 + 0.1 * doublings + 0.06 * f64::from(animal);
                    table.findings.push(Finding {
                        arm: name.to_owned(),
                        animal: format!("mouse-{animal}"),
                        seed: Some(7),
                        minutes,
                        domain: domain.to_owned(),
                        units: 100,
                        cc_norm: (arm < 2 || place == 0).then_some(value),
                        interval: None,
                        cc_abs: None,
                        cc_true: None,
                        mean_ratio: None,
                    });
                }
            }
        }
    }
    table
}

fn all_said(texts: &[String], expected: &[&str]) {
    for expected in expected {
        assert!(texts.iter().any(|text| text.contains(expected)), "it lacks \"{expected}\": {texts:?}");
    }
}

#[test]
fn a_matrix_of_findings_says_mean_and_range_of_every_arm_in_every_domain() {
    let table = findings(["adapted", "scratch", "LN"]);
    let texts = texts(&matrix::plate(&table).svg(&Layout::default()).expect("drawn"));
    // At 16 minutes: 0.6 and 0.66, then 0.1 more; without minutes 0.5 and 0.56.
    let expected = ["0.63", "0.60 to 0.66", "0.73", "0.70 to 0.76", "0.53", "0.50 to 0.56", "n/a"];
    all_said(&texts, &expected);
    let expected = ["adapted", "scratch", "LN", "Rendered clip", "Moving dots", "A core for new animals"];
    all_said(&texts, &expected);
    all_said(&texts, &["n = 2 animals, 1 seed; 100 units each", "most minutes", "mouse-0, mouse-1"]);
    assert_eq!(texts.iter().filter(|text| *text == "n/a").count(), 1, "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("0.20")), "of few minutes: {texts:?}");
}

#[test]
fn only_seeds_of_a_training_are_counted() {
    let mut table = findings(["twin", "LN", "CNN + GRU"]);
    table.findings.retain(|finding| finding.animal == "mouse-0");
    let drawn = |table: &Table| matrix::plate(table).svg(&Layout::default()).expect("drawn");
    for finding in &mut table.findings {
        finding.seed = (finding.arm == "CNN + GRU").then_some(1);
    }
    let svg = drawn(&table);
    all_said(&texts(&svg), &["n = 1 animal, 1 seed of CNN + GRU; 100 units each"]);
    assert!(svg.contains("seeds of training 1"), "where the figure comes from");
    for finding in &mut table.findings {
        finding.seed = None;
    }
    let svg = drawn(&table);
    all_said(&texts(&svg), &["n = 1 animal; 100 units each"]);
    assert!(!svg.contains("seeds of training"), "there is none");
}

#[test]
fn an_arm_without_a_seed_counts_as_none_and_weights_and_device_are_written_into_the_file() {
    let mut table = findings(["adapted", "scratch", "LN"]);
    table.findings.iter_mut().filter(|finding| finding.arm == "LN").for_each(|finding| finding.seed = None);
    table.sha256 = Some("00ff".to_owned());
    table.devices = vec!["CPU engine".to_owned()];
    for plate in [matrix::plate(&table), curve::plate(&table)] {
        let svg = plate.svg(&Layout::default()).expect("drawn");
        all_said(&texts(&svg), &["n = 2 animals, 1 seed of adapted, scratch; 100 units each"]);
        assert!(svg.contains("weights sha256 00ff; device CPU engine; seeds of training 7"), "{svg}");
        assert!(svg.contains(concat!("twinscope ", env!("CARGO_PKG_VERSION"))), "{svg}");
    }
    table.findings.retain(|finding| finding.seed.is_none());
    let svg = matrix::plate(&table).svg(&Layout::default()).expect("drawn");
    all_said(&texts(&svg), &["n = 2 animals; 100 units each"]);
    assert!(svg.contains("no seed of training"), "{svg}");
    let csv = String::from_utf8(table.csv()).expect("text");
    assert!(csv.lines().nth(1).expect("a row").starts_with("LN,mouse-0,,,"), "{csv}");
}

#[test]
fn a_single_value_has_no_range_and_no_negative_zero() {
    let mut table = findings(["adapted", "scratch", "LN"]);
    table.findings.truncate(1);
    table.findings[0].cc_norm = Some(-0.001);
    let texts = texts(&matrix::plate(&table).svg(&Layout::default()).expect("drawn"));
    assert!(texts.iter().any(|text| text == "0.00"), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains(" to ")), "{texts:?}");
}

#[test]
fn a_curve_has_a_tick_at_every_amount_of_clips_and_a_legend_of_all_arms() {
    let table = findings(["adapted", "scratch", "LN"]);
    let texts = texts(&curve::plate(&table).svg(&Layout::default()).expect("drawn"));
    all_said(&texts, &["adapted", "scratch", "LN", "Rendered clip", "Moving dots", "CC_norm", "Level lines"]);
    for tick in ["1", "2", "16"] {
        // Once in each panel.
        assert_eq!(texts.iter().filter(|text| *text == tick).count(), 2, "{tick}: {texts:?}");
    }
    assert_eq!(texts.iter().filter(|text| *text == "Clips (min)").count(), 2, "{texts:?}");
}

#[test]
fn findings_that_cannot_be_drawn_are_refused_in_words() {
    let mut table = findings(["adapted", "scratch", "LN"]);
    table.findings.retain(|finding| finding.arm == "LN");
    let error = curve::plate(&table).svg(&Layout::default()).expect_err("no minutes").to_string();
    assert!(error.contains("no curve to show"), "{error}");
    let error = matrix::plate(&Table::new("Nothing")).svg(&Layout::default()).expect_err("empty").to_string();
    assert!(error.contains("found nothing yet"), "{error}");
    table.findings.iter_mut().for_each(|finding| finding.cc_norm = Some(f64::NAN));
    all_said(&texts(&matrix::plate(&table).svg(&Layout::default()).expect("drawn")), &["n/a"]);
}

#[test]
fn long_names_stay_on_the_page() {
    let long = "without running, the pupil and all else that an animal does while it watches, at every monitor, in every \
                session and scan of every animal";
    let mut table = findings([long, "scratch", "LN"]);
    for (index, finding) in table.findings.iter_mut().enumerate() {
        finding.domain = format!("Extraordinarily long-named stimuli of the kind {}", index % 8);
    }
    for page in [matrix::plate(&table).svg(&Layout::default()), curve::plate(&table).svg(&Layout::default())] {
        let texts = texts(&page.expect("drawn"));
        assert!(texts.iter().any(|text| text.starts_with("without running")), "{texts:?}");
        // What is cut says so.
        assert!(texts.iter().any(|text| text.ends_with('…')), "{texts:?}");
    }
    let (matrix, curve) = (
        matrix::plate(&table).picture(&Layout::default()).expect("drawn"),
        curve::plate(&table).picture(&Layout::default()).expect("drawn"),
    );
    for (name, picture) in [("matrix", matrix), ("curve", curve)] {
        // The page has a margin, in which nothing is drawn: 1 mm at 300 dots per inch.
        let inked = |column: usize, row: usize| picture.rgb[3 * (row * picture.width + column)] < 250;
        let edge = picture.width - 12..picture.width;
        let stray = (0..picture.height).find(|&row| edge.clone().any(|column| inked(column, row)));
        assert_eq!(stray, None, "{name}: ink at the right edge");
    }
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all findings_shots`.
#[test]
fn findings_shots_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = std::path::PathBuf::from(folder);
    let table = findings(["adapted from a core of eight animals", "scratch", "LN"]);
    matrix::write(&table, &folder.join("matrix.png")).expect("written");
    curve::write(&table, &folder.join("curve.png")).expect("written");
}

#[test]
fn the_caption_of_lesions_tells_their_tests_in_words() {
    let table = made_up::lesions();
    let plate = matrix::plate(&table);
    // Captions are broken at spaces.
    let said = texts(&plate.svg(&Layout::default()).expect("drawn")).join(" ");
    for expected in [
        "Against intact, over the same units",
        "p corrected for 6 tests (Holm)",
        "without gaze: −0.120 (Rendered clips) to −0.020 (Moving dots)",
        "0.05 in 3 of 3 domains.",
    ] {
        assert!(said.contains(expected), "it lacks \"{expected}\": {said}");
    }
    let numbers = String::from_utf8(plate.numbers(&Layout::default()).expect("numbers")).expect("UTF-8");
    let tests = numbers.lines().filter(|row| row.contains("Median difference of CC_norm")).count();
    assert_eq!(tests, 6, "{numbers}");
}

#[test]
fn the_figure_of_a_twin_beside_the_truth_says_medians_and_of_how_many_units() {
    let fidelity = made_up::fidelity();
    let gratings = &fidelity.tuning[0];
    let selective = gratings.selective().count();
    assert!((1..80).contains(&selective), "{selective}");
    assert_eq!(gratings.errors_deg().len(), selective, "only selective units have an error that counts");
    let plate = tuning::plate(&fidelity);
    let texts = texts(&plate.svg(&Layout::default()).expect("drawn"));
    let n = format!("n = {selective} of 80 units");
    all_said(&texts, &["Error, gratings", "Error, coherent dots", "Distance of centres", &n, "chance 90°"]);
    let numbers = String::from_utf8(plate.numbers(&Layout::default()).expect("numbers")).expect("UTF-8");
    let median = gratings_median(&fidelity);
    assert!(numbers.lines().any(|row| row.starts_with("Medians,gratings,") && row.contains(&median)), "{numbers}");
    let nothing = Fidelity { tuning: Vec::new(), fields: Vec::new(), ..made_up::fidelity() };
    let error = tuning::plate(&nothing).svg(&Layout::default()).expect_err("nothing to show").to_string();
    assert!(error.contains("nothing to compare"), "{error}");
}

/// The middle of the errors under gratings, to four digits.
fn gratings_median(fidelity: &Fidelity) -> String {
    let mut errors = fidelity.tuning[0].errors_deg();
    errors.sort_by(f64::total_cmp);
    let middle = (errors[(errors.len() - 1) / 2] + errors[errors.len() / 2]) / 2.0;
    format!("{middle:.6e}").parse::<f64>().expect("a number").to_string()[..5].to_owned()
}

//! Every figure at both widths, beside pictures that a human has looked at; and what each file format holds.
//!
//! After a wanted change: `TWINSCOPE_KEEP_FIGURES=1 cargo test --test all kept_figures` writes the pictures again. Look
//! at each of them before they are committed. `TWINSCOPE_SHOTS=folder` writes all formats at print size there.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use twinscope::analysis::parameter_tuning;
use twinscope::analysis::reliability::NoCeiling;
use twinscope::data::ScanId;
use twinscope::evaluation::{DomainEvaluation, Evaluation, Origin, Selection, UnitEvaluation};
use twinscope::experiment::{Outcome, Protocol, run};
use twinscope::figures::comparison::ComparisonFigure;
use twinscope::figures::spikes::{bits, decoding, masked, rates, transfer};
use twinscope::figures::study::{curve, matrix, tuning};
use twinscope::figures::{self, Data, Figure, Format, Layout, Plate, Sheet, Width, palette};
use twinscope::job::Progress;
use twinscope::optimise::Kind;
use twinscope::signals::Raster;
use twinscope::study::{Finding, Table};

use super::made_up::{self, chance};
use super::tuned::{LabelledFrames, TunedTwin};

/// Small pictures are kept: a few kilobytes each.
const KEPT_DPI: u32 = 50;
/// Steps of a colour in a kept picture.
const STEP: u8 = 17;

/// Sixty units of all directions and selectivities, and one that prefers nothing.
fn population() -> Outcome {
    let preferred = (0..60).map(|unit| (360.0 * chance(unit)).round()).collect();
    let kappa = (0..60).map(|unit| if unit == 17 { 0.0 } else { 3.0 * chance(7 * unit + 3) }).collect();
    let mut twin = TunedTwin::new(preferred, kappa);
    let protocol = Protocol::default_direction_tuning();
    run(&protocol, &mut twin, None, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("it runs")
}

/// The same responses, as if contrast had been varied in place of the direction, on a logarithmic axis.
fn contrasts() -> Outcome {
    let mut outcome = population();
    for (index, condition) in outcome.schedule.conditions.iter_mut().enumerate() {
        condition.swept = vec![("contrast".to_owned(), 0.5_f64.powi((index % 8) as i32))];
    }
    outcome.protocol.title = "Contrast tuning, drifting gratings".to_owned();
    outcome.tuning = None;
    outcome.parameter = parameter_tuning(&outcome.schedule, "contrast", 9, &outcome.responses);
    outcome
}

fn evaluation(domains: usize) -> Evaluation {
    let names = ["Rendered clips", "Drifting Gabor patches", "Coherent moving dots", "Static natural images", "Monet2"];
    let units = 80;
    let unit = |domain: usize, unit: usize| {
        let sum: f64 = (0..4).map(|k| chance(1 + 5003 * domain + 4 * unit + k) - 0.5).sum();
        let repeated = domain != 3;
        let (norm, most) =
            (0.85 - 0.06 * domain as f64 + 0.15 * sum, 0.5 + 0.45 * chance(90_001 + 701 * domain + 11 * unit));
        UnitEvaluation {
            cc_abs: Some(if repeated { norm * most } else { 0.4 + 0.1 * sum }),
            cc_max: repeated.then_some(most),
            cc_norm: repeated.then_some(norm),
            no_ceiling: (!repeated).then_some(NoCeiling::OneRepeat),
            ..UnitEvaluation::default()
        }
    };
    let domain = |(index, name): (usize, &str)| DomainEvaluation {
        name: name.to_owned(),
        movies: 6,
        repeats: (10, 10),
        frames: 1740,
        missing: 0,
        units: (0..units).map(|number| unit(index, number)).collect(),
        seed: 1,
    };
    let id = |unit: usize| twinscope::signals::UnitId {
        animal: Some("M17".to_owned()),
        session: 4,
        scan: 7,
        unit: unit as u32 + 1,
    };
    Evaluation {
        origin: Origin { name: "Twin".to_owned(), simulated: false, sha256: None, device: "CPU".to_owned() },
        recording: ScanId { animal: "M17".to_owned(), session: 4, scan: 7 },
        simulated: true,
        units: (0..units).map(id).collect(),
        places: Vec::new(),
        selection: Selection::default(),
        domains: names.into_iter().enumerate().take(domains).map(domain).collect(),
    }
}

/// Four arms in five domains, of two animals.
fn study() -> Table {
    let mut table = Table::new("A core for new animals");
    let arms = ["adapted from a core of eight animals", "from scratch", "linear-nonlinear model", "readout alone"];
    let domains = ["Rendered clips", "Drifting Gabor patches", "Moving dots", "Natural images", "Monet2"];
    for (arm, name) in arms.into_iter().enumerate() {
        for animal in 0..2 {
            let budgets = if arm == 2 { vec![None] } else { vec![Some(1.0), Some(2.0), Some(5.0), Some(10.0)] };
            for minutes in budgets {
                for (place, domain) in domains.into_iter().enumerate() {
                    let value = 0.75 - 0.12 * arm as f64 - 0.05 * place as f64 + 0.06 * f64::from(animal)
                        - 0.3 / (1.0 + minutes.unwrap_or(1.0));
                    table.findings.push(Finding {
                        arm: name.to_owned(),
                        animal: format!("mouse-{animal}"),
                        seed: Some(7),
                        minutes,
                        domain: domain.to_owned(),
                        units: 100,
                        cc_norm: (arm != 2 || place != 1).then_some(value),
                        interval: Some((value - 0.03, value + 0.03)),
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

/// Calls for every figure, by name.
fn every_figure(mut call: impl FnMut(&str, &Plate<'_>)) {
    let (directions, contrasts) = (population(), contrasts());
    let (of_directions, of_contrasts) = (Data::of(&directions), Data::of(&contrasts));
    let mut names = Vec::new();
    for (prefix, data) in [("direction", &of_directions), ("contrast", &of_contrasts)] {
        for figure in Figure::all(6).into_iter().filter(|figure| figure.fits(data)) {
            names.push(figure.stem());
            call(&format!("{prefix}-{}", figure.stem()), &figure.of(data));
        }
    }
    for figure in Figure::all(6) {
        assert!(names.contains(&figure.stem()), "{figure:?} was not drawn");
    }
    let (all, two) = (evaluation(5), evaluation(2));
    call("evaluation", &figures::evaluation::plate(&all));
    let table = study();
    call("study-curve", &curve::plate(&table));
    call("study-matrix", &matrix::plate(&table));
    call("study-lesions", &matrix::plate(&made_up::lesions()));
    call("study-tuning", &tuning::plate(&made_up::fidelity()));
    let sheet = Sheet::of(
        "Tuning and prediction",
        [
            Figure::Traces { unit: 6 }.of(&of_directions),
            Figure::HeatMap.of(&of_directions),
            Figure::HeatMap.of(&of_directions),
            figures::evaluation::plate(&two),
        ],
    );
    call("sheet", &sheet.plate());
}

/// Calls for the figures of comparisons, optimised stimuli, predicted spikes and analyses, by name.
fn every_other_figure(mut call: impl FnMut(&str, &Plate<'_>)) {
    let comparison = made_up::comparison(evaluation(3));
    let mut stems = Vec::new();
    for figure in ComparisonFigure::all(&comparison) {
        let stem = figure.stem().split('_').next().unwrap_or_default().to_owned();
        call(&format!("comparison-{stem}"), &figure.plate());
        stems.push(stem);
    }
    assert_eq!(stems, ["accuracy", "domains", "tuning", "receptive", "traces"]);
    let one = evaluation(1);
    call("evaluation-one", &figures::evaluation::plate(&one));
    call("comparison-accuracy-one", &ComparisonFigure::Accuracy(&one).plate());
    let populations = made_up::populations(&comparison.evaluation);
    call("comparison-population", &ComparisonFigure::Population(&populations).plate());
    let raster = Raster { height: 18, width: 32 };
    for (name, kind) in [("optimised-image", Kind::Image), ("optimised-movie", Kind::Movie)] {
        call(name, &figures::optimised::plate(&made_up::optimised(kind, raster)));
    }
    let found = made_up::characterisation();
    call("analysis", &figures::characterisation::plate(&found));
    call("examples", &figures::examples::plate(&found));
    call("units_and_conditions", &figures::populations::plate(&found));
    call("examples-surfaces", &figures::examples::plate(&made_up::surfaces()));
    let spikes = made_up::spikes();
    call("spikes-bits", &bits::plate(&spikes));
    call("spikes-rates", &rates::plate(&spikes));
    call("spikes-transfer", &transfer::plate(&spikes));
    call("spikes-decoding", &decoding::plate(&made_up::decoding()));
    call("comparison-unit", &ComparisonFigure::UnitTuning(&comparison, &comparison.directions[0], 4).plate());
    made_up::masked(|masked| call("spikes-masked", &masked::plate(masked)));
}

/// Calls for all of them.
fn all_figures(mut call: impl FnMut(&str, &Plate<'_>)) {
    every_figure(&mut call);
    every_other_figure(&mut call);
}

fn layouts(dpi: u32) -> [(&'static str, Layout); 2] {
    Width::ALL.map(|width| {
        let name = if width == Width::Column { "89" } else { "183" };
        (name, Layout { width: Some(width), dpi })
    })
}

/// Colours in steps, so that the file is small.
fn write_small(path: &Path, rgb: &[u8], (width, height): (u32, u32)) {
    let stepped: Vec<u8> = rgb.iter().map(|&value| value.saturating_add(STEP / 2) / STEP * STEP).collect();
    let file = std::io::BufWriter::new(std::fs::File::create(path).expect("writable"));
    PngEncoder::new_with_quality(file, CompressionType::Best, FilterType::NoFilter)
        .write_image(&stepped, width, height, ExtendedColorType::Rgb8)
        .expect("written");
}

fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/figures")
}

#[test]
fn every_figure_looks_like_its_kept_picture_at_both_widths() {
    let keep = std::env::var_os("TWINSCOPE_KEEP_FIGURES").is_some();
    let mut wrong = Vec::new();
    let mut compare = |name: &str, plate: &Plate<'_>| {
        for (width, layout) in layouts(KEPT_DPI) {
            let path = kept().join(format!("{name}-{width}.png"));
            let drawn = plate.picture(&layout).unwrap_or_else(|error| panic!("{name}: {error}"));
            let size = (drawn.width as u32, drawn.height as u32);
            if keep {
                std::fs::create_dir_all(kept()).expect("a folder");
                write_small(&path, &drawn.rgb, size);
                continue;
            }
            let expected = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_rgb8();
            if expected.dimensions() != size {
                wrong.push(format!("{name}-{width}: {size:?} pixels, kept {:?}", expected.dimensions()));
                continue;
            }
            // The same program gives the same pixels, and a kept one is off by half a step, 8 levels. Sines and powers of
            // other processors and systems may differ in the last digit, which moves the edge of a mark by a pixel of the
            // finer drawing in a few places: one value in ten thousand, six pixels of the smallest figure, may be off by
            // more than 32 levels. A tick's label that moved by a third of a millimetre changes more.
            let off = drawn.rgb.iter().zip(expected.as_raw()).filter(|(new, old)| new.abs_diff(**old) > 32).count();
            let share = off as f64 / drawn.rgb.len() as f64;
            if share > 1e-4 {
                wrong.push(format!("{name}-{width}: {:.3} % of the values are off", 100.0 * share));
            }
        }
    };
    every_figure(&mut compare);
    every_other_figure(&mut compare);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Text elements of an SVG: left and right end of each, its baseline and size, in points, and what it says.
fn texts(svg: &str) -> Vec<([f64; 2], f64, f64, String)> {
    let attribute = |element: &str, name: &str| -> Option<f64> {
        element.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let elements = svg.split("<text").skip(1).filter_map(|rest| rest.split_once('>'));
    let read = |(element, rest): (&str, &str)| {
        let text = rest.split("</text>").next()?.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
        let (x, y) = (attribute(element, "x")?, attribute(element, "y")?);
        let size = attribute(element, "font-size")?;
        // Letters of the face are half an em wide on average; this errs on the narrow side.
        let width = 0.41 * size * text.chars().count() as f64;
        let before = if element.contains("middle") {
            width / 2.0
        } else if element.contains("\"end\"") {
            width
        } else {
            0.0
        };
        let upright = !element.contains("rotate");
        let ends = if upright { [x - before, x - before + width] } else { [x - size, x] };
        Some((ends, y, size, if upright { text } else { format!("upwards {text}") }))
    };
    elements.filter_map(read).collect()
}

#[test]
fn no_text_is_below_five_points_off_the_page_or_upon_another() {
    all_figures(|name, plate| {
        for (width, layout) in layouts(300) {
            let drawn = plate.svg(&layout).unwrap_or_else(|error| panic!("{name}: {error}"));
            let page = plate.size_mm(&layout).expect("drawn");
            let [right, bottom] = [page.0, page.1].map(|mm| mm / 25.4 * 72.0);
            let texts = texts(&drawn);
            assert!(texts.len() > 5, "{name}-{width} says little");
            for (index, (ends, baseline, size, text)) in texts.iter().enumerate() {
                assert!((5.0..=9.0).contains(size), "{name}-{width}: \"{text}\" has {size} points");
                assert!(ends[0] > 0.0 && ends[1] < right, "{name}-{width}: \"{text}\" from {ends:?} leaves the page");
                assert!(*baseline > *size && *baseline < bottom, "{name}-{width}: \"{text}\" at {baseline}");
                for (other_ends, other, other_size, what) in &texts[index + 1..] {
                    let apart = (baseline - other).abs() > 0.7 * size.max(*other_size);
                    let beside = ends[1] <= other_ends[0] || other_ends[1] <= ends[0];
                    let turned = text.starts_with("upwards") || what.starts_with("upwards");
                    assert!(apart || beside || turned, "{name}-{width}: \"{text}\" lies upon \"{what}\"");
                }
            }
        }
    });
}

#[test]
fn a_single_domain_reaches_across_the_page() {
    let one = evaluation(1);
    let accuracy = ComparisonFigure::Accuracy(&one).plate();
    for (name, plate) in [("evaluation", figures::evaluation::plate(&one)), ("accuracy", accuracy)] {
        for (width, layout) in layouts(KEPT_DPI) {
            let drawn = plate.picture(&layout).unwrap_or_else(|error| panic!("{name}: {error}"));
            // Units have a colour; axes and words are grey.
            let is_coloured = |pixel: &[u8]| {
                let ends = pixel.iter().max().zip(pixel.iter().min());
                ends.is_some_and(|(most, least)| most - least > 60)
            };
            let pixels = drawn.rgb.chunks_exact(3).enumerate();
            let columns = pixels.filter(|(_, pixel)| is_coloured(pixel)).map(|(index, _)| index % drawn.width);
            let part = columns.max().expect("units") as f64 / drawn.width as f64;
            assert!(part > 0.6, "{name}-{width}: units end at {part:.2} of the width");
        }
    }
}

#[test]
fn every_file_has_its_size_its_provenance_and_live_text() {
    let folder = tempfile::tempdir().expect("a folder");
    all_figures(|name, plate| {
        let layout = Layout { width: Some(Width::Column), dpi: 150 };
        let paths = plate.export(folder.path(), name, &Format::ALL, &layout).expect("written");
        let endings: Vec<&str> =
            paths.iter().map(|path| path.extension().expect("an ending").to_str().expect("ASCII")).collect();
        assert_eq!(endings, ["png", "svg", "pdf", "csv"]);
        let read = |index: usize| std::fs::read(&paths[index]).expect("readable");
        let has = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);

        let png = read(0);
        let decoded = image::ImageReader::with_format(Cursor::new(&png), image::ImageFormat::Png).decode();
        let columns = decoded.expect("a PNG").width();
        assert_eq!(columns, (89.0f64 / 25.4 * 150.0).round() as u32);
        // 5906 pixels per metre.
        assert!(has(&png, &[&b"pHYs"[..], &5906u32.to_be_bytes(), &5906u32.to_be_bytes(), &[1]].concat()), "{name}");
        assert!(has(&png, b"tEXtSoftware\0twinscope ") && has(&png, b"iTXtDescription\0"), "{name}");

        let svg = String::from_utf8(read(1)).expect("UTF-8");
        assert!(svg.contains("width=\"89mm\"") && svg.contains("<metadata>"), "{name}");
        let about = svg.split("<dc:description>").nth(1).and_then(|rest| rest.split("</dc:").next()).expect("said");
        assert!(about.contains("twinscope ") && about.contains("seed"), "{name}: {about}");
        assert!(has(&png, about.split('&').next().expect("a part").as_bytes()), "{name}: the PNG lacks {about}");

        let pdf = read(2);
        assert!(pdf.starts_with(b"%PDF-1.") && has(&pdf, b"/Subject") && has(&pdf, b"/FontFile2"), "{name}");
        // 89 mm are 252.283 points.
        assert!(has(&pdf, b"/MediaBox [0 0 252.28"), "{name}");
        let live = pdf_texts(&pdf);
        for (_, _, _, text) in texts(&svg) {
            let text = text.strip_prefix("upwards ").unwrap_or(&text).to_owned();
            assert!(live.contains(&text), "{name}: the PDF lacks \"{text}\": {live:?}");
        }

        let mut table = csv::Reader::from_reader(Cursor::new(read(3)));
        let columns = ["panel", "series", "x_label", "x", "y_label", "y", "low", "high", "n"];
        assert_eq!(table.headers().expect("a header").iter().collect::<Vec<_>>(), columns);
        let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("as long as the header")).collect();
        assert!(rows.iter().filter(|row| row[5].parse::<f64>().is_ok()).count() >= 6, "{name}: {} rows", rows.len());
    });
}

/// What a reader copies out of our PDFs: the numbers of the letters, by the table of the file.
fn pdf_texts(pdf: &[u8]) -> Vec<String> {
    let find = |what: &[u8], from: usize| pdf[from..].windows(what.len()).position(|w| w == what).map(|at| from + at);
    let mut streams = Vec::new();
    let mut from = 0;
    while let Some(at) = find(b"stream\n", from) {
        let end = find(b"endstream", at).expect("streams end");
        let mut text = Vec::new();
        match flate2::read::ZlibDecoder::new(&pdf[at + 7..end]).read_to_end(&mut text) {
            Ok(_) => streams.push(text),
            Err(_) => streams.push(pdf[at + 7..end].to_vec()),
        }
        from = end + 9;
    }
    let number = |hex: &str| u32::from_str_radix(hex, 16).expect("hexadecimal");
    let unicode =
        streams.iter().map(|stream| String::from_utf8_lossy(stream)).find(|text| text.contains("beginbfchar"));
    let unicode = unicode.expect("a table of letters");
    let mut letters = std::collections::HashMap::new();
    for line in unicode.lines().filter(|line| line.starts_with('<') && line.contains("> <")) {
        let parts: Vec<&str> = line.split(['<', '>']).collect();
        if let (Some(code), Some(letter)) = (parts.get(1), parts.get(3)) {
            letters.insert(number(code), char::from_u32(number(letter)).expect("a letter"));
        }
    }
    // Strings are written in brackets with escapes, or as hexadecimal digits.
    let content = &streams[0];
    let mut texts = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let mut bytes = Vec::new();
        match content[at] {
            b'(' => {
                at += 1;
                // Pairs of brackets inside are not escaped.
                let mut open = 1;
                loop {
                    match content[at] {
                        b'(' => open += 1,
                        b')' => open -= 1,
                        _ => {}
                    }
                    if open == 0 {
                        break;
                    }
                    if content[at] == b'\\' {
                        at += 1;
                        bytes.push(match content[at] {
                            b'n' => b'\n',
                            b'r' => b'\r',
                            b't' => b'\t',
                            b'b' => 8,
                            b'f' => 12,
                            b'0'..=b'7' => {
                                at += 2;
                                let digits = content[at - 2..=at].iter().map(|digit| u32::from(digit - b'0'));
                                digits.fold(0, |value, digit| 8 * value + digit) as u8
                            }
                            other => other,
                        });
                    } else {
                        bytes.push(content[at]);
                    }
                    at += 1;
                }
            }
            b'<' => {
                let end = at + content[at..].iter().position(|&byte| byte == b'>').expect("it ends");
                let digits = std::str::from_utf8(&content[at + 1..end]).expect("hexadecimal");
                bytes = (0..digits.len() / 2).map(|index| number(&digits[2 * index..2 * index + 2]) as u8).collect();
                at = end;
            }
            _ => {}
        }
        at += 1;
        if !bytes.is_empty() {
            let codes = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
            texts.push(codes.map(|code| letters.get(&code).copied().unwrap_or('\u{fffd}')).collect());
        }
    }
    texts
}

/// A colour as a reader without the pigment for green sees it, in CIE L*a*b* under D65. Linear RGB is turned into cone
/// responses and back (Viénot, Brettel and Mollon 1999).
fn without_green(colour: [u8; 3]) -> [f64; 3] {
    let linear = colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let times = |rows: [[f64; 3]; 3], v: [f64; 3]| rows.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);
    let cones =
        times([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.029_956_6, 0.184_309, 1.46709]], linear);
    let cones = [cones[0], 0.494_207 * cones[0] + 1.24827 * cones[2], cones[2]];
    let seen = times(
        [
            [0.080_944_447_9, -0.130_504_409, 0.116_721_066],
            [-0.010_248_533_5, 0.054_019_326_6, -0.113_614_708],
            [-0.000_365_296_938, -0.004_121_614_69, 0.693_511_405],
        ],
        cones,
    );
    let [x, y, z] = times(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]],
        seen.map(|value| value.clamp(0.0, 1.0)),
    );
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let (fx, fy, fz) = (f(x / 0.9505), f(y), f(z / 1.089));
    [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
}

#[test]
fn lines_of_one_plot_are_told_apart_without_the_pigment_for_green() {
    let seen = palette().map(without_green);
    for marks in [&seen[..5], &seen[5..]] {
        for (index, one) in marks.iter().enumerate() {
            for (other, another) in marks.iter().enumerate().skip(index + 1) {
                let apart = one.iter().zip(another).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                // A difference of 2.3 is just noticeable side by side; thin lines apart need several times that.
                assert!(apart > 12.0, "colours {index} and {other} are {apart:.1} apart");
            }
        }
    }
}

#[test]
fn a_sheet_letters_its_panels_and_says_each_notice_once() {
    let outcome = population();
    let data = Data::of(&outcome);
    let plates = || [Figure::HeatMap, Figure::HeatMap, Figure::Traces { unit: 2 }].map(|figure| figure.of(&data));
    let sheet = Sheet::of("Three panels", plates()).plate();
    let said: Vec<String> =
        texts(&sheet.svg(&Layout::default()).expect("drawn")).into_iter().map(|(_, _, _, text)| text).collect();
    for letter in ["A", "B", "C"] {
        assert_eq!(said.iter().filter(|text| *text == letter).count(), 1, "{said:?}");
    }
    assert_eq!(said.iter().filter(|text| text.starts_with("Built-in twin: ")).count(), 1, "{said:?}");
    let page = |layout: &Layout| sheet.size_mm(layout).expect("drawn");
    let narrow = page(&Layout { width: Some(Width::Column), ..Layout::default() });
    // Side by side on a page, one above the other on a column.
    assert!(page(&Layout::default()).1 + 60.0 < narrow.1, "{narrow:?}");
    let rows = String::from_utf8(sheet.numbers(&Layout::default()).expect("numbers")).expect("UTF-8");
    assert!(rows.lines().any(|row| row.starts_with("A,")) && rows.lines().any(|row| row.starts_with("C,")));
    let error = Sheet::new("Nothing").plate().svg(&Layout::default()).expect_err("empty").to_string();
    assert!(error.contains("no panels"), "{error}");
}

#[test]
fn a_width_and_a_format_are_read_from_text() {
    assert_eq!("89".parse(), Ok(Width::Column));
    assert_eq!("183mm".parse(), Ok(Width::Page));
    assert_eq!("PDF".parse(), Ok(Format::Pdf));
    assert!("90".parse::<Width>().is_err() && "eps".parse::<Format>().is_err());
}

/// All formats for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all figures_for_human_eyes`.
#[test]
fn figures_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = PathBuf::from(folder);
    let mut export = |name: &str, plate: &Plate<'_>| {
        for (width, layout) in layouts(200) {
            plate.export(&folder, &format!("{name}-{width}"), &Format::ALL, &layout).expect("written");
        }
    };
    all_figures(&mut export);
}

//! Made-up results for figures: numbers without chance, so that pictures repeat.

use twinscope::analysis::fit::Gaussian2d;
use twinscope::analysis::spikes::BitsPerSpike;
use twinscope::analysis::statistics::{Alternative, wilcoxon_signed_rank};
use twinscope::analysis::{Median, UnitTuning};
use twinscope::characterise::{
    Accuracy, Characterisation, CurveExample, Dissimilarities, Examples, FieldExample, Panel, Placed, Population,
    SurfaceExample,
};
use twinscope::comparison::{
    Comparison, DirectionComparison, Distribution, Example, FieldComparison, FieldMap, PopulationComparison,
    ReceptiveField, Tuned,
};
use twinscope::data::ScanId;
use twinscope::data::simulated::SpikeSimulation;
use twinscope::evaluation::spikes::{
    Arm, Behavior, BehaviorDecoding, Bits, Decoded, Example as SpikeExample, RegionScore, SpikeEvaluation,
    SpikeSelection, Task, TaskScore,
};
use twinscope::evaluation::{Evaluation, Origin};
use twinscope::experiment::Provenance;
use twinscope::figures::spikes::masked::{Masked, Predicted};
use twinscope::optimise::{Controls, Kind, Optimised, Plan, Row};
use twinscope::signals::{Binned, FrameRate, Monitor, Movie, Raster, Responses, UnitId};
use twinscope::study::{Fidelity, FieldUnit, Finding, PairedTest, Table, TunedUnit, TuningError};

/// Spikes of a trial with some neurons hidden, and rates that were predicted for all.
pub fn masked(show: impl FnOnce(Masked<'_>)) {
    let simulation =
        SpikeSimulation { animals: 1, trials: 10, bins: 20, neurons: (24, 24), ..SpikeSimulation::default() };
    let session = simulation.sessions().expect("good sizes").remove(0);
    let [_, bins, neurons] = session.counts.shape();
    let is_hidden = |neuron: usize| (6..12).contains(&neuron);
    let order: Vec<usize> = (0..neurons).collect();
    let hidden: Vec<bool> = (0..bins * neurons).map(|place| is_hidden(place % neurons)).collect();
    let per_neuron = (0..neurons).map(|neuron| is_hidden(neuron).then_some(0.3)).collect();
    let bits = BitsPerSpike { per_neuron, pooled: Some(0.31) };
    let rate = |bin: usize, neuron: usize| 0.1 + 0.8 * chance(neuron) * chance(bin / 4);
    let binned =
        |of: &dyn Fn(usize, usize) -> f64| Binned::from_fn([1, bins, neurons], |_, bin, neuron| of(bin, neuron) as f32);
    show(Masked {
        session: &session,
        order: &order,
        shown: "trial 3".to_owned(),
        counts: binned(&|bin, neuron| (rate(bin, neuron) + chance(97 * bin + neuron)).floor()),
        hidden: &hidden,
        predicted: Some(Predicted {
            rates: binned(&rate),
            bits: &bits,
            over: "60 test trials".to_owned(),
            provenance: "network 00ff; seed 0".to_owned(),
        }),
    });
}

/// A number in 0..1 that looks random.
pub fn chance(index: usize) -> f64 {
    (index as f64 * 0.754_877_666_246_693).fract()
}

/// Tuning of all units to eight directions; what a twin predicts is turned and sharper.
fn tuned(units: usize, turned_deg: f64, sharp: f64) -> Tuned {
    let angles: Vec<f64> = (0..8).map(|step| 45.0 * f64::from(step)).collect();
    let unit = |unit: usize| {
        let preferred = 360.0 * chance(3 * unit + 1) + turned_deg * (chance(5 * unit) - 0.5);
        let narrow = sharp * (0.4 + 2.0 * chance(7 * unit + 2));
        let mean = angles.iter().map(|angle| {
            let cos = (angle - preferred).to_radians().cos();
            (0.2 + (narrow * (cos - 1.0)).exp()) as f32
        });
        Some(UnitTuning::new(&angles, mean.collect(), None))
    };
    Tuned { units: (0..units).map(unit).collect(), presentations: vec![12; angles.len()], angles_deg: angles }
}

fn field(unit: usize, shift: f64) -> Option<ReceptiveField> {
    let place = |k: usize, reach: f64| reach * (chance(11 * unit + k) - 0.5) + shift * (chance(13 * unit + k) - 0.5);
    (unit % 9 != 4).then(|| ReceptiveField {
        centre_deg: [place(1, 80.0), place(2, 50.0)],
        sigma_deg: 4.0 + 6.0 * chance(17 * unit) + 0.2 * shift * chance(19 * unit),
        r2: 0.6 + 0.3 * chance(23 * unit),
    })
}

/// Tuning of eighty units against the truth: small errors under gratings, larger ones under dots, one unit turned round.
pub fn fidelity() -> Fidelity {
    let id = |unit: usize| UnitId { animal: Some("M17".to_owned()), session: 4, scan: 7, unit: unit as u32 + 1 };
    let tuned = |unit: usize, spread: f64| {
        let preferred = 360.0 * chance(3 * unit + 1);
        let turned = if unit == 11 { 180.0 } else { spread * (chance(5 * unit) - 0.5) * chance(29 * unit + 3) };
        let gdsi = 0.6 * chance(7 * unit + 2);
        TunedUnit {
            unit,
            preferred_deg: [preferred, (preferred + turned).rem_euclid(360.0)],
            gdsi: [gdsi, (gdsi + 0.15 * (chance(31 * unit + 1) - 0.5)).max(0.01)],
        }
    };
    let tuning = |stimulus: &'static str, spread: f64| TuningError {
        stimulus,
        units: (0..80).map(|unit| tuned(unit, spread)).collect(),
    };
    let centre = |unit: usize| [80.0 * (chance(11 * unit + 1) - 0.5), 50.0 * (chance(11 * unit + 2) - 0.5)];
    let field = |unit: usize| {
        let [x, y] = centre(unit);
        let shift = |k: usize| 12.0 * (chance(13 * unit + k) - 0.5);
        FieldUnit { unit, centre_deg: [[x, y], [x + shift(1), y + shift(2)]] }
    };
    Fidelity {
        origin: Origin {
            name: "Twin".to_owned(),
            simulated: true,
            sha256: Some("00ff".to_owned()),
            device: "CPU".to_owned(),
        },
        recording: ScanId { animal: "M17".to_owned(), session: 4, scan: 7 },
        mouse_seed: 99,
        seed: 1,
        units: (0..80).map(id).collect(),
        tuning: vec![tuning("gratings", 40.0), tuning("coherent dots", 90.0)],
        fields: (0..80).filter(|unit| unit % 9 != 4).map(field).collect(),
    }
}

/// A twin that is told less than the truth, in three domains, and what tests over 80 units say of it.
pub fn lesions() -> Table {
    let mut table = Table::new("Lesions of perspective and modulation");
    let domains = ["Rendered clips", "Drifting Gabor patches", "Moving dots"];
    for (arm, name) in ["intact", "without gaze", "without running and pupil"].into_iter().enumerate() {
        for (place, domain) in domains.into_iter().enumerate() {
            let lost = if arm == 0 { 0.0 } else { (0.12 - 0.05 * place as f64) / (1.0 + 8.0 * (arm as f64 - 1.0)) };
            let value = 0.9 - 0.04 * place as f64 - lost;
            table.findings.push(Finding {
                arm: name.to_owned(),
                animal: "M17".to_owned(),
                seed: None,
                minutes: None,
                domain: domain.to_owned(),
                units: 80,
                cc_norm: Some(value),
                interval: Some((value - 0.02, value + 0.02)),
                cc_abs: None,
                cc_true: None,
                mean_ratio: None,
            });
            if arm == 0 {
                continue;
            }
            let (first, second): (Vec<f64>, Vec<f64>) =
                (0..80).map(|unit| (0.5 - lost + 0.1 * (chance(7 * unit + place) - 0.5), 0.5)).unzip();
            let test = wilcoxon_signed_rank(&first, &second, Alternative::TwoSided).expect("pairs that differ");
            table.tests.push(PairedTest {
                arm: name.to_owned(),
                against: "intact".to_owned(),
                animal: "M17".to_owned(),
                domain: domain.to_owned(),
                difference: Median { n: 80, value: -lost, interval: Some((-lost - 0.01, -lost + 0.01)) },
                adjusted: Some((6.0 * test.p).min(1.0)),
                test: Some(test),
            });
        }
    }
    table
}

/// A twin beside a recording, in the domains of an evaluation.
pub fn comparison(evaluation: Evaluation) -> Comparison {
    let (units, rate) = (evaluation.units.len(), FrameRate::WANG2025);
    let trace = |unit: usize, frame: usize| {
        let phase = frame as f64 / (9.0 + unit as f64) + unit as f64;
        1.0 + phase.sin() + 0.5 * (2.3 * phase).cos()
    };
    let example = |(unit, rank): (usize, &'static str)| Example {
        unit,
        rank,
        repeats: (0..5)
            .map(|repeat| {
                let noisy = |frame: usize| (trace(unit, frame) + 1.5 * (chance(1000 * repeat + frame) - 0.5)).max(0.0);
                (0..150).map(|frame| if repeat == 4 && frame > 100 { f32::NAN } else { noisy(frame) as f32 }).collect()
            })
            .collect(),
        predicted: (0..150).map(|frame| (0.9 * trace(unit, frame)).max(0.05) as f32).collect(),
    };
    let domain = evaluation.domains[0].name.clone();
    Comparison {
        examples: vec![twinscope::comparison::Examples {
            domain: domain.clone(),
            movie: Some("clip 7".to_owned()),
            units: [(2, "best"), (5, "upper quartile"), (11, "median"), (23, "lower quartile")].map(example).into(),
            trials: (0..5).collect(),
            predicted: Responses::new(150, 1, units, vec![0.5; 150 * units]).expect("a value for each unit and frame"),
        }],
        directions: vec![DirectionComparison {
            domain: "Drifting Gabor patches".to_owned(),
            recorded: tuned(units, 0.0, 1.0),
            predicted: tuned(units, 60.0, 1.4),
        }],
        fields: vec![FieldComparison {
            domain: "Flashing Gaussian dots".to_owned(),
            map: FieldMap::Spots,
            monitor: Monitor::WANG2025,
            frames: 5400,
            recorded: (0..units).map(|unit| field(unit, 0.0)).collect(),
            predicted: (0..units).map(|unit| field(unit, 8.0)).collect(),
        }],
        frame_rate: rate,
        evaluation,
    }
}

/// Two populations that are not the same cells.
pub fn populations(evaluation: &Evaluation) -> PopulationComparison {
    let distribution = |label, key, unit, period, most: f64, seed: usize| Distribution {
        domain: "Drifting Gabor patches".to_owned(),
        label,
        key,
        unit,
        period,
        recorded: (0..70).map(|index| most * chance(seed + index)).collect(),
        predicted: (0..50).map(|index| most * chance(seed + 3 * index).powi(2)).collect(),
    };
    PopulationComparison {
        origin: evaluation.origin.clone(),
        recording: evaluation.recording.clone(),
        simulated: evaluation.simulated,
        selection: evaluation.selection.clone(),
        units: (70, 50),
        ceilings: evaluation.domains.clone(),
        distributions: vec![
            distribution("gOSI", "global_osi", "", None, 0.9, 5),
            distribution("Preferred direction", "preferred_direction_deg", "°", Some(360.0), 360.0, 9),
        ],
    }
}

/// An image, or a movie of six pictures.
pub fn optimised(kind: Kind, raster: Raster) -> Optimised {
    let plan = Plan { steps: 40, ..if kind == Kind::Image { Plan::image() } else { Plan::movie() } };
    let (frames, units) = (plan.pictures(), 3);
    let level = |frame: usize, pixel: usize| {
        let (x, y) = ((pixel % raster.width) as f64, (pixel / raster.width) as f64);
        let (dx, dy) = (x - 0.6 * raster.width as f64, y - 0.4 * raster.height as f64);
        let wave = (0.9 * dx + 0.5 * dy - 0.4 * frame as f64).cos();
        (128.0 + 110.0 * wave * (-(dx * dx + dy * dy) / 30.0).exp()).round() as u8
    };
    let pixels = (0..frames).flat_map(|frame| (0..raster.pixels()).map(move |pixel| level(frame, pixel))).collect();
    let unit = |unit: u32| UnitId { animal: Some("M17".to_owned()), session: 4, scan: 7, unit };
    let answers = (0..plan.all_frames()).flat_map(|frame| {
        let late = frame.saturating_sub(plan.grey_frames.0 + 3) as f32;
        let on = frame > plan.grey_frames.0 + 2 && frame < plan.grey_frames.0 + plan.frames + 3;
        (0..units).map(move |unit| if on { 1.0 + (3.0 + unit as f32) * (-late / 12.0).exp() } else { 0.8 })
    });
    Optimised {
        monitor: Monitor::WANG2025.with_raster(raster),
        units: (1..=units as u32).map(unit).collect(),
        rows_of_units: (0..units).collect(),
        stimulus: Movie::new(raster, frames, 1, pixels).expect("so many pixels"),
        contrast: 0.05,
        rows: (0..=plan.steps)
            .map(|step| Row { step, response: 4.0 - 3.0 * (-(step as f64) / 9.0).exp(), contrast: 0.05 })
            .collect(),
        best_step: plan.steps,
        controls: Some(Controls { n: 10, mean: 1.1, best: 1.6 }),
        responses: Responses::new(plan.all_frames(), 1, units, answers.collect()).expect("a row for every frame"),
        response: 3.9,
        provenance: Provenance {
            version: "0.0".to_owned(),
            twin: "Twin".to_owned(),
            simulated: true,
            weights_sha256: "00ff".to_owned(),
            device: "CPU".to_owned(),
            seed: 1,
        },
        plan,
    }
}

/// Four predictors of spikes in three regions, two of them networks that had learned from other animals before.
pub fn spikes() -> SpikeEvaluation {
    const NEURONS: usize = 24;
    const BINS: usize = 40;
    let names = [
        ("MtM", "MtM", Some(0), false, true),
        ("MtM, 8 animals before", "MtM", Some(8), false, true),
        ("PSTH", "PSTH", None, true, false),
        ("GLM", "GLM", None, true, false),
    ];
    let arms = names.map(|(name, kind, pretrained_animals, is_baseline, network)| Arm {
        name: name.to_owned(),
        kind: kind.to_owned(),
        pretrained_animals,
        is_baseline,
        sha256: network.then(|| "00ff".to_owned()),
    });
    let bits = |value: f64| Some(Bits { value, interval: Some((value - 0.04, value + 0.03)) });
    let score = |task: usize, arm: usize| {
        let worth = [0.45, 0.6, 0.3, 0.38][arm] - 0.05 * task as f64;
        let region = |(index, (name, neurons)): (usize, (&str, usize))| RegionScore {
            region: name.to_owned(),
            neurons,
            silent: usize::from(index == 2),
            pooled: bits(worth + 0.04 * index as f64),
            mean: bits(worth - 0.02),
        };
        let regions = [(RegionScore::ALL, NEURONS), ("CA1", 8), ("LP", 8), ("VISp", 8)];
        TaskScore {
            task: Task::ALL[1..][task],
            arm: names[arm].0.to_owned(),
            note: String::new(),
            neurons: (0..NEURONS).collect(),
            spikes: vec![500.0; NEURONS],
            bits: BitsPerSpike { per_neuron: vec![Some(worth); NEURONS], pooled: Some(worth) },
            r2_average: vec![Some(0.5); NEURONS],
            r2_single: vec![Some(0.1); NEURONS],
            regions: regions.into_iter().enumerate().map(region).collect(),
        }
    };
    let rate = |bin: usize, neuron: usize| {
        let late = (bin as f64 - 12.0 - (neuron % 5) as f64) / 4.0;
        0.1 + 0.8 * (-late * late).exp() * (0.5 + chance(neuron))
    };
    let binned =
        |of: &dyn Fn(usize, usize) -> f64| Binned::from_fn([1, BINS, NEURONS], |_, bin, neuron| of(bin, neuron) as f32);
    let count =
        |bin: usize, neuron: usize| (1.6 * rate(bin, neuron) + chance(97 * bin + neuron) - 0.4).round().max(0.0);
    SpikeEvaluation {
        session: "session 3".to_owned(),
        simulated: true,
        trials: 60,
        bin_secs: 0.02,
        first_bin_secs: -0.2,
        regions: (0..NEURONS).map(|neuron| ["CA1", "LP", "VISp"][neuron / 8].to_owned()).collect(),
        selection: SpikeSelection::default(),
        arms: arms.into(),
        device: Some("CPU".to_owned()),
        scores: (0..4).flat_map(|task| (0..4).map(move |arm| score(task, arm))).collect(),
        example: Some(SpikeExample {
            task: Task::CoSmoothing,
            arm: "MtM".to_owned(),
            neurons: (0..NEURONS).collect(),
            trial: 17,
            counts: binned(&count),
            rates: binned(&rate),
            mean_counts: binned(&|bin, neuron| rate(bin, neuron) + 0.1 * chance(31 * bin + neuron)),
            mean_rates: binned(&rate),
            bits: (0..NEURONS).map(|neuron| (neuron != 5).then(|| chance(3 * neuron))).collect(),
        }),
    }
}

/// Behaviour read from the spikes and from the latents of the networks of [`spikes`].
pub fn decoding() -> BehaviorDecoding {
    let arms: Vec<Arm> = spikes().arms.into_iter().filter(|arm| !arm.is_baseline).collect();
    let sources: Vec<String> =
        ["spikes".to_owned()].into_iter().chain(arms.iter().map(|arm| arm.name.clone())).collect();
    let decoded = |(place, behavior): (usize, Behavior)| {
        let of_source = |(index, source): (usize, &String)| {
            // Whiskers are told worse from spikes than by their mean.
            let value = [0.7, 0.4, -0.05][place] + 0.08 * index as f64;
            Decoded {
                behavior,
                source: source.clone(),
                value: Bits { value, interval: Some((value - 0.09, value + 0.07)) },
                chance: if behavior == Behavior::Choice { 0.5 } else { 0.0 },
                trials: (180, 60 - place),
                note: String::new(),
            }
        };
        sources.iter().enumerate().map(of_source).collect::<Vec<_>>()
    };
    BehaviorDecoding {
        session: "session 3".to_owned(),
        simulated: true,
        seed: 1,
        arms,
        device: Some("CPU".to_owned()),
        found: Behavior::ALL.into_iter().enumerate().flat_map(decoded).collect(),
    }
}

/// A map with a hill, as if mapped from white noise.
fn hill(unit: u32) -> FieldExample {
    let shape = [9, 16];
    let fit = Gaussian2d {
        amplitude: 2.0,
        centre: [20.0 * f64::from(unit % 3) - 20.0, 6.0 * f64::from(unit % 5) - 12.0],
        sigma: [14.0, 8.0],
        orientation_deg: 25.0 * f64::from(unit),
        baseline: 0.1,
    };
    let place = |index: usize| [7.5 * (index % 16) as f64 - 56.25, 30.0 - 7.5 * (index / 16) as f64];
    let places: Vec<[f64; 2]> = (0..shape[0] * shape[1]).map(place).collect();
    let value = |(index, place): (usize, &[f64; 2])| fit.at(*place) + 0.4 * chance(index + unit as usize);
    FieldExample {
        from: "white noise".to_owned(),
        unit,
        part: "3 frames before".to_owned(),
        shape,
        values: places.iter().enumerate().map(|one| (one.0 != 15).then(|| value(one))).collect(),
        places,
        place_unit: "°",
        fit,
        r2: 0.93 - 0.05 * f64::from(unit),
        ssi: (unit == 1).then_some(8.25),
    }
}

fn bump(unit: u32, logarithmic: bool) -> CurveExample {
    let at =
        |x: f64| if logarithmic { 1.0 + 3.0 * (-(x / 0.04).log2().powi(2)).exp() } else { 2.0 + x.to_radians().cos() };
    let values: Vec<f64> = match logarithmic {
        true => (0..6).map(|step| 0.01 * 2f64.powi(step)).collect(),
        false => (0..8).map(|step| 45.0 * f64::from(step)).collect(),
    };
    let point = |(index, &x): (usize, &f64)| (x, at(x) + 0.3 * (chance(index) - 0.5), Some(0.15), 12);
    let along = |step: i32| match logarithmic {
        true => 0.01 * 2f64.powf(5.0 * f64::from(step) / 60.0),
        false => 6.0 * f64::from(step),
    };
    CurveExample {
        parameter: if logarithmic { "Spatial frequency" } else { "Direction" }.to_owned(),
        label: if logarithmic { "Spatial frequency (cyc/°)" } else { "Direction (°)" }.to_owned(),
        unit,
        logarithmic,
        points: values.iter().enumerate().map(point).collect(),
        curve: if logarithmic { "log Gaussian" } else { "bi-von Mises" },
        fitted: (0..=60).map(|step| (along(step), at(along(step)))).collect(),
        r2: 0.97,
    }
}

/// Two units' tuning to spatial and temporal frequency, one of them to their ratio.
pub fn surfaces() -> Characterisation {
    let surface = |unit: u32| {
        let values =
            [(0..5).map(|step| 0.02 * 2f64.powi(step)).collect::<Vec<f64>>(), vec![0.5, 1.0, 2.0, 4.0, 8.0, 15.0]];
        let mean = |index: usize| {
            let (s, t) = (values[0][index / 6], values[1][index % 6]);
            let apart = if unit == 3 {
                (s / 0.08).log2().powi(2) + (t / 2.0).log2().powi(2)
            } else {
                (t / s / 25.0).log2().powi(2)
            };
            (index != 5).then(|| 0.3 + 4.0 * (-0.5 * apart).exp())
        };
        SurfaceExample {
            parameters: ["Spatial frequency", "Temporal frequency"].map(str::to_owned),
            labels: ["Spatial frequency (cyc/°)", "Temporal frequency (Hz)"].map(str::to_owned),
            unit,
            means: (0..30).map(mean).collect(),
            presentations: (0..30).map(|index| if index == 5 { 0 } else { 12 }).collect(),
            separability: (unit == 3).then_some(0.98),
            values,
        }
    };
    let examples = Examples { surfaces: vec![surface(3), surface(17)], ..characterisation().examples };
    Characterisation { examples, ..characterisation() }
}

/// Distributions over units, and examples.
pub fn characterisation() -> Characterisation {
    let panel = |title: &str, label: &str, most: f64, seed: usize| Panel {
        title: title.to_owned(),
        label: label.to_owned(),
        values: (0..90).map(|index| most * 0.5 * (chance(seed + index) + chance(7 * index + seed))).collect(),
        of: 100,
    };
    let labels = [("Direction: preferred", "Direction (°)", 360.0), ("Orientation selectivity", "gOSI", 1.0)];
    let more =
        [("Oracle score", "Correlation with other repeats", 0.8), ("Noise correlations", "Correlation of pairs", 0.1)];
    let panels = labels.into_iter().chain(more).enumerate();
    Characterisation {
        title: "Recording: animal M17, session 4, scan 7".to_owned(),
        notice: "simulated mouse".to_owned(),
        provenance: "twinscope 0.0; 960 presentations; seed 1".to_owned(),
        panels: panels.map(|(seed, (title, label, most))| panel(title, label, most, seed)).collect(),
        examples: Examples {
            fields: vec![hill(1), hill(2)],
            curves: vec![bump(1, false), bump(4, true)],
            surfaces: Vec::new(),
        },
        population: shown_population(),
        ..Characterisation::default()
    }
}

/// Units on a ring by their preferred direction, with some that have none; 24 conditions, of which neighbours are alike.
fn shown_population() -> Population {
    let unit = |index: usize| {
        let angle_deg = (!index.is_multiple_of(9)).then(|| 360.0 * chance(3 * index));
        let (y, x) = angle_deg.unwrap_or(0.0).to_radians().sin_cos();
        let radius = if angle_deg.is_some() { 6.0 } else { 1.0 };
        let place = [radius * x + chance(index + 5), 0.6 * radius * y + chance(index + 50)];
        Placed { unit: UnitId { animal: None, session: 4, scan: 7, unit: index as u32 }, place, angle_deg }
    };
    let apart = |at: usize| 1.0 - (15.0 * (at / 24) as f64 - 15.0 * (at % 24) as f64).to_radians().cos();
    let accuracy = |parameter: &str, accuracy: f64, chance: f64| Accuracy {
        parameter: parameter.to_owned(),
        accuracy,
        interval: Some((accuracy - 0.06, accuracy + 0.05)),
        chance,
        presentations: 240,
    };
    Population {
        units: (0..180).map(unit).collect(),
        angles: Some(("Direction".to_owned(), 360.0)),
        explained: (1..=10).map(|count| 1.0 - 0.8_f64.powi(count)).collect(),
        presentations: 240,
        dissimilarity: Some(Dissimilarities {
            conditions: (0..24).collect(),
            values: (0..24 * 24).map(apart).collect(),
        }),
        decoded: vec![accuracy("Direction", 0.82, 0.125), accuracy("Contrast", 0.51, 1.0 / 3.0)],
    }
}

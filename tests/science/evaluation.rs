//! Predictions beside a recording: what is compared with what, and what comes out.

use std::path::Path;
use std::sync::Arc;

use twinscope::analysis::reliability::{Freedom, NoCeiling, UnitRepeats, cc_abs, ceiling, correlation};
use twinscope::data::simulated::{Noise, SimulateOptions, simulate};
use twinscope::data::{ScanId, Session, SessionUnit, Trial};
use twinscope::evaluation::{
    DomainEvaluation, Evaluation, EvaluationError, Origin, Quantity, Responder, ResponderError, Selection, Trials,
};
use twinscope::figures::{self, FigureError, Layout};
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinConfig, TwinError, TwinOptions};
use twinscope::model::weights;
use twinscope::signals::{Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, Responses, UnitId};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::{Condition, DriftingGrating, Presentation, Schedule, Stimulus, WhiteNoise};

use crate::fixture::path;
use crate::model::allocations::peak_of;

const RASTER: Raster = Raster { height: 2, width: 3 };
const FRAMES: usize = 40;
const UNITS: usize = 3;

/// A number uniform in 0..1.
fn chance(seed: usize, index: usize) -> f32 {
    random_words(seed as u64, index as u32, 0)[0] as f32 / u32::MAX as f32
}

/// Pixels of a movie that is like no other.
fn movie(number: usize, frames: usize) -> Movie {
    let pixels = (0..frames * RASTER.pixels()).map(|index| (255.0 * chance(100 + number, index)) as u8).collect();
    Movie::new(RASTER, frames, 1, pixels).expect("so many pixels")
}

fn behavior(trial: usize, frames: usize) -> Behavior {
    let pair = |index: usize| [chance(200 + trial, index), chance(300 + trial, index) - 0.5];
    let (gaze, state) = (0..frames).map(|frame| (pair(frame), pair(frame + frames))).unzip();
    Behavior::new(frames, 1, gaze, state).expect("finite")
}

/// The rule by which units answer: a pixel each, and gaze.
fn rate(unit: usize, pixel: u8, gaze: [f32; 2]) -> f32 {
    0.3 + f32::from(pixel) / 128.0 + (unit + 1) as f32 * 0.2 * gaze[0]
}

/// What the units answer, with noise.
fn recorded(movie: &Movie, behavior: &Behavior, trial: usize, noise: f32) -> Vec<f32> {
    let value = |index: usize| {
        let (time, unit) = (index / UNITS, index % UNITS);
        let signal = rate(unit, movie.frame(time)[unit], behavior.gaze(time)[0]);
        signal + noise * (chance(400 + trial, index) - 0.5)
    };
    (0..movie.frames() * UNITS).map(value).collect()
}

/// A trial; the values may be changed.
fn trial(
    number: usize,
    shown: usize,
    name: Option<&str>,
    domain: Option<&str>,
    change: impl FnOnce(&mut Vec<f32>),
) -> Trial {
    let (movie, behavior) = (movie(shown, FRAMES), behavior(number, FRAMES));
    let mut values = recorded(&movie, &behavior, number, 1.0);
    change(&mut values);
    let responses = Responses::new(FRAMES, 1, UNITS, values).expect("three units");
    let trial =
        Trial::new(false, name.map(str::to_owned), Arc::new(movie), behavior, responses).expect("a whole trial");
    match domain {
        Some(domain) => trial.in_domain(domain),
        None => trial,
    }
}

fn same(_: &mut Vec<f32>) {}

fn session(trials: Vec<Trial>) -> Session {
    let unit = |unit: u32| SessionUnit { area: Some("V1".to_owned()), ..SessionUnit::numbered(unit) };
    Session {
        id: ScanId { animal: "M17".to_owned(), session: 4, scan: 7 },
        frame_rate: FrameRate::WANG2025,
        raster: RASTER,
        units: [11, 3, 8].map(unit).to_vec(),
        trials,
        about: toml::Table::new(),
    }
}

/// Two named movies three times each in one domain; in another a movie twice, known by its pixels only, and one once.
fn mixed() -> Session {
    let named = |number: usize, shown: usize| trial(number, shown, Some(["a", "b"][shown]), Some("Clips"), same);
    let mut trials = vec![named(0, 0), named(1, 1), named(2, 1), named(3, 0), named(4, 0), named(5, 1)];
    trials.extend([(6, 2), (7, 3), (8, 2)].map(|(number, shown)| trial(number, shown, None, Some("Noise"), same)));
    let mut learned = trial(9, 4, None, Some("Gratings"), same);
    learned.training = true;
    trials.push(learned);
    session(trials)
}

/// A model that knows the rule, for units in its own order.
struct Knowing {
    units: Vec<UnitId>,
    /// The column of each.
    columns: Vec<usize>,
    raster: Raster,
    rate: FrameRate,
    /// Done to every answer.
    change: fn(usize, f32) -> f32,
}

impl Knowing {
    fn of(session: &Session, columns: &[usize]) -> Self {
        let ids = session.unit_ids();
        Self {
            units: columns.iter().map(|&column| ids[column].clone()).collect(),
            columns: columns.to_vec(),
            raster: RASTER,
            rate: FrameRate::WANG2025,
            change: |_, answer| answer,
        }
    }
}

impl Responder for Knowing {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn origin(&self) -> Origin {
        Origin { name: "Rule".to_owned(), simulated: false, sha256: None, device: "paper".to_owned() }
    }
    fn raster(&self) -> Raster {
        self.raster
    }
    fn frame_rate(&self) -> FrameRate {
        self.rate
    }
    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        let (frames, samples) = (movie.frames(), behavior.samples());
        let mut pixels = vec![0; frames * RASTER.pixels()];
        movie.read(0, frames, &mut pixels)?;
        let mut values = Vec::new();
        for time in 0..frames {
            for sample in 0..samples {
                let answer = |&unit: &usize| {
                    let pixel = pixels[time * RASTER.pixels() + unit];
                    (self.change)(time, rate(unit, pixel, behavior.gaze(time)[sample]))
                };
                values.extend(self.columns.iter().map(answer));
            }
        }
        progress.advance((frames * samples) as u64)?;
        Ok(Responses::new(frames, samples, self.columns.len(), values).expect("so many values"))
    }
}

fn evaluate(
    responder: &dyn Responder,
    session: &Session,
    selection: &Selection,
) -> Result<Evaluation, EvaluationError> {
    Evaluation::of(responder, session, selection, &Progress::new())
}

fn refused(responder: &dyn Responder, session: &Session, selection: &Selection) -> String {
    evaluate(responder, session, selection).expect_err("must be refused").to_string()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64) {
    let found = found.unwrap_or_else(|| panic!("undefined, expected {expected}"));
    // Responses are f32.
    assert!((found - expected).abs() < 1e-6, "{found}, expected {expected}");
}

#[test]
fn repeats_are_recognised_by_name_or_by_pixels_and_kept_apart_by_domain() {
    let session = mixed();
    let found = evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &Selection::default()).expect("evaluated");
    let shown: Vec<_> = found
        .domains
        .iter()
        .map(|domain| (domain.name.as_str(), domain.movies, domain.repeats, domain.frames))
        .collect();
    assert_eq!(shown, [("Clips", 2, (3, 3), 60), ("Noise", 2, (1, 2), 60)]);
    assert_eq!(found.domains[1].shown(), "2 movies × 1 to 2 repeats");
    let only = Selection { domain: Some("NOISE".to_owned()), ..Selection::default() };
    let noise = evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &only).expect("evaluated");
    assert_eq!(noise.domains, found.domains[1..]);
    assert_eq!(found.domain("noise"), Some(&noise.domains[0]));
    let learned = Selection { trials: Trials::Training, ..Selection::default() };
    let learned = evaluate(&Knowing::of(&session, &[0]), &session, &learned).expect("evaluated");
    assert_eq!((learned.domains.len(), learned.domains[0].name.as_str()), (1, "Gratings"));
    let all = Selection { trials: Trials::All, ..Selection::default() };
    assert_eq!(evaluate(&Knowing::of(&session, &[0]), &session, &all).expect("evaluated").domains.len(), 3);
}

#[test]
fn every_number_is_that_of_the_analysis_over_the_concatenated_movies() {
    let session = mixed();
    let model =
        Knowing { change: |time, answer| answer * (1.0 + 0.1 * (time % 3) as f32), ..Knowing::of(&session, &[2, 0]) };
    let found = evaluate(&model, &session, &Selection::default()).expect("evaluated");
    assert_eq!(found.units.iter().map(|unit| unit.unit).collect::<Vec<_>>(), [8, 11]);
    for (place, column) in [2, 0].into_iter().enumerate() {
        // Frames 10 to 39 of the movies a and b, one after the other.
        let (mut recorded, mut predicted) = (Vec::new(), Vec::new());
        for repeat in [[0, 1], [3, 2], [4, 5]] {
            for index in repeat {
                let trial = &session.trials[index];
                let record = trial.record().expect("a record");
                let mut movie = trial.movie().expect("a movie");
                let answer = model.respond(movie.as_mut(), &record.behavior, &Progress::new()).expect("an answer");
                let of = |responses: &Responses, unit| -> Vec<f64> {
                    responses.trace(0, unit).skip(10).map(f64::from).collect()
                };
                recorded.extend(of(&record.responses, column));
                predicted.extend(of(&answer, place));
            }
        }
        let repeats = |values: &[f64]| UnitRepeats::new(3, 60, values.to_vec()).expect("three repeats");
        let (p, r) = (repeats(&predicted), repeats(&recorded));
        let (abs, most) = (cc_abs(&p, &r).expect("defined"), ceiling(&r, Freedom::Published).expect("defined"));
        let unit = &found.domains[0].units[place];
        near(unit.cc_abs, abs);
        near(unit.cc_max, most);
        near(unit.cc_max_consistent, most * (59.0f64 / 60.0).sqrt());
        near(unit.cc_norm, abs / most);
        near(unit.cc_single, correlation(&predicted, &recorded).expect("defined"));
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        near(unit.mean_ratio, sum(&predicted) / sum(&recorded));
        let loss = predicted.iter().zip(&recorded).map(|(p, r)| p - r * p.ln()).sum::<f64>() / 180.0;
        near(unit.poisson_loss, loss);
        assert_eq!((unit.cc_true, unit.no_ceiling), (None, None), "nobody knows the true rate");
        assert!(unit.cc_norm.expect("defined") > 0.8, "{unit:?}");
    }
}

#[test]
fn memory_does_not_grow_with_the_responses_to_many_movies() {
    let most = |movies: usize| {
        let trials = (0..2 * movies).map(|n| trial(n, n % movies, Some(&format!("{}", n % movies)), None, same));
        let session = session(trials.collect());
        peak_of(|| evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &Selection::default()).expect("evaluated")).0
    };
    let (few, many) = (most(4), most(44));
    // Two repeats of 30 frames and three units are 720 bytes; a movie's name and place in the list are fewer.
    assert!(many < few + 40 * 720, "{few} bytes for 4 movies, {many} for 44");
}

#[test]
fn a_model_that_knows_the_rule_reaches_the_ceiling() {
    let trials = (0..80).map(|number| trial(number, number % 8, Some(&format!("{}", number % 8)), None, same));
    let session = session(trials.collect());
    let found = evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &Selection::default()).expect("evaluated");
    let [domain] = &found.domains[..] else { panic!("one domain") };
    assert_eq!((domain.name.as_str(), domain.repeats), (DomainEvaluation::UNNAMED, (10, 10)));
    for unit in &domain.units {
        // 240 frames of 10 repeats; gaze differs between repeats, so that a little of what is predicted is no signal.
        let norm = unit.cc_norm.expect("defined");
        assert!((norm - 1.0).abs() < 0.05, "{unit:?}");
        // Rates of 0.3 to 2.7 with rates known: twice nothing.
        assert!((unit.mean_ratio.expect("defined") - 1.0).abs() < 0.02, "{unit:?}");
    }
}

#[test]
fn the_first_frames_of_every_trial_count_nothing() {
    let clean = session(vec![trial(0, 0, Some("a"), None, same), trial(1, 0, Some("a"), None, same)]);
    let spoil = |values: &mut Vec<f32>| values[..10 * UNITS].fill(1e6);
    let spoilt = session(vec![trial(0, 0, Some("a"), None, spoil), trial(1, 0, Some("a"), None, spoil)]);
    let model = Knowing::of(&clean, &[0, 1, 2]);
    let of = |session: &Session, burnin_frames: usize| {
        evaluate(&model, session, &Selection { burnin_frames, ..Selection::default() }).expect("evaluated").domains
    };
    assert_eq!(of(&clean, 10), of(&spoilt, 10));
    assert_ne!(of(&clean, 9), of(&spoilt, 9));
    let said = refused(&model, &clean, &Selection { burnin_frames: 40, ..Selection::default() });
    assert_eq!(said, "the trials of the domain `All stimuli` have at most 40 frames: none is left after 40 of burn-in");
}

#[test]
fn where_nothing_was_repeated_there_is_no_ceiling_and_it_is_said_why() {
    let session = session(vec![trial(0, 0, None, None, same), trial(1, 1, None, None, same)]);
    let found = evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &Selection::default()).expect("evaluated");
    let domain = &found.domains[0];
    for unit in &domain.units {
        assert_eq!((unit.cc_max, unit.cc_norm, unit.no_ceiling), (None, None, Some(NoCeiling::OneRepeat)));
        assert!(unit.cc_abs.is_some() && unit.cc_abs == unit.cc_single, "{unit:?}");
    }
    assert_eq!(domain.median(Quantity::CcNorm), None);
    assert_eq!(domain.why_no_ceiling(), Some(NoCeiling::OneRepeat));
    let mut table = Vec::new();
    found.write_units(&mut table).expect("memory");
    let table = String::from_utf8(table).expect("text");
    assert!(table.lines().skip(1).all(|line| line.ends_with(",no frame was measured more than once")), "{table}");
    assert!(
        figures::evaluation::plate(&found)
            .svg(&Layout::default())
            .expect("drawn")
            .contains("no ceiling, so no CC_norm")
    );
}

#[test]
fn what_was_not_measured_is_counted_and_left_out() {
    let holes = |values: &mut Vec<f32>| (0..values.len()).filter(|i| i % 7 == 2).for_each(|i| values[i] = f32::NAN);
    let trials = |change: fn(&mut Vec<f32>)| {
        (0..6).map(|number| trial(number, number % 2, Some(["a", "b"][number % 2]), None, change)).collect()
    };
    let whole = session(trials(same));
    let holed = session(trials(holes));
    let blind = session(trials(|values| values.iter_mut().skip(1).step_by(3).for_each(|value| *value = f32::NAN)));
    let of = |session: &Session| {
        let found = evaluate(&Knowing::of(session, &[0, 1, 2]), session, &Selection::default()).expect("evaluated");
        found.domains[0].clone()
    };
    assert_eq!((of(&whole).missing, of(&blind).missing), (0, 180));
    let (whole, holed) = (of(&whole), of(&holed));
    assert!(holed.missing > 70 && holed.missing < 85, "{}", holed.missing);
    for (a, b) in whole.units.iter().zip(&holed.units) {
        let (a, b) = (a.cc_abs.expect("defined"), b.cc_abs.expect("defined"));
        assert!(a != b && (a - b).abs() < 0.05, "{a} and {b}");
    }
    let silent = of(&blind).units[1];
    assert_eq!(silent.no_ceiling, Some(NoCeiling::OneRepeat));
    assert!(Quantity::ALL.into_iter().all(|quantity| silent.get(quantity).is_none()), "{silent:?}");
    assert!(of(&blind).units[0].cc_norm.is_some());
}

#[test]
fn a_twin_of_another_animal_scan_or_screen_is_refused_in_one_sentence() {
    let session = mixed();
    let model = || Knowing::of(&session, &[0, 1]);
    let other = |change: fn(&mut UnitId)| {
        let mut model = model();
        change(&mut model.units[1]);
        refused(&model, &session, &Selection::default())
    };
    for (said, part) in [
        (other(|unit| unit.animal = Some("M18".to_owned())), "animal M18 is not in this recording of animal M17"),
        (other(|unit| unit.animal = None), "animal unknown is not in this recording"),
        (other(|unit| unit.session = 5), "session 5"),
        (other(|unit| unit.scan = 8), "scan 8"),
        (other(|unit| unit.unit = 4), "unit 4"),
        (
            refused(&Knowing { raster: Raster { height: 4, width: 3 }, ..model() }, &session, &Selection::default()),
            "takes movies of 4 x 3 pixels, but the session showed 2 x 3",
        ),
        (
            refused(&Knowing { rate: FrameRate(60.0), ..model() }, &session, &Selection::default()),
            "takes 60 frames per second, but the session has 30",
        ),
        (
            refused(&model(), &session, &Selection { domain: Some("Dots".to_owned()), ..Selection::default() }),
            "no trial of the domain `Dots` to evaluate; it has Clips, Noise",
        ),
        (
            refused(&Knowing { change: |_, _| f32::NAN, ..model() }, &session, &Selection::default()),
            "response of unit 11 at frame 0 is NaN",
        ),
    ] {
        assert!(said.contains(part) && !said.contains('\n'), "{said}");
    }
    let mut learned = mixed();
    learned.trials.retain(|trial| trial.training);
    assert!(refused(&model(), &learned, &Selection::default()).contains("no trials that were kept for testing"));
}

#[test]
fn progress_runs_to_its_end_and_a_wish_to_stop_is_heard() {
    let session = mixed();
    let model = Knowing::of(&session, &[0]);
    let progress = Progress::new();
    Evaluation::of(&model, &session, &Selection::default(), &progress).expect("evaluated");
    assert_eq!(progress.fraction(), Some(1.0));
    progress.cancel();
    let stopped = Evaluation::of(&model, &session, &Selection::default(), &progress);
    assert!(matches!(stopped, Err(EvaluationError::Cancelled(_))), "{stopped:?}");
}

#[test]
fn a_response_without_a_prediction_has_no_poisson_loss() {
    let session = mixed();
    let at = |change: fn(usize, f32) -> f32| {
        let model = Knowing { change, ..Knowing::of(&session, &[0]) };
        evaluate(&model, &session, &Selection::default()).expect("evaluated").domains[0].units[0]
    };
    assert_eq!(at(|_, _| 0.0).poisson_loss, None);
    assert_eq!(at(|_, answer| answer - 10.0).poisson_loss, None);
    assert_eq!((at(|_, _| 0.5).cc_abs, at(|_, _| 0.5).cc_norm), (None, None), "a constant prediction");
    assert!(at(|_, _| 0.5).cc_max.is_some() && at(|_, _| 0.5).poisson_loss.is_some());
}

const SMALL: Raster = Raster { height: 36, width: 64 };

/// A simulated session: noise to learn from, then noise and a grating to test, each three times.
fn simulated(folder: &Path, noise: Noise) -> Session {
    let conditions: Vec<Condition> = [WhiteNoise::default().into(), DriftingGrating::default().into()]
        .map(|stimulus: Stimulus| stimulus.into())
        .to_vec();
    let presentations = [0, 0, 1].iter().enumerate().map(|(index, &condition)| Presentation {
        condition,
        repeat: index,
        onset_frame: 35 * index,
        frames: 35,
        seed: index as u64,
    });
    let schedule = Schedule { conditions, presentations: presentations.collect(), frames: 105 };
    let options =
        SimulateOptions { units: 6, seed: 3, held_out: Some(2), repeats: 3, noise, ..SimulateOptions::default() };
    let monitor = Monitor::WANG2025.with_raster(SMALL);
    let folders = simulate(&options, &schedule, &[], &monitor, folder, &Progress::new()).expect("a mouse");
    Session::open(&folders[0]).expect("an ordinary session")
}

/// A tiny twin whose units are some of a session's.
pub fn tiny_twin(session: &Session, columns: &[usize]) -> weights::TwinWeights {
    let config = std::fs::read_to_string(path("twin/twin-tiny.toml")).expect("the fixture is there");
    let config = TwinConfig::from_toml(&config).expect("a valid configuration");
    let mut twin = weights::filled_twin(&config, columns.len(), 3);
    let ids = session.unit_ids();
    twin.units = columns.iter().map(|&column| ids[column].clone()).collect();
    twin.card.raster = session.raster;
    twin
}

#[test]
fn a_simulated_session_knows_domains_and_true_rates() {
    let scratch = tempfile::tempdir().expect("a folder");
    let session = simulated(scratch.path(), Noise::None);
    let shown: Vec<_> = session.trials.iter().map(|trial| trial.domain.as_deref().expect("a domain")).collect();
    assert_eq!(shown[..3], ["White noise", "White noise", "Drifting grating"]);
    for trial in &session.trials {
        let rates = trial.rates().expect("readable");
        assert_eq!(rates.is_some(), !trial.training, "rates are kept for testing");
        if let Some(rates) = rates {
            assert_eq!(rates, trial.record().expect("a record").responses, "without noise they are what was recorded");
        }
    }
    // A copy of the session knows them as well.
    let copy = scratch.path().join("copy");
    session.save(&copy).expect("a new folder");
    let copied = Session::open(&copy).expect("our own folder");
    for (a, b) in session.trials.iter().zip(&copied.trials) {
        assert_eq!((&a.domain, a.rates().expect("readable")), (&b.domain, b.rates().expect("readable")));
    }
    // Damaged rates are refused.
    let file = copy.join("rates/0003.npy");
    let mut bytes = std::fs::read(&file).expect("rates of a test trial");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&file, &bytes).expect("writable");
    let said = copied.trials[3].rates().expect_err("a rate that is no number").to_string();
    assert!(said.contains("0003.npy") && said.contains("frame 34, column 5"), "{said}");
    std::fs::write(&file, &bytes[..end - 4]).expect("writable");
    assert!(Session::open(&copy).expect_err("cut off").to_string().contains("0003.npy"));
    // A table of trials without the column is as good as before.
    let table = std::fs::read_to_string(copy.join("trials.csv")).expect("a table");
    let cut: Vec<&str> = table.lines().map(|line| line.rsplit_once(',').expect("six columns").0).collect();
    std::fs::write(copy.join("trials.csv"), cut.join("\n")).expect("writable");
    std::fs::remove_dir_all(copy.join("rates")).expect("there");
    let old = Session::open(&copy).expect("a session of an earlier version");
    assert!(old.trials.iter().all(|trial| trial.domain.is_none()));
}

#[test]
fn a_twin_is_shown_every_trial_with_its_own_behaviour() {
    let scratch = tempfile::tempdir().expect("a folder");
    let session = simulated(scratch.path(), Noise::default());
    let columns = [4, 0, 5, 2];
    let twin = Arc::new(tiny_twin(&session, &columns));
    let twin = Twin::open(twin, &ComputeDevice::Cpu, TwinOptions::default()).expect("a tiny twin");
    let found = evaluate(&twin, &session, &Selection::default()).expect("evaluated");
    assert!(found.simulated && found.notice().contains("(simulated)"), "{}", found.notice());
    assert_eq!(found.domains.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["White noise", "Drifting grating"]);
    // One by one, without a batch.
    let (mut predicted, mut truth) = (Vec::new(), Vec::new());
    for trial in session.trials_for(false).filter(|trial| trial.domain.as_deref() == Some("Drifting grating")) {
        let (record, rates) = (trial.record().expect("a record"), trial.rates().expect("readable").expect("simulated"));
        let mut movie = trial.movie().expect("a movie");
        let mut all = Vec::new();
        twin.rollout::<TwinError>(movie.as_mut(), Some(&record.behavior), 30, &Progress::new(), &mut |_, rows| {
            all.extend_from_slice(rows);
            Ok(())
        })
        .expect("shown");
        predicted.extend(all.chunks(4).skip(10).map(|row| f64::from(row[2])));
        truth.extend(rates.trace(0, 5).skip(10).map(f64::from));
    }
    let unit = found.domains[1].units[2];
    near(unit.cc_true, correlation(&predicted, &truth).expect("defined"));
}

#[test]
fn tables_json_and_figure_say_the_same() {
    let session = mixed();
    let found = evaluate(&Knowing::of(&session, &[0, 1, 2]), &session, &Selection::default()).expect("evaluated");
    let folder = tempfile::tempdir().expect("a folder");
    let paths = found.write(&folder.path().join("deep")).expect("written");
    let read = |name: &str| {
        let path = paths.iter().find(|path| path.ends_with(name)).expect("listed");
        std::fs::read_to_string(path).expect("written")
    };
    let rows = |text: &str| -> Vec<Vec<String>> {
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        table.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
    };
    let units = rows(&read("units.csv"));
    assert_eq!(units.len(), 1 + 3 * 2);
    assert_eq!(units[1][..7], ["M17", "4", "7", "11", "V1", "", "Clips"]);
    let column = units[0].iter().position(|name| name == "cc_norm").expect("a column");
    let norm = found.domains[1].units[2].cc_norm.expect("defined");
    assert_eq!(units[6][column].parse(), Ok(norm));
    let summary = rows(&read("summary.csv"));
    assert_eq!(summary.len(), 1 + 2 * Quantity::ALL.len());
    let median = found.domains[0].median(Quantity::CcNorm).expect("defined");
    let row = summary.iter().find(|row| row[..2] == ["Clips", "cc_norm"]).expect("a row");
    let (low, high) = median.interval.expect("three units");
    assert_eq!([2, 3, 4].map(|column| row[column].parse::<f64>().expect("a number")), [median.value, low, high]);
    assert_eq!(row[5..], ["3", "3", "2", "3", "3", "60"]);
    let truth = summary.iter().find(|row| row[..2] == ["Clips", "cc_true_rate"]).expect("a row");
    assert_eq!(truth[2..6], ["", "", "", "0"]);
    let json: serde_json::Value = serde_json::from_str(&read("evaluation.json")).expect("JSON");
    // The reader of JSON may be off by the last digit.
    let same = |value: &serde_json::Value, expected: f64| {
        let found = value.as_f64().expect("a number");
        assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found}, expected {expected}");
    };
    same(&json["domains"][1]["units"]["cc_norm"][2], norm);
    same(&json["domains"][0]["medians"]["cc_norm"]["median"], median.value);
    assert!(json["domains"][0]["medians"]["cc_true_rate"].is_null());
    assert_eq!((&json["recording"]["animal"], &json["selection"]["burnin_frames"]), (&"M17".into(), &10.into()));
    let drawn = figures::evaluation::plate(&found).svg(&Layout::default()).expect("drawn");
    for part in [
        "Clips",
        "Noise",
        "CC_norm",
        "n = 3 of 3 units",
        "2 movies × 3 repeats",
        &format!("{:.2} [", median.value),
        "Rule; recording of animal M17",
    ] {
        assert!(drawn.contains(part), "the figure lacks \"{part}\"");
    }
}

#[test]
fn the_figure_is_a_page_wide_and_has_a_row_for_every_four_domains() {
    let mut found = population(120, 6);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("evaluation.png");
    figures::evaluation::write(&found, &file).expect("written");
    let size = image::image_dimensions(&file).expect("a PNG");
    assert_eq!(size.0, (183.0f64 / 25.4 * 300.0).round() as u32);
    let picture = figures::evaluation::plate(&found).picture(&Layout::default()).expect("drawn");
    assert_eq!((picture.width as u32, picture.height as u32), size);
    let white = |x: usize, y: usize| picture.rgb[(y * picture.width + x) * 3..][..3] == [255; 3];
    let (right, bottom) = (picture.width - 1, picture.height - 1);
    assert!(
        (0..=right).all(|x| white(x, 0) && white(x, bottom)) && (0..=bottom).all(|y| white(0, y) && white(right, y))
    );
    found.domains.truncate(4);
    let row = figures::evaluation::plate(&found).picture(&Layout::default()).expect("drawn");
    assert!(row.height < picture.height);
    found.domains.clear();
    let nothing = figures::evaluation::plate(&found).svg(&Layout::default());
    assert!(matches!(nothing, Err(FigureError::Missing(_))), "{nothing:?}");
}

/// Many units in several domains, one of them without repeats.
fn population(units: usize, domains: usize) -> Evaluation {
    let session = mixed();
    let mut found = evaluate(&Knowing::of(&session, &[0]), &session, &Selection::default()).expect("evaluated");
    let (domain, unit) = (found.domains[0].clone(), found.domains[0].units[0]);
    let names = [
        "Rendered clips",
        "Drifting Gabor patches",
        "Coherent moving dots",
        "Static natural images",
        "Monet2",
        "Gaussian dots",
    ];
    let domain_of = |index: usize| DomainEvaluation {
        name: names[index % names.len()].to_owned(),
        units: (0..units)
            .map(|number| {
                let sum: f32 = (0..4).map(|k| chance(500 + index, 4 * number + k) - 0.5).sum();
                let norm = 0.85 - 0.06 * index as f64 + 0.15 * f64::from(sum);
                let repeated = index != 3;
                twinscope::evaluation::UnitEvaluation {
                    cc_norm: repeated.then_some(norm),
                    cc_max: unit.cc_max.filter(|_| repeated),
                    no_ceiling: (!repeated).then_some(NoCeiling::OneRepeat),
                    ..unit
                }
            })
            .collect(),
        ..domain.clone()
    };
    found.domains = (0..domains).map(domain_of).collect();
    found.units = vec![found.units[0].clone(); units];
    found
}

/// Pictures for human eyes: `TWINSCOPE_SHOTS=folder cargo test --test all evaluation_shots`.
#[test]
fn evaluation_shots_for_human_eyes() {
    let Some(folder) = std::env::var_os("TWINSCOPE_SHOTS") else { return };
    let folder = std::path::PathBuf::from(folder);
    for (name, found) in [("six", population(160, 6)), ("two", population(24, 2))] {
        for ending in ["png", "svg"] {
            figures::evaluation::write(&found, &folder.join(format!("{name}.{ending}"))).expect("written");
        }
    }
}

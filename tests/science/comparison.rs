//! A twin beside a recording: identity, tuning in silico against in vivo, examples, tables and figures.

use std::cell::RefCell;
use std::sync::Arc;

use twinscope::analysis::statistics::correlation::LEAST_PAIRS;
use twinscope::comparison::{
    Comparison, ComparisonError, FieldMap, Measure, Pairs, PopulationComparison, angle_deg, matched,
};
use twinscope::data::simulated::{Noise, SimulateOptions, TestMovies, simulate};
use twinscope::data::{PresentationTable, ScanId, Session, SessionUnit, Trial, import};
use twinscope::evaluation::{Origin, Quantity, Responder, ResponderError, Selection, ceilings};
use twinscope::figures::comparison::ComparisonFigure;
use twinscope::figures::{Format, Layout};
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinOptions};
use twinscope::signals::{Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, Responses, UnitId};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::{
    BinaryNoise, Condition, DriftingGrating, Monet, MovingDots, PinkNoise, Prepared, Presentation, Scene, Schedule,
    SparseNoise, Stimulus, Trippy, WhiteNoise,
};

use super::evaluation::tiny_twin;

const RASTER: Raster = Raster { height: 18, width: 32 };
const FRAMES: usize = 40;
const DIRECTIONS: usize = 16;
const UNITS: usize = 12;
/// Frames by which units answer late to spots.
const LATE: usize = 4;

/// A number uniform in 0..1.
fn chance(seed: usize, index: usize) -> f32 {
    random_words(seed as u64, index as u32, 0)[0] as f32 / u32::MAX as f32
}

/// Where a unit's receptive field lies: row and column of the screen, inside its edges.
fn place(unit: usize) -> (f32, f32) {
    (4.0 + 10.0 * chance(1, unit), 7.0 + 18.0 * chance(2, unit))
}

fn preferred_deg(unit: usize) -> f64 {
    360.0 * f64::from(chance(3, unit))
}

/// A picture of one grey level: what shows a direction here.
fn grating(direction: usize) -> Movie {
    let pixels = vec![130 + 7 * direction as u8; FRAMES * RASTER.pixels()];
    Movie::new(RASTER, FRAMES, 1, pixels).expect("so many pixels")
}

/// Places of the spots: every second pixel, in an order that is not that of the screen.
fn spot(step: usize) -> (usize, usize) {
    let (rows, columns) = (RASTER.height / 2, RASTER.width / 2);
    let number = step * 35 % (rows * columns);
    (2 * (number / columns), 2 * (number % columns))
}

/// Frames of each spot.
const SPOT_FRAMES: usize = 3;
const SPOTS: usize = RASTER.height / 2 * (RASTER.width / 2);

fn spots() -> Movie {
    let mut pixels = vec![127u8; SPOTS * SPOT_FRAMES * RASTER.pixels()];
    for (frame, picture) in pixels.chunks_exact_mut(RASTER.pixels()).enumerate() {
        let (row, column) = spot(frame / SPOT_FRAMES);
        let sign = if (frame / SPOT_FRAMES).is_multiple_of(2) { 1.0 } else { -1.0 };
        for (index, pixel) in picture.iter_mut().enumerate() {
            let (dy, dx) = ((index / RASTER.width) as f32 - row as f32, (index % RASTER.width) as f32 - column as f32);
            let light = 120.0 * (-(dx * dx + dy * dy) / 4.0).exp();
            *pixel = (127.0 + sign * light).round() as u8;
        }
    }
    Movie::new(RASTER, SPOTS * SPOT_FRAMES, 1, pixels).expect("so many pixels")
}

/// How units answer: each with a preferred direction and a place, both of which may be shifted.
#[derive(Clone, Copy)]
struct Rule {
    turned_deg: f64,
    columns: f32,
}

impl Rule {
    fn rate(self, unit: usize, picture: &[u8], earlier: Option<&[u8]>) -> f32 {
        let grey = picture[0];
        if picture.iter().all(|&pixel| pixel == grey) && grey >= 130 {
            let direction = f64::from(grey - 130) / 7.0 * 360.0 / DIRECTIONS as f64;
            let apart = (direction - preferred_deg(unit) - self.turned_deg).to_radians();
            // Between 1 and 3 times sharp, so that units differ in selectivity.
            let sharp = 1.0 + 2.0 * f64::from(chance(4, unit));
            return (0.2 + (sharp * (apart.cos() - 1.0)).exp()) as f32;
        }
        let Some(earlier) = earlier else { return 0.5 };
        let (row, column) = place(unit);
        let drive: f32 = (earlier.iter().enumerate().filter(|(_, pixel)| **pixel != 127))
            .map(|(index, pixel)| {
                let dy = (index / RASTER.width) as f32 - row;
                let dx = (index % RASTER.width) as f32 - column - self.columns;
                f32::from(pixel.abs_diff(127)) * (-(dx * dx + dy * dy) / 8.0).exp()
            })
            .sum();
        0.5 + drive / 500.0
    }

    /// `[frame, unit]`.
    fn answers(self, movie: &Movie, units: &[usize]) -> Vec<f32> {
        let answer = |time: usize| {
            let earlier = time.checked_sub(LATE).map(|time| movie.frame(time));
            units.iter().map(move |&unit| self.rate(unit, movie.frame(time), earlier))
        };
        (0..movie.frames()).flat_map(answer).collect()
    }
}

const TRUE: Rule = Rule { turned_deg: 0.0, columns: 0.0 };

fn trial(number: usize, condition: &str, domain: &str, movie: &Arc<Movie>) -> Trial {
    let mut values = TRUE.answers(movie, &(0..UNITS).collect::<Vec<_>>());
    for (index, value) in values.iter_mut().enumerate() {
        *value += 0.2 * (chance(100 + number, index) - 0.5);
    }
    let responses = Responses::new(movie.frames(), 1, UNITS, values).expect("a row for every frame");
    let behavior = Behavior::still(movie.frames(), 1);
    Trial::new(false, Some(condition.to_owned()), Arc::clone(movie), behavior, responses)
        .expect("a whole trial")
        .in_domain(domain)
}

fn id() -> ScanId {
    ScanId { animal: "M17".to_owned(), session: 4, scan: 7 }
}

/// Gratings in sixteen directions three times each, and a movie of spots twice.
fn session() -> Session {
    let mut trials = Vec::new();
    let gratings: Vec<Arc<Movie>> = (0..DIRECTIONS).map(|direction| Arc::new(grating(direction))).collect();
    for _ in 0..3 {
        for (direction, movie) in gratings.iter().enumerate() {
            let name = format!("stimulus=gratings, direction={}", direction as f64 * 360.0 / DIRECTIONS as f64);
            trials.push(trial(trials.len(), &name, "Gratings", movie));
        }
    }
    let spots = Arc::new(spots());
    for _ in 0..2 {
        trials.push(trial(trials.len(), "spots", "Gaussian dots", &spots));
    }
    let unit = |unit: u32| SessionUnit { area: Some("V1".to_owned()), ..SessionUnit::numbered(unit) };
    Session {
        id: id(),
        frame_rate: FrameRate::WANG2025,
        raster: RASTER,
        units: (10..10 + UNITS as u32).map(unit).collect(),
        trials,
        about: toml::Table::new(),
    }
}

/// Answers of so many units to a movie, `[frame, unit]`.
type Answering = Box<dyn Fn(&Movie, usize) -> Vec<f32> + Send + Sync>;

/// A model that answers by a rule, perhaps another one than the animal's.
struct Model {
    units: Vec<UnitId>,
    answers: Answering,
}

impl Model {
    fn of(session: &Session, rule: Rule) -> Self {
        let answers = move |movie: &Movie, units: usize| rule.answers(movie, &(0..units).collect::<Vec<_>>());
        Self { units: session.unit_ids(), answers: Box::new(answers) }
    }
}

impl Responder for Model {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn origin(&self) -> Origin {
        Origin { name: "Rule".to_owned(), simulated: false, sha256: None, device: "paper".to_owned() }
    }
    fn raster(&self) -> Raster {
        RASTER
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
        let movie = Movie::new(RASTER, frames, 1, pixels).expect("whole");
        let units = self.units.len();
        let answers = (self.answers)(&movie, units);
        let rows = answers.chunks_exact(units).flat_map(|row| row.repeat(samples));
        progress.advance((frames * samples) as u64)?;
        Ok(Responses::new(frames, samples, units, rows.collect()).expect("a row for every frame and sample"))
    }
}

fn compare(rule: Rule) -> Comparison {
    compare_in(&session(), rule)
}

fn compare_in(session: &Session, rule: Rule) -> Comparison {
    let table = PresentationTable::default();
    Comparison::of(&Model::of(session, rule), session, &table, &Selection::default(), &Progress::new())
        .expect("the same cells")
}

fn apart(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(360.0);
    turn.min(360.0 - turn)
}

#[test]
fn the_angle_is_read_from_names_that_people_give() {
    for (text, expected) in [
        ("Drifting grating, condition 3, direction 90 deg", Some(90.0)),
        ("stimulus=gratings, direction=315.0, contrast=1", Some(315.0)),
        ("contrast=0.5, stim_dir = 45", Some(45.0)),
        ("direction_deg=-90", Some(270.0)),
        ("orientation=22.5", Some(22.5)),
        ("Plaid, crossing angle 120 deg, direction 30 deg", Some(30.0)),
        ("Bar, direction 180°, speed 25 deg/s", Some(180.0)),
        ("direction=nan", None),
        ("direction=rightward", None),
        ("Rendered clip, camera speed 25 deg/s", None),
        ("clip 12", None),
        ("", None),
    ] {
        assert_eq!(angle_deg(text), expected, "{text}");
    }
}

#[test]
fn a_twin_that_knows_the_rule_is_tuned_as_the_animal() {
    let found = compare(TRUE);
    let [gratings] = &found.directions[..] else { panic!("one domain of directions: {:?}", found.directions.len()) };
    assert_eq!((gratings.domain.as_str(), gratings.recorded.angles_deg.len()), ("Gratings", DIRECTIONS));
    assert!(gratings.recorded.presentations.iter().all(|&count| count == 3));
    for unit in 0..UNITS {
        // The rule is symmetric about its preferred direction, and sixteen directions resolve it.
        let recorded = gratings.recorded.get(unit, Measure::PreferredDirection).expect("tuned");
        assert!(apart(recorded, preferred_deg(unit)) < 2.0, "unit {unit}: {recorded}, {}", preferred_deg(unit));
    }
    let preferred = gratings.pairs(Measure::PreferredDirection);
    assert!(preferred.n() >= UNITS / 2, "selective units: {}", preferred.n());
    // Thirty frames of noise of a tenth, three times: well below two degrees.
    assert!(preferred.errors().iter().all(|error| *error < 2.0), "{:?}", preferred.errors());
    for measure in [Measure::GlobalOsi, Measure::GlobalDsi, Measure::HalfWidth] {
        let pairs = gratings.pairs(measure);
        let r = pairs.correlation(1).expect("units differ").value;
        assert!(r > 0.98, "{}: r = {r}", pairs.label);
    }
    let sem = gratings.recorded.units[0].as_ref().and_then(|tuning| tuning.sem.as_ref()).expect("three presentations");
    assert!(sem.iter().all(|sem| *sem > 0.0 && *sem < 0.02), "{sem:?}");
    // It answers the same every time.
    let sem = gratings.predicted.units[0].as_ref().and_then(|tuning| tuning.sem.as_ref()).expect("three presentations");
    assert!(sem.iter().all(|sem| *sem < 1e-6), "{sem:?}");
}

#[test]
fn a_twin_that_is_turned_has_that_circular_error() {
    let turned = compare(Rule { turned_deg: 330.0, ..TRUE });
    let preferred = turned.directions[0].pairs(Measure::PreferredDirection);
    let error = preferred.median_error(1).expect("selective units").value;
    // The short way round, not 330.
    assert!((error - 30.0).abs() < 1.0, "{error}");
    assert_eq!(preferred.correlation(1), None, "a line means nothing on a circle");
    for (&(_, recorded, predicted), (across, up)) in preferred.points.iter().zip(preferred.unwrapped()) {
        assert_eq!((across, (up - predicted).rem_euclid(360.0).round() as i64 % 360), (recorded, 0));
        assert!((up - across).abs() <= 180.0);
    }
    let osi = turned.directions[0].pairs(Measure::GlobalOsi);
    assert!(osi.correlation(1).expect("units differ").value > 0.9, "selectivity is not turned");
}

#[test]
fn a_correlation_of_few_units_has_no_interval() {
    let found = compare(Rule { turned_deg: 15.0, columns: 0.0 });
    let mut osi = found.directions[0].pairs(Measure::GlobalOsi);
    let interval = |osi: &Pairs| osi.correlation(1).expect("units differ").interval;
    osi.points.truncate(LEAST_PAIRS);
    assert!(interval(&osi).is_some(), "of {LEAST_PAIRS} units");
    osi.points.truncate(LEAST_PAIRS - 1);
    assert_eq!(interval(&osi), None);
    let r = osi.correlation(1).expect("units differ");
    assert_eq!(r.to_string(), format!("{:.2}", r.value), "nothing stands in its place");
    osi.points.truncate(1);
    assert_eq!(osi.correlation(1), None);
}

#[test]
fn receptive_fields_are_found_where_spots_drive_the_units() {
    let (same, shifted) = (compare(TRUE), compare(Rule { columns: 3.0, ..TRUE }));
    let monitor = Monitor::WANG2025.with_raster(RASTER);
    let [dots] = &same.fields[..] else { panic!("one domain of spots, not {}", same.fields.len()) };
    assert_eq!(dots.domain, "Gaussian dots");
    for unit in 0..UNITS {
        let (row, column) = place(unit);
        let (x, y) = monitor.degrees_from_pixel(f64::from(row), f64::from(column));
        let found = dots.recorded[unit].expect("a clear map").centre_deg;
        // A pixel is up to 6.7 degrees wide here, and spots lie on pixels: two thirds of one.
        assert!((found[0] - x).hypot(found[1] - y) < 4.5, "unit {unit}: {found:?}, expected {x}, {y}");
    }
    assert_eq!(dots.distances_deg().len(), UNITS);
    let median = dots.median_distance(1).expect("units").value;
    assert!(median < 1.0, "{median}");
    let pairs = shifted.fields[0].pairs();
    assert!(pairs[0].points.iter().all(|(_, recorded, predicted)| predicted > recorded), "three columns to the right");
    // Half a pixel: spots are two pixels apart.
    assert!(pairs[1].errors().iter().all(|error| *error < 3.4), "and not up or down: {:?}", pairs[1].errors());
    assert!(pairs[0].correlation(1).expect("units differ").value > 0.97);
}

#[test]
fn degrees_are_of_the_screen_that_the_recording_describes() {
    let farther = Monitor { distance_cm: 30.0, ..Monitor::WANG2025.with_raster(RASTER) };
    let mut session = session();
    let about = "[monitor]\nwidth_cm = 56.5\nheight_cm = 31.8\ndistance_cm = 30";
    session.about = toml::from_str(about).expect("a description");
    assert_eq!(session.monitor(), Some(farther));
    let (near, far) = (compare(TRUE), compare_in(&session, TRUE));
    assert_eq!((near.fields[0].monitor.distance_cm, far.fields[0].monitor.distance_cm), (15.0, 30.0));
    for unit in 0..UNITS {
        let (row, column) = place(unit);
        let (x, y) = farther.degrees_from_pixel(f64::from(row), f64::from(column));
        let found = far.fields[0].recorded[unit].expect("a clear map").centre_deg;
        // A pixel is up to 3.4 degrees wide here.
        assert!((found[0] - x).hypot(found[1] - y) < 2.6, "unit {unit}: {found:?}, expected {x}, {y}");
    }
    session.about = toml::from_str("[monitor]\nwidth_cm = -1").expect("a description");
    assert_eq!(session.monitor(), None, "no screen");
}

/// A movie of a stimulus at the small raster.
fn drawn(stimulus: impl Into<Stimulus>, seed: u64, frames: usize) -> Movie {
    let monitor = Monitor::WANG2025.with_raster(RASTER);
    let prepared = Prepared::new(&stimulus.into(), &monitor, seed).expect("possible");
    let mut pixels = vec![0; frames * RASTER.pixels()];
    pixels.chunks_exact_mut(RASTER.pixels()).enumerate().for_each(|(frame, picture)| prepared.frame(frame, picture));
    Movie::new(RASTER, frames, 1, pixels).expect("so many pixels")
}

/// Units that listen to noise: the first third adds up light, the second darkness, the last energy of either sign.
const LISTENERS: usize = 6;

/// How they answer, `[frame, unit]`, when their places are so many columns to the right.
fn listened(movie: &Movie, columns: f32) -> Vec<f32> {
    let weights: Vec<[Vec<f32>; 2]> = (0..LISTENERS)
        .map(|unit| {
            let (row, column) = place(unit);
            let weight = |turn: fn(f32) -> f32| -> Vec<f32> {
                let at = |index: usize| {
                    let dy = (index / RASTER.width) as f32 - row;
                    let dx = (index % RASTER.width) as f32 - column - columns;
                    (-(dy * dy + dx * dx) / 6.5).exp() * if unit < 4 { 1.0 } else { turn(dx / 1.8) }
                };
                (0..RASTER.pixels()).map(at).collect()
            };
            [weight(f32::cos), weight(f32::sin)]
        })
        .collect();
    let answer = |time: usize, unit: usize| {
        let Some(earlier) = time.checked_sub(LATE) else { return 2.0 };
        let picture = movie.frame(earlier);
        let drive = |weights: &[f32]| -> f32 {
            picture.iter().zip(weights).map(|(&pixel, weight)| (f32::from(pixel) - 128.0) / 127.0 * weight).sum()
        };
        let [even, odd] = &weights[unit];
        match unit / 2 {
            0 => 2.0 + drive(even),
            1 => 2.0 - drive(even),
            _ => drive(even).hypot(drive(odd)),
        }
    };
    (0..movie.frames())
        .flat_map(|time| (0..LISTENERS).map(move |unit| (time, unit)))
        .map(|(t, u)| answer(t, u))
        .collect()
}

/// Their receptive fields when each movie is shown once, with noise of recording.
fn fields_of_listeners(movies: Vec<(&str, Movie)>, columns: f32) -> Comparison {
    let trial = |(number, (domain, movie)): (usize, (&str, Movie))| {
        let mut values = listened(&movie, 0.0);
        for (index, value) in values.iter_mut().enumerate() {
            // A drift from trial to trial, noise, and frames at which a unit was not measured.
            *value += number as f32 + 0.5 * (chance(200 + number, index) - 0.5);
            if index % 31 == 0 {
                *value = f32::NAN;
            }
        }
        let frames = movie.frames();
        let responses = Responses::new(frames, 1, LISTENERS, values).expect("a row for every frame");
        let name = format!("{domain}, movie {number}");
        Trial::new(false, Some(name), Arc::new(movie), Behavior::still(frames, 1), responses)
            .expect("a whole trial")
            .in_domain(domain)
    };
    let mut session = session();
    session.units.truncate(LISTENERS);
    session.trials = movies.into_iter().enumerate().map(trial).collect();
    let answers = Box::new(move |movie: &Movie, _: usize| listened(movie, columns));
    let twin = Model { units: session.unit_ids(), answers };
    Comparison::of(&twin, &session, &PresentationTable::default(), &Selection::default(), &Progress::new())
        .expect("the same cells")
}

/// Every third picture of the frames is another one.
fn pictures(of: impl Fn(usize) -> Vec<u8>, count: usize) -> Movie {
    let pixels = (0..count).flat_map(|number| of(number).repeat(3)).collect();
    Movie::new(RASTER, 3 * count, 1, pixels).expect("so many pixels")
}

#[test]
fn movies_of_noise_are_told_from_all_others_by_their_pixels() {
    let scene = |number: usize| drawn(Scene::default(), number as u64, 1).frame(0).to_vec();
    let square = |number: usize| {
        let (row, column) = spot(number);
        let mut picture = vec![128; RASTER.pixels()];
        picture[row * RASTER.width + column] = if number.is_multiple_of(2) { 255 } else { 0 };
        picture
    };
    let grating = DriftingGrating { temporal_frequency_hz: 1.37, ..DriftingGrating::default() };
    let found = fields_of_listeners(
        vec![
            ("Clip", drawn(Scene::default(), 1, 150)),
            ("White noise", drawn(WhiteNoise::default(), 1, 150)),
            ("Grating", drawn(grating, 1, 150)),
            ("Binary noise", drawn(BinaryNoise::default(), 1, 150)),
            ("Monet", drawn(Monet::default(), 1, 150)),
            ("Moving dots", drawn(MovingDots::default(), 1, 150)),
            ("Sparse noise", drawn(SparseNoise::default(), 1, 300)),
            ("Trippy", drawn(Trippy::default(), 1, 150)),
            ("Pink noise", drawn(PinkNoise::default(), 1, 150)),
            ("Images", pictures(scene, 60)),
            ("Single squares", pictures(square, 100)),
            ("Little noise", drawn(WhiteNoise::default(), 1, 60)),
        ],
        0.0,
    );
    let maps: Vec<(&str, FieldMap)> = found.fields.iter().map(|one| (one.domain.as_str(), one.map)).collect();
    let expected = [
        ("White noise", FieldMap::Noise),
        ("Binary noise", FieldMap::Noise),
        ("Sparse noise", FieldMap::Noise),
        ("Single squares", FieldMap::Spots),
    ];
    assert_eq!(maps, expected);
    // Ten frames of burn-in.
    assert_eq!(found.fields[0].frames, 140);
}

#[test]
fn noise_shows_where_units_listen_to_light_to_darkness_or_to_both() {
    let refresh_hz = 30.0;
    // Large squares, for contrast: of many small ones in the field of a unit that answers to both each says little.
    let white = || WhiteNoise { square_deg: 10.0, refresh_hz, ..WhiteNoise::default() };
    let sparse = SparseNoise { refresh_hz, density: 0.1, ..SparseNoise::default() };
    let movies = vec![
        // Two trials of a domain add up.
        ("White noise", drawn(white(), 5, 450)),
        ("White noise", drawn(white(), 6, 450)),
        ("Binary noise", drawn(BinaryNoise { refresh_hz, ..BinaryNoise::default() }, 5, 900)),
        ("Sparse noise", drawn(sparse, 5, 900)),
    ];
    let found = fields_of_listeners(movies, 2.0);
    let monitor = Monitor::WANG2025.with_raster(RASTER);
    assert_eq!(found.fields.iter().map(|one| one.frames).collect::<Vec<_>>(), [880, 890, 890]);
    for fields in &found.fields {
        // The contrast of black and white squares does not vary.
        let clear = if fields.domain == "Binary noise" { 4 } else { LISTENERS };
        for unit in 0..clear {
            let (row, column) = place(unit);
            for (who, field, columns) in
                [("recorded", fields.recorded[unit], 0.0), ("predicted", fields.predicted[unit], 2.0)]
            {
                let field = field.unwrap_or_else(|| panic!("{}, {who} unit {unit}: no clear map", fields.domain));
                let (x, y) = monitor.degrees_from_pixel(f64::from(row), f64::from(column + columns));
                let off = (field.centre_deg[0] - x).hypot(field.centre_deg[1] - y);
                // A block is up to 6.7 degrees wide and a square up to 10; 900 patterns leave an error of at most half of it,
                // 1 to 3 degrees for most units.
                assert!(off < 5.0, "{}, {who} unit {unit}: {off} degrees off", fields.domain);
            }
        }
        // Two columns are 7 degrees at the edge and 13 in the middle, less or more what both are off.
        let distance = fields.median_distance(1).expect("clear maps").value;
        assert!((5.0..15.0).contains(&distance), "{}: {distance}", fields.domain);
    }
    let figure = ComparisonFigure::Fields(&found, &found.fields[0]);
    let drawn = figure.plate().svg(&Layout::default()).expect("drawn");
    assert!(drawn.contains("White noise: 880 frames of all trials. Map: noise, covariance of r"), "{drawn}");
    assert!(!drawn.contains("mask"), "that is the map of spots");
}

#[test]
fn examples_are_chosen_by_rank_and_hold_what_was_recorded() {
    let (session, found) = (session(), compare(Rule { turned_deg: 20.0, ..TRUE }));
    assert_eq!(found.examples.iter().map(|one| one.domain.as_str()).collect::<Vec<_>>(), ["Gratings", "Gaussian dots"]);
    let dots = &found.examples[1];
    assert_eq!((dots.movie.as_deref(), dots.units.len()), (Some("spots"), 4));
    let norm = |unit: usize| found.evaluation.domains[1].units[unit].cc_norm.expect("two repeats");
    let best = (0..UNITS).max_by(|&a, &b| norm(a).total_cmp(&norm(b))).expect("units");
    assert_eq!((dots.units[0].rank, dots.units[0].unit), ("best", best));
    assert!(dots.units.windows(2).all(|pair| norm(pair[0].unit) >= norm(pair[1].unit)));
    for example in &dots.units {
        assert_eq!(example.repeats.len(), 2);
        for (repeat, trial) in example.repeats.iter().zip(&session.trials[48..]) {
            let record = trial.record().expect("in memory");
            assert!(record.responses.trace(0, example.unit).eq(repeat.iter().copied()));
        }
        let again = dots.of_unit(&session, &found.evaluation.units, example.unit).expect("in memory");
        assert_eq!(&again, example, "any unit can be asked for");
        let mean = example.mean();
        assert_eq!(mean.len(), SPOTS * SPOT_FRAMES);
        assert!((mean[7] - (example.repeats[0][7] + example.repeats[1][7]) / 2.0).abs() < 1e-6);
        let expected = TRUE.answers(&spots(), &[example.unit]);
        assert!(example.predicted.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}

/// Notes after each answer how many frames it had, and which part of the work was then done.
struct Noting {
    model: Model,
    noted: RefCell<Vec<(usize, f32)>>,
}

impl Responder for Noting {
    fn units(&self) -> &[UnitId] {
        self.model.units()
    }
    fn origin(&self) -> Origin {
        self.model.origin()
    }
    fn raster(&self) -> Raster {
        RASTER
    }
    fn respond(
        &self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        progress: &Progress,
    ) -> Result<Responses, ResponderError> {
        let answers = self.model.respond(movie, behavior, progress)?;
        let frames = answers.frames() * answers.samples();
        self.noted.borrow_mut().push((frames, progress.fraction().expect("it was begun")));
        Ok(answers)
    }
}

#[test]
fn every_frame_is_predicted_once_and_counted_in_a_total_that_is_known_from_the_beginning() {
    let session = session();
    let model = Noting { model: Model::of(&session, TRUE), noted: RefCell::default() };
    let table = PresentationTable::default();
    Comparison::of(&model, &session, &table, &Selection::default(), &Progress::new()).expect("the same cells");
    let total: usize = session.trials.iter().map(|trial| trial.frames).sum();
    let mut done = 0;
    for &(frames, part) in model.noted.borrow().iter() {
        done += frames;
        // The part is a quotient of two numbers of single precision.
        assert!((part - done as f32 / total as f32).abs() < 1e-6, "{part} after {done} of {total} frames");
    }
    assert_eq!(done, total);
}

#[test]
fn other_cells_are_refused_in_a_sentence_that_says_why() {
    let session = session();
    let twin = |change: &dyn Fn(&mut UnitId)| {
        let mut model = Model::of(&session, TRUE);
        model.units.iter_mut().for_each(change);
        model
    };
    let table = PresentationTable::default();
    let refused = |model: &Model, session: &Session| {
        let found = Comparison::of(model, session, &table, &Selection::default(), &Progress::new());
        let error = found.expect_err("other cells");
        assert!(matches!(error, ComparisonError::Strangers { .. }), "{error:?}");
        error.to_string()
    };
    assert_eq!(matched(&twin(&|_| ()).units, &session).expect("the same cells"), (0..UNITS).collect::<Vec<_>>());
    let mut nameless = session.clone();
    nameless.id.animal = ScanId::UNKNOWN.to_owned();
    for (said, why) in [
        (refused(&twin(&|unit| unit.animal = Some("M18".to_owned())), &session), "different animals"),
        (refused(&twin(&|unit| unit.session = 5), &session), "different sessions"),
        (refused(&twin(&|unit| unit.scan = 8), &session), "different scans"),
        (refused(&twin(&|unit| unit.unit += 100), &session), "unit 110 of the twin was not recorded"),
        (refused(&twin(&|unit| unit.animal = None), &session), "the twin does not say which animal"),
        (refused(&twin(&|_| ()), &nameless), "the recording does not say which animal"),
    ] {
        assert!(said.contains(why) && said.contains("populations can still be compared"), "{said}");
        assert!(!said.contains('\n') && (said.contains("M17") || said.contains("unknown")), "{said}");
    }
}

#[test]
fn populations_of_other_cells_are_compared_without_pairs() {
    let session = session();
    let mut model = Model::of(&session, TRUE);
    model.units.iter_mut().for_each(|unit| unit.animal = Some("M18".to_owned()));
    model.units.truncate(9);
    let table = PresentationTable::default();
    let found = PopulationComparison::of(&model, &session, &table, &Selection::default(), &Progress::new())
        .expect("any twin of these movies");
    assert_eq!(found.units, (UNITS, 9));
    assert!(found.notice().contains("not the same cells"), "{}", found.notice());
    let osi = found.distributions.iter().find(|one| one.key == "global_osi").expect("directions were shown");
    assert_eq!((osi.recorded.len(), osi.predicted.len(), osi.domain.as_str()), (UNITS, 9, "Gratings"));
    assert!(osi.test().expect("two groups").p > 0.05, "the same rule");
    let size = found.distributions.iter().find(|one| one.key == "sigma_deg").expect("spots were shown");
    assert_eq!(size.predicted.len(), 9);
    let circular = found.distributions.iter().find(|one| one.key == "preferred_direction_deg").expect("tuned");
    assert_eq!(circular.test(), None, "ranks mean nothing on a circle");
    assert_eq!((osi.period, circular.period), (None, Some(360.0)));
    // The ceilings are those of an evaluation.
    let evaluated = compare(TRUE).evaluation;
    for (alone, with) in ceilings(&session, &Selection::default()).expect("named movies").iter().zip(&evaluated.domains)
    {
        assert_eq!(alone.name, with.name);
        assert_eq!(alone.values(Quantity::CcMax), with.values(Quantity::CcMax));
        assert_eq!((alone.units[0].cc_abs, alone.units[0].poisson_loss), (None, None), "nothing was predicted");
    }
    let folder = tempfile::tempdir().expect("a folder");
    found.write(folder.path()).expect("written");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    assert!(read("population.csv").starts_with("domain,quantity,population,value\nGratings,cc_max,recorded,"));
    let summary = read("population_summary.csv");
    assert!(summary.lines().any(|line| line.starts_with("Gratings,global_osi,12,")), "{summary}");
    let figure = ComparisonFigure::Population(&found);
    let drawn = figure.plate().svg(&Layout::default()).expect("drawn");
    for part in ["CC_max", "gOSI", "n = 12 recorded, 9 predicted", "not the same cells", "Mann-Whitney"] {
        assert!(drawn.contains(part), "the figure lacks \"{part}\"");
    }
}

#[test]
fn what_lies_on_a_circle_has_an_axis_once_around_it() {
    let session = session();
    let table = PresentationTable::default();
    let model = Model::of(&session, TRUE);
    let mut found =
        PopulationComparison::of(&model, &session, &table, &Selection::default(), &Progress::new()).expect("movies");
    found.ceilings.clear();
    found.distributions.retain(|one| one.period == Some(360.0));
    assert_eq!(found.distributions.len(), 1, "preferred directions");
    for (period, values, ticks) in [
        (360.0, [10.0, 355.0], ["0", "90", "180", "270", "360"]),
        (180.0, [3.0, 100.0], ["0", "45", "90", "135", "180"]),
    ] {
        let one = &mut found.distributions[0];
        (one.period, one.recorded, one.predicted) = (Some(period), values.to_vec(), values.to_vec());
        let drawn = ComparisonFigure::Population(&found).plate().svg(&Layout::default()).expect("drawn");
        let texts = drawn.split("<text").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</text>"));
        // Numbers along the axis of shares are below 1.
        let numbers = texts.map(|(text, _)| text.trim()).filter_map(|text| text.parse::<f64>().ok());
        let axis: Vec<String> = numbers.filter(|&number| number > 1.0).map(|number| number.to_string()).collect();
        assert_eq!(axis, ticks[1..], "the axis of a period of {period} degrees");
    }
}

#[test]
fn tables_and_figures_say_the_same() {
    let found = compare(Rule { turned_deg: 15.0, columns: 1.0 });
    let folder = tempfile::tempdir().expect("a folder");
    let mut paths = found.write(folder.path()).expect("written");
    let figures = ComparisonFigure::all(&found);
    for figure in &figures {
        let plate = figure.plate();
        paths.extend(plate.export(folder.path(), &figure.stem(), &Format::ALL, &Layout::default()).expect("written"));
    }
    assert!(paths.iter().all(|path| path.is_file()));
    let stems: Vec<String> = figures.iter().map(ComparisonFigure::stem).collect();
    let expected = [
        "accuracy",
        "domains",
        "tuning_gratings",
        "receptive_fields_gaussian_dots",
        "traces_gratings",
        "traces_gaussian_dots",
    ];
    assert_eq!(stems, expected);
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut table =
            csv::ReaderBuilder::new().has_headers(false).from_path(folder.path().join(name)).expect("written");
        table.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
    };
    let tuning = rows("tuning.csv");
    assert_eq!(tuning.len(), 1 + 2 * UNITS, "a row for each unit and domain");
    assert_eq!(
        tuning[0][..9].join(","),
        "animal,session,scan,unit,area,layer,domain,recorded_preferred_direction_deg,predicted_preferred_direction_deg"
    );
    assert_eq!(tuning[1][..7], ["M17", "4", "7", "10", "V1", "", "Gratings"]);
    let column = tuning[0].iter().position(|name| name == "recorded_global_osi").expect("a column");
    let osi = found.directions[0].recorded.get(0, Measure::GlobalOsi).expect("defined");
    assert_eq!(tuning[1][column].parse(), Ok(osi));
    let column = tuning[0].iter().position(|name| name == "predicted_centre_x_deg").expect("a column");
    assert_eq!((tuning[1][column].as_str(), tuning[2][6].as_str()), ("", "Gaussian dots"));
    let centre = found.fields[0].predicted[0].expect("a clear map").centre_deg[0];
    assert_eq!(tuning[2][column].parse(), Ok(centre));
    let summary = rows("tuning_summary.csv");
    let row = summary.iter().find(|row| row[1] == "preferred_direction_deg").expect("a row");
    let pairs = found.directions[0].pairs(Measure::PreferredDirection);
    assert_eq!((row[2].as_str(), row[3].parse()), ("recorded gDSI > 0.2", Ok(pairs.n())));
    assert_eq!(row[4..7], ["", "", ""], "a line means nothing on a circle");
    assert_eq!(row[7].parse(), Ok(pairs.median_error(1).expect("units").value));
    assert_eq!(
        summary[0][3..].join(","),
        "units,correlation,correlation_low_95,correlation_high_95,median_absolute_difference,low_95,high_95"
    );
    assert!(summary.iter().all(|row| row.len() == summary[0].len()));
    let row = summary.iter().find(|row| row[1] == "global_osi").expect("a row");
    let osi = found.directions[0].pairs(Measure::GlobalOsi).correlation(1).expect("units differ");
    let (low, high) = osi.interval.expect("twelve units");
    assert!(low < osi.value && osi.value < high, "{low}, {}, {high}", osi.value);
    assert_eq!([4, 5, 6].map(|column| row[column].parse::<f64>().ok()), [Some(osi.value), Some(low), Some(high)]);
    // What a figure shows stands beside it.
    let beside = rows("tuning_gratings_numbers.csv");
    assert_eq!(beside[0].join(","), "panel,series,x_label,x,y_label,y,low,high,n");
    let preferred = beside.iter().filter(|row| row[0] == "Preferred direction" && row[2] == "In vivo (°)").count();
    assert_eq!(preferred, pairs.n());
    let traces = rows("traces_gratings_numbers.csv");
    assert_eq!(traces.len(), 1 + 4 * (2 + 3) * FRAMES, "of four units mean, prediction and three repeats");
    let accuracy = rows("accuracy_numbers.csv");
    let of_units = accuracy.iter().filter(|row| row[1] == "units" && row[4] == "CC_norm").count();
    assert_eq!(of_units, 2 * UNITS);

    let drawn: Vec<String> =
        figures.iter().map(|figure| figure.plate().svg(&Layout::default()).expect("drawn")).collect();
    let median = found.evaluation.domains[1].median(Quantity::CcNorm).expect("two repeats").value;
    let agreement = format!("r = {osi}");
    for (figure, parts) in [
        (0, vec!["CC_norm", "CC_abs", "CC_max", "Units", "n = 12 of 12 units", "Gaussian dots", "1 movie × 2 repeats"]),
        (1, vec!["CC_norm", "Gratings", "16 movies × 3 repeats", "bootstrap over 12 units"]),
        (
            2,
            vec![
                "Preferred direction",
                "Circular error",
                "In vivo (°)",
                "In silico (°)",
                "gOSI",
                "gDSI",
                "r = ",
                "n = 12 units",
                "n = 3 presentations each",
                "chance 90°",
                agreement.as_str(),
                "Pearson",
            ],
        ),
        (3, vec!["Azimuth of centre", "Elevation of centre", "Distance (°)", "n = 12 of 12 units", "133 ms late"]),
        (
            4,
            vec![
                "recorded, each repeat",
                "predicted, mean",
                "Response (× mean)",
                "Time (s)",
                "n = 3 repeats",
                "best, CC_norm",
            ],
        ),
        (5, vec!["The first 12 of 14 s", "n = 2 repeats"]),
    ] {
        for part in parts.into_iter().chain(["Rule; recording of animal M17"]) {
            assert!(drawn[figure].contains(part), "{} lacks \"{part}\"", stems[figure]);
        }
    }
    assert!(drawn[1].contains(&format!("{median:.2} (12)")), "the median of dots");
    for stem in &stems {
        let size = image::image_dimensions(folder.path().join(format!("{stem}.png"))).expect("a PNG");
        assert_eq!(size.0, (183.0f64 / 25.4 * 300.0).round() as u32, "{stem} is a page wide");
    }
}

#[test]
fn responses_that_were_not_measured_count_nothing_and_are_told() {
    let mut session = session();
    let movie = Arc::new(grating(0));
    let mut values = TRUE.answers(&movie, &(0..UNITS).collect::<Vec<_>>());
    // The first unit was lost in every showing of one direction, the second in one showing.
    for number in [0, 16, 32] {
        for row in values.chunks_exact_mut(UNITS) {
            row[0] = f32::NAN;
            row[1] = if number == 0 { f32::NAN } else { 1.2 };
        }
        let responses = Responses::new(FRAMES, 1, UNITS, values.clone()).expect("whole");
        let name = session.trials[number].condition.clone();
        let behavior = Behavior::still(FRAMES, 1);
        session.trials[number] =
            Trial::new(false, name, Arc::clone(&movie), behavior, responses).expect("whole").in_domain("Gratings");
    }
    let table = PresentationTable::default();
    let found = Comparison::of(&Model::of(&session, TRUE), &session, &table, &Selection::default(), &Progress::new())
        .expect("the same cells");
    let gratings = &found.directions[0];
    assert!(gratings.recorded.units[0].is_none(), "one direction was never measured");
    assert!(gratings.recorded.units[1].is_some() && gratings.predicted.units[0].is_some());
    assert_eq!(gratings.pairs(Measure::GlobalOsi).n(), UNITS - 1);
    assert_eq!(found.evaluation.domains[0].missing, 4 * (FRAMES - 10));
}

#[test]
fn movies_of_several_presentations_are_told_apart_by_the_table_beside_the_session() {
    let schedule = |directions: &[f64]| {
        let condition = |&direction_deg: &f64| Condition {
            swept: vec![("direction_deg".to_owned(), direction_deg)],
            ..Condition::from(Stimulus::from(DriftingGrating { direction_deg, ..DriftingGrating::default() }))
        };
        let shown = |condition: usize| Presentation {
            condition,
            repeat: 0,
            onset_frame: 5 + 20 * condition,
            frames: 15,
            seed: condition as u64,
        };
        Schedule {
            conditions: directions.iter().map(condition).collect(),
            presentations: (0..directions.len()).map(shown).collect(),
            frames: 5 + 20 * directions.len(),
        }
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 36, width: 64 });
    let options = SimulateOptions {
        units: 5,
        seed: 3,
        held_out: Some(0),
        repeats: 2,
        noise: Noise::None,
        ..SimulateOptions::default()
    };
    let tests = [TestMovies {
        domain: "Moving gratings".to_owned(),
        schedule: schedule(&[0.0, 90.0, 180.0, 270.0]),
        trial_frames: 40,
    }];
    let folders = simulate(&options, &schedule(&[45.0, 225.0]), &tests, &monitor, scratch.path(), &Progress::new())
        .expect("a mouse");
    let table = PresentationTable::beside(&folders[0]).expect("written with the session");
    let shown = table.of("Moving gratings, movie 1");
    assert_eq!(shown.len(), 2);
    assert_eq!((shown[1].onset_frame, shown[1].frames, shown[1].kind.as_str()), (25, 15, "drifting_grating"));
    assert_eq!(shown[1].values, "direction_deg=90");
    assert_eq!(table.of("Moving gratings, movie 2")[0].onset_frame, 0, "counted from the beginning of its own movie");

    let session = import::open(&folders[0]).expect("an ordinary session");
    let twin = Arc::new(tiny_twin(&session, &[4, 0, 2]));
    let twin = Twin::open(twin, &ComputeDevice::Cpu, TwinOptions::default()).expect("a tiny twin");
    let compare =
        |table| Comparison::of(&twin, &session, table, &Selection::default(), &Progress::new()).expect("compared");
    let found = compare(&table);
    let [gratings] = &found.directions[..] else { panic!("one domain of directions") };
    assert_eq!(gratings.recorded.angles_deg, [0.0, 90.0, 180.0, 270.0]);
    assert_eq!(gratings.recorded.presentations, [2; 4]);
    // The simulated rate of the twin's second unit, the session's first: over the frames of the presentation, four later.
    let record = session.trials.iter().find(|trial| !trial.training).expect("tests").record().expect("readable");
    let frames = 29..44;
    let mean = frames.clone().map(|time| f64::from(record.responses.row(time, 0)[0])).sum::<f64>() / 15.0;
    let curve = &gratings.recorded.units[1].as_ref().expect("measured").mean;
    // Both showings differ in behaviour by a little.
    assert!((f64::from(curve[1]) - mean).abs() < 0.3 * mean, "{curve:?}, {mean}");
    assert!(compare(&PresentationTable::default()).directions.is_empty(), "without the table nothing is known");

    std::fs::write(folders[0].join(PresentationTable::FILE), "movie,onset_frame,frames,kind,values\na,x,3,,\n")
        .expect("writable");
    let said = PresentationTable::beside(&folders[0]).expect_err("no number").to_string();
    assert!(said.contains("presentations.csv`, line 2: `onset_frame` is `x`"), "{said}");
}

#[test]
fn conditions_of_imported_recordings_are_domains_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let domains = |columns: &str, rows: &[&str]| -> Vec<Option<String>> {
        let path = folder.path().join("table.csv");
        let mut text = format!("unit,trial,{columns},response\n");
        for (trial, row) in rows.iter().enumerate() {
            text += &format!("1,{trial},{row},{}\n2,{trial},{row},3\n", 1 + trial);
        }
        std::fs::write(&path, text).expect("writable");
        let session = import::open(&path).expect("a table");
        session.trials.into_iter().map(|trial| trial.domain).collect()
    };
    let some = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(
        domains("stimulus,direction", &["gratings,0", "gratings,90", "dots,0", "dots,90"]),
        some(&["gratings", "gratings", "dots", "dots"])
    );
    assert_eq!(
        domains("condition", &["clip 1", "clip 2", "noise 1", "clip 1"]),
        some(&["clip", "clip", "noise", "clip"])
    );
    assert_eq!(domains("direction,contrast", &["0,1", "90,1", "180,0.5"]), some(&["direction, contrast"; 3]));
    // Names of pictures are no kinds.
    assert_eq!(domains("condition", &["cat", "dog", "tree", "house"]), vec![None; 4]);
}

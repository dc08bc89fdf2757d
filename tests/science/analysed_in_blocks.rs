//! Responses on disk, analysed so many units at a time: the same numbers as from memory, without reading it all at once;
//! runs and recordings that lie in folders.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use twinscope::characterise::{Characterisation, CharacteriseError, Look, Measured, Table};
use twinscope::data::{
    NpyResponses, NpyResponsesWriter, PresentationTable, ScanId, Session, SessionUnit, SessionWriter, Trial,
};
use twinscope::experiment::{LongRun, LongRunError, Protocol, run};
use twinscope::job::Progress;
use twinscope::signals::{
    Behavior, FrameRate, FrameSource, Monitor, Movie, Raster, ResponseRows, Responses, SourceError, UnitId,
};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::{Condition, DriftingGrating, Presentation, Schedule, SparseNoise, Stimulus, WhiteNoise};

use super::tuned::{LabelledFrames, TunedTwin};

const UNITS: usize = 12;
const FRAMES: usize = 4;
const REPEATS: usize = 6;
/// Frames of white noise, and after it of sparse noise, that follow the directions.
const NOISE: usize = 60;
const RASTER: Raster = Raster { height: 9, width: 16 };

/// A number uniform in 0..1.
fn chance(index: usize) -> f64 {
    f64::from(random_words(9, index as u32, 0)[0]) / f64::from(u32::MAX)
}

/// Eight directions and a blank, six times each, then white and sparse noise.
fn schedule() -> Schedule {
    let grating = || Condition::from(Stimulus::DriftingGrating(DriftingGrating::default()));
    let mut conditions: Vec<Condition> = (0..8)
        .map(|step| Condition { swept: vec![("direction_deg".to_owned(), 45.0 * f64::from(step))], ..grating() })
        .collect();
    conditions.push(Condition { part: None, ..grating() });
    conditions.push(Condition::from(Stimulus::WhiteNoise(WhiteNoise::default())));
    conditions.push(Condition::from(Stimulus::SparseNoise(SparseNoise {
        square_deg: 30.0,
        density: 0.3,
        ..SparseNoise::default()
    })));
    let mut presentations = Vec::new();
    for repeat in 0..REPEATS {
        for condition in 0..9 {
            let onset_frame = presentations.len() * FRAMES;
            presentations.push(Presentation { condition, repeat, onset_frame, frames: FRAMES, seed: 1 });
        }
    }
    let mut frames = presentations.len() * FRAMES;
    for condition in 9..11 {
        presentations.push(Presentation { condition, repeat: 0, onset_frame: frames, frames: NOISE, seed: 2 });
        frames += NOISE;
    }
    Schedule { conditions, presentations, frames }
}

/// Units tuned to direction, with noise.
fn responses(schedule: &Schedule) -> Responses {
    let mut values = vec![0.2f32; schedule.frames * UNITS];
    for shown in &schedule.presentations {
        let direction = schedule.conditions[shown.condition].swept("direction_deg");
        for frame in shown.range() {
            for unit in 0..UNITS {
                let apart = direction.map(|direction| (direction - 29.0 * unit as f64).to_radians().cos() - 1.0);
                let mean = apart.map_or(0.3, |cos| 0.2 + 2.0 * (2.0 * cos).exp());
                values[frame * UNITS + unit] = (mean + 0.3 * chance(frame * UNITS + unit)) as f32;
            }
        }
    }
    Responses::new(schedule.frames, 1, UNITS, values).expect("a row for every frame")
}

fn monitor() -> Monitor {
    Monitor::WANG2025.with_raster(RASTER)
}

fn measured(rows: Arc<dyn ResponseRows + Send + Sync>) -> Measured {
    let schedule = schedule();
    let id = |unit: usize| UnitId { animal: Some("M".to_owned()), session: 1, scan: 1, unit: 100 + unit as u32 };
    Measured {
        title: "A test".to_owned(),
        notice: "made up".to_owned(),
        provenance: String::new(),
        // Repeats of a condition are repeats of a movie.
        movies: schedule.presentations.iter().map(|shown| shown.condition).collect(),
        schedule,
        frame_rate: FrameRate::WANG2025,
        monitor: Some(monitor()),
        skip_frames: 1,
        responses: rows,
        watched: Vec::new(),
        recording: Vec::new(),
        units: (0..UNITS).map(id).collect(),
        remarks: Vec::new(),
    }
}

fn look() -> Look {
    Look { resamples: 20, ..Look::default() }
}

fn characterised(measured: &Measured, look: &Look) -> Characterisation {
    // Any movie can be correlated: noise throughout.
    let frames = measured.schedule.frames;
    let pixels: Vec<u8> = (0..frames * RASTER.pixels()).map(|index| (255.0 * chance(500_000 + index)) as u8).collect();
    let mut movie = || -> Result<Box<dyn FrameSource>, SourceError> {
        Ok(Box::new(Movie::new(RASTER, frames, 1, pixels.clone())?))
    };
    Characterisation::of(measured, look, &mut movie, &Progress::new()).expect("there are responses")
}

fn of_memory(look: &Look) -> Characterisation {
    characterised(&measured(Arc::new(responses(&schedule()))), look)
}

#[track_caller]
fn same(one: &Characterisation, other: &Characterisation) {
    let names = |found: &Characterisation| found.tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    for (one, other) in one.tables.iter().zip(&other.tables) {
        assert_eq!(one.rows.len(), other.rows.len(), "{}", one.name);
        for (row, (a, b)) in one.rows.iter().zip(other.rows.iter()).enumerate() {
            assert_eq!(a, b, "{}, row {row}", one.name);
        }
    }
    assert_eq!(one.panels, other.panels);
    assert_eq!(one.findings, other.findings);
    assert_eq!(one.examples, other.examples);
}

#[track_caller]
fn table<'f>(found: &'f Characterisation, name: &str) -> &'f Table {
    let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
    found.tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no `{name}` in {names:?}"))
}

/// What was asked of responses.
#[derive(Debug)]
struct Asked {
    rows: Responses,
    /// Most frames that were asked for at once, and all that were asked for.
    most: AtomicUsize,
    all: AtomicUsize,
    /// Frames that were asked for, one after the other.
    ranges: Mutex<Vec<Range<usize>>>,
}

impl Asked {
    fn new() -> Self {
        let (most, all) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { rows: responses(&schedule()), most, all, ranges: Mutex::new(Vec::new()) }
    }
}

impl ResponseRows for Asked {
    fn frames(&self) -> usize {
        ResponseRows::frames(&self.rows)
    }
    fn samples(&self) -> usize {
        1
    }
    fn units(&self) -> usize {
        UNITS
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> io::Result<()> {
        self.most.fetch_max(frames.len(), Ordering::Relaxed);
        self.all.fetch_add(frames.len(), Ordering::Relaxed);
        self.ranges.lock().unwrap_or_else(PoisonError::into_inner).push(frames.clone());
        self.rows.each_row(frames, sample, take)
    }
}

#[test]
fn units_one_after_the_other_give_the_same_numbers_as_all_together() {
    let whole = of_memory(&look());
    // One unit at a time, and a few.
    for most_values in [1, 5 * 60] {
        same(&of_memory(&Look { most_values, ..look() }), &whole);
    }
    for name in ["fit_direction_deg", "reliability", "responses_beside_blanks", "receptive_fields_white_noise"] {
        assert_eq!(table(&whole, name).rows.len(), UNITS, "{name}");
    }
    assert_eq!(table(&whole, "receptive_fields_sparse_noise").rows.len(), 3 * UNITS);
    assert_eq!(table(&whole, "correlations").rows.len(), UNITS * (UNITS - 1) / 2);
    assert_eq!(whole.examples.curves.len(), 4, "the clearest four of one parameter");
}

#[test]
fn responses_in_a_file_give_the_same_numbers_as_in_memory() {
    let scratch = tempfile::tempdir().expect("a folder");
    let path = scratch.path().join("responses.npy");
    let responses = responses(&schedule());
    let mut file = NpyResponsesWriter::create(&path, &[responses.frames(), UNITS]).expect("a file");
    file.write(responses.values()).expect("as many values");
    file.finish().expect("complete");
    let rows = NpyResponses::open(&path, responses.frames(), UNITS).expect("just written");
    same(&characterised(&measured(Arc::new(rows)), &look()), &of_memory(&look()));
}

#[test]
fn no_more_than_a_presentation_is_asked_for_at_once_and_all_of_it_a_few_times() {
    let asked = Arc::new(Asked::new());
    let found = characterised(&measured(Arc::clone(&asked) as Arc<dyn ResponseRows + Send + Sync>), &look());
    assert!(!found.tables.is_empty());
    let all = ResponseRows::frames(asked.as_ref());
    let most = asked.most.load(Ordering::Relaxed);
    assert!(most <= NOISE, "{most} of {all} frames were asked for at once");
    // Once for tuning, blanks and population, once for reliability, once for pairs, and once for each map.
    let times = asked.all.load(Ordering::Relaxed) as f64 / all as f64;
    assert!(times <= 4.0, "every frame was read {times} times");
    // In blocks of single units it is read once for each of them.
    let again = Arc::new(Asked::new());
    let one = Look { most_values: 1, ..look() };
    characterised(&measured(Arc::clone(&again) as Arc<dyn ResponseRows + Send + Sync>), &one);
    let times = again.all.load(Ordering::Relaxed) / all;
    assert!(times >= UNITS, "{times} times");
    assert!(again.ranges.lock().unwrap_or_else(PoisonError::into_inner).iter().all(|range| range.len() <= NOISE));
}

/// One movie of ten frames shown twenty times, and five of four frames shown twice: of 20 x 30 places 240 were shown.
fn unbalanced() -> Measured {
    let grating = || Condition::from(Stimulus::DriftingGrating(DriftingGrating::default()));
    let (mut presentations, mut movies, mut frames) = (Vec::new(), Vec::new(), 0);
    for (movie, repeats, length) in std::iter::once((0, 20, 10)).chain((1..6).map(|movie| (movie, 2, 4))) {
        for repeat in 0..repeats {
            presentations.push(Presentation { condition: movie, repeat, onset_frame: frames, frames: length, seed: 1 });
            movies.push(movie);
            frames += length;
        }
    }
    let values = (0..frames * UNITS).map(|index| chance(index) as f32).collect();
    Measured {
        schedule: Schedule { conditions: (0..6).map(|_| grating()).collect(), presentations, frames },
        movies,
        skip_frames: 0,
        ..measured(Arc::new(Responses::new(frames, 1, UNITS, values).expect("a row for every frame")))
    }
}

#[test]
fn movies_with_few_repeats_take_no_room_for_the_many_of_others() {
    let (all, measured) = (20 * 10 + 5 * 2 * 4, unbalanced());
    let pairs = |most_paired: usize| {
        let found = characterised(&measured, &Look { most_paired, ..look() });
        table(&found, "correlations").rows.len()
    };
    // A mean for each of 30 frames, and a deviation for each showing.
    let each = all + 30;
    assert_eq!(pairs(UNITS * each), UNITS * (UNITS - 1) / 2, "all units fit");
    assert_eq!(pairs(5 * each), 10, "five units fit");
    assert_eq!(pairs(5 * each - 1), 6, "four do");
    // In goes of few units, the same numbers.
    let whole = characterised(&measured, &look());
    same(&characterised(&measured, &Look { most_values: 20 * 30 * 5, ..look() }), &whole);
}

#[test]
fn pairs_of_a_large_population_are_those_of_a_sample_that_is_told() {
    let few = Look { most_units: 5, ..look() };
    let found = of_memory(&few);
    assert_eq!(table(&found, "correlations").rows.len(), 10);
    assert_eq!(table(&found, "population").rows.len(), 5);
    assert_eq!(table(&found, "fit_direction_deg").rows.len(), UNITS, "of all units");
    let said = found.findings.join("\n");
    for part in ["Pairs of 5 of 12 units are correlated, drawn with seed 1", "5 of 12 units are sorted and embedded"] {
        assert!(said.contains(part), "`{part}` is missing in\n{said}");
    }
    same(&of_memory(&few), &found);
    let units = |found: &Characterisation| {
        table(found, "population").rows.iter().map(|row| row[3].to_owned()).collect::<Vec<_>>()
    };
    assert_ne!(units(&of_memory(&Look { seed: 2, ..few })), units(&found), "another seed draws others");
    // The correlations are those that the whole population has, pair by pair.
    let whole = of_memory(&look());
    let of_pair = |names: [&str; 2]| {
        let mut rows = table(&whole, "correlations").rows.iter();
        rows.find(|row| row[..2] == names).map(|row| row[2..].join(" "))
    };
    for row in table(&found, "correlations").rows.iter() {
        assert_eq!(of_pair([row[0], row[1]]), Some(row[2..].join(" ")), "{row:?}");
    }
}

/// Directions of a small twin.
const TEXT: &str = "schema = 1\ntitle = \"Eight directions\"\n[timing]\nlead_in_secs = 0.1\nstimulus_secs = 0.2\n\
                blank_secs = 0.1\nskip_secs = 0.0\n[stimulus]\nkind = \"drifting_grating\"\n[sweep]\ndirection_deg = { start = 0, \
                step = 45, count = 8 }\n[repeats]\ncount = 3\n";

fn protocol() -> Protocol {
    Protocol::from_toml(TEXT, "a test").expect("a protocol")
}

fn twin() -> TunedTwin {
    TunedTwin::new((0..6).map(|unit| 60.0 * f64::from(unit)).collect(), vec![2.0; 6])
}

fn begun(folder: &Path) -> LongRun {
    let mut twin = twin();
    let run = LongRun::new(&protocol(), &twin, folder, None).expect("a possible run");
    run.compute(&mut twin, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("it runs");
    run
}

#[test]
fn a_run_in_a_folder_is_analysed_without_the_twin() {
    let scratch = tempfile::tempdir().expect("a folder");
    let unfinished = begun(scratch.path());
    let error = LongRun::open(scratch.path()).expect_err("nothing was joined");
    assert!(matches!(error, LongRunError::Unfinished { .. }) && error.to_string().contains("not finished"), "{error}");
    let written = unfinished.finish().expect("all conditions are there");
    written.write_tables(scratch.path()).expect("written");
    let opened = LongRun::open(scratch.path()).expect("a finished run");
    assert_eq!((&opened.schedule, &opened.units), (&written.schedule, &written.units));
    assert_eq!(opened.provenance, written.provenance);
    assert_eq!(opened.tuning, written.tuning);
    let in_memory =
        run(&protocol(), &mut twin(), None, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("it runs");
    let found = |measured: &Measured| {
        let mut none = || -> Result<Box<dyn FrameSource>, SourceError> { Err(SourceError::new("not asked for")) };
        Characterisation::of(measured, &look(), &mut none, &Progress::new()).expect("there are responses")
    };
    same(&found(&Measured::of_outcome(opened)), &found(&Measured::of_outcome(in_memory)));
    // Another protocol begun in the same folder: the responses there are of the one before.
    let another = Protocol::from_toml(&TEXT.replace("start = 0", "start = 22.5"), "a test").expect("a protocol");
    let run = LongRun::new(&another, &twin(), scratch.path(), None).expect("a possible run");
    let stop = Progress::new();
    stop.cancel();
    let stopped = run.compute(&mut twin(), &mut LabelledFrames::draw, &stop, &mut |_| ());
    assert!(stopped.is_err(), "it was told to stop");
    let error = LongRun::open(scratch.path()).expect_err("stale responses");
    assert!(matches!(error, LongRunError::Unfinished { .. }), "{error}");
    // The same with the files of single conditions gone, and nothing of the other protocol computed yet.
    begun(scratch.path()).finish().expect("all conditions are there");
    assert!(LongRun::open(scratch.path()).is_ok(), "the first run again");
    std::fs::remove_dir_all(scratch.path().join("conditions")).expect("removed");
    assert!(LongRun::open(scratch.path()).is_ok(), "the joined responses are enough");
    let stopped = run.compute(&mut twin(), &mut LabelledFrames::draw, &stop, &mut |_| ());
    assert!(stopped.is_err(), "it was told to stop");
    let error = LongRun::open(scratch.path()).expect_err("responses of another run of the same shape");
    assert!(matches!(error, LongRunError::Unfinished { .. }), "{error}");
    let nothing = tempfile::tempdir().expect("a folder");
    assert!(LongRun::open(nothing.path()).is_err_and(|error| error.to_string().contains("holds no run")));
}

#[test]
fn maps_are_the_same_arrays_however_few_units_are_looked_at_at_once() {
    let frames = schedule().frames;
    let pixels: Vec<u8> = (0..frames * RASTER.pixels()).map(|index| (255.0 * chance(500_000 + index)) as u8).collect();
    let files = |most_values: usize| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut movie = || -> Result<Box<dyn FrameSource>, SourceError> {
            Ok(Box::new(Movie::new(RASTER, frames, 1, pixels.clone())?))
        };
        let measured = measured(Arc::new(responses(&schedule())));
        let look = Look { most_values, ..look() };
        let maps = folder.path().join("maps");
        let made = Characterisation::with_maps(&measured, &look, &mut movie, &Progress::new(), &maps);
        let (found, written) = made.expect("there are responses");
        let named = |path: &std::path::PathBuf| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("written"))
        };
        assert_eq!(written.len(), std::fs::read_dir(&maps).expect("a folder").count(), "nothing else");
        (found, written.iter().map(named).collect::<Vec<_>>())
    };
    let ((one, all), (other, singly)) = (files(look().most_values), files(1));
    same(&one, &other);
    same(&one, &of_memory(&look()));
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let of = |part: &str| format!("receptive_fields_{part}");
    let expected = ["sparse_noise_on.npy", "sparse_noise_off.npy", "sparse_noise_both.npy", "sparse_noise.json"];
    let expected: Vec<String> = expected.into_iter().chain(["white_noise.npy", "white_noise.json"]).map(of).collect();
    assert_eq!(names, expected);
    assert!(all == singly, "the bytes differ");
    // 12 units, 12 delays, 9 x 16 places, after a header of 128 bytes.
    assert_eq!(all[4].1.len(), 128 + 12 * 12 * 9 * 16 * 4);
}

/// Where the units look, rows and columns.
const PLACES: [[usize; 2]; 2] = [[2, 4], [6, 11]];
/// Frames by which they answer late.
const LATE: usize = 2;

/// A session of three trials of white noise that hold their movies, and one of something else.
fn noise_session() -> Session {
    let trial = |number: usize, condition: &str, domain: &str| {
        let frames = 600 + 40 * number;
        let noise = |index: usize| (255.0 * chance(1_000_000 * (number + 1) + index)) as u8;
        let pixels: Vec<u8> = (0..frames * RASTER.pixels()).map(noise).collect();
        let movie = Movie::new(RASTER, frames, 1, pixels).expect("so many pixels");
        let answer = |frame: usize, [row, column]: [usize; 2]| {
            let seen = movie.frame(frame.saturating_sub(LATE));
            let near = (row - 1..=row + 1).flat_map(|r| (column - 1..=column + 1).map(move |c| (r, c)));
            let drive: f32 = near.map(|(r, c)| f32::from(seen[r * RASTER.width + c]) - 128.0).sum();
            (1.0 + drive / 300.0).max(0.0)
        };
        let values = (0..frames).flat_map(|frame| PLACES.map(|place| answer(frame, place))).collect();
        let responses = Responses::new(frames, 1, 2, values).expect("two units");
        let behavior = Behavior::still(frames, 1);
        Trial::new(false, Some(condition.to_owned()), Arc::new(movie), behavior, responses)
            .expect("a whole trial")
            .in_domain(domain)
    };
    Session {
        id: ScanId { animal: "M".to_owned(), session: 1, scan: 1 },
        frame_rate: FrameRate::WANG2025,
        raster: RASTER,
        units: (1..3).map(SessionUnit::numbered).collect(),
        trials: vec![
            trial(0, "noise 1", "Binary noise"),
            trial(1, "noise 2", "Binary noise"),
            trial(2, "clip 1", "Natural clips"),
            trial(3, "noise 3", "Binary noise"),
        ],
        about: toml::Table::new(),
    }
}

fn of_session(session: &Session, domains: &[&str]) -> Result<Characterisation, CharacteriseError> {
    let domains: Vec<String> = domains.iter().map(|&domain| domain.to_owned()).collect();
    let measured = Measured::of_session(session, &PresentationTable::default(), 0, &domains, &Progress::new())?;
    Characterisation::of(&measured, &look(), &mut || measured.recorded_movie(), &Progress::new())
}

#[test]
fn receptive_fields_come_from_the_movies_of_a_recording() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("session");
    let mut session = noise_session();
    session.save(&folder).expect("written");
    for session in [&session, &Session::open(&folder).expect("just written")] {
        let found = of_session(session, &[]).expect("trials");
        let fields = table(&found, "receptive_fields_binary_noise");
        assert_eq!(fields.column("peak_delay_frames"), [LATE as f64; 2]);
        // Of each trial all frames count but those before the longest delay.
        assert_eq!(fields.column("frames"), [(600 + 640 + 720 - 3 * 11) as f64; 2]);
        for (unit, [row, column]) in PLACES.into_iter().enumerate() {
            let (x, y) = (fields.column("x_px")[unit], fields.column("y_px")[unit]);
            // A square of 3 x 3 pixels, which noise of 2,000 frames leaves to within half a pixel.
            assert!((x - column as f64).hypot(y - row as f64) < 0.5, "unit {unit}: {x}, {y}");
        }
        assert_eq!(found.examples.fields.len(), 2);
        assert_eq!((found.examples.fields[0].place_unit, found.examples.fields[0].shape), ("px", [9, 16]));
        let clips = of_session(session, &["natural clips"]).expect("trials");
        assert_eq!(table(&clips, "receptive_fields_natural_clips").column("frames"), [(680 - 11) as f64; 2]);
        let error = of_session(session, &["Gratings"]).expect_err("no such domain").to_string();
        assert!(error.contains("`Gratings`") && error.contains("Binary noise, Natural clips"), "{error}");
    }
    // In degrees where the session says what the screen was.
    let told = "width_cm = 56.5\nheight_cm = 31.8\ndistance_cm = 15\n".parse::<toml::Table>().expect("TOML");
    session.about.insert("monitor".to_owned(), toml::Value::Table(told));
    let folder = scratch.path().join("with a screen");
    session.save(&folder).expect("written");
    let session = Session::open(&folder).expect("just written");
    let fields = of_session(&session, &["noise 1", "Natural clips"]).expect("trials");
    let fields = table(&fields, "receptive_fields_noise_1");
    for (unit, [row, column]) in PLACES.into_iter().enumerate() {
        let (x, y) = monitor().degrees_from_pixel(row as f64, column as f64);
        let (found_x, found_y) = (fields.column("x_deg")[unit], fields.column("y_deg")[unit]);
        // A pixel has 13 degrees at the centre.
        assert!((found_x - x).hypot(found_y - y) < 9.0, "unit {unit}: {found_x}, {found_y}, expected {x}, {y}");
    }
}

#[test]
fn an_analysis_that_is_told_to_stop_stops_while_it_reads() {
    let session = noise_session();
    let stop = Progress::new();
    stop.cancel();
    let stopped = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &stop);
    assert!(matches!(stopped, Err(CharacteriseError::Cancelled(_))), "{stopped:?}");
    // Told while the movie is read: no more of it than one go.
    let measured = Measured::of_session(&session, &PresentationTable::default(), 0, &[], &Progress::new());
    let (measured, stop, read) = (measured.expect("trials"), Progress::new(), Arc::new(AtomicUsize::new(0)));
    let mut movie = || -> Result<Box<dyn FrameSource>, SourceError> {
        Ok(Box::new(Stopping { movie: measured.recorded_movie()?, stop: stop.clone(), read: Arc::clone(&read) }))
    };
    let stopped = Characterisation::of(&measured, &look(), &mut movie, &stop);
    assert!(matches!(stopped, Err(CharacteriseError::Cancelled(_))), "{stopped:?}");
    assert_eq!(read.load(Ordering::Relaxed), 1, "readings after the first");
}

/// A movie that asks to stop when it is read.
struct Stopping {
    movie: Box<dyn FrameSource>,
    stop: Progress,
    read: Arc<AtomicUsize>,
}

impl FrameSource for Stopping {
    fn raster(&self) -> Raster {
        self.movie.raster()
    }
    fn frames(&self) -> usize {
        self.movie.frames()
    }
    fn samples(&self) -> usize {
        self.movie.samples()
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.stop.cancel();
        self.movie.read(start, count, pixels)
    }
}

#[test]
fn rows_of_a_trial_are_those_of_its_record() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("session");
    noise_session().save(&folder).expect("written");
    let session = Session::open(&folder).expect("just written");
    for trial in &session.trials {
        let record = trial.record().expect("readable");
        for frames in [0..trial.frames, 0..0, 70..75, 63..200, trial.frames - 1..trial.frames] {
            let mut rows = Vec::new();
            trial.each_row(frames.clone(), &mut |row| rows.extend_from_slice(row)).expect("inside");
            let expected: Vec<f32> = frames.clone().flat_map(|frame| record.responses.row(frame, 0).to_vec()).collect();
            assert_eq!(rows, expected, "{frames:?}");
        }
        assert!(trial.each_row(0..trial.frames + 1, &mut |_| ()).is_err(), "one frame too many");
    }
}

/// The values of an array of a `.npz` file, and its shape.
fn array<T: npyz::Deserialize>(path: &Path, name: &str) -> (Vec<T>, Vec<u64>) {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).expect("a file")).expect("a zip file");
    let member = archive.by_name(&format!("{name}.npy")).unwrap_or_else(|error| panic!("{name}: {error}"));
    let array = npyz::NpyFile::new(member).expect("an array");
    let shape = array.shape().to_vec();
    (array.into_vec().expect("of this type"), shape)
}

#[test]
fn an_outcome_is_written_as_one_file_for_numpy() {
    let scratch = tempfile::tempdir().expect("a folder");
    let outcome = begun(scratch.path()).finish().expect("all conditions are there");
    let path = scratch.path().join("outcome.npz");
    outcome.write_npz(&path).expect("written");
    let (values, shape) = array::<f32>(&path, "responses");
    assert_eq!(shape, [outcome.schedule.frames as u64, 6]);
    let mut rows = Vec::new();
    let all = 0..outcome.schedule.frames;
    outcome.responses.each_row(all, 0, &mut |row| rows.extend_from_slice(row)).expect("readable");
    assert_eq!(values, rows);
    let shown = &outcome.schedule.presentations;
    let onsets: Vec<u64> = shown.iter().map(|shown| shown.onset_frame as u64).collect();
    assert_eq!(array::<u64>(&path, "onset_frame").0, onsets);
    let directions = array::<f64>(&path, "swept_direction_deg").0;
    for (shown, direction) in shown.iter().zip(&directions) {
        assert_eq!(outcome.schedule.conditions[shown.condition].swept("direction_deg"), Some(*direction));
    }
    let units: Vec<u32> = outcome.units.iter().map(|id| id.unit).collect();
    assert_eq!(array::<u32>(&path, "unit").0, units);
    // In memory, the same bytes.
    let in_memory =
        run(&protocol(), &mut twin(), None, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("it runs");
    let other = scratch.path().join("in_memory.npz");
    in_memory.write_npz(&other).expect("written");
    assert_eq!(array::<f32>(&other, "responses"), (rows, shape));
    let nowhere = scratch.path().join("no folder").join("outcome.npz");
    assert!(outcome.write_npz(&nowhere).is_err() && !nowhere.exists());
}

/// A recording of 10,000 units over 18,000 frames in the folder that `TWINSCOPE_RECORDING_TO_MAKE` names: one movie of 300
/// frames is shown twenty times, twenty others twice. `twinscope analyse --session` is to take less than 1 GB of it, though
/// as many repeats of every movie would be 6,300 x 20 frames.
#[test]
#[ignore = "writes 720 MB, for measuring memory"]
fn a_made_up_recording_with_unbalanced_repeats_for_measuring_memory() {
    let Some(folder) = std::env::var_os("TWINSCOPE_RECORDING_TO_MAKE") else { return };
    let (units, frames) = (10_000, 300);
    let session = Session {
        units: (0..units as u32).map(SessionUnit::numbered).collect(),
        trials: Vec::new(),
        ..noise_session()
    };
    let mut writer = SessionWriter::create(Path::new(&folder), &session).expect("a new folder");
    let shown = std::iter::repeat_n(0, 20).chain((1..21).flat_map(|movie| [movie, movie]));
    for (trial, movie) in shown.enumerate() {
        let name = format!("movie {movie}, direction {} deg", 45 * (movie % 8));
        let value = |index: usize| (chance(index % (frames * units) + movie) + 0.5 * chance(trial + index)) as f32;
        let responses = Responses::new(frames, 1, units, (0..frames * units).map(value).collect()).expect("all units");
        let mut pixels = Movie::new(RASTER, frames, 1, vec![movie as u8; frames * RASTER.pixels()]).expect("pixels");
        let behavior = Behavior::still(frames, 1);
        writer.trial(false, Some(&name), &mut pixels, &behavior, &responses).expect("written");
    }
    writer.finish().expect("complete");
}

/// A finished run of 10,000 units over 18,000 frames in the folder that `TWINSCOPE_OUTCOME` names, 720 MB and as much again
/// for its conditions: `twinscope analyse --outcome` is to take less than 1 GB of it.
#[test]
#[ignore = "writes 1.4 GB, for measuring memory"]
fn a_made_up_outcome_for_measuring_memory() {
    let Some(folder) = std::env::var_os("TWINSCOPE_OUTCOME") else { return };
    let folder = Path::new(&folder);
    let units = 10_000;
    let preferred = (0..units).map(|unit| 360.0 * chance(unit)).collect();
    let mut twin = TunedTwin::new(preferred, (0..units).map(|unit| 4.0 * chance(units + unit)).collect());
    let text = "schema = 1\ntitle = \"Ten thousand units\"\n[timing]\nlead_in_secs = 0.0\nstimulus_secs = 0.8\n\
                blank_secs = 0.2\nskip_secs = 0.1\n[stimulus]\nkind = \"drifting_grating\"\n[sweep]\ndirection_deg = \
                { start = 0, step = 45, count = 8 }\n[repeats]\ncount = 75\n";
    let protocol = Protocol::from_toml(text, "a test").expect("a protocol");
    let run = LongRun::new(&protocol, &twin, folder, None).expect("a possible run");
    run.compute(&mut twin, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("it runs");
    let outcome = run.finish().expect("all conditions are there");
    outcome.write_tables(folder).expect("written");
    println!("{} frames of {units} units", ResponseRows::frames(&outcome.responses));
}

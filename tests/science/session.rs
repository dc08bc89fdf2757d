//! Sessions on disk, and the mice that are recorded into them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use twinscope::data::simulated::{Mouse, Noise, SimulateOptions, TestMovies, simulate};
use twinscope::data::{Missing, ScanId, Session, SessionError, SessionUnit, SessionWriter, Trial};
use twinscope::job::Progress;
use twinscope::signals::{Behavior, FrameRate, Monitor, Movie, Raster, Responses, UnitId};
use twinscope::stimulus::{Condition, DriftingGrating, Presentation, Schedule, Stimulus, WhiteNoise};

const RASTER: Raster = Raster { height: 3, width: 5 };

/// A session of two units and three trials; the last two show the same pixels.
fn session() -> Session {
    let trial = |index: usize, frames: usize, training: bool, condition: Option<&str>| {
        let shown = if condition.is_some() { 7 } else { index };
        let pixels = (0..frames * RASTER.pixels()).map(|i| ((i * 31 + shown * 17) % 256) as u8).collect();
        let movie = Movie::new(RASTER, frames, 1, pixels).expect("as many pixels as the shape needs");
        let pair = |i: usize| [(i + index) as f32 * 0.1 - 0.3, 1.0 / (1.0 + i as f32)];
        let behavior = Behavior::new(frames, 1, (0..frames).map(pair).collect(), (0..frames).map(pair).collect());
        let mut values: Vec<f32> = (0..2 * frames).map(|i| (i + index) as f32 / 7.0).collect();
        values[1] = if index == 1 { f32::NAN } else { 0.25 };
        let responses = Responses::new(frames, 1, 2, values).expect("two units");
        let condition = condition.map(str::to_owned);
        Trial::new(training, condition, Arc::new(movie), behavior.expect("finite"), responses).expect("a whole trial")
    };
    let mut about = toml::Table::new();
    about.insert("lab".to_owned(), toml::Value::String("ours".to_owned()));
    Session {
        id: ScanId { animal: "M 17, \"left\"".to_owned(), session: 4, scan: 7 },
        frame_rate: FrameRate::WANG2025,
        raster: RASTER,
        units: vec![
            SessionUnit { area: Some("V1".to_owned()), layer: Some("L2/3".to_owned()), ..SessionUnit::numbered(11) },
            SessionUnit::numbered(3),
        ],
        trials: vec![
            trial(0, 4, true, None),
            trial(1, 3, false, Some("clip, \"six\"")),
            trial(2, 3, false, Some("clip, \"six\"")),
        ],
        about,
    }
}

fn pixels(trial: &Trial) -> Vec<u8> {
    let mut movie = trial.movie().expect("a movie");
    let mut pixels = vec![0; movie.frames() * movie.raster().pixels()];
    movie.read(0, movie.frames(), &mut pixels).expect("a whole movie");
    pixels
}

struct Saved {
    scratch: TempDir,
    folder: PathBuf,
}

/// A session folder in a scratch folder.
fn saved() -> Saved {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("deep").join("session");
    session().save(&folder).expect("a folder that can be written");
    Saved { scratch, folder }
}

impl Saved {
    fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.join(name);
        let text = std::fs::read_to_string(&path).expect("a text file");
        std::fs::write(path, change(text)).expect("a file");
    }
    fn bytes(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.folder.join(name);
        let mut bytes = std::fs::read(&path).expect("a file");
        change(&mut bytes);
        std::fs::write(path, bytes).expect("a file");
    }
    fn said<T: std::fmt::Debug>(&self, result: Result<T, SessionError>) -> String {
        let said = result.expect_err("this folder must be refused").to_string();
        said.replace(&format!("{}/", self.folder.display()), "")
    }
    fn refused(&self) -> String {
        self.said(Session::open(&self.folder))
    }
}

fn assert_same(a: &Session, b: &Session) {
    assert_eq!(
        (&a.id, a.frame_rate, a.raster, &a.units, &a.about),
        (&b.id, b.frame_rate, b.raster, &b.units, &b.about)
    );
    assert_eq!(a.trials.len(), b.trials.len());
    for (a, b) in a.trials.iter().zip(&b.trials) {
        assert_eq!((a.training, a.frames, &a.condition), (b.training, b.frames, &b.condition));
        assert_eq!(pixels(a), pixels(b));
        let (a, b) = (a.record().expect("a record"), b.record().expect("a record"));
        assert_eq!((&a.behavior, a.missing), (&b.behavior, b.missing));
        let bits = |responses: &Responses| responses.values().iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
        assert_eq!(bits(&a.responses), bits(&b.responses));
    }
}

#[test]
fn a_session_comes_back_as_it_was_written() {
    let saved = saved();
    let opened = Session::open(&saved.folder).expect("our own folder");
    assert_same(&session(), &opened);
    // Once more from the files: what is read can be written.
    let again = saved.scratch.path().join("again");
    opened.save(&again).expect("another folder");
    assert_same(&opened, &Session::open(&again).expect("our own folder"));
}

#[test]
fn positions_stand_in_two_more_columns_where_any_is_known() {
    let saved = saved();
    let table = |folder: &Path| std::fs::read_to_string(folder.join("units.csv")).expect("a table");
    let head = "animal,session,scan,unit,area,layer";
    let animal = "\"M 17, \"\"left\"\"\"";
    let expected = format!("{head}\n{animal},4,7,11,V1,L2/3\n{animal},4,7,3,,\n");
    assert_eq!(table(&saved.folder), expected, "as before there were positions");

    let mut session = session();
    session.units[1].position_px = Some([0.1, 250.0]);
    let placed = Saved { folder: saved.scratch.path().join("placed"), ..saved };
    session.save(&placed.folder).expect("a folder that can be written");
    let expected = format!("{head},x_px,y_px\n{animal},4,7,11,V1,L2/3,,\n{animal},4,7,3,,,0.1,250\n");
    assert_eq!(table(&placed.folder), expected);
    assert_same(&session, &Session::open(&placed.folder).expect("our own folder"));
    for (to, part) in [
        (",0.1,\n", "line 3: `y_px` is \"\", expected a number, or nothing in both `x_px` and `y_px`"),
        (",nan,250\n", "line 3: `x_px` is \"nan\", expected a number"),
        (",0.1,1e99\n", "line 3: `y_px` is \"1e99\", expected a number"),
    ] {
        placed.edit("units.csv", |_| expected.replace(",0.1,250\n", to));
        let said = placed.refused();
        assert!(said.contains(part), "{to}: {said}");
    }
}

#[test]
fn repeats_share_one_file_of_pixels_and_stand_in_one_group() {
    let saved = saved();
    let stimuli = std::fs::read_dir(saved.folder.join("stimuli")).expect("a folder").count();
    assert_eq!(stimuli, 2, "three trials of two movies");
    let opened = Session::open(&saved.folder).expect("our own folder");
    let groups: Vec<usize> = opened.test_groups().iter().map(Vec::len).collect();
    assert_eq!(groups, [2]);
    assert_eq!(opened.trials_for(true).count(), 1);
}

#[test]
fn missing_values_are_counted() {
    let saved = saved();
    // The last value of the first trial's gaze.
    saved.bytes("perspectives/0000.npy", |bytes| {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    let opened = Session::open(&saved.folder).expect("a missing value is no error");
    let missing = |index: usize| opened.trials[index].record().expect("a record").missing;
    assert_eq!(missing(0), Missing { behavior: 1, responses: 0 });
    assert_eq!(missing(1), Missing { behavior: 0, responses: 1 });
    assert_eq!(opened.trials[0].record().expect("a record").behavior.gaze(3)[0][1], 0.0, "the average animal");
}

#[test]
fn recordings_of_two_animals_never_match() {
    let one = session();
    let mut other = session();
    other.id.animal = "M 18".to_owned();
    assert!(one.is_same_scan(&session()) && !one.is_same_scan(&other));
    assert_eq!(one.columns_of(&[one.id.unit(3), one.id.unit(11)]).expect("its own units"), [1, 0]);
    let said = one.columns_of(&other.unit_ids()).expect_err("another animal").to_string();
    assert!(said.contains("animal M 18") && said.contains("M 17"), "{said}");
    let nameless = UnitId { animal: None, ..one.id.unit(3) };
    assert!(one.columns_of(&[nameless]).is_err(), "a unit of unknown animal belongs to no recording");
}

#[test]
fn a_folder_is_written_whole_or_not_at_all() {
    let saved = saved();
    let folder = saved.scratch.path().join("new");
    let mut writer = SessionWriter::create(&folder, &session()).expect("a new folder");
    let source = session();
    let trial = &source.trials[0];
    let record = trial.record().expect("a record");
    let mut movie = trial.movie().expect("a movie");
    writer.trial(true, None, movie.as_mut(), &record.behavior, &record.responses).expect("a trial");
    let said = writer.trial(true, None, movie.as_mut(), &Behavior::still(9, 1), &record.responses);
    assert!(saved.said(said).contains("9 frames"), "the behaviour is too long");
    assert!(!folder.exists(), "not there before it is finished");
    drop(writer);
    let left: Vec<_> = std::fs::read_dir(saved.scratch.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing is left of it: {left:?}");
    let said = session().save(&saved.folder).expect_err("a folder that is full").to_string();
    assert!(said.contains("already there"), "{said}");
}

#[test]
fn hostile_descriptions_end_in_one_sentence() {
    for (from, to, part) in [
        ("schema = 1", "schema = 2", "schema is 2, expected 1"),
        ("schema = 1", "", "`schema` is missing"),
        ("session = 4", "session = -4", "`session` is -4"),
        ("session = 4", "session = 4.5", "expected a whole number"),
        ("raster = [3, 5]", "raster = [3, 5000000000]", "`raster` is"),
        ("raster = [3, 5]", "raster = [3]", "`raster` is"),
        ("raster = [3, 5]", "raster = [30, 5]", "stimuli/0000.npy"),
        ("frame_rate_hz = 30.0", "frame_rate_hz = nan", "`frame_rate_hz` is nan"),
        ("frame_rate_hz = 30.0", "frame_rate_hz = \"30\"", "`frame_rate_hz`"),
        ("scan = 7", "scan = 8", "units.csv"),
        ("lab", "lab = = 1\nlab", "no TOML"),
    ] {
        let saved = saved();
        saved.edit("session.toml", |text| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        });
        let said = saved.refused();
        assert!(said.contains(part), "{to}: {said}");
        assert!(!said.contains('\n') && said.len() < 400, "one sentence: {said}");
    }
}

#[test]
fn hostile_tables_end_in_one_sentence() {
    for (name, from, to, part) in [
        ("units.csv", "unit,", "cell,", "line 1: its columns are"),
        ("units.csv", ",3,,", ",11,,", "line 3: unit 11 is listed twice"),
        ("units.csv", ",3,,", ",-3,,", "line 3: `unit` is \"-3\""),
        ("units.csv", ",4,7,3,", ",4,8,3,", "line 3: the unit is of"),
        ("units.csv", ",3,,", ",3", "no table"),
        ("trials.csv", "0,true,4", "0,yes,4", "line 2: `training` must be true or false"),
        ("trials.csv", "0,true,4", "0,true,5", "stimuli/0000.npy"),
        ("trials.csv", "0,true,4", "0,true,0", "0 frames"),
        ("trials.csv", "0,true,4", "0,true,18446744073709551615", "stimuli/0000.npy"),
        ("trials.csv", "0,true,4", "0,true,99999999999999999999", "line 2: `frames`"),
        ("trials.csv", "0,true,4", "9,true,4", "perspectives/0009.npy"),
        ("trials.csv", "0,true,4", "../0,true,4", "line 2: `trial` is \"../0\""),
        ("trials.csv", "0,true,4", "1,true,4", ""),
        ("trials.csv", ",,0", ",,1", "stimuli/0001.npy"),
    ] {
        let saved = saved();
        saved.edit(name, |text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        let said = saved.refused();
        assert!(said.contains(part), "{name}, {to}: {said}");
        assert!(!said.contains('\n') && said.len() < 400, "one sentence: {said}");
    }
}

#[test]
fn hostile_arrays_end_in_one_sentence() {
    for name in ["stimuli/0000.npy", "perspectives/0000.npy", "modulations/0001.npy", "units/0002.npy"] {
        let saved = saved();
        for length in [0, 5, 60, 127, 130] {
            let other = self::saved();
            other.bytes(name, |bytes| bytes.truncate(length));
            let said = other.refused();
            assert!(said.contains(name) && !said.contains('\n'), "{name} cut at {length}: {said}");
        }
        saved.bytes(name, |bytes| bytes.push(0));
        assert!(saved.refused().contains(name), "one byte too many");
        std::fs::remove_file(saved.folder.join(name)).expect("a file");
        assert!(saved.refused().contains(name), "a missing file");
        std::fs::create_dir(saved.folder.join(name)).expect("a folder");
        assert!(saved.refused().contains(name), "a folder in its place");
    }
    for (name, value) in
        [("perspectives/0000.npy", f32::INFINITY), ("modulations/0000.npy", 2e6), ("units/0000.npy", f32::NEG_INFINITY)]
    {
        let saved = saved();
        saved.bytes(name, |bytes| {
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
        });
        let opened = Session::open(&saved.folder).expect("numbers are read with their trial");
        let said = saved.said(opened.trials[0].record());
        assert!(said.contains(name) && said.contains("frame 3, column 1"), "{said}");
    }
    let saved = saved();
    let opened = Session::open(&saved.folder).expect("our own folder");
    saved.bytes("stimuli/0000.npy", |bytes| bytes.truncate(140));
    assert!(saved.said(opened.trials[0].movie().map(drop)).contains("stimuli/0000.npy"), "changed since it was opened");
    let nothing = saved.scratch.path().join("nothing");
    assert!(saved.said(Session::open(&nothing)).contains("session.toml"));
}

const SMALL: Raster = Raster { height: 36, width: 64 };

/// Noise, new in every presentation, between gratings in four directions, each twice.
fn schedule() -> Schedule {
    let condition = |index: usize| {
        let stimulus: Stimulus = match index {
            0 => WhiteNoise::default().into(),
            _ => DriftingGrating { direction_deg: 90.0 * index as f64, ..Default::default() }.into(),
        };
        Condition::from(stimulus)
    };
    let shown = [1, 0, 2, 0, 1, 0, 2, 3, 0, 1, 3];
    let presentations = shown.iter().enumerate().map(|(index, &condition)| Presentation {
        condition,
        repeat: 0,
        onset_frame: 5 + 40 * index,
        frames: 35,
        seed: 100 + index as u64,
    });
    Schedule { conditions: (0..4).map(condition).collect(), presentations: presentations.collect(), frames: 445 }
}

fn options() -> SimulateOptions {
    let title = "Noise and gratings".to_owned();
    SimulateOptions {
        mice: 2,
        units: 12,
        seed: u64::MAX - 3,
        held_out: Some(2),
        repeats: 3,
        title,
        ..Default::default()
    }
}

fn simulated(options: &SimulateOptions, folder: &Path) -> Vec<PathBuf> {
    let monitor = Monitor::WANG2025.with_raster(SMALL);
    simulate(options, &schedule(), &[], &monitor, folder, &Progress::new()).expect("mice that can be simulated")
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it lies below").display().to_string();
                files.push((name, std::fs::read(path).expect("a file")));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_mice() {
    let scratch = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scratch.path().join(name);
    simulated(&options(), &at("a"));
    simulated(&options(), &at("b"));
    simulated(&SimulateOptions { seed: 5, ..options() }, &at("c"));
    let [a, b, c] = ["a", "b", "c"].map(|name| contents(&at(name)));
    assert_eq!(a.len(), b.len());
    for ((name, one), (_, two)) in a.iter().zip(&b) {
        assert!(one == two, "`{name}` differs");
    }
    let truth = |files: &[(String, Vec<u8>)], mouse: usize| {
        let name = format!("mouse-{mouse}/truth.csv");
        let table = String::from_utf8(files.iter().find(|file| file.0 == name).expect("a table").1.clone());
        // Without animal, session, scan and unit, which differ anyway.
        let table = table.expect("text");
        table.lines().map(|line| line.splitn(5, ',').last().expect("a column").to_owned()).collect::<Vec<String>>()
    };
    assert_ne!(truth(&a, 1), truth(&c, 1), "another seed");
    assert_ne!(truth(&a, 1), truth(&a, 2), "another mouse");
}

#[test]
fn a_simulated_session_is_an_ordinary_one_with_its_truth_beside() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folders = simulated(&options(), scratch.path());
    assert_eq!(folders.len(), 2);
    let session = Session::open(&folders[0]).expect("an ordinary session");
    assert_eq!((session.raster, session.frame_rate, session.units.len()), (SMALL, FrameRate::WANG2025, 12));
    assert_eq!(session.about["simulated"].as_bool(), Some(true));
    assert_eq!(session.about["seed"].as_str(), Some((u64::MAX - 3).to_string().as_str()));
    assert_eq!(session.about["protocol"].as_str(), Some("Noise and gratings"));
    // Of seven movies the last two, a grating and a noise, are tested and never learned from.
    let names = |training: bool| {
        let trials = session.trials_for(training);
        trials.map(|trial| trial.condition.clone().expect("a name")).collect::<Vec<String>>()
    };
    let (learned, tested) = (names(true), names(false));
    assert_eq!((learned.len(), tested.len()), (8, 6), "{learned:?}, {tested:?}");
    assert!(tested.iter().all(|name| !learned.contains(name)), "{tested:?} must not be among {learned:?}");
    let groups = session.test_groups();
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    for group in &groups {
        assert_eq!(pixels(group[0]), pixels(group[1]), "repeats show the same pixels");
        let [a, b] = [0, 1].map(|index| group[index].record().expect("a record"));
        assert_ne!(a.responses, b.responses, "repeats have their own noise");
        assert_ne!(a.behavior, b.behavior, "and their own behaviour");
    }
    assert_ne!(pixels(&session.trials[1]), pixels(&session.trials[3]), "noise is new in every presentation");
    assert_eq!(pixels(&session.trials[0]), pixels(&session.trials[4]), "a grating is not");
    assert_eq!(std::fs::read_dir(folders[0].join("stimuli")).expect("a folder").count(), 7, "each movie once");
    let truth = std::fs::read_to_string(folders[0].join("truth.csv")).expect("a table");
    assert_eq!(truth.lines().count(), 13);
    let seed: u64 = session.about["mouse_seed"].as_str().expect("a seed").parse().expect("a number");
    let direction = format!(",{:.7},", Mouse::new(seed, 12).units()[4].direction_deg);
    assert!(truth.lines().nth(5).expect("unit 5").contains(&direction), "the truth is that of the mouse");
    assert!(std::fs::read_to_string(folders[0].join("wiring.csv")).expect("a table").starts_with("from_unit,to_unit,"));
    let other = Session::open(&folders[1]).expect("an ordinary session");
    assert!(!session.is_same_scan(&other) && session.columns_of(&other.unit_ids()).is_err());
}

#[test]
fn a_second_run_into_the_same_folder_is_refused_before_anything_is_drawn() {
    let scratch = tempfile::tempdir().expect("a folder");
    simulated(&options(), scratch.path());
    let before = contents(scratch.path());
    let (progress, monitor) = (Progress::new(), Monitor::WANG2025.with_raster(SMALL));
    let more = SimulateOptions { mice: 3, ..options() };
    let said =
        simulate(&more, &schedule(), &[], &monitor, scratch.path(), &progress).expect_err("they are there already");
    assert!(said.to_string().contains("mouse-1` is already there"), "{said}");
    assert_eq!(progress.fraction(), None, "nothing was begun");
    assert!(contents(scratch.path()) == before, "nothing was changed");
}

#[test]
fn recorded_responses_average_one_over_the_training_trials() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folders = simulated(&SimulateOptions { noise: Noise::None, ..options() }, scratch.path());
    let session = Session::open(&folders[0]).expect("an ordinary session");
    let (mut sums, mut frames) = (vec![0.0; 12], 0.0);
    for trial in session.trials_for(true) {
        let record = trial.record().expect("a record");
        for frame in 0..trial.frames {
            sums.iter_mut().zip(record.responses.row(frame, 0)).for_each(|(sum, &r)| *sum += f64::from(r));
            frames += 1.0;
        }
    }
    for (unit, sum) in sums.iter().enumerate() {
        assert!((sum / frames - 1.0).abs() < 1e-4, "unit {unit} has a mean of {}", sum / frames);
    }
}

#[test]
fn seed_and_truth_are_enough_to_compute_the_rates_again() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folders = simulated(&SimulateOptions { noise: Noise::None, ..options() }, scratch.path());
    let session = Session::open(&folders[1]).expect("an ordinary session");
    let seed: u64 = session.about["mouse_seed"].as_str().expect("a seed").parse().expect("a number");
    let truth = std::fs::read_to_string(folders[1].join("truth.csv")).expect("a table");
    let mut rows = truth.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let column = rows.next().expect("a head").iter().position(|&name| name == "mean_rate").expect("the mean");
    let mut mouse = Mouse::new(seed, 12);
    mouse.set_mean(rows.map(|row| row[column].parse().expect("a number")).collect());
    let monitor = Monitor::WANG2025.with_raster(session.raster);
    let mut watching = mouse.watch(&monitor);
    let mut first_frame = 0;
    for (index, trial) in session.trials.iter().enumerate() {
        let record = trial.record().expect("a record");
        let mut movie = trial.movie().expect("a movie");
        let rates = watching.rates(movie.as_mut(), &record.behavior, first_frame, &Progress::new()).expect("rates");
        for (a, b) in rates.values().iter().zip(record.responses.values()) {
            // The mean is written with seven decimals.
            assert!((a - b).abs() < 1e-4 * b.abs(), "trial {index}: {a} again, {b} in the session");
        }
        first_frame += trial.frames as u64;
    }
}

#[test]
fn impossible_options_and_a_wish_to_stop_leave_nothing() {
    let scratch = tempfile::tempdir().expect("a folder");
    let monitor = Monitor::WANG2025.with_raster(SMALL);
    let refused = |options: &SimulateOptions, progress: &Progress| {
        simulate(options, &schedule(), &[], &monitor, scratch.path(), progress)
            .expect_err("must be refused")
            .to_string()
    };
    for (options, part) in [
        (SimulateOptions { mice: 0, ..options() }, "number of mice is 0"),
        (SimulateOptions { units: usize::MAX, ..options() }, "number of units"),
        (SimulateOptions { held_out: Some(7), ..options() }, "movies held out is 7, expected 0 to 6"),
        (
            SimulateOptions { noise: Noise::Poisson { counts_per_frame: f64::NAN }, ..options() },
            "count in a frame is NaN",
        ),
        (SimulateOptions { drift: -1.0, ..options() }, "drift is -1"),
    ] {
        let said = refused(&options, &Progress::new());
        assert!(said.contains(part), "{said}");
    }
    let progress = Progress::new();
    progress.cancel();
    assert_eq!(refused(&options(), &progress), "cancelled");
    assert_eq!(std::fs::read_dir(scratch.path()).expect("a folder").count(), 0);
}

#[test]
fn test_movies_are_cut_between_presentations_and_never_learned_from() {
    let scratch = tempfile::tempdir().expect("a folder");
    let monitor = Monitor::WANG2025.with_raster(SMALL);
    let test = TestMovies { domain: "Mixture".to_owned(), schedule: schedule(), trial_frames: 100 };
    let options = SimulateOptions { mice: 1, units: 3, ..options() };
    let folders =
        simulate(&options, &schedule(), &[test], &monitor, scratch.path(), &Progress::new()).expect("a mouse");
    let session = Session::open(&folders[0]).expect("a session");
    let tested: Vec<&Trial> = session.trials_for(false).filter(|t| t.domain.as_deref() == Some("Mixture")).collect();
    assert!(session.trials_for(true).all(|trial| trial.domain.as_deref() != Some("Mixture")));
    // 445 frames, presentations begin at 5, 45, 85, ...: cut at 125, 245 and 365; three repeats.
    let frames: Vec<usize> = tested.iter().map(|trial| trial.frames).collect();
    assert_eq!(frames, [125, 120, 120, 80].repeat(3));
    let mut whole = twinscope::stimulus::ScheduleSource::new(schedule(), &monitor).expect("it can be drawn");
    let mut expected = vec![0; 445 * SMALL.pixels()];
    twinscope::signals::FrameSource::read(&mut whole, 0, 445, &mut expected).expect("it can be drawn");
    let shown: Vec<u8> = tested[..4].iter().flat_map(|trial| pixels(trial)).collect();
    assert!(shown == expected, "the trials together are the schedule");
}

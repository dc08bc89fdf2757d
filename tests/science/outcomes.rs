//! Runs into a folder: what is finished stays, nothing stale is used, shards make the whole, and memory stays small.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use twinscope::experiment::protocol::Order;
use twinscope::experiment::run::Sink;
use twinscope::experiment::{LongRun, LongRunError, Outcome, PredictError, Predictor, Protocol, Shard, run};
use twinscope::job::Progress;
use twinscope::model::weights::TwinCard;
use twinscope::signals::{Behavior, FrameSource, Monitor, Raster, SourceError, UnitId};
use twinscope::stimulus::schedule::Schedule;

use super::tuned::{LabelledFrames, TunedTwin};
use crate::cli::long_run::files;
use crate::model::allocations::peak_of;

/// Counts what it is asked, and may be another twin or on another device.
struct Asked {
    twin: TunedTwin,
    sha256: String,
    configuration: String,
    device: String,
    frames: usize,
    /// Fails when so many movies were predicted.
    most_movies: usize,
}

impl Asked {
    fn new() -> Self {
        let twin = TunedTwin::new(vec![0.0, 90.0, 191.25, 300.0], vec![2.0, 4.0, 1.0, 0.0]);
        let (sha256, device) = ("00ff".to_owned(), "CPU engine".to_owned());
        Self { twin, sha256, configuration: String::new(), device, frames: 0, most_movies: usize::MAX }
    }
}

impl Predictor for Asked {
    fn units(&self) -> &[UnitId] {
        self.twin.units()
    }
    fn card(&self) -> &TwinCard {
        self.twin.card()
    }
    fn sha256(&self) -> &str {
        &self.sha256
    }
    fn configuration(&self) -> String {
        self.configuration.clone()
    }
    fn device(&self) -> String {
        self.device.clone()
    }
    fn raster(&self) -> Raster {
        self.twin.raster()
    }
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError> {
        if self.most_movies == 0 {
            // In the middle of a condition, as a power cut has it.
            sink(0, &[0.0; 4])?;
            return Err(PredictError::Answer("the power is gone".to_owned()));
        }
        self.most_movies -= 1;
        self.frames += movie.frames();
        self.twin.predict(movie, behavior, chunk, progress, sink)
    }
}

/// Four directions and blanks, in another order in every repeat, in trials.
fn protocol() -> Protocol {
    let text = "schema = 1\ntitle = \"Four directions\"\n[stimulus]\nkind = \"drifting_grating\"\n\
                [sweep]\ndirection_deg = { start = 0, step = 90, count = 4 }\n\
                [timing]\nstimulus_secs = 0.5\nper_trial = 3\nbetween_trials_secs = 0.4\n\
                [repeats]\ncount = 3\nblanks = 1\nseed = 5";
    Protocol::from_toml(text, "four.toml").expect("a good protocol")
}

/// Frames of its five conditions: lead-in, three times stimulus and blank each, and the grey between the trials.
fn all_frames(protocol: &Protocol) -> usize {
    let monitor = protocol.monitor(Raster { height: 36, width: 64 });
    protocol.schedule(&monitor).frames + 4 * 15
}

fn begin(protocol: &Protocol, twin: &mut Asked, folder: &Path, shard: Option<&str>) -> Result<LongRun, LongRunError> {
    let shard = shard.map(|text| text.parse::<Shard>().expect("a shard"));
    let run = LongRun::new(protocol, twin, folder, shard)?;
    run.compute(twin, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ())?;
    Ok(run)
}

fn complete(protocol: &Protocol, twin: &mut Asked, folder: &Path) {
    let outcome = begin(protocol, twin, folder, None).and_then(LongRun::finish).expect("the run succeeds");
    outcome.write_tables(folder).expect("writable");
}

fn parts(folder: &Path) -> Vec<String> {
    files(folder).into_keys().filter(|name| name.starts_with("conditions")).collect()
}

#[track_caller]
fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in one {
        assert!(bytes == &other[name], "{name} differs");
    }
}

#[test]
fn a_run_into_a_folder_finds_what_a_run_in_memory_finds() {
    for apart in [true, false] {
        let scratch = tempfile::tempdir().expect("a folder");
        let (on_disk, in_memory) = (scratch.path().join("disk"), scratch.path().join("memory"));
        let mut protocol = protocol();
        protocol.timing.apart = apart;
        protocol.repeats.order = Order::Full;
        complete(&protocol, &mut Asked::new(), &on_disk);
        let mut twin = Asked::new();
        let progress = Progress::new();
        let outcome: Outcome = run(&protocol, &mut twin, None, &mut LabelledFrames::draw, &progress, &mut |_| ())
            .expect("the run succeeds");
        outcome.write(&in_memory).expect("writable");
        let (mut on_disk, mut in_memory) = (files(&on_disk), files(&in_memory));
        let values = |files: &mut BTreeMap<String, Vec<u8>>| {
            let bytes = files.remove("responses.npy").expect("there");
            let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
            (array.shape().to_vec(), array.into_vec::<f32>().expect("f32"))
        };
        assert!(values(&mut on_disk) == values(&mut in_memory));
        let before = on_disk.len();
        on_disk.retain(|name, _| name != "run.json" && !name.starts_with("conditions/"));
        assert_eq!(before - on_disk.len(), if apart { 6 } else { 2 });
        assert_same(&on_disk, &in_memory);
    }
}

#[test]
fn what_was_finished_is_not_computed_again() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (whole, cut) = (scratch.path().join("whole"), scratch.path().join("cut"));
    let protocol = protocol();
    let mut twin = Asked::new();
    complete(&protocol, &mut twin, &whole);
    assert_eq!(twin.frames, all_frames(&protocol));

    let mut cut_short = Asked { most_movies: 2, ..Asked::new() };
    let error = begin(&protocol, &mut cut_short, &cut, None).expect_err("the power is gone");
    assert!(matches!(error, LongRunError::Run(_)), "{error}");
    assert_eq!(parts(&cut).len(), 2, "each condition is there as soon as it is finished");
    let mut later = Asked::new();
    complete(&protocol, &mut later, &cut);
    assert_eq!(later.frames + cut_short.frames, twin.frames);
    assert_same(&files(&whole), &files(&cut));

    let mut again = Asked::new();
    complete(&protocol, &mut again, &cut);
    assert_eq!(again.frames, 0);

    // Half a file is no file, wherever it comes from.
    let part = cut.join(&parts(&cut)[1]);
    let bytes = std::fs::read(&part).expect("there");
    std::fs::write(&part, &bytes[..bytes.len() - 1]).expect("writable");
    complete(&protocol, &mut again, &cut);
    assert!(again.frames > 0 && again.frames < twin.frames / 2, "{} frames", again.frames);
    assert_same(&files(&whole), &files(&cut));
}

#[test]
fn nothing_of_another_protocol_twin_or_device_is_used() {
    let scratch = tempfile::tempdir().expect("a folder");
    let protocol = protocol();
    complete(&protocol, &mut Asked::new(), scratch.path());
    let all = all_frames(&protocol);
    let changed = |change: &dyn Fn(&mut Protocol)| {
        let mut protocol = protocol.clone();
        change(&mut protocol);
        protocol
    };
    let stale = |protocol: &Protocol, mut twin: Asked| {
        let before = files(scratch.path());
        let run = LongRun::new(protocol, &twin, scratch.path(), None).expect("possible");
        let stale = run.stale();
        run.compute(&mut twin, &mut LabelledFrames::draw, &Progress::new(), &mut |_| ()).expect("succeeds");
        let kept = parts(scratch.path());
        assert!(before.keys().filter(|name| name.starts_with("conditions")).all(|name| kept.contains(name)));
        (stale, twin.frames)
    };
    assert_eq!(stale(&protocol, Asked::new()), (0, 0));
    assert_eq!(stale(&protocol, Asked { sha256: "11ee".to_owned(), ..Asked::new() }), (5, all));
    assert_eq!(stale(&protocol, Asked { device: "GPU of a kind".to_owned(), ..Asked::new() }), (10, all));
    let seed = changed(&|protocol| protocol.repeats.seed = 6);
    let (found, frames) = stale(&seed, Asked::new());
    assert_eq!((found, frames > 0), (15, true));
    let contrast = "schema = 1\ntitle = \"Four directions\"\n[stimulus]\nkind = \"drifting_grating\"\ncontrast = 0.5";
    let contrast = Protocol::from_toml(contrast, "contrast.toml").expect("a good protocol").stimulus;
    let contrast = changed(&|protocol| protocol.stimulus = contrast.clone());
    assert_eq!(stale(&contrast, Asked::new()).1, all);
    // The same weights beside another periphery.
    assert_eq!(stale(&protocol, Asked { configuration: "extend".to_owned(), ..Asked::new() }).1, all);
    // What only names or analyses leaves the responses as they are.
    let title = changed(&|protocol| protocol.title = "Another title".to_owned());
    assert_eq!(stale(&title, Asked::new()).1, 0);
}

#[test]
fn a_clip_that_changed_on_disk_is_another_clip() {
    let scratch = tempfile::tempdir().expect("a folder");
    let clip = scratch.path().join("clip.npy");
    std::fs::write(&clip, "one").expect("writable");
    let text =
        format!("schema = 1\ntitle = \"Clip\"\n[stimulus]\nkind = \"clip\"\npath = {:?}", clip.display().to_string());
    let protocol = Protocol::from_toml(&text, "clip.toml").expect("a good protocol");
    let out = scratch.path().join("out");
    let mut twin = Asked::new();
    begin(&protocol, &mut twin, &out, None).expect("the run succeeds");
    let before = twin.frames;
    begin(&protocol, &mut twin, &out, None).expect("the run succeeds");
    assert_eq!(twin.frames, before);
    std::fs::write(&clip, "two").expect("writable");
    let run = begin(&protocol, &mut twin, &out, None).expect("the run succeeds");
    assert_eq!((twin.frames, run.stale()), (2 * before, 1));
    std::fs::remove_file(&clip).expect("there");
    let error = LongRun::new(&protocol, &twin, &out, None).expect_err("no clip").to_string();
    assert!(error.contains("clip.npy could not be read"), "{error}");
}

#[test]
fn shards_in_any_order_make_the_whole() {
    let scratch = tempfile::tempdir().expect("a folder");
    let at = |name: &str| scratch.path().join(name);
    let protocol = protocol();
    complete(&protocol, &mut Asked::new(), &at("whole"));
    let mut frames = 0;
    for shard in 1..=3 {
        let mut twin = Asked::new();
        begin(&protocol, &mut twin, &at(&shard.to_string()), Some(&format!("{shard}/3"))).expect("the run succeeds");
        frames += twin.frames;
    }
    assert_eq!(frames, all_frames(&protocol), "nothing is computed twice");
    assert_eq!([1, 2, 3].map(|shard: usize| parts(&at(&shard.to_string())).len()), [2, 2, 1]);
    let merged = |names: &[&str], out: &str| {
        let shards: Vec<PathBuf> = names.iter().map(|name| at(name)).collect();
        let outcome = LongRun::merged(&shards, &at(out)).and_then(LongRun::finish)?;
        outcome.write_tables(&at(out)).expect("writable");
        Ok::<_, LongRunError>(files(&at(out)))
    };
    let whole = files(&at("whole"));
    assert_same(&whole, &merged(&["3", "1", "2"], "joined").expect("complete"));

    // Jobs that share a folder need no joining: the protocol is run once more.
    for shard in ["1/2", "2/2"] {
        begin(&protocol, &mut Asked::new(), &at("shared"), Some(shard)).expect("the run succeeds");
    }
    let mut twin = Asked::new();
    complete(&protocol, &mut twin, &at("shared"));
    assert_eq!(twin.frames, 0);
    assert_same(&whole, &merged(&["shared"], "from_shared").expect("complete"));

    let error = merged(&["1", "3"], "lacking").expect_err("one is missing").to_string();
    assert!(error.starts_with("2 of 5 conditions are missing, the first of them condition 1 (shard 2/3); "), "{error}");
    assert!(!at("lacking").exists(), "nothing is written");
    std::fs::create_dir(at("empty")).expect("writable");
    let error = merged(&["1", "empty"], "lacking").expect_err("no shard").to_string();
    assert!(error.contains("empty holds no run"), "{error}");
    let other = Protocol { title: "Another".to_owned(), ..protocol.clone() };
    begin(&other, &mut Asked::new(), &at("other"), Some("2/3")).expect("the run succeeds");
    let mut twin = Asked { sha256: "11ee".to_owned(), ..Asked::new() };
    begin(&protocol, &mut twin, &at("twin"), Some("2/3")).expect("the run succeeds");
    let mut twin = Asked { device: "GPU of a kind".to_owned(), ..Asked::new() };
    begin(&protocol, &mut twin, &at("device"), Some("2/3")).expect("the run succeeds");
    for (folder, what) in [
        ("other", "its protocol differs"),
        ("twin", "its twin differs"),
        ("device", "another kind of device computed it"),
    ] {
        let error = merged(&["1", folder, "3"], "lacking").expect_err("foreign").to_string();
        assert!(error.contains(&format!("{folder} is of another run than")) && error.ends_with(what), "{error}");
    }
    // A protocol that was edited after the run.
    let text = std::fs::read_to_string(at("3").join("protocol.toml")).expect("there");
    std::fs::write(at("3").join("protocol.toml"), text.replace("seed = 5", "seed = 6")).expect("writable");
    let error = merged(&["1", "2", "3"], "lacking").expect_err("edited").to_string();
    assert!(error.contains("shard_3_of_3.json is no card of a run: it is of another protocol than"), "{error}");
    // A card that names files elsewhere.
    let card = at("2").join("shard_2_of_3.json");
    let text = std::fs::read_to_string(&card).expect("there");
    std::fs::write(&card, text.replace("condition_0001", "../condition_0001")).expect("writable");
    let error = merged(&["2"], "lacking").expect_err("damaged").to_string();
    assert!(error.contains("its conditions are not those of its protocol"), "{error}");
    assert!(!at("lacking").exists(), "nothing is written");
}

#[test]
fn one_movie_is_not_divided() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut protocol = protocol();
    protocol.timing.apart = false;
    let error = begin(&protocol, &mut Asked::new(), scratch.path(), Some("1/2")).expect_err("one movie").to_string();
    assert!(error.starts_with("1/2 was asked for, but this protocol is shown as one movie"), "{error}");
    assert!(files(scratch.path()).is_empty());
}

#[test]
fn a_shard_is_one_of_so_many() {
    for good in ["1/1", "3/8", "4096/4096"] {
        assert_eq!(good.parse::<Shard>().expect("a shard").to_string(), good);
    }
    for bad in ["", "1", "0/2", "3/2", "1/0", "1/4097", "-1/2", "1/2/3", "a/b"] {
        let error = bad.parse::<Shard>().expect_err("no shard");
        assert!(error.contains("such as 3/8"), "{error}");
    }
}

#[test]
fn progress_counts_conditions_and_frames() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (protocol, mut twin) = (protocol(), Asked { most_movies: 3, ..Asked::new() });
    let all = all_frames(&protocol) as u64;
    let mut told = Vec::new();
    let run = LongRun::new(&protocol, &twin, scratch.path(), None).expect("possible");
    run.compute(&mut twin, &mut LabelledFrames::draw, &Progress::new(), &mut |standing| told.push(standing))
        .expect_err("the power is gone");
    let first = told[0];
    assert_eq!((first.conditions, first.all_conditions, first.frames, first.all_frames), (0, 5, 0, all));
    assert!(told.windows(2).all(|pair| pair[0].frames <= pair[1].frames && pair[0].conditions <= pair[1].conditions));
    let before = told.last().expect("told").frames;
    told.clear();
    twin.most_movies = usize::MAX;
    let progress = Progress::new();
    run.compute(&mut twin, &mut LabelledFrames::draw, &progress, &mut |standing| told.push(standing))
        .expect("succeeds");
    assert_eq!(told[0].conditions, 3);
    let last = told.last().expect("told");
    assert_eq!((last.conditions, last.frames, progress.fraction()), (5, last.all_frames, Some(1.0)));
    // One frame of the condition in which the power went was told of as well.
    assert_eq!(before - 1 + last.frames, all);
    assert_eq!(run.finish().expect("complete").provenance.device, "CPU engine");
}

/// Answers fast, of many units.
struct Crowd {
    units: Vec<UnitId>,
    card: TwinCard,
}

impl Predictor for Crowd {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn card(&self) -> &TwinCard {
        &self.card
    }
    fn sha256(&self) -> &str {
        "00ff"
    }
    fn device(&self) -> String {
        "CPU engine".to_owned()
    }
    fn raster(&self) -> Raster {
        self.card.raster
    }
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        _: &Behavior,
        chunk: usize,
        _: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError> {
        for first in (0..movie.frames()).step_by(chunk) {
            let count = chunk.min(movie.frames() - first);
            sink(first, &vec![first as f32; count * self.units.len()])?;
        }
        Ok(())
    }
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    let raster = Raster { height: 36, width: 64 };
    let units = (0..500).map(|unit| UnitId { animal: None, session: 4, scan: 7, unit }).collect();
    let card = TwinCard { name: "Crowd".to_owned(), simulated: true, raster, note: String::new() };
    let mut crowd = Crowd { units, card };
    let mut peak = |stimulus_secs: f64| {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut protocol = protocol();
        protocol.timing.stimulus_secs = stimulus_secs;
        let mut draw = |schedule: &Schedule, _: &Monitor| -> Result<Box<dyn FrameSource>, SourceError> {
            Ok(Box::new(Nothing { frames: schedule.frames, raster }))
        };
        peak_of(|| {
            let run = LongRun::new(&protocol, &crowd, scratch.path(), None).expect("possible");
            run.compute(&mut crowd, &mut draw, &Progress::new(), &mut |_| ()).expect("succeeds");
            let outcome = run.finish().expect("complete");
            outcome.write_tables(scratch.path()).expect("writable");
            outcome.schedule.frames * 500 * 4
        })
    };
    let ((short, short_bytes), (long, long_bytes)) = (peak(2.0), peak(20.0));
    assert!(short_bytes > 2_000_000 && long_bytes > 16_000_000, "{short_bytes} and {long_bytes} bytes of responses");
    // What grows is the animal's behaviour, 16 bytes a frame of a condition.
    assert!(long < short + 64_000, "{short} bytes were held at the most, and {long} in a run of ten times the length");
    assert!(long < long_bytes / 4, "{long} of {long_bytes} bytes were held");
}

/// A movie that nobody looks at.
struct Nothing {
    frames: usize,
    raster: Raster,
}

impl FrameSource for Nothing {
    fn raster(&self) -> Raster {
        self.raster
    }
    fn frames(&self) -> usize {
        self.frames
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, _: usize, _: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        pixels.fill(0);
        Ok(())
    }
}

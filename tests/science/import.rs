//! Recordings in the formats of the field: what they hold, what they lack, and how their clocks are brought together.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use twinscope::data::align::{
    Clock, Grid, hamming_radius, hamming_taps, nearest_preceding, resample, spikes_in_frames,
};
use twinscope::data::import::{Format, ImportOptions, detect, open, open_with};
use twinscope::data::{Missing, ScanId, Session, Trial, save_npz};
use twinscope::signals::{FrameRate, Raster, UnitId};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[track_caller]
fn opened(name: &str) -> Session {
    open(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn id(animal: &str, session: u32, scan: u32) -> ScanId {
    ScanId { animal: animal.to_owned(), session, scan }
}

/// Responses of a trial, `[time][unit]`.
fn rows(trial: &Trial) -> Vec<Vec<f32>> {
    let record = trial.record().expect("a sound trial");
    (0..trial.frames).map(|frame| record.responses.row(frame, 0).to_vec()).collect()
}

/// Gaze and state of a trial, `[time]`: pupil x, y, radius and velocity.
fn behavior(trial: &Trial) -> Vec<[f32; 4]> {
    let record = trial.record().expect("a sound trial");
    let row = |frame| {
        let ([x, y], [radius, velocity]) = (record.behavior.gaze(frame)[0], record.behavior.state(frame)[0]);
        [x, y, radius, velocity]
    };
    (0..trial.frames).map(row).collect()
}

fn pixels(trial: &Trial) -> Vec<u8> {
    let mut movie = trial.movie().expect("a movie");
    let mut pixels = vec![0; movie.frames() * movie.raster().pixels()];
    movie.read(0, movie.frames(), &mut pixels).expect("a whole movie");
    pixels
}

/// Two values agree to a part in 100,000: both sides are f32.
#[track_caller]
fn near(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found}, expected {expected}");
}

#[track_caller]
fn all_near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(&found, &expected)| near(found, expected));
}

// Clocks.

#[test]
fn a_low_pass_is_needed_only_where_the_grid_is_coarser() {
    let target = 1.0 / 30.0;
    assert_eq!(hamming_radius(0.01, target), 3, "a treadmill at 100 Hz");
    assert_eq!(hamming_taps(3).len(), 7);
    assert_eq!(hamming_radius(1.0 / 6.3, target), 0, "imaging at 6.3 Hz");
    assert_eq!(hamming_taps(0), [1.0]);
    assert_eq!(hamming_radius(target, target), 0);
    let taps = hamming_taps(3);
    assert!((taps.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{taps:?}");
    // Hamming's window of 7 points: 0.08, 0.31, 0.77, 1 and back.
    for (tap, expected) in taps.iter().zip([0.08, 0.31, 0.77, 1.0, 0.77, 0.31, 0.08]) {
        assert!((tap / taps[3] - expected).abs() < 1e-12, "{taps:?}");
    }
}

#[test]
fn pictures_come_from_the_nearest_preceding_flip() {
    let flips = Clock::times(vec![0.0, 0.5, 1.0, 1.5, 2.0]).expect("a clock");
    let grid = Grid::including(0.0, 2.0, FrameRate(30.0));
    let shown = nearest_preceding(&flips, &grid);
    assert_eq!(shown.len(), 61);
    let runs: Vec<usize> = shown.chunk_by(|a, b| a == b).map(<[Option<usize>]>::len).collect();
    assert_eq!(runs, [15, 15, 15, 15, 1]);
    assert_eq!((shown[0], shown[14], shown[15], shown[60]), (Some(0), Some(0), Some(1), Some(4)));
    let early = Grid { start_secs: -0.1, ..grid };
    assert_eq!(nearest_preceding(&flips, &early)[..4], [None, None, None, Some(0)], "nothing was on before the first");
}

#[test]
fn a_line_is_kept_by_interpolation_whatever_the_delay() {
    let clock = Clock::Steady { start_secs: 0.0, rate_hz: 6.3, count: 64 };
    let values: Vec<f32> = (0..64).map(|sample| 2.0 * clock.secs_at(sample) as f32 + 1.0).collect();
    let grid = Grid { start_secs: 1.0, rate: FrameRate(30.0), frames: 90 };
    for delay in [0.0, 0.05, 0.158] {
        let found = resample(&clock, &values, delay, &grid);
        let expected: Vec<f64> = (0..90).map(|frame| 2.0 * (grid.secs_at(frame) - delay) + 1.0).collect();
        all_near(&found, &expected);
    }
}

#[test]
fn a_fast_signal_is_smoothed_before_it_is_sampled() {
    let clock = Clock::Steady { start_secs: 0.0, rate_hz: 100.0, count: 400 };
    let grid = Grid { start_secs: 0.5, rate: FrameRate(30.0), frames: 60 };
    // A wheel that flips from one side to the other with each sample is seen as still; a steady one is not changed.
    let flips: Vec<f32> = (0..400).map(|sample| if sample % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let found = resample(&clock, &flips, 0.0, &grid);
    assert!(found.iter().all(|value| value.abs() < 0.05), "{found:?}");
    let steady = resample(&clock, &[3.0; 400], 0.0, &grid);
    assert!(steady.iter().all(|value| (value - 3.0).abs() < 1e-6), "{steady:?}");
    // An impulse comes out as the window's taps at the frames that lie on samples: every third of ten.
    let mut impulse = vec![0.0; 400];
    impulse[100] = 1.0;
    let at = Grid { start_secs: 1.0, rate: FrameRate(30.0), frames: 1 };
    near(resample(&clock, &impulse, 0.0, &at)[0], hamming_taps(3)[3]);
}

#[test]
fn what_was_not_measured_stays_missing() {
    let clock = Clock::Steady { start_secs: 1.0, rate_hz: 10.0, count: 11 };
    let mut values = [1.0f32; 11];
    values[5] = f32::NAN;
    let grid = Grid { start_secs: 0.9, rate: FrameRate(20.0), frames: 26 };
    let missing: Vec<usize> = resample(&clock, &values, 0.0, &grid)
        .iter()
        .enumerate()
        .filter(|(_, v)| v.is_nan())
        .map(|(at, _)| at)
        .collect();
    // Before 1 s, between 1.4 and 1.6 s, and after 2 s.
    assert_eq!(missing, [0, 1, 11, 12, 13, 23, 24, 25]);
    assert!(resample(&clock, &[], 0.0, &grid).iter().all(|value| value.is_nan()));
    let needed = clock.needed(&grid, 0.5);
    assert_eq!(needed, 0..11);
}

#[test]
fn a_part_of_a_recording_gives_the_same_frames_as_all_of_it() {
    let times: Vec<f64> = (0..500).map(|sample| sample as f64 * 0.01 + 0.002 * f64::from(sample % 3)).collect();
    let clock = Clock::times(times).expect("a clock");
    let values: Vec<f32> = (0..500).map(|sample| ((sample * 37) % 101) as f32).collect();
    for (start, delay) in [(0.0, 0.0), (1.234, 0.08), (4.5, 0.0), (2.0, -0.05)] {
        let grid = Grid { start_secs: start, rate: FrameRate(30.0), frames: 20 };
        let range = clock.needed(&grid, delay);
        let part = resample(&clock.part(range.clone()), &values[range.clone()], delay, &grid);
        let whole = resample(&clock, &values, delay, &grid);
        assert!(range.len() < 120, "{range:?}");
        for (part, whole) in part.iter().zip(&whole) {
            assert!(part == whole || part.is_nan() && whole.is_nan(), "{start} {delay}: {part} and {whole}");
        }
    }
}

#[test]
fn every_spike_is_counted_in_one_frame() {
    let grid = Grid::filling(1.0, 2.0, FrameRate(30.0));
    assert_eq!(grid.frames, 30);
    let spikes = [0.99, 1.0, 1.01, 1.0 + 1.0 / 30.0, 1.5, 1.5, 1.999, 2.0];
    let counts = spikes_in_frames(&spikes, &grid);
    assert_eq!((counts[0], counts[1], counts[15], counts[29]), (2.0, 1.0, 2.0, 1.0));
    assert_eq!(counts.iter().sum::<f32>(), 6.0, "those before and after do not count");
}

#[test]
fn clocks_that_go_back_are_refused() {
    assert!(Clock::times(vec![0.0, 2.0, 1.0]).expect_err("backwards").contains("time 2 is 1 s, before time 1, 2 s"));
    assert!(Clock::times(vec![0.0, f64::NAN]).expect_err("no number").contains("time 1 is NaN"));
}

// NWB.

#[test]
fn two_photon_nwb_is_read_with_delays_areas_behaviour_and_pictures() {
    let session = opened("nwb/two_photon.nwb");
    assert_eq!(session.id, id("17797", 4, 7));
    assert_eq!((session.frame_rate, session.raster), (FrameRate(30.0), Raster { height: 9, width: 16 }));
    let units: Vec<(u32, Option<&str>)> = session.units.iter().map(|unit| (unit.unit, unit.area.as_deref())).collect();
    let expected = [(11, "V1"), (12, "V1"), (15, "LM"), (21, "AL"), (40, "RL")];
    assert_eq!(units, expected.map(|(unit, area)| (unit, Some(area))));
    assert_eq!(session.trials.len(), 6);
    assert!(session.trials.iter().all(|trial| trial.frames == 60 && trial.has_movie()));
    let shown: Vec<_> = session.trials.iter().map(|trial| (trial.condition.as_deref(), trial.training)).collect();
    assert_eq!(shown[0], (Some("clip_1"), true));
    assert_eq!((shown[4], shown[5]), ((Some("clip_5"), false), (Some("clip_5"), false)), "repeats are for testing");
    assert_eq!(session.test_groups().len(), 1);
    assert!(
        session.about["signal"].as_str().is_some_and(|signal| signal.contains("Deconvolved")),
        "{:?}",
        session.about
    );

    // Each trace is a line in time when its delay is known; here divided by its mean over the training trials.
    let at = |frame: usize, trial: f64| 3.0 + 2.5 * trial + frame as f64 / 30.0;
    let first = rows(&session.trials[0]);
    let value = |unit: f64, secs: f64| 10.0 * (1.0 + unit) + secs;
    for unit in [0, 2, 4] {
        let mean = (0..4).flat_map(|trial| (0..60).map(move |frame| (trial, frame)));
        let mean = mean.map(|(trial, frame)| value(unit as f64, at(frame, f64::from(trial)))).sum::<f64>() / 240.0;
        for frame in [0, 17, 59] {
            near(first[frame][unit], value(unit as f64, at(frame, 0.0)) / mean);
        }
    }
    // One sample of one cell is NaN: the frames on either side of it are missing, and counted.
    let gap = (1.0 + 59.0 / 6.3 + 0.02, 1.0 + 61.0 / 6.3 + 0.02);
    let missing = |trial: f64| (0..60).filter(|&frame| at(frame, trial) > gap.0 && at(frame, trial) < gap.1).count();
    let lost: usize = (0..6).map(|trial| missing(f64::from(trial))).sum();
    assert!(lost > 0);
    let counted = session.counted().expect("sound trials");
    assert_eq!((counted.frames, counted.responses, counted.missing.responses), (360, 1800, lost));

    // The pupil was lost for three samples at 20 Hz, from 10 s on: frames between 9.95 and 10.15 s.
    let lost = (0..6).flat_map(|trial| (0..60).map(move |frame| (trial, frame)));
    let lost =
        lost.filter(|&(trial, frame)| (9.95 + 1e-6..10.15 - 1e-6).contains(&at(frame, f64::from(trial)))).count();
    assert_eq!((counted.behavior, counted.missing.behavior), (1440, lost));
    // Behaviour is z-scored over the four training trials: the wheel is a line in time.
    let wheel: Vec<f64> =
        (0..4).flat_map(|trial| (0..60).map(move |frame| (trial, frame))).map(|(t, f)| at(f, f64::from(t))).collect();
    let mean = wheel.iter().sum::<f64>() / 240.0;
    let deviation = (wheel.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 240.0).sqrt();
    for (frame, row) in behavior(&session.trials[1]).iter().enumerate() {
        // Low-passed at 100 Hz, a line stays one to the precision of f32 at 30 cm/s.
        assert!((f64::from(row[3]) - (at(frame, 1.0) - mean) / deviation).abs() < 1e-4, "{frame}: {row:?}");
        assert!((f64::from(row[1]) - (at(frame, 1.0) - mean) / deviation).abs() < 1e-4, "{frame}: {row:?}");
    }

    // Frame n of the movie, of grey level n, was on from 2 + n / 30 s: the third trial starts at 8 s.
    let movie = pixels(&session.trials[2]);
    let levels: Vec<u8> = movie.chunks_exact(9 * 16).map(|frame| frame[0]).collect();
    assert_eq!(levels, (180..240).collect::<Vec<u8>>());
    assert!(movie.chunks_exact(9 * 16).all(|frame| frame.iter().all(|level| *level == frame[0])));
}

#[test]
fn another_signal_of_an_nwb_file_can_be_chosen() {
    let options = ImportOptions { signal: Some("dfoverf".to_owned()), ..ImportOptions::default() };
    let session = open_with(&fixture("nwb/two_photon.nwb"), &options).expect("dF/F");
    // It has negative values, so it is left as it is: 10 (1 + unit) + t - 30.
    all_near(&rows(&session.trials[0])[30], &[-16.0, -6.0, 4.0, 14.0, 24.0]);
    let options = ImportOptions { signal: Some("voltage".to_owned()), ..ImportOptions::default() };
    let error = open_with(&fixture("nwb/two_photon.nwb"), &options).expect_err("no such signal").to_string();
    assert!(error.contains("lacks responses whose path contains `voltage`"), "{error}");
}

#[test]
fn spikes_of_an_nwb_file_are_counted_in_frames() {
    let session = opened("nwb/spikes.nwb");
    assert_eq!(session.id.animal, "M-31");
    assert!(session.id.session >= 1 << 31, "a session that is no number is a number of its own: {:?}", session.id);
    let units: Vec<(u32, Option<&str>)> = session.units.iter().map(|unit| (unit.unit, unit.area.as_deref())).collect();
    assert_eq!(units, [(7, Some("V1")), (8, Some("V1")), (9, Some("LGN"))]);
    assert!(!session.trials[0].has_movie());
    assert!(session.trials[0].movie().err().is_some_and(|error| error.to_string().contains("no movie")));
    let conditions: Vec<&str> = session.trials.iter().filter_map(|trial| trial.condition.as_deref()).collect();
    assert_eq!(conditions[..2], ["contrast=0.5, direction=0", "contrast=0.5, direction=90"]);
    assert_eq!(session.test_groups().len(), 4);
    // 10, 4 and 1 spikes a second: their share of the mean count in 1 s of 30 frames, one spike in the right frame.
    let trial = rows(&session.trials[1]);
    assert_eq!(trial.len(), 30);
    for unit in 0..3 {
        near(trial.iter().map(|row| row[unit]).sum::<f32>(), 30.0);
    }
    let frames: Vec<usize> = (0..30).filter(|&frame| trial[frame][2] > 0.0).collect();
    assert_eq!(frames, [15], "the spike of the slowest unit comes half a second after the onset");
}

#[test]
fn damaged_nwb_files_end_in_a_sentence() {
    let whole = std::fs::read(fixture("nwb/spikes.nwb")).expect("a file");
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("damaged.nwb");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut refused = 0;
    for round in 0..200 {
        let mut bytes = whole.clone();
        if round % 4 == 0 {
            bytes.truncate(random() as usize % whole.len());
        } else {
            for _ in 0..1 + round % 16 {
                let at = random() as usize % whole.len();
                bytes[at] = [0, 0xff, random() as u8][round % 3];
            }
        }
        std::fs::write(&path, bytes).expect("a file");
        let read = open(&path).map_err(|error| error.to_string());
        let read = read.and_then(|session| session.counted().map_err(|error| error.to_string()));
        if let Err(sentence) = read {
            refused += 1;
            assert!(sentence.contains("damaged.nwb") && !sentence.contains('\n'), "{sentence}");
        }
    }
    assert!(refused > 20, "{refused}");
}

/// The two-photon file with other sizes wherever these sizes stand in it.
fn resized(path: &Path, old: &[u64], new: &[u64]) {
    let mut bytes = std::fs::read(fixture("nwb/two_photon.nwb")).expect("a file");
    let [old, new] = [old, new].map(|sizes| sizes.iter().flat_map(|size| size.to_le_bytes()).collect::<Vec<u8>>());
    let places: Vec<usize> =
        bytes.windows(old.len()).enumerate().filter(|(_, part)| *part == old).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(&new);
    }
    std::fs::write(path, bytes).expect("a file");
}

#[test]
fn pictures_that_are_stored_higher_than_wide_are_turned_and_that_is_said() {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("high.nwb");
    resized(&path, &[540, 9, 16], &[540, 16, 9]);
    let session = open(&path).expect("a sound file");
    assert_eq!(session.raster, Raster { height: 9, width: 16 });
    let said =
        "the pictures of `stimulus/presentation/visual_stimulus` are stored higher (16) than wide (9) and were turned";
    let notes = |session: &Session| session.about.get("notes").map(ToString::to_string).unwrap_or_default();
    assert!(notes(&session).contains(said), "{}", notes(&session));
    assert!(!notes(&opened("nwb/two_photon.nwb")).contains("turned"));
}

/// HDF5 keeps no bytes for what was never written: sizes may claim more cells than memory has.
#[test]
fn an_nwb_file_of_countless_cells_is_refused() {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("countless.nwb");
    // The traces have 126 samples of 5 cells.
    resized(&path, &[126, 5], &[126, 1 << 40]);
    let error = open(&path).expect_err("too many cells").to_string();
    assert!(error.contains("the shape [126, 1099511627776], expected [time] or [time, cell] of 1 to"), "{error}");
}

#[test]
fn an_hdf5_file_that_is_no_nwb_file_is_told_apart() {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("cut.nwb");
    std::fs::write(&path, b"\x89HDF\r\n\x1a\n").expect("a file");
    let error = open(&path).expect_err("nothing in it").to_string();
    assert!(error.contains("cut.nwb") && error.contains("HDF5 file cannot be read"), "{error}");
}

// Suite2p.

#[test]
fn suite2p_cells_are_responses_without_stimuli() {
    let session = opened("recordings/suite2p");
    assert_eq!(detect(&fixture("recordings/suite2p")).expect("a format"), Format::Suite2p);
    assert_eq!(session.id, id(ScanId::UNKNOWN, 0, 0));
    assert_eq!(session.frame_rate, FrameRate(10.0), "`fs` of ops.npy, not that of a dictionary in it");
    assert_eq!(session.units.iter().map(|unit| unit.unit).collect::<Vec<_>>(), [0, 2, 3], "iscell.npy leaves one out");
    assert_eq!((session.trials.len(), session.trials[0].frames, session.trials[0].has_movie()), (1, 100, false));
    let found = rows(&session.trials[0]);
    // Region r is r + 1 in every (r + 2)th frame: means of 1/2, 3 · 25/100, and 4 · 20/99 as one frame is missing.
    all_near(&found[0], &[2.0, 4.0, 99.0 / 20.0]);
    all_near(&found[1], &[0.0, 0.0, 0.0]);
    assert!(found[7][2].is_nan());
    let counted = session.counted().expect("a sound trial");
    assert_eq!(counted.missing, Missing { behavior: 400, responses: 1 }, "all of the behaviour is missing");

    let options = ImportOptions { signal: Some("F - Fneu".to_owned()), ..ImportOptions::default() };
    let session = open_with(&fixture("recordings/suite2p/plane0"), &options).expect("fluorescence");
    // 100 (r + 1) + frame - 7, divided by the mean over frames 0 to 99.
    near(rows(&session.trials[0])[10][1], 303.0 / (293.0 + 49.5));
}

/// Where the cells of the fixture lie, regions 0, 2 and 3: the centre of 3 x 3 pixels from row 10 r, column 20 + 5 r on.
const CENTRES: [Option<[f32; 2]>; 3] = [Some([21.0, 1.0]), Some([31.0, 21.0]), Some([36.0, 31.0])];

/// Of cells that lie nobody knows where.
const UNKNOWN: [Option<[f32; 2]>; 3] = [None; 3];

fn positions(session: &Session) -> Vec<Option<[f32; 2]>> {
    session.units.iter().map(|unit| unit.position_px).collect()
}

/// What is said of positions that are not known.
#[track_caller]
fn unplaced(folder: &Path) -> String {
    let session = open(folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(positions(&session), UNKNOWN);
    let said = session.about["positions"].as_str().expect("a sentence").to_owned();
    assert!(said.starts_with("not known, as `stat.npy` cannot be read: ") && !said.contains('\n'), "{said}");
    said
}

#[test]
fn suite2p_cells_lie_where_stat_npy_says() {
    let session = opened("recordings/suite2p");
    assert_eq!(positions(&session), CENTRES, "x before y, and without the region that is no cell");
    let said = session.about["positions"].as_str();
    assert_eq!(said, Some("centres of the regions in pixels of the imaging plane, from `stat.npy`"));

    let copy = Copy::of("recordings/suite2p/plane0");
    for protocol in 2..=5 {
        let stat = std::fs::read(fixture(&format!("recordings/stat_{protocol}.npy"))).expect("a file");
        std::fs::write(copy.path("stat.npy"), &stat).expect("a file");
        assert_eq!(positions(&open(&copy.folder).expect("its pickle")), CENTRES, "protocol {protocol}");
        // Before NumPy 2 its modules had other names, which stand on lines in protocols 2 and 3.
        if protocol < 4 {
            let (new, old) = (&b"cnumpy._core."[..], &b"cnumpy.core."[..]);
            let mut named = Vec::new();
            let mut rest = &stat[..];
            while let Some(at) = rest.windows(new.len()).position(|part| part == new) {
                named.extend_from_slice(&rest[..at]);
                named.extend_from_slice(old);
                rest = &rest[at + new.len()..];
            }
            named.extend_from_slice(rest);
            assert!(named.len() < stat.len());
            std::fs::write(copy.path("stat.npy"), named).expect("a file");
            assert_eq!(positions(&open(&copy.folder).expect("its pickle")), CENTRES, "protocol {protocol}, NumPy 1");
        }
    }
    std::fs::remove_file(copy.path("stat.npy")).expect("a file");
    let session = open(&copy.folder).expect("a recording without positions");
    assert_eq!(positions(&session), UNKNOWN);
    assert!(!session.about.contains_key("positions"));
}

/// A `stat.npy` in protocol 2 whose regions have these pickled values under these keys.
fn stat(regions: &[&[(&str, &[u8])]]) -> Vec<u8> {
    let count = u8::try_from(regions.len()).expect("a few regions");
    let mut pickle =
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K".to_vec();
    pickle.push(count);
    pickle.extend_from_slice(b"\x85cnumpy\ndtype\nX\x02\0\0\0O8\x89\x88\x87R(K\x03X\x01\0\0\0|NNN");
    pickle.extend_from_slice(b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb\x89](");
    for region in regions {
        pickle.push(b'}');
        for (key, value) in *region {
            pickle.push(b'X');
            pickle.extend_from_slice(&(key.len() as u32).to_le_bytes());
            pickle.extend_from_slice(key.as_bytes());
            pickle.extend_from_slice(value);
            pickle.push(b's');
        }
    }
    pickle.extend_from_slice(b"etb.");
    npy("|O", &count.to_string(), &pickle)
}

/// Two whole numbers, y and x.
const CENTRE: &[u8] = b"](K\x05K\x07e";

#[test]
fn nothing_that_a_pickle_calls_is_executed() {
    let copy = Copy::of("recordings/suite2p/plane0");
    let trap = copy.path("executed");
    let command = format!("touch {}", trap.display());
    let call = |module: &str, name: &str| {
        let length = (command.len() as u32).to_le_bytes();
        [format!("c{module}\n{name}\nX").as_bytes(), &length, command.as_bytes(), b"\x85R"].concat()
    };
    let (plain, calling) = ([("med", CENTRE)], call("os", "system"));
    let (wanted, other) = ([("med", &calling[..])], [("med", CENTRE), ("ypix", &calling[..])]);
    std::fs::write(copy.path("stat.npy"), stat(&[&plain, &wanted, &plain, &plain])).expect("a file");
    let said = unplaced(&copy.folder);
    assert!(said.contains("of region 1, two numbers should stand where `os.system` is asked for"), "{said}");
    assert!(said.ends_with("which is not executed here"), "{said}");
    // A call that nobody needs the result of is passed over.
    std::fs::write(copy.path("stat.npy"), stat(&[&plain, &other, &plain, &plain])).expect("a file");
    assert_eq!(positions(&open(&copy.folder).expect("four regions")), [Some([7.0f32, 5.0]); 3]);
    // What is only named, made by a method of what is made, or filled afterwards is as unknown.
    for value in [
        b"cos\nsystem\n".to_vec(),
        [&call("builtins", "getattr")[..], b"K\x01\x85R"].concat(),
        [&call("collections", "OrderedDict")[..], b"K\x01K\x02s}b"].concat(),
        b"cos\nsystem\n)\x81".to_vec(),
    ] {
        let wanted = [("med", &value[..])];
        std::fs::write(copy.path("stat.npy"), stat(&[&plain, &plain, &plain, &wanted])).expect("a file");
        let said = unplaced(&copy.folder);
        assert!(said.contains("of region 3") && said.contains("is not executed here"), "{said}");
    }
    // The frame rate is nobody's guess either.
    std::fs::write(copy.path("ops.npy"), stat(&[&wanted])).expect("a file");
    let refused = copy.refused();
    assert!(
        refused.contains("lacks a frame rate that can be read in `ops.npy` (it is an array of 1 axes"),
        "{refused}"
    );
    assert!(!trap.exists());
}

#[test]
fn a_stat_npy_of_other_regions_is_refused() {
    let copy = Copy::of("recordings/suite2p/plane0");
    let region = [("med", CENTRE)];
    for regions in [&[&region[..]; 3][..], &[&region[..]; 5][..]] {
        std::fs::write(copy.path("stat.npy"), stat(regions)).expect("a file");
        let expected = format!("stat.npy`: it tells of {} regions, but the responses have 4", regions.len());
        let refused = copy.refused();
        assert!(refused.contains(&expected), "{refused}");
    }
}

#[test]
fn a_damaged_stat_npy_gives_no_positions_and_says_why() {
    let copy = Copy::of("recordings/suite2p/plane0");
    for (name, step) in [("stat_2.npy", 7), ("stat_5.npy", 1)] {
        let whole = std::fs::read(fixture("recordings").join(name)).expect("a file");
        for length in (0..whole.len()).step_by(step) {
            std::fs::write(copy.path("stat.npy"), &whole[..length]).expect("a file");
            unplaced(&copy.folder);
        }
        // Any other byte in any place: refused, unknown, or other numbers, but always an answer.
        for at in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] = bytes[at].wrapping_mul(37).wrapping_add(101);
            std::fs::write(copy.path("stat.npy"), &bytes).expect("a file");
            match open(&copy.folder) {
                Ok(session) => assert!(positions(&session).into_iter().flatten().flatten().all(f32::is_finite)),
                Err(error) => assert!(error.to_string().contains("it tells of"), "{error}"),
            }
        }
    }
    let plain = [("med", CENTRE)];
    let (deep, long) = (b"(".repeat(2_000_000), b"]".repeat(2_000_000));
    let nested = [&b"K\x01"[..], &b"\x85".repeat(1_000_000)].concat();
    let values: [(&[u8], &str); 17] = [
        (b"B\xff\xff\xff\xff", "ends too early: 4294967295 more bytes are wanted"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "ends too early: 18446744073709551615 more bytes are wanted"),
        (b"X\xff\xff\xff\x7f", "ends too early: 2147483647 more bytes are wanted"),
        (b"\x8b\xff\xff\xff\xff", "ends too early: 4294967295 more bytes are wanted"),
        (b"N", "`med` is no pair of numbers"),
        (b"](K\x01K\x02K\x03e", "`med` is no pair of numbers"),
        (b"](K\x01Ne", "a number should stand where something else stands"),
        (b"](K\x01G\x7f\xf0\0\0\0\0\0\0e", "`med` is [1, inf], which is nowhere in a plane"),
        (b"](K\x01G\x7f\xf8\0\0\0\0\0\0e", "`med` is [1, NaN], which is nowhere in a plane"),
        (b"Q", "has the instruction 0x51, which is none that makes data"),
        (b"h\x00", "recalls value 0, which was never remembered"),
        (b"0000", "takes a value that is not there"),
        (b"K\x01K\x01R", "calls what is no function"),
        (b"K\x01K\x01a", "puts values into what cannot hold them"),
        (&deep, "is nested too deeply"),
        (&long, "has more than 1048576 values waiting"),
        (&nested, "`med` is no pair of numbers"),
    ];
    for (value, expected) in values {
        let wanted = [("med", value)];
        std::fs::write(copy.path("stat.npy"), stat(&[&plain, &plain, &wanted, &plain])).expect("a file");
        let said = unplaced(&copy.folder);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    std::fs::write(copy.path("stat.npy"), stat(&[&plain, &[], &plain, &plain])).expect("a file");
    assert!(unplaced(&copy.folder).ends_with("of region 1, there is no `med`"));
    std::fs::write(copy.path("stat.npy"), npy("<f4", "4", &[0; 16])).expect("a file");
    assert!(unplaced(&copy.folder).ends_with("it holds values of the type `<f4`, expected Python objects"));
}

#[test]
fn a_recording_without_trials_is_cut_between_its_samples() {
    // The clock of a grid is not that of the samples by itself: no frame may be made of two samples, or lost.
    let options =
        ImportOptions { frame_rate: Some(FrameRate(0.7)), signal: Some("F".to_owned()), ..ImportOptions::default() };
    let session = open_with(&fixture("recordings/suite2p"), &options).expect("a slow recording");
    assert_eq!(session.trials.iter().map(|trial| trial.frames).collect::<Vec<_>>(), [42, 42, 16]);
    let first: Vec<f32> = session.trials.iter().flat_map(rows).map(|row| row[0]).collect();
    let expected: Vec<f64> = (0..100).map(|frame| f64::from(100 + frame) / 149.5).collect();
    all_near(&first, &expected);
}

#[test]
fn cells_of_an_unknown_animal_are_compared_with_no_other() {
    let session = opened("recordings/suite2p");
    let unit = |animal: Option<&str>| UnitId { animal: animal.map(str::to_owned), session: 0, scan: 0, unit: 2 };
    for animal in [None, Some("unknown"), Some("17797")] {
        let error = session.columns_of(&[unit(animal)]).expect_err("nobody's cell").to_string();
        assert!(error.contains("only units of the same animal, session and scan belong together"), "{error}");
        assert!(error.ends_with("(`twinscope compare --population` compares populations)"), "{error}");
    }
    assert!(!session.is_same_scan(&session));
    let options =
        ImportOptions { animal: Some("17797".to_owned()), session: Some(4), scan: Some(7), ..ImportOptions::default() };
    let named = open_with(&fixture("recordings/suite2p"), &options).expect("a named recording");
    assert_eq!(named.id, id("17797", 4, 7));
    let known = UnitId { animal: Some("17797".to_owned()), session: 4, scan: 7, unit: 2 };
    assert_eq!(named.columns_of(std::slice::from_ref(&known)).expect("its own cell"), [1]);
    for other in [
        UnitId { animal: Some("17798".to_owned()), ..known.clone() },
        UnitId { session: 5, ..known.clone() },
        UnitId { scan: 8, ..known.clone() },
        UnitId { unit: 1, ..known },
    ] {
        assert!(named.columns_of(&[other]).is_err());
    }
}

#[test]
fn what_suite2p_lacks_is_said() {
    let copy = Copy::of("recordings/suite2p/plane0");
    std::fs::remove_file(copy.path("ops.npy")).expect("a file");
    let refused = copy.refused();
    assert!(refused.contains("lacks a frame rate that can be read in `ops.npy`: name it with"), "{refused}");
    assert!(refused.contains("`twinscope session convert --frame-rate`"), "{refused}");
    let options = ImportOptions { frame_rate: Some(FrameRate(6.3)), ..ImportOptions::default() };
    assert_eq!(open_with(&copy.folder, &options).expect("its rate is known now").frame_rate, FrameRate(6.3));
    std::fs::write(copy.path("iscell.npy"), npy("<f8", "3, 2", &[0; 48])).expect("a file");
    assert!(copy.refused().contains("iscell.npy` is damaged or no array: it has the shape [3, 2], expected [4, 2]"));
    std::fs::write(copy.path("spks.npy"), npy("|O", "4, 100", &[0; 400])).expect("a file");
    assert!(copy.refused().contains("pickled objects are never read"));
    std::fs::write(copy.path("spks.npy"), npy("<f4", "4, 100", &[0; 1000])).expect("a file");
    assert!(copy.refused().contains("needs 1600 bytes, but the file has 1000"));
    std::fs::write(copy.path("spks.npy"), npy("<f4", "4, 9223372036854775807", &[0; 1000])).expect("a file");
    assert!(copy.refused().contains("more than any file has"));
    std::fs::write(copy.path("spks.npy"), npy("<f4", "100", &[0; 400])).expect("a file");
    assert!(copy.refused().contains("expected numbers [region, frame]"));
}

// Sensorium.

#[test]
fn sensorium_2023_folders_are_sessions_of_videos() {
    let session = opened("recordings/dynamic29515-10-12-Video-9b4f6a1a");
    assert_eq!(session.id, id("29515", 10, 12), "from the name of the folder");
    assert_eq!(session.raster, Raster { height: 4, width: 6 });
    assert_eq!(session.units.iter().map(|unit| unit.unit).collect::<Vec<_>>(), [7, 3, 11]);
    let trials: Vec<_> = session.trials.iter().map(|trial| (trial.training, trial.frames)).collect();
    assert_eq!(
        trials,
        [(true, 12), (false, 12), (true, 9), (false, 12)],
        "the tier `none` and the padding are left out"
    );
    assert!(session.about["left_out"].as_str().is_some_and(|text| text.contains("1 of the tier `none`")));
    assert_eq!(session.test_groups().iter().map(Vec::len).collect::<Vec<_>>(), [2], "the same bytes are a repeat");
    // Pixel = 20 trial + row + 6 column + frame.
    let movie = pixels(&session.trials[2]);
    assert_eq!((movie.len(), movie[0], movie[24 * 8 + 2 * 6 + 3]), (9 * 24, 40, 40 + 2 + 18 + 8));
    // Responses are divided by the means of meta/statistics; a unit with the mean 0 is left as it is.
    all_near(&rows(&session.trials[0])[4], &[1.5, 1.0, 5.0]);
    let row = behavior(&session.trials[0])[5];
    all_near(&row, &[0.5, -0.25, 5f64.sin() / 2.0, -1.0]);
    let counted = session.counted().expect("sound trials");
    assert_eq!(counted.missing, Missing { behavior: 1, responses: 1 });
    assert!(rows(&session.trials[2])[4][1].is_nan());
}

#[test]
fn sensorium_2022_folders_have_a_frame_for_each_image() {
    let session = opened("recordings/static21067-10-18-GrayImageNet-94c6ff99");
    assert_eq!((session.id.clone(), session.frame_rate), (id("21067", 10, 18), FrameRate(2.0)));
    assert_eq!(session.units[1].area.as_deref(), Some("LM"));
    let shown: Vec<_> =
        session.trials.iter().map(|trial| (trial.training, trial.frames, trial.condition.as_deref())).collect();
    assert_eq!((shown[0], shown[3]), ((true, 1, Some("frame_image_id=5")), (false, 1, Some("frame_image_id=7"))));
    assert_eq!(pixels(&session.trials[1]), [180; 12]);
    // Means over the two training trials, 1.5 and 4; z-scores over them, too.
    all_near(&rows(&session.trials[2])[0], &[2.0, 1.0]);
    all_near(&behavior(&session.trials[0])[0], &[-1.0, 1.0, -1.0, -1.0]);
}

#[test]
fn what_a_sensorium_folder_lacks_is_said() {
    let copy = Copy::of("recordings/dynamic29515-10-12-Video-9b4f6a1a");
    std::fs::write(copy.path("data/responses/2.npy"), npy("<f4", "3, 11", &[0; 132])).expect("a file");
    assert!(
        copy.refused()
            .contains("responses/2.npy` is damaged or no array: it has the shape [3, 11], expected [unit, 12]")
    );
    std::fs::write(copy.path("data/responses/2.npy"), npy("<f4", "4, 12", &[0; 192])).expect("a file");
    assert!(copy.refused().contains("4 units, but trials before it 4 x 6 pixels and 3 units"));
    std::fs::remove_file(copy.path("data/responses/2.npy")).expect("a file");
    assert_eq!(open(&copy.folder).expect("the other trials").trials.len(), 3);
    std::fs::write(copy.path("meta/neurons/unit_ids.npy"), npy("<i8", "2", &[0; 16])).expect("a file");
    assert!(copy.refused().contains("it lists 2 units, but the responses have 3"));
    std::fs::write(copy.path("data/videos/0.npy"), npy("<f4", "4, 6", &[0; 96])).expect("a file");
    assert!(copy.refused().contains("expected [height, width, time]"));
    std::fs::remove_file(copy.path("meta/trials/tiers.npy")).expect("a file");
    assert!(copy.refused().contains("lacks `meta/trials/tiers.npy`"));
    std::fs::remove_dir_all(copy.path("data/videos")).expect("a folder");
    assert!(copy.refused().contains("lacks both `data/videos` and `data/images`"));
}

// npz.

#[test]
fn spikes_in_a_npz_file_are_read_stored_or_compressed() {
    for name in ["recordings/spikes.npz", "recordings/spikes_packed.npz"] {
        let session = opened(name);
        assert_eq!((session.frame_rate, session.units.len(), session.trials.len()), (FrameRate(100.0), 3, 6));
        let conditions: Vec<_> = session.trials.iter().map(|trial| trial.condition.as_deref().unwrap_or("")).collect();
        assert_eq!(
            conditions,
            ["direction=0", "direction=90", "direction=0", "direction=90", "direction=180", "direction=270"]
        );
        assert_eq!(session.trials.iter().filter(|trial| trial.training).count(), 2);
        // Value = trial + 2 unit + bin; means over the last two trials, 4.5 + 2 unit + 2.
        let row = &rows(&session.trials[3])[4];
        all_near(row, &[7.0 / 6.5, 9.0 / 8.5, 11.0 / 10.5]);
    }
    assert_ne!(opened("recordings/spikes.npz").id, opened("recordings/spikes_packed.npz").id);
}

#[test]
fn packed_repeats_are_trials_with_what_is_missing() {
    let session = opened("recordings/repeats.npz");
    assert_eq!((session.frame_rate, session.units.len()), (FrameRate(4.0), 2));
    assert_eq!(session.test_groups().iter().map(Vec::len).collect::<Vec<_>>(), [4, 2]);
    let counted = session.counted().expect("sound trials");
    // The second unit has one repeat fewer of the first stimulus, of 3 frames.
    assert_eq!((counted.frames, counted.missing.responses), (18, 3));
    let fourth = rows(&session.trials[3]);
    assert!(fourth.iter().all(|row| !row[0].is_nan() && row[1].is_nan()), "{fourth:?}");
    // Count = 10 stimulus + 3 frame + unit + repeat, whose mean is 4.5 over 12 of the first and 13.5 over 6 others.
    all_near(&fourth.iter().map(|row| row[0]).collect::<Vec<_>>(), &[3.0 / 7.5, 6.0 / 7.5, 9.0 / 7.5]);
}

#[test]
fn a_session_is_the_same_after_a_npz_file_and_after_a_folder() {
    let scratch = TempDir::new().expect("a folder");
    for (index, name) in [
        "nwb/two_photon.nwb",
        "recordings/dynamic29515-10-12-Video-9b4f6a1a",
        "recordings/suite2p",
        "recordings/repeats.npz",
    ]
    .into_iter()
    .enumerate()
    {
        let session = opened(name);
        let (file, folder) = (scratch.path().join(format!("{index}.npz")), scratch.path().join(format!("{index}")));
        save_npz(&session, &file).expect("a file that can be written");
        session.save(&folder).expect("a folder that can be written");
        for path in [file, folder] {
            let again = open(&path).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((&again.id, again.frame_rate, again.raster), (&session.id, session.frame_rate, session.raster));
            assert_eq!((&again.units, &again.about), (&session.units, &session.about));
            assert_eq!(
                again.counted().expect("sound"),
                session.counted().expect("sound"),
                "{name}: what is missing stays missing"
            );
            assert_eq!(again.trials.len(), session.trials.len());
            for (a, b) in again.trials.iter().zip(&session.trials) {
                assert_eq!((a.training, a.frames, &a.condition), (b.training, b.frames, &b.condition));
                let bits = |trial: &Trial| rows(trial).concat().into_iter().map(f32::to_bits).collect::<Vec<_>>();
                assert_eq!(bits(a), bits(b));
                assert_eq!(behavior(a), behavior(b));
                assert_eq!(a.has_movie(), b.has_movie());
                if a.has_movie() {
                    assert!(pixels(a) == pixels(b), "{name}: other pixels");
                }
            }
        }
    }
}

#[test]
fn trials_of_one_name_with_other_pixels_keep_their_own() {
    let session = opened("nwb/two_photon.nwb");
    assert_eq!(session.trials[4].condition, session.trials[5].condition);
    assert!(pixels(&session.trials[4]) != pixels(&session.trials[5]), "the fixture shows another part of its movie");
    // Repeats, on the other hand, are stored once: 12 frames of each of two trials, and 9.
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("repeats.npz");
    save_npz(&opened("recordings/dynamic29515-10-12-Video-9b4f6a1a"), &path).expect("a file");
    let bytes = std::fs::read(path).expect("a file");
    let header = b"'shape': (33, 4, 6,)";
    assert!(bytes.windows(header.len()).any(|part| part == header));
}

#[test]
fn damaged_npz_files_end_in_a_sentence() {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("damaged.npz");
    save_npz(&opened("recordings/dynamic29515-10-12-Video-9b4f6a1a"), &path).expect("a file");
    let whole = std::fs::read(&path).expect("a file");
    let mut refused = 0;
    for round in 0..400 {
        let mut bytes = whole.clone();
        if round % 2 == 0 {
            bytes.truncate(whole.len() * round / 400);
        } else {
            let at = whole.len() * round / 400;
            bytes[at] ^= 0x55;
            bytes[whole.len() - 1 - round] = 0xff;
        }
        std::fs::write(&path, bytes).expect("a file");
        let read = open(&path).map_err(|error| error.to_string());
        if let Err(sentence) = read.and_then(|session| session.counted().map_err(|error| error.to_string())) {
            refused += 1;
            assert!(sentence.contains("damaged.npz") && !sentence.contains('\n'), "{sentence}");
        }
    }
    assert!(refused >= 200, "{refused}");
    let only = scratch.path().join("movie.npz");
    std::fs::write(&only, zipped(&[("video", npy("|u1", "2, 3, 4", &[0; 24]))])).expect("a file");
    let error = open(&only).expect_err("no responses").to_string();
    assert!(error.contains("lacks responses") && error.contains("it has video"), "{error}");
    std::fs::write(&only, zipped(&[("spikes", npy("|u1", "2, 3, 4", &[0; 24]))])).expect("a file");
    let error = open(&only).expect_err("no rate").to_string();
    assert!(
        error.contains("lacks a frame rate (`bin_s` or `frame_rate_hz`): name it with `twinscope session"),
        "{error}"
    );
}

/// Sizes that no byte of the file backs: neither loops without end nor indices beyond what was read.
#[test]
fn arrays_that_take_no_bytes_are_read_only_while_they_are_small() {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("empty.npz");
    let read = |arrays: &[(&str, Vec<u8>)], options: &ImportOptions| {
        std::fs::write(&path, zipped(arrays)).expect("a file");
        open_with(&path, options).map_err(|error| error.to_string())
    };
    let seconds = || ("bin_s", npy("<f8", "1", &0.1f64.to_le_bytes()));
    // One text more than are read.
    let trials = 1_048_577;
    let spikes = ("spikes", npy("|u1", &format!("{trials}, 1, 1"), &vec![1; trials]));
    let texts = ("condition", npy("<U0", &trials.to_string(), &[]));
    let error = read(&[spikes, texts, seconds()], &ImportOptions::default()).expect_err("too many texts");
    assert!(error.contains("array `condition`") && !error.contains('\n'), "{error}");
    assert!(error.contains("the shape [1048577] and the type `<U0` takes no bytes"), "{error}");
    // A few of them are conditions that say nothing.
    let few = [("spikes", npy("|u1", "2, 1, 1", &[1; 2])), ("condition", npy("<U0", "2", &[])), seconds()];
    let session = read(&few, &ImportOptions::default()).expect("a sound file");
    assert_eq!(session.trials.len(), 2);
    // No trials, but more units than memory has.
    let none = npy("<f4", "0, 1152921504606846976, 1", &[]);
    let signal = ImportOptions { signal: Some("traces".to_owned()), ..ImportOptions::default() };
    for (name, options) in [("responses", ImportOptions::default()), ("traces", signal)] {
        let error = read(&[(name, none.clone()), seconds()], &options).expect_err("nothing in it");
        assert!(error.contains("takes no bytes"), "{error}");
    }

    let folder = Copy::of("recordings/dynamic29515-10-12-Video-9b4f6a1a");
    let mut tiers = npy("<U0", "2147483648, 2147483648", &[]);
    let order = tiers.windows(5).position(|word| word == b"False").expect("an order");
    tiers[order..order + 5].copy_from_slice(b"True ");
    std::fs::write(folder.path("meta/trials/tiers.npy"), tiers).expect("a file");
    let error = folder.refused();
    assert!(error.contains("tiers.npy") && error.contains("takes no bytes"), "{error}");
}

// CSV.

#[test]
fn a_wide_table_has_a_column_for_each_unit() {
    let mut text = String::from("trial,time,direction,pupil_x,velocity,unit_3,unit_12\n");
    for row in 0..8 {
        let (trial, frame) = (row / 4, row % 4);
        let missing = if row == 5 { "NaN".to_owned() } else { format!("{}", 2 * row) };
        text += &format!("{trial},{:.4},{},{row},,{row},{missing}\n", frame as f64 / 30.0, 90 * trial);
    }
    let session = csv(&text).expect("a table");
    assert_eq!((session.frame_rate, session.units.len()), (FrameRate(30.0), 2));
    assert_eq!((session.units[0].unit, session.units[1].unit), (3, 12));
    let trials: Vec<_> = session.trials.iter().map(|trial| (trial.frames, trial.condition.as_deref())).collect();
    assert_eq!(trials, [(4, Some("direction=0")), (4, Some("direction=90"))]);
    all_near(&rows(&session.trials[1])[0], &[4.0 / 3.5, 8.0 / (46.0 / 7.0)]);
    // Two columns of behaviour are there, one of them empty; two are not: 8 rows of 3 values are missing.
    assert_eq!(session.counted().expect("sound").missing, Missing { behavior: 24, responses: 1 });
    // Rows 0 to 7 have the mean 3.5 and the variance 5.25.
    near(behavior(&session.trials[0])[1][0], -2.5 / 5.25f64.sqrt());
}

#[test]
fn a_long_table_has_a_row_for_each_unit_and_trial() {
    let session =
        csv("unit,trial,condition,response\n1,0,a,2\n2,0,a,4\n1,1,b,6\n2,1,b,\n1,2,b,1\n2,2,b,5\n").expect("a table");
    assert_eq!((session.units.len(), session.trials.len(), session.frame_rate), (2, 3, FrameRate(1.0)));
    assert_eq!(session.test_groups()[0].len(), 2);
    all_near(&rows(&session.trials[0])[0], &[1.0, 1.0]);
    assert_eq!(session.counted().expect("sound").missing.responses, 1);

    // Cells that were recorded one after the other saw other stimuli in trials of the same number.
    let session = csv("cell,trial,direction,rate_hz\n0,0,45,12\n0,1,90,3\n1,0,90,5\n1,1,0,7\n").expect("a table");
    assert_eq!((session.units.len(), session.trials.len()), (2, 4));
    assert_eq!(session.counted().expect("sound").missing.responses, 4);
    assert!(session.about.contains_key("notes"));
}

#[test]
fn wrong_tables_end_in_a_sentence_with_the_line() {
    for (text, expected) in [
        ("a,b\n1,2\n", "lacks a column for each unit"),
        ("unit_1,unit_2\n", "it has no row"),
        ("unit_1,unit_2\n1,2\n3,x\n", "line 3: `unit_2` is \"x\", expected a number"),
        ("unit_1,unit_2\n1,2\n3\n", "line 3: it is no table"),
        ("trial,unit_1\n0,1\n0,2\n", "lacks a column `time` in seconds"),
        ("time,unit_1\n0,1\n0.1,2\n0.7,2\n", "the times of trial 0 are not steady"),
        ("time,unit_1\n0,1\n0,2\n", "the times are 0 s apart"),
        ("unit,trial,response\n1,0,2\n1,0,3\n", "line 3: unit 1 has a second response"),
        ("unit,trial,response\n-1,0,2\n", "the unit is \"-1\", expected a whole number"),
        ("animal,unit_1\nA,2\nB,3\n", "line 3: `animal` is another than in the first row"),
    ] {
        let error = csv(text).expect_err(text);
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let named = csv("animal,session,scan,unit_1\nA,2,3,4\n").expect("a table");
    assert_eq!(named.id, id("A", 2, 3));
}

// All formats.

#[test]
fn what_is_no_recording_is_told_by_its_content() {
    let scratch = TempDir::new().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        open(&path).map(drop).expect_err(name).to_string()
    };
    assert!(write("a.nwb", b"").contains("the file is empty"));
    assert!(write("a.csv", b"hello\n").contains("without commas"));
    assert!(write("a.npz", &npy("<f4", "1", &[0; 4])).contains("a single array"));
    assert!(write("a.mat", b"MATLAB 5.0 MAT-file").contains("MATLAB file before version 7.3"));
    assert!(write("a.bin", &[0, 1, 2, 255]).contains("no known format"));
    let empty = scratch.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    assert!(open(&empty).expect_err("nothing").to_string().contains("the folder is empty"));
    assert!(open(&scratch.path().join("absent")).expect_err("nothing").to_string().contains("could not be read"));
}

/// A copy of a folder that may be changed.
struct Copy {
    folder: PathBuf,
    _scratch: TempDir,
}

impl Copy {
    fn of(name: &str) -> Self {
        let scratch = TempDir::new().expect("a folder");
        let from = fixture(name);
        let folder = scratch.path().join(from.file_name().expect("a name"));
        copy_folder(&from, &folder);
        Self { folder, _scratch: scratch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    #[track_caller]
    fn refused(&self) -> String {
        let error = open(&self.folder).map(drop).expect_err("it was damaged").to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a file");
        }
    }
}

fn csv(text: &str) -> Result<Session, String> {
    let scratch = TempDir::new().expect("a folder");
    let path = scratch.path().join("table.csv");
    std::fs::write(&path, text).expect("a file");
    open(&path).map_err(|error| error.to_string())
}

/// Bytes of a `.npy` file.
fn npy(element: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut head = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({shape},), }}").into_bytes();
    head.resize((head.len() + 10).next_multiple_of(64) + 64 - 11, b' ');
    head.push(b'\n');
    [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], &head, data].concat()
}

fn zipped(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).expect("memory");
        std::io::Write::write_all(&mut zip, bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

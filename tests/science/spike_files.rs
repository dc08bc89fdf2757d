//! Recordings of spikes in the formats of the field, as sessions of binned spikes.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use twinscope::data::spikes::{ImportedSpikes, Shares, SpikeFormat, SpikeImport, SpikeSession, TrialFilter};

const ALF: &str = "alf/mouse-7/2020-01-02/001";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Bins of 50 ms from half a second before the event to one second after it.
fn options() -> SpikeImport {
    SpikeImport { from_secs: -0.5, to_secs: 1.0, bin_secs: 0.05, ..SpikeImport::default() }
}

#[track_caller]
fn imported(name: &str, options: &SpikeImport) -> ImportedSpikes {
    SpikeSession::import(&fixture(name), options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn refused(path: &Path, options: &SpikeImport) -> String {
    SpikeSession::import(path, options).expect_err("it must be refused").to_string()
}

/// Spikes at (k + 1/2) / rate between two moments, the first included.
fn spikes(rate: f64, from: f64, to: f64, recorded_secs: f64) -> u8 {
    let times = (0..(rate * recorded_secs) as usize).map(|k| (k as f64 + 0.5) / rate);
    // Clocks are kept in floating point: what lies at an edge belongs to the bin that begins there.
    times.filter(|&time| time >= from - 1e-7 && time < to - 1e-7).count() as u8
}

/// Every count is what the formula of the fixture says, for trials with these onsets.
#[track_caller]
fn check_counts(session: &SpikeSession, onsets: &[f64], rates: &[f64], recorded_secs: f64) {
    assert_eq!(session.counts.shape(), [onsets.len(), 30, rates.len()]);
    let all = session.counts.all();
    for (trial, onset) in onsets.iter().enumerate() {
        for bin in 0..30 {
            for (neuron, &rate) in rates.iter().enumerate() {
                let from = onset - 0.5 + 0.05 * bin as f64;
                let (found, expected) = (all.at(trial, bin, neuron), spikes(rate, from, from + 0.05, recorded_secs));
                assert_eq!(found, f32::from(expected), "trial {trial}, bin {bin}, neuron {neuron}");
            }
        }
    }
}

#[track_caller]
fn notes(of: &ImportedSpikes, text: &str) {
    assert!(of.notes.iter().any(|note| note.contains(text)), "nothing about `{text}` in {:#?}", of.notes);
}

/// Middles of the bins of a trial, seconds.
fn middles(onset: f64) -> impl Iterator<Item = f64> {
    (0..30).map(move |bin| onset - 0.5 + 0.05 * (f64::from(bin) + 0.5))
}

#[test]
fn an_nwb_file_of_sorted_units_becomes_counts_around_the_stimulus() {
    let found = imported("nwb/sorted.nwb", &options());
    let session = &found.session;
    // Trial 5 has no stimulus. The last spike of the recording is at 59.975 s, after the last trial.
    let rows: Vec<usize> = (0..20).filter(|&row| row != 5).collect();
    let onsets: Vec<f64> = rows.iter().map(|&row| 3.0 * row as f64 + 1.0).collect();
    check_counts(session, &onsets, &[20.0, 10.0, 5.0, 2.0], 60.0);
    assert_eq!(session.id, "mouse-3_2020-01-02_1");
    assert!(!session.simulated);
    assert_eq!(session.regions, ["VISp", "VISl", "LP", "VISl"], "most electrodes decide, then the alphabet");
    assert_eq!((session.bin_secs, session.first_bin_secs), (0.05, -0.5));
    let sides: Vec<i8> = rows.iter().map(|row| [-1, 1, 0][row % 3]).collect();
    assert_eq!(session.choice.as_deref(), Some(&sides[..]));
    let column = |name: &str| session.columns.get(name).unwrap_or_else(|| panic!("{name}: {:?}", session.columns));
    assert_eq!(column("contrast")[4..7], [1.0, 0.25, 0.5], "trials 4, 6 and 7");
    assert_eq!(column("source_trial")[5], 6.0);
    assert!(column("start_time").iter().all(|&start| start == -1.0), "times are told from the event on");
    assert_eq!(column("stim_on_time")[6], 22.0, "but that of the event itself");
    notes(&found, "aligned to `stim_on_time`");
    notes(&found, "1 of 20 trials have no such event");
    notes(&found, "1 times of spikes are no numbers (NaN)");
    notes(&found, "columns of texts are not stored: choice, task");
    notes(&found, "`location` of the electrodes");
}

#[test]
fn wheel_and_whiskers_of_an_nwb_file_are_brought_to_the_bins() {
    let found = imported("nwb/sorted.nwb", &options());
    let (wheel, whisker) =
        (found.session.wheel.as_ref().expect("there"), found.session.whisker.as_ref().expect("there"));
    let onsets = (0..20).filter(|&row| row != 5).map(|row| 3.0 * f64::from(row) + 1.0);
    let mut missing = 0;
    for (index, secs) in onsets.flat_map(middles).enumerate() {
        // The velocity is -t, the motion energy 5 + t: a low-pass that is symmetric leaves lines as they are.
        // The first samples have only one side.
        if secs > 1.0 {
            assert!((f64::from(wheel[index]) - secs).abs() < 1e-4, "{} at {secs} s", wheel[index]);
        }
        if secs < 10.0 {
            assert!(whisker[index].is_nan(), "the camera began at 10 s: {} at {secs} s", whisker[index]);
            missing += 1;
        } else if secs > 10.2 && secs < 59.8 {
            assert!((f64::from(whisker[index]) - 5.0 - secs).abs() < 1e-3, "{} at {secs} s", whisker[index]);
        }
    }
    assert_eq!(whisker.iter().filter(|value| value.is_nan()).count(), missing);
    notes(&found, &format!("{missing} of 570 bins of the whisker were not measured"));
}

#[test]
fn units_are_chosen_by_the_sorting_and_by_their_rate() {
    let good = imported("nwb/sorted.nwb", &SpikeImport { only_good: true, ..options() });
    assert_eq!(good.session.regions, ["VISp", "VISl", "VISl"]);
    let fast = imported("nwb/sorted.nwb", &SpikeImport { least_hz: 4.0, ..options() });
    assert_eq!(fast.session.regions, ["VISp", "VISl", "LP"]);
    notes(&fast, "1 of 4 neurons are not good or fire too rarely");
    let none = refused(&fixture("nwb/sorted.nwb"), &SpikeImport { least_hz: 100.0, ..options() });
    assert!(none.contains("none of 4 neurons"), "{none}");
    let unjudged = refused(&fixture("nwb/spikes.nwb"), &SpikeImport { only_good: true, ..options() });
    assert!(unjudged.contains("does not tell which units are good"), "{unjudged}");
}

#[test]
fn an_alf_folder_of_two_probes_becomes_one_session() {
    for path in [ALF.to_owned(), format!("{ALF}/alf")] {
        let found = imported(&path, &options());
        let session = &found.session;
        let onsets: Vec<f64> = (0..12).filter(|&row| row != 4).map(|row| 1.0 + 3.0 * f64::from(row)).collect();
        check_counts(session, &onsets, &[10.0, 4.0, 1.0, 5.0, 2.0], 40.0);
        assert_eq!(session.id, "mouse-7_2020-01-02_001");
        assert_eq!(session.regions, ["VISp5", "CA1", "LP", "ACAd", "MOs"]);
        let sides: Vec<i8> = (0..12).filter(|&row| row != 4).map(|row| [-1, 1, 0][row % 3]).collect();
        assert_eq!(session.choice.as_deref(), Some(&sides[..]));
        assert_eq!(session.columns["feedbackType"][..3], [1.0, -1.0, 1.0]);
        assert!(session.columns["contrastLeft"][1].is_nan());
        assert!((session.columns["firstMovement_times"][3] - 0.35).abs() < 1e-6, "{:?}", session.columns);
        assert_eq!(session.columns["intervals_0"][0], -0.5);
        let wheel = session.wheel.as_ref().expect("there");
        let mut secs = onsets.iter().copied().flat_map(middles);
        // Position is 3 - t / 2 from 2.01 s on: half a radian a second whatever the samples.
        let right = |(value, secs): (&f32, f64)| if secs < 2.03 { value.is_nan() } else { (value - 0.5).abs() < 1e-5 };
        let wrong = wheel.iter().map(|value| (value, secs.next().expect("as many"))).find(|&pair| !right(pair));
        assert_eq!(wrong, None);
        let whisker = session.whisker.as_ref().expect("there");
        let secs = middles(onsets[3]).next().expect("a bin");
        assert!((f64::from(whisker[3 * 30]) - 2.0 - secs).abs() < 1e-3, "{} at {secs} s", whisker[3 * 30]);
    }
}

#[test]
fn one_probe_of_a_session_finds_the_trials_beside_it() {
    let found = imported(&format!("{ALF}/alf/probe01"), &options());
    assert_eq!(found.session.regions, ["ACAd", "MOs"]);
    assert_eq!(found.session.counts.trials(), 11);
    assert!(found.session.wheel.is_some());
}

#[test]
fn trials_are_aligned_to_the_event_that_is_named() {
    let found = imported(ALF, &SpikeImport { align: Some("firstmovement_times".to_owned()), ..options() });
    let onsets: Vec<f64> =
        (0..12).filter(|&row| row != 4).map(|row| 1.0 + 3.0 * f64::from(row) + 0.05 + 0.1 * f64::from(row)).collect();
    check_counts(&found.session, &onsets, &[10.0, 4.0, 1.0, 5.0, 2.0], 40.0);
    let error = refused(&fixture(ALF), &SpikeImport { align: Some("goCue".to_owned()), ..options() });
    assert!(error.contains("`goCue` is no column of times") && error.contains("stimOn_times"), "{error}");
    let error = refused(
        &fixture(ALF),
        &SpikeImport { align: Some("choice".to_owned()), to_secs: 90.0, bin_secs: 0.1, ..options() },
    );
    assert!(error.contains("no trial lies within the recording"), "{error}");
}

#[test]
fn conditions_leave_trials_out_and_move_none_to_another_part() {
    let shares = Shares { validation: 0.2, test: 0.3 };
    let all = imported(ALF, &SpikeImport { seed: 5, shares, ..options() }).session;
    let keep = |text: &str| text.parse::<TrialFilter>().unwrap_or_else(|error| panic!("{error}"));
    let some = SpikeImport {
        seed: 5,
        shares,
        keep: vec![keep("choice != 0"), keep("feedbackType=1")],
        reaction_secs: Some((0.08, 0.9)),
        ..options()
    };
    let found = imported(ALF, &some);
    let session = &found.session;
    assert_eq!(all.split.seed, Some(5));
    assert_eq!((all.split.test.len(), all.split.validation.len(), all.split.train.len()), (3, 2, 6));
    // Even rows with a choice are 0, 4 (no event), 6 and 10; the reaction of 0 is too fast, that of 10 too slow.
    let kept: Vec<usize> =
        [&session.split.train, &session.split.validation, &session.split.test].into_iter().flatten().copied().collect();
    let rows: Vec<f32> = kept.iter().map(|&trial| session.columns["source_trial"][trial]).collect();
    assert_eq!(rows, [6.0], "kept rows");
    for (part, whole) in [
        (&session.split.train, &all.split.train),
        (&session.split.validation, &all.split.validation),
        (&session.split.test, &all.split.test),
    ] {
        assert!(part.iter().all(|trial| whole.contains(trial)), "{part:?} of {whole:?}");
    }
    assert_eq!(session.counts, all.counts, "the others stay in the file");
    notes(&found, "10 of 11 trials do not meet the conditions");
}

#[test]
fn conditions_that_cannot_be_are_refused() {
    for text in ["choice", "= 1", "choice =", "contrast > high", ""] {
        assert!(text.parse::<TrialFilter>().is_err_and(|error| error.contains("COLUMN")), "{text}");
    }
    let with = |text: &str| SpikeImport { keep: vec![text.parse().expect("a condition")], ..options() };
    let nwb = fixture("nwb/sorted.nwb");
    assert!(refused(&nwb, &with("reward = 1")).contains("no column `reward`"));
    assert!(refused(&nwb, &with("task > 1")).contains("holds texts"));
    assert!(refused(&nwb, &with("contrast = much")).contains("holds numbers"));
    assert!(refused(&nwb, &with("contrast > 7")).contains("no trial is left"));
    let passive = SpikeSession::import(&nwb, &with("task != active")).expect("five trials").session;
    assert_eq!(passive.split.train.len() + passive.split.validation.len() + passive.split.test.len(), 5);
    // Sides in words are meant by their numbers too.
    for text in ["choice != 0", "choice != nogo"] {
        let chosen = SpikeSession::import(&nwb, &with(text)).expect("trials with a choice").session;
        let kept = chosen.split.train.len() + chosen.split.validation.len() + chosen.split.test.len();
        assert_eq!(kept, 14, "{text}: of 20 trials 6 have no choice, of which one has no stimulus either");
    }
    let reaction = SpikeImport { reaction_secs: Some((0.0, 1.0)), ..options() };
    assert!(refused(&nwb, &reaction).contains("reaction time is not known"));
}

#[test]
fn windows_and_bins_that_cannot_be_are_refused() {
    let nwb = fixture("nwb/sorted.nwb");
    for (wrong, says) in [
        (SpikeImport { bin_secs: 0.04, ..options() }, "37.500 bins"),
        (SpikeImport { bin_secs: 0.0, ..options() }, "bins of 0 s"),
        (SpikeImport { bin_secs: f64::NAN, ..options() }, "bins of NaN s"),
        (SpikeImport { bin_secs: 1e-4, to_secs: 3000.0, ..options() }, "whole number of bins"),
        (SpikeImport { from_secs: 2.0, ..options() }, "must end after it begins"),
        (SpikeImport { to_secs: f64::INFINITY, ..options() }, "must end after it begins"),
        (SpikeImport { shares: Shares { validation: 1.0, test: 0.2 }, ..options() }, "shares of 1 and 0.2"),
        (SpikeImport { least_hz: -1.0, ..options() }, "no rate"),
    ] {
        let error = refused(&nwb, &wrong);
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_session_comes_back_from_the_file_that_it_was_converted_to() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["nwb/sorted.nwb", ALF] {
        let path = folder.path().join("session.npz");
        let session = imported(name, &SpikeImport { seed: u64::MAX, ..options() }).session;
        session.save(&path).expect("written");
        assert_eq!(SpikeFormat::of(&path).expect("known"), SpikeFormat::Npz);
        let back = SpikeSession::import(&path, &SpikeImport::default()).expect("read").session;
        // NaN is not NaN: what is compared is what is printed.
        assert_eq!(format!("{back:?}"), format!("{session:?}"));
    }
}

/// The ALF folder in a place that can be changed.
fn copied() -> (TempDir, PathBuf) {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                copy(&from, &to);
            } else {
                std::fs::copy(&from, &to).expect("copied");
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixture(ALF), folder.path());
    let alf = folder.path().join("alf");
    (folder, alf)
}

fn without_trials() -> (TempDir, PathBuf) {
    let (folder, alf) = copied();
    for entry in std::fs::read_dir(&alf).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("_ibl_trials")) {
            std::fs::remove_file(path).expect("removed");
        }
    }
    (folder, alf)
}

#[test]
fn trials_in_a_csv_table_are_read_and_win_over_parquet() {
    let (_folder, alf) = without_trials();
    assert!(refused(&alf, &options()).contains("lacks trials"));
    std::fs::write(alf.join("_ibl_trials.table.pqt"), b"PAR1 and so on").expect("written");
    let error = refused(&alf, &options());
    assert!(error.contains("no whole Parquet file"), "{error}");
    assert!(refused(&alf.join("_ibl_trials.table.pqt"), &options()).contains("open the folder"));
    let table =
        "intervals_0,stimOn_times,choice,side\n0.5,1.0,-1.0,left\n3.5,,1.0,right\n6.5,7.0,,left\n9.5,10.0,1,left\n";
    std::fs::write(alf.join("_ibl_trials.table.csv"), table).expect("written");
    let found = SpikeSession::import(&alf, &options()).expect("a table of trials");
    check_counts(&found.session, &[1.0, 7.0, 10.0], &[10.0, 4.0, 1.0, 5.0, 2.0], 40.0);
    assert_eq!(found.session.choice.as_deref(), Some(&[-1, 0, 1][..]));
    notes(&found, "1 trials have no choice noted");
    notes(&found, "Parquet");
    notes(&found, "texts are not stored: side");
}

/// The folder of [`without_trials`] with a table of the fixtures.
fn with_table(name: &str) -> (TempDir, PathBuf) {
    let (folder, alf) = without_trials();
    std::fs::copy(fixture("alf/tables").join(name), alf.join("_ibl_trials.table.pqt")).expect("copied");
    (folder, alf)
}

/// All of a session but its name, which is that of a temporary folder. NaN is not NaN: it is printed.
#[track_caller]
fn printed(path: &Path) -> String {
    let mut session = SpikeSession::import(path, &options()).unwrap_or_else(|error| panic!("{error}")).session;
    session.id.clear();
    format!("{session:?}")
}

#[test]
fn trials_in_parquet_give_the_session_of_the_same_trials_in_arrays() {
    let (_folder, alf) = with_table("trials.pqt");
    assert_eq!(printed(&alf), printed(&fixture(ALF)));
    // An array beside the table whose name comes before it goes first.
    let whole = printed(&alf);
    let choice = "_ibl_trials.choice.npy";
    std::fs::copy(fixture(ALF).join("alf/_ibl_trials.feedbackType.npy"), alf.join(choice)).expect("copied");
    assert_ne!(printed(&alf), whole);
    std::fs::copy(fixture(ALF).join("alf").join(choice), alf.join(choice)).expect("copied");
    assert_eq!(printed(&alf), whole);
}

#[test]
fn parquet_that_is_written_in_several_ways_is_read_as_csv_is() {
    let (_folder, csv) = without_trials();
    let table =
        "stimOn_times,choice,rewarded\n1.0,-1,true\n4.0,1,false\n7.0,0,\n10.0,-1,true\n13.0,1,true\n16.0,0,false\n";
    std::fs::write(csv.join("_ibl_trials.table.csv"), table).expect("written");
    let expected = printed(&csv);
    for name in ["none.pqt", "gzip.pqt", "pages2.pqt"] {
        let (_folder, alf) = with_table(name);
        assert_eq!(printed(&alf), expected, "{name}");
    }
}

#[test]
fn every_kind_of_number_in_parquet_is_read_and_the_rest_is_named() {
    let (_folder, alf) = with_table("kinds.pqt");
    let found = SpikeSession::import(&alf, &options()).expect("a table of trials");
    // The third trial has no stimulus.
    check_counts(&found.session, &[1.0, 4.0, 10.0, 13.0, 16.0], &[10.0, 4.0, 1.0, 5.0, 2.0], 40.0);
    for (name, expected) in [
        ("float", [0.5, f32::NAN, 3.5, 4.5, 5.5]),
        ("int8", [-1.0, 0.0, f32::NAN, -1.0, 0.0]),
        ("int64", [-2.0, -1.0, 1.0, 2.0, 3.0]),
        ("uint32", [4_294_967_290.0, 4_294_967_291.0, 4_294_967_293.0, 4_294_967_294.0, 4_294_967_295.0]),
        ("uint64", [9_223_372_036_854_775_808.0, 0.0, 2.0, 3.0, 4.0]),
        ("bool", [1.0, 0.0, 1.0, 1.0, 0.0]),
        ("last", [0.0, 0.5, 1.5, 2.0, 2.5]),
    ] {
        let column = found.session.columns.get(name).unwrap_or_else(|| panic!("{name}: {:?}", found.session.columns));
        assert_eq!(format!("{column:?}"), format!("{expected:?}"), "{name}");
    }
    assert!(!found.session.columns.contains_key("__index_level_0__"), "{:?}", found.session.columns);
    notes(&found, "another shape or kind were left out: date, list, pair");
    notes(&found, "texts are not stored: side");
}

#[test]
fn parquet_that_is_not_read_says_why() {
    for (name, says) in [
        ("zstd.pqt", "Zstandard"),
        ("brotli.pqt", "Brotli"),
        ("lz4.pqt", "LZ4"),
        ("delta.pqt", "DELTA_BINARY_PACKED"),
        ("split.pqt", "BYTE_STREAM_SPLIT"),
    ] {
        let (_folder, alf) = with_table(name);
        let error = refused(&alf, &options());
        assert!(error.contains(says) && error.contains("to_parquet"), "{name}: {error}");
    }
    // Arrays that tell when the stimulus began do without it.
    let (_folder, alf) = copied();
    std::fs::copy(fixture("alf/tables/zstd.pqt"), alf.join("_ibl_trials.table.pqt")).expect("copied");
    let found = SpikeSession::import(&alf, &options()).expect("arrays are enough");
    notes(&found, "Zstandard");
}

#[test]
fn damaged_parquet_ends_in_a_sentence() {
    let (_folder, alf) = with_table("kinds.pqt");
    let file = alf.join("_ibl_trials.table.pqt");
    let whole = std::fs::read(&file).expect("there");
    for length in (0..whole.len()).step_by(whole.len() / 60) {
        std::fs::write(&file, &whole[..length]).expect("written");
        let error = refused(&alf, &options());
        assert!(error.contains("Parquet") && !error.contains('\n'), "{length} bytes: {error}");
    }
    let mut failed = 0;
    for round in 0..240 {
        std::fs::write(&file, damaged(&whole, round)).expect("written");
        // Damage may lie where nothing is read, or change a value.
        if let Err(error) = SpikeSession::import(&alf, &options()) {
            assert!(!error.to_string().contains('\n'), "round {round}: {error}");
            failed += 1;
        }
    }
    assert!(failed > 80, "only {failed} of 240 were noticed: is the file read at all?");
}

#[test]
fn files_that_contradict_each_other_are_refused() {
    let (_folder, alf) = copied();
    std::fs::copy(alf.join("probe01/spikes.clusters.npy"), alf.join("probe00/spikes.clusters.npy")).expect("copied");
    let error = refused(&alf, &options());
    assert!(error.contains("280 numbers, but there are 600 times"), "{error}");

    let (_folder, alf) = copied();
    std::fs::copy(alf.join("leftCamera.ROIMotionEnergy.npy"), alf.join("_ibl_trials.extra.npy")).expect("copied");
    let error = refused(&alf, &options());
    assert!(error.contains("2400 values") || error.contains("has 12"), "{error}");

    // What only goes along does not stop the rest.
    let (_folder, alf) = copied();
    std::fs::copy(alf.join("_ibl_trials.choice.npy"), alf.join("leftCamera.ROIMotionEnergy.npy")).expect("copied");
    let found = SpikeSession::import(&alf, &options()).expect("spikes are whole");
    assert_eq!(found.session.whisker, None);
    notes(&found, "the whisker was left out: there are 12 values, but 2400 times");

    // Two sortings of one probe would count every neuron twice.
    let (_folder, alf) = copied();
    std::fs::create_dir(alf.join("probe00/sorted")).expect("made");
    for name in ["spikes.times.npy", "spikes.clusters.npy"] {
        std::fs::copy(alf.join("probe00").join(name), alf.join("probe00/sorted").join(name)).expect("copied");
    }
    assert!(refused(&alf, &options()).contains("name the folder of one of them"));
}

#[test]
fn what_is_no_recording_of_spikes_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, b"").expect("written");
    let text = folder.path().join("text.nwb");
    std::fs::write(&text, b"not a file of that kind").expect("written");
    for (path, says) in [
        (folder.path().to_owned(), "holds no spikes"),
        (empty, "the file is empty"),
        (text, "first bytes"),
        (folder.path().join("nothing"), "could not be read"),
        (fixture("nwb/two_photon.nwb"), "lacks sorted units"),
    ] {
        let error = refused(&path, &options());
        assert!(error.contains(says), "{error}");
    }
}

/// Bytes as a damaged disk might have left them: cut short, flipped, or huge where a length stood.
fn damaged(bytes: &[u8], round: u64) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut bytes = bytes.to_vec();
    match round % 3 {
        0 => bytes.truncate(random(bytes.len())),
        1 => {
            for _ in 0..=random(20) {
                let at = random(bytes.len());
                bytes[at] ^= 1 << random(8);
            }
        }
        _ => {
            let at = random(bytes.len().saturating_sub(8));
            bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff);
        }
    }
    bytes
}

#[test]
fn damaged_files_end_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.nwb");
    let whole = std::fs::read(fixture("nwb/sorted.nwb")).expect("there");
    let mut failed = 0;
    for round in 0..240 {
        std::fs::write(&path, damaged(&whole, round)).expect("written");
        // Damage may lie where nothing is read; what counts is that it never panics, nor takes memory without end.
        failed += u32::from(SpikeSession::import(&path, &options()).is_err());
    }
    assert!(failed > 80, "only {failed} of 240 were noticed: is the file read at all?");

    let (_folder, alf) = copied();
    for name in [
        "probe00/spikes.times.npy",
        "probe00/spikes.clusters.npy",
        "probe00/clusters.brainLocationAcronyms_ccf_2017.npy",
        "probe01/clusters.channels.npy",
        "_ibl_trials.stimOn_times.npy",
        "_ibl_trials.intervals.npy",
        "_ibl_wheel.timestamps.npy",
    ] {
        let file = alf.join(name);
        let whole = std::fs::read(&file).expect("there");
        let mut failed = 0;
        for round in 0..30 {
            std::fs::write(&file, damaged(&whole, round)).expect("written");
            let imported = SpikeSession::import(&alf, &options());
            let told = |found: ImportedSpikes| found.notes.iter().any(|note| note.contains("left out"));
            failed += u32::from(imported.map_or(true, told));
        }
        assert!(failed >= 10, "{name}: only {failed} of 30 were noticed");
        std::fs::write(&file, whole).expect("written");
    }
    SpikeSession::import(&alf, &options()).expect("whole again");
}

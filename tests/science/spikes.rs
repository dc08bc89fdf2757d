//! Sessions of spikes: files, and animals with known rates.

use std::io::Write;

use twinscope::analysis::spikes::{bits_per_spike, trial_average_r2};
use twinscope::data::simulated::SpikeSimulation;
use twinscope::data::spikes::{Counts, SpikeError, SpikeSession, Split};
use twinscope::signals::Binned;

fn small() -> SpikeSimulation {
    SpikeSimulation { seed: 7, animals: 2, trials: 12, bins: 10, neurons: (8, 11), ..SpikeSimulation::default() }
}

fn one() -> SpikeSession {
    small().sessions().expect("good sizes").swap_remove(1)
}

#[test]
fn a_session_comes_back_from_its_file() {
    let mut session = one();
    session.id = "größer".to_owned();
    session.regions[2] = "VISp".to_owned();
    session.held_out = vec![1, 4];
    session.wheel.as_mut().expect("simulated")[3] = -0.0;
    session.split = Split { seed: Some(u64::MAX - 1), ..session.split };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.npz");
    session.save(&path).expect("written");
    let first = std::fs::read(&path).expect("there");
    assert_eq!(SpikeSession::open(&path).expect("read"), session);
    session.save(&path).expect("replaced");
    assert_eq!(std::fs::read(&path).expect("there"), first, "the same session gives the same bytes");
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1, "nothing else is left");
}

/// A `.npy` file.
fn npy(element: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((text.len() as u16).to_le_bytes());
    file.extend(text.as_bytes());
    file.extend(bytes);
    file
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Cori.npz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("written");
    (folder, path)
}

/// Two trials of three neurons and four bins, neurons before bins.
fn neurons_first() -> Vec<(&'static str, Vec<u8>)> {
    let float = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    vec![
        ("spikes", npy("|u1", "(2, 3, 4)", &(0..24).collect::<Vec<u8>>())),
        ("bin_s", npy("<f4", "()", &float(&[0.25]))),
        ("time_offset_s", npy("<f4", "(4,)", &float(&[0.5, 0.75, 1.0, 1.25]))),
        ("contrast_left", npy("<f4", "(2,)", &float(&[0.0, 0.5]))),
        ("feedback", npy("|i1", "(2,)", &[255, 1])),
        ("heldout_neurons", npy("<i4", "(1,)", &2i32.to_le_bytes())),
        ("test_trials", npy("<i4", "(1,)", &0i32.to_le_bytes())),
    ]
}

#[test]
fn the_layout_with_neurons_before_bins_is_read() {
    let (_folder, path) = npz(&neurons_first());
    let session = SpikeSession::open(&path).expect("read");
    assert_eq!((session.id.as_str(), session.counts.shape(), session.bin_secs), ("Cori", [2, 4, 3], 0.25));
    // Trial 1, bin 2: the third value of each neuron's row.
    assert_eq!(session.of(&[1]).row(0, 2), [14.0, 18.0, 22.0]);
    assert_eq!(session.first_bin_secs, 0.5);
    assert_eq!(
        (&session.split.train[..], &session.split.test[..], &session.held_out[..]),
        (&[1][..], &[0][..], &[2][..])
    );
    assert_eq!((&session.columns["feedback"][..], session.columns["contrast_left"][1]), (&[-1.0, 1.0][..], 0.5));
    assert_eq!(session.region_labels(), (vec![0; 3], vec!["unknown".to_owned()]));
    assert!(!session.simulated);
}

#[test]
fn files_that_contradict_themselves_are_refused_in_a_sentence() {
    let changed = |name: &str, array: Option<Vec<u8>>| {
        let mut arrays = neurons_first();
        arrays.retain(|(found, _)| *found != name);
        if let Some(array) = array {
            arrays.push((Box::leak(name.to_owned().into_boxed_str()), array));
        }
        let (_folder, path) = npz(&arrays);
        SpikeSession::open(&path).expect_err("refused").to_string()
    };
    let none = changed("spikes", None);
    assert!(none.contains("no array `counts`") && none.contains("Cori.npz"), "{none}");
    assert!(changed("bin_s", None).contains("`bin_s`"));
    assert!(changed("bin_s", Some(npy("<f4", "()", &0f32.to_le_bytes()))).contains("bins of 0 s"));
    assert!(changed("spikes", Some(npy("|u1", "(2, 12)", &[0; 24]))).contains("three axes"));
    assert!(changed("spikes", Some(npy("|i1", "(2, 3, 4)", &[0; 24]))).contains("|i1"));
    assert!(changed("spikes", Some(npy("|u1", "(2, 3, 5)", &[0; 24]))).contains("fewer than the 30 bytes"));
    assert!(changed("spikes", Some(npy("|u1", "(2, 3, 3)", &[0; 24]))).contains("more than the 18 bytes"));
    let huge = "(18446744073709551615, 18446744073709551615, 2)";
    assert!(changed("spikes", Some(npy("|u1", huge, &[0; 24]))).contains("cannot be unpacked"));
    assert!(changed("spikes", Some(npy("|u1", "(0, 3, 4)", &[]))).contains("no recording"));
    let empty = "(0, 1152921504606846976, 1152921504606846976)";
    assert!(changed("spikes", Some(npy("|u1", empty, &[]))).contains("no recording"));
    assert!(changed("regions", Some(npy("<U0", "(1152921504606846976,)", &[]))).contains("cannot be unpacked"));
    assert!(changed("test_trials", Some(npy("<i4", "(1,)", &2i32.to_le_bytes()))).contains("names trial 2"));
    assert!(changed("test_trials", Some(npy("<i4", "(1,)", &(-1i32).to_le_bytes()))).contains("has -1"));
    assert!(changed("heldout_neurons", Some(npy("<i4", "(1,)", &3i32.to_le_bytes()))).contains("below 3"));
    assert!(changed("choice", Some(npy("|i1", "(2,)", &[1, 2]))).contains("trial 1 is 2"));
    assert!(changed("wheel", Some(npy("<f4", "(2,)", &[0; 8]))).contains("[trial, bin]"));
    assert!(changed("regions", Some(npy("<U1", "(2,)", &[0; 8]))).contains("2 names for 3 neurons"));
    assert!(changed("regions", Some(npy("<U1", "(3,)", &[255; 12]))).contains("text"));
    assert!(changed("split_seed", Some(npy("<i4", "()", &[0; 4]))).contains("u64"));
    assert!(changed("rates", Some(npy("<f4", "(1,)", &[0; 4]))).contains("shape of `counts`"));
}

#[test]
fn damaged_files_never_panic() {
    let (_folder, path) = npz(&neurons_first());
    let bytes = std::fs::read(&path).expect("there");
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x5A;
        std::fs::write(&path, &damaged).expect("written");
        drop(SpikeSession::open(&path));
        if place % 10 == 0 {
            std::fs::write(&path, &bytes[..place]).expect("written");
            assert!(SpikeSession::open(&path).is_err(), "cut to {place} bytes");
        }
    }
    let missing = SpikeSession::open(&path.with_file_name("nothing.npz"));
    assert!(matches!(missing, Err(SpikeError::Array(_))));
}

#[test]
fn columns_with_reserved_names_are_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["counts", "", "a/b"] {
        let mut session = one();
        session.columns.insert(name.to_owned(), vec![0.0; 12]);
        let error = session.save(&folder.path().join("session.npz")).expect_err("refused").to_string();
        assert!(error.contains("cannot be named"), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
}

#[test]
fn validation_trials_are_drawn_from_those_for_training() {
    let mut session = one();
    session.split = Split { train: (0..10).collect(), test: vec![10, 11], ..Split::default() };
    session.draw_validation(0.3, 5);
    let Split { train, validation, test, seed } = session.split.clone();
    assert_eq!((train.len(), validation.len(), test, seed), (7, 3, vec![10, 11], Some(5)));
    assert_eq!(session.split.check(12), Ok(()));
    assert_eq!(session.keep_trials(|trial| trial % 2 == 0), 6);
    assert!(session.split.train.iter().all(|trial| trial % 2 == 0));
}

#[test]
fn regions_are_labelled_in_the_order_of_their_names() {
    let mut session = one();
    let names = ["MOs", "CA1", "VISp", "CA1"];
    session.regions = names.map(str::to_owned).to_vec();
    let (labels, sorted) = session.region_labels();
    assert_eq!((&labels[..], sorted.join(" ")), (&[1, 0, 2, 0][..], "CA1 MOs VISp".to_owned()));
}

#[test]
fn an_animal_is_the_same_whatever_others_there_are() {
    let two = small().sessions().expect("good");
    let three = SpikeSimulation { animals: 3, ..small() }.sessions().expect("good");
    assert_eq!(two[..], three[..2]);
    assert_ne!(two[0].counts, two[1].counts);
    let other = SpikeSimulation { seed: 7 | 1 << 63, ..small() }.sessions().expect("good");
    assert_ne!(two[0].rates, other[0].rates, "the highest bit of the seed counts");
}

/// Correlation of two rows of numbers.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let product =
        |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}

#[test]
fn spikes_are_poisson_with_the_rates_that_are_kept() {
    let session = SpikeSimulation { animals: 1, ..SpikeSimulation::default() }.sessions().expect("good").remove(0);
    let (counts, rates) = (session.counts.all(), session.rates.clone().expect("simulated"));
    let (mut sum, mut variance, mut expected) = (0.0, 0.0, 0.0);
    for (&count, &rate) in counts.values().iter().zip(rates.values()) {
        let (count, rate) = (f64::from(count), f64::from(rate));
        sum += count;
        expected += rate;
        variance += (count - rate).powi(2);
    }
    // 70,000 and more spikes: four standard errors are 1.5 % of the sum; the variance has a longer tail.
    assert!(
        (sum / expected - 1.0).abs() < 0.015 && (variance / expected - 1.0).abs() < 0.03,
        "{sum} {variance} {expected}"
    );
    let log_rates = Binned::from_fn(rates.shape(), |t, b, n| rates.at(t, b, n).ln());
    let score = bits_per_spike(&log_rates, &counts).expect("good");
    assert!(score.pooled.is_some_and(|bits| bits > 0.3), "{:?}: there is something to predict", score.pooled);
    assert!(trial_average_r2(&log_rates, &counts).expect("good").iter().flatten().sum::<f64>() > 0.0);
}

#[test]
fn every_region_hears_the_shared_latents_later_than_the_one_before() {
    let simulation = SpikeSimulation {
        animals: 1,
        neurons: (60, 60),
        delay_bins: 3,
        own_weight: 0.0,
        drive: 0.0,
        turn_bins: 1e9,
        ..SpikeSimulation::default()
    };
    let session = simulation.sessions().expect("good").remove(0);
    let rates = session.rates.clone().expect("simulated");
    let (labels, _) = session.region_labels();
    // The mean size of the correlation between a neuron of one region and a later bin of one of the next.
    let lagged = |lag: usize| {
        let row = |neuron: usize, from: usize, bins: usize| -> Vec<f64> {
            let place = |trial| (from..from + bins).map(move |bin| (trial, bin));
            (0..100).flat_map(place).map(|(trial, bin)| f64::from(rates.at(trial, bin, neuron)).ln()).collect()
        };
        let (mut sum, mut pairs) = (0.0, 0);
        for a in (0..60).filter(|&a| labels[a] == 0).step_by(3) {
            for b in (0..60).filter(|&b| labels[b] == 1).step_by(3) {
                sum += correlation(&row(a, 0, 40), &row(b, lag, 40)).abs();
                pairs += 1;
            }
        }
        sum / f64::from(pairs)
    };
    let lags: Vec<f64> = (0..7).map(lagged).collect();
    let best = (0..7).max_by(|&a, &b| lags[a].total_cmp(&lags[b]));
    assert_eq!(best, Some(3), "{lags:?}");
}

#[test]
fn choice_follows_the_stimulus_and_the_wheel_the_spikes() {
    let session = SpikeSimulation { animals: 1, ..SpikeSimulation::default() }.sessions().expect("good").remove(0);
    let side = &session.columns["contrast_side"];
    let choice = session.choice.clone().expect("simulated");
    let strong: Vec<usize> = (0..side.len()).filter(|&trial| side[trial].abs() == 1.0).collect();
    let right = strong.iter().filter(|&&trial| f32::from(choice[trial]) == side[trial]).count();
    assert!(right as f64 > 0.9 * strong.len() as f64, "{right} of {}", strong.len());
    let wheel: Vec<f64> = session.wheel.clone().expect("simulated").into_iter().map(f64::from).collect();
    let rates = session.rates.clone().expect("simulated");
    let best = (0..rates.neurons() / 4)
        .map(|neuron| {
            let row: Vec<f64> =
                rates.values().iter().skip(neuron).step_by(rates.neurons()).map(|&r| f64::from(r).ln()).collect();
            correlation(&row, &wheel).abs()
        })
        .fold(0.0, f64::max);
    assert!(best > 0.5, "{best}");
}

#[test]
fn impossible_simulations_are_refused() {
    for (simulation, key) in [
        (SpikeSimulation { animals: 0, ..small() }, "animals"),
        (SpikeSimulation { neurons: (9, 8), ..small() }, "neurons"),
        (SpikeSimulation { persistence: 1.0, ..small() }, "persistence"),
        (SpikeSimulation { persistence: f64::NAN, ..small() }, "persistence"),
        (SpikeSimulation { shared: 1, ..small() }, "shared"),
        (SpikeSimulation { trials: 100_000, bins: 10_000, ..small() }, "trials"),
        (SpikeSimulation { mean_count: 0.0, ..small() }, "mean_count"),
    ] {
        assert!(simulation.sessions().is_err_and(|e| e.to_string().contains(key)), "{key}");
    }
}

#[test]
fn counts_are_turned_into_numbers_trial_by_trial() {
    let counts = Counts::new(2, 2, 2, (0..8).collect()).expect("eight");
    assert_eq!(counts.of_trials(&[1, 0]).values(), [4.0, 5.0, 6.0, 7.0, 0.0, 1.0, 2.0, 3.0]);
    assert!(Counts::new(2, 2, 2, vec![0; 7]).is_none());
}

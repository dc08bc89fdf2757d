//! Published numbers of real recordings, where these lie beside the repository; elsewhere each test says that it was
//! skipped. `TWINSCOPE_RECORDINGS` names another folder.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use twinscope::analysis::reliability::{Freedom, NoCeiling, UnitRepeats, cc_abs, cc_norm, ceiling};
use twinscope::analysis::selectivity::{global_dsi, preferred_direction_deg};
use twinscope::analysis::statistics::moments::median;
use twinscope::analysis::statistics::{Alternative, mann_whitney};
use twinscope::comparison::{ORIENTED, Pairs};
use twinscope::data::spikes::SpikeSession;
use twinscope::evaluation::spikes::{SpikeEvaluation, SpikeSelection, Task};
use twinscope::job::Progress;

use crate::gpu::say_skipped;

/// A folder of recordings, or none, which is said.
fn recordings(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("TWINSCOPE_RECORDINGS").map_or_else(beside, PathBuf::from).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    say_skipped(&format!("the recording {name} is not at {}; TWINSCOPE_RECORDINGS names its folder", folder.display()));
    None
}

fn json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).expect("it lies beside the recording");
    serde_json::from_str(&text).expect("JSON")
}

/// Shape and values of one array of a `.npz` file.
fn array(path: &Path, name: &str) -> (Vec<usize>, Vec<u8>) {
    let file = std::fs::File::open(path).expect("a recording");
    let mut archive = zip::ZipArchive::new(file).expect("a zip file");
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy")).expect("the array").read_to_end(&mut bytes).expect("whole");
    let array = npyz::NpyFile::new(&bytes[..]).expect("an array");
    let shape = array.shape().iter().map(|&n| n as usize).collect();
    (shape, array.into_vec::<u8>().expect("bytes"))
}

/// Rows of a table by the names of its columns.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is {}", row[column]))
}

/// Golden numbers have so many decimals.
#[track_caller]
fn rounded(found: f64, expected: f64, decimals: i32, what: &str) {
    let tolerance = 0.51 * 10f64.powi(-decimals);
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

/// Macaque V1, counts of repeated movies (Hénaff et al. 2021).
#[test]
fn ceilings_of_macaque_v1_are_those_of_the_formula_by_schoppe() {
    let Some(folder) = recordings("henaff2021_v1_natvideo") else { return };
    let golden = json(&folder.join("golden_ccmax.json"));
    let mut checked = 0;
    for (name, golden) in golden["populations"].as_object().expect("populations") {
        let (shape, counts) = array(&folder.join(format!("{name}.npz")), "counts");
        let (units, stored) = (shape[4], shape[5]);
        let frames = shape[..4].iter().product::<usize>();
        let repeats = golden["n_repeats"].as_u64().expect("a number") as usize;
        // Repeats from some on, every so many; the first of them are valid for every frame.
        let responses = |unit: usize, from: usize, step: usize| {
            let kept: Vec<usize> = (from..repeats).step_by(step).collect();
            let at = |repeat: usize, frame: usize| f64::from(counts[(frame * units + unit) * stored + repeat]);
            let values = kept.iter().flat_map(|&repeat| (0..frames).map(move |frame| at(repeat, frame))).collect();
            UnitRepeats::new(kept.len(), frames, values).expect("as many values")
        };
        for unit in 0..units {
            let what = |quantity: &str| format!("{quantity} of unit {unit} of {name}");
            // The golden numbers have every variance over T - 1; a signal power below 0 stands as a ceiling of 0.
            let most = match ceiling(&responses(unit, 0, 1), Freedom::Consistent) {
                Err(NoCeiling::Unreliable) => 0.0,
                found => found.expect("a ceiling"),
            };
            rounded(most, golden["cc_max"][unit].as_f64().expect("a number"), 5, &what("CC_max"));
            let (even, odd) = (responses(unit, 0, 2), responses(unit, 1, 2));
            let model: Vec<f64> = even.mean().into_iter().map(|mean| mean.expect("measured")).collect();
            let model = UnitRepeats::new(1, frames, model).expect("a mean");
            let abs = cc_abs(&model, &odd);
            let expected = golden["even_odd_cc_abs"][unit].as_f64().expect("a number");
            rounded(abs.expect("defined"), expected, 5, &what("CC_abs"));
            let norm = cc_norm(abs, ceiling(&odd, Freedom::Consistent).ok());
            match golden["even_odd_cc_norm"][unit].as_f64() {
                // Values above 1 have as many decimals.
                Some(expected) => rounded(norm.expect("defined"), expected, 5, &what("CC_norm")),
                None => assert_eq!(norm, None, "{}", what("CC_norm")),
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 39 + 47 + 66);
}

/// Macaque MT, random dots (Gold laboratory).
#[test]
fn direction_tuning_and_neurometric_curves_of_macaque_mt_are_reproduced() {
    let Some(folder) = recordings("gold_mt_rdk") else { return };
    let golden = json(&folder.join("golden.json"));
    let trials = table(&folder.join("trials.csv"));
    for (cell, golden) in golden.as_object().expect("cells") {
        let of = |block: &'static str| trials.iter().filter(move |row| row["cell"] == *cell && row["block"] == block);
        let tuning = golden["dir_tuning"].as_object().expect("a curve");
        let mut curve: Vec<(f64, f64)> = Vec::new();
        for (direction, expected) in tuning {
            let direction: f64 = direction.parse().expect("degrees");
            let rates: Vec<f64> = of("direction")
                .filter(|row| number(row, "dot_dir") == direction)
                .map(|row| number(row, "rate_hz"))
                .collect();
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            rounded(mean, expected.as_f64().expect("a rate"), 3, &format!("cell {cell} at {direction}"));
            curve.push((direction, mean));
        }
        curve.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (directions, rates): (Vec<f64>, Vec<f64>) = curve.into_iter().unzip();
        let known = |key: &str| golden[key].as_f64().expect("a number");
        let dsi = global_dsi(&directions, &rates).expect("defined");
        rounded(f64::from(dsi), known("gDSI"), 4, &format!("gDSI of cell {cell}"));
        let preferred = preferred_direction_deg(&directions, &rates).expect("defined");
        rounded(f64::from(preferred), known("pref_dir_deg"), 2, &format!("direction of cell {cell}"));
        // Area under the ROC of preferred against opposite motion: U over the number of pairs.
        for (coherence, expected) in golden["neurometric_roc"].as_object().expect("a curve") {
            let coherence: f64 = coherence.parse().expect("percent");
            let here = || of("coherence").filter(|row| number(row, "dot_coh") == coherence);
            // Single trials of other directions strayed into the block.
            let rates = |direction: f64| -> Vec<f64> {
                here().filter(|row| number(row, "dot_dir") == direction).map(|row| number(row, "rate_hz")).collect()
            };
            let preferred = known("rdk_pref");
            let (preferred, null) = (rates(preferred), rates((preferred + 180.0) % 360.0));
            assert_eq!((preferred.len() + null.len()) as u64, expected[1].as_u64().expect("a count"));
            let test = mann_whitney(&preferred, &null, Alternative::TwoSided).expect("two groups");
            let area = test.statistic / (preferred.len() * null.len()) as f64;
            let what = format!("ROC of cell {cell} at {coherence} %");
            rounded(area, expected[0].as_f64().expect("an area"), 4, &what);
        }
    }
}

/// Units of the MICrONS mouse, measured in silico and in vivo (Ding et al. 2025).
#[test]
fn selectivity_in_silico_follows_that_in_vivo_as_published() {
    let Some(folder) = recordings("microns_units") else { return };
    let rows = table(&folder.join("microns_nodes_sample50.csv"));
    let pairs = |label, keys: [&str; 2], period, taken: &dyn Fn(&BTreeMap<String, String>) -> bool| Pairs {
        label,
        key: label,
        unit: "",
        period,
        among: "",
        points: (rows.iter().filter(|row| taken(row)).enumerate())
            .map(|(unit, row)| (unit, number(row, keys[0]), number(row, keys[1])))
            .collect(),
    };
    let osi = pairs("gosi", ["gosi_iv", "gosi_cvt_monet_full"], None, &|_| true);
    assert_eq!(osi.n(), 50);
    rounded(osi.correlation(1).expect("50 units").value, 0.79, 2, "r of gOSI");
    let oriented = |row: &BTreeMap<String, String>| number(row, "gosi_cvt_monet_full") > f64::from(ORIENTED);
    let preferred = pairs("orientation", ["pref_ori_iv", "pref_ori_cvt_monet_full"], Some(180.0), &oriented);
    let error = preferred.median_error(1).expect("oriented units").value;
    rounded(error, 3.5, 1, "median difference of preferred orientations");

    let units = table(&folder.join("statstable_4_7.csv"));
    let column = |name: &str| -> Vec<f64> { units.iter().map(|row| number(row, name)).collect() };
    assert_eq!(units.len(), 509);
    rounded(median(&column("gOSI")).expect("units"), 0.24, 2, "median gOSI");
    assert_eq!(column("gOSI").iter().filter(|&&index| index > f64::from(ORIENTED)).count(), 237);
    rounded(median(&column("cc_abs")).expect("units"), 0.46, 2, "median CC_abs");
}

/// Visual cortex of mice, counts around the onset of a grating (Steinmetz et al. 2019).
#[test]
fn the_mean_response_predicts_held_out_neurons_as_well_as_that_of_numpy() {
    let Some(folder) = recordings("steinmetz2019_v1") else { return };
    let golden = json(&folder.join("golden.json"));
    let selection = SpikeSelection { tasks: vec![Task::HeldOut], resamples: 1, ..SpikeSelection::default() };
    for (name, golden) in golden["sessions"].as_object().expect("sessions") {
        let session = SpikeSession::open(&folder.join(format!("{name}.npz"))).expect("a session");
        assert_eq!(session.counts.neurons() as u64, golden["neurons"].as_u64().expect("a count"), "{name}");
        let (progress, mut scores) = (Progress::new(), Vec::new());
        let evaluation = SpikeEvaluation::of(&session, &[], &selection, &progress, &mut |score| {
            scores.push(score.clone());
            // The regression that comes next is another one than the golden numbers have.
            progress.cancel();
        });
        assert!(evaluation.is_err(), "{name}: it was stopped before the regression");
        let [score] = &scores[..] else { panic!("{name}: {} scores", scores.len()) };
        assert_eq!(score.arm, "PSTH");
        let expected = golden["co_bps_psth"].as_f64().expect("bits per spike");
        rounded(score.bits.pooled.expect("spikes"), expected, 3, &format!("bits per spike of {name}"));
    }
}

//! `twinscope spikes` as a user runs it.

use twinscope::data::spikes::SpikeSession;

use super::{refuses, succeeds, text};

const ALF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/alf/mouse-7/2020-01-02/001");
const NWB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/nwb/sorted.nwb");

#[test]
fn a_recording_is_shown_converted_and_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("mouse.npz");
    let shown = succeeds(&["spikes", "show", ALF]);
    for line in [
        "format     ALF folder (International Brain Laboratory)",
        "session    mouse-7_2020-01-02_001",
        "neurons    5 (ACAd 1, CA1 1, LP 1, MOs 1, VISp5 1)",
        "bins       100 of 20 ms, from -0.5 s to 1.500 s after the event",
        "note       aligned to `stimOn_times`",
        "note       1 of 12 trials have no such event and were left out",
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}\n{shown}");
    }
    let window = ["--from-s", "-0.2", "--to-s", "0.4", "--bin-ms", "50", "--align", "stim_on_time"];
    let rest = ["--keep", "choice != 0", "--seed", "7", "--session", "m", "-o", text(&out)];
    let told = succeeds(&[&["spikes", "convert", NWB][..], &window[..], &rest[..]].concat());
    assert!(told.lines().last().is_some_and(|last| last == text(&out)), "{told}");
    let session = SpikeSession::open(&out).expect("written");
    assert_eq!((session.id.as_str(), session.counts.shape()), ("m", [19, 12, 4]));
    assert_eq!((session.first_bin_secs, session.bin_secs, session.split.seed), (-0.2, 0.05, Some(7)));
    let again = succeeds(&["spikes", "show", text(&out)]);
    assert!(again.contains("session    m") && again.contains("counts in trials (.npz)"), "{again}");

    for (arguments, says) in [
        (&["spikes", "convert", NWB, "-o", "x.csv"][..], ".npz files"),
        (&["spikes", "show", text(&out), "--bin-ms", "50"][..], "in trials and bins already"),
        (&["spikes", "show", NWB, "--bin-ms", "30"][..], "whole number of bins"),
        (&["spikes", "show", NWB, "--align", "reward"][..], "one of start_time, stop_time, stim_on_time"),
        (&["spikes", "show", "nothing"][..], "could not be read"),
    ] {
        let error = refuses(arguments);
        assert!(error.contains(says), "{error}");
    }
}

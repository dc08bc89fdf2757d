//! `twinscope simulate` as a user runs it.

use super::evaluate::PROTOCOL;
use super::{succeeds, text, twinscope};

#[test]
fn noise_is_as_strong_as_was_asked() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let (protocol, out) = (scratch.path().join("p.toml"), scratch.path().join("mice"));
    std::fs::write(&protocol, PROTOCOL).expect("a writable folder");
    let simulate = ["simulate", "--protocol", text(&protocol), "--units", "2", "--test-movies", "1"];
    let with = |noise| [&simulate[..], &["--test-repeats", "1", "--noise", noise, "-o", text(&out)]].concat();
    for (noise, expected) in [
        ("poisson", "Poisson, 1 count in a frame on average"),
        ("poisson:4.5", "Poisson, 4.5 counts in a frame on average"),
        ("calcium", "calcium, 0.4 s decay, signal-to-noise ratio 1"),
        ("calcium:2", "calcium, 0.4 s decay, signal-to-noise ratio 2"),
        ("calcium:0.5,1.25s", "calcium, 1.25 s decay, signal-to-noise ratio 0.5"),
        ("none", "none"),
    ] {
        succeeds(&with(noise));
        let about = std::fs::read_to_string(out.join("mouse-1/session.toml")).expect("written");
        assert!(about.contains(&format!("noise = \"{expected}\"")), "{noise}: {about}");
        std::fs::remove_dir_all(&out).expect("our own folder");
    }
    for (noise, why) in [
        ("poisson:0", "the count in a frame is 0, expected 0.001 to 100"),
        ("poisson:many", "`many` is no number"),
        ("calcium:nan", "the signal-to-noise ratio is NaN, expected 0.001 to 1000000"),
        ("calcium:2,0.4", "expected the decay in seconds, such as 0.4s"),
        ("calcium:2,400s", "the time constant of calcium in seconds is 400, expected 0.001 to 10"),
        ("none:1", "expected poisson, poisson:COUNTS, calcium, calcium:SNR"),
    ] {
        let output = twinscope(&with(noise));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(why), "{noise}: {said}");
        assert!(!out.exists(), "{noise}: nothing was written");
    }
}

//! The baselines, held against simulated mice: what they can learn and what they cannot.

use std::f64::consts::TAU;

use twinscope::data::simulated::{CellKind, Mouse, Noise, behavior};
use twinscope::job::Progress;
use twinscope::model::baseline::{ConvolutionalGru, GruConfig, LinearNonlinear, LnConfig};
use twinscope::signals::{Behavior, Monitor, Movie, Raster, Responses};
use twinscope::training::Clip;
use twinscope::training::baseline::GruTraining;

const RASTER: Raster = Raster { height: 36, width: 64 };

/// A number in 0..1 for two counters.
fn chance(seed: u64, counter: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ counter.wrapping_mul(0xD1B5_4A32_D192_ED03);
    for _ in 0..3 {
        x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    (x >> 11) as f64 / (1u64 << 53) as f64
}

/// A clip that drives every unit: waves of all orientations, with more power in the slow ones, that drift at many
/// speeds, behind discs that move on their own. What moves changes every two seconds.
fn lively(seed: u64, frames: usize) -> Movie {
    let (height, width) = (RASTER.height, RASTER.width);
    let mut pixels = Vec::with_capacity(frames * height * width);
    for frame in 0..frames {
        let (scene, secs) = (seed.wrapping_mul(1000) + frame as u64 / 60, (frame % 60) as f64 / 30.0);
        let mut picture = vec![0.0f32; height * width];
        let (mut vertical, mut horizontal) = (vec![(0.0f32, 0.0f32); height], vec![(0.0f32, 0.0f32); width]);
        for wave in 0..20 {
            let draw = |what: u64| chance(scene, 100 * wave + what);
            let angle = TAU * draw(0);
            // Cycles per pixel of two degrees.
            let frequency = 0.02 * 8f64.powf(draw(1));
            let speed = 0.3 * 20f64.powf(draw(2));
            let turn = TAU * (draw(3) + speed * secs);
            let amplitude = (0.5 * (0.02 / frequency).powf(0.6)) as f32;
            let at = |step: f64, size: usize, start: f64| {
                move |place: usize| {
                    let (sin, cos) = (start + TAU * frequency * step * (place as f64 - size as f64 / 2.0)).sin_cos();
                    (sin as f32, cos as f32)
                }
            };
            vertical.iter_mut().enumerate().for_each(|(i, v)| *v = at(angle.sin(), height, turn)(i));
            horizontal.iter_mut().enumerate().for_each(|(i, v)| *v = at(angle.cos(), width, 0.0)(i));
            for (line, &(sin, cos)) in picture.chunks_exact_mut(width).zip(&vertical) {
                let (sin, cos) = (amplitude * sin, amplitude * cos);
                line.iter_mut().zip(&horizontal).for_each(|(value, (s, c))| *value += cos * c - sin * s);
            }
        }
        for disc in 0..8 {
            let draw = |what: u64| chance(scene, 10_000 + 100 * disc + what);
            let radius = 2.0 + 6.0 * draw(0).powi(2);
            let place = |what: u64, size: usize| {
                (draw(what) * size as f64 + 40.0 * (draw(what + 1) - 0.5) * secs).rem_euclid(size as f64)
            };
            let (y, x, grey) = (place(1, height), place(3, width), 2.4 * draw(5) - 1.2);
            for row in (y - radius).max(0.0) as usize..((y + radius) as usize + 1).min(height) {
                for column in (x - radius).max(0.0) as usize..((x + radius) as usize + 1).min(width) {
                    if (row as f64 - y).hypot(column as f64 - x) < radius {
                        picture[row * width + column] = grey as f32;
                    }
                }
            }
        }
        pixels.extend(picture.iter().map(|value| (128.0 + 64.0 * value).round().clamp(0.0, 255.0) as u8));
    }
    Movie::new(RASTER, frames, 1, pixels).expect("whole frames")
}

/// What a simulated mouse was shown and answered.
struct Recording {
    clips: Vec<Clip>,
    /// True rates of each clip.
    rates: Vec<Responses>,
}

/// The units of one kind in a mouse, and its recordings of clips of 10 s with these seeds.
fn recordings(
    mouse: u64,
    units: usize,
    kind: Option<CellKind>,
    parts: &[std::ops::Range<u64>],
) -> (Mouse, Vec<usize>, Vec<Recording>) {
    let monitor = Monitor::WANG2025.with_raster(RASTER);
    let mut mouse = Mouse::new(mouse, units).with_drift(0.0);
    let (mut first, frames) = (lively(4242, 900), 300);
    let some = behavior(mouse.seed(), 900, monitor.frame_rate);
    mouse.calibrate(&monitor, &mut first, &some, &Progress::new()).expect("a movie for this monitor");
    let chosen: Vec<usize> =
        (0..units).filter(|&unit| kind.is_none_or(|kind| mouse.units()[unit].kind == kind)).collect();
    let pick = |responses: &Responses| {
        let row = |time: usize| chosen.iter().map(move |&unit| responses.row(time, 0)[unit]);
        let values = (0..frames).flat_map(row).collect();
        Responses::new(frames, 1, chosen.len(), values).expect("a value each")
    };
    let record = |seeds: &std::ops::Range<u64>| {
        let each = seeds.clone().map(|seed| {
            let mut movie = lively(seed, frames);
            let behavior = behavior(1000 + seed, frames, monitor.frame_rate);
            let rates = mouse.rates(&monitor, &mut movie, &behavior, &Progress::new()).expect("for this monitor");
            let rates = pick(&rates);
            let noisy = Noise::default().record(&rates, monitor.frame_rate, &vec![1.0; chosen.len()], seed);
            (Clip::new(movie, behavior, noisy).expect("one recording"), rates)
        });
        let (clips, rates) = each.unzip();
        Recording { clips, rates }
    };
    let recordings = parts.iter().map(record).collect();
    (mouse, chosen, recordings)
}

/// Correlation of each unit's responses with its true rate, over all clips without their first second.
fn correlations(recording: &Recording, responses: impl Fn(&Movie, &Behavior) -> Responses) -> Vec<f64> {
    let answers: Vec<Responses> = recording.clips.iter().map(|clip| responses(clip.movie(), clip.behavior())).collect();
    let of_unit = |unit: usize| {
        let late = |responses: &Responses| responses.trace(0, unit).skip(30).collect::<Vec<f32>>();
        let pairs = recording.rates.iter().zip(&answers).flat_map(|(a, b)| late(a).into_iter().zip(late(b)));
        let pairs: Vec<(f64, f64)> = pairs.map(|(a, b)| (f64::from(a), f64::from(b))).collect();
        let n = pairs.len() as f64;
        let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / n, y + b / n));
        let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(a, b)| f(a - x, b - y)).sum::<f64>();
        let spread = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
        if spread > 0.0 { sum(&|a, b| a * b) / spread } else { 0.0 }
    };
    (0..recording.rates[0].units()).map(of_unit).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    assert!(!values.is_empty(), "a median of something");
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A model of 18 x 32 pixels that is fitted in a second.
fn quick() -> LnConfig {
    LnConfig { penalties: vec![1e-2, 4e-2], evaluations: 25, ..LnConfig::default() }
}

fn fit(recordings: &[Recording]) -> LinearNonlinear {
    let [training, validation, ..] = recordings else { panic!("clips to learn from and clips to choose by") };
    LinearNonlinear::fit(&training.clips, &validation.clips, &quick(), &Progress::new()).expect("clips of one mouse")
}

#[test]
fn a_linear_nonlinear_model_finds_the_filters_of_simple_cells() {
    let (mouse, chosen, recordings) = recordings(3, 24, Some(CellKind::Simple), &[0..14, 500..503, 600..603]);
    let model = fit(&recordings);
    let found = correlations(&recordings[2], |movie, behavior| model.responses(movie, behavior).expect("a pair"));
    // Two minutes are little.
    assert!(median(found.clone()) > 0.55, "{found:.3?}");
    let raster = model.config().raster;
    let monitor = Monitor::WANG2025.with_raster(raster);
    let errors: Vec<f64> = chosen
        .iter()
        .enumerate()
        .map(|(row, &unit)| {
            let mut energy = vec![0.0f64; raster.pixels()];
            for frame in model.filter(row).chunks_exact(raster.pixels()) {
                energy.iter_mut().zip(frame).for_each(|(sum, value)| *sum += f64::from(*value).powi(2));
            }
            // Squared once more: the rest of the picture is weak but wide.
            let (mut centre, mut whole) = ([0.0; 2], 0.0);
            for (pixel, energy) in energy.iter().enumerate() {
                let (x, y) = monitor.degrees_from_pixel((pixel / raster.width) as f64, (pixel % raster.width) as f64);
                let weight = energy * energy;
                (centre[0], centre[1], whole) = (centre[0] + weight * x, centre[1] + weight * y, whole + weight);
            }
            let truth = mouse.units()[unit].centre_deg;
            (centre[0] / whole - truth[0]).hypot(centre[1] / whole - truth[1])
        })
        .collect();
    // A pixel has 3.9 degrees.
    assert!(median(errors.clone()) < 6.0, "{errors:.1?}");
}

#[test]
fn a_network_sees_in_complex_cells_what_a_linear_nonlinear_model_cannot() {
    let (_, _, recordings) = recordings(3, 16, Some(CellKind::Complex), &[0..12, 500..502, 600..603]);
    let (linear, network) = (fit(&recordings), train(&recordings, 40, 1));
    let answers = |movie: &Movie, behavior: &Behavior| linear.responses(movie, behavior).expect("a pair");
    let linear = median(correlations(&recordings[2], answers));
    let answers = |movie: &Movie, behavior: &Behavior| network.responses(movie, behavior).expect("a pair");
    let network = median(correlations(&recordings[2], answers));
    // Two minutes and 40 steps are a beginning.
    assert!(linear < 0.3 && network > linear + 0.1, "linear {linear:.3}, network {network:.3}");
}

/// A network of 18 x 32 pixels that is trained in seconds.
fn small() -> GruConfig {
    GruConfig {
        raster: Raster { height: 18, width: 32 },
        frames: 6,
        channels: vec![16, 16],
        kernels: vec![5, 3],
        strides: vec![2, 1],
        hidden: 16,
    }
}

fn train(recordings: &[Recording], steps: usize, seed: u64) -> ConvolutionalGru {
    let [training, validation, ..] = recordings else { panic!("clips to learn from and clips to choose by") };
    let how = GruTraining { steps, frames: 40, ..GruTraining::default() };
    ConvolutionalGru::fit(&training.clips, &validation.clips, &small(), &how, seed, &Progress::new())
        .expect("clips of one mouse")
}

#[test]
fn a_network_follows_from_its_seed_and_comes_back_from_its_file_to_the_bit() {
    let (_, _, recordings) = recordings(5, 6, None, &[0..2, 500..501]);
    let model = train(&recordings, 6, 3);
    assert!(model == train(&recordings, 6, 3), "the same seed");
    assert!(model != train(&recordings, 6, 4), "another seed");
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    assert!(model == alone.install(|| train(&recordings, 6, 3)), "one thread");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, other) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    model.save(&path).expect("writable");
    let again = ConvolutionalGru::load(&path).expect("what was written");
    assert!(again == model);
    let bytes = std::fs::read(&path).expect("there");
    let error = LinearNonlinear::load(&path).expect_err("another kind").to_string();
    assert!(error.contains("\"convolutional_gru\", expected \"linear_nonlinear\""), "{error}");
    for place in (0..bytes.len()).step_by(bytes.len() / 100).chain(0..300) {
        std::fs::write(&other, &bytes[..place]).expect("writable");
        ConvolutionalGru::load(&other).expect_err("cut short");
        let mut wrong = bytes.clone();
        wrong[place] ^= 0x5A;
        std::fs::write(&other, wrong).expect("writable");
        let _ = ConvolutionalGru::load(&other);
    }
}

#[test]
fn a_network_answers_alike_whether_a_movie_is_long_or_cut_short() {
    let (_, _, recordings) = recordings(5, 6, None, &[0..2, 500..501]);
    let model = train(&recordings, 6, 3);
    let clip = &recordings[0].clips[0];
    let whole = model.responses(clip.movie(), clip.behavior()).expect("a pair");
    // Blocks of 64 frames are computed at once: 70 frames end within the second one.
    let frames = 70;
    let movie = Movie::new(RASTER, frames, 1, clip.movie().pixels()[..frames * RASTER.pixels()].to_vec());
    let (gaze, state) = (0..frames).map(|t| (clip.behavior().gaze(t)[0], clip.behavior().state(t)[0])).unzip();
    let behavior = Behavior::new(frames, 1, gaze, state).expect("finite");
    let start = model.responses(&movie.expect("whole frames"), &behavior).expect("a pair");
    for time in 0..frames {
        // Products of other sizes may add in another order.
        let near = whole.row(time, 0).iter().zip(start.row(time, 0)).all(|(a, b)| (a - b).abs() <= 1e-5 * a.abs());
        assert!(near, "frame {time}: {:?}, not {:?}", start.row(time, 0), whole.row(time, 0));
    }
}

#[test]
fn a_linear_nonlinear_model_comes_back_from_its_file_to_the_bit() {
    let (_, _, recordings) = recordings(5, 6, None, &[0..2, 500..501]);
    let model = fit(&recordings);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, other) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
    model.save(&path).expect("writable");
    let again = LinearNonlinear::load(&path).expect("what was written");
    assert!(again == model);
    again.save(&other).expect("writable");
    let bytes = std::fs::read(&path).expect("there");
    assert!(bytes == std::fs::read(&other).expect("there"));
    // Whatever is cut off or turned over is refused or harmless, never a panic.
    for place in (0..bytes.len()).step_by(bytes.len() / 150).chain(0..300) {
        std::fs::write(&other, &bytes[..place]).expect("writable");
        LinearNonlinear::load(&other).expect_err("cut short");
        let mut wrong = bytes.clone();
        wrong[place] ^= 0x5A;
        std::fs::write(&other, wrong).expect("writable");
        let _ = LinearNonlinear::load(&other);
    }
}

#[test]
fn a_linear_nonlinear_model_sees_a_movie_as_a_whole_or_side_by_side() {
    let (_, _, recordings) = recordings(5, 6, None, &[0..2, 500..501]);
    let model = fit(&recordings);
    let clips = &recordings[0].clips;
    let (frames, size) = (300, RASTER.pixels());
    let pixels = (0..frames).flat_map(|t| clips.iter().flat_map(move |clip| clip.movie().frame(t))).copied().collect();
    let both = Movie::new(RASTER, frames, 2, pixels).expect("whole frames");
    assert_eq!(both.frame(0).len(), 2 * size);
    let pairs = |of: fn(&Behavior, usize) -> [f32; 2]| {
        (0..frames).flat_map(|t| clips.iter().map(move |clip| of(clip.behavior(), t))).collect::<Vec<_>>()
    };
    let behavior = Behavior::new(frames, 2, pairs(|b, t| b.gaze(t)[0]), pairs(|b, t| b.state(t)[0])).expect("finite");
    let whole = model.responses(&both, &behavior).expect("a pair");
    for (sample, clip) in clips.iter().enumerate() {
        let alone = model.responses(clip.movie(), clip.behavior()).expect("a pair");
        assert!((0..frames).all(|t| whole.row(t, sample) == alone.row(t, 0)));
    }
    let error = model.responses(&both, &Behavior::still(frames, 1)).expect_err("another number of samples");
    assert!(error.to_string().contains("300 frames of 2 samples"), "{error}");
}

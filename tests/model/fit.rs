//! Trainings of small twins on simulated mice.

use std::path::{Path, PathBuf};

use twinscope::data::Session;
use twinscope::data::simulated::{Noise, SimulateOptions, simulate};
use twinscope::experiment::Protocol;
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::TwinConfig;
use twinscope::model::weights;
use twinscope::signals::Raster;
use twinscope::training::{
    Adaptation, BatchRecipe, Lessons, OptimizerRecipe, Recipe, RecipeError, ScheduleRecipe, SgdClipConfig, StartRecipe,
    Training, TrainingError, ValidationRecipe,
};

use crate::gpu::gpu_for_minutes;

const CLIPS: &str = r#"
schema = 1
title = "Clips"
[timing]
lead_in_secs = 0.0
stimulus_secs = 2.0
blank_secs = 0.0
skip_secs = 0.3333
[repeats]
count = 9
seed = 5
[monitor]
raster = [18, 32]
[stimulus]
kind = "scene"
"#;

/// Simulated mice of a few units.
fn sessions(folder: &Path, mice: usize) -> Vec<PathBuf> {
    record(folder, SimulateOptions { mice, units: 6, seed: 3, held_out: Some(1), repeats: 2, ..Default::default() }, 9)
}

/// Mice that watch so many clips of 2 s.
fn record(folder: &Path, options: SimulateOptions, clips: usize) -> Vec<PathBuf> {
    let mut protocol = Protocol::from_toml(CLIPS, "clips").expect("a valid protocol");
    protocol.repeats.count = clips;
    let monitor = protocol.monitor(Raster { height: 18, width: 32 });
    simulate(&options, &protocol.schedule(&monitor), &[], &monitor, folder, &Progress::new()).expect("simulated")
}

fn open(folders: &[PathBuf]) -> Vec<Session> {
    folders.iter().map(|folder| Session::open(folder).expect("a session")).collect()
}

/// Far smaller than any useful twin.
fn tiny() -> TwinConfig {
    let mut config = TwinConfig::small();
    (config.perspective.height, config.perspective.width) = (12, 18);
    let f = &mut config.core.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4], vec![1], vec![1]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![3], vec![3], vec![1], 4);
    let r = &mut config.core.recurrent;
    (r.in_channels, r.out_channels, r.hidden_channels, r.common_channels) = (4, 4, 4, 4);
    config
}

fn recipe(steps: usize) -> Recipe {
    Recipe {
        seed: 11,
        batch: BatchRecipe { samples: 4, frames: 20, burnin_frames: 4, ..BatchRecipe::default() },
        schedule: ScheduleRecipe { steps, warmup_epochs: 4, ..ScheduleRecipe::default() },
        validation: ValidationRecipe { trials: 2, every: 4, patience: 0 },
        ..Recipe::default()
    }
}

fn begin(recipe: &Recipe, folders: &[PathBuf]) -> Training {
    Training::new(recipe, &tiny(), &open(folders), None, &ComputeDevice::Cpu, &Progress::new()).expect("it can begin")
}

fn finish(training: &mut Training, folder: &Path) -> Vec<PathBuf> {
    training.run(folder, &Progress::new(), &mut |_| {}).expect("it ends")
}

fn bytes(files: &[PathBuf]) -> Vec<Vec<u8>> {
    files.iter().map(|file| std::fs::read(file).expect("written")).collect()
}

/// A folder, sessions of two mice in it, and the optimizers.
fn with_optimizers(check: impl Fn(&Path, &[PathBuf], OptimizerRecipe)) {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = sessions(folder.path(), 2);
    for optimizer in [Recipe::default().optimizer, OptimizerRecipe::SgdClip(SgdClipConfig::default())] {
        let place = tempfile::tempdir_in(folder.path()).expect("a folder");
        check(place.path(), &folders, optimizer);
    }
}

#[test]
fn a_resumed_training_ends_as_an_uninterrupted_one_to_the_bit() {
    with_optimizers(|place, folders, optimizer| {
        let recipe = Recipe { optimizer, ..recipe(12) };
        let whole = bytes(&finish(&mut begin(&recipe, folders), &place.join("whole")));
        // The first stops when it is told of the second look: before the checkpoint of step 8 is written.
        let progress = Progress::new();
        let stop = progress.clone();
        let mut told = 0;
        let halted = begin(&recipe, folders).run(&place.join("parts"), &progress, &mut |_| {
            told += 1;
            if told == 2 {
                stop.cancel();
            }
        });
        assert!(matches!(halted, Err(TrainingError::Cancelled(_))), "{halted:?}");
        let mut second = begin(&recipe, folders);
        let parts = bytes(&finish(&mut second, &place.join("parts")));
        assert_eq!(second.rows().len(), 3, "the log goes on");
        assert!(parts == whole, "{optimizer:?}: the twins differ");
        assert_eq!(parts.len(), 2, "one twin for each mouse");
    });
}

#[test]
fn a_checkpoint_of_another_training_or_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = sessions(folder.path(), 1);
    let place = folder.path().join("out");
    finish(&mut begin(&recipe(4), &folders), &place);
    let refused = |recipe: &Recipe| {
        let result = begin(recipe, &folders).run(&place, &Progress::new(), &mut |_| {});
        result.expect_err("the checkpoint does not fit").to_string()
    };
    let error = refused(&Recipe { seed: 12, ..recipe(4) });
    assert!(error.contains("another recipe") && error.contains("checkpoint.safetensors"), "{error}");
    let file = place.join("checkpoint.safetensors");
    let whole = std::fs::read(&file).expect("written");
    for length in [0, 7, 100, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).expect("written");
        let error = refused(&recipe(4));
        assert!(error.contains("checkpoint.safetensors"), "{length}: {error}");
    }
}

#[test]
fn all_animals_have_one_core_and_readouts_of_their_own() {
    with_optimizers(|_, folders, optimizer| {
        let mut training = begin(&Recipe { optimizer, ..recipe(3) }, folders);
        let before = training.twins().expect("twins");
        (0..3).for_each(|_| assert!(training.step().expect("a step").is_finite()));
        let after = training.twins().expect("twins");
        for key in after[0].state.tensors.keys() {
            let [a, b] = [0, 1].map(|animal| &after[animal].state.tensors[key]);
            if key.starts_with("core.") || key.starts_with("modulation.lstm.") {
                assert_eq!(a, b, "{key} is shared");
            }
        }
        let differs = |key: &str| after[0].state.tensors[key] != after[1].state.tensors[key];
        assert!(differs("readout.feature.weights.0") && differs("perspective.monitor.center"));
        let learned = |key: &str| after[0].state.tensors[key] != before[0].state.tensors[key];
        assert!(learned("core.feedforward.out.weights.0") && learned("readout.feature.weights.0"));
    });
}

/// The same recipe takes the same steps on a graphics adapter: each tensor moves as far, in the same direction.
#[test]
fn a_training_on_the_gpu_takes_the_steps_of_one_on_the_cpu() {
    let Some(gpu) = gpu_for_minutes() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folders = sessions(folder.path(), 1);
    let recipe = Recipe {
        optimizer: OptimizerRecipe::SgdClip(SgdClipConfig::default()),
        batch: BatchRecipe { samples: 2, frames: 12, burnin_frames: 2, ..BatchRecipe::default() },
        validation: ValidationRecipe { trials: 2, every: 2, patience: 0 },
        ..recipe(2)
    };
    let learned = |device: &ComputeDevice, name: &str| {
        let mut training =
            Training::new(&recipe, &tiny(), &open(&folders), None, device, &Progress::new()).expect("it can begin");
        let start = training.twins().expect("twins").remove(0);
        let file = finish(&mut training, &folder.path().join(name)).remove(0);
        (training.rows()[0], start, weights::load(&file, None, None).expect("a twin"))
    };
    let (row, start, cpu) = learned(&ComputeDevice::Cpu, "cpu");
    let (on_gpu, _, gpu) = learned(&ComputeDevice::Gpu(gpu), "gpu");
    // Sums of f32 in another order; four digits of a mean over a clip are safe.
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * a.abs().max(1.0);
    assert!(near(row.objective, on_gpu.objective), "{row:?} {on_gpu:?}");
    let judged = [row, on_gpu].map(|row| row.validation_loss.expect("trials are kept for it"));
    assert!(near(judged[0], judged[1]), "{row:?} {on_gpu:?}");
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let mut moved = 0;
    for (key, tensor) in &cpu.state.tensors {
        let path = apart(&tensor.values, &start.state.tensors[key].values);
        moved += usize::from(path > 0.0);
        // Two steps of f32: one in a hundred of the way, beside the rounding of the values themselves.
        let rounding = 1e-6 * apart(&tensor.values, &vec![0.0; tensor.values.len()]);
        let off = apart(&tensor.values, &gpu.state.tensors[key].values);
        assert!(off <= 0.01 * path + rounding, "{key}: {off} off after {path}");
    }
    assert!(moved > 20, "only {moved} tensors learned");
}

#[test]
fn an_adapted_twin_keeps_the_core_and_learns_the_rest() {
    with_optimizers(|_, folders, optimizer| {
        let recipe = Recipe { optimizer, ..recipe(3) };
        let mut source = begin(&recipe, &folders[..1]);
        (0..3).for_each(|_| assert!(source.step().expect("a step").is_finite()));
        let twin = source.twins().expect("twins").remove(0);
        for inherit in [false, true] {
            let adaptation = Some(Adaptation { twin: &twin, inherit });
            let sessions = open(&folders[1..]);
            let cpu = ComputeDevice::Cpu;
            let new = Training::new(&recipe, &tiny(), &sessions, adaptation, &cpu, &Progress::new());
            let mut training = new.expect("it can begin");
            let start = training.twins().expect("twins").remove(0);
            (0..3).for_each(|_| assert!(training.step().expect("a step").is_finite()));
            let end = training.twins().expect("twins").remove(0);
            for (key, tensor) in &end.state.tensors {
                let kept = key.starts_with("core.") || key.starts_with("modulation.lstm.");
                if kept {
                    assert_eq!(*tensor, twin.state.tensors[key], "{key}");
                }
            }
            let eye = "perspective.monitor.center";
            assert_eq!(start.state.tensors[eye] == twin.state.tensors[eye], inherit);
            let learned = |key: &str| end.state.tensors[key] != start.state.tensors[key];
            assert!(
                learned(eye) && learned("readout.feature.weights.0") && learned("modulation.mlp.linears.0.weights.0")
            );
            assert_eq!(end.units, sessions[0].unit_ids());
        }
    });
}

#[test]
fn a_core_of_another_size_cannot_be_taken_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let folders = sessions(folder.path(), 1);
    let twin = weights::builtin();
    let adaptation = Some(Adaptation { twin: &twin, inherit: true });
    let sessions = open(&folders);
    let result = Training::new(&recipe(3), &tiny(), &sessions, adaptation, &ComputeDevice::Cpu, &Progress::new());
    let error = result.expect_err("other sizes").to_string();
    assert!(error.contains("core.") && error.contains("differ"), "{error}");
}

#[test]
fn clips_are_cut_from_training_trials_and_belong_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = open(&sessions(folder.path(), 1)).remove(0);
    let lessons = Lessons::new(&session, None, 20, 2).expect("lessons");
    assert_eq!((lessons.training().len(), lessons.validation().len()), (6, 2));
    let names = |lessons: &[twinscope::training::Lesson]| -> Vec<_> {
        lessons.iter().map(|lesson| lesson.trial().condition.clone()).collect()
    };
    let kept = names(lessons.validation());
    assert!(names(lessons.training()).iter().all(|name| !kept.contains(name)));
    let clip = lessons.draw(5, 20, 9).expect("a clip");
    assert_eq!(clip, lessons.draw(5, 20, 9).expect("a clip"), "a function of the seed");
    assert_ne!(clip, lessons.draw(5, 20, 10).expect("a clip"));
    for sample in 0..5 {
        // The responses tell where the clip is from; movie and behaviour must be from there.
        let found = lessons.training().iter().find_map(|lesson| {
            let record = lesson.record();
            let starts = 0..=lesson.trial().frames - 20;
            let same =
                |start: usize| (0..20).all(|t| clip.responses().row(t, sample) == record.responses.row(start + t, 0));
            starts.clone().find(|&start| same(start)).map(|start| (lesson, start))
        });
        let (lesson, start) = found.expect("the clip is from a training trial");
        let mut frame = vec![0; lessons.raster().pixels()];
        for time in 0..20 {
            lesson.trial().movie().expect("a movie").read(start + time, 1, &mut frame).expect("a frame");
            let size = frame.len();
            assert_eq!(clip.movie().frame(time)[sample * size..][..size], frame, "frame {time}");
            assert_eq!(clip.behavior().gaze(time)[sample], lesson.record().behavior.gaze(start + time)[0]);
        }
    }
}

#[test]
fn a_session_that_is_too_short_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = open(&sessions(folder.path(), 1)).remove(0);
    for (minutes, frames, validation) in [(None, 61, 0), (None, 20, 8), (Some(0.01), 20, 0)] {
        let error = Lessons::new(&session, minutes, frames, validation).expect_err("too short").to_string();
        assert!(error.contains("nothing is left to learn from"), "{error}");
    }
}

#[test]
fn more_minutes_than_a_session_has_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let session = open(&sessions(folder.path(), 1)).remove(0);
    // Eight trials of 2 s, and up to one more may be asked for.
    for (minutes, frames) in [(None, 20), (Some(0.2), 20), (Some(16.0 / 60.0), 20), (Some(0.29), 20), (Some(9.0), 61)] {
        Lessons::check_minutes(&session, minutes, frames).expect("enough");
    }
    let said = Lessons::check_minutes(&session, Some(0.31), 20).expect_err("too many").to_string();
    assert!(said.contains("there are 0.27 minutes to learn from") && said.contains("0.31 were asked for"), "{said}");
}

#[test]
fn a_twin_learns_a_simulated_mouse() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two minutes without noise.
    let options = SimulateOptions { units: 12, seed: 4, held_out: Some(1), noise: Noise::None, ..Default::default() };
    let folders = record(folder.path(), options, 61);
    let recipe = Recipe {
        validation: ValidationRecipe { trials: 6, every: 150, patience: 0 },
        schedule: ScheduleRecipe { steps: 150, warmup_epochs: 5, ..ScheduleRecipe::default() },
        start: StartRecipe::default(),
        ..recipe(150)
    };
    let mut training = begin(&recipe, &folders);
    finish(&mut training, &folder.path().join("out"));
    let row = training.rows()[0];
    // Untrained it answers 1 to everything, which correlates with nothing.
    assert!(row.validation_correlation.expect("units vary") > 0.2, "{row:?}");
    assert!(row.objective < 0.97, "{row:?}");
}

#[test]
fn recipes_come_back_and_impossible_ones_name_the_key() {
    let recipe = Recipe { optimizer: OptimizerRecipe::SgdClip(SgdClipConfig::default()), ..recipe(7) };
    assert_eq!(Recipe::from_toml(&recipe.to_toml()), Ok(recipe));
    assert_eq!(Recipe::from_toml(&Recipe::default().to_toml()), Ok(Recipe::default()));
    for (text, key) in [
        ("schema = 2", "schema"),
        ("minutes = -1.0", "minutes"),
        ("[batch]\nsamples = 0", "batch.samples"),
        ("[batch]\nburnin_frames = 50", "batch.burnin_frames"),
        ("[schedule]\nlr = 0.0", "schedule.lr"),
        ("[optimizer]\nkind = \"adam-w\"\nbeta1 = 1.0", "optimizer.beta1"),
        ("[optimizer]\nkind = \"sgd-clip\"\nclip = -1.0", "optimizer.clip"),
    ] {
        match Recipe::from_toml(text) {
            Err(RecipeError::Value { key: found, .. }) => assert_eq!(found, key),
            other => panic!("{text}: {other:?}"),
        }
    }
    let said = |text: &str| Recipe::from_toml(text).expect_err(text).to_string();
    for (text, expected) in [
        ("seeds = 3", "`seeds`; did you mean `seed`?"),
        ("[batch]\nframe = 3", "`batch.frame`; did you mean `frames`?"),
        ("[schedule]\nlrs = 3", "`schedule.lrs`; did you mean `lr`?"),
        ("[optimizer]\nkind = \"adam-w\"\nclip = 1.0", "`optimizer.clip`; "),
        ("[optimizer]\nkind = \"sgd-clip\"\nclips = 1.0", "`optimizer.clips`; did you mean `clip`?"),
    ] {
        let said = said(text);
        assert!(said.starts_with(&format!("the recipe has an unknown key {expected}")), "{text}: {said}");
    }
    for (text, expected) in [
        ("seed = 1\nminutes = many", "line 2: "),
        ("seed = 1\n\n[batch]\nframes = \"many\"", "line 4: "),
        ("[optimizer]\nkind = \"adam\"", "`adam`"),
    ] {
        let said = said(text);
        assert!(said.starts_with("the recipe could not be read: line ") && said.contains(expected), "{text}: {said}");
        assert!(!said.contains('\n') && !said.contains('^'), "{text}: {said}");
    }
}

#[test]
fn the_learning_rate_warms_up_and_falls_along_a_cosine() {
    let mut recipe = recipe(100);
    recipe.schedule =
        ScheduleRecipe { steps: 100, epoch_steps: 1, warmup_epochs: 10, lr: Some(2.0), ..recipe.schedule };
    assert!((recipe.learning_rate(0) - 0.1).abs() < 1e-12);
    assert!((recipe.learning_rate(10) - 2.0).abs() < 1e-12);
    assert!((recipe.learning_rate(55) - 1.0).abs() < 1e-12);
    recipe.schedule.cycles = 2;
    assert!((recipe.learning_rate(50) - 2.0).abs() < 1e-12, "the second cycle begins at the top");
    recipe.schedule = ScheduleRecipe { epoch_steps: 5, cycles: 1, ..recipe.schedule };
    assert_eq!(recipe.learning_rate(60), recipe.learning_rate(64), "constant within an epoch");
}

//! Evaluation of predicted spikes: scores over trials, regressions, decoders, tables and figures.

use burn::tensor::Device;

use twinscope::analysis::population::{
    DecodingError, Regression, RegressionError, ResponseTable, Ridge, decode_unseen,
};
use twinscope::analysis::spikes::{BitsPerSpike, GlmError, PoissonGlm, Smoothing, TrialScores, bits_per_spike};
use twinscope::analysis::statistics::Chance;
use twinscope::data::simulated::SpikeSimulation;
use twinscope::data::spikes::SpikeSession;
use twinscope::evaluation::spikes::{
    Behavior, GlmGrid, NetworkArm, RegionScore, SpikeEvaluation, SpikeSelection, Task, decode_behavior,
};
use twinscope::figures::Layout;
use twinscope::figures::spikes::{bits, decoding, rates, transfer};
use twinscope::job::Progress;
use twinscope::model::mtm::{MtmConfig, MtmWeights, Scheme};
use twinscope::signals::Binned;
use twinscope::training::mtm::MtmRecipe;

fn animal() -> SpikeSession {
    let simulation = SpikeSimulation {
        seed: 3,
        animals: 1,
        neurons: (20, 20),
        trials: 100,
        bins: 30,
        mean_count: 0.3,
        ..SpikeSimulation::default()
    };
    let mut session = simulation.sessions().expect("good sizes").remove(0);
    session.held_out = vec![2, 7, 11, 19];
    session
}

fn selection(tasks: &[Task]) -> SpikeSelection {
    SpikeSelection {
        tasks: tasks.to_vec(),
        grid: GlmGrid { widths_bins: vec![0.5, 1.0], penalties: vec![0.1, 0.01] },
        resamples: 200,
        ..SpikeSelection::default()
    }
}

fn evaluated(session: &SpikeSession, arms: &[NetworkArm], tasks: &[Task]) -> SpikeEvaluation {
    SpikeEvaluation::of(session, arms, &selection(tasks), &Progress::new(), &mut |_| ()).expect("evaluated")
}

/// An untrained network that knows the session, after so many other animals.
fn untrained(session: &SpikeSession, pretrained: i64) -> MtmWeights {
    let config = MtmConfig {
        bins: 30,
        stitch: 8,
        expand: 8,
        width: 8,
        layers: 1,
        heads: 2,
        feedforward: 8,
        ..MtmConfig::small()
    };
    let mut weights = MtmWeights::initial(&config, 1).expect("good sizes");
    weights.add_session(&session.id, &session.training_means(), 1).expect("a new session");
    weights.about.insert("pretrained_animals".to_owned(), pretrained.into());
    weights
}

#[test]
fn trials_that_are_drawn_again_score_as_if_they_had_been_recorded_so() {
    let counts = Binned::from_fn([3, 4, 2], |trial, bin, neuron| ((trial * 5 + bin * 3 + neuron) % 4) as f32);
    let log_rates = Binned::from_fn([3, 4, 2], |trial, bin, neuron| 0.1 * (trial + 2 * bin) as f32 - neuron as f32);
    let scores = TrialScores::of(&log_rates, &counts).expect("good");
    let drawn = [2, 0, 2, 2];
    let found = scores.score(&drawn, &[0, 1]);
    let again = bits_per_spike(&log_rates.of_trials(&drawn), &counts.of_trials(&drawn)).expect("good");
    // Sums in another order.
    assert!((found.pooled.expect("spikes") - again.pooled.expect("spikes")).abs() < 1e-12);
    for (found, again) in found.per_neuron.iter().zip(&again.per_neuron) {
        assert!((found.expect("spikes") - again.expect("spikes")).abs() < 1e-12);
    }
    let second = scores.score(&[0, 1, 2], &[1]);
    let alone = bits_per_spike(&log_rates.of_neurons(&[1]), &counts.of_neurons(&[1])).expect("good");
    assert!((second.pooled.expect("spikes") - alone.pooled.expect("spikes")).abs() < 1e-12);
    assert_eq!(
        scores.spikes(),
        [counts.of_neurons(&[0]), counts.of_neurons(&[1])].map(|n| n
            .values()
            .iter()
            .map(|&c| f64::from(c))
            .sum::<f64>())
    );
}

/// The mean of a draw is the best that a constant can do on it, so a draw that is held against it scores less.
#[test]
fn draws_are_held_against_the_means_of_all_trials() {
    let counts = Binned::from_fn([3, 4, 2], |trial, bin, neuron| ((trial + 1) * (bin + neuron) % 5) as f32);
    let log_rates = Binned::from_fn([3, 4, 2], |trial, bin, neuron| 0.1 * (trial + 2 * bin) as f32 - neuron as f32);
    let scores = TrialScores::of(&log_rates, &counts).expect("good");
    let means = scores.means(&[0, 1, 2]);
    let sum = |neuron: usize| counts.values().iter().skip(neuron).step_by(2).sum::<f32>();
    assert_eq!(means, [0, 1].map(|neuron| f64::from(sum(neuron)) / 12.0));
    let mut less = 0;
    for draw in 0..27 {
        let drawn = [draw % 3, draw / 3 % 3, draw / 9];
        let pooled = |bits: BitsPerSpike| bits.pooled.expect("every trial has spikes");
        let own = pooled(scores.score(&drawn, &[0, 1]));
        let held = pooled(scores.score_against(&drawn, &[0, 1], &means));
        let all_once = (0..3).all(|trial| drawn.contains(&trial));
        // Sums in another order.
        assert!(own <= held + 1e-12 && (!all_once || (own - held).abs() < 1e-12), "{drawn:?}: {own} {held}");
        less += usize::from(own < held - 1e-6);
    }
    assert!(less >= 18, "only {less} draws differ");
}

#[test]
fn smoothing_into_the_past_sees_only_what_came_before() {
    let spike = Binned::from_fn([2, 6, 1], |trial, bin, _| f32::from(u8::from(trial == 0 && bin == 2)));
    let history = Smoothing::History { tau_bins: 2.0 }.apply(&spike);
    let kept = (-0.5f64).exp();
    for bin in 0..6 {
        let expected = if bin > 2 { (1.0 - kept) * kept.powi(bin - 3) } else { 0.0 };
        // Rounded to f32.
        assert!((f64::from(history.at(0, bin as usize, 0)) - expected).abs() < 1e-7, "bin {bin}");
        assert_eq!(history.at(1, bin as usize, 0), 0.0, "trials are apart");
    }
    let blurred = Smoothing::Gaussian { sigma_bins: 1.0 }.apply(&spike);
    let sum: f32 = blurred.values().iter().sum();
    assert!((sum - 1.0).abs() < 1e-6, "the mirror at the ends keeps every spike: {sum}");
    assert_eq!(Smoothing::Gaussian { sigma_bins: 0.0 }.apply(&spike), spike);
}

/// Every input may predict every neuron.
fn anything(_: usize, _: usize) -> bool {
    true
}

#[test]
fn the_regression_finds_the_minimum_that_newtons_method_finds() {
    let inputs = [[0.0, 0.5], [1.0, -1.0], [2.0, 0.0], [3.0, 2.0], [0.0, 1.0], [1.0, 0.0], [4.0, -0.5], [2.0, 1.5]];
    let counts = [0.0, 1.0, 1.0, 4.0, 1.0, 0.0, 7.0, 2.0];
    let inputs = Binned::from_fn([2, 4, 2], |trial, bin, input| inputs[trial * 4 + bin][input]);
    let counts = Binned::from_fn([2, 4, 1], |trial, bin, _| counts[trial * 4 + bin]);
    let glm = PoissonGlm::fit(&inputs, &counts, &anything, 0.1, None, &Progress::new()).expect("fitted");
    // Newton's method in Python on the same objective, to a slope of 1e-16.
    let weights = [0.973_364_029_269_874_5, 0.099_808_409_621_045_85];
    let log_rates = [
        -0.986_793_799_366_737_5,
        -0.405_298_667_914_615_14,
        0.438_872_912_663_131_2,
        1.388_115_072_891_127,
        -0.934_258_509_541_612_9,
        -0.300_228_088_264_365_6,
        1.864_539_624_693,
        0.596_478_782_138_505_7,
    ];
    // The fit ends at a slope of 1e-6, and the curvature is at least the penalty of 0.1.
    for (input, expected) in weights.into_iter().enumerate() {
        assert!((glm.weight(input, 0) - expected).abs() < 2e-5, "{} {expected}", glm.weight(input, 0));
    }
    for (found, expected) in glm.log_rates(&inputs).values().iter().zip(log_rates) {
        assert!((f64::from(*found) - expected).abs() < 5e-5, "{found} {expected}");
    }
    let again = PoissonGlm::fit(&inputs, &counts, &anything, 3.0, Some(&glm), &Progress::new()).expect("fitted");
    assert!(again.weight(0, 0).abs() < glm.weight(0, 0).abs(), "a stronger penalty makes weights smaller");
    let back = PoissonGlm::fit(&inputs, &counts, &anything, 0.1, Some(&again), &Progress::new()).expect("fitted");
    assert!((back.weight(0, 0) - weights[0]).abs() < 2e-5, "where a fit begins does not matter");
}

#[test]
fn a_neuron_that_is_not_coupled_has_no_say() {
    let mut chance = Chance::new(5, 0);
    let counts = Binned::from_fn([10, 20, 3], |_, _, _| chance.below(3) as f32);
    let others = |from: usize, to: usize| from != to;
    let glm = PoissonGlm::fit(&counts, &counts, &others, 0.01, None, &Progress::new()).expect("fitted");
    for neuron in 0..3 {
        assert_eq!(glm.weight(neuron, neuron), 0.0);
    }
    let mut scrambled = counts.clone();
    scrambled.values_mut().iter_mut().step_by(3).for_each(|count| *count = 9.0 - *count);
    let (one, two) = (glm.log_rates(&counts), glm.log_rates(&scrambled));
    assert_eq!(one.of_neurons(&[0]), two.of_neurons(&[0]), "its own counts change nothing");
    assert_ne!(one.of_neurons(&[1]), two.of_neurons(&[1]), "those of the others do");
}

#[test]
fn a_forecast_follows_who_fired_last() {
    // The second neuron repeats what the first did one bin before.
    let mut chance = Chance::new(8, 0);
    let first: Vec<f32> = (0..40 * 25).map(|_| if chance.fraction() < 0.3 { 2.0 } else { 0.0 }).collect();
    let counts = Binned::from_fn([40, 25, 2], |trial, bin, neuron| match (neuron, bin) {
        (0, bin) => first[trial * 25 + bin],
        (_, 0) => 0.0,
        (_, bin) => first[trial * 25 + bin - 1],
    });
    let tau_bins = 0.2;
    let inputs = Smoothing::History { tau_bins }.apply(&counts);
    let glm = PoissonGlm::fit(&inputs, &counts, &anything, 1e-3, None, &Progress::new()).expect("fitted");
    let forecast = glm.forecast(&counts.of_bins(0..20), tau_bins, 3);
    assert_eq!(forecast.shape(), [40, 3, 2]);
    for trial in 0..40 {
        let (fired, rate) = (counts.at(trial, 19, 0) > 0.0, forecast.at(trial, 0, 1).exp());
        assert!(if fired { rate > 1.0 } else { rate < 0.5 }, "trial {trial}: {fired} {rate}");
    }
    // The first bin after what is seen needs no forecast: it is as with everything known before it.
    let known = glm.log_rates(&inputs).of_bins(20..21);
    for (one, two) in known.values().iter().zip(forecast.of_bins(0..1).values()) {
        // The history passes through f32 in one of them.
        assert!((one - two).abs() < 1e-4, "{one} {two}");
    }
}

#[test]
fn impossible_regressions_are_refused() {
    let counts = Binned::from_fn([2, 3, 2], |_, _, _| 1.0);
    let fit = |inputs: &Binned, penalty| PoissonGlm::fit(inputs, &counts, &anything, penalty, None, &Progress::new());
    assert!(matches!(fit(&counts.of_bins(0..2), 0.1), Err(GlmError::Shape { .. })));
    for penalty in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(fit(&counts, penalty), Err(GlmError::Penalty(_))), "{penalty}");
    }
    // Inputs that never change have no weight, and the rate is the mean.
    let flat = fit(&counts, 0.1).expect("fitted").log_rates(&counts);
    assert!(flat.values().iter().all(|rate| rate.abs() < 1e-5), "{flat:?}");
}

/// Ten bins of each of `trials` trials: targets are a sum of two of four units, with noise.
fn regression_data(trials: usize, noise: f64) -> (ResponseTable, Vec<f64>, Vec<usize>) {
    let mut chance = Chance::new(4, 0);
    let values: Vec<f64> = (0..trials * 40).map(|_| chance.normal()).collect();
    let targets = values.chunks(4).map(|row| 3.0 + 2.0 * row[0] - row[2] + noise * chance.normal()).collect();
    let table = ResponseTable::new(trials * 10, 4, values).expect("numbers");
    (table, targets, (0..trials * 10).map(|row| row / 10).collect())
}

#[test]
fn ridge_finds_a_linear_relation_and_does_not_find_what_is_not_there() {
    let (table, targets, groups) = regression_data(20, 0.0);
    let found = Regression::learn(&table, &targets, &groups, &Ridge::seeded(1)).expect("learned");
    assert_eq!(found.penalty, 1e-4, "without noise the weakest penalty is best");
    assert!(found.cross_validated_r2 > 0.999_99, "{}", found.cross_validated_r2);
    // The penalty of 1e-4 takes that share of every weight away.
    assert!((found.predict(&[1.0, 0.0, 0.0, 0.0]) - 5.0).abs() < 1e-3, "{}", found.predict(&[1.0, 0.0, 0.0, 0.0]));
    let mut chance = Chance::new(9, 0);
    let unrelated: Vec<f64> = targets.iter().map(|_| chance.normal()).collect();
    let found = Regression::learn(&table, &unrelated, &groups, &Ridge::seeded(1)).expect("learned");
    assert!(found.cross_validated_r2 < 0.05, "{found:?}");
}

#[test]
fn ridge_never_parts_the_observations_of_a_trial() {
    // Every trial has its own level, which the units tell by naming the trial: within a trial that is everything, across
    // trials nothing.
    let mut chance = Chance::new(2, 0);
    let levels: Vec<f64> = (0..12).map(|_| chance.normal()).collect();
    let values = (0..120).flat_map(|row| (0..12).map(move |trial| f64::from(u8::from(row / 10 == trial))));
    let table = ResponseTable::new(120, 12, values.collect()).expect("numbers");
    let targets: Vec<f64> = (0..120).map(|row| levels[row / 10]).collect();
    let groups: Vec<usize> = (0..120).map(|row| row / 10).collect();
    let found = Regression::learn(&table, &targets, &groups, &Ridge::seeded(1)).expect("learned");
    assert!(found.cross_validated_r2 < 0.0, "{}", found.cross_validated_r2);
    let parted: Vec<usize> = (0..120).collect();
    let leaked = Regression::learn(&table, &targets, &parted, &Ridge::seeded(1)).expect("learned");
    assert!(leaked.cross_validated_r2 > 0.9, "{}", leaked.cross_validated_r2);
    let few = Regression::learn(&table, &targets, &[0; 120], &Ridge::seeded(1));
    assert!(matches!(few, Err(RegressionError::Folds { folds: 5, groups: 1 })));
    let flat = Regression::learn(&table, &[1.0; 120], &groups, &Ridge::seeded(1));
    assert_eq!(flat, Err(RegressionError::Constant));
}

#[test]
fn a_classifier_reads_observations_that_it_has_not_seen() {
    let table = |values: &[f64]| ResponseTable::new(values.len() / 2, 2, values.to_vec()).expect("numbers");
    let learned = table(&[0.0, 1.0, 0.2, 0.9, 1.0, 0.0, 0.8, 0.1]);
    let unseen = table(&[0.1, 1.1, 0.9, -0.1]);
    assert_eq!(decode_unseen(&learned, &[0, 0, 1, 1], &unseen), Ok(vec![0, 1]));
    assert_eq!(decode_unseen(&learned, &[0, 0, 0, 0], &unseen), Err(DecodingError::Classes(1)));
    assert!(matches!(decode_unseen(&learned, &[0, 1], &unseen), Err(DecodingError::Labels { .. })));
}

#[test]
fn true_rates_beat_the_tuned_regression_and_that_beats_the_mean_response() {
    let session = animal();
    let evaluation = evaluated(&session, &[], &Task::ALL);
    assert_eq!(evaluation.tasks(), Task::ALL);
    assert!(evaluation.example.is_none(), "without a network there is nothing to look at");
    let pooled = |arm: &str, task| evaluation.score(arm, task).expect("done").all().pooled.expect("spikes").value;
    for task in [Task::HeldOut, Task::CoSmoothing] {
        let (truth, glm, psth) = (pooled("true rates", task), pooled("GLM", task), pooled("PSTH", task));
        assert!(truth > glm && glm > psth + 0.01, "{task}: {truth} {glm} {psth}");
    }
    assert!(pooled("true rates", Task::InterRegion) > pooled("GLM", Task::InterRegion));
    assert!(
        pooled("GLM", Task::CoSmoothing) > pooled("GLM", Task::IntraRegion),
        "all other neurons tell more than those of one region"
    );
    let held = evaluation.score("GLM", Task::HeldOut).expect("done");
    assert_eq!(held.neurons, session.held_out);
    assert!(held.note.contains("sigma") && held.note.contains("penalty"), "{}", held.note);
    assert!(evaluation.score("GLM", Task::ForwardPrediction).expect("done").note.contains("tau"));
    for score in &evaluation.scores {
        let names: Vec<&str> = score.regions.iter().map(|region| region.region.as_str()).collect();
        let expected: &[&str] = &[RegionScore::ALL, "R1", "R2", "R3", "R4"];
        assert!(names == expected, "{names:?}");
        assert_eq!(score.regions[1..].iter().map(|region| region.neurons).sum::<usize>(), score.neurons.len());
        let bits = score.all().pooled.expect("spikes");
        let (low, high) = bits.interval.expect("many trials");
        assert!(low < bits.value && bits.value < high, "{bits:?}");
        assert_eq!(score.bits.pooled, Some(bits.value));
    }
}

#[test]
fn what_the_regression_must_not_see_changes_nothing() {
    let session = animal();
    let mut scrambled = session.clone();
    let [_, bins, neurons] = session.counts.shape();
    let mut values = session.counts.values().to_vec();
    for &trial in &session.split.test {
        for bin in 0..bins {
            session.held_out.iter().for_each(|&neuron| values[(trial * bins + bin) * neurons + neuron] = 1);
        }
    }
    scrambled.counts = twinscope::data::spikes::Counts::new(100, bins, neurons, values).expect("as many");
    let note = |session: &SpikeSession| {
        let evaluation = evaluated(session, &[], &[Task::HeldOut]);
        evaluation.score("GLM", Task::HeldOut).expect("done").note.clone()
    };
    assert_eq!(note(&session), note(&scrambled), "settings are chosen on validation trials alone");
}

#[test]
fn sessions_that_allow_no_task_are_refused_in_a_sentence() {
    let refused = |session: &SpikeSession, tasks: &[Task]| {
        let evaluation = SpikeEvaluation::of(session, &[], &selection(tasks), &Progress::new(), &mut |_| ());
        evaluation.expect_err("refused").to_string()
    };
    let mut one_region = animal();
    one_region.regions = vec!["VISp".to_owned(); 20];
    assert!(refused(&one_region, &[Task::InterRegion]).contains("regions need two names"));
    let mut untested = animal();
    untested.split.test.clear();
    assert!(refused(&untested, &Task::ALL).contains("`test_trials`"));
    assert!("forwards".parse::<Task>().is_err_and(|e| e.to_string().contains("co-smoothing, forward")));
}

/// The text of every `<text>` element.
fn texts(svg: &str) -> String {
    let elements = svg.split("<text").skip(1).filter_map(|rest| rest.split_once('>'));
    elements.filter_map(|(_, rest)| rest.split_once("</text>")).map(|(text, _)| text.trim().to_owned() + "\n").collect()
}

#[test]
fn networks_stand_in_tables_and_figures_beside_the_baselines() {
    let session = animal();
    let device = Device::flex();
    let arms: Vec<NetworkArm> =
        [0, 4].map(|animals| NetworkArm::new(&untrained(&session, animals), &device)).into_iter().collect();
    assert_eq!([&arms[0].name, &arms[1].name], ["MtM", "MtM, pre-trained on 4 animals"]);
    assert_eq!(arms[0].prompt(Task::IntraRegion), Scheme::IntraRegion);
    let confused = NetworkArm::with_wrong_prompts(&untrained(&session, 0), &device);
    assert!(Task::ALL.into_iter().all(|task| confused.prompt(task) != task.scheme()));
    let mut two = untrained(&session, 0);
    two.about.insert("schemes".to_owned(), vec!["neuron", "causal"].into());
    let confused = NetworkArm::with_wrong_prompts(&two, &device);
    assert_eq!(
        confused.prompt(Task::CoSmoothing),
        Scheme::Causal,
        "one that it was trained with, and not the right one"
    );
    let evaluation = evaluated(&session, &arms, &[Task::HeldOut, Task::ForwardPrediction]);
    let untrained = evaluation.score("MtM", Task::HeldOut).expect("done").all().pooled.expect("spikes").value;
    assert!(untrained.abs() < 0.1, "an untrained network predicts about the mean: {untrained}");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let files = evaluation.write(&out).expect("written");
    assert_eq!(files.len(), 3);
    let summary = std::fs::read_to_string(out.join("summary.csv")).expect("written");
    // Two tasks, five arms, all neurons and four regions; held-out neurons lie in four regions, too.
    assert_eq!(summary.lines().count(), 1 + 2 * 5 * 5, "{summary}");
    assert!(summary.contains("held-out,\"MtM, pre-trained on 4 animals\",4,all,4,0,"), "{summary}");
    let neurons = std::fs::read_to_string(out.join("neurons.csv")).expect("written");
    assert_eq!(neurons.lines().count(), 1 + 5 * (4 + 20));
    let json = std::fs::read_to_string(out.join("evaluation.json")).expect("written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["simulated"], &json["arms"][2]["name"]), (&true.into(), &"PSTH".into()));

    let said = texts(&bits::plate(&evaluation).svg(&Layout::default()).expect("drawn"));
    for text in
        ["Held-out neurons", "Forward prediction", "Bits per spike", "R3 (5)", "GLM", "true rates", "(simulated)"]
    {
        assert!(said.contains(text), "bits lack {text}: {said}");
    }
    let said = texts(&rates::plate(&evaluation).svg(&Layout::default()).expect("drawn"));
    for text in ["Spikes", "Predicted rates", "Time (s)", "Rate (Hz)", "Neuron", "held-out neurons by MtM"] {
        assert!(said.contains(text), "rates lack {text}: {said}");
    }
    let said = texts(&transfer::plate(&evaluation).svg(&Layout::default()).expect("drawn"));
    for text in ["Animals learned from before", "PSTH", "Bits per spike"] {
        assert!(said.contains(text), "transfer lacks {text}: {said}");
    }
    let alone = evaluated(&session, &arms[..1], &[Task::HeldOut]);
    assert!(
        !transfer::fits(&alone)
            && transfer::plate(&alone).svg(&Layout::default()).is_err_and(|e| e.to_string().contains("no transfer"))
    );
}

#[test]
fn the_scale_of_counts_is_in_spikes_and_says_what_lies_beyond_it() {
    let mut made = super::made_up::spikes();
    let drawn = |made: &SpikeEvaluation| texts(&rates::plate(made).svg(&Layout::default()).expect("drawn"));
    let said = drawn(&made);
    assert!(said.lines().any(|line| line == "Spikes in a bin"), "{said}");
    assert!(said.replace('\n', " ").contains("Larger counts than on the scale have its last colour."), "{said}");
    let example = made.example.as_mut().expect("an example");
    example.counts = Binned::from_fn(example.counts.shape(), |_, _, _| 0.0);
    example.rates = Binned::from_fn(example.rates.shape(), |_, _, _| 0.05);
    let said = drawn(&made);
    assert!(!said.replace('\n', " ").contains("last colour"), "{said}");
    // The scale ends at 0.05, between two round numbers.
    let has = |number: &str| said.lines().any(|line| line == number);
    assert!(has("0.02") && has("0.04") && !has("0.06") && !has("1"), "{said}");
}

#[test]
fn behaviour_is_read_from_spikes_and_not_from_noise() {
    let mut session = animal();
    let device = Device::flex();
    let arms = [NetworkArm::new(&untrained(&session, 0), &device)];
    let decoding = decode_behavior(&session, &arms, 1, &Progress::new()).expect("decoded");
    assert_eq!(decoding.found.len(), 6, "three behaviours from spikes and from latents");
    let of = |decoding: &twinscope::evaluation::spikes::BehaviorDecoding, behavior| {
        decoding
            .found
            .iter()
            .find(|found| found.behavior == behavior && found.source == "spikes")
            .expect("there")
            .clone()
    };
    let plate = decoding::plate(&decoding);
    let drawn = plate.svg(&Layout::default()).expect("drawn");
    let provenance = format!("MtM sha256 {}; seed 1", decoding.arms[0].sha256.as_ref().expect("a network"));
    assert!(drawn.contains(&provenance), "the figure lacks {provenance}");
    let said = texts(&drawn);
    for text in
        ["Choice", "Wheel", "Whiskers", "Accuracy", "R²", "chance", "mean", "from spikes", "from latents of MtM"]
    {
        assert!(said.lines().any(|line| line == text), "the figure lacks {text}: {said}");
    }
    for found in &decoding.found {
        let n = format!("n = {} test trials", found.trials.1);
        assert!(said.contains(&n), "the figure lacks {n}: {said}");
    }
    let rows = String::from_utf8(plate.numbers(&Layout::default()).expect("numbers")).expect("UTF-8");
    // Three behaviours, each with spikes, latents and what guessing reaches.
    assert_eq!(rows.lines().count(), 1 + 3 * 3, "{rows}");
    let (choice, wheel) = (of(&decoding, Behavior::Choice), of(&decoding, Behavior::Wheel));
    // 20 test trials: guessing has a standard error of 0.11.
    assert!(choice.value.value > 0.6, "{choice:?}");
    assert!(wheel.value.value > 0.1 && wheel.note.contains("sigma"), "{wheel:?}");
    let mut chance = Chance::new(6, 0);
    session.wheel = session.wheel.map(|wheel| wheel.iter().map(|_| chance.normal() as f32).collect());
    session.whisker = None;
    let noise = decode_behavior(&session, &[], 1, &Progress::new()).expect("decoded");
    assert_eq!(noise.found.len(), 2);
    assert!(of(&noise, Behavior::Wheel).value.value < 0.05, "{noise:?}");
    session.wheel = None;
    session.choice = None;
    let none = decode_behavior(&session, &[], 1, &Progress::new()).expect_err("refused").to_string();
    assert!(none.contains("neither choice nor wheel nor whiskers"), "{none}");
}

#[test]
fn a_configuration_is_read_back_and_mistakes_are_named() {
    for name in MtmRecipe::PRESETS {
        let preset = MtmRecipe::preset(name).expect("there");
        assert_eq!(MtmRecipe::from_toml(&preset.to_toml()).expect("its own words"), preset);
        assert_eq!(MtmRecipe::from_toml(&format!("schema = 1\npreset = \"{name}\"")).expect("short"), preset);
    }
    let read = MtmRecipe::from_toml("schema = 1\n[network]\nwidth = 64\n[training.cycle]\npeak = 2e-3").expect("good");
    assert_eq!((read.network.width, read.network.heads, read.training.cycle.peak), (64, 4, 2e-3));
    assert_eq!(read.training.epochs, MtmRecipe::small().training.epochs, "what is not given is that of the preset");
    let refused = |text: &str| MtmRecipe::from_toml(&format!("schema = 1\n{text}")).expect_err("refused").to_string();
    for (text, words) in [
        ("preset = \"smal\"", &["`preset`", "did you mean `small`"][..]),
        ("[trainig]\nepochs = 3", &["`trainig`", "did you mean `training`"]),
        ("[training]\nepoch = 3", &["`training.epoch`", "did you mean `epochs`"]),
        ("[training.cycle]\npeek = 1.0", &["`training.cycle.peek`", "did you mean `peak`"]),
        ("[training]\nschemes = [\"neurn\"]", &["`training.schemes`", "did you mean `neuron`"]),
        ("[training]\nbatch = 0", &["training", "`batch` is 0"]),
        ("[training.optimizer]\ndecay = -1.0", &["`optimizer.decay` is -1"]),
        ("[training.cycle]\npeak = nan", &["`cycle.peak` is NaN"]),
        ("[network]\nheads = 3", &["`width` is 128"]),
        ("[simulation]\nanimals = 0", &["`animals`"]),
        ("trials = 0", &["`trials` is 0"]),
        ("validation_share = 1.0", &["`validation_share` is 1"]),
        ("[training]\nepochs = \"many\"", &["epochs"]),
    ] {
        let said = refused(text);
        assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
    }
    assert!(MtmRecipe::from_toml("").is_err_and(|e| e.to_string().contains("`schema` is missing")));
    assert!(MtmRecipe::from_toml("schema = 2").is_err_and(|e| e.to_string().contains("schema 1")));
}

//! The masked transformer over spikes: held against reference numbers, and the laws it obeys.
//!
//! The reference is our own PyTorch code in double precision. A deviation is the largest difference divided by the
//! largest expected magnitude of the tensor.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use twinscope::analysis::spikes::bits_per_spike;
use twinscope::data::simulated::SpikeSimulation;
use twinscope::job::Progress;
use twinscope::model::mtm::{
    Engine, Mask, Mtm, MtmConfig, MtmError, MtmWeights, Predict, Predicted, Scheme, SessionInfo, poisson_loss,
    predictor,
};
use twinscope::model::weights::{NamedTensor, StateDict, WeightError};
use twinscope::signals::Binned;
use twinscope::training::mtm::{AdamW, AdamWConfig, AdamWState, Fit, FitConfig, FitError, FitSession, OneCycle};

use crate::fixture::{Fixture, deviation};
use crate::gpu::gpu_for_minutes;

/// Sessions of the fixture, with their neurons.
const SESSIONS: [(&str, usize); 2] = [("sess_a", 7), ("sess_b", 9)];
/// Bins of the fixture's trials.
const BINS: usize = 12;

/// Names of the schemes in the fixture.
fn word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::InterRegion => "inter",
        Scheme::IntraRegion => "intra",
        other => other.name(),
    }
}

fn fixture() -> Fixture {
    Fixture::load("mtm/mtm_tiny.safetensors")
}

fn config() -> MtmConfig {
    MtmConfig {
        schema: 1,
        bins: BINS,
        stitch: 10,
        expand: 20,
        width: 16,
        layers: 2,
        heads: 2,
        feedforward: 32,
        dropout: 0.0,
        embedding_dropout: 0.0,
    }
}

fn weights(fixture: &Fixture) -> MtmWeights {
    let tensors = fixture.keys().filter_map(|key| Some((key, key.strip_prefix("param/")?)));
    let tensors = tensors.map(|(key, name)| {
        let tensor = fixture.get(key);
        (name.to_owned(), NamedTensor { shape: tensor.shape.clone(), values: tensor.f32() })
    });
    let sessions = SESSIONS.map(|(id, neurons)| SessionInfo { id: id.to_owned(), neurons }).to_vec();
    MtmWeights::new(config(), sessions, StateDict { tensors: tensors.collect() }).expect("the fixture fits")
}

fn spikes(fixture: &Fixture, session: &str) -> Binned {
    let found = fixture.get(&format!("data/{session}/spikes"));
    Binned::new(found.shape[0], found.shape[1], found.shape[2], found.f32()).expect("three axes")
}

fn regions(fixture: &Fixture, session: &str) -> Vec<usize> {
    fixture.get(&format!("data/{session}/regions")).values.iter().map(|&label| label as usize).collect()
}

/// The mask of a case.
fn mask(fixture: &Fixture, case: &str) -> Mask {
    let flags = |kind: &str| fixture.get(&format!("{case}{kind}")).u8();
    let (hidden, target) = (flags("hidden"), flags("target"));
    let [trials, bins, neurons] = fixture.get(&format!("{case}hidden")).shape[..] else { panic!("three axes") };
    Mask::new([trials, bins, neurons], |trial, bin, neuron| {
        let place = (trial * bins + bin) * neurons + neuron;
        (hidden[place] != 0, target[place] != 0)
    })
}

fn tensor(binned: &Binned, device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(binned.values().to_vec(), binned.shape()), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().expect("the device answers")
}

/// Deviations by kind, against one tolerance.
struct Report {
    tolerance: f64,
    worst: BTreeMap<&'static str, (f64, String)>,
}

impl Report {
    fn new(tolerance: f64) -> Self {
        Self { tolerance, worst: BTreeMap::new() }
    }

    fn near(&mut self, kind: &'static str, name: &str, found: &[f32], expected: &[f64]) {
        let (e, index) = deviation(found, expected);
        let worst = self.worst.entry(kind).or_default();
        if e >= worst.0 {
            let text =
                if expected.is_empty() { String::new() } else { format!("{} for {}", found[index], expected[index]) };
            *worst = (e, format!("{name} at {index}: {text}"));
        }
    }

    #[track_caller]
    fn finish(self, what: &str) {
        for (kind, (e, place)) in &self.worst {
            println!("{what}, {kind}: {e:.2e} ({place})");
        }
        let failed: Vec<_> = self.worst.iter().filter(|(_, (e, _))| *e > self.tolerance).collect();
        assert!(failed.is_empty(), "{what}: more than {:.0e}: {failed:?}", self.tolerance);
    }
}

/// Log-rates, latents, states, loss and gradients for every prompt and session, and shorter trials.
fn every_case(device: &Device, tolerance: f64) {
    cases(device, tolerance, &Scheme::ALL, &SESSIONS);
}

/// The same for these prompts and sessions.
fn cases(device: &Device, tolerance: f64, schemes: &[Scheme], sessions: &[(&str, usize)]) {
    let fixture = fixture();
    let network = Mtm::new(&weights(&fixture), &device.clone().autodiff());
    let mut report = Report::new(tolerance);
    for &(session, _) in sessions {
        let spikes = spikes(&fixture, session);
        for &scheme in schemes {
            let case = format!("case/{session}/{}/", word(scheme));
            let expected = |name: &str| &fixture.get(&format!("{case}{name}")).values;
            let mask = mask(&fixture, &case);
            let seen = tensor(&mask.apply(&spikes), &network.device());
            let (output, stages) = network.forward_staged(seen, session, scheme).expect("a case");
            let loss = poisson_loss(output.log_rates.clone(), &spikes, &mask);
            let gradients = network.gradients(&loss.backward()).expect("the device answers");
            report.near("loss", &case, &read(loss), expected("loss"));
            report.near("log-rates", &case, &read(output.log_rates), expected("log_rate"));
            report.near("latents", &case, &read(output.latents), expected("latents"));
            assert_eq!(stages.states.len(), 3);
            for (index, state) in stages.states.into_iter().enumerate() {
                report.near("states", &case, &read(state), expected(&format!("state{index}")));
            }
            compare_gradients(&fixture, &case, &gradients, &mut report);
        }
        if schemes.len() < Scheme::ALL.len() {
            continue;
        }
        let short = tensor(&spikes.of_bins(0..8), &network.device());
        let output = network.forward(short, session, Scheme::Neuron, None).expect("shorter trials");
        let expected = &fixture.get(&format!("short/{session}/log_rate")).values;
        report.near("shorter trials", session, &read(output.log_rates), expected);
    }
    report.finish(&format!("cases, {device:?}"));
}

/// The gradients of a case, of all weights but those of the other session.
fn compare_gradients(fixture: &Fixture, case: &str, gradients: &StateDict, report: &mut Report) {
    let mut compared = 0;
    for key in fixture.keys() {
        let Some(name) = key.strip_prefix(&format!("{case}grad/")) else { continue };
        let expected = &fixture.get(key).values;
        compared += 1;
        match gradients.tensors.get(name) {
            Some(gradient) => report.near("gradients", key, &gradient.values, expected),
            None => assert!(expected.iter().all(|&value| value == 0.0), "{key} has no gradient"),
        }
    }
    assert_eq!(compared, weights(fixture).state().tensors.len());
    assert_eq!(gradients.tensors.len(), compared - 5, "all but those of the other session");
}

/// The same cases as [`every_case`], by the engine.
fn every_case_of_the_engine(tolerance: f64) {
    let fixture = fixture();
    let mut engine = Engine::new(&weights(&fixture));
    let mut report = Report::new(tolerance);
    for (session, _) in SESSIONS {
        let spikes = spikes(&fixture, session);
        for scheme in Scheme::ALL {
            let case = format!("case/{session}/{}/", word(scheme));
            let expected = |name: &str| &fixture.get(&format!("{case}{name}")).values;
            let mask = mask(&fixture, &case);
            let seen = mask.apply(&spikes);
            let answer = engine.forward(&seen, session, scheme).expect("a case");
            report.near("log-rates", &case, answer.log_rates.values(), expected("log_rate"));
            report.near("latents", &case, answer.latents.values(), expected("latents"));
            let loss = engine.loss(&seen, &spikes, &mask, session, scheme, None).expect("a case");
            report.near("loss", &case, &[loss], expected("loss"));
            compare_gradients(&fixture, &case, &engine.gradients(), &mut report);
        }
        let answer = engine.forward(&spikes.of_bins(0..8), session, Scheme::Neuron).expect("shorter trials");
        let expected = &fixture.get(&format!("short/{session}/log_rate")).values;
        report.near("shorter trials", session, answer.log_rates.values(), expected);
    }
    report.finish("cases, engine");
}

/// All predictions of hidden neurons, regions and bins, with their scores.
fn every_evaluation(network: &dyn Predict, tolerance: f64) {
    let fixture = fixture();
    let progress = Progress::new();
    let mut report = Report::new(tolerance);
    for (session, neurons) in SESSIONS {
        let (spikes, regions) = (spikes(&fixture, session), regions(&fixture, session));
        let each: Vec<Vec<usize>> = (0..neurons).map(|neuron| vec![neuron]).collect();
        let found: [(&str, Predicted); 4] = [
            ("co_smoothing", network.co_smoothing(&spikes, session, &each, Scheme::Neuron, &progress).expect("good")),
            (
                "inter_region",
                network.inter_region(&spikes, session, &regions, Scheme::InterRegion, &progress).expect("good"),
            ),
            (
                "intra_region",
                network.intra_region(&spikes, session, &regions, Scheme::IntraRegion, &progress).expect("good"),
            ),
            ("forward", network.forward_prediction(&spikes, session, 0.2, Scheme::Causal).expect("good")),
        ];
        for (task, predicted) in found {
            let expected = |name: &str| &fixture.get(&format!("eval/{session}/{task}/{name}")).values;
            report.near("log-rates", task, predicted.log_rates.values(), expected("log_rate"));
            let score = bits_per_spike(&predicted.log_rates, &predicted.truth(&spikes)).expect("good");
            let silent: Vec<bool> = expected("bits_per_spike").iter().map(|bits| bits.is_nan()).collect();
            assert_eq!(score.per_neuron.iter().map(Option::is_none).collect::<Vec<_>>(), silent, "{session} {task}");
            let bits: Vec<f32> = score.per_neuron.iter().flatten().map(|&bits| bits as f32).collect();
            let expected_bits: Vec<f64> =
                expected("bits_per_spike").iter().copied().filter(|bits| !bits.is_nan()).collect();
            report.near("bits per spike", task, &bits, &expected_bits);
            report.near("pooled", task, &[score.pooled.expect("spikes") as f32], expected("pooled"));
        }
    }
    report.finish("evaluation");
}

/// Three steps of the optimizer with the learning rates of the fixture.
fn three_steps(device: &Device, tolerance: f64) {
    let fixture = fixture();
    let mut network = Mtm::new(&weights(&fixture), &device.clone().autodiff());
    let cycle = OneCycle { peak: 1e-2, ..OneCycle::default() };
    let mut optimizer = AdamW::new(AdamWConfig::default());
    let mut report = Report::new(tolerance);
    let cases = [("sess_a", Scheme::Neuron), ("sess_b", Scheme::Causal), ("sess_a", Scheme::InterRegion)];
    for (step, (session, scheme)) in cases.into_iter().enumerate() {
        let spikes = spikes(&fixture, session);
        let mask = mask(&fixture, &format!("case/{session}/{}/", word(scheme)));
        let seen = tensor(&mask.apply(&spikes), &network.device());
        let output = network.forward(seen, session, scheme, None).expect("a case");
        let loss = poisson_loss(output.log_rates, &spikes, &mask);
        network = optimizer.step(network, &loss.backward(), cycle.at(step, 20));
        report.near("loss", session, &read(loss), &fixture.get("train/loss").values[step..=step]);
    }
    let after = network.to_weights().expect("the device answers");
    for (key, tensor) in &after.state().tensors {
        report.near("weights", key, &tensor.values, &fixture.get(&format!("train/param/{key}")).values);
    }
    let steps = optimizer.state().expect("the device answers").steps;
    assert_eq!((steps["prompt"], steps["stitch_in.sess_a.weight"], steps["session.sess_b"]), (3, 2, 1));
    report.finish(&format!("three steps, {device:?}"));
}

/// The steps of [`three_steps`] by the engine, the first so many by burn, whose state the engine goes on from.
fn three_steps_of_the_engine(by_burn: usize, tolerance: f64) {
    let fixture = fixture();
    let (start, config) = (weights(&fixture), AdamWConfig::default());
    let cycle = OneCycle { peak: 1e-2, ..OneCycle::default() };
    let cases = [("sess_a", Scheme::Neuron), ("sess_b", Scheme::Causal), ("sess_a", Scheme::InterRegion)];
    let mask_of = |session: &str, scheme| mask(&fixture, &format!("case/{session}/{}/", word(scheme)));
    let mut network = Mtm::new(&start, &Device::flex().autodiff());
    let mut optimizer = AdamW::new(config);
    for (step, &(session, scheme)) in cases[..by_burn].iter().enumerate() {
        let (spikes, mask) = (spikes(&fixture, session), mask_of(session, scheme));
        let seen = tensor(&mask.apply(&spikes), &network.device());
        let output = network.forward(seen, session, scheme, None).expect("a case");
        let gradients = poisson_loss(output.log_rates, &spikes, &mask).backward();
        network = optimizer.step(network, &gradients, cycle.at(step, 20));
    }
    let mut engine = Engine::new(&network.to_weights().expect("read"));
    let mut state = optimizer.state().expect("read");
    let mut report = Report::new(tolerance);
    for (step, &(session, scheme)) in cases.iter().enumerate().skip(by_burn) {
        let (spikes, mask) = (spikes(&fixture, session), mask_of(session, scheme));
        let loss = engine.loss(&mask.apply(&spikes), &spikes, &mask, session, scheme, None).expect("a case");
        state.step(&config, &mut engine, cycle.at(step, 20));
        report.near("loss", session, &[loss], &fixture.get("train/loss").values[step..=step]);
    }
    for (key, tensor) in &engine.to_weights().expect("finite").state().tensors {
        report.near("weights", key, &tensor.values, &fixture.get(&format!("train/param/{key}")).values);
    }
    let AdamWState { steps, .. } = state;
    assert_eq!((steps["prompt"], steps["stitch_in.sess_a.weight"], steps["session.sess_b"]), (3, 2, 1));
    report.finish(&format!("three steps, {by_burn} by burn, engine"));
}

/// Double precision against the rounding of f32.
const ON_CPU: f64 = 1e-5;
/// The transcendental functions of a GPU are less exact.
const ON_GPU: f64 = 1e-4;

#[test]
fn every_prompt_and_session_agrees_with_the_reference_on_the_cpu() {
    every_case(&Device::flex(), ON_CPU);
}

#[test]
fn every_prediction_and_score_agrees_with_the_reference_on_the_cpu() {
    every_evaluation(&Mtm::new(&weights(&fixture()), &Device::flex()), ON_CPU);
}

#[test]
fn the_engine_agrees_with_the_reference_for_every_prompt_and_session() {
    every_case_of_the_engine(ON_CPU);
}

#[test]
fn every_prediction_and_score_of_the_engine_agrees_with_the_reference() {
    let network = predictor(&weights(&fixture()), &Device::flex());
    assert!(format!("{network:?}").starts_with("Engine"), "the CPU has the engine");
    every_evaluation(&*network, ON_CPU);
}

#[test]
fn three_steps_of_the_engine_agree_with_the_reference_and_go_on_from_those_of_burn() {
    three_steps_of_the_engine(0, ON_CPU);
    three_steps_of_the_engine(2, ON_CPU);
}

/// A network with dropout whose sizes are no multiples of a vector, and a batch of it.
fn odd() -> (MtmWeights, Binned, Vec<usize>) {
    let config = MtmConfig {
        bins: 20,
        stitch: 40,
        expand: 70,
        width: 48,
        heads: 3,
        feedforward: 90,
        dropout: 0.4,
        embedding_dropout: 0.2,
        ..MtmConfig::small()
    };
    let mut weights = MtmWeights::initial(&config, 1).expect("good sizes");
    weights.add_session("s", &[0.3; 33], 2).expect("a new session");
    let counts = Binned::from_fn([11, 17, 33], |trial, bin, neuron| ((7 * trial + 3 * bin + 5 * neuron) % 4) as f32);
    (weights, counts, (0..33).map(|neuron| neuron % 3).collect())
}

#[test]
fn the_engine_drops_and_differentiates_as_burn_does() {
    let (weights, counts, regions) = odd();
    let network = Mtm::new(&weights, &Device::flex().autodiff());
    let mut engine = Engine::new(&weights);
    // Both round as f32 does, in sums of another order.
    let mut report = Report::new(1e-4);
    for scheme in [Scheme::Neuron, Scheme::Causal] {
        let mask = Mask::draw(counts.shape(), &regions, scheme, 0.4, 5);
        let seen = mask.apply(&counts);
        let output = network.forward(tensor(&seen, &network.device()), "s", scheme, Some(9)).expect("good");
        let loss = poisson_loss(output.log_rates, &counts, &mask);
        let expected = network.gradients(&loss.backward()).expect("read");
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
        let found = engine.loss(&seen, &counts, &mask, "s", scheme, Some(9)).expect("good");
        report.near("loss", scheme.name(), &[found], &wide(read(loss)));
        let gradients = engine.gradients();
        assert!(gradients.tensors.keys().eq(expected.tensors.keys()));
        for (key, gradient) in &gradients.tensors {
            report.near("gradients", key, &gradient.values, &wide(expected.tensors[key].values.clone()));
        }
        let keys = &gradients.tensors["layers.0.qkv.bias"].values[48..96];
        assert!(keys.iter().all(|&gradient| gradient == 0.0), "keys have no bias");
    }
    report.finish("engine and burn");
}

#[test]
fn the_engine_answers_as_burn_does_by_either_way_in_and_by_the_weights_it_has_now() {
    // Of 33 neurons both maps before the nonlinearity are one; with so many, two are cheaper.
    let (mut weights, ..) = odd();
    weights.add_session("large", &[0.3; 200], 3).expect("a new session");
    let network = Mtm::new(&weights, &Device::flex());
    let engine = Engine::new(&weights);
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let mut report = Report::new(ON_CPU);
    for (session, neurons) in [("s", 33), ("large", 200)] {
        let seen = Binned::from_fn([5, 17, neurons], |trial, bin, neuron| ((trial + 3 * bin + 5 * neuron) % 4) as f32);
        for scheme in [Scheme::Neuron, Scheme::Causal] {
            let output = network.forward(tensor(&seen, &network.device()), session, scheme, None).expect("good");
            let answer = engine.forward(&seen, session, scheme).expect("good");
            report.near("log-rates", session, answer.log_rates.values(), &wide(read(output.log_rates)));
            report.near("latents", session, answer.latents.values(), &wide(read(output.latents)));
        }
    }
    report.finish("answers of the engine and of burn");
    let (weights, counts, regions) = odd();
    let mut engine = Engine::new(&weights);
    let before = engine.forward(&counts, "s", Scheme::Neuron).expect("good");
    let mask = Mask::draw(counts.shape(), &regions, Scheme::Neuron, 0.4, 5);
    engine.loss(&mask.apply(&counts), &counts, &mask, "s", Scheme::Neuron, None).expect("good");
    engine.update(|_, values, gradient| {
        values.iter_mut().zip(gradient).for_each(|(value, slope)| *value -= 1e-3 * slope)
    });
    let after = engine.forward(&counts, "s", Scheme::Neuron).expect("good");
    let fresh = Engine::new(&engine.to_weights().expect("finite")).forward(&counts, "s", Scheme::Neuron).expect("good");
    assert!(after == fresh && after != before, "the answer is that of the new weights");
}

#[test]
fn the_engine_gives_the_same_bits_on_any_number_of_threads_and_in_memory_used_before() {
    let (weights, counts, regions) = odd();
    let mask = Mask::draw(counts.shape(), &regions, Scheme::Causal, 0.4, 5);
    let seen = mask.apply(&counts);
    let result = |engine: &mut Engine| {
        let loss = engine.loss(&seen, &counts, &mask, "s", Scheme::Causal, Some(9)).expect("good");
        (loss, engine.gradients(), engine.forward(&seen, "s", Scheme::Causal).expect("good"))
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| result(&mut Engine::new(&weights)))
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads");
    }
    let mut used = Engine::new(&weights);
    let some = |binned: &Binned| binned.of_trials(&[3, 5]).of_bins(2..9);
    let few = Mask::draw([2, 7, 33], &regions, Scheme::Neuron, 0.5, 3);
    used.loss(&some(&seen), &some(&counts), &few, "s", Scheme::Neuron, Some(1)).expect("good");
    used.forward(&some(&seen), "s", Scheme::Neuron).expect("good");
    assert!(result(&mut used) == one, "after a smaller batch");
}

#[test]
fn the_engine_holds_extreme_log_rates_and_tells_of_those_beyond_numbers() {
    let (weights, counts, regions) = odd();
    let mask = Mask::draw(counts.shape(), &regions, Scheme::Neuron, 0.4, 5);
    let loss = |bias: f32| {
        let mut state = weights.state().clone();
        state.tensors.get_mut("stitch_out.s.bias").expect("there").values.fill(bias);
        let weights = MtmWeights::new(weights.config().clone(), weights.sessions().to_vec(), state).expect("finite");
        let mut engine = Engine::new(&weights);
        let loss = engine.loss(&mask.apply(&counts), &counts, &mask, "s", Scheme::Neuron, None).expect("good");
        let finite = engine.gradients().tensors.values().all(|tensor| tensor.values.iter().all(|v| v.is_finite()));
        (loss, finite)
    };
    for bias in [-1e6, -200.0, -90.0, 0.0, 60.0] {
        let (loss, finite) = loss(bias);
        assert!(loss.is_finite() && finite, "{bias}: {loss}");
    }
    for bias in [100.0, 1e6] {
        assert!(!loss(bias).0.is_finite(), "{bias}");
    }
}

#[test]
fn the_engine_gives_frozen_weights_no_gradient() {
    let (weights, _) = lively();
    let mut engine = Engine::new(&weights).freeze_where(|key| !Mtm::belongs_to_session(key));
    let mask = Mask::draw(LIVELY, &LIVELY_REGIONS, Scheme::Neuron, 0.5, 3);
    let spikes = counts(0);
    engine.loss(&mask.apply(&spikes), &spikes, &mask, "two", Scheme::Neuron, None).expect("good");
    let names: Vec<String> = engine.gradients().tensors.into_keys().collect();
    let expected =
        ["session.two", "stitch_in.two.bias", "stitch_in.two.weight", "stitch_out.two.bias", "stitch_out.two.weight"];
    assert_eq!(names, expected);
    let error = engine.forward(&spikes, "three", Scheme::Neuron).expect_err("unknown");
    assert!(error.to_string().contains("no session `three`; it has one, two"), "{error}");
    let long = Binned::from_fn([1, BINS + 1, 8], |_, _, _| 0.0);
    assert!(engine.forward(&long, "one", Scheme::Neuron).is_err_and(|e| e.to_string().contains("13 bins")));
}

#[test]
fn three_steps_of_the_optimizer_agree_with_the_reference_on_the_cpu() {
    three_steps(&Device::flex(), ON_CPU);
}

#[test]
fn cases_predictions_and_steps_agree_with_the_reference_on_the_gpu() {
    let Some(gpu) = gpu_for_minutes() else { return };
    let device = gpu.burn.clone();
    if !gpu.report().kind.is_hardware() {
        // Software compiles each kernel for each shape, for many minutes in all: one case stands for the others.
        cases(&device, ON_GPU, &[Scheme::Causal], &SESSIONS[..1]);
        return;
    }
    every_case(&device, ON_GPU);
    every_evaluation(&Mtm::new(&weights(&fixture()), &device), ON_GPU);
    three_steps(&device, ON_GPU);
}

#[test]
fn the_learning_rate_follows_the_reference() {
    let cycle = OneCycle { peak: 1e-2, ..OneCycle::default() };
    let rates: Vec<f32> = (0..20).map(|step| cycle.at(step, 20) as f32).collect();
    let (e, step) = deviation(&rates, &fixture().get("train/lr").values);
    assert!(e < 1e-7, "step {step}: {e:e}");
}

/// A network of two sessions of equal size that predicts more than means: its readouts are ten times as strong.
fn lively() -> (MtmWeights, Mtm) {
    let mut weights = MtmWeights::initial(&config(), 4).expect("good sizes");
    for id in ["one", "two"] {
        weights.add_session(id, &[0.5; 8], 9).expect("a new session");
    }
    let mut state = weights.state().clone();
    for (key, tensor) in &mut state.tensors {
        if key.starts_with("stitch_out.") && key.ends_with(".weight") {
            tensor.values.iter_mut().for_each(|value| *value *= 10.0);
        }
    }
    let weights = MtmWeights::new(config(), weights.sessions().to_vec(), state).expect("the same sizes");
    let network = Mtm::new(&weights, &Device::flex());
    (weights, network)
}

const LIVELY: [usize; 3] = [4, BINS, 8];
const LIVELY_REGIONS: [usize; 8] = [0, 1, 2, 0, 1, 2, 0, 1];

/// Counts that differ in every place under another seed.
fn counts(seed: usize) -> Binned {
    Binned::from_fn(LIVELY, |trial, bin, neuron| ((7 * trial + 5 * bin + 3 * neuron + seed) % 4) as f32)
}

#[test]
fn a_hidden_spike_never_changes_any_prediction() {
    let (_, network) = lively();
    let device = network.device();
    for scheme in Scheme::ALL {
        let mask = Mask::draw(LIVELY, &LIVELY_REGIONS, scheme, scheme.ratio(), 21);
        let spikes = counts(0);
        let mut changed = spikes.clone();
        for (value, &hidden) in changed.values_mut().iter_mut().zip(mask.hidden()) {
            *value += if hidden { 3.0 } else { 0.0 };
        }
        let predict = |spikes: &Binned| {
            read(network.forward(tensor(&mask.apply(spikes), &device), "one", scheme, None).expect("good").log_rates)
        };
        assert_eq!(predict(&spikes), predict(&changed), "{scheme}");
        assert_ne!(predict(&spikes), predict(&counts(1)), "{scheme}: what is visible matters");
    }
}

#[test]
fn no_evaluation_sees_the_truth_it_is_scored_on() {
    let (_, network) = lively();
    let progress = Progress::new();
    let spikes = counts(0);
    let each: Vec<Vec<usize>> = (0..8).map(|neuron| vec![neuron]).collect();
    let co = |spikes: &Binned| network.co_smoothing(spikes, "one", &each, Scheme::Neuron, &progress).expect("good");
    let inter = |spikes: &Binned| {
        network.inter_region(spikes, "one", &LIVELY_REGIONS, Scheme::InterRegion, &progress).expect("good")
    };
    let intra = |spikes: &Binned| {
        network.intra_region(spikes, "one", &LIVELY_REGIONS, Scheme::IntraRegion, &progress).expect("good")
    };
    let (co_before, inter_before, intra_before) = (co(&spikes), inter(&spikes), intra(&spikes));
    for (neuron, region) in LIVELY_REGIONS.into_iter().enumerate() {
        let mut changed = spikes.clone();
        changed.values_mut().iter_mut().skip(neuron).step_by(8).for_each(|value| *value += 2.0);
        let same = |a: &Predicted, b: &Predicted, other: usize| {
            a.log_rates.of_neurons(&[other]) == b.log_rates.of_neurons(&[other])
        };
        let (co, inter, intra) = (co(&changed), inter(&changed), intra(&changed));
        for (other, other_region) in LIVELY_REGIONS.into_iter().enumerate() {
            let same_region = region == other_region;
            assert_eq!(same(&co, &co_before, other), neuron == other, "co-smoothing of {other} from {neuron}");
            assert_eq!(same(&inter, &inter_before, other), same_region, "inter-region, {other} from {neuron}");
            let alone = neuron == other || !same_region;
            assert_eq!(same(&intra, &intra_before, other), alone, "intra-region, {other} from {neuron}");
        }
    }
    let mut changed = spikes.clone();
    changed.values_mut().chunks_exact_mut(BINS * 8).for_each(|trial| trial[10 * 8..].fill(5.0));
    let forward = |spikes: &Binned| network.forward_prediction(spikes, "one", 0.2, Scheme::Causal).expect("good");
    assert_eq!(forward(&spikes), forward(&changed));
    assert_eq!((forward(&spikes).bins, forward(&spikes).log_rates.shape()), (10..12, [4, 2, 8]));
}

#[test]
fn with_causal_attention_no_bin_sees_a_later_one() {
    let (_, network) = lively();
    let device = network.device();
    let predict = |spikes: &Binned, scheme| {
        let output = network.forward(tensor(spikes, &device), "two", scheme, None).expect("good");
        Binned::new(4, BINS, 8, read(output.log_rates)).expect("all places")
    };
    let spikes = counts(0);
    for bin in 0..BINS {
        let mut changed = spikes.clone();
        changed.values_mut().chunks_exact_mut(8).skip(bin).step_by(BINS).for_each(|row| row.fill(6.0));
        let (before, after) = (predict(&spikes, Scheme::Causal), predict(&changed, Scheme::Causal));
        assert_eq!(before.of_bins(0..bin), after.of_bins(0..bin), "before bin {bin}");
        for later in bin..BINS {
            assert_ne!(before.of_bins(later..later + 1), after.of_bins(later..later + 1), "{bin} at {later}");
        }
        if bin > 0 {
            let first = |binned: &Binned| binned.of_bins(0..1);
            let (before, after) = (predict(&spikes, Scheme::Neuron), predict(&changed, Scheme::Neuron));
            assert_ne!(first(&before), first(&after), "without it, bin 0 sees bin {bin}");
        }
    }
}

#[test]
fn sessions_of_equal_size_keep_weights_of_their_own() {
    let (_, network) = lively();
    let predict = |id| {
        read(network.forward(tensor(&counts(0), &network.device()), id, Scheme::Neuron, None).expect("good").log_rates)
    };
    assert_ne!(predict("one"), predict("two"));
    let error =
        network.forward(tensor(&counts(0), &network.device()), "three", Scheme::Neuron, None).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "the network has no session `three`; it has one, two: add the session first, and train its weights"
    );
}

#[test]
fn the_prompt_changes_the_prediction() {
    let (_, network) = lively();
    let predict = |scheme| {
        read(network.forward(tensor(&counts(0), &network.device()), "one", scheme, None).expect("good").log_rates)
    };
    let all: Vec<Vec<f32>> = Scheme::ALL.into_iter().map(predict).collect();
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b), "{}", Scheme::ALL[i]);
    }
}

#[test]
fn an_untrained_session_predicts_its_mean_rates() {
    let mut weights = MtmWeights::initial(&MtmConfig { bins: 20, ..MtmConfig::small() }, 1).expect("good");
    let means: Vec<f64> = (0..30).map(|neuron| 0.01 + 0.02 * f64::from(neuron)).collect();
    weights.add_session("new", &means, 2).expect("a new session");
    let network = Mtm::new(&weights, &Device::flex());
    let spikes = Binned::from_fn([3, 20, 30], |trial, bin, neuron| ((trial + bin * neuron) % 5 / 4) as f32);
    let found = network.reconstruct(&spikes, "new", Scheme::Neuron).expect("good");
    for (neuron, mean) in means.iter().enumerate() {
        // Readout weights of ±0.1 / sqrt(width) on latents of variance 1: log-rates within four times 0.1 / sqrt(3).
        let off = (f64::from(found.at(1, 7, neuron)) - mean.ln()).abs();
        assert!(off < 0.24, "neuron {neuron}: {off}");
    }
}

#[test]
fn dropout_follows_its_seed_and_is_absent_without_one() {
    let config = MtmConfig { dropout: 0.4, embedding_dropout: 0.2, ..config() };
    let mut weights = MtmWeights::initial(&config, 4).expect("good");
    weights.add_session("one", &[0.5; 8], 9).expect("a new session");
    let network = Mtm::new(&weights, &Device::flex());
    let predict = |seed| {
        let spikes = tensor(&counts(0), &network.device());
        read(network.forward(spikes, "one", Scheme::Neuron, seed).expect("good").log_rates)
    };
    assert_eq!(predict(Some(1)), predict(Some(1)));
    assert_ne!(predict(Some(1)), predict(Some(2)));
    assert_ne!(predict(Some(1)), predict(None));
    assert_eq!(predict(None), predict(None));
}

#[test]
fn frozen_weights_and_those_of_other_sessions_have_no_gradient() {
    let (weights, _) = lively();
    let network = Mtm::new(&weights, &Device::flex().autodiff()).freeze_where(|key| !Mtm::belongs_to_session(key));
    let mask = Mask::draw(LIVELY, &LIVELY_REGIONS, Scheme::Neuron, 0.5, 3);
    let spikes = counts(0);
    let output =
        network.forward(tensor(&mask.apply(&spikes), &network.device()), "two", Scheme::Neuron, None).expect("good");
    let gradients = poisson_loss(output.log_rates, &spikes, &mask).backward();
    let names: Vec<String> = network.gradients(&gradients).expect("read").tensors.into_keys().collect();
    let expected =
        ["session.two", "stitch_in.two.bias", "stitch_in.two.weight", "stitch_out.two.bias", "stitch_out.two.weight"];
    assert_eq!(names, expected);
}

#[test]
fn training_goes_on_from_a_stored_state_to_the_bit() {
    let (weights, _) = lively();
    let device = Device::flex().autodiff();
    let spikes = counts(2);
    let mask = Mask::draw(LIVELY, &LIVELY_REGIONS, Scheme::Neuron, 0.5, 3);
    let step = |network: Mtm, optimizer: &mut AdamW| {
        let seen = tensor(&mask.apply(&spikes), &network.device());
        let output = network.forward(seen, "one", Scheme::Neuron, Some(5)).expect("good");
        let gradients = poisson_loss(output.log_rates, &spikes, &mask).backward();
        optimizer.step(network, &gradients, 1e-2)
    };
    let mut optimizer = AdamW::new(AdamWConfig::default());
    let half = step(Mtm::new(&weights, &device), &mut optimizer);
    let (stored, state) = (half.to_weights().expect("read"), optimizer.state().expect("read"));
    let whole = step(half, &mut optimizer).to_weights().expect("read");

    let mut resumed = AdamW::new(AdamWConfig::default());
    resumed.set_state(state.clone(), &device).expect("complete");
    let again = step(Mtm::new(&stored, &device), &mut resumed).to_weights().expect("read");
    assert_eq!(whole, again);
    assert_ne!(whole, stored);
    assert_eq!(optimizer.state().expect("read"), resumed.state().expect("read"));

    let mut broken = state;
    broken.means.remove("prompt");
    assert!(resumed.set_state(broken, &device).is_err_and(|e| e.contains("`prompt`")));
}

#[test]
fn a_network_comes_back_from_its_file() {
    let (mut weights, network) = lively();
    weights.about.insert("simulated".to_owned(), toml::Value::Boolean(true));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("network.safetensors");
    weights.save(&path).expect("written");
    let found = MtmWeights::load(&path).expect("read");
    assert_eq!(found, weights);
    assert_eq!((found.to_bytes(), found.sha256()), (std::fs::read(&path).expect("there"), weights.sha256()));
    assert_eq!(network.to_weights().expect("read").state(), weights.state());
    assert!(weights.remove_session("one") && !weights.remove_session("one"));
    weights.save(&path).expect("replaced");
    assert_eq!(MtmWeights::load(&path).expect("read").sessions().len(), 1);
}

#[test]
fn sessions_that_cannot_be_are_refused() {
    let (mut weights, _) = lively();
    let before = weights.clone();
    let mut refused = |id: &str, means: &[f64]| weights.add_session(id, means, 1).expect_err("refused").to_string();
    assert!(refused("one", &[0.1]).contains("already"));
    assert!(refused("", &[0.1]).contains("printable"));
    assert!(refused("a\nb", &[0.1]).contains("printable"));
    assert!(refused("empty", &[]).contains("0 neurons"));
    assert!(refused("strange", &[0.1, f64::NAN]).contains("neuron 1 is NaN"));
    assert!(refused("negative", &[-1.0]).contains("neuron 0 is -1"));
    assert_eq!(weights, before, "nothing was added");
}

#[test]
fn damaged_files_end_in_a_sentence() {
    let (weights, _) = lively();
    let bytes = weights.to_bytes();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("eight")) as usize;
    let text = std::str::from_utf8(&bytes[8..header]).expect("JSON").to_owned();
    let altered = |from: &str, to: &str| {
        assert!(text.contains(from), "`{from}` is in the header");
        let mut text = text.replacen(from, to, 1);
        text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
        let mut file = (text.len() as u64).to_le_bytes().to_vec();
        file.extend(text.as_bytes());
        file.extend(&bytes[header..]);
        MtmWeights::from_bytes(&file, "network.safetensors").expect_err("refused")
    };
    assert!(matches!(altered("twinscope.mtm", "something.else"), MtmError::Description { .. }));
    assert!(altered("neurons = 8", "neurons = 9").to_string().contains("stitch_"));
    assert!(altered("neurons = 8", "neurons = 9000000000000000000").to_string().contains("weights can serve"));
    assert!(altered("neurons = 8", "neurons = -8").to_string().contains("description"));
    assert!(altered("width = 16", "width = 24").to_string().contains("has the shape"));
    assert!(altered("layers = 2", "layers = 3").to_string().contains("lacks `layers.2."));
    assert!(altered("layers = 2", "layers = 1").to_string().contains("has `layers.1."));
    assert!(altered("heads = 2", "heads = 3").to_string().contains("multiple"));
    assert!(altered("id = \\\"two\\\"", "id = \\\"one\\\"").to_string().contains("already"));
    assert!(altered("\"F32\"", "\"I32\"").to_string().contains("float32"));
    for length in [0, 7, 8, 100, header, bytes.len() - 1] {
        let error = MtmWeights::from_bytes(&bytes[..length], "short").expect_err("refused");
        assert!(matches!(error, MtmError::Weights(WeightError::Damaged { .. })), "{length}: {error}");
    }
    let mut infinite = bytes.clone();
    let end = infinite.len();
    infinite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert!(MtmWeights::from_bytes(&infinite, "infinite").expect_err("refused").to_string().contains("inf"));
    // Whatever byte of the header is altered: an error or a network, never a panic.
    for place in (0..header).step_by(7) {
        let mut altered = bytes.clone();
        altered[place] ^= 0x15;
        drop(MtmWeights::from_bytes(&altered, "altered"));
    }
}

#[test]
fn impossible_evaluations_are_refused() {
    let (_, network) = lively();
    let (spikes, progress) = (counts(0), Progress::new());
    let co = |groups: &[Vec<usize>]| {
        network.co_smoothing(&spikes, "one", groups, Scheme::Neuron, &progress).expect_err("refused").to_string()
    };
    assert!(co(&[vec![0, 1], vec![1]]).contains("neuron 1 would be hidden twice"));
    assert!(co(&[vec![8]]).contains("no neuron 8"));
    assert!(co(&[vec![]]).contains("empty"));
    let short = network.inter_region(&spikes, "one", &[0; 7], Scheme::InterRegion, &progress);
    assert!(short.is_err_and(|e| e.to_string().contains("7 regions for 8 neurons")));
    for fraction in [0.0, 1.0, f64::NAN, -0.5] {
        assert!(network.forward_prediction(&spikes, "one", fraction, Scheme::Causal).is_err(), "{fraction}");
    }
    let long = Binned::from_fn([1, BINS + 1, 8], |_, _, _| 0.0);
    assert!(network.reconstruct(&long, "one", Scheme::Neuron).is_err_and(|e| e.to_string().contains("13 bins")));
    let wide = Binned::from_fn([1, BINS, 9], |_, _, _| 0.0);
    assert!(network.reconstruct(&wide, "one", Scheme::Neuron).is_err_and(|e| e.to_string().contains("9 neurons")));
    progress.cancel();
    let stopped = network.co_smoothing(&spikes, "one", &[vec![0]], Scheme::Neuron, &progress);
    assert!(matches!(stopped, Err(MtmError::Cancelled(_))));
    assert!(network.valid().reconstruct(&spikes, "one", Scheme::Neuron).is_ok());
}

/// Two simulated animals, and a network that is new to them.
fn animals() -> (Vec<FitSession>, MtmWeights) {
    let simulation = SpikeSimulation {
        animals: 2,
        neurons: (10, 14),
        trials: 40,
        bins: BINS,
        mean_count: 0.4,
        delay_bins: 0,
        ..SpikeSimulation::default()
    };
    let config = MtmConfig { dropout: 0.1, embedding_dropout: 0.1, ..config() };
    let mut weights = MtmWeights::initial(&config, 1).expect("good sizes");
    let sessions = simulation.sessions().expect("good sizes");
    for session in &sessions {
        weights.add_session(&session.id, &session.training_means(), 2).expect("a new session");
    }
    (sessions.iter().map(|session| FitSession::new(session, 3)).collect(), weights)
}

fn fit_config() -> FitConfig {
    FitConfig {
        epochs: 4,
        batch: 8,
        validate_every: 2,
        cycle: OneCycle { peak: 5e-3, ..OneCycle::default() },
        seed: 11,
        ..FitConfig::default()
    }
}

#[test]
fn a_training_goes_on_where_it_stopped_and_keeps_its_best_epoch() {
    let (sessions, weights) = animals();
    let device = Device::flex();
    let mut whole = Fit::new(fit_config(), weights.clone(), &device).expect("good settings");
    let mut reports = Vec::new();
    let mut half = None;
    whole
        .run(&sessions, &Progress::new(), |fit, report| {
            reports.push(report);
            if report.epoch == 2 {
                half = Some(fit.state()?);
            }
            Ok(())
        })
        .expect("a training");
    assert_eq!(reports.iter().map(|report| report.score.is_some()).collect::<Vec<_>>(), [false, true, false, true]);
    let half = half.expect("epoch 2");
    assert_eq!(half.best.as_ref().map(|best| best.epoch), Some(2));
    let mut resumed = Fit::resume(fit_config(), half, &device).expect("good settings");
    let mut rest = Vec::new();
    resumed
        .run(&sessions, &Progress::new(), |_, report| {
            rest.push(report);
            Ok(())
        })
        .expect("a training");
    assert_eq!(rest, reports[2..]);
    assert_eq!(resumed.state().expect("read"), whole.state().expect("read"));
    let best = whole.state().expect("read").best.expect("validated");
    assert!(whole.best_weights().expect("read") == best.weights && best.weights != weights);
}

#[test]
fn training_predicts_hidden_neurons_better_than_their_mean() {
    let (sessions, weights) = animals();
    let config = FitConfig { epochs: 40, validate_every: 10, schemes: vec![Scheme::Neuron], ..fit_config() };
    let mut fit = Fit::new(config, weights, &Device::flex()).expect("good settings");
    let mut reports = Vec::new();
    fit.run(&sessions, &Progress::new(), |_, report| {
        reports.push(report);
        Ok(())
    })
    .expect("a training");
    let (first, last) = (reports[0], reports[39]);
    assert!(last.loss < first.loss - 0.02, "{first:?} {last:?}");
    assert!(last.score.is_some_and(|bits| bits > 0.02), "{last:?}");
}

#[test]
fn training_a_new_session_alone_keeps_the_shared_weights() {
    let (sessions, weights) = animals();
    let config = FitConfig { keep_shared: true, epochs: 1, ..fit_config() };
    let mut fit = Fit::new(config, weights.clone(), &Device::flex()).expect("good settings");
    fit.run(&sessions[1..], &Progress::new(), |_, _| Ok(())).expect("a training");
    for (key, tensor) in &fit.state().expect("read").weights.state().tensors {
        let own = key.contains(&sessions[1].id);
        assert_eq!(*tensor != weights.state().tensors[key], own, "{key}");
    }
}

#[test]
fn impossible_trainings_are_refused_and_others_cancelled() {
    let (sessions, weights) = animals();
    let fit = |config| Fit::new(config, weights.clone(), &Device::flex());
    let message = |config| fit(config).expect_err("refused").to_string();
    assert!(message(FitConfig { batch: 0, ..fit_config() }).contains("batch"));
    assert!(message(FitConfig { schemes: Vec::new(), ..fit_config() }).contains("schemes"));
    assert!(message(FitConfig { ratio: Some(f64::NAN), ..fit_config() }).contains("ratio"));
    let mut good = fit(fit_config()).expect("good settings");
    assert!(matches!(good.epoch(&[], &Progress::new()), Err(FitError::Settings(_))));
    let progress = Progress::new();
    progress.cancel();
    assert!(matches!(good.epoch(&sessions, &progress), Err(FitError::Cancelled(_))));
    let wild = FitConfig { cycle: OneCycle { peak: 1e6, start: 1.0, ..OneCycle::default() }, ..fit_config() };
    let error = fit(wild).expect("good settings").run(&sessions, &Progress::new(), |_, _| Ok(())).expect_err("too far");
    assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
}

//! The GPU against the CPU.

use twinscope::signals::{FrameSource, Monitor};
use twinscope::stimulus::{Prepared, Renderer, ScheduleSource};

use super::{computed, draw, prepared, small_monitor};
use crate::gpu::gpu;

fn values(tensor: burn::tensor::Tensor<3>) -> Vec<f32> {
    tensor.try_into_data().expect("the device computed").try_to_vec::<f32>().expect("32-bit floats")
}

fn agree(what: &str, gpu: &[f32], cpu: &[u8]) {
    assert_eq!(gpu.len(), cpu.len(), "{what}");
    let (mut differ, mut worst) = (0, 0.0f32);
    for (&a, &b) in gpu.iter().zip(cpu) {
        assert!(a == a.round() && (0.0..=255.0).contains(&a), "{what}: {a} is no 8-bit grey level");
        worst = worst.max((a - f32::from(b)).abs());
        differ += usize::from(a != f32::from(b));
    }
    let share = differ as f64 / cpu.len() as f64;
    println!("{what}: {differ} of {} pixels differ, at most by {worst}", cpu.len());
    // One grey level, where 32 and 64 bits round to different sides.
    assert!(worst <= 1.0 && share <= 0.001, "{what}: {differ} of {} pixels differ, at most by {worst}", cpu.len());
}

fn frames(prepared: &Prepared, range: std::ops::Range<usize>) -> Vec<u8> {
    range.flat_map(|frame| draw(prepared, frame)).collect()
}

#[test]
fn the_gpu_draws_the_formula() {
    let Some(gpu) = gpu() else { return };
    let renderer = Renderer::new(&gpu);
    for monitor in [Monitor::WANG2025, small_monitor()] {
        for stimulus in computed() {
            let shown = prepared(stimulus.clone(), &monitor, 0xfeed_0000_0000_0007);
            let drawn = values(renderer.render(&shown, 100..104).unwrap_or_else(|error| panic!("{error}")));
            agree(stimulus.label(), &drawn, &frames(&shown, 100..104));
        }
    }
}

#[test]
fn white_noise_on_the_gpu_has_the_same_bits() {
    let Some(gpu) = gpu() else { return };
    let noise = twinscope::stimulus::WhiteNoise { square_deg: 0.5, ..Default::default() };
    for seed in [1, u64::MAX, 1 << 40] {
        let shown = prepared(noise.clone(), &Monitor::WANG2025, seed);
        let drawn = values(Renderer::new(&gpu).render(&shown, 0..3).unwrap_or_else(|error| panic!("{error}")));
        let drawn: Vec<u8> = drawn.iter().map(|&grey| grey as u8).collect();
        assert!(drawn == frames(&shown, 0..3), "seed {seed}");
    }
}

#[test]
fn a_schedule_on_the_gpu_is_that_of_the_cpu_and_can_be_computed_with() {
    let Some(gpu) = gpu() else { return };
    let monitor = small_monitor();
    let mut source = ScheduleSource::new(super::schedule::schedule(), &monitor).unwrap_or_else(|e| panic!("{e}"));
    let mut pixels = vec![0; 30 * monitor.raster.pixels()];
    source.read(0, 30, &mut pixels).unwrap_or_else(|error| panic!("{error}"));
    let renderer = Renderer::new(&gpu);
    let drawn = renderer.render_schedule(&mut source, 0..30).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(drawn.dims(), [30, 72, 128]);
    // What burn computes afterwards must see what the shaders wrote before.
    let doubled = values(drawn.clone() * 2.0);
    let drawn = values(drawn);
    assert!(doubled.iter().zip(&drawn).all(|(d, v)| *d == v * 2.0));
    agree("schedule", &drawn, &pixels);
    assert!(renderer.render_schedule(&mut source, 20..31).is_err(), "beyond the end");
}

#[test]
fn nothing_and_too_much_are_refused() {
    let Some(gpu) = gpu() else { return };
    let shown = prepared(computed()[0].clone(), &small_monitor(), 1);
    let renderer = Renderer::new(&gpu);
    assert!(renderer.render(&shown, 0..0).is_err());
    assert!(renderer.render(&shown, 0..usize::MAX).is_err());
}

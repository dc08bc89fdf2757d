//! A movie shown in pieces is the movie shown at once, and the state between the pieces is a value.

use std::sync::Arc;

use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinError, TwinOptions, TwinState};
use twinscope::signals::{Behavior, Movie, Raster};

use crate::fixture::{Fixture, deviation, pilot};
use crate::gpu::gpu_for_minutes;

const FRAMES: usize = 60;

fn twin(device: &ComputeDevice) -> Twin {
    Twin::open(Arc::new(pilot()), device, TwinOptions::default()).expect("the pilot twin opens")
}

/// The first frames of a reference movie, with what the animal does.
fn movie(name: &str, frames: usize) -> (Movie, Behavior) {
    let fixture = Fixture::load("pilot/pilot_expected.safetensors");
    let get = |part: &str| fixture.get(&format!("{name}.{part}"));
    let pairs = |part: &str| get(part).f32().as_chunks().0[..frames].to_vec();
    let raster = Raster { height: 36, width: 64 };
    (
        Movie::new(raster, frames, 1, get("movie").u8()[..frames * raster.pixels()].to_vec()).expect("so many frames"),
        Behavior::new(frames, 1, pairs("gaze"), pairs("behavior")).expect("so many frames"),
    )
}

fn in_pieces_of(chunk: usize, frames: usize, twin: &Twin) -> Vec<f32> {
    let (mut movie, behavior) = movie("rdk", frames);
    let mut responses = Vec::new();
    twin.rollout::<TwinError>(&mut movie, Some(&behavior), chunk, &Progress::new(), &mut |first, rows| {
        assert_eq!(first * twin.units(), responses.len(), "pieces come in order");
        responses.extend_from_slice(rows);
        Ok(())
    })
    .expect("the movie is shown");
    responses
}

#[test]
fn on_the_cpu_pieces_of_1_7_and_30_frames_give_the_same_bits() {
    let twin = twin(&ComputeDevice::Cpu);
    let whole = in_pieces_of(FRAMES, FRAMES, &twin);
    assert_eq!(whole.len(), FRAMES * twin.units());
    for chunk in [1, 7, 30] {
        assert!(in_pieces_of(chunk, FRAMES, &twin) == whole, "pieces of {chunk}");
    }
}

#[test]
fn on_the_gpu_pieces_of_1_7_and_30_frames_agree() {
    let Some(gpu) = gpu_for_minutes() else { return };
    let twin = twin(&ComputeDevice::Gpu(gpu));
    // Few frames: a software adapter takes a third of a second for each.
    const FEW: usize = 31;
    let whole: Vec<f64> = in_pieces_of(FEW, FEW, &twin).into_iter().map(f64::from).collect();
    for chunk in [1, 7, 30] {
        // The frames are computed one by one in any case; only a kernel tuned in between may add in another order.
        let (e, at) = deviation(&in_pieces_of(chunk, FEW, &twin), &whole);
        assert!(e <= 1e-5, "pieces of {chunk}: deviation {e:e} at {at}");
    }
}

#[test]
fn two_branches_from_one_state_do_not_touch_each_other() {
    let twin = twin(&ComputeDevice::Cpu);
    let (mut dots, behavior) = movie("rdk", FRAMES);
    let (mut gabors, _) = movie("gabors", FRAMES);
    let mut seen = twin.start(1);
    let mut before = Vec::new();
    twin.show(&mut seen, &mut dots, 0..30, &behavior, &mut before).expect("shown");

    let show = |state: &mut TwinState, movie: &mut Movie, frames: std::ops::Range<usize>| {
        let mut responses = Vec::new();
        twin.show(state, movie, frames, &behavior, &mut responses).expect("shown");
        responses
    };
    let (mut one, mut two) = (seen.clone(), seen.clone());
    // Frame by frame in turn: what one branch sees must not reach the other.
    let (mut on_dots, mut on_gabors) = (Vec::new(), Vec::new());
    for frame in 30..FRAMES {
        on_dots.extend(show(&mut one, &mut dots, frame..frame + 1));
        on_gabors.extend(show(&mut two, &mut gabors, frame..frame + 1));
    }
    assert!(on_dots != on_gabors, "different movies have different answers");
    assert!(show(&mut seen.clone(), &mut dots, 30..FRAMES) == on_dots);
    assert!(show(&mut seen, &mut gabors, 30..FRAMES) == on_gabors);
    assert!([before, on_dots].concat() == in_pieces_of(FRAMES, FRAMES, &twin), "a state continued is one long rollout");
    // A new state has forgotten everything.
    assert!(show(&mut twin.start(1), &mut gabors, 30..FRAMES) != on_gabors);
}

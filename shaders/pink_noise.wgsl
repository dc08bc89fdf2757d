// Pink noise; the formula is in src/stimulus/pink_noise.rs. One set of amplitudes, which fall as 1/f, and no motion.

// Number of each frame since onset.
@group(0) @binding(7) var<storage, read> times_of_frames: array<u32>;

fn time_of(frame: u32) -> u32 {
    return times_of_frames[frame];
}

fn factor(frame: u32, wave: u32, vector: vec2<u32>) -> vec2<f32> {
    return vec2<f32>(amplitude(0u, wave), 0.0);
}

// Directional noise; the formula is in src/stimulus/monet.rs. In each frame one of several sets of amplitudes, that of
// no orientation or that of a direction, and a displacement of the whole picture.

struct Moment {
    time: u32,
    chosen: u32,
    // Displacement in cycles of the field, units of 2^-32.
    shift: vec2<u32>,
}

@group(0) @binding(7) var<storage, read> moments: array<Moment>;

fn time_of(frame: u32) -> u32 {
    return moments[frame].time;
}

fn factor(frame: u32, wave: u32, vector: vec2<u32>) -> vec2<f32> {
    let moment = moments[frame];
    let size = amplitude(moment.chosen, wave);
    if all(moment.shift == vec2<u32>(0u)) {
        return vec2<f32>(size, 0.0);
    }
    // Whole cycles wrap around by themselves.
    let phase = vector.x * moment.shift.x + vector.y * moment.shift.y;
    // A quarter of a cycle turns the cosine into the sine.
    return size * vec2<f32>(cosine_of_cycles(phase), -cosine_of_cycles(phase - QUARTER_CYCLE));
}

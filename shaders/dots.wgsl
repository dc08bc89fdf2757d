// Moving dots; the formula is in src/stimulus/dots.rs. `place` finds where every dot is, `draw` paints the pixels.

struct Dots {
    seed: vec2<u32>,
    count: u32,
    // The first so many dots carry the signal.
    signal: u32,
    life_frames: u32,
    side: f32,
    radius: f32,
    background: f32,
    white: f32,
    black: f32,
}

struct Dot {
    position: vec2<f32>,
    grey: f32,
    unused: f32,
}

@group(0) @binding(2) var<storage, read> field: Dots;
// Number of each frame since onset.
@group(0) @binding(3) var<storage, read> frames: array<u32>;
// Step of the signal, then those of the noise directions, as fractions of the field in units of 2^-32.
@group(0) @binding(4) var<storage, read> steps: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> places: array<Place>;
@group(0) @binding(6) var<storage, read_write> dots: array<Dot>;

const STAGGER: u32 = 0xffffffffu;
const DIRECTIONS: u32 = 1024u;

fn degrees_on_field(start: u32, step: u32, age: u32) -> f32 {
    let fraction = f32((start + age * step) >> 8u) * (1.0 / 16777216.0);
    return (fraction - 0.5) * field.side;
}

@compute @workgroup_size(64)
fn place(@builtin(global_invocation_id) id: vec3<u32>) {
    let dot = id.x;
    let frame = id.y;
    if dot >= field.count {
        return;
    }
    let stagger = random_words(field.seed, dot, STAGGER).x % field.life_frames;
    let clock = frames[frame] + stagger;
    let words = random_words(field.seed, dot, clock / field.life_frames);
    let age = clock % field.life_frames;
    let step = steps[select(1u + words.z % DIRECTIONS, 0u, dot < field.signal)];
    dots[frame * field.count + dot] = Dot(
        vec2<f32>(degrees_on_field(words.x, step.x, age), degrees_on_field(words.y, step.y, age)),
        select(field.black, field.white, dot % 2u == 0u),
        0.0,
    );
}

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let here = places[pixel];
    let position = vec2<f32>(here.position[0], here.position[1]);
    let per_column = vec2<f32>(here.per_column[0], here.per_column[1]);
    let per_row = vec2<f32>(here.per_row[0], here.per_row[1]);
    // No part of the edge's ramp is farther out than this.
    let reach = field.radius + length(per_column) + length(per_row);
    var grey = field.background;
    for (var index = 0u; index < field.count; index++) {
        let painted = dots[frame * field.count + index];
        let away = position - painted.position;
        if abs(away.x) > reach || abs(away.y) > reach {
            continue;
        }
        let distance = length(away);
        let toward = 1.0 / max(distance, 1e-6);
        let across = vec2<f32>(dot(away, per_column), dot(away, per_row)) * toward;
        let pixel_width = max(length(across), 1e-6);
        let cover = clamp(0.5 + (field.radius - distance) / pixel_width, 0.0, 1.0);
        grey += cover * (painted.grey - grey);
    }
    paint(frame, pixel, grey);
}

// Moving dots; the formula is in src/stimulus/dots.rs, which also finds where every dot is.

struct Dots {
    radius: f32,
    background: f32,
}

struct Dot {
    position: vec2<f32>,
    grey: f32,
    unused: f32,
}

@group(0) @binding(2) var<storage, read> field: Dots;
// Number of the first dot of each frame, then the number of all.
@group(0) @binding(3) var<storage, read> firsts: array<u32>;
@group(0) @binding(4) var<storage, read> dots: array<Dot>;
@group(0) @binding(5) var<storage, read> places: array<Place>;

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
    for (var index = firsts[frame]; index < firsts[frame + 1u]; index++) {
        let painted = dots[index];
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

// Bars and edges that cross the screen; the formula is in src/stimulus/bar.rs.

struct Pixel {
    // Degrees along the direction of motion.
    along: f32,
    // Pixels per degree along the direction of motion.
    per_deg: f32,
    // Difference of grey that full cover makes.
    change: f32,
}

@group(0) @binding(2) var<storage, read> background: array<f32>;
// Back and front of the strip in each frame, degrees.
@group(0) @binding(3) var<storage, read> ends: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> pixels: array<Pixel>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= canvas.pixels {
        return;
    }
    let pixel = pixels[id.x];
    let strip = ends[id.y];
    let before_front = clamp(0.5 + (strip.y - pixel.along) * pixel.per_deg, 0.0, 1.0);
    let after_back = clamp(0.5 + (pixel.along - strip.x) * pixel.per_deg, 0.0, 1.0);
    let cover = max(before_front + after_back - 1.0, 0.0);
    paint(id.y, id.x, background[0] + cover * pixel.change);
}

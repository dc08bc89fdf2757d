// Gaussian dots, one in each frame; the formula is in src/stimulus/gaussian_dots.rs.

struct Dots {
    background: f32,
    // 1 / (2 sigma^2), per square degree.
    per_degrees2: f32,
}

@group(0) @binding(2) var<storage, read> field: Dots;
// Centre and amplitude of the dot of each frame.
@group(0) @binding(3) var<storage, read> spots: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> places: array<Place>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let spot = spots[frame];
    let away = vec2<f32>(places[pixel].position[0], places[pixel].position[1]) - spot.xy;
    // Never far below what single precision can hold: some cards make nonsense of that.
    let exponent = min(dot(away, away) * field.per_degrees2, 20.0);
    paint(frame, pixel, field.background + spot.z * exp(-exponent));
}

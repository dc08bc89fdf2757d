// Drifting Gabor; the formula is in src/stimulus/gabor.rs.

@group(0) @binding(2) var<storage, read> background: f32;
// Phase of the Gabor's centre at each frame.
@group(0) @binding(3) var<storage, read> centres: array<u32>;
// Phase against the centre, and amplitude under the envelope, of each pixel.
@group(0) @binding(4) var<storage, read> phases: array<u32>;
@group(0) @binding(5) var<storage, read> amplitudes: array<f32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    paint(frame, pixel, background + amplitudes[pixel] * cosine_of_cycles(centres[frame] + phases[pixel]));
}

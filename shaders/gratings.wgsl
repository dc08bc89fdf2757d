// Drifting gratings; the formula is in src/stimulus/gratings.rs.

struct Grating {
    spherical: u32,
    // Flat: phase of the first pixel, and its change by column and by row.
    corner: u32,
    per_column: u32,
    per_row: u32,
    background: f32,
    amplitude: f32,
    // Spherical: cycles per degree along x and y.
    along_x: f32,
    along_y: f32,
}

@group(0) @binding(2) var<storage, read> grating: Grating;
// Phase of the middle of the screen in each frame.
@group(0) @binding(3) var<storage, read> phases: array<u32>;
@group(0) @binding(4) var<storage, read> places: array<Place>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    var phase = phases[frame];
    if grating.spherical == 1u {
        let place = places[pixel].position;
        let cycles = grating.along_x * place[0] + grating.along_y * place[1];
        phase += u32((cycles - floor(cycles)) * 16777216.0) << 8u;
    } else {
        phase += grating.corner + grating.per_column * (pixel % canvas.width) + grating.per_row * (pixel / canvas.width);
    }
    paint(frame, pixel, grating.background + grating.amplitude * cosine_of_cycles(phase));
}

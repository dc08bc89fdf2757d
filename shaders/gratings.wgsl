// Drifting gratings; the formula is in src/stimulus/gratings.rs.
// Phases are fractions of a cycle in units of 2^-32: their sums wrap around by themselves and lose nothing.

struct Grating {
    width: u32,
    pixels: u32,
    // First frame of the tensor that is drawn.
    first: u32,
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
    unused: u32,
}

@group(0) @binding(0) var<storage, read_write> greys: array<f32>;
@group(0) @binding(1) var<storage, read> grating: Grating;
// Phase of the middle of the screen in each frame.
@group(0) @binding(2) var<storage, read> phases: array<u32>;
@group(0) @binding(3) var<storage, read> places: array<Place>;

// cos(2 pi t) to 1e-7, because the cosine of graphics cards may be wrong by 5e-4, a sixteenth of a grey level.
fn cosine_of_cycles(phase: u32) -> f32 {
    let cycles = f32(bitcast<i32>(phase)) * (1.0 / 4294967296.0);
    // cos(2 pi t) = sin(2 pi (1/4 - |t|)), whose argument stays within a quarter of a cycle.
    let x = 6.283185307179586 * (0.25 - abs(cycles));
    let s = x * x;
    return x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0 * (1.0 - s / 110.0
        * (1.0 - s / 156.0))))));
}

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= grating.pixels {
        return;
    }
    var phase = phases[frame];
    if grating.spherical == 1u {
        let place = places[pixel].position;
        let cycles = grating.along_x * place[0] + grating.along_y * place[1];
        phase += u32((cycles - floor(cycles)) * 16777216.0) << 8u;
    } else {
        phase += grating.corner + grating.per_column * (pixel % grating.width) + grating.per_row * (pixel / grating.width);
    }
    greys[(grating.first + frame) * grating.pixels + pixel] =
        whole_grey(grating.background + grating.amplitude * cosine_of_cycles(phase));
}

// Gratings, one or several superposed; the formula is in src/stimulus/gratings.rs.

struct Wave {
    amplitude: f32,
    square: u32,
    // Whether the phase of each pixel is in a table.
    curved: u32,
    // Otherwise: phase of the first pixel, and its change by column and by row.
    corner: u32,
    per_column: u32,
    per_row: u32,
    slope: f32,
    unused: u32,
}

struct Gratings {
    background: f32,
    count: u32,
    waves: array<Wave>,
}

@group(0) @binding(2) var<storage, read> gratings: Gratings;
// Phase of the middle of the screen: [frame, wave].
@group(0) @binding(3) var<storage, read> middles: array<u32>;
// Phase of each pixel where stripes are curved, [wave, pixel]; slope of the edges of square waves likewise.
@group(0) @binding(4) var<storage, read> curved_phases: array<u32>;
@group(0) @binding(5) var<storage, read> curved_slopes: array<f32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    var sum = 0.0;
    for (var index = 0u; index < gratings.count; index++) {
        let wave = gratings.waves[index];
        var phase = middles[frame * gratings.count + index];
        var slope = wave.slope;
        if wave.curved == 1u {
            phase += curved_phases[index * canvas.pixels + pixel];
            if wave.square == 1u {
                slope = curved_slopes[index * canvas.pixels + pixel];
            }
        } else {
            phase += wave.corner + wave.per_column * (pixel % canvas.width) + wave.per_row * (pixel / canvas.width);
        }
        if wave.square == 1u {
            sum += wave.amplitude * square_of_cycles(phase, slope);
        } else {
            sum += wave.amplitude * cosine_of_cycles(phase);
        }
    }
    paint(frame, pixel, gratings.background + sum);
}

// Noise by Fourier synthesis; the formula is in src/stimulus/synthesis.rs. `columns` sums the waves along each column of
// wave vectors, for every row of pixels; `draw` sums the columns at every pixel.
//
// What a frame shows is said by the kind of noise, in its own file:
//
//   fn time_of(frame: u32) -> u32                             number of the frame since onset
//   fn factor(frame: u32, wave: u32, vector: vec2<u32>) -> vec2<f32>
//                                                             real amplitude or complex factor of a wave; its vector is
//                                                             in cycles per field, y down and as two's complement

struct Field {
    // Columns of wave vectors, and rows on either side of 0.
    across: u32,
    up: u32,
    // Size of the periodic field, pixels.
    width: u32,
    height: u32,
    // Length of the sequence, a power of two.
    length: u32,
    background: f32,
}

@group(0) @binding(2) var<storage, read> field: Field;
// Place in the sequence of every wave, its sign as the highest bit; then the sets of amplitudes, as bits of f32.
@group(0) @binding(3) var<storage, read> spectrum: array<u32>;
@group(0) @binding(4) var<storage, read> sequence: array<vec2<f32>>;
// One turn of the circle in as many steps as the field has rows, then in as many as it has columns.
@group(0) @binding(5) var<storage, read> turns: array<vec2<f32>>;
// [frame, row of pixels, column of wave vectors]
@group(0) @binding(6) var<storage, read_write> lines: array<vec2<f32>>;

fn times(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// Number of waves.
fn wave_count() -> u32 {
    return field.across * (2u * field.up + 1u);
}

// Amplitude of a wave in one of the sets, with the sign of the wave.
fn amplitude(chosen: u32, wave: u32) -> f32 {
    return bitcast<f32>(spectrum[wave_count() * (1u + chosen) + wave] ^ (spectrum[wave] & 0x80000000u));
}

@compute @workgroup_size(64)
fn columns(@builtin(global_invocation_id) id: vec3<u32>) {
    let frame = id.y;
    if id.x >= field.across * canvas.height {
        return;
    }
    // Neighbours share a column, and so what they read.
    let column = id.x / canvas.height;
    let row = id.x % canvas.height;
    let rows = 2u * field.up + 1u;
    let time = time_of(frame);
    var step = (field.height - (field.up * row) % field.height) % field.height;
    var sum = vec2<f32>(0.0);
    for (var up = 0u; up < rows; up++) {
        let wave = column * rows + up;
        let value = sequence[(time + spectrum[wave]) & (field.length - 1u)];
        sum += times(factor(frame, wave, vec2<u32>(column, up - field.up)), times(value, turns[step]));
        step += row;
        step -= select(0u, field.height, step >= field.height);
    }
    lines[(frame * canvas.height + row) * field.across + column] = sum;
}

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let x = pixel % canvas.width;
    let line = (frame * canvas.height + pixel / canvas.width) * field.across;
    var step = 0u;
    var sum = 0.0;
    for (var column = 0u; column < field.across; column++) {
        let value = lines[line + column];
        let turn = turns[field.height + step];
        sum += value.x * turn.x - value.y * turn.y;
        step += x;
        step -= select(0u, field.width, step >= field.width);
    }
    paint(frame, pixel, field.background + sum);
}

// Noise by Fourier synthesis; the formula is in src/stimulus/synthesis.rs. `columns` sums the waves along each column of
// wave vectors, for every row of pixels; `draw` sums the columns at every pixel.

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

struct Moment {
    time: u32,
    chosen: u32,
    // Displacement in cycles of the field.
    shift_x: u32,
    shift_y: u32,
}

@group(0) @binding(2) var<storage, read> field: Field;
@group(0) @binding(3) var<storage, read> moments: array<Moment>;
// Place in the sequence of every wave, its sign as the highest bit; then the sets of amplitudes, as bits of f32.
@group(0) @binding(4) var<storage, read> spectrum: array<u32>;
@group(0) @binding(5) var<storage, read> sequence: array<vec2<f32>>;
// One turn of the circle in as many steps as the field has rows, then in as many as it has columns.
@group(0) @binding(6) var<storage, read> turns: array<vec2<f32>>;
// [frame, row of pixels, column of wave vectors]
@group(0) @binding(7) var<storage, read_write> lines: array<vec2<f32>>;

fn times(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
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
    let count = field.across * rows;
    let moment = moments[frame];
    let moves = (moment.shift_x | moment.shift_y) != 0u;
    var phase = column * moment.shift_x - field.up * moment.shift_y;
    var step = (field.height - (field.up * row) % field.height) % field.height;
    var sum = vec2<f32>(0.0);
    for (var wave = column * rows; wave < (column + 1u) * rows; wave++) {
        let place = spectrum[wave];
        let amplitude = bitcast<f32>(spectrum[count * (1u + moment.chosen) + wave] ^ (place & 0x80000000u));
        var turn = turns[step];
        if moves {
            // A quarter of a cycle turns the cosine into the sine.
            turn = times(turn, vec2<f32>(cosine_of_cycles(phase), -cosine_of_cycles(phase - 0x40000000u)));
        }
        sum += amplitude * times(sequence[(moment.time + place) & (field.length - 1u)], turn);
        phase += moment.shift_y;
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

// Sparse noise; the formula is in src/stimulus/sparse_noise.rs. Integers only, so every square is the same as on the CPU.

struct Noise {
    seed: vec2<u32>,
    threshold: u32,
    background: f32,
    white: f32,
    black: f32,
}

@group(0) @binding(2) var<storage, read> noise: Noise;
// Number of the pattern that each frame shows.
@group(0) @binding(3) var<storage, read> patterns: array<u32>;
// The square of each column, then that of each row.
@group(0) @binding(4) var<storage, read> squares: array<u32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let across = squares[pixel % canvas.width];
    let up = squares[canvas.width + pixel / canvas.width];
    let words = random_words(noise.seed, (up << 16u) | (across & 0xffffu), patterns[frame]);
    let grey = select(noise.black, noise.white, (words.y >> 31u) == 0u);
    paint(frame, pixel, select(noise.background, grey, (words.x >> 1u) < noise.threshold));
}

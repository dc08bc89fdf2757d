// White noise; the formula is in src/stimulus/noise.rs. Integers only, so every level is the same as on the CPU.

struct Noise {
    seed: vec2<u32>,
}

@group(0) @binding(2) var<storage, read> noise: Noise;
// Number of the pattern that each frame shows.
@group(0) @binding(3) var<storage, read> patterns: array<u32>;
// 255 thresholds of the levels, the square of each column, the square of each row.
@group(0) @binding(4) var<storage, read> tables: array<u32>;

const THRESHOLDS: u32 = 255u;

// Number of thresholds that a random word reaches; they ascend.
fn level(word: u32) -> u32 {
    var low = 0u;
    var high = THRESHOLDS;
    while low < high {
        let middle = (low + high) / 2u;
        if tables[middle] <= word {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let across = tables[THRESHOLDS + pixel % canvas.width];
    let up = tables[THRESHOLDS + canvas.width + pixel / canvas.width];
    let square = (up << 16u) | (across & 0xffffu);
    let word = random_words(noise.seed, square, patterns[frame]).x >> 1u;
    paint(frame, pixel, f32(level(word)));
}

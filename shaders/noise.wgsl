// White noise; the formula is in src/stimulus/noise.rs. Integers only, so every level is the same as on the CPU.

struct Noise {
    width: u32,
    pixels: u32,
    // First frame of the tensor that is drawn.
    first: u32,
    unused: u32,
    seed: vec2<u32>,
    also_unused: vec2<u32>,
}

@group(0) @binding(0) var<storage, read_write> greys: array<f32>;
@group(0) @binding(1) var<storage, read> noise: Noise;
// Number of the pattern that each frame shows.
@group(0) @binding(2) var<storage, read> patterns: array<u32>;
// 255 thresholds of the levels, the square of each column, the square of each row.
@group(0) @binding(3) var<storage, read> tables: array<u32>;

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
    if pixel >= noise.pixels {
        return;
    }
    let across = tables[THRESHOLDS + pixel % noise.width];
    let up = tables[THRESHOLDS + noise.width + pixel / noise.width];
    let square = (up << 16u) | (across & 0xffffu);
    let word = random_words(noise.seed, square, patterns[frame]).x >> 1u;
    greys[(noise.first + frame) * noise.pixels + pixel] = f32(level(word));
}

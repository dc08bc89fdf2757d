// Checkerboards; the formula is in src/stimulus/checkerboard.rs. Integers only, so every level is the same as on the CPU.

// Grey level of even and of odd checks.
@group(0) @binding(2) var<storage, read> levels: array<u32>;
// Whether each frame is reversed, 0 or 1.
@group(0) @binding(3) var<storage, read> reversed: array<u32>;
// Whether the check of each column, then of each row, has an odd number.
@group(0) @binding(4) var<storage, read> odd: array<u32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= canvas.pixels {
        return;
    }
    let check = odd[id.x % canvas.width] ^ odd[canvas.width + id.x / canvas.width] ^ reversed[id.y];
    paint(id.y, id.x, f32(levels[check]));
}

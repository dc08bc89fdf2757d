// Uniform fields; the formulas are in src/stimulus/full_field.rs.

// Grey level of each frame.
@group(0) @binding(2) var<storage, read> levels: array<u32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < canvas.pixels {
        paint(id.y, id.x, f32(levels[id.y]));
    }
}

// Exchanges whole grey levels for others; the table is made in src/stimulus/levels.rs.

@group(0) @binding(2) var<storage, read> levels: array<u32>;

@compute @workgroup_size(64)
fn exchange(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= canvas.pixels {
        return;
    }
    let at = (canvas.first + id.y) * canvas.pixels + id.x;
    paint(id.y, id.x, f32(levels[u32(greys[at])]));
}

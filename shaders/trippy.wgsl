// Stripes of a smooth random phase; the formula is in src/stimulus/trippy.rs.

struct Trippy {
    nodes_across: u32,
    nodes: u32,
    background: f32,
    amplitude: f32,
}

// Which nodes make up the pixels of a column or row.
struct Share {
    first: u32,
    weights: array<f32, 8>,
}

@group(0) @binding(2) var<storage, read> trippy: Trippy;
// Phase that all pixels of a frame share.
@group(0) @binding(3) var<storage, read> drifts: array<u32>;
// Those of the columns, then those of the rows.
@group(0) @binding(4) var<storage, read> shares: array<Share>;
// Phase of every node in cycles, frame after frame.
@group(0) @binding(5) var<storage, read> phases: array<f32>;

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let x = pixel % canvas.width;
    let y = canvas.width + pixel / canvas.width;
    let corner = frame * trippy.nodes + shares[y].first * trippy.nodes_across + shares[x].first;
    var cycles = 0.0;
    for (var up = 0u; up < 8u; up++) {
        var line = 0.0;
        for (var across = 0u; across < 8u; across++) {
            line += shares[x].weights[across] * phases[corner + up * trippy.nodes_across + across];
        }
        cycles += shares[y].weights[up] * line;
    }
    // 24 bits of the cycle are as many as the sum has.
    let phase = u32((cycles - floor(cycles)) * 16777216.0) << 8u;
    paint(frame, pixel, trippy.background + trippy.amplitude * cosine_of_cycles(phase + drifts[frame]));
}

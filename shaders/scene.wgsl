// Rendered clips; the formulas are in src/stimulus/scene/leaf.rs and texture.rs; lists.rs tells what touches each tile
// of 8 x 8 pixels.

struct Scene {
    // Grey levels of one standard deviation of the texture.
    relief: f32,
    tiles_across: u32,
    tiles: u32,
    // Side of the texture.
    texels: u32,
}

struct Leaf {
    // Column and row.
    centre: vec2<f32>,
    // From pixels to half axes: the border is at distance 1.
    across: vec2<f32>,
    down: vec2<f32>,
    // Half axes, and place in the texture, texels.
    texels: vec2<f32>,
    texture: vec2<f32>,
    grey: f32,
    rectangle: u32,
}

@group(0) @binding(2) var<storage, read> scene: Scene;
// What lies behind everything, one for each frame.
@group(0) @binding(3) var<storage, read> backdrops: array<Leaf>;
@group(0) @binding(4) var<storage, read> leaves: array<Leaf>;
// Where the list of each tile of each frame starts among the entries, and one more.
@group(0) @binding(5) var<storage, read> starts: array<u32>;
// Numbers of leaves, the nearest first.
@group(0) @binding(6) var<storage, read> entries: array<u32>;
@group(0) @binding(7) var<storage, read> texture: array<f32>;

const TILE: u32 = 8u;
const CLEAR: f32 = 1.0 / 4096.0;
// Keeps the middle of an object from dividing nothing by nothing.
const NOTHING: f32 = 1e-20;

fn grey_of(leaf: Leaf, own: vec2<f32>) -> f32 {
    let place = leaf.texture + own * leaf.texels;
    let whole = floor(place);
    let rest = place - whole;
    // Rows end with their first texel again, and so do the rows: neighbours never wrap.
    let stride = scene.texels + 1u;
    let texel = (u32(i32(whole.y)) % scene.texels) * stride + u32(i32(whole.x)) % scene.texels;
    let above = mix(texture[texel], texture[texel + 1u], rest.x);
    let below = mix(texture[texel + stride], texture[texel + stride + 1u], rest.x);
    return leaf.grey + scene.relief * mix(above, below, rest.y);
}

// Part of a pixel that lies inside: a ramp one pixel wide, measured across the border.
fn cover_of(leaf: Leaf, own: vec2<f32>) -> f32 {
    let squares = own * own;
    var distance: f32;
    var power: f32;
    var slope: vec2<f32>;
    if leaf.rectangle == 1u {
        let squared = sqrt(squares.x * squares.x + squares.y * squares.y);
        distance = sqrt(squared);
        power = squared * distance;
        slope = squares * own;
    } else {
        distance = sqrt(squares.x + squares.y);
        power = distance;
        slope = own;
    }
    let x = leaf.across.x * slope.x + leaf.across.y * slope.y;
    let y = leaf.down.x * slope.x + leaf.down.y * slope.y;
    return clamp(0.5 + (1.0 - distance) * (power + NOTHING) / (sqrt(x * x + y * y) + NOTHING), 0.0, 1.0);
}

@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x;
    let frame = id.y;
    if pixel >= canvas.pixels {
        return;
    }
    let column = pixel % canvas.width;
    let row = pixel / canvas.width;
    let here = vec2<f32>(f32(column), f32(row));
    let tile = frame * scene.tiles + (row / TILE) * scene.tiles_across + column / TILE;
    var light = 0.0;
    var clear = 1.0;
    for (var entry = starts[tile]; entry < starts[tile + 1u] && clear >= CLEAR; entry++) {
        let leaf = leaves[entries[entry]];
        let away = here - leaf.centre;
        let own = leaf.across * away.x + leaf.down * away.y;
        let cover = cover_of(leaf, own);
        if cover > 0.0 {
            light += clear * cover * grey_of(leaf, own);
            clear *= 1.0 - cover;
        }
    }
    if clear >= CLEAR {
        let backdrop = backdrops[frame];
        let away = here - backdrop.centre;
        light += clear * grey_of(backdrop, backdrop.across * away.x + backdrop.down * away.y);
    }
    paint(frame, pixel, light);
}

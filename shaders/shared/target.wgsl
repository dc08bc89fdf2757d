// Where the pictures go: a tensor of whole grey levels, [frame, row, column].

struct Target {
    width: u32,
    height: u32,
    pixels: u32,
    // First frame of the tensor that is drawn.
    first: u32,
}

@group(0) @binding(0) var<storage, read_write> greys: array<f32>;
@group(0) @binding(1) var<storage, read> canvas: Target;

// To the nearest whole grey level, as an 8-bit movie would hold it.
fn whole_grey(grey: f32) -> f32 {
    return clamp(floor(grey + 0.5), 0.0, 255.0);
}

fn paint(frame: u32, pixel: u32, grey: f32) {
    greys[(canvas.first + frame) * canvas.pixels + pixel] = whole_grey(grey);
}

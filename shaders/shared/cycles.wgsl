// Phases are fractions of a cycle in units of 2^-32: their sums wrap around by themselves and lose nothing.

// cos(2 pi t) to 1e-7, because the cosine of graphics cards may be wrong by 5e-4, a sixteenth of a grey level.
fn cosine_of_cycles(phase: u32) -> f32 {
    let cycles = f32(bitcast<i32>(phase)) * (1.0 / 4294967296.0);
    // cos(2 pi t) = sin(2 pi (1/4 - |t|)), whose argument stays within a quarter of a cycle.
    let x = 6.283185307179586 * (0.25 - abs(cycles));
    let s = x * x;
    return x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0 * (1.0 - s / 110.0
        * (1.0 - s / 156.0))))));
}

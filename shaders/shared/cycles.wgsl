// Phases are fractions of a cycle in units of 2^-32: their sums wrap around by themselves and lose nothing.

const QUARTER_CYCLE: u32 = 0x40000000u;

// Distance from the nearest whole cycle, 0 to half a cycle.
fn from_whole_cycle(phase: u32) -> u32 {
    return min(phase, 0u - phase);
}

// cos(2 pi t) to 1e-7, because the cosine of graphics cards may be wrong by 5e-4, a sixteenth of a grey level. Exactly
// 1, 0 and -1 where it should be, as in src/stimulus/cycles.rs.
fn cosine_of_cycles(phase: u32) -> f32 {
    let away = from_whole_cycle(phase);
    let folded = min(away, 2u * QUARTER_CYCLE - away);
    let near = folded <= QUARTER_CYCLE / 2u;
    // At most an eighth of a cycle, in radians.
    let x = f32(select(QUARTER_CYCLE - folded, folded, near)) * 1.4629180792671596e-9;
    let s = x * x;
    let cosine = 1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0 * (1.0 - s / 56.0 * (1.0 - s / 90.0))));
    let sine = x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0))));
    let size = select(sine, cosine, near);
    return select(size, -size, away > QUARTER_CYCLE);
}

// Square wave with the sign of the cosine; each edge is a linear ramp. `slope` is twice the inverse of the ramp's width
// in units of 2^-32 cycles.
fn square_of_cycles(phase: u32, slope: f32) -> f32 {
    let from_edge = i32(QUARTER_CYCLE) - i32(from_whole_cycle(phase));
    return clamp(f32(from_edge) * slope, -1.0, 1.0);
}

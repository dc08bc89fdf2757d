// Where a pixel lies in visual angle. The angles come from the CPU
// (src/stimulus/screen.rs), because the arc tangent of graphics cards is only good to a few hundredths of a degree.

struct Place {
    // Azimuthal-equidistant position of the pixel's centre, degrees.
    position: array<f32, 2>,
    // Change of the position from one column to the next, and from one row to the next, degrees.
    per_column: array<f32, 2>,
    per_row: array<f32, 2>,
}

//! How concentrated a map is.

/// Spatial selectivity index of a map `[height, width]`: -ln det of the covariance of the map taken as a density, with
/// coordinates divided by the longer side (Wang et al., Nature 640:470, 2025). Large for a small receptive field; a flat
/// map of 144 x 256 has 6.12.
///
/// `None` when the number of values does not fit, when one is negative or not finite, or when all of the density lies
/// on one line.
pub fn spatial_selectivity(map: &[f64], height: usize, width: usize) -> Option<f64> {
    let sum: f64 = map.iter().sum();
    let dense = map.iter().all(|&value| value >= 0.0) && sum.is_finite() && sum > 0.0;
    if !dense || Some(map.len()) != height.checked_mul(width) {
        return None;
    }
    let side = height.max(width) as f64;
    let place = |pixel: usize| [(pixel % width) as f64 / side, (pixel / width) as f64 / side];
    let mut centre = [0.0; 2];
    for (pixel, value) in map.iter().enumerate() {
        let [x, y] = place(pixel);
        centre[0] += x * value / sum;
        centre[1] += y * value / sum;
    }
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (pixel, value) in map.iter().enumerate() {
        let [x, y] = place(pixel);
        let (x, y) = (x - centre[0], y - centre[1]);
        xx += x * x * value / sum;
        yy += y * y * value / sum;
        xy += x * y * value / sum;
    }
    let determinant = xx * yy - xy * xy;
    // A line has none but what rounding leaves.
    (determinant > 1e-12 * xx * yy).then(|| -determinant.ln())
}

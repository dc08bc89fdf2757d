//! Measured spectra of frames.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use twinscope::signals::{Monitor, Raster};

/// The falling and rising window of Hann, which keeps the borders of the screen out of the spectrum.
fn hann(place: usize, length: usize) -> f64 {
    0.5 - 0.5 * (std::f64::consts::TAU * (place as f64 + 0.5) / length as f64).cos()
}

/// Fourier transform of a frame around its mean under a Hann window, `[row, column]`.
pub(super) fn transform(pixels: &[u8], raster: Raster) -> Vec<Complex<f64>> {
    let (height, width) = (raster.height, raster.width);
    let mean = pixels.iter().map(|&grey| f64::from(grey)).sum::<f64>() / pixels.len() as f64;
    let windowed = pixels.iter().enumerate().map(|(index, &grey)| {
        let value = (f64::from(grey) - mean) * hann(index / width, height) * hann(index % width, width);
        Complex::new(value, 0.0)
    });
    let mut rows: Vec<Complex<f64>> = windowed.collect();
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(width).process(&mut rows);
    let mut columns: Vec<_> =
        (0..width).flat_map(|x| (0..height).map(move |y| (x, y))).map(|(x, y)| rows[y * width + x]).collect();
    planner.plan_fft_forward(height).process(&mut columns);
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| columns[x * height + y]).collect()
}

/// Frequency of each value of a transform in cycles per degree at the centre of the screen, x to the right and y up.
pub(super) fn frequencies(monitor: &Monitor) -> Vec<[f64; 2]> {
    let (height, width) = (monitor.raster.height, monitor.raster.width);
    let per_cm = (1.0 / monitor.distance_cm).to_degrees();
    let signed = |bin: usize, length: usize| if 2 * bin < length { bin as f64 } else { bin as f64 - length as f64 };
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| {
            [signed(x, width) / (monitor.width_cm * per_cm), -signed(y, height) / (monitor.height_cm * per_cm)]
        })
        .collect()
}

/// Mean power in rings one cycle per screen height wide, up to half the height: frequency in cycles per degree and power.
/// Ring 0 is the middle.
pub(super) fn radial(monitor: &Monitor, power: &[f64]) -> Vec<[f64; 2]> {
    let ring_width = 1.0 / (monitor.height_cm / monitor.distance_cm).to_degrees();
    let mut rings = vec![[0.0; 3]; monitor.raster.height / 2 + 1];
    for (&[x, y], &power) in frequencies(monitor).iter().zip(power) {
        let frequency = x.hypot(y);
        if let Some([count, sum, powers]) = rings.get_mut((frequency / ring_width).round() as usize) {
            *count += 1.0;
            *sum += frequency;
            *powers += power;
        }
    }
    rings.iter().map(|[count, sum, powers]| [sum / count, powers / count]).collect()
}

/// Slope of the straight line through points, and the part of the variance that it explains.
pub(super) fn line(points: impl Iterator<Item = [f64; 2]> + Clone) -> (f64, f64) {
    let count = points.clone().count() as f64;
    let mean = |axis: usize| points.clone().map(|point| point[axis]).sum::<f64>() / count;
    let (x, y) = (mean(0), mean(1));
    let moment = |of: fn(f64, f64) -> f64| points.clone().map(|point| of(point[0] - x, point[1] - y)).sum::<f64>();
    let (xx, xy, yy) = (moment(|x, _| x * x), moment(|x, y| x * y), moment(|_, y| y * y));
    (xy / xx, xy * xy / (xx * yy))
}

/// Mean power over time of many series, under a Hann window: `[bin]` up to half the rate.
pub(super) fn temporal(series: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let mut planner = FftPlanner::new();
    let mut sums = Vec::new();
    for values in series {
        let length = values.len();
        let mean = values.iter().sum::<f64>() / length as f64;
        let windowed = values.iter().enumerate().map(|(t, value)| Complex::new((value - mean) * hann(t, length), 0.0));
        let mut windowed: Vec<_> = windowed.collect();
        planner.plan_fft_forward(length).process(&mut windowed);
        sums.resize(length / 2, 0.0);
        sums.iter_mut().zip(&windowed).for_each(|(sum, value): (&mut f64, _)| *sum += value.norm_sqr());
    }
    sums
}

/// Correlation of two lists of grey levels.
pub(super) fn correlation(a: impl Iterator<Item = f64>, b: impl Iterator<Item = f64>) -> f64 {
    let pairs: Vec<(f64, f64)> = a.zip(b).collect();
    let count = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / count, y + b / count));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(a, b)| of(a - x, b - y)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

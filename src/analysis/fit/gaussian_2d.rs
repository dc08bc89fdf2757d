//! A Gaussian hill or hollow on a plain: where a receptive field lies, how large it is and how it is turned.

use super::bounds::Bound;
use super::solver::least_squares;
use super::{Fit, FitError, extent, goodness, scaled};
use crate::analysis::statistics::moments::median;

const CURVE: &str = "a two-dimensional Gaussian";

/// Points that are needed: one more than there are parameters.
const POINTS: usize = 8;

/// An elliptic Gaussian on a plain, b + a exp(-(u^2 / s1^2 + v^2 / s2^2) / 2), u along its long axis and v across.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian2d {
    /// Height at the centre above the plain, below 0 for a hollow, in units of the map.
    pub amplitude: f64,
    /// Centre, x and y, in the unit of the places.
    pub centre: [f64; 2],
    /// Standard deviation along the long and along the short axis, in the unit of the places.
    pub sigma: [f64; 2],
    /// Direction of the long axis, degrees in 0..180, from x towards y.
    pub orientation_deg: f64,
    /// Height of the plain, in units of the map.
    pub baseline: f64,
}

impl Gaussian2d {
    /// The map at a place.
    pub fn at(&self, [x, y]: [f64; 2]) -> f64 {
        let turn = self.orientation_deg.to_radians();
        hill([x, y], self.centre, self.sigma, turn, self.amplitude, self.baseline)
    }

    /// Area of the ellipse at one standard deviation, in the square of the unit of the places.
    pub fn area(&self) -> f64 {
        std::f64::consts::PI * self.sigma[0] * self.sigma[1]
    }
}

fn hill([x, y]: [f64; 2], centre: [f64; 2], sigma: [f64; 2], turn: f64, amplitude: f64, baseline: f64) -> f64 {
    let (sin, cos) = turn.sin_cos();
    let (dx, dy) = (x - centre[0], y - centre[1]);
    let (along, across) = ((cos * dx + sin * dy) / sigma[0], (cos * dy - sin * dx) / sigma[1]);
    baseline + amplitude * (-0.5 * (along * along + across * across)).exp()
}

/// The Gaussian nearest to a map's values at places (x, y). Its centre lies within the places, and its standard deviation
/// is at most their extent.
///
/// # Errors
/// With fewer than eight places or places on one line, a value that is not finite, or a flat map.
pub fn fit_gaussian_2d(places: &[[f64; 2]], values: &[f64]) -> Result<Fit<Gaussian2d>, FitError> {
    if places.len() != values.len() {
        return Err(FitError::Lengths { values: places.len(), responses: values.len() });
    }
    if let Some(index) = places.iter().zip(values).position(|([x, y], value)| !(x + y + value).is_finite()) {
        return Err(FitError::NotFinite(index));
    }
    let [(left, right), (bottom, top)] =
        [0, 1].map(|axis| extent(&places.iter().map(|place| place[axis]).collect::<Vec<_>>()));
    if places.len() < POINTS || left >= right || bottom >= top {
        return Err(FitError::TooFew { curve: CURVE, needed: POINTS, found: places.len() });
    }
    if values.iter().all(|&value| value == values[0]) {
        return Err(FitError::Flat);
    }
    let (fractions, scale) = scaled(values);
    let plain = median(&fractions).unwrap_or(0.0);
    let widest = (right - left).max(top - bottom);
    // In units of the extent, so that steps mean the same in pixels and in degrees.
    let relative: Vec<[f64; 2]> = places.iter().map(|[x, y]| [(x - left) / widest, (y - bottom) / widest]).collect();
    let [width, height] = [(right - left) / widest, (top - bottom) / widest];
    let side = Bound::Between(1e-3, 1.0);
    let bounds =
        [Bound::Free, Bound::Between(0.0, width), Bound::Between(0.0, height), side, side, Bound::Free, Bound::Free];
    // From the highest and from the lowest place: a hill or a hollow. At half height a round Gaussian covers
    // 2 pi ln 2 sigma^2.
    let mut starts = Vec::new();
    for sign in [1.0, -1.0] {
        let rise = |index: usize| sign * (fractions[index] - plain);
        let peak = (0..values.len()).max_by(|&a, &b| rise(a).total_cmp(&rise(b))).unwrap_or(0);
        let high = (0..values.len()).filter(|&index| rise(index) > 0.5 * rise(peak)).count() as f64;
        let area = high / values.len() as f64 * width * height;
        let sigma = (area / (2.0 * std::f64::consts::PI * std::f64::consts::LN_2)).sqrt().clamp(0.01, 0.5);
        let [x, y] = relative[peak];
        if rise(peak) > 0.0 {
            starts.push(vec![sign * rise(peak), x, y, sigma, 0.8 * sigma, 0.3, plain]);
        }
    }
    let solution = least_squares(values.len(), &bounds, &starts, |p, residuals| {
        for ((residual, &place), value) in residuals.iter_mut().zip(&relative).zip(&fractions) {
            *residual = hill(place, [p[1], p[2]], [p[3], p[4]], p[5], p[0], p[6]) - value;
        }
    });
    let [amplitude, x, y, first, second, turn, baseline] = solution.parameters[..] else {
        unreachable!("as many parameters as bounds")
    };
    let (sigma, quarter) = if first >= second { ([first, second], 0.0) } else { ([second, first], 90.0) };
    let orientation_deg = (turn.to_degrees() + quarter).rem_euclid(180.0);
    let curve = Gaussian2d {
        amplitude: amplitude * scale,
        centre: [left + x * widest, bottom + y * widest],
        sigma: sigma.map(|sigma| sigma * widest),
        // A hair below 0 rounds up to 180.
        orientation_deg: if orientation_deg >= 180.0 { 0.0 } else { orientation_deg },
        baseline: baseline * scale,
    };
    let goodness = goodness(values, solution.success, |index| curve.at(places[index]));
    Ok(Fit { curve, goodness })
}

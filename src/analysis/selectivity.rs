//! How strongly, and for which direction of motion, a tuning curve is selective.
//!
//! The global indices and the preferred direction are properties of one vector, a harmonic of the tuning curve r(θ) over the directions of motion θ:
//! v_k = Σ r(θ) e^{ikθ} / Σ r(θ), with k = 1 for direction and k = 2 for orientation.
//!
//! The vector is undefined, and the answer `None`, when
//! - the unit never responds (Σ r = 0), or a response is negative or not finite: the length would not lie in 0..=1;
//! - the directions do not balance, |Σ e^{ikθ}| > 0: a flat curve would then look selective. Directions evenly
//!   spaced over the whole circle balance, when there are more than k of them.
//!
//! The indices of two points, [`osi`] and [`dsi`], compare the response at the peak with that across or opposite. They
//! use few of the responses and are noisier; they are here because much of the literature quotes them.

/// Length below which a vector has no direction: responses are f32, whose rounding alone gives about 1e-7.
const LEAST_LENGTH: f64 = 1e-6;

/// How far directions may be from balance, per direction: far above rounding, far below one missing direction.
const BALANCE: f64 = 1e-9;

/// Global orientation selectivity: length of the response-weighted mean vector on the circle of orientations,
/// |Σ r(θ) e^{2iθ}| / Σ r(θ), in 0..=1. `None` where undefined (see the module).
pub fn global_osi<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    Harmonic::orientation(directions_deg).selectivity(responses)
}

/// Global direction selectivity: length of the response-weighted mean vector on the circle of directions,
/// |Σ r(θ) e^{iθ}| / Σ r(θ), in 0..=1. `None` where undefined (see the module).
pub fn global_dsi<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    Harmonic::direction(directions_deg).selectivity(responses)
}

/// Preferred direction of motion: that of Σ r(θ) e^{iθ}, degrees in 0..360, 0 rightward and 90 upward.
/// `None` where undefined (see the module), and for a curve whose vector has no length, such as a flat one or one
/// with two equal and opposite peaks.
pub fn preferred_direction_deg<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    Harmonic::direction(directions_deg).preferred_deg(responses)
}

/// Preferred orientation of motion's axis: half the direction of Σ r(θ) e^{2iθ}, degrees in 0..180, as the direction of
/// motion across a bar; 0 is a vertical bar. `None` where undefined (see the module), and for a curve whose vector has no
/// length.
pub fn preferred_orientation_deg<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    Harmonic::orientation(directions_deg).preferred_deg(responses)
}

/// Orientation selectivity of two points, (R_pref - R_orth) / (R_pref + R_orth): the mean response to both directions of
/// the preferred orientation, and to both across it. Where only one direction of an orientation was shown, as of gratings
/// that stand still, it counts alone. The preferred orientation is that of the largest such mean.
///
/// `None` when nothing was shown across the preferred orientation, when a response is negative or not finite, or when both
/// responses are 0.
pub fn osi<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    let responses = usable(directions_deg, responses)?;
    let axis = |direction: f64| {
        let both = [direction, direction + 180.0].map(|direction| at(directions_deg, &responses, direction));
        let shown: Vec<f64> = both.into_iter().flatten().collect();
        (!shown.is_empty()).then(|| shown.iter().sum::<f64>() / shown.len() as f64)
    };
    let preferred = argmax(directions_deg, |direction| axis(direction).unwrap_or(0.0))?;
    contrast(axis(preferred)?, axis(preferred + 90.0)?)
}

/// Direction selectivity of two points, (R_pref - R_null) / (R_pref + R_null): the largest response, and that to the
/// opposite direction.
///
/// `None` when the opposite direction was not shown, when a response is negative or not finite, or when both are 0.
pub fn dsi<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<f32> {
    let responses = usable(directions_deg, responses)?;
    let at = |direction: f64| at(directions_deg, &responses, direction);
    let preferred = argmax(directions_deg, |direction| at(direction).unwrap_or(0.0))?;
    contrast(at(preferred)?, at(preferred + 180.0)?)
}

/// Responses that an index can be made of: one for each direction, none negative or not finite.
fn usable<R: Copy + Into<f64>>(directions_deg: &[f64], responses: &[R]) -> Option<Vec<f64>> {
    let responses: Vec<f64> = responses.iter().map(|&response| response.into()).collect();
    let whole = directions_deg.len() == responses.len() && responses.iter().all(|r| r.is_finite() && *r >= 0.0);
    whole.then_some(responses)
}

/// How far two directions may be apart, degrees, and be the same: far above rounding, far below any step.
const SAME_DEG: f64 = 1e-6;

/// The response to a direction that was shown.
fn at(directions_deg: &[f64], responses: &[f64], direction: f64) -> Option<f64> {
    let apart = |shown: f64| {
        let apart = (shown - direction).rem_euclid(360.0);
        apart.min(360.0 - apart)
    };
    directions_deg.iter().position(|&shown| apart(shown) < SAME_DEG).map(|index| responses[index])
}

/// The direction of the largest value, the first of equals.
fn argmax(directions_deg: &[f64], value: impl Fn(f64) -> f64) -> Option<f64> {
    directions_deg.iter().copied().reduce(|best, other| if value(other) > value(best) { other } else { best })
}

/// (a - b) / (a + b); `None` of two zeros.
fn contrast(a: f64, b: f64) -> Option<f32> {
    (a + b > 0.0).then(|| ((a - b) / (a + b)) as f32)
}

/// e^{ikθ} of the directions that were shown: what all tuning curves over them share.
#[derive(Debug, Clone)]
pub(super) struct Harmonic {
    /// k.
    order: f64,
    /// Cosine and sine for each direction.
    points: Vec<(f64, f64)>,
    /// Whether they balance.
    balanced: bool,
}

impl Harmonic {
    /// That of directions, k = 1.
    pub(super) fn direction(directions_deg: &[f64]) -> Self {
        Self::new(1.0, directions_deg)
    }

    /// That of orientations, k = 2.
    pub(super) fn orientation(directions_deg: &[f64]) -> Self {
        Self::new(2.0, directions_deg)
    }

    fn new(order: f64, directions_deg: &[f64]) -> Self {
        let point = |&direction: &f64| {
            let (sin, cos) = (order * direction).to_radians().sin_cos();
            (cos, sin)
        };
        let points: Vec<(f64, f64)> = directions_deg.iter().map(point).collect();
        let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), (cos, sin)| (x + cos, y + sin));
        Self { order, balanced: f64::hypot(x, y) <= BALANCE * points.len() as f64, points }
    }

    /// After how much the preferred angle begins anew, degrees.
    pub(super) fn period_deg(&self) -> f64 {
        360.0 / self.order
    }

    /// |v_k|.
    pub(super) fn selectivity<R: Copy + Into<f64>>(&self, responses: &[R]) -> Option<f32> {
        self.mean_vector(responses).map(|(x, y)| x.hypot(y) as f32)
    }

    /// The angle of v_k over k, degrees in 0..period.
    pub(super) fn preferred_deg<R: Copy + Into<f64>>(&self, responses: &[R]) -> Option<f32> {
        let (x, y) = self.mean_vector(responses)?;
        if x.hypot(y) < LEAST_LENGTH {
            return None;
        }
        let period = self.period_deg();
        let degrees = (y.atan2(x).to_degrees() / self.order).rem_euclid(period) as f32;
        // A hair below 0 rounds up to the period.
        Some(if f64::from(degrees) >= period { 0.0 } else { degrees })
    }

    /// v_k of the module's formula, as (real, imaginary).
    fn mean_vector<R: Copy + Into<f64>>(&self, responses: &[R]) -> Option<(f64, f64)> {
        let undefined = |&response: &R| !response.into().is_finite() || response.into() < 0.0;
        if self.points.len() != responses.len() || responses.iter().any(undefined) {
            return None;
        }
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for (&(cos, sin), &response) in self.points.iter().zip(responses) {
            let response: f64 = response.into();
            sum += response;
            x += response * cos;
            y += response * sin;
        }
        (sum > 0.0 && self.balanced).then(|| (x / sum, y / sum))
    }
}

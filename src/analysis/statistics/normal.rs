//! The standard normal distribution.

/// Probability of a value below z; exact to the last digits in the lower tail too.
pub fn cumulative(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The z below which a value lies with probability p; `None` outside 0..1.
pub fn quantile(p: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    // By halving in the lower tail, where the distribution keeps its digits; f64 ends at -38.6.
    let tail = p.min(1.0 - p);
    let (mut low, mut high) = (-40.0, 0.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if cumulative(middle) < tail { low = middle } else { high = middle }
    }
    let z = 0.5 * (low + high);
    Some(if p <= 0.5 { z } else { -z })
}

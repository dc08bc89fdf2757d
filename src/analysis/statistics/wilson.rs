//! The interval of a share.

use super::normal;

/// Wilson's interval of a share that was found in so many independent trials: (low, high), within 0..=1 and of use even where
/// the share is 0 or 1 (Wilson 1927). `count` need not be whole. `None` for a share outside 0..=1, without trials, and for
/// a level outside 0..1.
pub fn wilson_interval(share: f64, count: f64, level: f64) -> Option<(f64, f64)> {
    if !((0.0..=1.0).contains(&share) && count > 0.0 && count.is_finite()) {
        return None;
    }
    let z = normal::quantile(0.5 + 0.5 * level).filter(|z| *z > 0.0)?;
    let squared = z * z / count;
    let middle = share + 0.5 * squared;
    let reach = z * (share * (1.0 - share) / count + 0.25 * squared / count).sqrt();
    let [low, high] = [middle - reach, middle + reach].map(|edge| (edge / (1.0 + squared)).clamp(0.0, 1.0));
    Some((low, high))
}

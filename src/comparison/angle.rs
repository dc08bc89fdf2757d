//! The direction of motion or the orientation that a text about a stimulus names.

use crate::analysis::varied::{names_angle, on_the_circle};

/// The angle in a text such as `Drifting grating, condition 3, direction 90 deg` or `stimulus=gratings, dir=90.0`,
/// degrees in 0..360. `None` when it names none.
pub fn angle_deg(text: &str) -> Option<f64> {
    text.split([',', ';']).find_map(|part| {
        let (name, value) = part.split_once('=').or_else(|| split_at_number(part))?;
        let number = value.split_whitespace().next()?.trim_end_matches('°').parse::<f64>().ok()?;
        (names_angle(name) && number.is_finite()).then(|| on_the_circle(number, 360.0))
    })
}

/// `direction 90 deg` as `direction` and `90 deg`.
fn split_at_number(part: &str) -> Option<(&str, &str)> {
    let is_number = |word: &str| word.trim_end_matches('°').parse::<f64>().is_ok();
    let value = part.split_whitespace().find(|word| is_number(word))?;
    part.split_at_checked(part.find(value)?)
}

//! The direction of motion or the orientation that a text about a stimulus names.

/// Words that name an angle over which tuning is measured.
const WORDS: [&str; 5] = ["direction", "dir", "orientation", "ori", "angle"];
/// Words beside which an angle is another one, such as that between the two gratings of a plaid.
const OTHERS: [&str; 6] = ["crossing", "phase", "pupil", "gaze", "head", "speed"];

/// The angle in a text such as `Drifting grating, condition 3, direction 90 deg` or `stimulus=gratings, dir=90.0`,
/// degrees in 0..360. `None` when it names none.
pub fn angle_deg(text: &str) -> Option<f64> {
    text.split([',', ';']).find_map(|part| {
        let (name, value) = part.split_once('=').or_else(|| split_at_number(part))?;
        let name = name.to_lowercase();
        let mut words = name.split(|char: char| !char.is_ascii_alphanumeric());
        let named = words.clone().any(|word| WORDS.contains(&word)) && !words.any(|word| OTHERS.contains(&word));
        let number = value.split_whitespace().next()?.trim_end_matches('°').parse::<f64>().ok()?;
        (named && number.is_finite()).then(|| on_the_circle(number))
    })
}

/// `direction 90 deg` as `direction` and `90 deg`.
fn split_at_number(part: &str) -> Option<(&str, &str)> {
    let is_number = |word: &str| word.trim_end_matches('°').parse::<f64>().is_ok();
    let value = part.split_whitespace().find(|word| is_number(word))?;
    part.split_at_checked(part.find(value)?)
}

/// The same direction in 0..360.
fn on_the_circle(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    if turned >= 360.0 { 0.0 } else { turned }
}

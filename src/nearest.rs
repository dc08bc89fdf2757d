//! "Did you mean": the known name nearest to a mistyped one.

/// Units that end the names of keys, longest first, with what to call them.
const UNITS: [(&str, &str); 9] = [
    ("_cyc_per_deg", "cycles per degree"),
    ("_per_1000_deg2", "dots per 1000 square degrees"),
    ("_deg_per_sec", "degrees per second"),
    ("_frames_per_sec", "frames per second"),
    ("_secs", "seconds"),
    ("_deg", "degrees"),
    ("_hz", "hertz"),
    ("_cm", "centimetres"),
    ("_px", "pixels"),
];

/// Endings that people write for a unit which no key has.
const OTHER_UNITS: [&str; 21] = [
    "_pixels_per_sec",
    "_px_per_sec",
    "_deg_per_s",
    "_cycles_per_degree",
    "_per_deg2",
    "_degrees",
    "_radians",
    "_seconds",
    "_degree",
    "_pixels",
    "_frames",
    "_msecs",
    "_cyc_per_rad",
    "_khz",
    "_cpd",
    "_rad",
    "_sec",
    "_mm",
    "_ms",
    "_s",
    "_cyc",
];

/// What to write instead of an unknown key, as the end of a sentence; empty when nothing is like it.
pub(super) fn key_hint(unknown: &str, known: &[&str]) -> String {
    let unknown = unknown.to_lowercase();
    if let Some(key) = known.iter().find(|key| without_unit(key) == without_unit(&unknown) && **key != unknown) {
        return match UNITS.iter().find(|(ending, _)| key.ends_with(ending)) {
            Some((_, unit)) => format!("; give it in {unit}, as `{key}`"),
            None => format!("; write `{key}`"),
        };
    }
    match nearest(&unknown, known) {
        Some(key) => format!("; did you mean `{key}`?"),
        None => format!("; known here: {}", listed(known)),
    }
}

/// The known name within a few edits of an unknown one.
pub(super) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    // A name of more characters than this is no typing mistake, and the distance takes their product in time.
    if unknown.len() > 64 {
        return None;
    }
    let allowed = (unknown.chars().count() / 3).max(2);
    known
        .iter()
        .map(|name| (distance(&unknown.to_lowercase(), name), *name))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Names for a message, each in backquotes.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn without_unit(key: &str) -> &str {
    let endings = UNITS.iter().map(|(ending, _)| *ending).chain(OTHER_UNITS);
    endings.filter_map(|ending| key.strip_suffix(ending)).min_by_key(|stem| stem.len()).unwrap_or(key)
}

/// Levenshtein distance: insertions, deletions and substitutions between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_wrong_unit_is_told_the_right_one() {
        let known = ["direction_deg", "speed_deg_per_sec", "contrast"];
        assert_eq!(key_hint("direction_rad", &known), "; give it in degrees, as `direction_deg`");
        assert_eq!(key_hint("speed_px_per_sec", &known), "; give it in degrees per second, as `speed_deg_per_sec`");
        assert_eq!(key_hint("direction", &known), "; give it in degrees, as `direction_deg`");
        assert_eq!(key_hint("contrats", &known), "; did you mean `contrast`?");
        assert!(key_hint("zzz", &known).contains("known here"));
    }
}

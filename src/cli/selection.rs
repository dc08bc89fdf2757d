//! Lists of unit indices as people write them.

use std::collections::HashSet;

use anyhow::{Result, bail};

/// `0,5,10-20` as indices below `units`, in the order written, each once.
pub fn units(text: &str, units: usize) -> Result<Vec<usize>> {
    let mut chosen = Vec::new();
    let mut named = HashSet::new();
    for part in text.split(',').map(str::trim) {
        let bounds = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (bounds.0.trim().parse::<usize>(), bounds.1.trim().parse::<usize>()) else {
            bail!("--units: `{part}` is neither an index nor a range; write for example 0,5,10-20");
        };
        if first > last {
            bail!("--units: the range `{part}` runs backwards");
        }
        if last >= units {
            bail!("--units: {last} was asked of a twin with {units} units (0 to {})", units - 1);
        }
        for unit in first..=last {
            if !named.insert(unit) {
                bail!("--units: unit {unit} was named twice; name each once");
            }
            chosen.push(unit);
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn indices_and_ranges_keep_their_order() {
        assert_eq!(units("7, 0-2,5", 8).unwrap(), [7, 0, 1, 2, 5]);
    }

    #[test]
    fn impossible_lists_say_what_is_wrong() {
        for (text, part) in [
            ("x", "`x`"),
            ("3-1", "backwards"),
            ("8", "8 units"),
            ("", "``"),
            ("0-7,0", "unit 0 was named twice"),
            ("3,3", "unit 3"),
        ] {
            let error = units(text, 8).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}

//! What was shown in a trial, from the columns of a table: one text, the same for repeats.

use std::collections::HashSet;

use super::identity::clean;
use crate::data::Trial;

/// Most kinds of stimuli that a recording is taken to have shown: of more, the names are those of single pictures.
const MOST_DOMAINS: usize = 24;

/// Words in the name of a column that describes a stimulus.
const SHOWN: [&str; 32] = [
    "condition",
    "conditions",
    "stimulus",
    "stimuli",
    "stim",
    "direction",
    "dir",
    "orientation",
    "ori",
    "contrast",
    "coherence",
    "coh",
    "spatial",
    "temporal",
    "frequency",
    "sf",
    "tf",
    "phase",
    "size",
    "speed",
    "image",
    "images",
    "picture",
    "movie",
    "video",
    "clip",
    "scene",
    "texture",
    "color",
    "colour",
    "hash",
    "category",
];
/// Words in the name of a column that has to do with time or the animal, whatever else it says.
const NOT_SHOWN: [&str; 14] = [
    "time",
    "times",
    "timeseries",
    "start",
    "stop",
    "end",
    "onset",
    "offset",
    "duration",
    "on",
    "off",
    "response",
    "choice",
    "correct",
];

/// Whether a column describes what was shown, by its name.
pub(super) fn describes_stimulus(column: &str) -> bool {
    let lower = column.to_ascii_lowercase();
    let mut words = lower.split(|char: char| !char.is_ascii_alphanumeric());
    let any = |words: &[&str], word: &str| words.contains(&word);
    words.clone().any(|word| any(&SHOWN, word)) && !words.any(|word| any(&NOT_SHOWN, word))
}

/// The columns that make a condition: those that the user names, else a single one called `condition`, else all that
/// describe a stimulus by their name.
///
/// # Errors
/// A clause that names the first column that is not there.
pub(super) fn columns<'a>(found: &[&'a str], wanted: &[String]) -> Result<Vec<&'a str>, String> {
    if !wanted.is_empty() {
        let find = |name: &String| {
            let known = || found.join(", ").chars().take(200).collect::<String>().escape_debug().to_string();
            found
                .iter()
                .copied()
                .find(|column| column == name)
                .ok_or_else(|| format!("it has no column `{}`, only {}", name.escape_debug(), known()))
        };
        return wanted.iter().map(find).collect();
    }
    if let Some(only) = found.iter().find(|column| column.eq_ignore_ascii_case("condition")) {
        return Ok(vec![only]);
    }
    Ok(found.iter().copied().filter(|column| describes_stimulus(column)).collect())
}

/// The text of a condition; `None` when nothing is known.
pub(super) fn text<'a>(parts: impl IntoIterator<Item = (&'a str, String)>) -> Option<String> {
    let parts: Vec<(&str, String)> = parts.into_iter().collect();
    let text = match &parts[..] {
        [] => return None,
        [(_, only)] if only.parse::<f64>().is_err() => only.clone(),
        several => several.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", "),
    };
    Some(clean(&text)).filter(|text| !text.is_empty())
}

/// Of trials by their conditions, which a twin may learn from: those that were shown once, or of which nothing is
/// known. Repeats are kept for testing.
pub(super) fn shown_once(conditions: &[Option<String>]) -> Vec<bool> {
    let mut count = std::collections::HashMap::new();
    for name in conditions.iter().flatten() {
        *count.entry(name).or_insert(0) += 1;
    }
    conditions.iter().map(|name| name.as_ref().is_none_or(|name| count[name] == 1)).collect()
}

/// Keys whose value is the kind of a stimulus.
const KINDS: [&str; 7] = ["stimulus", "stimulus_name", "stimulus_type", "stim", "stim_type", "stim_name", "category"];

/// The kind of stimulus that the text of a condition names: `drifting_gratings` in `stimulus=drifting_gratings,
/// direction=90`, `clip` in `clip 12`, and `contrast, direction` where only what was varied is known.
fn kind(text: &str) -> String {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let pairs: Vec<(&str, &str)> = parts.iter().filter_map(|part| part.split_once('=')).collect();
    let named = pairs.iter().find(|(key, _)| KINDS.contains(&key.trim().to_ascii_lowercase().as_str()));
    let before_numbers = |name: &str| {
        let short = name.trim_end_matches(|char: char| char.is_ascii_digit() || matches!(char, ' ' | '_' | '-' | '.'));
        clean(if short.is_empty() { name } else { short })
    };
    match named {
        Some((_, value)) => before_numbers(value),
        None if pairs.len() == parts.len() => {
            let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.trim()).collect();
            clean(&keys.join(", "))
        }
        None => before_numbers(parts[0].split(':').next().unwrap_or(parts[0])),
    }
}

/// Puts trials into domains of stimuli by the kind that their conditions name. Where every condition would be a domain of
/// its own, as with the names of pictures or the fingerprints of files, nothing is known of kinds.
pub(super) fn name_domains(trials: &mut [Trial]) {
    let of = |trial: &Trial| trial.condition.as_deref().map(kind).filter(|kind| !kind.is_empty());
    let kinds: HashSet<String> = trials.iter().filter_map(of).collect();
    let conditions: HashSet<&str> = trials.iter().filter_map(|trial| trial.condition.as_deref()).collect();
    if kinds.len() > MOST_DOMAINS || (conditions.len() > 2 && kinds.len() == conditions.len()) {
        return;
    }
    for trial in trials.iter_mut().filter(|trial| trial.domain.is_none()) {
        trial.domain = of(trial);
    }
}

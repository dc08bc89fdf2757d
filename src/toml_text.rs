//! TOML that people wrote: what is wrong with it, in one sentence.

use crate::nearest::key_hint;

/// The line that an error is about, from 1.
pub(crate) fn line(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().map_or(0, |span| span.start.min(text.len()));
    1 + text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count()
}

/// An error as a clause with its line.
pub(crate) fn mistake(text: &str, error: &toml::de::Error) -> String {
    format!("line {}: {}", line(text, error), error.message().trim().replace('\n', " "))
}

/// The first key, with the tables it stands in, that an example with every key does not have; and what was probably
/// meant, as the end of a sentence.
pub(crate) fn unknown_key(given: &toml::Table, example: &toml::Table) -> Option<(String, String)> {
    unknown_below(given, example, "")
}

fn unknown_below(given: &toml::Table, example: &toml::Table, path: &str) -> Option<(String, String)> {
    for (key, value) in given {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(like) = example.get(key) else {
            let known: Vec<&str> = example.keys().map(String::as_str).collect();
            return Some((full.escape_debug().take(200).collect(), key_hint(key, &known)));
        };
        if let (toml::Value::Table(given), toml::Value::Table(like)) = (value, like)
            && let Some(found) = unknown_below(given, like, &full)
        {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_has_its_line() {
        let text = "a = 1\nb = nothing\n";
        let error = toml::from_str::<toml::Table>(text).expect_err("no value of TOML");
        let said = mistake(text, &error);
        assert!(said.starts_with("line 2: ") && !said.contains('\n'), "{said}");
    }

    #[test]
    fn an_unknown_key_has_its_tables() {
        let table = |text: &str| toml::from_str::<toml::Table>(text).expect("TOML");
        let example = table("[one.two]\nthree = 1\n");
        assert_eq!(unknown_key(&table("[one.two]\nthree = 2\n"), &example), None);
        let (key, hint) = unknown_key(&table("[one.two]\nthre = 2\n"), &example).expect("an unknown key");
        assert_eq!((key.as_str(), hint.as_str()), ("one.two.thre", "; did you mean `three`?"));
    }
}

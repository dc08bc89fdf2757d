//! The table of trials of a recording: columns of numbers or texts, the event that trials are aligned to, and which
//! trials count.

use std::str::FromStr;

use super::error::SpikeError;

/// Most rows of a table of trials.
pub(super) const MOST_TRIALS: usize = 1_000_000;
/// Most columns that are kept.
pub(super) const MOST_COLUMNS: usize = 200;
/// Names of the onset of the stimulus, in lower case and without `_`, as the field's files have it.
const ONSETS: [&str; 10] = [
    "stimontimes",
    "stimontime",
    "stimulusonset",
    "stimulusonsettime",
    "stimulusonsettimes",
    "visualstimulustime",
    "visualstimulustimes",
    "stimulustime",
    "stimulustimes",
    "gaborstimulusonsettime",
];
/// Names of the start of a trial.
const STARTS: [&str; 3] = ["starttime", "intervals0", "start"];
/// Names of what the animal chose.
const CHOICES: [&str; 3] = ["choice", "choices", "responsechoice"];

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    /// NaN where nothing was noted.
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Column {
    /// Numbers where every text is one, or says that nothing was noted.
    pub(super) fn of_texts(texts: Vec<String>) -> Self {
        let number = |text: &String| match text.trim().to_ascii_lowercase().as_str() {
            "" | "na" | "nan" | "null" | "none" => Some(f64::NAN),
            "true" => Some(1.0),
            "false" => Some(0.0),
            text => text.parse().ok(),
        };
        match texts.iter().map(number).collect::<Option<Vec<f64>>>() {
            // A column without a single number is no column of numbers.
            Some(numbers) if !numbers.iter().all(|number| number.is_nan()) => Self::Numbers(numbers),
            _ => Self::Texts(texts),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }
}

/// The table; every column has a value for every trial.
#[derive(Debug, Default)]
pub(super) struct Trials {
    /// Names it in errors.
    pub(super) file: String,
    pub(super) count: usize,
    pub(super) columns: Vec<(String, Column)>,
}

impl Trials {
    /// Adds a column; the first one decides how many trials there are.
    pub(super) fn push(&mut self, name: &str, column: Column) -> Result<(), SpikeError> {
        if self.columns.is_empty() {
            self.count = column.len();
        }
        if column.len() != self.count {
            let what = format!("`{name}` has {} values, but `{}` has {}", column.len(), self.columns[0].0, self.count);
            return Err(self.wrong(what));
        }
        if self.count == 0 || self.count > MOST_TRIALS {
            return Err(self.wrong(format!("{} trials were found, expected 1 to {MOST_TRIALS}", self.count)));
        }
        if self.columns.len() < MOST_COLUMNS && !self.columns.iter().any(|(known, _)| known == name) {
            self.columns.push((name.to_owned(), column));
        }
        Ok(())
    }

    pub(super) fn wrong(&self, what: String) -> SpikeError {
        SpikeError::Content { file: self.file.clone(), what }
    }

    /// A column of numbers by one of several names, written plainly.
    pub(super) fn plain(&self, names: &[&str]) -> Option<(&str, &[f64])> {
        names.iter().find_map(|name| {
            self.columns.iter().find_map(|(column, values)| match values {
                Column::Numbers(numbers) if plain(column) == *name => Some((column.as_str(), &numbers[..])),
                _ => None,
            })
        })
    }

    /// The event that trials are aligned to, seconds: the one that is named, else the onset of the stimulus, else the
    /// start of the trial.
    pub(super) fn event(&self, named: Option<&str>) -> Result<(&str, &[f64]), SpikeError> {
        let found = match named {
            Some(name) => {
                let exact = self.columns.iter().position(|(column, _)| column == name);
                let place = exact.or_else(|| self.columns.iter().position(|(column, _)| plain(column) == plain(name)));
                place.and_then(|place| match &self.columns[place] {
                    (column, Column::Numbers(numbers)) => Some((column.as_str(), &numbers[..])),
                    _ => None,
                })
            }
            None => self.plain(&ONSETS).or_else(|| self.plain(&STARTS)),
        };
        found.ok_or_else(|| {
            let wanted = match named {
                Some(name) => format!("`{}` is no column of times", short(name)),
                None => "no column tells when the stimulus began".to_owned(),
            };
            self.wrong(format!("{wanted}: name the event that trials are aligned to, one of {}", self.events()))
        })
    }

    /// Columns that may be events, for a sentence.
    pub(super) fn events(&self) -> String {
        let numbers = |(name, column): &(String, Column)| matches!(column, Column::Numbers(_)).then(|| name.clone());
        let mut names: Vec<String> = self.columns.iter().filter_map(numbers).collect();
        if names.iter().any(|name| is_time(name)) {
            names.retain(|name| is_time(name));
        }
        names.truncate(20);
        if names.is_empty() { "none: the table has no numbers".to_owned() } else { names.join(", ") }
    }

    /// What the animal chose, -1, 0 or 1, with the name of the column and how often nothing was noted.
    pub(super) fn choice(&self) -> Option<(&str, Vec<i8>, usize)> {
        let named = |name: &str| self.columns.iter().find(|(column, _)| plain(column) == name);
        let (name, column) = CHOICES.iter().find_map(|name| named(name))?;
        let mut missing = 0;
        let mut side = |side: Option<i8>| {
            missing += usize::from(side.is_none());
            side.unwrap_or(0)
        };
        let sides: Option<Vec<i8>> = match column {
            Column::Numbers(numbers) => numbers
                .iter()
                .map(|number| match number {
                    number if number.is_nan() => Some(side(None)),
                    number => [-1, 0, 1].into_iter().find(|&known| f64::from(known) == *number).map(|s| side(Some(s))),
                })
                .collect(),
            Column::Texts(texts) => texts
                .iter()
                .map(|text| match text.trim().to_ascii_lowercase().as_str() {
                    "left" | "l" => Some(side(Some(-1))),
                    "right" | "r" => Some(side(Some(1))),
                    "no" | "nogo" | "no-go" | "no go" | "no response" | "none" => Some(side(Some(0))),
                    "" | "nan" | "na" | "null" => Some(side(None)),
                    _ => None,
                })
                .collect(),
        };
        Some((name, sides?, missing))
    }

    /// Time from the onset of the stimulus to the first movement, or to the response, seconds, `[trial]`.
    pub(super) fn reaction_secs(&self) -> Option<Vec<f64>> {
        if let Some((_, times)) = self.plain(&["reactiontime", "reactiontimes"]) {
            return Some(times.to_vec());
        }
        let (_, onset) = self.plain(&ONSETS)?;
        let (_, moved) = self.plain(&["firstmovementtimes", "firstmovementtime", "responsetimes", "responsetime"])?;
        Some(onset.iter().zip(moved).map(|(onset, moved)| moved - onset).collect())
    }
}

/// Whether a column holds times on the clock of the recording, as its name says.
pub(super) fn is_time(name: &str) -> bool {
    let name = plain(name);
    let reaction = name.starts_with("reaction") || name.contains("duration") || name.starts_with("quiescen");
    !reaction
        && (["time", "times", "onset", "offset"].iter().any(|end| name.ends_with(end)) || name.starts_with("intervals"))
}

/// A name without capitals and `_`, by which it is known.
fn plain(name: &str) -> String {
    name.chars().filter(|&char| char != '_').flat_map(char::to_lowercase).collect()
}

/// A text for a sentence.
fn short(text: &str) -> String {
    text.chars().take(60).collect::<String>().escape_debug().to_string()
}

/// How a value must stand to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A condition that trials must meet, such as `choice != 0`, `probabilityLeft = 0.5` or `task = passive`.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialFilter {
    column: String,
    relation: Relation,
    value: String,
}

impl FromStr for TrialFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The longer signs first: `<=` also begins like `<`.
        let signs = [
            ("!=", Relation::Other),
            ("<=", Relation::AtMost),
            (">=", Relation::AtLeast),
            ("==", Relation::Equal),
            ("=", Relation::Equal),
            ("<", Relation::Less),
            (">", Relation::More),
        ];
        let wrong = || format!("\"{}\" is no condition: write COLUMN, one of = != < <= > >=, and VALUE", short(text));
        let at = text.find(['!', '<', '>', '=']).ok_or_else(wrong)?;
        let (column, rest) = text.split_at(at);
        let (sign, relation) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(wrong)?;
        let (column, value) = (column.trim().to_owned(), rest[sign.len()..].trim().to_owned());
        let ordered = !matches!(relation, Relation::Equal | Relation::Other);
        if column.is_empty() || value.is_empty() || (ordered && value.parse::<f64>().is_err()) {
            return Err(wrong());
        }
        Ok(Self { column, relation, value })
    }
}

impl std::fmt::Display for TrialFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.relation {
            Relation::Equal => "=",
            Relation::Other => "!=",
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::More => ">",
            Relation::AtLeast => ">=",
        };
        write!(f, "{} {sign} {}", self.column, self.value)
    }
}

impl TrialFilter {
    /// Which trials meet it. Where nothing was noted none does.
    pub(super) fn meets(&self, trials: &Trials) -> Result<Vec<bool>, SpikeError> {
        let named = |(name, _): &&(String, Column)| plain(name) == plain(&self.column);
        let Some((name, column)) = trials.columns.iter().find(named) else {
            let names: Vec<&str> = trials.columns.iter().map(|(name, _)| name.as_str()).take(30).collect();
            let what = format!("there is no column `{}`; there are {}", short(&self.column), names.join(", "));
            return Err(trials.wrong(what));
        };
        let wanted = self.value.parse::<f64>();
        // Sides in words are those numbers that the session has: `choice != 0` means the same in every recording.
        let sides = match (column, trials.choice()) {
            (Column::Texts(_), Some((known, sides, _))) if known == name && wanted.is_ok() => {
                Some(Column::Numbers(sides.into_iter().map(f64::from).collect()))
            }
            _ => None,
        };
        match (sides.as_ref().unwrap_or(column), wanted) {
            (Column::Numbers(numbers), Ok(wanted)) => {
                let meets = |&number: &f64| match self.relation {
                    Relation::Equal => number == wanted,
                    Relation::Other => number != wanted && !number.is_nan(),
                    Relation::Less => number < wanted,
                    Relation::AtMost => number <= wanted,
                    Relation::More => number > wanted,
                    Relation::AtLeast => number >= wanted,
                };
                Ok(numbers.iter().map(meets).collect())
            }
            (Column::Texts(texts), _) if matches!(self.relation, Relation::Equal | Relation::Other) => {
                let equal = self.relation == Relation::Equal;
                Ok(texts.iter().map(|text| !text.is_empty() && (*text == self.value) == equal).collect())
            }
            (Column::Texts(_), _) => Err(trials.wrong(format!("`{name}` holds texts, which are = or != only"))),
            (Column::Numbers(_), Err(_)) => {
                Err(trials.wrong(format!("`{name}` holds numbers, but \"{}\" is none", short(&self.value))))
            }
        }
    }
}

//! One part of an experiment: a stimulus, what is done to it, what varies, and the conditions that follow.

use serde::{Deserialize, Serialize};

use super::error::{ProtocolError, at_table, ensure};
use super::protocol::validate_name;
use super::sweep::Sweep;
use crate::signals::Monitor;
use crate::stimulus::schedule::Condition;
use crate::stimulus::{Field, Modifier, Stimulus, StimulusError, keys};

/// Most modifiers of one stimulus.
const MOST_MODIFIERS: usize = 32;

/// A further part of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What tables call it; the stimulus when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is shown.
    pub stimulus: Stimulus,
    /// What is done to it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modify: Vec<Modifier>,
    /// What is varied.
    #[serde(default, skip_serializing_if = "Sweep::is_empty")]
    pub sweep: Sweep,
}

impl Part {
    /// A stimulus as it is.
    pub fn new(stimulus: Stimulus) -> Self {
        Self { name: None, stimulus, modify: Vec::new(), sweep: Sweep::default() }
    }
}

/// Any part of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct PartRef<'p> {
    /// What the protocol calls it, if it does.
    pub name: Option<&'p str>,
    /// What is shown.
    pub stimulus: &'p Stimulus,
    /// What is done to it, in order.
    pub modify: &'p [Modifier],
    /// What is varied.
    pub sweep: &'p Sweep,
}

/// Any part of an experiment, to change it.
#[derive(Debug)]
pub struct PartMut<'p> {
    /// What is shown.
    pub stimulus: &'p mut Stimulus,
    /// What is done to it, in order.
    pub modify: &'p mut Vec<Modifier>,
    /// What is varied.
    pub sweep: &'p mut Sweep,
}

impl<'p> PartRef<'p> {
    /// Its name, or that of its stimulus.
    pub fn label(self) -> &'p str {
        self.name.unwrap_or_else(|| self.stimulus.label())
    }

    /// What is known of a parameter of its stimulus or modifiers.
    pub fn field(self, key: &str) -> Option<&'static Field> {
        keys::field(self.stimulus, self.modify, key)
    }

    /// Every combination of what is swept, the first parameter varying slowest, with all parameters fixed; `index` is
    /// that of the part.
    pub fn conditions(self, index: usize) -> Vec<Condition> {
        let still = Condition {
            part: Some(index),
            swept: Vec::new(),
            stimulus: self.stimulus.clone(),
            modifiers: self.modify.to_vec(),
        };
        self.sweep.iter().fold(vec![still], |conditions, swept| {
            let Some(field) = self.field(&swept.key) else { return conditions };
            let values = swept.values.of(field);
            let with = |condition: &Condition, value: f64| {
                let mut condition = condition.clone();
                keys::set(&mut condition.stimulus, &mut condition.modifiers, &swept.key, value);
                condition.swept.push((swept.key.clone(), value));
                condition
            };
            conditions.iter().flat_map(|condition| values.iter().map(|&value| with(condition, value))).collect()
        })
    }

    /// The table of a part in the protocol, with its dot; nothing for the first.
    fn table(index: usize) -> String {
        index.checked_sub(1).map_or_else(String::new, |index| format!("also[{index}]."))
    }

    /// Whether names and sweep are possible.
    pub(super) fn validate_alone(self, index: usize) -> Result<(), ProtocolError> {
        let table = Self::table(index);
        if let Some(name) = self.name {
            validate_name(&format!("{table}name"), name)?;
        }
        ensure(self.modify.len() <= MOST_MODIFIERS, &format!("{table}modify"), || {
            format!("has {} modifiers; a stimulus has at most {MOST_MODIFIERS}", self.modify.len())
        })?;
        ensure(!lacks_file(self.stimulus), &format!("{table}stimulus.path"), || {
            "is empty; name a file, or a folder of pictures".to_owned()
        })?;
        for (place, modifier) in self.modify.iter().enumerate() {
            ensure(!lacks_file(modifier), &format!("{table}modify[{place}].path"), || {
                "is empty; name a file, or a folder of pictures".to_owned()
            })?;
        }
        self.sweep.validate(&format!("{table}sweep"), self.stimulus, self.modify)
    }

    /// Whether every condition can be shown. Blamed is what is swept, where that is what is wrong.
    pub(super) fn validate_conditions(self, index: usize, monitor: &Monitor) -> Result<(), ProtocolError> {
        let table = Self::table(index);
        let conditions = self.conditions(index);
        for key in self.sweep.keys() {
            // One condition in which it matters will do: not every motion of a list of motions has a direction.
            let idle = |condition: &Condition| keys::idle(&condition.stimulus, &condition.modifiers, key);
            let why = conditions.iter().map(idle).collect::<Option<Vec<_>>>();
            let first = why.and_then(|why| why.first().copied());
            ensure(first.is_none(), &format!("{table}sweep.{key}"), || {
                format!("changes nothing: {}", first.unwrap_or_default())
            })?;
        }
        for condition in conditions {
            let blame = |own: String, prefix: &str, error: StimulusError| {
                let key = match &error {
                    StimulusError::Parameter { key, .. } | StimulusError::Impossible { key, .. } => *key,
                    _ => "",
                };
                let key = format!("{prefix}{key}");
                match condition.swept(&key) {
                    None => at_table(&own, error),
                    Some(_) => match at_table(&own, error) {
                        ProtocolError::Value { place, what, .. } => {
                            ProtocolError::Value { place, key: format!("{table}sweep.{key}"), what }
                        }
                        other => other,
                    },
                }
            };
            condition.stimulus.validate_for(monitor).map_err(|error| blame(format!("{table}stimulus"), "", error))?;
            for (place, modifier) in condition.modifiers.iter().enumerate() {
                let word = modifier.kind().key();
                modifier
                    .validate_for(monitor)
                    .map_err(|error| blame(format!("{table}modify[{place}]"), &format!("{word}."), error))?;
            }
        }
        Ok(())
    }
}

/// Whether a file has to be named and is not.
fn lacks_file(shown: &impl Serialize) -> bool {
    let table = toml::Table::try_from(shown).unwrap_or_default();
    table.get("path").is_some_and(|path| path.as_str() == Some(""))
}

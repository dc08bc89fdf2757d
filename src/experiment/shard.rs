//! One of several equal shares of a run, for the jobs of a cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most shares of one run.
pub const MOST_SHARDS: usize = 4096;

/// One share of a run: every n-th condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// The share that the piece at this place, from 0, belongs to when there are `of` shares.
    pub fn owner(piece: usize, of: usize) -> Self {
        let of = of.max(1);
        Self { number: piece % of + 1, of }
    }

    /// Its number, from 1.
    pub fn number(self) -> usize {
        self.number
    }

    /// Number of shares.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether the piece at this place, from 0, belongs to it.
    pub fn has(self, piece: usize) -> bool {
        Self::owner(piece, self.of) == self
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = |text: &str| text.parse::<usize>().ok();
        let parts = text.split_once('/').and_then(|(number, of)| Some((whole(number)?, whole(of)?)));
        match parts {
            Some((number, of)) if (1..=MOST_SHARDS).contains(&of) && (1..=of).contains(&number) => {
                Ok(Self { number, of })
            }
            _ => Err(format!("expected I/N with I from 1 to N and N up to {MOST_SHARDS}, such as 3/8")),
        }
    }
}

//! What a test found, with its name.

use std::fmt;

/// A test of a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Signs of paired differences are exchanged; the statistic is their mean.
    PairedPermutation,
    /// Membership of two groups is exchanged; the statistic is the difference of their means.
    UnpairedPermutation,
    /// Signs of the ranks of paired differences; the statistic is the sum of the positive ones.
    WilcoxonSignedRank,
    /// Ranks of two groups; the statistic is U of the first.
    MannWhitney,
}

impl Test {
    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::PairedPermutation => "paired permutation test",
            Self::UnpairedPermutation => "permutation test",
            Self::WilcoxonSignedRank => "Wilcoxon signed-rank test",
            Self::MannWhitney => "Mann-Whitney U test",
        }
    }
}

/// On which side of the null hypothesis the data are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alternative {
    /// On either.
    #[default]
    TwoSided,
    /// First below second.
    Less,
    /// First above second.
    Greater,
}

impl Alternative {
    fn label(self) -> &'static str {
        match self {
            Self::TwoSided => "two-sided",
            Self::Less => "one-sided, less",
            Self::Greater => "one-sided, greater",
        }
    }

    /// The p-value, from the probabilities of a statistic at most and at least as large as the one found.
    pub(super) fn p_value(self, at_most: f64, at_least: f64) -> f64 {
        match self {
            Self::TwoSided => (2.0 * at_most.min(at_least)).min(1.0),
            Self::Less => at_most.min(1.0),
            Self::Greater => at_least.min(1.0),
        }
    }
}

/// How the distribution under the null hypothesis was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// All arrangements were counted, so many.
    Exact,
    /// So many arrangements were drawn.
    Drawn(usize),
    /// Normal, with corrections for ties and continuity.
    Normal,
}

/// What a test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestResult {
    /// Which test.
    pub test: Test,
    /// On which side.
    pub alternative: Alternative,
    /// How its p-value was found.
    pub null: Null,
    /// The test's statistic.
    pub statistic: f64,
    /// Size of the effect: the mean difference for the permutation tests, the rank-biserial correlation, -1..=1, for
    /// those of ranks; above 0 when the first is larger.
    pub effect: f64,
    /// Chance of a statistic as extreme when there is no difference.
    pub p: f64,
    /// Values of the first and of the second group that were used; for pairs twice the number of pairs that were.
    pub n: [usize; 2],
}

impl fmt::Display for TestResult {
    /// One line for a caption: "Mann-Whitney U test, two-sided, exact: p = 0.0123, n = 8 and 9".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = match self.null {
            Null::Exact => "exact".to_owned(),
            Null::Drawn(count) => format!("{count} permutations"),
            Null::Normal => "normal approximation".to_owned(),
        };
        write!(f, "{}, {}, {null}: p = {}, ", self.test.label(), self.alternative.label(), short(self.p))?;
        match self.test {
            Test::PairedPermutation | Test::WilcoxonSignedRank => write!(f, "n = {} pairs", self.n[0]),
            Test::UnpairedPermutation | Test::MannWhitney => write!(f, "n = {} and {}", self.n[0], self.n[1]),
        }
    }
}

/// Three significant digits.
fn short(p: f64) -> String {
    if p == 0.0 || p >= 1e-3 { format!("{p:.3}") } else { format!("{p:.2e}") }
}

//! Correction of p-values for the number of tests.

use super::StatisticsError;

/// What is kept small when many hypotheses are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// The chance of even one false discovery (Holm 1979); holds whatever the tests have in common.
    Holm,
    /// The expected fraction of false ones among the discoveries (Benjamini and Hochberg 1995); holds for independent or
    /// positively dependent tests.
    BenjaminiHochberg,
}

impl Correction {
    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Holm => "Holm",
            Self::BenjaminiHochberg => "Benjamini-Hochberg",
        }
    }

    /// Adjusted p-values in the order of the list: a hypothesis is rejected at a level when its adjusted value is not
    /// above that level.
    ///
    /// # Errors
    /// When a value is not within 0..=1.
    pub fn adjust(self, p_values: &[f64]) -> Result<Vec<f64>, StatisticsError> {
        if let Some(&found) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(StatisticsError::NoProbability { what: "a p-value", found });
        }
        let n = p_values.len();
        let mut ascending: Vec<usize> = (0..n).collect();
        ascending.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
        let mut adjusted = vec![0.0; n];
        match self {
            Self::Holm => {
                let mut most = 0.0_f64;
                for (rank, &index) in ascending.iter().enumerate() {
                    most = most.max(p_values[index] * (n - rank) as f64).min(1.0);
                    adjusted[index] = most;
                }
            }
            Self::BenjaminiHochberg => {
                let mut least = 1.0_f64;
                for (rank, &index) in ascending.iter().enumerate().rev() {
                    least = least.min(p_values[index] * n as f64 / (rank + 1) as f64);
                    adjusted[index] = least;
                }
            }
        }
        Ok(adjusted)
    }
}

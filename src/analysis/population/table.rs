//! Responses as rows of observations.

/// Responses `[observation, unit]`, all finite but where [`Trials`](crate::analysis::Trials) miss one. An observation is a
/// presentation, a condition or a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseTable {
    observations: usize,
    units: usize,
    values: Vec<f64>,
}

impl ResponseTable {
    /// Takes values `[observation, unit]`; `None` when their number does not fit, when there are none, or when one is not
    /// finite.
    pub fn new(observations: usize, units: usize, values: Vec<f64>) -> Option<Self> {
        let fits = Some(values.len()) == observations.checked_mul(units) && !values.is_empty();
        (fits && values.iter().all(|value| value.is_finite())).then_some(Self { observations, units, values })
    }

    /// The same with NaN for what was not measured.
    pub(in crate::analysis) fn with_missing(observations: usize, units: usize, values: Vec<f64>) -> Option<Self> {
        let fits = Some(values.len()) == observations.checked_mul(units) && !values.is_empty();
        (fits && values.iter().all(|value| !value.is_infinite())).then_some(Self { observations, units, values })
    }

    /// Number of observations.
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// All values, `[observation, unit]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Every unit's response at one observation, `[unit]`.
    pub fn row(&self, observation: usize) -> &[f64] {
        &self.values[observation * self.units..(observation + 1) * self.units]
    }

    /// One unit's response over observations.
    pub fn unit(&self, unit: usize) -> impl Iterator<Item = f64> + '_ {
        (0..self.observations).map(move |observation| self.values[observation * self.units + unit])
    }

    /// The same of some units, in the order of a list.
    ///
    /// # Panics
    /// When there is no such unit.
    pub fn some(&self, units: &[usize]) -> Self {
        let row = |observation: usize| units.iter().map(move |&unit| self.row(observation)[unit]);
        let values = (0..self.observations).flat_map(row).collect();
        Self { observations: self.observations, units: units.len(), values }
    }

    /// The same with units as rows and observations as columns.
    pub fn transposed(&self) -> Self {
        let values = (0..self.units).flat_map(|unit| self.unit(unit)).collect();
        Self { observations: self.units, units: self.observations, values }
    }

    /// The mean row of each group of rows, such as the presentations of one condition. `None` when a group is empty or
    /// names a row that is not there.
    pub fn group_means(&self, groups: &[Vec<usize>]) -> Option<Self> {
        let mut values = vec![0.0; groups.len() * self.units];
        for (group, means) in groups.iter().zip(values.chunks_exact_mut(self.units)) {
            if group.is_empty() || group.iter().any(|&row| row >= self.observations) {
                return None;
            }
            for &row in group {
                means.iter_mut().zip(self.row(row)).for_each(|(mean, value)| *mean += value / group.len() as f64);
            }
        }
        Self::new(groups.len(), self.units, values)
    }

    /// Mean of each unit.
    pub(super) fn means(&self) -> Vec<f64> {
        let mut means = vec![0.0; self.units];
        for row in self.values.chunks_exact(self.units) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / self.observations as f64);
        }
        means
    }
}

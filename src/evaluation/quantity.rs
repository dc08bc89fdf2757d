//! What is said of every unit.

use crate::analysis::reliability::NoCeiling;

/// One unit in one domain. What is not defined is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct UnitEvaluation {
    /// See [`Quantity::CcAbs`].
    pub cc_abs: Option<f64>,
    /// See [`Quantity::CcMax`].
    pub cc_max: Option<f64>,
    /// See [`Quantity::CcMaxConsistent`].
    pub cc_max_consistent: Option<f64>,
    /// See [`Quantity::CcNorm`].
    pub cc_norm: Option<f64>,
    /// Why there is neither ceiling nor CC_norm.
    pub no_ceiling: Option<NoCeiling>,
    /// See [`Quantity::CcSingle`].
    pub cc_single: Option<f64>,
    /// See [`Quantity::CcTrue`].
    pub cc_true: Option<f64>,
    /// See [`Quantity::MeanRatio`].
    pub mean_ratio: Option<f64>,
    /// See [`Quantity::PoissonLoss`].
    pub poisson_loss: Option<f64>,
}

/// A number that every unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Correlation of the mean prediction with the mean response, both over repeats.
    CcAbs,
    /// The correlation that a perfect prediction would reach, as published with Wang et al. 2025.
    CcMax,
    /// The same with every variance over T - 1.
    CcMaxConsistent,
    /// CC_abs / CC_max.
    CcNorm,
    /// Correlation of the prediction of each trial with its response, all trials one after the other.
    CcSingle,
    /// Correlation of the prediction of each trial with its true rate; only simulated animals have one.
    CcTrue,
    /// Mean prediction divided by the mean response.
    MeanRatio,
    /// Mean of p - r ln p over all trials, p predicted and r recorded: what training makes small.
    PoissonLoss,
}

impl Quantity {
    /// Every quantity, in the order of the tables.
    pub const ALL: [Self; 8] = [
        Self::CcAbs,
        Self::CcMax,
        Self::CcMaxConsistent,
        Self::CcNorm,
        Self::CcSingle,
        Self::CcTrue,
        Self::MeanRatio,
        Self::PoissonLoss,
    ];

    /// Name in tables.
    pub fn key(self) -> &'static str {
        match self {
            Self::CcAbs => "cc_abs",
            Self::CcMax => "cc_max",
            Self::CcMaxConsistent => "cc_max_consistent",
            Self::CcNorm => "cc_norm",
            Self::CcSingle => "cc_single_trial",
            Self::CcTrue => "cc_true_rate",
            Self::MeanRatio => "mean_predicted_over_recorded",
            Self::PoissonLoss => "poisson_loss",
        }
    }
}

impl UnitEvaluation {
    /// One of its quantities.
    pub fn get(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::CcAbs => self.cc_abs,
            Quantity::CcMax => self.cc_max,
            Quantity::CcMaxConsistent => self.cc_max_consistent,
            Quantity::CcNorm => self.cc_norm,
            Quantity::CcSingle => self.cc_single,
            Quantity::CcTrue => self.cc_true,
            Quantity::MeanRatio => self.mean_ratio,
            Quantity::PoissonLoss => self.poisson_loss,
        }
    }
}

//! Parameters with bounds as functions of free variables.

/// Where a parameter may lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    /// Anywhere.
    Free,
    /// At or above this.
    AtLeast(f64),
    /// From the first to the second, both included.
    Between(f64, f64),
}

/// How near to a bound a start may lie, as a fraction of the width or in units of the parameter: on the bound itself the
/// slope is 0 and nothing would move.
const INSIDE: f64 = 1e-4;

impl Bound {
    /// The parameter of a free variable: any q gives a parameter within its bounds, every such parameter has a q.
    pub(super) fn parameter(self, q: f64) -> f64 {
        match self {
            Self::Free => q,
            Self::AtLeast(least) => least + (q * q + 1.0).sqrt() - 1.0,
            Self::Between(least, most) => least + (most - least) * 0.5 * (q.sin() + 1.0),
        }
    }

    /// A free variable whose parameter this is, moved a little inside where it lies on a bound.
    pub(super) fn free(self, parameter: f64) -> f64 {
        match self {
            Self::Free => parameter,
            Self::AtLeast(least) => (((parameter - least).max(INSIDE) + 1.0).powi(2) - 1.0).sqrt(),
            Self::Between(least, most) => {
                let part = if most > least { (parameter - least) / (most - least) } else { 0.5 };
                (2.0 * part.clamp(INSIDE, 1.0 - INSIDE) - 1.0).asin()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bound;

    #[test]
    fn every_free_variable_gives_a_parameter_within_bounds_and_back() {
        for bound in [Bound::Free, Bound::AtLeast(2.0), Bound::Between(-1.0, 3.0)] {
            for parameter in [2.1, 2.5, 2.999] {
                let found = bound.parameter(bound.free(parameter));
                assert!((found - parameter).abs() < 1e-12, "{bound:?}: {found}, expected {parameter}");
            }
        }
        for q in [-1e3, -1.0, 0.0, 0.3, 77.0] {
            assert!(Bound::AtLeast(2.0).parameter(q) >= 2.0);
            assert!((-1.0..=3.0).contains(&Bound::Between(-1.0, 3.0).parameter(q)));
        }
        assert!(Bound::AtLeast(0.0).parameter(Bound::AtLeast(0.0).free(0.0)) > 0.0, "off the bound, where it can move");
    }
}

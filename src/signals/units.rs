//! Who a unit is.

use serde::{Deserialize, Serialize};

/// Identity of one recorded cell. Two units are the same cell only when all four parts agree:
/// "4-7" of two animals are different scans.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitId {
    /// Animal, where the file names it.
    pub animal: Option<String>,
    /// Session of the animal.
    pub session: u32,
    /// Scan of the session.
    pub scan: u32,
    /// Unit of the scan, not consecutive.
    pub unit: u32,
}

//! Whether a twin's units are the recorded cells: animal, session, scan and unit must all agree.

use std::collections::HashSet;

use super::ComparisonError;
use crate::data::{ScanId, Session};
use crate::signals::UnitId;

/// The columns of the recording that belong to a twin's units.
///
/// # Errors
/// When a unit is not one of the recorded cells, or when twin or recording do not say which animal they are of.
pub fn matched(units: &[UnitId], session: &Session) -> Result<Vec<usize>, ComparisonError> {
    let id = &session.id;
    let recorded: HashSet<u32> = session.units.iter().map(|unit| unit.unit).collect();
    let stranger = units.iter().find_map(|unit| Some((unit, difference(unit, id, &recorded)?)));
    match stranger {
        None => Ok(session.columns_of(units)?),
        Some((unit, why)) => Err(ComparisonError::Strangers { why, twin: named(unit), recording: id.clone() }),
    }
}

/// The first part of identity in which a unit differs from the recording.
fn difference(unit: &UnitId, id: &ScanId, recorded: &HashSet<u32>) -> Option<String> {
    Some(match &unit.animal {
        None => "the twin does not say which animal it is of".to_owned(),
        Some(_) if id.animal == ScanId::UNKNOWN => "the recording does not say which animal it is of".to_owned(),
        Some(animal) if *animal != id.animal => "twin and recording are of different animals".to_owned(),
        Some(_) if unit.session != id.session => "twin and recording are of different sessions".to_owned(),
        Some(_) if unit.scan != id.scan => "twin and recording are of different scans".to_owned(),
        Some(_) if !recorded.contains(&unit.unit) => format!("unit {} of the twin was not recorded", unit.unit),
        Some(_) => return None,
    })
}

fn named(unit: &UnitId) -> String {
    let animal = unit.animal.clone().unwrap_or_else(|| ScanId::UNKNOWN.to_owned());
    ScanId { animal, session: unit.session, scan: unit.scan }.to_string()
}

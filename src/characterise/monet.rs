//! Tuning to the direction of Monet2 noise, whose windows of motion come in an order of their own in every presentation.

use super::reliability::median_in_words;
use super::table::{cell, identity};
use super::{Characterisation, CharacteriseError, Look, Measured, Table};
use crate::analysis::monet_tuning_of_rows;
use crate::analysis::selectivity::preferred_orientation_deg;
use crate::job::Progress;
use crate::stimulus::{Monet, Stimulus};

/// Adds a table, where such noise was shown.
pub(super) fn add(
    measured: &Measured,
    look: &Look,
    progress: &Progress,
    found: &mut Characterisation,
) -> Result<(), CharacteriseError> {
    let windows = windows(measured);
    if windows == 0 {
        return Ok(());
    }
    let columns = ["gOSI", "gDSI", "preferred_orientation_deg", "preferred_direction_deg", "windows", "directions"];
    let mut table = Table::of_units("tuning_monet", &columns);
    let mut shown = None;
    for units in measured.blocks(look.most_values, windows) {
        progress.check()?;
        let (rate, some) = (measured.frame_rate, measured.some(&units));
        let tuning = monet_tuning_of_rows(&measured.schedule, rate, look.delay_frames, &some)?;
        let Some(tuning) = tuning else { break };
        let (directions, used) = (&tuning.directions_deg, tuning.presentations.iter().sum::<usize>());
        for (unit, one) in units.iter().zip(&tuning.units) {
            let numbers = [
                one.global_osi,
                one.global_dsi,
                preferred_orientation_deg(directions, &one.mean),
                one.preferred_direction_deg,
            ];
            let cells = numbers.map(|number| cell(number.map(f64::from)));
            let counts = [used, directions.len()].map(|count| count.to_string());
            table.rows.push(&[identity(&measured.units[*unit]), cells.to_vec(), counts.to_vec()].concat());
        }
        let most = tuning.presentations.iter().copied().max().unwrap_or(0);
        shown = Some((directions.len(), tuning.repeats, most));
    }
    let Some((directions, least, most)) = shown else {
        found.findings.push("Directional noise (Monet2): no whole window of motion was shown.".to_owned());
        return Ok(());
    };
    let n = if least == most { least.to_string() } else { format!("{least} to {most}") };
    found.findings.push(format!(
        "Directional noise (Monet2): {directions} directions, n = {n} windows of motion of each, responses {} frames later; \
         gOSI: {}; gDSI: {}.",
        look.delay_frames,
        median_in_words(&table.column("gOSI"), look.seed),
        median_in_words(&table.column("gDSI"), look.seed)
    ));
    for (column, title) in [("gOSI", "orientation selectivity"), ("gDSI", "direction selectivity")] {
        found.panels.push(table.panel(column, &format!("Directional noise: {title}"), column));
    }
    found.tables.push(table);
    Ok(())
}

/// Windows of motion at the very most; 0 where no such noise was shown.
fn windows(measured: &Measured) -> usize {
    let of = |noise: &Monet, frames: usize| frames / measured.frame_rate.frames_in(noise.period_secs).max(1) + 1;
    let shown = measured.schedule.presentations.iter().filter_map(|shown| {
        let condition = &measured.schedule.conditions[shown.condition];
        match &condition.stimulus {
            Stimulus::Monet(noise) if !condition.is_blank() => Some(of(noise, shown.frames)),
            _ => None,
        }
    });
    shown.sum()
}

//! The truth about a mouse as tables: `truth.csv` and `wiring.csv` beside its session.

use super::mouse::Mouse;
use super::wiring::Connection;
use crate::data::ScanId;

/// Number of a unit in tables and identities: from 1.
pub(super) fn unit_number(index: usize) -> u32 {
    u32::try_from(index + 1).expect("a mouse has fewer units than numbers")
}

/// `truth.csv`: one row a unit, in the order of the responses. Every rate was divided by `mean_rate`; with it and the
/// seed of the mouse, which `session.toml` has, the true rates of any movie can be computed again.
pub(super) fn unit_table(id: &ScanId, mouse: &Mouse) -> String {
    let mut text = "animal,session,scan,unit,area,layer,kind,preferred_direction_deg,preferred_orientation_deg,\
                    direction_selectivity,spatial_frequency_cyc_per_deg,temporal_frequency_hz,speed_deg_per_sec,\
                    phase_deg,centre_x_deg,centre_y_deg,sigma_deg,on_gain,surround,baseline,exponent,run_gain,\
                    pupil_gain,mean_rate,soma_x_um,soma_y_um,soma_depth_um\n"
        .to_owned();
    for (index, (unit, &mean)) in mouse.units().iter().zip(mouse.mean()).enumerate() {
        let numbers = [
            unit.direction_deg,
            unit.orientation_deg(),
            unit.direction_selectivity,
            unit.spatial_frequency_cyc_per_deg,
            unit.temporal_frequency_hz,
            unit.speed_deg_per_sec(),
            unit.phase_deg,
            unit.centre_deg[0],
            unit.centre_deg[1],
            unit.sigma_deg,
            unit.on_gain,
            unit.surround,
            unit.baseline,
            unit.exponent,
            unit.run_gain,
            unit.pupil_gain,
            f64::from(mean),
            unit.soma_um[0],
            unit.soma_um[1],
            unit.soma_um[2],
        ];
        let names = [unit.area.name(), unit.layer.name(), unit.kind.name()].join(",");
        let numbers = numbers.map(|number| format!("{number:.7}")).join(",");
        text += &format!("{},{},{},{},{names},{numbers}\n", id.animal, id.session, id.scan, unit_number(index));
    }
    text
}

/// `wiring.csv`: one row a connection.
pub(super) fn wiring_table(connections: &[Connection]) -> String {
    let mut text = "from_unit,to_unit,distance_um,similarity\n".to_owned();
    for connection in connections {
        let (from, to) = (unit_number(connection.from), unit_number(connection.to));
        text += &format!("{from},{to},{:.2},{:.5}\n", connection.distance_um, connection.similarity);
    }
    text
}

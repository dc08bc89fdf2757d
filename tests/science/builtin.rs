//! The twin that ships with the program: what it is made of, and that its units are tuned as those of its simulated mouse.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use twinscope::analysis::DirectionTuning;
use twinscope::data::simulated::Mouse;
use twinscope::experiment::{self, PredictError, Predictor, Protocol, run::Sink};
use twinscope::gpu::ComputeDevice;
use twinscope::job::Progress;
use twinscope::model::twin::{Twin, TwinConfig, TwinOptions};
use twinscope::model::weights::{self, TwinCard};
use twinscope::signals::{Behavior, FrameSource, Monitor, Raster, SourceError, UnitId};
use twinscope::stimulus;

/// The mouse that `twinscope simulate --mice 1 --units 320 --seed 100` draws: `mouse_seed` in its `session.toml`.
const MOUSE_SEED: u64 = 4_782_329_279_004_855_772;

/// A unit counts as direction selective above this global DSI of the simulated unit.
const SELECTIVE: f64 = 0.2;

/// A row of the table of units beside the twin.
#[derive(Debug, serde::Deserialize)]
struct Row {
    animal: String,
    session: u32,
    scan: u32,
    unit: u32,
    area: String,
    layer: String,
    kind: String,
    preferred_direction_deg: f64,
    direction_selectivity: f64,
    spatial_frequency_cyc_per_deg: f64,
    temporal_frequency_hz: f64,
    speed_deg_per_sec: f64,
    centre_x_deg: f64,
    centre_y_deg: f64,
    sigma_deg: f64,
    grating_preferred_direction_deg: f64,
    grating_gdsi: f64,
}

fn asset(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table() -> Vec<Row> {
    let text = asset("twin-units.csv");
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

/// The simulated mouse in the place of a twin: its true rates are the answer.
struct Truth {
    mouse: Mouse,
    units: Vec<UnitId>,
    card: TwinCard,
}

impl Predictor for Truth {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn card(&self) -> &TwinCard {
        &self.card
    }
    fn sha256(&self) -> &str {
        ""
    }
    fn device(&self) -> String {
        "simulation".to_owned()
    }
    fn raster(&self) -> Raster {
        self.card.raster
    }
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        _chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError> {
        let monitor = Monitor::WANG2025.with_raster(self.card.raster);
        let rates = self.mouse.rates(&monitor, movie, behavior, progress).expect("the mouse watches");
        sink(0, rates.values())
    }
}

fn truth() -> Truth {
    let twin = weights::builtin();
    let mouse = Mouse::new(MOUSE_SEED, twin.units.len()).with_drift(0.0);
    Truth { mouse, units: twin.units, card: twin.card }
}

/// Direction tuning by the preset with full-field gratings, each shown once: it is the same in every repeat.
fn gratings(predictor: &mut dyn Predictor) -> DirectionTuning {
    let mut protocol =
        Protocol::from_toml(&asset("protocols/direction_grating.toml"), "direction_grating.toml").expect("a preset");
    protocol.repeats.count = 1;
    let mut draw = |schedule: &_, monitor: &_| {
        stimulus::source(schedule, monitor, Path::new(""), &ComputeDevice::Cpu)
            .map_err(|error| SourceError::new(error.to_string()))
    };
    let outcome = experiment::run(&protocol, predictor, None, &mut draw, &Progress::new(), &mut |_| ());
    outcome.expect("the protocol runs").tuning.expect("directions were swept")
}

/// Angle between two directions, degrees.
fn apart(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

#[test]
fn it_is_small_and_its_configuration_and_card_are_those_beside_it() {
    let twin = weights::builtin();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/twin.safetensors");
    assert!(file.metadata().expect("the asset").len() <= 8_000_000);
    let beside = TwinConfig::from_toml(&asset("twin.toml")).expect("a configuration");
    assert_eq!(twin.config, beside);
    assert_eq!(twin.config, TwinConfig::small(), "the sizes that `train` takes by default");
    let card: TwinCard = toml::from_str(&asset("foundation/card.toml")).expect("a card");
    assert_eq!(twin.card, card);
    assert!(card.simulated && card.note.contains("All its mice are simulated"), "{}", card.note);
    assert!(asset("MODEL_CARD.md").contains(&twin.sha256), "the model card is about {}", twin.sha256);
}

#[test]
fn its_units_are_those_of_one_simulated_mouse_in_four_areas() {
    let (truth, rows) = (truth(), table());
    let ids: Vec<UnitId> = rows
        .iter()
        .map(|row| UnitId { animal: Some(row.animal.clone()), session: row.session, scan: row.scan, unit: row.unit })
        .collect();
    assert_eq!(ids, truth.units);
    assert!(ids.len() >= 300);
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, unit) in rows.iter().zip(truth.mouse.units()) {
        assert_eq!([&*row.area, &*row.layer, &*row.kind], [unit.area.name(), unit.layer.name(), unit.kind.name()]);
        for (what, written, drawn) in [
            ("preferred direction", row.preferred_direction_deg, unit.direction_deg),
            ("selectivity", row.direction_selectivity, unit.direction_selectivity),
            ("spatial frequency", row.spatial_frequency_cyc_per_deg, unit.spatial_frequency_cyc_per_deg),
            ("temporal frequency", row.temporal_frequency_hz, unit.temporal_frequency_hz),
            ("speed", row.speed_deg_per_sec, unit.speed_deg_per_sec()),
            ("centre x", row.centre_x_deg, unit.centre_deg[0]),
            ("centre y", row.centre_y_deg, unit.centre_deg[1]),
            ("sigma", row.sigma_deg, unit.sigma_deg),
        ] {
            // The table has four decimals.
            assert!((written - drawn).abs() <= 0.6e-4, "unit {}: {what} is {drawn}, not {written}", row.unit);
        }
        *areas.entry(&row.area).or_default() += 1;
    }
    assert_eq!(areas.keys().copied().collect::<Vec<_>>(), ["AL", "LM", "RL", "V1"]);
    assert!(areas.values().all(|&units| units >= 30), "{areas:?}");
}

#[test]
fn gratings_find_the_preferred_directions_of_its_simulated_mouse() {
    let rows = table();
    let simulated = gratings(&mut truth());
    let differences: Vec<String> = rows
        .iter()
        .zip(&simulated.units)
        .filter_map(|(row, unit)| {
            let preferred = f64::from(unit.preferred_direction_deg.expect("it responds"));
            let dsi = f64::from(unit.global_dsi.expect("it responds"));
            // The table has four decimals of degrees; where hardly any direction is preferred, rounding turns it.
            let same = (dsi - row.grating_gdsi).abs() <= 1e-3
                && (dsi < 0.01 || apart(preferred, row.grating_preferred_direction_deg) <= 0.05);
            (!same).then(|| format!("unit {}: preferred {preferred:.4}, gDSI {dsi:.4}", row.unit))
        })
        .collect();
    assert!(differences.is_empty(), "the table of units says otherwise:\n{}", differences.join("\n"));

    let mut twin =
        Twin::open(Arc::new(weights::builtin()), &ComputeDevice::Cpu, TwinOptions::default()).expect("it opens");
    let found = gratings(&mut twin);
    let mut errors: Vec<f64> = rows
        .iter()
        .zip(&found.units)
        .filter(|(row, _)| row.grating_gdsi > SELECTIVE)
        .map(|(row, unit)| {
            let found = f64::from(unit.preferred_direction_deg.expect("a unit that responds"));
            apart(found, row.grating_preferred_direction_deg)
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    let (units, median) = (errors.len(), errors[errors.len() / 2]);
    let far = errors.iter().filter(|&&error| error > 30.0).count();
    println!("{units} selective units, median error {median:.2} degrees, {far} off by more than 30");
    assert!(units >= 100, "only {units} selective units");
    assert!(median <= 6.0, "median error {median} degrees over {units} units");
    assert!(far * 50 <= units, "{far} of {units} units are off by more than 30 degrees");

    // What the window and the demonstration select at first is a unit worth looking at.
    let dsi = |unit: usize| found.units[unit].global_dsi.unwrap_or(-1.0);
    let sharpest = (0..found.units.len()).max_by(|&a, &b| dsi(a).total_cmp(&dsi(b))).expect("units");
    assert!(dsi(sharpest) > 0.5 && rows[sharpest].grating_gdsi > 0.5, "unit {}", rows[sharpest].unit);
}

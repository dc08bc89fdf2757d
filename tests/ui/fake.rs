//! A twin with known tuning: it measures the motion of the movie and answers as its units' preferences say.

use std::time::Duration;

use twinscope::experiment::{PredictError, Predictor};
use twinscope::gpu::{ComputeDevice, DeviceChoice};
use twinscope::job::Progress;
use twinscope::model::twin::TwinConfig;
use twinscope::model::weights::{StateDict, TwinCard, TwinWeights};
use twinscope::signals::{Behavior, FrameSource, Raster, UnitId};
use twinscope::workbench::{Command, Compute, Workbench};

/// Units of the twin; unit `i` prefers `360 i / UNITS` degrees.
pub const UNITS: usize = 48;

/// Pixels of its movies: few, so that a run takes milliseconds.
const RASTER: Raster = Raster { height: 36, width: 64 };

/// Preferred direction of a unit, degrees.
pub fn preferred_deg(unit: usize) -> f64 {
    360.0 * unit as f64 / UNITS as f64
}

/// The twin as the workbench holds it; its network is never looked at.
pub fn twin() -> TwinWeights {
    TwinWeights {
        config: TwinConfig::microns(),
        state: StateDict::default(),
        units: (0..UNITS as u32).map(|unit| UnitId { animal: None, session: 4, scan: 7, unit: unit + 1 }).collect(),
        card: TwinCard {
            name: "Built-in twin".to_owned(),
            simulated: true,
            raster: RASTER,
            note: "A twin with known tuning, for tests.".to_owned(),
        },
        sha256: "0".repeat(64),
    }
}

/// A workbench with that twin on the CPU; each second of the movie takes `pause` to compute.
pub fn bench(pause: Duration) -> Workbench {
    let compute = Compute::new(Box::new(move |weights, _| {
        Ok(Box::new(MotionTwin { units: weights.units.clone(), card: weights.card.clone(), pause }))
    }))
    .with_device(DeviceChoice::Auto, ComputeDevice::Cpu, "CPU engine: no graphics adapter was found".to_owned());
    Workbench::new(twin(), compute).expect("the system gives two threads")
}

/// A workbench whose default protocol was answered.
pub fn answered() -> Workbench {
    let mut bench = bench(Duration::ZERO);
    bench.perform(Command::Run);
    bench.wait(Duration::from_secs(60));
    assert!(bench.answer().is_some(), "{:?}", bench.message());
    bench
}

struct MotionTwin {
    units: Vec<UnitId>,
    card: TwinCard,
    pause: Duration,
}

impl Predictor for MotionTwin {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn card(&self) -> &TwinCard {
        &self.card
    }
    fn sha256(&self) -> &str {
        "0000000000000000000000000000000000000000000000000000000000000000"
    }
    fn device(&self) -> String {
        "CPU engine".to_owned()
    }
    fn raster(&self) -> Raster {
        RASTER
    }
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        _behavior: &Behavior,
        chunk: usize,
        progress: &Progress,
        sink: &mut twinscope::experiment::run::Sink<'_>,
    ) -> Result<(), PredictError> {
        let mut before = vec![0; RASTER.pixels()];
        let mut frame = before.clone();
        let mut state = [0.3_f32; UNITS];
        for start in (0..movie.frames()).step_by(chunk) {
            std::thread::sleep(self.pause);
            let mut rows = Vec::new();
            for time in start..(start + chunk).min(movie.frames()) {
                movie.read(time, 1, &mut frame)?;
                let motion = motion(&before, &frame);
                std::mem::swap(&mut before, &mut frame);
                for (unit, state) in state.iter_mut().enumerate() {
                    let drive = motion.map_or(0.3, |direction| drive(unit, direction));
                    *state += 0.25 * (drive - *state);
                    rows.push(*state);
                }
                progress.advance(1)?;
            }
            sink(start, &rows)?;
        }
        Ok(())
    }
}

/// Response of a unit to motion in a direction, radians: von Mises, some units also to the opposite direction.
fn drive(unit: usize, direction: f64) -> f32 {
    let away = direction - preferred_deg(unit).to_radians();
    let sharpness = 1.0 + (unit % 5) as f64;
    let opposite = (unit % 3) as f64 * 0.3;
    let tuned = |cos: f64| (sharpness * (cos - 1.0)).exp();
    let gain = 1.0 + (unit % 4) as f64;
    (0.2 + gain * (tuned(away.cos()) + opposite * tuned(-away.cos()))) as f32
}

/// Direction of motion between two frames, radians, y up: least squares of the brightness constancy equation.
/// `None` when nothing moves.
fn motion(before: &[u8], after: &[u8]) -> Option<f64> {
    let (mut xx, mut xy, mut yy, mut xt, mut yt) = (1.0, 0.0, 1.0, 0.0, 0.0);
    for row in 1..RASTER.height - 1 {
        for column in 1..RASTER.width - 1 {
            let at = |row: usize, column: usize| {
                let index = row * RASTER.width + column;
                (f64::from(before[index]) + f64::from(after[index])) / 2.0
            };
            let dx = (at(row, column + 1) - at(row, column - 1)) / 2.0;
            let dy = (at(row - 1, column) - at(row + 1, column)) / 2.0; // rows grow downwards
            let index = row * RASTER.width + column;
            let dt = f64::from(after[index]) - f64::from(before[index]);
            (xx, xy, yy) = (xx + dx * dx, xy + dx * dy, yy + dy * dy);
            (xt, yt) = (xt + dx * dt, yt + dy * dt);
        }
    }
    let damped = 0.02 * (xx + yy); // a grating fixes only the motion across its bars
    let (xx, yy) = (xx + damped, yy + damped);
    let determinant = xx * yy - xy * xy;
    let (vx, vy) = ((xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant);
    (vx.hypot(vy) > 0.05).then(|| vy.atan2(vx))
}

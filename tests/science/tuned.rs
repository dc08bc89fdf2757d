//! A predictor whose units are tuned to known directions, and the movie that it reads them from.

use twinscope::experiment::run::Sink;
use twinscope::experiment::{PredictError, Predictor};
use twinscope::job::Progress;
use twinscope::model::weights::TwinCard;
use twinscope::signals::{Behavior, FrameSource, Monitor, Raster, SourceError, UnitId};
use twinscope::stimulus::schedule::Schedule;

/// Small enough to be fast, fine enough for the default grating.
const RASTER: Raster = Raster { height: 36, width: 64 };

/// Units with von Mises tuning, r = e^{κ (cos(θ - μ) - 1)}; κ = 0 responds to every direction alike.
pub struct TunedTwin {
    pub units: Vec<UnitId>,
    pub card: TwinCard,
    pub preferred_deg: Vec<f64>,
    pub kappa: Vec<f64>,
    /// Cancels when this frame is reached.
    pub cancel_at: usize,
    /// Sends this instead of the first response.
    pub first: Option<f32>,
}

impl TunedTwin {
    pub fn new(preferred_deg: Vec<f64>, kappa: Vec<f64>) -> Self {
        let units = (0..preferred_deg.len() as u32)
            .map(|index| UnitId { animal: Some("M1".to_owned()), session: 4, scan: 7, unit: 11 + 3 * index })
            .collect();
        let note = "Made for tests.".to_owned();
        let card = TwinCard { name: "Built-in twin".to_owned(), simulated: true, raster: RASTER, note };
        Self { units, card, preferred_deg, kappa, cancel_at: usize::MAX, first: None }
    }
}

/// Grey, except while something is shown: then the first pixel is 1 + its direction in steps of 22.5 degrees.
pub struct LabelledFrames {
    directions: Vec<u8>,
}

impl LabelledFrames {
    pub fn draw(schedule: &Schedule, _: &Monitor) -> Result<Box<dyn FrameSource>, SourceError> {
        let mut directions = vec![0; schedule.frames];
        for shown in &schedule.presentations {
            let direction = schedule.conditions[shown.condition].direction_deg();
            directions[shown.range()].fill(direction.map_or(0, |degrees| 1 + (degrees / 22.5) as u8));
        }
        Ok(Box::new(Self { directions }))
    }
}

impl FrameSource for LabelledFrames {
    fn raster(&self) -> Raster {
        RASTER
    }
    fn frames(&self) -> usize {
        self.directions.len()
    }
    fn samples(&self) -> usize {
        1
    }
    fn read(&mut self, start: usize, count: usize, pixels: &mut [u8]) -> Result<(), SourceError> {
        pixels.fill(128);
        for (frame, pixels) in pixels.chunks_mut(RASTER.pixels()).take(count).enumerate() {
            pixels[0] = self.directions[start + frame];
        }
        Ok(())
    }
}

impl Predictor for TunedTwin {
    fn units(&self) -> &[UnitId] {
        &self.units
    }
    fn card(&self) -> &TwinCard {
        &self.card
    }
    fn sha256(&self) -> &str {
        "00ff"
    }
    fn device(&self) -> String {
        "test device".to_owned()
    }
    fn raster(&self) -> Raster {
        self.card.raster
    }
    fn predict(
        &mut self,
        movie: &mut dyn FrameSource,
        behavior: &Behavior,
        chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_>,
    ) -> Result<(), PredictError> {
        assert_eq!(behavior.frames(), movie.frames());
        let mut start = 0;
        while start < movie.frames() {
            let count = chunk.min(movie.frames() - start);
            let mut pixels = vec![0; count * RASTER.pixels()];
            movie.read(start, count, &mut pixels)?;
            let mut rows = Vec::new();
            for frame in pixels.chunks(RASTER.pixels()) {
                for (preferred, kappa) in self.preferred_deg.iter().zip(&self.kappa) {
                    let shown = frame[0].checked_sub(1).map(|steps| 22.5 * f64::from(steps));
                    let rate = |shown: f64| (kappa * ((shown - preferred).to_radians().cos() - 1.0)).exp() as f32;
                    rows.push(shown.map_or(0.05, rate));
                }
            }
            if let Some(first) = self.first.take() {
                rows[0] = first;
            }
            if start >= self.cancel_at {
                progress.cancel();
            }
            progress.advance(count as u64)?;
            sink(start, &rows)?;
            start += count;
        }
        Ok(())
    }
}

//! What was found, and its files.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;

use super::{Goal, Kind, OptimiseError, Plan, Row};
use crate::data::save::atomically;
use crate::data::write_movie;
use crate::experiment::protocol::{Repeats, SCHEMA, Sweep, Timing, TwinChoice};
use crate::experiment::{Protocol, Provenance};
use crate::signals::{Monitor, Movie, Responses, UnitId};
use crate::stimulus::{Clip, Stimulus};

/// File of the stimulus.
const STIMULUS: &str = "stimulus.npy";
/// File of the log.
const LOG: &str = "log.csv";

/// An optimised stimulus, and what the twin answers to it.
#[derive(Debug, Clone)]
pub struct Optimised {
    /// What was asked.
    pub plan: Plan,
    /// The screen it is for.
    pub monitor: Monitor,
    /// The units it is for.
    pub units: Vec<UnitId>,
    /// Their rows in the twin's readout.
    pub rows_of_units: Vec<usize>,
    /// The stimulus in whole grey levels: one frame of an image, all frames of a movie, without background.
    pub stimulus: Movie,
    /// Its contrast, as a share of the background.
    pub contrast: f64,
    /// Response and contrast at every step, and after the last one.
    pub rows: Vec<Row>,
    /// The step whose stimulus is the result.
    pub best_step: usize,
    /// Responses to random stimuli.
    pub controls: Option<Controls>,
    /// Responses to the stimulus between its backgrounds, `[frame, 1, unit]`.
    pub responses: Responses,
    /// Mean response over units and window.
    pub response: f64,
    /// How it was computed.
    pub provenance: Provenance,
}

/// Mean responses to random stimuli of the same smoothness and contrast.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Controls {
    /// Random stimuli.
    pub n: usize,
    /// Mean of their responses.
    pub mean: f64,
    /// The largest response where the most exciting stimulus is sought, else the smallest.
    pub best: f64,
}

impl Controls {
    pub(super) fn of(responses: Vec<f64>, goal: Goal) -> Option<Self> {
        let n = responses.len();
        let best = responses.iter().copied().reduce(|a, b| match goal {
            Goal::Most => a.max(b),
            Goal::Least => a.min(b),
        })?;
        Some(Self { n, mean: responses.iter().sum::<f64>() / n as f64, best })
    }
}

/// Everything of `summary.json`.
#[derive(Serialize)]
struct Summary<'a> {
    schema: u32,
    provenance: &'a Provenance,
    notice: String,
    what: &'a str,
    plan: &'a Plan,
    monitor: &'a Monitor,
    units: &'a [UnitId],
    readout_rows: &'a [usize],
    response_times_mean: f64,
    response_at_start: f64,
    best_step: usize,
    random_stimuli: Option<Controls>,
    contrast: f64,
}

impl Optimised {
    /// What this is, such as "Most exciting image".
    pub fn title(&self) -> &'static str {
        match (self.plan.goal, self.plan.kind) {
            (Goal::Most, Kind::Image) => "Most exciting image",
            (Goal::Most, Kind::Movie) => "Most exciting movie",
            (Goal::Least, Kind::Image) => "Least exciting image",
            (Goal::Least, Kind::Movie) => "Least exciting movie",
        }
    }

    /// Whom it is for: "2 units", or one by its number and, where that is another one, by its row, as it was asked for.
    pub fn whom(&self) -> String {
        match (&self.units[..], &self.rows_of_units[..]) {
            ([id], [row]) if id.unit as usize != *row => format!("unit {} (row {row})", id.unit),
            ([id], _) => format!("unit {}", id.unit),
            (all, _) => format!("{} units", all.len()),
        }
    }

    /// Mean response over units of every frame, from the first frame of the background on.
    pub fn mean_responses(&self) -> Vec<f64> {
        let units = self.responses.units() as f64;
        let mean = |frame: usize| self.responses.row(frame, 0).iter().map(|&v| f64::from(v)).sum::<f64>() / units;
        (0..self.responses.frames()).map(mean).collect()
    }

    /// A protocol that shows the stimulus as it was optimised, from the file `stimulus.npy` beside it.
    ///
    /// Behaviour is no part of a protocol: it is that of the average animal.
    pub fn protocol(&self, twin: Option<TwinChoice>) -> Protocol {
        let secs = |frames: usize| self.monitor.frame_rate.secs_at(frames);
        let clip = Clip {
            path: STIMULUS.into(),
            frames_per_sec: Some(self.monitor.frame_rate.0),
            repeat: self.plan.kind == Kind::Image,
            ..Clip::default()
        };
        Protocol {
            schema: SCHEMA,
            title: self.title().to_owned(),
            twin,
            timing: Timing {
                lead_in_secs: secs(self.plan.grey_frames.0),
                stimulus_secs: secs(self.plan.frames),
                blank_secs: secs(self.plan.grey_frames.1),
                skip_secs: secs(self.plan.window.0),
                ..Timing::default()
            },
            repeats: Repeats { count: 1, seed: self.plan.seed, ..Repeats::default() },
            stimulus: Stimulus::Clip(clip),
            sweep: Sweep::default(),
            ..Protocol::default_direction_tuning()
        }
    }

    /// Writes everything into a folder, which is made when absent, and returns the files:
    /// - `stimulus.npy`: u8 `[frame, height, width]`, one frame of an image;
    /// - `stimulus.png` of an image, `stimulus.gif` of a movie;
    /// - `protocol.toml`: shows the stimulus to a twin again;
    /// - `responses.csv`: what every unit answers, frame by frame;
    /// - `log.csv`: response and contrast at every step;
    /// - `summary.json`: plan, units, response, and how it was computed.
    ///
    /// # Errors
    /// When a file cannot be written; each is there whole or not at all.
    pub fn write(&self, folder: &Path, twin: Option<TwinChoice>) -> Result<Vec<PathBuf>, OptimiseError> {
        std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let rate = self.monitor.frame_rate;
        let mut written = vec![folder.join(STIMULUS)];
        write_movie(&written[0], &mut self.stimulus.clone(), rate, &mut |_| true)?;
        if self.plan.kind == Kind::Image {
            let path = folder.join("stimulus.png");
            let png = self.png();
            atomically(&path, |to| to.write_all(&png)).map_err(|source| failed(&path, source))?;
            written.push(path);
        } else {
            let path = folder.join("stimulus.gif");
            write_movie(&path, &mut self.stimulus.clone(), rate, &mut |_| true)?;
            written.push(path);
        }
        let protocol = self.protocol(twin).to_toml()?;
        let mut save = |name: &str, write: &dyn Fn(&mut dyn Write) -> std::io::Result<()>| {
            let path = folder.join(name);
            atomically(&path, write).map_err(|source| failed(&path, source))?;
            written.push(path);
            Ok::<(), OptimiseError>(())
        };
        save("protocol.toml", &|to| to.write_all(protocol.as_bytes()))?;
        save("responses.csv", &|to| self.write_responses(to))?;
        save("summary.json", &|to| self.write_summary(to))?;
        written.push(save_log(folder, &self.rows)?);
        Ok(written)
    }

    /// The image as a PNG.
    fn png(&self) -> Vec<u8> {
        let raster = self.monitor.raster;
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(Cursor::new(&mut bytes))
            .write_image(self.stimulus.frame(0), raster.width as u32, raster.height as u32, ExtendedColorType::L8)
            .expect("a picture of this size fits into memory");
        bytes
    }

    fn write_summary(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let summary = Summary {
            schema: 1,
            provenance: &self.provenance,
            notice: self.provenance.notice(),
            what: self.title(),
            plan: &self.plan,
            monitor: &self.monitor,
            units: &self.units,
            readout_rows: &self.rows_of_units,
            response_times_mean: self.response,
            response_at_start: self.rows.first().map_or(f64::NAN, |row| row.response),
            best_step: self.best_step,
            random_stimuli: self.controls,
            contrast: self.contrast,
        };
        serde_json::to_writer_pretty(&mut *to, &summary)?;
        to.write_all(b"\n")
    }

    fn write_responses(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(["frame", "onset_secs", "shown", "animal", "session", "scan", "unit", "response"])?;
        let before = self.plan.grey_frames.0;
        for frame in 0..self.responses.frames() {
            let secs = (frame as f64 - before as f64) / self.monitor.frame_rate.0;
            let shown = if (before..before + self.plan.frames).contains(&frame) { "stimulus" } else { "background" };
            for (id, response) in self.units.iter().zip(self.responses.row(frame, 0)) {
                let animal = id.animal.clone().unwrap_or_default();
                let [session, scan, unit] = [id.session, id.scan, id.unit].map(|number| number.to_string());
                let cells = [
                    frame.to_string(),
                    format!("{secs:.4}"),
                    shown.to_owned(),
                    animal,
                    session,
                    scan,
                    unit,
                    response.to_string(),
                ];
                table.write_record(&cells)?;
            }
        }
        table.flush()
    }
}

/// Writes the log, whole or not at all.
pub(super) fn save_log(folder: &Path, rows: &[Row]) -> Result<PathBuf, OptimiseError> {
    let path = folder.join(LOG);
    let write = |to: &mut dyn Write| -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(to);
        table.write_record(["step", "response", "contrast"])?;
        for row in rows {
            table.write_record([
                row.step.to_string(),
                format!("{:.6}", row.response),
                format!("{:.6}", row.contrast),
            ])?;
        }
        table.flush()
    };
    atomically(&path, write).map_err(|source| failed(&path, source))?;
    Ok(path)
}

fn failed(path: &Path, source: std::io::Error) -> OptimiseError {
    OptimiseError::Write { file: path.display().to_string(), source }
}

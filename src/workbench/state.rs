//! The state of the whole program, and how it is read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::analysis::Analyses;
use super::background::{Running, Wake};
use super::parts::{Compute, FigureStyle};
use super::preview::Preview;
use super::recording::Recordings;
use super::spikes::Spikes;
use super::{Answer, Event, History, Message, Picture, Saved, SheetOrders};
use crate::experiment::{Protocol, Provenance};
use crate::gpu::DeviceChoice;
use crate::job::{Job, Worker};
use crate::model::weights::TwinWeights;
use crate::signals::Monitor;
use crate::stimulus::schedule::Schedule;

/// What was asked of a twin file, and the twin once it is read.
pub(super) struct TwinLoading {
    pub path: PathBuf,
    pub job: Job<Result<TwinWeights, String>>,
}

/// One state of the protocol, and the file it belongs to: taking back "Open" also goes back to the file before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub protocol: Protocol,
    /// Index into the origins of the workbench.
    pub origin: usize,
}

/// Where a protocol comes from; shared by all steps of undo since it was opened.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The protocol as its file has it.
    pub baseline: Protocol,
    /// That file; `None` before there is one.
    pub path: Option<PathBuf>,
}

/// What the current protocol means: its screen and what is shown when.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The screen.
    pub monitor: Monitor,
    /// What is shown when; shared, because it may list a million presentations.
    pub schedule: Arc<Schedule>,
}

/// State of the whole program.
pub struct Workbench {
    pub(super) document: History<Document>,
    /// One for each protocol that was opened; never empty.
    pub(super) origins: Vec<Origin>,
    pub(super) plan: Result<Plan, String>,
    pub(super) preview: Preview,

    pub(super) builtin: Arc<TwinWeights>,
    pub(super) twin: Arc<TwinWeights>,
    pub(super) twin_path: Option<PathBuf>,
    pub(super) twin_loading: Option<TwinLoading>,
    /// The twin of the last start until another is in place: a file that is missing once may be there the next time.
    pub(super) twin_remembered: Option<PathBuf>,

    pub(super) device: DeviceChoice,
    pub(super) device_line: Option<String>,
    pub(super) device_opening: Option<Job<Result<String, String>>>,

    pub(super) live: bool,
    pub(super) now: f64,
    pub(super) run_due: Option<f64>,
    pub(super) rerun: bool,
    pub(super) running: Option<Running>,
    pub(super) writing: Vec<Job<Result<PathBuf, String>>>,
    /// The movie that is being written, `None` when the user stopped it.
    pub(super) movie: Option<Job<Result<Option<PathBuf>, String>>>,
    pub(super) answer: Option<Arc<Answer>>,
    /// The unit that the user chose.
    pub(super) unit: Option<usize>,
    pub(super) figure_style: FigureStyle,
    pub(super) sheet_orders: SheetOrders,

    /// Spikes, the mask on them and the model that predicts them.
    pub(super) spikes: Spikes,
    /// A recording and the twin beside it.
    pub(super) recordings: Recordings,
    /// What was found out about responses.
    pub(super) analyses: Analyses,

    pub(super) events: Vec<Event>,
    pub(super) message: Option<Message>,

    pub(super) compute: Arc<Mutex<Compute>>,
    pub(super) wake: Wake,
    /// Owns the twin and the GPU.
    pub(super) worker: Worker,
    /// Reads and writes files and draws the preview.
    pub(super) files: Worker,
    /// Writes movies, which takes minutes, beside everything else.
    pub(super) movies: Worker,
}

impl Drop for Workbench {
    fn drop(&mut self) {
        self.cancel_run(); // the worker ends with its queue: a long run must not keep the window open
    }
}

impl Workbench {
    /// A workbench with the twin that ships with the program and the default protocol. Nothing runs yet.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn new(builtin: TwinWeights, compute: Compute) -> std::io::Result<Self> {
        let builtin = Arc::new(builtin);
        let protocol = Protocol::default_direction_tuning();
        let mut bench = Self {
            document: History::new(Document { protocol: protocol.clone(), origin: 0 }),
            origins: vec![Origin { baseline: protocol, path: None }],
            plan: Err("nothing is planned yet".to_owned()),
            preview: Preview::default(),
            twin: Arc::clone(&builtin),
            builtin,
            twin_path: None,
            twin_loading: None,
            twin_remembered: None,
            device: DeviceChoice::Auto,
            device_line: None,
            device_opening: None,
            live: true,
            now: 0.0,
            run_due: None,
            rerun: false,
            running: None,
            writing: Vec::new(),
            movie: None,
            answer: None,
            unit: None,
            figure_style: FigureStyle::default(),
            sheet_orders: SheetOrders::default(),
            spikes: Spikes::new()?,
            recordings: Recordings::new()?,
            analyses: Analyses::new()?,
            events: Vec::new(),
            message: None,
            compute: Arc::new(Mutex::new(compute)),
            wake: Wake::default(),
            worker: Worker::start("twin")?,
            files: Worker::start("files")?,
            movies: Worker::start("movies")?,
        };
        bench.replan();
        Ok(bench)
    }

    /// Calls this whenever background work has ended, from the thread that did it.
    pub fn set_wake(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.wake = Wake::new(wake);
    }

    /// The protocol as it stands.
    pub fn protocol(&self) -> &Protocol {
        &self.document.current().protocol
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origins[self.document.current().origin]
    }

    /// The file it was read from or last written to.
    pub fn protocol_path(&self) -> Option<&Path> {
        self.origin().path.as_deref()
    }

    /// Whether the protocol differs from its file.
    pub fn is_edited(&self) -> bool {
        *self.protocol() != self.origin().baseline
    }

    /// Whether there is a step to take back.
    pub fn can_undo(&self) -> bool {
        self.document.can_undo()
    }

    /// Whether there is an undone step.
    pub fn can_redo(&self) -> bool {
        self.document.can_redo()
    }

    /// What the protocol means, or what is wrong with it in one sentence.
    pub fn plan(&self) -> Result<&Plan, &str> {
        self.plan.as_ref().map_err(String::as_str)
    }

    /// The newest drawn frame of the stimulus.
    pub fn picture(&self) -> Option<&Picture> {
        self.preview.picture()
    }

    /// What is known of a clip that is shown: size, rate, length and cut.
    pub fn clip_facts(&self, path: &Path) -> Option<&str> {
        self.preview.clip(path)
    }

    /// Why the stimulus cannot be drawn.
    pub fn picture_error(&self) -> Option<&str> {
        self.preview.error()
    }

    /// The twin that will answer the next run.
    pub fn twin(&self) -> &TwinWeights {
        &self.twin
    }

    /// Its file; `None` for the twin that ships with the program.
    pub fn twin_path(&self) -> Option<&Path> {
        self.twin_path.as_deref()
    }

    /// The twin in one line, and whether its animal was simulated.
    pub fn twin_origin(&self) -> String {
        Provenance {
            twin: self.twin.card.name.clone(),
            simulated: self.twin.card.simulated,
            version: String::new(),
            weights_sha256: String::new(),
            device: String::new(),
            seed: 0,
        }
        .notice()
    }

    /// Whether [`UseBuiltinTwin`](super::Command::UseBuiltinTwin) would change what answers, now or at the next start.
    pub fn can_use_builtin(&self) -> bool {
        self.wanted_twin().is_some()
    }

    /// Whether a twin is being read.
    pub fn is_opening_twin(&self) -> bool {
        self.twin_loading.is_some()
    }

    /// The device that was asked for.
    pub fn device(&self) -> DeviceChoice {
        self.device
    }

    /// The device that was picked and why; `None` before it was opened.
    pub fn device_line(&self) -> Option<&str> {
        self.device_line.as_deref()
    }

    /// Whether every edit starts a run.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether a run is under way or about to start.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The newest result; stays while the next one is computed.
    pub fn answer(&self) -> Option<&Arc<Answer>> {
        self.answer.as_ref()
    }

    /// Whether the newest result belongs to another protocol or twin than those on the screen.
    pub fn is_answer_outdated(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| {
            answer.outcome.protocol != *self.protocol() || answer.outcome.provenance.weights_sha256 != self.twin.sha256
        })
    }

    /// Which figure is exported, and how it is set.
    pub fn figure_style(&self) -> FigureStyle {
        self.figure_style
    }

    /// The selected unit, always one that the newest result has; before the user chose one, the unit with the
    /// sharpest direction tuning.
    pub fn unit(&self) -> usize {
        match (&self.answer, self.unit) {
            (None, chosen) => chosen.unwrap_or(0),
            (Some(answer), None) => answer.most_selective,
            (Some(answer), Some(chosen)) => chosen.min(answer.outcome.units.len().saturating_sub(1)),
        }
    }

    /// The last message.
    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// The twin to begin with the next time: the one that is being read, that answers, or that was not found today.
    fn wanted_twin(&self) -> Option<&Path> {
        let loading = self.twin_loading.as_ref().map(|loading| &loading.path);
        loading.or(self.twin_path.as_ref()).or(self.twin_remembered.as_ref()).map(PathBuf::as_path)
    }

    /// What should be remembered until the next start.
    pub fn saved(&self) -> Saved {
        Saved {
            protocol: Some(self.protocol().clone()),
            baseline: Some(self.origin().baseline.clone()),
            protocol_path: self.origin().path.clone(),
            twin_path: self.wanted_twin().map(Path::to_owned),
            device: self.device.to_string(),
            live: self.live,
            unit: self.unit,
            spikes_path: self.spikes.paths().0.map(Path::to_owned),
            spike_model_path: self.spikes.paths().1.map(Path::to_owned),
            recording_path: self.recordings.path().map(Path::to_owned),
            sheets: self.sheet_orders.clone(),
            analysis: self.analyse_options().clone(),
        }
    }

    /// Goes on where the program was left.
    pub fn restore(&mut self, saved: Saved) {
        if let Some(protocol) = saved.protocol {
            let baseline = saved.baseline.unwrap_or_else(|| protocol.clone());
            self.document = History::new(Document { protocol, origin: 0 });
            self.origins = vec![Origin { baseline, path: saved.protocol_path }];
        }
        self.device = saved.device.parse().unwrap_or_default();
        self.live = saved.live;
        self.unit = saved.unit;
        self.sheet_orders = saved.sheets;
        self.analyses.set(saved.analysis);
        self.replan();
        if let Some(path) = saved.twin_path {
            self.twin_remembered = Some(path.clone());
            self.open_twin(path);
        }
        if let Some(path) = saved.spikes_path {
            self.spikes.open_session(Some(path), self.wake.clone());
        }
        if let Some(path) = saved.spike_model_path {
            self.spikes.open_model(path, self.wake.clone());
        }
        if let Some(path) = saved.recording_path {
            self.recordings.restore(path, self.wake.clone());
        }
    }
}

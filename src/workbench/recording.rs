//! A recording, and the twin in place laid beside it.
//!
//! A comparison is unit by unit where twin and recording agree in animal, session, scan and unit; otherwise, and when it
//! is asked for, over two populations.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::background::Wake;
use super::compared::{Compared, ComparedTrace, SHEET};
use super::spikes::taken;
use super::{Event, RunFailure, Workbench, parts};
use crate::comparison::{ComparisonError, matched};
use crate::data::import::{self, Contents, Format};
use crate::data::{Counted, PresentationTable, Session};
use crate::evaluation::{DomainEvaluation, Selection, Trials, is_simulated};
use crate::job::{Eta, Job, Progress, Worker};
use crate::model::weights::TwinWeights;

/// What can be asked about a recording and the twin beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum CompareCommand {
    /// A recording of any known format.
    Open(PathBuf),
    /// Counts what was not measured, where that has not been done yet.
    Count,
    /// Which trials are compared.
    Choose(Trials),
    /// Whether two populations are compared, in place of the same cells.
    Population(bool),
    /// Lays the twin in place beside the recording.
    Compare,
    /// Stops the comparison under way; the previous result stays.
    Cancel,
    /// The domain of stimuli that is shown.
    ShowDomain(usize),
    /// The unit that is shown, as an index of the comparison.
    SelectUnit(usize),
    /// Which figure is exported, by the name of its file.
    ChooseFigure(String),
    /// Writes that figure with its numbers; the name decides PNG, SVG or PDF.
    ExportFigure(PathBuf),
    /// Writes every table and figure into a folder.
    ExportAll(PathBuf),
}

/// A recording that is open.
#[derive(Debug)]
pub struct OpenRecording {
    /// Its file or folder.
    pub path: PathBuf,
    /// How it is stored.
    pub format: Format,
    /// What it holds.
    pub session: Session,
    /// What was shown when, where the session says so.
    pub table: PresentationTable,
    /// Whether its animal was simulated.
    pub simulated: bool,
    /// Domains of stimuli in order of first showing.
    pub domains: Vec<RecordedDomain>,
    /// Frames of all trials.
    pub frames: usize,
    /// Trials whose movie is stored.
    pub movies: usize,
    /// Areas with their numbers of units, in order of first appearance; units without one are not among them.
    pub areas: Vec<(String, usize)>,
}

/// Trials of one domain of stimuli.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedDomain {
    /// Its name.
    pub name: String,
    /// Trials to learn from.
    pub training: usize,
    /// Trials for testing.
    pub test: usize,
    /// Whether a trial says itself that it belongs to it, and its movie is stored.
    pub watchable: bool,
}

impl OpenRecording {
    fn read(path: PathBuf) -> Result<Self, String> {
        let format = import::detect(&path).map_err(|error| parts::sentence(&error))?;
        let session = import::open(&path).map_err(|error| parts::sentence(&error))?;
        let table = PresentationTable::beside(&path).map_err(|error| parts::sentence(&error))?;
        let mut domains: Vec<RecordedDomain> = Vec::new();
        for trial in &session.trials {
            let name = trial.domain().unwrap_or(DomainEvaluation::UNNAMED);
            let place = domains.iter().position(|domain| domain.name == name).unwrap_or_else(|| {
                domains.push(RecordedDomain { name: name.to_owned(), training: 0, test: 0, watchable: false });
                domains.len() - 1
            });
            let domain = &mut domains[place];
            *(if trial.training { &mut domain.training } else { &mut domain.test }) += 1;
            domain.watchable |= trial.domain().is_some() && trial.has_movie();
        }
        let mut areas: Vec<(String, usize)> = Vec::new();
        for area in session.units.iter().filter_map(|unit| unit.area.as_ref()) {
            match areas.iter_mut().find(|(known, _)| known == area) {
                Some((_, count)) => *count += 1,
                None => areas.push((area.clone(), 1)),
            }
        }
        let simulated = is_simulated(&session);
        let frames = session.trials.iter().map(|trial| trial.frames).sum();
        let movies = session.trials.iter().filter(|trial| trial.has_movie()).count();
        Ok(Self { path, format, session, table, simulated, domains, frames, movies, areas })
    }

    /// Domains whose movies can be correlated with responses, in order of first showing.
    pub fn watchable(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().filter(|domain| domain.watchable).map(|domain| domain.name.as_str())
    }

    /// Trials that are selected.
    pub fn trials(&self, which: Trials) -> usize {
        let count = |domain: &RecordedDomain| match which {
            Trials::Test => domain.test,
            Trials::Training => domain.training,
            Trials::All => domain.training + domain.test,
        };
        self.domains.iter().map(count).sum()
    }
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareProgress {
    /// Part of the predicted frames, 0..=1; `None` while the twin and the device are prepared.
    pub fraction: Option<f32>,
    /// Estimated time to the end of the frames, seconds.
    pub left_secs: Option<f64>,
    /// Trials that are predicted.
    pub trials: usize,
    /// Whether it was asked to stop.
    pub stopping: bool,
}

/// A comparison under way.
struct Comparing {
    job: Job<Result<Compared, RunFailure>>,
    eta: Eta,
    progress: CompareProgress,
}

/// The part of the workbench that is about recordings.
pub(super) struct Recordings {
    open: Option<Arc<OpenRecording>>,
    opening: Option<Job<Result<OpenRecording, String>>>,
    /// Whether what is being opened is counted at once: what is remembered from the last time waits until it is looked at.
    count_opened: bool,
    counted: Option<Result<Counted, String>>,
    counting: Option<Job<Result<Option<Counted>, String>>>,
    /// Whether the units of the twin in place are the recorded cells, or in a sentence why not.
    matched: Option<Result<(), String>>,
    /// The recording of the last start until another is open: a disk that is missing once may be there the next time.
    remembered: Option<PathBuf>,
    selection: Selection,
    population: bool,
    running: Option<Comparing>,
    found: Option<Arc<Compared>>,
    failure: Option<String>,
    domain: usize,
    /// The unit that the user chose.
    unit: Option<usize>,
    trace: Option<Arc<ComparedTrace>>,
    reading: Option<Job<ComparedTrace>>,
    figure: String,
    /// Reads recordings.
    worker: Worker,
    /// Reads all of a recording to count, which may take long, beside everything else.
    counter: Worker,
}

impl Drop for Recordings {
    fn drop(&mut self) {
        self.cancel(); // long work must not keep the window open
        self.stop_counting();
    }
}

impl Recordings {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            open: None,
            opening: None,
            count_opened: false,
            counted: None,
            counting: None,
            matched: None,
            remembered: None,
            selection: Selection::default(),
            population: false,
            running: None,
            found: None,
            failure: None,
            domain: 0,
            unit: None,
            trace: None,
            reading: None,
            figure: SHEET.to_owned(),
            worker: Worker::start("recordings")?,
            counter: Worker::start("counting")?,
        })
    }

    pub(super) fn is_busy(&self) -> bool {
        self.opening.is_some() || self.counting.is_some() || self.running.is_some() || self.reading.is_some()
    }

    /// For the next start.
    pub(super) fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.path.as_path()).or(self.remembered.as_deref())
    }

    /// Opens the recording of the last start, without reading all of it.
    pub(super) fn restore(&mut self, path: PathBuf, wake: Wake) {
        self.remembered = Some(path.clone());
        self.open(path, false, wake);
    }

    fn open(&mut self, path: PathBuf, count: bool, wake: Wake) {
        self.count_opened = count;
        self.stop_counting();
        self.opening = Some(self.worker.submit(move |_| OpenRecording::read(path), move || wake.call()));
    }

    /// What is counted of the recording that was open is wanted no more.
    fn stop_counting(&mut self) {
        if let Some(job) = self.counting.take() {
            job.progress().cancel();
        }
    }

    fn count(&mut self, wake: Wake) {
        let Some(open) = self.open.clone() else { return };
        if self.counting.is_some() || self.counted.is_some() {
            return;
        }
        let count = move |progress: &Progress| {
            let mut counted = Counted::default();
            for trial in &open.session.trials {
                if progress.check().is_err() {
                    return Ok(None);
                }
                counted.add(trial).map_err(|error| parts::sentence(&error))?;
            }
            Ok(Some(counted))
        };
        self.counting = Some(self.counter.submit(count, move || wake.call()));
    }

    fn cancel(&mut self) {
        if let Some(running) = &mut self.running {
            running.job.progress().cancel();
            running.progress.stopping = true;
        }
    }

    fn unit(&self) -> usize {
        let Some(found) = &self.found else { return 0 };
        let best = || {
            let name = &found.domains.get(self.domain)?.name;
            let examples = found.comparison()?.examples.iter().find(|examples| examples.domain == *name)?;
            examples.units.first().map(|example| example.unit)
        };
        self.unit.or_else(best).unwrap_or(0).min(found.units().saturating_sub(1))
    }

    /// Takes in the lines of a unit, and reads those of the unit that is shown now.
    fn tick_trace(&mut self, wake: &Wake) {
        let mut lost = None;
        match self.reading.as_ref().map(Job::poll) {
            Some(Ok(None)) => return,
            Some(Ok(Some(trace))) => self.trace = Some(Arc::new(trace)),
            Some(Err(error)) => lost = Some(error.to_string()),
            None => {}
        }
        self.reading = None;
        let Some(found) = self.found.clone().filter(|found| found.units() > 0) else { return };
        let (domain, unit) = (self.domain, self.unit());
        if let Some(error) = lost {
            // Not tried again: it would be lost again.
            self.trace = Some(Arc::new(ComparedTrace { compared: found, domain, unit, lines: Err(error) }));
            return;
        }
        if self.trace.as_ref().is_some_and(|trace| trace.is_of(&found, domain, unit)) {
            return;
        }
        let wake = wake.clone();
        let read = move |_: &Progress| ComparedTrace::read(found, domain, unit);
        self.reading = Some(self.worker.submit(read, move || wake.call()));
    }
}

impl Workbench {
    /// The recording that is open.
    pub fn recording(&self) -> Option<&Arc<OpenRecording>> {
        self.recordings.open.as_ref()
    }

    /// Whether a recording is being opened.
    pub fn is_opening_recording(&self) -> bool {
        self.recordings.opening.is_some()
    }

    /// How much the recording holds and how much of it was not measured, or why it could not be counted; `None` before
    /// that is known.
    pub fn recording_counted(&self) -> Option<Result<&Counted, &str>> {
        self.recordings.counted.as_ref().map(|counted| counted.as_ref().map_err(String::as_str))
    }

    /// Whether all trials are being read to count what was not measured.
    pub fn is_counting_recording(&self) -> bool {
        self.recordings.counting.is_some()
    }

    /// Whether the units of the twin in place are the recorded cells, or in a sentence why not; `None` without a recording.
    pub fn recording_matched(&self) -> Option<Result<(), &str>> {
        self.recordings.matched.as_ref().map(|matched| matched.as_ref().copied().map_err(String::as_str))
    }

    /// Which trials are compared.
    pub fn compare_trials(&self) -> Trials {
        self.recordings.selection.trials
    }

    /// Whether two populations are compared, in place of the same cells.
    pub fn compares_populations(&self) -> bool {
        self.recordings.population
    }

    /// Whether a comparison can be begun.
    pub fn can_compare(&self) -> bool {
        self.recordings.running.is_none()
            && self.recordings.open.is_some()
            && (self.recordings.population || self.recordings.matched == Some(Ok(())))
    }

    /// How far the comparison under way is; `None` when there is none.
    pub fn compare_progress(&self) -> Option<CompareProgress> {
        self.recordings.running.as_ref().map(|running| running.progress)
    }

    /// The newest comparison; stays while the next one is computed.
    pub fn compared(&self) -> Option<&Arc<Compared>> {
        self.recordings.found.as_ref()
    }

    /// Whether the newest comparison is of another recording, another twin or other trials than those on the screen.
    pub fn is_compared_outdated(&self) -> bool {
        let recordings = &self.recordings;
        recordings.found.as_ref().is_some_and(|found| {
            recordings.open.as_ref().is_none_or(|open| !Arc::ptr_eq(open, &found.recording))
                || found.sha256 != self.twin.sha256
                || found.selection != recordings.selection
                || found.comparison().is_none() != recordings.population
        })
    }

    /// Why the last comparison gave nothing, in a sentence.
    pub fn compare_failure(&self) -> Option<&str> {
        self.recordings.failure.as_deref()
    }

    /// The domain of stimuli that is shown, as an index of the comparison.
    pub fn compared_domain(&self) -> usize {
        self.recordings.domain
    }

    /// The unit that is shown, as an index of the comparison; before the user chose one, that with the best prediction.
    pub fn compared_unit(&self) -> usize {
        self.recordings.unit()
    }

    /// Responses of a unit over time; those of the unit before while the next ones are read.
    pub fn compared_trace(&self) -> Option<&Arc<ComparedTrace>> {
        self.recordings.trace.as_ref()
    }

    /// The figure of the comparison that is exported, by the name of its file.
    pub fn compared_figure(&self) -> &str {
        &self.recordings.figure
    }

    /// Does what was asked about recordings.
    pub(super) fn perform_compare(&mut self, command: CompareCommand) {
        let wake = self.wake.clone();
        let recordings = &mut self.recordings;
        match command {
            CompareCommand::Open(path) => recordings.open(path, true, wake),
            CompareCommand::Count => recordings.count(wake),
            CompareCommand::Choose(trials) => recordings.selection.trials = trials,
            CompareCommand::Population(population) => recordings.population = population,
            CompareCommand::Compare => self.start_comparison(),
            CompareCommand::Cancel => recordings.cancel(),
            CompareCommand::ShowDomain(domain) => {
                let count = recordings.found.as_ref().map_or(0, |found| found.domains.len());
                recordings.domain = domain.min(count.saturating_sub(1));
                recordings.tick_trace(&wake);
            }
            CompareCommand::SelectUnit(unit) => {
                recordings.unit = Some(unit);
                recordings.tick_trace(&wake);
            }
            CompareCommand::ChooseFigure(name) => recordings.figure = name,
            CompareCommand::ExportFigure(path) => {
                let (name, style) = (recordings.figure.clone(), self.figure_style);
                let shown = (recordings.domain, recordings.unit());
                self.export_compared(move |found| found.write_figure(&name, shown, &style, &path));
            }
            CompareCommand::ExportAll(folder) => {
                let style = self.figure_style;
                self.export_compared(move |found| found.write_all(&style, &folder));
            }
        }
    }

    pub(super) fn export_compared(
        &mut self,
        write: impl FnOnce(&Compared) -> Result<PathBuf, String> + Send + 'static,
    ) {
        let Some(found) = self.recordings.found.clone() else {
            return self.fail("there is nothing to export yet: compare the twin with a recording first".to_owned());
        };
        let wake = self.wake.clone();
        self.writing.push(self.files.submit(move |_| write(&found), move || wake.call()));
    }

    fn start_comparison(&mut self) {
        let recordings = &mut self.recordings;
        if recordings.running.is_some() {
            return;
        }
        let Some(recording) = recordings.open.clone() else {
            return self.fail("there is nothing to compare with: open a recording first".to_owned());
        };
        if let (false, Some(Err(why))) = (recordings.population, &recordings.matched) {
            let why = why.clone();
            recordings.failure = Some(why.clone());
            return self.fail(why);
        }
        recordings.failure = None;
        let (selection, population) = (recordings.selection.clone(), recordings.population);
        let trials = recording.trials(selection.trials);
        let (compute, device, twin) = (Arc::clone(&self.compute), self.device, Arc::clone(&self.twin));
        let work = move |progress: &Progress| {
            let stopped = |_| RunFailure::Cancelled;
            progress.check().map_err(stopped)?;
            let opened = compute.lock().unwrap_or_else(PoisonError::into_inner).responder(device, &twin);
            let responder = opened.map_err(RunFailure::Failed)?;
            progress.check().map_err(stopped)?;
            Compared::of(responder.as_ref(), &twin.sha256, &recording, (&selection, population), progress)
        };
        let wake = self.wake.clone();
        let job = self.worker.submit(work, move || wake.call());
        let progress = CompareProgress { fraction: None, left_secs: None, trials, stopping: false };
        self.recordings.running = Some(Comparing { job, eta: Eta::new(Instant::now()), progress });
    }

    /// Whether the twin in place and the recording are the same cells; to be asked whenever one of them changes.
    pub(super) fn match_recording(&mut self) {
        let twin: &TwinWeights = &self.twin;
        self.recordings.matched = self.recordings.open.as_ref().map(|open| match matched(&twin.units, &open.session) {
            Ok(_) => Ok(()),
            Err(ComparisonError::Strangers { why, twin, recording }) => Err(format!(
                "{why}, so unit by unit there is nothing to compare: the twin is of {twin}, the recording of {recording}"
            )),
            Err(other) => Err(parts::sentence(&other)),
        });
    }

    /// Takes in what was read and compared.
    pub(super) fn tick_recordings(&mut self) {
        if let Some(read) = taken(&mut self.recordings.opening) {
            match read {
                Ok(open) => {
                    self.tell(format!("Opened the recording of {}", open.session.id));
                    let recordings = &mut self.recordings;
                    recordings.cancel();
                    recordings.stop_counting(); // somebody may have looked at the one before meanwhile
                    recordings.open = Some(Arc::new(open));
                    recordings.remembered = None;
                    (recordings.counted, recordings.failure) = (None, None);
                    self.match_recording();
                    if self.recordings.count_opened {
                        let wake = self.wake.clone();
                        self.recordings.count(wake);
                    }
                }
                Err(error) => self.fail(error),
            }
        }
        if let Some(counted) = taken(&mut self.recordings.counting)
            && let Some(counted) = counted.transpose()
        {
            self.recordings.counted = Some(counted);
        }
        self.take_comparison();
        let wake = self.wake.clone();
        self.recordings.tick_trace(&wake);
    }

    fn take_comparison(&mut self) {
        let Some(running) = &mut self.recordings.running else { return };
        let result = match running.job.poll() {
            Ok(None) => {
                let fraction = running.job.progress().fraction();
                if running.progress.fraction.is_none() {
                    running.eta = Eta::new(Instant::now()); // opening the twin says nothing about the frames
                }
                running.progress.fraction = fraction;
                running.progress.left_secs =
                    fraction.and_then(|part| running.eta.left_secs(f64::from(part), Instant::now()));
                return;
            }
            Ok(Some(result)) => result,
            Err(lost) => Err(RunFailure::Failed(lost.to_string())),
        };
        self.recordings.running = None;
        match result {
            Ok(found) => {
                self.tell(format!("Compared in {:.1} s: {}", found.seconds, found.notice));
                let recordings = &mut self.recordings;
                let name =
                    recordings.found.as_ref().and_then(|old| Some(old.domains.get(recordings.domain)?.name.clone()));
                let place = found.domains.iter().position(|domain| Some(&domain.name) == name.as_ref());
                recordings.domain = place.unwrap_or(0);
                if recordings.found.as_ref().is_some_and(|old| old.sha256 != found.sha256) {
                    recordings.unit = None; // the same number is another cell
                }
                if found.figures.iter().all(|(stem, _)| *stem != recordings.figure) {
                    recordings.figure = found.figures.first().map(|(stem, _)| stem.clone()).unwrap_or_default();
                }
                recordings.found = Some(Arc::new(found));
                self.events.push(Event::Compared);
            }
            Err(RunFailure::Cancelled) => {
                self.events.push(Event::CompareCancelled);
                self.tell("The comparison was cancelled; nothing of it is kept".to_owned());
            }
            Err(RunFailure::Failed(error)) => {
                self.recordings.failure = Some(error.clone());
                self.fail(error);
            }
        }
    }

    /// Opens what is a recording by what is in it; `false` for anything else. Spikes are recordings only where recordings
    /// are shown: they have a workspace of their own.
    pub(super) fn open_recording_if_any(&mut self, path: &Path) -> bool {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        let recording = match ending.as_str() {
            _ if path.is_dir() => is_recording(path),
            "csv" => is_recording(path),
            "nwb" | "h5" | "hdf5" | "npz" => path.is_file() && holds(path) == Some(Contents::Responses),
            _ => false,
        };
        if recording {
            self.perform_compare(CompareCommand::Open(path.to_owned()));
            self.events.push(Event::RecordingAsked);
        }
        recording
    }
}

/// Whether a file or folder looks like a recording, by what is in it: what is dropped where recordings are shown.
pub fn is_recording(path: &Path) -> bool {
    match import::detect(path) {
        Ok(Format::Nwb | Format::Npz) => matches!(holds(path), Some(Contents::Spikes | Contents::Responses)),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// What a file of several possible contents holds; `None` where that is nothing known, or cannot be read.
pub(super) fn holds(path: &Path) -> Option<Contents> {
    import::contents(path).ok().flatten()
}

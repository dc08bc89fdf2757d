//! Everything that can be said of the responses of a run or of a recording: the analysis of `twinscope analyse`, beside
//! the window.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::compared::FORMATS;
use super::recording::OpenRecording;
use super::{AnalyseOptions, Answer, Event, FigureStyle, RunFailure, Workbench, parts};
use crate::characterise::{Characterisation, CharacteriseError, Measured};
use crate::experiment::Outcome;
use crate::figures::{Layout, Picture, Plate, Width, characterisation, examples, populations};
use crate::job::{Job, Progress, Worker};
use crate::signals::{FrameSource, ResponseRows, SourceError};

/// Resolution of the figures in the window, dots per inch: a page is about 1000 pixels wide.
const SHOWN_DPI: u32 = 140;

/// What can be asked about the analysis of responses.
#[derive(Debug, Clone, PartialEq)]
pub enum AnalyseCommand {
    /// How responses are analysed from now on.
    Set(AnalyseOptions),
    /// Analyses the recording that is open.
    Recording,
    /// Analyses the responses of the newest run.
    Responses,
    /// Stops the analysis under way; the previous one stays.
    Cancel,
    /// Writes every table and figure of the analysis into a folder.
    Export(PathBuf),
}

/// Whose responses were analysed.
#[derive(Debug, Clone)]
enum Source {
    Recording(Weak<OpenRecording>),
    Run(Weak<Answer>),
}

/// An analysis.
#[derive(Debug)]
pub struct Analysed {
    /// Everything that was found.
    pub found: Characterisation,
    /// Its figures for the screen, with the names of their files.
    pub pictures: Vec<(&'static str, Picture)>,
    /// Time that it took, seconds.
    pub seconds: f64,
    source: Source,
}

/// How far an analysis is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisProgress {
    /// Finished part, 0..=1; `None` while the responses are looked through.
    pub fraction: Option<f32>,
    /// Whether it was asked to stop.
    pub stopping: bool,
}

/// The part of the workbench that is about analyses.
pub(super) struct Analyses {
    options: AnalyseOptions,
    running: Option<(Job<Result<Analysed, RunFailure>>, bool)>,
    found: Option<Arc<Analysed>>,
    failure: Option<String>,
    worker: Worker,
}

impl Drop for Analyses {
    fn drop(&mut self) {
        self.cancel(); // long work must not keep the window open
    }
}

impl Analyses {
    pub(super) fn new() -> std::io::Result<Self> {
        let options = AnalyseOptions::default();
        Ok(Self { options, running: None, found: None, failure: None, worker: Worker::start("analysis")? })
    }

    /// Options from outside.
    pub(super) fn set(&mut self, options: AnalyseOptions) {
        self.options = options.within_ranges();
    }

    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    fn cancel(&mut self) {
        if let Some((job, stopping)) = &mut self.running {
            job.progress().cancel();
            *stopping = true;
        }
    }
}

/// The responses of an answer, which may be too large to be copied.
#[derive(Debug)]
struct Shared(Arc<Answer>);

impl ResponseRows for Shared {
    fn frames(&self) -> usize {
        self.0.outcome.responses.frames()
    }
    fn samples(&self) -> usize {
        self.0.outcome.responses.samples()
    }
    fn units(&self) -> usize {
        self.0.outcome.responses.units()
    }
    fn each_row(&self, frames: Range<usize>, sample: usize, take: &mut dyn FnMut(&[f32])) -> std::io::Result<()> {
        ResponseRows::each_row(&self.0.outcome.responses, frames, sample, take)
    }
}

type Movie = Result<Box<dyn FrameSource>, SourceError>;

impl Analysed {
    fn of_recording(
        open: &Arc<OpenRecording>,
        options: &AnalyseOptions,
        progress: &Progress,
    ) -> Result<Self, RunFailure> {
        let (skip, domains) = (options.skip_frames, options.domains_of(open));
        let measured = Measured::of_session(&open.session, &open.table, skip, &domains, progress).map_err(failure)?;
        let movie = &mut || measured.recorded_movie();
        Self::of(&measured, movie, options, Source::Recording(Arc::downgrade(open)), progress)
    }

    fn of_run(answer: &Arc<Answer>, options: &AnalyseOptions, progress: &Progress) -> Result<Self, RunFailure> {
        let outcome = &answer.outcome;
        let shared = Outcome {
            protocol: outcome.protocol.clone(),
            monitor: outcome.monitor,
            schedule: outcome.schedule.clone(),
            responses: Shared(Arc::clone(answer)),
            units: outcome.units.clone(),
            tuning: None,
            parameter: None,
            provenance: outcome.provenance.clone(),
        };
        let measured = Measured::of_outcome(shared);
        let movie = &mut || parts::source(&outcome.schedule, &outcome.monitor).map_err(SourceError::new);
        Self::of(&measured, movie, options, Source::Run(Arc::downgrade(answer)), progress)
    }

    fn of(
        measured: &Measured,
        movie: &mut dyn FnMut() -> Movie,
        options: &AnalyseOptions,
        source: Source,
        progress: &Progress,
    ) -> Result<Self, RunFailure> {
        let began = Instant::now();
        progress.check().map_err(|_| RunFailure::Cancelled)?;
        let found = Characterisation::of(measured, &options.look(), movie, progress).map_err(failure)?;
        let layout = Layout { width: Some(Width::Page), dpi: SHOWN_DPI };
        let shown = |(stem, plate): (&'static str, Plate<'_>)| {
            plate
                .picture(&layout)
                .map(|picture| (stem, picture))
                .map_err(|error| RunFailure::Failed(parts::sentence(&error)))
        };
        let pictures = plates(&found).into_iter().map(shown).collect::<Result<_, _>>()?;
        Ok(Self { found, pictures, seconds: began.elapsed().as_secs_f64(), source })
    }

    /// Writes every table and figure into a folder, as `twinscope analyse` does.
    fn write(&self, style: &FigureStyle, folder: &Path) -> Result<PathBuf, String> {
        self.found.write(folder).map_err(|error| parts::sentence(&error))?;
        for (stem, plate) in plates(&self.found) {
            plate.export(folder, stem, &FORMATS, &style.layout).map_err(|error| parts::sentence(&error))?;
        }
        Ok(folder.to_owned())
    }
}

/// Figures with something to show.
fn plates(found: &Characterisation) -> Vec<(&'static str, Plate<'_>)> {
    let all = [
        ("analysis", characterisation::plate(found)),
        (populations::STEM, populations::plate(found)),
        ("examples", examples::plate(found)),
    ];
    all.into_iter().filter(|(_, plate)| plate.check().is_ok()).collect()
}

fn failure(error: CharacteriseError) -> RunFailure {
    match error {
        CharacteriseError::Cancelled(_) => RunFailure::Cancelled,
        other => RunFailure::Failed(parts::sentence(&other)),
    }
}

impl Workbench {
    /// The newest analysis; stays while the next one is computed.
    pub fn analysed(&self) -> Option<&Arc<Analysed>> {
        self.analyses.found.as_ref()
    }

    /// How responses are analysed from now on.
    pub fn analyse_options(&self) -> &AnalyseOptions {
        &self.analyses.options
    }

    /// How far the analysis under way is; `None` when there is none.
    pub fn analysis_progress(&self) -> Option<AnalysisProgress> {
        let (job, stopping) = self.analyses.running.as_ref()?;
        Some(AnalysisProgress { fraction: job.progress().fraction(), stopping: *stopping })
    }

    /// Why the last analysis gave nothing, in a sentence.
    pub fn analysis_failure(&self) -> Option<&str> {
        self.analyses.failure.as_deref()
    }

    /// Whether the newest analysis is of another recording or run than those that are open.
    pub fn is_analysis_outdated(&self) -> bool {
        self.analyses.found.as_ref().is_some_and(|analysed| match &analysed.source {
            Source::Recording(of) => !same(of, self.recording()),
            Source::Run(of) => !same(of, self.answer()),
        })
    }

    /// Does what was asked about analyses.
    pub(super) fn perform_analyse(&mut self, command: AnalyseCommand) {
        let options = self.analyses.options.clone();
        match command {
            AnalyseCommand::Set(options) => self.analyses.set(options),
            AnalyseCommand::Recording => match self.recording().cloned() {
                Some(open) => self.start_analysis(move |progress| Analysed::of_recording(&open, &options, progress)),
                None => self.fail("there is nothing to analyse: open a recording first".to_owned()),
            },
            AnalyseCommand::Responses => match self.answer().cloned() {
                Some(answer) => self.start_analysis(move |progress| Analysed::of_run(&answer, &options, progress)),
                None => self.fail("there is nothing to analyse yet: run the protocol first".to_owned()),
            },
            AnalyseCommand::Cancel => self.analyses.cancel(),
            AnalyseCommand::Export(folder) => {
                let Some(found) = self.analyses.found.clone() else {
                    return self.fail("there is nothing to export yet: analyse responses first".to_owned());
                };
                let (style, wake) = (self.figure_style, self.wake.clone());
                self.writing.push(self.files.submit(move |_| found.write(&style, &folder), move || wake.call()));
            }
        }
    }

    fn start_analysis(&mut self, work: impl FnOnce(&Progress) -> Result<Analysed, RunFailure> + Send + 'static) {
        if self.analyses.running.is_some() {
            return self.fail("an analysis is under way; wait for it, or cancel it".to_owned());
        }
        self.analyses.failure = None;
        let wake = self.wake.clone();
        self.analyses.running = Some((self.analyses.worker.submit(work, move || wake.call()), false));
    }

    /// Takes in an analysis that has ended.
    pub(super) fn tick_analyses(&mut self) {
        let Some((job, _)) = &self.analyses.running else { return };
        let result = match job.poll() {
            Ok(None) => return,
            Ok(Some(result)) => result,
            Err(lost) => Err(RunFailure::Failed(lost.to_string())),
        };
        self.analyses.running = None;
        match result {
            Ok(found) => {
                self.tell(format!("Analysed in {:.1} s: {}", found.seconds, found.found.title));
                self.analyses.found = Some(Arc::new(found));
                self.events.push(Event::Analysed);
            }
            Err(RunFailure::Cancelled) => {
                self.events.push(Event::AnalysisCancelled);
                self.tell("The analysis was cancelled; nothing of it is kept".to_owned());
            }
            Err(RunFailure::Failed(error)) => {
                self.analyses.failure = Some(error.clone());
                self.fail(error);
            }
        }
    }
}

fn same<T>(of: &Weak<T>, now: Option<&Arc<T>>) -> bool {
    of.upgrade().zip(now).is_some_and(|(of, now)| Arc::ptr_eq(&of, now))
}

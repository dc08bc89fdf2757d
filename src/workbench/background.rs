//! Background work: starting it, stopping it, taking in what it gave.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::{Answer, Event, RunFailure, RunRequest, Workbench};
use crate::job::Job;

/// Called when background work has ended.
#[derive(Clone, Default)]
pub(super) struct Wake(Option<Arc<dyn Fn() + Send + Sync>>);

impl Wake {
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(wake)))
    }

    pub fn call(&self) {
        if let Some(wake) = &self.0 {
            wake();
        }
    }
}

/// A run under way.
pub(super) struct Running {
    job: Job<Result<Arc<Answer>, RunFailure>>,
    started: Instant,
    frames: usize,
    stopping: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunProgress {
    /// Finished part, 0..=1; `None` while the twin and the device are prepared.
    pub fraction: Option<f32>,
    /// Frames of the movie per second of computing so far.
    pub frames_per_sec: Option<f64>,
    /// Whether it was asked to stop.
    pub stopping: bool,
}

impl Workbench {
    /// Takes in finished work and starts what is due. `now` is any clock that only goes forward, in seconds.
    pub fn tick(&mut self, now: f64) -> Vec<Event> {
        self.now = now;
        self.take_device();
        self.take_twin();
        self.take_written();
        self.take_movie();
        self.take_run();
        self.tick_spikes();
        self.tick_recordings();
        self.tick_analyses();
        if self.run_due.is_some_and(|due| due <= now) {
            match &self.plan {
                Ok(_) => self.start_run(),
                Err(_) => self.run_due = None, // half-typed values are shown at the form, not as a failed run
            }
        }
        let wake = self.wake.clone();
        self.preview.tick(&self.files, move || wake.call());
        std::mem::take(&mut self.events)
    }

    /// Time until [`Workbench::tick`] has something to start, seconds; finished work wakes by itself.
    pub fn next_tick_in(&self) -> Option<f64> {
        self.run_due.map(|due| (due - self.now).max(0.0))
    }

    /// How far the run under way is.
    pub fn run_progress(&self) -> Option<RunProgress> {
        let running = self.running.as_ref()?;
        let fraction = running.job.progress().fraction();
        let secs = running.started.elapsed().as_secs_f64();
        let frames_per_sec = fraction.filter(|_| secs > 0.2).map(|part| f64::from(part) * running.frames as f64 / secs);
        Some(RunProgress { fraction, frames_per_sec, stopping: running.stopping })
    }

    /// Opens the device on the worker, so that its line is known before the first run.
    pub fn open_device(&mut self) {
        let (compute, device, wake) = (Arc::clone(&self.compute), self.device, self.wake.clone());
        self.device_opening = Some(self.worker.submit(
            // A panic in an earlier run was reported as lost; the part that computes starts afresh on each call.
            move |_| compute.lock().unwrap_or_else(PoisonError::into_inner).open(device),
            move || wake.call(),
        ));
    }

    /// Waits until nothing is under way, for shells without a window and for tests.
    /// Returns the events on the way; gives up after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Vec<Event> {
        let began = Instant::now();
        let mut events = Vec::new();
        loop {
            let now = self.run_due.map_or(self.now, |due| due.max(self.now));
            events.append(&mut self.tick(now));
            if !self.is_busy() || began.elapsed() > limit {
                return events;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether any background work is under way or due.
    pub fn is_busy(&self) -> bool {
        self.running.is_some()
            || self.run_due.is_some()
            || self.twin_loading.is_some()
            || self.device_opening.is_some()
            || !self.writing.is_empty()
            || self.movie.is_some()
            || self.preview.busy()
            || self.spikes.is_busy()
            || self.recordings.is_busy()
            || self.analyses.is_busy()
    }

    pub(super) fn start_run(&mut self) {
        self.run_due = None;
        if let Some(running) = &mut self.running {
            running.job.progress().cancel();
            running.stopping = true;
            self.rerun = true;
            return;
        }
        let frames = match &self.plan {
            Ok(plan) => plan.schedule.frames,
            Err(error) => {
                let error = error.clone();
                return self.fail(error);
            }
        };
        let request =
            RunRequest { protocol: self.protocol().clone(), twin: Arc::clone(&self.twin), device: self.device };
        let (compute, wake) = (Arc::clone(&self.compute), self.wake.clone());
        let job = self.worker.submit(
            move |progress| {
                let began = Instant::now();
                let outcome = compute.lock().unwrap_or_else(PoisonError::into_inner).run(&request, progress)?;
                let secs = began.elapsed().as_secs_f64();
                Ok(Arc::new(Answer::new(outcome, secs))) // here, because large populations take a while
            },
            move || wake.call(),
        );
        self.running = Some(Running { job, started: Instant::now(), frames, stopping: false });
        self.events.push(Event::RunStarted);
    }

    pub(super) fn cancel_run(&mut self) {
        self.run_due = None;
        self.rerun = false;
        if let Some(running) = &mut self.running {
            running.job.progress().cancel();
            running.stopping = true;
        }
    }

    fn take_run(&mut self) {
        let Some(running) = &self.running else { return };
        let result = match running.job.poll() {
            Ok(None) => return,
            Ok(Some(result)) => result,
            Err(lost) => Err(RunFailure::Failed(lost.to_string())),
        };
        self.running = None;
        match result {
            Ok(answer) => {
                self.answer = Some(answer);
                self.events.push(Event::RunFinished);
                if self.message.as_ref().is_none_or(|message| !message.error) {
                    self.message = None;
                }
            }
            Err(RunFailure::Cancelled) => {
                self.events.push(Event::RunCancelled);
                if !self.rerun {
                    self.tell("Run cancelled; the previous result is still shown".to_owned());
                }
            }
            Err(RunFailure::Failed(error)) => self.fail(error),
        }
        if std::mem::take(&mut self.rerun) {
            self.start_run();
        }
    }

    fn take_device(&mut self) {
        let Some(job) = &self.device_opening else { return };
        let line = match job.poll() {
            Ok(None) => return,
            Ok(Some(line)) => line,
            Err(lost) => Err(lost.to_string()),
        };
        self.device_opening = None;
        match line {
            Ok(line) => self.device_line = Some(line),
            Err(error) => {
                self.device_line = Some(format!("not available: {error}"));
                self.fail(error);
            }
        }
    }

    fn take_twin(&mut self) {
        let Some(loading) = &self.twin_loading else { return };
        let twin = match loading.job.poll() {
            Ok(None) => return,
            Ok(Some(twin)) => twin,
            Err(lost) => Err(lost.to_string()),
        };
        let path = self.twin_loading.take().map(|loading| loading.path);
        match twin {
            Ok(twin) => {
                self.twin = Arc::new(twin);
                self.twin_path = path;
                self.twin_remembered = None;
                self.twin_changed();
            }
            Err(error) => self.fail(error),
        }
    }

    /// How much of the movie that is being written is done, 0..=1; `None` when none is.
    pub fn movie_progress(&self) -> Option<f32> {
        self.movie.as_ref().map(|job| job.progress().fraction().unwrap_or(0.0))
    }

    fn take_movie(&mut self) {
        let Some(job) = &self.movie else { return };
        let written = match job.poll() {
            Ok(None) => return,
            Ok(Some(written)) => written,
            Err(lost) => Err(lost.to_string()),
        };
        self.movie = None;
        match written {
            Ok(Some(path)) => {
                self.tell(format!("Wrote {}", path.display()));
                self.events.push(Event::Written(path));
            }
            Ok(None) => self.tell("The movie was cancelled; nothing was written".to_owned()),
            Err(error) => self.fail(error),
        }
    }

    fn take_written(&mut self) {
        let mut ended = Vec::new();
        self.writing.retain(|job| match job.poll() {
            Ok(None) => true,
            Ok(Some(written)) => {
                ended.push(written);
                false
            }
            Err(lost) => {
                ended.push(Err(lost.to_string()));
                false
            }
        });
        for written in ended {
            match written {
                Ok(path) => {
                    self.tell(format!("Wrote {}", path.display()));
                    self.events.push(Event::Written(path));
                }
                Err(error) => self.fail(error),
            }
        }
    }
}

//! The stimulus on the screen: frames of the current protocol, drawn beside the window thread.

use std::path::{Path, PathBuf};

use crate::job::{Job, Worker};
use crate::signals::{FrameSource, Raster};

/// One drawn frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Which frame of the schedule.
    pub frame: usize,
    /// Counts protocols: pictures of an older protocol have a smaller number.
    pub edition: u64,
    /// Pixels.
    pub raster: Raster,
    /// Grey levels, `[height, width]`.
    pub grey: Vec<u8>,
}

/// The movie to draw from, and what is known of each clip in it: its file, and size, rate, length and cut in words.
pub(super) struct Footage {
    pub source: Box<dyn FrameSource>,
    pub clips: Vec<(PathBuf, String)>,
}

/// What the drawing thread gives back.
struct Drawn {
    footage: Option<Footage>,
    edition: u64,
    picture: Result<Picture, String>,
}

/// Makes a source; runs beside the window because opening a clip can take long.
pub(super) type MakeSource = Box<dyn FnOnce() -> Result<Footage, String> + Send>;

/// Draws the newest wanted frame, one at a time.
#[derive(Default)]
pub(super) struct Preview {
    edition: u64,
    make: Option<MakeSource>,
    footage: Option<Footage>,
    clips: Vec<(PathBuf, String)>,
    wanted: usize,
    job: Option<Job<Drawn>>,
    picture: Option<Picture>,
    error: Option<String>,
}

impl Preview {
    /// Another protocol: its source is made when its first frame is drawn.
    pub fn replace(&mut self, make: Option<MakeSource>) {
        self.edition += 1;
        self.make = make;
        self.footage = None;
        self.error = None;
    }

    /// The frame that should be on the screen.
    pub fn want(&mut self, frame: usize) {
        self.wanted = frame;
    }

    /// The newest drawn frame; the previous one stays until the next is there.
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// What is known of a clip that is shown.
    pub fn clip(&self, path: &Path) -> Option<&str> {
        self.clips.iter().find(|(known, _)| known == path).map(|(_, facts)| facts.as_str())
    }

    /// Why there is none.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether the wanted frame is not there yet.
    pub fn busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes in a drawn frame and starts on the next.
    pub fn tick(&mut self, worker: &Worker, wake: impl FnOnce() + Send + 'static) {
        if let Some(job) = &self.job {
            match job.poll() {
                Ok(None) => return,
                Ok(Some(drawn)) => {
                    self.job = None;
                    if drawn.edition == self.edition {
                        self.footage = drawn.footage;
                        self.clips = self.footage.as_ref().map_or_else(Vec::new, |footage| footage.clips.clone());
                        match drawn.picture {
                            Ok(picture) => self.picture = Some(picture),
                            Err(error) => self.error = Some(error),
                        }
                    }
                }
                Err(lost) => {
                    self.job = None;
                    self.error = Some(lost.to_string());
                }
            }
        }
        let current =
            self.picture.as_ref().is_some_and(|shown| shown.edition == self.edition && shown.frame == self.wanted);
        if current || self.error.is_some() || (self.footage.is_none() && self.make.is_none()) {
            return;
        }
        let (footage, make) = (self.footage.take(), self.make.take());
        let (edition, frame) = (self.edition, self.wanted);
        self.job = Some(worker.submit(
            move |_| {
                let footage = match (footage, make) {
                    (Some(footage), _) => Ok(footage),
                    (None, Some(make)) => make(),
                    (None, None) => Err("there is no stimulus to draw".to_owned()),
                };
                match footage {
                    Ok(mut footage) => {
                        let picture = draw(footage.source.as_mut(), frame, edition);
                        Drawn { footage: Some(footage), edition, picture }
                    }
                    Err(error) => Drawn { footage: None, edition, picture: Err(error) },
                }
            },
            wake,
        ));
    }
}

fn draw(source: &mut dyn FrameSource, frame: usize, edition: u64) -> Result<Picture, String> {
    let raster = source.raster();
    let shown = frame.min(source.frames().saturating_sub(1));
    let mut grey = vec![0; raster.pixels() * source.samples()];
    source.read(shown, 1, &mut grey).map_err(|error| error.to_string())?;
    grey.truncate(raster.pixels());
    Ok(Picture { frame, edition, raster, grey })
}

//! The stimulus on the screen: frames of the current protocol, drawn beside the window thread.

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

/// What the drawing thread gives back.
struct Drawn {
    source: Option<Box<dyn FrameSource>>,
    edition: u64,
    picture: Result<Picture, String>,
}

/// Makes a source; runs beside the window because opening a clip can take long.
pub(super) type MakeSource = Box<dyn FnOnce() -> Result<Box<dyn FrameSource>, String> + Send>;

/// Draws the newest wanted frame, one at a time.
#[derive(Default)]
pub(super) struct Preview {
    edition: u64,
    make: Option<MakeSource>,
    source: Option<Box<dyn FrameSource>>,
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
        self.source = None;
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
                        self.source = drawn.source;
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
        if current || self.error.is_some() || (self.source.is_none() && self.make.is_none()) {
            return;
        }
        let (source, make) = (self.source.take(), self.make.take());
        let (edition, frame) = (self.edition, self.wanted);
        self.job = Some(worker.submit(
            move |_| {
                let source = match (source, make) {
                    (Some(source), _) => Ok(source),
                    (None, Some(make)) => make(),
                    (None, None) => Err("there is no stimulus to draw".to_owned()),
                };
                match source {
                    Ok(mut source) => {
                        let picture = draw(source.as_mut(), frame, edition);
                        Drawn { source: Some(source), edition, picture }
                    }
                    Err(error) => Drawn { source: None, edition, picture: Err(error) },
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

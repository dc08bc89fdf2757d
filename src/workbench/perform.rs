//! The one place where commands are carried out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::state::{Document, Origin, TwinLoading};
use super::{Command, Event, Message, Workbench, parts};
use crate::data::import;
use crate::experiment::PRESETS;
use crate::experiment::protocol::Sweep;
use crate::job::Progress;
use crate::stimulus::{Clip, Images, Stimulus};

/// Time without a further edit after which a live run starts, seconds: longer than the gap between two mouse events,
/// short enough to feel immediate.
const LIVE_DELAY_SECS: f64 = 0.12;

/// The file that every folder of the published twin has.
const TWIN_CORE: &str = "params_core.pt";

/// Entries of a folder that are looked at for a picture.
const MOST_ENTRIES: usize = 10_000;

impl Workbench {
    /// Does what was asked; long work goes to a worker and is taken in by [`Workbench::tick`].
    pub fn perform(&mut self, command: Command) {
        match command {
            Command::Edit(protocol) => {
                let origin = self.document.current().origin;
                if self.document.edit(Document { protocol: *protocol, origin }) {
                    self.protocol_changed();
                }
            }
            Command::CloseStep => self.document.close_step(),
            Command::Undo => {
                if self.document.undo() {
                    self.protocol_changed();
                }
            }
            Command::Redo => {
                if self.document.redo() {
                    self.protocol_changed();
                }
            }
            Command::Run => self.start_run(),
            Command::Cancel => self.cancel_run(),
            Command::SetLive(live) => {
                self.live = live;
                self.run_due = None;
                if live && (self.answer.is_none() || self.is_answer_outdated()) {
                    self.run_soon();
                }
            }
            Command::SetDevice(device) => {
                if self.device != device {
                    self.device = device;
                    self.device_line = None;
                    self.open_device();
                }
            }
            Command::UseBuiltinTwin => {
                self.twin_loading = None;
                self.twin_path = None;
                self.twin_remembered = None;
                self.twin = Arc::clone(&self.builtin);
                self.twin_changed();
            }
            Command::OpenTwin(path) => self.open_twin(path),
            Command::OpenProtocol(path) => self.open_protocol(path),
            Command::SaveProtocol(path) => self.save_protocol(path),
            Command::ShowClip(path) => self.show_clip(path),
            Command::ShowImages(path) => self.show_images(path),
            Command::OpenAny(path) => self.open_any(path),
            Command::SelectUnit(unit) => self.unit = Some(unit),
            Command::SetFigureStyle(style) => self.figure_style = style,
            Command::ExportFigure(path) => {
                let style = self.figure_style;
                self.export(path, move |answer, unit, path| parts::write_figure(answer, unit, &style, path));
            }
            Command::ComposeSheet(of, order) => self.compose_sheet(of, order),
            Command::ExportSheet(of, path) => self.export_sheet(of, path),
            Command::ExportData(path) => self.export(path, |answer, _, folder| parts::write_data(answer, folder)),
            Command::ExportMovie(path) => self.export_movie(path),
            Command::ExportTable(path) => self.export_table(path),
            Command::CancelMovie => {
                if let Some(job) = &self.movie {
                    job.progress().cancel();
                }
            }
            Command::UsePreset(index) => self.use_preset(index),
            Command::Spikes(command) => self.perform_spikes(command),
            Command::Compare(command) => self.perform_compare(command),
            Command::Analyse(command) => self.perform_analyse(command),
            Command::DismissMessage => self.message = None,
        }
    }

    /// Asks for a frame of the stimulus; it arrives in [`Workbench::picture`].
    pub fn show_frame(&mut self, frame: usize) {
        self.preview.want(frame);
        let wake = self.wake.clone();
        self.preview.tick(&self.files, move || wake.call());
    }

    pub(super) fn fail(&mut self, text: String) {
        self.events.push(Event::Failed(text.clone()));
        self.message = Some(Message { text, error: true });
    }

    pub(super) fn tell(&mut self, text: String) {
        self.message = Some(Message { text, error: false });
    }

    fn protocol_changed(&mut self) {
        self.replan();
        if self.live {
            self.run_soon();
        }
    }

    /// In live mode edits come in quick succession: the run starts when they pause.
    pub(super) fn run_soon(&mut self) {
        self.run_due = Some(self.now + LIVE_DELAY_SECS);
    }

    pub(super) fn twin_changed(&mut self) {
        let origin = self.twin_origin();
        self.events.push(Event::TwinOpened(origin.clone()));
        self.tell(format!("Opened {origin}"));
        self.match_recording();
        self.replan();
        if self.live {
            self.run_soon();
        }
    }

    /// Works out what the protocol means for this twin.
    pub(super) fn replan(&mut self) {
        self.plan = parts::plan(self.protocol(), self.twin.card.raster);
        let make = self.plan.as_ref().ok().map(|plan| {
            let (monitor, schedule) = (plan.monitor, Arc::clone(&plan.schedule));
            let make: super::preview::MakeSource = Box::new(move || parts::footage(&schedule, &monitor));
            make
        });
        self.preview.replace(make);
    }

    pub(super) fn open_twin(&mut self, path: PathBuf) {
        let (wake, from) = (self.wake.clone(), path.clone());
        let job = self.files.submit(move |_| parts::load_twin(&from), move || wake.call());
        self.twin_loading = Some(TwinLoading { path, job });
    }

    fn open_protocol(&mut self, path: PathBuf) {
        match parts::read_protocol(&path) {
            Ok(protocol) => {
                let origin = self.origins.len();
                self.origins.push(Origin { baseline: protocol.clone(), path: Some(path.clone()) });
                self.document.close_step();
                self.document.edit(Document { protocol, origin });
                self.document.close_step();
                self.tell(format!("Opened {}", path.display()));
                self.events.push(Event::ProtocolOpened(path));
                self.protocol_changed();
            }
            Err(error) => self.fail(error),
        }
    }

    fn use_preset(&mut self, index: usize) {
        let Some(preset) = PRESETS.get(index) else { return };
        match preset.protocol() {
            Ok(protocol) => {
                let origin = self.origins.len();
                self.origins.push(Origin { baseline: protocol.clone(), path: None });
                self.document.close_step();
                self.document.edit(Document { protocol, origin });
                self.document.close_step();
                self.tell(format!("Preset: {}", preset.title));
                self.protocol_changed();
            }
            Err(error) => self.fail(parts::sentence(&error)),
        }
    }

    fn save_protocol(&mut self, path: PathBuf) {
        let path = if path.extension().is_none() { path.with_extension("toml") } else { path };
        match parts::write_protocol(self.protocol(), &path) {
            Ok(()) => {
                self.tell(format!("Saved {}", path.display()));
                self.events.push(Event::Written(path.clone()));
                let Document { protocol, origin } = self.document.current().clone();
                self.origins[origin] = Origin { baseline: protocol, path: Some(path) };
            }
            Err(error) => self.fail(error),
        }
    }

    fn open_any(&mut self, path: PathBuf) {
        if self.open_spikes_if_any(&path) || self.open_recording_if_any(&path) {
            return;
        }
        if path.is_dir() {
            // A twin may lie beside pictures of it, but no clip holds a twin; dots in a folder's name mean nothing.
            let twin = path.join(TWIN_CORE).is_file() || !holds_png(&path);
            return if twin { self.open_twin(path) } else { self.show_clip(path) };
        }
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "toml" => self.open_protocol(path),
            "npz" if path.is_file() && !matches!(import::contents(&path), Ok(Some(_))) => {
                self.fail(match import::contents(&path) {
                    Err(error) => parts::sentence(&error),
                    Ok(_) => format!(
                        "`{}` holds nothing to open here: neither spikes (`counts` or `spikes` with `bin_s`) nor responses \
                         (`responses`, or columns with `trial`) nor a clip (an array [time, height, width])",
                        path.display()
                    ),
                });
            }
            "npy" | "npz" | "gif" | "png" | "apng" | "webp" | "tif" | "tiff" | "avi" | "mp4" | "m4v" | "mov"
            | "mkv" | "webm" | "mpg" | "mpeg" | "ogv" => self.show_clip(path),
            "" | "pt" | "pth" | "safetensors" => self.open_twin(path),
            "nwb" | "h5" | "hdf5" => self.fail(match import::contents(&path) {
                Err(error) => parts::sentence(&error),
                Ok(_) => format!("`{}` is no NWB file: its contents are of another kind", path.display()),
            }),
            other => self.fail(format!(
                "`.{other}` is not a file to open here: drop a twin (.safetensors, .pt or a folder of .pt files), a \
                 protocol (.toml), a clip (.npy, .npz, .gif, .webp, .tiff, a video, or a folder of pictures), a session \
                 of spikes (.npz, .nwb or an ALF folder) or a recording (.nwb, .npz, .csv or a folder)"
            )),
        }
    }

    fn show_clip(&mut self, path: PathBuf) {
        let path = std::path::absolute(&path).unwrap_or(path);
        let mut protocol = self.protocol().clone();
        protocol.show_instead(Stimulus::Clip(Clip::from_path(path)), Sweep::default());
        self.perform(Command::CloseStep);
        self.perform(Command::Edit(Box::new(protocol)));
        self.perform(Command::CloseStep);
    }

    fn show_images(&mut self, path: PathBuf) {
        let path = std::path::absolute(&path).unwrap_or(path);
        let mut protocol = self.protocol().clone();
        protocol.show_instead(Stimulus::Images(Images { path, ..Images::default() }), Sweep::default());
        self.perform(Command::CloseStep);
        self.perform(Command::Edit(Box::new(protocol)));
        self.perform(Command::CloseStep);
    }

    fn export_movie(&mut self, path: PathBuf) {
        let plan = match (&self.plan, &self.movie) {
            (Err(error), _) => return self.fail(error.clone()),
            (_, Some(_)) => return self.fail("a movie is being written; wait for it, or cancel it".to_owned()),
            (Ok(plan), None) => plan.clone(),
        };
        let path = if path.extension().is_none() { path.with_extension("npy") } else { path };
        let wake = self.wake.clone();
        let write = move |progress: &Progress| parts::write_movie(&plan, &path, progress);
        self.movie = Some(self.movies.submit(write, move || wake.call()));
    }

    fn export_table(&mut self, path: PathBuf) {
        let plan = match &self.plan {
            Ok(plan) => plan.clone(),
            Err(error) => return self.fail(error.clone()),
        };
        let path = if path.extension().is_none() { path.with_extension("csv") } else { path };
        let (protocol, wake) = (self.protocol().clone(), self.wake.clone());
        let write = move |_: &Progress| parts::write_table(&protocol, &plan, &path);
        self.writing.push(self.files.submit(write, move || wake.call()));
    }

    pub(super) fn export(
        &mut self,
        path: PathBuf,
        write: impl FnOnce(&super::Answer, usize, &Path) -> Result<PathBuf, String> + Send + 'static,
    ) {
        let Some(answer) = self.answer.clone() else {
            self.fail("there is nothing to export yet: run the protocol first".to_owned());
            return;
        };
        let (wake, unit) = (self.wake.clone(), self.unit());
        self.writing.push(self.files.submit(move |_| write(&answer, unit, &path), move || wake.call()));
    }
}

/// Whether one of the first entries is a picture: the window waits for the answer.
fn holds_png(folder: &Path) -> bool {
    let png = |path: PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    std::fs::read_dir(folder).is_ok_and(|entries| entries.take(MOST_ENTRIES).flatten().any(|entry| png(entry.path())))
}

//! A run into a folder: every condition becomes a file when it is finished, and nothing is held but the rows under way.
//!
//! The folder can be filled in several goes, after a kill or by several machines; [`LongRun::finish`] joins what is there.
//! Whoever computed it, the same protocol, twin and device give the same bytes.

use std::path::{Path, PathBuf};

use super::outcome::RESPONSES;
use super::piece::{Piece, pieces};
use super::run::{Draw, PredictError, Predictor, RunError, provenance, show};
use super::run_card::{PARTS, PROTOCOL, RunCard, foreign_parts};
use super::shard::Shard;
use super::{Outcome, OutcomeError, Protocol, ProtocolError, save};
use crate::data::{ArrayError, NpyResponses, NpyResponsesWriter};
use crate::job::{Cancelled, Progress};
use crate::signals::ResponseRows;
use crate::stimulus::schedule::Schedule;

/// Why a run into a folder could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LongRunError {
    /// The protocol, the twin or the user ended it.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The protocol of a folder cannot be used.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The tables could not be written.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// An array could not be read or written.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A file could not be read.
    #[error("{} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{} could not be written; check that the folder exists, is yours to write and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// What the responses depend on has no text form.
    #[error("the protocol cannot be told apart from others: {0}")]
    Hash(String),
    /// A card that is damaged or of something else.
    #[error("{} is no card of a run: {what}; run the protocol again", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Nothing to divide.
    #[error(
        "{0} was asked for, but this protocol is shown as one movie and cannot be divided; remove `apart = false` from \
         its [timing]"
    )]
    OneMovie(Shard),
    /// A folder without a run.
    #[error("{} holds no run: name a folder that `twinscope run` wrote; shards are joined by `twinscope merge`", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder of a run that was stopped.
    #[error("the run in {} is not finished; give its protocol to `twinscope run` again, with the same folder", folder.display())]
    Unfinished {
        /// The folder.
        folder: PathBuf,
    },
    /// A shard of another run.
    #[error("{} is of another run than {}: {what}", folder.display(), first.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// The folder that it was held against.
        first: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// Conditions that nobody computed.
    #[error("{missing} of {all} conditions are missing, the first of them condition {first}{hint}")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        all: usize,
        /// The first of them, from 0.
        first: usize,
        /// What to do about it.
        hint: String,
    },
}

impl From<Cancelled> for LongRunError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Run(cancelled.into())
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Conditions that are finished, those of earlier goes among them.
    pub conditions: usize,
    /// Conditions of this run or shard.
    pub all_conditions: usize,
    /// Frames computed in this go.
    pub frames: u64,
    /// Frames to compute in this go.
    pub all_frames: u64,
}

/// A run into a folder.
#[derive(Debug)]
pub struct LongRun {
    folder: PathBuf,
    protocol: Protocol,
    /// The protocol as it is written.
    text: String,
    card: RunCard,
    schedule: Schedule,
    pieces: Vec<Piece>,
}

impl LongRun {
    /// Plans a run; nothing is written yet.
    ///
    /// # Errors
    /// When the protocol is impossible, cannot be divided, or the file of a clip cannot be read.
    pub fn new(
        protocol: &Protocol,
        twin: &dyn Predictor,
        folder: &Path,
        shard: Option<Shard>,
    ) -> Result<Self, LongRunError> {
        let monitor = protocol.monitor(twin.raster());
        protocol.validate_for(&monitor)?;
        let schedule = protocol.schedule(&monitor);
        let pieces = pieces(protocol, &schedule);
        if let Some(shard) = shard.filter(|_| !protocol.timing.apart) {
            return Err(LongRunError::OneMovie(shard));
        }
        let text = protocol.to_toml()?;
        let units = twin.units().to_vec();
        let configuration = twin.configuration();
        let mut card = RunCard::new(&text, provenance(protocol, twin), &configuration, monitor, &pieces, units, shard)?;
        // Another adapter of the same kind may have computed what is there.
        let earlier = [RunCard::of_whole(folder), card.earlier(folder)].into_iter().flatten();
        let same: Vec<RunCard> = earlier.filter(|earlier| card.difference(earlier).is_none()).collect();
        card.provenance.device = joined(same.iter().chain([&card]));
        Ok(Self { folder: folder.to_owned(), protocol: protocol.clone(), text, card, schedule, pieces })
    }

    /// The run that shards of it make: their conditions are brought together in a folder.
    ///
    /// # Errors
    /// When a folder is no shard or one of another run, a condition is in none of them, or the folder cannot be written.
    pub fn merged(shards: &[PathBuf], folder: &Path) -> Result<Self, LongRunError> {
        let mut cards = Vec::new();
        let mut protocol = None;
        for shard in shards {
            let (text, its_protocol, its_cards) = RunCard::read_all(shard)?;
            protocol.get_or_insert((text, its_protocol));
            cards.extend(its_cards.into_iter().map(|card| (shard, card)));
        }
        let (Some((text, protocol)), Some((first, card))) = (protocol, cards.first()) else {
            return Err(LongRunError::NoRun { folder: folder.to_owned() });
        };
        for (folder, other) in &cards {
            if let Some(what) = card.difference(other) {
                return Err(LongRunError::Foreign { folder: (*folder).clone(), first: (*first).clone(), what });
            }
        }
        let of = card.shard.map_or(1, Shard::of);
        let mut run = Self::of_card(first, (text, protocol), card.clone())?;
        run.folder = folder.to_owned();
        run.card.shard = None;
        run.card.provenance.device = joined(cards.iter().map(|(_, card)| card));
        let found: Vec<Option<PathBuf>> = (0..run.pieces.len())
            .map(|piece| shards.iter().map(|shard| run.part_in(shard, piece)).find(|part| run.is_there(part, piece)))
            .collect();
        run.check_complete(|piece| found[piece].is_some(), &|piece| {
            let owner = Shard::owner(piece, of);
            format!(" (shard {owner}); name the folders of all shards, and run again those that did not finish")
        })?;
        run.begin()?;
        for (piece, from) in found.iter().enumerate() {
            let to = run.part_in(folder, piece);
            if let Some(from) = from.as_ref().filter(|_| !run.is_there(&to, piece)) {
                bring(from, &to)?;
            }
        }
        Ok(run)
    }

    /// The outcome of a run that is finished: what `twinscope run` or `twinscope merge` wrote into a folder. Its responses
    /// stay in their file.
    ///
    /// # Errors
    /// When the folder holds no whole run, or one that is not finished, or something cannot be read.
    pub fn open(folder: &Path) -> Result<Outcome<NpyResponses>, LongRunError> {
        let (text, protocol, cards) = RunCard::read_all(folder)?;
        let no_run = || LongRunError::NoRun { folder: folder.to_owned() };
        let card = cards.into_iter().find(|card| card.shard.is_none()).ok_or_else(no_run)?;
        let run = Self::of_card(folder, (text, protocol), card)?;
        let unfinished = || LongRunError::Unfinished { folder: folder.to_owned() };
        let path = folder.join(RESPONSES);
        if !path.is_file() {
            return Err(unfinished());
        }
        let responses = NpyResponses::open(&path, run.schedule.frames, run.card.units.len())?;
        if !run.is_joined_in(&responses) {
            return Err(unfinished());
        }
        let Self { protocol, card, schedule, .. } = run;
        Outcome::analysed(&protocol, card.monitor, card.units, card.provenance, schedule, responses)
            .map_err(|source| LongRunError::Read { path, source })
    }

    /// The run of which a card in a folder tells, on the screen that its protocol asks for.
    fn of_card(folder: &Path, (text, protocol): (String, Protocol), mut card: RunCard) -> Result<Self, LongRunError> {
        let monitor = protocol.monitor(card.monitor.raster);
        protocol.validate_for(&monitor)?;
        let schedule = protocol.schedule(&monitor);
        let pieces = pieces(&protocol, &schedule);
        if !card.fits(&pieces) {
            let what = "its conditions are not those of its protocol".to_owned();
            return Err(LongRunError::Card { path: folder.join(card.file_name()), what });
        }
        card.monitor = monitor;
        Ok(Self { folder: folder.to_owned(), protocol, text, card, schedule, pieces })
    }

    /// Whether an array of all responses is of this run and not of one before it in the same folder: it holds what the
    /// files of the conditions hold. Where these were removed, nothing speaks against it.
    fn is_joined_in(&self, responses: &NpyResponses) -> bool {
        let there = |piece: &usize| self.is_there(&self.part_in(&self.folder, *piece), *piece);
        let present: Vec<usize> = (0..self.pieces.len()).filter(there).collect();
        if present.is_empty() {
            return self.stale() == 0;
        }
        let row = |rows: &NpyResponses, frame: usize| {
            let mut found = None;
            let read = rows.each_row(frame..frame + 1, 0, &mut |row| found = Some(row.to_vec()));
            read.ok().and(found)
        };
        let agrees = |&index: &usize| {
            let piece = &self.pieces[index];
            // The middle of what it showed last.
            let mut place = None;
            piece.place(0, piece.frames(), &mut |here, there, count| {
                place = Some((here + count / 2, there + count / 2))
            });
            let part = NpyResponses::open(&self.part_in(&self.folder, index), piece.frames(), self.card.units.len());
            let (Some((here, there)), Ok(part)) = (place, part) else { return false };
            row(&part, here).is_some_and(|values| Some(values) == row(responses, there))
        };
        present.len() == self.pieces.len() && present.iter().all(agrees)
    }

    /// Files of conditions in the folder that are of another protocol, twin, kind of device or version. They are neither
    /// used nor removed.
    pub fn stale(&self) -> usize {
        foreign_parts(&self.folder, &self.card.parts)
    }

    /// Whether tables and figures of another run lie in the folder, which stay there where this one writes none of the
    /// same name; its responses do not.
    pub fn replaces_another(&self) -> bool {
        RunCard::of_whole(&self.folder).is_some_and(|earlier| self.card.difference(&earlier).is_some())
            && self.folder.join("outcome.json").is_file()
    }

    /// Shows the twin what is not in the folder yet; a condition is in the folder when it is finished. `draw` makes the
    /// movie of a schedule; `tell` hears of every second of it.
    ///
    /// # Errors
    /// When something cannot be drawn, predicted or written, or the user cancels; what was finished stays.
    pub fn compute(
        &self,
        twin: &mut dyn Predictor,
        draw: &mut Draw<'_>,
        progress: &Progress,
        tell: &mut dyn FnMut(Standing),
    ) -> Result<(), LongRunError> {
        self.begin()?;
        let mine: Vec<usize> = (0..self.pieces.len()).filter(|&piece| self.is_mine(piece)).collect();
        let todo: Vec<usize> =
            mine.iter().copied().filter(|&piece| !self.is_there(&self.part_in(&self.folder, piece), piece)).collect();
        let all_frames = todo.iter().map(|&piece| self.pieces[piece].frames() as u64).sum();
        let conditions = mine.len() - todo.len();
        let mut standing = Standing { conditions, all_conditions: mine.len(), frames: 0, all_frames };
        progress.begin(all_frames);
        tell(standing);
        for index in todo {
            let piece = &self.pieces[index];
            let shape = [piece.frames(), self.card.units.len()];
            let mut file = NpyResponsesWriter::create(&self.part_in(&self.folder, index), &shape)?;
            // A full disk is no fault of the twin.
            let mut unwritten = None;
            let shown = show(piece, &self.card.monitor, twin, None, draw, progress, &mut |_, rows| {
                if let Err(error) = file.write(rows) {
                    unwritten = Some(error);
                    return Err(PredictError::Answer("it could not be written".to_owned()));
                }
                standing.frames += (rows.len() / shape[1].max(1)) as u64;
                tell(standing);
                Ok(())
            });
            if let Some(error) = unwritten {
                return Err(error.into());
            }
            shown?;
            file.finish()?;
            standing.conditions += 1;
            tell(standing);
        }
        Ok(())
    }

    /// Joins the conditions, which must all be there, into one array in the order of the protocol, and analyses it.
    /// What comes out is written by [`Outcome::write_tables`].
    ///
    /// # Errors
    /// When a condition is missing, or something cannot be read or written.
    pub fn finish(self) -> Result<Outcome<NpyResponses>, LongRunError> {
        self.check_complete(|piece| self.is_there(&self.part_in(&self.folder, piece), piece), &|_| {
            "; run the protocol again into the same folder".to_owned()
        })?;
        let path = self.folder.join(RESPONSES);
        let (frames, units) = (self.schedule.frames, self.card.units.len());
        self.join(&path)?;
        let responses = NpyResponses::open(&path, frames, units)?;
        let Self { protocol, card, schedule, .. } = self;
        Outcome::analysed(&protocol, card.monitor, card.units, card.provenance, schedule, responses)
            .map_err(|source| LongRunError::Read { path, source })
    }

    fn join(&self, path: &Path) -> Result<(), LongRunError> {
        let units = self.card.units.len();
        let mut order = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            piece.place(0, piece.frames(), &mut |here, there, count| order.push((there, index, here, count)));
        }
        order.sort_unstable();
        let mut whole = NpyResponsesWriter::create(path, &[self.schedule.frames, units])?;
        let mut open: Option<(usize, NpyResponses)> = None;
        for (_, index, here, count) in order {
            let part = self.part_in(&self.folder, index);
            let rows = match open.take().filter(|(opened, _)| *opened == index) {
                Some((_, rows)) => rows,
                None => NpyResponses::open(&part, self.pieces[index].frames(), units)?,
            };
            let mut written = Ok(());
            rows.each_row(here..here + count, 0, &mut |row| {
                if written.is_ok() {
                    written = whole.write(row);
                }
            })
            .map_err(|source| LongRunError::Read { path: part, source })?;
            written?;
            open = Some((index, rows));
        }
        Ok(whole.finish()?)
    }

    /// Makes the folder and says what it is going to hold. The joined responses of another run go: under the new card they
    /// would pass for those of this one.
    fn begin(&self) -> Result<(), LongRunError> {
        let parts = self.folder.join(PARTS);
        std::fs::create_dir_all(&parts).map_err(|source| LongRunError::Write { path: parts, source })?;
        let is_same = |earlier: RunCard| self.card.difference(&earlier).is_none();
        if self.card.shard.is_none() && !RunCard::of_whole(&self.folder).is_some_and(is_same) {
            let path = self.folder.join(RESPONSES);
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(LongRunError::Write { path, source });
                }
                _ => {}
            }
        }
        let path = self.folder.join(PROTOCOL);
        save::atomically(&path, |to| to.write_all(self.text.as_bytes()))
            .map_err(|source| LongRunError::Write { path, source })?;
        self.card.write(&self.folder)
    }

    fn is_mine(&self, piece: usize) -> bool {
        self.card.shard.is_none_or(|shard| shard.has(piece))
    }

    fn part_in(&self, folder: &Path, piece: usize) -> PathBuf {
        folder.join(PARTS).join(&self.card.parts[piece])
    }

    /// Whether the file of a piece is there and whole.
    fn is_there(&self, part: &Path, piece: usize) -> bool {
        part.is_file() && NpyResponses::open(part, self.pieces[piece].frames(), self.card.units.len()).is_ok()
    }

    fn check_complete(
        &self,
        is_there: impl Fn(usize) -> bool,
        hint: &dyn Fn(usize) -> String,
    ) -> Result<(), LongRunError> {
        let missing: Vec<usize> = (0..self.pieces.len()).filter(|&piece| !is_there(piece)).collect();
        let Some(&first) = missing.first() else { return Ok(()) };
        let all = self.pieces.len();
        Err(LongRunError::Missing { missing: missing.len(), all, first, hint: hint(first) })
    }
}

/// The devices of several cards, each once.
fn joined<'a>(cards: impl IntoIterator<Item = &'a RunCard>) -> String {
    let mut devices: Vec<&str> = cards.into_iter().flat_map(|card| card.provenance.device.split("; ")).collect();
    devices.sort_unstable();
    devices.dedup();
    devices.join("; ")
}

/// Puts a finished file into another folder: under a second name where the file system can, else as a copy. Nobody
/// changes a finished file; it is only ever replaced.
fn bring(from: &Path, to: &Path) -> Result<(), LongRunError> {
    // A damaged file of that name is in the way of a link.
    let linked = !to.exists() && std::fs::hard_link(from, to).is_ok();
    if linked {
        return Ok(());
    }
    let mut source =
        std::fs::File::open(from).map_err(|source| LongRunError::Read { path: from.to_owned(), source })?;
    save::atomically(to, |mut to| std::io::copy(&mut source, &mut to).map(drop))
        .map_err(|source| LongRunError::Write { path: to.to_owned(), source })
}

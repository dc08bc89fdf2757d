//! The network on the CPU forwards and backwards: what training needs.
//!
//! Only the two LSTMs loop over time; everything else runs over all frames of a clip at once, and keeps what the way
//! back needs. The way back is written by hand, layer by layer, next to the way there. Channels lie side by side in
//! memory as in the inference engine, whose products and transforms are used here too.
//!
//! Every sample is a task with memory of its own, and within a sample work is shared by frames, groups or inputs. The
//! order of all sums is fixed, so that a gradient is the same to the bit on one thread and on many.

mod activation;
mod attention;
mod bias;
mod cell;
mod convolution;
mod feedforward;
mod filters;
mod group;
mod linear;
mod modulation;
mod outer;
mod parameters;
mod perspective;
mod pool;
mod readout;
mod recurrent;
mod room;
mod small;
mod squares;
mod standardise;
mod tiles;
mod weights;
mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

pub use self::parameters::{Gradient, Parameters, Table};

use self::feedforward::Feedforward;
use self::modulation::Modulation;
use self::perspective::{Jitter, Levels, Perspective, Shown};
use self::readout::{Features, Places, Readout};
use self::recurrent::Recurrent;
use self::room::{Context, Room, Scratch};
use self::standardise::Standard;
use super::simd::Kernel;
use super::tasks::Pool;
use crate::model::twin::TwinConfig;
use crate::model::twin::network::Draws;
use crate::model::twin::parameters::layers;
use crate::signals::{Behavior, Movie, Raster};

/// Parts of a step whose time is counted, in the order of [`Differentiable::spent_ms`].
pub const PARTS: [&str; 10] = [
    "pack",
    "perspective",
    "feedforward",
    "recurrent",
    "readout",
    "readout back",
    "recurrent back",
    "feedforward back",
    "perspective back",
    "collect",
];

/// What is on the screen.
#[derive(Debug, Clone, Copy)]
pub enum Pictures<'a> {
    /// Movies side by side, in whole grey levels.
    Movie(&'a Movie),
    /// One movie in grey levels 0..=255 that need not be whole, `[frame, pixel]`: what can be changed by small steps.
    Greys {
        /// Pixels of every frame.
        raster: Raster,
        /// As many numbers as whole frames have.
        greys: &'a [f32],
    },
}

impl<'a> Pictures<'a> {
    /// Pixels of every frame.
    pub fn raster(self) -> Raster {
        match self {
            Self::Movie(movie) => movie.raster(),
            Self::Greys { raster, .. } => raster,
        }
    }

    /// Number of frames.
    pub fn frames(self) -> usize {
        match self {
            Self::Movie(movie) => movie.frames(),
            Self::Greys { raster, greys } => greys.len() / raster.pixels().max(1),
        }
    }

    /// Number of movies side by side.
    pub fn samples(self) -> usize {
        match self {
            Self::Movie(movie) => movie.samples(),
            Self::Greys { .. } => 1,
        }
    }

    fn levels(self) -> Levels<'a> {
        match self {
            Self::Movie(movie) => Levels::Whole(movie.pixels()),
            Self::Greys { greys, .. } => Levels::Between(greys),
        }
    }
}

/// What is shown, and how.
#[derive(Debug, Clone, Copy)]
pub struct Showing<'a> {
    /// What is on the screen.
    pub movie: Pictures<'a>,
    /// What the animal does meanwhile, as many frames and samples.
    pub behavior: &'a Behavior,
    /// One stream alone, or all of them and their mean.
    pub stream: Option<usize>,
    /// Random monitor pose and positions while training; `None` for the exact network.
    pub draws: Option<&'a Draws>,
}

/// A network whose gradients can be computed. It holds no parameters, only their places and working memory.
#[derive(Debug)]
pub struct Differentiable {
    kernel: Kernel,
    table: Arc<Table>,
    units: usize,
    perspective: Perspective,
    readout: Readout,
    streams: Vec<Stream>,
    /// All normalised layers, with the stream they belong to.
    standards: Vec<(Option<usize>, Standard)>,
    /// For each entry of the table: its stream, and whether it is learned.
    entries: Vec<Role>,
    /// Parameters with normalised weights in the place of the learned ones.
    effective: Vec<f32>,
    scratch: Pool<Scratch>,
    rooms: Pool<SampleRoom>,
    /// One row of gradients for each sample.
    slots: Vec<Vec<f32>>,
    /// Nanoseconds of all samples together, for each of [`PARTS`].
    spent: [AtomicU64; PARTS.len()],
}

#[derive(Debug, Clone, Copy)]
struct Role {
    stream: Option<usize>,
    learned: bool,
    /// Matters only while training.
    random: bool,
}

#[derive(Debug)]
struct Stream {
    modulation: Modulation,
    feedforward: Feedforward,
    recurrent: Recurrent,
    features: Features,
    /// Whether anything is learned in the two parts of the core.
    learns: (bool, bool),
}

/// Memory of one sample.
#[derive(Debug, Default)]
struct SampleRoom {
    perspective: perspective::Tape,
    places: Places,
    streams: Vec<StreamRoom>,
    /// Mean log-rates of the streams `[frame, unit]`, and their gradient.
    rates: Vec<f32>,
    back: Vec<f32>,
}

#[derive(Debug, Default)]
struct StreamRoom {
    modulation: modulation::Tape,
    feedforward: feedforward::Tape,
    recurrent: recurrent::Tape,
    rates: Vec<f32>,
    sums: Room,
}

impl Stream {
    fn pack(&mut self, parameters: &[f32], effective: &[f32]) {
        self.modulation.pack(parameters);
        self.feedforward.pack(effective);
        self.recurrent.pack(effective);
        self.features.pack(parameters);
    }
}

impl Differentiable {
    /// The network of these sizes, with the constants that come along with these parameters.
    pub fn new(config: &TwinConfig, parameters: &Parameters) -> Self {
        Self::with_kernel(config, parameters, Kernel::best())
    }

    /// The same with a chosen instruction set.
    ///
    /// # Panics
    /// When this machine does not have the instruction set.
    pub fn with_kernel(config: &TwinConfig, parameters: &Parameters, kernel: Kernel) -> Self {
        assert!(Kernel::available().contains(&kernel), "this machine cannot run {kernel:?}");
        let (table, layers) = (parameters.table().clone(), layers(config));
        let units = table.at("readout.position.mu").len() / 2;
        let stream = |stream: usize| {
            let feedforward = Feedforward::new(kernel, config, &layers, &table, stream);
            let recurrent = Recurrent::new(kernel, config, &layers, &table, stream, feedforward.channels());
            Stream {
                modulation: Modulation::new(config, &layers, &table, stream),
                features: Features::new(&table, stream, units, recurrent.channels()),
                feedforward,
                recurrent,
                learns: (true, true),
            }
        };
        let streams: Vec<Stream> = (0..config.streams).map(stream).collect();
        let mut standards = Vec::new();
        for layer in &layers {
            for stream in 0..if layer.shared { 1 } else { config.streams } {
                let owner = (!layer.shared).then_some(stream);
                standards.extend(Standard::new(layer, &table, stream).map(|standard| (owner, standard)));
            }
        }
        let role = |key: &str| Role {
            stream: stream_of(key),
            learned: true,
            random: key.ends_with("_std") || key == "readout.position.sigma",
        };
        let mut network = Self {
            kernel,
            units,
            perspective: Perspective::new(config, &layers, parameters),
            readout: Readout::new(&table, config.map(), units),
            streams,
            standards,
            entries: table.entries().iter().map(|entry| role(&entry.key)).collect(),
            effective: vec![0.0; table.len()],
            scratch: Pool::new(),
            rooms: Pool::new(),
            slots: Vec::new(),
            spent: Default::default(),
            table,
        };
        network.freeze(&[]);
        network
    }

    /// Leaves the parameters whose names begin with one of these as they are: their gradients are not computed, nor is
    /// anything that only they need. Replaces an earlier choice.
    pub fn freeze(&mut self, prefixes: &[&str]) {
        let frozen = |key: &str| prefixes.iter().any(|prefix| key.starts_with(prefix));
        for (role, entry) in self.entries.iter_mut().zip(self.table.entries()) {
            role.learned = !frozen(&entry.key);
        }
        let keys: Vec<&str> = self.table.entries().iter().map(|entry| entry.key.as_str()).collect();
        let learned = |name: &str| {
            let of = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            keys.iter().any(|key| of(key) && !frozen(key))
        };
        self.perspective.learns = learned("perspective");
        self.readout.learns = learned("readout.position");
        for stream in &mut self.streams {
            stream.learns = (stream.feedforward.learn(&learned), stream.recurrent.learn(&learned));
            stream.modulation.learns = learned("modulation");
            stream.features.learns = learned("readout.feature") || learned("readout.biases");
        }
    }

    /// Where the numbers of each entry stand.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of streams.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Time spent in each of [`PARTS`] so far, in ms, summed over samples (which may run side by side).
    pub fn spent_ms(&self) -> [f64; PARTS.len()] {
        std::array::from_fn(|part| self.spent[part].load(Ordering::Relaxed) as f64 * 1e-6)
    }

    /// Counts the time since `start` for a part, and starts again.
    fn count(&self, part: usize, start: &mut Instant) {
        let now = Instant::now();
        self.spent[part].fetch_add((now - *start).as_nanos() as u64, Ordering::Relaxed);
        *start = now;
    }

    /// Log-rates `[frame, sample, unit]`. The memory needed grows with the frames: long movies are for the inference
    /// engine.
    ///
    /// # Panics
    /// When behaviour and movie differ in frames or samples, there is no such stream, or the draws are too few.
    pub fn log_rates(&mut self, parameters: &Parameters, showing: Showing<'_>) -> Vec<f32> {
        let (frames, samples) = self.check(&showing);
        self.pack(parameters, showing.stream);
        let mut rates = vec![0.0; frames * samples * self.units];
        let all = super::buffer::Shared::new(&mut rates);
        if frames > 0 {
            self.each_sample(samples, |sample, room, context| {
                self.sample_forward(context, parameters, showing, sample, room);
                for (frame, from) in room.rates.chunks_exact(self.units).enumerate() {
                    let at = (frame * samples + sample) * self.units;
                    // SAFETY: samples write rows of their own, inside `rates`.
                    unsafe { std::slice::from_raw_parts_mut(all.at(at), self.units).copy_from_slice(from) };
                }
            });
        }
        rates
    }

    /// The sum over samples of `loss(sample, log-rates, their gradient)`, both `[frame, unit]`, and its gradient with
    /// respect to every parameter that is learned and has part in it.
    ///
    /// # Panics
    /// As [`Self::log_rates`], and when there is no frame.
    pub fn gradient(
        &mut self,
        parameters: &Parameters,
        showing: Showing<'_>,
        loss: impl Fn(usize, &[f32], &mut [f32]) -> f64 + Sync,
        gradient: &mut Gradient,
    ) -> f64 {
        let (frames, samples) = self.check(&showing);
        assert!(frames > 0, "a gradient needs a frame");
        self.pack(parameters, showing.stream);
        let mut slots = std::mem::take(&mut self.slots);
        let len = self.table.len();
        slots.resize_with(samples.max(slots.len()), || vec![0.0; len]);
        let mut losses = vec![0.0; samples];
        {
            let (slots, losses) = (Slots(slots.as_mut_ptr()), Slots(losses.as_mut_ptr()));
            self.each_sample(samples, |sample, room, context| {
                // SAFETY: samples have slots of their own.
                let (slot, value) = unsafe { (slots.at(sample), losses.at(sample)) };
                slot.fill(0.0);
                self.sample_forward(context, parameters, showing, sample, room);
                room.back.resize(room.rates.len(), 0.0);
                *value = loss(sample, &room.rates, &mut room.back);
                self.sample_backward(context, showing, sample, room, slot, None);
            });
        }
        self.collect(parameters, showing, &slots[..samples], gradient);
        self.slots = slots;
        losses.iter().sum()
    }

    /// `loss(log-rates, their gradient)`, both `[frame, unit]`, and its gradient with respect to every grey level
    /// `[frame, pixel]`, per level. A network whose parameters are all frozen computes nothing else.
    ///
    /// # Panics
    /// As [`Self::log_rates`]; when there is no frame, more than one movie, or another number of pixels in `back`.
    pub fn grey_gradient(
        &mut self,
        parameters: &Parameters,
        showing: Showing<'_>,
        loss: impl Fn(&[f32], &mut [f32]) -> f64 + Sync,
        back: &mut [f32],
    ) -> f64 {
        let (frames, samples) = self.check(&showing);
        assert!(frames > 0 && samples == 1, "one movie");
        assert_eq!(back.len(), frames * showing.movie.raster().pixels(), "a gradient for every pixel");
        self.pack(parameters, showing.stream);
        let mut slots = std::mem::take(&mut self.slots);
        let len = self.table.len();
        slots.resize_with(slots.len().max(1), || vec![0.0; len]);
        let context =
            Context { kernel: self.kernel, parallel: rayon::current_num_threads() > 1, scratch: &self.scratch };
        let value = self.rooms.with(SampleRoom::default, |room| {
            self.sample_forward(context, parameters, showing, 0, room);
            room.back.resize(room.rates.len(), 0.0);
            let value = loss(&room.rates, &mut room.back);
            self.sample_backward(context, showing, 0, room, &mut slots[0], Some(back));
            value
        });
        self.slots = slots;
        value
    }

    fn check(&self, showing: &Showing<'_>) -> (usize, usize) {
        let (frames, samples) = (showing.movie.frames(), showing.movie.samples());
        assert_eq!((showing.behavior.frames(), showing.behavior.samples()), (frames, samples), "behaviour of a movie");
        assert!(showing.stream.is_none_or(|stream| stream < self.streams.len()), "a stream of this network");
        if let Some(draws) = showing.draws {
            let enough = draws.center.len() >= samples && draws.angle.len() >= samples;
            assert!(enough && draws.position.len() >= samples * self.units, "draws for all samples and units");
        }
        assert!(frames == 0 || showing.movie.raster().pixels() > 0, "a frame needs at least one pixel");
        (frames, samples)
    }

    /// Streams that run.
    fn running(&self, stream: Option<usize>) -> std::ops::Range<usize> {
        stream.map_or(0..self.streams.len(), |stream| stream..stream + 1)
    }

    /// Normalises and packs the weights of the streams that run.
    fn pack(&mut self, parameters: &Parameters, stream: Option<usize>) {
        let mut clock = Instant::now();
        let values = parameters.values();
        assert_eq!(values.len(), self.table.len(), "parameters of this network");
        self.effective.copy_from_slice(values);
        let running = self.running(stream);
        for (owner, standard) in &self.standards {
            if owner.is_some_and(|owner| running.contains(&owner)) {
                standard.each(values, |place, weight| self.effective[place] = weight as f32);
            }
        }
        self.perspective.pack(values);
        for stream in &mut self.streams[running] {
            stream.pack(values, &self.effective);
        }
        self.count(0, &mut clock);
    }

    fn each_sample(&self, samples: usize, task: impl Fn(usize, &mut SampleRoom, Context<'_>) + Sync) {
        let threads = rayon::current_num_threads();
        let context = Context { kernel: self.kernel, parallel: samples < threads, scratch: &self.scratch };
        let run = |sample| self.rooms.with(SampleRoom::default, |room| task(sample, room, context));
        if samples > 1 {
            (0..samples).into_par_iter().with_max_len(1).for_each(run);
        } else {
            (0..samples).for_each(run);
        }
    }

    fn sample_forward(
        &self,
        context: Context<'_>,
        parameters: &Parameters,
        showing: Showing<'_>,
        sample: usize,
        room: &mut SampleRoom,
    ) {
        let (frames, running) = (showing.movie.frames(), self.running(showing.stream));
        let mut clock = Instant::now();
        let gaze = (0..frames).map(|frame| &showing.behavior.gaze(frame)[sample]);
        let (shown, jitter) = self.shown(showing, sample);
        self.perspective.forward(context, shown, gaze, jitter, &mut room.perspective);
        let positions = showing.draws.map(|draws| &draws.position[sample * self.units..(sample + 1) * self.units]);
        self.readout.aim(parameters.values(), positions, &mut room.places);
        self.count(1, &mut clock);
        room.streams.resize_with(self.streams.len(), StreamRoom::default);
        let count = running.len();
        room.rates.clear();
        room.rates.resize(frames * self.units, 0.0);
        for stream in running {
            let (room_of, stream) = (&mut room.streams[stream], &self.streams[stream]);
            let StreamRoom { modulation, feedforward, recurrent, rates, .. } = room_of;
            let behavior = (0..frames).map(|frame| &showing.behavior.state(frame)[sample]);
            stream.modulation.forward(behavior, modulation);
            stream.feedforward.forward(context, frames, &mut room.perspective.out, feedforward);
            self.count(2, &mut clock);
            stream.recurrent.forward(context, frames, &mut feedforward.out, &modulation.out, recurrent);
            self.count(3, &mut clock);
            rates.resize(frames * self.units, 0.0);
            let from = (&room.places, &stream.features);
            self.readout.forward(context, (frames, parameters.values()), from, &recurrent.out, rates);
            self.count(4, &mut clock);
            room.rates.iter_mut().zip(rates).for_each(|(mean, &mut rate)| *mean += rate);
        }
        if count > 1 {
            room.rates.iter_mut().for_each(|rate| *rate /= count as f32);
        }
    }

    fn shown<'a>(&self, showing: Showing<'a>, sample: usize) -> (Shown<'a>, Jitter) {
        let movie = showing.movie;
        let shown = Shown { raster: movie.raster(), levels: movie.levels(), sample: (sample, movie.samples()) };
        let wide = |v: [f32; 3]| v.map(f64::from);
        (shown, showing.draws.map(|draws| (wide(draws.center[sample]), wide(draws.angle[sample]))))
    }

    fn sample_backward(
        &self,
        context: Context<'_>,
        showing: Showing<'_>,
        sample: usize,
        room: &mut SampleRoom,
        slot: &mut [f32],
        greys_back: Option<&mut [f32]>,
    ) {
        let (frames, running) = (showing.movie.frames(), self.running(showing.stream));
        let positions = showing.draws.map(|draws| &draws.position[sample * self.units..(sample + 1) * self.units]);
        let (shown, jitter) = self.shown(showing, sample);
        let mut clock = Instant::now();
        if running.len() > 1 {
            let share = 1.0 / running.len() as f32;
            room.back.iter_mut().for_each(|back| *back *= share);
        }
        let sees = self.perspective.learns || greys_back.is_some();
        if sees {
            room.perspective.out_back.zeros(frames * self.perspective.pixels());
        }
        for stream in running {
            let (room_of, stream) = (&mut room.streams[stream], &self.streams[stream]);
            let StreamRoom { modulation, feedforward, recurrent, sums, .. } = room_of;
            let needs_input = sees || stream.learns.0;
            let needs_core = needs_input || stream.learns.1 || stream.modulation.learns;
            let size = frames * stream.recurrent.map().pixels() * stream.recurrent.channels();
            let core_back = needs_core.then(|| recurrent.out_back.fit(size));
            let what = (&room.places, &stream.features);
            let core = (&*recurrent.out, core_back);
            self.readout.backward(context, frames, what, core, (&room.back, positions), sums, slot);
            self.count(5, &mut clock);
            if !needs_core {
                continue;
            }
            let feedforward::Tape { out, out_back, .. } = feedforward;
            let to = needs_input.then_some(out_back);
            stream.recurrent.backward(context, frames, out, &modulation.out, recurrent, slot, to);
            if stream.modulation.learns {
                stream.modulation.backward(&recurrent.modulation_back, modulation, slot);
            }
            self.count(6, &mut clock);
            if needs_input {
                let perspective::Tape { out, out_back, .. } = &mut room.perspective;
                stream.feedforward.backward(context, frames, out, feedforward, slot, sees.then_some(out_back));
            }
            self.count(7, &mut clock);
        }
        if self.perspective.learns {
            self.perspective.backward(context, shown, jitter, &mut room.perspective, slot);
        }
        if let Some(back) = greys_back {
            self.perspective.greys_backward(context, shown, &room.perspective, back);
        }
        self.count(8, &mut clock);
    }

    /// Adds up the samples, always in the same order, and goes back through the normalisation.
    fn collect(&self, parameters: &Parameters, showing: Showing<'_>, slots: &[Vec<f32>], gradient: &mut Gradient) {
        let (running, mut clock) = (self.running(showing.stream), Instant::now());
        const PIECE: usize = 1 << 14;
        gradient.values.par_chunks_mut(PIECE).enumerate().for_each(|(piece, values)| {
            let at = piece * PIECE..piece * PIECE + values.len();
            values.copy_from_slice(&slots[0][at.clone()]);
            for slot in &slots[1..] {
                values.iter_mut().zip(&slot[at.clone()]).for_each(|(sum, value)| *sum += value);
            }
        });
        for (owner, standard) in &self.standards {
            if owner.is_none_or(|owner| running.contains(&owner)) {
                standard.back(parameters.values(), &mut gradient.values);
            }
        }
        for (index, role) in self.entries.iter().enumerate() {
            let runs = role.stream.is_none_or(|stream| running.contains(&stream));
            let present = role.learned && runs && (!role.random || showing.draws.is_some());
            gradient.present[index] = present;
            if !present {
                gradient.values[self.table.range(index)].fill(0.0);
            }
        }
        self.count(9, &mut clock);
    }
}

/// The stream that an entry belongs to; `None` for what all streams share.
fn stream_of(key: &str) -> Option<usize> {
    let (name, stream) = key.rsplit_once('.')?;
    let shared = name.starts_with("perspective.") || name.starts_with("readout.position");
    if shared { None } else { stream.parse().ok() }
}

/// Places that tasks write one each.
struct Slots<T>(*mut T);
// SAFETY: every task writes a place of its own.
unsafe impl<T: Send> Sync for Slots<T> {}

impl<T> Slots<T> {
    /// One place.
    ///
    /// # Safety
    /// The place exists, and no other task asks for it.
    #[allow(clippy::mut_from_ref, reason = "every task has a place of its own")]
    unsafe fn at(&self, index: usize) -> &mut T {
        // SAFETY: the caller's.
        unsafe { &mut *self.0.add(index) }
    }
}

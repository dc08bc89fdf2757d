//! The CPU inference engine: one frame in, one response out, nothing allocated in between.
//!
//! The network is that of `model::twin::network`, executed for speed: weights are normalised, reordered and packed once;
//! channels lie side by side in memory, so that every layer is one kind of product between pixels and packed weights;
//! 3 x 3 convolutions go through Winograd's transform; and each stream runs from the retina to its readout without
//! waiting for the others. It is not differentiable: [`gradient`] is, on the same products and transforms.
//!
//! Every frame is computed the same way whatever came before or beside it: a movie may be cut into chunks, continued or
//! branched, and a batch equals its members alone, bit for bit.

mod buffer;
mod channels;
mod convolution;
mod effective;
mod feedforward;
pub mod gradient;
pub(in crate::model) mod math;
mod modulation;
mod perspective;
pub(in crate::model) mod product;
mod readout;
mod recurrent;
pub(in crate::model) mod simd;
mod tasks;
mod winograd;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use self::buffer::Buffer;
use self::feedforward::{Feedforward, History, Parts};
use self::modulation::{Modulation, ModulationState};
use self::perspective::{Grid, Perspective};
use self::readout::{Place, Readout};
use self::recurrent::{Between, Recurrent, RecurrentState};
pub use self::simd::Kernel;
use self::tasks::{Pool, Workspace};
use super::config::{ConfigError, TwinConfig};
use super::parameters::{entries, layers};
use crate::model::weights::StateDict;
use crate::signals::Raster;

/// Why weights cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The sizes describe no network.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A tensor is not there.
    #[error("the weights have no `{key}`; they belong to another network or are incomplete")]
    Missing {
        /// Name of the tensor.
        key: String,
    },
    /// A tensor has another size.
    #[error("`{key}` has the shape {found:?} in the weights, but this network needs {expected:?}")]
    Shape {
        /// Name of the tensor.
        key: String,
        /// Shape in the weights.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// Nobody to answer.
    #[error("a network without units has nothing to answer; give it at least one")]
    Units,
    /// There is no such stream.
    #[error("stream {stream} was asked for, but the network has streams 0 to {}", streams - 1)]
    Stream {
        /// Stream asked for.
        stream: usize,
        /// Streams of the network.
        streams: usize,
    },
}

/// Intermediate results by name, of one stream and sample or of a whole frame.
type Probe = BTreeMap<String, Vec<f32>>;

/// Everything that [`Engine::step_probed`] hands out, by name; stream-major where there are streams.
///
/// Stages: `perspective [N, Hr, Wr]`, `rotation [N, 3, 3]`, `monitor_grid [N, Hr, Wr, 2]`, `modulation [N, S*F]`,
/// `feedforward` and `recurrent [N, S*C, H, W]`, `readout [N, S, U]`, `attention [N, S, G, H*W, H*W]`;
/// state after the frame: `h`, `c`, `mod_h`, `mod_c`; outputs of layers that exist in
/// memory: `layer.<name in the state dict>`; the concatenated input of the recurrent convolution:
/// `input.core.recurrent.conv`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stages {
    tensors: Probe,
}

impl Stages {
    /// One result, if the engine has it.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.tensors.get(name).map(Vec::as_slice)
    }

    /// Names of all results.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }
}

/// The number of the next engine.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Parts of a frame whose time is counted, in the order of [`Engine::spent_ms`].
pub const PARTS: [&str; 4] = ["perspective", "feedforward", "recurrent", "readout"];

/// A network ready to run. Immutable: share it between threads and movies.
#[derive(Debug)]
pub struct Engine {
    /// Tells engines apart; no two of a process have the same.
    id: u64,
    kernel: Kernel,
    config: TwinConfig,
    perspective: Perspective,
    streams: Vec<Stream>,
    places: Vec<Place>,
    room: (usize, usize),
    workspaces: Pool<Workspace>,
    stream_rooms: Pool<StreamRoom>,
    frame_rooms: Pool<FrameRoom>,
    /// Nanoseconds of all threads together, for each of [`PARTS`].
    spent: [AtomicU64; PARTS.len()],
}

#[derive(Debug)]
struct Stream {
    modulation: Modulation,
    feedforward: Feedforward,
    recurrent: Recurrent,
    readout: Readout,
}

/// What the network remembers of a movie: a value. A clone is a branch that goes its own way.
#[derive(Debug, Clone)]
pub struct EngineState {
    /// The engine whose sizes these memories have: kernels read them unchecked.
    engine: u64,
    samples: usize,
    time: usize,
    /// For each sample.
    grids: Vec<Arc<Grid>>,
    /// `[stream, sample]`: a stream's weights serve all samples before the next stream's are needed.
    memories: Vec<Memory>,
}

impl EngineState {
    /// Movies side by side.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Frames seen so far.
    pub fn frames(&self) -> usize {
        self.time
    }
}

#[derive(Debug, Clone)]
struct Memory {
    modulation: ModulationState,
    history: History,
    recurrent: RecurrentState,
}

/// Scratch of one stream.
#[derive(Debug)]
struct StreamRoom {
    parts: Parts,
    between: Between,
    modulation: Vec<f32>,
    feedforward: Buffer,
    core: Buffer,
}

/// Scratch of one frame.
#[derive(Debug, Default)]
struct FrameRoom {
    screens: Vec<Buffer>,
    retinas: Vec<Buffer>,
    /// `[stream, sample, unit]`.
    readout: Vec<f32>,
}

impl FrameRoom {
    fn fit(&mut self, samples: usize, screen: usize, retina: usize, readout: usize) {
        if self.screens.first().is_none_or(|first| first.len() != screen) {
            self.screens.clear();
        }
        self.screens.resize_with(samples.max(self.screens.len()), || Buffer::zeros(screen));
        self.retinas.resize_with(samples.max(self.retinas.len()), || Buffer::zeros(retina));
        self.readout.resize(readout, 0.0);
    }
}

impl Engine {
    /// Prepares the weights. `stream`: all streams averaged, or only one. What lies beside the screen is told by
    /// `config.periphery`.
    ///
    /// # Errors
    /// When the configuration is impossible, there are no units, or a tensor is missing or has another shape.
    pub fn new(
        config: &TwinConfig,
        state: &StateDict,
        units: usize,
        stream: Option<usize>,
    ) -> Result<Self, EngineError> {
        Self::with_kernel(config, state, units, stream, Kernel::best())
    }

    /// The same with a chosen instruction set, which must be one of [`Kernel::available`].
    ///
    /// # Errors
    /// As [`Self::new`].
    ///
    /// # Panics
    /// When this machine does not have the instruction set.
    pub fn with_kernel(
        config: &TwinConfig,
        state: &StateDict,
        units: usize,
        stream: Option<usize>,
        kernel: Kernel,
    ) -> Result<Self, EngineError> {
        assert!(Kernel::available().contains(&kernel), "this machine cannot run {kernel:?}");
        config.check()?;
        if units == 0 {
            return Err(EngineError::Units);
        }
        if let Some(stream) = stream.filter(|&stream| stream >= config.streams) {
            return Err(EngineError::Stream { stream, streams: config.streams });
        }
        for entry in entries(config, units) {
            let Some(tensor) = state.tensors.get(&entry.key) else {
                return Err(EngineError::Missing { key: entry.key });
            };
            if tensor.shape != entry.shape || tensor.values.len() != entry.len() {
                let (found, expected) = (tensor.shape.clone(), entry.shape);
                return Err(EngineError::Shape { key: entry.key, found, expected });
            }
        }
        let layers = layers(config);
        let chosen: Vec<usize> = stream.map_or_else(|| (0..config.streams).collect(), |stream| vec![stream]);
        let prepare = |&stream: &usize| {
            let feedforward = Feedforward::new(kernel, config, &layers, state, stream);
            let recurrent = Recurrent::new(kernel, config, &layers, state, stream, feedforward.channels());
            let readout = Readout::new(kernel, state, stream, recurrent.channels());
            Stream { modulation: Modulation::new(&layers, state, stream), feedforward, recurrent, readout }
        };
        let streams: Vec<Stream> = chosen.iter().map(prepare).collect();
        let first = &streams[0];
        let (a, b) = (first.feedforward.room(), first.recurrent.room());
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            kernel,
            config: config.clone(),
            perspective: Perspective::new(config, &layers, state),
            places: readout::places(state, config.map()),
            room: (a.0.max(b.0), a.1.max(b.1)),
            streams,
            workspaces: Pool::new(),
            stream_rooms: Pool::new(),
            frame_rooms: Pool::new(),
            spent: Default::default(),
        })
    }

    /// Units that answer.
    pub fn units(&self) -> usize {
        self.places.len()
    }

    /// Bytes of the prepared weights.
    pub fn bytes(&self) -> usize {
        let stream = |s: &Stream| s.feedforward.bytes() + s.recurrent.bytes() + s.readout.bytes();
        self.streams.iter().map(stream).sum()
    }

    /// Time spent in each of [`PARTS`] since the engine was made, in ms, summed over streams and samples (which may run
    /// side by side). For benchmarks.
    pub fn spent_ms(&self) -> [f64; PARTS.len()] {
        std::array::from_fn(|part| self.spent[part].load(Ordering::Relaxed) as f64 * 1e-6)
    }

    /// Counts the time since `start` for a part, and starts again.
    fn count(&self, part: usize, start: &mut Instant) {
        let now = Instant::now();
        self.spent[part].fetch_add((now - *start).as_nanos() as u64, Ordering::Relaxed);
        *start = now;
    }

    /// The state before the first frame, for so many movies side by side.
    pub fn start(&self, samples: usize) -> EngineState {
        let memory = |stream: &Stream| Memory {
            modulation: Modulation::start(&self.config),
            history: stream.feedforward.start(),
            recurrent: stream.recurrent.start(),
        };
        EngineState {
            engine: self.id,
            samples,
            time: 0,
            grids: (0..samples).map(|_| Arc::default()).collect(),
            memories: self.streams.iter().flat_map(|stream| (0..samples).map(move |_| memory(stream))).collect(),
        }
    }

    /// One frame. `frame` is u8 `[sample, height, width]`, `gaze` (pupil x, y) and `behavior` (pupil radius, velocity)
    /// are `[sample]`; `response` is `[sample, unit]`.
    ///
    /// # Panics
    /// When the state was started by another engine, or a length does not fit its number of samples.
    pub fn step(
        &self,
        state: &mut EngineState,
        raster: Raster,
        frame: &[u8],
        gaze: &[[f32; 2]],
        behavior: &[[f32; 2]],
        response: &mut [f32],
    ) {
        self.advance(state, raster, frame, gaze, behavior, response, None);
    }

    /// The same, and everything on the way: for tests.
    ///
    /// # Panics
    /// As [`Self::step`].
    pub fn step_probed(
        &self,
        state: &mut EngineState,
        raster: Raster,
        frame: &[u8],
        gaze: &[[f32; 2]],
        behavior: &[[f32; 2]],
        response: &mut [f32],
    ) -> Stages {
        let mut stages = Stages::default();
        self.advance(state, raster, frame, gaze, behavior, response, Some(&mut stages));
        stages
    }

    #[allow(clippy::too_many_arguments, reason = "the arguments of `step` and a probe")]
    fn advance(
        &self,
        state: &mut EngineState,
        raster: Raster,
        frame: &[u8],
        gaze: &[[f32; 2]],
        behavior: &[[f32; 2]],
        response: &mut [f32],
        stages: Option<&mut Stages>,
    ) {
        assert_eq!(state.engine, self.id, "a state belongs to the engine that started it");
        let (samples, units) = (state.samples, self.units());
        assert!(raster.pixels() > 0, "a frame needs at least one pixel");
        assert_eq!(frame.len(), samples * raster.pixels(), "pixels of {samples} frames");
        assert_eq!(gaze.len(), samples, "gaze of every sample");
        assert_eq!(behavior.len(), samples, "behaviour of every sample");
        assert_eq!(response.len(), samples * units, "responses of every sample and unit");
        self.frame_rooms.with(FrameRoom::default, |room| {
            let retina = self.perspective.bordered().pixels();
            let readout = self.streams.len() * samples * units;
            room.fit(samples, Perspective::screen_len(raster), retina, readout);
            let FrameRoom { screens, retinas, readout } = room;
            let mut clock = Instant::now();
            for (sample, frame) in frame.chunks_exact(raster.pixels()).enumerate() {
                let (grid, screen) = (&mut state.grids[sample], &mut screens[sample]);
                self.perspective.aim(grid, gaze[sample], raster);
                self.perspective.light(raster, frame, screen);
                self.perspective.see(self.kernel, grid, raster, screen, &mut retinas[sample]);
            }

            self.count(0, &mut clock);
            let tasks = state.memories.len();
            let threads = rayon::current_num_threads();
            // Streams of their own keep every thread busy when they can be dealt out evenly.
            let inner = threads > 1 && (tasks < threads || (!tasks.is_multiple_of(threads) && tasks < 4 * threads));
            let time = state.time;
            let run = |index: usize, memory: &mut Memory, log_rates: &mut [f32], probe: Option<&mut Probe>| {
                let (stream, sample) = (&self.streams[index / samples], index % samples);
                let make = || self.stream_room();
                self.stream_rooms.with(make, |room| {
                    self.stream(
                        stream,
                        &retinas[sample],
                        behavior[sample],
                        time,
                        memory,
                        room,
                        inner,
                        log_rates,
                        probe,
                    );
                });
            };
            match stages {
                None => {
                    let tasks = state.memories.par_iter_mut().zip(readout.par_chunks_exact_mut(units.max(1)));
                    tasks.enumerate().with_max_len(1).for_each(|(i, (memory, out))| run(i, memory, out, None));
                }
                Some(stages) => {
                    let mut probes = vec![Probe::new(); tasks];
                    for (i, memory) in state.memories.iter_mut().enumerate() {
                        run(i, memory, &mut readout[i * units..(i + 1) * units], Some(&mut probes[i]));
                    }
                    self.collect(stages, &probes, samples, readout, retinas, gaze);
                }
            }
            let streams = self.streams.len();
            for (sample, response) in response.chunks_exact_mut(units.max(1)).enumerate() {
                for (unit, response) in response.iter_mut().enumerate() {
                    let at = |stream: usize| f64::from(readout[(stream * samples + sample) * units + unit]);
                    *response = ((0..streams).map(at).sum::<f64>() / streams as f64).exp() as f32;
                }
            }
        });
        state.time += 1;
    }

    fn stream_room(&self) -> StreamRoom {
        let stream = &self.streams[0];
        let pixels = self.config.map().pixels();
        StreamRoom {
            parts: stream.feedforward.parts(),
            between: stream.recurrent.between(),
            modulation: vec![0.0; Modulation::room(&self.config)],
            feedforward: Buffer::zeros(pixels * stream.feedforward.channels().stride()),
            core: Buffer::zeros(pixels * stream.recurrent.channels().stride()),
        }
    }

    /// One stream of one sample, from the retina to the log-rates.
    #[allow(clippy::too_many_arguments, reason = "inputs, state, scratch and output of one stream")]
    fn stream(
        &self,
        stream: &Stream,
        retina: &Buffer,
        behavior: [f32; 2],
        time: usize,
        memory: &mut Memory,
        room: &mut StreamRoom,
        inner: bool,
        log_rates: &mut [f32],
        mut probe: Option<&mut Probe>,
    ) {
        let mut clock = Instant::now();
        let StreamRoom { parts, between, modulation, feedforward, core } = room;
        stream.modulation.step(&mut memory.modulation, behavior, modulation);
        stream.feedforward.run(
            retina,
            time,
            &mut memory.history,
            parts,
            &self.workspaces,
            self.room,
            inner,
            feedforward,
            probe.as_deref_mut(),
        );
        self.count(1, &mut clock);
        stream.recurrent.run(
            feedforward,
            &memory.modulation.h,
            &mut memory.recurrent,
            between,
            &self.workspaces,
            self.room,
            inner,
            core,
            probe.as_deref_mut(),
        );
        self.count(2, &mut clock);
        const UNITS: usize = 512;
        if inner {
            let chunks = log_rates.par_chunks_mut(UNITS).enumerate();
            chunks.for_each(|(i, out)| stream.readout.run(&self.places, core, i * UNITS, out));
        } else {
            stream.readout.run(&self.places, core, 0, log_rates);
        }
        self.count(3, &mut clock);
        if let Some(probe) = probe {
            let mut add = |name: &str, values: Vec<f32>| probe.insert(name.to_owned(), values);
            add("modulation", memory.modulation.h.clone());
            add("mod_h", memory.modulation.h.clone());
            add("mod_c", memory.modulation.c.clone());
            add("feedforward", stream.feedforward.channels().gather(feedforward));
            add("recurrent", stream.recurrent.channels().gather(core));
            add("readout", log_rates.to_vec());
        }
    }

    /// Joins the probes of all streams and samples, samples first.
    fn collect(
        &self,
        stages: &mut Stages,
        probes: &[Probe],
        samples: usize,
        readout: &[f32],
        retinas: &[Buffer],
        gaze: &[[f32; 2]],
    ) {
        debug_assert_eq!(readout.len(), probes.len() * self.units());
        for sample in 0..samples {
            let mut add = |name: &str, values: &[f32]| {
                stages.tensors.entry(name.to_owned()).or_default().extend_from_slice(values);
            };
            add("perspective", &self.perspective.inside(&retinas[sample]));
            let rotation = self.perspective.eye(gaze[sample]).concat();
            add("rotation", &rotation.iter().map(|&v| v as f32).collect::<Vec<_>>());
            let point = self.perspective.points(gaze[sample]);
            let pixels = 0..self.perspective.pixels();
            let points: Vec<f32> = pixels.flat_map(point).map(|v| v as f32).collect();
            add("monitor_grid", &points);
            for stream in 0..self.streams.len() {
                for (name, values) in &probes[stream * samples + sample] {
                    add(name, values);
                }
            }
        }
    }
}

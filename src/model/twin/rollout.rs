//! A twin on a device, shown movies.
//!
//! The state is a value: a rollout can be continued, branched (clone it) and streamed in chunks of any size.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Tensor, TensorData};

use super::engine::{Engine, EngineError, EngineState};
use super::network::{Frame, Network, NetworkError, Run, State};
use super::{Periphery, TwinConfig};
use crate::gpu::ComputeDevice;
use crate::job::{Cancelled, Progress};
use crate::model::weights::TwinWeights;
use crate::signals::{Behavior, FrameSource, Raster, SourceError};

/// Frames that lie on the device at once; the answers to them are read together.
const UPLOAD_FRAMES: usize = 64;

/// Why a twin could not be opened or shown a movie.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// There is no such stream.
    #[error("stream {stream} was asked of a twin with {streams} streams (0 to {})", streams - 1)]
    Stream {
        /// Stream asked for.
        stream: usize,
        /// Streams of the twin.
        streams: usize,
    },
    /// Batch sizes that do not fit together.
    #[error("the movie has {movie} samples and the behaviour {behavior}: they must be equal, or one of them 1")]
    Samples {
        /// Samples of the movie.
        movie: usize,
        /// Samples of the behaviour.
        behavior: usize,
    },
    /// Behaviour that ends before the movie.
    #[error("the behaviour has {behavior} frames but the movie {movie}: give one value a frame")]
    Frames {
        /// Frames of the movie.
        movie: usize,
        /// Frames of the behaviour.
        behavior: usize,
    },
    /// A memory of something else.
    #[error("this state was started by another twin: a movie can only go on in the twin that began it")]
    State,
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The movie could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The device failed; the message is its own.
    #[error("the GPU could not finish the prediction ({0}); try the CPU, or a smaller batch")]
    Device(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Takes responses as they come: the first frame of a piece, and its rows `[frame, sample, unit]`.
pub type Sink<'a, E> = dyn FnMut(usize, &[f32]) -> Result<(), E> + 'a;

/// How a twin is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TwinOptions {
    /// Only this stream instead of the mean over all.
    pub stream: Option<usize>,
    /// Periphery instead of the configured one.
    pub periphery: Option<Periphery>,
}

/// The number of the next twin.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Weights made ready on a device.
pub struct Twin {
    /// Tells twins apart; no two of a process have the same.
    id: u64,
    weights: Arc<TwinWeights>,
    options: TwinOptions,
    device: String,
    body: Body,
}

enum Body {
    Engine(Box<Engine>),
    Network { network: Box<Network>, device: burn::tensor::Device },
}

/// All that a twin remembers of what it saw; clone it to branch.
#[derive(Clone)]
pub struct TwinState {
    /// The twin that started it.
    twin: u64,
    samples: usize,
    memory: Memory,
}

#[derive(Clone)]
enum Memory {
    Engine(EngineState),
    Network(Box<State>),
}

impl TwinState {
    /// Movies shown side by side.
    pub fn samples(&self) -> usize {
        self.samples
    }
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twin").field("card", &self.weights.card).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Twin {
    /// Prepares the weights on a device: the CPU engine on the CPU, burn modules on a GPU.
    ///
    /// # Errors
    /// When the stream does not exist or the device refuses.
    pub fn open(weights: Arc<TwinWeights>, device: &ComputeDevice, options: TwinOptions) -> Result<Self, TwinError> {
        let streams = weights.config.streams;
        if let Some(stream) = options.stream.filter(|&stream| stream >= streams) {
            return Err(TwinError::Stream { stream, streams });
        }
        let config =
            TwinConfig { periphery: options.periphery.unwrap_or(weights.config.periphery), ..weights.config.clone() };
        let units = weights.units.len();
        let body = match device {
            ComputeDevice::Cpu => Body::Engine(Box::new(Engine::new(&config, &weights.state, units, options.stream)?)),
            ComputeDevice::Gpu(gpu) => {
                let network = Box::new(Network::new(&config, &weights.state, units, &gpu.burn)?);
                Body::Network { network, device: gpu.burn.clone() }
            }
        };
        Ok(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), weights, options, device: device.name(), body })
    }

    /// The device, in words.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The weights.
    pub fn weights(&self) -> &Arc<TwinWeights> {
        &self.weights
    }

    /// Responses in one row.
    pub fn units(&self) -> usize {
        self.weights.units.len()
    }

    /// The memory of a twin that has seen nothing, for a batch.
    pub fn start(&self, samples: usize) -> TwinState {
        let memory = match &self.body {
            Body::Engine(engine) => Memory::Engine(engine.start(samples)),
            Body::Network { network, .. } => {
                Memory::Network(Box::new(network.start(&Run { samples, stream: self.options.stream, training: None })))
            }
        };
        TwinState { twin: self.id, samples, memory }
    }

    /// Shows frames of a source and appends the responses, `[frame, sample, unit]`. `behavior` is indexed by the
    /// same frame numbers. A single movie or a single animal is broadcast over the batch of the state.
    ///
    /// # Errors
    /// When the state is another twin's, the source cannot be read, sizes do not fit, or the device fails.
    pub fn show(
        &self,
        state: &mut TwinState,
        source: &mut dyn FrameSource,
        frames: Range<usize>,
        behavior: &Behavior,
        responses: &mut Vec<f32>,
    ) -> Result<(), TwinError> {
        if state.twin != self.id {
            return Err(TwinError::State);
        }
        let (samples, shown) = (state.samples, source.samples());
        let fits = |n: usize| n == samples || n == 1;
        if !fits(shown) || !fits(behavior.samples()) {
            return Err(TwinError::Samples { movie: shown, behavior: behavior.samples() });
        }
        if behavior.frames() < frames.end {
            return Err(TwinError::Frames { movie: source.frames(), behavior: behavior.frames() });
        }
        let raster = source.raster();
        match (&self.body, &mut state.memory) {
            (Body::Engine(engine), Memory::Engine(memory)) => {
                show_engine(engine, memory, source, raster, frames, samples, behavior, responses)
            }
            (Body::Network { network, device }, Memory::Network(memory)) => {
                // Pieces of a bounded size on the device, whatever was asked for.
                let end = frames.end;
                frames.step_by(UPLOAD_FRAMES).try_for_each(|first| {
                    let piece = first..end.min(first + UPLOAD_FRAMES);
                    show_network(network, device, memory, source, raster, piece, samples, behavior, responses)
                })
            }
            _ => Err(TwinError::State),
        }
    }

    /// Shows a whole movie to a fresh twin, `chunk` frames at a time; `sink` gets the first frame of each piece and
    /// its responses `[frame, sample, unit]`. Memory depends on the chunk, not on the length of the movie.
    ///
    /// # Errors
    /// As [`Twin::show`], and when cancelled or when the sink fails.
    pub fn rollout<E: From<TwinError>>(
        &self,
        source: &mut dyn FrameSource,
        behavior: Option<&Behavior>,
        chunk: usize,
        progress: &Progress,
        sink: &mut Sink<'_, E>,
    ) -> Result<TwinState, E> {
        let frames = source.frames();
        let still;
        let behavior = match behavior {
            Some(behavior) => behavior,
            None => {
                still = Behavior::still(frames, 1);
                &still
            }
        };
        let mut state = self.start(source.samples().max(behavior.samples()));
        let chunk = chunk.max(1);
        let mut responses = Vec::with_capacity(chunk.min(frames) * state.samples * self.units());
        progress.begin(frames as u64);
        for first in (0..frames).step_by(chunk) {
            let end = (first + chunk).min(frames);
            responses.clear();
            self.show(&mut state, source, first..end, behavior, &mut responses)?;
            sink(first, &responses)?;
            progress.advance((end - first) as u64).map_err(TwinError::from)?;
        }
        Ok(state)
    }
}

/// One frame at a time through the CPU engine.
fn show_engine(
    engine: &Engine,
    memory: &mut EngineState,
    source: &mut dyn FrameSource,
    raster: Raster,
    frames: Range<usize>,
    samples: usize,
    behavior: &Behavior,
    responses: &mut Vec<f32>,
) -> Result<(), TwinError> {
    let shown = source.samples();
    let size = raster.pixels();
    let mut pixels = vec![0u8; samples * size];
    let mut gaze = vec![[0.0; 2]; samples];
    let mut arousal = vec![[0.0; 2]; samples];
    let row = samples * engine.units();
    for time in frames {
        source.read(time, 1, &mut pixels[..shown * size])?;
        for sample in shown..samples {
            pixels.copy_within(..size, sample * size);
        }
        broadcast(behavior.gaze(time), &mut gaze);
        broadcast(behavior.state(time), &mut arousal);
        let start = responses.len();
        responses.resize(start + row, 0.0);
        engine.step(memory, raster, &pixels, &gaze, &arousal, &mut responses[start..]);
    }
    Ok(())
}

/// A few frames through the burn network; the responses are read once, at its end.
fn show_network(
    network: &Network,
    device: &burn::tensor::Device,
    memory: &mut State,
    source: &mut dyn FrameSource,
    raster: Raster,
    frames: Range<usize>,
    samples: usize,
    behavior: &Behavior,
    responses: &mut Vec<f32>,
) -> Result<(), TwinError> {
    let (shown, count, size) = (source.samples(), frames.len(), raster.pixels());
    let movie = match source.on_device(frames.start, count) {
        Some(movie) => movie?,
        None => {
            let mut pixels = vec![0u8; count * shown * size];
            source.read(frames.start, count, &mut pixels)?;
            let grey: Vec<f32> = pixels.into_iter().map(f32::from).collect();
            Tensor::from_data(TensorData::new(grey, [count, shown, raster.height, raster.width]), device)
        }
    };
    let mut rows = Vec::with_capacity(count);
    let mut pair = vec![[0.0; 2]; samples];
    let mut upload = |values: &[[f32; 2]]| {
        broadcast(values, &mut pair);
        Tensor::<2>::from_data(TensorData::new(pair.as_flattened().to_vec(), [samples, 2]), device)
    };
    for (offset, time) in frames.enumerate() {
        let grey = movie.clone().slice([offset..offset + 1, 0..shown, 0..raster.height, 0..raster.width]).reshape([
            shown,
            raster.height,
            raster.width,
        ]);
        let frame = Frame { grey, gaze: upload(behavior.gaze(time)), behavior: upload(behavior.state(time)) };
        rows.push(network.step(memory, frame).response);
    }
    let data = Tensor::stack::<3>(rows, 0).try_into_data().map_err(|e| TwinError::Device(format!("{e:?}")))?;
    let values = data.try_into_vec::<f32>().map_err(|e| TwinError::Device(format!("{e:?}")))?;
    responses.extend_from_slice(&values);
    Ok(())
}

/// Repeats a single value over the batch, or copies all.
fn broadcast(from: &[[f32; 2]], to: &mut [[f32; 2]]) {
    match from {
        [one] => to.fill(*one),
        all => to.copy_from_slice(all),
    }
}

//! Draws stimuli on the GPU, straight into a tensor that the network reads: no picture touches the CPU.
//!
//! Grey levels are rounded, so that the twin sees exactly what an 8-bit movie would hold. Each shader carries the name
//! of the file with its formula and is compared with it in the tests. Clips and the background are uploaded.

use std::ops::Range;

use burn::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use wgpu::util::{BufferInitDescriptor, DeviceExt};

use super::dots::DotField;
use super::gratings::Wave;
use super::schedule::{ScheduleSource, Stretch};
use super::{Drawing, Prepared, Screen, gratings, noise};
use crate::gpu::{BridgeError, Gpu, TensorBuffer, tensor_filled_by};
use crate::signals::{Monitor, SourceError};

/// Source of each shader: shared parts, then its own.
pub const SHADERS: [(&str, &str); 3] = [
    (
        "gratings",
        concat!(include_str!("../../shaders/shared/geometry.wgsl"), include_str!("../../shaders/gratings.wgsl")),
    ),
    ("noise", concat!(include_str!("../../shaders/shared/hash.wgsl"), include_str!("../../shaders/noise.wgsl"))),
    (
        "dots",
        concat!(
            include_str!("../../shaders/shared/hash.wgsl"),
            include_str!("../../shaders/shared/geometry.wgsl"),
            include_str!("../../shaders/dots.wgsl")
        ),
    ),
];

/// Why nothing was drawn.
#[derive(Debug, thiserror::Error)]
pub enum RendererError {
    /// The tensor could not be made.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    /// The schedule has no such frames.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// More than a tensor or a shader can count.
    #[error("{frames} frames of {pixels} pixels are too many for one tensor: draw at most {most} at a time")]
    TooMany {
        /// Frames asked for.
        frames: usize,
        /// Pixels of each.
        pixels: usize,
        /// Largest number of frames.
        most: usize,
    },
}

/// Compiled shaders on one device.
#[derive(Debug)]
pub struct Renderer {
    gpu: Gpu,
    gratings: wgpu::ComputePipeline,
    noise: wgpu::ComputePipeline,
    place_dots: wgpu::ComputePipeline,
    draw_dots: wgpu::ComputePipeline,
}

/// Threads of a workgroup, as in the shaders.
const GROUP: u32 = 64;
/// Largest number of workgroups along one axis that every device allows.
const MOST_GROUPS: usize = 65_535;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct GratingUniform {
    width: u32,
    pixels: u32,
    first: u32,
    spherical: u32,
    corner: u32,
    per_column: u32,
    per_row: u32,
    background: f32,
    amplitude: f32,
    along: [f32; 2],
    unused: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct NoiseUniform {
    width: u32,
    pixels: u32,
    first: u32,
    unused: u32,
    seed: [u32; 2],
    also_unused: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct DotsUniform {
    pixels: u32,
    first: u32,
    count: u32,
    signal: u32,
    seed: [u32; 2],
    life_frames: u32,
    side: f32,
    radius: f32,
    background: f32,
    white: f32,
    black: f32,
}

/// Low and high half of a seed, as the shaders take it.
fn halves(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// A fraction of a cycle in units of 2^-32; whole cycles fall away.
fn fixed(cycles: f64) -> u32 {
    // Through i64: rounding 0.99999... up to a whole cycle wraps to 0.
    (cycles.rem_euclid(1.0) * 2f64.powi(32)).round() as i64 as u32
}

impl Renderer {
    /// Compiles the shaders.
    pub fn new(gpu: &Gpu) -> Self {
        let module = |(name, source): (&str, &str)| {
            gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(source.to_owned().into()),
            })
        };
        let pipeline = |module: &wgpu::ShaderModule, entry: &str| {
            gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        let [gratings, noise, dots] = SHADERS.map(module);
        Self {
            gpu: gpu.clone(),
            gratings: pipeline(&gratings, "draw"),
            noise: pipeline(&noise, "draw"),
            place_dots: pipeline(&dots, "place"),
            draw_dots: pipeline(&dots, "draw"),
        }
    }

    /// Frames of one stimulus, `[time, height, width]`, whole grey levels 0..=255.
    ///
    /// # Errors
    /// When the frames are too many for one tensor, or the device fails.
    pub fn render(&self, prepared: &Prepared, frames: Range<usize>) -> Result<Tensor<3>, RendererError> {
        let count = frames.len();
        self.draw(prepared.monitor(), count, vec![Stretch::Shown(prepared.clone(), frames)])
    }

    /// Frames of a schedule, `[time, height, width]`, whole grey levels 0..=255.
    ///
    /// # Errors
    /// When the schedule has no such frames, they are too many for one tensor, or the device fails.
    pub fn render_schedule(
        &self,
        source: &mut ScheduleSource,
        frames: Range<usize>,
    ) -> Result<Tensor<3>, RendererError> {
        let count = frames.len();
        let stretches = source.stretches(frames)?;
        self.draw(&source.monitor().to_owned(), count, stretches)
    }

    /// Largest number of frames in one tensor.
    pub fn most_frames(&self, monitor: &Monitor) -> usize {
        let limits = self.gpu.device.limits();
        let bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(1 << 31);
        let most = bytes as usize / (4 * monitor.raster.pixels()).max(1);
        most.min(MOST_GROUPS)
    }

    fn draw(&self, monitor: &Monitor, count: usize, stretches: Vec<Stretch>) -> Result<Tensor<3>, RendererError> {
        let raster = monitor.raster;
        let most = self.most_frames(monitor);
        if count > most || count == 0 {
            return Err(RendererError::TooMany { frames: count, pixels: raster.pixels(), most });
        }
        let tensor = tensor_filled_by(&self.gpu, [count, raster.height, raster.width], |target, encoder| {
            let mut first = 0;
            for stretch in &stretches {
                let canvas = Canvas { renderer: self, target, first, pixels: raster.pixels() };
                first += match stretch {
                    Stretch::Blank(frames) => {
                        canvas.blank(*frames, monitor.background, encoder);
                        *frames
                    }
                    Stretch::Shown(prepared, frames) => {
                        canvas.shown(prepared, frames.clone(), encoder);
                        frames.len()
                    }
                };
            }
        })?;
        Ok(tensor)
    }

    fn buffer(&self, label: &str, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.gpu.device.create_buffer_init(&BufferInitDescriptor { label: Some(label), contents, usage })
    }

    fn storage(&self, label: &str, contents: &[u8]) -> wgpu::Buffer {
        self.buffer(label, contents, wgpu::BufferUsages::STORAGE)
    }
}

/// A stretch of frames in the tensor, from frame `first` on.
struct Canvas<'a> {
    renderer: &'a Renderer,
    target: &'a TensorBuffer,
    first: usize,
    pixels: usize,
}

impl Canvas<'_> {
    fn blank(&self, frames: usize, background: u8, encoder: &mut wgpu::CommandEncoder) {
        self.upload(&vec![f32::from(background); frames * self.pixels], encoder);
    }

    fn shown(&self, prepared: &Prepared, frames: Range<usize>, encoder: &mut wgpu::CommandEncoder) {
        match &prepared.drawing {
            Drawing::Grating(grating) => self.grating(grating, &prepared.screen, frames, encoder),
            Drawing::Noise(noise) => self.noise(noise, frames, encoder),
            Drawing::Dots(field) => self.dots(field, &prepared.screen, frames, encoder),
            Drawing::Clip(_) => {
                let mut picture = vec![0; self.pixels];
                let mut greys = Vec::with_capacity(frames.len() * self.pixels);
                for frame in frames {
                    prepared.frame(frame, &mut picture);
                    greys.extend(picture.iter().map(|&grey| f32::from(grey)));
                }
                self.upload(&greys, encoder);
            }
        }
    }

    fn upload(&self, greys: &[f32], encoder: &mut wgpu::CommandEncoder) {
        let bytes = bytemuck::cast_slice(greys);
        let staged = self.renderer.buffer("pictures", bytes, wgpu::BufferUsages::COPY_SRC);
        self.target.copy_from(&staged, (self.first * self.pixels * 4) as u64, bytes.len() as u64, encoder);
    }

    fn grating(
        &self,
        grating: &gratings::Drawing,
        screen: &Screen,
        frames: Range<usize>,
        encoder: &mut wgpu::CommandEncoder,
    ) {
        let (spherical, [corner, per_column, per_row], along) = match grating.wave {
            Wave::Flat { first, per_column, per_row } => (0, [first, per_column, per_row].map(fixed), [0.0; 2]),
            Wave::Spherical { along } => (1, [0; 3], along.map(|v| v as f32)),
        };
        let uniform = GratingUniform {
            width: screen.monitor().raster.width as u32,
            pixels: self.pixels as u32,
            first: self.first as u32,
            spherical,
            corner,
            per_column,
            per_row,
            background: grating.background as f32,
            amplitude: grating.amplitude as f32,
            along,
            unused: 0,
        };
        let phases: Vec<u32> = frames.map(|frame| fixed(grating.phase(frame))).collect();
        let uniform = self.renderer.storage("grating", bytemuck::bytes_of(&uniform));
        let places = self.renderer.storage("places", bytemuck::cast_slice(screen.places()));
        let frames = self.renderer.storage("phases", bytemuck::cast_slice(&phases));
        self.pass(
            &self.renderer.gratings,
            &[(0, self.target.binding()), (1, whole(&uniform)), (2, whole(&frames)), (3, whole(&places))],
            (self.pixels, phases.len()),
            encoder,
        );
    }

    fn noise(&self, noise: &noise::Drawing, frames: Range<usize>, encoder: &mut wgpu::CommandEncoder) {
        let uniform = NoiseUniform {
            width: noise.squares_across.len() as u32,
            pixels: self.pixels as u32,
            first: self.first as u32,
            unused: 0,
            seed: halves(noise.seed),
            also_unused: [0; 2],
        };
        let squares = noise.squares_across.iter().chain(&noise.squares_up).map(|&square| square as u32);
        let tables: Vec<u32> = noise.thresholds.iter().copied().chain(squares).collect();
        let patterns: Vec<u32> = frames.map(|frame| noise.pattern(frame)).collect();
        let uniform = self.renderer.storage("noise", bytemuck::bytes_of(&uniform));
        let tables = self.renderer.storage("tables", bytemuck::cast_slice(&tables));
        let frames = self.renderer.storage("patterns", bytemuck::cast_slice(&patterns));
        self.pass(
            &self.renderer.noise,
            &[(0, self.target.binding()), (1, whole(&uniform)), (2, whole(&frames)), (3, whole(&tables))],
            (self.pixels, patterns.len()),
            encoder,
        );
    }

    fn dots(&self, field: &DotField, screen: &Screen, frames: Range<usize>, encoder: &mut wgpu::CommandEncoder) {
        let uniform = DotsUniform {
            pixels: self.pixels as u32,
            first: self.first as u32,
            count: field.count,
            signal: field.signal,
            seed: halves(field.seed),
            life_frames: field.life_frames,
            side: field.side_deg,
            radius: field.radius_deg,
            background: field.background,
            white: field.white,
            black: field.black,
        };
        let numbers: Vec<u32> = frames.map(|frame| frame as u32).collect();
        let renderer = self.renderer;
        let uniform = renderer.storage("dots", bytemuck::bytes_of(&uniform));
        let frames = renderer.storage("frames", bytemuck::cast_slice(&numbers));
        let steps = renderer.storage("steps", bytemuck::cast_slice(&field.steps));
        let places = renderer.storage("places", bytemuck::cast_slice(screen.places()));
        let dots = renderer.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("placed dots"),
            // A binding may not be empty, a field of dots may.
            size: (16 * numbers.len() * field.len()).max(16) as u64,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        self.pass(
            &renderer.place_dots,
            &[(1, whole(&uniform)), (2, whole(&frames)), (3, whole(&steps)), (5, whole(&dots))],
            (field.len(), numbers.len()),
            encoder,
        );
        self.pass(
            &renderer.draw_dots,
            &[(0, self.target.binding()), (1, whole(&uniform)), (4, whole(&places)), (5, whole(&dots))],
            (self.pixels, numbers.len()),
            encoder,
        );
    }

    /// One pass over `(things, frames)`.
    fn pass(
        &self,
        pipeline: &wgpu::ComputePipeline,
        bindings: &[(u32, wgpu::BindingResource)],
        (things, frames): (usize, usize),
        encoder: &mut wgpu::CommandEncoder,
    ) {
        let entries: Vec<_> = bindings
            .iter()
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding: *binding, resource: resource.clone() })
            .collect();
        let group = self.renderer.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups((things as u32).div_ceil(GROUP), frames as u32, 1);
    }
}

fn whole(buffer: &wgpu::Buffer) -> wgpu::BindingResource<'_> {
    buffer.as_entire_binding()
}

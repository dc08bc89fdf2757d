//! Runs the shaders: from a [`Painting`] to passes that fill a place in graphics memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use wgpu::util::{BufferInitDescriptor, DeviceExt};

use super::Screen;
use super::drawing::{Painting, Shader, Table};

/// Threads of a workgroup, as in the shaders.
const GROUP: u32 = 64;

/// Where some pictures go: `[frame, row, column]` f32 grey levels, from frame `first` of the binding on.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    pub binding: wgpu::BindingResource<'a>,
    pub first: usize,
    pub frames: usize,
}

/// The same in the layout of `shaders/shared/target.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Canvas {
    width: u32,
    height: u32,
    pixels: u32,
    first: u32,
}

/// Shaders on one device, each compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Painter {
    device: wgpu::Device,
    modules: Mutex<HashMap<&'static str, Arc<wgpu::ShaderModule>>>,
    pipelines: Mutex<HashMap<(&'static str, &'static str), wgpu::ComputePipeline>>,
}

impl Painter {
    pub fn new(device: &wgpu::Device) -> Self {
        Self { device: device.clone(), modules: Mutex::default(), pipelines: Mutex::default() }
    }

    /// Records the passes of a painting.
    pub fn paint(&self, painting: &Painting, screen: &Screen, target: &Target<'_>, encoder: &mut wgpu::CommandEncoder) {
        let raster = screen.monitor().raster;
        let canvas = Canvas {
            width: raster.width as u32,
            height: raster.height as u32,
            pixels: raster.pixels() as u32,
            first: target.first as u32,
        };
        let canvas = self.storage(bytemuck::bytes_of(&canvas));
        let tables: Vec<wgpu::Buffer> = painting
            .tables
            .iter()
            .map(|table| match table {
                Table::Values(bytes) => self.storage(bytes),
                Table::Places => self.storage(bytemuck::cast_slice(screen.places())),
                Table::Scratch(bytes) => self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("scratch"),
                    size: (*bytes).max(16) as u64,
                    usage: wgpu::BufferUsages::STORAGE,
                    mapped_at_creation: false,
                }),
            })
            .collect();
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: target.binding.clone() },
            wgpu::BindGroupEntry { binding: 1, resource: canvas.as_entire_binding() },
        ];
        entries.extend(tables.iter().enumerate().map(|(index, table)| wgpu::BindGroupEntry {
            binding: index as u32 + 2,
            resource: table.as_entire_binding(),
        }));
        let layout = self.layout(&painting.tables);
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(painting.shader.stem),
            layout: &layout,
            entries: &entries,
        });
        for pass in painting.passes.iter().filter(|pass| pass.things > 0 && target.frames > 0) {
            let pipeline = self.pipeline(painting.shader, pass.entry, &layout);
            let mut record = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            record.set_pipeline(&pipeline);
            record.set_bind_group(0, &group, &[]);
            record.dispatch_workgroups((pass.things as u32).div_ceil(GROUP), target.frames as u32, 1);
        }
    }

    /// Bindings as [`Painting`] describes them.
    fn layout(&self, tables: &[Table]) -> wgpu::BindGroupLayout {
        let entry = |binding: usize, read_only: bool| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let mut entries = vec![entry(0, false), entry(1, true)];
        entries.extend(tables.iter().enumerate().map(|(i, table)| entry(i + 2, !matches!(table, Table::Scratch(_)))));
        self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
    }

    fn pipeline(
        &self,
        shader: &'static Shader,
        entry: &'static str,
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::ComputePipeline {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let module = self.module(shader);
            let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(shader.stem),
                bind_group_layouts: &[Some(layout)],
                ..Default::default()
            });
            self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(shader.stem),
                layout: Some(&layout),
                module: &module,
                entry_point: Some(entry),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        pipelines.entry((shader.stem, entry)).or_insert_with(make).clone()
    }

    fn module(&self, shader: &'static Shader) -> Arc<wgpu::ShaderModule> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            Arc::new(self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(shader.stem),
                source: wgpu::ShaderSource::Wgsl(shader.source.into()),
            }))
        };
        Arc::clone(modules.entry(shader.stem).or_insert_with(make))
    }

    fn storage(&self, contents: &[u8]) -> wgpu::Buffer {
        // A binding may not be empty, a table may.
        let contents = if contents.is_empty() { &[0; 16] } else { contents };
        let usage = wgpu::BufferUsages::STORAGE;
        self.device.create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
    }
}

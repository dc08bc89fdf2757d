//! The only place where a burn tensor becomes a wgpu buffer.
//!
//! burn batches its kernels and runs them later; our shaders go straight to the shared queue. The order is kept by
//! flushing burn's batch before a buffer is handed out: whatever burn queued before is submitted by then, and whatever
//! it queues afterwards comes behind our own submission. All of this must happen on one thread, because burn keeps
//! its batches by thread.

use burn::tensor::{DType, Tensor};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{Cube, CubeBackend};
use cubecl::wgpu::{AutoCompiler, WgpuServer};

use super::Gpu;

/// Why a tensor could not be shared with a shader.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The tensor is on the CPU or on another device.
    #[error("the tensor is not in the memory of the graphics device: {0}")]
    Elsewhere(String),
    /// Not 32-bit floats in plain order.
    #[error("a shader reads rows of 32-bit floats, but this tensor holds {0}")]
    Layout(String),
    /// The device failed, for instance because its memory is exhausted.
    #[error("the graphics device failed: {0}; a smaller batch or the CPU may help")]
    Device(String),
}

/// A tensor's place in graphics memory, valid as long as this value lives.
#[derive(Debug)]
pub struct TensorBuffer {
    buffer: wgpu::Buffer,
    offset: u64,
    size: u64,
    /// Keeps burn from giving the memory to another tensor.
    _tensor: CubeTensor,
}

impl TensorBuffer {
    /// The place of a tensor's values as rows of f32; everything burn queued so far has been submitted. A tensor that
    /// is stored in another order is copied first, so this is for reading.
    ///
    /// # Errors
    /// When the tensor is not on a wgpu device, or the device failed.
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Result<Self, BridgeError> {
        Self::locate(burn_cubecl::kernel::into_contiguous(primitive(tensor)?))
    }

    fn locate(tensor: CubeTensor) -> Result<Self, BridgeError> {
        if tensor.dtype != DType::F32 {
            return Err(BridgeError::Layout(format!("{:?}", tensor.dtype)));
        }
        let client = tensor.client.clone();
        let resource = client
            .get_resource::<WgpuServer<AutoCompiler>>(tensor.handle.clone())
            .map_err(|error| BridgeError::Device(format!("{error:?}")))?;
        let resource = resource.resource();
        let (buffer, offset, size) = (resource.buffer.clone(), resource.offset, resource.size);
        client.flush().map_err(|error| BridgeError::Device(format!("{error:?}")))?;
        Ok(Self { buffer, offset, size, _tensor: tensor })
    }

    /// For a bind group: only this tensor, never the page of memory in which it lies.
    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.buffer,
            offset: self.offset,
            size: wgpu::BufferSize::new(self.size),
        })
    }

    /// Copies `bytes` from the start of a buffer to `offset` within the tensor. wgpu refuses what lies outside the
    /// page, and this what lies outside the tensor.
    pub fn copy_from(&self, from: &wgpu::Buffer, offset: u64, bytes: u64, encoder: &mut wgpu::CommandEncoder) {
        assert!(offset + bytes <= self.size, "{bytes} bytes at {offset} of a tensor of {} bytes", self.size);
        encoder.copy_buffer_to_buffer(from, 0, &self.buffer, self.offset + offset, bytes);
    }
}

fn primitive<const D: usize>(tensor: &Tensor<D>) -> Result<CubeTensor, BridgeError> {
    let fused =
        tensor.clone().try_into_primitive::<Cube>().map_err(|error| BridgeError::Elsewhere(format!("{error:?}")))?;
    let client = fused.client.clone();
    Ok(client.resolve_tensor_float::<CubeBackend>(fused))
}

/// A tensor of this shape that a shader fills: `fill` gets its place and an encoder for its passes, which are submitted
/// before anything that is later computed from the tensor.
///
/// # Errors
/// When the memory cannot be had.
pub fn tensor_filled_by<const D: usize>(
    gpu: &Gpu,
    shape: [usize; D],
    fill: impl FnOnce(&TensorBuffer, &mut wgpu::CommandEncoder),
) -> Result<Tensor<D>, BridgeError> {
    let tensor = Tensor::<D>::empty(shape, &gpu.burn);
    let place = primitive(&tensor)?;
    // A copy in another order would leave the tensor itself unwritten.
    if !place.is_contiguous() {
        return Err(BridgeError::Layout(format!("rows with strides {:?}", place.meta.strides())));
    }
    let buffer = TensorBuffer::locate(place)?;
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("tensor") });
    fill(&buffer, &mut encoder);
    gpu.queue.submit([encoder.finish()]);
    Ok(tensor)
}

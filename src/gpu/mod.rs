//! The compute device, made once, and the bridge between burn tensors and wgpu buffers.

//! The compute device, made once, and the bridge between burn tensors and wgpu buffers.

mod bridge;
mod device;

pub use bridge::{BridgeError, TensorBuffer, tensor_filled_by};
pub use device::{AdapterKind, AdapterReport, ComputeDevice, DeviceChoice, DeviceError, Gpu, adapters};

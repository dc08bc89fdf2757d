//! The network as burn modules: differentiable, on any burn device.

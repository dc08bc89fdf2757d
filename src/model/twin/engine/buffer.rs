//! Memory of the engine: zeroed f32 that starts on a cache line, so that no vector straddles two.

use std::ops::{Deref, DerefMut};

/// One cache line.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A fixed number of f32, aligned to 64 bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { lines: vec![Line([0.0; 16]); len.div_ceil(16)], len }
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

/// The start of a buffer that several tasks write at once, each in places of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared(*mut f32);

// SAFETY: `Shared` is only an address. Every use that reads or writes through it is `unsafe` and says why no other
// task touches the same floats at that time.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// The start of `values`.
    pub fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// Address of an element.
    ///
    /// # Safety
    /// `index` lies inside the buffer.
    #[inline(always)]
    pub unsafe fn at(self, index: usize) -> *mut f32 {
        // SAFETY: the caller keeps `index` inside the allocation.
        unsafe { self.0.add(index) }
    }

    /// The place of an element as a start of its own.
    ///
    /// # Safety
    /// As [`Self::at`].
    #[inline(always)]
    pub unsafe fn offset(self, index: usize) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { self.at(index) })
    }
}

//! Memory that grows to the largest step and is then kept, and pictures in it.

use std::ops::{Deref, DerefMut};

use super::super::buffer::{Buffer, Shared};
use super::super::product::Segment;
use super::super::simd::Kernel;
use super::super::tasks::{Pool, each};

/// Numbers that are overwritten in every step.
#[derive(Debug, Default)]
pub(super) struct Room(Buffer);

impl Room {
    /// Makes room for `len` numbers; what they are is left open.
    pub fn fit(&mut self, len: usize) -> &mut [f32] {
        if self.0.len() < len {
            self.0 = Buffer::zeros(len);
        }
        &mut self.0[..len]
    }

    /// Makes room for `len` zeros.
    pub fn zeros(&mut self, len: usize) -> &mut [f32] {
        let room = self.fit(len);
        room.fill(0.0);
        room
    }

    /// The address of the first number, for kernels that write parts from several tasks.
    pub fn shared(&mut self) -> Shared {
        Shared::new(&mut self.0)
    }
}

impl Deref for Room {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// Memory for one task at a time.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Free for every kernel's use.
    pub rooms: [Room; 10],
    segments: Vec<Segment>,
}

// SAFETY: the addresses left in the list are cleared before every use; only the allocation is passed on.
unsafe impl Send for Scratch {}

impl Scratch {
    /// An empty list of segments.
    pub fn split(&mut self) -> (&mut [Room; 10], &mut Vec<Segment>) {
        self.segments.clear();
        (&mut self.rooms, &mut self.segments)
    }
}

/// What every kernel is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// Instruction set.
    pub kernel: Kernel,
    /// Whether one sample is shared among threads. The order of all sums is the same either way.
    pub parallel: bool,
    /// Memory of tasks.
    pub scratch: &'a Pool<Scratch>,
}

impl Context<'_> {
    /// Runs `task(0..count)`, with memory of its own each.
    pub fn each(&self, count: usize, task: impl Fn(usize, &mut Scratch) + Sync + Send) {
        each(self.parallel, count, |index| self.scratch.with(Scratch::default, |scratch| task(index, scratch)));
    }
}

/// Pictures in memory, read or written by kernels: `[frame, pixel, number]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures {
    /// First number of the first frame.
    pub data: Shared,
    /// Numbers from pixel to pixel.
    pub pixel: usize,
    /// Numbers from frame to frame.
    pub frame: usize,
    /// Numbers from group to group of channels.
    pub group: usize,
}

impl Pictures {
    /// The same pictures from another number on.
    ///
    /// # Safety
    /// `by` stays inside the memory.
    pub unsafe fn offset(self, by: usize) -> Self {
        // SAFETY: the caller's.
        Self { data: unsafe { self.data.offset(by) }, ..self }
    }
}

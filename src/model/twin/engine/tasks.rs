//! Work shared among threads, and the memory that the threads work in.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::buffer::Buffer;
use super::convolution::Source;
use super::product::Segment;

/// Runs `task(0..count)`, on all threads when `parallel`.
pub(super) fn each(parallel: bool, count: usize, task: impl Fn(usize) + Sync + Send) {
    if parallel {
        (0..count).into_par_iter().with_max_len(1).for_each(task);
    } else {
        (0..count).for_each(task);
    }
}

/// Memory for one task at a time.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Transformed tiles, pooled pixels, or keys and values.
    pub inputs: Buffer,
    /// Products.
    pub products: Buffer,
    /// Lists of segments; cleared before every use.
    pub segments: Vec<Segment>,
    /// Lists of sources; cleared before every use.
    pub sources: Vec<Source>,
}

// SAFETY: the addresses left in the lists are cleared before every use; only the allocations are passed on.
unsafe impl Send for Workspace {}

impl Workspace {
    /// Room for so many numbers.
    pub fn new((inputs, products): (usize, usize)) -> Self {
        Self {
            inputs: Buffer::zeros(inputs),
            products: Buffer::zeros(products),
            segments: Vec::with_capacity(64),
            sources: Vec::with_capacity(64),
        }
    }
}

/// Memory that is lent to tasks and kept when they end, so that frames allocate nothing.
#[derive(Debug)]
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Pool<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { idle: Mutex::new(Vec::new()) }
    }

    /// Runs `task` with idle memory, or with new memory when all is lent.
    pub fn with<R>(&self, make: impl FnOnce() -> T, task: impl FnOnce(&mut T) -> R) -> R {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = idle.unwrap_or_else(make);
        let result = task(&mut memory);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        result
    }
}

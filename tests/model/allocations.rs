//! Memory that is asked for while a movie is shown: none. The counters serve other tests as well.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use twinscope::model::twin::TwinConfig;
use twinscope::model::twin::engine::Engine;
use twinscope::model::weights::filled_twin;
use twinscope::signals::Raster;

/// The system's allocator, which counts how often each thread asks it for memory, and how much it holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
    /// Bytes held, and the most of them; what another thread frees is never taken off.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

fn hold(bytes: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        MOST.try_with(|most| most.set(most.get().max(held.get())))
    });
}

/// The most bytes that this thread held at a time while it did something, beyond those it had before; and what came out.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.get();
    MOST.set(before);
    let result = work();
    ((MOST.get() - before).unsigned_abs(), result)
}

// SAFETY: every call goes to the system's allocator as it came; counting asks for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size() as isize);
        // SAFETY: what the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        hold(layout.size() as isize);
        // SAFETY: what the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        hold(size as isize - layout.size() as isize);
        // SAFETY: what the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: what the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[test]
fn a_frame_asks_for_no_memory_even_while_the_eye_moves() {
    let text = std::fs::read_to_string(crate::fixture::path("twin/twin-tiny.toml")).expect("the fixture exists");
    let config = TwinConfig::from_toml(&text).expect("a valid configuration");
    let twin = filled_twin(&config, 4, 3);
    let engine = Engine::new(&config, &twin.state, 4, None).expect("it fits");
    let raster = Raster { height: 36, width: 64 };
    let frame = vec![77; raster.pixels()];
    // One thread does everything, so that its counter sees everything.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let asked = pool.install(|| {
        let (mut state, mut response) = (engine.start(1), [0.0; 4]);
        let mut show = |time: usize| {
            let gaze = [[0.1 * time as f32, -0.05 * time as f32]];
            engine.step(&mut state, raster, &frame, &gaze, &[[0.0, 0.1 * time as f32]], &mut response);
        };
        // The first frames make the scratch memory.
        (0..4).for_each(&mut show);
        let before = ASKED.get();
        (4..12).for_each(&mut show);
        ASKED.get() - before
    });
    assert_eq!(asked, 0, "eight frames asked for memory {asked} times");
}

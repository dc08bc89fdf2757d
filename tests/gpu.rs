//! The graphics adapter of the tests.
//!
//! Without one they are skipped with a line; with `TWINSCOPE_REQUIRE_GPU=1` they fail instead.

use twinscope::gpu::Gpu;

fn required() -> bool {
    std::env::var_os("TWINSCOPE_REQUIRE_GPU").is_some_and(|value| value == "1")
}

/// Any adapter, even one drawn by software.
pub fn gpu() -> Option<Gpu> {
    match Gpu::open() {
        Ok(gpu) => Some(gpu),
        Err(error) if required() => panic!("{error}"),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// For tests that take minutes on a software adapter, which compiles and tunes each kernel on the CPU: those run only
/// where they are required.
pub fn gpu_for_minutes() -> Option<Gpu> {
    let gpu = gpu()?;
    if gpu.report().kind.is_hardware() || required() {
        return Some(gpu);
    }
    eprintln!("skipped: {} takes minutes here; TWINSCOPE_REQUIRE_GPU=1 runs it", gpu.report());
    None
}

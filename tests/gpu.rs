//! The graphics adapter of the tests.
//!
//! Without one they are skipped with a line; with `TWINSCOPE_REQUIRE_GPU=1` they fail instead.

use std::io::Write;

use twinscope::gpu::Gpu;

/// Past the test runner, which would swallow what a passing test prints.
pub fn say_skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "{name} skipped: {why}").expect("a terminal or a log");
}

fn required() -> bool {
    std::env::var_os("TWINSCOPE_REQUIRE_GPU").is_some_and(|value| value == "1")
}

/// Any adapter, even one drawn by software.
pub fn gpu() -> Option<Gpu> {
    match Gpu::open() {
        Ok(gpu) => Some(gpu),
        Err(error) if required() => panic!("{error}"),
        Err(error) => {
            say_skipped(&error.to_string());
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
    say_skipped(&format!("minutes on {}; TWINSCOPE_REQUIRE_GPU=1 runs it", gpu.report()));
    None
}

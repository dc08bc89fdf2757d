//! The program ffmpeg in tests.
//!
//! Without it the tests of video files are skipped with a line; with `TWINSCOPE_REQUIRE_FFMPEG=1` they fail instead.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether ffmpeg can be started.
pub fn is_here() -> bool {
    let started = Command::new("ffmpeg").arg("-version").stdin(Stdio::null()).output();
    if started.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let required = std::env::var_os("TWINSCOPE_REQUIRE_FFMPEG").is_some_and(|value| value == "1");
    assert!(!required, "ffmpeg is required and cannot be started");
    // Past the test runner, which would swallow what a passing test prints.
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "{name} skipped: there is no ffmpeg").expect("a terminal or a log");
    false
}

/// Runs ffmpeg to make a film.
pub fn ffmpeg<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) {
    let common = ["-nostdin", "-v", "error", "-y"];
    let output = Command::new("ffmpeg").args(common).args(arguments).stdin(Stdio::null()).output().expect("it is here");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs the test that calls this once more, alone in a process that finds programs only on this path. True in that
/// process: the environment of one test cannot be changed without changing that of the others.
#[cfg(unix)]
pub fn is_alone_with(programs: &Path) -> bool {
    const CHILD: &str = "TWINSCOPE_TEST_IS_ALONE";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let test = std::thread::current().name().expect("a test has a name").to_owned();
    let itself = std::env::current_exe().expect("this program");
    let output = Command::new(itself)
        .args([&test, "--exact", "--nocapture"])
        .env("PATH", programs)
        .env(CHILD, "1")
        .output()
        .expect("this program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{failed}");
    false
}

/// A program of this name that runs a few lines of shell.
#[cfg(unix)]
pub fn fake(programs: &Path, name: &str, lines: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = programs.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("a temporary file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("our own file");
}

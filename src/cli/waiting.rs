//! How far long work is, on stderr: a line that is written over in a terminal, and now and then a new one elsewhere; and
//! how it is stopped.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::job::{Eta, Progress};

/// From one line to the next, in a terminal and elsewhere; short work says nothing.
const IN_TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(15);

/// What a user who presses Ctrl-C in a terminal expects a stopped program to return.
pub const STOPPED: u8 = 130;

/// Progress of work that Ctrl-C asks to stop; pressed once more, it ends the program where it stands.
pub fn stoppable() -> Progress {
    use signal_hook::{consts::SIGINT, flag};
    let progress = Progress::new();
    let asked = progress.stop_flag();
    // In this order, so that the first signal finds the flag down. Where nothing can be registered, Ctrl-C ends the program
    // at once, as ever.
    let _ = flag::register_conditional_shutdown(SIGINT, i32::from(STOPPED), Arc::clone(&asked))
        .and_then(|_| flag::register(SIGINT, asked));
    progress
}

/// What of the work is counted, and what is said when all of it is done.
#[derive(Clone, Copy)]
struct Counted {
    of: &'static str,
    after: &'static str,
}

const RECORDED: Counted = Counted { of: "the frames", after: "all frames are recorded; writing the sessions" };

/// Does the work, and says meanwhile how many of the frames are predicted and how long the rest will take.
pub fn while_shown<T>(what: &str, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let counted = Counted { of: "the frames", after: "all frames are predicted; counting and fitting" };
    while_counted(what, counted, progress, work)
}

/// The same of an analysis, by its steps.
pub fn while_analysed<T>(what: &str, progress: &Progress, work: impl FnOnce() -> T) -> T {
    while_counted(what, Counted { of: "the steps", after: "all steps are done" }, progress, work)
}

/// The same of mice that are recorded; frames are counted when they are drawn, and once more for every mouse.
pub fn while_recorded<T>(what: &str, progress: &Progress, work: impl FnOnce() -> T) -> T {
    while_counted(what, RECORDED, progress, work)
}

fn while_counted<T>(what: &str, counted: Counted, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let terminal = std::io::stderr().is_terminal();
    let every = if terminal { IN_TERMINAL } else { ELSEWHERE };
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut eta = Eta::new(Instant::now());
            let (mut said, mut ended) = (false, false);
            while wait.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let Some(part) = progress.fraction().map(f64::from) else { continue };
                // What follows the frames is said once.
                if ended && part >= 1.0 {
                    continue;
                }
                ended = part >= 1.0;
                let line = line(what, counted, &mut eta, part);
                let mut to = std::io::stderr().lock();
                // Nobody reads it any more: the work goes on.
                let _ = if terminal {
                    write!(to, "\r{line}\x1b[K").and_then(|()| to.flush())
                } else {
                    writeln!(to, "{line}")
                };
                said = terminal;
            }
            if said {
                let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// What is said of a part that is done.
fn line(what: &str, Counted { of, after }: Counted, eta: &mut Eta, part: f64) -> String {
    let left = eta.left_secs(part, Instant::now());
    if part >= 1.0 {
        return format!("{what}: {after}");
    }
    let left = left.map(|secs| format!(", about {} left", Eta::spoken(secs))).unwrap_or_default();
    format!("{what}: {:.0} % of {of}{left}", 100.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recording_mice_tells_its_part_and_then_that_it_is_written() {
        let mut eta = Eta::new(Instant::now());
        let half = line("simulate", RECORDED, &mut eta, 0.5);
        assert!(half.starts_with("simulate: 50 % of the frames"), "{half}");
        assert_eq!(
            line("simulate", RECORDED, &mut eta, 1.0),
            "simulate: all frames are recorded; writing the sessions"
        );
    }
}

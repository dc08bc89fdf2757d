//! How long the rest of some work will take.

use std::time::Instant;

/// Estimates the time that is left from the speed so far. Work in several stages, each of which counts from the beginning,
/// is estimated stage by stage.
#[derive(Debug, Clone)]
pub struct Eta {
    start: Instant,
    /// Part that was done before `start`.
    from: f64,
    last: f64,
}

impl Eta {
    /// Nothing is done yet.
    pub fn new(start: Instant) -> Self {
        Self { start, from: 0.0, last: 0.0 }
    }

    /// Seconds that are left when a part, 0..=1, is done by now; `None` before anything is.
    pub fn left_secs(&mut self, part: f64, now: Instant) -> Option<f64> {
        if part < self.last {
            // The next stage has begun.
            (self.start, self.from) = (now, part);
        }
        self.last = part;
        let (gone, spent) = (part - self.from, now.duration_since(self.start).as_secs_f64());
        (gone > 0.0).then(|| spent * (1.0 - part) / gone)
    }

    /// Seconds, or minutes and hours where there are many.
    pub fn spoken(secs: f64) -> String {
        match secs.ceil() as u64 {
            secs @ 0..120 => format!("{secs} s"),
            secs @ 120..7200 => format!("{} min", secs.div_ceil(60)),
            secs => format!("{} h", secs.div_ceil(3600)),
        }
    }
}

//! What of a run is shown to the twin on its own: one condition, or everything.
//!
//! Every frame of the schedule belongs to one piece. A piece begins with the grey of the lead-in, which is the burn-in of
//! the twin, and only in the piece of the presentation that comes first is it also the beginning of the schedule.

use super::Protocol;
use crate::signals::Behavior;
use crate::stimulus::schedule::{Presentation, Schedule};

/// Frames that lie in one row in a piece and in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// First frame in the piece.
    here: usize,
    /// First frame in the schedule of the protocol.
    there: usize,
    frames: usize,
}

/// One piece of a run: a movie that a twin sees without memory of the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The condition that it shows; `None` when it is the whole sequence.
    pub condition: Option<usize>,
    /// What the twin is shown; of one condition it knows no other.
    pub schedule: Schedule,
    /// Grey before the first presentation, frames.
    lead: usize,
    /// In order of the frames of the piece.
    spans: Vec<Span>,
}

/// The pieces of a protocol's schedule, in the order of its conditions.
pub fn pieces(protocol: &Protocol, schedule: &Schedule) -> Vec<Piece> {
    let lead = schedule.presentations.first().map_or(0, |first| first.onset_frame);
    if !protocol.timing.apart || schedule.presentations.is_empty() {
        let spans = vec![Span { here: 0, there: 0, frames: schedule.frames }];
        return vec![Piece { condition: None, schedule: schedule.clone(), lead, spans }];
    }
    let ends = schedule.presentations.iter().skip(1).map(|next| next.onset_frame).chain([schedule.frames]);
    let mut slots: Vec<Vec<(usize, &Presentation, usize)>> = vec![Vec::new(); schedule.conditions.len()];
    for (place, (shown, end)) in schedule.presentations.iter().zip(ends).enumerate() {
        slots[shown.condition].push((place, shown, end));
    }
    let shown = slots.into_iter().enumerate().filter(|(_, slots)| !slots.is_empty());
    shown.map(|(condition, slots)| apart(schedule, condition, lead, &slots)).collect()
}

fn apart(schedule: &Schedule, condition: usize, lead: usize, slots: &[(usize, &Presentation, usize)]) -> Piece {
    let (mut presentations, mut spans) = (Vec::with_capacity(slots.len()), Vec::with_capacity(slots.len() + 1));
    let mut here = lead;
    for &(place, shown, end) in slots {
        if place == 0 && lead > 0 {
            spans.push(Span { here: 0, there: 0, frames: lead });
        }
        presentations.push(Presentation { condition: 0, onset_frame: here, ..*shown });
        let frames = end - shown.onset_frame;
        spans.push(Span { here, there: shown.onset_frame, frames });
        here += frames;
    }
    let conditions = vec![schedule.conditions[condition].clone()];
    Piece { condition: Some(condition), schedule: Schedule { conditions, presentations, frames: here }, lead, spans }
}

impl Piece {
    /// Length of its movie, frames.
    pub fn frames(&self) -> usize {
        self.schedule.frames
    }

    /// Hands over where `count` frames from `first` on lie in the schedule of the protocol: the frame here, the frame
    /// there and how many follow. Frames of the burn-in lie nowhere.
    pub fn place(&self, first: usize, count: usize, take: &mut dyn FnMut(usize, usize, usize)) {
        let from = self.spans.partition_point(|span| span.here + span.frames <= first);
        for span in self.spans[from..].iter().take_while(|span| span.here < first + count) {
            let (start, end) = (span.here.max(first), (span.here + span.frames).min(first + count));
            take(start, span.there + start - span.here, end - start);
        }
    }

    /// The part of an animal's behaviour that belongs to its frames.
    pub(super) fn behavior(&self, whole: &Behavior) -> Option<Behavior> {
        let (mut gaze, mut state) = (Vec::with_capacity(self.frames()), Vec::with_capacity(self.frames()));
        let mut take = |frame: usize| {
            gaze.extend_from_slice(whole.gaze(frame));
            state.extend_from_slice(whole.state(frame));
        };
        let burn_in = if self.condition.is_some() { self.lead } else { 0 };
        (0..burn_in).for_each(&mut take);
        self.place(burn_in, self.frames() - burn_in, &mut |_, there, count| (there..there + count).for_each(&mut take));
        Behavior::new(self.frames(), whole.samples(), gaze, state)
    }
}

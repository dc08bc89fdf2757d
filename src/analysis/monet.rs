//! Direction tuning from directional noise, whose windows of motion come in random order within one presentation.

use std::io;

use super::presentation::{Column, mean_of_rows};
use super::tuning::{DirectionTuning, tuned};
use crate::signals::{FrameRate, ResponseRows, Responses};
use crate::stimulus::Stimulus;
use crate::stimulus::schedule::Schedule;

/// Direction tuning to the Monet2 noise of a schedule: the mean response in each oriented, moving window, `delay_frames`
/// later, then mean and standard error over all windows of that direction (Wang et al., Nature 640:470, 2025, who showed 16
/// directions under 120 seeds). The count of windows is that of the presentations. Samples side by side count as further
/// windows; windows that are cut short, by the end of their presentation or of the responses, are left out.
///
/// `None` when no noise was shown, when a direction has no window, or when the noise never moves.
pub fn monet_tuning(
    schedule: &Schedule,
    frame_rate: FrameRate,
    delay_frames: usize,
    responses: &Responses,
) -> Option<DirectionTuning> {
    // Memory can be read.
    monet_tuning_of_rows(schedule, frame_rate, delay_frames, responses).ok().flatten()
}

/// The same of responses that need not lie in memory: they are read once, window by window.
///
/// # Errors
/// When they cannot be read.
pub fn monet_tuning_of_rows(
    schedule: &Schedule,
    frame_rate: FrameRate,
    delay_frames: usize,
    responses: &dyn ResponseRows,
) -> io::Result<Option<DirectionTuning>> {
    let mut windows: Vec<(f64, Vec<f64>)> = Vec::new();
    for shown in &schedule.presentations {
        let Some(condition) = schedule.conditions.get(shown.condition) else { return Ok(None) };
        let Stimulus::Monet(noise) = &condition.stimulus else { continue };
        if condition.is_blank() {
            continue;
        }
        let motion = |frame: usize| noise.motion(frame_rate, shown.seed, frame);
        let mut frame = 0;
        while frame < shown.frames {
            let now = motion(frame);
            let same = |later: &usize| {
                motion(*later).moving == now.moving && motion(*later).direction_deg == now.direction_deg
            };
            // Frames of two periods are kept apart by those without motion between them.
            let frames = (frame..shown.frames).take_while(same).count();
            let whole = frame + frames < shown.frames || !motion(shown.frames).moving;
            let from = shown.onset_frame.saturating_add(frame).saturating_add(delay_frames);
            if now.moving && whole {
                for sample in 0..responses.samples() {
                    let means = mean_of_rows(from, frames, responses, sample)?;
                    windows.extend(means.map(|means| (now.direction_deg, means)));
                }
            }
            frame += frames;
        }
    }
    let mut directions_deg: Vec<f64> = windows.iter().map(|(direction, _)| *direction).collect();
    directions_deg.sort_by(f64::total_cmp);
    directions_deg.dedup();
    let mut shown = vec![Vec::new(); directions_deg.len()];
    for (direction, means) in windows {
        // Each is one of them.
        let place = directions_deg.partition_point(|&known| known < direction);
        shown[place].push(means);
    }
    let columns: Vec<Column> = shown.iter().map(|means| Column::of(means, responses.units())).collect();
    Ok(tuned(directions_deg, &columns, responses.units()))
}

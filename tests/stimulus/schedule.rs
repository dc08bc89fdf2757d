use twinscope::signals::{FrameSource, Monitor};
use twinscope::stimulus::{
    Condition, DriftingGrating, MovingDots, Prepared, Presentation, Schedule, ScheduleSource, Stimulus, StimulusError,
};

use super::{draw, small_monitor};

fn presentation(condition: usize, onset_frame: usize, frames: usize, seed: u64) -> Presentation {
    Presentation { condition, repeat: 0, onset_frame, frames, seed }
}

/// 5 frames of grey, 6 of dots, 4 of grey, 3 of grating, 7 of other dots, 5 of grey.
pub fn schedule() -> Schedule {
    Schedule {
        conditions: vec![
            Condition::from(Stimulus::from(MovingDots::default())),
            Condition::from(Stimulus::from(DriftingGrating { direction_deg: 30.0, ..Default::default() })),
        ],
        presentations: vec![presentation(0, 5, 6, 11), presentation(1, 15, 3, 12), presentation(0, 18, 7, 13)],
        frames: 30,
    }
}

fn source(monitor: &Monitor) -> ScheduleSource {
    ScheduleSource::new(schedule(), monitor).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_schedule_shows_its_presentations_with_grey_between_them() {
    let monitor = small_monitor();
    let size = monitor.raster.pixels();
    let mut pixels = vec![0; 30 * size];
    let mut source = source(&monitor);
    assert_eq!((source.frames(), source.samples(), source.raster()), (30, 1, monitor.raster));
    source.read(0, 30, &mut pixels).unwrap_or_else(|error| panic!("{error}"));
    let schedule = schedule();
    for (frame, picture) in pixels.chunks_exact(size).enumerate() {
        let shown = schedule.presentations.iter().find(|p| p.range().contains(&frame));
        assert_eq!(schedule.presentation_at(frame).map(|index| &schedule.presentations[index]), shown, "{frame}");
        let expected = match shown {
            None => vec![128; size],
            Some(p) => {
                let stimulus = &schedule.conditions[p.condition].stimulus;
                let prepared = Prepared::new(stimulus, &monitor, p.seed).unwrap_or_else(|error| panic!("{error}"));
                draw(&prepared, frame - p.onset_frame)
            }
        };
        assert!(picture == expected, "frame {frame}");
    }
}

#[test]
fn any_piece_of_a_schedule_is_the_same_as_in_the_whole() {
    let monitor = small_monitor();
    let size = monitor.raster.pixels();
    let mut whole = vec![0; 30 * size];
    source(&monitor).read(0, 30, &mut whole).unwrap_or_else(|error| panic!("{error}"));
    let mut source = source(&monitor);
    for (start, count) in [(29, 1), (17, 2), (0, 0), (3, 9), (10, 15), (5, 6), (0, 30)] {
        let mut piece = vec![0; count * size];
        source.read(start, count, &mut piece).unwrap_or_else(|error| panic!("{error}"));
        assert!(piece == whole[start * size..(start + count) * size], "{start}..{}", start + count);
    }
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let monitor = small_monitor();
    let drawn_by = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
        let mut pixels = vec![0; 30 * monitor.raster.pixels()];
        pool.install(|| source(&monitor).read(0, 30, &mut pixels)).unwrap_or_else(|error| panic!("{error}"));
        pixels
    };
    let alone = drawn_by(1);
    for threads in [2, 3, 8] {
        assert!(drawn_by(threads) == alone, "{threads} threads");
    }
}

#[test]
fn reading_beyond_the_end_or_into_too_little_is_an_error() {
    let mut source = source(&small_monitor());
    let mut one = vec![0; small_monitor().raster.pixels()];
    assert!(source.read(30, 1, &mut one).is_err());
    assert!(source.read(usize::MAX, 1, &mut one).is_err());
    assert!(source.read(0, usize::MAX, &mut one).is_err());
    assert!(source.read(0, 2, &mut one).is_err());
}

#[test]
fn schedules_that_contradict_themselves_are_refused() {
    type Break = (&'static str, fn(&mut Schedule));
    let breaks: [Break; 5] = [
        ("starts at frame 10, before 11", |s| s.presentations[1].onset_frame = 10),
        ("shows condition 2 of 2", |s| s.presentations[2].condition = 2),
        ("ends at frame 31, after the end of the movie at 30", |s| s.presentations[2].frames = 13),
        ("ends at frame 18446744073709551615", |s| s.presentations[2].frames = usize::MAX),
        ("`coherence` is 2", |s| {
            s.conditions[0].stimulus.set("coherence", 2.0);
        }),
    ];
    for (expected, damage) in breaks {
        let mut schedule = schedule();
        damage(&mut schedule);
        let error = ScheduleSource::new(schedule, &small_monitor()).err();
        let error = error.unwrap_or_else(|| panic!("accepted: {expected}")).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_missing_clip_is_found_before_anything_is_shown() {
    let mut schedule = schedule();
    schedule.conditions[1].stimulus = twinscope::stimulus::StimulusKind::Clip.stimulus();
    assert!(matches!(ScheduleSource::new(schedule, &small_monitor()), Err(StimulusError::Clip(_))));
}

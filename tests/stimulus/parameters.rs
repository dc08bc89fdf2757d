//! What holds for every kind of stimulus.

use twinscope::signals::{Monitor, Raster};
use twinscope::stimulus::hash::random_words;
use twinscope::stimulus::{
    Clip, DriftingGrating, Field, FieldKind, Modifier, ModifierKind, MovingDots, Prepared, Stimulus, StimulusError,
    StimulusKind, keys,
};

use super::{computed, draw, prepared, small_monitor};

#[test]
fn any_frame_can_be_drawn_first_twice_or_alone() {
    for stimulus in computed() {
        let forward = prepared(stimulus.clone(), &small_monitor(), 7);
        let frames: Vec<_> = (0..40).map(|frame| draw(&forward, frame)).collect();
        let backward = prepared(stimulus.clone(), &small_monitor(), 7);
        for frame in (0..40).rev() {
            assert_eq!(draw(&backward, frame), frames[frame], "{} frame {frame}", stimulus.label());
        }
        assert_eq!(draw(&forward, 13), frames[13]);
        let mut alone = vec![0; small_monitor().raster.pixels()];
        stimulus.frame(&small_monitor(), 7, 39, &mut alone).expect("it was drawn before");
        assert_eq!(alone, frames[39]);
    }
}

#[test]
fn a_seed_gives_its_own_picture_and_gives_it_again() {
    for stimulus in computed() {
        let picture = |seed| draw(&prepared(stimulus.clone(), &small_monitor(), seed), 4);
        assert_eq!(picture(1), picture(1));
        // Both halves of the seed count.
        for other in [2, 1 + (1 << 32), u64::MAX] {
            assert_eq!(picture(1) == picture(other), !stimulus.is_random(), "{} seed {other}", stimulus.label());
        }
    }
}

#[test]
fn the_defaults_of_every_kind_are_valid_and_survive_toml() {
    for &kind in StimulusKind::ALL {
        let stimulus = kind.stimulus();
        assert_eq!(stimulus.kind(), kind);
        stimulus.validate().unwrap_or_else(|error| panic!("{error}"));
        let text = toml::to_string(&stimulus).expect("plain values");
        assert_eq!(toml::from_str::<Stimulus>(&text).expect("its own text"), stimulus, "{text}");
    }
}

#[test]
fn unknown_keys_are_errors() {
    let text = "kind = \"moving_dots\"\ncoherance = 0.5\n";
    let error = toml::from_str::<Stimulus>(text).expect_err("a misspelt key").to_string();
    assert!(error.contains("coherance"), "{error}");
}

#[test]
fn every_field_can_be_read_and_written_by_its_key() {
    for &kind in StimulusKind::ALL {
        for field in kind.fields() {
            let mut stimulus = kind.stimulus();
            for value in [field.range.1, field.range.0] {
                assert!(stimulus.set(field.key, value), "{kind:?} {}", field.key);
                assert_eq!(stimulus.get(field.key), Some(value), "{kind:?} {}", field.key);
                stimulus.validate().unwrap_or_else(|error| panic!("{error}"));
            }
            if field.kind == FieldKind::Number {
                for wrong in [field.range.1 * 2.0 + 1.0, f64::NAN, f64::INFINITY] {
                    stimulus.set(field.key, wrong);
                    assert!(stimulus.validate().is_err(), "{kind:?} {} = {wrong}", field.key);
                }
            }
            assert!(!field.label.ends_with(':') && !field.help.is_empty(), "{kind:?} {}", field.key);
        }
        let mut stimulus = kind.stimulus();
        assert!(!stimulus.set("no_such_key", 1.0) && stimulus.get("no_such_key").is_none());
    }
}

#[test]
fn an_error_names_the_value_the_limits_and_the_unit() {
    let dots = Stimulus::from(MovingDots { speed_deg_per_sec: -3.0, ..Default::default() });
    let error = dots.validate().expect_err("a negative speed").to_string();
    assert_eq!(error, "Moving dots: `speed_deg_per_sec` is -3, but must lie between 0 and 500 deg/s");
}

#[test]
fn directions_are_set_where_there_are_any() {
    let turned = StimulusKind::DriftingGrating.stimulus().with_direction(-45.0);
    assert_eq!(turned.direction_deg(), Some(315.0));
    assert_eq!(StimulusKind::WhiteNoise.stimulus().with_direction(90.0), StimulusKind::WhiteNoise.stimulus());
    assert_eq!(StimulusKind::WhiteNoise.stimulus().direction_deg(), None);
}

#[test]
fn relative_clips_are_found_beside_the_protocol() {
    let mut clip = Stimulus::Clip(Clip::from_path("clips/a.npy"));
    clip.resolve_paths(std::path::Path::new("/somewhere"));
    assert_eq!(clip, Stimulus::Clip(Clip::from_path("/somewhere/clips/a.npy")));
}

#[test]
fn impossible_monitors_are_refused() {
    let grating = Stimulus::from(DriftingGrating::default());
    for monitor in [
        Monitor::WANG2025.with_raster(Raster { height: 0, width: 10 }),
        Monitor::WANG2025.with_raster(Raster { height: 10, width: usize::MAX }),
        Monitor { distance_cm: 0.0, ..Monitor::WANG2025 },
        Monitor { width_cm: f64::NAN, ..Monitor::WANG2025 },
    ] {
        let refused = Prepared::new(&grating, &monitor, 1);
        assert!(matches!(refused, Err(StimulusError::Monitor(_))), "{monitor:?}");
    }
}

/// A stimulus of this kind with every parameter drawn evenly from its range.
fn with_random_parameters(kind: StimulusKind, draw: u32) -> Stimulus {
    let mut stimulus = kind.stimulus();
    for (index, field) in kind.fields().iter().enumerate() {
        let [word, extreme, ..] = random_words(0x5eed, draw, index as u32);
        let part = f64::from(word) / f64::from(u32::MAX);
        let (least, most) = field.range;
        let value = match (field.kind, extreme % 8) {
            // The ends of the ranges are where things break.
            (FieldKind::Number, 0) => least,
            (FieldKind::Number, 1) => most,
            // Ranges that span decades are seen evenly by their logarithm.
            (FieldKind::Number, 2..=4) if least > 0.0 => least * (most / least).powf(part),
            (FieldKind::Number, _) => least + part * (most - least),
            _ => (part * (most + 1.0)).floor().min(most),
        };
        assert!(stimulus.set(field.key, value), "{kind:?} {}", field.key);
    }
    stimulus
}

#[test]
fn every_computed_kind_draws_with_any_parameters_of_its_ranges() {
    // Few pixels: parameters matter here, not pictures. Not square, and with a background beside the middle.
    let monitor = Monitor { background: 100, ..Monitor::WANG2025.with_raster(Raster { height: 9, width: 16 }) };
    for &kind in StimulusKind::ALL.iter().filter(|kind| !kind.stimulus().reads_files()) {
        let (mut random, mut equal) = (0, 0);
        for number in 0..16 {
            let stimulus = with_random_parameters(kind, number);
            let Ok(shown) = Prepared::new(&stimulus, &monitor, 1) else {
                // What fields cannot say, a kind may refuse, but only by an error.
                assert!(stimulus.validate_for(&monitor).is_err(), "{stimulus:?}");
                continue;
            };
            let same = prepared(stimulus.clone(), &monitor, 1);
            let other = prepared(stimulus.clone(), &monitor, 2);
            let mut differs = false;
            for frame in [0, 29, 100_000] {
                let pixels = draw(&shown, frame);
                assert_eq!(pixels, draw(&same, frame), "{stimulus:?} frame {frame}");
                differs |= pixels != draw(&other, frame);
            }
            if stimulus.is_random() {
                random += 1;
                equal += usize::from(!differs);
            } else {
                assert!(!differs, "{stimulus:?} is not random");
            }
        }
        // Some parameters, such as a contrast of 0, leave nothing to chance.
        assert!(equal * 2 <= random, "{kind:?}: {equal} of {random} are the same under another seed");
    }
}

/// Values of a field near its least and far from it, more than one of them another direction.
fn spread(field: &Field) -> Vec<f64> {
    let (least, most) = field.range;
    match field.kind {
        FieldKind::Number => [0.0, 0.004, 0.1, 0.28, 1.0].map(|part| least + part * (most - least)).to_vec(),
        _ => (0..=most as usize).map(|value| value as f64).collect(),
    }
}

/// Whether the pictures change with a parameter; `None` when fewer than two of its values can be shown.
fn changes(stimulus: &Stimulus, modifiers: &[Modifier], key: &str, field: &Field) -> Option<bool> {
    let monitor = Monitor::WANG2025.with_raster(Raster { height: 18, width: 32 });
    let pictures = |value: f64| {
        let (mut stimulus, mut modifiers) = (stimulus.clone(), modifiers.to_vec());
        assert!(keys::set(&mut stimulus, &mut modifiers, key, value), "{key}");
        let shown = Prepared::modified(&stimulus, &modifiers, &monitor, 1).ok()?;
        // Also in a fade before 1.5 s, and in the second round of a chirp.
        let frames = [0, 1, 7, 20, 40, 45, 95, 160, 230, 300, 420, 560, 700, 800, 950];
        Some(frames.map(|frame| draw(&shown, frame)))
    };
    let shown: Vec<_> = spread(field).into_iter().filter_map(pictures).collect();
    (shown.len() > 1).then(|| shown.windows(2).any(|pair| pair[0] != pair[1]))
}

/// Every kind and every modifier as it is by default, and with each switch, choice and number set to its extremes;
/// those of the second list are where a parameter may be lost in the rounding of greys.
fn settings() -> [Vec<(Stimulus, Vec<Modifier>)>; 2] {
    let plain = StimulusKind::ALL.iter().map(|kind| kind.stimulus()).filter(|stimulus| !stimulus.reads_files());
    let modified = ModifierKind::ALL.iter().map(|kind| (DriftingGrating::default().into(), vec![kind.modifier()]));
    let (mut usual, mut extreme) = (Vec::new(), Vec::new());
    for (stimulus, modifiers) in plain.map(|stimulus| (stimulus, Vec::new())).chain(modified) {
        for (key, field) in keys::all(&stimulus, &modifiers) {
            if !modifiers.is_empty() && !key.contains('.') {
                continue;
            }
            let (least, most) = field.range;
            let (list, values) = match field.kind {
                FieldKind::Number => (&mut extreme, [0.0, most].into_iter().filter(|v| *v >= least).collect()),
                _ => (&mut usual, spread(field)),
            };
            for value in values {
                let (mut stimulus, mut modifiers) = (stimulus.clone(), modifiers.clone());
                assert!(keys::set(&mut stimulus, &mut modifiers, &key, value));
                list.push((stimulus, modifiers));
            }
        }
        usual.push((stimulus, modifiers));
    }
    [usual, extreme]
}

#[test]
fn a_parameter_is_called_idle_where_it_changes_nothing() {
    let [usual, extreme] = settings();
    let mut idle = 0;
    for (settings, complete) in [(usual, true), (extreme, false)] {
        for (stimulus, modifiers) in settings {
            for (key, field) in keys::all(&stimulus, &modifiers) {
                if !modifiers.is_empty() && !key.contains('.') {
                    continue;
                }
                let why = keys::idle(&stimulus, &modifiers, &key);
                if why.is_none() && !complete {
                    continue;
                }
                idle += usize::from(why.is_some());
                let changes = changes(&stimulus, &modifiers, &key, field);
                let told = format!("{stimulus:?} {modifiers:?} {key}: {why:?}");
                assert_ne!(changes, Some(why.is_some()), "{told}");
                if let Some(why) = why {
                    let known = |word: &str| keys::all(&stimulus, &modifiers).iter().any(|(k, _)| k.ends_with(word));
                    let remedy = why.split('`').skip(1).step_by(2).all(known);
                    assert!(why.contains("; ") && why.contains('`') && remedy, "{told}");
                }
            }
        }
    }
    assert!(idle > 20, "only {idle} were tried");
}

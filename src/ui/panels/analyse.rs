//! What an analysis is to be done with, before it begins.

use std::fmt::Display;
use std::ops::RangeInclusive;

use eframe::egui::emath::Numeric;
use eframe::egui::{Button, Context, DragValue, Id, Modal, ScrollArea, Ui};

use crate::characterise::Measured;
use crate::signals::FrameRate;
use crate::ui::view::{Action, Dialog, View};
use crate::ui::widgets::{badge, field};
use crate::workbench::{AnalyseCommand, AnalyseOptions, Command, OpenRecording, Workbench};

/// Width of the dialog, points.
const WIDTH: f32 = 440.0;
/// Most of its height that the domains take, points; a longer list scrolls.
const LIST_HEIGHT: f32 = 200.0;

/// Draws the dialog for the newest run, or for the recording that is open; `fresh` in the first frame of it.
pub fn analyse_ui(bench: &Workbench, view: &mut View, dialog: Dialog, fresh: bool, ctx: &Context) -> Vec<Action> {
    let of_recording = dialog == Dialog::AnalyseRecording;
    let mut actions = Vec::new();
    let mut options = bench.analyse_options().clone();
    let (mut begin, mut close) = (false, false);
    let modal = Modal::new(Id::unique("analyse")).show(ctx, |ui| {
        ui.set_width(WIDTH);
        ui.heading(if of_recording { "Analyse recording" } else { "Analyse responses" });
        let what = "Tuning, receptive fields, reliability and population, with figures. The options are those of \
                    `twinscope analyse`, and are remembered.";
        badge::weak(ui, what);
        ui.separator();
        let tip =
            "How often trials are drawn anew for every bootstrap interval; more give steadier ends and take longer";
        whole(ui, "Resamples", tip, "", &AnalyseOptions::RESAMPLES, &mut options.resamples);
        let tip = "Decides everything that is drawn: resamples, samples of units, folds of the decoder. The same seed \
                   gives the same numbers";
        whole(ui, "Seed", tip, "", &AnalyseOptions::SEEDS, &mut options.seed);
        let refusal = match (of_recording, bench.recording(), bench.answer()) {
            _ if bench.analysis_progress().is_some() => Some("An analysis is under way; wait for it, or cancel it."),
            (true, None, _) => Some("No recording is open."),
            (false, _, None) => Some("There is no run yet."),
            (true, Some(open), _) => {
                recording_ui(open, &mut options, ui);
                None
            }
            (false, _, Some(answer)) => {
                let rate = answer.outcome.monitor.frame_rate;
                let tip = "Frames by which responses follow the stimulus, for receptive fields from Gaussian dots and \
                           sparse noise; nothing else depends on it";
                frames(ui, "Delay of responses", tip, rate, &AnalyseOptions::DELAYS, &mut options.delay_frames);
                None
            }
        };
        ui.separator();
        if let Some(why) = refusal {
            badge::caution(ui, why);
        }
        ui.horizontal(|ui| {
            let start = ui.add_enabled(refusal.is_none(), Button::new("Start analysis"));
            if fresh {
                start.request_focus();
            }
            let tip = "Analyse in the background; what is found appears in a window (Enter)";
            begin = start.on_hover_text(tip).on_disabled_hover_text(refusal.unwrap_or_default()).clicked();
            let defaults = AnalyseOptions::default();
            let reset = ui.add_enabled(options != defaults, Button::new("Defaults"));
            if reset.on_hover_text("All options as the program has them at first").clicked() {
                options = defaults;
            }
            close = ui.button("Close").on_hover_text("Analyse nothing; the options are remembered (Esc)").clicked();
        });
    });
    if options != *bench.analyse_options() {
        actions.push(Command::Analyse(AnalyseCommand::Set(options)).into());
    }
    if begin {
        view.analysis = true;
        let what = if of_recording { AnalyseCommand::Recording } else { AnalyseCommand::Responses };
        actions.push(Command::Analyse(what).into());
    }
    if begin || close || modal.should_close() {
        view.dialog = None;
    }
    actions
}

/// What only a recording is asked for.
fn recording_ui(open: &OpenRecording, options: &mut AnalyseOptions, ui: &mut Ui) {
    let tip =
        "Frames at the beginning of every presentation that count nothing, such as those before a response can begin";
    frames(ui, "Skipped frames", tip, open.session.frame_rate, &AnalyseOptions::SKIPPED, &mut options.skip_frames);
    ui.add_space(4.0);
    badge::title(ui, "Receptive fields from");
    let domains: Vec<&str> = open.watchable().collect();
    let names = |wanted: &dyn Fn(&str) -> bool| {
        let names: Vec<&str> = domains.iter().copied().filter(|domain| wanted(domain)).collect();
        names.join(", ")
    };
    ScrollArea::vertical().id_salt("domains of fields").max_height(LIST_HEIGHT).show(ui, |ui| {
        for &domain in &domains {
            let mut maps = options.maps(domain);
            let tip = "Map receptive fields from the movies of this domain, by reverse correlation. Movies that are no \
                       white noise blur the maps by their own correlations";
            if ui.checkbox(&mut maps, domain).on_hover_text(tip).changed() {
                options.set_maps(domain, maps);
            }
        }
    });
    let text = match (names(&|domain| options.maps(domain)), names(&Measured::is_probe)) {
        _ if domains.is_empty() => "No movie of a domain is stored, so there is nothing to map from.".to_owned(),
        (ticked, _) if !ticked.is_empty() => format!("Mapped from the movies of {ticked}."),
        (_, probes) if probes.is_empty() => {
            "None is ticked, and none has noise or Gaussian dots in its name: no fields are mapped.".to_owned()
        }
        (_, probes) => format!("None is ticked: those with noise or Gaussian dots in their names count, {probes}."),
    };
    badge::weak(ui, text);
}

/// A number of frames, with the time that they take.
fn frames(ui: &mut Ui, label: &str, tip: &str, rate: FrameRate, range: &RangeInclusive<usize>, value: &mut usize) {
    whole(ui, label, tip, " frames", range, value);
    badge::weak(ui, format!("{:.3} s at {:.3} frames/s", rate.secs_at(*value), rate.0));
}

/// A whole number; `suffix` is a space and its unit, where it has one.
fn whole<T: Numeric + Display>(
    ui: &mut Ui,
    label: &str,
    tip: &str,
    suffix: &str,
    range: &RangeInclusive<T>,
    value: &mut T,
) {
    let (least, most) = (range.start(), range.end());
    let tip = match suffix {
        "" => format!("{tip}. From {least} to {most}."),
        unit => format!("{tip}. In{unit}, from {least} to {most}."),
    };
    field::row(ui, label, &tip, |ui| {
        ui.add(DragValue::new(value).range(range.clone()).speed(0.1).suffix(suffix).update_while_editing(false))
    });
}

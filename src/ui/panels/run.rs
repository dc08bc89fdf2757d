//! Run, progress and cancel: always in view at the foot of the left column.

use eframe::egui::{Button, ProgressBar, RichText, Ui, vec2};

use super::{Panel, Place};
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::workbench::{Command, Workbench};

/// Starts and stops.
pub struct Run;

impl Panel for Run {
    fn name(&self) -> &'static str {
        "run"
    }

    fn place(&self) -> Place {
        Place::LeftFoot
    }

    fn ui(&mut self, bench: &Workbench, _view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let mut actions = Vec::new();
        match bench.plan() {
            Ok(plan) => {
                let secs = plan.monitor.frame_rate.secs_at(plan.schedule.frames);
                let (shown, kinds) = (plan.schedule.presentations.len(), plan.schedule.conditions.len());
                let text = format!("{shown} presentations of {kinds} conditions, {secs:.1} s at 30 frames/s");
                let text = text.replace("30 frames/s", &format!("{} frames/s", plan.monitor.frame_rate.0));
                ui.label(RichText::new(text).small().color(palette.weak));
            }
            Err(error) => {
                ui.label(RichText::new(error).small().color(palette.error));
            }
        }
        let progress = bench.run_progress();
        ui.horizontal(|ui| {
            let run = Button::new(RichText::new("Run").strong().color(palette.on_accent))
                .fill(palette.accent)
                .min_size(vec2(92.0, 28.0));
            if ui
                .add_enabled(bench.plan().is_ok(), run)
                .on_hover_text("Show the stimulus to the twin (Ctrl+R or F5)")
                .clicked()
            {
                actions.push(Command::Run.into());
            }
            let cancel = Button::new("Cancel").min_size(vec2(72.0, 28.0));
            if ui
                .add_enabled(progress.is_some(), cancel)
                .on_hover_text("Stop; the previous result stays (Esc)")
                .clicked()
            {
                actions.push(Command::Cancel.into());
            }
            let mut live = bench.is_live();
            if ui
                .checkbox(&mut live, "Live")
                .on_hover_text("Run again after every edit, also while a slider moves")
                .changed()
            {
                actions.push(Command::SetLive(live).into());
            }
        });
        let (fraction, text) = match progress {
            Some(progress) if progress.stopping => (progress.fraction.unwrap_or(0.0), "stopping".to_owned()),
            Some(progress) => match progress.fraction {
                Some(fraction) => (fraction, format!("{:.0} %", 100.0 * fraction)),
                None => (0.0, "preparing the twin".to_owned()),
            },
            None => match bench.answer() {
                Some(answer) => (1.0, format!("done in {:.2} s", answer.seconds)),
                None => (0.0, "not run yet".to_owned()),
            },
        };
        let fill = if progress.is_some() { palette.accent } else { palette.button };
        let colour = if progress.is_some() && fraction > 0.5 { palette.on_accent } else { palette.text };
        ui.add(
            ProgressBar::new(fraction)
                .desired_width(ui.available_width())
                .desired_height(18.0)
                .fill(fill)
                .corner_radius(4.0)
                .text(RichText::new(text).small().color(colour)),
        );
        actions
    }
}

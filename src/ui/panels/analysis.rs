//! The analysis of responses: what was found as a list, and the figures.

use std::sync::{Arc, Weak};

use eframe::egui::{
    self, Align2, Button, ColorImage, Image, Label, ProgressBar, RichText, ScrollArea, TextureHandle, TextureOptions,
    Ui, Window,
};

use super::figure_width::figure_width_ui;
use crate::figures::Picture;
use crate::ui::theme::Palette;
use crate::ui::view::{Action, Ask, View};
use crate::workbench::{AnalyseCommand, Analysed, Command, Workbench};

/// A figure on the screen with its name.
type Shown = (&'static str, TextureHandle);

/// A window of its own over every workspace.
#[derive(Default)]
pub struct AnalysisWindow {
    /// The figures on the screen, and whose they are. Weak, not an address: another analysis could come to lie where this
    /// one lay.
    textures: Option<(Weak<Analysed>, Vec<Shown>)>,
}

impl AnalysisWindow {
    /// Draws it while it is open.
    pub fn ui(&mut self, bench: &Workbench, view: &mut View, ctx: &egui::Context) -> Vec<Action> {
        let mut actions = Vec::new();
        if !view.analysis {
            return actions;
        }
        let mut open = true;
        let room = ctx.content_rect().size();
        Window::new("Analysis of responses")
            .open(&mut open)
            .collapsible(false)
            .pivot(Align2::CENTER_CENTER)
            .default_pos(ctx.content_rect().center())
            .default_size([(room.x - 160.0).min(900.0), (room.y - 140.0).min(720.0)])
            .min_size([420.0, 240.0])
            .show(ctx, |ui| self.content_ui(bench, ui, &mut actions));
        view.analysis = open;
        actions
    }

    fn content_ui(&mut self, bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
        let palette = Palette::of(ui);
        progress_ui(bench, ui, actions);
        let Some(analysed) = bench.analysed() else {
            if bench.analysis_progress().is_none() && bench.analysis_failure().is_none() {
                let text = "Nothing was analysed yet: choose Experiment > Analyse responses after a run, or Analyse \
                            recording beside an open recording.";
                ui.add(Label::new(RichText::new(text).color(palette.weak)).wrap());
            }
            return;
        };
        let found = &analysed.found;
        ui.label(RichText::new(&found.title).strong());
        let (notice, colour) = match bench.is_analysis_outdated() {
            true => (format!("{} · of an earlier run or recording", found.notice), palette.caution),
            false => (found.notice.clone(), palette.weak),
        };
        ui.label(RichText::new(notice).small().color(colour));
        figure_width_ui(bench, ui, actions);
        let tip = "Write every table (.csv), the findings and the figures (.png, .svg, .pdf) into a folder, as `twinscope \
                   analyse` does";
        if ui.button("Export analysis…").on_hover_text(tip).clicked() {
            actions.push(Action::Ask(Ask::ExportAnalysis));
        }
        ui.separator();
        ScrollArea::vertical().id_salt("analysis").auto_shrink(false).show(ui, |ui| {
            for finding in &found.findings {
                ui.add(Label::new(format!("• {finding}")).wrap());
            }
            let width = ui.available_width();
            for (name, texture) in self.textures(analysed, ui) {
                ui.add_space(8.0);
                let size = texture.size_vec2();
                let scale = (width / size.x).min(1.0);
                let image = Image::from_texture((texture.id(), size)).fit_to_exact_size(size * scale);
                ui.add(image.alt_text(format!("Figure {name}"))).on_hover_text(format!("The figure `{name}`"));
            }
        });
    }

    fn textures(&mut self, analysed: &Arc<Analysed>, ui: &Ui) -> &[Shown] {
        let weak = Arc::downgrade(analysed);
        let known = self.textures.take().filter(|(of, _)| of.ptr_eq(&weak));
        let load = || {
            let texture = |(name, picture): &(&'static str, Picture)| {
                let image = ColorImage::from_rgb([picture.width, picture.height], &picture.rgb);
                (*name, ui.ctx().load_texture(*name, image, TextureOptions::LINEAR))
            };
            (weak, analysed.pictures.iter().map(texture).collect())
        };
        &self.textures.insert(known.unwrap_or_else(load)).1
    }
}

/// How far the analysis under way is, and why the last one gave nothing.
fn progress_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    if let Some(progress) = bench.analysis_progress() {
        ui.horizontal(|ui| {
            let cancel = ui.add_enabled(!progress.stopping, Button::new("Cancel analysis"));
            if cancel.on_hover_text("Stop; the previous analysis stays (Esc)").clicked() {
                actions.push(Command::Analyse(AnalyseCommand::Cancel).into());
            }
            let text = match (progress.stopping, progress.fraction) {
                (true, _) => "stopping".to_owned(),
                (false, None) => "looking through the responses".to_owned(),
                (false, Some(part)) => format!("{:.0} % analysed", 100.0 * part),
            };
            ui.label(RichText::new(text).small().color(palette.weak));
        });
        ui.add(ProgressBar::new(progress.fraction.unwrap_or(0.0)).desired_height(10.0));
    }
    if let Some(failure) = bench.analysis_failure() {
        ui.add(Label::new(RichText::new(failure).small().color(palette.error)).wrap());
    }
}

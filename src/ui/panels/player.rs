//! The stimulus as the twin sees it: drawn from the protocol, on the raster of the screen.

use eframe::egui::{
    Align2, Button, Color32, ColorImage, FontId, Pos2, Rect, RichText, Role, Sense, Slider, TextureHandle,
    TextureOptions, Ui, WidgetInfo, pos2, vec2,
};

use super::{Panel, Place};
use crate::signals::Monitor;
use crate::stimulus::schedule::Schedule;
use crate::ui::theme::Palette;
use crate::ui::view::{Action, View};
use crate::ui::widgets::{arrow, badge};
use crate::workbench::{Picture, Workbench};

/// Plays the current protocol.
#[derive(Default)]
pub struct Player {
    texture: Option<(u64, usize, TextureHandle)>,
}

impl Panel for Player {
    fn name(&self) -> &'static str {
        "player"
    }

    fn place(&self) -> Place {
        Place::Centre(40)
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let Ok(plan) = bench.plan() else {
            badge::head(ui, "Stimulus", |_| ());
            badge::empty(ui, bench.plan().err().unwrap_or_default());
            return Vec::new();
        };
        let (monitor, schedule) = (&plan.monitor, &plan.schedule);
        let rate = monitor.frame_rate;
        let last = schedule.frames.saturating_sub(1);
        let frame = frame_at(view.position_secs, monitor, schedule);
        badge::head(ui, "Stimulus", |ui| {
            let text = format!("{} × {} pixels, {} Hz", monitor.raster.height, monitor.raster.width, rate.0);
            ui.label(RichText::new(text).small().color(palette.weak))
                .on_hover_text("Rows and columns of the movie that the twin watches, and its frames per second");
        });
        self.screen_ui(bench, monitor, ui);
        ui.horizontal(|ui| {
            let name = if view.playing { "Pause" } else { "Play" };
            let play = ui.add(Button::new("").min_size(vec2(34.0, 22.0))).on_hover_text(format!("{name} (space)"));
            let centre = play.rect.center();
            if view.playing {
                for side in [-3.5, 3.5] {
                    let bar = Rect::from_center_size(centre + vec2(side, 0.0), vec2(3.5, 11.0));
                    ui.painter().rect_filled(bar, 0.0, palette.text);
                }
            } else {
                arrow::triangle(ui.painter(), centre, 7.0, 0.0, palette.text);
            }
            play.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
            if play.clicked() {
                view.playing = !view.playing;
            }
            let mut wanted = frame;
            let time = format!("frame {frame} / {last} · {:.2} s", rate.secs_at(frame));
            let room = ui.available_width();
            ui.spacing_mut().slider_width = (room - 180.0).max(60.0);
            let scrub = ui
                .add(Slider::new(&mut wanted, 0..=last).show_value(false))
                .on_hover_text("Moment of the movie; drag to look at another");
            scrub.widget_info(|| WidgetInfo::slider(true, frame as f64, "Moment"));
            if scrub.changed() {
                view.position_secs = rate.secs_at(wanted) + 0.5 / rate.0;
                view.playing = false;
            }
            ui.label(RichText::new(time).small().color(palette.weak));
        });
        condition_ui(schedule, frame, &palette, ui);
        Vec::new()
    }
}

/// Frame of a moment.
pub fn frame_at(position_secs: f64, monitor: &Monitor, schedule: &Schedule) -> usize {
    ((position_secs * monitor.frame_rate.0) as usize).min(schedule.frames.saturating_sub(1))
}

fn condition_ui(schedule: &Schedule, frame: usize, palette: &Palette, ui: &mut Ui) {
    let shown = schedule.presentation_at(frame).and_then(|index| schedule.presentations.get(index));
    ui.horizontal(|ui| {
        ui.set_height(ui.spacing().interact_size.y);
        match shown.and_then(|shown| Some((shown, schedule.conditions.get(shown.condition)?))) {
            Some((shown, condition)) => {
                ui.label(condition.label());
                let direction = condition.direction_deg().or_else(|| condition.stimulus.direction_deg());
                if let Some(direction) = direction.filter(|_| condition.part.is_some()) {
                    ui.label(format!("{direction:.0}°"));
                    arrow::glyph(ui, direction, palette.data);
                }
                let values: Vec<String> =
                    condition.values().filter(|(key, _)| *key != "direction_deg").map(|(_, text)| text).collect();
                if !values.is_empty() {
                    ui.label(values.join(" · "));
                }
                ui.label(RichText::new(format!("repeat {}", shown.repeat + 1)).color(palette.weak));
            }
            None => {
                ui.label(RichText::new("Grey screen").color(palette.weak));
            }
        }
    });
}

impl Player {
    fn screen_ui(&mut self, bench: &Workbench, monitor: &Monitor, ui: &mut Ui) {
        let palette = Palette::of(ui);
        let foot = 2.0 * (ui.spacing().interact_size.y + ui.spacing().item_spacing.y) + 2.0;
        let size = vec2(ui.available_width(), (ui.available_height() - foot).max(60.0));
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Stimulus on the screen"));
        let aspect = (monitor.width_cm / monitor.height_cm) as f32;
        let width = rect.width().min(rect.height() * aspect);
        let screen = Rect::from_center_size(rect.center(), vec2(width, width / aspect));
        let painter = ui.painter_at(rect);
        if let Some(error) = bench.picture_error() {
            painter.rect_filled(screen, 2.0, palette.well);
            ui.put(screen.shrink(12.0), eframe::egui::Label::new(RichText::new(error).color(palette.error)).wrap());
            return;
        }
        if let Some(picture) = bench.picture() {
            self.show(picture, ui);
        }
        match &self.texture {
            Some((_, _, texture)) => {
                let all = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
                painter.image(texture.id(), screen, all, Color32::WHITE);
            }
            None => {
                painter.rect_filled(screen, 2.0, palette.well);
                let text = "Drawing the stimulus";
                painter.text(screen.center(), Align2::CENTER_CENTER, text, FontId::proportional(13.0), palette.weak);
            }
        }
        response.on_hover_text(format!(
            "The screen covers {:.0}° × {:.0}° of the visual field",
            monitor.field_degrees().0,
            monitor.field_degrees().1
        ));
    }

    fn show(&mut self, picture: &Picture, ui: &Ui) {
        let wanted = (picture.edition, picture.frame);
        if self.texture.as_ref().is_some_and(|(edition, frame, _)| (*edition, *frame) == wanted) {
            return;
        }
        let image = ColorImage::from_gray([picture.raster.width, picture.raster.height], &picture.grey);
        match &mut self.texture {
            Some((edition, frame, texture)) => {
                (*edition, *frame) = wanted;
                texture.set(image, TextureOptions::NEAREST);
            }
            None => {
                let texture = ui.ctx().load_texture("stimulus", image, TextureOptions::NEAREST);
                self.texture = Some((wanted.0, wanted.1, texture));
            }
        }
    }
}

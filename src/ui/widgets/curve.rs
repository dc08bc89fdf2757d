//! Tuning along a line: the mean response at each value of a parameter, with its standard error.

use eframe::egui::{RichText, Ui, Vec2b};
use egui_plot::{GridMark, HoverPosition, Line, Plot, PlotPoints, Points};

use crate::analysis::{ParameterTuning, Spacing, UnitCurve};
use crate::ui::theme::Palette;

/// Room that the axis gives to each mark, points.
const MARK_WIDTH: f32 = 44.0;

/// Draws the curve of a unit as wide as there is room and as high as `height`.
pub fn curve_ui(tuning: &ParameterTuning, curve: &UnitCurve, ui: &mut Ui, height: f32) {
    let palette = Palette::of(ui);
    let place = |index: usize| match tuning.spacing {
        Spacing::Linear => tuning.values[index],
        Spacing::Logarithmic => tuning.values[index].log10(),
        Spacing::Words => index as f64,
    };
    let error = |index: usize| curve.sem.as_ref().and_then(|sem| sem.get(index)).copied();
    let count = tuning.values.len().min(curve.mean.len());
    let points: Vec<[f64; 2]> = (0..count).map(|index| [place(index), f64::from(curve.mean[index])]).collect();
    let top = (0..count).map(|index| f64::from(curve.mean[index] + error(index).unwrap_or(0.0))).fold(0.0, f64::max);
    // Every value has a mark while there is room, then every second, ...
    let every = (count as f32 * MARK_WIDTH / ui.available_width().max(1.0)).ceil().max(1.0) as usize;
    let step = points.windows(2).map(|pair| pair[1][0] - pair[0][0]).fold(f64::INFINITY, f64::min).clamp(1e-9, 1e9);
    // Marks are written out only where their steps are wide: there is room, or they would not be here.
    let width = points.last().zip(points.first()).map_or(1.0, |(last, first)| (last[0] - first[0]).max(step));
    let marks: Vec<GridMark> =
        points.iter().step_by(every).map(|point| GridMark { value: point[0], step_size: width }).collect();
    let name_at = |at: f64| {
        let nearest = (0..count).min_by(|&a, &b| (points[a][0] - at).abs().total_cmp(&(points[b][0] - at).abs()));
        nearest.filter(|&index| (points[index][0] - at).abs() < 1e-6 * step.max(1.0)).map(|index| tuning.spoken(index))
    };
    Plot::new("tuning curve")
        .height(height)
        .allow_scroll(false)
        .allow_zoom(Vec2b::FALSE)
        .allow_drag(Vec2b::FALSE)
        .allow_boxed_zoom(false)
        .include_y(0.0)
        .include_y(top * 1.05)
        .set_margin_fraction(eframe::egui::vec2(0.06, 0.02))
        .x_axis_label(RichText::new(tuning.field.caption()).small())
        .y_axis_label(RichText::new("× mean").small())
        .grid_color(palette.line)
        .x_grid_spacer(|_| marks.clone())
        .x_axis_formatter(|mark, _| name_at(mark.value).unwrap_or_default())
        .label_formatter(|hover| match hover {
            HoverPosition::NearDataPoint { position, .. } => {
                let name = name_at(position.x)?;
                let index = (0..count).find(|&index| (points[index][0] - position.x).abs() < 1e-9)?;
                let error = error(index).map_or(String::new(), |sem| format!(" ± {sem:.2}"));
                Some(format!("{name}: {:.2}{error} × the unit's mean activity", curve.mean[index]))
            }
            HoverPosition::Elsewhere { .. } => None,
        })
        .show(ui, |plot| {
            if tuning.spacing != Spacing::Words {
                plot.line(Line::new("", PlotPoints::from(points.clone())).color(palette.data).width(2.0));
            }
            for (index, point) in points.iter().enumerate() {
                let Some(error) = error(index).map(f64::from) else { continue };
                let bar = vec![[point[0], point[1] - error], [point[0], point[1] + error]];
                plot.line(Line::new("", PlotPoints::from(bar)).color(palette.text).width(1.4).allow_hover(false));
            }
            plot.points(Points::new("", PlotPoints::from(points.clone())).color(palette.data).radius(3.5));
        });
}

//! Plots of a comparison: histograms, values of units against each other, responses over time.

use eframe::egui::{RichText, Ui, Vec2b, vec2};
use egui_plot::{Bar, BarChart, HoverPosition, Line, Plot, PlotPoint, PlotPoints, Points, VLine};

use crate::analysis::UnitTuning;
use crate::ui::theme::Palette;
use crate::workbench::TraceLines;

/// Height of a plot, points.
pub(super) const HEIGHT: f32 = 172.0;
/// Farthest from a dot that a click counts for it, points.
const REACH: f32 = 16.0;

fn fixed<'a>(name: &str, x: &str, y: &str, palette: &Palette) -> Plot<'a> {
    Plot::new(name)
        .height(HEIGHT)
        .allow_scroll(false)
        .allow_zoom(Vec2b::FALSE)
        .allow_drag(Vec2b::FALSE)
        .allow_boxed_zoom(false)
        .set_margin_fraction(vec2(0.04, 0.06))
        .x_axis_label(RichText::new(x).small())
        .y_axis_label(RichText::new(y).small())
        .grid_color(palette.line)
}

/// Bars of equal width; a mark is a line across them.
pub(super) struct Bars<'a> {
    /// Unique among the plots in view.
    pub(super) name: &'a str,
    /// What lies along and above.
    pub(super) axes: [&'a str; 2],
    /// Width of a bar.
    pub(super) bin: f64,
    /// Middle and height of each.
    pub(super) bars: &'a [[f64; 2]],
    /// The same of another population, drawn as outlines.
    pub(super) others: &'a [[f64; 2]],
    /// Ends of the axis that are always in view.
    pub(super) include: Option<(f64, f64)>,
    /// A value that is marked.
    pub(super) mark: Option<f64>,
}

impl Bars<'_> {
    pub(super) fn ui(&self, ui: &mut Ui) {
        let palette = Palette::of(ui);
        let mut plot = fixed(self.name, self.axes[0], self.axes[1], &palette).include_y(0.0);
        if let Some((low, high)) = self.include {
            plot = plot.include_x(low).include_x(high);
        }
        let filled: Vec<Bar> = self.bars.iter().map(|&[x, y]| Bar::new(x, y).fill(palette.data)).collect();
        // Steps around the other population, drawn over the bars of the first.
        let half = self.bin / 2.0;
        let outline = |&[x, y]: &[f64; 2]| vec![[x - half, 0.0], [x - half, y], [x + half, y], [x + half, 0.0]];
        let outlines: Vec<Vec<[f64; 2]>> = self.others.iter().map(outline).collect();
        plot.label_formatter(|_| None).show(ui, |plot| {
            plot.bar_chart(BarChart::new("", filled).width(self.bin * 0.94).allow_hover(false));
            for outline in outlines {
                plot.line(Line::new("", PlotPoints::from(outline)).color(palette.accent).width(1.6).allow_hover(false));
            }
            if let Some(mark) = self.mark {
                plot.vline(VLine::new("", mark).color(palette.playhead).width(1.5).allow_hover(false));
            }
        });
    }
}

/// Two values of every unit, with the line on which they are equal.
pub(super) struct Scatter<'a> {
    /// Unique among the plots in view.
    pub(super) name: &'a str,
    /// What lies along and above.
    pub(super) axes: [&'a str; 2],
    /// Index of a unit and its two values.
    pub(super) points: &'a [(usize, [f64; 2])],
    /// The unit that is marked.
    pub(super) selected: usize,
    /// Values that are always in view.
    pub(super) include: Option<(f64, f64)>,
}

impl Scatter<'_> {
    /// Draws it; the unit that was clicked.
    pub(super) fn ui(&self, ui: &mut Ui, unit_name: impl Fn(usize) -> String) -> Option<usize> {
        let palette = Palette::of(ui);
        let values = || self.points.iter().flat_map(|(_, values)| values);
        let (mut low, mut high) = self.include.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        for &value in values() {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let [along, above] = self.axes;
        let points = self.points;
        let plot = fixed(self.name, along, above, &palette)
            .include_x(low)
            .include_x(high)
            .include_y(low)
            .include_y(high)
            .label_formatter(move |hover| match hover {
                HoverPosition::NearDataPoint { plot_name: "Units", index, .. } => {
                    let (unit, [x, y]) = points.get(*index)?;
                    Some(format!("Unit {}\n{along}: {x:.2}\n{above}: {y:.2}", unit_name(*unit)))
                }
                _ => None,
            });
        let all: Vec<[f64; 2]> = self.points.iter().map(|(_, values)| *values).collect();
        let marked: Vec<[f64; 2]> =
            self.points.iter().filter(|(unit, _)| *unit == self.selected).map(|(_, values)| *values).collect();
        let response = plot.show(ui, |plot| {
            let equal = PlotPoints::from(vec![[low, low], [high, high]]);
            plot.line(Line::new("", equal).color(palette.weak).width(1.0).allow_hover(false));
            plot.points(Points::new("Units", PlotPoints::from(all)).color(palette.data).radius(2.5));
            let marked = Points::new("", PlotPoints::from(marked)).color(palette.accent).radius(5.0);
            plot.points(marked.allow_hover(false));
        });
        let pointer = response.response.interact_pointer_pos().filter(|_| response.response.clicked())?;
        let distance = |values: &[f64; 2]| {
            response.transform.position_from_point(&PlotPoint::new(values[0], values[1])).distance(pointer)
        };
        let nearest = self.points.iter().min_by(|a, b| distance(&a.1).total_cmp(&distance(&b.1)))?;
        (distance(&nearest.1) <= REACH).then_some(nearest.0)
    }
}

/// Tuning of one unit to the angle, recorded and predicted.
pub(super) fn tuning_ui(
    angles_deg: &[f64],
    recorded: Option<&UnitTuning>,
    predicted: Option<&UnitTuning>,
    ui: &mut Ui,
) {
    let palette = Palette::of(ui);
    let plot = fixed("unit tuning", "Angle as the recording names it (°)", "Response (× mean)", &palette)
        .include_y(0.0)
        .label_formatter(|hover| match hover {
            HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                Some(format!("{plot_name}, {:.0}°: {:.2} × mean", position.x, position.y))
            }
            _ => None,
        });
    plot.show(ui, |plot| {
        for (name, tuning, colour) in [("Recorded", recorded, palette.text), ("Predicted", predicted, palette.data)] {
            let Some(tuning) = tuning else { continue };
            let points: Vec<[f64; 2]> = angles_deg.iter().zip(&tuning.mean).map(|(&a, &r)| [a, f64::from(r)]).collect();
            for (point, sem) in points.iter().zip(tuning.sem.iter().flatten()) {
                let sem = f64::from(*sem);
                let bar = PlotPoints::from(vec![[point[0], point[1] - sem], [point[0], point[1] + sem]]);
                plot.line(Line::new("", bar).color(colour).width(1.2).allow_hover(false));
            }
            plot.line(Line::new(name, PlotPoints::from(points)).color(colour).width(1.6));
        }
    });
}

/// Recorded repeats, their mean and the prediction of one unit.
pub(super) fn traces_ui(lines: &TraceLines, burnin_secs: f64, ui: &mut Ui) {
    let palette = Palette::of(ui);
    let plot = fixed("compared traces", "Time (s)", "Response (× mean)", &palette)
        .allow_zoom(Vec2b::new(true, false))
        .allow_drag(Vec2b::new(true, false))
        .set_margin_fraction(vec2(0.0, 0.08))
        .include_x(0.0)
        .label_formatter(|hover| match hover {
            HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                Some(format!("{plot_name}, {:.2} s: {:.2} × mean", position.x, position.y))
            }
            _ => None,
        });
    let line = |name: &str, points: &[[f64; 2]]| Line::new(name.to_owned(), PlotPoints::from(points.to_vec()));
    plot.show(ui, |plot| {
        for piece in &lines.repeats {
            let faint = palette.weak.gamma_multiply(0.45);
            plot.line(line("", piece).color(faint).width(0.8).allow_hover(false));
        }
        for piece in &lines.mean {
            plot.line(line("Recorded, mean", piece).color(palette.text).width(1.5));
        }
        plot.line(line("Predicted", &lines.predicted).color(palette.data).width(1.8));
        plot.vline(VLine::new("", burnin_secs).color(palette.weak).width(1.0).allow_hover(false));
    });
}

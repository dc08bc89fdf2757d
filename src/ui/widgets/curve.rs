//! Tuning along a line: the mean response at each value of a parameter, with its standard error.

use eframe::egui::{RichText, Ui, Vec2b};
use egui_plot::{GridMark, HoverPosition, Line, Plot, PlotPoints, Points};

use crate::ui::theme::Palette;

/// A curve over the values of a parameter.
pub struct Curve<'a> {
    /// Parameter with its unit, below the axis.
    pub label: &'a str,
    /// Values, ascending.
    pub values: &'a [f64],
    /// Names of the values, where they are words; as many as values, or none.
    pub words: &'a [String],
    /// Mean response at each value.
    pub mean: &'a [f32],
    /// Standard error at each value.
    pub sem: Option<&'a [f32]>,
}

/// Spread of neighbouring ratios below which values count as evenly spaced on a logarithmic axis.
const EVEN: f64 = 0.35;

impl Curve<'_> {
    /// Draws as wide as there is room and as high as `height`.
    pub fn ui(&self, ui: &mut Ui, height: f32) {
        let palette = Palette::of(ui);
        let axis = Axis::of(self.values, self.words);
        let points: Vec<[f64; 2]> =
            self.values.iter().zip(self.mean).enumerate().map(|(i, (&v, &r))| [axis.place(i, v), f64::from(r)]).collect();
        let top = self.mean.iter().zip(self.errors()).map(|(m, e)| f64::from(m + e)).fold(0.0, f64::max);
        let marks: Vec<f64> = points.iter().map(|point| point[0]).collect();
        let named = |place: f64| {
            let nearest = (0..marks.len()).min_by(|&a, &b| (marks[a] - place).abs().total_cmp(&(marks[b] - place).abs()));
            nearest.filter(|&index| (marks[index] - place).abs() < 1e-6).map_or(String::new(), |i| self.name(i))
        };
        // Every value has a mark while there is room, then every second, ...
        let every = (marks.len() as f32 * 44.0 / ui.available_width().max(1.0)).ceil().max(1.0) as usize;
        let shown: Vec<GridMark> =
            marks.iter().step_by(every).map(|&value| GridMark { value, step_size: axis.step(&marks) }).collect();
        let (label, values, sem) = (self.label, self.values, self.sem);
        Plot::new("tuning curve")
            .height(height)
            .allow_scroll(false)
            .allow_zoom(Vec2b::FALSE)
            .allow_drag(Vec2b::FALSE)
            .allow_boxed_zoom(false)
            .include_y(0.0)
            .include_y(top * 1.05)
            .set_margin_fraction(eframe::egui::vec2(0.06, 0.02))
            .x_axis_label(RichText::new(label).small())
            .y_axis_label(RichText::new("× mean").small())
            .grid_color(palette.line)
            .x_grid_spacer(move |_| shown.clone())
            .x_axis_formatter(move |mark, _| named(mark.value))
            .label_formatter(|hover| match hover {
                HoverPosition::NearDataPoint { index, position, .. } => {
                    let error = sem.and_then(|sem| sem.get(index)).map_or(String::new(), |sem| format!(" ± {sem:.2}"));
                    let name = if index < values.len() { self.name(index) } else { String::new() };
                    Some(format!("{name}: {:.2}{error} × the unit's mean activity", position.y))
                }
                HoverPosition::Elsewhere { .. } => None,
            })
            .show(ui, |plot| {
                if axis != Axis::Words {
                    plot.line(Line::new("", PlotPoints::from(points.clone())).color(palette.data).width(2.0));
                }
                for (point, error) in points.iter().zip(self.errors()) {
                    let error = f64::from(error);
                    let bar = vec![[point[0], point[1] - error], [point[0], point[1] + error]];
                    plot.line(Line::new("", PlotPoints::from(bar)).color(palette.text).width(1.4).allow_hover(false));
                }
                plot.points(Points::new("", PlotPoints::from(points)).color(palette.data).radius(3.5));
            });
    }

    fn errors(&self) -> impl Iterator<Item = f32> + '_ {
        (0..self.mean.len()).map(|index| self.sem.and_then(|sem| sem.get(index)).copied().unwrap_or(0.0))
    }

    fn name(&self, index: usize) -> String {
        match self.words.get(index) {
            Some(word) => word.clone(),
            None => short(self.values[index]),
        }
    }
}

/// A number without digits that only rounding made.
fn short(value: f64) -> String {
    let rounded = (value * 1e4).round() / 1e4;
    format!("{rounded}")
}

/// How values are spread along the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Linear,
    /// Values that grow by a factor, such as 0.02, 0.04, 0.08.
    Logarithmic,
    /// One place each.
    Words,
}

impl Axis {
    fn of(values: &[f64], words: &[String]) -> Self {
        if !words.is_empty() {
            return Self::Words;
        }
        let ratios: Vec<f64> = values.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
        let (least, most) =
            ratios.iter().fold((f64::INFINITY, 0.0f64), |(least, most), &ratio| (least.min(ratio), most.max(ratio)));
        let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let even = steps.iter().all(|step| (step - steps[0]).abs() < 1e-6 * steps[0].abs());
        let grows = values.iter().all(|&value| value > 0.0) && least > 0.0 && most - least < EVEN * most;
        if values.len() > 2 && grows && !even { Self::Logarithmic } else { Self::Linear }
    }

    fn place(self, index: usize, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
            Self::Words => index as f64,
        }
    }

    fn step(self, places: &[f64]) -> f64 {
        places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min).clamp(1e-9, 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octaves_lie_on_a_logarithmic_axis_and_steps_on_a_linear_one() {
        assert_eq!(Axis::of(&[0.01, 0.02, 0.04, 0.08], &[]), Axis::Logarithmic);
        assert_eq!(Axis::of(&[0.025, 0.043, 0.091], &[]), Axis::Logarithmic);
        assert_eq!(Axis::of(&[10.0, 20.0, 30.0, 40.0], &[]), Axis::Linear);
        assert_eq!(Axis::of(&[0.0, 1.0, 2.0, 4.0], &[]), Axis::Linear);
        assert_eq!(Axis::of(&[0.0, 1.0], &["a".to_owned(), "b".to_owned()]), Axis::Words);
    }

    #[test]
    fn values_are_written_without_rounding_errors() {
        assert_eq!(short(0.1 + 0.2), "0.3");
        assert_eq!(short(22.5), "22.5");
    }
}

//! One sheet: a unit's tuning, its response over time, and the population.

use plotters::prelude::DrawingBackend;

use super::canvas::{Area, Canvas, Text};
use super::plot::frame;
use super::style::{LETTER_PT, PAGE_MM};
use super::{Data, direction_tuning, heat_map, population, traces, unit_name};

pub const SIZE_MM: (f64, f64) = (PAGE_MM, 196.0);

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, unit: usize) {
    let captions = [
        ("A", direction_tuning::caption(data, unit)),
        ("B", traces::caption(data)),
        ("C", heat_map::caption(data)),
        ("D", population::caption(data)),
    ];
    let caption: Vec<String> = captions.iter().map(|(letter, caption)| format!("{letter}  {caption}")).collect();
    frame(canvas, SIZE_MM, data.title, &caption, &data.notice);

    panel_title(canvas, 12.0, 3.0, "A", &format!("Direction tuning of {}", unit_name(&data.units[unit])));
    direction_tuning::polar(canvas, Area::new(6.0, 13.0, 56.0, 65.0), data, unit);
    direction_tuning::curve(canvas, Area::new(76.0, 19.0, 138.0, 54.0), data, unit);
    direction_tuning::numbers(canvas, (147.0, 21.0), data, unit);

    panel_title(canvas, 74.0, 3.0, "B", "Response of the same unit over time");
    traces::panel(canvas, Area::new(17.0, 82.0, PAGE_MM - 6.0, 102.0), data, unit);

    panel_title(canvas, 119.0, 3.0, "C", "Tuning of all units");
    heat_map::panel(canvas, Area::new(17.0, 123.0, 60.0, 160.0), data);

    panel_title(canvas, 119.0, 82.0, "D", "Preferred directions and selectivity of all units");
    population::histogram(canvas, Area::new(94.0, 123.0, 130.0, 160.0), data);
    population::scatter(canvas, Area::new(144.0, 128.0, 176.0, 160.0), data);
}

fn panel_title<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, baseline: f64, left: f64, letter: &str, title: &str) {
    canvas.text((left, baseline), letter, Text { size_pt: LETTER_PT, ..Text::TITLE });
    canvas.fitted_text((left + 5.0, baseline), title, PAGE_MM - left - 8.0, Text::NORMAL);
}

//! One sheet: a unit's tuning, its response over time, and the population. The tuning is that to the parameter of the
//! analysis; to the direction of motion where nothing else was analysed.

use plotters::prelude::DrawingBackend;

use super::canvas::{Area, Canvas, Text};
use super::plot::frame;
use super::style::{LETTER_PT, PAGE_MM};
use super::{Data, direction_tuning, heat_map, parameter_tuning, population, traces, unit_name};
use crate::analysis::ParameterTuning;

pub const SIZE_MM: (f64, f64) = (PAGE_MM, 196.0);

pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, unit: usize) {
    match data.parameter {
        Some(tuning) => of_parameter(canvas, data, tuning, unit),
        None => of_direction(canvas, data, unit),
    }
    panel_title(canvas, 74.0, 3.0, "B", "Response of the same unit over time");
    traces::panel(canvas, Area::new(17.0, 82.0, PAGE_MM - 6.0, 102.0), data, unit);
}

fn of_direction<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, unit: usize) {
    sheet(
        canvas,
        data,
        [
            direction_tuning::caption(data, unit),
            traces::caption(canvas, data),
            heat_map::caption(data),
            population::caption(data),
        ],
    );
    panel_title(canvas, 12.0, 3.0, "A", &format!("Direction tuning of {}", unit_name(&data.units[unit])));
    direction_tuning::polar(canvas, Area::new(6.0, 13.0, 56.0, 65.0), data, unit);
    direction_tuning::curve(canvas, Area::new(76.0, 19.0, 138.0, 54.0), data, unit);
    direction_tuning::numbers(canvas, (147.0, 21.0), data, unit);

    panel_title(canvas, 119.0, 3.0, "C", "Tuning of all units");
    heat_map::panel(canvas, Area::new(17.0, 123.0, 60.0, 160.0), data);

    panel_title(canvas, 119.0, 82.0, "D", "Preferred directions and selectivity of all units");
    population::histogram(canvas, Area::new(94.0, 123.0, 130.0, 160.0), data);
    population::scatter(canvas, Area::new(144.0, 128.0, 176.0, 160.0), data);
}

fn of_parameter<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, tuning: &ParameterTuning, unit: usize) {
    sheet(
        canvas,
        data,
        [
            parameter_tuning::caption(data, tuning, unit),
            traces::caption(canvas, data),
            parameter_tuning::mean_caption(tuning),
            parameter_tuning::histogram_caption(tuning),
        ],
    );
    let label = tuning.field.label;
    panel_title(canvas, 12.0, 3.0, "A", &format!("{label} tuning of {}", unit_name(&data.units[unit])));
    parameter_tuning::curve(canvas, Area::new(17.0, 19.0, 132.0, 56.0), tuning, &tuning.units[unit]);
    parameter_tuning::numbers(canvas, (141.0, 21.0), tuning, &tuning.units[unit]);

    panel_title(canvas, 119.0, 3.0, "C", "Tuning of all units");
    parameter_tuning::mean(canvas, Area::new(17.0, 125.0, 84.0, 160.0), tuning);

    panel_title(canvas, 119.0, 94.0, "D", "Preferred values of all units");
    parameter_tuning::histogram(canvas, Area::new(108.0, 125.0, PAGE_MM - 6.0, 160.0), tuning);
}

/// Title, captions of the four panels and notice.
fn sheet<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, data: &Data<'_>, captions: [String; 4]) {
    let lettered = ["A", "B", "C", "D"].into_iter().zip(captions);
    let captions: Vec<String> = lettered.map(|(letter, caption)| format!("{letter}  {caption}")).collect();
    frame(canvas, SIZE_MM, data.title, &captions, &data.notice);
}

fn panel_title<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, baseline: f64, left: f64, letter: &str, title: &str) {
    canvas.text((left, baseline), letter, Text { size_pt: LETTER_PT, ..Text::TITLE });
    canvas.fitted_text((left + 5.0, baseline), title, PAGE_MM - left - 8.0, Text::NORMAL);
}

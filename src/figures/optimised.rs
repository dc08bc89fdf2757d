//! An optimised stimulus: its pictures, the response at every step, and the response over time.

use std::path::Path;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Point, Text};
use super::plot::{LINE_MM, Plot, Tick, frame, ticks_from_zero};
use super::style::{AXIS_PT, BLUE, DATA_PT, GRID_PT, INK, LETTER_PT, PAGE_MM, QUIET, SHADE};
use super::writer::{page_picture, page_svg, write_page};
use super::{FigureError, Page, Picture};
use crate::optimise::{Kind, Optimised};

/// Left edge of the first picture and of the first plot, mm.
const LEFT_MM: f64 = 17.0;
/// Top of the pictures, mm.
const TOP_MM: f64 = 13.0;
/// Width of the picture of an image, and of all pictures of a movie, mm.
const IMAGE_MM: f64 = 84.0;
const MOVIE_MM: f64 = PAGE_MM - LEFT_MM - 6.0;
/// Most pictures of a movie that are shown, and the space between them, mm.
const MOST_PICTURES: usize = 6;
const BETWEEN_MM: f64 = 2.0;
/// From the pictures to the plots, height and width of a plot, and from one plot to the next, mm.
const TO_PLOTS_MM: f64 = 17.0;
const PLOT_MM: (f64, f64) = (66.0, 38.0);
const STEP_MM: f64 = 90.0;
/// Lines of the caption.
const LINES: usize = 3;

/// Writes the figure as PNG or SVG, as the ending of the file name says, whole or not at all.
///
/// # Errors
/// When the file name has another ending, or the file cannot be written.
pub fn write(optimised: &Optimised, path: &Path) -> Result<(), FigureError> {
    write_page(optimised, path)
}

/// The figure as SVG with live text.
///
/// # Errors
/// When it cannot be drawn.
pub fn svg(optimised: &Optimised) -> Result<String, FigureError> {
    page_svg(optimised)
}

/// The figure as pixels at 300 dots per inch.
///
/// # Errors
/// When it cannot be drawn.
pub fn picture(optimised: &Optimised) -> Result<Picture, FigureError> {
    page_picture(optimised)
}

impl Page for Optimised {
    fn size_mm(&self) -> (f64, f64) {
        let plots = TOP_MM + height(self) + TO_PLOTS_MM + PLOT_MM.1;
        (PAGE_MM, plots + 15.0 + LINE_MM * LINES as f64)
    }

    fn title(&self) -> &str {
        Self::title(self)
    }

    fn origin(&self) -> String {
        let made = &self.provenance;
        format!(
            "{}. twinscope {}; weights sha256 {}; device {}; seed {}",
            made.notice(),
            made.version,
            made.weights_sha256,
            made.device,
            made.seed
        )
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.rows.is_empty() {
            return Err(FigureError::Missing("no step was made, so there is nothing to show".to_owned()));
        }
        Ok(())
    }

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        frame(canvas, self.size_mm(), self.title(), &caption(self), &self.provenance.notice());
        pictures(canvas, self);
        let top = TOP_MM + height(self) + TO_PLOTS_MM;
        let area = |index: usize| {
            let left = LEFT_MM + STEP_MM * index as f64;
            Area::new(left, top, left + PLOT_MM.0, top + PLOT_MM.1)
        };
        letter(canvas, (3.0, TOP_MM - 2.5), "A");
        letter(canvas, (3.0, top - 5.0), "B");
        letter(canvas, (STEP_MM + 3.0, top - 5.0), "C");
        steps(canvas, area(0), self);
        time(canvas, area(1), self);
        canvas.finish()
    }
}

fn letter<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, at: Point, letter: &str) {
    canvas.text(at, letter, Text { bold: true, size_pt: LETTER_PT, ..Text::NORMAL });
}

/// Pictures that are shown: the image, or some of a movie at even distances.
fn shown(optimised: &Optimised) -> Vec<usize> {
    let n = optimised.stimulus.frames();
    let count = n.min(MOST_PICTURES);
    (0..count).map(|index| if count > 1 { index * (n - 1) / (count - 1) } else { 0 }).collect()
}

/// Width of a picture, mm.
fn width(optimised: &Optimised) -> f64 {
    match optimised.plan.kind {
        Kind::Image => IMAGE_MM,
        Kind::Movie => (MOVIE_MM - BETWEEN_MM * (MOST_PICTURES - 1) as f64) / MOST_PICTURES as f64,
    }
}

/// Height of a picture, mm.
fn height(optimised: &Optimised) -> f64 {
    let raster = optimised.monitor.raster;
    width(optimised) * raster.height as f64 / raster.width as f64
}

/// Pictures in their own grey levels, with a scale below the first.
fn pictures<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, optimised: &Optimised) {
    let (raster, monitor) = (optimised.monitor.raster, &optimised.monitor);
    let (width, height) = (width(optimised), height(optimised));
    let pixel = width / raster.width as f64;
    for (place, index) in shown(optimised).into_iter().enumerate() {
        let left = LEFT_MM + (width + BETWEEN_MM) * place as f64;
        for (row, levels) in optimised.stimulus.frame(index).chunks_exact(raster.width).enumerate() {
            let top = TOP_MM + pixel * row as f64;
            // Neighbours of the same level are one rectangle; each reaches a little under the next, so that no viewer
            // shows seams.
            let mut start = 0;
            for run in levels.chunk_by(|a, b| a == b) {
                let (from, to) = (left + pixel * start as f64, left + pixel * (start + run.len()) as f64);
                let area =
                    Area::new(from, top, (to + 0.05).min(left + width), (top + pixel + 0.05).min(TOP_MM + height));
                canvas.rectangle(area, RGBColor(run[0], run[0], run[0]));
                start += run.len();
            }
        }
        if optimised.plan.kind == Kind::Movie {
            let secs = monitor.frame_rate.secs_at(index);
            canvas.text((left, TOP_MM - 1.2), &format!("{secs:.2} s"), Text::QUIET);
        }
    }
    // 20 degrees at the centre of the screen.
    const SCALE_DEG: f64 = 20.0;
    let length = SCALE_DEG / monitor.centre_degrees_per_pixel() * pixel;
    let below = TOP_MM + height + 2.5;
    canvas.line(&[(LEFT_MM, below), (LEFT_MM + length, below)], 2.0 * AXIS_PT, INK);
    let text = format!("{SCALE_DEG}° at the centre of the screen");
    canvas.text((LEFT_MM + length + 1.5, below + CAPITALS_MM / 2.0), &text, Text::QUIET);
}

/// The response at every step, with the random stimuli as level lines.
fn steps<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, optimised: &Optimised) {
    let levels = optimised
        .controls
        .map_or_else(Vec::new, |controls| vec![("best random", controls.best), ("mean random", controls.mean)]);
    let most =
        optimised.rows.iter().map(|row| row.response).chain(levels.iter().map(|level| level.1)).fold(0.0, f64::max);
    let last = optimised.rows.last().map_or(1, |row| row.step).max(1) as f64;
    let y = ticks_from_zero(most, 4);
    let x: Vec<Tick> = ticks_from_zero(last, 5).into_iter().filter(|tick| tick.0 <= last * 1.0001).collect();
    let plot = Plot { area, x: (0.0, last), y: (0.0, y.last().map_or(1.0, |tick| tick.0)) };
    let near = levels.len() == 2 && (levels[0].1 - levels[1].1).abs() < 0.09 * plot.y.1;
    for (index, (name, level)) in levels.iter().enumerate() {
        dashed(canvas, plot.at(0.0, *level), plot.at(last, *level));
        let (right, down) = plot.at(last, *level);
        // Names of lines that lie close together stand on both sides of them.
        let lower = if index == 1 && near { CAPITALS_MM + 0.8 } else { -0.8 };
        canvas.text((right, down + lower), name, Text::QUIET.aligned(Align::Right));
    }
    let line: Vec<Point> = optimised.rows.iter().map(|row| plot.at(row.step as f64, row.response)).collect();
    canvas.line(&line, DATA_PT, BLUE);
    plot.axes(canvas, (&x, "Step"), (&y, "Response (× mean)"));
}

/// The response to the result over time; the stimulus is shaded, the window a bar.
fn time<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, area: Area, optimised: &Optimised) {
    let (plan, rate) = (&optimised.plan, optimised.monitor.frame_rate);
    let values = optimised.mean_responses();
    let before = plan.grey_frames.0 as f64;
    let at = |frame: f64| (frame - before) / rate.0;
    let y = ticks_from_zero(values.iter().copied().fold(0.0, f64::max), 4);
    let x = (at(0.0), at(values.len() as f64));
    let plot = Plot { area, x, y: (0.0, y.last().map_or(1.0, |tick| tick.0)) };
    let ((left, _), (right, _)) = (plot.at(0.0, 0.0), plot.at(rate.secs_at(plan.frames), 0.0));
    canvas.rectangle(Area::new(left, area.top, right, area.bottom), SHADE);
    let [from, to] = [plan.window.0, plan.window.1].map(|frame| plot.at(rate.secs_at(frame), 0.0).0);
    canvas.line(&[(from, area.top - 1.2), (to, area.top - 1.2)], 2.0 * AXIS_PT, INK);
    canvas.text(((from + to) / 2.0, area.top - 2.2), "window", Text::NORMAL.aligned(Align::Centre));
    let line: Vec<Point> = values.iter().enumerate().map(|(frame, &v)| plot.at(at(frame as f64 + 0.5), v)).collect();
    canvas.line(&line, DATA_PT, BLUE);
    let after = ticks_from_zero(x.1, 4).into_iter().filter(|tick| tick.0 <= x.1 * 1.0001);
    plot.axes(canvas, (&after.collect::<Vec<_>>(), "Time from the onset (s)"), (&y, "Response (× mean)"));
}

fn dashed<B: DrawingBackend>(canvas: &mut Canvas<'_, B>, from: Point, to: Point) {
    let mut dash = from.0;
    while dash < to.0 {
        canvas.line(&[(dash, from.1), ((dash + 1.2).min(to.0), from.1)], GRID_PT, QUIET);
        dash += 2.2;
    }
}

fn caption(optimised: &Optimised) -> Vec<String> {
    let plan = &optimised.plan;
    let units = match optimised.units.len() {
        1 => super::unit_name(&optimised.units[0]),
        n => format!("mean of n = {n} units"),
    };
    let random = optimised.controls.map_or_else(String::new, |controls| {
        format!("; best of {} random stimuli of the same contrast {:.2}", controls.n, controls.best)
    });
    let time = match plan.kind {
        Kind::Image => String::new(),
        Kind::Movie => format!(" and {:.0} ms", plan.smoothness_secs * 1000.0),
    };
    vec![
        format!("Response of {units}: {:.2} × mean{random}.", optimised.response),
        format!(
            "A: RMS contrast {:.3} of the background; gradient smoothed by {}°{time} (SD). B: gradient ascent, {} steps.",
            optimised.contrast, plan.smoothness_deg, plan.steps
        ),
        "C: response to the stimulus (grey) in whole grey levels; bar: frames over which it is averaged.".to_owned(),
    ]
}

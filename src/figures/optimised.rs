//! An optimised stimulus: its pictures, the response at every step, and the response over time.

use plotters::style::RGBColor;

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Point, Text};
use super::numbers::{Entry, Series};
use super::page::{NARROW_MM, Page};
use super::plot::{Plot, Tick, numbered, ticks_from_zero};
use super::style::{AXIS_PT, BLUE, DATA_PT, GRID_PT, INK, LETTER_PT, PAGE_MM, QUIET, SHADE};
use super::{FigureError, Plate};
use crate::optimise::{Kind, Optimised};

/// Left edge of the first picture and of the first plot, and room right of them, mm.
const LEFT_MM: f64 = 17.0;
const RIGHT_MM: f64 = 6.0;
/// Top of the pictures, mm.
const TOP_MM: f64 = 5.0;
/// Width of the picture of an image on a wide page, mm.
const IMAGE_MM: f64 = 84.0;
/// Most pictures of a movie that are shown, those in a row of a narrow page, and the space between them, mm.
const MOST_PICTURES: usize = 6;
const NARROW_PICTURES: usize = 3;
const BETWEEN_MM: f64 = 2.0;
/// Height of a movie's picture with the time above it is so much larger, mm.
const TIME_MM: f64 = 4.0;
/// From the pictures to the plots, height of a plot, from one plot to the next on a wide and on a narrow page, and below
/// the last, mm.
const TO_PLOTS_MM: f64 = 17.0;
const PLOT_MM: f64 = 38.0;
const STEP_MM: f64 = 90.0;
const NARROW_STEP_MM: f64 = 56.0;
const BELOW_MM: f64 = 9.0;

/// The figure, to be written.
pub fn plate(optimised: &Optimised) -> Plate<'_> {
    Plate::new(Shown(optimised))
}

/// What is drawn.
struct Shown<'a>(&'a Optimised);

impl Page for Shown<'_> {
    fn title(&self) -> String {
        self.0.title().to_owned()
    }

    fn notice(&self) -> String {
        self.0.provenance.notice()
    }

    fn provenance(&self) -> String {
        let made = &self.0.provenance;
        format!(
            "twinscope {}; weights sha256 {}; device {}; seed {}",
            made.version, made.weights_sha256, made.device, made.seed
        )
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.0.rows.is_empty() {
            return Err(FigureError::Missing("no step was made, so there is nothing to show".to_owned()));
        }
        Ok(())
    }

    fn caption(&self, _: f64) -> Vec<String> {
        caption(self.0)
    }

    fn height(&self, page: f64) -> f64 {
        let plots = if page < NARROW_MM { NARROW_STEP_MM + PLOT_MM } else { PLOT_MM };
        plots_top(self.0, page) + plots + BELOW_MM
    }

    fn draw(&self, canvas: &mut Canvas, page: f64) {
        pictures(canvas, self.0, page);
        let top = plots_top(self.0, page);
        let narrow = page < NARROW_MM;
        let width = if narrow { page - LEFT_MM - RIGHT_MM } else { STEP_MM - LEFT_MM - RIGHT_MM };
        let corner = |index: f64| if narrow { (0.0, NARROW_STEP_MM * index) } else { (STEP_MM * index, 0.0) };
        let area = |index: f64| {
            let (right, down) = corner(index);
            Area::new(LEFT_MM + right, top + down, LEFT_MM + right + width, top + down + PLOT_MM)
        };
        letter(canvas, (3.0, TOP_MM - 2.5), "A");
        for (index, name) in [(0.0, "B"), (1.0, "C")] {
            let (right, down) = corner(index);
            letter(canvas, (3.0 + right, top + down - 5.0), name);
        }
        steps(canvas, area(0.0), self.0);
        time(canvas, area(1.0), self.0);
    }

    fn numbers(&self, _: f64) -> Vec<Series> {
        let (optimised, response) = (self.0, "Response (× mean)");
        let series = |panel: &str, name: &str, x: &str, y: &str, points: Vec<Entry>| Series {
            panel: panel.to_owned(),
            name: name.to_owned(),
            x_label: x.to_owned(),
            y_label: y.to_owned(),
            points,
        };
        let (frames, width) = (shown(optimised), optimised.monitor.raster.width);
        let levels = |frame: usize| {
            let levels = optimised.stimulus.frame(frame).iter().enumerate();
            let place = |index: usize| format!("row {}, column {}", index / width, index % width);
            levels.map(|(index, &level)| Entry::new(place(index), f64::from(level))).collect::<Vec<_>>()
        };
        let mut all: Vec<Series> = frames
            .into_iter()
            .map(|frame| series("A", &format!("frame {frame}"), "Pixel", "Grey level (0 to 255)", levels(frame)))
            .collect();
        let rows = optimised.rows.iter().map(|row| Entry::new(row.step, row.response)).collect();
        all.push(series("B", "ascent", "Step", response, rows));
        if let Some(controls) = optimised.controls {
            let entries = [("best", controls.best), ("mean", controls.mean)];
            let entries = entries.map(|(name, value)| Entry::new(name, value).over(controls.n));
            all.push(series("B", "random stimuli", "", response, entries.into()));
        }
        let (rate, before) = (optimised.monitor.frame_rate, optimised.plan.grey_frames.0 as f64);
        let secs = |frame: usize| super::numbers::rounded((frame as f64 + 0.5 - before) / rate.0);
        let values = optimised.mean_responses().into_iter().enumerate();
        let values = values.map(|(frame, value)| Entry::new(secs(frame), value)).collect();
        all.push(series("C", "result", "Time from the onset (s)", response, values));
        all
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

fn letter(canvas: &mut Canvas, at: Point, letter: &str) {
    canvas.text(at, letter, Text { bold: true, size_pt: LETTER_PT, ..Text::NORMAL });
}

/// Pictures that are shown: the image, or some of a movie at even distances.
fn shown(optimised: &Optimised) -> Vec<usize> {
    let n = optimised.stimulus.frames();
    let count = n.min(MOST_PICTURES);
    (0..count).map(|index| if count > 1 { index * (n - 1) / (count - 1) } else { 0 }).collect()
}

/// Pictures in a row.
fn in_a_row(optimised: &Optimised, page: f64) -> usize {
    match optimised.plan.kind {
        Kind::Image => 1,
        Kind::Movie if page < NARROW_MM => NARROW_PICTURES,
        Kind::Movie => MOST_PICTURES,
    }
}

/// Width and height of a picture, mm.
fn size(optimised: &Optimised, page: f64) -> (f64, f64) {
    let (raster, room) = (optimised.monitor.raster, page - LEFT_MM - RIGHT_MM);
    let width = match optimised.plan.kind {
        Kind::Image => room.min(IMAGE_MM),
        Kind::Movie => {
            let columns = in_a_row(optimised, page) as f64;
            (room - BETWEEN_MM * (columns - 1.0)) / columns
        }
    };
    (width, width * raster.height as f64 / raster.width as f64)
}

/// Top of the first plot, mm.
fn plots_top(optimised: &Optimised, page: f64) -> f64 {
    let rows = shown(optimised).len().div_ceil(in_a_row(optimised, page)) as f64;
    let height = size(optimised, page).1;
    TOP_MM + rows * height + (rows - 1.0).max(0.0) * TIME_MM + TO_PLOTS_MM
}

/// Pictures in their own grey levels, with a scale below the first.
fn pictures(canvas: &mut Canvas, optimised: &Optimised, page: f64) {
    let (raster, monitor) = (optimised.monitor.raster, &optimised.monitor);
    let (width, height) = size(optimised, page);
    let columns = in_a_row(optimised, page);
    let pixel = width / raster.width as f64;
    for (place, index) in shown(optimised).into_iter().enumerate() {
        let left = LEFT_MM + (width + BETWEEN_MM) * (place % columns) as f64;
        let above = TOP_MM + (height + TIME_MM) * (place / columns) as f64;
        for (row, levels) in optimised.stimulus.frame(index).chunks_exact(raster.width).enumerate() {
            let top = above + pixel * row as f64;
            // Neighbours of the same level are one rectangle; each reaches a little under the next, so that no viewer
            // shows seams.
            let mut start = 0;
            for run in levels.chunk_by(|a, b| a == b) {
                let (from, to) = (left + pixel * start as f64, left + pixel * (start + run.len()) as f64);
                let area =
                    Area::new(from, top, (to + 0.05).min(left + width), (top + pixel + 0.05).min(above + height));
                canvas.rectangle(area, RGBColor(run[0], run[0], run[0]));
                start += run.len();
            }
        }
        if optimised.plan.kind == Kind::Movie {
            let secs = monitor.frame_rate.secs_at(index);
            canvas.text((left, above - 1.2), &format!("{secs:.2} s"), Text::QUIET);
        }
    }
    // 20 degrees at the centre of the screen.
    const SCALE_DEG: f64 = 20.0;
    let length = SCALE_DEG / monitor.centre_degrees_per_pixel() * pixel;
    let below = plots_top(optimised, page) - TO_PLOTS_MM + 2.5;
    canvas.line(&[(LEFT_MM, below), (LEFT_MM + length, below)], 2.0 * AXIS_PT, INK);
    let text = format!("{SCALE_DEG}° at the centre of the screen");
    canvas.text((LEFT_MM + length + 1.5, below + CAPITALS_MM / 2.0), &text, Text::QUIET);
}

/// The response at every step, with the random stimuli as level lines.
fn steps(canvas: &mut Canvas, area: Area, optimised: &Optimised) {
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
    let low = levels.iter().any(|level| level.1 < 0.09 * plot.y.1);
    for (index, (name, level)) in levels.iter().enumerate() {
        dashed(canvas, plot.at(0.0, *level), plot.at(last, *level));
        let (right, down) = plot.at(last, *level);
        if near && low {
            // There is no room between the lower line and the axis.
            let both = if index == 0 { "best and mean random" } else { continue };
            canvas.text((right, down - 0.8), both, Text::QUIET.aligned(Align::Right));
            continue;
        }
        // Names of lines that lie close together stand on both sides of them.
        let lower = if index == 1 && near { CAPITALS_MM + 0.8 } else { -0.8 };
        canvas.text((right, down + lower), name, Text::QUIET.aligned(Align::Right));
    }
    let line: Vec<Point> = optimised.rows.iter().map(|row| plot.at(row.step as f64, row.response)).collect();
    canvas.line(&line, DATA_PT, BLUE);
    plot.axes(canvas, (&x, "Step"), (&y, "Response (× mean)"));
}

/// The response to the result over time; the stimulus is shaded, the window a bar.
fn time(canvas: &mut Canvas, area: Area, optimised: &Optimised) {
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
    let step = ticks_from_zero(x.1 - x.0, 5)[1].0;
    let steps = (x.0 / step - 1e-6).ceil() as i32..=(x.1 / step + 1e-6).floor() as i32;
    let ticks = numbered(&steps.map(|at| f64::from(at) * step).collect::<Vec<_>>());
    plot.axes(canvas, (&ticks, "Time from the onset (s)"), (&y, "Response (× mean)"));
}

fn dashed(canvas: &mut Canvas, from: Point, to: Point) {
    let mut dash = from.0;
    while dash < to.0 {
        canvas.line(&[(dash, from.1), ((dash + 1.2).min(to.0), from.1)], GRID_PT, QUIET);
        dash += 2.2;
    }
}

fn caption(optimised: &Optimised) -> Vec<String> {
    let plan = &optimised.plan;
    let units = match (&optimised.units[..], &optimised.rows_of_units[..]) {
        ([id], [row]) if id.unit as usize != *row => format!("{}, row {row} of the readout", super::unit_name(id)),
        ([id], _) => super::unit_name(id),
        (all, _) => format!("mean of n = {} units", all.len()),
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

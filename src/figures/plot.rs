//! Axes: from data to millimetres, with round numbers beside the ticks.

use super::canvas::{Align, Area, CAPITALS_MM, Canvas, Point, Text};
use super::style::{AXIS_PT, INK};

/// Length of a tick, mm.
const TICK_MM: f64 = 1.0;
/// From the baseline of one line of text to the next, mm.
pub const LINE_MM: f64 = 3.4;
/// From the left and right edges of the page to the text, mm.
pub const MARGIN_MM: f64 = 3.0;

/// A mark on an axis: value and text.
pub type Tick = (f64, String);

/// A rectangle with a scale along each side.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    pub area: Area,
    pub x: (f64, f64),
    pub y: (f64, f64),
}

impl Plot {
    /// Position of a value on the page.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let part = |value: f64, (from, to): (f64, f64)| (value - from) / (to - from);
        (self.area.left + part(x, self.x) * self.area.width(), self.area.bottom - part(y, self.y) * self.area.height())
    }

    /// Both axes, with ticks outside, numbers and labels.
    pub fn axes(&self, canvas: &mut Canvas, x: (&[Tick], &str), y: (&[Tick], &str)) {
        let Area { left, top, right, bottom } = self.area;
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], AXIS_PT, INK);
        for (value, text) in x.0 {
            let (across, _) = self.at(*value, self.y.0);
            canvas.line(&[(across, bottom), (across, bottom + TICK_MM)], AXIS_PT, INK);
            let baseline = bottom + TICK_MM + 0.8 + CAPITALS_MM;
            canvas.text((across, baseline), text, Text::NORMAL.aligned(Align::Centre));
        }
        let mut widest = 0.0_f64;
        for (value, text) in y.0 {
            let (_, down) = self.at(self.x.0, *value);
            canvas.line(&[(left - TICK_MM, down), (left, down)], AXIS_PT, INK);
            let right = Text::NORMAL.aligned(Align::Right);
            canvas.text((left - TICK_MM - 0.7, down + CAPITALS_MM / 2.0), text, right);
            widest = widest.max(right.width_mm(text));
        }
        let centred = Text::NORMAL.aligned(Align::Centre);
        let (middle, half_way) = self.area.centre();
        if !x.1.is_empty() {
            canvas.text((middle, bottom + TICK_MM + 0.8 + CAPITALS_MM + LINE_MM + 0.6), x.1, centred);
        }
        canvas.text((left - TICK_MM - 0.7 - widest - 2.3, half_way), y.1, centred.upwards());
    }
}

/// About this many round steps from 0 to at least `most`; the last is the end of the axis.
pub fn ticks_from_zero(most: f64, about: usize) -> Vec<Tick> {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let rough = most / about as f64;
    let ten = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * ten).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * ten);
    let count = (most / step - 1e-9).ceil().max(1.0) as usize;
    numbered(&(0..=count).map(|index| index as f64 * step).collect::<Vec<_>>())
}

/// Ticks with as many decimals as the finest of them needs.
pub fn numbered(values: &[f64]) -> Vec<Tick> {
    let whole = |decimals: i32| {
        let scale = 10f64.powi(decimals);
        values.iter().all(|value| ((value * scale).round() / scale - value).abs() <= value.abs() * 1e-9)
    };
    let decimals = (0..9).find(|&decimals| whole(decimals)).unwrap_or(9) as usize;
    values.iter().map(|&value| (value, with_minus(format!("{value:.decimals$}")))).collect()
}

/// A number as it is printed: with a minus sign, which is as wide as a plus, and not a hyphen.
pub fn with_minus(number: String) -> String {
    number.replace('-', "−")
}

//! Predicted spikes: rates beside counts, what is hidden and what is made of the rest, bits per spike of every task and
//! region, what other animals are worth, and what the animal did as decoders read it.

pub mod bits;
pub mod decoding;
pub mod masked;
pub mod rates;
pub mod transfer;

use super::canvas::{Area, CAPITALS_MM, Canvas, Text};
use super::heat_map::colour_scale;
use super::numbers::Entry;
use super::plot::{LINE_MM, MARGIN_MM, Plot, Tick, numbered, ticks_from_zero};
use super::study::curve::dot;
use super::style::{DATA_PT, LINES};
use crate::evaluation::spikes::{Arm, Bits, SpikeEvaluation};
use crate::signals::Binned;

/// Space before and between the entries of a legend, mm.
const MARK_MM: f64 = 3.2;
const GAP_MM: f64 = 5.0;

/// Line, left edge and width of each name in a legend, mm.
fn legend_places(names: &[&str], page: f64) -> Vec<(usize, f64, f64)> {
    let (mut line, mut left) = (0, MARGIN_MM);
    let place = |name: &&str| {
        let width = (MARK_MM + Text::NORMAL.width_mm(name)).min(page - 2.0 * MARGIN_MM);
        if left + width > page - MARGIN_MM {
            (line, left) = (line + 1, MARGIN_MM);
        }
        let place = (line, left, width);
        left += width + GAP_MM;
        place
    };
    names.iter().map(place).collect()
}

/// Draws a legend whose first line has this baseline.
fn legend(canvas: &mut Canvas, names: &[&str], baseline: f64, page: f64) {
    for (index, (name, (line, left, width))) in names.iter().zip(legend_places(names, page)).enumerate() {
        let baseline = baseline + LINE_MM * line as f64;
        dot(canvas, (left + MARK_MM / 4.0, baseline - CAPITALS_MM / 2.0), index);
        canvas.fitted_text((left + MARK_MM, baseline), name, width - MARK_MM + 0.01, Text::NORMAL);
    }
}

/// Lines of a legend.
fn legend_lines(names: &[&str], page: f64) -> f64 {
    legend_places(names, page).last().map_or(1.0, |place| place.0 as f64 + 1.0)
}

/// Round steps of an axis that holds 0 and all values with their intervals.
fn steps(values: impl Iterator<Item = Bits> + Clone) -> Vec<Tick> {
    let ends = values.flat_map(|bits| {
        let (low, high) = bits.interval.unwrap_or((bits.value, bits.value));
        [low, high]
    });
    let (least, most) =
        ends.filter(|end| end.is_finite()).fold((0.0f64, 0.0f64), |(l, h), end| (l.min(end), h.max(end)));
    // A baseline that fails badly must not flatten everything else.
    let least = least.max(-most.max(0.1));
    let range = (most - least).max(0.02);
    let step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0].into_iter().find(|step| range / step <= 7.0);
    let step = step.unwrap_or(range / 5.0);
    let places = ((least / step).floor() as i64)..=((most / step).ceil() as i64);
    numbered(&places.map(|place| place as f64 * step).collect::<Vec<_>>())
}

/// Round times from the first to the last, seconds.
fn round_times(first: f64, last: f64) -> Vec<Tick> {
    let step =
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].into_iter().find(|step| (last - first) / step <= 5.0);
    let step = step.unwrap_or((last - first) / 4.0);
    let places = ((first / step - 1e-9).ceil() as i64)..=((last / step + 1e-9).floor() as i64);
    numbered(&places.map(|place| place as f64 * step).collect::<Vec<_>>())
}

/// First and last step.
fn limits(ticks: &[Tick]) -> (f64, f64) {
    (ticks.first().map_or(0.0, |tick| tick.0), ticks.last().map_or(1.0, |tick| tick.0))
}

/// What is drawn brightest: what only a few places exceed.
fn brightest(values: &Binned) -> f64 {
    let mut sorted: Vec<f32> = values.values().iter().copied().filter(|value| *value > 0.0).collect();
    sorted.sort_by(f32::total_cmp);
    let most = sorted.get(sorted.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(1.0);
    f64::from(most).max(1e-3)
}

/// The scale of counts right of a map, up to what is drawn brightest.
fn count_scale(canvas: &mut Canvas, map: Area, most: f64) {
    let bar = Area::new(map.right + 4.0, map.top, map.right + 6.5, map.bottom);
    let ticks: Vec<Tick> = ticks_from_zero(most, 4).into_iter().filter(|tick| tick.0 <= most * (1.0 + 1e-9)).collect();
    colour_scale(canvas, bar, most, &ticks, "Spikes in a bin");
}

/// Whether some of the values in these columns exceed what is drawn brightest, in words.
fn beyond_scale(values: &Binned, columns: &[usize], most: f64) -> Option<&'static str> {
    let is_beyond = |&neuron: &usize| (0..values.bins()).any(|bin| f64::from(values.at(0, bin, neuron)) > most);
    columns.iter().any(is_beyond).then_some(" Larger counts than on the scale have its last colour.")
}

/// How the figure of an evaluation was computed.
fn provenance(evaluation: &SpikeEvaluation) -> String {
    computed(&evaluation.arms, evaluation.device.as_deref(), evaluation.selection.seed)
}

/// By which networks, on which device and with which seed.
fn computed(arms: &[Arm], device: Option<&str>, seed: u64) -> String {
    let networks = arms.iter().filter_map(|arm| Some(format!("{} sha256 {}", arm.name, arm.sha256.as_ref()?)));
    let device = device.iter().map(|device| format!("device {device}"));
    let about: String = networks.chain(device).map(|part| format!("{part}; ")).collect();
    format!("twinscope {}; {about}seed {seed}", env!("CARGO_PKG_VERSION"))
}

/// A vertical interval with its value.
fn interval(canvas: &mut Canvas, plot: &Plot, x: f64, bits: Bits, index: usize) {
    let clamped = |value: f64| value.clamp(plot.y.0, plot.y.1);
    if let Some((low, high)) = bits.interval {
        canvas.line(&[plot.at(x, clamped(low)), plot.at(x, clamped(high))], DATA_PT, LINES[index % LINES.len()]);
    }
    dot(canvas, plot.at(x, clamped(bits.value)), index);
}

/// A value with its interval, among the numbers of a figure.
fn entry(x: impl ToString, bits: Bits) -> Entry {
    Entry { range: bits.interval, ..Entry::new(x, bits.value) }
}

//! Sorted spikes on their own clock, cut into trials and counted in bins.

use std::collections::BTreeMap;

use super::error::SpikeError;
use super::file::RESERVED;
use super::session::{Counts, SpikeSession};
use super::split::{Shares, Split};
use super::trials::{Column, TrialFilter, Trials, is_time};
use crate::data::align::{Clock, Grid, resample, spikes_in_frames};
use crate::data::import::identity::clean;
use crate::signals::FrameRate;

/// Most counts of a session, a byte each.
const MOST_COUNTS: usize = 4 << 30;
/// Most bins of a trial.
const MOST_BINS: f64 = 10_000.0;
/// Farthest from the event that a trial may begin or end, seconds.
const FARTHEST_SECS: f64 = 3600.0;
/// Recorded samples of a trace that are looked at before and after a trial, seconds.
const MARGIN_SECS: f64 = 1.0;

/// How a recording of spikes becomes a session: bins, the event that trials are aligned to, and which trials and
/// neurons count. The default is that of the International Brain Laboratory's benchmark: 2 s in bins of 20 ms from half a
/// second before the stimulus on.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeImport {
    /// Name of the session; `None` takes it from the file.
    pub session: Option<String>,
    /// Column of the table of trials; `None` takes the onset of the stimulus, else the start of the trial.
    pub align: Option<String>,
    /// Start of the first bin, seconds after the event.
    pub from_secs: f64,
    /// End of the last bin, seconds after the event.
    pub to_secs: f64,
    /// Length of a bin, seconds.
    pub bin_secs: f64,
    /// Whether only units count that the recording's own sorting calls good.
    pub only_good: bool,
    /// Lowest rate over the whole recording of the neurons that count, spikes a second.
    pub least_hz: f64,
    /// Conditions that trials must meet; the others are for nothing, but stay in the session.
    pub keep: Vec<TrialFilter>,
    /// Shortest and longest time from the stimulus to the response, seconds, of the trials that count.
    pub reaction_secs: Option<(f64, f64)>,
    /// Shares of the trials for validation and tests.
    pub shares: Shares,
    /// What decides which trial is for what.
    pub seed: u64,
}

impl Default for SpikeImport {
    fn default() -> Self {
        Self {
            session: None,
            align: None,
            from_secs: -0.5,
            to_secs: 1.5,
            bin_secs: 0.02,
            only_good: false,
            least_hz: 0.0,
            keep: Vec::new(),
            reaction_secs: None,
            shares: Shares::default(),
            seed: 0,
        }
    }
}

/// A session, and what had to be decided or left out on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedSpikes {
    /// The session.
    pub session: SpikeSession,
    /// One sentence each.
    pub notes: Vec<String>,
}

/// A signal beside the spikes.
#[derive(Debug)]
pub(super) enum Trace {
    /// Of which bins hold the mean.
    Level { clock: Clock, values: Vec<f32> },
    /// Where something is, seconds and any unit of length or angle, of which bins hold the speed.
    Position { secs: Vec<f64>, values: Vec<f64> },
}

/// Everything that was recorded.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Names it in errors.
    pub(super) file: String,
    pub(super) id: String,
    /// Times in seconds, `[neuron][spike]`, in any order.
    pub(super) spikes: Vec<Vec<f64>>,
    /// Where each neuron lies.
    pub(super) regions: Vec<String>,
    /// Which neurons the sorting calls good.
    pub(super) good: Option<Vec<bool>>,
    pub(super) trials: Trials,
    pub(super) wheel: Option<Trace>,
    pub(super) whisker: Option<Trace>,
    pub(super) notes: Vec<String>,
}

impl SpikeImport {
    /// Bins of a trial; the error is a clause.
    fn bins(&self) -> Result<usize, String> {
        let (from, to, bin) = (self.from_secs, self.to_secs, self.bin_secs);
        if !(from.abs() <= FARTHEST_SECS && to.abs() <= FARTHEST_SECS && from < to) {
            return Err(format!(
                "a trial from {from} s to {to} s cannot be: it must end after it begins, within an hour"
            ));
        }
        if !(1e-4..=100.0).contains(&bin) {
            return Err(format!("bins of {bin} s cannot be: choose 0.0001 to 100 s"));
        }
        let bins = (to - from) / bin;
        // Seconds are written in decimals, which binary numbers do not hold exactly.
        if !(0.5..=MOST_BINS).contains(&bins) || (bins - bins.round()).abs() > 1e-6 * bins.max(1.0) {
            return Err(format!(
                "{} s hold {bins:.3} bins of {bin} s: choose a whole number of bins, at most {MOST_BINS}",
                to - from
            ));
        }
        Ok(bins.round() as usize)
    }

    fn check(&self) -> Result<usize, String> {
        let share = |share: f64| (0.0..1.0).contains(&share);
        let Shares { validation, test } = self.shares;
        if !(share(validation) && share(test)) {
            return Err(format!("shares of {validation} and {test} cannot be: choose 0 to less than 1"));
        }
        if !(self.least_hz.is_finite() && self.least_hz >= 0.0) {
            return Err(format!("{} spikes a second are no rate", self.least_hz));
        }
        self.bins()
    }
}

impl Recording {
    /// Cuts and counts.
    pub(super) fn into_session(mut self, options: &SpikeImport) -> Result<ImportedSpikes, SpikeError> {
        let file = self.file.clone();
        let wrong = |what: String| SpikeError::Content { file: file.clone(), what };
        let bins = options.check().map_err(&wrong)?;
        let (first, last) = self.order_spikes().ok_or_else(|| wrong("it has no spikes".to_owned()))?;
        self.choose_neurons(options, last - first)?;
        let neurons = self.spikes.len();
        let (event, times) = self.trials.event(options.align.as_deref())?;
        let window = |time: f64| (time + options.from_secs, time + options.to_secs);
        let inside = |time: f64| window(time).0 >= first && window(time).1 <= last;
        let rows: Vec<usize> = (0..times.len()).filter(|&row| inside(times[row])).collect();
        let onsets: Vec<f64> = rows.iter().map(|&row| times[row]).collect();
        let unknown = times.iter().filter(|time| !time.is_finite()).count();
        let outside = times.len() - unknown - rows.len();
        if rows.is_empty() {
            let range = |values: &mut dyn Iterator<Item = f64>| {
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
            };
            let (low, high) = range(&mut times.iter().copied().filter(|time| time.is_finite()));
            return Err(wrong(format!(
                "no trial lies within the recording: spikes were recorded from {first:.1} to {last:.1} s, but `{event}` of \
                 {} trials lies between {low:.1} and {high:.1} s ({unknown} have none)",
                times.len()
            )));
        }
        if rows.len().checked_mul(bins).and_then(|size| size.checked_mul(neurons)).is_none_or(|size| size > MOST_COUNTS)
        {
            let what = format!("{} trials of {bins} bins and {neurons} neurons are more than 4 GB", rows.len());
            return Err(wrong(format!("{what}: choose longer bins or shorter trials")));
        }
        self.notes.push(format!("aligned to `{event}`"));
        for (count, why) in [(unknown, "have no such event"), (outside, "do not lie wholly within the recording")] {
            if count > 0 {
                self.notes.push(format!("{count} of {} trials {why} and were left out", times.len()));
            }
        }
        let grid = |onset: f64, shift: f64| Grid {
            start_secs: onset + options.from_secs + shift * options.bin_secs,
            rate: FrameRate(1.0 / options.bin_secs),
            frames: bins,
        };
        let mut counts = vec![0u8; rows.len() * bins * neurons];
        let mut cut = 0usize;
        for (neuron, spikes) in self.spikes.iter().enumerate() {
            for (trial, &onset) in onsets.iter().enumerate() {
                let (from, to) = window(onset);
                // A little more than the trial: which bin a spike at its edge is in is decided in one place.
                let near = |secs: f64| spikes.partition_point(|&spike| spike < secs);
                let near = &spikes[near(from - options.bin_secs)..near(to + options.bin_secs)];
                if near.is_empty() {
                    continue;
                }
                for (bin, count) in spikes_in_frames(near, &grid(onset, 0.0)).into_iter().enumerate() {
                    cut += usize::from(count > 255.0);
                    counts[(trial * bins + bin) * neurons + neuron] = count as u8;
                }
            }
        }
        if cut > 0 {
            self.notes.push(format!("{cut} counts above 255 were cut to 255"));
        }
        let traces = [("wheel", self.wheel.take()), ("whisker", self.whisker.take())].map(|(name, trace)| {
            let trace = trace?;
            let values: Vec<f32> = onsets.iter().flat_map(|&onset| trace.binned(&grid(onset, 0.5))).collect();
            let missing = values.iter().filter(|value| value.is_nan()).count();
            if missing > 0 {
                self.notes.push(format!("{missing} of {} bins of the {name} were not measured (NaN)", values.len()));
            }
            Some(values)
        });
        let [wheel, whisker] = traces;
        let of_rows = |values: &[i8]| rows.iter().map(|&row| values[row]).collect::<Vec<i8>>();
        let choice = match self.trials.choice() {
            Some((name, sides, missing)) => {
                self.notes.push(format!(
                    "choice: `{name}`; words: -1 left, 1 right; numbers: as the recording has them (in files of the \
                     International Brain Laboratory 1 is left and -1 right); 0 nothing"
                ));
                if missing > 0 {
                    self.notes.push(format!("{missing} trials have no choice noted (0)"));
                }
                Some(of_rows(&sides))
            }
            None => None,
        };
        let columns = columns(&self.trials, event, times, &rows, choice.is_some(), &mut self.notes);
        // Drawn before trials are chosen: another choice moves no trial from training to tests.
        let split = Split::drawn(rows.len(), options.shares, options.seed);
        let kept = self.kept(options)?;
        let id = options.session.as_deref().map_or_else(|| clean(&self.id), clean);
        let mut session = SpikeSession {
            id: if id.is_empty() { "session".to_owned() } else { id },
            simulated: false,
            counts: Counts::new(rows.len(), bins, neurons, counts).expect("one count for each place"),
            bin_secs: options.bin_secs,
            first_bin_secs: options.from_secs,
            regions: self.regions,
            choice,
            wheel,
            whisker,
            columns,
            split,
            held_out: Vec::new(),
            rates: None,
        };
        let left_out = session.keep_trials(|trial| kept[rows[trial]]);
        if left_out > 0 {
            self.notes
                .push(format!("{left_out} of {} trials do not meet the conditions and are for nothing", rows.len()));
        }
        if session.split.train.is_empty() {
            return Err(wrong(format!(
                "no trial is left to learn from: {left_out} of {} fail the conditions",
                rows.len()
            )));
        }
        session.check(&file)?;
        Ok(ImportedSpikes { session, notes: self.notes })
    }

    /// Sorts the spikes of each neuron; first and last of all. What is no time is left out and counted.
    fn order_spikes(&mut self) -> Option<(f64, f64)> {
        let (mut left_out, mut extent) = (0, None);
        for spikes in &mut self.spikes {
            let before = spikes.len();
            spikes.retain(|spike| spike.is_finite());
            left_out += before - spikes.len();
            if !spikes.is_sorted() {
                spikes.sort_by(f64::total_cmp);
            }
            if let (Some(&first), Some(&last)) = (spikes.first(), spikes.last()) {
                let (a, b) = extent.unwrap_or((first, last));
                extent = Some((first.min(a), last.max(b)));
            }
        }
        if left_out > 0 {
            self.notes.push(format!("{left_out} times of spikes are no numbers (NaN) and were left out"));
        }
        extent
    }

    /// Leaves out neurons that do not count.
    fn choose_neurons(&mut self, options: &SpikeImport, secs: f64) -> Result<(), SpikeError> {
        let all = self.spikes.len();
        let mut kept = vec![true; all];
        if options.only_good {
            let Some(good) = &self.good else {
                let what = "the sorting does not tell which units are good: ask for all of them".to_owned();
                return Err(SpikeError::Content { file: self.file.clone(), what });
            };
            kept.iter_mut().zip(good).for_each(|(kept, good)| *kept &= good);
        }
        for (kept, spikes) in kept.iter_mut().zip(&self.spikes) {
            *kept &= spikes.len() as f64 >= options.least_hz * secs;
        }
        let mut flags = kept.iter();
        self.spikes.retain(|_| *flags.next().unwrap_or(&true));
        let mut flags = kept.iter();
        self.regions.retain(|_| *flags.next().unwrap_or(&true));
        let left_out = all - self.spikes.len();
        if self.spikes.is_empty() {
            let what = format!("none of {all} neurons is good enough or fires often enough");
            return Err(SpikeError::Content { file: self.file.clone(), what });
        }
        if left_out > 0 {
            self.notes.push(format!("{left_out} of {all} neurons are not good or fire too rarely and were left out"));
        }
        Ok(())
    }

    /// Which rows of the table meet all conditions.
    fn kept(&self, options: &SpikeImport) -> Result<Vec<bool>, SpikeError> {
        let mut kept = vec![true; self.trials.count];
        for filter in &options.keep {
            kept.iter_mut().zip(filter.meets(&self.trials)?).for_each(|(kept, meets)| *kept &= meets);
        }
        if let Some((least, most)) = options.reaction_secs {
            let reaction = self.trials.reaction_secs().ok_or_else(|| {
                let what = "the reaction time is not known: it needs `reaction_time`, or the onset of the stimulus and \
                            `firstMovement_times` or `response_times`";
                self.trials.wrong(what.to_owned())
            })?;
            kept.iter_mut().zip(reaction).for_each(|(kept, secs)| *kept &= (least..=most).contains(&secs));
        }
        Ok(kept)
    }
}

/// Columns of numbers of the trials that are kept. Times are told from the event on: as seconds since the start of a
/// recording f32 would round them to half a millisecond.
fn columns(
    trials: &Trials,
    event: &str,
    onsets: &[f64],
    rows: &[usize],
    has_choice: bool,
    notes: &mut Vec<String>,
) -> BTreeMap<String, Vec<f32>> {
    let mut columns = BTreeMap::new();
    let mut texts = Vec::new();
    for (name, column) in &trials.columns {
        let Column::Numbers(numbers) = column else {
            texts.push(name.as_str());
            continue;
        };
        if has_choice && name == "choice" {
            continue;
        }
        let value = |&row: &usize| match name {
            _ if name == event => numbers[row] as f32,
            _ if is_time(name) => (numbers[row] - onsets[row]) as f32,
            _ => numbers[row] as f32,
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
        let mut stored: String = name.chars().map(plain).take(100).collect();
        if RESERVED.contains(&stored.as_str()) || stored.is_empty() || stored == "source_trial" {
            stored = format!("trial_{stored}");
        }
        columns.entry(stored).or_insert_with(|| rows.iter().map(value).collect());
    }
    columns.insert("source_trial".to_owned(), rows.iter().map(|&row| row as f32).collect());
    if !texts.is_empty() {
        texts.truncate(20);
        notes.push(format!("columns of texts are not stored: {}", texts.join(", ")));
    }
    columns
}

impl Trace {
    /// A value for each bin; the grid has the middles of the bins. NaN where nothing was measured.
    fn binned(&self, grid: &Grid) -> Vec<f32> {
        match self {
            Self::Level { clock, values } => {
                let (from, to) = (grid.start_secs - MARGIN_SECS, grid.secs_at(grid.frames) + MARGIN_SECS);
                let samples = clock.until(from).saturating_sub(1)..(clock.until(to) + 1).min(clock.count());
                let samples = samples.start.min(samples.end)..samples.end;
                let near = values.get(samples.clone()).unwrap_or_default();
                resample(&clock.part(samples), near, 0.0, grid)
            }
            Self::Position { secs, values } => {
                let half = grid.period_secs() / 2.0;
                let at = |time: f64| interpolated(secs, values, time);
                let speed = |frame: usize| {
                    let middle = grid.secs_at(frame);
                    ((at(middle + half) - at(middle - half)).abs() / (2.0 * half)) as f32
                };
                (0..grid.frames).map(speed).collect()
            }
        }
    }
}

/// The value between two samples; NaN beyond the first and last.
fn interpolated(secs: &[f64], values: &[f64], time: f64) -> f64 {
    let after = secs.partition_point(|&sample| sample <= time);
    match (after.checked_sub(1), secs.get(after)) {
        (Some(before), Some(next)) => {
            let part = (time - secs[before]) / (next - secs[before]);
            values[before] + part * (values[after] - values[before])
        }
        (Some(before), None) if secs[before] == time => values[before],
        _ => f64::NAN,
    }
}

//! What came out: medians by domain, accuracy under its ceiling, tuning in silico against in vivo, responses over time.

use std::sync::Arc;

use eframe::egui::{ComboBox, Grid, Label, RichText, ScrollArea, TextWrapMode, Ui};

use super::ask;
use super::plots::{Bars, Scatter, traces_ui, tuning_ui};
use crate::ui::theme::{GROUP_GAP, Palette};
use crate::ui::view::{Action, View};
use crate::ui::widgets::badge;
use crate::workbench::{BIN, CompareCommand, Compared, ComparedDomain, Workbench, spoken};

/// What the workspace is called.
const TITLE: &str = "Predicted and recorded";
/// Room left of the chooser below which it has no label beside it, points.
const DOMAIN_LABEL: f32 = 130.0;
/// Narrowest room in which two plots stand side by side, points.
const SIDE_BY_SIDE: f32 = 440.0;

/// Everything in the middle.
pub(super) fn results_ui(bench: &Workbench, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
    let Some(found) = bench.compared() else {
        badge::title(ui, TITLE);
        badge::empty(ui, &waiting(bench));
        return;
    };
    let shown = bench.compared_domain();
    badge::head(ui, TITLE, |ui| {
        let mut chosen = shown;
        let name = |index: usize| found.domains.get(index).map_or("", |domain| domain.name.as_str());
        let response = ComboBox::from_id_salt("compared domain")
            .selected_text(name(shown))
            .show_ui(ui, |ui| {
                for index in 0..found.domains.len() {
                    ui.selectable_value(&mut chosen, index, name(index));
                }
            })
            .response;
        let response = response.on_hover_text("Domain of stimuli that the table and the plots are about");
        if ui.available_width() > DOMAIN_LABEL {
            let label = ui.label(RichText::new("Domain of stimuli").small());
            response.labelled_by(label.id);
        }
        if chosen != shown {
            actions.push(ask(CompareCommand::ShowDomain(chosen)));
        }
    });
    origin_ui(bench, found, ui);
    let Some(domain) = found.domains.get(shown) else { return };
    ScrollArea::vertical().id_salt("compared results").auto_shrink(false).show(ui, |ui| {
        if found.comparison().is_some() {
            medians_ui(found, shown, ui, actions);
            ui.add_space(GROUP_GAP / 2.0);
            accuracy_ui(bench, found, domain, ui, actions);
            ui.add_space(GROUP_GAP / 2.0);
            tuning_of_units_ui(bench, found, domain, view, ui, actions);
            ui.add_space(GROUP_GAP / 2.0);
            responses_ui(bench, found, domain, ui);
        } else {
            populations_ui(domain, ui);
        }
    });
}

/// What to do so that something appears.
fn waiting(bench: &Workbench) -> String {
    if bench.compare_progress().is_some() {
        return "The twin watches every trial as the animal did; what comes out appears here.".to_owned();
    }
    match (bench.recording(), bench.can_compare()) {
        (None, _) => {
            "Open a recording on the left, or drop one here.\nThe twin in place predicts each of its trials, and \
                      you see how well."
                .to_owned()
        }
        (Some(_), true) => "Press Compare with recording.".to_owned(),
        (Some(_), false) => "The twin and the recording are not the same cells: open the twin of this recording,\nor \
                             compare populations. How a twin is made of a recording stands in the user guide (F1)."
            .to_owned(),
    }
}

fn origin_ui(bench: &Workbench, found: &Compared, ui: &mut Ui) {
    let palette = Palette::of(ui);
    let mut text = RichText::new(&found.notice).small().color(palette.weak);
    if bench.is_compared_outdated() {
        let state = "previous comparison: recording, twin or settings have changed";
        text = RichText::new(format!("{} · {state}", found.notice)).small().color(palette.caution);
    }
    ui.add(Label::new(text).wrap_mode(TextWrapMode::Truncate)).on_hover_text(&found.notice);
}

fn small(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).small().color(Palette::of(ui).weak)
}

/// A line that wraps.
fn words(ui: &mut Ui, text: impl Into<String>) {
    let text = small(ui, text);
    ui.add(Label::new(text).wrap());
}

/// Two things side by side where there is room, else below one another.
fn pair<A, B>(ui: &mut Ui, one: impl FnOnce(&mut Ui) -> A, two: impl FnOnce(&mut Ui) -> B) -> (A, B) {
    if ui.available_width() < SIDE_BY_SIDE {
        return (one(ui), two(ui));
    }
    ui.columns(2, |columns| match columns {
        [left, right] => (one(left), two(right)),
        _ => unreachable!("two columns were asked for"),
    })
}

/// A row for each domain.
fn medians_ui(found: &Compared, shown: usize, ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.label(RichText::new("Medians over units, with their 95 % interval").strong());
    ScrollArea::horizontal().id_salt("compared medians").show(ui, |ui| {
        Grid::new("compared medians").num_columns(6).striped(true).show(ui, |ui| {
            for head in ["Domain of stimuli", "CC_norm", "CC_abs", "CC_max", "Shown", "Not measured"] {
                ui.label(small(ui, head));
            }
            ui.end_row();
            for (index, domain) in found.domains.iter().enumerate() {
                let row = ui.selectable_label(index == shown, RichText::new(&domain.name).small());
                if row.on_hover_text("Show this domain").clicked() && index != shown {
                    actions.push(ask(CompareCommand::ShowDomain(index)));
                }
                for median in domain.medians {
                    let n = median.map_or(0, |median| median.n);
                    let text = RichText::new(spoken(median, 2, "").replace('-', "−")).small();
                    let response = ui.label(text);
                    match (n, &domain.why_no_ceiling) {
                        (0, Some(why)) => response.on_hover_text(format!("Not defined: {why}")),
                        _ => response.on_hover_text(format!("n = {n} of {} units", domain.units)),
                    };
                }
                ui.label(small(ui, domain.shown.as_str()));
                ui.label(small(ui, format!("{} responses", domain.missing)));
                ui.end_row();
            }
        });
    });
}

fn accuracy_ui(
    bench: &Workbench,
    found: &Arc<Compared>,
    domain: &ComparedDomain,
    ui: &mut Ui,
    actions: &mut Vec<Action>,
) {
    let [norm, _, _] = domain.medians;
    let ((), clicked) = pair(
        ui,
        |ui| {
            ui.label(RichText::new("CC_norm of the units").strong());
            let bars = Bars {
                name: "compared norm",
                axes: ["CC_norm", "Units (count)"],
                bin: BIN,
                bars: &domain.bars,
                others: &[],
                include: Some((0.0, 1.0)),
                mark: norm.map(|median| median.value),
            };
            bars.ui(ui);
            match (&norm, &domain.why_no_ceiling) {
                (Some(median), _) => {
                    words(ui, format!("Line: median {}; n = {} units", spoken(norm, 2, ""), median.n));
                }
                (None, Some(why)) => words(ui, format!("No unit has a ceiling: {why}.")),
                (None, None) => words(ui, "No unit has a CC_norm."),
            }
        },
        |ui| {
            ui.label(RichText::new("CC_abs under its ceiling").strong());
            let scatter = Scatter {
                name: "compared accuracy",
                axes: ["CC_max", "CC_abs"],
                points: &domain.accuracy,
                selected: bench.compared_unit(),
                include: Some((0.0, 1.0)),
            };
            let clicked = scatter.ui(ui, |unit| found.unit_name(unit));
            words(ui, "Line: as good as noise allows. Click a dot to select the unit.");
            clicked
        },
    );
    actions.extend(clicked.map(|unit| ask(CompareCommand::SelectUnit(unit))));
}

fn tuning_of_units_ui(
    bench: &Workbench,
    found: &Arc<Compared>,
    domain: &ComparedDomain,
    view: &mut View,
    ui: &mut Ui,
    actions: &mut Vec<Action>,
) {
    ui.label(RichText::new("Tuning in silico against in vivo").strong());
    let chosen = domain.tunings.iter().find(|tuning| tuning.label == view.compare_tuning).or(domain.tunings.first());
    let Some(chosen) = chosen else {
        words(
            ui,
            "In this domain no direction, orientation or place of spots was varied that the recording tells of, nor noise shown.",
        );
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for tuning in &domain.tunings {
            let button = ui.selectable_label(tuning.label == chosen.label, tuning.label);
            if button.on_hover_text(&tuning.agreement).clicked() {
                tuning.label.clone_into(&mut view.compare_tuning);
            }
        }
    });
    let unit = bench.compared_unit();
    let with_unit = |who: &str| match chosen.unit {
        "" => format!("{} {who}", chosen.label),
        measured => format!("{who} ({measured})"),
    };
    let (along, above) = (with_unit("recorded"), with_unit("predicted"));
    let directions = found.comparison().and_then(|all| all.directions.iter().find(|one| one.domain == domain.name));
    let (clicked, ()) = pair(
        ui,
        |ui| {
            let scatter = Scatter {
                name: chosen.label,
                axes: [&along, &above],
                points: &chosen.points,
                selected: unit,
                include: None,
            };
            let clicked = scatter.ui(ui, |unit| found.unit_name(unit));
            words(ui, format!("Line: equal in both; in brackets: 95 % interval. {}", chosen.agreement));
            clicked
        },
        |ui| {
            let Some(directions) = directions else { return };
            let both = [&directions.recorded, &directions.predicted];
            let [recorded, predicted] = both.map(|tuned| tuned.units.get(unit).and_then(Option::as_ref));
            tuning_ui(&directions.recorded.angles_deg, recorded, predicted, ui);
            legend(ui, &format!("unit {}, mean ± s.e.m.", found.unit_name(unit)), false);
        },
    );
    actions.extend(clicked.map(|unit| ask(CompareCommand::SelectUnit(unit))));
}

/// What the lines mean.
fn legend(ui: &mut Ui, about: &str, repeats: bool) {
    let palette = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        if repeats {
            ui.label(RichText::new("each repeat").small().color(palette.weak));
        }
        ui.label(RichText::new("recorded").small().strong().color(palette.text));
        ui.label(RichText::new("predicted").small().strong().color(palette.data));
        ui.label(RichText::new(about).small().color(palette.weak));
    });
}

fn responses_ui(bench: &Workbench, found: &Arc<Compared>, domain: &ComparedDomain, ui: &mut Ui) {
    let unit = bench.compared_unit();
    ui.label(RichText::new(format!("Responses of unit {} over time", found.unit_name(unit))).strong());
    let Some(trace) = bench.compared_trace().filter(|trace| Arc::ptr_eq(&trace.compared, found)) else {
        words(ui, "Reading what was recorded");
        return;
    };
    let stale = !trace.is_of(found, bench.compared_domain(), unit);
    match &trace.lines {
        Err(error) => words(ui, error.as_str()),
        Ok(lines) => {
            let rate = found.recording.session.frame_rate;
            traces_ui(lines, rate.secs_at(found.selection.burnin_frames), ui);
            let movie = lines.movie.as_deref().unwrap_or("the movie shown most often");
            let missing = match lines.missing {
                0 => String::new(),
                n => format!("; {n} responses were not measured"),
            };
            let of = match stale {
                true => format!("still unit {}; ", found.unit_name(trace.unit)),
                false => String::new(),
            };
            let count = if lines.count == 1 { "1 repeat".to_owned() } else { format!("{} repeats", lines.count) };
            legend(ui, &format!("{of}{}: {movie}, n = {count}{missing}", domain.name), true);
            words(ui, "Left of the line is burn-in, which counts nothing. Drag to move, Ctrl and wheel to zoom.");
        }
    }
}

fn populations_ui(domain: &ComparedDomain, ui: &mut Ui) {
    let palette = Palette::of(ui);
    if domain.distributions.is_empty() {
        words(ui, "Nothing was measured of both populations in this domain.");
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("recorded units").small().strong().color(palette.data));
        ui.label(RichText::new("units of the twin").small().strong().color(palette.accent));
        ui.label(small(ui, "They are not the same cells: only distributions are compared."));
    });
    let one = |ui: &mut Ui, shown: &crate::workbench::ComparedDistribution| {
        ui.label(RichText::new(&shown.axis).strong());
        let bars = Bars {
            name: &shown.axis,
            axes: [&shown.axis, "Share of units"],
            bin: shown.bin,
            bars: &shown.recorded,
            others: &shown.predicted,
            include: shown.ends,
            mark: None,
        };
        bars.ui(ui);
        words(ui, shown.words.as_str());
    };
    for row in domain.distributions.chunks(2) {
        pair(ui, |ui| row.first().map(|shown| one(ui, shown)), |ui| row.get(1).map(|shown| one(ui, shown)));
        ui.add_space(GROUP_GAP / 2.0);
    }
}

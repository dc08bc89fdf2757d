//! Spikes, a mask that is painted on them, and what a trained model makes of what is left to see.

use std::ops::Range;
use std::sync::{Arc, Weak};

use eframe::egui::{
    self, Align, Button, ComboBox, Frame, Label, Layout, Margin, Panel as Side, ProgressBar, RichText, ScrollArea,
    TextWrapMode, TextureHandle, Ui,
};

use super::figure_width::figure_width_ui;
use super::{Panel, Place};
use crate::data::spikes::shuffled;
use crate::model::mtm::Scheme;
use crate::signals::Binned;
use crate::ui::theme::{GAP, GROUP_GAP, LEFT_WIDTH, Palette};
use crate::ui::view::{Action, Ask, SpikeTool, View};
use crate::ui::widgets::raster::{self, Raster};
use crate::ui::widgets::{badge, field, heat_map};
use crate::workbench::{Command, OpenSpikes, Reconstruction, SpikeMask, SpikesCommand, Workbench};

/// Share of the neurons that one button hides, as in the published training.
const SHARE: f64 = 0.3;
/// Time that one button hides, seconds, as in the published forward prediction.
const LAST_SECS: f64 = 0.2;
/// How a model is made.
const TRAIN: &str = "twinscope mtm train";

/// What a picture was made of.
struct Made {
    /// Weak, not an address: another one could come to lie where this one lay.
    spikes: Weak<OpenSpikes>,
    found: Weak<Reconstruction>,
    mask: SpikeMask,
    trial: usize,
    mean: bool,
}

impl PartialEq for Made {
    fn eq(&self, other: &Self) -> bool {
        self.spikes.ptr_eq(&other.spikes)
            && self.found.ptr_eq(&other.found)
            && (&self.mask, self.trial, self.mean) == (&other.mask, other.trial, other.mean)
    }
}

/// Truth and reconstruction side by side.
#[derive(Default)]
pub struct Mtm {
    /// Pictures of the truth and of the reconstruction, and the largest value of each.
    textures: [Option<(Made, TextureHandle, f32)>; 2],
    /// The row under the pointer.
    marked: Option<usize>,
    /// Seed of the next random mask: each press hides others.
    draw: u64,
}

fn ask(command: SpikesCommand) -> Action {
    Command::Spikes(command).into()
}

impl Panel for Mtm {
    fn name(&self) -> &'static str {
        "spikes"
    }

    fn place(&self) -> Place {
        Place::Spikes
    }

    fn ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui) -> Vec<Action> {
        let palette = Palette::of(ui);
        let frame = |x, y| Frame::new().fill(palette.panel).inner_margin(Margin::symmetric(x, y));
        let mut actions = Vec::new();
        Side::left("spikes controls").frame(frame(10, 8)).default_size(LEFT_WIDTH).size_range(300.0..=460.0).show(
            ui,
            |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    self.controls_ui(bench, view, ui, &mut actions);
                });
            },
        );
        egui::CentralPanel::default().frame(frame(10, 8)).show(ui, |ui| self.rasters_ui(bench, view, ui, &mut actions));
        actions
    }
}

impl Mtm {
    fn controls_ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
        session_ui(bench, ui, actions);
        ui.add_space(GROUP_GAP / 2.0);
        ui.separator();
        model_ui(bench, ui, actions);
        let Some(spikes) = bench.spikes() else { return };
        ui.add_space(GROUP_GAP / 2.0);
        ui.separator();
        self.mask_ui(bench, spikes, view, ui, actions);
        ui.add_space(GROUP_GAP / 2.0);
        ui.separator();
        result_ui(bench, spikes, ui, actions);
        ui.add_space(GROUP_GAP / 2.0);
        ui.separator();
        export_ui(bench, view, ui, actions);
    }

    fn mask_ui(
        &mut self,
        bench: &Workbench,
        spikes: &OpenSpikes,
        view: &mut View,
        ui: &mut Ui,
        actions: &mut Vec<Action>,
    ) {
        let palette = Palette::of(ui);
        let mask = bench.spike_mask();
        let [_, bins, neurons] = spikes.session.counts.shape();
        badge::title(ui, "Mask");
        ui.horizontal_wrapped(|ui| {
            for (tool, label, tip) in [
                (SpikeTool::Neurons, "Neurons", "Drag over rows to hide neurons for the whole trial"),
                (SpikeTool::Regions, "Regions", "Click or drag to hide every neuron of a region"),
                (SpikeTool::Time, "Time", "Drag over columns to hide bins of all neurons"),
                (SpikeTool::Area, "Area", "Drag a rectangle: some bins of some neurons"),
            ] {
                ui.selectable_value(&mut view.spike_tool, tool, label).on_hover_text(tip);
            }
        });
        let hint = "Drag on the spikes to hide them from the model; drag with Shift to show them again.";
        ui.label(RichText::new(hint).small().color(palette.weak));
        let paint = |mask: SpikeMask| ask(SpikesCommand::Paint(mask));
        let clear = || SpikeMask::new(bins, neurons);
        ui.horizontal_wrapped(|ui| {
            let share = format!("{:.0} % of neurons", 100.0 * SHARE);
            if ui.button(share).on_hover_text("Hide neurons drawn at random; press again for others").clicked() {
                let count = ((SHARE * neurons as f64).round() as usize).clamp(1, neurons);
                let mut mask = clear();
                mask.set(0..bins, shuffled(neurons, self.draw).into_iter().take(count), true);
                self.draw += 1;
                actions.push(paint(mask));
            }
            let last = ((LAST_SECS / spikes.session.bin_secs).round() as usize).clamp(1, bins);
            let label = format!("Last {:.0} ms", 1000.0 * last as f64 * spikes.session.bin_secs);
            if ui.button(label).on_hover_text("Hide the end of the trial: forward prediction").clicked() {
                let mut mask = clear();
                mask.set(bins - last..bins, 0..neurons, true);
                actions.push(paint(mask));
            }
            if ui.add_enabled(mask.count() > 0, Button::new("Clear mask")).on_hover_text("Hide nothing").clicked() {
                actions.push(paint(clear()));
            }
        });
        let (undo, redo) = bench.can_undo_mask();
        ui.horizontal_wrapped(|ui| {
            for (enabled, label, tip, command) in [
                (undo, "Undo", "Take back the last stroke (Ctrl+Z)", SpikesCommand::Undo),
                (redo, "Redo", "Do it again (Ctrl+Shift+Z)", SpikesCommand::Redo),
            ] {
                if ui.add_enabled(enabled, Button::new(label)).on_hover_text(tip).clicked() {
                    actions.push(ask(command));
                }
            }
            ui.label(RichText::new(mask.words()).small().color(palette.weak));
        });
        let (labels, names) = &spikes.regions;
        if names.len() > 1 {
            ui.label("Hidden regions").on_hover_text("Every neuron of a region, in the whole trial");
            ui.horizontal_wrapped(|ui| {
                for (region, name) in names.iter().enumerate().take(24) {
                    let members: Vec<usize> = (0..neurons).filter(|&neuron| labels[neuron] == region).collect();
                    let mut hidden = members.iter().all(|&neuron| mask.hides_neuron(neuron));
                    let tip = format!("{name}: {} neurons", members.len());
                    if ui.checkbox(&mut hidden, name).on_hover_text(tip).changed() {
                        let mut mask = mask.clone();
                        mask.set(0..bins, members, hidden);
                        actions.push(paint(mask));
                    }
                }
            });
        }
        let (chosen, automatic) = bench.spike_prompt();
        let mut prompt = chosen;
        let tip = "What the model is told to expect; it was trained with one of these for each way of hiding";
        field::row(ui, "Prompt", tip, |ui| {
            let shown = match chosen {
                Some(scheme) => scheme.name().to_owned(),
                None => format!("automatic: {automatic}"),
            };
            ComboBox::from_id_salt("prompt")
                .selected_text(shown)
                .show_ui(ui, |ui| {
                    ui.selectable_value(&mut prompt, None, "automatic").on_hover_text("As the mask looks");
                    for scheme in Scheme::ALL {
                        ui.selectable_value(&mut prompt, Some(scheme), scheme.name());
                    }
                })
                .response
        });
        if prompt != chosen {
            actions.push(ask(SpikesCommand::Prompt(prompt)));
        }
    }

    fn rasters_ui(&mut self, bench: &Workbench, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(spikes) = bench.spikes() else {
            badge::title(ui, "Spikes and their reconstruction");
            let text = if bench.is_opening_spikes() {
                "Reading the session"
            } else {
                "Open a session of spikes on the left, or drop one here: .npz, .nwb or an ALF folder."
            };
            badge::empty(ui, text);
            return;
        };
        trial_ui(bench, spikes, view, ui, actions);
        let found = bench.reconstruction().filter(|found| Arc::ptr_eq(&found.spikes, spikes));
        let trial = bench.spike_trial();
        let truth = if view.spikes_mean { spikes.mean_counts.clone() } else { spikes.session.of(&[trial]) };
        let predicted = found.and_then(|found| {
            let rates =
                if view.spikes_mean { found.mean_rates.clone() } else { found.rates.of_trials(&[found.place(trial)?]) };
            Some((Arc::clone(found), rates))
        });
        let room = ui.available_size();
        let side = egui::vec2((room.x - GROUP_GAP) / 2.0, room.y);
        let mut marked = None;
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = GROUP_GAP;
            ui.allocate_ui_with_layout(side, Layout::top_down(Align::Min), |ui| {
                let what = if view.spikes_mean { "mean of the test trials" } else { "this trial" };
                caption(ui, "Truth", &format!("spikes recorded, {what}"));
                marked = self.picture_ui(0, bench, spikes, &truth, None, view, ui, actions);
            });
            ui.allocate_ui_with_layout(side, Layout::top_down(Align::Min), |ui| match &predicted {
                Some((found, rates)) => {
                    let stale = found.mask != *bench.spike_mask();
                    let what = if stale { "of the mask before" } else { "from what was left to see" };
                    caption(ui, "Reconstruction", &format!("rates predicted {what}"));
                    let hovered = self.picture_ui(1, bench, spikes, rates, Some(found), view, ui, actions);
                    marked = marked.or(hovered);
                }
                None => {
                    caption(ui, "Reconstruction", "");
                    badge::empty(ui, &waiting(bench));
                }
            });
        });
        self.marked = marked;
    }

    /// One of the two pictures; the row under the pointer.
    #[expect(clippy::too_many_arguments, reason = "what both pictures need, for one call each")]
    fn picture_ui(
        &mut self,
        which: usize,
        bench: &Workbench,
        spikes: &Arc<OpenSpikes>,
        values: &Binned,
        found: Option<&Arc<Reconstruction>>,
        view: &View,
        ui: &mut Ui,
        actions: &mut Vec<Action>,
    ) -> Option<usize> {
        let session = &spikes.session;
        let [_, bins, neurons] = session.counts.shape();
        let shown = found.map_or_else(|| bench.spike_mask(), |found| &found.mask);
        let made = Made {
            spikes: Arc::downgrade(spikes),
            found: found.map_or_else(Weak::new, Arc::downgrade),
            mask: shown.clone(),
            trial: bench.spike_trial(),
            mean: view.spikes_mean,
        };
        let order = &spikes.order;
        let (texture, largest) = self.texture(which, made, ui, values, shown, order);
        let per_sec = 1.0 / session.bin_secs;
        let bands = bands(spikes);
        let rect = self.drawing(which, ui);
        let scale = match found.is_none() && !view.spikes_mean {
            true => ["0".to_owned(), format!("{largest:.0} spk")],
            false => ["0".to_owned(), format!("{:.0} /s", f64::from(largest) * per_sec)],
        };
        let drawn =
            rect.map(|corners| (extent(view.spike_tool, corners, spikes), !ui.input(|input| input.modifiers.shift)));
        let output = Raster {
            label: if found.is_some() { "Reconstruction" } else { "Spikes" },
            size: [neurons, bins],
            secs: [session.first_bin_secs, session.first_bin_secs + bins as f64 * session.bin_secs],
            regions: &bands,
            scale,
            drawn,
            marked: self.marked,
        }
        .ui(ui, ui.available_size().into(), &texture);
        let key = drag_key(which);
        // When the button is released the place where it was pressed is forgotten: the corners are kept until then.
        let kept: Option<[[usize; 2]; 2]> = ui.data(|data| data.get_temp(key));
        let ended = output.response.drag_stopped() || output.response.clicked();
        if let Some(corners) = output.dragged.or(kept).filter(|_| ended) {
            ui.data_mut(|data| data.remove::<[[usize; 2]; 2]>(key));
            let [rows, columns] = extent(view.spike_tool, corners, spikes);
            let mut mask = bench.spike_mask().clone();
            mask.set(columns, rows.map(|row| order[row]), !ui.input(|input| input.modifiers.shift));
            actions.push(ask(SpikesCommand::Paint(mask)));
        } else if let Some(corners) = output.dragged {
            ui.data_mut(|data| data.insert_temp(key, corners));
            if kept != Some(corners) {
                ui.ctx().request_repaint(); // the rectangle is drawn in the next frame
            }
        }
        let [row, bin] = output.hovered?;
        let neuron = *order.get(row)?;
        if ui.input(|input| input.pointer.any_down()) {
            return Some(row); // a tooltip would cover what is being drawn
        }
        let value = f64::from(values.at(0, bin, neuron));
        let secs = session.first_bin_secs + (bin as f64 + 0.5) * session.bin_secs;
        let amount = match found {
            None if !view.spikes_mean => format!("{value:.0} spikes"),
            _ => format!("{:.1} spikes/s", value * per_sec),
        };
        let hidden = if shown.is_hidden(bin, neuron) { ", hidden" } else { "" };
        let bits = found.and_then(|found| *found.bits.per_neuron.get(neuron)?);
        let bits = bits.map_or(String::new(), |bits| format!("; {bits:.3} bits per spike over the test trials"));
        let region = &session.regions[neuron];
        output.response.on_hover_text_at_pointer(format!(
            "Neuron {neuron} ({region}), {secs:.3} s: {amount}{hidden}{bits}. Drag to hide, Shift and drag to show."
        ));
        Some(row)
    }

    /// Corners of the rectangle that is being drawn on one of the pictures.
    fn drawing(&self, which: usize, ui: &Ui) -> Option<[[usize; 2]; 2]> {
        let held = ui.input(|input| input.pointer.any_down());
        ui.data(|data| data.get_temp(drag_key(which))).filter(|_| held)
    }

    fn texture(
        &mut self,
        which: usize,
        made: Made,
        ui: &Ui,
        values: &Binned,
        mask: &SpikeMask,
        order: &[usize],
    ) -> (TextureHandle, f32) {
        if let Some((known, texture, largest)) = &self.textures[which]
            && *known == made
        {
            return (texture.clone(), *largest);
        }
        let largest = brightest(values);
        let size = [order.len(), mask.bins()];
        let value = |row: usize, bin: usize| values.at(0, bin, order[row]) / largest;
        let picture = raster::image(size, value, |row, bin| mask.is_hidden(bin, order[row]));
        let texture = match self.textures[which].take() {
            Some((_, mut texture, _)) => {
                texture.set(picture, heat_map::TEXTURE);
                texture
            }
            None => ui.ctx().load_texture(["truth", "reconstruction"][which], picture, heat_map::TEXTURE),
        };
        self.textures[which] = Some((made, texture.clone(), largest));
        (texture, largest)
    }
}

fn drag_key(which: usize) -> egui::Id {
    egui::Id::unique("spike mask").with(which)
}

/// The value that is drawn brightest: that below which 99.5 % of all lie, so that one burst does not darken the rest.
fn brightest(values: &Binned) -> f32 {
    let mut sorted: Vec<f32> = values.values().iter().copied().filter(|value| *value > 0.0).collect();
    let at = sorted.len().saturating_sub(1) * 995 / 1000;
    if sorted.is_empty() {
        return 1.0;
    }
    *sorted.select_nth_unstable_by(at, f32::total_cmp).1
}

/// Regions with their rows, from top to bottom.
fn bands(spikes: &OpenSpikes) -> Vec<(&str, Range<usize>)> {
    let (labels, names) = &spikes.regions;
    let mut bands: Vec<(&str, Range<usize>)> = Vec::new();
    for (row, &neuron) in spikes.order.iter().enumerate() {
        let name = names[labels[neuron]].as_str();
        match bands.last_mut() {
            Some((last, rows)) if *last == name => rows.end = row + 1,
            _ => bands.push((name, row..row + 1)),
        }
    }
    bands
}

/// Rows and columns that a drag between two corners means.
fn extent(tool: SpikeTool, [a, b]: [[usize; 2]; 2], spikes: &OpenSpikes) -> [Range<usize>; 2] {
    let [_, bins, neurons] = spikes.session.counts.shape();
    let rows = a[0].min(b[0])..a[0].max(b[0]) + 1;
    let columns = a[1].min(b[1])..a[1].max(b[1]) + 1;
    match tool {
        SpikeTool::Neurons => [rows, 0..bins],
        SpikeTool::Time => [0..neurons, columns],
        SpikeTool::Area => [rows, columns],
        SpikeTool::Regions => {
            let touched = |band: &&(&str, Range<usize>)| band.1.start < rows.end && rows.start < band.1.end;
            let bands = bands(spikes);
            let start = bands.iter().find(touched).map_or(rows.start, |band| band.1.start);
            let end = bands.iter().rfind(touched).map_or(rows.end, |band| band.1.end);
            [start..end, 0..bins]
        }
    }
}

fn caption(ui: &mut Ui, title: &str, text: &str) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).strong());
        ui.add(Label::new(RichText::new(text).small().color(palette.weak)).wrap_mode(TextWrapMode::Truncate));
    });
}

/// What to do so that a reconstruction appears.
fn waiting(bench: &Workbench) -> String {
    match (bench.spike_model(), bench.spike_failure()) {
        (_, Some(failure)) => failure.to_owned(),
        (None, _) => format!("Open a model on the left. A model is trained with\n{TRAIN}"),
        (Some(_), None) if bench.spike_progress().is_some() => "The model is predicting what is hidden.".to_owned(),
        (Some(_), None) => "Drag on the spikes: what the model makes of the rest appears here.".to_owned(),
    }
}

fn session_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    badge::title(ui, "Session of spikes");
    match bench.spikes() {
        Some(spikes) => {
            let session = &spikes.session;
            let [trials, bins, neurons] = session.counts.shape();
            let name =
                spikes.path.as_ref().map_or_else(|| "simulated here".to_owned(), |path| path.display().to_string());
            let label = Label::new(RichText::new(&session.id).strong()).wrap_mode(TextWrapMode::Truncate);
            ui.add(label).on_hover_text(name);
            if session.simulated {
                ui.label(RichText::new("A simulated animal").small().color(palette.caution));
            }
            let regions = spikes.regions.1.len();
            let facts = format!(
                "{neurons} neurons in {regions} {}, {trials} trials of {bins} bins of {:.0} ms",
                if regions == 1 { "region" } else { "regions" },
                1000.0 * session.bin_secs
            );
            ui.label(RichText::new(facts).small().color(palette.weak));
            if !spikes.notes.is_empty() {
                let notes =
                    RichText::new(format!("{} notes on reading", spikes.notes.len())).small().color(palette.weak);
                ui.label(notes).on_hover_text(spikes.notes.join("\n"));
            }
        }
        None if bench.is_opening_spikes() => {
            ui.spinner();
        }
        None => {
            ui.label(RichText::new("None is open").color(palette.weak));
        }
    }
    ui.horizontal_wrapped(|ui| {
        for (label, tip, action) in [
            (
                "Open session…",
                "A .npz file of binned spikes, or an NWB file with sorted units and trials",
                Action::Ask(Ask::OpenSpikes),
            ),
            (
                "Open ALF folder…",
                "A folder with spikes.times.npy and spikes.clusters.npy",
                Action::Ask(Ask::OpenSpikesFolder),
            ),
            ("Simulated animal", "Spikes of a simulated animal, for a first look", ask(SpikesCommand::Simulate)),
        ] {
            if ui.button(label).on_hover_text(tip).clicked() {
                actions.push(action);
            }
        }
    });
}

fn model_ui(bench: &Workbench, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    badge::title(ui, "Model (MtM)");
    match bench.spike_model() {
        Some(model) => {
            let name = model.path.file_name().unwrap_or_default().display().to_string();
            let label = Label::new(RichText::new(name).strong()).wrap_mode(TextWrapMode::Truncate);
            ui.add(label).on_hover_text(model.path.display().to_string());
            let config = model.weights.config();
            let sessions = model.weights.sessions().len();
            let facts = format!(
                "{} layers of width {}, {sessions} {}; on the CPU",
                config.layers,
                config.width,
                if sessions == 1 { "session" } else { "sessions" }
            );
            ui.label(RichText::new(facts).small().color(palette.weak));
        }
        None => {
            let text = "None is open. A model learns to predict hidden spikes of its sessions; train one with";
            ui.label(RichText::new(text).color(palette.weak));
            ui.horizontal(|ui| {
                ui.label(RichText::new(TRAIN).monospace());
                if ui.small_button("Copy").on_hover_text("Copy the command").clicked() {
                    ui.ctx().copy_text(TRAIN.to_owned());
                }
            });
        }
    }
    if ui.button("Open model…").on_hover_text("A .safetensors file of `twinscope mtm`").clicked() {
        actions.push(Action::Ask(Ask::OpenSpikeModel));
    }
}

fn trial_ui(bench: &Workbench, spikes: &OpenSpikes, view: &mut View, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    let trials = spikes.session.counts.trials();
    ui.horizontal(|ui| {
        badge::title(ui, "Spikes and their reconstruction");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = "Average truth and prediction over the test trials: what single trials hide in noise";
            ui.checkbox(&mut view.spikes_mean, "Mean of test trials").on_hover_text(tip);
            ui.add_space(GAP);
            let mut trial = bench.spike_trial();
            ui.add_enabled_ui(!view.spikes_mean, |ui| {
                if ui.button("Next").on_hover_text("Next trial (right arrow)").clicked() {
                    trial = (trial + 1).min(trials - 1);
                }
                let drag =
                    egui::DragValue::new(&mut trial).range(0..=trials - 1).speed(0.1).update_while_editing(false);
                let purpose = RichText::new(spikes.purpose(bench.spike_trial())).small().color(palette.weak);
                let response = ui.add(drag).on_hover_text(format!("Trial, 0 to {}", trials - 1));
                if ui.button("Previous").on_hover_text("Trial before (left arrow)").clicked() {
                    trial = trial.saturating_sub(1);
                }
                let name = ui.label("Trial");
                response.labelled_by(name.id);
                ui.label(purpose);
            });
            if trial != bench.spike_trial() {
                actions.push(ask(SpikesCommand::ShowTrial(trial)));
            }
        });
    });
}

fn export_ui(bench: &Workbench, view: &View, ui: &mut Ui, actions: &mut Vec<Action>) {
    badge::title(ui, "Export");
    figure_width_ui(bench, ui, actions);
    let tip = "Spikes, mask and reconstruction as they are shown, as PNG, SVG or PDF, with their numbers and the bits per \
               spike as CSV beside it (Ctrl+E)";
    if ui.button("Export figure of the spikes…").on_hover_text(tip).clicked() {
        actions.push(Action::Ask(Ask::ExportSpikes { mean: view.spikes_mean }));
    }
}

fn result_ui(bench: &Workbench, spikes: &Arc<OpenSpikes>, ui: &mut Ui, actions: &mut Vec<Action>) {
    let palette = Palette::of(ui);
    badge::title(ui, "Bits per spike");
    let tip = "By how many bits a spike the predicted rates beat each neuron's own mean over the hidden places; 0 is as \
               good as the mean, below 0 is worse";
    let found = bench.reconstruction().filter(|found| Arc::ptr_eq(&found.spikes, spikes));
    match found {
        Some(found) => {
            let stale = found.mask != *bench.spike_mask() || found.scheme != bench.spike_prompt().1;
            let number = |bits: Option<f64>| bits.map_or("–".to_owned(), |bits| format!("{bits:.3}"));
            let colour = if stale { palette.weak } else { palette.text };
            let bits = RichText::new(format!("{} bits per spike", number(found.bits.pooled))).heading().color(colour);
            ui.label(bits).on_hover_text(tip);
            let tests = if spikes.session.split.test.is_empty() { "trials" } else { "test trials" };
            let facts = format!(
                "{:.0} hidden spikes in {} {tests}, prompt {}",
                found.hidden_spikes, found.scored, found.scheme
            );
            ui.label(RichText::new(facts).small().color(palette.weak));
            if let Some(mean) = found.bits.mean() {
                let text = format!("mean over neurons {mean:.3}; {} without a hidden spike", found.bits.silent());
                ui.label(RichText::new(text).small().color(palette.weak));
            }
            if let Some(place) = found.place(bench.spike_trial()) {
                let text = format!("trial {} alone {}", bench.spike_trial(), number(found.trial_bits[place]));
                ui.label(RichText::new(text).small().color(palette.weak))
                    .on_hover_text("A single trial has few spikes: its number is noisy");
            }
            let label = match (spikes.session.simulated, stale) {
                (_, true) => "previous answer",
                (true, false) => "of a simulated animal",
                (false, false) => "",
            };
            if !label.is_empty() {
                ui.label(RichText::new(label).small().color(palette.caution));
            }
        }
        None => {
            let text =
                if bench.spike_model().is_none() { "Needs a model and a mask".to_owned() } else { waiting(bench) };
            ui.label(RichText::new(text).color(palette.weak)).on_hover_text(tip);
        }
    }
    if let Some(part) = bench.spike_progress() {
        ui.horizontal(|ui| {
            if ui.button("Cancel").on_hover_text("Stop the prediction (Esc)").clicked() {
                actions.push(ask(SpikesCommand::Cancel));
            }
            ui.add(ProgressBar::new(part).desired_height(16.0));
        });
    }
}

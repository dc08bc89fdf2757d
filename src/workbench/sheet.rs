//! Sheets of figures that the user composes: which figures, in which order.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Workbench, parts};
use crate::figures::{Data, Figure, Sheet};

/// Most figures that are remembered: recordings bring figures of their own domains, and these are forgotten first.
const MOST_REMEMBERED: usize = 200;

/// What a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SheetOf {
    /// The newest run.
    Run,
    /// The newest comparison of a twin with a recording.
    Comparison,
}

/// Figures in the order in which they are set on a sheet. One that the present results cannot fill keeps its place for
/// the time when they can.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SheetOrder(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Name of the figure's file.
    name: String,
    chosen: bool,
}

/// A figure that the present results can fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetRow<'a> {
    /// Name of its file, without ending.
    pub name: &'a str,
    /// Its name for people.
    pub label: &'a str,
    /// Whether it is set on the sheet.
    pub chosen: bool,
    /// Its letter there.
    pub letter: Option<char>,
}

impl SheetOrder {
    /// The figures of `figures`, by name of the file and name for people, in this order; those that are new come last.
    pub fn rows<'a>(&self, figures: &'a [(String, String)]) -> Vec<SheetRow<'a>> {
        let mut letters = Sheet::LETTERS.into_iter();
        let mut row = |entry: Entry| {
            let (name, label) = figures.iter().find(|(name, _)| *name == entry.name)?;
            let letter = if entry.chosen { letters.next() } else { None };
            Some(SheetRow { name, label, chosen: entry.chosen, letter })
        };
        self.with(figures).0.into_iter().filter_map(&mut row).collect()
    }

    /// Names of those that are chosen, in their order.
    pub fn chosen(&self, figures: &[(String, String)]) -> Vec<String> {
        let rows = self.rows(figures).into_iter().filter(|row| row.chosen);
        rows.map(|row| row.name.to_owned()).collect()
    }

    /// Puts one of the figures on the sheet, or takes it away.
    pub fn choose(&mut self, name: &str, chosen: bool, figures: &[(String, String)]) {
        *self = self.with(figures);
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.name == name) {
            entry.chosen = chosen;
        }
    }

    /// Moves one of the figures a place down among them, or up; at the end it stays.
    pub fn shift(&mut self, name: &str, down: bool, figures: &[(String, String)]) {
        *self = self.with(figures);
        let shown = |entry: &Entry| figures.iter().any(|(name, _)| *name == entry.name);
        // Figures that are not shown stay where they are.
        let places: Vec<usize> = (0..self.0.len()).filter(|&place| shown(&self.0[place])).collect();
        let Some(now) = places.iter().position(|&place| self.0[place].name == name) else { return };
        let next = now.checked_add_signed(if down { 1 } else { -1 });
        if let Some(&next) = next.and_then(|next| places.get(next)) {
            self.0.swap(places[now], next);
        }
    }

    /// With the figures that are new at the end, each once.
    fn with(&self, figures: &[(String, String)]) -> Self {
        let new = figures.iter().map(|(name, _)| Entry { name: name.clone(), chosen: false });
        let mut all: Vec<Entry> = Vec::new();
        for entry in self.0.iter().cloned().chain(new) {
            if all.iter().all(|known| known.name != entry.name) {
                all.push(entry);
            }
        }
        let mut surplus = all.len().saturating_sub(MOST_REMEMBERED);
        all.retain(|entry| {
            let forgotten = surplus > 0 && figures.iter().all(|(name, _)| *name != entry.name);
            surplus -= usize::from(forgotten);
            !forgotten
        });
        Self(all)
    }
}

/// How sheets were composed the last time; remembered between starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SheetOrders {
    /// Of a run.
    pub run: SheetOrder,
    /// Of a comparison.
    pub comparison: SheetOrder,
}

impl Workbench {
    /// How the sheet was composed the last time.
    pub fn sheet_order(&self, of: SheetOf) -> &SheetOrder {
        match of {
            SheetOf::Run => &self.sheet_orders.run,
            SheetOf::Comparison => &self.sheet_orders.comparison,
        }
    }

    /// Figures that the present results can fill: names of their files, and their names for people.
    pub fn sheet_figures(&self, of: SheetOf) -> Vec<(String, String)> {
        match of {
            SheetOf::Run => {
                let Some(answer) = self.answer() else { return Vec::new() };
                let data = Data::of(&answer.outcome);
                // The sheet of all is no panel.
                let fits = |figure: &Figure| !matches!(figure, Figure::Summary { .. }) && figure.fits(&data);
                let named = |figure: Figure| (figure.stem().to_owned(), figure.label().to_owned());
                Figure::all(self.unit()).into_iter().filter(fits).map(named).collect()
            }
            SheetOf::Comparison => {
                let shown = (self.compared_domain(), self.compared_unit());
                self.compared().map(|found| found.panels(shown)).unwrap_or_default()
            }
        }
    }

    pub(super) fn compose_sheet(&mut self, of: SheetOf, order: SheetOrder) {
        match of {
            SheetOf::Run => self.sheet_orders.run = order,
            SheetOf::Comparison => self.sheet_orders.comparison = order,
        }
    }

    /// Writes the chosen figures that the present results can fill; the name decides PNG, SVG or PDF.
    pub(super) fn export_sheet(&mut self, of: SheetOf, path: PathBuf) {
        let names = self.sheet_order(of).chosen(&self.sheet_figures(of));
        let style = self.figure_style;
        match of {
            SheetOf::Run => {
                self.export(path, move |answer, unit, path| parts::write_sheet(answer, unit, &names, &style, path));
            }
            SheetOf::Comparison => {
                let shown = (self.compared_domain(), self.compared_unit());
                self.export_compared(move |found| found.write_sheet(&names, shown, &style, &path));
            }
        }
    }
}

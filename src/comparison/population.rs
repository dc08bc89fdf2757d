//! Two populations beside each other, without pairs of units: for a twin of another animal, session or scan.

use super::ComparisonError;
use super::directions::{DirectionComparison, Measure, Tuned};
use super::fields::FieldComparison;
use super::ledger::Ledger;
use super::screen;
use crate::analysis::statistics::{Alternative, Correction, TestResult, mann_whitney};
use crate::data::{PresentationTable, ScanId, Session};
use crate::evaluation::{DomainEvaluation, Origin, Responder, Selection, ceilings, is_simulated, watch};
use crate::job::Progress;

/// A twin's population beside a recorded one: both see the same movies and behave the same.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationComparison {
    /// Who predicted.
    pub origin: Origin,
    /// Who was recorded.
    pub recording: ScanId,
    /// Whether the recorded animal was simulated.
    pub simulated: bool,
    /// What was compared.
    pub selection: Selection,
    /// Recorded units and units of the twin.
    pub units: (usize, usize),
    /// How well the recorded units can be predicted at all; a twin answers without noise, so it has no ceiling.
    pub ceilings: Vec<DomainEvaluation>,
    /// Quantities of both populations.
    pub distributions: Vec<Distribution>,
}

/// One quantity of two populations.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Name of the domain of stimuli.
    pub domain: String,
    /// Name for people.
    pub label: &'static str,
    /// Name in tables.
    pub key: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// After how much it begins anew, of what lies on a circle, where ranks mean nothing.
    pub period: Option<f64>,
    /// Of the recorded units for which it is defined.
    pub recorded: Vec<f64>,
    /// Of the twin's.
    pub predicted: Vec<f64>,
}

impl Distribution {
    /// Whether both populations differ, by ranks; `None` where it cannot be tested.
    pub fn test(&self) -> Option<TestResult> {
        mann_whitney(&self.recorded, &self.predicted, Alternative::TwoSided).ok().filter(|_| self.period.is_none())
    }
}

impl PopulationComparison {
    /// Shows the selected trials to the twin, each with the recorded behaviour, and measures both populations.
    ///
    /// # Errors
    /// When model and movies do not fit together, nothing is selected, a trial cannot be read, the model fails, or the user
    /// asked to stop.
    pub fn of(
        responder: &dyn Responder,
        session: &Session,
        table: &PresentationTable,
        selection: &Selection,
        progress: &Progress,
    ) -> Result<Self, ComparisonError> {
        let columns: Vec<usize> = (0..session.units.len()).collect();
        let units = (columns.len(), responder.units().len());
        let mut ledger = Ledger::new(table, screen(session), selection.burnin_frames, columns, units.1);
        watch(responder, session, selection, progress, &mut |seen| ledger.add(seen))?;
        let (directions, fields) = ledger.finish();
        let mut distributions: Vec<Distribution> = directions.iter().flat_map(of_directions).collect();
        distributions.extend(fields.iter().flat_map(of_fields));
        distributions.retain(|found| !found.recorded.is_empty() && !found.predicted.is_empty());
        Ok(Self {
            origin: responder.origin(),
            recording: session.id.clone(),
            simulated: is_simulated(session),
            selection: selection.clone(),
            units,
            ceilings: ceilings(session, selection)?,
            distributions,
        })
    }

    /// The p-value of every distribution's test, corrected for their number by Holm's method; `None` where there is none.
    pub fn adjusted(&self) -> Vec<Option<f64>> {
        let tested: Vec<Option<f64>> = self.distributions.iter().map(|one| one.test().map(|test| test.p)).collect();
        let known: Vec<f64> = tested.iter().copied().flatten().collect();
        let mut adjusted = Correction::Holm.adjust(&known).unwrap_or_default().into_iter();
        tested.into_iter().map(|p| p.and_then(|_| adjusted.next())).collect()
    }

    /// Who predicted, who was recorded, and what is simulated, in one line.
    pub fn notice(&self) -> String {
        let twin = if self.origin.simulated { ", learned from a simulated animal" } else { "" };
        let animal = if self.simulated { " (simulated)" } else { "" };
        format!("{}{twin}; recording of {}{animal}; not the same cells", self.origin.name, self.recording)
    }
}

fn of_directions(found: &DirectionComparison) -> Vec<Distribution> {
    let all = |tuned: &Tuned, measure| (0..tuned.units.len()).filter_map(|unit| tuned.get(unit, measure)).collect();
    let of = |measure: Measure| Distribution {
        domain: found.domain.clone(),
        label: measure.label(),
        key: measure.key(),
        unit: measure.unit(),
        period: measure.period(),
        recorded: all(&found.recorded, measure),
        predicted: all(&found.predicted, measure),
    };
    [Measure::GlobalOsi, Measure::GlobalDsi, Measure::HalfWidth, Measure::PreferredDirection].map(of).to_vec()
}

fn of_fields(found: &FieldComparison) -> Vec<Distribution> {
    let sizes = |fields: &[Option<super::ReceptiveField>]| fields.iter().flatten().map(|f| f.sigma_deg).collect();
    vec![Distribution {
        domain: found.domain.clone(),
        label: "Receptive field (s.d.)",
        key: "sigma_deg",
        unit: "°",
        period: None,
        recorded: sizes(&found.recorded),
        predicted: sizes(&found.predicted),
    }]
}

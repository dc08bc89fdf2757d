//! What a user can set on a stimulus, as data: the window builds its controls from it, and validation its limits.

/// How a field is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A number in its range.
    Number,
    /// On (1) or off (0).
    Switch,
}

/// One parameter of a stimulus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Key in the protocol file.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Unit for people; empty for a pure number.
    pub unit: &'static str,
    /// Smallest and largest value that is allowed.
    pub range: (f64, f64),
    /// Sensible step of an editor.
    pub step: f64,
    /// One sentence of explanation.
    pub help: &'static str,
    /// Number or switch.
    pub kind: FieldKind,
}

impl Field {
    pub(super) const fn number(
        key: &'static str,
        label: &'static str,
        unit: &'static str,
        range: (f64, f64),
        step: f64,
        help: &'static str,
    ) -> Self {
        Self { key, label, unit, range, step, help, kind: FieldKind::Number }
    }

    pub(super) const fn switch(key: &'static str, label: &'static str, help: &'static str) -> Self {
        Self { key, label, unit: "", range: (0.0, 1.0), step: 1.0, help, kind: FieldKind::Switch }
    }

    /// Label with its unit, as it stands beside a control.
    pub fn caption(&self) -> String {
        if self.unit.is_empty() { self.label.to_owned() } else { format!("{} ({})", self.label, self.unit) }
    }
}

pub(super) const DIRECTION: Field = Field::number(
    "direction_deg",
    "Direction",
    "deg",
    (-360.0, 360.0),
    5.0,
    "Direction of motion: 0 is rightward, 90 upward, counter-clockwise",
);

pub(super) const CONTRAST: Field = Field::number(
    "contrast",
    "Contrast",
    "",
    (0.0, 1.0),
    0.05,
    "Difference from the background in grey levels, as a fraction of what the range allows",
);

/// A switch that is set from a number.
pub(super) fn switch(value: f64) -> bool {
    value > 0.5
}

//! What a user can set on a stimulus, as data: the window builds its controls from it, validation its limits, and the
//! command line its list.

/// How a field is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A number in its range.
    Number,
    /// On (1) or off (0).
    Switch,
    /// One of several words; its number is the index.
    Choice(&'static [Word]),
}

/// One word of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Word in the protocol file.
    pub key: &'static str,
    /// Name for people.
    pub label: &'static str,
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
    /// Number, switch or choice.
    pub kind: FieldKind,
}

impl Field {
    /// A number; `parameters!` sets the key.
    pub(crate) const fn number(
        label: &'static str,
        unit: &'static str,
        range: (f64, f64),
        step: f64,
        help: &'static str,
    ) -> Self {
        Self { key: "", label, unit, range, step, help, kind: FieldKind::Number }
    }

    /// On or off.
    pub(crate) const fn switch(label: &'static str, help: &'static str) -> Self {
        Self { key: "", label, unit: "", range: (0.0, 1.0), step: 1.0, help, kind: FieldKind::Switch }
    }

    /// One of the words of a type made by `choices!`.
    pub(crate) const fn choice(label: &'static str, options: &'static [Word], help: &'static str) -> Self {
        let range = (0.0, options.len() as f64 - 1.0);
        Self { key: "", label, unit: "", range, step: 1.0, help, kind: FieldKind::Choice(options) }
    }

    /// The same under its key.
    pub(crate) const fn at(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// Label with its unit, as it stands beside a control.
    pub fn caption(&self) -> String {
        if self.unit.is_empty() { self.label.to_owned() } else { format!("{} ({})", self.label, self.unit) }
    }

    /// A value in the words of a protocol file: a number, `true` or `false`, or the word of a choice.
    pub fn spoken(&self, value: f64) -> String {
        match self.kind {
            FieldKind::Number => value.to_string(),
            FieldKind::Switch => (value > 0.5).to_string(),
            FieldKind::Choice(options) => {
                options.get(value.round().max(0.0) as usize).map_or_else(|| value.to_string(), |o| o.key.to_owned())
            }
        }
    }

    /// The value of a word of this choice.
    pub fn value_of(&self, word: &str) -> Option<f64> {
        let FieldKind::Choice(options) = self.kind else { return None };
        options.iter().position(|option| option.key == word).map(|index| index as f64)
    }

    /// The words of this choice, none for a number or a switch.
    pub fn words(&self) -> Vec<&'static str> {
        match self.kind {
            FieldKind::Choice(options) => options.iter().map(|option| option.key).collect(),
            _ => Vec::new(),
        }
    }
}

/// A type that a field can hold, seen as a number.
pub(crate) trait Setting: Copy {
    /// As a number.
    fn number(self) -> f64;
    /// From a number, nearest.
    fn from_number(number: f64) -> Self;
}

impl Setting for f64 {
    fn number(self) -> f64 {
        self
    }
    fn from_number(number: f64) -> Self {
        number
    }
}

impl Setting for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn from_number(number: f64) -> Self {
        number > 0.5
    }
}

impl Setting for u32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
    fn from_number(number: f64) -> Self {
        number.round() as u32
    }
}

/// A struct of parameters with a default and a [`Field`] each: its text form, `Default`, `FIELDS`, `get` and `set`.
macro_rules! parameters {
    (
        $(#[$about:meta])*
        pub struct $name:ident { $( $(#[$doc:meta])* $key:ident: $type:ty = $default:expr, $field:expr; )* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $( $(#[$doc])* pub $key: $type, )* }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        impl $name {
            /// What can be set.
            pub const FIELDS: &'static [$crate::stimulus::Field] = &[$( $field.at(stringify!($key)), )*];

            /// Value of a parameter; `None` when there is none of that name.
            pub(crate) fn get(&self, key: &str) -> Option<f64> {
                $( if key == stringify!($key) {
                    return Some($crate::stimulus::fields::Setting::number(self.$key));
                } )*
                let _ = key;
                None
            }

            /// Sets a parameter, unchecked; `false` when there is none of that name.
            pub(crate) fn set(&mut self, key: &str, value: f64) -> bool {
                $( if key == stringify!($key) {
                    self.$key = $crate::stimulus::fields::Setting::from_number(value);
                    return true;
                } )*
                let _ = (key, value);
                false
            }
        }
    };
}
pub(crate) use parameters;

/// An enum whose variants are words in a protocol file: text form, `OPTIONS` and its place in a field.
macro_rules! choices {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $( $(#[$doc:meta])* $variant:ident = $key:literal, $label:literal; )* }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $( $(#[$doc])* #[serde(rename = $key)] $variant, )* }

        impl $name {
            /// All words, in order.
            pub(crate) const OPTIONS: &'static [$crate::stimulus::fields::Word] =
                &[$( $crate::stimulus::fields::Word { key: $key, label: $label }, )*];
            const ALL: &'static [Self] = &[$( Self::$variant, )*];
        }

        impl $crate::stimulus::fields::Setting for $name {
            fn number(self) -> f64 {
                self as u8 as f64
            }
            fn from_number(number: f64) -> Self {
                Self::ALL[(number.round().max(0.0) as usize).min(Self::ALL.len() - 1)]
            }
        }
    };
}
pub(crate) use choices;

pub(crate) const DIRECTION: Field = Field::number(
    "Direction",
    "deg",
    (-360.0, 360.0),
    5.0,
    "Direction of motion: 0 is rightward, 90 upward, counter-clockwise",
);

pub(crate) const CONTRAST: Field = Field::number(
    "Contrast",
    "",
    (0.0, 1.0),
    0.05,
    "Difference from the background in grey levels, as a fraction of what the range allows",
);

/// Contrast of something uniform, dark or bright.
pub(crate) const SIGNED_CONTRAST: Field = Field::number(
    "Contrast",
    "",
    (-1.0, 1.0),
    0.1,
    "Difference from the background as a fraction of what the range allows: 1 is white, -1 black",
);

/// Horizontal place, relative to the centre of the screen.
pub(crate) const X: Field = Field::number(
    "Horizontal position",
    "deg",
    (-90.0, 90.0),
    1.0,
    "Degrees of visual angle to the right of the screen's centre",
);

/// Vertical place, relative to the centre of the screen.
pub(crate) const Y: Field =
    Field::number("Vertical position", "deg", (-90.0, 90.0), 1.0, "Degrees of visual angle above the screen's centre");

//! Parameters of stimuli that lie in files.

use super::super::fields::{Field, Setting, choices};

/// A struct of parameters like that of `parameters!`, with a path before them, which is text and no number.
macro_rules! file_parameters {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $(#[$path_doc:meta])* path;
            $( $(#[$doc:meta])* $key:ident: $type:ty = $default:expr, $field:expr; )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(#[$path_doc])*
            pub path: std::path::PathBuf,
            $( $(#[$doc])* pub $key: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { path: std::path::PathBuf::new(), $( $key: $default, )* }
            }
        }

        impl $name {
            /// What can be set beside the path.
            pub const FIELDS: &'static [$crate::stimulus::Field] = &[$( $field.at(stringify!($key)), )*];

            /// With every parameter at its default.
            pub fn from_path(path: impl Into<std::path::PathBuf>) -> Self {
                Self { path: path.into(), ..Self::default() }
            }

            /// Value of a parameter; `None` when there is none of that name.
            pub(crate) fn get(&self, key: &str) -> Option<f64> {
                $( if key == stringify!($key) {
                    return Some($crate::stimulus::fields::Setting::number(self.$key));
                } )*
                None
            }

            /// Sets a parameter, unchecked; `false` when there is none of that name.
            pub(crate) fn set(&mut self, key: &str, value: f64) -> bool {
                $( if key == stringify!($key) {
                    self.$key = $crate::stimulus::fields::Setting::from_number(value);
                    return true;
                } )*
                let _ = value;
                false
            }
        }
    };
}
pub(crate) use file_parameters;

/// Absent is 0.
impl Setting for Option<f64> {
    fn number(self) -> f64 {
        self.unwrap_or(0.0)
    }
    fn from_number(number: f64) -> Self {
        (number != 0.0).then_some(number)
    }
}

impl Setting for i32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
    fn from_number(number: f64) -> Self {
        // What is no number is outside every range, not 0.
        if number.is_nan() { Self::MAX } else { number.round() as Self }
    }
}

choices! {
    /// How a picture of another shape comes onto the screen.
    pub enum PictureFit {
        /// The screen is filled and what is over is cut off.
        Crop = "crop", "Fill the screen, cut the rest";
        /// The whole picture, with the background beside it.
        Contain = "contain", "Whole picture";
        /// The whole picture over the whole screen, its proportions changed.
        Stretch = "stretch", "Stretch";
    }
}

choices! {
    /// Grey level of a colour, from its gamma-coded red, green and blue.
    pub enum Grey {
        /// 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), the grey of older video.
        Rec601 = "rec601", "Rec. 601 luma";
        /// 0.2126 red + 0.7152 green + 0.0722 blue (ITU-R BT.709), the grey of HD video.
        Rec709 = "rec709", "Rec. 709 luma";
        /// The mean of the three.
        Mean = "mean", "Mean of the channels";
        /// Red alone.
        Red = "red", "Red channel";
        /// Green alone.
        Green = "green", "Green channel";
        /// Blue alone.
        Blue = "blue", "Blue channel";
    }
}

impl Grey {
    /// Grey level of a colour, rounded; a grey stays as it is.
    pub(super) fn of(self, [red, green, blue]: [u8; 3]) -> u8 {
        let [r, g, b] = [red, green, blue].map(u32::from);
        match self {
            Self::Rec601 => ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8,
            Self::Rec709 => ((2126 * r + 7152 * g + 722 * b + 5000) / 10_000) as u8,
            Self::Mean => ((2 * (r + g + b) + 3) / 6) as u8,
            Self::Red => red,
            Self::Green => green,
            Self::Blue => blue,
        }
    }
}

pub(crate) const FIT: Field = Field::choice(
    "Fit to the screen",
    PictureFit::OPTIONS,
    "What happens to a picture whose shape is not that of the screen",
);

pub(crate) const CROP_X: Field = Field::number(
    "Part kept, horizontal",
    "",
    (-1.0, 1.0),
    0.05,
    "Which part is kept where the sides are cut: -1 the left, 0 the middle, 1 the right",
);

pub(crate) const CROP_Y: Field = Field::number(
    "Part kept, vertical",
    "",
    (-1.0, 1.0),
    0.05,
    "Which part is kept where top and bottom are cut: -1 the bottom, 0 the middle, 1 the top",
);

pub(crate) const CONTRAST: Field = Field::number(
    "Contrast",
    "",
    (0.0, 2.0),
    0.05,
    "Factor on every difference from the mean grey level of what is shown; 1 leaves it as it is",
);

pub(crate) const GREY: Field =
    Field::choice("Grey from colour", Grey::OPTIONS, "How a colour becomes a grey level; a grey stays as it is");

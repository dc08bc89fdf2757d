//! Publication figures: a style, one file a figure, and one file a format; the file name decides the format.
//!
//! A figure is drawn from [`Data`], from an [`evaluation`], a [`comparison`], a [`study`], an [`optimised`] stimulus or from
//! [`spikes`], in millimetres on the page, as a list of marks. Each format draws the same marks: PNG by the rasteriser of
//! plotters, SVG and PDF with live text. A [`Plate`] is a figure that can be written at a journal's widths, with its numbers
//! as CSV beside it; a [`Sheet`] sets several on one page as panels A, B, C ...

mod bitmap;
mod canvas;
pub mod characterisation;
pub mod comparison;
mod data;
mod direction_tuning;
pub mod evaluation;
pub mod examples;
mod face;
mod grid;
mod heat_map;
mod numbers;
pub mod optimised;
mod page;
mod parameter_tuning;
mod pdf;
mod plate;
mod plot;
mod population;
pub mod populations;
mod sheet;
pub mod spikes;
pub mod study;
mod style;
mod traces;
mod vector;

use std::path::Path;

pub use data::{Data, Traces, unit_name};
pub use plate::{Format, Layout, Picture, Plate, Width};
pub use sheet::Sheet;
pub use style::palette;

use crate::analysis::ParameterTuning;
use canvas::Canvas;
use numbers::Series;
use page::{NARROW_MM, Page};
use style::{COLUMN_MM, PAGE_MM};

/// Which figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Tuning curve of one unit, polar and Cartesian.
    DirectionTuning {
        /// Index of the unit.
        unit: usize,
    },
    /// Response of one unit over time.
    Traces {
        /// Index of the unit.
        unit: usize,
    },
    /// Tuning of all units, sorted by preferred direction.
    HeatMap,
    /// Preferred directions and selectivity of all units.
    Population,
    /// Tuning curve of one unit over the parameter that is analysed, when that is not the direction.
    ParameterTuning {
        /// Index of the unit.
        unit: usize,
    },
    /// Tuning of all units to that parameter.
    ParameterPopulation,
    /// Tuning, response and population on one sheet: over the parameter that is analysed, else over the direction.
    Summary {
        /// Index of the unit shown on its own.
        unit: usize,
    },
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The data lack what the figure shows.
    #[error("{0}")]
    Missing(String),
    /// The ending of the file name.
    #[error("{} ends in none of .png, .svg and .pdf; choose one of them", path.display())]
    Format {
        /// As given.
        path: std::path::PathBuf,
    },
    /// Drawing failed.
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
    /// The file could not be written.
    #[error("{} could not be written; check that the folder exists, is yours to write and has room", path.display())]
    Write {
        /// As given.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Figure {
    /// Every figure, for one unit.
    pub fn all(unit: usize) -> [Self; 7] {
        [
            Self::DirectionTuning { unit },
            Self::Traces { unit },
            Self::HeatMap,
            Self::Population,
            Self::ParameterTuning { unit },
            Self::ParameterPopulation,
            Self::Summary { unit },
        ]
    }

    /// File name without its ending.
    pub fn stem(self) -> &'static str {
        match self {
            Self::DirectionTuning { .. } => "direction_tuning",
            Self::Traces { .. } => "traces",
            Self::HeatMap => "heat_map",
            Self::Population => "population",
            Self::ParameterTuning { .. } => "tuning",
            Self::ParameterPopulation => "tuning_population",
            Self::Summary { .. } => "summary",
        }
    }

    /// What it is called in a list.
    pub fn label(self) -> &'static str {
        match self {
            Self::DirectionTuning { .. } => "Direction tuning of the unit",
            Self::Traces { .. } => "Response of the unit over time",
            Self::HeatMap => "Direction tuning of all units",
            Self::Population => "Preferred directions of all units",
            Self::ParameterTuning { .. } => "Tuning of the unit to the swept parameter",
            Self::ParameterPopulation => "Tuning of all units to the swept parameter",
            Self::Summary { .. } => "Sheet of all",
        }
    }

    /// The figure with a file name, for one unit.
    pub fn named(stem: &str, unit: usize) -> Option<Self> {
        Self::all(unit).into_iter().find(|figure| figure.stem() == stem)
    }

    /// The figures with these file names, for one unit, on one sheet as panels A, B, C ...; other names are left out.
    pub fn sheet<'a>(data: &'a Data<'a>, stems: &[String], unit: usize) -> Plate<'a> {
        let figures = stems.iter().filter_map(|stem| Self::named(stem, unit));
        Sheet::of(data.title, figures.map(|figure| figure.of(data))).plate()
    }

    /// Whether the data hold what the figure shows.
    pub fn fits(self, data: &Data<'_>) -> bool {
        self.check(data).is_ok()
    }

    fn check(self, data: &Data<'_>) -> Result<(), FigureError> {
        let missing = |what: String| Err(FigureError::Missing(what));
        let units = data.responses.units();
        let to_parameter = data.parameter.map(|tuning| tuning.units.len());
        let to_direction = data.tuning.map(|tuning| tuning.units.len());
        let (tuned, lacking) = match self {
            Self::ParameterTuning { .. } | Self::ParameterPopulation => {
                (to_parameter, "nothing but the direction was swept, so there is no other tuning to show")
            }
            Self::DirectionTuning { .. } | Self::HeatMap | Self::Population => {
                (to_direction, "no direction was swept, so there is no tuning to show; sweep `direction_deg`")
            }
            Self::Summary { .. } => (
                to_parameter.or(to_direction),
                "nothing was swept, so there is no tuning to show; sweep a parameter such as `direction_deg`",
            ),
            Self::Traces { .. } => (Some(units), ""),
        };
        let Some(tuned) = tuned else { return missing(lacking.to_owned()) };
        if data.units.len() != units || tuned != units {
            return missing(format!("{units} units responded, {tuned} are tuned and {} named", data.units.len()));
        }
        match self {
            Self::DirectionTuning { unit }
            | Self::Traces { unit }
            | Self::ParameterTuning { unit }
            | Self::Summary { unit }
                if unit >= units =>
            {
                missing(format!("unit {unit} was asked for, but there are {units}, counted from 0"))
            }
            Self::HeatMap | Self::Population | Self::ParameterPopulation if units == 0 => {
                missing("there are no units to show".to_owned())
            }
            _ if data.responses.is_empty() => missing("there are no responses to show".to_owned()),
            Self::Traces { unit } | Self::Summary { unit } if !data.responses.has(unit) => {
                missing(format!("the response of unit {unit} over time is not at hand"))
            }
            _ => Ok(()),
        }
    }

    /// The figure of some data, to be written.
    pub fn of<'a>(self, data: &'a Data<'a>) -> Plate<'a> {
        match self {
            Self::Summary { unit } if self.fits(data) => summary(data, unit).plate(),
            _ => Plate::new(Drawn { what: What::Whole(self), data }),
        }
    }
}

/// One sheet: a unit's tuning, its response over time, and the population. The tuning is that to the parameter of the
/// analysis; to the direction of motion where nothing else was analysed.
fn summary<'a>(data: &'a Data<'a>, unit: usize) -> Sheet<'a> {
    let (tuning, population) = match data.parameter {
        Some(_) => (
            Figure::ParameterTuning { unit },
            [What::ParameterMean, What::ParameterHistogram].map(|what| Plate::new(Drawn { what, data })),
        ),
        None => (Figure::DirectionTuning { unit }, [Figure::HeatMap, Figure::Population].map(|figure| figure.of(data))),
    };
    Sheet::new(data.title).row([tuning.of(data)]).row([Figure::Traces { unit }.of(data)]).row(population)
}

/// A figure, or a panel that is part of one.
#[derive(Debug, Clone, Copy)]
enum What {
    Whole(Figure),
    ParameterMean,
    ParameterHistogram,
}

/// A figure of some data.
struct Drawn<'a> {
    what: What,
    data: &'a Data<'a>,
}

impl Drawn<'_> {
    fn unit_name(&self, unit: usize) -> String {
        self.data.units.get(unit).map(unit_name).unwrap_or_default()
    }

    /// Of a parameter that is analysed, which `check` has seen.
    fn of_parameter<T: Default>(&self, of: impl FnOnce(&ParameterTuning) -> T) -> T {
        self.data.parameter.map(of).unwrap_or_default()
    }
}

impl Page for Drawn<'_> {
    fn title(&self) -> String {
        let title = self.data.title;
        match self.what {
            What::Whole(
                Figure::DirectionTuning { unit } | Figure::Traces { unit } | Figure::ParameterTuning { unit },
            ) => format!("{title}: {}", self.unit_name(unit)),
            _ => title.to_owned(),
        }
    }

    fn heading(&self) -> String {
        let parameter = || self.of_parameter(|tuning| tuning.field.label.to_owned());
        match self.what {
            What::Whole(Figure::DirectionTuning { unit }) => format!("Direction tuning of {}", self.unit_name(unit)),
            What::Whole(Figure::Traces { unit }) => format!("Response of {} over time", self.unit_name(unit)),
            What::Whole(Figure::HeatMap) | What::ParameterMean => "Tuning of all units".to_owned(),
            What::Whole(Figure::Population) => "Preferred directions and selectivity of all units".to_owned(),
            What::Whole(Figure::ParameterTuning { unit }) => {
                format!("{} tuning of {}", parameter(), self.unit_name(unit))
            }
            What::Whole(Figure::ParameterPopulation) => "Tuning and preferred values of all units".to_owned(),
            What::ParameterHistogram => "Preferred values of all units".to_owned(),
            What::Whole(Figure::Summary { .. }) => self.title(),
        }
    }

    fn notice(&self) -> String {
        self.data.notice.clone()
    }

    fn provenance(&self) -> String {
        self.data.provenance.clone()
    }

    fn check(&self) -> Result<(), FigureError> {
        match self.what {
            What::Whole(figure) => figure.check(self.data),
            What::ParameterMean | What::ParameterHistogram => Figure::ParameterPopulation.check(self.data),
        }
    }

    fn caption(&self, width: f64) -> Vec<String> {
        let data = self.data;
        match self.what {
            What::Whole(Figure::DirectionTuning { unit }) => vec![direction_tuning::caption(data, unit)],
            What::Whole(Figure::Traces { .. }) => vec![traces::caption(data, width)],
            What::Whole(Figure::HeatMap) => vec![heat_map::caption(data)],
            What::Whole(Figure::Population) => vec![population::caption(data)],
            What::Whole(Figure::ParameterTuning { unit }) => {
                self.of_parameter(|tuning| vec![parameter_tuning::caption(data, tuning, unit)])
            }
            What::Whole(Figure::ParameterPopulation) => {
                let (first, second) = if width < NARROW_MM { ("Above", "Below") } else { ("Left", "Right") };
                self.of_parameter(|tuning| {
                    vec![
                        format!("{first}: {}", parameter_tuning::mean_caption(tuning)),
                        format!("{second}: {}", parameter_tuning::histogram_caption(tuning)),
                    ]
                })
            }
            What::ParameterMean => self.of_parameter(|tuning| vec![parameter_tuning::mean_caption(tuning)]),
            What::ParameterHistogram => self.of_parameter(|tuning| vec![parameter_tuning::histogram_caption(tuning)]),
            What::Whole(Figure::Summary { .. }) => Vec::new(),
        }
    }

    fn height(&self, width: f64) -> f64 {
        match self.what {
            What::Whole(Figure::DirectionTuning { .. }) => direction_tuning::height(width),
            What::Whole(Figure::Traces { .. }) => traces::HEIGHT_MM,
            What::Whole(Figure::HeatMap) => heat_map::HEIGHT_MM,
            What::Whole(Figure::Population) => population::height(width),
            What::Whole(Figure::ParameterTuning { .. }) => parameter_tuning::height(width),
            What::Whole(Figure::ParameterPopulation) => parameter_tuning::population_height(width),
            What::ParameterMean | What::ParameterHistogram => parameter_tuning::PANEL_HEIGHT_MM,
            What::Whole(Figure::Summary { .. }) => 0.0,
        }
    }

    fn draw(&self, canvas: &mut Canvas, width: f64) {
        let data = self.data;
        match self.what {
            What::Whole(Figure::DirectionTuning { unit }) => direction_tuning::draw(canvas, width, data, unit),
            What::Whole(Figure::Traces { unit }) => traces::draw(canvas, width, data, unit),
            What::Whole(Figure::HeatMap) => heat_map::draw(canvas, width, data),
            What::Whole(Figure::Population) => population::draw(canvas, width, data),
            What::Whole(Figure::ParameterTuning { unit }) => {
                self.of_parameter(|tuning| parameter_tuning::draw(canvas, width, tuning, unit));
            }
            What::Whole(Figure::ParameterPopulation) => {
                self.of_parameter(|tuning| parameter_tuning::draw_population(canvas, width, tuning));
            }
            What::ParameterMean => {
                self.of_parameter(|tuning| parameter_tuning::draw_panel(canvas, width, tuning, true));
            }
            What::ParameterHistogram => {
                self.of_parameter(|tuning| parameter_tuning::draw_panel(canvas, width, tuning, false));
            }
            What::Whole(Figure::Summary { .. }) => (),
        }
    }

    fn numbers(&self, width: f64) -> Vec<Series> {
        let data = self.data;
        match self.what {
            What::Whole(Figure::DirectionTuning { unit }) => direction_tuning::table(data, unit),
            What::Whole(Figure::Traces { unit }) => traces::table(data, width, unit),
            What::Whole(Figure::HeatMap) => heat_map::table(data),
            What::Whole(Figure::Population) => population::table(data),
            What::Whole(Figure::ParameterTuning { unit }) => {
                self.of_parameter(|tuning| parameter_tuning::table(data, tuning, unit))
            }
            What::Whole(Figure::ParameterPopulation) => self.of_parameter(|tuning| {
                [parameter_tuning::mean_table(tuning), parameter_tuning::histogram_table(tuning)].concat()
            }),
            What::ParameterMean => self.of_parameter(parameter_tuning::mean_table),
            What::ParameterHistogram => self.of_parameter(parameter_tuning::histogram_table),
            What::Whole(Figure::Summary { .. }) => Vec::new(),
        }
    }

    fn own_width(&self) -> f64 {
        match self.what {
            What::Whole(Figure::HeatMap) | What::ParameterMean | What::ParameterHistogram => COLUMN_MM,
            What::Whole(_) => PAGE_MM,
        }
    }
}

/// Writes a figure at its own width and 300 dots per inch, see [`Plate::write`].
///
/// # Errors
/// When the file name has another ending, the data lack what the figure shows, or a file cannot be written.
pub fn write(figure: Figure, data: &Data<'_>, path: &Path) -> Result<(), FigureError> {
    figure.of(data).write(path, &Layout::default()).map(drop)
}

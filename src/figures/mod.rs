//! Publication figures: a style and one file a figure; the file name decides PNG or SVG.
//!
//! A figure is drawn from [`Data`], from an [`evaluation`], a [`study`] or an [`optimised`] stimulus, by the same code for both formats, in
//! millimetres on the page.

mod canvas;
pub mod characterisation;
mod data;
mod direction_tuning;
pub mod evaluation;
mod face;
mod heat_map;
pub mod optimised;
mod parameter_tuning;
mod plot;
mod population;
pub mod study;
mod style;
mod summary;
mod traces;
mod writer;

use plotters::prelude::DrawingBackend;

pub use data::{Data, unit_name};
pub use writer::{Picture, picture, svg, write};

use canvas::Canvas;

/// What a file shows, whatever it is drawn from.
trait Page {
    /// Width and height, mm.
    fn size_mm(&self) -> (f64, f64);
    /// Shown above, and written into the file.
    fn title(&self) -> &str;
    /// Written into the file: whose responses these are, and how they were computed.
    fn origin(&self) -> String;
    /// Whether there is something to show.
    fn check(&self) -> Result<(), FigureError>;
    /// Draws everything.
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError>;
}

impl Page for (Figure, &Data<'_>) {
    fn size_mm(&self) -> (f64, f64) {
        self.0.size_mm()
    }
    fn title(&self) -> &str {
        self.1.title
    }
    fn origin(&self) -> String {
        format!("{}. {}", self.1.notice, self.1.provenance)
    }
    fn check(&self) -> Result<(), FigureError> {
        self.0.check(self.1)
    }
    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>) -> Result<(), FigureError> {
        self.0.draw(canvas, self.1)
    }
}

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
    #[error("{} ends in neither .png nor .svg; choose one of them", path.display())]
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

    /// Width and height on the page, mm.
    pub fn size_mm(self) -> (f64, f64) {
        match self {
            Self::DirectionTuning { .. } => direction_tuning::SIZE_MM,
            Self::Traces { .. } => traces::SIZE_MM,
            Self::HeatMap => heat_map::SIZE_MM,
            Self::Population => population::SIZE_MM,
            Self::ParameterTuning { .. } => parameter_tuning::SIZE_MM,
            Self::ParameterPopulation => parameter_tuning::POPULATION_SIZE_MM,
            Self::Summary { .. } => summary::SIZE_MM,
        }
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
            _ if data.responses.frames() == 0 || data.responses.samples() == 0 => {
                missing("there are no responses to show".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn draw<B: DrawingBackend>(self, canvas: &mut Canvas<'_, B>, data: &Data<'_>) -> Result<(), FigureError> {
        match self {
            Self::DirectionTuning { unit } => direction_tuning::draw(canvas, data, unit),
            Self::Traces { unit } => traces::draw(canvas, data, unit),
            Self::HeatMap => heat_map::draw(canvas, data),
            Self::Population => population::draw(canvas, data),
            Self::ParameterTuning { unit } => parameter_tuning::draw(canvas, data, unit),
            Self::ParameterPopulation => parameter_tuning::draw_population(canvas, data),
            Self::Summary { unit } => summary::draw(canvas, data, unit),
        }
        canvas.finish()
    }
}

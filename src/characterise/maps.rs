//! Maps of receptive fields as arrays, written unit after unit while they are made, each with a description beside it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CharacteriseError, Measured};
use crate::data::NpyResponsesWriter;
use crate::data::save::atomically;
use crate::signals::UnitId;

/// Where maps are written, if anywhere, and what was written.
#[derive(Debug, Default)]
pub(super) struct Maps<'f> {
    folder: Option<&'f Path>,
    /// Files that are finished.
    pub(super) written: Vec<PathBuf>,
}

/// What is known of maps of one kind, beside their values.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MapAxes {
    /// What a value is.
    pub values: &'static str,
    /// Unit of places: `deg` or `px`.
    pub place_unit: &'static str,
    /// Place of each value to the right, `[row][column]`; nothing where a square is not on the screen.
    x: Vec<Vec<f64>>,
    /// The same upward in degrees, downward in pixels.
    y: Vec<Vec<f64>>,
    /// Seconds by which responses follow what was shown, one for each map of a unit.
    pub delays_secs: Vec<f64>,
}

impl MapAxes {
    /// Of places row by row.
    pub(super) fn new(
        values: &'static str,
        place_unit: &'static str,
        places: &[[f64; 2]],
        columns: usize,
        delays_secs: Vec<f64>,
    ) -> Self {
        let axis = |axis: usize| -> Vec<Vec<f64>> {
            places.chunks(columns.max(1)).map(|row| row.iter().map(|place| place[axis]).collect()).collect()
        };
        Self { values, place_unit, x: axis(0), y: axis(1), delays_secs }
    }
}

/// The description beside the arrays of one kind.
#[derive(Debug, Serialize)]
struct Description<'a> {
    files: &'a [String],
    element: &'static str,
    axes: &'static [&'static str],
    shape: &'a [usize],
    #[serde(flatten)]
    about: &'a MapAxes,
    units: &'a [UnitId],
}

/// Arrays of one kind under way.
#[derive(Debug)]
pub(super) struct MapFiles {
    stem: String,
    shape: Vec<usize>,
    about: MapAxes,
    /// One for each name, with that name.
    files: Vec<(String, NpyResponsesWriter)>,
}

impl<'f> Maps<'f> {
    /// Maps into a folder.
    pub(super) fn within(folder: &'f Path) -> Self {
        Self { folder: Some(folder), written: Vec::new() }
    }

    /// Starts an array for each part, such as `on`, or a single one without a part; `shape` is that of a unit's map. `None`
    /// where no maps are wanted.
    pub(super) fn begin(
        &self,
        stem: &str,
        parts: &[&str],
        shape: &[usize],
        measured: &Measured,
        about: impl FnOnce() -> MapAxes,
    ) -> Result<Option<MapFiles>, CharacteriseError> {
        let Some(folder) = self.folder else { return Ok(None) };
        let shape = [&[measured.units.len()], shape].concat();
        let names = match parts {
            [] => vec![format!("{stem}.npy")],
            parts => parts.iter().map(|part| format!("{stem}_{part}.npy")).collect(),
        };
        let file = |name: String| NpyResponsesWriter::create(&folder.join(&name), &shape).map(|file| (name, file));
        let files = names.into_iter().map(file).collect::<Result<_, _>>()?;
        Ok(Some(MapFiles { stem: stem.to_owned(), shape, about: about(), files }))
    }

    /// Gives the files their names, and writes what their axes mean.
    pub(super) fn finish(&mut self, files: Option<MapFiles>, measured: &Measured) -> Result<(), CharacteriseError> {
        let (Some(folder), Some(MapFiles { stem, shape, about, files })) = (self.folder, files) else { return Ok(()) };
        let mut names = Vec::new();
        for (name, file) in files {
            file.finish()?;
            self.written.push(folder.join(&name));
            names.push(name);
        }
        let axes: &[&str] =
            if shape.len() == 4 { &["unit", "delay", "row", "column"] } else { &["unit", "row", "column"] };
        let whole = Description {
            files: &names,
            element: "float32",
            axes,
            shape: &shape,
            about: &about,
            units: &measured.units,
        };
        let path = folder.join(format!("{stem}.json"));
        let write = atomically(&path, |to| Ok(serde_json::to_writer(to, &whole)?));
        write.map_err(|source| CharacteriseError::Write { path: path.clone(), source })?;
        self.written.push(path);
        Ok(())
    }
}

impl MapFiles {
    /// The next unit's values in the array of a part.
    pub(super) fn write(&mut self, part: usize, values: &[f32]) -> Result<(), CharacteriseError> {
        Ok(self.files[part].1.write(values)?)
    }

    /// The next unit has no map.
    pub(super) fn write_none(&mut self, part: usize) -> Result<(), CharacteriseError> {
        let each = self.shape[1..].iter().product();
        self.write(part, &vec![f32::NAN; each])
    }
}

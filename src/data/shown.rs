//! What is on the screen when, in movies that show several things one after the other: `presentations.csv` beside a
//! session.
//!
//! Trials whose condition says all there is to know, such as `direction=90`, need no such table.

use std::collections::HashMap;
use std::path::Path;

use super::SessionError;

/// Most rows of a table.
const MOST_ROWS: usize = 1_000_000;
/// Columns of the table.
const COLUMNS: [&str; 5] = ["movie", "onset_frame", "frames", "kind", "values"];

/// One thing shown within a movie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// First frame, counted from the beginning of the movie.
    pub onset_frame: usize,
    /// Number of frames.
    pub frames: usize,
    /// Kind of stimulus, such as `drifting_gabor`; empty where unknown.
    pub kind: String,
    /// What was varied, such as `direction_deg=90, contrast=0.5`.
    pub values: String,
}

/// What is shown in each movie, by its name, which is the condition of its trials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresentationTable {
    movies: HashMap<String, Vec<Shown>>,
}

impl PresentationTable {
    /// Name of the file.
    pub const FILE: &str = "presentations.csv";

    /// The table of a session folder; an empty one where the folder has none, or is a file.
    ///
    /// # Errors
    /// When it cannot be read, or says something impossible.
    pub fn beside(session: &Path) -> Result<Self, SessionError> {
        let path = session.join(Self::FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let file = path.display().to_string();
        let wrong = |line: usize, what: String| SessionError::Content {
            file: file.clone(),
            place: format!(", line {line}"),
            what,
        };
        let failed = |error: csv::Error| match error.into_kind() {
            csv::ErrorKind::Io(source) => SessionError::Read { file: file.clone(), source },
            other => wrong(1, format!("it is no CSV table ({other:?})")),
        };
        let mut table = csv::Reader::from_path(&path).map_err(failed)?;
        if table.headers().map_err(failed)?.iter().ne(COLUMNS) {
            return Err(wrong(1, format!("expected the columns {}", COLUMNS.join(", "))));
        }
        let mut movies: HashMap<String, Vec<Shown>> = HashMap::new();
        for (index, row) in table.records().enumerate() {
            let (row, line) = (row.map_err(failed)?, index + 2);
            if index >= MOST_ROWS {
                return Err(wrong(line, format!("it has more than {MOST_ROWS} rows")));
            }
            let text = |column: usize| row.get(column).unwrap_or_default().trim();
            let whole = |column: usize| {
                let what =
                    || wrong(line, format!("`{}` is `{}`, expected a whole number", COLUMNS[column], text(column)));
                text(column).parse::<usize>().map_err(|_| what())
            };
            let shown = Shown {
                onset_frame: whole(1)?,
                frames: whole(2)?,
                kind: text(3).to_owned(),
                values: text(4).to_owned(),
            };
            movies.entry(text(0).to_owned()).or_default().push(shown);
        }
        Ok(Self { movies })
    }

    /// What is shown in a movie, in order; nothing where that is not known.
    pub fn of(&self, movie: &str) -> &[Shown] {
        self.movies.get(movie).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.movies.is_empty()
    }

    /// The file, from movies with what they show.
    pub(super) fn text<'m>(movies: impl Iterator<Item = (&'m str, Vec<Shown>)>) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        let in_memory = "a table in memory can be written";
        table.write_record(COLUMNS).expect(in_memory);
        for (movie, all) in movies {
            for shown in all {
                let numbers = [shown.onset_frame, shown.frames].map(|number| number.to_string());
                let row = [movie, &numbers[0], &numbers[1], &shown.kind, &shown.values];
                table.write_record(row).expect(in_memory);
            }
        }
        table.into_inner().expect(in_memory)
    }
}

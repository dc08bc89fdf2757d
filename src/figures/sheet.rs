//! Several figures on one page, as panels A, B, C ...

use super::canvas::{Canvas, Text};
use super::numbers::Series;
use super::page::{NARROW_MM, Page};
use super::plot::MARGIN_MM;
use super::style::{LETTER_PT, PAGE_MM};
use super::{FigureError, Plate};

/// Baseline of a panel's letter and heading, and top of its body, from the top of its row, mm.
const HEADING_MM: f64 = 4.0;
const BODY_MM: f64 = 5.0;
/// Between rows, mm.
const GAP_MM: f64 = 2.0;

/// Rows of figures, lettered in the order of reading. On one column every figure has a row of its own.
#[derive(Debug)]
pub struct Sheet<'a> {
    title: String,
    rows: Vec<Vec<Plate<'a>>>,
}

impl<'a> Sheet<'a> {
    /// Letters of the panels in their order, as many as a sheet may have.
    pub const LETTERS: [char; 26] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z',
    ];

    /// An empty sheet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    /// With one more row of figures side by side, all of the same width.
    #[must_use]
    pub fn row(mut self, plates: impl IntoIterator<Item = Plate<'a>>) -> Self {
        self.rows.push(plates.into_iter().collect());
        self
    }

    /// Figures in this order, those that are one column wide by themselves in pairs.
    pub fn of(title: impl Into<String>, plates: impl IntoIterator<Item = Plate<'a>>) -> Self {
        let mut sheet = Self::new(title);
        let mut half: Option<Plate<'a>> = None;
        for plate in plates {
            match (half.take(), plate.page().own_width() < NARROW_MM) {
                (Some(left), true) => sheet.rows.push(vec![left, plate]),
                (None, true) => half = Some(plate),
                (left, false) => sheet.rows.extend(left.into_iter().chain([plate]).map(|plate| vec![plate])),
            }
        }
        sheet.rows.extend(half.map(|plate| vec![plate]));
        sheet
    }

    /// As a figure that can be written.
    pub fn plate(self) -> Plate<'a> {
        Plate::new(self)
    }

    fn panels(&self) -> impl Iterator<Item = (char, &Plate<'a>)> {
        Self::LETTERS.into_iter().zip(self.rows.iter().flatten())
    }

    /// Left and top edge and width of every panel, and the height of all.
    fn places(&self, width: f64) -> (Vec<(f64, f64, f64)>, f64) {
        let (mut places, mut top) = (Vec::new(), 0.0);
        let mut place_row = |row: &[&Plate<'a>]| {
            let across = width / row.len().max(1) as f64;
            let height = row.iter().map(|plate| plate.page().height(across)).fold(0.0, f64::max);
            places.extend((0..row.len()).map(|column| (across * column as f64, top, across)));
            top += BODY_MM + height + GAP_MM;
        };
        for row in &self.rows {
            let row: Vec<&Plate<'a>> = row.iter().collect();
            match width < NARROW_MM {
                true => row.chunks(1).for_each(&mut place_row),
                false => place_row(&row),
            }
        }
        (places, top)
    }

    /// What the panels say, each thing once.
    fn joined(&self, of: impl Fn(&dyn Page) -> String) -> String {
        let mut said: Vec<String> = Vec::new();
        for (_, plate) in self.panels() {
            let one = of(plate.page());
            if !said.contains(&one) {
                said.push(one);
            }
        }
        said.join("; ")
    }
}

impl Page for Sheet<'_> {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn notice(&self) -> String {
        self.joined(|page| page.notice())
    }

    fn provenance(&self) -> String {
        self.joined(|page| page.provenance())
    }

    fn check(&self) -> Result<(), FigureError> {
        let panels = self.rows.iter().map(Vec::len).sum::<usize>();
        if panels == 0 {
            return Err(FigureError::Missing("the sheet has no panels; name at least one figure".to_owned()));
        }
        if panels > Self::LETTERS.len() {
            let most = Self::LETTERS.len();
            return Err(FigureError::Missing(format!("the sheet has {panels} panels; letters suffice for {most}")));
        }
        self.panels().try_for_each(|(_, plate)| plate.check())
    }

    fn caption(&self, width: f64) -> Vec<String> {
        let (places, _) = self.places(width);
        let caption = |((letter, plate), place): ((char, &Plate<'_>), &(f64, f64, f64))| {
            format!("{letter}: {}", plate.page().caption(place.2).join(" "))
        };
        self.panels().zip(&places).map(caption).collect()
    }

    fn height(&self, width: f64) -> f64 {
        self.places(width).1 - GAP_MM
    }

    fn draw(&self, canvas: &mut Canvas, width: f64) {
        let (places, _) = self.places(width);
        for ((letter, plate), (left, top, across)) in self.panels().zip(places) {
            canvas.at((left, top), |canvas| {
                let heading = Text { size_pt: LETTER_PT, ..Text::TITLE };
                canvas.text((MARGIN_MM, HEADING_MM), &letter.to_string(), heading);
                let room = across - MARGIN_MM - 8.0;
                canvas.fitted_text((MARGIN_MM + 5.0, HEADING_MM), &plate.page().heading(), room, Text::NORMAL);
                canvas.at((0.0, BODY_MM), |canvas| plate.page().draw(canvas, across));
            });
        }
    }

    fn numbers(&self, width: f64) -> Vec<Series> {
        let (places, _) = self.places(width);
        let lettered = |((letter, plate), place): ((char, &Plate<'_>), &(f64, f64, f64))| {
            plate.page().numbers(place.2).into_iter().map(move |series| {
                let panel =
                    if series.panel.is_empty() { letter.to_string() } else { format!("{letter}: {}", series.panel) };
                Series { panel, ..series }
            })
        };
        self.panels().zip(&places).flat_map(lettered).collect()
    }

    fn own_width(&self) -> f64 {
        PAGE_MM
    }
}

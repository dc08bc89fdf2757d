//! A figure that can be written: as PNG, SVG or PDF, at a journal's widths, with its numbers beside it.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use image::{ExtendedColorType, ImageEncoder};

use super::page::{About, Page, composed};
use super::style::{COLUMN_MM, DPI, PAGE_MM};
use super::{FigureError, bitmap, numbers, pdf, vector};
use crate::experiment::save;

/// Width of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One column of most journals, 89 mm.
    Column,
    /// A whole page, 183 mm.
    Page,
}

impl Width {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Column, Self::Page];

    /// In millimetres.
    pub fn mm(self) -> f64 {
        match self {
            Self::Column => COLUMN_MM,
            Self::Page => PAGE_MM,
        }
    }
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|width| width.mm().to_string() == text.trim_end_matches("mm").trim());
        known.ok_or_else(|| "expected 89 (one column) or 183 (a page), in mm".to_owned())
    }
}

/// Format of a figure's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Pixels, with their resolution.
    Png,
    /// Lines and live text.
    Svg,
    /// Lines and live text, with the letters that are used.
    Pdf,
}

impl Format {
    /// All.
    pub const ALL: [Self; 3] = [Self::Png, Self::Svg, Self::Pdf];

    /// Ending of the file's name.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }

    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// When it ends otherwise.
    pub fn of(path: &Path) -> Result<Self, FigureError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        let known = ending.and_then(|ending| ending.parse().ok());
        known.ok_or_else(|| FigureError::Format { path: path.to_path_buf() })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| text.eq_ignore_ascii_case(format.ending()));
        known.ok_or_else(|| "expected png, svg or pdf".to_owned())
    }
}

/// How a figure is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// Width on the page; each figure's own when absent.
    pub width: Option<Width>,
    /// Resolution of a PNG, dots per inch.
    pub dpi: u32,
}

impl Default for Layout {
    fn default() -> Self {
        Self { width: None, dpi: DPI }
    }
}

/// A figure as pixels, red, green and blue, 8 bits each, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`.
    pub rgb: Vec<u8>,
}

/// A figure that can be written, whatever it is drawn from. The same data give the same bytes.
pub struct Plate<'a> {
    page: Box<dyn Page + 'a>,
}

impl std::fmt::Debug for Plate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Plate").field(&self.page.title()).finish()
    }
}

impl<'a> Plate<'a> {
    pub(super) fn new(page: impl Page + 'a) -> Self {
        Self { page: Box::new(page) }
    }

    pub(super) fn page(&self) -> &dyn Page {
        self.page.as_ref()
    }

    fn width(&self, layout: &Layout) -> f64 {
        layout.width.map_or_else(|| self.page.own_width(), Width::mm)
    }

    /// Whether there is something to show.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn check(&self) -> Result<(), FigureError> {
        self.page.check()
    }

    /// Width and height on the page, mm.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn size_mm(&self, layout: &Layout) -> Result<(f64, f64), FigureError> {
        self.check()?;
        let width = self.width(layout);
        Ok((width, composed(self.page(), width).1))
    }

    /// As SVG with live text.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn svg(&self, layout: &Layout) -> Result<String, FigureError> {
        self.check()?;
        let width = self.width(layout);
        let (canvas, height) = composed(self.page(), width);
        Ok(vector::svg(canvas.marks(), (width, height), &About::of(self.page())))
    }

    /// As PDF with live text.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn pdf(&self, layout: &Layout) -> Result<Vec<u8>, FigureError> {
        self.check()?;
        let width = self.width(layout);
        let (canvas, height) = composed(self.page(), width);
        pdf::pdf(canvas.marks(), (width, height), &About::of(self.page()))
    }

    /// As pixels.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn picture(&self, layout: &Layout) -> Result<Picture, FigureError> {
        self.check()?;
        let width = self.width(layout);
        let (canvas, height) = composed(self.page(), width);
        bitmap::picture(canvas.marks(), (width, height), layout.dpi)
    }

    /// Its numbers as CSV: panel, series, what lies along and what above with their units, the ends of the bar, and
    /// how many each is over.
    ///
    /// # Errors
    /// When the data lack what the figure shows.
    pub fn numbers(&self, layout: &Layout) -> Result<Vec<u8>, FigureError> {
        self.check()?;
        numbers::csv(&self.page.numbers(self.width(layout)))
    }

    fn png(&self, layout: &Layout) -> Result<Vec<u8>, FigureError> {
        let picture = self.picture(layout)?;
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(Cursor::new(&mut bytes))
            .write_image(&picture.rgb, picture.width as u32, picture.height as u32, ExtendedColorType::Rgb8)
            .map_err(|error| FigureError::Drawing(error.to_string()))?;
        // Signature and header, which always come first and have this length.
        const HEAD: usize = 8 + 25;
        let rest = bytes.split_off(HEAD.min(bytes.len()));
        let per_metre = (f64::from(layout.dpi) / 0.0254).round() as u32;
        let resolution = [&per_metre.to_be_bytes()[..], &per_metre.to_be_bytes(), &[1]].concat();
        let about = About::of(self.page());
        push_chunk(&mut bytes, b"pHYs", &resolution);
        push_chunk(&mut bytes, b"tEXt", &[b"Software\0", about.program.as_bytes()].concat());
        push_chunk(&mut bytes, b"iTXt", &international_text("Title", &about.title));
        push_chunk(&mut bytes, b"iTXt", &international_text("Description", &about.description));
        bytes.extend(rest);
        Ok(bytes)
    }

    fn bytes(&self, format: Format, layout: &Layout) -> Result<Vec<u8>, FigureError> {
        match format {
            Format::Png => self.png(layout),
            Format::Svg => self.svg(layout).map(String::into_bytes),
            Format::Pdf => self.pdf(layout),
        }
    }

    /// Writes the figure in the format that the ending of the path names, and its numbers beside it, `NAME_numbers.csv`;
    /// each whole or not at all. Returns both paths.
    ///
    /// # Errors
    /// When the path has another ending, the data lack what the figure shows, or a file cannot be written.
    pub fn write(&self, path: &Path, layout: &Layout) -> Result<Vec<PathBuf>, FigureError> {
        let format = Format::of(path)?;
        self.write_as(&[(format, path.to_path_buf())], layout)
    }

    /// Writes the figure into a folder in several formats, `STEM.png` and so on, and its numbers once,
    /// `STEM_numbers.csv`. Returns the paths.
    ///
    /// # Errors
    /// When the data lack what the figure shows, or a file cannot be written.
    pub fn export(
        &self,
        folder: &Path,
        stem: &str,
        formats: &[Format],
        layout: &Layout,
    ) -> Result<Vec<PathBuf>, FigureError> {
        let file = |&format: &Format| (format, folder.join(format!("{stem}.{}", format.ending())));
        self.write_as(&formats.iter().map(file).collect::<Vec<_>>(), layout)
    }

    fn write_as(&self, files: &[(Format, PathBuf)], layout: &Layout) -> Result<Vec<PathBuf>, FigureError> {
        let mut written = Vec::new();
        for (format, path) in files {
            save_bytes(path, &self.bytes(*format, layout)?)?;
            written.push(path.clone());
        }
        if let Some((_, path)) = files.first() {
            let path = numbers_path(path);
            save_bytes(&path, &self.numbers(layout)?)?;
            written.push(path);
        }
        Ok(written)
    }
}

/// Beside a figure; tables of the same name, such as an outcome's `tuning.csv`, stay as they are.
fn numbers_path(figure: &Path) -> PathBuf {
    let mut name = figure.file_stem().unwrap_or_default().to_os_string();
    name.push("_numbers.csv");
    figure.with_file_name(name)
}

fn save_bytes(path: &Path, bytes: &[u8]) -> Result<(), FigureError> {
    save::atomically(path, |to| to.write_all(bytes))
        .map_err(|source| FigureError::Write { path: path.to_path_buf(), source })
}

/// Contents of an uncompressed `iTXt` chunk without language.
fn international_text(keyword: &str, text: &str) -> Vec<u8> {
    [keyword.as_bytes(), &[0; 5], text.replace('\0', " ").as_bytes()].concat()
}

fn push_chunk(png: &mut Vec<u8>, kind: &[u8; 4], contents: &[u8]) {
    png.extend((contents.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(contents);
    let check = crc32(&png[start..]);
    png.extend(check.to_be_bytes());
}

/// CRC-32 as PNG defines it: polynomial 0xEDB88320, reflected, inverted before and after.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

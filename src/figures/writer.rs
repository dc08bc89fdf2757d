//! A figure as a file: the ending of its name decides the format.

use std::io::Cursor;
use std::path::Path;
use std::sync::Once;

use image::{ExtendedColorType, ImageEncoder};
use plotters::prelude::{BitMapBackend, SVGBackend};
use plotters::style::{FontStyle, register_font};

use super::canvas::{Canvas, Medium};
use super::style::{self, OVERSAMPLING, PNG_DPI, UNITS_PER_MM};
use super::{Data, Figure, FigureError, Page};
use crate::experiment::save;

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

/// Writes a figure as PNG or SVG, whole or not at all. The same data give the same bytes.
///
/// # Errors
/// When the file name has another ending, the data lack what the figure shows, or the file cannot be written.
pub fn write(figure: Figure, data: &Data<'_>, path: &Path) -> Result<(), FigureError> {
    write_page(&(figure, data), path)
}

/// The same for any page.
pub(super) fn write_page(page: &impl Page, path: &Path) -> Result<(), FigureError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let bytes = match ending.as_deref() {
        Some("png") => png(page)?,
        Some("svg") => page_svg(page)?.into_bytes(),
        _ => return Err(FigureError::Format { path: path.to_path_buf() }),
    };
    save::atomically(path, |to| to.write_all(&bytes))
        .map_err(|source| FigureError::Write { path: path.to_path_buf(), source })
}

/// A figure as pixels at 300 dots per inch.
///
/// # Errors
/// When the data lack what the figure shows.
pub fn picture(figure: Figure, data: &Data<'_>) -> Result<Picture, FigureError> {
    page_picture(&(figure, data))
}

/// The same for any page.
pub(super) fn page_picture(page: &impl Page) -> Result<Picture, FigureError> {
    page.check()?;
    register_face();
    let (width, height) = pixels(page);
    let mut fine = vec![255; width * OVERSAMPLING * height * OVERSAMPLING * 3];
    {
        let size = ((width * OVERSAMPLING) as u32, (height * OVERSAMPLING) as u32);
        let mut backend = BitMapBackend::with_buffer(&mut fine, size);
        page.draw(&mut Canvas::new(&mut backend, Medium::BITMAP))?;
    }
    Ok(Picture { width, height, rgb: averaged(&fine, width, height) })
}

/// A figure as SVG with live text.
///
/// # Errors
/// When the data lack what the figure shows.
pub fn svg(figure: Figure, data: &Data<'_>) -> Result<String, FigureError> {
    page_svg(&(figure, data))
}

/// The same for any page.
pub(super) fn page_svg(page: &impl Page) -> Result<String, FigureError> {
    page.check()?;
    register_face();
    let (width, height) = pixels(page);
    let size = ((width * OVERSAMPLING) as u32, (height * OVERSAMPLING) as u32);
    let mut drawn = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut drawn, size);
        page.draw(&mut Canvas::new(&mut backend, Medium::SVG))?;
    }
    // Our head in place of the backend's: millimetres on the page, a title, where it comes from, and white paper.
    let body = drawn.split_once("<svg").and_then(|(_, rest)| rest.split_once('>')).map(|(_, body)| body);
    let body = body.ok_or_else(|| FigureError::Drawing("the SVG has no beginning".to_owned()))?;
    let mm = |units: u32| f64::from(units) / UNITS_PER_MM;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.2}mm\" height=\"{:.2}mm\" viewBox=\"0 0 {} {}\">\n\
         <title>{}</title>\n<desc>{}</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>{body}",
        mm(size.0),
        mm(size.1),
        size.0,
        size.1,
        escaped(page.title()),
        escaped(&page.origin()),
    ))
}

/// Columns and rows of the PNG.
fn pixels(page: &impl Page) -> (usize, usize) {
    let (width, height) = page.size_mm();
    let pixels = |mm: f64| (mm / 25.4 * PNG_DPI).round() as usize;
    (pixels(width), pixels(height))
}

fn png(page: &impl Page) -> Result<Vec<u8>, FigureError> {
    let picture = page_picture(page)?;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(Cursor::new(&mut bytes))
        .write_image(&picture.rgb, picture.width as u32, picture.height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| FigureError::Drawing(error.to_string()))?;
    // Signature and header, which always come first and have this length.
    const HEAD: usize = 8 + 25;
    let rest = bytes.split_off(HEAD.min(bytes.len()));
    let per_metre = (PNG_DPI / 0.0254).round() as u32;
    let resolution = [&per_metre.to_be_bytes()[..], &per_metre.to_be_bytes(), &[1]].concat();
    push_chunk(&mut bytes, b"pHYs", &resolution);
    push_chunk(&mut bytes, b"iTXt", &international_text("Title", page.title()));
    push_chunk(&mut bytes, b"iTXt", &international_text("Description", &page.origin()));
    bytes.extend(rest);
    Ok(bytes)
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

/// Mean of every block of [`OVERSAMPLING`] squared pixels.
fn averaged(fine: &[u8], width: usize, height: usize) -> Vec<u8> {
    let row = width * OVERSAMPLING * 3;
    let mut coarse = Vec::with_capacity(width * height * 3);
    for rows in fine.chunks_exact(row * OVERSAMPLING) {
        for column in 0..width {
            for channel in 0..3 {
                let at = |y: usize, x: usize| usize::from(rows[y * row + (column * OVERSAMPLING + x) * 3 + channel]);
                let sum: usize = (0..OVERSAMPLING).flat_map(|y| (0..OVERSAMPLING).map(move |x| at(y, x))).sum();
                let count = OVERSAMPLING * OVERSAMPLING;
                coarse.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    coarse
}

/// Text inside an XML element, without the control characters that XML does not know.
fn escaped(text: &str) -> String {
    let known = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    known.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Makes the built-in face known to the rasteriser, once.
fn register_face() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A face that cannot be read shows as a drawing error, where it can be told.
        let _ = register_font(style::FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

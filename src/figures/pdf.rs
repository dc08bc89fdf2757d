//! Marks as PDF with live text: the letters of the built-in face that are used are part of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::types::{
    CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, TextRenderingMode, UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use plotters::style::RGBColor;
use subsetter::{GlyphRemapper, subset};

use super::canvas::{Align, Mark, Point, Text};
use super::page::About;
use super::style::POINT_MM;
use super::{FigureError, face};

const CATALOGUE: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const FONT: Ref = Ref::new(5);
const CID_FONT: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const FONT_FILE: Ref = Ref::new(8);
const UNICODE: Ref = Ref::new(9);
const INFO: Ref = Ref::new(10);
/// Of the first transparency; the others follow.
const TRANSPARENCIES: i32 = 11;

const FACE: Name<'static> = Name(b"F");
/// The tag says that the face is not complete.
const FACE_NAME: Name<'static> = Name(b"TWSCOP+Ubuntu-Light");
const UNICODE_NAME: Name<'static> = Name(b"Unicode");
const IDENTITY: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
/// Height of capitals, lowest and highest point of the face, thousandths of an em.
const CAPITALS: f32 = 693.0;
const DEPTH: f32 = -189.0;
const HEIGHT: f32 = 932.0;

/// Marks on a page of this width and height, mm.
pub fn pdf(marks: &[Mark], size_mm: (f64, f64), about: &About) -> Result<Vec<u8>, FigureError> {
    let letters = Letters::of(marks);
    let mut ink =
        Ink { content: Content::new(), height: size_mm.1, letters: &letters, transparencies: BTreeSet::new() };
    ink.content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
    marks.iter().for_each(|mark| ink.draw(mark));
    let (content, transparencies) = (ink.content.finish(), ink.transparencies);

    let mut pdf = Pdf::new();
    pdf.catalog(CATALOGUE).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.media_box(Rect::new(0.0, 0.0, points(size_mm.0), points(size_mm.1))).parent(PAGES).contents(CONTENT);
    let mut resources = page.resources();
    resources.fonts().pair(FACE, FONT);
    let mut states = resources.ext_g_states();
    for (id, hundredths) in (TRANSPARENCIES..).zip(&transparencies) {
        states.pair(Name(transparency_name(*hundredths).as_bytes()), Ref::new(id));
    }
    states.finish();
    resources.finish();
    page.finish();
    for (id, hundredths) in (TRANSPARENCIES..).zip(&transparencies) {
        pdf.ext_graphics(Ref::new(id)).non_stroking_alpha(f32::from(*hundredths) / 100.0);
    }
    pdf.stream(CONTENT, &deflated(content.as_slice())?).filter(Filter::FlateDecode);
    letters.write(&mut pdf)?;
    let mut info = pdf.document_info(INFO);
    info.title(TextStr(&about.title)).subject(TextStr(&about.description));
    info.creator(TextStr(&about.program)).producer(TextStr(&about.program));
    info.finish();
    Ok(pdf.finish())
}

fn points(mm: f64) -> f32 {
    (mm / POINT_MM) as f32
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>, FigureError> {
    let failed = |error: std::io::Error| FigureError::Drawing(error.to_string());
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).map_err(failed)?;
    encoder.finish().map_err(failed)
}

fn transparency_name(hundredths: u8) -> String {
    format!("A{hundredths}")
}

/// The characters of all texts, with their glyphs' numbers in the face that the file carries.
struct Letters {
    used: BTreeSet<char>,
    glyphs: GlyphRemapper,
}

impl Letters {
    fn of(marks: &[Mark]) -> Self {
        let texts = marks.iter().filter_map(|mark| match mark {
            Mark::Text { text, .. } => Some(text),
            _ => None,
        });
        let used: BTreeSet<char> = texts.flat_map(|text| text.chars()).collect();
        let mut glyphs = GlyphRemapper::new();
        for &character in &used {
            glyphs.remap(face::glyph(character));
        }
        Self { used, glyphs }
    }

    fn glyph(&self, character: char) -> u16 {
        self.glyphs.get(face::glyph(character)).unwrap_or(0)
    }

    fn encoded(&self, text: &str) -> Vec<u8> {
        text.chars().flat_map(|character| self.glyph(character).to_be_bytes()).collect()
    }

    fn write(&self, pdf: &mut Pdf) -> Result<(), FigureError> {
        let file = subset(face::FILE, 0, &self.glyphs).map_err(|error| FigureError::Drawing(error.to_string()))?;
        let mut widths = BTreeMap::from([(0u16, face::advance('\u{fffd}').width)]);
        let mut unicode = UnicodeCmap::<u16>::new(UNICODE_NAME, IDENTITY);
        for &character in &self.used {
            let glyph = self.glyph(character);
            if glyph != 0 && widths.insert(glyph, face::advance(character).width).is_none() {
                unicode.pair(glyph, character);
            }
        }
        pdf.type0_font(FONT)
            .base_font(FACE_NAME)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(CID_FONT)
            .to_unicode(UNICODE);
        let mut font = pdf.cid_font(CID_FONT);
        font.subtype(CidFontType::Type2).base_font(FACE_NAME).system_info(IDENTITY).font_descriptor(DESCRIPTOR);
        font.cid_to_gid_map_predefined(Name(b"Identity"));
        let mut array = font.widths();
        for (glyph, em) in widths {
            array.consecutive(glyph, [(em * 1000.0) as f32]);
        }
        array.finish();
        font.finish();
        pdf.font_descriptor(DESCRIPTOR)
            .name(FACE_NAME)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(-170.0, DEPTH, 1310.0, HEIGHT))
            .italic_angle(0.0)
            .ascent(HEIGHT)
            .descent(DEPTH)
            .cap_height(CAPITALS)
            .stem_v(60.0)
            .font_file2(FONT_FILE);
        let packed = deflated(&file)?;
        let mut stream = pdf.stream(FONT_FILE, &packed);
        stream.filter(Filter::FlateDecode).pair(Name(b"Length1"), i32::try_from(file.len()).unwrap_or(i32::MAX));
        stream.finish();
        pdf.cmap(UNICODE, unicode.finish().as_slice()).name(UNICODE_NAME).system_info(IDENTITY);
        Ok(())
    }
}

/// What draws on the page.
struct Ink<'a> {
    content: Content,
    /// Of the page, mm: PDF counts from the bottom.
    height: f64,
    letters: &'a Letters,
    /// Hundredths of opacity that were used.
    transparencies: BTreeSet<u8>,
}

impl Ink<'_> {
    fn draw(&mut self, mark: &Mark) {
        match mark {
            Mark::Line { points, width_pt, colour } => {
                let (red, green, blue) = parts(*colour);
                self.content.set_stroke_rgb(red, green, blue).set_line_width(*width_pt as f32);
                self.path(points);
                self.content.stroke();
            }
            Mark::Polygon { points, colour, alpha } => self.filled(*colour, *alpha, |ink| ink.path(points)),
            Mark::Rectangle { area, colour } => self.filled(*colour, 1.0, |ink| {
                let (x, y) = ink.place((area.left, area.bottom));
                ink.content.rect(x, y, points(area.width()), points(area.height()));
            }),
            Mark::Dot { centre, radius_mm, colour, alpha } => {
                self.filled(*colour, *alpha, |ink| ink.circle(*centre, *radius_mm));
            }
            Mark::Text { at, text, look } => self.text(*at, text, *look),
        }
    }

    fn place(&self, (x, y): Point) -> (f32, f32) {
        (points(x), points(self.height - y))
    }

    fn path(&mut self, through: &[Point]) {
        for (index, &point) in through.iter().enumerate() {
            let (x, y) = self.place(point);
            if index == 0 {
                self.content.move_to(x, y)
            } else {
                self.content.line_to(x, y)
            };
        }
    }

    /// Four Bézier curves, which are off a circle by less than 0.03 % of its radius.
    fn circle(&mut self, centre: Point, radius_mm: f64) {
        const HANDLE: f32 = 0.552_284_8;
        let ((x, y), r) = (self.place(centre), points(radius_mm));
        let h = HANDLE * r;
        self.content.move_to(x + r, y);
        self.content.cubic_to(x + r, y + h, x + h, y + r, x, y + r);
        self.content.cubic_to(x - h, y + r, x - r, y + h, x - r, y);
        self.content.cubic_to(x - r, y - h, x - h, y - r, x, y - r);
        self.content.cubic_to(x + h, y - r, x + r, y - h, x + r, y);
        self.content.close_path();
    }

    fn filled(&mut self, colour: RGBColor, alpha: f64, shape: impl FnOnce(&mut Self)) {
        let (red, green, blue) = parts(colour);
        let transparent = alpha < 1.0;
        if transparent {
            let hundredths = (alpha.max(0.0) * 100.0).round() as u8;
            self.content.save_state();
            self.content.set_parameters(Name(transparency_name(hundredths).as_bytes()));
            self.transparencies.insert(hundredths);
        }
        self.content.set_fill_rgb(red, green, blue);
        shape(self);
        self.content.fill_nonzero();
        if transparent {
            self.content.restore_state();
        }
    }

    /// Bold type is outlined as well: the face has none.
    fn text(&mut self, at: Point, text: &str, look: Text) {
        let (red, green, blue) = parts(look.colour);
        let before = match look.align {
            Align::Left => 0.0,
            Align::Centre => 0.5,
            Align::Right => 1.0,
        } * look.width_mm(text);
        let start = if look.upwards { (at.0, at.1 + before) } else { (at.0 - before, at.1) };
        let (x, y) = self.place(start);
        let encoded = self.letters.encoded(text);
        let content = &mut self.content;
        content.begin_text().set_font(FACE, look.size_pt as f32).set_fill_rgb(red, green, blue);
        if look.bold {
            content.set_stroke_rgb(red, green, blue).set_line_width((0.05 * look.size_pt) as f32);
        }
        let mode = if look.bold { TextRenderingMode::FillStroke } else { TextRenderingMode::Fill };
        content.set_text_rendering_mode(mode);
        let matrix = if look.upwards { [0.0, 1.0, -1.0, 0.0, x, y] } else { [1.0, 0.0, 0.0, 1.0, x, y] };
        content.set_text_matrix(matrix).show(Str(&encoded)).end_text();
    }
}

/// Red, green and blue, 0..=1.
fn parts(RGBColor(red, green, blue): RGBColor) -> (f32, f32, f32) {
    let part = |value: u8| f32::from(value) / 255.0;
    (part(red), part(green), part(blue))
}

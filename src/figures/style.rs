//! Sizes, colours and type of all figures, in one place.

use plotters::style::RGBColor;

/// Width of one column and of a whole page in most journals, mm.
pub const COLUMN_MM: f64 = 89.0;
/// See [`COLUMN_MM`].
pub const PAGE_MM: f64 = 183.0;

/// Resolution of a PNG where no other is asked for, dots per inch.
pub const DPI: u32 = 300;
/// One typographic point, mm.
pub const POINT_MM: f64 = 25.4 / 72.0;

/// Type sizes, points.
pub const TITLE_PT: f64 = 8.0;
/// Everything that is neither a title nor the letter of a panel.
pub const TEXT_PT: f64 = 7.0;
/// Letters of panels.
pub const LETTER_PT: f64 = 9.0;
/// Lines, points.
pub const AXIS_PT: f64 = 0.6;
/// Lines that show data, points.
pub const DATA_PT: f64 = 1.1;
/// Lines behind the data, points.
pub const GRID_PT: f64 = 0.4;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Text of less weight.
pub const QUIET: RGBColor = RGBColor(0x5c, 0x5c, 0x5c);
/// Lines behind the data.
pub const GRID: RGBColor = RGBColor(0xcf, 0xcf, 0xcf);
/// Areas behind the data.
pub const SHADE: RGBColor = RGBColor(0xec, 0xec, 0xec);
/// Blue of the palette of Okabe and Ito (2008), told apart by colour-blind readers: the data.
pub const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
/// Vermillion of the same palette: what is derived from the data.
pub const VERMILLION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// Lines of different things in one plot: the palette of Okabe and Ito (2008) without its yellow, and three of the muted
/// colours of Tol (2021). The second five carry open marks: no ten colours are told apart by colour-blind readers.
pub const LINES: [RGBColor; 10] = [
    BLUE,
    VERMILLION,
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    INK,
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x88, 0x22, 0x55),
    RGBColor(0x99, 0x99, 0x33),
    RGBColor(0x88, 0x88, 0x88),
];

/// The colours of lines that share a plot, red, green and blue: the first five with filled marks, the others with open
/// ones.
pub fn palette() -> [[u8; 3]; 10] {
    LINES.map(|RGBColor(red, green, blue)| [red, green, blue])
}

/// Faces in order of preference, as SVG names them. PNGs are set in the first, which is built in.
pub const FAMILY: &str = "Ubuntu, Helvetica, Arial, sans-serif";
/// Height of the built-in face from its lowest to its highest point, em.
pub const FACE_HEIGHT_EM: f64 = 1.121;

/// A colour on a circle, once round from 0 to 1: hues of equal strength in Oklab (Ottosson 2020). As red and green look
/// alike to colour-blind readers, the one is light and the other dark.
pub fn colour_around(turn: f64) -> RGBColor {
    const STRENGTH: f64 = 0.125;
    /// Where it is lightest, in turns; half a turn on it is darkest.
    const LIGHTEST: f64 = 0.08;
    let around = |turn: f64| (std::f64::consts::TAU * turn).sin_cos();
    let ((b, a), (_, light)) = (around(turn), around(turn - LIGHTEST));
    let (light, a, b) = (0.61 + 0.16 * light, STRENGTH * a, STRENGTH * b);
    let long = (light + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let middle = (light - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (light - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let code = |linear: f64| {
        let linear = linear.clamp(0.0, 1.0);
        let coded = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
        (255.0 * coded).round() as u8
    };
    RGBColor(
        code(4.076_741_662_1 * long - 3.307_711_591_3 * middle + 0.230_969_929_2 * short),
        code(-1.268_438_004_6 * long + 2.609_757_401_1 * middle - 0.341_319_396_5 * short),
        code(-0.004_196_086_3 * long - 0.703_418_614_7 * middle + 1.707_614_701_0 * short),
    )
}

/// A perceptually uniform colour map from dark blue to yellow, 0..=1: viridis (van der Walt and Smith 2015) at nine
/// points.
pub fn colour_of(value: f64) -> RGBColor {
    const MAP: [[u8; 3]; 9] = [
        [0x44, 0x01, 0x54],
        [0x47, 0x2d, 0x7b],
        [0x3b, 0x52, 0x8b],
        [0x2c, 0x72, 0x8e],
        [0x21, 0x91, 0x8c],
        [0x28, 0xae, 0x80],
        [0x5e, 0xc9, 0x62],
        [0xad, 0xdc, 0x30],
        [0xfd, 0xe7, 0x25],
    ];
    let place = value.clamp(0.0, 1.0) * (MAP.len() - 1) as f64;
    let low = (place as usize).min(MAP.len() - 2);
    let part = place - low as f64;
    let between = |c: usize| {
        let (from, to) = (f64::from(MAP[low][c]), f64::from(MAP[low + 1][c]));
        (from + part * (to - from)).round() as u8
    };
    RGBColor(between(0), between(1), between(2))
}

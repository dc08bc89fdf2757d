//! Widths of the built-in face. The rasteriser of plotters sets every letter against the one before, without the
//! space to its left that the face asks for; with these numbers we place the letters ourselves.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The built-in face: Ubuntu Light, TrueType.
pub const FILE: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;

/// Space that a character takes, em.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advance {
    /// From its beginning to that of the next character.
    pub width: f64,
    /// From its beginning to its ink.
    pub left: f64,
}

/// Space that a character takes in the built-in face; that of the mark for unknown characters where it has none.
pub fn advance(character: char) -> Advance {
    let unknown = Advance { width: 0.5, left: 0.05 };
    BUILT_IN.known.get(&character).map(|(advance, _)| *advance).or(BUILT_IN.unknown).unwrap_or(unknown)
}

/// Number of a character's glyph in the built-in face; 0, the mark for unknown characters, where it has none.
pub fn glyph(character: char) -> u16 {
    BUILT_IN.known.get(&character).map_or(0, |(_, glyph)| *glyph)
}

static BUILT_IN: LazyLock<Face> = LazyLock::new(|| Face::read(FILE).unwrap_or_default());

/// Widths of a TrueType face.
#[derive(Debug, Default)]
struct Face {
    known: HashMap<char, (Advance, u16)>,
    unknown: Option<Advance>,
}

impl Face {
    /// From the tables `head`, `hhea`, `hmtx` and `cmap` (format 4) of the OpenType specification.
    fn read(file: &[u8]) -> Option<Self> {
        let em = f64::from(u16_at(table(file, b"head")?, 18)?);
        let measured = usize::from(u16_at(table(file, b"hhea")?, 34)?);
        let widths = table(file, b"hmtx")?;
        let advance_of = |glyph: usize| -> Option<Advance> {
            // Glyphs after the measured ones share the last width.
            let width = u16_at(widths, 4 * glyph.min(measured.checked_sub(1)?))?;
            let left = if glyph < measured { 4 * glyph + 2 } else { 4 * measured + 2 * (glyph - measured) };
            let left = u16_at(widths, left)?.cast_signed();
            Some(Advance { width: f64::from(width) / em, left: f64::from(left) / em })
        };
        let glyphs = glyphs(table(file, b"cmap")?)?;
        let known = glyphs
            .into_iter()
            .filter_map(|(character, glyph)| Some((character, (advance_of(usize::from(glyph))?, glyph))));
        Some(Self { known: known.collect(), unknown: advance_of(0) })
    }
}

/// Glyph of every character of the basic plane.
fn glyphs(cmap: &[u8]) -> Option<Vec<(char, u16)>> {
    let offset = (0..usize::from(u16_at(cmap, 2)?)).find_map(|index| {
        let offset = u32::from_be_bytes(cmap.get(8 + 8 * index..12 + 8 * index)?.try_into().ok()?) as usize;
        (u16_at(cmap, offset)? == 4).then_some(offset)
    })?;
    let map = cmap.get(offset..)?;
    let bytes = usize::from(u16_at(map, 6)?);
    let mut glyphs = Vec::new();
    for segment in (0..bytes).step_by(2) {
        let (end, start) = (u16_at(map, 14 + segment)?, u16_at(map, 16 + bytes + segment)?);
        let (shift, place) = (u16_at(map, 16 + 2 * bytes + segment)?, 16 + 3 * bytes + segment);
        let offset = usize::from(u16_at(map, place)?);
        for code in start..=end.min(0xfffe) {
            let glyph = match offset {
                0 => code.wrapping_add(shift),
                _ => match u16_at(map, place + offset + 2 * usize::from(code - start)) {
                    Some(glyph) if glyph != 0 => glyph.wrapping_add(shift),
                    _ => continue,
                },
            };
            if let (Some(character), true) = (char::from_u32(u32::from(code)), glyph != 0) {
                glyphs.push((character, glyph));
            }
        }
    }
    Some(glyphs)
}

fn table<'a>(file: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let count = usize::from(u16_at(file, 4)?);
    let entry =
        (0..count).filter_map(|index| file.get(12 + 16 * index..28 + 16 * index)).find(|entry| &entry[..4] == name)?;
    let number = |at: usize| Some(u32::from_be_bytes(entry.get(at..at + 4)?.try_into().ok()?) as usize);
    let start = number(8)?;
    file.get(start..start.checked_add(number(12)?)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_face_has_the_characters_of_our_labels() {
        let face = Face::read(FILE).expect("a TrueType face");
        for character in "abcXYZ0189 ×°±−…().,;:'".chars() {
            assert!(face.known.contains_key(&character), "{character} is missing");
        }
        let (i, m) = (face.known[&'i'].0, face.known[&'m'].0);
        assert!(m.width > 3.0 * i.width && i.left > 0.0, "{i:?} {m:?}");
    }

    #[test]
    fn half_a_face_is_no_face() {
        for length in [0, 3, 100, 1000] {
            assert!(Face::read(&FILE[..length]).is_none());
        }
    }
}

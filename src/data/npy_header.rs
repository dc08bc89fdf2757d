//! The header of NumPy's `.npy` files, read with suspicion.
//!
//! `npyz` reads them too, but believes the length of the header and the product of the shape; a damaged file must
//! end in a sentence instead.

use std::io::Read;

/// Longest header that is read; NumPy's own take 128 bytes.
const LONGEST: usize = 1 << 16;
/// Bytes before the numbers at the very most.
pub(super) const LONGEST_HEAD: u64 = LONGEST as u64 + 12;
/// Axes of an array.
const AXES: usize = 8;

/// Layout of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NpyHeader {
    /// Type as NumPy writes it, such as `<f4`.
    pub(super) element: String,
    /// Whether the first axis runs fastest.
    pub(super) fortran_order: bool,
    /// Sizes of the axes.
    pub(super) shape: Vec<u64>,
    /// Where the numbers start, bytes.
    pub(super) start: u64,
}

impl NpyHeader {
    /// Reads the header at the start of a file. The error is a clause about the file.
    pub(super) fn read(mut file: impl Read) -> Result<Self, String> {
        let mut lead = [0; 10];
        file.read_exact(&mut lead).map_err(|e| format!("the start of a .npy file cannot be read ({e})"))?;
        if &lead[..6] != b"\x93NUMPY" {
            return Err("it does not start like a .npy file".to_owned());
        }
        let (length, lead) = match lead[6] {
            1 => (u32::from(u16::from_le_bytes([lead[8], lead[9]])), 10),
            2 | 3 => {
                let mut high = [0; 2];
                file.read_exact(&mut high).map_err(|e| format!("its header cannot be read ({e})"))?;
                (u32::from_le_bytes([lead[8], lead[9], high[0], high[1]]), 12)
            }
            version => return Err(format!("version {version} of the .npy format is not known")),
        };
        let length = length as usize;
        if length > LONGEST {
            return Err(format!("its header claims {length} bytes, more than {LONGEST}"));
        }
        let mut text = vec![0; length];
        file.read_exact(&mut text).map_err(|e| format!("its header cannot be read ({e})"))?;
        let (element, fortran_order, shape) = Literal { text: &text, at: 0 }.header().ok_or("its header is damaged")?;
        Ok(Self { element, fortran_order, shape, start: (lead + length) as u64 })
    }

    /// The bytes of a header, padded as NumPy does so that the numbers start on a multiple of 64.
    pub(super) fn bytes(element: &str, shape: &[usize]) -> Vec<u8> {
        let sizes: Vec<String> = shape.iter().map(|size| format!("{size},")).collect();
        let text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': ({}), }}", sizes.join(" "));
        let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(length).expect("a few axes need few bytes").to_le_bytes());
        bytes.extend(format!("{text:<width$}\n", width = length - 1).into_bytes());
        bytes
    }

    /// Number of values; `None` when no file can have so many.
    pub(super) fn values(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size))
    }
}

/// The Python dictionary of a header.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

impl Literal<'_> {
    fn header(&mut self) -> Option<(String, bool, Vec<u64>)> {
        let (mut element, mut order, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while self.peek()? != b'}' {
            let key = self.string()?;
            self.expect(b':')?;
            match key.as_str() {
                // The type of a table is a list; its first byte is enough to say so.
                "descr" if self.peek()? == b'[' => return Some(("a table".to_owned(), false, Vec::new())),
                "descr" => element = Some(self.string()?),
                "fortran_order" => order = Some(self.word()? == "True"),
                "shape" => shape = Some(self.sizes()?),
                _ => return None,
            }
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        Some((element?, order?, shape?))
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.peek().filter(|byte| matches!(byte, b'\'' | b'"'))?;
        self.at += 1;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|&byte| byte == quote)?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).ok().map(|text| text.escape_debug().take(40).collect())
    }

    /// Letters and digits.
    fn word(&mut self) -> Option<&str> {
        self.peek()?;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        self.at += length;
        std::str::from_utf8(&rest[..length]).ok()
    }

    fn sizes(&mut self) -> Option<Vec<u64>> {
        self.expect(b'(')?;
        let mut sizes = Vec::new();
        while self.peek()? != b')' {
            sizes.push(self.word()?.trim_end_matches('L').parse().ok()?);
            if sizes.len() > AXES {
                return None;
            }
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_starts_on_a_multiple_of_64() {
        for shape in [vec![5], vec![3, 4], vec![7, 2, 1000], vec![usize::MAX; 5]] {
            let bytes = NpyHeader::bytes("<f4", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = NpyHeader::read(bytes.as_slice()).expect("our own header");
            let shape: Vec<u64> = shape.into_iter().map(|size| size as u64).collect();
            assert_eq!(
                header,
                NpyHeader { element: "<f4".to_owned(), fortran_order: false, shape, start: bytes.len() as u64 }
            );
        }
    }

    #[test]
    fn headers_of_other_writers_are_read_too() {
        let text = br#"{"shape":(3L,),"fortran_order":True,"descr":"|u1"}"#;
        let file = [b"\x93NUMPY\x02\x00", &(text.len() as u32).to_le_bytes()[..], text].concat();
        let header = NpyHeader::read(file.as_slice()).expect("a good header");
        assert_eq!((header.element.as_str(), header.fortran_order, &header.shape[..]), ("|u1", true, &[3][..]));
    }
}

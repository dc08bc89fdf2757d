//! Number types that weight files use, and their bytes.

/// Type of the numbers in a file, by its name in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Float32,
    Float64,
    Float16,
    BFloat16,
    Bool,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
}

impl Element {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::Bool => "bool",
            Self::UInt8 => "uint8",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }

    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::UInt8 | Self::Int8 => 1,
            Self::Float16 | Self::BFloat16 | Self::Int16 => 2,
            Self::Float32 | Self::Int32 => 4,
            Self::Float64 | Self::Int64 => 8,
        }
    }

    /// Whether every number of this type is an f32 too, so that reading it changes nothing.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Self::Float32 | Self::Float16 | Self::BFloat16)
    }

    /// Little-endian numbers as f32; a rest shorter than one number is left out.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Float32 => numbers(bytes, f32::from_le_bytes),
            Self::Float64 => numbers(bytes, |b| f64::from_le_bytes(b) as f32),
            Self::Float16 => numbers(bytes, |b| half(u16::from_le_bytes(b))),
            Self::BFloat16 => numbers(bytes, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
            Self::Bool | Self::UInt8 => numbers(bytes, |[b]| f32::from(b)),
            Self::Int8 => numbers(bytes, |b| f32::from(i8::from_le_bytes(b))),
            Self::Int16 => numbers(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Self::Int32 => numbers(bytes, |b| i32::from_le_bytes(b) as f32),
            Self::Int64 => numbers(bytes, |b| i64::from_le_bytes(b) as f32),
        }
    }
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
}

/// IEEE half precision, exactly.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = ((bits >> 10) & 0x1F, f32::from(bits & 0x3FF));
    let magnitude = match exponent {
        0 => fraction * (-24f32).exp2(),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1.0 + fraction / 1024.0) * (f32::from(e) - 15.0).exp2(),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_decodes_its_own_bytes() {
        assert_eq!(Element::Float32.decode(&(-1.5f32).to_le_bytes()), [-1.5]);
        assert_eq!(Element::Float64.decode(&0.1f64.to_le_bytes()), [0.1f32]);
        // 1, -2, the smallest subnormal, the largest number, minus infinity.
        let halves: Vec<u8> =
            [0x3C00u16, 0xC000, 0x0001, 0x7BFF, 0xFC00].iter().flat_map(|h| h.to_le_bytes()).collect();
        assert_eq!(Element::Float16.decode(&halves), [1.0, -2.0, 5.960_464_5e-8, 65504.0, f32::NEG_INFINITY]);
        assert!(Element::Float16.decode(&0x7C01u16.to_le_bytes())[0].is_nan());
        assert_eq!(Element::BFloat16.decode(&0x3FC0u16.to_le_bytes()), [1.5]);
        assert_eq!(Element::Bool.decode(&[0, 1]), [0.0, 1.0]);
        assert_eq!(Element::Int64.decode(&(-3i64).to_le_bytes()), [-3.0]);
        assert_eq!(Element::Int32.decode(&[1, 0]), [0.0; 0]);
    }
}

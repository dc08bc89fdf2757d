//! Numbers of several pixels, computed at once: a formula is written once, and compiled for what the processor has.
//!
//! All kinds give the same bits, because each operation is one of IEEE 754 and none is fused with another. What is
//! generic over [`Lanes`] is `#[inline(always)]`, and works on them in loops rather than closures, so that all of it is
//! compiled as part of the function that [`dispatched!`] makes.

use std::array::from_fn;
use std::hint::black_box;
use std::ops::{Add, Div, Mul, Sub};

/// Pixels that are computed at once.
pub(super) const STEP: usize = 8;

/// One number for each pixel of a step.
pub(super) trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// These numbers.
    fn of(values: [f32; STEP]) -> Self;
    /// Whole numbers.
    fn of_whole(values: [i32; STEP]) -> Self;
    /// The numbers.
    fn values(self) -> [f32; STEP];
    /// This number for all.
    fn all(value: f32) -> Self;
    /// The first and the second numbers of pairs.
    fn unzip(pairs: [[f32; 2]; STEP]) -> [Self; 2];
    fn sqrt(self) -> Self;
    /// The larger of two, the second where the first is not a number.
    fn above(self, least: Self) -> Self;
    /// The smaller of two, the second where the first is not a number.
    fn below(self, most: Self) -> Self;
    /// Without the sign.
    #[inline(always)]
    fn size(self) -> Self {
        self.above(Self::all(0.0) - self)
    }
    /// A bit for each that is smaller than the other, the first one lowest.
    fn is_below(self, other: Self) -> u8;
    /// 0 where the other is negative.
    fn unless_negative(self, other: Self) -> Self;
    /// Two to the power of whole numbers from 0 to 8.
    fn power_of_two(self) -> Self;
    /// Rounded towards 0 to bytes, the first number lowest; numbers of up to 32,767 outside 0..=255 become the nearest.
    fn bytes(self) -> u64;
}

/// Which bits of a byte are set, the lowest first; the rest is of no interest.
pub(super) static SET: [[u8; STEP]; 256] = {
    let mut set = [[0; STEP]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < STEP {
            if byte >> bit & 1 == 1 {
                set[byte][count] = bit as u8;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    set
};

/// Asks for what is soon to be read, where the processor can be asked.
#[inline(always)]
pub(super) fn ask_for<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint without effect on memory; all x86-64 processors have it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Plain numbers, for any processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain([f32; STEP]);

/// Next to this number lie only whole ones, so adding it rounds, and the last bits of the sum are the whole number.
/// Unlike a cast, which has to look for numbers that are too large, this is done with several at once on every processor.
pub(super) const WHOLE: f32 = 1.5 * (1 << 23) as f32;

impl Lanes for Plain {
    #[inline(always)]
    fn of(values: [f32; STEP]) -> Self {
        Self(values)
    }

    #[inline(always)]
    fn of_whole(values: [i32; STEP]) -> Self {
        Self(from_fn(|lane| values[lane] as f32))
    }

    #[inline(always)]
    fn values(self) -> [f32; STEP] {
        // Numbers that lie side by side in memory make the compiler see that they can be computed at once.
        black_box(self.0)
    }

    #[inline(always)]
    fn all(value: f32) -> Self {
        Self([value; STEP])
    }

    #[inline(always)]
    fn unzip(pairs: [[f32; 2]; STEP]) -> [Self; 2] {
        [Self(from_fn(|lane| pairs[lane][0])), Self(from_fn(|lane| pairs[lane][1]))]
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(from_fn(|lane| self.0[lane].sqrt()))
    }

    // Comparisons, unlike `max` and `min`, are one instruction that says nothing about what is not a number.
    #[inline(always)]
    fn above(self, least: Self) -> Self {
        Self(from_fn(|lane| if self.0[lane] > least.0[lane] { self.0[lane] } else { least.0[lane] }))
    }

    #[inline(always)]
    fn below(self, most: Self) -> Self {
        Self(from_fn(|lane| if self.0[lane] < most.0[lane] { self.0[lane] } else { most.0[lane] }))
    }

    #[inline(always)]
    fn is_below(self, other: Self) -> u8 {
        (0..STEP).fold(0, |bits, lane| bits | (u8::from(self.0[lane] < other.0[lane]) << lane))
    }

    #[inline(always)]
    fn unless_negative(self, other: Self) -> Self {
        Self(from_fn(|lane| if other.0[lane] < 0.0 { 0.0 } else { self.0[lane] }))
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        // Made from its exponent.
        Self(from_fn(|lane| f32::from_bits((self.0[lane] + 127.0 + WHOLE).to_bits() << 23)))
    }

    #[inline(always)]
    fn bytes(self) -> u64 {
        u64::from_le_bytes(self.values().map(|value| value as u8))
    }
}

macro_rules! plain_operators {
    ($($trait:ident $name:ident),*) => { $(
        impl $trait for Plain {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane].$name(other.0[lane])))
            }
        }
    )* };
}
plain_operators!(Add add, Sub sub, Mul mul, Div div);

/// `dispatched!(fn name(&self, args) = generic)`: a method that calls `self.generic::<L>(args)` with the fastest numbers
/// that the processor has.
macro_rules! dispatched {
    ($(#[$doc:meta])* fn $name:ident(&self, $($arg:ident: $ty:ty),*) $(-> $result:ty)? = $generic:ident) => {
        $(#[$doc])*
        fn $name(&self, $($arg: $ty),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,bmi2,popcnt")]
                fn avx2(this: &World, $($arg: $ty),*) $(-> $result)? {
                    this.$generic::<$crate::stimulus::scene::lanes::Avx2>($($arg),*)
                }
                if $crate::stimulus::scene::lanes::has_avx2() {
                    // SAFETY: the processor has what the function needs, as it just said.
                    return unsafe { avx2(self, $($arg),*) };
                }
            }
            self.$generic::<$crate::stimulus::scene::lanes::Plain>($($arg),*)
        }
    };
}
pub(super) use dispatched;

/// Whether the processor has AVX2 and what came with it.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Avx2;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::mem::transmute;
    use std::ops::{Add, Div, Mul, Sub};

    use super::{Lanes, STEP};

    /// One register of AVX2; only for functions with that feature, into which all of this is inlined.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx2(__m256);

    /// What only a processor with AVX2 is asked.
    macro_rules! avx2 {
        ($expression:expr) => {
            // SAFETY: only functions with the feature use this kind of numbers; no instruction here reads memory.
            unsafe { $expression }
        };
    }

    impl Lanes for Avx2 {
        #[inline(always)]
        fn of(values: [f32; STEP]) -> Self {
            // SAFETY: eight numbers either way, and any bits are numbers.
            Self(unsafe { transmute::<[f32; STEP], __m256>(values) })
        }

        #[inline(always)]
        fn of_whole(values: [i32; STEP]) -> Self {
            // SAFETY: as above.
            let values = unsafe { transmute::<[i32; STEP], __m256i>(values) };
            Self(avx2!(_mm256_cvtepi32_ps(values)))
        }

        #[inline(always)]
        fn values(self) -> [f32; STEP] {
            // SAFETY: as above.
            unsafe { transmute::<__m256, [f32; STEP]>(self.0) }
        }

        #[inline(always)]
        fn all(value: f32) -> Self {
            Self(avx2!(_mm256_set1_ps(value)))
        }

        #[inline(always)]
        fn unzip(pairs: [[f32; 2]; STEP]) -> [Self; 2] {
            let [a, b, c, d, e, f, g, h] = pairs;
            // Halves of registers are shuffled apart from each other.
            // SAFETY: eight numbers either way, and any bits are numbers.
            let (outer, inner) = unsafe {
                (transmute::<[[f32; 2]; 4], __m256>([a, b, e, f]), transmute::<[[f32; 2]; 4], __m256>([c, d, g, h]))
            };
            avx2!([
                Self(_mm256_shuffle_ps::<0b10_00_10_00>(outer, inner)),
                Self(_mm256_shuffle_ps::<0b11_01_11_01>(outer, inner))
            ])
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(avx2!(_mm256_sqrt_ps(self.0)))
        }

        #[inline(always)]
        fn above(self, least: Self) -> Self {
            Self(avx2!(_mm256_max_ps(self.0, least.0)))
        }

        #[inline(always)]
        fn below(self, most: Self) -> Self {
            Self(avx2!(_mm256_min_ps(self.0, most.0)))
        }

        #[inline(always)]
        fn is_below(self, other: Self) -> u8 {
            avx2!(_mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0))) as u8
        }

        #[inline(always)]
        fn unless_negative(self, other: Self) -> Self {
            Self(avx2!(_mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(other.0, _mm256_setzero_ps()), self.0)))
        }

        #[inline(always)]
        fn power_of_two(self) -> Self {
            // Made from its exponent.
            let exponent = avx2!(_mm256_add_epi32(_mm256_cvttps_epi32(self.0), _mm256_set1_epi32(127)));
            Self(avx2!(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))))
        }

        #[inline(always)]
        fn bytes(self) -> u64 {
            avx2!({
                let whole = _mm256_cvttps_epi32(self.0);
                let pairs = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
                _mm_cvtsi128_si64(_mm_packus_epi16(pairs, pairs)) as u64
            })
        }
    }

    macro_rules! operators {
        ($($trait:ident $name:ident $instruction:ident),*) => { $(
            impl $trait for Avx2 {
                type Output = Self;
                #[inline(always)]
                fn $name(self, other: Self) -> Self {
                    Self(avx2!($instruction(self.0, other.0)))
                }
            }
        )* };
    }
    operators!(Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn results<L: Lanes>(a: [f32; STEP], b: [f32; STEP], small: [f32; STEP]) -> Vec<u64> {
        let (first, second) = (L::of(a), L::of(b));
        let pairs = L::unzip(from_fn(|lane| [a[lane], b[lane]]));
        let mut lanes = vec![first + second, first - second, first * second, first / second, first.size().sqrt()];
        lanes.extend([first.above(second), first.below(second), first.unless_negative(second), pairs[0], pairs[1]]);
        lanes.extend([L::of(small).power_of_two(), L::all(a[0]), L::of_whole(a.map(|value| value as i32))]);
        let mut bits: Vec<u64> =
            lanes.iter().flat_map(|lanes| lanes.values()).map(|v| u64::from(v.to_bits())).collect();
        bits.extend([first.bytes(), u64::from(first.is_below(second))]);
        bits
    }

    #[test]
    fn every_kind_of_numbers_gives_the_same_bits() {
        // Without a processor that has them there is nothing to compare.
        if !has_avx2() {
            return;
        }
        let small = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0];
        for k in 0..200u32 {
            let number = |lane: usize, which: u32| {
                let word = (k * 16 + lane as u32 * 2 + which).wrapping_mul(2_654_435_761);
                f64::from(word) as f32 / 4e6 - 400.0
            };
            let (a, b) = (from_fn(|lane| number(lane, 0)), from_fn(|lane| number(lane, 1)));
            assert_eq!(results::<Plain>(a, b, small), results::<Avx2>(a, b, small), "{a:?} {b:?}");
        }
    }
}

//! Vectors of f32: the few operations from which every kernel is written once.
//!
//! [`Kernel`] names an instruction set; [`Simd`] is what it offers; [`dispatched!`] makes of a function that is
//! generic over `Simd` one that chooses the instruction set at run time.

/// Instruction set of the inner loops. All give the same answers up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Plain Rust, with the `gemm` crate for the products.
    Portable,
}

impl Kernel {
    /// Everything this machine can run, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut list = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let fma = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            if fma && std::arch::is_x86_feature_detected!("avx512f") {
                list.push(Self::Avx512);
            }
            if fma {
                list.push(Self::Avx2);
            }
        }
        list.push(Self::Portable);
        list
    }

    /// The fastest that this machine can run.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Numbers in a vector. Channels of a group are padded to a multiple of it.
    pub(in crate::model) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 16,
            _ => 8,
        }
    }
}

/// Vectors of an instruction set.
///
/// # Safety
/// Every function needs the instruction set, and pointers need `LANES` readable or writable floats.
#[allow(clippy::missing_safety_doc, reason = "the safety of all functions is told once, above")]
pub(in crate::model) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Pixels of the largest register tile of the product, which is two vectors wide.
    const ROWS: usize;
    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, a: Self::V);
    unsafe fn splat(a: f32) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    /// Nearest whole number.
    unsafe fn round(a: Self::V) -> Self::V;
    /// `if a < b { x } else { y }`.
    unsafe fn choose(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V;
    /// 2^n for whole n in -126..=127.
    unsafe fn exp2(n: Self::V) -> Self::V;
    /// `a = m * 2^e` with m in 1..2, for positive normal `a`: (e, m).
    unsafe fn split(a: Self::V) -> (Self::V, Self::V);
}

/// Asks for `count` cache lines from `from` on, soon to be read. Addresses need not exist.
#[inline(always)]
pub(in crate::model) fn prefetch(from: *const f32, count: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..count {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, without effect on memory; all x86-64 machines have it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.wrapping_add(16 * line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, count);
}

#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Portable;

impl Simd for Portable {
    type V = [f32; 8];
    const LANES: usize = 8;
    const ROWS: usize = 6;
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self::V {
        // SAFETY: the caller's.
        unsafe { p.cast::<[f32; 8]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, a: Self::V) {
        // SAFETY: the caller's.
        unsafe { p.cast::<[f32; 8]>().write_unaligned(a) }
    }
    #[inline(always)]
    unsafe fn splat(a: f32) -> Self::V {
        [a; 8]
    }
    #[inline(always)]
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Without the instruction `mul_add` is a slow library call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
        } else {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
    }
    #[inline(always)]
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn round(a: Self::V) -> Self::V {
        // Adding 1.5 * 2^23 pushes the fraction out; callers stay far below 2^22.
        std::array::from_fn(|i| (a[i] + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    unsafe fn choose(a: Self::V, b: Self::V, x: Self::V, y: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] < b[i] { x[i] } else { y[i] })
    }
    #[inline(always)]
    unsafe fn exp2(n: Self::V) -> Self::V {
        n.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    unsafe fn split(a: Self::V) -> (Self::V, Self::V) {
        (
            a.map(|a| ((a.to_bits() >> 23) as i32 - 127) as f32),
            a.map(|a| f32::from_bits((a.to_bits() & 0x007f_ffff) | 0x3f80_0000)),
        )
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Simd;
    use std::arch::x86_64::*;

    /// Writes the operations of one x86 vector type, which differ in a prefix only.
    macro_rules! operations {
        ($v:ty, $lanes:literal, $rows:literal, $load:ident $store:ident $splat:ident $add:ident $sub:ident $mul:ident
         $div:ident $fma:ident $max:ident $min:ident; $($rest:tt)*) => {
            type V = $v;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;
            // SAFETY of all blocks below: the trait asks the caller for the instruction set and for valid pointers.
            #[inline(always)]
            unsafe fn load(p: *const f32) -> $v {
                // SAFETY: see above.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(p: *mut f32, a: $v) {
                // SAFETY: see above.
                unsafe { $store(p, a) }
            }
            #[inline(always)]
            unsafe fn splat(a: f32) -> $v {
                // SAFETY: see above.
                unsafe { $splat(a) }
            }
            #[inline(always)]
            unsafe fn fma(a: $v, b: $v, c: $v) -> $v {
                // SAFETY: see above.
                unsafe { $fma(a, b, c) }
            }
            operations!(@two $v, add $add, sub $sub, mul $mul, div $div, max $max, min $min);
            $($rest)*
        };
        (@two $v:ty, $($name:ident $op:ident),*) => {$(
            #[inline(always)]
            unsafe fn $name(a: $v, b: $v) -> $v {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe { $op(a, b) }
            }
        )*};
    }

    #[derive(Debug, Clone, Copy)]
    pub struct Avx2;

    impl Simd for Avx2 {
        operations! { __m256, 8, 6, _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_add_ps _mm256_sub_ps
            _mm256_mul_ps _mm256_div_ps _mm256_fmadd_ps _mm256_max_ps _mm256_min_ps;
            #[inline(always)]
            unsafe fn round(a: __m256) -> __m256 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
            }
            #[inline(always)]
            unsafe fn choose(a: __m256, b: __m256, x: __m256, y: __m256) -> __m256 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
            }
            #[inline(always)]
            unsafe fn exp2(n: __m256) -> __m256 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe {
                    let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
                    _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
                }
            }
            #[inline(always)]
            unsafe fn split(a: __m256) -> (__m256, __m256) {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe {
                    let bits = _mm256_castps_si256(a);
                    let e = _mm256_sub_epi32(_mm256_srli_epi32::<23>(bits), _mm256_set1_epi32(127));
                    let fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
                    let m = _mm256_or_si256(fraction, _mm256_set1_epi32(0x3f80_0000));
                    (_mm256_cvtepi32_ps(e), _mm256_castsi256_ps(m))
                }
            }
        }
    }

    #[derive(Debug, Clone, Copy)]
    pub struct Avx512;

    impl Simd for Avx512 {
        operations! { __m512, 16, 12, _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_add_ps _mm512_sub_ps
            _mm512_mul_ps _mm512_div_ps _mm512_fmadd_ps _mm512_max_ps _mm512_min_ps;
            #[inline(always)]
            unsafe fn round(a: __m512) -> __m512 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
            }
            #[inline(always)]
            unsafe fn choose(a: __m512, b: __m512, x: __m512, y: __m512) -> __m512 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), y, x) }
            }
            #[inline(always)]
            unsafe fn exp2(n: __m512) -> __m512 {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe {
                    let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
                    _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
                }
            }
            #[inline(always)]
            unsafe fn split(a: __m512) -> (__m512, __m512) {
                // SAFETY: the trait asks the caller for the instruction set.
                unsafe {
                    let bits = _mm512_castps_si512(a);
                    let e = _mm512_sub_epi32(_mm512_srli_epi32::<23>(bits), _mm512_set1_epi32(127));
                    let fraction = _mm512_and_si512(bits, _mm512_set1_epi32(0x007f_ffff));
                    let m = _mm512_or_si512(fraction, _mm512_set1_epi32(0x3f80_0000));
                    (_mm512_cvtepi32_ps(e), _mm512_castsi512_ps(m))
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::model) use x86::{Avx2, Avx512};

/// `dispatched!(fn name(args) = generic)`: an unsafe function `name(kernel, args)` that runs `generic::<S>(args)`,
/// compiled for each instruction set. `generic` must be `#[inline(always)]`, so that it takes on the features of
/// the function around it.
macro_rules! dispatched {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) = $generic:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The machine has the kernel's instruction set, and the places told by the arguments exist.
        #[allow(clippy::too_many_arguments, reason = "a kernel is told every stride")]
        pub(super) unsafe fn $name(kernel: $crate::model::twin::engine::simd::Kernel, $($arg: $ty),*) {
            use $crate::model::twin::engine::simd;
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the features are those of this function; the rest is the caller's.
                unsafe { $generic::<simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "as above")]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the features are those of this function; the rest is the caller's.
                unsafe { $generic::<simd::Avx2>($($arg),*) }
            }
            // SAFETY: the caller vouches for the instruction set and the arguments.
            unsafe {
                match kernel {
                    #[cfg(target_arch = "x86_64")]
                    simd::Kernel::Avx512 => avx512($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    simd::Kernel::Avx2 => avx2($($arg),*),
                    simd::Kernel::Portable => $generic::<simd::Portable>($($arg),*),
                }
            }
        }
    };
}
pub(in crate::model) use dispatched;

//! exp, tanh, sigmoid, GELU and power on vectors, by polynomials and ratios fitted for this file.
//!
//! Errors are about 2e-7 of the result (of the argument for GELU), as a good f32 library has.

use super::simd::{Simd, dispatched};

/// Keeps unit variance through GELU; the factor after every GELU of the published network.
pub(super) const GAMMA: f64 = 1.701_504_349_708_557_1;

/// Value of a polynomial, coefficients from the highest power down.
#[inline(always)]
unsafe fn polynomial<S: Simd, const N: usize>(x: S::V, coefficients: [f32; N]) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let mut y = S::splat(coefficients[0]);
        for &c in &coefficients[1..] {
            y = S::fma(y, x, S::splat(c));
        }
        y
    }
}

/// e^x; 0 and infinity are never reached: x is held to -87.3..=88.
#[inline(always)]
pub(super) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let x = S::min(S::max(x, S::splat(-87.3)), S::splat(88.0));
        let n = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        // ln 2 in two parts, the first with few enough bits that n times it is exact.
        let r = S::fma(n, S::splat(-0.693_359_4), x);
        let r = S::fma(n, S::splat(2.121_944_4e-4), r);
        let p = polynomial::<S, 5>(r, [0.001_393_373_2, 0.008_363_235, 0.041_666_465, 0.166_665_77, 0.5]);
        let y = S::add(S::fma(S::mul(r, r), p, r), S::splat(1.0));
        S::mul(y, S::exp2(n))
    }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::sub(S::splat(0.0), x))))
    }
}

/// Hyperbolic tangent: a polynomial near zero, where the ratio would lose digits.
#[inline(always)]
pub(super) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let negative = S::sub(zero, x);
        let size = S::max(x, negative);
        let u = S::mul(x, x);
        let p = polynomial::<S, 5>(u, [-0.005_932_980_3, 0.020_881_319, -0.053_825_848, 0.133_326_02, -0.333_333_27]);
        let near = S::fma(S::mul(x, u), p, x);
        let far = S::sub(one, S::div(S::splat(2.0), S::add(one, exp::<S>(S::add(size, size)))));
        let far = S::choose(x, zero, S::sub(zero, far), far);
        S::choose(size, S::splat(0.65), near, far)
    }
}

/// The Gaussian error linear unit x Φ(x), times [`GAMMA`].
#[inline(always)]
pub(super) unsafe fn gelu<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        // erf(x / sqrt 2) = x P(x²) / Q(x²) on |x| < 5.6, and within 2e-8 of ±1 beyond.
        let one = S::splat(1.0);
        let size = S::max(x, S::sub(S::splat(0.0), x));
        let held = S::min(S::max(x, S::splat(-5.6)), S::splat(5.6));
        let u = S::mul(held, held);
        let p = polynomial::<S, 6>(
            u,
            [4.429_005_4e-8, 1.271_306_6e-5, 3.477_063_7e-4, 0.009_414_549, 0.068_752_73, 0.797_884_46],
        );
        let q =
            polynomial::<S, 6>(u, [1.180_203_6e-6, 7.510_261_6e-5, 0.001_912_992_4, 0.028_940_232, 0.252_834_47, 1.0]);
        let erf = S::div(S::mul(held, p), q);
        let sign = S::choose(x, S::splat(0.0), S::splat(-1.0), one);
        let erf = S::choose(size, S::splat(5.6), erf, sign);
        let half = S::mul(x, S::splat((0.5 * GAMMA) as f32));
        S::fma(half, erf, half)
    }
}

/// x^p for x > 0; x below the smallest normal number counts as that number.
#[inline(always)]
pub(super) unsafe fn power<S: Simd>(x: S::V, p: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let one = S::splat(1.0);
        let (e, m) = S::split(S::max(x, S::splat(f32::MIN_POSITIVE)));
        let root = S::splat(std::f32::consts::SQRT_2);
        let (e, m) = (S::choose(root, m, S::add(e, one), e), S::choose(root, m, S::mul(m, S::splat(0.5)), m));
        // ln(1 + s) = s + s² R(s).
        let s = S::sub(m, one);
        let r = polynomial::<S, 9>(
            s,
            [
                -0.078_666_676,
                0.128_217_49,
                -0.131_016_34,
                0.141_890_0,
                -0.166_276,
                0.200_019_69,
                -0.250_007_72,
                0.333_333_22,
                -0.499_999_98,
            ],
        );
        let ln = S::fma(S::mul(s, s), r, s);
        let ln = S::fma(e, S::splat(std::f32::consts::LN_2), ln);
        exp::<S>(S::mul(ln, p))
    }
}

/// Writes a function over rows of whole vectors: `dst[r][c] = f(src[r][c])`.
macro_rules! over_rows {
    ($generic:ident, $f:ident) => {
        #[inline(always)]
        unsafe fn $generic<S: Simd>(
            src: *const f32,
            src_row: usize,
            dst: *mut f32,
            dst_row: usize,
            rows: usize,
            n: usize,
        ) {
            for r in 0..rows {
                for c in (0..n).step_by(S::LANES) {
                    // SAFETY: the caller's rows.
                    unsafe { S::store(dst.add(r * dst_row + c), $f::<S>(S::load(src.add(r * src_row + c)))) }
                }
            }
        }
    };
}
over_rows!(gelu_generic, gelu);
over_rows!(tanh_generic, tanh);
over_rows!(exp_generic, exp);
over_rows!(sigmoid_generic, sigmoid);

dispatched! {
    /// GELU times gamma of `rows` rows of `n` numbers (a multiple of the lanes).
    fn gelu_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = gelu_generic
}
dispatched! {
    /// tanh of `rows` rows of `n` numbers.
    fn tanh_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = tanh_generic
}
dispatched! {
    /// e^x of `rows` rows of `n` numbers.
    fn exp_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = exp_generic
}
dispatched! {
    /// Logistic function of `rows` rows of `n` numbers.
    fn sigmoid_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) =
        sigmoid_generic
}

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
pub(in crate::model) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
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
        let p = polynomial::<S, 5>(u, [-0.005_932_98, 0.020_881_32, -0.053_825_85, 0.133_326_02, -0.333_333_27]);
        let near = S::fma(S::mul(x, u), p, x);
        let far = S::sub(one, S::div(S::splat(2.0), S::add(one, exp::<S>(S::add(size, size)))));
        let far = S::choose(x, zero, S::sub(zero, far), far);
        S::choose(size, S::splat(0.65), near, far)
    }
}

/// The Gaussian error function of x / sqrt 2.
#[inline(always)]
pub(in crate::model) unsafe fn erf_half<S: Simd>(x: S::V) -> S::V {
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
            polynomial::<S, 6>(u, [1.180_203_6e-6, 7.510_262e-5, 0.001_912_992_4, 0.028_940_232, 0.252_834_47, 1.0]);
        let erf = S::div(S::mul(held, p), q);
        let sign = S::choose(x, S::splat(0.0), S::splat(-1.0), one);
        S::choose(size, S::splat(5.6), erf, sign)
    }
}

/// The Gaussian error linear unit x Φ(x), times [`GAMMA`].
#[inline(always)]
pub(super) unsafe fn gelu<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let half = S::mul(x, S::splat((0.5 * GAMMA) as f32));
        S::fma(half, erf_half::<S>(x), half)
    }
}

/// Derivative of [`gelu`]: Φ(x) + x φ(x), times [`GAMMA`].
#[inline(always)]
pub(super) unsafe fn gelu_slope<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe {
        let half = S::splat((0.5 * GAMMA) as f32);
        let bell = exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5)));
        let density = S::mul(S::mul(x, bell), S::splat((GAMMA / (2.0 * std::f64::consts::PI).sqrt()) as f32));
        S::add(S::fma(half, erf_half::<S>(x), half), density)
    }
}

/// Natural logarithm of x > 0; x below the smallest normal number counts as that number.
#[inline(always)]
pub(super) unsafe fn ln<S: Simd>(x: S::V) -> S::V {
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
                -0.078_666_68,
                0.128_217_49,
                -0.131_016_34,
                0.141_89,
                -0.166_276,
                0.200_019_69,
                -0.250_007_72,
                0.333_333_22,
                -0.499_999_98,
            ],
        );
        let ln = S::fma(S::mul(s, s), r, s);
        S::fma(e, S::splat(std::f32::consts::LN_2), ln)
    }
}

/// x^p for x > 0; x below the smallest normal number counts as that number.
#[inline(always)]
pub(super) unsafe fn power<S: Simd>(x: S::V, p: S::V) -> S::V {
    // SAFETY: the caller's instruction set.
    unsafe { exp::<S>(S::mul(ln::<S>(x), p)) }
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

dispatched! {
    /// GELU times gamma of `rows` rows of `n` numbers (a multiple of the lanes).
    fn gelu_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = gelu_generic
}
dispatched! {
    /// tanh of `rows` rows of `n` numbers.
    fn tanh_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = tanh_generic
}

#[cfg(test)]
mod tests {
    use super::super::perspective::erf;
    use super::super::simd::Kernel;
    use super::*;

    over_rows!(exp_generic, exp);
    over_rows!(sigmoid_generic, sigmoid);
    over_rows!(slope_generic, gelu_slope);
    dispatched! {
        /// Derivative of GELU times gamma.
        fn slope_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) =
            slope_generic
    }
    dispatched! {
        /// e^x.
        fn exp_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) = exp_generic
    }
    dispatched! {
        /// Logistic function.
        fn sigmoid_rows(src: *const f32, src_row: usize, dst: *mut f32, dst_row: usize, rows: usize, n: usize) =
            sigmoid_generic
    }
    #[inline(always)]
    unsafe fn power_generic<S: Simd>(x: *const f32, p: f32, y: *mut f32, n: usize) {
        for i in (0..n).step_by(S::LANES) {
            // SAFETY: the test's slices.
            unsafe { S::store(y.add(i), power::<S>(S::load(x.add(i)), S::splat(p))) };
        }
    }
    dispatched! {
        /// x^p.
        fn power_all(x: *const f32, p: f32, y: *mut f32, n: usize) = power_generic
    }

    type Rows = unsafe fn(Kernel, *const f32, usize, *mut f32, usize, usize, usize);

    /// Numbers from -`largest` to `largest`, dense near zero, and zero itself.
    fn range(largest: f64) -> Vec<f32> {
        let half = 1 << 15;
        let at = |i: i32| (f64::from(i) / f64::from(half)).powi(3) * largest;
        (-half..half).map(|i| at(i) as f32).collect()
    }

    /// Every kernel within `relative` of the exact value, or within `absolute` where that is larger.
    fn check(name: &str, f: Rows, x: &[f32], exact: impl Fn(f64) -> f64, bound: impl Fn(f64, f64) -> f64) {
        for kernel in Kernel::available() {
            let mut y = vec![0.0; x.len()];
            // SAFETY: the kernel is available; both slices have one row of `x.len()` numbers, whole vectors.
            unsafe { f(kernel, x.as_ptr(), 0, y.as_mut_ptr(), 0, 1, x.len()) };
            for (&x, &y) in x.iter().zip(&y) {
                let (x, y) = (f64::from(x), f64::from(y));
                let error = (y - exact(x)).abs();
                assert!(error <= bound(x, exact(x)), "{name}({x}) is {y}, not {}; {kernel:?}", exact(x));
            }
        }
    }

    #[test]
    fn exp_is_right_to_a_few_units_in_the_last_place() {
        check("exp", exp_rows, &range(87.0), f64::exp, |_, y| 3e-7 * y);
    }

    #[test]
    fn exp_of_extremes_is_tiny_or_huge_but_finite() {
        for kernel in Kernel::available() {
            let x = [f32::MIN, -200.0, 200.0, f32::MAX, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            let mut y = [0.0f32; 16];
            // SAFETY: the kernel is available; both arrays hold 16 numbers.
            unsafe { exp_rows(kernel, x.as_ptr(), 0, y.as_mut_ptr(), 0, 1, 16) };
            assert!(y[..2].iter().all(|&y| (0.0..2e-38).contains(&y)), "{y:?}");
            assert!(y[2..4].iter().all(|&y| y.is_finite() && y > 1e38), "{y:?}");
            assert_eq!(y[4], 1.0);
        }
    }

    #[test]
    fn tanh_and_sigmoid_are_right_from_zero_to_saturation() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        check("tanh", tanh_rows, &range(100.0), f64::tanh, |_, y| 3e-7 * y.abs());
        check("sigmoid", sigmoid_rows, &range(80.0), sigmoid, |_, y| 4e-7 * y);
        check("tanh", tanh_rows, &range(1e30), f64::tanh, |_, y| 3e-7 * y.abs());
    }

    #[test]
    fn gelu_is_right_relative_to_its_argument() {
        let gelu = |x: f64| 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)) * GAMMA;
        // The sum 1 + erf rounds at the size of 1, so far below zero only the argument sets the scale.
        check("gelu", gelu_rows, &range(20.0), gelu, |x, _| 5e-7 * x.abs());
        check("gelu", gelu_rows, &range(1e30), gelu, |x, _| 5e-7 * x.abs());
    }

    #[test]
    fn the_slope_of_gelu_is_right_and_ends_at_zero_and_gamma() {
        let slope = |x: f64| {
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            (0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)) + x * density) * GAMMA
        };
        // The sum 1 + erf rounds at the size of 1.
        check("gelu slope", slope_rows, &range(20.0), slope, |_, _| 5e-7);
        check("gelu slope", slope_rows, &range(1e30), slope, |_, _| 5e-7);
    }

    #[test]
    fn powers_are_right_over_the_whole_range_of_luminance() {
        let x: Vec<f32> = (0..1 << 16).map(|i| (1e-5 + f64::from(i) / 6e4) as f32).collect();
        for p in [0.3f32, 0.5, 0.62, 1.0] {
            for kernel in Kernel::available() {
                let mut y = vec![0.0; x.len()];
                // SAFETY: the kernel is available; both slices hold whole vectors.
                unsafe { power_all(kernel, x.as_ptr(), p, y.as_mut_ptr(), x.len()) };
                for (&x, &y) in x.iter().zip(&y) {
                    let exact = f64::from(x).powf(p.into());
                    // The logarithm of small numbers is large: its rounding counts several times.
                    assert!((f64::from(y) - exact).abs() <= 1.5e-6 * exact, "{x}^{p} is {y}, not {exact}; {kernel:?}");
                }
            }
        }
    }

    #[test]
    fn the_error_function_has_its_tabulated_values() {
        for (x, y) in [(0.5, 0.520_499_877_813_046_5), (1.0, 0.842_700_792_949_714_9), (3.0, 0.999_977_909_503_001_4)] {
            assert!((erf(x) - y).abs() < 1e-14 && (erf(-x) + y).abs() < 1e-14, "erf({x}) is {}", erf(x));
        }
        assert_eq!(erf(0.0), 0.0);
    }
}

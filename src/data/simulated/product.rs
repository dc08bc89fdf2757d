//! The one product of matrices.

/// `out[row, column] = Σ left[row, k] right[k, column]`, all stored row by row.
///
/// # Panics
/// When a slice has not the size that the others need.
pub(super) fn product(rows: usize, columns: usize, left: &[f32], right: &[f32], out: &mut [f32]) {
    assert!(rows > 0 && columns > 0, "a product has rows and columns");
    let k = right.len() / columns;
    assert_eq!((left.len(), right.len(), out.len()), (rows * k, k * columns, rows * columns), "sizes of a product");
    let stride = |length: usize| isize::try_from(length).expect("a slice has at most isize::MAX bytes");
    // SAFETY: the slices have exactly the elements that these sizes and strides reach, as was just checked; `out` is
    // borrowed mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            k,
            out.as_mut_ptr(),
            1,
            stride(columns),
            false,
            left.as_ptr(),
            1,
            stride(k),
            right.as_ptr(),
            1,
            stride(columns),
            0.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

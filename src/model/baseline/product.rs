//! The one product of matrices.

/// A matrix that lies in a slice row by row, or column by column when it is turned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    turned: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix of so many columns, row by row.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "whole rows of a matrix");
        Self { values, rows: values.len() / columns, columns, turned: false }
    }

    /// Its transpose.
    pub fn turned(self) -> Self {
        Self { rows: self.columns, columns: self.rows, turned: !self.turned, ..self }
    }

    /// Numbers from column to column and from row to row.
    fn strides(&self) -> (isize, isize) {
        let stride = |length: usize| isize::try_from(length).expect("a slice has at most isize::MAX bytes");
        if self.turned { (stride(self.rows), 1) } else { (1, stride(self.columns)) }
    }
}

/// `out = left right`, or `out += left right`, row by row.
///
/// # Panics
/// When the sizes do not fit.
pub(crate) fn product(left: Matrix<'_>, right: Matrix<'_>, add: bool, out: &mut [f32]) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    assert_eq!((inner, rows * columns), (right.rows, out.len()), "sizes of a product");
    let ((left_column, left_row), (right_column, right_row)) = (left.strides(), right.strides());
    let out_row = isize::try_from(columns).expect("a slice has at most isize::MAX bytes");
    // SAFETY: the slices hold as many numbers as rows times columns, as was checked when they were made and here for
    // `out`, and the strides visit each once; `out` is borrowed mutably, so it overlaps neither of the others.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            out_row,
            add,
            left.values.as_ptr(),
            left_column,
            left_row,
            right.values.as_ptr(),
            right_column,
            right_row,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_turns_either_side_and_adds() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 2.0, -1.0, 0.0, 3.0]);
        // [1 2 3; 4 5 6] times the transpose of [1 0 2; -1 0 3].
        let mut out = [10.0; 4];
        product(Matrix::new(&a, 3), Matrix::new(&b, 3).turned(), true, &mut out);
        assert_eq!(out, [17.0, 18.0, 26.0, 24.0]);
        // The transpose of [1 2 3; 4 5 6] times [1 0 2; -1 0 3].
        let mut out = [0.0; 9];
        product(Matrix::new(&a, 3).turned(), Matrix::new(&b, 3), false, &mut out);
        assert_eq!(out, [-3.0, 0.0, 14.0, -3.0, 0.0, 19.0, -3.0, 0.0, 24.0]);
    }
}

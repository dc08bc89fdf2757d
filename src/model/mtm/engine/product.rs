//! Products of matrices that lie in larger buffers: nothing is copied or transposed in memory.
//!
//! A product runs on one thread. The work is shared among threads by rows and columns of the results, never by what is
//! summed over, so that results are the same to the bit on any number of threads.

/// A matrix in a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Numbers from row to row.
    row: usize,
    /// Numbers from column to column.
    column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` numbers, `row` numbers apart.
    pub fn new(values: &'a [f32], rows: usize, columns: usize, row: usize) -> Self {
        Self { values, rows, columns, row, column: 1 }
    }

    /// Rows that lie side by side.
    pub fn rows(values: &'a [f32], columns: usize) -> Self {
        Self::new(values, values.len() / columns, columns, columns)
    }

    /// Rows become columns.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }

    /// Its rows: of weights `[output, input]`, the outputs.
    pub fn outputs(&self) -> usize {
        self.rows
    }

    /// Some columns.
    pub fn columns(self, start: usize, count: usize) -> Self {
        assert!(start + count <= self.columns, "columns of the matrix");
        Self { values: &self.values[start * self.column..], columns: count, ..self }
    }

    /// Whether every number lies in the buffer.
    fn fits(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row + (self.columns - 1) * self.column < self.values.len()
    }
}

/// What a product is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing: what lies in the result is overwritten.
    Zero,
    /// What lies in the result.
    Result,
}

/// `y = start + scale * a b`; rows of `y` are `row` numbers apart.
pub(super) fn product(y: &mut [f32], row: usize, a: Matrix<'_>, b: Matrix<'_>, scale: f32, start: Start) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows, "columns of the left matrix are rows of the right one");
    let result = Matrix::new(y, m, n, row);
    assert!(a.fits() && b.fits() && result.fits() && n <= row, "matrices within their buffers");
    // SAFETY: every number that is read or written lies in its slice, as was just checked, and no two rows of `y` overlap.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            y.as_mut_ptr(),
            1,
            row as isize,
            start == Start::Result,
            a.values.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.values.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

//! What a population tells together: its main dimensions, neighbourhoods, order, code and geometry.

mod decoding;
mod pca;
mod regression;
mod similarity;
mod sorting;
mod table;
mod umap;

pub use decoding::{Decoder, Decoding, DecodingError, decode, decode_unseen};
pub use pca::{Pca, pca};
pub use regression::{Regression, RegressionError, Ridge};
pub use similarity::{Dissimilarity, Rdm, compare, compare_by_permutation};
pub use sorting::{order_by, order_by_correlation};
pub use table::ResponseTable;
pub use umap::{Umap, UmapError, umap};

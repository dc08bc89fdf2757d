//! UMAP: a picture in which neighbours stay neighbours (McInnes, Healy and Melville 2018).
//!
//! It is made by the crate manifolds-rs (0.8), of whose choices we take those that give the same picture on any number of
//! threads: neighbours by looking at all pairs, the start from the graph's own leading vectors, and the published
//! stochastic gradient descent, one edge after the other. 300 points of 20 columns take 0.2 s, 3,000 take 2.5 s; it cannot
//! be stopped meanwhile.
//!
//! What else was tried: from components of the table its UMAP and t-SNE start differently on one and two threads. The crate
//! umap-rs (0.4) takes no seed, nor does bhtsne (0.7). The t-SNE of rustyml (0.17) repeats, but is three times slower and,
//! where distances hardly differ, loses them: of 200 columns it keeps less than half of the neighbours that another t-SNE
//! keeps. linfa-tsne (0.8) with the same seed gives another picture at every call and panics on equal points. fast-umap
//! (1.6) brings another burn, and annembed (0.1) needs LAPACK.

use manifolds_rs::UmapParams;
use manifolds_rs::prelude::ManifoldsError;

use super::ResponseTable;
use crate::analysis::statistics::Chance;

/// How to embed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Umap {
    /// Nearest neighbours that each point is bound to: at least 2, fewer than points.
    pub neighbours: usize,
    /// Of the start, and of the points that are pushed apart.
    pub seed: u64,
}

impl Umap {
    /// 15 neighbours as in the reference implementation, or all for few points.
    pub fn of(points: usize, seed: u64) -> Self {
        Self { neighbours: points.saturating_sub(1).clamp(2, 15), seed }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum UmapError {
    /// A number of neighbours that the points do not allow.
    #[error(
        "{neighbours} neighbours of each point need more than {neighbours} points, found {found}; the fewest are 2"
    )]
    Neighbours {
        /// Number of neighbours.
        neighbours: usize,
        /// Number of points.
        found: usize,
    },
    /// A value is missing, or too large to be squared.
    #[error("distances between points are not finite")]
    Distances,
    /// The crate found no picture.
    #[error("{0}")]
    Layout(#[source] ManifoldsError),
}

/// Least distance of points in the picture, where 1 is about the size of a neighbourhood, and rounds over all edges: as in
/// the reference implementation.
const LEAST_DISTANCE: f64 = 0.1;
const EPOCHS: usize = 500;

/// A picture of the observations of a table: the place of each in two dimensions, of which only distances between near
/// points mean something.
///
/// # Errors
/// When there are too few observations for the neighbours, when distances are not finite, or when the crate finds none.
pub fn umap(table: &ResponseTable, how: &Umap) -> Result<Vec<[f64; 2]>, UmapError> {
    let (n, neighbours) = (table.observations(), how.neighbours);
    if neighbours < 2 || neighbours >= n {
        return Err(UmapError::Neighbours { neighbours, found: n });
    }
    // No squared distance is larger.
    let most = 2.0 * table.values().iter().map(|value| value * value).sum::<f64>();
    if !most.is_finite() {
        return Err(UmapError::Distances);
    }
    let mut params = UmapParams::new_default_2d(Some(LEAST_DISTANCE), None);
    params.k = neighbours;
    params.ann_type = "exhaustive".to_owned();
    params.initialisation = "spectral".to_owned();
    params.optimiser = "sgd".to_owned();
    params.optim_params.n_epochs = EPOCHS;
    // The crate counts on from its seed, and must not come to the end of numbers.
    let seed = Chance::new(how.seed, 0).below(usize::MAX / 2);
    let axes =
        manifolds_rs::umap((table.values(), n, table.units()), None, &params, seed, 0).map_err(UmapError::Layout)?;
    Ok(axes[0].iter().zip(&axes[1]).map(|(&x, &y)| [x, y]).collect())
}

//! Correlations of two lists, by value and by rank.

/// Pearson's correlation, -1..=1. `None` when the lists differ in length, have fewer than two values, or when one of
/// them is constant or holds a value that is not finite.
pub fn pearson(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.len() != second.len() || first.len() < 2 {
        return None;
    }
    let n = first.len() as f64;
    let [mean_a, mean_b] = [first, second].map(|values| values.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in first.iter().zip(second) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    // What rounding leaves of a constant list is no variance.
    let constant = |squares: f64, mean: f64| squares <= n * (mean * 1e-14).powi(2);
    let undefined = constant(aa, mean_a) || constant(bb, mean_b);
    Some(ab / (aa.sqrt() * bb.sqrt())).filter(|r| !undefined && r.is_finite()).map(|r| r.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, -1..=1: Pearson's of the ranks, equal values sharing the mean of theirs. `None` where
/// that is undefined.
pub fn spearman(first: &[f64], second: &[f64]) -> Option<f64> {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    (finite(first) && finite(second)).then(|| pearson(&ranks(first), &ranks(second))).flatten()
}

/// Ranks from 1, in the order of the list; equal values share the mean of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]).scan(0, |before, tied| {
        *before += tied.len();
        Some((*before, tied))
    }) {
        let (last, tied) = tied;
        let shared = last as f64 - 0.5 * (tied.len() as f64 - 1.0);
        tied.iter().for_each(|&index| ranks[index] = shared);
    }
    ranks
}

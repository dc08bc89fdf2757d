//! The order in which units are shown.

use kodama::{Method, linkage};

use super::ResponseTable;
use crate::analysis::statistics::correlation::pearson;

/// Units in ascending order of a property, such as their preferred direction; those without one come last, and equals
/// stay in the order of the list.
pub fn order_by(properties: &[Option<f64>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..properties.len()).collect();
    let known = |unit: usize| properties[unit].filter(|value| !value.is_nan());
    order.sort_by(|&a, &b| match (known(a), known(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    order
}

/// Units so that those with similar responses stand together: the leaves of a tree of average linkage on 1 - r, each
/// branch turned so that the units that meet are the most alike. Units that do not vary come last.
pub fn order_by_correlation(table: &ResponseTable) -> Vec<usize> {
    let traces: Vec<Vec<f64>> = (0..table.units()).map(|unit| table.unit(unit).collect()).collect();
    let (varying, constant): (Vec<usize>, Vec<usize>) =
        (0..traces.len()).partition(|&unit| pearson(&traces[unit], &traces[unit]).is_some());
    let mut order: Vec<usize> = leaves(&varying.iter().map(|&unit| standardised(&traces[unit])).collect::<Vec<_>>())
        .into_iter()
        .map(|leaf| varying[leaf])
        .collect();
    order.extend(constant);
    order
}

/// A trace of mean 0 and length 1: the product of two is their correlation.
fn standardised(trace: &[f64]) -> Vec<f32> {
    let mean = trace.iter().sum::<f64>() / trace.len() as f64;
    let length = trace.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
    trace.iter().map(|value| ((value - mean) / length) as f32).collect()
}

/// Leaves of the tree in order.
fn leaves(traces: &[Vec<f32>]) -> Vec<usize> {
    let n = traces.len();
    if n < 2 {
        return (0..n).collect();
    }
    let apart = |a: usize, b: usize| 1.0 - traces[a].iter().zip(&traces[b]).map(|(a, b)| a * b).sum::<f32>();
    let mut distances: Vec<f32> = (0..n).flat_map(|a| (a + 1..n).map(move |b| apart(a, b))).collect();
    let tree = linkage(&mut distances, n, Method::Average);
    // Clusters 0..n are the leaves; each step makes the next.
    let mut clusters: Vec<Vec<usize>> = (0..n).map(|leaf| vec![leaf]).collect();
    for step in tree.steps() {
        let [mut left, mut right] =
            [step.cluster1, step.cluster2].map(|cluster| std::mem::take(&mut clusters[cluster]));
        let ends = |cluster: &[usize]| [cluster[0], cluster[cluster.len() - 1]];
        let ([a, b], [c, d]) = (ends(&left), ends(&right));
        // Which ends meet: the end of the left one and the start of the right one, after turning either.
        let meetings = [
            (apart(b, c), false, false),
            (apart(b, d), false, true),
            (apart(a, c), true, false),
            (apart(a, d), true, true),
        ];
        let (_, turn_left, turn_right) = meetings
            .into_iter()
            .reduce(|best, other| if other.0 < best.0 { other } else { best })
            .expect("four of them");
        if turn_left {
            left.reverse();
        }
        if turn_right {
            right.reverse();
        }
        left.append(&mut right);
        clusters.push(left);
    }
    clusters.pop().expect("the last step joins all")
}

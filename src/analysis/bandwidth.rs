//! How broad a tuning curve is at half of its height, without a fit: linear between the values shown.

/// Full width at half of the largest response, octaves, of responses at ascending frequencies. Half of the height is
/// measured from 0. `None` when the curve does not fall to half on both sides of its peak, or when frequencies are not
/// ascending above 0.
pub fn bandwidth_octaves(frequencies: &[f64], responses: &[f64]) -> Option<f64> {
    let ascending = frequencies.windows(2).all(|pair| pair[0] < pair[1]) && frequencies.first()? > &0.0;
    if !ascending || frequencies.len() != responses.len() {
        return None;
    }
    let octaves: Vec<f64> = frequencies.iter().map(|frequency| frequency.log2()).collect();
    let peak = peak(responses)?;
    let above = crossing(&octaves[peak..], &responses[peak..])?;
    let [mut octaves, mut below] = [octaves[..=peak].to_vec(), responses[..=peak].to_vec()];
    octaves.reverse();
    below.reverse();
    Some(above - crossing(&octaves, &below)?)
}

/// Half width at half of the largest response, degrees, the mean of both sides, of responses at directions or orientations
/// evenly spaced over a circle of `period_deg`. `None` when the curve does not fall to half on both sides.
pub fn half_width_deg(period_deg: f64, responses: &[f64]) -> Option<f64> {
    let peak = peak(responses)?;
    let count = responses.len();
    let step = period_deg / count as f64;
    let sides = [1, count - 1].map(|stride| {
        let around: Vec<f64> = (0..=count / 2).map(|index| responses[(peak + index * stride) % count]).collect();
        let distances: Vec<f64> = (0..around.len()).map(|index| index as f64 * step).collect();
        crossing(&distances, &around)
    });
    Some(0.5 * (sides[0]? + sides[1]?))
}

/// Index of the largest response; `None` when it is not above 0, or when a response is not finite.
fn peak(responses: &[f64]) -> Option<usize> {
    let peak = (0..responses.len()).max_by(|&a, &b| responses[a].total_cmp(&responses[b]).then(b.cmp(&a)))?;
    (responses[peak] > 0.0 && responses.iter().all(|response| response.is_finite())).then_some(peak)
}

/// Where responses first fall to half of the first of them.
fn crossing(places: &[f64], responses: &[f64]) -> Option<f64> {
    let half = 0.5 * responses.first()?;
    let after = responses.iter().position(|&response| response <= half)?;
    let [high, low] = [responses[after - 1], responses[after]];
    Some(places[after - 1] + (places[after] - places[after - 1]) * (high - half) / (high - low))
}

//! Maps weighted by masks: sum(mask response) / sum(mask) at every pixel, over everything shown (Wang et al., Nature
//! 640:470, 2025).

/// Which of the things shown make up a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lit {
    /// Those brighter than the background.
    On,
    /// Those darker than it.
    Off,
    /// All of them.
    Both,
}

impl Lit {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::On, Self::Off, Self::Both];

    fn takes(self, white: bool) -> bool {
        match self {
            Self::On => white,
            Self::Off => !white,
            Self::Both => true,
        }
    }
}

/// Responses of a population to probes, things that each light up a part of the screen: how often each was shown, and
/// the sum of each unit's responses to it. Maps are made of these unit by unit, so that a whole population with maps of
/// many pixels need not lie in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Probes {
    units: usize,
    white: Vec<bool>,
    shown: Vec<usize>,
    /// `[probe, unit]`.
    sums: Vec<f64>,
}

impl Probes {
    /// No responses yet; for each probe whether it is brighter than the background.
    pub fn new(white: Vec<bool>, units: usize) -> Self {
        Self { units, shown: vec![0; white.len()], sums: vec![0.0; white.len() * units], white }
    }

    /// Adds every unit's response to one showing of a probe, `[unit]`. `None`, and nothing added, when there is no such
    /// probe or the number of units is another.
    pub fn add(&mut self, probe: usize, responses: &[f64]) -> Option<()> {
        let sums =
            self.sums.chunks_exact_mut(self.units.max(1)).nth(probe).filter(|sums| sums.len() == responses.len())?;
        sums.iter_mut().zip(responses).for_each(|(sum, response)| *sum += response);
        *self.shown.get_mut(probe)? += 1;
        Some(())
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Number of probes.
    pub fn len(&self) -> usize {
        self.white.len()
    }

    /// Whether there is no probe.
    pub fn is_empty(&self) -> bool {
        self.white.is_empty()
    }

    /// How often each probe was shown.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// One unit's mean response to a probe; `None` when it was not shown.
    pub fn mean(&self, probe: usize, unit: usize) -> Option<f64> {
        let shown = *self.shown.get(probe)?;
        let sum = self.sums.get(probe * self.units + unit).filter(|_| unit < self.units)?;
        (shown > 0).then(|| sum / shown as f64)
    }

    /// Index, count and sum of one unit's responses to the probes of a map.
    fn of(&self, lit: Lit, unit: usize) -> impl Iterator<Item = (usize, f64, f64)> {
        let taken = move |probe: &usize| lit.takes(self.white[*probe]) && self.shown[*probe] > 0;
        (0..self.len())
            .filter(taken)
            .map(move |probe| (probe, self.shown[probe] as f64, self.sums[probe * self.units + unit]))
    }
}

/// One unit's map, `[pixel]`: the mean of its responses, weighted by how far the mask of each probe covers the pixel.
/// `None` at pixels that nothing covered.
///
/// # Panics
/// When a probe has no mask, masks differ in length, or there is no such unit.
pub fn masked_map(masks: &[Vec<f32>], probes: &Probes, lit: Lit, unit: usize) -> Vec<Option<f64>> {
    assert_eq!(masks.len(), probes.len(), "one mask for each probe");
    assert!(unit < probes.units, "unit {unit} of {}", probes.units);
    let pixels = masks.first().map_or(0, Vec::len);
    let (mut weighted, mut weights) = (vec![0.0; pixels], vec![0.0; pixels]);
    for (probe, shown, sum) in probes.of(lit, unit) {
        assert_eq!(masks[probe].len(), pixels, "pixels of mask {probe}");
        for ((weighted, weight), &mask) in weighted.iter_mut().zip(&mut weights).zip(&masks[probe]) {
            *weighted += f64::from(mask) * sum;
            *weight += f64::from(mask) * shown;
        }
    }
    weighted.iter().zip(&weights).map(|(sum, &weight)| (weight > 0.0).then(|| sum / weight)).collect()
}

/// One unit's map of squares, `[square]`, where probe 2 s is square s in white and probe 2 s + 1 the same in black. `None`
/// at squares that were not shown.
///
/// # Panics
/// When there is no such unit.
pub fn square_map(probes: &Probes, lit: Lit, unit: usize) -> Vec<Option<f64>> {
    assert!(unit < probes.units, "unit {unit} of {}", probes.units);
    let mut totals = vec![(0.0, 0.0); probes.len() / 2];
    for (probe, shown, sum) in probes.of(lit, unit) {
        let (all, count) = &mut totals[probe / 2];
        *all += sum;
        *count += shown;
    }
    totals.into_iter().map(|(sum, count)| (count > 0.0).then(|| sum / count)).collect()
}

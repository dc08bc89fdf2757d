//! The memory of a pass: made once for the largest batch, and used again.

use crate::model::mtm::config::MtmConfig;

/// Sizes of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub trials: usize,
    pub bins: usize,
    pub neurons: usize,
    /// Prompt, session, bins.
    pub places: usize,
    pub stitch: usize,
    pub expand: usize,
    pub width: usize,
    pub heads: usize,
    pub feedforward: usize,
    /// Trials that a task passes through a layer: a few hundred rows fill the products, and still lie in the cache.
    pub trials_of_task: usize,
}

/// Most trials of a task.
const MOST_TRIALS: usize = 8;

impl Sizes {
    pub fn new(config: &MtmConfig, [trials, bins, neurons]: [usize; 3]) -> Self {
        let MtmConfig { stitch, expand, width, heads, feedforward, .. } = *config;
        let trials_of_task = trials.div_ceil(rayon::current_num_threads()).clamp(1, MOST_TRIALS);
        let places = bins + 2;
        Self { trials, bins, neurons, places, stitch, expand, width, heads, feedforward, trials_of_task }
    }

    /// Bins of all trials.
    pub fn embedded(&self) -> usize {
        self.trials * self.bins
    }

    /// Places of all trials.
    pub fn rows(&self) -> usize {
        self.trials * self.places
    }

    /// Bins of a task.
    pub fn embedded_of_task(&self) -> usize {
        self.trials_of_task * self.bins
    }

    /// Places of a task.
    pub fn rows_of_task(&self) -> usize {
        self.trials_of_task * self.places
    }

    /// Attention weights of a head.
    pub fn scores(&self) -> usize {
        self.places * self.places
    }

    /// Attention weights of all heads.
    pub fn scores_of_trial(&self) -> usize {
        self.heads * self.scores()
    }

    /// Channels of a head.
    pub fn channels(&self) -> usize {
        self.width / self.heads
    }
}

/// What a layer leaves for its gradient; rows are `[trial, place]`.
#[derive(Debug, Default)]
pub(super) struct LayerRoom {
    /// What entered, `[row, width]`.
    pub x: Vec<f32>,
    pub normed1: Vec<f32>,
    pub moments1: Vec<[f32; 2]>,
    /// `[row, 3 * width]`.
    pub qkv: Vec<f32>,
    /// Attention weights `[trial, head, query, key]`, those that were dropped with a negative sign.
    pub weights: Vec<f32>,
    /// `[row, width]`.
    pub attended: Vec<f32>,
    /// After attention, `[row, width]`.
    pub middle: Vec<f32>,
    pub normed2: Vec<f32>,
    pub moments2: Vec<[f32; 2]>,
    /// Before GELU, `[row, feedforward]`.
    pub up: Vec<f32>,
    /// After GELU and dropout, `[row, feedforward]`.
    pub hidden: Vec<f32>,
}

impl LayerRoom {
    fn fit(&mut self, sizes: &Sizes) {
        let (rows, width) = (sizes.rows(), sizes.width);
        for wide in [&mut self.x, &mut self.normed1, &mut self.attended, &mut self.middle, &mut self.normed2] {
            wide.resize(rows * width, 0.0);
        }
        self.moments1.resize(rows, [0.0; 2]);
        self.moments2.resize(rows, [0.0; 2]);
        self.qkv.resize(rows * 3 * width, 0.0);
        self.weights.resize(sizes.trials * sizes.scores_of_trial(), 0.0);
        self.up.resize(rows * sizes.feedforward, 0.0);
        self.hidden.resize(rows * sizes.feedforward, 0.0);
    }
}

/// What a pass leaves.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// `[trial, bin, stitch]`.
    pub stitched: Vec<f32>,
    /// After softsign, `[trial, bin, expand]`.
    pub expanded: Vec<f32>,
    /// One for each layer.
    pub layers: Vec<LayerRoom>,
    /// What leaves the last layer, `[row, width]`.
    pub last: Vec<f32>,
    /// Of the bins alone, `[trial, bin, width]`.
    pub moments: Vec<[f32; 2]>,
    pub latents: Vec<f32>,
    /// `[trial, bin, neuron]`.
    pub log_rates: Vec<f32>,
    /// A branch before it is added, `[row, width]`.
    pub branch: Vec<f32>,
}

impl Room {
    /// Makes place for a pass through so many layers.
    pub fn fit(&mut self, sizes: &Sizes, layers: usize) {
        self.stitched.resize(sizes.embedded() * sizes.stitch, 0.0);
        self.expanded.resize(sizes.embedded() * sizes.expand, 0.0);
        self.layers.resize_with(layers, LayerRoom::default);
        self.layers.iter_mut().for_each(|layer| layer.fit(sizes));
        self.last.resize(sizes.rows() * sizes.width, 0.0);
        self.branch.resize(sizes.rows() * sizes.width, 0.0);
        self.moments.resize(sizes.embedded(), [0.0; 2]);
        self.latents.resize(sizes.embedded() * sizes.width, 0.0);
        self.log_rates.resize(sizes.embedded() * sizes.neurons, 0.0);
    }
}

/// Gradients of what lies in a [`Room`]; that of layers is used again by each.
#[derive(Debug, Default)]
pub(super) struct BackRoom {
    pub log_rates: Vec<f32>,
    /// Loss of each bin of each trial.
    pub losses: Vec<f64>,
    /// Of the state between layers, `[row, width]`.
    pub x: Vec<f32>,
    pub branch: Vec<f32>,
    /// Of what the projections of a layer give: `[row, 3 * width]`, `[row, width]`, `[row, feedforward]`, `[row, width]`.
    pub qkv: Vec<f32>,
    pub out: Vec<f32>,
    pub up: Vec<f32>,
    pub down: Vec<f32>,
    /// `[trial, bin, width]`, `[trial, bin, expand]`, `[trial, bin, stitch]`.
    pub projected: Vec<f32>,
    pub expanded: Vec<f32>,
    pub stitched: Vec<f32>,
    /// Of weight and bias of a norm, summed over the places of each trial, `[trial, 2 * width]`.
    pub norms: [Vec<f32>; 2],
}

impl BackRoom {
    pub fn fit(&mut self, sizes: &Sizes) {
        let (rows, embedded, width) = (sizes.rows(), sizes.embedded(), sizes.width);
        self.log_rates.resize(embedded * sizes.neurons, 0.0);
        self.losses.resize(embedded, 0.0);
        for wide in [&mut self.x, &mut self.branch, &mut self.out, &mut self.down] {
            wide.resize(rows * width, 0.0);
        }
        self.qkv.resize(rows * 3 * width, 0.0);
        self.up.resize(rows * sizes.feedforward, 0.0);
        self.projected.resize(embedded * width, 0.0);
        self.expanded.resize(embedded * sizes.expand, 0.0);
        self.stitched.resize(embedded * sizes.stitch, 0.0);
        self.norms.iter_mut().for_each(|norm| norm.resize(sizes.trials * 2 * width, 0.0));
    }
}

//! Every entry of the state dict of a twin: name, shape, start, and what the optimizer may do to it.
//!
//! The order is that of the published state dict; the position of an entry is its index in the
//! deterministic fill (`model::weights::fill`).

use super::config::TwinConfig;

/// Whether an entry is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Learned.
    Parameter,
    /// A constant that the file carries along.
    Buffer,
}

/// Value before training.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// Uniform in `-bound..bound`.
    Uniform {
        /// Largest absolute value.
        bound: f64,
    },
    /// These numbers, repeated over the elements in row-major order.
    Constant(Vec<f32>),
    /// 1 off the diagonal of the first two axes, 0 on it (the inter-group mask).
    OffDiagonal,
    /// The viewing rays of the retina.
    RetinaRays,
}

/// Deterministic fill: `offset[e mod len] + scale * R(e)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    /// Cycled over the elements.
    pub offset: Vec<f32>,
    /// A power of two.
    pub scale: f32,
}

/// One entry of the state dict.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Name in the published files.
    pub key: String,
    /// Row-major shape; empty for a single number.
    pub shape: Vec<usize>,
    /// Learned or constant.
    pub kind: Kind,
    /// Value before training.
    pub init: Init,
    /// Whether weight decay applies.
    pub decay: bool,
    /// Axes of the norms of adaptive clipping, kept as size 1; `None` takes the whole tensor.
    pub norm_axes: Option<Vec<usize>>,
    /// Factor on the gradient before clipping.
    pub gradient_scale: f32,
    /// Test fill; `None` for buffers.
    pub fill: Option<Fill>,
}

impl Entry {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One convolution (or linear layer) of the network; channel counts are those of one stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Name before `.weights.s`.
    pub name: String,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Groups of the convolution.
    pub groups_in: usize,
    /// Groups that shape gain and bias.
    pub groups_out: usize,
    /// Frames seen.
    pub temporal: usize,
    /// Side of the kernel, pixels.
    pub spatial: usize,
    /// Stride, pixels.
    pub stride: usize,
    /// Edge replication instead of zeros around the picture.
    pub replicate: bool,
    /// Whether the weights are normalised.
    pub normalised: bool,
    /// Start of the gain; `None` without gain.
    pub gain: Option<f32>,
    /// Start of the bias; `None` without bias.
    pub bias: Option<f32>,
    /// One copy for all streams.
    pub shared: bool,
    /// Every group sees all other groups.
    pub inter_group: bool,
    /// Weights start at zero.
    pub zero_start: bool,
}

impl Layer {
    fn new(name: impl Into<String>, inputs: usize, outputs: usize) -> Self {
        Self {
            name: name.into(),
            inputs,
            outputs,
            groups_in: 1,
            groups_out: 1,
            temporal: 1,
            spatial: 1,
            stride: 1,
            replicate: false,
            normalised: true,
            gain: Some(1.0),
            bias: Some(0.0),
            shared: false,
            inter_group: false,
            zero_start: false,
        }
    }

    /// Pixels added on each side.
    pub fn padding(&self) -> usize {
        (self.spatial - self.stride) / 2
    }

    /// Inputs summed for one output value.
    pub fn fan_in(&self) -> usize {
        if self.inter_group {
            (self.groups_in - 1) * self.inputs / self.groups_in
        } else {
            self.inputs / self.groups_in * self.temporal * self.spatial * self.spatial
        }
    }

    /// Shape of one stream's weights.
    pub fn weight_shape(&self) -> Vec<usize> {
        if self.inter_group {
            let g = self.groups_in;
            vec![g, g - 1, self.outputs / g, self.inputs / g]
        } else {
            vec![self.outputs, self.inputs / self.groups_in, self.temporal, self.spatial, self.spatial]
        }
    }
}

/// Every convolution and linear layer, in the order of the state dict: core, eye MLP, modulation.
pub fn layers(config: &TwinConfig) -> Vec<Layer> {
    let (ff, rec) = (&config.core.feedforward, &config.core.recurrent);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    let mut list = Vec::new();
    let mut width = 1;
    let blocks = ff.block_channels.len();
    for i in 0..blocks {
        let mut layer = Layer::new(format!("core.feedforward.inputs.{i}"), width, ff.block_channels[i]);
        layer.replicate = true;
        if i == 0 {
            layer.spatial = ff.input_spatial;
            layer.stride = ff.input_stride;
            layer.normalised = false;
            layer.gain = None;
        } else {
            layer.groups_out = ff.block_groups[i];
        }
        width = ff.block_channels[i] * (ff.block_layers[i] + 1);
        list.push(layer);
    }
    for i in 0..blocks {
        let (channels, groups) = (ff.block_channels[i], ff.block_groups[i]);
        for l in 0..ff.block_layers[i] {
            let mut layer = Layer::new(format!("core.feedforward.blocks.{i}.convs.{l}"), channels, channels);
            (layer.groups_in, layer.groups_out) = (groups, groups);
            (layer.temporal, layer.spatial) = (ff.block_temporals[i], ff.block_spatials[i]);
            layer.gain = Some(if l == 0 { 1.0 } else { half });
            list.push(layer);
        }
        for l in 1..ff.block_layers[i] {
            let mut layer = Layer::new(format!("core.feedforward.blocks.{i}.skips.{l}"), l * channels, channels);
            (layer.groups_in, layer.groups_out) = (groups, groups);
            layer.gain = Some(half);
            layer.bias = None;
            list.push(layer);
        }
    }
    let mut out = Layer::new("core.feedforward.out", width, ff.out_channels);
    out.replicate = true;
    list.push(out);

    let name = |part: &str| format!("core.recurrent.{part}");
    let groups = rec.groups;
    let grouped = |part: &str, inputs, outputs| {
        let mut layer = Layer::new(name(part), inputs, outputs);
        (layer.groups_in, layer.groups_out) = (groups, groups);
        layer
    };
    let mut conv = grouped("conv", rec.in_channels + rec.hidden_channels, rec.common_channels);
    conv.spatial = rec.spatial;
    (conv.gain, conv.bias) = (None, None);
    list.push(conv);
    // With one group there are no other groups to hear from: two inputs instead of three.
    let inputs: f64 = if groups > 1 { 3.0 } else { 2.0 };
    let gain = (1.0 / inputs.sqrt()) as f32;
    if groups > 1 {
        let mut inter = grouped("proj_x.0", rec.hidden_channels, rec.in_channels);
        inter.inter_group = true;
        inter.gain = Some(gain);
        inter.bias = None;
        list.push(inter);
    }
    let first = usize::from(groups > 1);
    let mut from_ff = Layer::new(name(&format!("proj_x.{first}")), ff.out_channels, rec.in_channels);
    from_ff.groups_out = groups;
    from_ff.gain = Some(gain);
    list.push(from_ff);
    let mut from_mod =
        Layer::new(name(&format!("proj_x.{}", first + 1)), config.modulation.lstm_features, rec.in_channels);
    from_mod.groups_out = groups;
    from_mod.gain = Some(gain);
    from_mod.bias = None;
    list.push(from_mod);
    for part in ["proj_q", "proj_k", "proj_v"] {
        let mut layer = grouped(part, rec.common_channels, rec.common_channels);
        (layer.gain, layer.bias) = (None, None);
        list.push(layer);
    }
    for (part, bias) in GATES {
        let mut layer = grouped(part, 2 * rec.common_channels, rec.hidden_channels);
        layer.bias = Some(bias);
        list.push(layer);
    }
    list.push(Layer::new(name("out"), rec.hidden_channels, rec.out_channels));

    let p = &config.perspective;
    for i in 0..=p.mlp_layers {
        let inputs = if i == 0 { 2 } else { p.mlp_features };
        let outputs = if i == p.mlp_layers { 3 } else { p.mlp_features };
        let mut layer = Layer::new(format!("perspective.mlp.linears.{i}"), inputs, outputs);
        layer.shared = true;
        if i == 0 {
            (layer.normalised, layer.gain, layer.zero_start) = (false, None, true);
        }
        list.push(layer);
    }
    let m = &config.modulation;
    for i in 0..m.mlp_layers {
        let inputs = if i == 0 { 2 } else { m.mlp_features };
        let mut layer = Layer::new(format!("modulation.mlp.linears.{i}"), inputs, m.mlp_features);
        if i == 0 {
            (layer.normalised, layer.gain, layer.zero_start) = (false, None, true);
        }
        list.push(layer);
    }
    for (part, bias) in GATES {
        let mut layer =
            Layer::new(format!("modulation.lstm.{part}"), m.mlp_features + m.lstm_features, m.lstm_features);
        layer.bias = Some(bias);
        list.push(layer);
    }
    list
}

/// Gates of both LSTMs in the order of the state dict, with the start of their biases.
const GATES: [(&str, f32); 4] = [("proj_i", -1.0), ("proj_f", 1.0), ("proj_g", 0.0), ("proj_o", 0.0)];

/// Every entry of the state dict, in order.
pub fn entries(config: &TwinConfig, units: usize) -> Vec<Entry> {
    let streams = config.streams;
    let rec = &config.core.recurrent;
    let mut table = Table(Vec::new());
    let (core, other): (Vec<_>, Vec<_>) = layers(config).into_iter().partition(|layer| layer.name.starts_with("core."));

    let mut scales_written = false;
    for layer in &core {
        // The attention scales are registered right after the 3x3 convolution.
        if !scales_written && layer.name.starts_with("core.recurrent.proj_x") {
            scales_written = true;
            let (g, c) = (rec.groups, rec.common_channels / rec.groups);
            for s in 0..streams {
                let mut entry = Entry::parameter(format!("core.recurrent.scales.{s}"), vec![g, c], vec![1.0]);
                entry.norm_axes = Some(vec![1]);
                entry.fill = Some(Fill { offset: vec![4.0], scale: 1.0 });
                table.0.push(entry);
            }
        }
        if layer.inter_group {
            let (g, o, i) = (rec.groups, rec.in_channels / rec.groups, rec.hidden_channels / rec.groups);
            table.buffer("core.recurrent.proj_x.0.mask", vec![g, g, 1, 1], Init::OffDiagonal);
            table.buffer("core.recurrent.proj_x.0.zero", vec![g, g, o, i], Init::Constant(vec![0.0]));
        }
        table.layer(layer, streams);
    }

    let p = &config.perspective;
    for (part, start, offset, scale) in [
        ("center", vec![0.0, 0.0, 0.5], vec![0.0, 0.0, 0.5], 1.0 / 32.0),
        ("angle", vec![0.0], vec![0.0], 1.0 / 16.0),
        ("center_std", vec![0.05], vec![1.0 / 16.0], 1.0 / 32.0),
        ("angle_std", vec![0.05], vec![1.0 / 16.0], 1.0 / 32.0),
    ] {
        let mut entry = Entry::parameter(format!("perspective.monitor.{part}"), vec![3], start);
        entry.fill = Some(Fill { offset, scale });
        table.0.push(entry);
    }
    for (part, value) in [("power", p.monitor_power), ("scale", 1.0), ("offset", 0.0)] {
        table.buffer(&format!("perspective.monitor_pixel.{part}"), vec![], Init::Constant(vec![value]));
    }
    table.buffer("perspective.retina.grid", vec![p.height, p.width, 3], Init::RetinaRays);
    for (part, value) in [("logit", 0.0), ("scale", 1.0), ("offset", 0.0)] {
        let mut entry = Entry::parameter(format!("perspective.retina_pixel.{part}"), vec![1], vec![value]);
        entry.fill = Some(Fill { offset: vec![value], scale: 0.25 });
        table.0.push(entry);
    }
    for layer in &other {
        table.layer(layer, streams);
    }

    let per_unit = units as f32;
    let mut mu = Entry::parameter("readout.position.mu".to_owned(), vec![units, 2], vec![0.0]);
    mu.gradient_scale = per_unit;
    mu.fill = Some(Fill { offset: vec![0.0], scale: 1.0 });
    table.0.push(mu);
    let mut sigma = Entry::parameter("readout.position.sigma".to_owned(), vec![units, 2, 2], vec![0.4, 0.0, 0.0, 0.4]);
    sigma.gradient_scale = per_unit;
    sigma.fill = Some(Fill { offset: vec![0.25], scale: 0.25 });
    table.0.push(sigma);
    for s in 0..streams {
        let shape = vec![units, 1, rec.out_channels];
        let mut entry = Entry::parameter(format!("readout.feature.weights.{s}"), shape, vec![0.0]);
        entry.decay = true;
        entry.norm_axes = Some(vec![2]);
        entry.gradient_scale = per_unit;
        entry.fill = Some(Fill { offset: vec![0.0], scale: 1.0 });
        table.0.push(entry);
    }
    for s in 0..streams {
        let mut entry = Entry::parameter(format!("readout.biases.{s}"), vec![units, 1], vec![0.0]);
        entry.norm_axes = Some(vec![0]);
        entry.gradient_scale = per_unit;
        entry.fill = Some(Fill { offset: vec![0.0], scale: 0.5 });
        table.0.push(entry);
    }
    table.0
}

/// Numbers in all entries together, without a list of them; `None` when they cannot be counted.
pub(super) fn numbers(config: &TwinConfig, units: usize) -> Option<usize> {
    let one = TwinConfig { streams: 1, ..config.clone() };
    entries(&one, units).iter().try_fold(0usize, |sum, entry| {
        let numbers = entry.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
        let shared = entry.key.starts_with("perspective.") || !entry.key.ends_with(".0");
        sum.checked_add(numbers.checked_mul(if shared { 1 } else { config.streams })?)
    })
}

impl Entry {
    fn parameter(key: String, shape: Vec<usize>, start: Vec<f32>) -> Self {
        Self {
            key,
            shape,
            kind: Kind::Parameter,
            init: Init::Constant(start),
            decay: false,
            norm_axes: None,
            gradient_scale: 1.0,
            fill: None,
        }
    }
}

struct Table(Vec<Entry>);

impl Table {
    fn buffer(&mut self, key: &str, shape: Vec<usize>, init: Init) {
        let mut entry = Entry::parameter(key.to_owned(), shape, vec![]);
        (entry.kind, entry.init) = (Kind::Buffer, init);
        self.0.push(entry);
    }

    /// Weights of all streams, then gains, then biases.
    fn layer(&mut self, layer: &Layer, streams: usize) {
        let copies = if layer.shared { 1 } else { streams };
        let (shape, fan) = (layer.weight_shape(), layer.fan_in() as f64);
        for s in 0..copies {
            let mut entry = Entry::parameter(format!("{}.weights.{s}", layer.name), shape.clone(), vec![0.0]);
            if !layer.zero_start {
                let bound = (if layer.normalised { 1.0 } else { 3.0 } / fan).sqrt();
                entry.init = Init::Uniform { bound };
            }
            entry.decay = true;
            entry.norm_axes = Some(if layer.inter_group { vec![1, 3] } else { vec![1, 2, 3, 4] });
            let scale = if layer.zero_start { 0.5 } else { (-fan.sqrt().log2().round_ties_even()).exp2() as f32 };
            entry.fill = Some(Fill { offset: vec![0.0], scale });
            self.0.push(entry);
        }
        let groups = layer.groups_out;
        let eye_out = layer.name.starts_with("perspective.mlp") && layer.outputs == 3 && layer.gain.is_some();
        for (part, start) in [("gains", layer.gain), ("biases", layer.bias)] {
            let Some(start) = start else { continue };
            let fill = match part {
                // Small angles: the eye turns by a few degrees, not by radians.
                "gains" if eye_out => Fill { offset: vec![0.125], scale: 1.0 / 16.0 },
                "biases" if eye_out => Fill { offset: vec![0.0], scale: 1.0 / 16.0 },
                "gains" if layer.name == "core.recurrent.out" => Fill { offset: vec![2.0], scale: 0.5 },
                _ => Fill { offset: vec![start], scale: 0.25 },
            };
            for s in 0..copies {
                let mut entry = Entry::parameter(
                    format!("{}.{part}.{s}", layer.name),
                    vec![groups, layer.outputs / groups],
                    vec![start],
                );
                entry.norm_axes = Some(vec![1]);
                entry.fill = Some(fill.clone());
                self.0.push(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_without_listing_every_stream() {
        let mut config = TwinConfig::microns();
        for (streams, groups) in [(1, 8), (4, 8), (3, 1)] {
            (config.streams, config.core.recurrent.groups) = (streams, groups);
            for units in [1, 16] {
                let listed = entries(&config, units).iter().map(Entry::len).sum::<usize>();
                assert_eq!(numbers(&config, units), Some(listed));
            }
        }
        assert_eq!(numbers(&config, usize::MAX / 2), None);
    }

    /// `state_dict_keys.tsv` was written from the published network (16 units); see tests/fixtures/README.md.
    #[test]
    fn the_table_is_that_of_the_published_network() {
        let text = include_str!("../../../tests/fixtures/twin/state_dict_keys.tsv");
        let table = entries(&TwinConfig::microns(), 16);
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split('\t').collect()).collect();
        assert_eq!(table.len(), rows.len());
        for (index, (entry, row)) in table.iter().zip(&rows).enumerate() {
            assert_eq!(row[0], index.to_string());
            assert_eq!(row[1], entry.key);
            let shape: Vec<String> = entry.shape.iter().map(ToString::to_string).collect();
            let shape = if shape.is_empty() { "scalar".to_owned() } else { shape.join("x") };
            assert_eq!(row[2], shape, "{}", entry.key);
            assert_eq!(row[5] == "buffer", entry.kind == Kind::Buffer, "{}", entry.key);
            let Some(fill) = &entry.fill else { continue };
            assert_eq!(row[7] == "1", entry.decay, "{}", entry.key);
            let axes = match &entry.norm_axes {
                None => "None".to_owned(),
                Some(axes) if axes.len() == 1 => axes[0].to_string(),
                Some(axes) => format!("{axes:?}"),
            };
            assert_eq!(row[8], axes, "{}", entry.key);
            let number = |text: &str| text.parse::<f32>().expect("a number in the table");
            let scale = if row[9] == "U" { 16.0 } else { number(row[9]) };
            assert_eq!(scale, entry.gradient_scale, "{}", entry.key);
            assert_eq!(row[10].split(',').map(number).collect::<Vec<_>>(), fill.offset, "{}", entry.key);
            assert_eq!(number(row[11]), fill.scale, "{}", entry.key);
        }
    }
}

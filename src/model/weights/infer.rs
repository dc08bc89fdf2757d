//! The sizes of a network from its tensors.
//!
//! Shapes tell everything but four things, which a configuration may tell instead:
//! - `core.feedforward.input_stride`: 2 unless told (1 when the first kernel has an odd side);
//! - `core.feedforward.block_pools`: 2 after every block but the last, as published, unless told;
//! - `periphery`: dark unless told;
//! - `perspective.degrees` of a retina of one pixel: 75 unless told. Otherwise the angle is read off the viewing
//!   rays in `perspective.retina.grid`.
//!
//! `perspective.monitor_power` is the value of a buffer. Everything that can be inferred and is told all the same must
//! agree.

use super::load::Origin;
use super::start::retina_position;
use super::{NamedTensor, StateDict, WeightError};
use crate::model::twin::config::{CoreConfig, FeedforwardConfig, ModulationConfig, PerspectiveConfig, RecurrentConfig};
use crate::model::twin::{Periphery, TwinConfig};

/// The configuration that these tensors belong to. `told` settles what tensors cannot say; where it contradicts
/// them, or tensors that the answer hangs on are missing, that is the error.
pub(super) fn infer(state: &StateDict, told: Option<&TwinConfig>, origin: &Origin) -> Result<TwinConfig, WeightError> {
    let config = Shapes { state, origin }.config(told)?;
    if let Some((key, given, found)) = told.and_then(|told| difference(told, &config)) {
        return Err(WeightError::Disagreement { file: origin.whole(), key, given, found });
    }
    config.check().map_err(|source| WeightError::Config { file: origin.whole(), source })?;
    Ok(config)
}

/// Fails when a configuration that was given is not the one that the file carries.
pub(super) fn agree_with_file(given: &TwinConfig, own: &TwinConfig, origin: &Origin) -> Result<(), WeightError> {
    match difference(given, own) {
        Some((key, given, found)) => Err(WeightError::OtherConfig { file: origin.whole(), key, given, found }),
        None => Ok(()),
    }
}

struct Shapes<'a> {
    state: &'a StateDict,
    origin: &'a Origin,
}

impl Shapes<'_> {
    fn config(&self, told: Option<&TwinConfig>) -> Result<TwinConfig, WeightError> {
        let streams = self.count(|s| format!("core.feedforward.inputs.0.weights.{s}"))?;
        Ok(TwinConfig {
            schema: 1,
            streams,
            periphery: told.map_or(Periphery::Dark, |told| told.periphery),
            perspective: self.perspective(told)?,
            modulation: self.modulation(streams)?,
            core: CoreConfig { feedforward: self.feedforward(streams, told)?, recurrent: self.recurrent()? },
        })
    }

    fn feedforward(&self, streams: usize, told: Option<&TwinConfig>) -> Result<FeedforwardConfig, WeightError> {
        let told = told.map(|told| &told.core.feedforward);
        let name = |part: &str| format!("core.feedforward.{part}");
        let blocks = self.count(|i| name(&format!("inputs.{i}.weights.0")))?;
        let [_, _, _, _, input_spatial] = self.shape(&name("inputs.0.weights.0"))?;
        let [out_channels, ..] = self.shape::<5>(&name("out.weights.0"))?;
        let stride = if input_spatial % 2 == 0 { 2 } else { 1 };
        let mut pools = vec![2; blocks];
        pools[blocks - 1] = 1;
        let mut config = FeedforwardConfig {
            input_spatial,
            input_stride: told.map_or(stride, |told| told.input_stride),
            block_channels: Vec::new(),
            block_groups: Vec::new(),
            block_layers: Vec::new(),
            block_temporals: Vec::new(),
            block_spatials: Vec::new(),
            block_pools: told.map_or(pools, |told| told.block_pools.clone()),
            out_channels,
        };
        for i in 0..blocks {
            let [channels, ..] = self.shape::<5>(&name(&format!("inputs.{i}.weights.0")))?;
            let [_, each, temporal, spatial, _] = self.shape(&name(&format!("blocks.{i}.convs.0.weights.0")))?;
            let layers = self.count(|l| name(&format!("blocks.{i}.convs.{l}.weights.0")))?;
            // Every stream must have them all, or a short file could describe an endless network.
            for s in 0..streams {
                self.count_to(layers, |l| name(&format!("blocks.{i}.convs.{l}.weights.{s}")))?;
            }
            config.block_channels.push(channels);
            config.block_groups.push((channels / each).max(1));
            config.block_layers.push(layers);
            config.block_temporals.push(temporal);
            config.block_spatials.push(spatial);
        }
        Ok(config)
    }

    fn recurrent(&self) -> Result<RecurrentConfig, WeightError> {
        let name = |part: &str| format!("core.recurrent.{part}");
        let [out_channels, hidden_channels, ..] = self.shape::<5>(&name("out.weights.0"))?;
        let [common_channels, _, _, spatial, _] = self.shape(&name("conv.weights.0"))?;
        let [groups, _] = self.shape(&name("scales.0"))?;
        let [in_channels, ..] = self.shape::<5>(&name("proj_x.1.weights.0"))?;
        Ok(RecurrentConfig { in_channels, out_channels, hidden_channels, common_channels, groups, spatial })
    }

    fn modulation(&self, streams: usize) -> Result<ModulationConfig, WeightError> {
        let mlp_layers = self.count(|i| format!("modulation.mlp.linears.{i}.weights.0"))?;
        for s in 0..streams {
            self.count_to(mlp_layers, |i| format!("modulation.mlp.linears.{i}.weights.{s}"))?;
        }
        let [mlp_features, ..] = self.shape::<5>("modulation.mlp.linears.0.weights.0")?;
        let [lstm_features, ..] = self.shape::<5>("modulation.lstm.proj_i.weights.0")?;
        Ok(ModulationConfig { mlp_features, mlp_layers, lstm_features })
    }

    fn perspective(&self, told: Option<&TwinConfig>) -> Result<PerspectiveConfig, WeightError> {
        let [mlp_features, ..] = self.shape::<5>("perspective.mlp.linears.0.weights.0")?;
        let mlp_layers = self.count(|i| format!("perspective.mlp.linears.{}.weights.0", i + 1))?;
        let [height, width, _] = self.shape("perspective.retina.grid")?;
        let [] = self.shape("perspective.monitor_pixel.power")?;
        let measured = degrees(height, width, &self.tensor("perspective.retina.grid")?.values);
        // Rays are f32: what is told settles the last digits.
        let told =
            told.map(|told| told.perspective.degrees).filter(|told| measured.is_none_or(|m| (m - told).abs() < 1e-4));
        Ok(PerspectiveConfig {
            mlp_features,
            mlp_layers,
            height,
            width,
            degrees: told.or(measured).unwrap_or(75.0),
            monitor_power: self.tensor("perspective.monitor_pixel.power")?.values[0],
        })
    }

    fn tensor(&self, key: &str) -> Result<&NamedTensor, WeightError> {
        self.state.tensors.get(key).ok_or_else(|| WeightError::Missing {
            file: self.origin.file(key),
            key: key.to_owned(),
            expected: "there to tell the size of the network".to_owned(),
            others: 0,
        })
    }

    /// The shape of a tensor with so many axes, none of them empty.
    fn shape<const AXES: usize>(&self, key: &str) -> Result<[usize; AXES], WeightError> {
        let found = &self.tensor(key)?.shape;
        match <[usize; AXES]>::try_from(found.as_slice()) {
            Ok(shape) if !shape.contains(&0) => Ok(shape),
            _ => Err(WeightError::Shape {
                file: self.origin.file(key),
                key: key.to_owned(),
                found: found.clone(),
                expected: format!("{AXES} axes, none of them empty"),
            }),
        }
    }

    /// How many of these tensors there are, at least one.
    fn count(&self, key: impl Fn(usize) -> String) -> Result<usize, WeightError> {
        self.tensor(&key(0))?;
        Ok((1..).take_while(|&i| self.state.tensors.contains_key(&key(i))).count() + 1)
    }

    fn count_to(&self, count: usize, key: impl Fn(usize) -> String) -> Result<(), WeightError> {
        (0..count).try_for_each(|i| self.tensor(&key(i)).map(drop))
    }
}

/// Visual angle at the edge of the retina image: the slope of eccentricity over distance from the centre, by least
/// squares over the rays within 85 degrees of the line of sight. `None` when no pixel lies off the centre.
fn degrees(height: usize, width: usize, rays: &[f32]) -> Option<f64> {
    let (mut angle_by_distance, mut distance_squared) = (0.0, 0.0);
    for (pixel, ray) in rays.as_chunks::<3>().0.iter().enumerate() {
        let [x, y, z] = ray.map(f64::from);
        let (across, down) = retina_position(height, width, pixel / width, pixel % width);
        let (distance, angle) = (across.hypot(down), x.hypot(y).atan2(z));
        if angle < 85f64.to_radians() {
            angle_by_distance += angle * distance;
            distance_squared += distance * distance;
        }
    }
    let slope = (angle_by_distance / distance_squared).to_degrees();
    // Rays are f32: a slope this close to a round number is that number.
    let round = (slope * 1e3).round() / 1e3;
    slope.is_finite().then_some(if (slope - round).abs() < 5e-5 { round } else { slope })
}

/// The first difference between what is told and what was found: key and both values.
fn difference(told: &TwinConfig, found: &TwinConfig) -> Option<(String, String, String)> {
    let (p, q) = (&told.perspective, &found.perspective);
    let (m, n) = (&told.modulation, &found.modulation);
    let (f, g) = (&told.core.feedforward, &found.core.feedforward);
    let (r, s) = (&told.core.recurrent, &found.core.recurrent);
    let pairs: [(&str, &dyn std::fmt::Debug, &dyn std::fmt::Debug); 27] = [
        ("schema", &told.schema, &found.schema),
        ("streams", &told.streams, &found.streams),
        ("periphery", &told.periphery, &found.periphery),
        ("perspective.mlp_features", &p.mlp_features, &q.mlp_features),
        ("perspective.mlp_layers", &p.mlp_layers, &q.mlp_layers),
        ("perspective.height", &p.height, &q.height),
        ("perspective.width", &p.width, &q.width),
        ("perspective.degrees", &p.degrees, &q.degrees),
        ("perspective.monitor_power", &p.monitor_power, &q.monitor_power),
        ("modulation.mlp_features", &m.mlp_features, &n.mlp_features),
        ("modulation.mlp_layers", &m.mlp_layers, &n.mlp_layers),
        ("modulation.lstm_features", &m.lstm_features, &n.lstm_features),
        ("core.feedforward.input_spatial", &f.input_spatial, &g.input_spatial),
        ("core.feedforward.input_stride", &f.input_stride, &g.input_stride),
        ("core.feedforward.block_channels", &f.block_channels, &g.block_channels),
        ("core.feedforward.block_groups", &f.block_groups, &g.block_groups),
        ("core.feedforward.block_layers", &f.block_layers, &g.block_layers),
        ("core.feedforward.block_temporals", &f.block_temporals, &g.block_temporals),
        ("core.feedforward.block_spatials", &f.block_spatials, &g.block_spatials),
        ("core.feedforward.block_pools", &f.block_pools, &g.block_pools),
        ("core.feedforward.out_channels", &f.out_channels, &g.out_channels),
        ("core.recurrent.in_channels", &r.in_channels, &s.in_channels),
        ("core.recurrent.out_channels", &r.out_channels, &s.out_channels),
        ("core.recurrent.hidden_channels", &r.hidden_channels, &s.hidden_channels),
        ("core.recurrent.common_channels", &r.common_channels, &s.common_channels),
        ("core.recurrent.groups", &r.groups, &s.groups),
        ("core.recurrent.spatial", &r.spatial, &s.spatial),
    ];
    // As text: lists and numbers alike.
    pairs
        .into_iter()
        .map(|(key, told, found)| (key.to_owned(), format!("{told:?}"), format!("{found:?}")))
        .find(|(_, told, found)| told != found)
}

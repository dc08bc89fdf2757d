//! From behaviour to the core over a whole clip, one stream: a small network with a memory.

use super::parameters::Table;
use super::small::{Small, gelu};
use crate::model::twin::TwinConfig;
use crate::model::twin::parameters::Layer;

/// The layers of one stream.
#[derive(Debug)]
pub(super) struct Modulation {
    layers: Vec<Small>,
    /// Input, forget, cell and output gates.
    gates: Vec<Small>,
    features: usize,
    width: usize,
    /// Whether anything here is learned.
    pub learns: bool,
}

/// What the way back needs, for each frame.
#[derive(Debug, Default)]
pub(super) struct Tape {
    frames: Vec<FrameTape>,
    /// Hidden state of each frame, `[frame, feature]`.
    pub out: Vec<f32>,
}

#[derive(Debug, Default)]
struct FrameTape {
    /// Input of every layer, and the slope of the activation after it.
    layers: Vec<(Vec<f64>, Vec<f64>)>,
    /// Input of the gates: activations, then the hidden state before.
    both: Vec<f64>,
    /// Activated gates i, f, g, o.
    gates: [Vec<f64>; 4],
    /// Cell before and after.
    before: Vec<f64>,
    cell: Vec<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Modulation {
    /// The layers of a stream.
    pub fn new(config: &TwinConfig, layers: &[Layer], table: &Table, stream: usize) -> Self {
        let named = |prefix: &'static str| {
            let layers = layers.iter().filter(move |layer| layer.name.starts_with(prefix));
            layers.map(|layer| Small::new(layer, table, stream)).collect()
        };
        let (layers, gates) = (named("modulation.mlp."), named("modulation.lstm."));
        let m = &config.modulation;
        Self { layers, gates, features: m.lstm_features, width: m.mlp_features, learns: true }
    }

    /// Reads the parameters of this step.
    pub fn pack(&mut self, parameters: &[f32]) {
        self.layers.iter_mut().chain(&mut self.gates).for_each(|layer| layer.pack(parameters));
    }

    /// All frames of behaviour.
    pub fn forward<'a>(&self, behavior: impl Iterator<Item = &'a [f32; 2]>, tape: &mut Tape) {
        let Tape { frames, out } = tape;
        frames.clear();
        out.clear();
        let (mut h, mut c) = (vec![0.0; self.features], vec![0.0; self.features]);
        for behavior in behavior {
            let mut frame = FrameTape::default();
            let mut x: Vec<f64> = behavior.iter().map(|&v| f64::from(v)).collect();
            for layer in &self.layers {
                let mut y = vec![0.0; layer.outputs()];
                layer.forward(&x, &mut y);
                let (values, slopes) = y.into_iter().map(gelu).unzip();
                frame.layers.push((std::mem::replace(&mut x, values), slopes));
            }
            x.extend_from_slice(&h);
            for (k, gate) in self.gates.iter().enumerate() {
                let mut y = vec![0.0; self.features];
                gate.forward(&x, &mut y);
                y.iter_mut().for_each(|y| *y = if k == 2 { y.tanh() } else { sigmoid(*y) });
                frame.gates[k] = y;
            }
            let [i, f, g, o] = &frame.gates;
            frame.before.clone_from(&c);
            for n in 0..self.features {
                c[n] = f[n] * c[n] + i[n] * g[n];
                h[n] = o[n] * c[n].tanh();
            }
            frame.both = x;
            frame.cell.clone_from(&c);
            out.extend(h.iter().map(|&h| h as f32));
            frames.push(frame);
        }
    }

    /// From the gradient of the hidden states `[frame, feature]` to those of the parameters.
    pub fn backward(&self, back: &[f32], tape: &Tape, flat: &mut [f32]) {
        let all = || self.layers.iter().chain(&self.gates);
        let mut gradients: Vec<Vec<f64>> = all().map(|layer| vec![0.0; layer.len()]).collect();
        let (of_layers, of_gates) = gradients.split_at_mut(self.layers.len());
        let (mut dh, mut dc) = (vec![0.0; self.features], vec![0.0; self.features]);
        for (frame, back) in tape.frames.iter().zip(back.chunks_exact(self.features)).rev() {
            let [i, f, g, o] = &frame.gates;
            let mut gates = [(); 4].map(|()| vec![0.0; self.features]);
            for n in 0..self.features {
                let (dh, seen) = (dh[n] + f64::from(back[n]), frame.cell[n].tanh());
                let all = dc[n] + dh * o[n] * (1.0 - seen * seen);
                gates[0][n] = all * g[n] * i[n] * (1.0 - i[n]);
                gates[1][n] = all * frame.before[n] * f[n] * (1.0 - f[n]);
                gates[2][n] = all * i[n] * (1.0 - g[n] * g[n]);
                gates[3][n] = dh * seen * o[n] * (1.0 - o[n]);
                dc[n] = all * f[n];
            }
            let mut both = vec![0.0; frame.both.len()];
            for ((gate, back), gradient) in self.gates.iter().zip(&gates).zip(of_gates.iter_mut()) {
                gate.backward(&frame.both, back, &mut both, gradient);
            }
            dh = both.split_off(self.width);
            let mut dy = both;
            for ((layer, (x, slopes)), gradient) in
                self.layers.iter().zip(&frame.layers).zip(of_layers.iter_mut()).rev()
            {
                dy.iter_mut().zip(slopes).for_each(|(dy, slope)| *dy *= slope);
                let mut dx = vec![0.0; x.len()];
                layer.backward(x, &dy, &mut dx, gradient);
                dy = dx;
            }
        }
        all().zip(&gradients).for_each(|(layer, gradient)| layer.scatter(gradient, flat));
    }
}

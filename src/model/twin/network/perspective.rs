//! From the monitor to the retina: where the eye looks, and what falls on the retina.

use burn::module::{Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::ops::PadMode;
use burn::tensor::{DType, Tensor};

use super::draws::{Draws, rows};
use super::layers::{Conv, Convolution, Kernel, Source, gelu};
use super::probe::Probe;
use super::sampling::Taps;
use crate::model::twin::parameters::layers;
use crate::model::twin::{Periphery, TwinConfig};

/// Luminance below which the retina's power law is not followed; keeps its slope finite in the dark.
const DARKEST: f64 = 1e-5;
/// Smallest component of a ray towards the monitor: rays that point away miss the screen by far.
const GRAZING: f64 = 1e-5;

/// Eye rotation, monitor pose and both transfer functions.
#[derive(Module, Debug)]
pub struct Perspective {
    monitor: Monitor,
    retina_pixel: RetinaPixel,
    mlp: Mlp,
    #[module(skip)]
    constants: Constants,
}

/// A plane in front of the eye; one unit of length is half the width of the screen.
#[derive(Module, Debug)]
struct Monitor {
    center: Param<Tensor<1>>,
    angle: Param<Tensor<1>>,
    center_std: Param<Tensor<1>>,
    angle_std: Param<Tensor<1>>,
}

/// Luminance on the retina to input of the core.
#[derive(Module, Debug)]
struct RetinaPixel {
    logit: Param<Tensor<1>>,
    scale: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
}

/// From pupil position to the angles of the eye.
#[derive(Module, Debug)]
struct Mlp {
    linears: Vec<Conv>,
}

/// Buffers of the state dict that this part needs, and the sizes.
#[derive(Debug, Clone)]
struct Constants {
    height: usize,
    width: usize,
    periphery: Periphery,
    /// Viewing rays, `[pixel, axis]` row-major.
    rays: Vec<f32>,
    /// Grey level to luminance, `grey^power * scale + offset`.
    power: f64,
    scale: f64,
    offset: f64,
}

impl Perspective {
    pub fn new(config: &TwinConfig, source: Source<'_>) -> Self {
        let part = |part: &str| source.parameter(&format!("perspective.{part}"));
        let number = |part: &str| f64::from(source.state.values(&format!("perspective.monitor_pixel.{part}"))[0]);
        let linears = layers(config).into_iter().filter(|layer| layer.name.starts_with("perspective."));
        Self {
            monitor: Monitor {
                center: part("monitor.center"),
                angle: part("monitor.angle"),
                center_std: part("monitor.center_std"),
                angle_std: part("monitor.angle_std"),
            },
            retina_pixel: RetinaPixel {
                logit: part("retina_pixel.logit"),
                scale: part("retina_pixel.scale"),
                offset: part("retina_pixel.offset"),
            },
            mlp: Mlp { linears: linears.map(|layer| Conv::new(&layer, 1, source)).collect() },
            constants: Constants {
                height: config.perspective.height,
                width: config.perspective.width,
                periphery: config.periphery,
                rays: source.state.values("perspective.retina.grid").to_vec(),
                power: number("power"),
                scale: number("scale"),
                offset: number("offset"),
            },
        }
    }

    /// What stays the same during a sequence, in the number type of the coordinates.
    pub fn start(&self, draws: Option<&Draws>, dtype: DType) -> Eye {
        let (monitor, pixel, constants) = (&self.monitor, &self.retina_pixel, &self.constants);
        let device = monitor.center.val().device();
        let value = |param: &Param<Tensor<1>>| param.val().cast(dtype);
        let mut center = value(&monitor.center).reshape([1, 3]);
        let mut angle = value(&monitor.angle).reshape([1, 3]);
        if let Some(draws) = draws {
            let (shift, turn) = (rows::<3>(&draws.center, &device), rows::<3>(&draws.angle, &device));
            center = center + shift.cast(dtype) * value(&monitor.center_std).reshape([1, 3]);
            angle = angle + turn.cast(dtype) * value(&monitor.angle_std).reshape([1, 3]);
        }
        let axes = rotation(angle).swap_dims(1, 2);
        let samples = center.dims()[0];
        let center = outer_sum(axes.clone(), center.reshape([samples, 3, 1]));
        let rays: Tensor<2> = rows::<3>(constants.rays.as_chunks().0, &device);
        Eye {
            linears: self.mlp.linears.iter().map(|conv| conv.kernel(0..1, Convolution::Native, dtype)).collect(),
            axes,
            center,
            rays: rays.cast(dtype).transpose().unsqueeze(),
            power: sigmoid(value(&pixel.logit)).reshape([1, 1]),
            scale: value(&pixel.scale).reshape([1, 1]),
            offset: value(&pixel.offset).reshape([1, 1]),
            constants: self.constants.clone(),
            dtype,
        }
    }
}

/// The perspective during one sequence.
#[derive(Debug, Clone)]
pub struct Eye {
    linears: Vec<Kernel>,
    /// Axes of the monitor, one a row: `[1 or sample, axis, component]`.
    axes: Tensor<3>,
    /// Its centre along these axes: `[1 or sample, axis, 1]`.
    center: Tensor<3>,
    /// Viewing rays, `[1, component, pixel]`.
    rays: Tensor<3>,
    power: Tensor<2>,
    scale: Tensor<2>,
    offset: Tensor<2>,
    constants: Constants,
    dtype: DType,
}

impl Eye {
    /// Retina image `[1 or sample, 1, height, width]` of a frame `[1 or sample, y, x]`, grey 0..=255, seen with gaze
    /// `[1 or sample, 2]`.
    pub fn see(&self, grey: Tensor<3>, gaze: Tensor<2>, probe: &mut Probe) -> Tensor<4> {
        let Constants { height, width, .. } = self.constants;
        let (x, y) = self.coordinates(gaze, grey.dims(), probe);
        let samples = x.dims()[0].max(grey.dims()[0]);
        let points = height * width;
        let (x, y) = (x.expand([samples, points]), y.expand([samples, points]));
        let light = self.luminance(grey);
        // Dark surroundings are a black frame around the picture: beyond it the picture goes on with its border.
        let (light, x, y) = match self.constants.periphery {
            Periphery::Extend => (light, x, y),
            Periphery::Dark => (light.pad([(1, 1), (1, 1)], PadMode::Constant(0.0)), x + 1.0, y + 1.0),
        };
        let [pictures, rows, columns] = light.dims();
        let taps = Taps::new(x, y, rows, columns, pictures);
        let seen = taps.sample(light.reshape([pictures * rows * columns, 1]));
        let power = self.power.clone() * (seen + DARKEST).log();
        let retina = power.exp() * self.scale.clone() + self.offset.clone();
        retina.reshape([samples, 1, height, width]).cast(DType::F32)
    }

    /// Pixel coordinates on a frame `[.., y, x]` of every retina pixel, `[sample, pixel]` each.
    fn coordinates(&self, gaze: Tensor<2>, frame: [usize; 3], probe: &mut Probe) -> (Tensor<2>, Tensor<2>) {
        let samples = gaze.dims()[0];
        let mut angles = gaze.cast(self.dtype).reshape([samples, 1, 2, 1]);
        let last = self.linears.len() - 1;
        for (index, linear) in self.linears.iter().enumerate() {
            angles = linear.linear(angles);
            probe.record(&format!("perspective.mlp.linears.{index}"), &angles);
            if index < last {
                angles = gelu(angles);
            }
        }
        let eye = rotation(angles.reshape([samples, 3]));
        probe.record("perspective.rmat", &eye);

        // Along the axes of the monitor: rays r, centre m. The ray meets the plane at r * m_z / r_z.
        let rays = outer_sum(outer_sum(self.axes.clone(), eye), self.rays.clone());
        let [samples, _, points] = rays.dims();
        let depth = self.center.clone().narrow(1, 2, 1) / rays.clone().narrow(1, 2, 1).clamp_min(GRAZING);
        let hit = rays.narrow(1, 0, 2) * depth - self.center.clone().narrow(1, 0, 2);
        probe.record("perspective.monitor_grid", &hit.clone().swap_dims(1, 2));
        let along = |axis: usize, pixels: usize, scale: f64| {
            // The published sampler shrinks both axes by its retina size and stretches both by the monitor's width.
            let hit = hit.clone().narrow(1, axis, 1).reshape([samples, points]);
            hit * (scale * pixels as f64 / 2.0) + (pixels as f64 - 1.0) / 2.0
        };
        let [_, rows, columns] = frame;
        let stretch = if columns > 1 { columns as f64 / (columns as f64 - 1.0) } else { 1.0 };
        let shrink = |pixels: usize| (pixels as f64 - 1.0) / pixels as f64;
        let Constants { height, width, .. } = self.constants;
        let x = along(0, columns, stretch * shrink(width));
        let y = along(1, rows, columns as f64 / rows as f64 * stretch * shrink(height));
        (x, y)
    }

    /// What a monitor emits at these grey levels.
    fn luminance(&self, grey: Tensor<3>) -> Tensor<3> {
        let Constants { power, scale, offset, .. } = self.constants;
        let light = (grey / 255.0).cast(self.dtype).powf_scalar(power);
        if (scale, offset) == (1.0, 0.0) { light } else { light * scale + offset }
    }
}

/// Rz * Ry * Rx of angles `[sample, (x, y, z)]` in radians: `[sample, row, column]`.
fn rotation(angles: Tensor<2>) -> Tensor<3> {
    let samples = angles.dims()[0];
    let column = |values: &Tensor<2>, axis: usize| values.clone().narrow(1, axis, 1);
    let (cos, sin) = (angles.clone().cos(), angles.sin());
    let (cx, cy, cz) = (column(&cos, 0), column(&cos, 1), column(&cos, 2));
    let (sx, sy, sz) = (column(&sin, 0), column(&sin, 1), column(&sin, 2));
    let entries = vec![
        cz.clone() * cy.clone(),
        cz.clone() * sy.clone() * sx.clone() - sz.clone() * cx.clone(),
        cz.clone() * sy.clone() * cx.clone() + sz.clone() * sx.clone(),
        sz.clone() * cy.clone(),
        sz.clone() * sy.clone() * sx.clone() + cz.clone() * cx.clone(),
        sz * sy.clone() * cx.clone() - cz * sx.clone(),
        -sy,
        cy.clone() * sx,
        cy * cx,
    ];
    Tensor::cat(entries, 1).reshape([samples, 3, 3])
}

/// Matrix product `[sample, i, 3] x [sample, 3, j]` written as a sum: with three terms it is cheaper elementwise.
fn outer_sum(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    let term = |k: usize| a.clone().narrow(2, k, 1) * b.clone().narrow(1, k, 1);
    term(0) + term(1) + term(2)
}

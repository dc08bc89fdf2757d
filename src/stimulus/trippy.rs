//! "Trippy": sinusoidal stripes that bend, merge and drift everywhere in other ways, for tuning to orientation and motion
//! in many places at once; a movie of phases after the stimulus of that name of the MICrONS project.
//!
//! grey = background + amplitude cos(2 pi (phi(x, t) + tf t))
//!
//! phi is smooth noise. Independent uniform numbers, one for each node of a square grid and each frame, go through a
//! Hanning window in time, and from the nodes to the pixels through a Gaussian in space. phi is scaled so that the root
//! mean square of its gradient is the spatial frequency that was asked; locally the frequency differs, and where the
//! gradient vanishes it is 0. Places are those of the flat screen, exact in degrees at its centre; the grid has no border.

use std::f64::consts::{PI, TAU};
use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::drawing::{self, Kind, Painting, Pass, Shader, Table, fixed, shader};
use super::fields::{CONTRAST, Field, parameters};
use super::gratings::NO_STRIPES;
use super::hash::random_words;
use super::screen::Screen;
use super::{StimulusError, grey_level, swing};
use crate::signals::{Degrees, Monitor};

pub(super) static SHADER: Shader = shader!("trippy", "cycles");

/// Standard deviation of the Gaussian between the nodes, in distances of nodes: the narrowest that leaves the variance of
/// phi the same within 2 % wherever a pixel lies between the nodes.
const GAUSSIAN: f64 = 0.7;

/// Nodes that count on each side of a pixel: the Gaussian beyond is 10^-7 of its peak.
const REACH: i32 = 4;

/// Nodes along each axis that make up a pixel.
const NODES: usize = 2 * REACH as usize;

parameters! {
    /// Sinusoid of a phase that is smooth noise in space and time.
    pub struct Trippy {
        /// Root mean square of the local spatial frequency, cycles per degree at the centre of the screen.
        spatial_frequency_cyc_per_deg: f64 = 0.06, Field::number(
            "Spatial frequency",
            "cyc/deg",
            (0.0, 0.5),
            0.005,
            "Root mean square of the local spatial frequency, which varies from place to place",
        );
        /// Drift that is the same everywhere, cycles per second.
        temporal_frequency_hz: f64 = 2.5, Field::number(
            "Temporal frequency",
            "Hz",
            (0.0, 15.0),
            0.1,
            "Cycles per second that every place drifts; the changes of the pattern come on top",
        );
        /// Distance between the nodes of the phase noise at the centre of the screen, degrees.
        node_spacing_deg: Degrees = 27.0, Field::number(
            "Node spacing",
            "deg",
            (2.0, 90.0),
            1.0,
            "Distance between the nodes of the phase noise; orientation and frequency change over about this distance",
        );
        /// Length of the temporal window of the phase noise, seconds.
        window_secs: f64 = 1.0, Field::number(
            "Temporal window",
            "s",
            (0.1, 5.0),
            0.1,
            "Length of the Hanning window that smooths the phase noise; the pattern is another one after this time",
        );
        /// Amplitude as a fraction of the largest that fits around the background, 0..=1.
        contrast: f64 = 1.0, CONTRAST;
    }
}

impl Kind for Trippy {
    fn idle(&self, key: &str) -> Option<&'static str> {
        match key {
            "node_spacing_deg" | "window_secs" if self.spatial_frequency_cyc_per_deg == 0.0 => Some(NO_STRIPES),
            _ => None,
        }
    }

    fn check(&self, monitor: &Monitor) -> Result<(), StimulusError> {
        let fastest = monitor.frame_rate.0 / 2.0;
        if self.temporal_frequency_hz > fastest {
            let what = format!(
                "is {}; at {} frames per second it must lie in 0..={fastest} Hz",
                self.temporal_frequency_hz, monitor.frame_rate.0
            );
            return Err(StimulusError::Impossible { stimulus: "Trippy", key: "temporal_frequency_hz", what });
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        true
    }

    fn prepare(&self, screen: &Arc<Screen>, seed: u64) -> Result<Arc<dyn drawing::Drawing>, StimulusError> {
        Ok(Arc::new(Drawing::new(self, screen.monitor(), seed)))
    }
}

/// Parameters of the shader.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniform {
    nodes_across: u32,
    nodes: u32,
    background: f32,
    amplitude: f32,
}

/// Which nodes make up the pixels of a column or row: the first, counted from the first of the grid, and the weights.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Share {
    first: u32,
    weights: [f32; NODES],
}

/// One axis of the grid of nodes, as far as the screen needs it.
#[derive(Debug, Clone, PartialEq)]
struct Axis {
    /// Number of the first node; node 0 is at the centre of the screen.
    first: i32,
    nodes: usize,
    shares: Vec<Share>,
}

impl Axis {
    /// From the places of the pixels in distances of nodes.
    fn new(places: impl Iterator<Item = f64> + Clone) -> Self {
        let nearest = |place: f64| place.floor() as i32 - REACH + 1;
        let firsts = || places.clone().map(nearest);
        let first = firsts().min().unwrap_or(0);
        let nodes = (firsts().max().unwrap_or(0) - first) as usize + NODES;
        let share = |place: f64| {
            let own = nearest(place);
            let weights = std::array::from_fn(|node| {
                let away = (place - f64::from(own + node as i32)) / GAUSSIAN;
                (-away * away / 2.0).exp() as f32
            });
            Share { first: (own - first) as u32, weights }
        };
        Self { first, nodes, shares: places.map(share).collect() }
    }
}

/// The movie on a screen, ready to be drawn. All phases are in cycles.
#[derive(Debug, Clone, PartialEq)]
struct Drawing {
    seed: u64,
    background: f64,
    amplitude: f64,
    columns: Axis,
    rows: Axis,
    /// Weights of the numbers of the last frames, in cycles.
    window: Vec<f64>,
    cycles_per_frame: f64,
}

impl Drawing {
    fn new(trippy: &Trippy, monitor: &Monitor, seed: u64) -> Self {
        let spacing_cm = trippy.node_spacing_deg.to_radians() * monitor.distance_cm;
        let raster = monitor.raster;
        let columns =
            Axis::new((0..raster.width).map(|column| monitor.cm_from_pixel(0.0, column as f64).0 / spacing_cm));
        let rows = Axis::new((0..raster.height).map(|row| monitor.cm_from_pixel(row as f64, 0.0).1 / spacing_cm));
        // An odd number of taps, none of them zero, as 61 at 60 frames per second.
        let half = (trippy.window_secs * monitor.frame_rate.0 / 2.0).round();
        let window: Vec<f64> =
            (-half as i64..=half as i64).map(|n| 0.5 + 0.5 * (PI * n as f64 / (half + 1.0)).cos()).collect();
        // Independent numbers of variance v under Gaussian weights of peak 1 have a field whose gradient has the mean
        // square 2 v (integral g'^2) (integral g^2) = v pi per squared distance of nodes; uniform ones have 1/12.
        let power: f64 = window.iter().map(|tap| tap * tap).sum();
        let gradient = (power / 12.0 * PI).sqrt() / trippy.node_spacing_deg;
        let scale = trippy.spatial_frequency_cyc_per_deg / gradient;
        Self {
            seed,
            background: f64::from(monitor.background),
            amplitude: trippy.contrast * swing(monitor.background),
            columns,
            rows,
            window: window.iter().map(|tap| tap * scale).collect(),
            cycles_per_frame: trippy.temporal_frequency_hz / monitor.frame_rate.0,
        }
    }

    /// Phase that all pixels share, 0..1 cycle.
    fn drift(&self, frame: usize) -> f64 {
        (self.cycles_per_frame * frame as f64).rem_euclid(1.0)
    }

    /// Phase of every node, row by row; rows count upwards.
    fn nodes(&self, frame: usize) -> Vec<f64> {
        let mut phases = vec![0.0; self.columns.nodes * self.rows.nodes];
        for (index, phase) in phases.iter_mut().enumerate() {
            let column = self.columns.first + (index % self.columns.nodes) as i32;
            let row = self.rows.first + (index / self.columns.nodes) as i32;
            let node = (row as u32) << 16 | (column as u32 & 0xffff);
            // Four frames share the words of one draw.
            let mut draw = (usize::MAX, [0; 4]);
            for (tap, weight) in self.window.iter().enumerate() {
                let time = frame.wrapping_add(tap);
                if draw.0 != time / 4 {
                    draw = (time / 4, random_words(self.seed, node, (time / 4) as u32));
                }
                *phase += weight * (f64::from(draw.1[time % 4]) * 2f64.powi(-32) - 0.5);
            }
        }
        phases
    }
}

impl drawing::Drawing for Drawing {
    fn frame(&self, _screen: &Screen, frame: usize, pixels: &mut [u8]) {
        let (nodes, drift) = (self.nodes(frame), self.drift(frame));
        let across = self.columns.nodes;
        let mut line = vec![0.0; across];
        for (row, greys) in self.rows.shares.iter().zip(pixels.chunks_exact_mut(self.columns.shares.len())) {
            line.fill(0.0);
            for (weight, nodes) in row.weights.iter().zip(nodes[row.first as usize * across..].chunks_exact(across)) {
                line.iter_mut().zip(nodes).for_each(|(sum, node)| *sum += f64::from(*weight) * node);
            }
            for (column, grey) in self.columns.shares.iter().zip(greys) {
                let nodes = line[column.first as usize..].iter();
                let phase: f64 = column.weights.iter().zip(nodes).map(|(weight, node)| f64::from(*weight) * node).sum();
                *grey = grey_level(self.background + self.amplitude * (TAU * (phase + drift)).cos());
            }
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        let uniform = Uniform {
            nodes_across: self.columns.nodes as u32,
            nodes: (self.columns.nodes * self.rows.nodes) as u32,
            background: self.background as f32,
            amplitude: self.amplitude as f32,
        };
        let shares: Vec<Share> = self.columns.shares.iter().chain(&self.rows.shares).copied().collect();
        // Few numbers make a whole frame, so they come from here.
        let phases: Vec<f32> = frames.clone().flat_map(|frame| self.nodes(frame)).map(|phase| phase as f32).collect();
        let drifts: Vec<u32> = frames.map(|frame| fixed(self.drift(frame))).collect();
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&[uniform]), Table::of(&drifts), Table::of(&shares), Table::of(&phases)],
            passes: vec![Pass { entry: "draw", things: screen.monitor().raster.pixels() }],
        })
    }
}

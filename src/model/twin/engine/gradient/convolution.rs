//! A causal convolution of one stream, in the cheapest of the ways that fit it.

use super::super::channels::Channels;
use super::super::simd::Kernel;
use super::super::winograd::Tile;
use super::bias::Bias;
use super::parameters::Table;
use super::room::{Context, Pictures, Room};
use super::tiles::Tiles;
use super::windows::Windows;
use crate::model::twin::parameters::Layer;
use crate::signals::Raster;

/// Most channels of a group that tiles take.
const WIDEST: usize = 1 << 10;

/// How a convolution is computed.
#[derive(Debug)]
enum Way {
    Windows(Windows),
    Tiles(Tiles),
}

impl Way {
    fn new(
        kernel: Kernel,
        layer: &Layer,
        from: Raster,
        groups: usize,
        channels: (usize, usize),
        place: impl Fn(usize, usize, usize, usize) -> Option<usize>,
    ) -> Self {
        let plain = layer.stride == 1 && !layer.replicate && channels.0.max(channels.1) <= WIDEST;
        match Tile::for_map(layer.spatial, from).filter(|_| plain) {
            Some(tile) => Self::Tiles(Tiles::new(kernel, from, (tile, layer.temporal), groups, channels, place)),
            None => Self::Windows(Windows::new(kernel, layer, from, groups, channels, place)),
        }
    }
}

/// A convolution and its bias.
#[derive(Debug)]
pub(super) struct Convolution {
    way: Way,
    bias: Bias,
    /// Whether its parameters are learned.
    pub learns: bool,
    name: String,
}

impl Convolution {
    /// A layer of a stream whose groups have `inputs` numbers in a pixel; `input(place)` is the input of its group.
    pub fn new(
        kernel: Kernel,
        (layer, table, stream): (&Layer, &Table, usize),
        from: Raster,
        inputs: usize,
        outputs: Channels,
        input: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let weights = table.at(&format!("{}.weights.{stream}", layer.name));
        let (fan, taps) = (layer.fan_in(), layer.temporal * layer.spatial * layer.spatial);
        // One group of the layer may feed several groups of channels.
        let (groups, width) = (layer.groups_in, outputs.stride() / layer.groups_in);
        let place = |group: usize, i: usize, tap: usize, o: usize| {
            let o = outputs.real_at(group * width + o)?;
            Some(weights.start + o * fan + input(i)? * taps + tap)
        };
        Self {
            way: Way::new(kernel, layer, from, groups, (inputs, width), place),
            bias: Bias::new(layer, table, stream, outputs),
            learns: true,
            name: layer.name.clone(),
        }
    }

    /// One group of a layer without bias.
    pub fn of_group(
        kernel: Kernel,
        (layer, table, stream): (&Layer, &Table, usize),
        from: Raster,
        inputs: usize,
        outputs: Channels,
        group: usize,
        input: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let weights = table.at(&format!("{}.weights.{stream}", layer.name));
        let (fan, taps) = (layer.fan_in(), layer.temporal * layer.spatial * layer.spatial);
        let alone = Channels { groups: 1, ..outputs };
        let place = |_: usize, i: usize, tap: usize, o: usize| {
            let o = group * outputs.real + alone.real_at(o)?;
            Some(weights.start + o * fan + input(i)? * taps + tap)
        };
        Self {
            way: Way::new(kernel, layer, from, 1, (inputs, alone.stride()), place),
            bias: Bias::new(layer, table, stream, alone),
            learns: true,
            name: layer.name.clone(),
        }
    }

    /// Pixels of the output.
    pub fn raster(&self) -> Raster {
        match &self.way {
            Way::Windows(windows) => windows.raster(),
            Way::Tiles(tiles) => tiles.raster(),
        }
    }

    /// Asks whether the layer is learned.
    pub fn learn(&mut self, learned: &dyn Fn(&str) -> bool) -> bool {
        self.learns = learned(&self.name);
        self.learns
    }

    /// Reads the effective weights of this step.
    pub fn pack(&mut self, effective: &[f32]) {
        match &mut self.way {
            Way::Windows(windows) => windows.pack(effective),
            Way::Tiles(tiles) => tiles.pack(effective),
        }
        self.bias.pack(effective);
    }

    /// Computes all frames.
    ///
    /// # Safety
    /// The pictures exist with the strides told, and nobody else writes `y` meanwhile.
    pub unsafe fn forward(&self, context: Context<'_>, frames: usize, x: Pictures, y: Pictures) {
        // SAFETY: the caller's.
        unsafe {
            match &self.way {
                Way::Windows(windows) => windows.forward(context, frames, x, y, self.bias.values()),
                Way::Tiles(tiles) => tiles.forward(context, frames, x, y, self.bias.values()),
            }
        }
    }

    /// Writes the gradient of the input, or adds it to what stands in `dx`.
    ///
    /// # Safety
    /// As [`Self::forward`], for `dx`.
    pub unsafe fn backward(&self, context: Context<'_>, frames: usize, dy: Pictures, dx: Pictures, add: bool) {
        // SAFETY: the caller's.
        unsafe {
            match &self.way {
                Way::Windows(windows) => windows.backward(context, frames, dy, dx, add),
                Way::Tiles(tiles) => tiles.backward(context, frames, dy, dx, add),
            }
        }
    }

    /// Adds the gradient of the weights and biases, where they are learned.
    ///
    /// # Safety
    /// The pictures exist, and nobody writes them meanwhile.
    pub unsafe fn gradient(
        &self,
        context: Context<'_>,
        frames: usize,
        x: Pictures,
        dy: Pictures,
        room: &mut Room,
        flat: &mut [f32],
    ) {
        if self.learns {
            // SAFETY: the caller's.
            unsafe {
                match &self.way {
                    Way::Windows(windows) => windows.weight_gradient(context, frames, (x, dy), room, flat),
                    Way::Tiles(tiles) => tiles.weight_gradient(context, frames, (x, dy), room, flat),
                }
                let size = (frames, self.raster().pixels());
                self.bias.gradient(context, size, (dy.data, dy.pixel), room, flat);
            }
        }
    }
}

//! Linear light: what a stimulus draws as a grey level is shown so that its luminance is proportional to it.
//!
//! The last step of every computed stimulus on a monitor with `linear_light`: a table of 256 levels, see
//! [`Monitor::linear_levels`]. Pictures from files stay as they are, because they were recorded as grey levels.

use std::ops::Range;
use std::sync::Arc;

use super::dots::DotField;
use super::drawing::{Drawing, Painting, Pass, Shader, Table, shader};
use super::screen::Screen;
use crate::signals::Monitor;

pub(super) static SHADER: Shader = shader!("levels");

/// A stimulus in linear light.
#[derive(Debug)]
pub(super) struct LinearLight {
    below: Arc<dyn Drawing>,
    levels: [u8; 256],
}

impl LinearLight {
    /// The same stimulus as the monitor's luminance has to be.
    pub(super) fn new(below: Arc<dyn Drawing>, monitor: &Monitor) -> Self {
        Self { below, levels: monitor.linear_levels() }
    }
}

impl Drawing for LinearLight {
    fn frame(&self, screen: &Screen, frame: usize, pixels: &mut [u8]) {
        self.below.frame(screen, frame, pixels);
        for pixel in pixels {
            *pixel = self.levels[usize::from(*pixel)];
        }
    }

    fn painting(&self, screen: &Screen, frames: Range<usize>) -> Option<Painting> {
        self.below.painting(screen, frames)
    }

    fn repainting(&self, screen: &Screen) -> Option<Painting> {
        Some(Painting {
            shader: &SHADER,
            tables: vec![Table::of(&self.levels.map(u32::from))],
            passes: vec![Pass { entry: "exchange", things: screen.monitor().raster.pixels() }],
        })
    }

    fn frames(&self) -> Option<usize> {
        self.below.frames()
    }

    fn dots(&self) -> Option<&DotField> {
        self.below.dots()
    }
}

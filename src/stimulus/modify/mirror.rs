//! Mirror images: left for right, up for down, or both, which is half a turn.

use super::super::fields::{Field, choices, parameters};
use super::{Change, ModifierParameters, Prepared, Screen, StimulusError};

choices! {
    /// What changes sides.
    pub enum MirrorAxis {
        /// Left and right.
        Horizontal = "horizontal", "Left and right";
        /// Up and down.
        Vertical = "vertical", "Up and down";
        /// Both.
        Both = "both", "Both";
    }
}

parameters! {
    /// Mirror image of every frame.
    pub struct Mirror {
        /// What changes sides.
        axis: MirrorAxis = MirrorAxis::Horizontal,
            Field::choice("Swapped", MirrorAxis::OPTIONS, "Which sides of the screen change places");
    }
}

impl ModifierParameters for Mirror {
    fn prepare(
        &self,
        _below: &Prepared,
        _nested: Option<Prepared>,
        _seed: u64,
    ) -> Result<Box<dyn Change>, StimulusError> {
        Ok(Box::new(self.clone()))
    }
}

impl Change for Mirror {
    fn apply(&self, screen: &Screen, _frame: usize, greys: &mut [f32]) {
        let width = screen.monitor().raster.width;
        match self.axis {
            MirrorAxis::Horizontal => greys.chunks_exact_mut(width).for_each(<[f32]>::reverse),
            MirrorAxis::Vertical => {
                let mut rows = greys.chunks_exact_mut(width);
                while let (Some(upper), Some(lower)) = (rows.next(), rows.next_back()) {
                    upper.swap_with_slice(lower);
                }
            }
            MirrorAxis::Both => greys.reverse(),
        }
    }
}

//! An object as it lies on the screen: where its pixels are in its own axes, and how much of each it covers.

use bytemuck::{Pod, Zeroable};

use super::camera::View;
use super::lanes::{Lanes, STEP};
use super::texture::{STRIDE, TEXELS, TEXELS_PER_DEG, Texture};
use super::tiles::split;

/// Extent of a rounded rectangle |u|^4 + |v|^4 = 1 over that of the ellipse with its axes: the fourth root of 2.
pub(super) const CORNER: f64 = 1.189_207_115_002_721;

/// Keeps the middle of an object from dividing nothing by nothing; the shader has the same.
const NOTHING: f32 = 1e-20;

/// What an object looks like, wherever it is; aligned so that it lies in one line of the processor's cache.
#[repr(align(32))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    /// Half axes, degrees.
    pub axes: [f32; 2],
    /// Cosine and sine of the first axis against the world's.
    pub along: [f32; 2],
    /// Place in the texture, texels.
    pub texture: [f32; 2],
    pub grey: f32,
    pub rectangle: bool,
}

/// An object, or the backdrop, as it lies on the screen in one frame; the layout of `Leaf` in `shaders/scene.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct Leaf {
    /// Column and row of the centre.
    pub centre: [f32; 2],
    /// From pixels to half axes: the border is at distance 1.
    pub across: [f32; 2],
    pub down: [f32; 2],
    /// Half axes in texels.
    pub texels: [f32; 2],
    /// Place in the texture, texels.
    pub texture: [f32; 2],
    pub grey: f32,
    /// 1 for a rounded rectangle, 0 for an ellipse.
    pub rectangle: u32,
}

impl Leaf {
    /// An object at a column and row.
    #[inline(always)]
    pub fn new(look: &Look, centre: [f32; 2], view: &View) -> Self {
        // Turned with the camera.
        let [cos, sin] = [
            look.along[0] * view.turn[0] + look.along[1] * view.turn[1],
            look.along[1] * view.turn[0] - look.along[0] * view.turn[1],
        ];
        let [dx, dy] = view.pixel;
        let [a, b] = look.axes.map(|axis| 1.0 / axis);
        Self {
            centre,
            across: [cos * dx * a, -sin * dx * b],
            down: [-sin * dy * a, -cos * dy * b],
            texels: look.axes.map(|axis| axis * TEXELS_PER_DEG),
            texture: look.texture,
            grey: look.grey,
            rectangle: u32::from(look.rectangle),
        }
    }

    /// Places of pixels in the object's own axes.
    #[inline(always)]
    pub fn own<L: Lanes>(&self, [columns, rows]: [L; 2]) -> [L; 2] {
        let (x, y) = (columns - L::all(self.centre[0]), rows - L::all(self.centre[1]));
        [L::all(self.across[0]) * x + L::all(self.down[0]) * y, L::all(self.across[1]) * x + L::all(self.down[1]) * y]
    }

    /// Largest change of the distance within one pixel: the larger singular value of `across` and `down`.
    #[inline(always)]
    fn steepest(&self) -> f32 {
        let [a, b, c, d] = [self.across[0], self.across[1], self.down[0], self.down[1]];
        let (sum, product) = (a * a + b * b + c * c + d * d, a * d - b * c);
        (0.5 * (sum + (sum * sum - 4.0 * product * product).max(0.0).sqrt())).sqrt()
    }

    /// Parts of pixels that lie inside, 0..=1: a ramp one pixel wide, measured across the border.
    #[inline(always)]
    pub fn cover<L: Lanes>(&self, [u, v]: [L; 2]) -> L {
        let (uu, vv) = (u * u, v * v);
        if self.rectangle == 1 {
            let squared = (uu * uu + vv * vv).sqrt();
            let distance = squared.sqrt();
            self.ramp(distance, squared * distance, [uu * u, vv * v])
        } else {
            let distance = (uu + vv).sqrt();
            self.ramp(distance, distance, [u, v])
        }
    }

    /// The ramp across a border at distance 1; the gradient of the distance is that of `gradient` over `power`.
    #[inline(always)]
    fn ramp<L: Lanes>(&self, distance: L, power: L, [gu, gv]: [L; 2]) -> L {
        let x = L::all(self.across[0]) * gu + L::all(self.across[1]) * gv;
        let y = L::all(self.down[0]) * gu + L::all(self.down[1]) * gv;
        // In the very middle both are nothing, and the pixel lies inside.
        let (one, nothing) = (L::all(1.0), L::all(NOTHING));
        let cover = L::all(0.5) + (one - distance) * (power + nothing) / ((x * x + y * y).sqrt() + nothing);
        cover.above(L::all(0.0)).below(one)
    }

    /// Grey levels at places in the object's own axes; `relief` is those of one standard deviation of the texture.
    #[inline(always)]
    pub fn greys<L: Lanes>(&self, own: [L; 2], texture: &Texture, relief: f32) -> L {
        let (texels, rest) = self.texels(own);
        L::all(self.grey) + L::all(relief) * texture.between(texels, rest)
    }

    /// Numbers of the texels left of and above places, and how far right and down of them the places are.
    #[inline(always)]
    fn texels<L: Lanes>(&self, [u, v]: [L; 2]) -> ([usize; STEP], [L; 2]) {
        let (columns, right) = split(L::all(self.texture[0]) + u * L::all(self.texels[0]));
        let (rows, down) = split(L::all(self.texture[1]) + v * L::all(self.texels[1]));
        let mut numbers = [0; STEP];
        for lane in 0..STEP {
            numbers[lane] = rows[lane] as usize % TEXELS * STRIDE + columns[lane] as usize % TEXELS;
        }
        (numbers, [right, down])
    }

    /// Distance in the object's own axes (as of an ellipse) within which pixels are wholly covered, and beyond which
    /// they are not touched, both squared.
    #[inline(always)]
    pub fn bounds(&self) -> (f32, f32) {
        let edge = 0.5 * self.steepest();
        let (inner, outer) = ((1.0 - edge).max(0.0), 1.0 + edge);
        let corner = if self.rectangle == 1 { (CORNER * CORNER) as f32 } else { 1.0 };
        (inner * inner, outer * outer * corner)
    }
}
